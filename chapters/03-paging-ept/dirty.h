/*
 * dirty.h: which pages has the guest written to since we last asked?
 *
 * Two ways to learn it from KVM. The log is a bitmap for each slot, fetched and
 * cleared in one call; its cost grows with the size of the guest. The ring is a queue
 * of page numbers for each vCPU; its cost grows with what the guest writes, and when
 * it is full the guest stops until it has been emptied. Live migration and snapshots
 * are built on one or the other.
 * [KVM-API, 4.8 "KVM_GET_DIRTY_LOG", 8.29 "KVM_CAP_DIRTY_LOG_RING"]
 */
#ifndef CHAPTER_03_DIRTY_H
#define CHAPTER_03_DIRTY_H

#include "01-kvm-hello/kvm.h"
#include "03-paging-ept/slots.h"

struct dirty {
    unsigned slot;
    uint64_t pages;             /* of the slot */
    uint64_t *bitmap;           /* what dirty_fetch() found: bit i for page i */
    struct kvm_dirty_gfn *ring; /* NULL: the log is used */
    uint32_t ring_size, ring_next;
};

/* Asks for the ring, before any vCPU exists. entries: a power of two. 0 or -errno. */
int dirty_want_ring(const struct vm *vm, uint32_t entries);

/*
 * Watches slot id, which must have SLOT_LOG_DIRTY. ring_entries is what
 * dirty_want_ring() was given, or 0 for the log. 0 or -errno.
 */
int dirty_init(struct dirty *dirty, const struct slot_map *slots, unsigned id,
               const struct vcpu *vcpu, uint32_t ring_entries);
void dirty_free(struct dirty *dirty);

/* Fills bitmap with the pages written since the last call. 0 or -errno. */
int dirty_fetch(struct dirty *dirty, const struct vm *vm);

#endif
