/*
 * test_file_ring.c: disks whose requests end later: they end with the right bytes, in any
 * order, all of them, also without io_uring.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "05-virtio/raw_disk.h"
#include "harness/harness.h"

#define BLOCK   4096u
#define BLOCKS  64u
#define MANY    300u /* more than the ring has places */
#define OPTIONS 4

/* Every way that a raw disk can be opened in. */
static const unsigned options[OPTIONS] = {0, RAW_DISK_NO_RING, RAW_DISK_DIRECT,
                                          RAW_DISK_DIRECT | RAW_DISK_NO_RING};

static char path[] = "build/file_ring.XXXXXX";
static struct raw_disk raw;
static uint8_t *memory; /* one block for each request */
static struct slot {
    struct disk_request request;
    struct iovec iov;
    int error;
    unsigned ended;
} slots[MANY];

static void ended(void *self, int error)
{
    struct slot *slot = self;

    slot->error = error;
    slot->ended++;
}

/* False: this file system has no direct access. */
static bool open_disk(unsigned how)
{
    struct refusal why;
    int fd;

    strcpy(path, "build/file_ring.XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, BLOCKS * BLOCK), 0);
    close(fd);
    memory = mmap(NULL, MANY * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(slots, 0, sizeof slots);
    if (raw_disk_open(&raw, path, how, &why) < 0) {
        printf("SKIP direct access: %s\n", why.text);
        unlink(path);
        return false;
    }
    raw.disk.async = true;
    return true;
}

static void close_disk(void)
{
    raw_disk_close(&raw);
    munmap(memory, MANY * BLOCK);
    unlink(path);
}

static void start(unsigned i, enum disk_operation operation, uint64_t block)
{
    struct slot *slot = &slots[i];
    int error;

    slot->iov = (struct iovec){memory + i * BLOCK, BLOCK};
    slot->request = (struct disk_request){.operation = operation,
                                          .offset = block * BLOCK,
                                          .size = BLOCK,
                                          .iov = &slot->iov,
                                          .iov_count = 1,
                                          .done = ended,
                                          .self = slot};
    error = raw.disk.submit(&raw, &slot->request);
    if (error != -EINPROGRESS)
        ended(slot, error);
}

static void finish(void)
{
    raw.disk.commit(&raw);
    raw.disk.complete(&raw, true);
}

START_TEST(every_request_ends_once_and_with_its_bytes)
{
    if (!open_disk(options[_i]))
        return;
    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < BLOCKS; i++) {
            memset(memory + i * BLOCK, (int)(i + round), BLOCK);
            start(i, DISK_WRITE, i * 7 % BLOCKS);
        }
        finish();
        for (unsigned i = BLOCKS; i < MANY; i++)
            start(i, i % 50 == 0 ? DISK_FLUSH : DISK_READ, i * 7 % BLOCKS);
        finish();
        for (unsigned i = 0; i < MANY; i++) {
            ck_assert_uint_eq(slots[i].ended, round + 1);
            ck_assert_int_eq(slots[i].error, 0);
            if (i % 50 != 0)
                ck_assert_uint_eq(memory[i * BLOCK + 99], (i % BLOCKS + round) & 0xff);
        }
    }
    close_disk();
}
END_TEST

START_TEST(a_file_that_has_shrunk_is_an_error_not_a_hang)
{
    if (!open_disk(options[_i]))
        return;
    ck_assert_int_eq(truncate(path, 2 * BLOCK), 0);
    start(0, DISK_READ, 1);
    start(1, DISK_READ, 2);
    start(2, DISK_READ, 63);
    finish();
    ck_assert_int_eq(slots[0].error, 0);
    ck_assert_int_eq(slots[1].error, -EIO);
    ck_assert_int_eq(slots[2].error, -EIO);
    close_disk();
}
END_TEST

START_TEST(what_the_cache_has_is_read_at_once)
{
    if (!open_disk(0))
        return;
    memset(memory, 1, BLOCK);
    start(0, DISK_WRITE, 3);
    start(1, DISK_READ, 3);
    if (raw.tries)
        ck_assert_uint_eq(slots[1].ended, 1);
    finish();
    ck_assert_uint_eq(memory[BLOCK], 1);
    close_disk();
}
END_TEST

START_TEST(a_front_end_that_promises_nothing_waits)
{
    if (!open_disk(options[_i]))
        return;
    raw.disk.async = false;
    start(0, DISK_WRITE, 5);
    start(1, DISK_FLUSH, 0);
    start(2, DISK_READ, 5);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(slots[i].ended, 1);
    close_disk();
}
END_TEST

/* Past every filter of system calls; so the ring is told what it is for. */
START_TEST(a_ring_does_nothing_but_read_write_and_flush)
{
    struct file_ring ring;
    struct io_uring_cqe *answer;
    struct io_uring_sqe *place;

    ck_assert_int_eq(file_ring_open(&ring, 8), 0);
    place = io_uring_get_sqe(&ring.ring);
    io_uring_prep_openat(place, AT_FDCWD, "/dev/null", O_RDONLY, 0);
    ck_assert_int_eq(io_uring_submit(&ring.ring), 1);
    ck_assert_int_eq(io_uring_wait_cqe(&ring.ring, &answer), 0);
    ck_assert_int_eq(answer->res, -EACCES);
    io_uring_cqe_seen(&ring.ring, answer);
    file_ring_close(&ring);
}
END_TEST

static Suite *file_ring_suite(void)
{
    Suite *suite = suite_create("file ring");
    TCase *tests = tcase_create("requests");
    struct file_ring probe;
    int error = file_ring_open(&probe, 8);

    if (error < 0)
        printf("SKIP io_uring: this kernel says %s; the tests go without it\n", strerror(-error));
    else
        file_ring_close(&probe);
    if (error == 0)
        tcase_add_test(tests, a_ring_does_nothing_but_read_write_and_flush);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_request_ends_once_and_with_its_bytes, 0, OPTIONS);
    tcase_add_loop_test(tests, a_file_that_has_shrunk_is_an_error_not_a_hang, 0, OPTIONS);
    tcase_add_test(tests, what_the_cache_has_is_read_at_once);
    tcase_add_loop_test(tests, a_front_end_that_promises_nothing_waits, 0, OPTIONS);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(file_ring_suite());
}
