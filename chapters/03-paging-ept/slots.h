/*
 * slots.h: the second dimension, as we see it: memory slots.
 *
 * A slot says: this range of guest-physical addresses is that range of our process.
 * Slots may leave holes, show the same memory twice (aliases), forbid writing (ROM),
 * record writes (the dirty log), and change while the guest runs. A guest-physical
 * address that no slot covers is nobody's: an access there becomes KVM_EXIT_MMIO.
 *
 *     guest-physical                               our process
 *     0x00000000 +--------+ slot 0                 +--------+
 *                |  RAM   | ---------------------> |        |
 *     0x01000000 +--------+              +-------> |        |
 *                |  hole  |              |         +--------+
 *     0x40000000 +--------+ slot 1       |         +--------+
 *                | alias  | -------------+    +--> |        |
 *                +--------+                   |    +--------+
 *     0x50000000 +--------+ slot 2            |
 *                |  ROM   | ------------------+
 *                +--------+
 *
 * struct slot_map is the same table in our own hands. Its rules for changes are
 * KVM's, and a test holds it to them. It owns no memory.
 * [KVM-API, 4.35 "KVM_SET_USER_MEMORY_REGION"]
 */
#ifndef CHAPTER_03_SLOTS_H
#define CHAPTER_03_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/memory.h"

#define SLOTS_MAX GUEST_REGIONS_MAX

enum {
    SLOT_LOG_DIRTY = 1, /* KVM_MEM_LOG_DIRTY_PAGES */
    SLOT_READ_ONLY = 2, /* KVM_MEM_READONLY */
};

struct slot {
    gpa_t start;
    uint64_t size; /* bytes; 0: the slot is empty */
    uint8_t *host;
    unsigned flags;
};

/* Start with an all-zero struct. */
struct slot_map {
    struct slot slots[SLOTS_MAX]; /* the index is KVM's slot number */
};

/*
 * Makes slot id what *want says. Size 0 deletes it. A slot that exists may be moved
 * (another start) and its dirty log switched; to change its size, its host address
 * or SLOT_READ_ONLY, delete it first. 0, or what KVM would say: -EINVAL (unaligned,
 * wraps, not changeable, no such slot to delete), -EEXIST (overlaps another slot).
 */
int slots_set(struct slot_map *map, unsigned id, const struct slot *want);

/* The slot that covers gpa, or NULL. */
const struct slot *slots_find(const struct slot_map *map, gpa_t gpa);

/* The host's address of the one byte at gpa; NULL in a hole. */
uint8_t *slots_host(const struct slot_map *map, gpa_t gpa);

/*
 * The same memory for functions that want a struct guest_memory, such as walk():
 * aliases and ROM included, without the difference. Borrowed: never free it.
 */
struct guest_memory slots_view(const struct slot_map *map);

/*
 * Both at once: checks against the map, tells KVM, and only then changes the map.
 * vm_fd is a machine's descriptor. 0 or -errno; nothing has changed on failure.
 */
int slots_set_kvm(struct slot_map *map, int vm_fd, unsigned id, const struct slot *want);

#endif
