/*
 * proof: the walk through a packed ring ends, and stays in guest memory
 * bound: rings of up to 4 places, indirect tables of up to 2; CHAIN_MAX is 4, memory 4 KiB
 * sources: chapters/05-virtio/virtqueue.c chapters/05-virtio/packed_ring.c
 * sources: chapters/05-virtio/chain.c chapters/01-kvm-hello/memory.c
 * cbmc: --unwind 8 -DCHAIN_MAX=4u -DRING_MAX=4 -Dmemcpy=fetch_any
 *
 * The packed ring: place and wrap counter may be anything that a run can have led to.
 */
#include "queue.h"

int main(void)
{
    struct guest_memory memory;
    struct virtqueue queue;
    struct chain chain;
    int got;

    any_queue(&queue, &memory, true);
    queue.next_pop = any_u16();
    queue.in_flight = any_u16();
    queue.packed.available_wrap = any_bool();
    assume(queue.next_pop < queue.size);
    assume(queue.in_flight <= queue.size);

    got = virtqueue_pop(&queue, &chain);
    prove_popped(&queue, &memory, &chain, got);
    prove(queue.next_pop < queue.size, "the place stays in the ring");
}
