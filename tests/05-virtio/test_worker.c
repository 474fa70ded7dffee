/*
 * test_worker.c: a disk on a thread of its own: interrupts arrive, resets are safe at any
 * moment, and what was in flight is never written afterwards.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "05-virtio/raw_disk.h"
#include "05-virtio/virtio_blk.h"
#include "05-virtio/worker.h"
#include "guest.h"

#define HEADER(i) (GUEST_FREE + (i)*0x2000u)
#define STATUS(i) (HEADER(i) + 16)
#define DATA(i)   (HEADER(i) + 0x1000)
#define SECTORS   2048u

static struct guest guest;
static struct raw_disk raw;
static struct virtio_blk blk;
static struct virtio_worker worker;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct virtio_wire wire; /* the worker's */
static int disk_fd = -1;

static void make_disk(void)
{
    disk_fd = memfd_create("disk", MFD_CLOEXEC);
    ck_assert_int_eq(ftruncate(disk_fd, SECTORS * 512), 0);
}

static int ring_of_disk(void *self)
{
    (void)self;
    return raw.disk.ready_fd;
}

static void disk_is_ready(void *self)
{
    (void)self;
    virtio_blk_complete(&blk);
}

static void power_up(void)
{
    char path[40];
    struct refusal why;

    guest_ram(&guest);
    if (disk_fd < 0)
        make_disk();
    snprintf(path, sizeof path, "/proc/self/fd/%d", disk_fd);
    ck_assert_int_eq(raw_disk_open(&raw, path, 0, &why), 0);
    virtio_blk_init(&blk, &guest.memory, &raw.disk, "", 2);
    blk.device.wire = (struct virtio_wire){guest_used, guest_changed, &guest};
    virtio_worker_init(&worker, &blk.device, &lock);
    worker.source = (struct virtio_source){ring_of_disk, disk_is_ready, NULL};
    virtio_worker_start(&worker, "disk");
    wire = blk.device.wire;
}

static void done(void)
{
    virtio_worker_stop(&worker);
    virtio_blk_free(&blk);
    raw_disk_close(&raw);
    close(disk_fd);
    disk_fd = -1;
    guest_memory_free(&guest.memory);
}

/* guest_drive() sets the wire, as a transport would; the worker stays in between. */
static void drive(unsigned ring_size)
{
    pthread_mutex_lock(&lock);
    guest_drive(&guest, &blk.device, UINT64_MAX, ring_size);
    blk.device.wire = wire;
    pthread_mutex_unlock(&lock);
}

static void send_request(unsigned i, unsigned queue, uint32_t type, uint64_t sector)
{
    struct virtio_blk_outhdr header = {type, 0, sector};
    struct piece pieces[] = {
        {HEADER(i), 16, false}, {DATA(i), 512, type == VIRTIO_BLK_T_IN}, {STATUS(i), 1, true}};

    memcpy(guest_at(&guest, HEADER(i), 16), &header, 16);
    holds(ring_add(&guest.rings[queue], pieces, 3, false) >= 0);
    if (ring_publish(&guest.rings[queue])) {
        pthread_mutex_lock(&lock);
        virtio_device_notify(&blk.device, queue);
        pthread_mutex_unlock(&lock);
    }
}

/* Plays the event loop until a buffer comes back; two silent seconds are a failure. */
static void wait_for(unsigned queue)
{
    struct pollfd call = {.fd = worker.call_fd, .events = POLLIN};

    for (unsigned tries = 0; tries < 40000; tries++) {
        uint16_t id;
        uint32_t written;

        if (ring_take(&guest.rings[queue], &id, &written))
            return;
        ring_enable_interrupts(&guest.rings[queue]);
        if (poll(&call, 1, 0) > 0)
            virtio_worker_deliver(&worker);
        else if (tries > 20)
            usleep(50);
    }
    ck_abort_msg("a request on queue %u never came back", queue);
}

START_TEST(requests_are_served_on_another_thread)
{
    drive(64);
    for (unsigned i = 0; i < 5000; i++) {
        uint32_t *data = guest_at(&guest, DATA(i % 8), 512);

        *data = i;
        send_request(i % 8, i % 2, VIRTIO_BLK_T_OUT, i % SECTORS);
        wait_for(i % 2);
        *data = ~i;
        send_request(i % 8, i % 2, VIRTIO_BLK_T_IN, i % SECTORS);
        wait_for(i % 2);
        holds(*data == i);
    }
}
END_TEST

START_TEST(interrupts_arrive_whether_the_lock_is_free_or_not)
{
    drive(64);
    pthread_mutex_lock(&lock);
    ck_assert_uint_eq(guest.used[0], 0);
    struct virtio_blk_outhdr header = {VIRTIO_BLK_T_FLUSH, 0, 0};
    struct piece pieces[] = {{HEADER(0), 16, false}, {STATUS(0), 1, true}};

    memcpy(guest_at(&guest, HEADER(0), 16), &header, 16);
    guest_send(&guest, 0, pieces, 2);
    for (unsigned i = 0; i < 2000 && atomic_load(&worker.used) == 0; i++)
        usleep(1000);
    usleep(1000);
    ck_assert_uint_eq(guest.used[0], 0); /* the lock is ours */
    pthread_mutex_unlock(&lock);
    virtio_worker_deliver(&worker);
    ck_assert_uint_eq(guest.used[0], 1);
}
END_TEST

static int slow_submit(void *self, struct disk_request *request)
{
    usleep(100);
    return file_transfer(((struct raw_disk *)self)->fd, false, request->offset, request->iov,
                         request->iov_count);
}

START_TEST(a_reset_at_any_moment_ends_all_writing) /* BLK37 */
{
    raw.disk.submit = slow_submit;
    for (unsigned round = 0; round < 200; round++) {
        drive(64);
        for (unsigned i = 0; i < 16; i++)
            send_request(i, i % 2, VIRTIO_BLK_T_IN, i);
        if (round % 3)
            usleep(round * 7);
        pthread_mutex_lock(&lock);
        virtio_device_set_status(&blk.device, 0);
        pthread_mutex_unlock(&lock);
        memset(guest_at(&guest, HEADER(0), 16 * 0x2000), 0x5a, 16 * 0x2000);
        if (round % 10 == 0)
            usleep(3000);
        for (unsigned i = 0; i < 16; i++)
            holds(*(uint8_t *)guest_at(&guest, DATA(i), 1) == 0x5a &&
                  *(uint8_t *)guest_at(&guest, STATUS(i), 1) == 0x5a);
    }
}
END_TEST

START_TEST(a_broken_ring_is_told_by_an_interrupt)
{
    drive(8);
    ring_desc(&guest.rings[0], 0);
    send_request(0, 0, 99, 0);
    wait_for(0);
    pthread_mutex_lock(&lock);
    guest_send(&guest, 0, &(struct piece){UINT64_MAX, 1, false}, 1);
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < 2000 && !guest_needs_reset(&guest); i++)
        usleep(1000);
    ck_assert(guest_needs_reset(&guest));
    usleep(2000);
    virtio_worker_deliver(&worker);
    ck_assert_uint_eq(guest.changed, 1);
    drive(8);
    send_request(0, 0, VIRTIO_BLK_T_IN, 0);
    wait_for(0);
}
END_TEST

START_TEST(a_queue_is_reset_and_placed_while_the_other_works)
{
    drive(64);
    for (unsigned round = 0; round < 300; round++) {
        send_request(0, 0, VIRTIO_BLK_T_IN, 0);
        pthread_mutex_lock(&lock);
        virtio_device_reset_queue(&blk.device, 1);
        ring_init(&guest.rings[1], &guest.memory, GUEST_RINGS + RING_BYTES, 64,
                  blk.device.accepted);
        ring_enable_interrupts(&guest.rings[1]);
        virtio_device_queue_setup(&blk.device, 1)->setup = guest.rings[1].setup;
        virtio_device_enable_queue(&blk.device, 1);
        pthread_mutex_unlock(&lock);
        send_request(1, 1, VIRTIO_BLK_T_IN, 0);
        wait_for(1);
        wait_for(0);
    }
}
END_TEST

/* Four writes and a flush at a time; the pipe hears of each flush that the device finished. */
static void write_until_killed(int pipe)
{
    power_up();
    drive(64);
    for (uint32_t i = 0; i < SECTORS; i++) {
        *(uint32_t *)guest_at(&guest, DATA(i % 4), 4) = i + 1;
        send_request(i % 4, i % 2, VIRTIO_BLK_T_OUT, i);
        if (i % 4 != 3)
            continue;
        for (unsigned n = 0; n < 4; n++)
            wait_for(n % 2);
        send_request(4, 0, VIRTIO_BLK_T_FLUSH, 0);
        wait_for(0);
        holds(*(uint8_t *)guest_at(&guest, STATUS(4), 1) == VIRTIO_BLK_S_OK);
        holds(write(pipe, &i, sizeof i) == sizeof i);
    }
    pause();
}

START_TEST(what_was_flushed_survives_a_kill) /* BLK51 */
{
    for (unsigned round = 0; round < 20; round++) {
        uint32_t last = UINT32_MAX, found;
        int pipes[2];
        pid_t child;

        make_disk();
        ck_assert_int_eq(pipe(pipes), 0);
        child = fork();
        if (child == 0)
            write_until_killed(pipes[1]);
        close(pipes[1]);
        ck_assert_int_eq(read(pipes[0], &last, sizeof last), sizeof last);
        usleep(round * 1500);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(pipes[0], &found, sizeof found) == sizeof found)
            last = found;
        for (uint32_t i = 0; i <= last; i++) {
            ck_assert_int_eq(pread(disk_fd, &found, sizeof found, i * 512), sizeof found);
            ck_assert_uint_eq(found, i + 1);
        }
        close(pipes[0]);
        close(disk_fd);
    }
}
END_TEST

static Suite *worker_suite(void)
{
    Suite *suite = suite_create("worker");
    TCase *tests = tcase_create("threads"), *kills = tcase_create("kills");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, requests_are_served_on_another_thread);
    tcase_add_test(tests, interrupts_arrive_whether_the_lock_is_free_or_not);
    tcase_add_test(tests, a_reset_at_any_moment_ends_all_writing);
    tcase_add_test(tests, a_broken_ring_is_told_by_an_interrupt);
    tcase_add_test(tests, a_queue_is_reset_and_placed_while_the_other_works);
    tcase_set_timeout(kills, 60);
    tcase_add_test(kills, what_was_flushed_survives_a_kill);
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, kills);
    return suite;
}

int main(void)
{
    return harness_main(worker_suite());
}
