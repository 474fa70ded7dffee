/*
 * driver.h: the driver's end of a virtqueue, for tests: what a kernel's virtio_ring does,
 * in a few hundred lines, over the same struct guest_memory that the device sees.
 *
 *     ring_init(&ring, &memory, 0x10000, 8, features);       where it lies, how large
 *     id = ring_add(&ring, pieces, 3, false);                 descriptors, then available
 *     if (ring_publish(&ring)) ... notify the device ...      as its notification rules say
 *     while (ring_take(&ring, &id, &written)) ...             what came back
 *
 * A legal driver: it keeps every rule of [VIRTIO, 2.7 and 2.8]. Tests that break rules
 * write into guest memory themselves, through ring_desc() and its like.
 */
#ifndef TESTS_05_DRIVER_H
#define TESTS_05_DRIVER_H

#include <stddef.h>
#include <string.h>

#include "05-virtio/virtqueue.h"
#include "harness/harness.h"

/* Bytes of guest memory from ring_init()'s base on. */
#define RING_BYTES     0x20000u
#define RING_DRIVER    0x1000u /* parts of the ring, from base */
#define RING_DEVICE    0x2000u
#define RING_TABLES    0x4000u /* an indirect table for each buffer */
#define RING_TABLE_MAX 16u     /* descriptors in one */

/* Tests in which a guest writes where the device reads; for harness_add(). */
#ifdef __SANITIZE_THREAD__
#define RACES_ON_PURPOSE "races on purpose, which ThreadSanitizer would report"
#else
#define RACES_ON_PURPOSE ((const char *)NULL)
#endif

/* ck_assert() costs a system call even when all is well; this does not. */
#define holds(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s is not so", #condition);                                              \
    } while (0)

struct piece {
    gpa_t address;
    uint32_t length;
    bool writable;
};

struct ring {
    struct guest_memory *memory;
    struct virtqueue_setup setup;
    gpa_t base;
    bool packed, event_index;
    unsigned size, free; /* descriptors */
    uint16_t free_ids[VIRTQUEUE_SIZE_MAX];
    unsigned free_id_count;
    uint16_t slots[VIRTQUEUE_SIZE_MAX]; /* by id: descriptors it fills, 0 if not lent */
    uint16_t next, last;                /* available and used: index, or place */
    bool next_wrap, last_wrap;
    unsigned added; /* since the last ring_publish() (packed: slots) */
};

static inline void *ring_at(struct ring *r, gpa_t address, uint64_t size)
{
    void *host = guest_ptr(r->memory, address, size);

    holds(host != NULL);
    return host;
}

static inline struct vring_desc *ring_desc(struct ring *r, unsigned index)
{
    return (struct vring_desc *)ring_at(r, r->setup.descriptors, 16ull * r->size) + index;
}

static inline struct vring_avail *ring_avail(struct ring *r)
{
    return ring_at(r, r->setup.driver, 6 + 2ull * r->size);
}

static inline struct vring_used *ring_used(struct ring *r)
{
    return ring_at(r, r->setup.device, 6 + 8ull * r->size);
}

static inline struct vring_packed_desc *ring_packed(struct ring *r, unsigned place)
{
    return (struct vring_packed_desc *)ring_at(r, r->setup.descriptors, 16ull * r->size) + place;
}

static inline struct vring_packed_desc_event *ring_event(struct ring *r, gpa_t address)
{
    return ring_at(r, address, 4);
}

static inline void ring_init(struct ring *r, struct guest_memory *memory, gpa_t base, unsigned size,
                             uint64_t features)
{
    *r = (struct ring){
        .memory = memory,
        .base = base,
        .size = size,
        .free = size,
        .packed = features >> VIRTIO_F_RING_PACKED & 1,
        .event_index = features >> VIRTIO_RING_F_EVENT_IDX & 1,
        .next_wrap = true,
        .last_wrap = true,
        .setup = {(uint16_t)size, base, base + RING_DRIVER, base + RING_DEVICE},
    };
    memset(ring_at(r, base, RING_TABLES), 0, RING_TABLES);
    for (unsigned i = 0; i < size; i++)
        r->free_ids[r->free_id_count++] = (uint16_t)(size - 1 - i);
}

static inline gpa_t ring_table(const struct ring *r, unsigned id)
{
    return r->base + RING_TABLES + id * RING_TABLE_MAX * 16;
}

/* Split: descriptors are numbered; a free one is any whose number is in free_ids. */
static inline int ring_add_split(struct ring *r, const struct piece *pieces, unsigned count,
                                 bool indirect)
{
    unsigned slots = indirect ? 1 : count;
    uint16_t numbers[VIRTQUEUE_SIZE_MAX] = {0}, head;

    for (unsigned i = 0; i < slots; i++)
        numbers[i] = r->free_ids[--r->free_id_count];
    head = numbers[0];
    for (unsigned i = 0; i < count; i++) {
        struct vring_desc d = {pieces[i].address, pieces[i].length, 0, 0};

        d.flags = (pieces[i].writable ? VRING_DESC_F_WRITE : 0) |
                  (i + 1 < count ? VRING_DESC_F_NEXT : 0);
        if (indirect) {
            d.next = (uint16_t)(i + 1);
            memcpy(ring_at(r, ring_table(r, head) + 16 * i, 16), &d, 16);
        } else {
            d.next = i + 1 < count ? numbers[i + 1] : 0;
            *ring_desc(r, numbers[i]) = d;
        }
    }
    if (indirect)
        *ring_desc(r, head) = (struct vring_desc){ring_table(r, head), 16 * count,
                                                  VRING_DESC_F_INDIRECT, 0};
    r->slots[head] = (uint16_t)slots;
    r->free -= slots;
    ring_avail(r)->ring[r->next++ % r->size] = head;
    r->added++;
    return head;
}

/* Free the chain's descriptors again, by following it. */
static inline void ring_free_split(struct ring *r, uint16_t head)
{
    uint16_t number = head;

    for (unsigned i = 0; i < r->slots[head]; i++) {
        r->free_ids[r->free_id_count++] = number;
        number = ring_desc(r, number)->next;
    }
}

static inline uint16_t ring_flags(bool wrap)
{
    return (uint16_t)(wrap << VRING_PACKED_DESC_F_AVAIL | !wrap << VRING_PACKED_DESC_F_USED);
}

static inline void ring_step(const struct ring *r, uint16_t *place, bool *wrap)
{
    if (++*place == r->size) {
        *place = 0;
        *wrap = !*wrap;
    }
}

static inline int ring_add_packed(struct ring *r, const struct piece *pieces, unsigned count,
                                  bool indirect)
{
    unsigned slots = indirect ? 1 : count;
    uint16_t id = r->free_ids[--r->free_id_count], first_flags = 0;
    struct vring_packed_desc *first = ring_packed(r, r->next);

    for (unsigned i = 0; i < count; i++) {
        struct vring_packed_desc d = {pieces[i].address, pieces[i].length, id, 0};

        d.flags = pieces[i].writable ? VRING_DESC_F_WRITE : 0;
        if (indirect) {
            memcpy(ring_at(r, ring_table(r, id) + 16 * i, 16), &d, 16);
            continue;
        }
        d.flags |= ring_flags(r->next_wrap) | (i + 1 < count ? VRING_DESC_F_NEXT : 0);
        if (i == 0) {
            first_flags = d.flags; /* not yet: the device is looking at them */
            memcpy(first, &d, offsetof(struct vring_packed_desc, flags));
        } else {
            *ring_packed(r, r->next) = d;
        }
        ring_step(r, &r->next, &r->next_wrap);
    }
    if (indirect) {
        first_flags = ring_flags(r->next_wrap) | VRING_DESC_F_INDIRECT;
        first->addr = ring_table(r, id);
        first->len = 16 * count;
        first->id = id;
        ring_step(r, &r->next, &r->next_wrap);
    }
    __atomic_store_n(&first->flags, first_flags, __ATOMIC_RELEASE);
    r->slots[id] = (uint16_t)slots;
    r->free -= slots;
    r->added += slots;
    return id;
}

/* Lends a buffer: its id, or -1 if the ring is full. */
static inline int ring_add(struct ring *r, const struct piece *pieces, unsigned count,
                           bool indirect)
{
    unsigned slots = indirect ? 1 : count;

    holds(count > 0 && (!indirect || count <= RING_TABLE_MAX));
    if (slots > r->free || r->free_id_count == 0)
        return -1;
    return r->packed ? ring_add_packed(r, pieces, count, indirect)
                     : ring_add_split(r, pieces, count, indirect);
}

static inline bool ring_passed(uint16_t event, uint16_t next, unsigned moved)
{
    return (uint16_t)(next - event - 1) < (uint16_t)moved;
}

static inline bool ring_wants_kick_packed(struct ring *r, unsigned moved)
{
    struct vring_packed_desc_event *device = ring_event(r, r->setup.device);
    uint16_t off = __atomic_load_n(&device->off_wrap, __ATOMIC_ACQUIRE), event = off & 0x7fff;

    switch (__atomic_load_n(&device->flags, __ATOMIC_ACQUIRE)) {
    case VRING_PACKED_EVENT_FLAG_ENABLE: return true;
    case VRING_PACKED_EVENT_FLAG_DISABLE: return false;
    }
    if (off >> 15 != r->next_wrap)
        event = (uint16_t)(event - r->size);
    return ring_passed(event, r->next, moved);
}

/* Makes what was added visible. True: the device wants to be notified. */
static inline bool ring_publish(struct ring *r)
{
    unsigned moved = r->added;

    r->added = 0;
    if (!r->packed)
        __atomic_store_n(&ring_avail(r)->idx, r->next, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (moved == 0)
        return false;
    if (r->packed)
        return ring_wants_kick_packed(r, moved);
    if (r->event_index)
        return ring_passed(
            __atomic_load_n((uint16_t *)&ring_used(r)->ring[r->size], __ATOMIC_ACQUIRE), r->next,
            moved);
    return !(__atomic_load_n(&ring_used(r)->flags, __ATOMIC_ACQUIRE) & VRING_USED_F_NO_NOTIFY);
}

static inline bool ring_take_packed(struct ring *r, uint16_t *id, uint32_t *written)
{
    struct vring_packed_desc *d = ring_packed(r, r->last);
    uint16_t flags = __atomic_load_n(&d->flags, __ATOMIC_ACQUIRE);
    bool avail = flags >> VRING_PACKED_DESC_F_AVAIL & 1, used = flags >> VRING_PACKED_DESC_F_USED;

    if (avail != used || used != r->last_wrap)
        return false;
    *id = d->id;
    *written = flags & VRING_DESC_F_WRITE ? d->len : 0;
    holds(*id < r->size);
    for (unsigned i = 0; i < r->slots[*id]; i++)
        ring_step(r, &r->last, &r->last_wrap);
    r->free_ids[r->free_id_count++] = *id;
    return true;
}

static inline bool ring_take_split(struct ring *r, uint16_t *id, uint32_t *written)
{
    struct vring_used_elem *e = &ring_used(r)->ring[r->last % r->size];

    if (__atomic_load_n(&ring_used(r)->idx, __ATOMIC_ACQUIRE) == r->last)
        return false;
    holds(e->id < r->size);
    *id = (uint16_t)e->id;
    *written = e->len;
    ring_free_split(r, *id);
    r->last++;
    return true;
}

/* Takes a buffer back. False: none has been used. */
static inline bool ring_take(struct ring *r, uint16_t *id, uint32_t *written)
{
    if (!(r->packed ? ring_take_packed(r, id, written) : ring_take_split(r, id, written)))
        return false;
    holds(r->slots[*id] > 0); /* it was lent, and comes back once */
    r->free += r->slots[*id];
    r->slots[*id] = 0;
    return true;
}

static inline void ring_disable_interrupts(struct ring *r)
{
    if (r->packed)
        __atomic_store_n(&ring_event(r, r->setup.driver)->flags, VRING_PACKED_EVENT_FLAG_DISABLE,
                         __ATOMIC_RELEASE);
    else if (!r->event_index)
        __atomic_store_n(&ring_avail(r)->flags, VRING_AVAIL_F_NO_INTERRUPT, __ATOMIC_RELEASE);
}

/* Asks for an interrupt at the next used buffer. The caller looks once more after it. */
static inline void ring_enable_interrupts(struct ring *r)
{
    if (r->packed) {
        struct vring_packed_desc_event *driver = ring_event(r, r->setup.driver);

        __atomic_store_n(&driver->off_wrap, (uint16_t)(r->last | r->last_wrap << 15),
                         __ATOMIC_RELEASE);
        __atomic_store_n(&driver->flags,
                         r->event_index ? VRING_PACKED_EVENT_FLAG_DESC
                                        : VRING_PACKED_EVENT_FLAG_ENABLE,
                         __ATOMIC_RELEASE);
    } else if (r->event_index) {
        __atomic_store_n(&ring_avail(r)->ring[r->size], r->last, __ATOMIC_RELEASE);
    } else {
        __atomic_store_n(&ring_avail(r)->flags, 0, __ATOMIC_RELEASE);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
