/*
 * split_ring.c: the split virtqueue. Open at hand: [VIRTIO] 2.7 "Split Virtqueues".
 *
 * Three arrays, each written by one side only, so no lock is needed:
 *
 *    descriptor table (driver)      available ring (driver)     used ring (device)
 *      addr     len flags next        flags                       flags
 *   0 |0x1000 |  16|NEXT | 1 |<---.   idx = 1 ------.             idx = 1
 *   1 |0x8000 | 512|N+W  | 2 |     \                v                     v
 *   2 |0x1010 |   1|WRITE|   |      `-- ring: | 0 |   |   |   ring: |id 0, len 513|
 *   3 |       |    |     |   |        used_event                  avail_event
 *
 * The two idx fields count for ever, modulo 2^16; an entry's place is idx modulo the
 * size, which must therefore be a power of two. avail.idx - used.idx is the number of
 * buffers that the device owes.
 *
 * Left out on purpose: the legacy layout in one piece at a page number.
 */
#include "05-virtio/rings.h"

#include <errno.h>
#include <stddef.h>

#include "common/bits.h"

_Static_assert(sizeof(struct vring_desc) == 16, "[VIRTIO, 2.7.5]");
_Static_assert(offsetof(struct vring_desc, len) == 8, "[VIRTIO, 2.7.5]");
_Static_assert(offsetof(struct vring_desc, flags) == 12, "[VIRTIO, 2.7.5]");
_Static_assert(offsetof(struct vring_desc, next) == 14, "[VIRTIO, 2.7.5]");
_Static_assert(offsetof(struct vring_avail, ring) == 4, "[VIRTIO, 2.7.6]");
_Static_assert(offsetof(struct vring_used, ring) == 4, "[VIRTIO, 2.7.8]");
_Static_assert(sizeof(struct vring_used_elem) == 8, "[VIRTIO, 2.7.8]");

/* Each ring ends with the two bytes of an event index. */
static uint64_t available_size(unsigned size)
{
    return offsetof(struct vring_avail, ring) + 2 * (uint64_t)size + 2;
}

static uint64_t used_size(unsigned size)
{
    return offsetof(struct vring_used, ring) + sizeof(struct vring_used_elem) * (uint64_t)size + 2;
}

const char *split_ring_start(struct virtqueue *q)
{
    const struct virtqueue_setup *setup = &q->setup;

    if (!is_power_of_two(setup->size))
        return "the size of a split ring is not a power of two";
    if (!is_aligned(setup->descriptors, VRING_DESC_ALIGN_SIZE) ||
        !is_aligned(setup->driver, VRING_AVAIL_ALIGN_SIZE) ||
        !is_aligned(setup->device, VRING_USED_ALIGN_SIZE))
        return "a part of the ring is not aligned";

    q->split.descriptors = guest_ptr(q->memory, setup->descriptors,
                                     sizeof(struct vring_desc) * (uint64_t)setup->size);
    q->split.available = guest_ptr(q->memory, setup->driver, available_size(setup->size));
    q->split.used = guest_ptr_to_write(q->memory, setup->device, used_size(setup->size));
    if (!q->split.descriptors || !q->split.available || !q->split.used)
        return "a part of the ring is not in RAM";
    return NULL;
}

/* avail.used_event, after the last entry: "interrupt me when you pass this one". */
static const uint16_t *used_event(const struct virtqueue *q)
{
    return &q->split.available->ring[q->size];
}

/* used.avail_event, the same for our side. */
static uint16_t *available_event(const struct virtqueue *q)
{
    return (uint16_t *)&q->split.used->ring[q->size];
}

/* [split-collect] */
/*
 * Gathers the chain that starts at head. Only a chain without NEXT ends, so a driver
 * can tie a loop; it is found when there were more steps than the table has entries.
 * The last descriptor may be indirect: the chain goes on in a table of its own.
 */
static const char *split_collect(const struct virtqueue *q, uint16_t head, struct chain *chain)
{
    const uint8_t *table = q->split.descriptors;
    uint32_t count = q->size, index = head;
    bool inside = false; /* an indirect table */

    for (uint32_t steps = 0; steps < count; steps++) {
        struct vring_desc d;

        if (index >= count)
            return "a descriptor's number is beyond its table";
        fetch(&d, table + index * sizeof d, sizeof d);

        if (d.flags & VRING_DESC_F_INDIRECT) {
            if (!q->indirect || inside || (d.flags & VRING_DESC_F_NEXT))
                return "an indirect descriptor where none may be";
            count = indirect_count(d.len);
            table = guest_ptr(q->memory, d.addr, d.len);
            if (count == 0 || !table)
                return "an indirect table of a wrong size, or not in RAM";
            inside = true;
            index = 0;
            steps = UINT32_MAX; /* the next step is 0 again: another table, another count */
            continue;
        }

        const char *why = chain_add(chain, q->memory, d.addr, d.len, d.flags & VRING_DESC_F_WRITE);

        if (why || !(d.flags & VRING_DESC_F_NEXT))
            return why;
        index = d.next;
    }
    return "a chain of descriptors is a loop";
}
/* [/split-collect] */

static bool split_ring_waits(const struct virtqueue *q)
{
    return load_acquire(&q->split.available->idx) != q->next_pop;
}

/* [split-pop] */
int split_ring_pop(struct virtqueue *q, struct chain *chain)
{
    uint16_t available = load_acquire(&q->split.available->idx);
    uint16_t head;
    const char *why;

    if (available == q->next_pop)
        return 0;
    /* No driver can lend more buffers than there are places, less those we hold. */
    if ((uint16_t)(available - q->next_pop) > q->size - q->in_flight)
        return virtqueue_break(q, "more buffers are available than the ring has places");

    fetch(&head, &q->split.available->ring[q->next_pop % q->size], sizeof head);
    chain_init(chain, head);
    why = split_collect(q, head, chain);
    if (why)
        return virtqueue_break(q, why);
    q->next_pop++;
    q->in_flight++;
    return 1;
}
/* [/split-pop] */

void split_ring_unpop(struct virtqueue *q)
{
    q->next_pop--;
    q->in_flight--;
}

void split_ring_push(struct virtqueue *q, const struct chain *chain, uint32_t written)
{
    struct vring_used_elem *place = &q->split.used->ring[q->next_push % q->size];

    place->id = chain->id;
    place->len = written;
    q->next_push++;
    q->in_flight--;
    if (q->unflushed < UINT16_MAX)
        q->unflushed++;
}

void split_ring_publish(struct virtqueue *q)
{
    store_release(&q->split.used->idx, q->next_push);
}

/* [split-flush] */
bool split_ring_flush(struct virtqueue *q)
{
    uint16_t old = (uint16_t)(q->next_push - q->unflushed);

    q->unflushed = 0;
    store_release(&q->split.used->idx, q->next_push);
    store_then_load();
    if (q->event_index)
        return passed_event(load_acquire(used_event(q)), q->next_push, old);
    return !(load_acquire(&q->split.available->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}
/* [/split-flush] */

void split_ring_disable_kicks(struct virtqueue *q)
{
    /* With an event index there is nothing to say: the old one has been passed. */
    if (!q->event_index)
        store_release(&q->split.used->flags, VRING_USED_F_NO_NOTIFY);
}

bool split_ring_enable_kicks(struct virtqueue *q)
{
    /* At the next buffer that is new, though some may have been left in the ring. */
    if (q->event_index)
        store_release(available_event(q), load_acquire(&q->split.available->idx));
    else
        store_release(&q->split.used->flags, 0);
    store_then_load();
    return split_ring_waits(q);
}
