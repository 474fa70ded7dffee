/*
 * test_virtqueue.c: what a split or packed ring may be, and each way to break one.
 *
 * Rows of this form: build a legal ring, spoil it, and see what virtqueue_pop() says.
 *
 * Long, because there are two layouts, and each has its own ways.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/bits.h"
#include "driver.h"

#define QSZ    8u
#define RAM    (1 * MIB)
#define ROM    (2 * MIB)
#define BASE   0x10000u
#define BUFFER 0x80000u
#define VQ_ALL (VIRTQUEUE_FEATURES & ~(1ull << VIRTIO_F_RING_PACKED))
#define PACKED (1ull << VIRTIO_F_RING_PACKED)

static struct guest_memory memory;
static struct ring ring;
static struct virtqueue queue;
static struct chain chain;

static void power_up(uint64_t features)
{
    const char *why;

    guest_memory_free(&memory);
    ck_assert_int_eq(guest_memory_add(&memory, 0, RAM), 0);
    ck_assert_int_eq(guest_memory_add(&memory, ROM, 0x1000), 0);
    memory.regions[1].read_only = true;
    ring_init(&ring, &memory, BASE, QSZ, features);
    memset(&queue, 0, sizeof queue);
    ck_assert_int_eq(virtqueue_start(&queue, &memory, &ring.setup, features, &why), 0);
}

static void split(void)
{
    power_up(VQ_ALL);
}

static void done(void)
{
    guest_memory_free(&memory);
}

/* Descriptor i, and the head made available. */
static void put(unsigned i, gpa_t address, uint32_t length, uint16_t flags, uint16_t next)
{
    *ring_desc(&ring, i) = (struct vring_desc){address, length, flags, next};
}

static void offer(uint16_t head)
{
    struct vring_avail *avail = ring_avail(&ring);

    avail->ring[avail->idx % QSZ] = head;
    avail->idx++;
}

static void expect_broken(const char *part_of_why)
{
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), -EPROTO);
    ck_assert_ptr_nonnull(queue.broken);
    ck_assert_msg(strstr(queue.broken, part_of_why) != NULL, "broken for another reason: %s",
                  queue.broken);
    /* And it stays so, whatever comes. */
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), -EPROTO);
    ck_assert(!virtqueue_enable_kicks(&queue));
}

#define NEXT     VRING_DESC_F_NEXT
#define WRITE    VRING_DESC_F_WRITE
#define INDIRECT VRING_DESC_F_INDIRECT

/* VQ01-VQ04: links. */

START_TEST(a_chain_that_is_a_loop_breaks)
{
    put(0, BUFFER, 1, NEXT, 0);
    offer(0);
    expect_broken("loop");
}
END_TEST

START_TEST(a_loop_of_two_breaks)
{
    put(0, BUFFER, 1, NEXT, 1);
    put(1, BUFFER, 1, NEXT, 0);
    offer(0);
    expect_broken("loop");
}
END_TEST

/* They add nothing to a chain, so only the number of steps can end it. */
START_TEST(a_loop_of_empty_pieces_breaks_soon) /* VQ21 */
{
    struct timespec before, after;

    put(0, BUFFER, 0, NEXT, 0);
    offer(0);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    expect_broken("loop");
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    ck_assert_int_le(after.tv_sec - before.tv_sec, 1);
}
END_TEST

START_TEST(a_chain_may_have_as_many_descriptors_as_the_ring)
{
    for (unsigned i = 0; i < QSZ; i++)
        put(i, BUFFER + i, 1, i + 1 < QSZ ? NEXT : 0, (uint16_t)(i + 1));
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.readable, QSZ);
    ck_assert_uint_eq(chain.readable_size, QSZ);
}
END_TEST

START_TEST(a_link_beyond_the_table_breaks)
{
    put(0, BUFFER, 1, NEXT, QSZ);
    offer(0);
    expect_broken("beyond its table");
}
END_TEST

/* VQ06-VQ10: heads and indices. */

static const uint16_t wrong_heads[] = {QSZ, 0x7fff, 0x8000, 0xffff};

START_TEST(a_head_beyond_the_table_breaks)
{
    offer(wrong_heads[_i]);
    expect_broken("beyond its table");
}
END_TEST

static const uint16_t wrong_indices[] = {QSZ + 1, 0x7fff, 0x8000, 0xffff};

START_TEST(an_index_that_jumps_breaks)
{
    put(0, BUFFER, 1, 0, 0);
    ring_avail(&ring)->idx = wrong_indices[_i];
    expect_broken("than the ring has places");
}
END_TEST

START_TEST(an_index_that_runs_backwards_breaks)
{
    put(0, BUFFER, 1, 0, 0);
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    virtqueue_push(&queue, &chain, 0);
    ring_avail(&ring)->idx = 0;
    expect_broken("than the ring has places");
}
END_TEST

START_TEST(an_index_that_runs_backwards_breaks_with_chains_in_flight)
{
    put(0, BUFFER, 1, 0, 0);
    for (unsigned i = 0; i < 3; i++)
        offer(0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ring_avail(&ring)->idx = 1;
    expect_broken("than the ring has places");
}
END_TEST

START_TEST(no_more_chains_are_in_flight_than_the_ring_has_places)
{
    put(0, BUFFER, 1, 0, 0);
    for (unsigned i = 0; i < QSZ; i++)
        offer(0); /* the same one again and again */
    for (unsigned i = 0; i < QSZ; i++)
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 0);
    offer(0);
    expect_broken("than the ring has places");
}
END_TEST

START_TEST(indices_wrap_at_65536)
{
    uint16_t id;
    uint32_t written;

    for (unsigned i = 0; i < 70000; i++) {
        ck_assert_int_ge(ring_add(&ring, &(struct piece){BUFFER, 4, true}, 1, false), 0);
        ring_publish(&ring);
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
        virtqueue_push(&queue, &chain, i);
        virtqueue_flush(&queue);
        ck_assert(ring_take(&ring, &id, &written));
        ck_assert_uint_eq(written, i);
    }
}
END_TEST

/* VQ12-VQ19: addresses. */

static const struct {
    gpa_t address;
    uint32_t length;
    uint16_t flags;
} outside[] = {
    {RAM - 1, 2, WRITE},     {RAM - 1, 2, 0},    {RAM, 1, 0},
    {0xfee00000, 4, WRITE},  {UINT64_MAX, 1, 0}, {UINT64_MAX - 3, 8, WRITE},
    {1ull << 63, 1, WRITE},  {0, 0xffffffff, 0}, {ROM, 1, WRITE},
    {ROM + 0xfff, 1, WRITE},
};

START_TEST(a_descriptor_outside_its_memory_breaks)
{
    uint8_t *last = guest_ptr(&memory, RAM - 1, 1);

    *last = 0x55;
    put(0, outside[_i].address, outside[_i].length, outside[_i].flags, 0);
    offer(0);
    expect_broken("outside the memory");
    ck_assert_uint_eq(*last, 0x55);
}
END_TEST

START_TEST(read_only_memory_can_be_read)
{
    put(0, ROM, 0x1000, 0, 0);
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.readable_size, 0x1000);
}
END_TEST

/* VQ20, VQ21, VQ25: lengths and order. */

START_TEST(pieces_of_length_zero_leave_no_iovec)
{
    put(0, BUFFER, 3, NEXT, 1);
    put(1, UINT64_MAX, 0, NEXT, 2); /* points nowhere, and at nothing */
    put(2, BUFFER, 5, NEXT | WRITE, 3);
    put(3, BUFFER, 0, WRITE, 0);
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.readable, 1);
    ck_assert_uint_eq(chain.writable, 1);
}
END_TEST

START_TEST(a_chain_may_be_empty)
{
    for (unsigned i = 0; i < QSZ; i++)
        put(i, 0, 0, i + 1 < QSZ ? NEXT : 0, (uint16_t)(i + 1));
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.readable + chain.writable, 0);
}
END_TEST

START_TEST(readable_after_writable_breaks)
{
    put(0, BUFFER, 1, NEXT | WRITE, 1);
    put(1, BUFFER, 1, 0, 0);
    offer(0);
    expect_broken("follows a device-writable");
}
END_TEST

/* VQ26-VQ37: indirect tables. */

static void put_table(gpa_t table, unsigned i, struct vring_desc d)
{
    memcpy(ring_at(&ring, table + 16 * i, 16), &d, 16);
}

START_TEST(an_indirect_table_needs_the_feature)
{
    power_up(VQ_ALL & ~(1ull << VIRTIO_RING_F_INDIRECT_DESC));
    put_table(BUFFER, 0, (struct vring_desc){BUFFER, 1, 0, 0});
    put(0, BUFFER, 16, INDIRECT, 0);
    offer(0);
    expect_broken("where none may be");
}
END_TEST

START_TEST(an_indirect_descriptor_is_the_last)
{
    put_table(BUFFER, 0, (struct vring_desc){BUFFER, 1, 0, 0});
    put(0, BUFFER, 16, INDIRECT | NEXT, 1);
    put(1, BUFFER, 1, 0, 0);
    offer(0);
    expect_broken("where none may be");
}
END_TEST

START_TEST(direct_descriptors_may_come_before_an_indirect_one)
{
    put(0, BUFFER, 7, NEXT, 1);
    put(1, BUFFER, 32, INDIRECT | WRITE, 0); /* WRITE means nothing here */
    put_table(BUFFER, 0, (struct vring_desc){BUFFER + 64, 9, NEXT, 1});
    put_table(BUFFER, 1, (struct vring_desc){BUFFER + 80, 11, WRITE, 0});
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.readable_size, 16);
    ck_assert_uint_eq(chain.writable_size, 11);
}
END_TEST

static const uint32_t wrong_tables[] = {17, 0, 15, 1, 16 * (CHAIN_MAX + 1), 0xfffffff0, 0xffffffff};

START_TEST(an_indirect_table_of_a_wrong_size_breaks)
{
    put(0, BUFFER, wrong_tables[_i], INDIRECT, 0);
    offer(0);
    expect_broken("indirect table of a wrong size");
}
END_TEST

START_TEST(an_indirect_table_may_be_longer_than_the_ring)
{
    for (unsigned i = 0; i < QSZ + 1; i++)
        put_table(BUFFER, i, (struct vring_desc){BUFFER, 1, i < QSZ ? NEXT : 0, (uint16_t)(i + 1)});
    put(0, BUFFER, 16 * (QSZ + 1), INDIRECT, 0);
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.readable, QSZ + 1);
}
END_TEST

START_TEST(an_indirect_table_in_another_breaks)
{
    put_table(BUFFER, 0, (struct vring_desc){BUFFER + 64, 16, INDIRECT, 0});
    put_table(BUFFER + 64, 0, (struct vring_desc){BUFFER, 1, 0, 0});
    put(0, BUFFER, 16, INDIRECT, 0);
    offer(0);
    expect_broken("where none may be");
}
END_TEST

START_TEST(an_indirect_table_outside_memory_breaks)
{
    put(0, RAM - 16, 32, INDIRECT, 0);
    offer(0);
    expect_broken("not in RAM");
}
END_TEST

START_TEST(an_indirect_table_may_lie_at_an_odd_address)
{
    put_table(BUFFER + 1, 0, (struct vring_desc){BUFFER, 77, WRITE, 0});
    put(0, BUFFER + 1, 16, INDIRECT, 0);
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.writable_size, 77);
}
END_TEST

START_TEST(a_loop_in_an_indirect_table_breaks)
{
    put_table(BUFFER, 0, (struct vring_desc){BUFFER, 1, NEXT, 0});
    put(0, BUFFER, 16, INDIRECT, 0);
    offer(0);
    expect_broken("loop");
}
END_TEST

START_TEST(a_link_beyond_an_indirect_table_breaks)
{
    put_table(BUFFER, 0, (struct vring_desc){BUFFER, 1, NEXT, 2});
    put_table(BUFFER, 1, (struct vring_desc){BUFFER, 1, 0, 0});
    put_table(BUFFER, 2, (struct vring_desc){BUFFER, 1, 0, 0});
    put(0, BUFFER, 32, INDIRECT, 0);
    offer(0);
    expect_broken("beyond its table");
}
END_TEST

/* VQ43-VQ47: where a ring may lie, and how large it may be. */

static int start(struct virtqueue_setup setup, uint64_t features)
{
    struct virtqueue fresh = {0};
    const char *why = NULL;
    int error = virtqueue_start(&fresh, &memory, &setup, features, &why);

    ck_assert((error == 0) == (why == NULL));
    return error;
}

static const struct {
    struct virtqueue_setup setup;
    uint64_t features;
    int error;
} starts[] = {
    {{8, 0x1000, 0x2000, 0x3000}, 0, 0},
    {{256, 0x1000, 0x2000, 0x3000}, 0, 0},
    {{1, 0x1000, 0x2000, 0x3000}, 0, 0},
    {{0, 0x1000, 0x2000, 0x3000}, 0, -EINVAL},
    {{0, 0x1000, 0x2000, 0x3000}, PACKED, -EINVAL},
    {{3, 0x1000, 0x2000, 0x3000}, 0, -EINVAL},
    {{3, 0x1000, 0x2000, 0x3000}, PACKED, 0},
    {{512, 0x1000, 0x4000, 0x6000}, 0, 0},
    {{1024, 0x1000, 0x6000, 0x8000}, 0, -EINVAL},
    {{0x8000, 0x1000, 0x2000, 0x3000}, PACKED, -EINVAL},
    {{8, 0x1008, 0x2000, 0x3000}, 0, -EINVAL},
    {{8, 0x1000, 0x2001, 0x3000}, 0, -EINVAL},
    {{8, 0x1000, 0x2002, 0x3000}, 0, 0},
    {{8, 0x1000, 0x2000, 0x3002}, 0, -EINVAL},
    {{8, 0x1008, 0x2000, 0x3000}, PACKED, -EINVAL},
    {{8, 0x1000, 0x2002, 0x3000}, PACKED, -EINVAL},
    {{8, 0x1000, 0x2000, 0x3002}, PACKED, -EINVAL},
    {{8, 0x1000, 0x2000, RAM - 4}, 0, -EINVAL},
    {{8, 0x1000, RAM - 20, 0x3000}, 0, -EINVAL},
    {{8, 0x1000, RAM - 22, 0x3000}, 0, 0},
    {{8, 0x1000, 0x2000, RAM - 72}, 0, 0},
    {{8, RAM - 112, 0x2000, 0x3000}, 0, -EINVAL},
    {{8, 0x1000, 0x2000, RAM - 4}, PACKED, 0},
    {{8, RAM - 112, 0x2000, 0x3000}, PACKED, -EINVAL},
    {{8, UINT64_MAX & ~15ull, 0x2000, 0x3000}, 0, -EINVAL},
    {{8, 0x1000, 0x2000, ROM}, 0, -EINVAL},
    {{8, ROM, 0x2000, 0x3000}, PACKED, -EINVAL},
    {{8, ROM, ROM + 0x100, 0x3000}, 0, 0},
    {{8, 0x1000, 0x2000, ROM}, PACKED, -EINVAL},
};

START_TEST(a_ring_starts_only_where_it_can_lie)
{
    ck_assert_int_eq(start(starts[_i].setup, starts[_i].features), starts[_i].error);
}
END_TEST

START_TEST(used_and_available_ring_may_overlap_without_harm)
{
    struct virtqueue_setup setup = {QSZ, BASE, BASE + RING_DRIVER, BASE + RING_DRIVER};
    const char *why;

    ck_assert_int_eq(virtqueue_start(&queue, &memory, &setup, 0, &why), 0);
    put(0, BUFFER, 1, WRITE, 0);
    for (unsigned i = 0; i < 1000; i++) {
        offer(0);
        if (virtqueue_pop(&queue, &chain) > 0)
            virtqueue_push(&queue, &chain, 0xffffffff);
        virtqueue_flush(&queue);
        virtqueue_enable_kicks(&queue);
    }
}
END_TEST

START_TEST(a_queue_that_was_not_started_has_nothing)
{
    struct virtqueue none = {0};

    ck_assert_int_eq(virtqueue_pop(&none, &chain), 0);
    ck_assert(!virtqueue_flush(&none));
    virtqueue_disable_kicks(&none);
    ck_assert(!virtqueue_enable_kicks(&none));
}
END_TEST

/* Whether the driver wants to know is asked when it is told, not when it could look. */
START_TEST(what_is_published_can_be_told_later)
{
    uint16_t id;
    uint32_t written;

    power_up(_i ? VQ_ALL | PACKED : VQ_ALL);
    for (unsigned round = 0; round < 3 * QSZ; round++) {
        bool looks = round % 3 != 0;

        ring_enable_interrupts(&ring);
        ck_assert_int_ge(ring_add(&ring, &(struct piece){BUFFER, 4, true}, 1, false), 0);
        ring_publish(&ring);
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
        virtqueue_push(&queue, &chain, 4);
        virtqueue_publish(&queue);
        if (looks) {
            ck_assert(ring_take(&ring, &id, &written));
            ring_enable_interrupts(&ring);
        }
        ck_assert_int_eq(virtqueue_flush(&queue), !looks);
        if (!looks)
            ck_assert(ring_take(&ring, &id, &written));
        ck_assert(!virtqueue_flush(&queue));
    }
}
END_TEST

START_TEST(a_chain_put_back_comes_again)
{
    for (unsigned round = 0; round < 3 * QSZ; round++) {
        uint16_t id, first;
        uint32_t written;
        struct piece pieces[] = {{BUFFER, 4, false}, {BUFFER + 4, 4, true}};

        ring_add(&ring, pieces, 2, false);
        ring_publish(&ring);
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
        first = chain.id;
        virtqueue_unpop(&queue, &chain);
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
        ck_assert_uint_eq(chain.id, first);
        ck_assert_uint_eq(chain.writable_size, 4);
        virtqueue_push(&queue, &chain, 4);
        virtqueue_flush(&queue);
        ck_assert(ring_take(&ring, &id, &written));
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 0);
    }
}
END_TEST

static void packed(void)
{
    power_up(VQ_ALL | PACKED);
}

/* The same ring, packed. */

static void put_packed(unsigned place, gpa_t address, uint32_t length, uint16_t flags)
{
    *ring_packed(&ring, place) = (struct vring_packed_desc){address, length, 0,
                                                            flags | ring_flags(true)};
}

START_TEST(packed_a_chain_without_end_breaks)
{
    for (unsigned i = 0; i < QSZ; i++)
        put_packed(i, BUFFER, 1, NEXT);
    expect_broken("than the ring has places");
}
END_TEST

START_TEST(packed_a_used_descriptor_is_not_available)
{
    put_packed(0, BUFFER, 1, 1 << VRING_PACKED_DESC_F_USED);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 0);
    put_packed(0, BUFFER, 1, 0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
}
END_TEST

START_TEST(packed_a_chain_may_fill_the_ring)
{
    for (unsigned i = 0; i < QSZ; i++)
        put_packed(i, BUFFER, 1, i + 1 < QSZ ? NEXT : 0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.slots, QSZ);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 0);
}
END_TEST

START_TEST(packed_places_in_flight_cannot_be_offered_again)
{
    for (unsigned i = 0; i < QSZ; i++)
        put_packed(i, BUFFER, 1, 0);
    for (unsigned i = 0; i < QSZ; i++)
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    *ring_packed(&ring, 0) = (struct vring_packed_desc){BUFFER, 1, 0, ring_flags(false)};
    expect_broken("than the ring has places");
}
END_TEST

START_TEST(packed_a_descriptor_outside_its_memory_breaks)
{
    put_packed(0, outside[_i].address, outside[_i].length, outside[_i].flags);
    expect_broken("outside the memory");
}
END_TEST

START_TEST(packed_an_indirect_descriptor_stands_alone)
{
    put_table(BUFFER, 0, (struct vring_desc){BUFFER, 1, 0, 0});
    put_packed(0, BUFFER, 1, NEXT);
    put_packed(1, BUFFER, 16, INDIRECT);
    expect_broken("where none may be");
}
END_TEST

START_TEST(packed_an_indirect_table_of_a_wrong_size_breaks)
{
    put_packed(0, BUFFER, wrong_tables[_i], INDIRECT);
    expect_broken("indirect table of a wrong size");
}
END_TEST

START_TEST(packed_readable_after_writable_breaks)
{
    put_packed(0, BUFFER, 1, WRITE | NEXT);
    put_packed(1, BUFFER, 1, 0);
    expect_broken("follows a device-writable");
}
END_TEST

START_TEST(packed_flags_in_an_indirect_table_but_write_are_ignored)
{
    struct vring_packed_desc d = {BUFFER, 5, 0xffff, (uint16_t)~WRITE};

    memcpy(ring_at(&ring, BUFFER, 16), &d, 16);
    d.flags = 0xffff;
    memcpy(ring_at(&ring, BUFFER + 16, 16), &d, 16);
    put_packed(0, BUFFER, 32, INDIRECT | WRITE);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    ck_assert_uint_eq(chain.readable_size, 5);
    ck_assert_uint_eq(chain.writable_size, 5);
}
END_TEST

/* VQ67, VQ68: whatever the event fields say, nothing but interrupts depends on it. */

START_TEST(any_event_index_is_survived)
{
    power_up(_i ? VQ_ALL | PACKED : VQ_ALL);
    for (unsigned i = 0; i < 200000; i++) {
        uint16_t id;
        uint32_t written;

        ck_assert_int_ge(ring_add(&ring, &(struct piece){BUFFER, 4, true}, 1, i % 2), 0);
        ring_publish(&ring);
        if (_i) {
            ring_event(&ring, ring.setup.driver)->off_wrap = (uint16_t)(i * 40503u);
            ring_event(&ring, ring.setup.driver)->flags = (uint16_t)(i >> 3);
        } else {
            ring_avail(&ring)->ring[QSZ] = (uint16_t)(ring.last + 0x8000 + i * 40503u);
            ring_avail(&ring)->flags = (uint16_t)i;
        }
        ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
        virtqueue_push(&queue, &chain, 4);
        virtqueue_flush(&queue);
        ck_assert(ring_take(&ring, &id, &written));
    }
    /* A driver that keeps the rules again gets its interrupt. */
    ring_enable_interrupts(&ring);
    ring_add(&ring, &(struct piece){BUFFER, 4, true}, 1, false);
    ring_publish(&ring);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);
    virtqueue_push(&queue, &chain, 4);
    ck_assert(virtqueue_flush(&queue));
}
END_TEST

/* The parts of a chain, by offset. */

START_TEST(chains_are_read_and_written_by_offset)
{
    uint8_t bytes[16];
    struct iovec slice[CHAIN_MAX];

    put(0, BUFFER, 3, NEXT, 1);
    put(1, BUFFER + 0x100, 4, NEXT, 2);
    put(2, BUFFER + 0x200, 2, NEXT | WRITE, 3);
    put(3, BUFFER + 0x300, 5, WRITE, 0);
    memcpy(ring_at(&ring, BUFFER, 3), "abc", 3);
    memcpy(ring_at(&ring, BUFFER + 0x100, 4), "defg", 4);
    offer(0);
    ck_assert_int_eq(virtqueue_pop(&queue, &chain), 1);

    ck_assert_uint_eq(chain_read(&chain, 2, bytes, sizeof bytes), 5);
    ck_assert_mem_eq(bytes, "cdefg", 5);
    ck_assert_uint_eq(chain_read(&chain, 7, bytes, sizeof bytes), 0);
    ck_assert_uint_eq(chain_read(&chain, UINT64_MAX, bytes, sizeof bytes), 0);
    ck_assert_uint_eq(chain_write(&chain, 1, "12345678", 8), 6);
    ck_assert_mem_eq(ring_at(&ring, BUFFER + 0x200, 2), "\0001", 2);
    ck_assert_mem_eq(ring_at(&ring, BUFFER + 0x300, 6), "23456\0", 6);

    ck_assert_uint_eq(chain_readable(&chain, 1, 4, slice), 2);
    ck_assert_ptr_eq(slice[0].iov_base, ring_at(&ring, BUFFER + 1, 1));
    ck_assert_uint_eq(slice[0].iov_len, 2);
    ck_assert_uint_eq(slice[1].iov_len, 2);
    ck_assert_uint_eq(chain_writable(&chain, 2, 5, slice), 1);
    ck_assert_uint_eq(slice[0].iov_len, 5);
    ck_assert_uint_eq(chain_writable(&chain, 0, 0, slice), 0);
}
END_TEST

static Suite *virtqueue_suite(void)
{
    Suite *suite = suite_create("virtqueue");
    TCase *rules = tcase_create("split");
    TCase *same = tcase_create("packed");

    tcase_add_checked_fixture(rules, split, done);
    tcase_add_test(rules, a_chain_that_is_a_loop_breaks);
    tcase_add_test(rules, a_loop_of_two_breaks);
    tcase_add_test(rules, a_loop_of_empty_pieces_breaks_soon);
    tcase_add_test(rules, a_chain_may_have_as_many_descriptors_as_the_ring);
    tcase_add_test(rules, a_link_beyond_the_table_breaks);
    tcase_add_loop_test(rules, a_head_beyond_the_table_breaks, 0, ARRAY_SIZE(wrong_heads));
    tcase_add_loop_test(rules, an_index_that_jumps_breaks, 0, ARRAY_SIZE(wrong_indices));
    tcase_add_test(rules, an_index_that_runs_backwards_breaks);
    tcase_add_test(rules, an_index_that_runs_backwards_breaks_with_chains_in_flight);
    tcase_add_test(rules, no_more_chains_are_in_flight_than_the_ring_has_places);
    tcase_add_test(rules, indices_wrap_at_65536);
    tcase_add_loop_test(rules, a_descriptor_outside_its_memory_breaks, 0, ARRAY_SIZE(outside));
    tcase_add_test(rules, read_only_memory_can_be_read);
    tcase_add_test(rules, pieces_of_length_zero_leave_no_iovec);
    tcase_add_test(rules, a_chain_may_be_empty);
    tcase_add_test(rules, readable_after_writable_breaks);
    tcase_add_test(rules, an_indirect_table_needs_the_feature);
    tcase_add_test(rules, an_indirect_descriptor_is_the_last);
    tcase_add_test(rules, direct_descriptors_may_come_before_an_indirect_one);
    tcase_add_loop_test(rules, an_indirect_table_of_a_wrong_size_breaks, 0,
                        ARRAY_SIZE(wrong_tables));
    tcase_add_test(rules, an_indirect_table_may_be_longer_than_the_ring);
    tcase_add_test(rules, an_indirect_table_in_another_breaks);
    tcase_add_test(rules, an_indirect_table_outside_memory_breaks);
    tcase_add_test(rules, an_indirect_table_may_lie_at_an_odd_address);
    tcase_add_test(rules, a_loop_in_an_indirect_table_breaks);
    tcase_add_test(rules, a_link_beyond_an_indirect_table_breaks);
    tcase_add_loop_test(rules, a_ring_starts_only_where_it_can_lie, 0, ARRAY_SIZE(starts));
    tcase_add_test(rules, used_and_available_ring_may_overlap_without_harm);
    tcase_add_test(rules, a_queue_that_was_not_started_has_nothing);
    tcase_add_loop_test(rules, what_is_published_can_be_told_later, 0, 2);
    tcase_add_test(rules, a_chain_put_back_comes_again);
    tcase_add_test(rules, chains_are_read_and_written_by_offset);
    suite_add_tcase(suite, rules);

    tcase_add_checked_fixture(same, packed, done);
    tcase_add_test(same, packed_a_chain_without_end_breaks);
    tcase_add_test(same, packed_a_used_descriptor_is_not_available);
    tcase_add_test(same, packed_a_chain_may_fill_the_ring);
    tcase_add_test(same, packed_places_in_flight_cannot_be_offered_again);
    tcase_add_loop_test(same, packed_a_descriptor_outside_its_memory_breaks, 0,
                        ARRAY_SIZE(outside));
    tcase_add_test(same, packed_an_indirect_descriptor_stands_alone);
    tcase_add_loop_test(same, packed_an_indirect_table_of_a_wrong_size_breaks, 0,
                        ARRAY_SIZE(wrong_tables));
    tcase_add_test(same, packed_readable_after_writable_breaks);
    tcase_add_test(same, packed_flags_in_an_indirect_table_but_write_are_ignored);
    tcase_add_test(same, a_chain_put_back_comes_again);
    tcase_add_test(same, indices_wrap_at_65536);
    tcase_add_loop_test(same, any_event_index_is_survived, 0, 2);
    suite_add_tcase(suite, same);
    return suite;
}

int main(void)
{
    return harness_main(virtqueue_suite());
}
