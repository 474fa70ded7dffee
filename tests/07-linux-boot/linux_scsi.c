/*
 * linux_scsi.c: Debian's own virtio_scsi, sd_mod, sr_mod and isofs against our SCSI host,
 * its disks and its CD-ROM drive. What the guest does is in virtio/what-to-do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "07-linux-boot/sandbox.h"
#include "07-linux-boot/linux_guest.h"

static void expect(const struct program *guest, const char *line)
{
    script_says(guest, line, "book/05-virtio.md, The SCSI host");
}

START_TEST(linux_finds_every_unit_at_its_place)
{
    struct program guest;

    make_sparse("a.img", 64 << 20);
    make_sparse("b.img", 32 << 20);
    make_sparse("c.iso", 1 << 20);
    guest = SCRIPT("units", "-device", "virtio-scsi-pci,id=host", "-drive",
                   "file=FOLDER/a.img,if=none,id=a", "-drive", "file=FOLDER/b.img,if=none,id=b",
                   "-drive", "file=FOLDER/c.iso,if=none,id=c", "-device",
                   "scsi-hd,drive=a,bus=host.0,scsi-id=2,serial=disk-a", "-device",
                   "scsi-hd,drive=b,scsi-id=2,lun=1", "-device", "scsi-cd,drive=c");
    expect(&guest, "do: unit 0:0:0 RING-1  CD-ROM          c, size 2048, ");
    expect(&guest, "do: unit 0:2:0 RING-1  DISK            disk-a, size 131072, cache write back, "
                   "fua 1, rotates 0, blocks 512 of 4096, discard 2147483648, zeroes 33554432");
    expect(&guest, "do: unit 0:2:1 RING-1  DISK            b, size 65536, ");
    ck_assert_int_eq(guest.status, 0);
    program_free(&guest);
}
END_TEST

START_TEST(a_raw_disk_is_read_and_written)
{
    struct program guest;
    const char *sum;

    make_random("disk.img");
    sum = sum_line("sum", "disk.img");
    guest = SCRIPT("scsi_copy", "-drive", "file=FOLDER/disk.img,if=scsi,format=raw");
    expect(&guest, "do: size 32768, read-only 0");
    expect(&guest, sum);
    expect(&guest, "do: copy: ok");
    ck_assert_int_eq(guest.status, 0);
    expect_copied("disk.img");
    program_free(&guest);
}
END_TEST

/* The machine without PCI, and an image with a format. */
START_TEST(a_qcow2_disk_is_read_and_written_on_the_lean_machine)
{
    const char *img = harness_built("vmm-img");
    struct program guest;
    const char *sum;

    make_random("disk.img");
    sum = sum_line("sum", "disk.img");
    TOOL(img, "convert", "-f", "raw", "-O", "qcow2", file("disk.img"), file("disk.qcow2"));
    guest = SCRIPT("scsi_copy", "-M", "microvm", "-drive",
                   "file=FOLDER/disk.qcow2,if=scsi,format=qcow2");
    expect(&guest, sum);
    expect(&guest, "do: copy: ok");
    ck_assert_int_eq(guest.status, 0);
    TOOL(img, "check", file("disk.qcow2"));
    TOOL(img, "convert", "-f", "qcow2", "-O", "raw", file("disk.qcow2"), file("back.img"));
    expect_copied("back.img");
    program_free(&guest);
}
END_TEST

START_TEST(a_read_only_disk_stays_as_it_is)
{
    struct program guest;
    const char *before;

    make_random("disk.img");
    before = sum_line("sum", "disk.img");
    guest = SCRIPT("scsi_protected", "-drive", "file=FOLDER/disk.img,if=scsi,readonly=on");
    expect(&guest, "do: read-only 1");
    expect(&guest, before);
    expect(&guest, "do: write: refused");
    expect(&guest, "do: scsi_protected done");
    ck_assert_str_eq(sum_line("sum", "disk.img"), before);
    program_free(&guest);
}
END_TEST

/* A discarded block may read as anything; on the file systems of a lab it is a hole. */
START_TEST(blocks_that_the_guest_gives_back_are_the_hosts)
{
    struct program guest;
    struct stat after;

    make_random("disk.img");
    guest = SCRIPT("scsi_discard", "-drive", "file=FOLDER/disk.img,if=scsi,format=raw");
    expect(&guest, "do: blkdiscard: ok");
    ck_assert_int_eq(stat(file("disk.img"), &after), 0);
    ck_assert_int_eq(after.st_size, IMAGE_SIZE);
    ck_assert_int_lt(after.st_blocks, IMAGE_SIZE / 512 / 16);
    expect(&guest, sum_line("sum", "disk.img"));
    program_free(&guest);
}
END_TEST

START_TEST(a_file_that_the_guest_removes_is_a_hole_on_the_host)
{
    struct program guest;
    struct stat after;

    make_sparse("disk.img", 64 << 20);
    guest = SCRIPT("scsi_trim", "-drive", "file=FOLDER/disk.img,if=scsi,format=raw");
    expect(&guest, "do: mount: ok");
    expect(&guest, "do: file: the same");
    expect(&guest, "do: trim: ok");
    ck_assert_int_eq(stat(file("disk.img"), &after), 0);
    ck_assert_int_lt(after.st_blocks, (8 << 20) / 512); /* the file had 8 MiB */
    program_free(&guest);
}
END_TEST

START_TEST(a_full_host_is_a_full_disk)
{
    struct program guest;

    if (mount("none", folder, "tmpfs", 0, "size=4m") < 0) {
        printf("SKIP a_full_host_is_a_full_disk: cannot mount: %s\n", strerror(errno));
        return;
    }
    make_sparse("disk.img", 64 << 20);
    guest = SCRIPT("scsi_full", "-drive", "file=FOLDER/disk.img,if=scsi,format=raw");
    umount(folder);
    expect(&guest, "do: No space left");
    expect(&guest, "do: critical space allocation error");
    expect(&guest, "do: read: ok");
    expect(&guest, "do: scsi_full done");
    ck_assert_int_eq(guest.status, 0);
    program_free(&guest);
}
END_TEST

static void make_disc(void)
{
    ck_assert_int_eq(mkdir(file("disc"), 0700), 0);
    ck_assert_int_eq(mkdir(file("disc/folder"), 0700), 0);
    make_random("disc/folder/a_file_with_a_long_name.bin");
    TOOL("xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "RING", "-o", file("disc.iso"),
         file("disc"));
}

START_TEST(a_disc_is_mounted_and_read)
{
    struct program guest;
    struct stat iso;
    char size[60];

    make_disc();
    ck_assert_int_eq(stat(file("disc.iso"), &iso), 0);
    snprintf(size, sizeof size, "do: size %lld,", (long long)iso.st_size / 512);
    guest = SCRIPT("cdrom", "-drive", "file=FOLDER/disc.iso,if=scsi,media=cdrom");
    expect(&guest, size);
    expect(&guest, "do: write: refused");
    expect(&guest, "do: mount: ok");
    expect(&guest, sum_line("sum", "disc/folder/a_file_with_a_long_name.bin"));
    expect(&guest, sum_line("disc", "disc.iso"));
    expect(&guest, "do: file folder");
    ck_assert_int_eq(guest.status, 0);
    program_free(&guest);
}
END_TEST

/* As a person does it: Ctrl-A c, and a line to the monitor. */
START_TEST(a_disc_is_changed_while_the_guest_runs)
{
    struct arguments arguments;
    char command[200];

    make_random("one.iso");
    make_random("two.iso");
    ck_assert_int_eq(truncate(file("two.iso"), IMAGE_SIZE / 2), 0);
    snprintf(command, sizeof command, "change cd0 %s\r", file("two.iso"));
    linux_arguments(&arguments, SCRIPT_INITRD, SCRIPTED "change",
                    OPTIONS("-drive", "file=FOLDER/one.iso,if=scsi,media=cdrom,id=cd0", "-sandbox",
                            sandbox_is_possible() ? "on,discs=FOLDER" : "off"));
    terminal_start(&terminal, arguments.list);
    terminal_expect(&terminal, sum_line("sum", "one.iso"), BOOT);
    terminal_expect(&terminal, "do: change it", BOOT);
    terminal_type(&terminal, "\001c");
    terminal_expect(&terminal, "(vmm)", BOOT);
    terminal_type(&terminal, command);
    terminal_expect(&terminal, "two.iso", BOOT);
    terminal_expect(&terminal, "(vmm)", BOOT);
    terminal_type(&terminal, "\001c");
    terminal_expect(&terminal, "do: size 16384", BOOT);
    terminal_expect(&terminal, sum_line("sum", "two.iso"), BOOT);
    ck_assert_int_eq(terminal_wait(&terminal, BOOT), 0);
    terminal_free(&terminal);
}
END_TEST

static Suite *scsi_suite(void)
{
    Suite *suite = suite_create("Linux's SCSI drivers");
    TCase *tests = tcase_create("drivers");
    const char *why = no_linux(SCRIPT_INITRD), *no_disc = why;

    if (!why && access("/usr/bin/xorriso", X_OK) != 0)
        no_disc = "no xorriso, which makes discs: common/deps test installs it";
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 4 * BOOT);
    harness_add(tests, linux_finds_every_unit_at_its_place, why);
    harness_add(tests, a_raw_disk_is_read_and_written, why);
    harness_add(tests, a_qcow2_disk_is_read_and_written_on_the_lean_machine, why);
    harness_add(tests, a_read_only_disk_stays_as_it_is, why);
    harness_add(tests, blocks_that_the_guest_gives_back_are_the_hosts, why);
    harness_add(tests, a_file_that_the_guest_removes_is_a_hole_on_the_host, why);
    harness_add(tests, a_full_host_is_a_full_disk, why);
    harness_add(tests, a_disc_is_mounted_and_read, no_disc);
    harness_add(tests, a_disc_is_changed_while_the_guest_runs, why);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(scsi_suite());
}
