/*
 * proof: the walk through a split ring ends, and stays in guest memory
 * bound: rings of up to 4 places, indirect tables of up to 2; CHAIN_MAX is 4, memory 4 KiB
 * sources: chapters/05-virtio/virtqueue.c chapters/05-virtio/split_ring.c
 * sources: chapters/05-virtio/chain.c chapters/01-kvm-hello/memory.c
 * cbmc: --unwind 8 -DCHAIN_MAX=4u -DRING_MAX=4 -Dmemcpy=fetch_any
 *
 * virtqueue_pop() from any place of the ring, with any number of chains in the device's
 * hands. That no loop is cut short at the bound is part of what is proved: a chain that
 * leads back to itself ends the walk.
 */
#include "queue.h"

int main(void)
{
    struct guest_memory memory;
    struct virtqueue queue;
    struct chain chain;
    int got;

    any_queue(&queue, &memory, false);
    queue.next_pop = any_u16();
    queue.in_flight = any_u16();
    assume(queue.in_flight <= queue.size);

    got = virtqueue_pop(&queue, &chain);
    prove_popped(&queue, &memory, &chain, got);
}
