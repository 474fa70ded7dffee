/*
 * linux_smp.c: Debian's cloud kernel on several processors: it finds the topology that
 * -smp asks for, all processors work, and it goes when it is asked to.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/linux_guest.h"

/* Every processor's program counts its own jiffies in /proc/stat; all must have some. */
static void expect_work_on_all(unsigned count)
{
    char text[32];

    shell_says("for c in $(seq 0 $(($(nproc) - 1))); do"
               " taskset -c $c sh -c 'n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done;"
               " echo worked' & done >/tmp/log; wait; sort /tmp/log | uniq -c",
               (snprintf(text, sizeof text, "%7u worked", count), text));
}

START_TEST(two_processors_are_two_cores_and_reboot)
{
    SHELL_BOOT("-smp", "2");
    shell_says("grep -c ^processor /proc/cpuinfo", "2");
    shell_says("grep -h . /sys/devices/system/cpu/cpu[01]/topology/core_cpus_list | xargs", "0 1");
    shell_says("grep -h . /sys/devices/system/cpu/cpu[01]/topology/package_cpus_list | xargs",
               "0-1 0-1");
    expect_work_on_all(2);
    terminal_type(&terminal, "taskset -c 1 reboot -f\r");
    terminal_expect(&terminal, "init runs", BOOT);
    terminal_expect(&terminal, PROMPT, BOOT);
    shell_says("nproc", "2");
    shell_off("poweroff\r");
}
END_TEST

START_TEST(sockets_cores_and_threads_are_as_told)
{
    SHELL_BOOT("-smp", "4,sockets=2,cores=1,threads=2");
    shell_says("grep -h . /sys/devices/system/cpu/cpu[0-3]/topology/thread_siblings_list | xargs",
               "0-1 0-1 2-3 2-3");
    shell_says("grep -h . /sys/devices/system/cpu/cpu[0-3]/topology/package_cpus_list | xargs",
               "0-1 0-1 2-3 2-3");
    shell_says("grep 'physical id' /proc/cpuinfo | tr -dc 01; echo", "0011");
    shell_says("grep '^apicid' /proc/cpuinfo | tr -dc 0-9; echo", "0123");
    expect_work_on_all(4);
    shell_off("taskset -c 3 poweroff -f\r");
}
END_TEST

START_TEST(numbers_with_gaps_are_understood)
{
    SHELL_BOOT("-smp", "6,sockets=2,cores=3");
    shell_says("grep '^apicid' /proc/cpuinfo | tr -dc 0-9; echo", "012456");
    shell_says("grep 'physical id' /proc/cpuinfo | tr -dc 01; echo", "000111");
    shell_off("\x01x");
}
END_TEST

START_TEST(the_power_button_shuts_the_guest_down)
{
    SHELL_BOOT("-smp", "2");
    shell_off("\x01p");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("07 linux on several processors");
    TCase *tests = tcase_create("smp");
    const char *reason = no_linux(SHELL_INITRD);

    tcase_set_timeout(tests, 4 * BOOT);
    harness_add(tests, two_processors_are_two_cores_and_reboot, reason);
    harness_add(tests, sockets_cores_and_threads_are_as_told, reason);
    harness_add(tests, numbers_with_gaps_are_understood, reason);
    harness_add(tests, the_power_button_shuts_the_guest_down, reason);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
