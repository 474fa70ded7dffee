/*
 * sys_time.c: sleeping, and timers with a name. The other calls about time are rows.
 *
 * Each call with a time exists twice since Linux 5.1. The pairs differ only in how a time
 * is read and written, so each pair is one function, and its row says SYSCALL_WIDE.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/sys.h"

static int64_t sleep_on(struct thread *thread, clockid_t clock, int flags, uint32_t request,
                        uint32_t remain, bool wide)
{
    struct space *space = &thread->process->space;
    struct timespec time, left;
    int64_t result;

    if (convert_time_in(space, request, wide, &time) < 0)
        return -EFAULT;
    left = time; /* the answer if a signal comes before the host has begun */
    result = host_call_waiting(thread, SYS_clock_nanosleep, clock, flags, host_pointer(&time),
                               host_pointer(&left));
    if ((result == -EINTR || result == -ERESTARTSYS_) && remain && !(flags & TIMER_ABSTIME) &&
        convert_time_out(space, remain, wide, &left) < 0)
        return -EFAULT;
    return result;
}

SYSCALL_FUNCTION(nanosleep)
{
    return sleep_on(thread, CLOCK_MONOTONIC, 0, args[0], args[1], false);
}

SYSCALL_FUNCTION(clock_nanosleep)
{
    return sleep_on(thread, (int32_t)args[0], (int32_t)args[1], args[2], args[3],
                    row->flags & SYSCALL_WIDE);
}

SYSCALL_FUNCTION(timer_create)
{
    struct space *space = &thread->process->space;
    struct sigevent host = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct arm_sigevent arm;
    int32_t id = 0;
    int64_t result;

    if (args[1]) {
        if (space_read(space, args[1], &arm, sizeof arm) < 0)
            return -EFAULT;
        host.sigev_notify = arm.notify;
        host.sigev_signo = arm.signo;
        host.sigev_value.sival_ptr = (void *)(uintptr_t)arm.value;
        host._sigev_un._tid = arm.tid;
    }
    result = host_call(SYS_timer_create, (int32_t)args[0], host_pointer(args[1] ? &host : NULL),
                       host_pointer(&id));
    return result < 0 ? result : space_write(space, args[2], &id, sizeof id);
}
