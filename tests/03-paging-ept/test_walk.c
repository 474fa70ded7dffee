/* The page walker alone: each rule by an example, then random tables against laws. */
#include <stdlib.h>

#include "harness/harness.h"
#include "tables.h"

static struct guest_memory memory;
static struct paging p;

static void setup(void)
{
    memory = (struct guest_memory){0};
    ck_assert_int_eq(guest_memory_add(&memory, 0, TABLES_RAM), 0);
    p = (struct paging){.cr0 = CR0_PE | CR0_PG | CR0_WP,
                        .cr3 = ROOT,
                        .cr4 = CR4_PAE,
                        .efer = EFER_LME | EFER_NXE,
                        .maxphyaddr = 40,
                        .pse36_width = 36,
                        .gib_pages = true};
}

static void teardown(void)
{
    guest_memory_free(&memory);
}

/* A chain of tables at ROOT, ROOT + 4096, ...: entry 0 of each, then leaf at level. */
static void map(unsigned level, uint64_t leaf, uint64_t rights)
{
    unsigned top = walk_levels(&p);

    for (unsigned l = top; l > level; l--)
        put_entry(&memory, &p, ROOT + (top - l) * 4096,
                  (ROOT + (top - l + 1) * 4096) | PTE_P | (l == 3 && top == 3 ? 0 : rights));
    put_entry(&memory, &p, ROOT + (top - level) * 4096, leaf);
}

#define ALL (PTE_W | PTE_U)

static void expect_gpa(uint64_t linear, unsigned access, gpa_t gpa, uint64_t size)
{
    struct walk w = walk(&memory, &p, linear, access);

    ck_assert_msg(w.status == WALK_OK && w.gpa == gpa && w.page_size == size,
                  "0x%llx: status %d gpa 0x%llx size 0x%llx", (unsigned long long)linear, w.status,
                  (unsigned long long)w.gpa, (unsigned long long)w.page_size);
}

static void expect_fault(uint64_t linear, unsigned access, unsigned code)
{
    struct walk w = walk(&memory, &p, linear, access);

    ck_assert_msg(w.status == WALK_PAGE_FAULT && w.error_code == code,
                  "0x%llx access %u: status %d error 0x%x, not 0x%x", (unsigned long long)linear,
                  access, w.status, w.error_code, code);
}

START_TEST(paging_off_is_identity)
{
    p.cr0 = CR0_PE;
    expect_gpa(0x1234567812345678, WALK_WRITE | WALK_USER, 0x12345678, 0);
}
END_TEST

START_TEST(four_levels_and_all_their_page_sizes)
{
    map(1, 0x5000 | PTE_P | ALL, ALL);
    expect_gpa(0xabc, WALK_WRITE | WALK_USER, 0x5abc, 4 * KIB);
    map(2, 0x600000 | PTE_PS | PTE_P | ALL, ALL);
    expect_gpa(0x123456, WALK_READ, 0x723456, 2 * MIB);
    map(3, 0x40000000 | PTE_PS | PTE_P | ALL, ALL);
    expect_gpa(0x12345678, WALK_READ, 0x52345678, GIB);
}
END_TEST

START_TEST(a_gib_page_needs_its_cpuid_bit)
{
    map(3, 0x40000000 | PTE_PS | PTE_P | ALL, ALL);
    p.gib_pages = false;
    expect_fault(0, WALK_READ, PF_P | PF_RSVD);
}
END_TEST

START_TEST(five_levels_reach_57_bits)
{
    p.cr4 |= CR4_LA57;
    map(1, 0x5000 | PTE_P | ALL, ALL);
    expect_gpa(0xabc, WALK_READ, 0x5abc, 4 * KIB);
    put_entry(&memory, &p, ROOT + 8 * 255, (ROOT + 4096) | PTE_P | ALL);
    expect_gpa(UINT64_C(255) << 48 | 0xabc, WALK_READ, 0x5abc, 4 * KIB);
    ck_assert_int_eq(walk(&memory, &p, BIT(56), WALK_READ).status, WALK_NON_CANONICAL);
}
END_TEST

START_TEST(pae_and_its_big_pages)
{
    p.efer = EFER_NXE;
    map(1, 0x5000 | PTE_P | ALL, ALL);
    expect_gpa(0xfffffff000000abc, WALK_WRITE | WALK_USER, 0x5abc, 4 * KIB);
    map(2, 0x600000 | PTE_PS | PTE_P | ALL, ALL);
    expect_gpa(0x1fffff, WALK_READ, 0x7fffff, 2 * MIB);
}
END_TEST

START_TEST(pae_pointers_are_checked_when_cr3_is_loaded)
{
    p.efer = 0;
    map(1, 0x5000 | PTE_P | ALL, ALL);
    ck_assert(walk_pdptes_valid(&memory, &p));
    put_entry(&memory, &p, ROOT + 24, ROOT | PTE_P | PTE_W);
    ck_assert(!walk_pdptes_valid(&memory, &p));
    p.cr3 = TABLES_RAM;
    ck_assert(!walk_pdptes_valid(&memory, &p));
}
END_TEST

START_TEST(two_levels_with_and_without_pse)
{
    p.cr4 = CR4_PSE;
    p.efer = 0;
    map(1, 0x5000 | PTE_P | ALL, ALL);
    expect_gpa(0xabc, WALK_READ, 0x5abc, 4 * KIB);
    map(2, 0x00c00000 | 0x1e000 | PTE_PS | PTE_P | ALL, ALL); /* bits 16:13 are 35:32 */
    expect_gpa(0x3fffff, WALK_READ, 0xf00ffffff, 4 * MIB);
    map(2, 0x00c00000 | 0x20000 | PTE_PS | PTE_P | ALL, ALL);
    expect_fault(0, WALK_READ, PF_P | PF_RSVD);
    p.cr4 = 0; /* PS means nothing now: a table at 0x11000 */
    map(1, 0x5000 | PTE_P | ALL, ALL | PTE_PS);
    expect_gpa(0xabc, WALK_READ, 0x5abc, 4 * KIB);
}
END_TEST

START_TEST(reserved_bits_are_found)
{
    static const struct {
        unsigned level;
        uint64_t leaf;
    } rows[] = {
        {1, BIT(40)},                                 /* beyond MAXPHYADDR */
        {1, BIT(51)},          {2, PTE_PS | BIT(13)}, /* a crooked 2 MiB page */
        {2, PTE_PS | BIT(20)}, {3, PTE_PS | BIT(29)}, {4, PTE_PS},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        map(rows[i].level, rows[i].leaf | PTE_P | ALL, ALL);
        expect_fault(0, WALK_READ, PF_P | PF_RSVD);
        expect_fault(0, WALK_WRITE | WALK_USER, PF_P | PF_RSVD | PF_W | PF_U);
    }
    map(1, PTE_NX | PTE_P | ALL, ALL);
    expect_gpa(0, WALK_READ, 0, 4 * KIB);
    p.efer = EFER_LME;
    expect_fault(0, WALK_READ, PF_P | PF_RSVD);
}
END_TEST

START_TEST(rights_are_the_weakest_of_all_levels)
{
    map(1, 0x5000 | PTE_P | ALL, PTE_W);
    expect_fault(0, WALK_USER, PF_P | PF_U);
    expect_gpa(0, WALK_WRITE, 0x5000, 4 * KIB);
    map(1, 0x5000 | PTE_P | ALL, PTE_U);
    expect_fault(0, WALK_USER | WALK_WRITE, PF_P | PF_U | PF_W);
    expect_fault(0, WALK_WRITE, PF_P | PF_W);
    p.cr0 &= ~(uint64_t)CR0_WP;
    expect_gpa(0, WALK_WRITE, 0x5000, 4 * KIB);
    expect_fault(0, WALK_USER | WALK_WRITE, PF_P | PF_U | PF_W);
    map(1, 0x5000 | PTE_P | ALL, ALL | PTE_NX);
    expect_fault(0, WALK_FETCH, PF_P | PF_I);
}
END_TEST

START_TEST(smep_and_smap_guard_the_kernel)
{
    map(1, 0x5000 | PTE_P | ALL, ALL);
    p.cr4 |= CR4_SMEP | CR4_SMAP;
    expect_fault(0, WALK_FETCH, PF_P | PF_I);
    expect_fault(0, WALK_READ, PF_P);
    expect_fault(0, WALK_WRITE, PF_P | PF_W);
    expect_gpa(0, WALK_USER | WALK_FETCH, 0x5000, 4 * KIB);
    p.rflags = RFLAGS_AC;
    expect_gpa(0, WALK_WRITE, 0x5000, 4 * KIB);
    expect_fault(0, WALK_WRITE | WALK_IMPLICIT, PF_P | PF_W);
    expect_fault(0, WALK_FETCH, PF_P | PF_I);
}
END_TEST

START_TEST(the_i_bit_needs_nx_or_smep)
{
    expect_fault(0, WALK_FETCH, PF_I);
    p.efer = EFER_LME;
    expect_fault(0, WALK_FETCH, 0);
    p.cr4 |= CR4_SMEP;
    expect_fault(0, WALK_FETCH, PF_I);
}
END_TEST

START_TEST(canonical_is_sign_extended)
{
    map(1, 0x5000 | PTE_P | ALL, ALL);
    ck_assert_int_eq(walk(&memory, &p, BIT(47), WALK_READ).status, WALK_NON_CANONICAL);
    ck_assert_int_eq(walk(&memory, &p, BIT(63), WALK_READ).status, WALK_NON_CANONICAL);
    expect_fault(0xffff800000000000, WALK_READ, 0);
}
END_TEST

START_TEST(a_table_outside_ram_is_named)
{
    struct walk w;

    map(4, 0x12345000 | PTE_P | ALL, ALL);
    w = walk(&memory, &p, 8 * GIB, WALK_READ | WALK_SET_AD);
    ck_assert_int_eq(w.status, WALK_NO_TABLE);
    ck_assert_uint_eq(w.steps[w.step_count - 1].entry_at, 0x12345000 + 8 * 8);
    p.cr3 = PTE_ADDR;
    ck_assert_int_eq(walk(&memory, &p, 0, WALK_READ).status, WALK_NO_TABLE);
}
END_TEST

START_TEST(a_table_that_is_its_own_entry_ends_the_walk)
{
    map(4, ROOT | PTE_P | ALL, ALL);
    expect_gpa(0xabc, WALK_READ, ROOT + 0xabc, 4 * KIB);
    ck_assert_uint_eq(walk(&memory, &p, 0, WALK_READ).step_count, 4);
}
END_TEST

START_TEST(accessed_and_dirty_are_set_where_allowed)
{
    uint64_t *leaf = guest_ptr(&memory, ROOT + 3 * 4096, 8), *root = guest_ptr(&memory, ROOT, 8);

    map(1, 0x5000 | PTE_P, ALL);
    walk(&memory, &p, 0, WALK_WRITE | WALK_SET_AD); /* a fault: nothing changes */
    ck_assert_uint_eq(*leaf & (PTE_A | PTE_D), 0);
    walk(&memory, &p, 0, WALK_READ);
    ck_assert_uint_eq(*leaf & (PTE_A | PTE_D), 0);
    walk(&memory, &p, 0, WALK_READ | WALK_SET_AD);
    ck_assert_uint_eq(*leaf & (PTE_A | PTE_D), PTE_A);
    ck_assert_uint_eq(*root & (PTE_A | PTE_D), PTE_A);
    *leaf |= PTE_W;
    walk(&memory, &p, 0, WALK_WRITE | WALK_SET_AD);
    ck_assert_uint_eq(*leaf & (PTE_A | PTE_D), PTE_A | PTE_D);
    ck_assert_uint_eq(*root & PTE_D, 0);
}
END_TEST

/* What must hold for any table and any address. */
static void check_laws(struct rng *rng)
{
    uint64_t linear = random_address(rng, &p);
    unsigned access = (unsigned)below(rng, 3) | (chance(rng, 50) ? WALK_USER : 0);
    struct walk w = walk(&memory, &p, linear, access), again;
    char text[2048];

    describe_walk(text, sizeof text, &p, linear, access, &w);
    ck_assert_msg(w.step_count <= walk_levels(&p), "%s", text);
    for (unsigned i = 0; i < w.step_count; i++)
        ck_assert_msg(w.steps[i].level == walk_levels(&p) - i, "%s", text);
    if (w.status == WALK_PAGE_FAULT) {
        ck_assert_msg(!(w.error_code & PF_W) == !(access & WALK_WRITE), "%s", text);
        ck_assert_msg(!(w.error_code & PF_U) == !(access & WALK_USER), "%s", text);
        ck_assert_msg((w.error_code & PF_P) || w.reason == WALK_NOT_PRESENT, "%s", text);
    }
    if (w.status != WALK_OK)
        return;
    ck_assert_msg(w.gpa % w.page_size == linear % w.page_size, "%s", text);
    /* Whoever may write may read; whom user mode serves, the kernel serves without SMAP. */
    if (access & WALK_WRITE)
        ck_assert_msg(walk(&memory, &p, linear, access & ~(unsigned)WALK_WRITE).status == WALK_OK,
                      "%s", text);
    /* PAE's pointers are registers of the processor; a loop that marks them is no law. */
    for (unsigned i = 1; i < w.step_count; i++)
        if (walk_levels(&p) == 3 && w.steps[i].entry_at < ROOT + 32)
            return;
    /* Setting the marks changes no translation, and doing it twice no memory. */
    again = walk(&memory, &p, linear, access | WALK_SET_AD);
    for (unsigned i = 0; i < again.step_count; i++) {
        uint64_t entry = 0;

        memcpy(&entry, guest_ptr(&memory, again.steps[i].entry_at, entry_size(&p)), entry_size(&p));
        ck_assert_msg(!((entry ^ again.steps[i].entry) & ~(PTE_A | PTE_D)), "%s", text);
    }
    ck_assert_msg(walk(&memory, &p, linear, access).gpa == w.gpa, "%s", text);
}

START_TEST(random_tables_obey_the_laws)
{
    unsigned levels = (unsigned)_i;
    unsigned long seed = getenv("SEED") ? strtoul(getenv("SEED"), NULL, 0) : 1;

    p.cr4 = (levels == 2 ? CR4_PSE : CR4_PAE) | (levels == 5 ? CR4_LA57 : 0);
    p.efer = (levels > 3 ? EFER_LME : 0) | EFER_NXE;
    for (unsigned n = 0; n < 1500; n++) {
        struct rng rng = {(seed << 32) + n * 5 + levels};

        random_tables(&memory, &rng, &p);
        for (unsigned i = 0; i < 64; i++)
            check_laws(&rng);
    }
    printf("   %u levels: 1500 tables, 96000 accesses, seed %lu\n", levels, seed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("the page walker");
    TCase *tests = tcase_create("walk");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, paging_off_is_identity);
    tcase_add_test(tests, four_levels_and_all_their_page_sizes);
    tcase_add_test(tests, a_gib_page_needs_its_cpuid_bit);
    tcase_add_test(tests, five_levels_reach_57_bits);
    tcase_add_test(tests, pae_and_its_big_pages);
    tcase_add_test(tests, pae_pointers_are_checked_when_cr3_is_loaded);
    tcase_add_test(tests, two_levels_with_and_without_pse);
    tcase_add_test(tests, reserved_bits_are_found);
    tcase_add_test(tests, rights_are_the_weakest_of_all_levels);
    tcase_add_test(tests, smep_and_smap_guard_the_kernel);
    tcase_add_test(tests, the_i_bit_needs_nx_or_smep);
    tcase_add_test(tests, canonical_is_sign_extended);
    tcase_add_test(tests, a_table_outside_ram_is_named);
    tcase_add_test(tests, a_table_that_is_its_own_entry_ends_the_walk);
    tcase_add_test(tests, accessed_and_dirty_are_set_where_allowed);
    tcase_add_loop_test(tests, random_tables_obey_the_laws, 2, 6);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
