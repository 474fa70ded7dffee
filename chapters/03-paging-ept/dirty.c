/*
 * dirty.c: see dirty.h.
 *
 * Left out on purpose: clearing the log by parts (KVM_CLEAR_DIRTY_LOG), which spares
 * a big guest a long pause, and rings of more than one vCPU.
 */
#define _GNU_SOURCE
#include "03-paging-ept/dirty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "common/bits.h"

int dirty_want_ring(const struct vm *vm, uint32_t entries)
{
    struct kvm_enable_cap cap = {
        .cap = KVM_CAP_DIRTY_LOG_RING,
        .args = {entries * sizeof(struct kvm_dirty_gfn)},
    };
    int largest = vm_capability(vm, KVM_CAP_DIRTY_LOG_RING);

    if (largest <= 0)
        return -ENOTSUP;
    if (cap.args[0] > (uint64_t)largest)
        return -E2BIG;
    return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) < 0 ? -errno : 0;
}

int dirty_init(struct dirty *dirty, const struct slot_map *slots, unsigned id,
               const struct vcpu *vcpu, uint32_t ring_entries)
{
    *dirty = (struct dirty){
        .slot = id,
        .pages = slots->slots[id].size / GUEST_PAGE_SIZE,
        .ring_size = ring_entries,
    };
    dirty->bitmap = calloc((dirty->pages + 63) / 64, sizeof(uint64_t));
    if (!dirty->bitmap)
        return -ENOMEM;
    if (!ring_entries)
        return 0;
    dirty->ring = mmap(NULL, ring_entries * sizeof *dirty->ring, PROT_READ | PROT_WRITE, MAP_SHARED,
                       vcpu->fd, (off_t)KVM_DIRTY_LOG_PAGE_OFFSET * GUEST_PAGE_SIZE);
    if (dirty->ring != MAP_FAILED)
        return 0;
    free(dirty->bitmap);
    *dirty = (struct dirty){0};
    return -errno;
}

void dirty_free(struct dirty *dirty)
{
    if (dirty->ring)
        munmap(dirty->ring, dirty->ring_size * sizeof *dirty->ring);
    free(dirty->bitmap);
    *dirty = (struct dirty){0};
}

/* [ring] */
/* Takes what KVM has queued, marks it as taken, and lets KVM watch those pages again. */
static int fetch_ring(struct dirty *dirty, const struct vm *vm)
{
    for (;; dirty->ring_next++) {
        struct kvm_dirty_gfn *entry = &dirty->ring[dirty->ring_next % dirty->ring_size];

        if (__atomic_load_n(&entry->flags, __ATOMIC_ACQUIRE) != KVM_DIRTY_GFN_F_DIRTY)
            break;
        if ((entry->slot & 0xffff) == dirty->slot && entry->offset < dirty->pages)
            dirty->bitmap[entry->offset / 64] |= BIT(entry->offset % 64);
        __atomic_store_n(&entry->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
    }
    return ioctl(vm->fd, KVM_RESET_DIRTY_RINGS, 0) < 0 ? -errno : 0;
}
/* [/ring] */

/* [fetch] */
int dirty_fetch(struct dirty *dirty, const struct vm *vm)
{
    struct kvm_dirty_log log = {.slot = dirty->slot, .dirty_bitmap = dirty->bitmap};

    memset(dirty->bitmap, 0, (dirty->pages + 63) / 64 * sizeof(uint64_t));
    if (dirty->ring)
        return fetch_ring(dirty, vm);
    return ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log) < 0 ? -errno : 0;
}
/* [/fetch] */
