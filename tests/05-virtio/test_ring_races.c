/*
 * test_ring_races.c: the guest's other processors write into a ring while the device reads
 * it. What a field was when it was checked is what counts; nothing else is expected. Each
 * test goes on until it has seen both sides at work, for five seconds at most: on one
 * processor they take turns, and meet seldom.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/bits.h"
#include "driver.h"

#define BASE    0x10000u
#define BUFFERS 0x100000u
#define RAM     (4 * MIB)
#define QSZ     8u
#define TURNS   1000u /* of the index, seen by the device */
#define GOOD    2000u /* buffers that came through */

static struct guest_memory memory;
static struct ring ring;
static struct virtqueue queue;
static atomic_bool finished;

static void power_up(uint64_t features)
{
    const char *why;

    guest_memory_free(&memory);
    ck_assert_int_eq(guest_memory_add(&memory, 0, RAM), 0);
    ring_init(&ring, &memory, BASE, QSZ, features);
    memset(&queue, 0, sizeof queue);
    ck_assert_int_eq(virtqueue_start(&queue, &memory, &ring.setup, features, &why), 0);
    finished = false;
}

static bool time_is_left(time_t start)
{
    return time(NULL) < start + 5;
}

/*
 * VQ41. The index says "nothing" and "more than there is room for", in turn. Who reads it
 * once gets no buffer, whichever it is; who reads it twice takes one that was not there.
 */
static void *index_thread(void *unused)
{
    while (!finished) {
        __atomic_store_n(&ring_avail(&ring)->idx, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&ring_avail(&ring)->idx, QSZ + 1, __ATOMIC_RELAXED);
    }
    return unused;
}

START_TEST(the_available_index_is_read_once)
{
    static struct chain chain;
    pthread_t thread;
    unsigned turns = 0;
    int last = 0;
    time_t start = time(NULL);

    power_up(0);
    *ring_desc(&ring, 0) = (struct vring_desc){BUFFERS, 1, VRING_DESC_F_WRITE, 0};
    ck_assert_int_eq(pthread_create(&thread, NULL, index_thread, NULL), 0);
    for (unsigned i = 0; i < 1000000 || (turns < TURNS && time_is_left(start)); i++) {
        int got = virtqueue_pop(&queue, &chain);

        holds(got <= 0);
        turns += got != last;
        last = got;
        queue.broken = NULL; /* as a reset would */
    }
    finished = true;
    pthread_join(thread, NULL);
}
END_TEST

/* VQ69. Two processors write random bytes, words and descriptors all over the ring. */

static const unsigned seeds[] = {1, 2};

static uint64_t next_number(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 24;
}

static gpa_t place(uint64_t *seed)
{
    const gpa_t parts[] = {ring.setup.descriptors, ring.setup.driver, ring.setup.device};

    return parts[next_number(seed) % 3] + next_number(seed) % (16 * QSZ);
}

static void *scribbler_thread(void *first_seed)
{
    uint64_t seed = *(const unsigned *)first_seed;

    while (!finished) {
        volatile uint8_t *bytes = ring_at(&ring, place(&seed), 8);
        struct vring_desc d = {
            BUFFERS + next_number(&seed) % RAM, (uint32_t)(next_number(&seed) % 4096),
            (uint16_t)(next_number(&seed) % 8), (uint16_t)(next_number(&seed) % (QSZ + 1))};

        if (next_number(&seed) % 16 == 0)
            bytes[next_number(&seed) % 8] = (uint8_t)next_number(&seed);
        *(volatile struct vring_desc *)ring_desc(&ring, next_number(&seed) % QSZ) = d;
        ring_avail(&ring)->ring[next_number(&seed) % QSZ] = (uint16_t)(next_number(&seed) % QSZ);
        __atomic_store_n(&ring_avail(&ring)->idx,
                         (uint16_t)(queue.next_pop + next_number(&seed) % 3), __ATOMIC_RELAXED);
    }
    return NULL;
}

static const uint64_t layouts[] = {0, VIRTQUEUE_FEATURES & ~(1ull << VIRTIO_F_RING_PACKED),
                                   1ull << VIRTIO_F_RING_PACKED, VIRTQUEUE_FEATURES};

/* Every piece of every chain lies in RAM, and no more chains are out than fit. */
static void check_chain(const struct chain *chain)
{
    const struct guest_region *ram = &memory.regions[0];

    holds(queue.in_flight <= QSZ && chain->readable + chain->writable <= CHAIN_MAX);
    for (unsigned i = 0; i < chain->readable + chain->writable; i++) {
        const uint8_t *start = chain->iov[i].iov_base;

        holds(start >= ram->host && chain->iov[i].iov_len <= ram->size &&
              (uint64_t)(start - ram->host) <= ram->size - chain->iov[i].iov_len);
    }
}

START_TEST(two_writers_of_a_ring_hurt_nobody_else)
{
    static struct chain held[QSZ];
    pthread_t threads[ARRAY_SIZE(seeds)];
    unsigned count = 0, good = 0;
    time_t start = time(NULL);

    power_up(layouts[_i]);
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, scribbler_thread, (void *)&seeds[i]), 0);
    for (unsigned i = 0; i < 300000 || (good < GOOD && time_is_left(start)); i++) {
        virtqueue_disable_kicks(&queue);
        if (count < QSZ && virtqueue_pop(&queue, &held[count]) > 0) {
            check_chain(&held[count++]);
            good++;
        }
        if (count == QSZ || i % 3 == 0)
            while (count > 0)
                virtqueue_push(&queue, &held[--count], i);
        virtqueue_flush(&queue);
        virtqueue_enable_kicks(&queue);
        queue.broken = NULL;
    }
    finished = true;
    for (unsigned i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
}
END_TEST

static void done(void)
{
    guest_memory_free(&memory);
}

int main(void)
{
    Suite *suite = suite_create("ring races");
    TCase *tests = tcase_create("races");

    tcase_add_checked_fixture(tests, NULL, done);
    tcase_set_timeout(tests, 60);
    harness_add(tests, the_available_index_is_read_once, RACES_ON_PURPOSE);
    if (RACES_ON_PURPOSE)
        printf("SKIP two_writers_of_a_ring_hurt_nobody_else: %s\n", RACES_ON_PURPOSE);
    else
        tcase_add_loop_test(tests, two_writers_of_a_ring_hurt_nobody_else, 0, ARRAY_SIZE(layouts));
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
