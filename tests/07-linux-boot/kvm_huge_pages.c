/*
 * kvm_huge_pages.c: RAM of huge pages: all of it, or none and the counts. How many a
 * computer sets aside is its owner's business, so only the lab is asked for some.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-linux-boot/vmm_guest.h"

#define PAGES "/tmp/huge-pages"

static void set_aside(unsigned pages)
{
    FILE *file = fopen("/proc/sys/vm/nr_hugepages", "w");

    ck_assert_ptr_nonnull(file);
    fprintf(file, "%u\n", pages);
    ck_assert_int_eq(fclose(file), 0);
}

static void setup(void)
{
    mkdir(PAGES, 0700);
    ck_assert_int_eq(mount("none", PAGES, "hugetlbfs", 0, "pagesize=2M"), 0);
}

static void teardown(void)
{
    umount(PAGES);
    rmdir(PAGES);
    set_aside(0);
}

/* "Huge pages in use by a process", in KiB. */
static unsigned huge_of(pid_t pid)
{
    char name[60], line[200];
    unsigned kib = 0;
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/status", pid);
    file = fopen(name, "r");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file) && sscanf(line, "HugetlbPages: %u", &kib) != 1)
        continue;
    fclose(file);
    return kib;
}

START_TEST(a_guest_runs_in_huge_pages_alone)
{
    struct terminal vmm;

    set_aside(32);
    HOSTILE_START(&vmm, "e", "-mem-path", PAGES, "-mem-prealloc");
    for (unsigned i = 0; i < 300 && huge_of(vmm.pid) < 64 * 1024; i++)
        usleep(100 * 1000);
    ck_assert_uint_eq(huge_of(vmm.pid), 64 * 1024);
    terminal_type(&vmm, "q");
    ck_assert_int_eq(terminal_wait(&vmm, 30), STATUS_OFF);
    terminal_free(&vmm);
}
END_TEST

START_TEST(too_few_are_refused_with_the_counts)
{
    struct program ran;

    set_aside(10);
    ran = HOSTILE_RUN("h", NULL, "-mem-path", PAGES);
    ck_assert_int_eq(ran.status, STATUS_REFUSED);
    ck_assert_msg(strstr(ran.err, "32 pages of 2 MiB are needed, 10 of 10 are free"), "%s",
                  ran.err);
    program_free(&ran);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("07 huge pages");
    TCase *tests = tcase_create("huge pages");
    const char *reason = access("/run/lab", F_OK) == 0 ? NULL
                                                       : "not in the lab: huge pages are "
                                                         "this computer's owner's";

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120);
    harness_add(tests, a_guest_runs_in_huge_pages_alone, reason);
    harness_add(tests, too_few_are_refused_with_the_counts, reason);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
