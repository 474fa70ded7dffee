/*
 * ept.h: the second dimension as the hardware keeps it: extended page tables.
 *
 * Intel's EPT translates every guest-physical address once more; AMD's nested paging
 * does the same in the format of ordinary page tables. The guest's own tables stay
 * its own, and nothing it does to them concerns the hypervisor. This module keeps an
 * EPT as KVM does: empty at first, one entry added for each EPT violation.
 *
 *     63  62:52    51                        12 11:10  9 8  7   6   5:3   2 1 0
 *    |SVE| ign | physical address of page/table | ign |D|A|PS|IPAT| type |X|W|R|
 *
 * No KVM here, and no VMX: the table is built and walked, not used by a processor.
 * [SDM3, 28.2.2 "EPT Translation Mechanism"]
 */
#ifndef CHAPTER_03_EPT_H
#define CHAPTER_03_EPT_H

#include "03-paging-ept/slots.h"
#include "03-paging-ept/walk.h"

#define EPT_R          UINT64_C(0x01)
#define EPT_W          UINT64_C(0x02)
#define EPT_X          UINT64_C(0x04)
#define EPT_WRITE_BACK UINT64_C(0x30) /* memory type 6 in bits 5:3 */
#define EPT_PS         UINT64_C(0x80)
#define EPT_A          UINT64_C(0x100)
#define EPT_D          UINT64_C(0x200)

/* Exit qualification of an EPT violation. [SDM3, Table 27-7 "Exit Qualification
 * for EPT Violations"] */
#define EPT_VIOLATION_READ     0x01u
#define EPT_VIOLATION_WRITE    0x02u
#define EPT_VIOLATION_FETCH    0x04u
#define EPT_VIOLATION_READABLE 0x08u /* what the entries allow: R, W, X in bits 3 to 5 */

#define EPT_PAGES              256u

struct ept {
    const struct slot_map *slots; /* borrowed */
    bool big_pages;               /* use 2 MiB entries where slot and host allow it */
    struct guest_memory pool;     /* the tables; page 0 is the root */
    unsigned used;
    uint64_t violations; /* exits that added an entry */
    uint64_t mmio;       /* exits that did not: a hole, or a write to ROM */
};

enum ept_result { EPT_DONE, EPT_VIOLATION, EPT_MMIO };

/* 0 or -ENOMEM. */
int ept_init(struct ept *ept, const struct slot_map *slots, bool big_pages);
void ept_free(struct ept *ept);

/*
 * What the processor does: walks the table, sets A and D. EPT_DONE: *host is the byte.
 * EPT_VIOLATION: *qualification says what was tried and what is allowed.
 */
enum ept_result ept_walk(const struct ept *ept, gpa_t gpa, unsigned access, uint8_t **host,
                         unsigned *qualification);

/* Processor and hypervisor: on a violation, adds the entry and tries again. */
enum ept_result ept_access(struct ept *ept, gpa_t gpa, unsigned access, uint8_t **host);

/*
 * How many reads of memory one translation costs with nothing cached: guest_levels
 * entries, each found through nested_levels more, and the page itself likewise.
 */
unsigned ept_references(unsigned guest_levels, unsigned nested_levels);

#endif
