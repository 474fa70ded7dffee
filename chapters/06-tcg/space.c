/*
 * space.c: the guest's address space, 4 GiB of ours. See space.h.
 *
 * A free page of the window is a PROT_NONE mapping of ours, so that nothing else in
 * the process can come to lie there. Mapping replaces it (MAP_FIXED), unmapping puts
 * it back; in between the host's kernel does the work: files, sharing, zeroes.
 *
 * Left out on purpose: hosts whose pages are not 4 KiB. The guest's are, and a host
 * page of 16 KiB could not give two guest pages two permissions.
 */
#include "06-tcg/space.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bits.h"

#define RESERVED (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static int host_prot(unsigned flags)
{
    int prot = PROT_NONE;

    /* What the guest executes is read, by us. */
    if (flags & (SPACE_READ | SPACE_EXEC))
        prot |= PROT_READ;
    if ((flags & SPACE_WRITE) && !(flags & SPACE_CODE))
        prot |= PROT_WRITE | PROT_READ; /* as the ARM's page tables: no write-only pages */
    return prot;
}

int space_init(struct space *space)
{
    size_t size = SPACE_SIZE + SPACE_GUARD - SPACE_LOWEST;
    void *window;

    assert(sysconf(_SC_PAGESIZE) == SPACE_PAGE_SIZE);
    *space = (struct space){0};
    pthread_mutex_init(&space->lock, NULL);
    space->flags = mmap(NULL, SPACE_PAGES, PROT_READ | PROT_WRITE, RESERVED, -1, 0);
    if (space->flags == MAP_FAILED)
        return -errno;
    window = mmap((void *)(uintptr_t)SPACE_LOWEST, size, PROT_NONE, RESERVED | MAP_FIXED_NOREPLACE,
                  -1, 0);
    if (window != (void *)(uintptr_t)SPACE_LOWEST) {
        if (window != MAP_FAILED) /* a kernel older than MAP_FIXED_NOREPLACE */
            munmap(window, size);
        /* Not at 0: then the null page is ours too, or it would be somebody else's. */
        window = mmap(NULL, SPACE_LOWEST + size, PROT_NONE, RESERVED, -1, 0);
        if (window != MAP_FAILED)
            window = (char *)window + SPACE_LOWEST;
    }
    if (window == MAP_FAILED) {
        int error = -errno;

        munmap(space->flags, SPACE_PAGES);
        return error;
    }
    space->base = (uintptr_t)window - SPACE_LOWEST;
    return 0;
}

void space_free(struct space *space)
{
    uintptr_t start = space->base ? space->base : SPACE_LOWEST;

    munmap((void *)start, space->base + SPACE_SIZE + SPACE_GUARD - start);
    munmap(space->flags, SPACE_PAGES);
    pthread_mutex_destroy(&space->lock);
    *space = (struct space){0};
}

/* ---- looking ---------------------------------------------------------------------- */

bool space_allows(const struct space *space, uint32_t address, uint64_t size, unsigned prot)
{
    uint64_t end = (uint64_t)address + size;

    if (size == 0)
        return true;
    if (!fits(address, size, SPACE_SIZE))
        return false;
    for (uint64_t at = align_down(address, SPACE_PAGE_SIZE); at < end; at += SPACE_PAGE_SIZE)
        if ((space_flags(space, (uint32_t)at) & prot) != prot)
            return false;
    return true;
}

bool space_occupied(const struct space *space, uint32_t address, uint64_t size)
{
    uint64_t end = (uint64_t)address + size;

    if (!fits(address, size, SPACE_SIZE))
        return true;
    for (uint64_t at = align_down(address, SPACE_PAGE_SIZE); at < end; at += SPACE_PAGE_SIZE)
        if (space_flags(space, (uint32_t)at))
            return true;
    return false;
}

uint32_t space_find_free(const struct space *space, uint64_t size, uint64_t low, uint64_t high)
{
    uint64_t wanted = size >> SPACE_PAGE_SHIFT, found = 0;
    uint64_t first = (low < SPACE_LOWEST ? SPACE_LOWEST : low) >> SPACE_PAGE_SHIFT;

    if (wanted == 0 || high > SPACE_SIZE)
        return 0;
    for (uint64_t page = high >> SPACE_PAGE_SHIFT; page-- > first;) {
        found = space->flags[page] ? 0 : found + 1;
        if (found == wanted)
            return (uint32_t)(page << SPACE_PAGE_SHIFT);
    }
    return 0;
}

/* ---- changing: all below runs under the lock --------------------------------------- */

/* An aligned, non-empty range above SPACE_LOWEST and below 2^32? 0 or -errno. */
static int check_range(uint32_t address, uint64_t size)
{
    if (!is_aligned(address, SPACE_PAGE_SIZE) || !is_aligned(size, SPACE_PAGE_SIZE) || size == 0)
        return -EINVAL;
    if (address < SPACE_LOWEST || !fits(address, size, SPACE_SIZE))
        return -ENOMEM;
    return 0;
}

static void set_flags(struct space *space, uint32_t address, uint64_t size, unsigned flags)
{
    memset(&space->flags[address >> SPACE_PAGE_SHIFT], (int)flags, size >> SPACE_PAGE_SHIFT);
}

/* The host's permissions follow the flags, run by run of equal ones. */
static void follow_flags(struct space *space, uint64_t at, uint64_t end)
{
    while (at < end) {
        uint8_t flags = space_flags(space, (uint32_t)at);
        uint64_t next = at + SPACE_PAGE_SIZE;

        while (next < end && space_flags(space, (uint32_t)next) == flags)
            next += SPACE_PAGE_SIZE;
        if (flags)
            mprotect(space_at(space, (uint32_t)at), next - at, host_prot(flags));
        at = next;
    }
}

/* Tells the translator about every run of pages with code, and clears their flag. */
static void forget_code(struct space *space, uint32_t address, uint64_t size)
{
    uint64_t end = align_up((uint64_t)address + size, SPACE_PAGE_SIZE);

    for (uint64_t at = align_down(address, SPACE_PAGE_SIZE); at < end; at += SPACE_PAGE_SIZE) {
        if (!(space_flags(space, (uint32_t)at) & SPACE_CODE))
            continue;
        if (space->code_changes)
            space->code_changes(space->watcher, (uint32_t)at, (uint32_t)(at + SPACE_PAGE_SIZE - 1));
        space->flags[at >> SPACE_PAGE_SHIFT] &= (uint8_t)~SPACE_CODE;
        follow_flags(space, at, at + SPACE_PAGE_SIZE);
    }
}

int space_map(struct space *space, uint32_t address, uint64_t size, unsigned prot, bool shared,
              int fd, off_t offset)
{
    int error = check_range(address, size);
    int how = MAP_FIXED | MAP_NORESERVE | (shared ? MAP_SHARED : MAP_PRIVATE);
    void *at;

    if (error)
        return error;
    pthread_mutex_lock(&space->lock);
    forget_code(space, address, size);
    at = mmap(space_at(space, address), size, host_prot(prot), fd < 0 ? how | MAP_ANONYMOUS : how,
              fd, offset);
    if (at == MAP_FAILED)
        error = -errno;
    else
        set_flags(space, address, size,
                  (prot & SPACE_PROT) | SPACE_MAPPED | (shared ? SPACE_SHARED : 0));
    pthread_mutex_unlock(&space->lock);
    return error;
}

static int unmap_locked(struct space *space, uint32_t address, uint64_t size)
{
    forget_code(space, address, size);
    if (mmap(space_at(space, address), size, PROT_NONE, RESERVED | MAP_FIXED, -1, 0) == MAP_FAILED)
        return -errno;
    set_flags(space, address, size, 0);
    return 0;
}

int space_unmap(struct space *space, uint32_t address, uint64_t size)
{
    int error = check_range(address, size);

    if (error)
        return error;
    pthread_mutex_lock(&space->lock);
    error = unmap_locked(space, address, size);
    pthread_mutex_unlock(&space->lock);
    return error;
}

int space_protect(struct space *space, uint32_t address, uint64_t size, unsigned prot)
{
    int error = check_range(address, size);
    uint64_t end = (uint64_t)address + size, at;

    if (error)
        return error;
    pthread_mutex_lock(&space->lock);
    forget_code(space, address, size);
    /* As the kernel: what comes before the first hole is changed. */
    for (at = address; at < end && space_flags(space, (uint32_t)at); at += SPACE_PAGE_SIZE)
        ;
    if (at > address && mprotect(space_at(space, address), at - address, host_prot(prot)) < 0) {
        error = -errno; /* a shared file opened read-only */
        follow_flags(space, address, at);
        end = address;
    }
    for (uint64_t page = address; page < at && !error; page += SPACE_PAGE_SIZE) {
        uint8_t *flags = &space->flags[page >> SPACE_PAGE_SHIFT];

        *flags = (uint8_t)((*flags & ~SPACE_PROT) | (prot & SPACE_PROT));
    }
    if (at < end)
        error = -ENOMEM;
    pthread_mutex_unlock(&space->lock);
    return error;
}

/* Where a mapping of new_size bytes goes: in place, to target, or anywhere. 0: nowhere. */
static uint32_t remap_place(struct space *space, uint32_t address, uint64_t old_size,
                            uint64_t new_size, bool may_move, uint64_t low, uint64_t high)
{
    uint64_t end = (uint64_t)address + old_size;

    if (new_size <= old_size || !space_occupied(space, (uint32_t)end, new_size - old_size))
        return address;
    return may_move ? space_find_free(space, new_size, low, high) : 0;
}

/* The kernel grows a mapping only into a hole, so our reservation steps aside. */
static int grow_in_place(struct space *space, uint32_t address, uint64_t old_size,
                         uint64_t new_size)
{
    void *tail = space_at(space, address + (uint32_t)old_size);
    int error;

    if (new_size == old_size)
        return 0;
    munmap(tail, new_size - old_size);
    if (mremap(space_at(space, address), old_size, new_size, 0) != MAP_FAILED)
        return 0;
    error = errno;
    mmap(tail, new_size - old_size, PROT_NONE, RESERVED | MAP_FIXED, -1, 0);
    errno = error;
    return -1;
}

static int64_t remap_locked(struct space *space, uint32_t address, uint64_t old_size,
                            uint64_t new_size, uint32_t target)
{
    uint8_t flags = space_flags(space, address) & (uint8_t)~SPACE_CODE;

    forget_code(space, address, old_size);
    if (target != address && space_occupied(space, target, new_size))
        unmap_locked(space, target, new_size);
    if (target == address && new_size < old_size) {
        unmap_locked(space, address + (uint32_t)new_size, old_size - new_size);
        return address;
    }
    if (target == address) {
        if (grow_in_place(space, address, old_size, new_size) < 0)
            return -errno;
    } else {
        if (mremap(space_at(space, address), old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED,
                   space_at(space, target)) == MAP_FAILED)
            return -errno;
        unmap_locked(space, address, old_size); /* reserves the hole left behind */
    }
    set_flags(space, target, new_size, flags);
    return target;
}

int64_t space_remap(struct space *space, uint32_t address, uint64_t old_size, uint64_t new_size,
                    bool may_move, bool fixed, uint32_t target, uint64_t low, uint64_t high)
{
    int64_t result = check_range(address, old_size);

    if (result == 0)
        result = check_range(fixed ? target : address, new_size);
    if (result)
        return result == -ENOMEM && !fixed ? -EFAULT : result;
    pthread_mutex_lock(&space->lock);
    if (!fixed)
        target = remap_place(space, address, old_size, new_size, may_move, low, high);
    if (!space_allows(space, address, old_size, SPACE_MAPPED))
        result = -EFAULT;
    else if (target == 0)
        result = -ENOMEM;
    else
        result = remap_locked(space, address, old_size, new_size, target);
    pthread_mutex_unlock(&space->lock);
    return result;
}

/* ---- translated code ---------------------------------------------------------------- */

void space_protect_code(struct space *space, uint32_t address, uint64_t size)
{
    uint64_t first = align_down(address, SPACE_PAGE_SIZE);
    uint64_t end = align_up((uint64_t)address + size, SPACE_PAGE_SIZE);

    pthread_mutex_lock(&space->lock);
    for (uint64_t at = first; at < end; at += SPACE_PAGE_SIZE) {
        uint8_t *flags = &space->flags[at >> SPACE_PAGE_SHIFT];

        if (*flags & SPACE_CODE || !(*flags & SPACE_MAPPED))
            continue;
        *flags |= SPACE_CODE;
        if (*flags & SPACE_WRITE)
            follow_flags(space, at, at + SPACE_PAGE_SIZE);
    }
    pthread_mutex_unlock(&space->lock);
}

/* ---- for system calls --------------------------------------------------------------- */

static bool has_code(const struct space *space, uint32_t address, uint64_t size)
{
    uint64_t end = (uint64_t)address + size;

    for (uint64_t at = align_down(address, SPACE_PAGE_SIZE); at < end; at += SPACE_PAGE_SIZE)
        if (space_flags(space, (uint32_t)at) & SPACE_CODE)
            return true;
    return false;
}

void *space_host(struct space *space, uint32_t address, uint64_t size, unsigned prot)
{
    if (!space_allows(space, address, size, prot))
        return NULL;
    if ((prot & SPACE_WRITE) && size && has_code(space, address, size)) {
        pthread_mutex_lock(&space->lock);
        forget_code(space, address, size);
        pthread_mutex_unlock(&space->lock);
    }
    return space_at(space, address);
}
