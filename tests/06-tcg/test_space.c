/* The guest's address space alone: no guest code runs here. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "06-tcg/space.h"
#include "harness/harness.h"

#define PAGE SPACE_PAGE_SIZE
#define RW   (SPACE_READ | SPACE_WRITE)

static struct space space;
static uint32_t changed_first, changed_last;
static unsigned changes;

static void set_up(void)
{
    fault_install();
    ck_assert_int_eq(space_init(&space), 0);
    changes = 0;
}

static void tear_down(void)
{
    space_free(&space);
}

static void note_change(void *self, uint32_t first, uint32_t last)
{
    (void)self;
    changed_first = first;
    changed_last = last;
    changes++;
}

static int map(uint32_t address, uint64_t size, unsigned prot)
{
    return space_map(&space, address, size, prot, false, -1, 0);
}

START_TEST(what_is_written_is_read)
{
    char back[6] = "";

    ck_assert_int_eq(map(0x20000, 2 * PAGE, RW), 0);
    ck_assert_int_eq(space_write(&space, 0x20ffd, "hello", 6), 0); /* across two pages */
    ck_assert_int_eq(space_read(&space, 0x20ffd, back, 6), 0);
    ck_assert_str_eq(back, "hello");
    ck_assert_str_eq(space_at(&space, 0x20ffd), "hello");
}
END_TEST

START_TEST(unmapped_memory_is_refused)
{
    uint32_t word;

    ck_assert_int_eq(space_read(&space, 0x20000, &word, 4), -EFAULT);
    ck_assert_int_eq(space_write(&space, 0x20000, &word, 4), -EFAULT);
    ck_assert_ptr_null(space_host(&space, 0, 1, SPACE_READ));
    ck_assert_int_eq(map(0x20000, PAGE, RW), 0);
    ck_assert_int_eq(space_read(&space, 0x20ffe, &word, 4), -EFAULT);
    ck_assert_ptr_null(space_host(&space, 0x20ffe, 4, SPACE_READ));
    ck_assert_ptr_nonnull(space_host(&space, 0x20ffc, 4, SPACE_READ));
}
END_TEST

START_TEST(a_range_past_the_top_is_refused_and_does_not_wrap)
{
    ck_assert_int_eq(map(0xfffff000, PAGE, RW), 0);
    ck_assert_ptr_nonnull(space_host(&space, 0xfffffffc, 4, SPACE_READ));
    ck_assert_ptr_null(space_host(&space, 0xfffffffd, 4, SPACE_READ));
    ck_assert_ptr_null(space_host(&space, 0xffffffff, UINT64_MAX, SPACE_READ));
    ck_assert_ptr_null(space_host(&space, 0xffffffff, 0x7fffffff, SPACE_READ));
    ck_assert_int_eq(map(0xfffff000, 2 * PAGE, RW), -ENOMEM);
}
END_TEST

START_TEST(permissions_are_each_page_s)
{
    char byte = 1;

    ck_assert_int_eq(map(0x20000, 3 * PAGE, RW), 0);
    ck_assert_int_eq(space_protect(&space, 0x21000, PAGE, SPACE_READ), 0);
    ck_assert(space_allows(&space, 0x20000, 3 * PAGE, SPACE_READ));
    ck_assert(!space_allows(&space, 0x20000, 3 * PAGE, SPACE_WRITE));
    ck_assert_int_eq(space_write(&space, 0x20fff, &byte, 1), 0);
    ck_assert_int_eq(space_write(&space, 0x21000, &byte, 1), -EFAULT);
    ck_assert_int_eq(space_protect(&space, 0x21000, PAGE, 0), 0);
    ck_assert_int_eq(space_read(&space, 0x21000, &byte, 1), -EFAULT);
    ck_assert(space_occupied(&space, 0x21000, PAGE)); /* mapped, if to no use */
}
END_TEST

START_TEST(the_host_s_page_tables_say_the_same)
{
    char byte = 0;

    ck_assert_int_eq(map(0x20000, PAGE, SPACE_READ), 0);
    ck_assert_int_eq(fault_copy(&byte, space_at(&space, 0x20000), 1), 0);
    ck_assert_int_eq(fault_copy(space_at(&space, 0x20000), &byte, 1), -EFAULT);
    ck_assert_int_eq(fault_copy(&byte, space_at(&space, 0x21000), 1), -EFAULT);
    ck_assert_int_eq(fault_copy(&byte, (char *)space_at(&space, 0xffffffff) + 1, 1), -EFAULT);
}
END_TEST

START_TEST(nothing_goes_below_the_lowest_page)
{
    ck_assert_int_eq(map(0, PAGE, RW), -ENOMEM);
    ck_assert_int_eq(map(SPACE_LOWEST - PAGE, 2 * PAGE, RW), -ENOMEM);
    ck_assert_int_eq(map(SPACE_LOWEST, PAGE, RW), 0);
    ck_assert_int_eq(space_unmap(&space, 0, SPACE_LOWEST), -ENOMEM);
}
END_TEST

START_TEST(bad_ranges_are_refused)
{
    ck_assert_int_eq(map(0x20001, PAGE, RW), -EINVAL);
    ck_assert_int_eq(map(0x20000, PAGE + 1, RW), -EINVAL);
    ck_assert_int_eq(map(0x20000, 0, RW), -EINVAL);
    ck_assert_int_eq(map(0x20000, SPACE_SIZE, RW), -ENOMEM);
    ck_assert_int_eq(map(0x20000, UINT64_MAX & ~0xfffull, RW), -ENOMEM);
}
END_TEST

START_TEST(protecting_a_hole_is_enomem_after_what_precedes_it)
{
    ck_assert_int_eq(map(0x20000, PAGE, RW), 0);
    ck_assert_int_eq(space_protect(&space, 0x20000, 2 * PAGE, SPACE_READ), -ENOMEM);
    ck_assert(!space_allows(&space, 0x20000, 1, SPACE_WRITE));
    ck_assert(!space_occupied(&space, 0x21000, PAGE));
}
END_TEST

START_TEST(the_highest_hole_is_found)
{
    ck_assert_uint_eq(space_find_free(&space, PAGE, 0, 0x40000), 0x3f000);
    ck_assert_int_eq(map(0x3e000, PAGE, RW), 0);
    ck_assert_uint_eq(space_find_free(&space, PAGE, 0, 0x40000), 0x3f000);
    ck_assert_uint_eq(space_find_free(&space, 2 * PAGE, 0, 0x40000), 0x3c000);
    ck_assert_uint_eq(space_find_free(&space, SPACE_SIZE, 0, SPACE_SIZE), 0);
    ck_assert_uint_eq(space_find_free(&space, 0x40000, 0, 0x40000), 0);
}
END_TEST

START_TEST(a_mapping_grows_in_place_moves_and_shrinks)
{
    char byte = 'x';

    ck_assert_int_eq(map(0x20000, PAGE, RW), 0);
    ck_assert_int_eq(space_write(&space, 0x20000, &byte, 1), 0);
    ck_assert_int_eq(space_remap(&space, 0x20000, PAGE, 2 * PAGE, false, false, 0, 0, 0), 0x20000);
    ck_assert(space_allows(&space, 0x21000, PAGE, RW));
    ck_assert_int_eq(map(0x22000, PAGE, RW), 0);
    ck_assert_int_eq(space_remap(&space, 0x20000, 2 * PAGE, 4 * PAGE, false, false, 0, 0, 0x100000),
                     -ENOMEM);
    ck_assert_int_eq(space_remap(&space, 0x20000, 2 * PAGE, 4 * PAGE, true, false, 0, 0, 0x100000),
                     0xfc000);
    ck_assert(!space_occupied(&space, 0x20000, 2 * PAGE));
    byte = 0;
    ck_assert_int_eq(space_read(&space, 0xfc000, &byte, 1), 0);
    ck_assert_int_eq(byte, 'x');
    ck_assert_int_eq(space_remap(&space, 0xfc000, 4 * PAGE, PAGE, false, false, 0, 0, 0), 0xfc000);
    ck_assert(!space_occupied(&space, 0xfd000, 3 * PAGE));
    ck_assert_int_eq(space_remap(&space, 0xfc000, PAGE, PAGE, true, true, 0x50000, 0, 0), 0x50000);
    ck_assert_int_eq(space_remap(&space, 0x70000, PAGE, PAGE, true, false, 0, 0, 0), -EFAULT);
}
END_TEST

START_TEST(writing_translated_code_tells_the_translator_first)
{
    char byte = 1;

    space.code_changes = note_change;
    ck_assert_int_eq(map(0x20000, 2 * PAGE, RW | SPACE_EXEC), 0);
    space_protect_code(&space, 0x20010, 4);
    ck_assert_int_eq(fault_copy(space_at(&space, 0x20000), &byte, 1), -EFAULT);
    ck_assert_int_eq(fault_copy(space_at(&space, 0x21000), &byte, 1), 0);
    ck_assert_int_eq(space_write(&space, 0x21000, &byte, 1), 0);
    ck_assert_uint_eq(changes, 0);
    ck_assert_int_eq(space_write(&space, 0x20fff, &byte, 1), 0);
    ck_assert_uint_eq(changes, 1);
    ck_assert_uint_eq(changed_first, 0x20000);
    ck_assert_uint_eq(changed_last, 0x20fff);
    ck_assert(!(space_flags(&space, 0x20000) & SPACE_CODE));
    space_protect_code(&space, 0x20010, 4);
    ck_assert_int_eq(space_unmap(&space, 0x20000, PAGE), 0);
    ck_assert_uint_eq(changes, 2);
}
END_TEST

START_TEST(guest_code_is_never_executable_for_the_host)
{
    char line[256];
    FILE *maps = fopen("/proc/self/maps", "r");

    ck_assert_int_eq(map(0x20000, PAGE, RW | SPACE_EXEC), 0);
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps)) {
        uintptr_t first, last;
        char prot[5];

        ck_assert_int_eq(sscanf(line, "%lx-%lx %4s", &first, &last, prot), 3);
        if (first >= space.base && last <= space.base + SPACE_SIZE)
            ck_assert_msg(prot[2] == '-', "%s", line);
    }
    fclose(maps);
}
END_TEST

START_TEST(a_file_cut_short_is_efault_and_no_sigbus)
{
    char byte = 0;
    int fd = memfd_create("cut", MFD_CLOEXEC);

    ck_assert_int_eq(ftruncate(fd, 1), 0);
    ck_assert_int_eq(space_map(&space, 0x20000, 2 * PAGE, RW, true, fd, 0), 0);
    ck_assert_int_eq(space_read(&space, 0x20000, &byte, 1), 0);
    ck_assert_int_eq(space_read(&space, 0x21000, &byte, 1), -EFAULT);
    ck_assert_int_eq(space_write(&space, 0x21000, &byte, 1), -EFAULT);
    close(fd);
}
END_TEST

START_TEST(strings_end_or_fault_or_are_too_long)
{
    char text[8];

    ck_assert_int_eq(map(0x20000, PAGE, RW), 0);
    ck_assert_int_eq(space_write(&space, 0x20ffc, "abc", 4), 0);
    ck_assert_int_eq(space_read_string(&space, 0x20ffc, text, sizeof text), 3);
    ck_assert_str_eq(text, "abc");
    ck_assert_int_eq(space_write(&space, 0x20ffc, "abcd", 4), 0);
    ck_assert_int_eq(space_read_string(&space, 0x20ffc, text, sizeof text), -EFAULT);
    ck_assert_int_eq(space_read_string(&space, 0x20ffc, text, 4), -ENAMETOOLONG);
    ck_assert_int_eq(space_read_string(&space, 0, text, sizeof text), -EFAULT);
}
END_TEST

START_TEST(two_spaces_are_apart)
{
    struct space other;

    ck_assert_int_eq(space_init(&other), 0);
    ck_assert_uint_ne(other.base, space.base);
    ck_assert_int_eq(map(0x20000, PAGE, RW), 0);
    ck_assert(!space_occupied(&other, 0x20000, PAGE));
    space_free(&other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("space");
    TCase *tests = tcase_create("space");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, unmapped_memory_is_refused);
    tcase_add_test(tests, a_range_past_the_top_is_refused_and_does_not_wrap);
    tcase_add_test(tests, permissions_are_each_page_s);
    tcase_add_test(tests, the_host_s_page_tables_say_the_same);
    tcase_add_test(tests, nothing_goes_below_the_lowest_page);
    tcase_add_test(tests, bad_ranges_are_refused);
    tcase_add_test(tests, protecting_a_hole_is_enomem_after_what_precedes_it);
    tcase_add_test(tests, the_highest_hole_is_found);
    tcase_add_test(tests, a_mapping_grows_in_place_moves_and_shrinks);
    tcase_add_test(tests, writing_translated_code_tells_the_translator_first);
    tcase_add_test(tests, guest_code_is_never_executable_for_the_host);
    tcase_add_test(tests, a_file_cut_short_is_efault_and_no_sigbus);
    tcase_add_test(tests, strings_end_or_fault_or_are_too_long);
    tcase_add_test(tests, two_spaces_are_apart);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
