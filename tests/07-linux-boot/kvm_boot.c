/*
 * kvm_boot.c: kernels for PVH and Multiboot, of a few instructions, say what they were told.
 * Both run on software KVM, too.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "common/bits.h"
#include "harness/harness.h"

#define LIMIT 30.0 /* seconds; one is usual, until the halt is noticed */

static struct program run(const char *machine, const char *guest, const char *append,
                          const char *initrd)
{
    const char *argv[] = {harness_built("vmm"),
                          "-M",
                          machine,
                          "-kernel",
                          guest,
                          "-m",
                          "64",
                          "-append",
                          append,
                          "-initrd",
                          initrd,
                          NULL};
    struct program ran = program_run(argv, NULL, LIMIT);

    ck_assert_msg(!ran.timed_out, "%s: still running after %.0f s", guest, LIMIT);
    ck_assert_msg(ran.status == STATUS_OFF, "%s: status %d; %s", guest, ran.status, ran.err);
    return ran;
}

static void file_with(char path[32], const char *text)
{
    FILE *file;

    strcpy(path, "/tmp/kvm_boot.XXXXXX");
    file = fdopen(mkstemp(path), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const char *const machines[] = {"pc", "microvm"};

START_TEST(a_pvh_kernel_finds_all_that_it_needs)
{
    char path[32];
    struct program ran;

    file_with(path, "module one");
    ran = run(machines[_i], harness_built("07-linux-boot/pvh.bin"), "a b=c", path);
    unlink(path);
    ck_assert_str_eq(ran.out, "pvh: CR0 00000001\n"
                              "pvh: command line a b=c\n"
                              "pvh: modules 00000001\n"
                              "pvh: bytes 0000000A\n"
                              "pvh: begin with 75646F6D\n" /* "modu" */
                              "pvh: RAM 0009FC00\n"
                              "pvh: the last is of type 00000002\n"
                              "pvh: RSDP 20445352\n"); /* "RSD " */
    program_free(&ran);
}
END_TEST

START_TEST(a_multiboot_kernel_gets_its_modules)
{
    char one[32], two[32], list[80], expected[400];
    const char *kernel = harness_built("07-linux-boot/multiboot.bin");
    struct program ran;

    file_with(one, "module one");
    file_with(two, "two");
    snprintf(list, sizeof list, "%s x=1,%s", one, two);
    ran = run(machines[_i], kernel, "a b", list);
    unlink(one);
    unlink(two);
    snprintf(expected, sizeof expected,
             "multiboot: %s a b\n"
             "multiboot: flags 0000024D\n"
             "multiboot: KiB low 0000027F\n"
             "multiboot: KiB high 0000FC00\n"
             "multiboot: map 00000078\n"
             "multiboot: module %s x=1: module one\n"
             "multiboot: module %s: two\n",
             kernel, one, two);
    ck_assert_str_eq(ran.out, expected);
    program_free(&ran);
}
END_TEST

/* The smallest bzImage; the benchmark measures until it speaks. */
START_TEST(a_tiny_bzimage_speaks_at_once)
{
    const char *argv[] = {harness_built("vmm"),
                          "-M",
                          machines[_i],
                          "-kernel",
                          harness_built("07-linux-boot/tiny.bin"),
                          NULL};
    struct program ran = program_run(argv, NULL, LIMIT);

    ck_assert_int_eq(ran.status, STATUS_OFF);
    ck_assert_str_eq(ran.out, "tiny\n");
    program_free(&ran);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("07 boot protocols");
    TCase *tests = tcase_create("boot");
    const char *reason = harness_no_kvm();

    tcase_set_timeout(tests, 4 * LIMIT);
    if (reason) {
        harness_add(tests, a_pvh_kernel_finds_all_that_it_needs, reason);
        harness_add(tests, a_multiboot_kernel_gets_its_modules, reason);
        harness_add(tests, a_tiny_bzimage_speaks_at_once, reason);
    } else {
        tcase_add_loop_test(tests, a_pvh_kernel_finds_all_that_it_needs, 0, 2);
        tcase_add_loop_test(tests, a_multiboot_kernel_gets_its_modules, 0, 2);
        tcase_add_loop_test(tests, a_tiny_bzimage_speaks_at_once, 0, 2);
    }
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
