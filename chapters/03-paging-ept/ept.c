/*
 * ept.c: see ept.h.
 *
 * Left out on purpose: misconfigurations (KVM uses one on purpose, to recognize MMIO
 * quickly), 1 GiB entries, mode-based execute control, page-modification logging,
 * and giving entries back when slots change: make a new one.
 */
#include "03-paging-ept/ept.h"

#include <stddef.h>

#include "common/bits.h"

#define LEVELS    4u
#define BIG_LEVEL 2u

int ept_init(struct ept *ept, const struct slot_map *slots, bool big_pages)
{
    *ept = (struct ept){.slots = slots, .big_pages = big_pages, .used = 1};
    return guest_memory_add(&ept->pool, 0, EPT_PAGES * GUEST_PAGE_SIZE);
}

void ept_free(struct ept *ept)
{
    guest_memory_free(&ept->pool);
}

static uint64_t *entry_at(const struct ept *ept, gpa_t table, gpa_t gpa, unsigned level)
{
    unsigned shift = 12 + 9 * (level - 1);
    uint64_t *entries = guest_ptr(&ept->pool, table, GUEST_PAGE_SIZE);

    return &entries[bits(gpa, shift + 8, shift)];
}

static uint64_t wanted(unsigned access)
{
    return access & WALK_FETCH ? EPT_X : access & WALK_WRITE ? EPT_W : EPT_R;
}

/* [ept-walk] */
enum ept_result ept_walk(const struct ept *ept, gpa_t gpa, unsigned access, uint8_t **host,
                         unsigned *qualification)
{
    uint64_t allowed = EPT_R | EPT_W | EPT_X;
    gpa_t table = 0;

    for (unsigned level = LEVELS;; level--) {
        uint64_t *entry = entry_at(ept, table, gpa, level);
        bool leaf = level == 1 || (*entry & EPT_PS);
        uint64_t offset = BIT(12 + 9 * (level - 1)) - 1;

        allowed &= *entry;
        if (!(allowed & wanted(access))) {
            *qualification = (unsigned)(wanted(access) | allowed * EPT_VIOLATION_READABLE);
            return EPT_VIOLATION;
        }
        *entry |= EPT_A | (leaf && (access & WALK_WRITE) ? EPT_D : 0);
        if (leaf) {
            *host = (uint8_t *)(uintptr_t)((*entry & PTE_ADDR & ~offset) | (gpa & offset));
            return EPT_DONE;
        }
        table = *entry & PTE_ADDR;
    }
}
/* [/ept-walk] */

/* May one entry of 2 MiB stand for this place? Guest and host must fit together. */
static bool fits_big(const struct ept *ept, const struct slot *slot, gpa_t gpa)
{
    gpa_t start = align_down(gpa, 2 * MIB);

    return ept->big_pages && start >= slot->start &&
           fits(start - slot->start, 2 * MIB, slot->size) &&
           is_aligned((uintptr_t)slot->host + (start - slot->start), 2 * MIB);
}

/* [ept-access] */
enum ept_result ept_access(struct ept *ept, gpa_t gpa, unsigned access, uint8_t **host)
{
    const struct slot *slot = slots_find(ept->slots, gpa);
    unsigned qualification, last;
    gpa_t table = 0;
    uint64_t rights;

    if (ept_walk(ept, gpa, access, host, &qualification) == EPT_DONE)
        return EPT_DONE;
    if (!slot || ((access & WALK_WRITE) && (slot->flags & SLOT_READ_ONLY))) {
        ept->mmio++;
        return EPT_MMIO;
    }
    ept->violations++;
    rights = slot->flags & SLOT_READ_ONLY ? EPT_R | EPT_X : EPT_R | EPT_W | EPT_X;
    last = fits_big(ept, slot, gpa) ? BIG_LEVEL : 1;
    for (unsigned level = LEVELS; level > last; level--) {
        uint64_t *entry = entry_at(ept, table, gpa, level);

        if (!*entry && ept->used == EPT_PAGES)
            return EPT_VIOLATION;
        if (!*entry)
            *entry = (gpa_t)ept->used++ * GUEST_PAGE_SIZE | EPT_R | EPT_W | EPT_X;
        table = *entry & PTE_ADDR;
    }
    *entry_at(ept, table, gpa, last) = align_down((uintptr_t)slots_host(ept->slots, gpa),
                                                  last == 1 ? 4 * KIB : 2 * MIB) |
                                       rights | EPT_WRITE_BACK | (last == 1 ? 0 : EPT_PS);
    return ept_walk(ept, gpa, access, host, &qualification);
}
/* [/ept-access] */

unsigned ept_references(unsigned guest_levels, unsigned nested_levels)
{
    return (guest_levels + 1) * (nested_levels + 1) - 1; /* the last 1: the byte itself */
}
