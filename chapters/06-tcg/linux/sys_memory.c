/*
 * sys_memory.c: brk, mmap and their kin, inside the window.
 *
 * A mapping goes where space_map() puts it; no address the guest names can reach the
 * translator's own memory, since the window is all that 32 bits can name. With MAP_FIXED
 * the helper page is out of bounds too.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "06-tcg/arm/stop.h"
#include "06-tcg/linux/sys.h"
#include "common/bits.h"

#define HELPER_PAGE ARM_HELPERS

/* A program without PT_GNU_STACK expects to execute whatever it can read. */
static unsigned prot_in(const struct process *process, uint32_t prot)
{
    unsigned flags = (prot & PROT_READ ? SPACE_READ : 0) | (prot & PROT_WRITE ? SPACE_WRITE : 0) |
                     (prot & PROT_EXEC ? SPACE_EXEC : 0);

    if ((flags & SPACE_READ) && process->exec_readable)
        flags |= SPACE_EXEC;
    /* Neither the ARM's page tables nor x86's know memory that can only be written. */
    return flags & (SPACE_WRITE | SPACE_EXEC) ? flags | SPACE_READ : flags;
}

/* Page-aligned, and in user space below the helper page? size becomes whole pages. */
static int check(uint32_t address, uint64_t *size)
{
    *size = align_up(*size, SPACE_PAGE_SIZE);
    if (!is_aligned(address, SPACE_PAGE_SIZE))
        return -EINVAL;
    return fits(address, *size, HELPER_PAGE) ? 0 : -ENOMEM;
}

SYSCALL_FUNCTION(brk)
{
    struct process *process = thread->process;
    uint64_t old_end, new_end, wanted = args[0];
    int error = 0;

    pthread_mutex_lock(&process->lock);
    old_end = align_up(process->brk, SPACE_PAGE_SIZE);
    new_end = align_up(wanted, SPACE_PAGE_SIZE);
    if (wanted < process->brk_start || new_end > process->mmap_high)
        error = -ENOMEM;
    else if (new_end > old_end)
        error = space_occupied(&process->space, (uint32_t)old_end, new_end - old_end)
                    ? -ENOMEM
                    : space_map(&process->space, (uint32_t)old_end, new_end - old_end,
                                prot_in(process, PROT_READ | PROT_WRITE), false, -1, 0);
    else if (new_end < old_end)
        error = space_unmap(&process->space, (uint32_t)new_end, old_end - new_end);
    if (!error)
        process->brk = args[0];
    wanted = process->brk;
    pthread_mutex_unlock(&process->lock);
    return (int64_t)wanted; /* the kernel never says why: it names the old end */
}

/* Where a mapping goes: a hint that is free, or the highest hole. 0: nowhere. */
static uint32_t choose_place(const struct process *process, uint32_t hint, uint64_t size)
{
    hint = (uint32_t)align_down(hint, SPACE_PAGE_SIZE);
    if (hint >= SPACE_LOWEST && fits(hint, size, process->mmap_high) &&
        !space_occupied(&process->space, hint, size))
        return hint;
    return space_find_free(&process->space, size, PROCESS_MMAP_LOW, process->mmap_high);
}

static int64_t map(struct process *process, uint32_t address, uint64_t size, uint32_t prot,
                   uint32_t flags, int fd, int64_t offset)
{
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    bool shared = (flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE;
    int error = fixed ? check(address, &size) : 0;

    size = align_up(size, SPACE_PAGE_SIZE);
    if (error)
        return error;
    if ((flags & MAP_FIXED_NOREPLACE) && space_occupied(&process->space, address, size))
        return -EEXIST;
    if (!fixed)
        address = choose_place(process, address, size);
    if (!address)
        return fixed ? -EPERM : -ENOMEM;
    error = space_map(&process->space, address, size, prot_in(process, prot), shared,
                      flags & MAP_ANONYMOUS ? -1 : fd, offset);
    return error ? error : (int64_t)address;
}

/* The offset counts units of 4 KiB, so that 32 bits name 16 TiB of a file. */
SYSCALL_FUNCTION(mmap2)
{
    struct process *process = thread->process;
    int64_t result;

    if (args[1] == 0)
        return -EINVAL;
    if (args[1] > HELPER_PAGE)
        return -ENOMEM;
    if ((args[3] & MAP_TYPE) == 0 || (args[3] & MAP_TYPE) > MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (!(args[3] & MAP_ANONYMOUS) && (int32_t)args[4] < 0)
        return -EBADF;
    pthread_mutex_lock(&process->lock); /* two threads must not choose the same hole */
    result = map(process, args[0], args[1], args[2], args[3], (int32_t)args[4],
                 (int64_t)args[5] << 12);
    pthread_mutex_unlock(&process->lock);
    return result;
}

SYSCALL_FUNCTION(munmap)
{
    uint64_t size = args[1];
    int error = check(args[0], &size);

    if (error || size == 0)
        return -EINVAL;
    pthread_mutex_lock(&thread->process->lock);
    /* Below the lowest page nothing is mapped: nothing to do there. */
    error = args[0] < SPACE_LOWEST ? 0 : space_unmap(&thread->process->space, args[0], size);
    pthread_mutex_unlock(&thread->process->lock);
    return error;
}

SYSCALL_FUNCTION(mprotect)
{
    uint64_t size = args[1];
    int error = check(args[0], &size);

    if (error || size == 0)
        return error;
    return space_protect(&thread->process->space, args[0], size, prot_in(thread->process, args[2]));
}

SYSCALL_FUNCTION(mremap)
{
    struct process *process = thread->process;
    uint64_t old_size = args[1], new_size = args[2];
    uint32_t flags = args[3];
    bool fixed = flags & MREMAP_FIXED;
    int error = check(args[0], &old_size);
    int64_t result;

    if (error || (flags & ~(uint32_t)(MREMAP_MAYMOVE | MREMAP_FIXED)) || new_size == 0 ||
        (fixed && !(flags & MREMAP_MAYMOVE)))
        return -EINVAL;
    if (check(fixed ? args[4] : 0, &new_size))
        return -EINVAL;
    if (fixed && args[4] < (uint64_t)args[0] + old_size && args[0] < (uint64_t)args[4] + new_size)
        return -EINVAL; /* onto itself */
    pthread_mutex_lock(&process->lock);
    result = space_remap(&process->space, args[0], old_size, new_size, flags & MREMAP_MAYMOVE,
                         fixed, args[4], PROCESS_MMAP_LOW, process->mmap_high);
    pthread_mutex_unlock(&process->lock);
    return result;
}

/* Calls about memory that must be mapped; the host does the rest. */
static int64_t on_mapped(struct thread *thread, long number, uint32_t address, uint64_t size,
                         uint32_t third)
{
    int error = check(address, &size);

    if (error)
        return error;
    if (!space_allows(&thread->process->space, address, size, SPACE_MAPPED))
        return -ENOMEM;
    return host_call(number, host_pointer(space_at(&thread->process->space, address)),
                     (int64_t)size, third);
}

SYSCALL_FUNCTION(msync)
{
    return on_mapped(thread, SYS_msync, args[0], args[1], args[2]);
}

SYSCALL_FUNCTION(madvise)
{
    switch (args[2]) {
    case MADV_DONTNEED: /* the one that programs rely on: zeroes afterwards */
    case MADV_FREE:
    case MADV_REMOVE:
    case MADV_DONTFORK:
    case MADV_DOFORK: return on_mapped(thread, SYS_madvise, args[0], args[1], args[2]);
    default: return 0; /* mere advice */
    }
}

SYSCALL_FUNCTION(mincore)
{
    uint64_t size = args[1];
    int error = check(args[0], &size);
    void *to = space_host(&thread->process->space, args[2], size / SPACE_PAGE_SIZE, SPACE_WRITE);

    if (error)
        return error;
    if (!to)
        return -EFAULT;
    if (!space_allows(&thread->process->space, args[0], size, SPACE_MAPPED))
        return -ENOMEM;
    return host_call(SYS_mincore, host_pointer(space_at(&thread->process->space, args[0])),
                     (int64_t)size, host_pointer(to));
}

/* Nothing is locked, as for a user without the right to: but nothing depends on it. */
SYSCALL_FUNCTION(mlock)
{
    uint64_t skew = args[0] % SPACE_PAGE_SIZE, size = (uint64_t)args[1] + skew;
    uint32_t address = args[0] - (uint32_t)skew;
    int error = check(address, &size);

    if (error)
        return error;
    return space_allows(&thread->process->space, address, size, SPACE_MAPPED) ? 0 : -ENOMEM;
}

SYSCALL_FUNCTION(mlockall)
{
    return 0;
}

/* [Linux: arch/arm/kernel/traps.c, do_cache_op()]: start, end, 0. */
SYSCALL_FUNCTION(cacheflush)
{
    struct engine *engine = &thread->process->engine;

    if (args[1] < args[0] || args[2])
        return -EINVAL;
    if (engine->flush && args[1] > args[0])
        engine->flush(engine->self, args[0], args[1] - 1);
    return 0;
}
