/*
 * qcow2: disks that must hold what was written, whoever reads them, and files that
 * lie. Long, because every field of the format can lie in several ways.
 *
 * The judges are an array in memory for what the guest sees, our own check for the
 * file's structure, and qemu-img for both where it is installed.
 */
#define _GNU_SOURCE
#include "images.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "07-linux-boot/qcow2/check.h"
#include "07-linux-boot/qcow2/create.h"
#include "07-linux-boot/qcow2/format.h"

#define SECTION "chapter 7, \"Disks in files\""

static char directory[64];

static void setup(void)
{
    strcpy(directory, "/tmp/ring-qcow2-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
}

static void teardown(void)
{
    DIR *entries = opendir(directory);

    for (struct dirent *entry; entries && (entry = readdir(entries));)
        unlink(entry->d_name);
    if (entries)
        closedir(entries);
    ck_assert_int_eq(chdir("/"), 0);
    rmdir(directory);
}

/* Runs a command line; its exit status. */
__attribute__((format(printf, 1, 2))) static int shell(const char *format, ...)
{
    char command[1000];
    va_list arguments;
    int status;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const char *no_qemu_img(void)
{
    return shell("command -v qemu-img >/dev/null 2>&1") ? "qemu-img is not installed (qemu-utils)"
                                                        : NULL;
}

static void make(const char *path, uint64_t size, unsigned cluster_bits)
{
    struct qcow2_recipe recipe = {.size = size, .cluster_bits = cluster_bits};
    struct refusal why;

    ck_assert_msg(qcow2_create(path, &recipe, &why) == 0, "%s", why.text);
}

static void make_over(const char *path, uint64_t size, const char *backing, const char *format)
{
    struct qcow2_recipe recipe = {.size = size, .backing = backing, .backing_format = format};
    struct refusal why;

    ck_assert_msg(qcow2_create(path, &recipe, &why) == 0, "%s", why.text);
}

static struct qcow2 *open_image(const char *path, bool writable)
{
    struct refusal why;
    struct qcow2 *image;

    ck_assert_msg(qcow2_open(&image, path, writable, &why) == 0, "%s: %s", path, why.text);
    return image;
}

/* Nothing wrong by our own check and, where there is one, by QEMU's; leaks if allowed. */
static void check_image(const char *path, bool leaks_are_fine)
{
    struct qcow2_check result;
    struct refusal why;
    int status;

    ck_assert_msg(qcow2_check(path, QCOW2_REPAIR_NONE, stderr, &result, &why) == 0, "%s", why.text);
    if (result.corruptions > 0 || (result.leaks > 0 && !leaks_are_fine))
        e2e_fail(SECTION, "a file that agrees with itself",
                 "a refcount or a table entry was written in the wrong order",
                 "%" PRIu64 " errors, %" PRIu64 " leaks", result.corruptions, result.leaks);
    if (no_qemu_img())
        return;
    status = shell("qemu-img check -q %s >/dev/null 2>&1", path);
    ck_assert_msg(status == 0 || (leaks_are_fine && status == 3), "qemu-img check: status %d",
                  status);
}

static uint64_t random_state;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_number();
}

/* ---- disks that hold what was written ---- */

#define DISK (3 * MIB + 512)

static uint8_t oracle[DISK], buffer[DISK];

static void compare(struct qcow2 *image)
{
    ck_assert_int_eq(qcow2_read(image, 0, buffer, DISK), 0);
    for (size_t i = 0; i < DISK; i++)
        if (buffer[i] != oracle[i]) /* libcheck's own assertions cost a system call each */
            ck_abort_msg("byte %zu is 0x%02x, 0x%02x was written", i, buffer[i], oracle[i]);
}

/* One random request, to the image and to the array. */
static void random_request(struct qcow2 *image)
{
    uint64_t offset = random_number() % DISK, size = random_number() % (DISK - offset) + 1;

    if (random_number() % 4)
        size = size % 9000 + 1 > DISK - offset ? DISK - offset : size % 9000 + 1;
    switch (random_number() % 8) {
    case 0:
        ck_assert_int_eq(qcow2_write_zeroes(image, offset, size), 0);
        memset(oracle + offset, 0, size);
        break;
    case 1: /* whole clusters read as zeros then, their neighbours as before */
        ck_assert_int_eq(qcow2_discard(image, offset, size), 0);
        ck_assert_int_eq(qcow2_read(image, offset, buffer, size), 0);
        for (uint64_t i = 0; i < size; i++)
            if (buffer[i] != 0 && buffer[i] != oracle[offset + i])
                ck_abort_msg("a discard changed byte %" PRIu64 " to 0x%02x", offset + i, buffer[i]);
        memcpy(oracle + offset, buffer, size);
        break;
    case 2: ck_assert_int_eq(qcow2_flush(image), 0); break;
    case 3:
        ck_assert_int_eq(qcow2_read(image, offset, buffer, size), 0);
        ck_assert_mem_eq(buffer, oracle + offset, size);
        break;
    default:
        fill(buffer, size);
        ck_assert_int_eq(qcow2_write(image, offset, buffer, size), 0);
        memcpy(oracle + offset, buffer, size);
        break;
    }
}

static const unsigned cluster_sizes[] = {9, 10, 12, 16, 21};

START_TEST(a_disk_holds_what_was_written_through_any_requests)
{
    random_state = 0x9e3779b97f4a7c15u + (uint64_t)_i;
    memset(oracle, 0, sizeof oracle);
    make("a.qcow2", DISK, cluster_sizes[_i]);
    for (unsigned round = 0; round < 4; round++) {
        struct qcow2 *image = open_image("a.qcow2", true);

        for (unsigned i = 0; i < 80; i++)
            random_request(image);
        compare(image);
        ck_assert_int_eq(qcow2_close(image), 0);
        check_image("a.qcow2", false);
        image = open_image("a.qcow2", false);
        compare(image);
        qcow2_close(image);
    }
}
END_TEST

START_TEST(qemu_reads_what_we_write)
{
    struct qcow2 *image;
    int fd;

    random_state = 7;
    memset(oracle, 0, sizeof oracle);
    make("a.qcow2", DISK, 12);
    image = open_image("a.qcow2", true);
    for (unsigned i = 0; i < 200; i++)
        random_request(image);
    ck_assert_int_eq(qcow2_close(image), 0);
    fd = open("oracle.raw", O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, oracle, DISK), DISK);
    close(fd);
    ck_assert_int_eq(shell("qemu-img compare -q -f qcow2 -F raw a.qcow2 oracle.raw"), 0);
}
END_TEST

/* Files made by qemu-img in ways that we do not: we must read and write them all. */
START_TEST(we_read_and_write_what_qemu_makes)
{
    static const char *const ways[] = {
        "qemu-img convert -f raw -O qcow2 o.raw q.qcow2",
        "qemu-img convert -c -f raw -O qcow2 o.raw q.qcow2",
        "qemu-img convert -c -f raw -O qcow2 -o cluster_size=512 o.raw q.qcow2",
        "qemu-img convert -f raw -O qcow2 -o cluster_size=2M,refcount_bits=64 o.raw q.qcow2",
        "qemu-img convert -f raw -O qcow2 -o refcount_bits=1 o.raw q.qcow2",
        "qemu-img convert -f raw -O qcow2 -o preallocation=metadata o.raw q.qcow2",
        "qemu-img convert -f raw -O qcow2 o.raw q.qcow2 && qemu-img snapshot -c s q.qcow2",
        "qemu-img create -q -f qcow2 -b o.raw -F raw q.qcow2",
    };
    struct qcow2 *image;
    int fd;

    random_state = 11 + (uint64_t)_i;
    fill(oracle, sizeof oracle);
    memset(oracle + MIB, 0, MIB);
    for (size_t i = 2 * MIB; i < DISK; i++)
        oracle[i] = (uint8_t)(i >> 12); /* packs well */
    fd = open("o.raw", O_WRONLY | O_CREAT, 0600);
    ck_assert_int_eq(write(fd, oracle, DISK), DISK);
    close(fd);
    ck_assert_int_eq(shell("%s", ways[_i]), 0);

    image = open_image("q.qcow2", true);
    ck_assert_uint_eq(qcow2_size(image), DISK);
    compare(image);
    for (unsigned i = 0; i < 100; i++)
        random_request(image);
    compare(image);
    ck_assert_int_eq(qcow2_close(image), 0);
    check_image("q.qcow2", false);
    if (strstr(ways[_i], "snapshot")) { /* the snapshot still has the old disk */
        ck_assert_int_eq(shell("qemu-img snapshot -a s q.qcow2 && "
                               "qemu-img compare -q -f qcow2 -F raw q.qcow2 o.raw"),
                         0);
    }
    ck_assert_int_eq(shell("cmp -s o.raw o.raw"), 0);
}
END_TEST

START_TEST(an_overlay_reads_through_and_never_writes_below)
{
    struct qcow2 *image;
    uint8_t byte;

    make("base.qcow2", MIB, 0);
    image = open_image("base.qcow2", true);
    memset(buffer, 0x5a, MIB);
    ck_assert_int_eq(qcow2_write(image, 0, buffer, MIB), 0);
    ck_assert_int_eq(qcow2_close(image), 0);
    ck_assert_int_eq(shell("cp base.qcow2 copy"), 0);

    make_over("top.qcow2", 2 * MIB, "base.qcow2", "qcow2");
    image = open_image("top.qcow2", true);
    ck_assert_int_eq(qcow2_write(image, 70000, "x", 1), 0);
    ck_assert_int_eq(qcow2_read(image, 0, buffer, 2 * MIB), 0);
    for (size_t i = 0; i < 2 * MIB; i++)
        if (buffer[i] != (i == 70000 ? 'x' : i < MIB ? 0x5a : 0)) /* QCW37 */
            ck_abort_msg("byte %zu is 0x%02x", i, buffer[i]);
    ck_assert_int_eq(qcow2_write_zeroes(image, 0, MIB), 0);
    ck_assert_int_eq(qcow2_read(image, 70000, &byte, 1), 0);
    ck_assert_uint_eq(byte, 0);
    ck_assert_int_eq(qcow2_close(image), 0);
    check_image("top.qcow2", false);
    ck_assert_int_eq(shell("cmp -s base.qcow2 copy"), 0);
}
END_TEST

/* The same commands as qemu-img's, and results that it agrees with. */
START_TEST(vmm_img_makes_converts_and_commits)
{
    const char *img = getenv("VMM_IMG");
    static const char *const steps[] = {
        "head -c 3000000 /dev/urandom >from.raw && truncate -s 4M from.raw",
        "$VMM_IMG convert -f raw -O qcow2 from.raw base.qcow2",
        "$VMM_IMG create -f qcow2 -b base.qcow2 -F qcow2 top.qcow2",
        "$VMM_IMG convert -f qcow2 -O raw top.qcow2 same.raw && cmp from.raw same.raw",
        "! $VMM_IMG create -f qcow2 top.qcow2 1M 2>err && grep -q 'File exists' err",
        "! $VMM_IMG create -f qcow2 -b base.qcow2 new.qcow2 2>err && grep -q 'never guessed' err",
        "$VMM_IMG commit top.qcow2 && $VMM_IMG check base.qcow2 | grep -q 'No errors'",
        "$VMM_IMG convert -f qcow2 -O raw base.qcow2 again.raw && cmp from.raw again.raw",
        "$VMM_IMG resize base.qcow2 1G && $VMM_IMG info base.qcow2 | grep -q 1073741824",
        "! $VMM_IMG resize base.qcow2 1M 2>err && grep -q smaller err",
        "$VMM_IMG resize base.qcow2 +1M && $VMM_IMG info base.qcow2 | grep -q 1074790400",
        "$VMM_IMG resize -f raw again.raw +4096 && test $(stat -c %s again.raw) = 4198400",
        "! $VMM_IMG resize -f raw again.raw -4096 2>err && grep -q -- --shrink err",
        "$VMM_IMG resize -f raw --shrink again.raw -4096 && cmp from.raw again.raw",
        "$VMM_IMG info --output=json top.qcow2 | python3 -c 'import json, sys; "
        "i = json.load(sys.stdin); assert i[\"backing-filename\"] == \"base.qcow2\" and "
        "i[\"virtual-size\"] == 4194304 and i[\"format\"] == \"qcow2\"'",
        "$VMM_IMG check --output=json top.qcow2 | python3 -c 'import json, sys; "
        "assert json.load(sys.stdin)[\"leaks\"] == 0'",
        "$VMM_IMG compare from.raw again.raw && ! $VMM_IMG compare -q from.raw err",
        "printf x | dd of=again.raw bs=1 seek=4100000 conv=notrunc 2>/dev/null; "
        "$VMM_IMG compare from.raw again.raw | grep -q 4100000",
        "! cat from.raw | $VMM_IMG convert -O qcow2 /dev/stdin p.qcow2 2>err && "
        "grep -q 'not a regular file' err && ! test -e p.qcow2",
        "! $VMM_IMG create -f qcow2 -o preallocation=full p.qcow2 1M 2>err && "
        "grep -q 'preallocation=full: not supported' err",
        "$VMM_IMG create -f qcow2 -o backing_file=from.raw,backing_fmt=raw,cluster_size=4K p.qcow2 "
        "&& $VMM_IMG compare -f qcow2 p.qcow2 from.raw",
    };

    ck_assert_ptr_nonnull(img);
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++)
        if (shell("( %s ) >/dev/null", steps[i]) != 0)
            e2e_fail(SECTION, steps[i], "see vmm_img.c", "it fails");
}
END_TEST

/* Text, noise and zeros, at each size of cluster; what qemu-img can do, it must confirm. */
START_TEST(compressed_images_are_read_by_everyone)
{
    static const char *const sizes[] = {"512", "4K", "64K", "2M"};
    bool qemu = !no_qemu_img();

    ck_assert_int_eq(shell("{ seq 1 300000; head -c 1M /dev/urandom; head -c 1M /dev/zero; "
                           "seq 1 1000; head -c 100 /dev/zero; } >from.raw"),
                     0);
    ck_assert_int_eq(shell("$VMM_IMG convert -c -p -f raw -O qcow2 -o cluster_size=%s from.raw "
                           "c.qcow2 | grep -q '100.00/100%%'",
                           sizes[_i]),
                     0);
    check_image("c.qcow2", false);
    ck_assert_int_eq(shell("$VMM_IMG compare -q -f qcow2 c.qcow2 from.raw"), 0);
    if (_i < 3) /* of the four megabytes one is noise and one zeros */
        ck_assert_int_eq(shell("test $(stat -c %%b c.qcow2) -lt $(( $(stat -c %%s from.raw) / 512 "
                               "/ 2 ))"),
                         0);
    if (qemu)
        ck_assert_int_eq(shell("qemu-img compare -q -f qcow2 -F raw c.qcow2 from.raw"), 0);
}
END_TEST

/* A write to a compressed cluster takes a new one; the streams beside it stay. */
START_TEST(compressed_clusters_are_written_beside_others)
{
    struct qcow2 *image;

    random_state = 77;
    memset(oracle, 0, sizeof oracle);
    make("a.qcow2", DISK, 12);
    image = open_image("a.qcow2", true);
    for (unsigned i = 0; i < 600; i++) {
        uint64_t at = random_number() % (DISK / 4096) * 4096;

        if (i % 4 == 0) {
            random_request(image);
            continue;
        }
        memset(oracle + at, (int)random_number(), 4096);
        fill(oracle + at, random_number() % 4 ? random_number() % 2000 : 4096);
        ck_assert_int_eq(qcow2_write_compressed(image, at, oracle + at), 0);
    }
    ck_assert_int_eq(qcow2_write_compressed(image, 1, oracle), -EINVAL);
    ck_assert_int_eq(qcow2_write_compressed(image, align_up(DISK, 4096), oracle), -EINVAL);
    compare(image);
    ck_assert_int_eq(qcow2_close(image), 0);
    check_image("a.qcow2", false);
}
END_TEST

START_TEST(a_disk_can_grow)
{
    struct refusal why;
    struct qcow2 *image;

    memset(oracle, 0, sizeof oracle);
    make("a.qcow2", MIB, 9); /* one L1 entry for 32 KiB: the table moves */
    image = open_image("a.qcow2", true);
    memset(oracle, 1, MIB);
    ck_assert_int_eq(qcow2_write(image, 0, oracle, MIB), 0);
    ck_assert_msg(qcow2_resize(image, DISK, &why) == 0, "%s", why.text);
    ck_assert_int_lt(qcow2_resize(image, MIB, &why), 0);
    memset(oracle + DISK - 512, 2, 512);
    ck_assert_int_eq(qcow2_write(image, DISK - 512, oracle + DISK - 512, 512), 0);
    compare(image);
    ck_assert_int_eq(qcow2_close(image), 0);
    check_image("a.qcow2", false);
}
END_TEST

/* 512-byte clusters: 256 of them to a refcount block, 64 blocks to a table's cluster. */
START_TEST(the_refcount_table_grows)
{
    struct qcow2 *image;

    make("a.qcow2", 64 * MIB, 9);
    image = open_image("a.qcow2", true);
    memset(buffer, 3, MIB);
    for (uint64_t at = 0; at < 24 * MIB; at += MIB)
        ck_assert_int_eq(qcow2_write(image, at, buffer, MIB), 0);
    ck_assert_int_eq(qcow2_close(image), 0);
    check_image("a.qcow2", false);
}
END_TEST

START_TEST(what_is_discarded_goes_back_to_the_host)
{
    struct qcow2 *image;
    struct stat before, after;

    make("a.qcow2", 8 * MIB, 0);
    image = open_image("a.qcow2", true);
    memset(buffer, 1, sizeof buffer);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(qcow2_write(image, i * MIB, buffer, MIB), 0);
    ck_assert_int_eq(qcow2_flush(image), 0);
    stat("a.qcow2", &before);
    ck_assert_int_eq(qcow2_discard(image, 0, 8 * MIB), 0);
    ck_assert_int_eq(qcow2_flush(image), 0);
    stat("a.qcow2", &after);
    ck_assert_int_lt(after.st_blocks * 4, before.st_blocks);
    ck_assert_int_eq(qcow2_close(image), 0);
    check_image("a.qcow2", false);
}
END_TEST

START_TEST(requests_outside_the_disk_are_refused)
{
    struct qcow2 *image;

    make("a.qcow2", MIB, 0);
    image = open_image("a.qcow2", true);
    ck_assert_int_eq(qcow2_read(image, MIB, buffer, 1), -EINVAL);
    ck_assert_int_eq(qcow2_read(image, MIB - 1, buffer, 2), -EINVAL);
    ck_assert_int_eq(qcow2_write(image, UINT64_MAX, buffer, 2), -EINVAL);
    ck_assert_int_eq(qcow2_write_zeroes(image, 1, UINT64_MAX), -EINVAL);
    ck_assert_int_eq(qcow2_discard(image, MIB, 512), -EINVAL);
    ck_assert_int_eq(qcow2_read(image, MIB, buffer, 0), 0);
    qcow2_close(image);
    image = open_image("a.qcow2", false);
    ck_assert_int_eq(qcow2_write(image, 0, buffer, 1), -EROFS);
    qcow2_close(image);
}
END_TEST

START_TEST(one_writer_or_many_readers)
{
    struct qcow2 *first, *second;
    struct refusal why;

    make("a.qcow2", MIB, 0);
    first = open_image("a.qcow2", true);
    ck_assert_int_eq(qcow2_open(&second, "a.qcow2", true, &why), -EBUSY);
    ck_assert_int_eq(qcow2_open(&second, "a.qcow2", false, &why), -EBUSY);
    qcow2_close(first);
    first = open_image("a.qcow2", false);
    second = open_image("a.qcow2", false);
    qcow2_close(first);
    qcow2_close(second);
}
END_TEST

/* ---- files that lie: the header ---- */

static void put(const char *path, uint64_t offset, unsigned size, uint64_t value)
{
    uint64_t big = htobe64(value << (64 - size * 8));
    int fd = open(path, O_WRONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, &big, size, (off_t)offset), size);
    close(fd);
}

static uint64_t get(const char *path, uint64_t offset)
{
    uint64_t value;
    int fd = open(path, O_RDONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, &value, 8, (off_t)offset), 8);
    close(fd);
    return be64toh(value);
}

/* Refused with text in the message, and not a byte of the file changed. */
static void expect_refused(bool writable, const char *text)
{
    struct qcow2 *image = NULL;
    struct refusal why = {{0}};

    ck_assert_int_eq(shell("cp lie.qcow2 before"), 0);
    if (qcow2_open(&image, "lie.qcow2", writable, &why) == 0)
        e2e_fail(SECTION, text, "a header field that is believed", "the image opens");
    ck_assert_ptr_null(image);
    ck_assert_msg(strstr(why.text, text), "'%s' does not mention '%s'", why.text, text);
    ck_assert_int_eq(shell("cmp -s lie.qcow2 before"), 0);
}

static const struct lie {
    const char *row; /* of ../shared/hostile-inputs.tsv */
    uint64_t offset;
    unsigned size;
    uint64_t value;
    const char *names;
    bool writer; /* refused for writing; reading is fine */
} lies[] = {
    {"QCW02", 0, 4, 0x514649fa, "magic", false},
    {"QCW03", 4, 4, 0, "version", false},
    {"QCW03", 4, 4, 1, "version", false},
    {"QCW03", 4, 4, 2, "version", false},
    {"QCW03", 4, 4, 4, "version", false},
    {"QCW03", 4, 4, 0xffffffff, "version", false},
    {"QCW04", 20, 4, 0, "cluster_bits", false},
    {"QCW04", 20, 4, 8, "cluster_bits", false},
    {"QCW04", 20, 4, 22, "cluster_bits", false},
    {"QCW04", 20, 4, 31, "cluster_bits", false},
    {"QCW04", 20, 4, 63, "cluster_bits", false},
    {"QCW04", 20, 4, 64, "cluster_bits", false},
    {"QCW04", 20, 4, 0xffffffff, "cluster_bits", false},
    {"QCW05", 24, 8, UINT64_MAX, "size", false},
    {"QCW05", 24, 8, INT64_MAX, "l1_size", false},
    {"QCW08", 32, 4, 1, "crypt_method", false},
    {"QCW08", 32, 4, 2, "crypt_method", false},
    {"QCW08", 32, 4, 255, "crypt_method", false},
    {"QCW09", 36, 4, 0, "l1_size", false},
    {"QCW10", 36, 4, 0xffffffff, "l1_size", false},
    {"QCW10", 36, 4, 0x7fffffff, "l1_size", false},
    {"QCW12", 40, 8, 0x1234567890abcdef, "l1_table_offset", false},
    {"QCW13", 40, 8, 0x7fffffffffff0000, "l1_table_offset", false},
    {"QCW14", 40, 8, 0x40000000, "l1_table_offset", false},
    {"QCW14", 40, 8, 0, "l1_table_offset", false},
    {"QCW16", 48, 8, 0x10001, "refcount_table_offset", true},
    {"QCW16", 48, 8, 0xffffffffffff0000, "refcount_table_offset", true},
    {"QCW16", 48, 8, 0, "refcount_table_offset", true},
    {"QCW17", 56, 4, 0xffffffff, "refcount_table_clusters", true},
    {"QCW17", 56, 4, 0x00020001, "refcount_table_clusters", true},
    {"QCW17", 56, 4, 0, "refcount_table_clusters", true},
    {"QCW18", 96, 4, 7, "refcount_order", false},
    {"QCW18", 96, 4, 63, "refcount_order", false},
    {"QCW18", 96, 4, 0xffffffff, "refcount_order", false},
    {"QCW21", 100, 4, 0, "header_length", false},
    {"QCW21", 100, 4, 71, "header_length", false},
    {"QCW21", 100, 4, 103, "header_length", false},
    {"QCW21", 100, 4, 0x7fffffff, "header_length", false},
    {"QCW21", 100, 4, 0xffffffff, "header_length", false},
    {"QCW22", 72, 8, UINT64_C(1) << 63, "incompatible_features", false},
    {"QCW23", 72, 8, 4, "data in another file", false},
    {"QCW26", 72, 8, 8, "compression type", false},
    {"QCW27", 72, 8, 16, "extended L2", false},
    {"QCW24", 72, 8, 1, "not closed cleanly", true},
    {"QCW25", 72, 8, 2, "corrupt", true},
    {"QCW29", 112, 8, 0x123456787fffffff, "header extension", false},
};

START_TEST(a_header_that_lies_is_refused_by_the_field_s_name)
{
    const struct lie *lie = &lies[_i];

    make("lie.qcow2", 64 * MIB, 0);
    put("lie.qcow2", lie->offset, lie->size, lie->value);
    expect_refused(true, lie->names);
    if (lie->writer)
        qcow2_close(open_image("lie.qcow2", false));
    else
        expect_refused(false, lie->names);
}
END_TEST

START_TEST(a_file_that_ends_in_its_header_is_refused)
{
    static const unsigned sizes[] = {0, 4, 71, 103};

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) { /* QCW01 */
        make("lie.qcow2", MIB, 0);
        ck_assert_int_eq(truncate("lie.qcow2", sizes[i]), 0);
        expect_refused(true, "the file ends inside its header");
        unlink("lie.qcow2");
    }
}
END_TEST

START_TEST(one_l1_entry_too_few_is_refused)
{
    make("lie.qcow2", 1024 * MIB, 0); /* two entries: QCW11 */
    put("lie.qcow2", 36, 4, 1);
    expect_refused(true, "l1_size");
}
END_TEST

START_TEST(extensions_that_never_end_are_refused)
{
    make("lie.qcow2", MIB, 0); /* QCW30 */
    for (uint64_t at = 112; at < 65536; at += 8)
        put("lie.qcow2", at, 8, 0x1111111100000000);
    expect_refused(true, "header extensions");
}
END_TEST

START_TEST(backing_names_that_lie_are_refused)
{
    static const struct {
        uint64_t offset;
        uint32_t size;
        const char *names;
    } names[] = {
        {0x100000, 4, "backing_file_offset"}, {0xfffffffffffffff0, 0x20, "backing_file_offset"},
        {512, 1024, "backing_file_size"},     {512, 0xffffffff, "backing_file_size"},
        {512, 0, "backing_file_offset"},      {512, 8, "backing_file_offset"}, /* zeros */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) { /* QCW31, QCW36 */
        make("lie.qcow2", MIB, 0);
        put("lie.qcow2", 8, 8, names[i].offset);
        put("lie.qcow2", 16, 4, names[i].size);
        expect_refused(true, names[i].names);
        unlink("lie.qcow2");
    }
}
END_TEST

START_TEST(a_backing_format_is_never_guessed)
{
    make_over("lie.qcow2", MIB, "lie2.qcow2", "qcow2"); /* QCW38 */
    make("lie2.qcow2", MIB, 0);
    put("lie.qcow2", 112, 4, 0x12345678); /* the extension is now somebody else's */
    expect_refused(true, "its format is not given");
}
END_TEST

START_TEST(a_chain_that_bites_its_tail_is_refused)
{
    make_over("lie.qcow2", MIB, "lie.qcow2", "qcow2"); /* QCW32 */
    expect_refused(false, "backing file");
    unlink("lie.qcow2");
    make_over("lie.qcow2", MIB, "b.qcow2", "qcow2"); /* QCW33 */
    make_over("b.qcow2", MIB, "lie.qcow2", "qcow2");
    expect_refused(false, "backing file");
}
END_TEST

START_TEST(a_long_chain_is_refused_at_its_documented_depth)
{
    char name[40] = "0.qcow2", next[40]; /* QCW34 */

    make(name, MIB, 0);
    for (unsigned i = 1; i <= QCOW2_CHAIN_MAX; i++) {
        snprintf(next, sizeof next, i < QCOW2_CHAIN_MAX ? "%u.qcow2" : "lie.qcow2", i);
        make_over(next, MIB, name, "qcow2");
        strcpy(name, next);
    }
    snprintf(name, sizeof name, "%u.qcow2", QCOW2_CHAIN_MAX - 1);
    qcow2_close(open_image(name, true)); /* just deep enough */
    expect_refused(true, "more than 32 files");
}
END_TEST

START_TEST(autoclear_bits_go_with_the_first_write)
{
    struct qcow2 *image;

    make("a.qcow2", MIB, 0); /* QCW28 */
    put("a.qcow2", 88, 8, UINT64_C(1) << 63);
    image = open_image("a.qcow2", true);
    ck_assert_int_eq(qcow2_read(image, 0, buffer, 512), 0);
    ck_assert_uint_eq(get("a.qcow2", 88), UINT64_C(1) << 63);
    ck_assert_int_eq(qcow2_write(image, 0, buffer, 512), 0);
    ck_assert_uint_eq(get("a.qcow2", 88), 0);
    qcow2_close(image);
}
END_TEST

/* ---- files that lie: the tables ---- */

/* 64 KiB clusters: header 0, refcount table 1, its block 2, L1 3, data 4 and 5, L2 6. */
#define CLUSTER UINT64_C(0x10000)
#define L1      (3 * CLUSTER)
#define DATA    (4 * CLUSTER)
#define L2      (6 * CLUSTER)

static void make_lie(void)
{
    struct qcow2 *image;

    make("lie.qcow2", 1024 * MIB, 0); /* two L1 entries */
    image = open_image("lie.qcow2", true);
    memset(buffer, 0x77, 2 * CLUSTER);
    ck_assert_int_eq(qcow2_write(image, 0, buffer, 2 * CLUSTER), 0);
    ck_assert_int_eq(qcow2_close(image), 0);
    ck_assert_uint_eq(get("lie.qcow2", L1), L2 | QCOW2_COPIED);
    ck_assert_uint_eq(get("lie.qcow2", L2), DATA | QCOW2_COPIED);
}

/* A write fails with EIO, marks the file, and leaves every table as it was. */
static void expect_write_refused(void)
{
    struct qcow2 *image = open_image("lie.qcow2", true);

    ck_assert_int_eq(shell("dd if=lie.qcow2 of=before bs=65536 skip=1 2>/dev/null"), 0);
    memset(buffer, 0xee, CLUSTER);
    ck_assert_int_eq(qcow2_write(image, 0, buffer, CLUSTER), -EIO);
    qcow2_close(image);
    ck_assert_int_eq(shell("dd if=lie.qcow2 of=after bs=65536 skip=1 2>/dev/null;"
                           "cmp -s before after"),
                     0);
    ck_assert_uint_eq(get("lie.qcow2", 72) & QCOW2_CORRUPT, QCOW2_CORRUPT);
}

static const struct table_lie {
    const char *row;
    uint64_t offset, value;
    bool read_fails;
} table_lies[] = {
    {"QCW39", L1, L2 | 0x100 | QCOW2_COPIED, true},
    {"QCW39", L1, L2 | BIT(60) | QCOW2_COPIED, true},
    {"QCW40", L1, UINT64_C(0x10000000) | QCOW2_COPIED, true},
    {"QCW40", L1, UINT64_C(0x00ffffffffff0000) | QCOW2_COPIED, true},
    {"QCW41", L1, L1 | QCOW2_COPIED, false},
    {"QCW42", L1, 0x8000000000000000, false}, /* offset 0: absent, but L1 says copied */
    {"QCW43", L1 + 8, L2 | QCOW2_COPIED, false},
    {"QCW44", L2, 0x80000000002a2a00, true},
    {"QCW45", L2, 0xbfffffffffff0000, true},
    {"QCW45", L2, 0x800000ffffff0000, true},
    {"QCW46", L2, (2 * CLUSTER) | QCOW2_COPIED, false},
    {"QCW47", L2, L1 | QCOW2_COPIED, true},
    {"QCW47", L2, L2 | QCOW2_COPIED, true},
    {"QCW55", CLUSTER, 0, false}, /* no block although clusters are in use */
    {"QCW56", CLUSTER, 2 * CLUSTER + 512, false},
    {"QCW56", CLUSTER, 0x7fffffffffff0000, false},
    {"QCW57", 2 * CLUSTER + 8, 0, false}, /* clusters 4 to 7: count 0 */
};

START_TEST(a_table_that_lies_is_not_written_through)
{
    const struct table_lie *lie = &table_lies[_i];
    struct qcow2 *image;
    int read;

    make_lie();
    put("lie.qcow2", lie->offset, 8, lie->value);
    if (strcmp(lie->row, "QCW42") != 0)
        expect_write_refused();
    image = open_image("lie.qcow2", false);
    read = qcow2_read(image, 0, buffer, CLUSTER);
    if (lie->read_fails)
        ck_assert_int_eq(read, -EIO);
    qcow2_close(image);
}
END_TEST

START_TEST(copied_with_two_uses_is_copied_before_it_is_written)
{
    struct qcow2 *image;

    make_lie(); /* QCW49 */
    put("lie.qcow2", 2 * CLUSTER + 4 * 2, 2, 2);
    image = open_image("lie.qcow2", true);
    ck_assert_int_eq(qcow2_write(image, 0, "new", 3), 0);
    ck_assert_int_eq(qcow2_close(image), 0);
    ck_assert_uint_eq(get("lie.qcow2", DATA) >> 56, 0x77);
    image = open_image("lie.qcow2", false);
    ck_assert_int_eq(qcow2_read(image, 0, buffer, 4), 0);
    ck_assert_mem_eq(buffer, "new\x77", 4);
    qcow2_close(image);
}
END_TEST

START_TEST(two_entries_for_one_cluster_are_found_by_check)
{
    struct qcow2_check result;
    struct refusal why;

    make_lie(); /* QCW48 */
    put("lie.qcow2", L2 + 8, 8, DATA | QCOW2_COPIED);
    ck_assert_int_eq(qcow2_check("lie.qcow2", QCOW2_REPAIR_NONE, NULL, &result, &why), 0);
    ck_assert_uint_ge(result.corruptions, 1);
    ck_assert_int_eq(qcow2_check("lie.qcow2", QCOW2_REPAIR_ALL, NULL, &result, &why), 0);
    ck_assert_uint_eq(result.corruptions, 0);
    check_image("lie.qcow2", false);
}
END_TEST

START_TEST(zero_with_an_offset_reads_as_zeros)
{
    struct qcow2 *image;

    make_lie(); /* QCW54 */
    put("lie.qcow2", L2, 8, DATA | QCOW2_COPIED | QCOW2_ZERO);
    image = open_image("lie.qcow2", true);
    ck_assert_int_eq(qcow2_read(image, 0, buffer, CLUSTER), 0);
    ck_assert_uint_eq(buffer[0], 0);
    ck_assert_mem_eq(buffer, buffer + 1, CLUSTER - 1);
    ck_assert_int_eq(qcow2_write(image, 1, "x", 1), 0);
    ck_assert_int_eq(qcow2_read(image, 0, buffer, 3), 0);
    ck_assert_mem_eq(buffer, "\0x\0", 3);
    ck_assert_int_eq(qcow2_close(image), 0);
    check_image("lie.qcow2", false);
}
END_TEST

START_TEST(compressed_clusters_that_lie_are_errors)
{
    /* QCW50: past the end; QCW51: garbage; and one whose sectors reach past the end */
    static const uint64_t entries[] = {
        QCOW2_COMPRESSED | UINT64_C(0x3fffffff0000),
        QCOW2_COMPRESSED | DATA,
        QCOW2_COMPRESSED | UINT64_C(0x3f) << 54 | (6 * CLUSTER + 0xfff0),
    };

    for (unsigned i = 0; i < ARRAY_SIZE(entries); i++) {
        struct qcow2 *image;

        make_lie();
        put("lie.qcow2", L2, 8, entries[i]);
        image = open_image("lie.qcow2", false);
        ck_assert_int_eq(qcow2_read(image, 0, buffer, CLUSTER), -EIO);
        ck_assert_int_eq(qcow2_read(image, CLUSTER, buffer, CLUSTER), 0);
        ck_assert_uint_eq(buffer[0], 0x77);
        qcow2_close(image);
        unlink("lie.qcow2");
    }
}
END_TEST

START_TEST(a_compressed_cluster_that_is_too_short_is_an_error)
{
    static const uint8_t empty[] = {0x01, 0x00, 0x00, 0xff, 0xff}; /* a stream of no bytes */
    struct qcow2 *image;
    int fd;

    make_lie();
    fd = open("lie.qcow2", O_WRONLY);
    ck_assert_int_eq(pwrite(fd, empty, sizeof empty, DATA), sizeof empty);
    close(fd);
    put("lie.qcow2", L2, 8, QCOW2_COMPRESSED | DATA);
    image = open_image("lie.qcow2", false);
    ck_assert_int_eq(qcow2_read(image, 0, buffer, CLUSTER), -EIO);
    qcow2_close(image);
}
END_TEST

START_TEST(a_file_cut_short_after_it_was_opened_is_an_error)
{
    struct qcow2 *image;

    make_lie(); /* QCW60 */
    image = open_image("lie.qcow2", true);
    ck_assert_int_eq(truncate("lie.qcow2", (off_t)L2 + 100), 0);
    ck_assert_int_eq(qcow2_read(image, 0, buffer, CLUSTER), -EIO);
    ck_assert_int_lt(qcow2_write(image, 0, buffer, CLUSTER), 0);
    qcow2_close(image);
}
END_TEST

START_TEST(a_full_disk_leaks_at_worst)
{
    struct rlimit limit = {MIB, MIB};
    struct qcow2 *image;
    int error = 0;

    make("a.qcow2", 64 * MIB, 0); /* QCW61: the file may not grow past 1 MiB */
    image = open_image("a.qcow2", true);
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    memset(buffer, 0x44, CLUSTER);
    for (uint64_t at = 0; at < 64 * MIB && error == 0; at += CLUSTER)
        error = qcow2_write(image, at, buffer, CLUSTER);
    ck_assert_int_lt(error, 0);
    ck_assert_int_eq(qcow2_read(image, 0, buffer, CLUSTER), 0);
    ck_assert_uint_eq(buffer[0], 0x44);
    qcow2_close(image);
    check_image("a.qcow2", true);
}
END_TEST

/* ---- kills and flips ---- */

enum { SLOTS = 64, SLOT = 12345 };

/*
 * Writes generation numbers to random slots until it is killed, and tells through
 * the pipe which were flushed.
 */
static void write_until_killed(int pipe, unsigned seed)
{
    struct qcow2 *image = open_image("k.qcow2", true);
    uint32_t generation[SLOTS] = {0};
    uint8_t bytes[SLOT];

    random_state = seed * 2654435761u + 1;
    for (uint32_t i = 1;; i++) {
        unsigned slot = (unsigned)(random_number() % SLOTS);

        memset(bytes, (int)(i & 0xff) | 1, sizeof bytes);
        memcpy(bytes, &i, 4);
        generation[slot] = i;
        if (qcow2_write(image, slot * SLOT, bytes, sizeof bytes) < 0)
            _exit(1);
        if (random_number() % 8 == 0) {
            if (qcow2_flush(image) < 0 || write(pipe, generation, sizeof generation) < 0)
                _exit(1);
        }
    }
}

static void kill_once(unsigned seed)
{
    uint32_t flushed[SLOTS] = {0}, last[SLOTS];
    struct qcow2 *image;
    int pipes[2];
    pid_t child;

    unlink("k.qcow2");
    make("k.qcow2", 4 * MIB, seed % 2 ? 9 : 12);
    ck_assert_int_eq(pipe(pipes), 0);
    child = fork();
    if (child == 0)
        write_until_killed(pipes[1], seed);
    close(pipes[1]);
    usleep(1000 + seed * 997 % 20000);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    while (read(pipes[0], last, sizeof last) == sizeof last)
        memcpy(flushed, last, sizeof last);
    close(pipes[0]);

    check_image("k.qcow2", true);
    image = open_image("k.qcow2", true);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        uint32_t found;

        ck_assert_int_eq(qcow2_read(image, slot * SLOT, &found, 4), 0);
        ck_assert_msg(found >= flushed[slot], "seed %u, slot %u: generation %u, %u was flushed",
                      seed, slot, found, flushed[slot]);
    }
    qcow2_close(image);
}

/* QCW62: a program that dies loses nothing it has flushed and corrupts nothing. */
START_TEST(a_kill_at_any_moment_leaves_a_sound_file)
{
    for (unsigned seed = 0; seed < 40; seed++)
        kill_once((unsigned)_i * 40 + seed);
}
END_TEST

static void use_whole_disk(struct qcow2 *image, bool writable)
{
    for (uint64_t at = 0; at < MIB; at += 65536) {
        qcow2_read(image, at, buffer, 65536);
        if (writable)
            qcow2_write(image, at, buffer, 65536);
    }
}

/* QCW64: whatever the bits of header and tables say, nobody is hurt. */
START_TEST(flipped_bits_hurt_nobody)
{
    enum { META = 16 * 1024 };
    uint8_t good[META], bad[META];
    struct qcow2 *image;
    int fd;

    random_state = 42 + (uint64_t)_i;
    make("f.qcow2", MIB, 9);
    image = open_image("f.qcow2", true);
    fill(buffer, 100 * 1024);
    ck_assert_int_eq(qcow2_write(image, 0, buffer, 100 * 1024), 0);
    ck_assert_int_eq(qcow2_close(image), 0);
    fd = open("f.qcow2", O_RDWR);
    ck_assert_int_eq(pread(fd, good, META, 0), META);
    for (unsigned i = 0; i < 300; i++) {
        struct qcow2_check result;
        struct refusal why;
        bool writable = i % 2;

        memcpy(bad, good, META);
        for (unsigned flips = 1 + (unsigned)(random_number() % 4); flips > 0; flips--) {
            uint64_t at = random_number() % (random_number() % 2 ? 112 : META);

            bad[at] ^= (uint8_t)(1u << random_number() % 8);
        }
        ck_assert_int_eq(pwrite(fd, bad, META, 0), META);
        qcow2_check("f.qcow2", QCOW2_REPAIR_NONE, NULL, &result, &why);
        if (qcow2_open(&image, "f.qcow2", writable, &why) == 0) {
            if (qcow2_size(image) >= MIB)
                use_whole_disk(image, writable);
            qcow2_close(image);
        }
        ck_assert_int_eq(ftruncate(fd, META + 256 * 1024), 0);
    }
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("qcow2");
    TCase *disks = tcase_create("disks"), *qemu = tcase_create("qemu"),
          *headers = tcase_create("headers"), *tables = tcase_create("tables"),
          *kills = tcase_create("kills");
    TCase *all[] = {disks, qemu, headers, tables, kills};
    const char *reason = no_qemu_img();
    char *img = realpath(harness_built("vmm-img"), NULL);

    if (img)
        setenv("VMM_IMG", img, 1);
    free(img);
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
        tcase_add_checked_fixture(all[i], setup, teardown);
        tcase_set_timeout(all[i], 120);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_loop_test(disks, a_disk_holds_what_was_written_through_any_requests, 0,
                        ARRAY_SIZE(cluster_sizes));
    tcase_add_test(disks, an_overlay_reads_through_and_never_writes_below);
    tcase_add_test(disks, vmm_img_makes_converts_and_commits);
    tcase_add_loop_test(disks, compressed_images_are_read_by_everyone, 0, 4);
    tcase_add_test(disks, compressed_clusters_are_written_beside_others);
    tcase_add_test(disks, a_disk_can_grow);
    tcase_add_test(disks, the_refcount_table_grows);
    tcase_add_test(disks, what_is_discarded_goes_back_to_the_host);
    tcase_add_test(disks, requests_outside_the_disk_are_refused);
    tcase_add_test(disks, one_writer_or_many_readers);

    harness_add(qemu, qemu_reads_what_we_write, reason);
    if (reason)
        harness_add(qemu, we_read_and_write_what_qemu_makes, reason);
    else
        tcase_add_loop_test(qemu, we_read_and_write_what_qemu_makes, 0, 8);

    tcase_add_loop_test(headers, a_header_that_lies_is_refused_by_the_field_s_name, 0,
                        ARRAY_SIZE(lies));
    tcase_add_test(headers, a_file_that_ends_in_its_header_is_refused);
    tcase_add_test(headers, one_l1_entry_too_few_is_refused);
    tcase_add_test(headers, extensions_that_never_end_are_refused);
    tcase_add_test(headers, backing_names_that_lie_are_refused);
    tcase_add_test(headers, a_backing_format_is_never_guessed);
    tcase_add_test(headers, a_chain_that_bites_its_tail_is_refused);
    tcase_add_test(headers, a_long_chain_is_refused_at_its_documented_depth);
    tcase_add_test(headers, autoclear_bits_go_with_the_first_write);

    tcase_add_loop_test(tables, a_table_that_lies_is_not_written_through, 0,
                        ARRAY_SIZE(table_lies));
    tcase_add_test(tables, copied_with_two_uses_is_copied_before_it_is_written);
    tcase_add_test(tables, two_entries_for_one_cluster_are_found_by_check);
    tcase_add_test(tables, zero_with_an_offset_reads_as_zeros);
    tcase_add_test(tables, compressed_clusters_that_lie_are_errors);
    tcase_add_test(tables, a_compressed_cluster_that_is_too_short_is_an_error);
    tcase_add_test(tables, a_file_cut_short_after_it_was_opened_is_an_error);
    tcase_add_test(tables, a_full_disk_leaks_at_worst);

    tcase_add_loop_test(kills, a_kill_at_any_moment_leaves_a_sound_file, 0, 5);
    tcase_add_loop_test(kills, flipped_bits_hurt_nobody, 0, 10);
    return harness_main(suite);
}
