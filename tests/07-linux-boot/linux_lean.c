/*
 * linux_lean.c: Debian's cloud kernel on the machine without a past. It finds its devices
 * by ACPI alone, and misses nothing.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/linux_guest.h"

#define VMLINUX "build/kernels/cloud/vmlinux"

START_TEST(there_is_nothing_old_and_all_processors_work)
{
    SHELL_BOOT("-M", "microvm", "-smp", "2");
    shell_says("nproc", "2");
    shell_says("ls /sys/bus/pci/devices | wc -l", "0");
    shell_says("grep -c -e i8042 -e rtc -e XT-PIC /proc/interrupts", "0");
    shell_says("cat /sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock");
    shell_says("for c in 0 1; do taskset -c $c sleep 0.1; done; echo sl''ept", "slept");
    shell_off("taskset -c 1 poweroff -f\r");
}
END_TEST

START_TEST(the_power_button_is_an_interrupt)
{
    SHELL_BOOT("-M", "microvm");
    shell_off("\x01p");
}
END_TEST

START_TEST(a_reset_machine_boots_again_with_its_disk)
{
    make_sparse("disk.img", 1 << 20);
    SHELL_BOOT("-M", "microvm", "-drive", "file=FOLDER/disk.img,if=virtio,format=raw");
    terminal_type(&terminal, "echo written >/dev/vda; sync; reboot -f\r");
    terminal_expect(&terminal, "init runs", BOOT);
    terminal_expect(&terminal, PROMPT, BOOT);
    shell_says("head -n 1 /dev/vda", "written");
    shell_off("poweroff\r");
}
END_TEST

static void expect(const struct program *guest, const char *line)
{
    script_says(guest, line, "book/07-linux-boot.md");
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
    struct program guest;

    make_sparse("disk.img", 64 << 20);
    guest = SCRIPT("disk", "-M", "microvm", "-drive",
                   "file=FOLDER/disk.img,if=virtio,serial=ring-disk-1");
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
    struct program guest;

    make_sparse("disk.img", 16 << 20);
    guest = SCRIPT("requests", "-M", "microvm", "-stats", "-drive",
                   "file=FOLDER/disk.img,if=virtio");
    expect(&guest, "do: requests: ok");
    ck_assert_uint_gt(register_exits(&guest), 100);
    ck_assert_msg(register_exits(&guest) < 2500, "%s", guest.err);
    program_free(&guest);
}
END_TEST

START_TEST(a_network_and_entropy_by_registers)
{
    struct program guest = SCRIPT("entropy", "-M", "microvm", "-device", "virtio-rng-device");

    expect(&guest, "do: source virtio_rng.0");
    expect(&guest, "do: bytes: some");
    program_free(&guest);
    guest = SCRIPT("network", "-M", "microvm", "-nic", "user");
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
                              SHELL_INITRD,
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

int main(void)
{
    Suite *suite = suite_create("07 linux on the lean machine");
    TCase *tests = tcase_create("lean");
    const char *reason = no_linux(SHELL_INITRD), *virtio = no_linux(SCRIPT_INITRD);

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
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
