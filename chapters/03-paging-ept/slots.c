/*
 * slots.c: see slots.h.
 *
 * Left out on purpose: more than one address space (SMM), private memory of
 * confidential guests, and speed: eight slots are searched one by one. KVM
 * keeps its slots in a tree, because a machine may have thousands.
 */
#include "03-paging-ept/slots.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <sys/ioctl.h>

#include "common/bits.h"

_Static_assert(SLOT_LOG_DIRTY == KVM_MEM_LOG_DIRTY_PAGES, "our flags are KVM's");
_Static_assert(SLOT_READ_ONLY == KVM_MEM_READONLY, "our flags are KVM's");

/* What KVM would say to this change; 0 for yes. */
static int check(const struct slot_map *map, unsigned id, const struct slot *want)
{
    const struct slot *have;

    if (id >= SLOTS_MAX || (want->flags & ~(unsigned)(SLOT_LOG_DIRTY | SLOT_READ_ONLY)))
        return -EINVAL;
    if (!is_aligned(want->start | want->size | (uintptr_t)want->host, GUEST_PAGE_SIZE) ||
        !fits(want->start, want->size, UINT64_MAX))
        return -EINVAL;
    have = &map->slots[id];
    if (want->size == 0)
        return have->size ? 0 : -EINVAL;
    if (have->size && (want->size != have->size || want->host != have->host ||
                       ((want->flags ^ have->flags) & SLOT_READ_ONLY)))
        return -EINVAL;
    for (unsigned i = 0; i < SLOTS_MAX; i++) {
        const struct slot *other = &map->slots[i];

        if (i != id && other->size && want->start < other->start + other->size &&
            other->start < want->start + want->size)
            return -EEXIST;
    }
    return 0;
}

int slots_set(struct slot_map *map, unsigned id, const struct slot *want)
{
    int error = check(map, id, want);

    if (error)
        return error;
    map->slots[id] = want->size ? *want : (struct slot){0};
    return 0;
}

/* [find] */
const struct slot *slots_find(const struct slot_map *map, gpa_t gpa)
{
    for (unsigned i = 0; i < SLOTS_MAX; i++) {
        const struct slot *slot = &map->slots[i];

        if (gpa >= slot->start && gpa - slot->start < slot->size)
            return slot;
    }
    return NULL;
}

uint8_t *slots_host(const struct slot_map *map, gpa_t gpa)
{
    const struct slot *slot = slots_find(map, gpa);

    return slot ? slot->host + (gpa - slot->start) : NULL;
}
/* [/find] */

struct guest_memory slots_view(const struct slot_map *map)
{
    struct guest_memory view = {0};

    for (unsigned i = 0; i < SLOTS_MAX; i++) {
        const struct slot *slot = &map->slots[i];

        if (slot->size)
            view.regions[view.count++] = (struct guest_region){
                .start = slot->start, .size = slot->size, .host = slot->host};
    }
    return view;
}

/* [set-kvm] */
int slots_set_kvm(struct slot_map *map, int vm_fd, unsigned id, const struct slot *want)
{
    struct kvm_userspace_memory_region region = {
        .slot = id,
        .flags = want->flags,
        .guest_phys_addr = want->start,
        .memory_size = want->size,
        .userspace_addr = (uintptr_t)want->host,
    };
    int error = check(map, id, want);

    if (error)
        return error;
    if (ioctl(vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return -errno;
    return slots_set(map, id, want);
}
/* [/set-kvm] */
