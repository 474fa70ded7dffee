/*
 * queue.h: a virtqueue in memory that the guest goes on changing.
 *
 * The device's end fetches descriptors by memcpy(). Here memcpy() gives any bytes at all,
 * each time others: so a proof holds for every content of the guest's memory, also when
 * another processor of the guest rewrites it between two looks. What it does check is that
 * the bytes were the guest's to be read.
 */
#ifndef TESTS_PROOF_QUEUE_H
#define TESTS_PROOF_QUEUE_H

#include "05-virtio/virtqueue.h"
#include "common/bits.h"
#include "proof.h"

#define MEMORY    4096u /* bytes */
#define TABLE_MAX 2u    /* descriptors in an indirect table that is walked */

void *fetch_any(void *copy, const void *shared, size_t size)
{
    prove(readable(shared, size), "what is fetched lies in guest memory");
    any_bytes(copy, size);
    if (size == sizeof(struct vring_desc)) {
        struct vring_desc *d = copy; /* a packed one has its flags there, too */
        bool walked = d->len % sizeof *d == 0 && d->len <= CHAIN_MAX * sizeof *d;

        assume(!(d->flags & VRING_DESC_F_INDIRECT) || !walked || d->len <= TABLE_MAX * sizeof *d);
    }
    return copy;
}

/* One region of MEMORY bytes at any address, and a ring in it that virtqueue_start() accepts. */
static void any_queue(struct virtqueue *queue, struct guest_memory *memory, bool packed)
{
    struct virtqueue_setup setup = {any_u16(), any_u64(), any_u64(), any_u64()};
    uint64_t features = any_bool() ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0;
    struct guest_region *region = &memory->regions[0];
    const char *why;

    *memory = (struct guest_memory){.count = 1};
    *region = (struct guest_region){any_u64(), any_u64(), NULL, any_bool()};
    region->size = MEMORY;
    assume(fits(region->start, region->size, UINT64_MAX));
    region->host = any_memory(MEMORY);
    *queue = (struct virtqueue){0};
    assume(setup.size <= RING_MAX);
    assume(virtqueue_start(queue, memory, &setup,
                           features | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0), &why) == 0);
}

/* After virtqueue_pop(): every piece is guest memory that the device may use so. */
static void prove_popped(const struct virtqueue *queue, const struct guest_memory *memory,
                         const struct chain *chain, int got)
{
    unsigned piece = any_u32();

    prove(got == 0 || got == 1 || queue->broken, "a chain, none, or a ring that is broken");
    prove(queue->in_flight <= queue->size, "no more chains than places");
    if (got != 1)
        return;
    prove(chain->readable + chain->writable <= CHAIN_MAX, "the pieces fit the array");
    if (piece < chain->readable + chain->writable) {
        prove(readable(chain->iov[piece].iov_base, chain->iov[piece].iov_len),
              "each piece lies in guest memory");
        prove(piece < chain->readable || !memory->regions[0].read_only,
              "what is lent for writing is not read-only");
    }
}

#endif
