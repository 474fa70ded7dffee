/*
 * kvm_limits.c: a host that has less memory than the machine wants (row PIO43 of the
 * hostile inputs). What it refuses at the start is told in one line. What it promised and
 * cannot give later costs this machine its life, by the kernel's hand, and no other one.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "harness/harness.h"

#define GROUPS      "/tmp/kvm_limits"
#define GROUP       GROUPS "/small"
#define NOT_LOADED  127 /* the dynamic linker's, or the shell's */
#define SMALL       "8M"
#define SPACE_FIRST 2000 /* KiB; too little for the C library */
#define SPACE_LAST  64000
#define SPACE_STEP  2000

/* The guest that does what letter says, started by a shell that sets a limit first. */
static struct program limited(const char *limit, const char *letter)
{
    char command[512];

    snprintf(command, sizeof command, "%s && exec %s --limit 20 %s", limit,
             harness_built("devices"), harness_built("04-devices/hostile.bin"));
    return program_run((const char *[]){"sh", "-c", command, NULL}, letter, 30);
}

START_TEST(an_address_space_too_small_is_told_in_one_line)
{
    unsigned refused = 0, ran = 0;

    for (unsigned space = SPACE_FIRST; space <= SPACE_LAST; space += SPACE_STEP) {
        char limit[32];
        struct program p;

        snprintf(limit, sizeof limit, "ulimit -v %u", space);
        p = limited(limit, "m");
        if (p.status == STATUS_OFF && strcmp(p.out, "alive\n") == 0)
            ran++;
        else if (p.status == STATUS_REFUSED && strncmp(p.err, "devices: cannot ", 16) == 0 &&
                 strchr(p.err, '\n') == p.err + p.err_size - 1)
            refused++;
        else
            ck_assert_msg(p.status == NOT_LOADED && space < 8 * SPACE_STEP,
                          "%u KiB: status %d, \"%s\", \"%s\"", space, p.status, p.out, p.err);
        program_free(&p);
    }
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_gt(ran, 0);
}
END_TEST

START_TEST(a_machine_that_exceeds_its_group_ends_alone)
{
    struct terminal other;
    struct program p;

    terminal_start(&other, (const char *[]){harness_built("devices"), "--limit", "30",
                                            harness_built("04-devices/hostile.bin"), NULL});
    p = limited("echo $$ >" GROUP "/cgroup.procs", "m");
    ck_assert_msg(p.status == 128 + SIGKILL, "status %d, \"%s\", \"%s\"", p.status, p.out, p.err);
    program_free(&p);
    terminal_type(&other, "m");
    terminal_expect(&other, "alive", 10);
    ck_assert_int_eq(terminal_wait(&other, 10), STATUS_OFF);
    terminal_free(&other);
}
END_TEST

/*
 * A group of processes with little memory and no swap, or why there can be none. It is
 * mounted where only we and our children see it.
 */
static const char *make_group(void)
{
    mkdir(GROUPS, 0700);
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", GROUPS, "cgroup2", 0, NULL) < 0)
        return "no control group can be made here (not root?); it runs in the lab";
    if (system("cd " GROUPS " && { echo +memory >cgroup.subtree_control && mkdir small && "
               "echo " SMALL " >small/memory.max; } 2>/dev/null && "
               "{ echo 0 >small/memory.swap.max || true; } 2>/dev/null") == 0)
        return NULL;
    return "control groups here have no limit of memory; it runs in the lab";
}

static void remove_group(void)
{
    rmdir(GROUP);
    umount(GROUPS);
    rmdir(GROUPS);
}

int main(void)
{
    Suite *suite = suite_create("chapter 4, limits of the host");
    TCase *tests = tcase_create("limits");
    const char *no_kvm = harness_no_kvm(), *no_group = no_kvm ? no_kvm : make_group();
    const char *no_space = no_kvm;
    int status;

#ifdef __SANITIZE_ADDRESS__
    no_space = "AddressSanitizer needs terabytes of address space";
#endif
    tcase_set_timeout(tests, 300);
    harness_add(tests, an_address_space_too_small_is_told_in_one_line, no_space);
    harness_add(tests, a_machine_that_exceeds_its_group_ends_alone, no_group);
    suite_add_tcase(suite, tests);
    status = harness_main(suite);
    remove_group();
    return status;
}
