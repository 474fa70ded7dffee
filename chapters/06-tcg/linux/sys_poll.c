/*
 * sys_poll.c: waiting for descriptors: poll, select, epoll.
 *
 * struct pollfd is the same everywhere. A set of descriptors is an array of longs,
 * which on little-endian machines is the same bits in 4-byte or 8-byte pieces; so a
 * set is copied, up to the next 8 bytes. struct epoll_event is packed on x86-64 alone.
 *
 * The calls that take a signal mask wait with it, and it stays in force until the
 * signal that ends the wait has its frame, as for sigsuspend().
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/signal.h"
#include "06-tcg/linux/sys.h"
#include "common/bits.h"

#define DESCRIPTORS_MAX (1u << 20) /* more than any limit of open files */
#define EVENTS_MAX      65536u     /* one wait need not return all that are ready */

/* The mask to wait with: the guest's, or thread->mask if it gave none. 0 or -errno. */
static int wait_mask(struct thread *thread, uint32_t address, uint32_t size, uint64_t *mask)
{
    *mask = thread->mask;
    if (address) {
        if (size != sizeof *mask)
            return -EINVAL;
        if (convert_mask_in(&thread->process->space, address, mask) < 0)
            return -EFAULT;
        thread->suspend_mask = *mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    }
    *mask &= ~(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS));
    return 0;
}

/* After the wait: a mask of its own stays only if a signal is to be delivered. */
static int64_t waited(struct thread *thread, bool own_mask, int64_t result)
{
    thread->has_suspend_mask = own_mask && thread->pending.number;
    return result;
}

/* ---- poll ----------------------------------------------------------------------------- */

static int64_t poll_for(struct thread *thread, uint32_t address, uint32_t count,
                        struct timespec *timeout, uint32_t mask_address, uint32_t mask_size)
{
    uint64_t mask;
    int error = wait_mask(thread, mask_address, mask_size, &mask);
    void *fds = space_host(&thread->process->space, address,
                           (uint64_t)count * sizeof(struct pollfd), SPACE_READ | SPACE_WRITE);

    if (error)
        return error;
    if (count > DESCRIPTORS_MAX)
        return -EINVAL;
    if (!fds && count)
        return -EFAULT;
    return waited(thread, mask_address,
                  host_call_waiting(thread, SYS_ppoll, host_pointer(fds), count,
                                    host_pointer(timeout), mask_address ? host_pointer(&mask) : 0,
                                    sizeof mask));
}

SYSCALL_FUNCTION(poll)
{
    int32_t ms = (int32_t)args[2];
    struct timespec timeout = {ms / 1000, ms % 1000 * 1000000L};

    return poll_for(thread, args[0], args[1], ms < 0 ? NULL : &timeout, 0, 0);
}

SYSCALL_FUNCTION(ppoll)
{
    struct space *space = &thread->process->space;
    bool wide = row->flags & SYSCALL_WIDE;
    struct timespec timeout;
    int64_t result;

    if (args[2] && convert_time_in(space, args[2], wide, &timeout) < 0)
        return -EFAULT;
    result = poll_for(thread, args[0], args[1], args[2] ? &timeout : NULL, args[3], args[4]);
    if (args[2])
        convert_time_out(space, args[2], wide, &timeout); /* what is left; may be read-only */
    return result;
}

/* ---- select --------------------------------------------------------------------------- */

#define SELECT_MAX 65536u /* descriptors in a set: beyond, EINVAL */

struct select_sets {
    uint64_t set[3][SELECT_MAX / 64];
};

/* Copies the three sets in or out, in the guest's 4-byte steps. 0 or -EFAULT. */
static int copy_sets(struct space *space, const uint32_t addresses[3], uint32_t count,
                     struct select_sets *sets, bool in)
{
    size_t bytes = align_up(count, 32) / 8;

    for (int i = 0; i < 3; i++) {
        int error = !addresses[i] ? 0
                    : in          ? space_read(space, addresses[i], sets->set[i], bytes)
                                  : space_write(space, addresses[i], sets->set[i], bytes);

        if (error)
            return error;
    }
    return 0;
}

static int64_t select_on(struct thread *thread, const uint32_t args[SYSCALL_ARGS],
                         struct timespec *timeout, uint32_t mask_address, uint32_t mask_size)
{
    struct space *space = &thread->process->space;
    struct select_sets sets = {0};
    uint64_t mask;
    struct {
        const uint64_t *mask;
        size_t size;
    } with_mask = {mask_address ? &mask : NULL, sizeof mask};
    int64_t set[3], result;
    int error = wait_mask(thread, mask_address, mask_size, &mask);

    if (error)
        return error;
    if (args[0] > SELECT_MAX)
        return -EINVAL;
    if (copy_sets(space, &args[1], args[0], &sets, true) < 0)
        return -EFAULT;
    for (int i = 0; i < 3; i++)
        set[i] = args[1 + i] ? host_pointer(sets.set[i]) : 0;
    result = waited(thread, mask_address,
                    host_call_waiting(thread, SYS_pselect6, args[0], set[0], set[1], set[2],
                                      host_pointer(timeout), host_pointer(&with_mask)));
    if (result >= 0 && copy_sets(space, &args[1], args[0], &sets, false) < 0)
        return -EFAULT;
    return result;
}

SYSCALL_FUNCTION(_newselect)
{
    struct space *space = &thread->process->space;
    struct arm_timeval arm;
    struct timespec timeout;
    int64_t result;

    if (!args[4])
        return select_on(thread, args, NULL, 0, 0);
    if (space_read(space, args[4], &arm, sizeof arm) < 0)
        return -EFAULT;
    timeout = (struct timespec){arm.tv_sec, arm.tv_usec * 1000L};
    result = select_on(thread, args, &timeout, 0, 0);
    arm = (struct arm_timeval){(int32_t)timeout.tv_sec, (int32_t)(timeout.tv_nsec / 1000)};
    space_write(space, args[4], &arm, sizeof arm);
    return result;
}

/* The sixth argument points at a mask's address and size: six are all there are. */
SYSCALL_FUNCTION(pselect6)
{
    struct space *space = &thread->process->space;
    bool wide = row->flags & SYSCALL_WIDE;
    uint32_t mask[2] = {0, 0};
    struct timespec timeout;
    int64_t result;

    if ((args[5] && space_read(space, args[5], mask, sizeof mask) < 0) ||
        (args[4] && convert_time_in(space, args[4], wide, &timeout) < 0))
        return -EFAULT;
    result = select_on(thread, args, args[4] ? &timeout : NULL, mask[0], mask[1]);
    if (args[4])
        convert_time_out(space, args[4], wide, &timeout);
    return result;
}

/* ---- epoll ---------------------------------------------------------------------------- */

SYSCALL_FUNCTION(epoll_ctl)
{
    struct arm_epoll_event arm;
    struct epoll_event host = {0};

    if (args[1] != EPOLL_CTL_DEL) {
        if (space_read(&thread->process->space, args[3], &arm, sizeof arm) < 0)
            return -EFAULT;
        host.events = arm.events;
        host.data.u64 = arm.data;
    }
    return host_call(SYS_epoll_ctl, (int32_t)args[0], (int32_t)args[1], (int32_t)args[2],
                     host_pointer(&host));
}

static int64_t epoll_for(struct thread *thread, const uint32_t args[SYSCALL_ARGS],
                         uint32_t mask_address, uint32_t mask_size)
{
    uint32_t most = args[2] < EVENTS_MAX ? args[2] : EVENTS_MAX;
    struct epoll_event *host;
    uint64_t mask;
    int error = wait_mask(thread, mask_address, mask_size, &mask);
    int64_t count;

    if (error)
        return error;
    if ((int32_t)args[2] <= 0)
        return -EINVAL;
    host = malloc(most * sizeof *host);
    if (!host)
        return -ENOMEM;
    count = waited(thread, mask_address,
                   host_call_waiting(thread, SYS_epoll_pwait, (int32_t)args[0], host_pointer(host),
                                     most, (int32_t)args[3], mask_address ? host_pointer(&mask) : 0,
                                     sizeof mask));
    for (int64_t i = 0; i < count; i++) {
        struct arm_epoll_event arm = {host[i].events, 0, host[i].data.u64};

        if (space_write(&thread->process->space, args[1] + (uint32_t)i * (uint32_t)sizeof arm, &arm,
                        sizeof arm) < 0)
            count = -EFAULT;
    }
    free(host);
    return count;
}

SYSCALL_FUNCTION(epoll_wait)
{
    return epoll_for(thread, args, 0, 0);
}

SYSCALL_FUNCTION(epoll_pwait)
{
    return epoll_for(thread, args, args[4], args[5]);
}
