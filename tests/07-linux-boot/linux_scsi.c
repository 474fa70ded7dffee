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
#include "harness/harness.h"

#define KERNEL "build/kernels/cloud/vmlinuz"
#define INITRD "build/guest/virtio.cpio"
#define QUIET  "console=ttyS0 quiet panic=-1 cryptomgr.notests ring.mode=script ring.do="

/* A guest may take this long, in seconds; some ten are usual. */
#define LIMIT      120.0

#define IMAGE_SIZE (16u << 20)
#define COPY_SIZE  (8u << 20) /* what the guest copies */

static char folder[] = "/tmp/linux_scsi.XXXXXX";
static char *content; /* what make_random() has written, IMAGE_SIZE bytes */

/* A file in the folder of this test. */
static const char *file(const char *name)
{
    static char paths[4][100];
    static unsigned next;

    next = (next + 1) % 4;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/linux_scsi.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    const char *argv[] = {"rm", "-rf", folder, NULL};
    struct program rm = program_run(argv, NULL, 60);

    program_free(&rm);
    free(content);
    content = NULL;
}

static void make_sparse(const char *name, off_t size)
{
    int fd = open(file(name), O_CREAT | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    close(fd);
}

static void make_random(const char *name)
{
    FILE *random = fopen("/dev/urandom", "r"), *out = fopen(file(name), "w");

    free(content);
    content = malloc(IMAGE_SIZE);
    ck_assert_uint_eq(fread(content, 1, IMAGE_SIZE, random), IMAGE_SIZE);
    ck_assert_uint_eq(fwrite(content, 1, IMAGE_SIZE, out), IMAGE_SIZE);
    fclose(out);
    fclose(random);
}

/* The first half of content is in the file twice. */
static void expect_copied(const char *name)
{
    char *now = malloc(IMAGE_SIZE);
    FILE *in = fopen(file(name), "r");

    ck_assert_ptr_nonnull(in);
    ck_assert_uint_eq(fread(now, 1, IMAGE_SIZE, in), IMAGE_SIZE);
    ck_assert_mem_eq(now, content, COPY_SIZE);
    ck_assert_mem_eq(now + COPY_SIZE, content, COPY_SIZE);
    fclose(in);
    free(now);
}

/* Runs a program of the host, which must succeed; its output. */
static struct program tool(const char *const argv[])
{
    struct program program = program_run(argv, NULL, 60);

    ck_assert_msg(program.status == 0, "%s: %s", argv[0], program.err);
    return program;
}

/* The line that the guest prints when the file is to it what it is to the host. */
static const char *sum_line(const char *what, const char *name)
{
    static char lines[4][100];
    static unsigned next;
    const char *argv[] = {"sha256sum", file(name), NULL};
    struct program sum = tool(argv);

    next = (next + 1) % 4;
    snprintf(lines[next], sizeof lines[next], "do: %s %.64s", what, sum.out);
    program_free(&sum);
    return lines[next];
}

/* Boots with options, of which "FOLDER" in a value is the test's folder. */
static struct program run(const char *what, const char *const options[])
{
    char append[200], values[8][300];
    const char *argv[30] = {
        harness_built("vmm"), "-kernel", KERNEL, "-initrd", INITRD, "-append", append,
        "-no-reboot"};
    unsigned count = 8;

    snprintf(append, sizeof append, QUIET "%s", what);
    for (unsigned i = 0; options[i]; i++) {
        const char *at = strstr(options[i], "FOLDER");

        argv[count] = options[i];
        if (at) {
            snprintf(values[i], sizeof values[i], "%.*s%s%s", (int)(at - options[i]), options[i],
                     folder, at + strlen("FOLDER"));
            argv[count] = values[i];
        }
        count++;
    }
    return program_run(argv, NULL, LIMIT);
}

#define RUN(what, ...) run(what, (const char *const[]){__VA_ARGS__, NULL})

static void expect(const struct program *guest, const char *line)
{
    if (!strstr(guest->out, line))
        e2e_fail("book/05-virtio.md, The SCSI host", line, "the driver and the device do not agree",
                 "status %d, standard error \"%s\", and\n%s", guest->status, guest->err,
                 guest->out);
}

START_TEST(linux_finds_every_unit_at_its_place)
{
    struct program guest;

    make_sparse("a.img", 64 << 20);
    make_sparse("b.img", 32 << 20);
    make_sparse("c.iso", 1 << 20);
    guest = RUN("units", "-device", "virtio-scsi-pci,id=host", "-drive",
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
    guest = RUN("scsi_copy", "-drive", "file=FOLDER/disk.img,if=scsi,format=raw");
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
    struct program guest, done;
    const char *sum;

    make_random("disk.img");
    sum = sum_line("sum", "disk.img");
    done = tool((const char *const[]){img, "convert", "-f", "raw", "-O", "qcow2", file("disk.img"),
                                      file("disk.qcow2"), NULL});
    program_free(&done);
    guest = RUN("scsi_copy", "-M", "microvm", "-drive",
                "file=FOLDER/disk.qcow2,if=scsi,format=qcow2");
    expect(&guest, sum);
    expect(&guest, "do: copy: ok");
    ck_assert_int_eq(guest.status, 0);
    done = tool((const char *const[]){img, "check", file("disk.qcow2"), NULL});
    program_free(&done);
    done = tool((const char *const[]){img, "convert", "-f", "qcow2", "-O", "raw",
                                      file("disk.qcow2"), file("back.img"), NULL});
    program_free(&done);
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
    guest = RUN("scsi_protected", "-drive", "file=FOLDER/disk.img,if=scsi,readonly=on");
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
    guest = RUN("scsi_discard", "-drive", "file=FOLDER/disk.img,if=scsi,format=raw");
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
    guest = RUN("scsi_trim", "-drive", "file=FOLDER/disk.img,if=scsi,format=raw");
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
    guest = RUN("scsi_full", "-drive", "file=FOLDER/disk.img,if=scsi,format=raw");
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
    struct program done;

    ck_assert_int_eq(mkdir(file("disc"), 0700), 0);
    ck_assert_int_eq(mkdir(file("disc/folder"), 0700), 0);
    make_random("disc/folder/a_file_with_a_long_name.bin");
    done = tool((const char *const[]){"xorriso", "-as", "mkisofs", "-quiet", "-R", "-V", "RING",
                                      "-o", file("disc.iso"), file("disc"), NULL});
    program_free(&done);
}

START_TEST(a_disc_is_mounted_and_read)
{
    struct program guest;
    struct stat iso;
    char size[60];

    make_disc();
    ck_assert_int_eq(stat(file("disc.iso"), &iso), 0);
    snprintf(size, sizeof size, "do: size %lld,", (long long)iso.st_size / 512);
    guest = RUN("cdrom", "-drive", "file=FOLDER/disc.iso,if=scsi,media=cdrom");
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
    char drive[200], command[200], sandbox[200];
    const char *argv[] = {harness_built("vmm"),
                          "-kernel",
                          KERNEL,
                          "-initrd",
                          INITRD,
                          "-append",
                          QUIET "change",
                          "-drive",
                          drive,
                          "-sandbox",
                          sandbox_is_possible() ? sandbox : "off",
                          NULL};
    struct terminal terminal;

    make_random("one.iso");
    make_random("two.iso");
    ck_assert_int_eq(truncate(file("two.iso"), IMAGE_SIZE / 2), 0);
    snprintf(drive, sizeof drive, "file=%s,if=scsi,media=cdrom,id=cd0", file("one.iso"));
    snprintf(command, sizeof command, "change cd0 %s\r", file("two.iso"));
    snprintf(sandbox, sizeof sandbox, "on,discs=%s", file("."));
    terminal_start(&terminal, argv);
    terminal_expect(&terminal, sum_line("sum", "one.iso"), LIMIT);
    terminal_expect(&terminal, "do: change it", LIMIT);
    terminal_type(&terminal, "\001c");
    terminal_expect(&terminal, "(vmm)", LIMIT);
    terminal_type(&terminal, command);
    terminal_expect(&terminal, "two.iso", LIMIT);
    terminal_expect(&terminal, "(vmm)", LIMIT);
    terminal_type(&terminal, "\001c");
    terminal_expect(&terminal, "do: size 16384", LIMIT);
    terminal_expect(&terminal, sum_line("sum", "two.iso"), LIMIT);
    ck_assert_int_eq(terminal_wait(&terminal, LIMIT), 0);
    terminal_free(&terminal);
}
END_TEST

static Suite *scsi_suite(void)
{
    Suite *suite = suite_create("Linux's SCSI drivers");
    TCase *tests = tcase_create("drivers");
    const char *why = harness_no_kvm(), *no_disc;

    if (!why && access(INITRD, R_OK) != 0)
        why = INITRD " is missing: tests/07-linux-boot/virtio/initramfs makes it";
    no_disc = why;
    if (!why && access("/usr/bin/xorriso", X_OK) != 0)
        no_disc = "no xorriso, which makes discs: common/deps test installs it";
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_set_timeout(tests, 4 * LIMIT);
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
