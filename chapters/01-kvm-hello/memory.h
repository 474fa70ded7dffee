/*
 * memory.h: the guest's physical memory, seen from the host.
 *
 * A guest's RAM is ordinary memory of our process. This module reserves it,
 * remembers which guest-physical range each piece stands for, and is the single
 * place where a guest-physical address becomes a host pointer. Every number a
 * guest gives us (a ring address, a DMA length) passes through guest_ptr().
 *
 *     guest-physical                           our process
 *     0x00000000 +--------------+              +--------------+
 *                |     RAM      |  region 0    |     mmap     |
 *     0xc0000000 +--------------+ -----------> +--------------+
 *                |     hole     |  NULL
 *    0x100000000 +--------------+              +--------------+
 *                |     RAM      |  region 1    |     mmap     |
 *                +--------------+ -----------> +--------------+
 *
 * No KVM here: kvm.h hands regions to the kernel, tests use them alone.
 */
#ifndef CHAPTER_01_MEMORY_H
#define CHAPTER_01_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* An address as the guest's physical bus sees it. Never cast it to a pointer. */
typedef uint64_t gpa_t;

#define GUEST_PAGE_SIZE   4096u
#define GUEST_REGIONS_MAX 8u

struct guest_region {
    gpa_t start;    /* multiple of GUEST_PAGE_SIZE */
    uint64_t size;  /* bytes, a multiple of GUEST_PAGE_SIZE, never 0 */
    uint8_t *host;  /* where the region starts in this process */
    bool read_only; /* ROM: the board wrote it, the guest's devices must not */
};

/* All of a guest's RAM. Start with an all-zero struct; owns the mappings. */
struct guest_memory {
    struct guest_region regions[GUEST_REGIONS_MAX];
    unsigned count;
};

/*
 * Adds zeroed RAM at [start, start + size). The host's pages come when they are
 * first touched. 0, or -EINVAL (unaligned, empty, past 2^64), -EEXIST (overlaps
 * a region), -ENOSPC (no slot left), -ENOMEM.
 */
int guest_memory_add(struct guest_memory *memory, gpa_t start, uint64_t size);

/* Unmaps everything; the struct is empty again. */
void guest_memory_free(struct guest_memory *memory);

/* The sum of all regions, in bytes. */
uint64_t guest_memory_size(const struct guest_memory *memory);

/*
 * The host's view of [start, start + length), or NULL unless the whole range
 * lies within one region. The pointer stays valid until guest_memory_free().
 * What it points at belongs to the guest, which may change it at any moment:
 * copy a value before you check it.
 */
void *guest_ptr(const struct guest_memory *memory, gpa_t start, uint64_t length);

/*
 * The same for someone who writes on the guest's behalf, a device doing DMA: NULL also
 * where the region is read-only.
 */
void *guest_ptr_to_write(const struct guest_memory *memory, gpa_t start, uint64_t length);

#endif
