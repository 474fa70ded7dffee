/*
 * shadow.c: see shadow.h.
 *
 * Guest tables are known by their place in the host, not by their guest-physical
 * address: with alias slots one page has two of those, and a write through either
 * must be caught.
 *
 * Left out on purpose: other formats of guest tables than 4 levels, CR0.WP=0 (KVM
 * keeps separate tables for it), global pages, several processors, and everything
 * that makes it fast: KVM finds the shadow pages of a table by hash and the entries
 * that map a page by a reverse map; we search.
 *
 * The story of the real one: arch/x86/kvm/mmu in Linux; [ADAMS06], section 2.4.
 */
#include "03-paging-ept/shadow.h"

#include <errno.h>
#include <stddef.h>

#include "common/bits.h"

#define ENTRIES 512u

/* Where page i's entries lie in our process. */
static uint64_t *entries_of(const struct shadow *shadow, unsigned page)
{
    return guest_ptr(&shadow->pool, (gpa_t)page * GUEST_PAGE_SIZE, GUEST_PAGE_SIZE);
}

int shadow_init(struct shadow *shadow, const struct guest_memory *guest,
                const struct slot_map *slots, enum shadow_policy policy)
{
    *shadow = (struct shadow){
        .guest = guest, .slots = slots, .policy = policy, .root = SHADOW_NO_ROOT};
    return guest_memory_add(&shadow->pool, 0, SHADOW_PAGES * GUEST_PAGE_SIZE);
}

void shadow_free(struct shadow *shadow)
{
    guest_memory_free(&shadow->pool);
}

static void drop(struct shadow *shadow, uint64_t *entry)
{
    if (*entry & PTE_P)
        shadow->counts.dropped++;
    *entry = 0;
}

static void drop_page(struct shadow *shadow, unsigned page)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        drop(shadow, &entries_of(shadow, page)[i]);
}

void shadow_flush(struct shadow *shadow)
{
    for (unsigned page = 0; page < SHADOW_PAGES; page++) {
        if (shadow->pages[page].level)
            drop_page(shadow, page);
        shadow->pages[page] = (struct shadow_page){0};
    }
    shadow->root = SHADOW_NO_ROOT;
}

static const uint8_t *page_start(const uint8_t *host)
{
    return host - (uintptr_t)host % GUEST_PAGE_SIZE;
}

/* [is-table] */
/* Is this page of the host a guest's page table that must not change unseen? */
static bool is_table(const struct shadow *shadow, const uint8_t *host)
{
    for (unsigned page = 0; page < SHADOW_PAGES; page++) {
        const struct shadow_page *p = &shadow->pages[page];

        if (p->level && !p->split && !p->unsync && p->source == page_start(host))
            return true;
    }
    return false;
}
/* [/is-table] */

/* [protect] */
/* Takes the right to write from every entry that leads to this page. */
static void write_protect(struct shadow *shadow, const uint8_t *source)
{
    for (unsigned page = 0; page < SHADOW_PAGES; page++) {
        if (shadow->pages[page].level != 1)
            continue;
        for (unsigned i = 0; i < ENTRIES; i++) {
            uint64_t *entry = &entries_of(shadow, page)[i];

            if ((*entry & PTE_P) && (*entry & PTE_ADDR) == (uintptr_t)source)
                *entry &= ~PTE_W;
        }
    }
}
/* [/protect] */

/* The shadow page made from source, new if need be. -1: no room. */
static int get_page(struct shadow *shadow, const uint8_t *source, unsigned level, bool split,
                    gpa_t first)
{
    int unused = -1;

    for (unsigned page = 0; page < SHADOW_PAGES; page++) {
        const struct shadow_page *p = &shadow->pages[page];

        if (p->level == level && p->split == split && p->source == source && p->first == first)
            return (int)page;
        if (!p->level && unused < 0)
            unused = (int)page;
    }
    if (unused < 0)
        return -1;
    shadow->pages[unused] = (struct shadow_page){
        .source = source, .level = level, .split = split, .first = first};
    if (!split) {
        /* A page cannot be let loose at one level and watched at another. */
        for (unsigned page = 0; page < SHADOW_PAGES; page++)
            if (shadow->pages[page].unsync && shadow->pages[page].source == source) {
                drop_page(shadow, page);
                shadow->pages[page].unsync = false;
            }
        write_protect(shadow, source);
    }
    return unused;
}

/* [load] */
void shadow_load(struct shadow *shadow, const struct paging *registers)
{
    shadow->counts.cr3_loads++;
    if (registers->cr0 != shadow->registers.cr0 || registers->cr4 != shadow->registers.cr4 ||
        registers->efer != shadow->registers.efer)
        shadow_flush(shadow);
    shadow->registers = *registers;
    for (unsigned page = 0; page < SHADOW_PAGES; page++) {
        struct shadow_page *p = &shadow->pages[page];

        if (!p->level || !p->unsync)
            continue;
        drop_page(shadow, page); /* KVM compares entry by entry and keeps what still fits */
        p->unsync = false;
        write_protect(shadow, p->source);
    }
    shadow->root = SHADOW_NO_ROOT; /* found at the next access: it may lie in a hole */
}
/* [/load] */

/* The shadow's entry for linear at level, or NULL if the way there is not built. */
static uint64_t *find_entry(const struct shadow *shadow, uint64_t linear, unsigned level)
{
    unsigned page = shadow->root;

    if (page == SHADOW_NO_ROOT)
        return NULL;
    for (unsigned at = 4;; at--) {
        uint64_t *entry = &entries_of(shadow,
                                      page)[bits(linear, 12 + 9 * at - 1, 12 + 9 * (at - 1))];

        if (at == level)
            return entry;
        if (!(*entry & PTE_P))
            return NULL;
        page = (unsigned)((*entry & PTE_ADDR) / GUEST_PAGE_SIZE);
    }
}

/* [invlpg] */
void shadow_invlpg(struct shadow *shadow, uint64_t linear)
{
    uint64_t *entry = find_entry(shadow, linear, 1);

    shadow->counts.invlpgs++;
    if (entry)
        drop(shadow, entry);
}
/* [/invlpg] */

/* [wrote] */
void shadow_wrote(struct shadow *shadow, const uint8_t *host, uint64_t size)
{
    for (const uint8_t *at = host; at < host + size; at++) {
        for (unsigned page = 0; page < SHADOW_PAGES; page++) {
            const struct shadow_page *p = &shadow->pages[page];

            if (p->level && !p->split && p->source == page_start(at))
                drop(shadow, &entries_of(shadow, page)[(uintptr_t)at % GUEST_PAGE_SIZE / 8]);
        }
    }
}
/* [/wrote] */

struct walk shadow_walk(const struct shadow *shadow, uint64_t linear, unsigned access)
{
    struct paging p = shadow->registers;

    p.cr3 = (gpa_t)shadow->root * GUEST_PAGE_SIZE;
    p.maxphyaddr = 52; /* the shadow's frames are our addresses, not the guest's */
    if (shadow->root == SHADOW_NO_ROOT)
        return (struct walk){.status = WALK_PAGE_FAULT, .reason = WALK_NOT_PRESENT};
    return walk(&shadow->pool, &p, linear, access);
}

/* [last-entry] */
/* The shadow's last entry: the host's page, with no more rights than are safe. */
static uint64_t last_entry(const struct shadow *shadow, const struct walk *guest, uint64_t rights,
                           bool dirty)
{
    const struct slot *slot = slots_find(shadow->slots, guest->gpa);
    const uint8_t *host = page_start(slots_host(shadow->slots, guest->gpa));

    if (!dirty || (slot->flags & SLOT_READ_ONLY) || is_table(shadow, host))
        rights &= ~PTE_W;
    return (uintptr_t)host | rights | PTE_P | PTE_A | PTE_D;
}
/* [/last-entry] */

/* Builds the way to one address, level by level as the guest's own walk went. */
static bool fill(struct shadow *shadow, uint64_t linear, const struct walk *guest)
{
    const struct walk_step *leaf = &guest->steps[guest->step_count - 1];
    const uint8_t *source = page_start(slots_host(shadow->slots, guest->steps[0].entry_at));
    int page = get_page(shadow, source, 4, false, 0);

    if (page < 0)
        return false;
    shadow->root = (unsigned)page;
    for (unsigned level = 4, step = 0; level > 1; level--) {
        uint64_t *entry = &entries_of(
            shadow, (unsigned)page)[bits(linear, 12 + 9 * level - 1, 12 + 9 * (level - 1))];
        bool in_big_page = step >= guest->step_count - 1;
        uint64_t rights = PTE_W | PTE_U;

        if (level >= leaf->level)
            rights = guest->steps[step].entry & (PTE_W | PTE_U | PTE_NX);
        if (in_big_page) {
            gpa_t first = align_down(guest->gpa, BIT(12 + 9 * (level - 1)));

            if (level == leaf->level && !(leaf->entry & PTE_D))
                rights &= ~PTE_W; /* one dirty mark stands for the whole big page */
            page = get_page(shadow, NULL, level - 1, true, first);
        } else {
            source = page_start(slots_host(shadow->slots, guest->steps[++step].entry_at));
            page = get_page(shadow, source, level - 1, false, 0);
        }
        if (page < 0)
            return false;
        *entry = (gpa_t)page * GUEST_PAGE_SIZE | rights | PTE_P | PTE_A;
    }
    entries_of(shadow, (unsigned)page)[bits(linear, 20, 12)] =
        leaf->level == 1
            ? last_entry(shadow, guest, leaf->entry & (PTE_W | PTE_U | PTE_NX), leaf->entry & PTE_D)
            : last_entry(shadow, guest, PTE_W | PTE_U, true);
    return true;
}

/* May this table run out of step? Only if it is one at the last level alone. */
static bool let_loose(struct shadow *shadow, const uint8_t *host)
{
    bool found = false;

    if (shadow->policy != SHADOW_UNSYNC)
        return false;
    for (unsigned page = 0; page < SHADOW_PAGES; page++)
        if (shadow->pages[page].level > 1 && !shadow->pages[page].split &&
            shadow->pages[page].source == page_start(host))
            return false;
    for (unsigned page = 0; page < SHADOW_PAGES; page++)
        if (shadow->pages[page].level == 1 && !shadow->pages[page].split &&
            shadow->pages[page].source == page_start(host))
            found = shadow->pages[page].unsync = true;
    shadow->counts.unsyncs += found;
    return found;
}

/* [access] */
struct shadow_outcome shadow_access(struct shadow *shadow, uint64_t linear, unsigned access)
{
    struct walk quick = shadow_walk(shadow, linear, access);
    struct shadow_outcome outcome = {.result = SHADOW_DONE};
    const struct slot *slot;

    shadow->counts.accesses++;
    if (quick.status == WALK_OK) { /* no exit: the processor alone */
        outcome.host = (uint8_t *)(uintptr_t)quick.gpa;
        return outcome;
    }
    outcome.guest = walk(shadow->guest, &shadow->registers, linear, access | WALK_SET_AD);
    if (outcome.guest.status != WALK_OK) {
        shadow->counts.guest_faults++;
        outcome.result = SHADOW_GUEST_FAULT;
        return outcome;
    }
    slot = slots_find(shadow->slots, outcome.guest.gpa);
    if (!slot || ((access & WALK_WRITE) && (slot->flags & SLOT_READ_ONLY))) {
        shadow->counts.mmio++;
        outcome.result = SHADOW_MMIO;
        return outcome;
    }
    outcome.host = slots_host(shadow->slots, outcome.guest.gpa);
    /* Once more, for the entries as our own walk has marked them. */
    outcome.guest = walk(shadow->guest, &shadow->registers, linear, access);
    if (!fill(shadow, linear, &outcome.guest)) {
        shadow_flush(shadow);
        fill(shadow, linear, &outcome.guest);
    }
    if ((access & WALK_WRITE) && is_table(shadow, outcome.host)) {
        if (let_loose(shadow, outcome.host)) {
            fill(shadow, linear, &outcome.guest);
            return outcome;
        }
        shadow->counts.table_writes++;
        outcome.result = SHADOW_TABLE_WRITE;
        return outcome;
    }
    shadow->counts.fills++;
    return outcome;
}
/* [/access] */

/* [check] */
const char *shadow_check(const struct shadow *shadow, uint64_t linear, unsigned access)
{
    struct walk ours = shadow_walk(shadow, linear, access), guest;
    const struct walk_step *last;
    const struct slot *slot;

    if (ours.status != WALK_OK)
        return NULL; /* strict is safe: the access will come to us */
    guest = walk(shadow->guest, &shadow->registers, linear, access);
    if (guest.status != WALK_OK)
        return "the shadow allows what the guest's table forbids";
    slot = slots_find(shadow->slots, guest.gpa);
    if (!slot)
        return "the shadow maps a hole";
    if ((uintptr_t)slots_host(shadow->slots, guest.gpa) != ours.gpa)
        return "the shadow leads elsewhere";
    if ((access & WALK_WRITE) && (slot->flags & SLOT_READ_ONLY))
        return "the shadow allows a write to ROM";
    if ((access & WALK_WRITE) && is_table(shadow, (const uint8_t *)(uintptr_t)ours.gpa))
        return "the shadow allows an unseen write to a page table";
    last = &guest.steps[guest.step_count - 1];
    for (unsigned i = 0; i < guest.step_count; i++)
        if (!(guest.steps[i].entry & PTE_A))
            return "an entry in use is not marked accessed";
    if ((access & WALK_WRITE) && !(last->entry & PTE_D))
        return "a page is writable but not marked dirty";
    return NULL;
}
/* [/check] */
