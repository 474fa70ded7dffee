/*
 * walk.c: the page walk of the x86, in all its formats.
 *
 * The formats differ in three numbers: how many levels, how wide an entry is, how
 * many bits of the address choose among the entries of one table. So there is one
 * loop, and a small table of formats.
 *
 *      63        48 47    39 38    30 29    21 20    12 11         0
 *     | sign       | PML4   | PDPT   | PD     | PT     | offset     |  4 levels
 *                                31 30 29    21 20    12 11         0
 *                               |PDPT |  PD    | PT     | offset     |  PAE
 *                                31        22 21      12 11         0
 *                               | PD         | PT       | offset     |  32-bit
 *
 * Left out on purpose: protection keys, shadow stacks (both add a rule at the end),
 * memory types, global pages (a matter of the TLB, and there is no TLB here).
 *
 * Open at hand: [SDM3, 4.3 "32-Bit Paging", 4.4 "PAE Paging", 4.5 "4-Level Paging",
 * 4.6 "Access Rights"], [LA57].
 */
#include "03-paging-ept/walk.h"

#include <stddef.h>

#include "common/bits.h"

/* How often a walk begins again because the guest changed an entry under it. */
#define RETRIES 8u

struct format {
    unsigned levels;
    unsigned entry_size;  /* bytes */
    unsigned index_bits;  /* of the address, at each level but PAE's first */
    unsigned linear_bits; /* of the address that mean anything */
};

static const struct format legacy = {2, 4, 10, 32};
static const struct format pae = {3, 8, 9, 32};
static const struct format four_level = {4, 8, 9, 48};
static const struct format five_level = {5, 8, 9, 57};

/* NULL: paging is off. */
static const struct format *format_of(const struct paging *p)
{
    if (!(p->cr0 & CR0_PG))
        return NULL;
    if (!(p->cr4 & CR4_PAE))
        return &legacy;
    if (!(p->efer & EFER_LME))
        return &pae;
    return p->cr4 & CR4_LA57 ? &five_level : &four_level;
}

unsigned walk_levels(const struct paging *paging)
{
    const struct format *format = format_of(paging);

    return format ? format->levels : 0;
}

/* Bits 63 down to the highest meaningful one must all be alike. */
static bool is_canonical(uint64_t linear, unsigned linear_bits)
{
    uint64_t high = bits(linear, 63, linear_bits - 1);

    return high == 0 || high == bits(UINT64_MAX, 63, linear_bits - 1);
}

/* The lowest bit of the address that chooses at this level. */
static unsigned shift_of(const struct format *f, unsigned level)
{
    return 12 + (level - 1) * f->index_bits;
}

/* Where the first table lies. [SDM3, Tables 4-3, 4-7, 4-12 "Use of CR3"] */
static gpa_t root_of(const struct format *f, const struct paging *p)
{
    if (f == &pae)
        return p->cr3 & 0xffffffe0; /* 32 bytes: four entries */
    if (f == &legacy)
        return p->cr3 & 0xfffff000;
    return p->cr3 & PTE_ADDR & (BIT(p->maxphyaddr) - 1);
}

/* [reserved] */
/* The bits that must be 0 in a present entry of this level. */
static uint64_t reserved_bits(const struct format *f, const struct paging *p, unsigned level,
                              bool leaf)
{
    uint64_t reserved;

    if (f == &legacy) {
        /* Bits 20:13 of a 4 MiB page hold address bits 39:32, as far as there are. */
        if (level == 2 && leaf)
            return bits(UINT64_MAX, 21, p->pse36_width - 19) << (p->pse36_width - 19);
        return 0;
    }
    reserved = PTE_ADDR & ~(BIT(p->maxphyaddr) - 1);
    if (f == &pae && level == 3) /* no rights here: bits 2:1, 8:5, and 63:52 */
        return reserved | 0x1e6 | bits(UINT64_MAX, 63, 52) << 52;
    if (f == &pae)
        reserved |= bits(UINT64_MAX, 62, 52) << 52;
    if (!(p->efer & EFER_NXE))
        reserved |= PTE_NX;
    if (level >= 4 || (level == 3 && !p->gib_pages))
        reserved |= PTE_PS;
    if (leaf && level > 1) /* a big page is aligned; bit 12 is the PAT bit */
        reserved |= bits(UINT64_MAX, shift_of(f, level) - 1, 13) << 13;
    return reserved;
}
/* [/reserved] */

/* Does a set PS bit at this level mean a page? (If reserved, that comes first.) */
static bool is_leaf(const struct format *f, const struct paging *p, unsigned level, uint64_t entry)
{
    if (level == 1)
        return true;
    if (!(entry & PTE_PS))
        return false;
    if (f == &legacy)
        return p->cr4 & CR4_PSE;
    return level == 2 || (level == 3 && f != &pae && p->gib_pages);
}

/* What a last entry points at: the start of its page. */
static gpa_t page_of(const struct format *f, const struct paging *p, unsigned level, uint64_t entry)
{
    if (f == &legacy && level == 2) {
        unsigned high = p->pse36_width - 32;
        gpa_t above_4g = high ? bits(entry, 13 + high - 1, 13) << 32 : 0;

        return above_4g | (entry & 0xffc00000);
    }
    return entry & PTE_ADDR & ~(BIT(shift_of(f, level)) - 1);
}

/* [read-entry] */
/* Reads one entry, once. False: there is no RAM. */
static bool read_entry(const struct guest_memory *memory, const struct format *f, gpa_t at,
                       uint64_t *entry)
{
    const void *from = guest_ptr(memory, at, f->entry_size);

    if (!from)
        return false;
    if (f->entry_size == 4)
        *entry = __atomic_load_n((const uint32_t *)from, __ATOMIC_RELAXED);
    else
        *entry = __atomic_load_n((const uint64_t *)from, __ATOMIC_RELAXED);
    return true;
}
/* [/read-entry] */

/* [rights] */
/* May this access use a page with these rights? [SDM3, 4.6.1 "Determination of
 * Access Rights"], rule by rule. */
static enum walk_reason judge(const struct paging *p, const struct walk *w, unsigned access)
{
    bool nx_works = (p->efer & EFER_NXE) && (p->cr4 & CR4_PAE);

    if (access & WALK_USER) {
        if (!w->user)
            return WALK_IS_SUPERVISOR;
        if ((access & WALK_WRITE) && !w->writable)
            return WALK_IS_READ_ONLY;
    } else {
        bool excused = (p->rflags & RFLAGS_AC) && !(access & WALK_IMPLICIT);

        if (w->user && (access & WALK_FETCH) && (p->cr4 & CR4_SMEP))
            return WALK_BY_SMEP;
        if (w->user && !(access & WALK_FETCH) && (p->cr4 & CR4_SMAP) && !excused)
            return WALK_BY_SMAP;
        if ((access & WALK_WRITE) && !w->writable && (p->cr0 & CR0_WP))
            return WALK_IS_READ_ONLY;
    }
    if ((access & WALK_FETCH) && nx_works && !w->executable)
        return WALK_IS_NX;
    return WALK_ALLOWED;
}
/* [/rights] */

static struct walk fault(struct walk w, const struct paging *p, enum walk_reason reason,
                         unsigned access)
{
    /* The I bit exists only where a fetch can be refused as such. */
    bool knows_fetch = ((p->efer & EFER_NXE) && (p->cr4 & CR4_PAE)) || (p->cr4 & CR4_SMEP);

    w.status = WALK_PAGE_FAULT;
    w.reason = reason;
    w.error_code = (reason == WALK_NOT_PRESENT ? 0 : PF_P) |
                   (reason == WALK_RESERVED ? PF_RSVD : 0) | (access & WALK_WRITE ? PF_W : 0) |
                   (access & WALK_USER ? PF_U : 0) |
                   (access & WALK_FETCH && knows_fetch ? PF_I : 0);
    return w;
}

/* [walk-once] */
static struct walk walk_once(const struct guest_memory *memory, const struct format *f,
                             const struct paging *p, uint64_t linear, unsigned access)
{
    struct walk w = {.writable = true, .user = true, .executable = true};
    gpa_t table = root_of(f, p);

    for (unsigned level = f->levels;; level--) {
        struct walk_step *step = &w.steps[w.step_count++];
        unsigned shift = shift_of(f, level);
        unsigned index_bits = f == &pae && level == 3 ? 2 : f->index_bits;
        uint64_t entry;
        bool leaf;

        step->level = level;
        step->index = (unsigned)bits(linear, shift + index_bits - 1, shift);
        step->entry_at = table + (gpa_t)step->index * f->entry_size;
        if (!read_entry(memory, f, step->entry_at, &entry)) {
            w.status = WALK_NO_TABLE;
            return w;
        }
        step->entry = entry;
        if (!(entry & PTE_P))
            return fault(w, p, WALK_NOT_PRESENT, access);
        leaf = is_leaf(f, p, level, entry);
        if (entry & reserved_bits(f, p, level, leaf))
            return fault(w, p, WALK_RESERVED, access);

        if (!(f == &pae && level == 3)) { /* those carry no rights */
            w.writable &= (entry & PTE_W) != 0;
            w.user &= (entry & PTE_U) != 0;
            w.executable &= !(entry & PTE_NX);
        }
        if (leaf) {
            enum walk_reason reason = judge(p, &w, access);

            w.page_size = BIT(shift);
            w.gpa = page_of(f, p, level, entry) | bits(linear, shift - 1, 0);
            return reason == WALK_ALLOWED ? w : fault(w, p, reason, access);
        }
        table = entry & (f == &legacy ? 0xfffff000 : PTE_ADDR);
    }
}
/* [/walk-once] */

/* [set-ad] */
/*
 * Sets what an allowed access sets. Compare and exchange, because the guest's other
 * processors may change an entry between our read and our write: then nothing is
 * written, and the walk must begin again. False: it must.
 */
static bool set_accessed_dirty(const struct guest_memory *memory, const struct format *f,
                               const struct walk *w, unsigned access)
{
    for (unsigned i = 0; i < w->step_count; i++) {
        const struct walk_step *step = &w->steps[i];
        bool last = i == w->step_count - 1;
        uint64_t was = step->entry, now = was | PTE_A;
        void *at = guest_ptr(memory, step->entry_at, f->entry_size);
        uint32_t was32 = (uint32_t)was;

        if (f == &pae && step->level == 3)
            continue; /* registers of the processor, really: no such bits */
        if (last && (access & WALK_WRITE))
            now |= PTE_D;
        if (now == was)
            continue;
        if (f->entry_size == 4
                ? !__atomic_compare_exchange_n((uint32_t *)at, &was32, (uint32_t)now, false,
                                               __ATOMIC_RELAXED, __ATOMIC_RELAXED)
                : !__atomic_compare_exchange_n((uint64_t *)at, &was, now, false, __ATOMIC_RELAXED,
                                               __ATOMIC_RELAXED))
            return false;
    }
    return true;
}
/* [/set-ad] */

struct walk walk(const struct guest_memory *memory, const struct paging *paging, uint64_t linear,
                 unsigned access)
{
    const struct format *f = format_of(paging);
    struct walk w = {.status = WALK_OK, .writable = true, .user = true, .executable = true};

    if (!f) {
        w.gpa = linear & 0xffffffff;
        return w;
    }
    if (f->linear_bits == 32) {
        linear &= 0xffffffff;
    } else if (!is_canonical(linear, f->linear_bits)) {
        w.status = WALK_NON_CANONICAL;
        return w;
    }
    for (unsigned try = 0; try < RETRIES; try++) {
        w = walk_once(memory, f, paging, linear, access);
        if (w.status != WALK_OK || !(access & WALK_SET_AD) ||
            set_accessed_dirty(memory, f, &w, access))
            break;
    }
    return w;
}

bool walk_pdptes_valid(const struct guest_memory *memory, const struct paging *paging)
{
    if (format_of(paging) != &pae)
        return true;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t entry;

        if (!read_entry(memory, &pae, root_of(&pae, paging) + i * 8, &entry))
            return false;
        if ((entry & PTE_P) && (entry & reserved_bits(&pae, paging, 3, false)))
            return false;
    }
    return true;
}

const char *walk_level_name(unsigned level)
{
    static const char *const names[] = {"PT", "PD", "PDPT", "PML4", "PML5"};

    return level >= 1 && level <= ARRAY_SIZE(names) ? names[level - 1] : "?";
}

const char *walk_reason_text(enum walk_reason reason)
{
    switch (reason) {
    case WALK_ALLOWED: return "allowed";
    case WALK_NOT_PRESENT: return "the entry is not present";
    case WALK_RESERVED: return "a reserved bit is set";
    case WALK_IS_SUPERVISOR: return "a user access to a supervisor page";
    case WALK_IS_READ_ONLY: return "a write to a read-only page";
    case WALK_IS_NX: return "a fetch from a no-execute page";
    case WALK_BY_SMEP: return "the kernel fetches from a user page (SMEP)";
    case WALK_BY_SMAP: return "the kernel touches a user page (SMAP)";
    }
    return "?";
}
