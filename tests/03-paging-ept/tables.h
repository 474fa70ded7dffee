/*
 * tables.h: random page tables, for tests that want many thousands of them.
 *
 * A table is random but not noise: noise would fault in its first entry. Entries
 * point at other tables of the region (in loops, too, and at themselves), at data,
 * at holes; a few carry reserved bits. All follows from one seed, so a failure
 * names a number that brings it back.
 *
 *   0x00000  a window kept for a guest's own code    0x10000  the root
 *   0x11000  23 more tables                          0x40000  data, to 0x80000
 */
#ifndef TESTS_03_TABLES_H
#define TESTS_03_TABLES_H

#include <stdio.h>
#include <string.h>

#include "03-paging-ept/walk.h"
#include "common/bits.h"

#define TABLES_RAM  (1 * MIB)
#define ROOT        0x10000u
#define TABLE_COUNT 24u
#define WINDOW_PT   0xf000u /* the tables of the window, one for each level */
#define WINDOW_PD   0xe000u
#define WINDOW_PDPT 0xd000u
#define WINDOW_PML4 0xc000u
#define DATA        0x40000u
#define DATA_END    0x80000u

struct rng {
    uint64_t state; /* never 0 */
};

/* splitmix64: any seed is good, neighbours too. */
static inline uint64_t random64(struct rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint64_t below(struct rng *rng, uint64_t limit)
{
    return random64(rng) % limit;
}

static inline bool chance(struct rng *rng, unsigned percent)
{
    return below(rng, 100) < percent;
}

static inline unsigned entry_size(const struct paging *p)
{
    return p->cr4 & CR4_PAE ? 8 : 4;
}

static inline void put_entry(const struct guest_memory *memory, const struct paging *p, gpa_t at,
                             uint64_t entry)
{
    memcpy(guest_ptr(memory, at, entry_size(p)), &entry, entry_size(p));
}

/* One entry, most likely a useful one. */
static inline uint64_t random_entry(struct rng *rng, const struct paging *p)
{
    unsigned kind = (unsigned)below(rng, 100);
    uint64_t entry = random64(rng) & (PTE_A | PTE_D | 0x18), address;

    if (kind < 12)
        return chance(rng, 50) ? 0 : random64(rng) & ~PTE_P;
    if (kind < 60)
        address = ROOT + below(rng, TABLE_COUNT) * 4096;
    else if (kind < 94)
        address = DATA + below(rng, (DATA_END - DATA) / 4096) * 4096;
    else
        address = TABLES_RAM + below(rng, 1u << 16) * 4096; /* a hole */
    entry |= address | PTE_P;
    if (chance(rng, 85))
        entry |= PTE_W;
    if (chance(rng, 80))
        entry |= PTE_U;
    if (chance(rng, 12)) /* a big page, sometimes crooked */
        entry = (chance(rng, 80) ? entry & ~UINT64_C(0x3ff000) : entry) | PTE_PS;
    if (entry_size(p) == 4)
        return entry & 0xffffffff & (entry & PTE_PS ? ~UINT64_C(0x1e0000) : ~UINT64_C(0));
    if (chance(rng, 12))
        entry |= PTE_NX;
    if (chance(rng, 3))
        entry |= BIT(p->maxphyaddr - 1 + below(rng, 63 - p->maxphyaddr));
    return entry;
}

/* Rules that a root must keep: MOV to CR3 checks PAE's pointers. */
static inline uint64_t random_root_entry(struct rng *rng, const struct paging *p)
{
    if (walk_levels(p) == 3)
        return (ROOT + 4096 * (1 + below(rng, TABLE_COUNT - 1))) | PTE_P;
    return random_entry(rng, p);
}

/* Maps the first 64 KiB to themselves, at the same linear addresses. */
static inline void map_window(const struct guest_memory *memory, const struct paging *p)
{
    gpa_t chain[] = {WINDOW_PT, WINDOW_PD, WINDOW_PDPT, WINDOW_PML4};
    unsigned levels = walk_levels(p);

    for (gpa_t page = 0; page < 0x10000; page += 4096) {
        bool user = page == 0x5000 || page == 0x6000; /* the prober's ring 3 */

        put_entry(memory, p, WINDOW_PT + page / 4096 * entry_size(p),
                  page | PTE_P | PTE_W | (user ? PTE_U : 0));
    }
    for (unsigned level = 2; level < levels; level++)
        put_entry(memory, p, chain[level - 1], chain[level - 2] | PTE_P | PTE_W | PTE_U);
    put_entry(memory, p, ROOT, chain[levels - 2] | PTE_P | (levels == 3 ? 0 : PTE_W | PTE_U));
}

/* Fills root and tables. CR3 is to be ROOT. */
static inline void random_tables(const struct guest_memory *memory, struct rng *rng,
                                 const struct paging *p)
{
    unsigned size = entry_size(p), root_entries = walk_levels(p) == 3 ? 4 : 4096 / size;

    for (gpa_t at = ROOT; at < ROOT + TABLE_COUNT * 4096; at += size) {
        bool in_root = at < ROOT + 4096;

        if (in_root && at >= ROOT + root_entries * size)
            continue;
        put_entry(memory, p, at, in_root ? random_root_entry(rng, p) : random_entry(rng, p));
    }
    map_window(memory, p);
}

/* An address outside the window; with 64 bits, one in twenty is not canonical. */
static inline uint64_t random_address(struct rng *rng, const struct paging *p)
{
    unsigned width = walk_levels(p) == 5 ? 57 : walk_levels(p) == 4 ? 48 : 32;
    uint64_t address;

    do {
        address = random64(rng) & (BIT(width) - 1);
    } while (address < UINT64_C(1) << (width == 32 ? 30 : width - 9));
    if (width == 32)
        return address;
    if (chance(rng, 5))
        return address ^ BIT(width + below(rng, 64 - width));
    return address >> (width - 1) ? address | ~(BIT(width) - 1) : address;
}

/* What to print of a case that failed: all that the walk depended on. */
static inline void describe_walk(char *text, size_t size, const struct paging *p, uint64_t address,
                                 unsigned access, const struct walk *w)
{
    int at = snprintf(text, size,
                      "address 0x%llx access %c%s AC=%d, cr0=0x%llx cr3=0x%llx cr4=0x%llx "
                      "efer=0x%llx maxphyaddr=%u; our walk: status %d gpa 0x%llx error 0x%x (%s);",
                      (unsigned long long)address,
                      access & WALK_FETCH   ? 'x'
                      : access & WALK_WRITE ? 'w'
                                            : 'r',
                      access & WALK_USER ? " user" : "", !!(p->rflags & RFLAGS_AC),
                      (unsigned long long)p->cr0, (unsigned long long)p->cr3,
                      (unsigned long long)p->cr4, (unsigned long long)p->efer, p->maxphyaddr,
                      w->status, (unsigned long long)w->gpa, w->error_code,
                      walk_reason_text(w->reason));

    for (unsigned i = 0; i < w->step_count && at < (int)size; i++)
        at += snprintf(text + at, size - (size_t)at, " L%u[%u]=0x%llx", w->steps[i].level,
                       w->steps[i].index, (unsigned long long)w->steps[i].entry);
}

#endif
