/*
 * test_ring_laws.c: what holds for every legal driver, whatever the order of events.
 *
 * A random driver and a random device take turns on one ring, in both layouts, with and
 * without event indices and indirect tables. Neither acts unless it was told to: the
 * device after a notification, the driver after an interrupt. Laws:
 *
 * - what the device reads is what the driver wrote, and the other way round;
 * - each buffer comes back exactly once, in whatever order the device likes;
 * - nobody waits for ever: when all is quiet, everything has come back.
 *
 * The last test puts the two on threads of their own, where a barrier too few shows.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/bits.h"
#include "driver.h"

#define BASE    0x10000u
#define BUFFERS 0x100000u
#define SLOT    0x1000u /* guest memory for one buffer */
#define RAM     (4 * MIB)
#define SLOTS   600u
#define PIECES  6u

static const uint64_t layouts[] = {
    0,
    1ull << VIRTIO_RING_F_INDIRECT_DESC,
    1ull << VIRTIO_RING_F_EVENT_IDX,
    1ull << VIRTIO_RING_F_EVENT_IDX | 1ull << VIRTIO_RING_F_INDIRECT_DESC,
    1ull << VIRTIO_F_RING_PACKED,
    1ull << VIRTIO_F_RING_PACKED | 1ull << VIRTIO_RING_F_INDIRECT_DESC,
    1ull << VIRTIO_F_RING_PACKED | 1ull << VIRTIO_RING_F_EVENT_IDX,
    VIRTQUEUE_FEATURES,
};

static struct guest_memory memory;
static struct ring ring;
static struct virtqueue queue;

static uint64_t seed;

static unsigned chance(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((seed >> 33) % below);
}

/* What the driver remembers of a buffer that it lent, by id. */
static struct {
    bool lent;
    uint8_t tag;
    uint32_t readable, writable;
    struct piece pieces[PIECES];
    unsigned count, slot;
} lent[VIRTQUEUE_SIZE_MAX];

/* What the device holds. */
static struct chain *held[VIRTQUEUE_SIZE_MAX];
static unsigned held_count;

static bool slot_busy[SLOTS];
static bool device_awake, driver_awake;
static unsigned long returned;

static void power_up(unsigned size, uint64_t features)
{
    const char *why;

    guest_memory_free(&memory);
    ck_assert_int_eq(guest_memory_add(&memory, 0, RAM), 0);
    ring_init(&ring, &memory, BASE, size, features);
    memset(&queue, 0, sizeof queue);
    memset(lent, 0, sizeof lent);
    memset(slot_busy, 0, sizeof slot_busy);
    ck_assert_int_eq(virtqueue_start(&queue, &memory, &ring.setup, features, &why), 0);
    ring_enable_interrupts(&ring);
    virtqueue_enable_kicks(&queue);
    device_awake = driver_awake = false;
    held_count = 0;
    returned = 0;
}

/* The driver: lend a buffer of random pieces, some of them empty. */
static void driver_adds(bool indirect_allowed)
{
    struct piece pieces[PIECES];
    unsigned count = 1 + chance(PIECES), readable = chance(count + 1);
    unsigned slot = 0;
    gpa_t address;
    uint32_t sums[2] = {0, 0};
    uint8_t tag = (uint8_t)chance(256);
    int id;

    while (slot_busy[slot])
        slot++;
    address = BUFFERS + slot * SLOT;
    for (unsigned i = 0; i < count; i++) {
        pieces[i] = (struct piece){address, chance(4) ? chance(600) : 0, i >= readable};
        memset(ring_at(&ring, address, 600), pieces[i].writable ? 0 : tag, pieces[i].length);
        address += pieces[i].length;
        sums[pieces[i].writable] += pieces[i].length;
    }
    id = ring_add(&ring, pieces, count, indirect_allowed && chance(2));
    if (id < 0)
        return;
    holds(!lent[id].lent);
    lent[id].lent = slot_busy[slot] = true;
    lent[id].slot = slot;
    lent[id].tag = tag;
    lent[id].readable = sums[false];
    lent[id].writable = sums[true];
    memcpy(lent[id].pieces, pieces, sizeof pieces);
    lent[id].count = count;
}

/* The driver: one buffer came back; is it what the device promised? */
static void check_return(uint16_t id, uint32_t written)
{
    uint32_t at = 0;

    holds(lent[id].lent);
    lent[id].lent = slot_busy[lent[id].slot] = false;
    holds(written == lent[id].writable);
    for (unsigned i = 0; i < lent[id].count; i++) {
        const struct piece *p = &lent[id].pieces[i];
        const uint8_t *bytes = ring_at(&ring, p->address, p->length);

        for (uint32_t n = 0; p->writable && n < p->length; n++, at++)
            holds(bytes[n] == (uint8_t)(lent[id].tag + at));
    }
    returned++;
}

static void driver_takes(void)
{
    uint16_t id;
    uint32_t written;

    ring_disable_interrupts(&ring);
    do {
        while (ring_take(&ring, &id, &written)) {
            check_return(id, written);
            if (!chance(8))
                break; /* a driver may be lazy, but then it looks again */
        }
        ring_enable_interrupts(&ring);
    } while (ring_take(&ring, &id, &written) && (check_return(id, written), true));
    driver_awake = false;
}

/* The device: take a chain, check it against what the driver remembers. */
static bool device_pops(void)
{
    struct chain *chain = malloc(sizeof *chain);
    uint8_t bytes[PIECES * 600];
    int got = virtqueue_pop(&queue, chain);

    if (got < 0)
        ck_abort_msg("a legal driver broke the ring: %s", queue.broken);
    if (got == 0) {
        free(chain);
        return false;
    }
    holds(lent[chain->id].lent);
    holds(chain->readable_size == lent[chain->id].readable);
    holds(chain->writable_size == lent[chain->id].writable);
    holds(chain_read(chain, 0, bytes, sizeof bytes) == chain->readable_size);
    for (unsigned i = 0; i < chain->readable_size; i++)
        holds(bytes[i] == lent[chain->id].tag);
    if (!chance(10)) {
        virtqueue_unpop(&queue, chain);
        free(chain);
        return true;
    }
    held[held_count++] = chain;
    return true;
}

static void device_pushes(void)
{
    unsigned which = chance(held_count);
    struct chain *chain = held[which];
    uint8_t bytes[PIECES * 600];

    for (unsigned i = 0; i < chain->writable_size; i++)
        bytes[i] = (uint8_t)(lent[chain->id].tag + i);
    holds(chain_write(chain, 0, bytes, chain->writable_size) == chain->writable_size);
    virtqueue_push(&queue, chain, (uint32_t)chain->writable_size);
    free(chain);
    held[which] = held[--held_count];
}

/* One step of the device; it sleeps only after it has said so and looked again. */
static void device_acts(void)
{
    if (held_count > 0 && chance(2))
        device_pushes();
    if (!chance(4) && virtqueue_flush(&queue))
        driver_awake = true;
    if (!device_awake)
        return;
    if (chance(2))
        virtqueue_disable_kicks(&queue);
    while (device_pops() && chance(6))
        ;
    if (held_count == 0 || !chance(3))
        device_awake = virtqueue_enable_kicks(&queue);
}

static void run(unsigned size, uint64_t features, unsigned steps)
{
    bool indirect = features >> VIRTIO_RING_F_INDIRECT_DESC & 1;

    power_up(size, features);
    for (unsigned i = 0; i < steps; i++) {
        if (chance(2))
            driver_adds(indirect);
        if (chance(2) && ring_publish(&ring))
            device_awake = true;
        device_acts();
        if (driver_awake && chance(2))
            driver_takes();
    }
    /* No more buffers. Those that are out must all find their way home. */
    if (ring_publish(&ring))
        device_awake = true;
    for (unsigned i = 0; i < 100 * size + 1000; i++) {
        while (held_count > 0)
            device_pushes();
        if (virtqueue_flush(&queue))
            driver_awake = true;
        device_acts();
        if (driver_awake)
            driver_takes();
    }
    for (unsigned id = 0; id < size; id++)
        ck_assert_msg(!lent[id].lent, "buffer %u never came back (size %u, seed end %llx)", id,
                      size, (unsigned long long)seed);
    ck_assert_uint_gt(returned, steps / 40);
}

START_TEST(every_buffer_comes_back_once_and_nobody_waits_for_ever)
{
    static const unsigned sizes[] = {1, 2, 8, 64, 256};

    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
            seed = round * 1000 + _i * 10 + i;
            run(sizes[i], layouts[_i], 4000);
        }
}
END_TEST

START_TEST(packed_rings_of_any_size_work)
{
    for (unsigned size = 1; size <= 17; size++) {
        seed = size;
        run(size, VIRTQUEUE_FEATURES, 3000);
    }
}
END_TEST

/* Two threads, two doorbells. */

#define TRANSFERS 50000u

static int doorbell, interrupt_fd;
static atomic_bool finished;

static void ring_bell(int fd)
{
    uint64_t one = 1;

    holds(write(fd, &one, sizeof one) == sizeof one);
}

/* False after two silent seconds: a lost wake-up. */
static bool wait_bell(int fd)
{
    struct pollfd bell = {.fd = fd, .events = POLLIN};
    uint64_t count;

    return poll(&bell, 1, 2000) == 1 && read(fd, &count, sizeof count) == sizeof count;
}

static void *device_thread(void *unused)
{
    static struct chain chain;

    while (wait_bell(doorbell) && !finished) {
        do {
            virtqueue_disable_kicks(&queue);
            while (virtqueue_pop(&queue, &chain) > 0) {
                uint32_t value;

                chain_read(&chain, 0, &value, sizeof value);
                value = ~value;
                virtqueue_push(&queue, &chain, (uint32_t)chain_write(&chain, 0, &value, 4));
                if (value % 7 == 0 && virtqueue_flush(&queue))
                    ring_bell(interrupt_fd);
            }
            if (virtqueue_flush(&queue))
                ring_bell(interrupt_fd);
        } while (virtqueue_enable_kicks(&queue));
    }
    return unused;
}

START_TEST(two_threads_never_lose_a_wake_up)
{
    pthread_t thread;
    uint32_t sent = 0, received = 0, values[VIRTQUEUE_SIZE_MAX];
    uint16_t id;
    uint32_t written;

    power_up(4, layouts[_i]);
    finished = false;
    doorbell = eventfd(0, EFD_CLOEXEC);
    interrupt_fd = eventfd(0, EFD_CLOEXEC);
    ck_assert_int_eq(pthread_create(&thread, NULL, device_thread, NULL), 0);
    while (received < TRANSFERS) {
        while (sent < TRANSFERS) {
            unsigned slot = sent % 64;
            gpa_t in = BUFFERS + slot * 64, out = in + 32;
            struct piece pieces[] = {{in, 4, false}, {out, 4, true}};
            int number;

            memcpy(ring_at(&ring, in, 4), &sent, 4);
            number = ring_add(&ring, pieces, 2, false);
            if (number < 0)
                break;
            values[number] = sent++;
            if (sent % 3 == 0 && ring_publish(&ring))
                ring_bell(doorbell);
        }
        if (ring_publish(&ring))
            ring_bell(doorbell);
        ring_enable_interrupts(&ring);
        if (!ring_take(&ring, &id, &written)) {
            if (!wait_bell(interrupt_fd))
                ck_abort_msg("no interrupt after %u of %u", received, sent);
            ring_disable_interrupts(&ring);
            continue;
        }
        do {
            uint32_t answer;

            holds(written == 4);
            memcpy(&answer, ring_at(&ring, BUFFERS + values[id] % 64 * 64 + 32, 4), 4);
            holds(answer == ~values[id]);
            received++;
        } while (ring_take(&ring, &id, &written));
    }
    finished = true;
    ring_bell(doorbell);
    pthread_join(thread, NULL);
    close(doorbell);
    close(interrupt_fd);
}
END_TEST

/*
 * The same question without the slow doorbells: both sides act in the same instant, a
 * hundred thousand times. One says "used" and looks whether it should interrupt; the
 * other says "interrupt me" and looks for used buffers. One of them must see the other.
 */
#define ROUNDS 100000u

static atomic_uint round_of_device, round_of_driver;
static bool device_interrupts[2];

static void meet(atomic_uint *mine, atomic_uint *other, unsigned round)
{
    atomic_store(mine, round);
    while (atomic_load(other) < round && !finished)
        ;
}

static void *flushing_thread(void *unused)
{
    static struct chain chain;

    for (unsigned round = 0; round < ROUNDS && !finished; round++) {
        meet(&round_of_device, &round_of_driver, 2 * round + 1);
        holds(virtqueue_pop(&queue, &chain) == 1);
        for (volatile unsigned spin = chance(40); spin > 0; spin--)
            ;
        virtqueue_push(&queue, &chain, 4);
        device_interrupts[round % 2] = virtqueue_flush(&queue);
        meet(&round_of_device, &round_of_driver, 2 * round + 2);
    }
    return unused;
}

START_TEST(used_and_interrupt_me_do_not_miss_each_other)
{
    pthread_t thread;
    uint64_t mine = 1;

    power_up(4, layouts[_i]);
    finished = false;
    atomic_store(&round_of_device, 0);
    atomic_store(&round_of_driver, 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, flushing_thread, NULL), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint16_t id;
        uint32_t written;
        bool seen;

        ring_disable_interrupts(&ring);
        ring_add(&ring, &(struct piece){BUFFERS, 4, true}, 1, false);
        ring_publish(&ring);
        meet(&round_of_driver, &round_of_device, 2 * round + 1);
        mine = mine * 6364136223846793005u + 1;
        for (volatile unsigned spin = mine >> 58; spin > 0; spin--)
            ;
        ring_enable_interrupts(&ring);
        seen = ring_take(&ring, &id, &written);
        meet(&round_of_driver, &round_of_device, 2 * round + 2);
        if (!seen && !device_interrupts[round % 2])
            ck_abort_msg("round %u: the driver saw no buffer and got no interrupt", round);
        if (!seen)
            holds(ring_take(&ring, &id, &written));
    }
    finished = true;
    pthread_join(thread, NULL);
}
END_TEST

/* VQ39, VQ40: another processor changes a descriptor while the device reads it. */

/* [spoiler] */
static void *spoiler_thread(void *unused)
{
    volatile struct vring_desc *d = ring_desc(&ring, 0);

    while (!finished) {
        d->len = 0xffffffff;
        d->len = 1;
        d->addr = RAM - 1;
        d->addr = 0xfee00000;
        d->addr = BUFFERS;
    }
    return unused;
}
/* [/spoiler] */

START_TEST(what_was_checked_is_what_is_used)
{
    static struct chain chain;
    const struct guest_region *ram = &memory.regions[0]; /* filled by power_up() */
    pthread_t thread;
    unsigned good = 0, turns = 0;
    bool was_good = false;

    power_up(8, 0);
    finished = false;
    *ring_desc(&ring, 0) = (struct vring_desc){BUFFERS, 1, VRING_DESC_F_WRITE, 0};
    ck_assert_int_eq(pthread_create(&thread, NULL, spoiler_thread, NULL), 0);
    /* On a busy computer the two may hardly ever run at once: go on until they have. */
    for (unsigned i = 0; i < 1000000 || (turns < 20000 && i < 50000000); i++) {
        bool is_good;

        ring_avail(&ring)->ring[i % 8] = 0;
        ring_avail(&ring)->idx = (uint16_t)(queue.next_pop + 1);
        is_good = virtqueue_pop(&queue, &chain) > 0;
        turns += is_good != was_good;
        was_good = is_good;
        if (is_good) {
            const uint8_t *start = chain.iov[0].iov_base; /* below host: a huge offset */

            good++;
            holds((uint64_t)(start - ram->host) + chain.iov[0].iov_len <= ram->size);
            virtqueue_push(&queue, &chain, 0);
            virtqueue_flush(&queue);
        }
        queue.broken = NULL; /* as a reset would */
    }
    finished = true;
    pthread_join(thread, NULL);
    ck_assert_uint_gt(good, 0);
}
END_TEST

static void done(void)
{
    guest_memory_free(&memory);
}

static Suite *ring_laws_suite(void)
{
    Suite *suite = suite_create("ring laws");
    TCase *tests = tcase_create("laws");

    tcase_add_checked_fixture(tests, NULL, done);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_buffer_comes_back_once_and_nobody_waits_for_ever, 0,
                        ARRAY_SIZE(layouts));
    tcase_add_test(tests, packed_rings_of_any_size_work);
    tcase_add_loop_test(tests, two_threads_never_lose_a_wake_up, 0, ARRAY_SIZE(layouts));
    tcase_add_loop_test(tests, used_and_interrupt_me_do_not_miss_each_other, 0,
                        ARRAY_SIZE(layouts));
    harness_add(tests, what_was_checked_is_what_is_used, RACES_ON_PURPOSE);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(ring_laws_suite());
}
