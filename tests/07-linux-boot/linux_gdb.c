/*
 * linux_gdb.c: gdb's protocol with Debian's kernel on two processors: what a debugger sees of
 * them, and that they live on. In the lab there are no breakpoints; kvm_gdb.c has those.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/linux_guest.h"

static void expect(struct program *ran, const char *text)
{
    bool there = strstr(ran->out, text) || strstr(ran->err, text); /* the monitor's is there */

    ck_assert_msg(there, "no \"%s\" in\n%s%s", text, ran->out, ran->err);
}

/* Held before its first instruction; stepped; let go; stopped in the middle; let go again. */
START_TEST(a_kernel_is_held_stepped_and_looked_at)
{
    static const char *const at_the_start[] = {"stepi",        "print/x $efer", "print/x $cr4",
                                               "info threads", "detach",        NULL};
    static const char *const in_the_middle[] = {"info threads",
                                                "print/x $efer & 0xd01",
                                                "print $_thread",
                                                "thread 2",
                                                "print/x $cr3 != 0",
                                                "x/1xb 0xffffffff81000000",
                                                "monitor info cpus",
                                                "thread 1",
                                                "stepi",
                                                "stepi",
                                                "print $rip != 0",
                                                "set $before = $rsp",
                                                "set $rsp = 0x1234",
                                                "print/x $rsp",
                                                "set $rsp = $before",
                                                "print $k_gs_base >= 0",
                                                "x/1xb 0xfee00000",
                                                "detach",
                                                NULL};
    struct program ran;

    SHELL_START(QUIET "nokaslr", "-smp", "2", "-gdb", "unix:FOLDER/gdb", "-S");
    for (unsigned i = 0; i < 200 && access(file("gdb"), F_OK) < 0; i++)
        usleep(50000);
    ran = gdb(at_the_start);
    expect(&ran, "= 0x500"); /* long mode, of the boot protocol */
    expect(&ran, "= 0x20");
    expect(&ran, "CPU#0, running");
    expect(&ran, "CPU#1, not started");
    program_free(&ran);

    terminal_expect(&terminal, PROMPT, BOOT);
    shell_says("nproc", "2");
    ran = gdb(in_the_middle);
    expect(&ran, "CPU#1, ");
    expect(&ran, "= 0xd01"); /* SCE, LME, LMA, NXE: Linux's own */
    expect(&ran, "0xffffffff81000000:\t0x");
    expect(&ran, "CPU #1: APIC id 1, rip 0x");
    expect(&ran, "= 0x1234");
    expect(&ran, "detached");
    program_free(&ran);
    shell_says("grep -c ^processor /proc/cpuinfo", "2");
    shell_says("taskset -c 1 echo alive", "alive");
    shell_off("poweroff\r");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("07 linux and a debugger");
    TCase *tests = tcase_create("gdb");
    const char *why = no_linux(SHELL_INITRD);

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 4 * BOOT);
    harness_add(tests, a_kernel_is_held_stepped_and_looked_at, why ? why : no_gdb());
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
