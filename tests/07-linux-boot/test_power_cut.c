/*
 * power_cut: what was flushed is there after the power went, and the file is sound.
 *
 * A killed program loses nothing that it has handed to the kernel; a power cut does. Of
 * the writes since the last fdatasync() any may have reached the disk, in pieces of a
 * sector, and any not. So this program puts its own pwrite(), fdatasync(), ftruncate()
 * and fallocate() in the place of the C library's and keeps two things: the file as it
 * was at the last fdatasync(), and every change since.
 *
 *     file at the last sync  +  some of the sectors written since  =  after the cut
 *
 * Thousands of such files, made after random requests and in the midst of them, are looked
 * at by check, and each byte that was not written since the last flush must be what it was.
 *
 * Left out on purpose: file systems that show old blocks where a new length has no data
 * yet; ours reads as zeros there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "07-linux-boot/qcow2/check.h"
#include "07-linux-boot/qcow2/create.h"
#include "07-linux-boot/qcow2/internal.h"
#include "common/bits.h"
#include "harness/harness.h"

enum { SECTOR = 512, FILE_MAX = 16 * MIB, CHANGES_MAX = 4096 };

/* ---- a disk that forgets ---- */

struct change {
    enum { WRITTEN, RESIZED, PUNCHED } kind;
    uint64_t offset, size;
    uint8_t *bytes;
};

static int watched = -1; /* the descriptor of the image */
static uint8_t synced[FILE_MAX], after[FILE_MAX];
static uint64_t synced_size, after_size;
static struct change changes[CHANGES_MAX];
static unsigned change_count;

/* Applies the bytes [from, from + size) of a change to a file in memory. */
static void apply(uint8_t *file, uint64_t *file_size, const struct change *c, uint64_t from,
                  uint64_t size)
{
    uint64_t start = c->offset + from;

    if (c->kind == RESIZED) {
        if (c->offset < *file_size)
            memset(file + c->offset, 0, *file_size - c->offset);
        *file_size = c->offset;
        return;
    }
    if (c->kind == PUNCHED)
        memset(file + start, 0, size);
    else
        memcpy(file + start, c->bytes + from, size);
    if (c->kind == WRITTEN && start + size > *file_size)
        *file_size = start + size;
}

static void note(struct change change, const void *bytes)
{
    ck_assert_uint_lt(change_count, CHANGES_MAX);
    ck_assert_uint_le(change.offset + change.size, FILE_MAX);
    if (bytes) {
        change.bytes = malloc(change.size);
        memcpy(change.bytes, bytes, change.size);
    }
    changes[change_count++] = change;
}

static void forget_changes(void)
{
    while (change_count > 0)
        free(changes[--change_count].bytes);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    if (fd == watched)
        note((struct change){WRITTEN, (uint64_t)offset, size, NULL}, bytes);
    return syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int ftruncate(int fd, off_t size)
{
    if (fd == watched)
        note((struct change){RESIZED, (uint64_t)size, 0, NULL}, NULL);
    return (int)syscall(SYS_ftruncate, fd, size);
}

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    if (fd == watched)
        note((struct change){PUNCHED, (uint64_t)offset, (uint64_t)size, NULL}, NULL);
    return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

static void look_after_a_cut(const char *what); /* below: it compares with the promises */

int fdatasync(int fd)
{
    if (fd == watched) {
        look_after_a_cut("a sync that never came");
        for (unsigned i = 0; i < change_count; i++)
            apply(synced, &synced_size, &changes[i], 0, changes[i].size);
        forget_changes();
    }
    return 0; /* the host's own power stays on */
}

/* ---- a guest's disk, and what it was promised ---- */

#define DISK (640 * KIB + 1536) /* at 512 bytes a cluster, more L2 tables than are cached */

static uint8_t now[DISK], promised[DISK]; /* as written; as flushed */
static bool open_to_change[DISK];         /* written since the flush: either will do */
static uint64_t random_state;

static uint64_t random_number(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* The file after a cut in this moment: in likely of 8 cases a sector has made it. */
static void cut(unsigned likely)
{
    memcpy(after, synced, synced_size);
    memset(after + synced_size, 0, FILE_MAX - synced_size);
    after_size = synced_size;
    for (unsigned i = 0; i < change_count; i++) {
        const struct change *c = &changes[i];

        if (c->size == 0 && random_number() % 8 < likely)
            apply(after, &after_size, c, 0, 0);
        for (uint64_t at = 0, part; at < c->size; at += part) {
            part = SECTOR - (c->offset + at) % SECTOR;
            if (part > c->size - at)
                part = c->size - at;
            if (random_number() % 8 < likely)
                apply(after, &after_size, c, at, part);
        }
    }
}

static void look_after_a_cut(const char *what)
{
    static uint8_t found[DISK];
    struct qcow2_check result;
    struct qcow2 *image;
    struct refusal why;
    int fd;

    cut((unsigned)(random_number() % 9));
    fd = open("cut.qcow2", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, after, after_size, 0), (ssize_t)after_size);
    close(fd);
    ck_assert_msg(qcow2_check("cut.qcow2", QCOW2_REPAIR_NONE, stderr, &result, &why) == 0,
                  "after %s: %s", what, why.text);
    ck_assert_msg(result.corruptions == 0, "after %s: %" PRIu64 " contradictions", what,
                  result.corruptions);
    ck_assert_msg(qcow2_open(&image, "cut.qcow2", false, &why) == 0, "after %s: %s", what,
                  why.text);
    ck_assert_int_eq(qcow2_read(image, 0, found, DISK), 0);
    for (size_t i = 0; i < DISK; i++)
        if (found[i] != promised[i] && !open_to_change[i])
            ck_abort_msg("after %s: byte %zu is 0x%02x, 0x%02x was flushed", what, i, found[i],
                         promised[i]);
    qcow2_close(image);
}

static void request(struct qcow2 *image, uint64_t cluster, const char **what)
{
    uint64_t offset = random_number() % DISK, size = random_number() % 6000 + 1;
    uint8_t bytes[4096];

    if (size > DISK - offset)
        size = DISK - offset;
    switch (random_number() % 8) {
    case 0:
        *what = "zeros";
        memset(open_to_change + offset, true, size);
        ck_assert_int_eq(qcow2_write_zeroes(image, offset, size), 0);
        memset(now + offset, 0, size);
        break;
    case 1:
        *what = "a compressed cluster";
        offset = offset / cluster * cluster;
        size = cluster < DISK - offset ? cluster : DISK - offset;
        memset(open_to_change + offset, true, size);
        memset(now + offset, (int)random_number() | 1, size);
        memcpy(bytes, now + offset, size);
        memset(bytes + size, 0, cluster - size);
        ck_assert_int_eq(qcow2_write_compressed(image, offset, bytes), 0);
        break;
    case 2:
        *what = "a flush";
        ck_assert_int_eq(qcow2_flush(image), 0);
        memcpy(promised, now, DISK);
        memset(open_to_change, 0, sizeof open_to_change);
        return;
    default:
        *what = "a write";
        memset(open_to_change + offset, true, size);
        for (uint64_t i = 0; i < size; i++)
            now[offset + i] = (uint8_t)random_number();
        ck_assert_int_eq(qcow2_write(image, offset, now + offset, size), 0);
        break;
    }
}

/* New clusters come from the end, so a disk that is written anew makes a longer file. */
static void grow_file(struct qcow2 *image)
{
    ck_assert_int_eq(qcow2_discard(image, 0, DISK), 0);
    ck_assert_int_eq(qcow2_write(image, 0, now, DISK / 4), 0);
    ck_assert_int_eq(qcow2_discard(image, 0, DISK), 0);
    ck_assert_int_eq(qcow2_flush(image), 0);
}

static const unsigned cluster_bits[] = {9, 10, 12, 9, 9, 9};

/* Cuts until there were enough, or the file is as long as it may be; how many are left. */
static unsigned life_of_a_file(unsigned bits, bool large, unsigned left)
{
    struct qcow2_recipe recipe = {.size = DISK, .cluster_bits = bits};
    const char *what = "nothing";
    struct qcow2 *image;
    struct refusal why;

    unlink("power.qcow2");
    memset(now, 0, sizeof now);
    memset(promised, 0, sizeof promised);
    memset(open_to_change, 0, sizeof open_to_change);
    ck_assert_msg(qcow2_create("power.qcow2", &recipe, &why) == 0, "%s", why.text);
    ck_assert_msg(qcow2_open(&image, "power.qcow2", true, &why) == 0, "%s", why.text);
    if (large) /* soon the refcount table is full: it lists 64 blocks of 256 clusters */
        while (image->file_end < 8 * MIB - 256 * KIB)
            grow_file(image);
    synced_size = (uint64_t)pread(image->fd, synced, FILE_MAX, 0);
    watched = image->fd;
    for (; left > 0 && image->file_end < FILE_MAX - MIB; left--) {
        request(image, UINT64_C(1) << bits, &what);
        look_after_a_cut(what);
    }
    watched = -1;
    qcow2_close(image);
    forget_changes();
    return left;
}

/* QCW62, but the power goes and not the program: what any cut may leave is right. */
START_TEST(a_power_cut_loses_nothing_that_was_flushed)
{
    const char *cuts = getenv("CUTS");
    unsigned left = cuts ? (unsigned)atoi(cuts) : 200;

    random_state = 0x9e3779b97f4a7c15u * ((uint64_t)_i + 1);
    while (left > 0)
        left = life_of_a_file(cluster_bits[_i], _i > 2, left);
}
END_TEST

static char directory[64];

static void setup(void)
{
    strcpy(directory, "/tmp/ring-power-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chdir(directory), 0);
}

static void teardown(void)
{
    unlink("power.qcow2");
    unlink("cut.qcow2");
    ck_assert_int_eq(chdir("/"), 0);
    rmdir(directory);
}

int main(void)
{
    Suite *suite = suite_create("power cut");
    TCase *cuts = tcase_create("cuts");

    tcase_add_checked_fixture(cuts, setup, teardown);
    tcase_set_timeout(cuts, 600);
    tcase_add_loop_test(cuts, a_power_cut_loses_nothing_that_was_flushed, 0,
                        ARRAY_SIZE(cluster_bits));
    suite_add_tcase(suite, cuts);
    return harness_main(suite);
}
