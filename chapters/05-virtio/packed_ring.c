/*
 * packed_ring.c: the packed virtqueue. Open at hand: [VIRTIO] 2.8 "Packed Virtqueues".
 *
 * One array that both sides write: the driver writes a descriptor, the device writes
 * over it when the buffer is used. So a transfer touches one cache line instead of
 * three. Whose turn it is, is told by two bits in flags and by how often each side has
 * gone round, kept as one bit, the wrap counter, which starts at 1:
 *
 *     AVAIL == wrap, USED != wrap    available: the driver has just written it
 *     AVAIL == wrap, USED == wrap    used: the device has
 *
 *        place   0        1        2        3
 *              | used   | avail  | avail  | (old) |
 *                           ^ next_pop         ^ the driver's next
 *              next_push ---^
 *
 * A chain fills consecutive places. The device writes back one descriptor for it, with
 * the buffer's id and length, and skips the rest. Buffers may come back in any order,
 * so what next_push overwrites need not be the descriptor of the buffer it returns.
 *
 * The driver makes a chain available by writing the flags of its first descriptor last;
 * so when those are seen, the rest is there.
 */
#include "05-virtio/rings.h"

#include <errno.h>
#include <stddef.h>

#include "common/bits.h"

#define AVAIL BIT(VRING_PACKED_DESC_F_AVAIL)
#define USED  BIT(VRING_PACKED_DESC_F_USED)

/* In off_wrap: the place, and the wrap counter above it. */
#define OFF_MASK (BIT(VRING_PACKED_EVENT_F_WRAP_CTR) - 1)

_Static_assert(sizeof(struct vring_packed_desc) == 16, "[VIRTIO, 2.8.13]");
_Static_assert(offsetof(struct vring_packed_desc, len) == 8, "[VIRTIO, 2.8.13]");
_Static_assert(offsetof(struct vring_packed_desc, id) == 12, "[VIRTIO, 2.8.13]");
_Static_assert(offsetof(struct vring_packed_desc, flags) == 14, "[VIRTIO, 2.8.13]");
_Static_assert(sizeof(struct vring_packed_desc_event) == 4, "[VIRTIO, 2.8.14]");
_Static_assert(offsetof(struct vring_packed_desc_event, flags) == 2, "[VIRTIO, 2.8.14]");

const char *packed_ring_start(struct virtqueue *q)
{
    const struct virtqueue_setup *setup = &q->setup;
    const uint64_t event_size = sizeof(struct vring_packed_desc_event);

    /* [VIRTIO, 2.8.10.1 "Structure Size and Alignment"]: any size will do. */
    if (!is_aligned(setup->descriptors, 16) || !is_aligned(setup->driver, 4) ||
        !is_aligned(setup->device, 4))
        return "a part of the ring is not aligned";

    q->packed.ring = guest_ptr_to_write(q->memory, setup->descriptors,
                                        sizeof(struct vring_packed_desc) * (uint64_t)setup->size);
    q->packed.driver = guest_ptr(q->memory, setup->driver, event_size);
    q->packed.device = guest_ptr_to_write(q->memory, setup->device, event_size);
    if (!q->packed.ring || !q->packed.driver || !q->packed.device)
        return "a part of the ring is not in RAM";
    q->packed.available_wrap = q->packed.used_wrap = true;
    return NULL;
}

/* Moves a place and its wrap counter on. count <= size. */
static void advance(const struct virtqueue *q, uint16_t *place, bool *wrap, unsigned count)
{
    unsigned next = *place + count;

    if (next >= q->size) {
        next -= q->size;
        *wrap = !*wrap;
    }
    *place = (uint16_t)next;
}

/* The descriptors of an indirect table come one after the other, without links. */
static const char *packed_collect_indirect(const struct virtqueue *q, gpa_t address, uint32_t size,
                                           struct chain *chain)
{
    const uint8_t *table = guest_ptr(q->memory, address, size);
    uint32_t count = indirect_count(size);

    if (count == 0 || !table)
        return "an indirect table of a wrong size, or not in RAM";
    for (uint32_t i = 0; i < count; i++) {
        struct vring_packed_desc d;
        const char *why;

        fetch(&d, table + i * sizeof d, sizeof d);
        why = chain_add(chain, q->memory, d.addr, d.len, d.flags & VRING_DESC_F_WRITE);
        if (why)
            return why;
    }
    return NULL;
}

static const char *packed_collect(const struct virtqueue *q, struct chain *chain)
{
    unsigned place = q->next_pop;

    for (unsigned slots = 1; slots + q->in_flight <= q->size; slots++) {
        struct vring_packed_desc d;
        const char *why;

        fetch(&d, &q->packed.ring[place], sizeof d);
        if (d.flags & VRING_DESC_F_INDIRECT) {
            if (!q->indirect || slots > 1 || (d.flags & VRING_DESC_F_NEXT))
                return "an indirect descriptor where none may be";
            why = packed_collect_indirect(q, d.addr, d.len, chain);
        } else {
            why = chain_add(chain, q->memory, d.addr, d.len, d.flags & VRING_DESC_F_WRITE);
        }
        if (why)
            return why;
        if (!(d.flags & VRING_DESC_F_NEXT)) {
            chain->id = d.id; /* only the last one's counts */
            chain->slots = (uint16_t)slots;
            return NULL;
        }
        place = place + 1 < q->size ? place + 1 : 0;
    }
    return "more descriptors are available than the ring has places";
}

/* [packed-waits] */
static bool packed_ring_waits(const struct virtqueue *q)
{
    uint16_t flags = load_acquire(&q->packed.ring[q->next_pop].flags);

    return !!(flags & AVAIL) == q->packed.available_wrap &&
           !!(flags & USED) != q->packed.available_wrap;
}
/* [/packed-waits] */

int packed_ring_pop(struct virtqueue *q, struct chain *chain)
{
    const char *why;

    if (!packed_ring_waits(q))
        return 0;
    chain_init(chain, 0);
    why = packed_collect(q, chain);
    if (why)
        return virtqueue_break(q, why);
    advance(q, &q->next_pop, &q->packed.available_wrap, chain->slots);
    q->in_flight = (uint16_t)(q->in_flight + chain->slots);
    return 1;
}

void packed_ring_unpop(struct virtqueue *q, const struct chain *chain)
{
    if (chain->slots > q->next_pop) {
        q->next_pop = (uint16_t)(q->next_pop + q->size);
        q->packed.available_wrap = !q->packed.available_wrap;
    }
    q->next_pop = (uint16_t)(q->next_pop - chain->slots);
    q->in_flight = (uint16_t)(q->in_flight - chain->slots);
}

/* [packed-push] */
void packed_ring_push(struct virtqueue *q, const struct chain *chain, uint32_t written)
{
    struct vring_packed_desc *place = &q->packed.ring[q->next_push];
    uint16_t flags = q->packed.used_wrap ? AVAIL | USED : 0;

    if (written > 0) /* len counts only then: [VIRTIO, 2.8.3 "Write Flag"] */
        flags |= VRING_DESC_F_WRITE;
    place->id = chain->id;
    place->len = written;
    store_release(&place->flags, flags);

    advance(q, &q->next_push, &q->packed.used_wrap, chain->slots);
    q->in_flight = (uint16_t)(q->in_flight - chain->slots);
    if (q->unflushed <= q->size)
        q->unflushed = (uint16_t)(q->unflushed + chain->slots);
}
/* [/packed-push] */

/*
 * Did next_push pass the place that the driver named? Its wrap counter tells whether it
 * means this round or the one before, which counts from -size.
 */
static bool passed_place(const struct virtqueue *q, uint16_t off_wrap, uint16_t moved)
{
    bool wrap = off_wrap >> VRING_PACKED_EVENT_F_WRAP_CTR;
    uint16_t event = off_wrap & OFF_MASK;

    if (wrap != q->packed.used_wrap)
        event = (uint16_t)(event - q->size);
    return passed_event(event, q->next_push, (uint16_t)(q->next_push - moved));
}

bool packed_ring_flush(struct virtqueue *q)
{
    uint16_t moved = q->unflushed;

    q->unflushed = 0;
    store_then_load();
    switch (load_acquire(&q->packed.driver->flags) & 3) {
    case VRING_PACKED_EVENT_FLAG_DISABLE: return false;
    case VRING_PACKED_EVENT_FLAG_DESC:
        return !q->event_index || passed_place(q, load_acquire(&q->packed.driver->off_wrap), moved);
    default: return true;
    }
}

void packed_ring_disable_kicks(struct virtqueue *q)
{
    store_release(&q->packed.device->flags, VRING_PACKED_EVENT_FLAG_DISABLE);
}

bool packed_ring_enable_kicks(struct virtqueue *q)
{
    uint16_t wrap = (uint16_t)(q->packed.available_wrap << VRING_PACKED_EVENT_F_WRAP_CTR);

    /* Where buffers have been left in the ring we do not know where new ones begin. */
    if (q->event_index && !packed_ring_waits(q)) {
        store_release(&q->packed.device->off_wrap, q->next_pop | wrap);
        store_release(&q->packed.device->flags, VRING_PACKED_EVENT_FLAG_DESC);
    } else {
        store_release(&q->packed.device->flags, VRING_PACKED_EVENT_FLAG_ENABLE);
    }
    store_then_load();
    return packed_ring_waits(q);
}
