/*
 * linux_smp.c: Debian's cloud kernel on several processors: it finds the topology that
 * -smp asks for, all processors work, and it goes when it is asked to.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "harness/harness.h"

#define KERNEL "build/kernels/cloud/vmlinuz"
#define INITRD "build/guest/initramfs.cpio"
#define QUIET  "console=ttyS0 quiet panic=-1 cryptomgr.notests "
#define PROMPT "guest:/root# "
#define BOOT   90.0 /* seconds a boot may take; some ten are usual in the lab */

static struct terminal terminal;

static void boot_to_shell(const char *smp)
{
    const char *argv[] = {harness_built("vmm"),
                          "-kernel",
                          KERNEL,
                          "-initrd",
                          INITRD,
                          "-append",
                          QUIET,
                          "-smp",
                          smp,
                          NULL};

    terminal_start(&terminal, argv);
    terminal_expect(&terminal, PROMPT, BOOT);
}

/* Types a command; what it prints must contain text on a line of its own. */
static void expect_answer(const char *command, const char *text)
{
    char line[128];

    terminal_type(&terminal, command);
    terminal_type(&terminal, "\r");
    snprintf(line, sizeof line, "\n%s\r", text);
    terminal_expect(&terminal, line, 30);
    terminal_expect(&terminal, PROMPT, 30);
}

/* Every processor's program counts its own jiffies in /proc/stat; all must have some. */
static void expect_work_on_all(unsigned count)
{
    char text[32];

    expect_answer("for c in $(seq 0 $(($(nproc) - 1))); do"
                  " taskset -c $c sh -c 'n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done;"
                  " echo worked' & done >/tmp/log; wait; sort /tmp/log | uniq -c",
                  (snprintf(text, sizeof text, "%7u worked", count), text));
}

static void power_off(void)
{
    terminal_type(&terminal, "poweroff\r");
    ck_assert_int_eq(terminal_wait(&terminal, 30), STATUS_OFF);
    terminal_free(&terminal);
}

START_TEST(two_processors_are_two_cores_and_reboot)
{
    boot_to_shell("2");
    expect_answer("grep -c ^processor /proc/cpuinfo", "2");
    expect_answer("grep -h . /sys/devices/system/cpu/cpu[01]/topology/core_cpus_list | xargs",
                  "0 1");
    expect_answer("grep -h . /sys/devices/system/cpu/cpu[01]/topology/package_cpus_list | xargs",
                  "0-1 0-1");
    expect_work_on_all(2);
    terminal_type(&terminal, "taskset -c 1 reboot -f\r");
    terminal_expect(&terminal, "init runs", BOOT);
    terminal_expect(&terminal, PROMPT, BOOT);
    expect_answer("nproc", "2");
    power_off();
}
END_TEST

START_TEST(sockets_cores_and_threads_are_as_told)
{
    boot_to_shell("4,sockets=2,cores=1,threads=2");
    expect_answer(
        "grep -h . /sys/devices/system/cpu/cpu[0-3]/topology/thread_siblings_list | xargs",
        "0-1 0-1 2-3 2-3");
    expect_answer("grep -h . /sys/devices/system/cpu/cpu[0-3]/topology/package_cpus_list | xargs",
                  "0-1 0-1 2-3 2-3");
    expect_answer("grep 'physical id' /proc/cpuinfo | tr -dc 01; echo", "0011");
    expect_answer("grep '^apicid' /proc/cpuinfo | tr -dc 0-9; echo", "0123");
    expect_work_on_all(4);
    terminal_type(&terminal, "taskset -c 3 poweroff -f\r");
    ck_assert_int_eq(terminal_wait(&terminal, 30), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

START_TEST(numbers_with_gaps_are_understood)
{
    boot_to_shell("6,sockets=2,cores=3");
    expect_answer("grep '^apicid' /proc/cpuinfo | tr -dc 0-9; echo", "012456");
    expect_answer("grep 'physical id' /proc/cpuinfo | tr -dc 01; echo", "000111");
    terminal_type(&terminal, "\x01x");
    ck_assert_int_eq(terminal_wait(&terminal, 10), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

START_TEST(the_power_button_shuts_the_guest_down)
{
    boot_to_shell("2");
    terminal_type(&terminal, "\x01p");
    ck_assert_int_eq(terminal_wait(&terminal, 30), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

/* NULL if the guest's files are there, else why not. */
static const char *no_linux(void)
{
    if (harness_no_kvm())
        return harness_no_kvm();
    if (access(KERNEL, R_OK) < 0)
        return "no " KERNEL ": common/kernel cloud fetches it";
    if (access(INITRD, R_OK) < 0)
        return "no " INITRD ": chapters/07-linux-boot/initramfs builds it";
    return NULL;
}

int main(void)
{
    Suite *suite = suite_create("07 linux on several processors");
    TCase *tests = tcase_create("smp");
    const char *reason = no_linux();

    tcase_set_timeout(tests, 4 * BOOT);
    harness_add(tests, two_processors_are_two_cores_and_reboot, reason);
    harness_add(tests, sockets_cores_and_threads_are_as_told, reason);
    harness_add(tests, numbers_with_gaps_are_understood, reason);
    harness_add(tests, the_power_button_shuts_the_guest_down, reason);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
