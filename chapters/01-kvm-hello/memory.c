/*
 * memory.c: guest RAM as anonymous mappings of this process.
 *
 * Left out on purpose: removing or moving a region while the guest runs
 * (chapter 3), memory backed by files, NUMA.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MADV_HUGEPAGE */
#include "01-kvm-hello/memory.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "common/bits.h"

/* The size of the host's huge page: one entry of an x86-64 page directory. */
#define HUGE_PAGE (2 * MIB)

/*
 * Host memory aligned to a huge page. With guest and host address alike in the
 * low 21 bits, one second-level entry can map 2 MiB, which saves the guest one
 * exit for each of 511 pages it touches later.
 */
static uint8_t *reserve(uint64_t size)
{
    uint64_t spare = size + HUGE_PAGE;
    uint8_t *raw, *aligned;
    uint64_t before;

    if (spare < size || spare > PTRDIFF_MAX)
        return NULL;
    raw = mmap(NULL, spare, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
               0);
    if (raw == MAP_FAILED)
        return NULL;

    before = align_up((uintptr_t)raw, HUGE_PAGE) - (uintptr_t)raw;
    aligned = raw + before;
    if (before > 0)
        munmap(raw, before);
    munmap(aligned + size, spare - before - size);

    if (size >= HUGE_PAGE)
        madvise(aligned, size, MADV_HUGEPAGE); /* a wish: without it, only slower */
    return aligned;
}

int guest_memory_add(struct guest_memory *memory, gpa_t start, uint64_t size)
{
    struct guest_region *region = &memory->regions[memory->count];
    uint8_t *host;

    if (size == 0 || !is_aligned(start | size, GUEST_PAGE_SIZE) || !fits(start, size, UINT64_MAX))
        return -EINVAL;
    if (memory->count == GUEST_REGIONS_MAX)
        return -ENOSPC;
    for (unsigned i = 0; i < memory->count; i++) {
        const struct guest_region *other = &memory->regions[i];

        if (start < other->start + other->size && other->start < start + size)
            return -EEXIST;
    }

    host = reserve(size);
    if (!host)
        return -ENOMEM;
    *region = (struct guest_region){.start = start, .size = size, .host = host};
    memory->count++;
    return 0;
}

void guest_memory_free(struct guest_memory *memory)
{
    for (unsigned i = 0; i < memory->count; i++)
        munmap(memory->regions[i].host, memory->regions[i].size);
    *memory = (struct guest_memory){0};
}

uint64_t guest_memory_size(const struct guest_memory *memory)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < memory->count; i++)
        sum += memory->regions[i].size;
    return sum;
}

/* [guest-ptr] */
void *guest_ptr(const struct guest_memory *memory, gpa_t start, uint64_t length)
{
    for (unsigned i = 0; i < memory->count; i++) {
        const struct guest_region *region = &memory->regions[i];

        /* start - region->start cannot wrap: the first test has seen to it. */
        if (start >= region->start && fits(start - region->start, length, region->size))
            return region->host + (start - region->start);
    }
    return NULL;
}
/* [/guest-ptr] */

void *guest_ptr_to_write(const struct guest_memory *memory, gpa_t start, uint64_t length)
{
    for (unsigned i = 0; i < memory->count; i++) {
        const struct guest_region *region = &memory->regions[i];

        if (region->read_only && start >= region->start && start - region->start < region->size)
            return NULL;
    }
    return guest_ptr(memory, start, length);
}
