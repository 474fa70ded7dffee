/*
 * shadow.h: one table where two are needed: shadow paging, in software.
 *
 * Before processors had a second dimension, they knew one page table, and KVM had to
 * make it: a table that leads from the guest's linear addresses straight to the
 * host's memory. It is the guest's table composed with the slots:
 *
 *     guest's table       linear address ----> guest-physical
 *     slots                                    guest-physical ----> host
 *     shadow table        linear address -------------------------> host
 *
 * The guest must never see it, and it must never allow what the guest's table forbids
 * or show what has changed. Three rules do that:
 *
 *   - it is filled lazily: empty at first, an entry is added when an access faults;
 *   - a guest page that serves as a page table is mapped read-only, so a change of it
 *     faults, and the entries made from it are dropped (or, SHADOW_UNSYNC, the change
 *     is let through and the entries are dropped when the guest executes INVLPG or
 *     loads CR3, as it must for the processor's TLB anyway);
 *   - an entry is present only if the guest's is marked accessed, and writable only if
 *     it is marked dirty: so the first access and the first write fault, and we set
 *     the marks as the processor would.
 *
 * The table is a real one, in the format of 4-level paging; the walker of walk.h
 * plays the processor that uses it. Our "host-physical" addresses are addresses of
 * this process. No KVM here.
 */
#ifndef CHAPTER_03_SHADOW_H
#define CHAPTER_03_SHADOW_H

#include "03-paging-ept/slots.h"
#include "03-paging-ept/walk.h"

#define SHADOW_PAGES   512u         /* pages for tables; when they run out, all is dropped */
#define SHADOW_NO_ROOT SHADOW_PAGES /* the root is found at the next access */

enum shadow_policy {
    SHADOW_STRICT, /* every write to a guest's table is caught */
    SHADOW_UNSYNC, /* last-level tables may run out of step until INVLPG or CR3 */
};

/* A page of the shadow table, and what it was made from. */
struct shadow_page {
    const uint8_t *source; /* the guest's table, or the big page it is a part of */
    unsigned level;        /* 4 to 1; 0: unused */
    bool split;            /* 512 pages of one big page: source is no table */
    bool unsync;           /* the guest may have written to source since */
    gpa_t first;           /* split: the guest-physical address of entry 0 */
};

/* What it cost. Each is an exit to the hypervisor, but for the last two. */
struct shadow_counts {
    uint64_t fills;        /* shadow entry missing or too strict: "hidden" page faults */
    uint64_t guest_faults; /* the guest's own page faults, passed on to it */
    uint64_t table_writes; /* writes to the guest's page tables, emulated */
    uint64_t unsyncs;      /* tables let loose (SHADOW_UNSYNC) */
    uint64_t invlpgs;
    uint64_t cr3_loads;
    uint64_t mmio;     /* accesses to holes, and writes to ROM */
    uint64_t accesses; /* all, most of them without an exit */
    uint64_t dropped;  /* entries removed from the shadow table */
};

struct shadow {
    const struct guest_memory *guest; /* borrowed */
    const struct slot_map *slots;     /* borrowed; tell shadow_flush() of changes */
    enum shadow_policy policy;
    struct paging registers;  /* the guest's */
    struct guest_memory pool; /* the shadow's own tables, page i at address i * 4096 */
    struct shadow_page pages[SHADOW_PAGES];
    unsigned root;
    struct shadow_counts counts;
};

enum shadow_result {
    SHADOW_DONE,        /* the access goes to outcome.host */
    SHADOW_GUEST_FAULT, /* the guest's own fault: outcome.guest says which */
    SHADOW_TABLE_WRITE, /* goes to outcome.host; then call shadow_wrote() */
    SHADOW_MMIO,        /* no RAM there, or a write to ROM: outcome.guest.gpa */
};

struct shadow_outcome {
    enum shadow_result result;
    uint8_t *host;
    struct walk guest; /* how the guest's own table translates, if we had to look */
};

/* 0 or -ENOMEM. The guest's registers must ask for 4-level paging with CR0.WP. */
int shadow_init(struct shadow *shadow, const struct guest_memory *guest,
                const struct slot_map *slots, enum shadow_policy policy);
void shadow_free(struct shadow *shadow);

/* The guest loads CR3, or changes what paging depends on. */
void shadow_load(struct shadow *shadow, const struct paging *registers);

/* The guest executes INVLPG. */
void shadow_invlpg(struct shadow *shadow, uint64_t linear);

/* Forgets everything: slots have changed. */
void shadow_flush(struct shadow *shadow);

/*
 * One access of the guest, by processor and hypervisor together: the processor walks
 * the shadow table; if that faults, we mend the table, or find that the fault is the
 * guest's own.
 */
struct shadow_outcome shadow_access(struct shadow *shadow, uint64_t linear, unsigned access);

/* Bytes at host, of a guest's page table, have changed: after SHADOW_TABLE_WRITE. */
void shadow_wrote(struct shadow *shadow, const uint8_t *host, uint64_t size);

/* What the shadow table says now, mending nothing: .gpa is an address of this process. */
struct walk shadow_walk(const struct shadow *shadow, uint64_t linear, unsigned access);

/*
 * Proves one address: if the shadow allows the access, then the guest's table and the
 * slots together do, they lead to the same byte, the marks are set, and no page in
 * use as a guest's table is writable. NULL, or what is wrong.
 */
const char *shadow_check(const struct shadow *shadow, uint64_t linear, unsigned access);

#endif
