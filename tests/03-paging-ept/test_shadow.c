/* Shadow tables, the EPT and slots: alone, with random guests that edit their tables. */
#include <errno.h>
#include <stdlib.h>

#include "03-paging-ept/ept.h"
#include "03-paging-ept/shadow.h"
#include "harness/harness.h"
#include "tables.h"

#define ALIAS UINT64_C(0x40000000) /* of all of RAM */
#define ROM   UINT64_C(0x50000000)

static struct guest_memory owner, view;
static struct slot_map slots;
static struct shadow shadow;
static struct paging p;

static void setup(void)
{
    owner = (struct guest_memory){0};
    slots = (struct slot_map){0};
    ck_assert_int_eq(guest_memory_add(&owner, 0, TABLES_RAM), 0);
    ck_assert_int_eq(guest_memory_add(&owner, ROM, 16 * KIB), 0);
    ck_assert_int_eq(
        slots_set(&slots, 0, &(struct slot){0, TABLES_RAM, guest_ptr(&owner, 0, 1), 0}), 0);
    ck_assert_int_eq(
        slots_set(&slots, 1, &(struct slot){ALIAS, TABLES_RAM, guest_ptr(&owner, 0, 1), 0}), 0);
    ck_assert_int_eq(
        slots_set(&slots, 2,
                  &(struct slot){ROM, 16 * KIB, guest_ptr(&owner, ROM, 1), SLOT_READ_ONLY}),
        0);
    view = slots_view(&slots);
    p = (struct paging){.cr0 = CR0_PE | CR0_PG | CR0_WP,
                        .cr3 = ROOT,
                        .cr4 = CR4_PAE,
                        .efer = EFER_LME | EFER_NXE,
                        .maxphyaddr = 40,
                        .gib_pages = true};
}

static void teardown(void)
{
    guest_memory_free(&owner);
}

/* Entries of the guest's tables; some lead through the alias, to ROM, to a hole. */
static uint64_t guest_entry(struct rng *rng)
{
    uint64_t entry = random_entry(rng, &p);

    if (chance(rng, 10))
        entry = (entry & ~PTE_ADDR & ~PTE_PS) | ROM | below(rng, 4) << 12;
    else if (chance(rng, 20) && !(entry & BIT(39)))
        entry += ALIAS;
    return entry;
}

static void prove(uint64_t linear, unsigned long n, unsigned step)
{
    for (unsigned access = 0; access < 8; access++) {
        const char *wrong;

        if ((access & 3) == 3)
            continue;
        wrong = shadow_check(&shadow, linear, access);
        if (wrong) {
            struct walk w = walk(&view, &p, linear, access);
            char text[2048];

            describe_walk(text, sizeof text, &p, linear, access, &w);
            ck_abort_msg("case %lu step %u: %s: %s", n, step, wrong, text);
        }
    }
}

/* One access of the guest; what it stores may hit one of its own tables. */
static void guest_access(struct rng *rng, uint64_t linear)
{
    unsigned access = (unsigned)below(rng, 3) | (chance(rng, 40) ? WALK_USER : 0);
    struct walk w = walk(&view, &p, linear, access);
    struct shadow_outcome outcome = shadow_access(&shadow, linear, access);
    const struct slot *slot = slots_find(&slots, w.gpa);

    if (shadow.policy == SHADOW_UNSYNC && outcome.result == SHADOW_DONE &&
        !outcome.guest.step_count)
        return; /* it used what its TLB would still have known */
    if (w.status != WALK_OK) {
        ck_assert_int_eq(outcome.result, SHADOW_GUEST_FAULT);
        ck_assert_int_eq(outcome.guest.status, w.status);
        ck_assert_uint_eq(outcome.guest.error_code, w.error_code);
        return;
    }
    if (!slot || ((access & WALK_WRITE) && (slot->flags & SLOT_READ_ONLY))) {
        ck_assert_int_eq(outcome.result, SHADOW_MMIO);
        return;
    }
    ck_assert_ptr_eq(outcome.host, slots_host(&slots, w.gpa));
    if (!(access & WALK_WRITE))
        return;
    /* A store of eight bytes, aligned: a whole entry, if it is a table. */
    uint64_t *at = (uint64_t *)(outcome.host - (uintptr_t)outcome.host % 8);

    *at = guest_entry(rng);
    if (outcome.result == SHADOW_TABLE_WRITE)
        shadow_wrote(&shadow, (uint8_t *)at, 8);
}

/* The guest changes an entry on the way to linear, through a mapping of its own. */
static void guest_edit(struct rng *rng, uint64_t linear)
{
    struct walk w = walk(&view, &p, linear, WALK_READ);
    unsigned i = w.step_count ? (unsigned)below(rng, w.step_count) : 0;
    uint8_t *at = w.step_count ? slots_host(&slots, w.steps[i].entry_at) : NULL;
    bool loose = false;

    if (!at || (slots_find(&slots, w.steps[i].entry_at)->flags & SLOT_READ_ONLY))
        return;
    *(uint64_t *)at = guest_entry(rng);
    for (unsigned page = 0; page < SHADOW_PAGES; page++)
        loose |= shadow.pages[page].unsync &&
                 shadow.pages[page].source == at - (uintptr_t)at % GUEST_PAGE_SIZE;
    if (!loose) /* a table that is watched: the store was caught */
        shadow_wrote(&shadow, at, 8);
}

static uint64_t some_address(struct rng *rng)
{
    /* Few different indices, so that paths are shared and meet again. */
    uint64_t linear = below(rng, 512) << 39 | below(rng, 4) << 30 | below(rng, 4) << 21 |
                      below(rng, 8) << 12 | below(rng, 512) << 3;

    return linear & BIT(47) ? linear | ~(BIT(48) - 1) : linear;
}

static void run_guests(enum shadow_policy policy, unsigned long cases)
{
    unsigned long seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 0) : 1, fills = 0;

    for (unsigned long n = 0; n < cases; n++) {
        struct rng rng = {(seed << 32) + n};
        uint64_t addresses[24];

        for (gpa_t at = ROOT; at < ROOT + TABLE_COUNT * 4096; at += 8)
            put_entry(&view, &p, at, guest_entry(&rng));
        p.cr3 = ROOT;
        for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++) {
            unsigned tries = 50; /* most of them lead somewhere, at first */

            do {
                addresses[i] = some_address(&rng);
            } while (--tries && walk(&view, &p, addresses[i], WALK_READ).status != WALK_OK);
        }
        ck_assert_int_eq(shadow_init(&shadow, &view, &slots, policy), 0);
        shadow_load(&shadow, &p);
        for (unsigned step = 0; step < 150; step++) {
            uint64_t linear = addresses[below(&rng, ARRAY_SIZE(addresses))];
            bool exact = policy == SHADOW_STRICT;

            guest_access(&rng, linear);
            if (chance(&rng, 15))
                guest_edit(&rng, linear);
            if (chance(&rng, 6)) {
                p.cr3 = ROOT + below(&rng, 3) * 4096;
                shadow_load(&shadow, &p);
                exact = true;
            } else if (chance(&rng, 10)) {
                shadow_invlpg(&shadow, linear);
                prove(linear, n, step);
            }
            for (unsigned i = 0; exact && i < ARRAY_SIZE(addresses); i++)
                prove(addresses[i], n, step);
        }
        fills += shadow.counts.fills;
        shadow_free(&shadow);
    }
    printf("   %lu guests, %lu entries filled in, seed %lu\n", cases, fills, seed);
    ck_assert_msg(fills > cases, "a test that sees nothing");
}

START_TEST(a_strict_shadow_is_never_behind)
{
    run_guests(SHADOW_STRICT, 250);
}
END_TEST

START_TEST(an_unsync_shadow_is_right_after_every_flush)
{
    run_guests(SHADOW_UNSYNC, 400);
}
END_TEST

/* linear 0 -> 0x40000, through tables 0x10000, 0x11000, 0x12000, 0x13000. */
static void map_one(void)
{
    for (unsigned i = 0; i < 3; i++)
        put_entry(&view, &p, ROOT + i * 4096, (ROOT + (i + 1) * 4096) | PTE_P | PTE_W);
    put_entry(&view, &p, ROOT + 3 * 4096, DATA | PTE_P | PTE_W);
    put_entry(&view, &p, ROOT + 3 * 4096 + 8, (ALIAS + ROOT + 3 * 4096) | PTE_P | PTE_W);
    ck_assert_int_eq(shadow_init(&shadow, &view, &slots, SHADOW_STRICT), 0);
    shadow_load(&shadow, &p);
}

START_TEST(the_second_access_costs_nothing)
{
    map_one();
    ck_assert_int_eq(shadow_access(&shadow, 0, WALK_READ).result, SHADOW_DONE);
    shadow_access(&shadow, 8, WALK_READ);
    ck_assert_uint_eq(shadow.counts.fills, 1);
    shadow_access(&shadow, 8, WALK_WRITE); /* the dirty mark */
    shadow_access(&shadow, 8, WALK_WRITE);
    ck_assert_uint_eq(shadow.counts.fills, 2);
    shadow_free(&shadow);
}
END_TEST

START_TEST(a_write_to_a_table_through_an_alias_is_seen)
{
    map_one();
    shadow_access(&shadow, 0, WALK_READ);
    ck_assert_int_eq(shadow_access(&shadow, 0x1000, WALK_WRITE).result, SHADOW_TABLE_WRITE);
    shadow_free(&shadow);
}
END_TEST

/* Each of INVLPG, CR3 and a watched store must drop what was made from the old entry. */
START_TEST(a_changed_entry_is_seen_after_a_flush)
{
    for (unsigned way = 0; way < 3; way++) {
        uint64_t *entry = guest_ptr(&owner, ROOT + 3 * 4096, 8);

        map_one();
        shadow.policy = way < 2 ? SHADOW_UNSYNC : SHADOW_STRICT;
        shadow_access(&shadow, 0, WALK_READ);
        /* The page table itself, through the alias: let loose, or caught. */
        ck_assert_int_eq(shadow_access(&shadow, 0x1000, WALK_WRITE).result,
                         way < 2 ? SHADOW_DONE : SHADOW_TABLE_WRITE);
        shadow_access(&shadow, 0, WALK_READ);
        *entry = (DATA + 4096) | PTE_P | PTE_W;
        if (way == 0)
            shadow_invlpg(&shadow, 0);
        else if (way == 1)
            shadow_load(&shadow, &p);
        else
            shadow_wrote(&shadow, (uint8_t *)entry, 8);
        shadow_access(&shadow, 0x1000, WALK_READ); /* the way there exists again */
        ck_assert_ptr_eq(shadow_access(&shadow, 0, WALK_READ).host,
                         guest_ptr(&owner, DATA + 4096, 1));
        shadow_free(&shadow);
    }
}
END_TEST

START_TEST(the_ept_needs_one_violation_for_each_page)
{
    struct ept ept;
    uint8_t *host;
    unsigned why;

    ck_assert_int_eq(ept_init(&ept, &slots, false), 0);
    ck_assert_int_eq(ept_walk(&ept, 0x5000, WALK_WRITE, &host, &why), EPT_VIOLATION);
    ck_assert_uint_eq(why, EPT_VIOLATION_WRITE);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(ept_access(&ept, 0x5123, i, &host), EPT_DONE);
        ck_assert_ptr_eq(host, guest_ptr(&owner, 0x5123, 1));
    }
    ck_assert_uint_eq(ept.violations, 1);
    ck_assert_int_eq(ept_access(&ept, 0x6000000, WALK_READ, &host), EPT_MMIO);
    ck_assert_int_eq(ept_access(&ept, ROM, WALK_READ, &host), EPT_DONE);
    ck_assert_int_eq(ept_access(&ept, ROM, WALK_WRITE, &host), EPT_MMIO);
    ck_assert_int_eq(ept_walk(&ept, ROM, WALK_WRITE, &host, &why), EPT_VIOLATION);
    ck_assert_uint_eq(why, EPT_VIOLATION_WRITE | (EPT_R | EPT_X) * EPT_VIOLATION_READABLE);
    ept_free(&ept);
}
END_TEST

START_TEST(four_by_four_levels_are_24_reads)
{
    ck_assert_uint_eq(ept_references(4, 4), 24);
    ck_assert_uint_eq(ept_references(5, 5), 35);
    ck_assert_uint_eq(ept_references(4, 0), 4);
}
END_TEST

START_TEST(slots_refuse_what_kvm_refuses)
{
    uint8_t *ram = guest_ptr(&owner, 0, 1);
    const struct {
        unsigned id;
        struct slot want;
        int error;
    } rows[] = {
        {3, {0x80000, 0x1000, ram, 0}, -EEXIST},
        {3, {0x200000, 0x1001, ram, 0}, -EINVAL},
        {3, {0x200001, 0x1000, ram, 0}, -EINVAL},
        {3, {0x200000, 0x1000, ram + 1, 0}, -EINVAL},
        {3, {UINT64_MAX - 0xfff, 0x2000, ram, 0}, -EINVAL},
        {3, {0x200000, 0, ram, 0}, -EINVAL}, /* nothing to delete */
        {SLOTS_MAX, {0x200000, 0x1000, ram, 0}, -EINVAL},
        {0, {0, 0x2000, ram, 0}, -EINVAL},                         /* another size */
        {2, {ROM, 0x4000, guest_ptr(&owner, ROM, 1), 0}, -EINVAL}, /* not read-only */
        {0, {0x60000000, TABLES_RAM, ram, SLOT_LOG_DIRTY}, 0},     /* moved, and logged */
        {0, {0, 0, NULL, 0}, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        ck_assert_msg(slots_set(&slots, rows[i].id, &rows[i].want) == rows[i].error, "row %u", i);
    ck_assert_ptr_null(slots_find(&slots, 0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("shadow tables, EPT, slots");
    TCase *tests = tcase_create("second dimension");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_strict_shadow_is_never_behind);
    tcase_add_test(tests, an_unsync_shadow_is_right_after_every_flush);
    tcase_add_test(tests, the_second_access_costs_nothing);
    tcase_add_test(tests, a_write_to_a_table_through_an_alias_is_seen);
    tcase_add_test(tests, a_changed_entry_is_seen_after_a_flush);
    tcase_add_test(tests, the_ept_needs_one_violation_for_each_page);
    tcase_add_test(tests, four_by_four_levels_are_24_reads);
    tcase_add_test(tests, slots_refuse_what_kvm_refuses);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
