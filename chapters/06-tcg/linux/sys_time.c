/*
 * sys_time.c: clocks, sleeping and timers, with times of 32 and of 64 bits.
 *
 * Each call exists twice since Linux 5.1. The pairs differ only in how a time is read
 * and written, so each pair is one function that takes that as a struct width.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/sys.h"

struct width {
    uint32_t size; /* of a timespec */
    int (*in)(struct space *space, uint32_t address, struct timespec *host);
    int (*out)(struct space *space, uint32_t address, const struct timespec *host);
};

static const struct width narrow = {8, convert_timespec_in, convert_timespec_out};
static const struct width wide = {16, convert_timespec64_in, convert_timespec64_out};

/* A kernel pointer argument from one of ours. */
static int64_t host_pointer(const void *host)
{
    return (int64_t)(uintptr_t)host;
}

/* ---- clocks --------------------------------------------------------------------------- */

static int64_t read_clock(struct thread *thread, long number, const uint32_t args[SYSCALL_ARGS])
{
    struct timespec time;
    int64_t result = host_call(number, (int32_t)args[0], host_pointer(&time), 0, 0, 0, 0);

    if (result < 0 || !args[1])
        return result;
    return convert_timespec_out(&thread->process->space, args[1], &time);
}

SYSCALL_FUNCTION(clock_gettime)
{
    return read_clock(thread, SYS_clock_gettime, args);
}

SYSCALL_FUNCTION(clock_getres)
{
    return read_clock(thread, SYS_clock_getres, args);
}

static int64_t set_clock(struct thread *thread, const uint32_t args[SYSCALL_ARGS],
                         const struct width *width)
{
    struct timespec time;

    if (width->in(&thread->process->space, args[1], &time) < 0)
        return -EFAULT;
    return host_call(SYS_clock_settime, (int32_t)args[0], host_pointer(&time), 0, 0, 0, 0);
}

SYSCALL_FUNCTION(clock_settime)
{
    return set_clock(thread, args, &narrow);
}

SYSCALL_FUNCTION(clock_settime64)
{
    return set_clock(thread, args, &wide);
}

SYSCALL_FUNCTION(gettimeofday)
{
    struct space *space = &thread->process->space;
    struct timezone zone = {0};
    struct timeval time;
    struct arm_timeval arm;

    gettimeofday(&time, &zone);
    arm = (struct arm_timeval){(int32_t)time.tv_sec, (int32_t)time.tv_usec};
    if (args[0] && space_write(space, args[0], &arm, sizeof arm) < 0)
        return -EFAULT;
    return args[1] ? space_write(space, args[1], &zone, sizeof zone) : 0;
}

SYSCALL_FUNCTION(times)
{
    struct tms host;
    struct arm_tms arm;
    int64_t ticks = host_call(SYS_times, host_pointer(&host), 0, 0, 0, 0, 0);

    arm = (struct arm_tms){(int32_t)host.tms_utime, (int32_t)host.tms_stime,
                           (int32_t)host.tms_cutime, (int32_t)host.tms_cstime};
    if (args[0] && space_write(&thread->process->space, args[0], &arm, sizeof arm) < 0)
        return -EFAULT;
    return (int32_t)(ticks & INT32_MAX); /* an error would be negative */
}

/* ---- sleeping ------------------------------------------------------------------------- */

static int64_t sleep_on(struct thread *thread, clockid_t clock, int flags, uint32_t request,
                        uint32_t remain, const struct width *width)
{
    struct space *space = &thread->process->space;
    struct timespec time, left;
    int64_t result;

    if (width->in(space, request, &time) < 0)
        return -EFAULT;
    left = time; /* the answer if a signal comes before the host has begun */
    result = host_call_waiting(thread, SYS_clock_nanosleep, clock, flags, host_pointer(&time),
                               host_pointer(&left), 0, 0);
    if ((result == -EINTR || result == -ERESTARTSYS_) && remain && !(flags & TIMER_ABSTIME) &&
        width->out(space, remain, &left) < 0)
        return -EFAULT;
    return result;
}

SYSCALL_FUNCTION(nanosleep)
{
    return sleep_on(thread, CLOCK_MONOTONIC, 0, args[0], args[1], &narrow);
}

SYSCALL_FUNCTION(clock_nanosleep)
{
    return sleep_on(thread, (int32_t)args[0], (int32_t)args[1], args[2], args[3], &narrow);
}

SYSCALL_FUNCTION(clock_nanosleep_time64)
{
    return sleep_on(thread, (int32_t)args[0], (int32_t)args[1], args[2], args[3], &wide);
}

/* ---- interval timers ------------------------------------------------------------------ */

static struct arm_itimerval itimer_to_arm(const struct itimerval *host)
{
    return (struct arm_itimerval){
        {(int32_t)host->it_interval.tv_sec, (int32_t)host->it_interval.tv_usec},
        {(int32_t)host->it_value.tv_sec, (int32_t)host->it_value.tv_usec}};
}

SYSCALL_FUNCTION(getitimer)
{
    struct itimerval host;
    struct arm_itimerval arm;
    int64_t result = host_call(SYS_getitimer, (int32_t)args[0], host_pointer(&host), 0, 0, 0, 0);

    if (result < 0)
        return result;
    arm = itimer_to_arm(&host);
    return space_write(&thread->process->space, args[1], &arm, sizeof arm);
}

SYSCALL_FUNCTION(setitimer)
{
    struct space *space = &thread->process->space;
    struct itimerval host = {0}, old;
    struct arm_itimerval arm;
    int64_t result;

    if (args[1]) {
        if (space_read(space, args[1], &arm, sizeof arm) < 0)
            return -EFAULT;
        host = (struct itimerval){{arm.it_interval.tv_sec, arm.it_interval.tv_usec},
                                  {arm.it_value.tv_sec, arm.it_value.tv_usec}};
    }
    result = host_call(SYS_setitimer, (int32_t)args[0], host_pointer(&host), host_pointer(&old), 0,
                       0, 0);
    if (result < 0 || !args[2])
        return result;
    arm = itimer_to_arm(&old);
    return space_write(space, args[2], &arm, sizeof arm);
}

/* ---- timers with a name, and timers with a descriptor ----------------------------------- */

static int itimerspec_in(struct space *space, uint32_t address, struct itimerspec *host,
                         const struct width *width)
{
    if (width->in(space, address, &host->it_interval) < 0)
        return -EFAULT;
    return width->in(space, address + width->size, &host->it_value);
}

static int itimerspec_out(struct space *space, uint32_t address, const struct itimerspec *host,
                          const struct width *width)
{
    if (width->out(space, address, &host->it_interval) < 0)
        return -EFAULT;
    return width->out(space, address + width->size, &host->it_value);
}

static int64_t set_timer(struct thread *thread, long number, const uint32_t args[SYSCALL_ARGS],
                         const struct width *width)
{
    struct space *space = &thread->process->space;
    struct itimerspec new, old;
    int64_t result;

    if (itimerspec_in(space, args[2], &new, width) < 0)
        return -EFAULT;
    result = host_call(number, (int32_t)args[0], (int32_t)args[1], host_pointer(&new),
                       host_pointer(&old), 0, 0);
    if (result < 0 || !args[3])
        return result;
    return itimerspec_out(space, args[3], &old, width);
}

static int64_t get_timer(struct thread *thread, long number, const uint32_t args[SYSCALL_ARGS],
                         const struct width *width)
{
    struct itimerspec now;
    int64_t result = host_call(number, (int32_t)args[0], host_pointer(&now), 0, 0, 0, 0);

    return result < 0 ? result : itimerspec_out(&thread->process->space, args[1], &now, width);
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
    result = host_call(SYS_timer_create, (int32_t)args[0], args[1] ? host_pointer(&host) : 0,
                       host_pointer(&id), 0, 0, 0);
    return result < 0 ? result : space_write(space, args[2], &id, sizeof id);
}

SYSCALL_FUNCTION(timer_settime)
{
    return set_timer(thread, SYS_timer_settime, args, &narrow);
}

SYSCALL_FUNCTION(timer_settime64)
{
    return set_timer(thread, SYS_timer_settime, args, &wide);
}

SYSCALL_FUNCTION(timer_gettime)
{
    return get_timer(thread, SYS_timer_gettime, args, &narrow);
}

SYSCALL_FUNCTION(timer_gettime64)
{
    return get_timer(thread, SYS_timer_gettime, args, &wide);
}

SYSCALL_FUNCTION(timerfd_settime)
{
    return set_timer(thread, SYS_timerfd_settime, args, &narrow);
}

SYSCALL_FUNCTION(timerfd_settime64)
{
    return set_timer(thread, SYS_timerfd_settime, args, &wide);
}

SYSCALL_FUNCTION(timerfd_gettime)
{
    return get_timer(thread, SYS_timerfd_gettime, args, &narrow);
}

SYSCALL_FUNCTION(timerfd_gettime64)
{
    return get_timer(thread, SYS_timerfd_gettime, args, &wide);
}
