/*
 * linux_lean.c: Debian's cloud kernel on the machine without a past. It finds its devices
 * by ACPI alone, and misses nothing.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "harness/harness.h"

#define KERNEL  "build/kernels/cloud/vmlinuz"
#define VMLINUX "build/kernels/cloud/vmlinux"
#define INITRD  "build/guest/initramfs.cpio"
#define VIRTIO  "build/guest/virtio.cpio"
#define QUIET   "console=ttyS0 quiet panic=-1 cryptomgr.notests "
#define PROMPT  "guest:/root# "
#define BOOT    90.0 /* seconds a boot may take; some ten are usual in the lab */

static struct terminal terminal;

static void boot_to_shell(const char *smp, const char *drive)
{
    const char *argv[] = {harness_built("vmm"),
                          "-M",
                          "microvm",
                          "-kernel",
                          KERNEL,
                          "-initrd",
                          INITRD,
                          "-append",
                          QUIET,
                          "-smp",
                          smp,
                          drive ? "-drive" : NULL,
                          drive,
                          NULL};

    terminal_start(&terminal, argv);
    terminal_expect(&terminal, PROMPT, BOOT);
}

static void expect_answer(const char *command, const char *text)
{
    char line[128];

    terminal_type(&terminal, command);
    terminal_type(&terminal, "\r");
    snprintf(line, sizeof line, "\n%s\r", text);
    terminal_expect(&terminal, line, 30);
    terminal_expect(&terminal, PROMPT, 30);
}

static void expect_off(const char *typed)
{
    terminal_type(&terminal, typed);
    ck_assert_int_eq(terminal_wait(&terminal, 30), STATUS_OFF);
    terminal_free(&terminal);
}

START_TEST(there_is_nothing_old_and_all_processors_work)
{
    boot_to_shell("2", NULL);
    expect_answer("nproc", "2");
    expect_answer("ls /sys/bus/pci/devices | wc -l", "0");
    expect_answer("grep -c -e i8042 -e rtc -e XT-PIC /proc/interrupts", "0");
    expect_answer("cat /sys/devices/system/clocksource/clocksource0/current_clocksource",
                  "kvm-clock");
    expect_answer("for c in 0 1; do taskset -c $c sleep 0.1; done; echo sl''ept", "slept");
    expect_off("taskset -c 1 poweroff -f\r");
}
END_TEST

START_TEST(the_power_button_is_an_interrupt)
{
    boot_to_shell("1", NULL);
    expect_off("\x01p");
}
END_TEST

START_TEST(a_reset_machine_boots_again_with_its_disk)
{
    char image[] = "/tmp/linux_lean.XXXXXX", drive[80];
    int fd = mkstemp(image);

    ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
    close(fd);
    snprintf(drive, sizeof drive, "file=%s,if=virtio,format=raw", image);
    boot_to_shell("1", drive);
    terminal_type(&terminal, "echo written >/dev/vda; sync; reboot -f\r");
    terminal_expect(&terminal, "init runs", BOOT);
    terminal_expect(&terminal, PROMPT, BOOT);
    expect_answer("head -n 1 /dev/vda", "written");
    expect_off("poweroff\r");
    unlink(image);
}
END_TEST

/* The tests of linux_virtio.c's guest, on the other transport. */
static struct program run(const char *what, const char *option, const char *value)
{
    char append[200];
    const char *argv[] = {harness_built("vmm"),
                          "-M",
                          "microvm",
                          "-kernel",
                          KERNEL,
                          "-initrd",
                          VIRTIO,
                          "-append",
                          append,
                          option,
                          value,
                          "-no-reboot",
                          "-stats",
                          NULL};

    snprintf(append, sizeof append, QUIET "ring.mode=script ring.do=%s", what);
    return program_run(argv, NULL, BOOT);
}

static void expect(const struct program *guest, const char *line)
{
    if (!strstr(guest->out, line))
        e2e_fail("book/07-linux-boot.md", line, "the driver and the device do not agree",
                 "status %d, standard error \"%s\", and\n%s", guest->status, guest->err,
                 guest->out);
}

/* How often KVM stopped the guest for the virtio device's registers. */
static unsigned long register_exits(const struct program *guest)
{
    const char *row = strstr(guest->err, "device \"virtio\""), *line = row;

    while (line && line > guest->err && line[-1] != '\n')
        line--;
    return row ? strtoul(line, NULL, 10) : 0;
}

START_TEST(a_file_system_lives_on_a_disk_of_registers)
{
    char image[] = "/tmp/linux_lean.XXXXXX", drive[80];
    struct program guest;
    int fd = mkstemp(image);

    ck_assert_int_eq(ftruncate(fd, 64 << 20), 0);
    close(fd);
    snprintf(drive, sizeof drive, "file=%s,if=virtio,serial=ring-disk-1", image);
    guest = run("disk", "-drive", drive);
    unlink(image);
    expect(&guest, "do: serial ring-disk-1, read-only 0");
    expect(&guest, "do: mkfs: ok");
    expect(&guest, "do: mount: ok");
    expect(&guest, "do: file: the same");
    expect(&guest, "do: trim: ok");
    expect(&guest, "do: disk done");
    ck_assert_int_eq(guest.status, STATUS_OFF);
    program_free(&guest);
}
END_TEST

/* An interrupt is a read and a write of registers. The doorbell is none of our exits. */
START_TEST(a_thousand_requests_ring_without_an_exit)
{
    char image[] = "/tmp/linux_lean.XXXXXX", drive[80];
    struct program guest;
    int fd = mkstemp(image);

    ck_assert_int_eq(ftruncate(fd, 16 << 20), 0);
    close(fd);
    snprintf(drive, sizeof drive, "file=%s,if=virtio", image);
    guest = run("requests", "-drive", drive);
    unlink(image);
    expect(&guest, "do: requests: ok");
    ck_assert_uint_gt(register_exits(&guest), 100);
    ck_assert_msg(register_exits(&guest) < 2500, "%s", guest.err);
    program_free(&guest);
}
END_TEST

START_TEST(a_network_and_entropy_by_registers)
{
    struct program guest = run("entropy", "-device", "virtio-rng-device");

    expect(&guest, "do: source virtio_rng.0");
    expect(&guest, "do: bytes: some");
    program_free(&guest);
    guest = run("network", "-nic", "user");
    expect(&guest, "do: lease 10.0.2.15/24 router 10.0.2.2 names 10.0.2.3");
    expect(&guest, "do: ping: 3 answers");
    program_free(&guest);
}
END_TEST

/* The kernel unpacked, as an ELF file: its notes name an entry for PVH. */
START_TEST(debians_vmlinux_starts_by_pvh)
{
    static const char *const machines[] = {"pc", "microvm"};

    for (unsigned i = 0; i < 2; i++) {
        const char *argv[] = {harness_built("vmm"),
                              "-M",
                              machines[i],
                              "-kernel",
                              VMLINUX,
                              "-initrd",
                              INITRD,
                              "-append",
                              QUIET "ring.mode=report",
                              "-no-reboot",
                              NULL};
        struct program guest = program_run(argv, NULL, BOOT);

        expect(&guest, "Ring -1: init runs");
        expect(&guest, "processors: 1");
        ck_assert_int_eq(guest.status, STATUS_OFF);
        program_free(&guest);
    }
}
END_TEST

static const char *no_linux(const char *initrd)
{
    if (harness_no_kvm())
        return harness_no_kvm();
    if (access(KERNEL, R_OK) < 0)
        return "no " KERNEL ": common/kernel cloud fetches it";
    if (access(initrd, R_OK) < 0)
        return "no initial RAM disk: tests/07-linux-boot/virtio/initramfs builds it";
    return NULL;
}

int main(void)
{
    Suite *suite = suite_create("07 linux on the lean machine");
    TCase *tests = tcase_create("lean");
    const char *reason = no_linux(INITRD), *virtio = no_linux(VIRTIO);

    tcase_set_timeout(tests, 4 * BOOT);
    harness_add(tests, there_is_nothing_old_and_all_processors_work, reason);
    harness_add(tests, the_power_button_is_an_interrupt, reason);
    harness_add(tests, a_reset_machine_boots_again_with_its_disk, reason);
    harness_add(tests, a_file_system_lives_on_a_disk_of_registers, virtio);
    harness_add(tests, a_thousand_requests_ring_without_an_exit, virtio);
    harness_add(tests, a_network_and_entropy_by_registers, virtio);
    harness_add(tests, debians_vmlinux_starts_by_pvh,
                access(VMLINUX, R_OK) == 0 ? reason : "no " VMLINUX);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
