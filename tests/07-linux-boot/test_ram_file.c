/* test_ram_file.c: RAM from a file in a folder: shared, nameless, zero at each boot. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-linux-boot/ram_file.h"
#include "common/bits.h"
#include "harness/harness.h"

#define LOW  (4 * MIB) /* two regions, as around the hole for PCI */
#define HIGH (2 * MIB)

static struct guest_memory memory;
static struct ram_file file;
static struct refusal why;

static void setup(void)
{
    memory = (struct guest_memory){0};
    ck_assert_int_eq(guest_memory_add(&memory, 0, LOW), 0);
    ck_assert_int_eq(guest_memory_add(&memory, 4 * GIB, HIGH), 0);
}

static void teardown(void)
{
    ram_file_close(&file);
    guest_memory_free(&memory);
}

/* How many of the pages at host the kernel has. */
static unsigned resident(const uint8_t *host, uint64_t size)
{
    unsigned char pages[LOW / 4096];
    unsigned count = 0;

    ck_assert_uint_le(size / 4096, sizeof pages);
    ck_assert_int_eq(mincore((void *)host, size, pages), 0);
    for (uint64_t i = 0; i < size / 4096; i++)
        count += pages[i] & 1;
    return count;
}

START_TEST(ram_is_the_file)
{
    uint8_t byte = 0;

    ck_assert_msg(ram_file_open(&file, "/dev/shm", LOW + HIGH, false, &why) == 0, "%s", why.text);
    ck_assert_msg(ram_file_use(&file, &memory, &why) == 0, "%s", why.text);
    *(uint8_t *)guest_ptr(&memory, 4 * GIB + 5, 1) = 0x5a;
    ck_assert_int_eq(pread(file.fd, &byte, 1, LOW + 5), 1);
    ck_assert_uint_eq(byte, 0x5a);
    ck_assert_uint_eq(resident(memory.regions[0].host, LOW), 0); /* comes when it is touched */
}
END_TEST

START_TEST(a_guest_that_resets_finds_zeros)
{
    uint8_t *first;

    ck_assert_int_eq(ram_file_open(&file, "/dev/shm", LOW + HIGH, false, &why), 0);
    ck_assert_int_eq(ram_file_use(&file, &memory, &why), 0);
    memset(guest_ptr(&memory, 0, LOW), 0xee, LOW);
    guest_memory_free(&memory);
    setup();
    ck_assert_int_eq(ram_file_use(&file, &memory, &why), 0);
    first = guest_ptr(&memory, 0, LOW);
    for (size_t i = 0; i < LOW; i++)
        if (first[i] != 0)
            ck_abort_msg("byte %zu is 0x%02x", i, first[i]);
}
END_TEST

START_TEST(at_once_means_every_page)
{
    const char *folder = _i ? "/dev/shm" : NULL;

    ck_assert_int_eq(ram_file_open(&file, folder, LOW + HIGH, true, &why), 0);
    ck_assert_msg(ram_file_use(&file, &memory, &why) == 0, "%s", why.text);
    ck_assert_uint_eq(resident(memory.regions[0].host, LOW), LOW / 4096);
    ck_assert_uint_eq(resident(memory.regions[1].host, HIGH), HIGH / 4096);
}
END_TEST

START_TEST(nothing_is_left_in_the_folder)
{
    struct stat info;

    ck_assert_int_eq(ram_file_open(&file, "/dev/shm", LOW, false, &why), 0);
    ck_assert_int_eq(fstat(file.fd, &info), 0);
    ck_assert_uint_eq(info.st_nlink, 0);
}
END_TEST

START_TEST(what_is_not_there_is_refused_with_its_size)
{
    ck_assert_int_lt(ram_file_open(&file, "/dev/shm", 1024 * GIB, false, &why), 0);
    ck_assert_msg(strstr(why.text, "-mem-path /dev/shm: 1048576 MiB are needed"), "%s", why.text);
    ck_assert_int_eq(ram_file_open(&file, "/nowhere", LOW, false, &why), -ENOENT);
    ck_assert_msg(strstr(why.text, "-mem-path /nowhere: cannot make a file"), "%s", why.text);
    ck_assert_int_eq(ram_file_open(&file, "/dev/null", LOW, false, &why), -ENOTDIR);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("07 RAM from a file");
    TCase *tests = tcase_create("ram");
    const char *reason = access("/dev/shm", W_OK) == 0 ? NULL : "no /dev/shm to write to";

    tcase_add_checked_fixture(tests, setup, teardown);
    harness_add(tests, ram_is_the_file, reason);
    harness_add(tests, a_guest_that_resets_finds_zeros, reason);
    if (reason)
        harness_add(tests, at_once_means_every_page, reason);
    else
        tcase_add_loop_test(tests, at_once_means_every_page, 0, 2);
    harness_add(tests, nothing_is_left_in_the_folder, reason);
    harness_add(tests, what_is_not_there_is_refused_with_its_size, reason);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
