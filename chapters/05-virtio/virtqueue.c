/*
 * virtqueue.c: the part of a virtqueue that does not depend on its layout: starting,
 * breaking, and telling those who watch. See virtqueue.h for the rules, split_ring.c and
 * packed_ring.c for the layouts.
 *
 * Left out on purpose: in-order use (VIRTIO_F_IN_ORDER), which saves a driver work but
 * costs a device that completes out of order, as disks do; the platform's IOMMU; noting
 * in a dirty log what a device writes (chapter 3's log sees the processors only).
 */
#include "05-virtio/virtqueue.h"

#include <errno.h>

#include "05-virtio/rings.h"

static bool accepted(uint64_t features, unsigned bit)
{
    return features >> bit & 1;
}

int virtqueue_start(struct virtqueue *q, const struct guest_memory *memory,
                    const struct virtqueue_setup *setup, uint64_t features, const char **why)
{
    struct virtqueue fresh = {
        .memory = memory,
        .setup = *setup,
        .is_packed = accepted(features, VIRTIO_F_RING_PACKED),
        .indirect = accepted(features, VIRTIO_RING_F_INDIRECT_DESC),
        .event_index = accepted(features, VIRTIO_RING_F_EVENT_IDX),
        .watch = q->watch,
    };

    if (setup->size == 0 || setup->size > VIRTQUEUE_SIZE_MAX)
        *why = "the ring's size is 0 or more than the device's maximum";
    else
        *why = fresh.is_packed ? packed_ring_start(&fresh) : split_ring_start(&fresh);
    if (*why)
        return -EINVAL;
    fresh.size = setup->size;
    *q = fresh;
    return 0;
}

void virtqueue_stop(struct virtqueue *q)
{
    *q = (struct virtqueue){.watch = q->watch};
}

int virtqueue_break(struct virtqueue *q, const char *why)
{
    if (!q->broken)
        q->broken = why;
    return -EPROTO;
}

int virtqueue_pop(struct virtqueue *q, struct chain *chain)
{
    int got;

    if (q->broken)
        return -EPROTO;
    if (q->size == 0)
        return 0;
    got = q->is_packed ? packed_ring_pop(q, chain) : split_ring_pop(q, chain);
    if (got > 0 && q->watch)
        q->watch->popped(q->watch->self, q, chain);
    return got;
}

void virtqueue_unpop(struct virtqueue *q, const struct chain *chain)
{
    if (q->is_packed)
        packed_ring_unpop(q, chain);
    else
        split_ring_unpop(q);
}

void virtqueue_push(struct virtqueue *q, const struct chain *chain, uint32_t written)
{
    if (q->is_packed)
        packed_ring_push(q, chain, written);
    else
        split_ring_push(q, chain, written);
    if (q->watch)
        q->watch->pushed(q->watch->self, q, chain, written);
}

bool virtqueue_flush(struct virtqueue *q)
{
    bool interrupt;

    if (q->size == 0 || q->unflushed == 0)
        return false;
    interrupt = q->is_packed ? packed_ring_flush(q) : split_ring_flush(q);
    if (q->watch)
        q->watch->flushed(q->watch->self, q, interrupt);
    return interrupt;
}

/* In a packed ring a buffer is seen as soon as it was pushed. */
void virtqueue_publish(struct virtqueue *q)
{
    if (q->size > 0 && !q->is_packed)
        split_ring_publish(q);
}

void virtqueue_disable_kicks(struct virtqueue *q)
{
    if (q->size == 0)
        return;
    if (q->is_packed)
        packed_ring_disable_kicks(q);
    else
        split_ring_disable_kicks(q);
}

bool virtqueue_enable_kicks(struct virtqueue *q)
{
    if (q->size == 0 || q->broken)
        return false;
    return q->is_packed ? packed_ring_enable_kicks(q) : split_ring_enable_kicks(q);
}
