/* Files from outside: opened once, read whole, or refused in words. */
#define _GNU_SOURCE
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/harness.h"

static char folder[] = "/tmp/ring-test-XXXXXX";
static char path[64];

static void setup(void)
{
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
}

static void teardown(void)
{
    unlink(path);
    rmdir(folder);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

START_TEST(a_file_is_read_whole)
{
    struct refusal why;
    uint8_t *bytes;
    size_t size;

    write_file("12345");
    ck_assert_int_eq(file_read_all(path, 5, &bytes, &size, &why), 0);
    ck_assert_uint_eq(size, 5);
    ck_assert_mem_eq(bytes, "12345", 5);
    free(bytes);
}
END_TEST

START_TEST(a_file_over_the_limit_is_refused_with_both_numbers)
{
    struct refusal why;
    uint8_t *bytes;
    size_t size;

    write_file("123456");
    ck_assert_int_eq(file_read_all(path, 5, &bytes, &size, &why), -EFBIG);
    ck_assert_str_eq(why.text, "6 bytes, but at most 5 are allowed");
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused_without_waiting)
{
    struct refusal why;
    struct file file;

    ck_assert_int_lt(file_open(&file, folder, &why), 0);
    ck_assert_str_eq(why.text, "not a regular file");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_lt(file_open(&file, path, &why), 0);
    ck_assert_str_eq(why.text, "not a regular file");
}
END_TEST

START_TEST(a_missing_file_says_so)
{
    struct refusal why;
    struct file file;

    ck_assert_int_eq(file_open(&file, path, &why), -ENOENT);
    ck_assert_str_eq(why.text, "cannot open: No such file or directory");
}
END_TEST

START_TEST(a_file_that_shrinks_after_open_is_refused)
{
    struct refusal why;
    struct file file;
    char buffer[6];

    write_file("123456");
    ck_assert_int_eq(file_open(&file, path, &why), 0);
    ck_assert_int_eq(truncate(path, 3), 0);
    ck_assert_int_eq(file_read(&file, 0, buffer, sizeof buffer, &why), -EIO);
    ck_assert_ptr_nonnull(strstr(why.text, "ends at byte 3"));
    file_close(&file);
}
END_TEST

START_TEST(a_path_swapped_after_open_changes_nothing)
{
    struct refusal why;
    struct file file;
    char buffer[3];

    write_file("old");
    ck_assert_int_eq(file_open(&file, path, &why), 0);
    unlink(path);
    write_file("new");
    ck_assert_int_eq(file_read(&file, 0, buffer, 3, &why), 0);
    ck_assert_mem_eq(buffer, "old", 3);
    file_close(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("files");
    TCase *tests = tcase_create("files");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_file_is_read_whole);
    tcase_add_test(tests, a_file_over_the_limit_is_refused_with_both_numbers);
    tcase_add_test(tests, what_is_no_regular_file_is_refused_without_waiting);
    tcase_add_test(tests, a_missing_file_says_so);
    tcase_add_test(tests, a_file_that_shrinks_after_open_is_refused);
    tcase_add_test(tests, a_path_swapped_after_open_changes_nothing);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
