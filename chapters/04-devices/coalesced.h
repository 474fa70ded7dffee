/*
 * coalesced.h: writes that KVM collects instead of stopping the guest for each.
 *
 * Some registers are written often, and nothing needs to happen at once: a frame buffer,
 * a debug console. For such a zone KVM puts address, size and data into a ring of one
 * page that it shares with us, and the guest goes on. We empty the ring before any other
 * exit is answered, so that the devices see all accesses in the guest's order, and every
 * COALESCED_PERIOD in case no exit comes. A full ring makes an ordinary exit.
 *
 *     guest:  out out out out in     ring: [w][w][w][w]      one exit instead of five
 *
 * Reads of a zone stop the guest as ever. A device that answers a write with an
 * interrupt does not belong here: the guest would wait for our timer.
 */
#ifndef CHAPTER_04_COALESCED_H
#define CHAPTER_04_COALESCED_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#include "04-devices/clock.h"

struct machine;

#define COALESCED_PERIOD INT64_C(20000000) /* nanoseconds */

struct coalesced {
    struct machine *machine;
    struct kvm_coalesced_mmio_ring *ring;
    struct clock clock;
    struct alarm alarm;
    uint64_t writes; /* taken out of the ring so far */
};

/*
 * Finds the ring of machine's VM, which has a processor, and makes this the machine's
 * ring. Must not move. 0, or -ENOTSUP: this KVM collects nothing.
 */
int coalesced_open(struct coalesced *coalesced, struct machine *machine);

/* Adds a zone: ports (port is true) or memory. 0, or -errno; -ENOTSUP: not for ports. */
int coalesced_add(struct coalesced *coalesced, bool port, uint64_t start, uint32_t size);

/* Gives the devices what is in the ring. Under the device lock, on any thread. */
void coalesced_drain(struct coalesced *coalesced);

/* Is there anything in it? Without the lock; a false "no" means that it came just now. */
static inline bool coalesced_waiting(const struct coalesced *coalesced)
{
    const struct kvm_coalesced_mmio_ring *ring = coalesced->ring;

    return __atomic_load_n(&ring->first, __ATOMIC_RELAXED) !=
           __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE);
}

#endif
