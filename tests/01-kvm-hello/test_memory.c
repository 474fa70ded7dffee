/* Guest memory: the one door between guest-physical addresses and our pointers. */
#include "01-kvm-hello/memory.h"

#include <errno.h>
#include <string.h>

#include "common/bits.h"
#include "harness/harness.h"

static struct guest_memory memory;

static void setup(void)
{
    memory = (struct guest_memory){0};
    ck_assert_int_eq(guest_memory_add(&memory, 0, 64 * KIB), 0);
    ck_assert_int_eq(guest_memory_add(&memory, 4 * GIB, 4 * MIB), 0);
}

static void teardown(void)
{
    guest_memory_free(&memory);
}

START_TEST(new_memory_reads_as_zeros)
{
    static const uint8_t zeros[4096];

    ck_assert_mem_eq(guest_ptr(&memory, 0xf000, 4096), zeros, 4096);
}
END_TEST

START_TEST(last_byte_is_reachable_and_the_next_is_not)
{
    ck_assert_ptr_nonnull(guest_ptr(&memory, 64 * KIB - 1, 1));
    ck_assert_ptr_null(guest_ptr(&memory, 64 * KIB - 1, 2));
    ck_assert_ptr_null(guest_ptr(&memory, 64 * KIB, 1));
}
END_TEST

START_TEST(a_hole_is_null)
{
    ck_assert_ptr_null(guest_ptr(&memory, 2 * GIB, 1));
    ck_assert_ptr_null(guest_ptr(&memory, 4 * GIB - 1, 2));
}
END_TEST

START_TEST(ranges_that_wrap_are_null)
{
    static const struct {
        gpa_t start;
        uint64_t length;
    } wraps[] = {
        {0x1000, UINT64_MAX},     {UINT64_MAX, 2},
        {UINT64_MAX, UINT64_MAX}, {4 * GIB, UINT64_MAX - 4 * GIB + 1},
        {1, UINT64_MAX},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(wraps); i++)
        ck_assert_msg(!guest_ptr(&memory, wraps[i].start, wraps[i].length), "row %u", i);
}
END_TEST

START_TEST(regions_are_separate_memory)
{
    uint8_t *low = guest_ptr(&memory, 0, 1), *high = guest_ptr(&memory, 4 * GIB, 1);

    *low = 1;
    *high = 2;
    ck_assert_uint_eq(*low, 1);
    ck_assert_uint_eq(*(uint8_t *)guest_ptr(&memory, 4 * GIB, 1), 2);
}
END_TEST

START_TEST(read_only_regions_are_not_for_devices_to_write)
{
    struct guest_memory memory = {0};

    ck_assert_int_eq(guest_memory_add(&memory, 0, 0x1000), 0);
    ck_assert_int_eq(guest_memory_add(&memory, 0x1000, 0x1000), 0);
    memory.regions[1].read_only = true;
    ck_assert_ptr_nonnull(guest_ptr(&memory, 0x1000, 0x1000));
    ck_assert_ptr_null(guest_ptr_to_write(&memory, 0x1000, 1));
    ck_assert_ptr_null(guest_ptr_to_write(&memory, 0x1fff, 1));
    ck_assert_ptr_null(guest_ptr_to_write(&memory, 0xfff, 2));
    ck_assert_ptr_eq(guest_ptr_to_write(&memory, 0xff8, 8), guest_ptr(&memory, 0xff8, 8));
    guest_memory_free(&memory);
}
END_TEST

START_TEST(bad_regions_are_refused)
{
    static const struct {
        gpa_t start;
        uint64_t size;
        int error;
    } rows[] = {
        {0x20000, 0, -EINVAL},                    /* empty */
        {0x20001, 4096, -EINVAL},                 /* start unaligned */
        {0x20000, 4095, -EINVAL},                 /* size unaligned */
        {UINT64_MAX - 4095, 8192, -EINVAL},       /* wraps */
        {0xf000, 4096, -EEXIST},                  /* inside region 0 */
        {4 * GIB - 4096, 8192, -EEXIST},          /* reaches into region 1 */
        {0x40000000, UINT64_C(1) << 62, -EEXIST}, /* swallows region 1 */
        {8 * GIB, UINT64_C(1) << 62, -ENOMEM},    /* more than an address space */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        ck_assert_msg(guest_memory_add(&memory, rows[i].start, rows[i].size) == rows[i].error,
                      "row %u", i);
    ck_assert_uint_eq(memory.count, 2);
}
END_TEST

START_TEST(the_ninth_region_is_refused)
{
    for (unsigned i = 2; i < GUEST_REGIONS_MAX; i++)
        ck_assert_int_eq(guest_memory_add(&memory, i * 16 * MIB, 4096), 0);
    ck_assert_int_eq(guest_memory_add(&memory, 512 * MIB, 4096), -ENOSPC);
}
END_TEST

START_TEST(size_is_the_sum)
{
    ck_assert_uint_eq(guest_memory_size(&memory), 64 * KIB + 4 * MIB);
}
END_TEST

START_TEST(big_regions_are_aligned_for_huge_pages)
{
    ck_assert(is_aligned((uintptr_t)guest_ptr(&memory, 4 * GIB, 1), 2 * MIB));
}
END_TEST

START_TEST(bits_names_fields_as_manuals_do)
{
    ck_assert_uint_eq(bits(0x12345678, 31, 28), 1);
    ck_assert_uint_eq(bits(0x12345678, 7, 0), 0x78);
    ck_assert_uint_eq(bits(UINT64_MAX, 63, 0), UINT64_MAX);
    ck_assert_uint_eq(bits(BIT(63), 63, 63), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guest memory");
    TCase *tests = tcase_create("memory");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, new_memory_reads_as_zeros);
    tcase_add_test(tests, last_byte_is_reachable_and_the_next_is_not);
    tcase_add_test(tests, a_hole_is_null);
    tcase_add_test(tests, ranges_that_wrap_are_null);
    tcase_add_test(tests, regions_are_separate_memory);
    tcase_add_test(tests, read_only_regions_are_not_for_devices_to_write);
    tcase_add_test(tests, bad_regions_are_refused);
    tcase_add_test(tests, the_ninth_region_is_refused);
    tcase_add_test(tests, size_is_the_sum);
    tcase_add_test(tests, big_regions_are_aligned_for_huge_pages);
    tcase_add_test(tests, bits_names_fields_as_manuals_do);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
