/*
 * sys_signal.c: the system calls about signals. What they mean is in signal.c.
 *
 * A struct sigaction of the kernel (not of the C library) is four words and a mask;
 * all sets are 64 bits, and a caller must say so.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/signal.h"
#include "06-tcg/linux/sys.h"

#define SIGSET_SIZE sizeof(uint64_t)

SYSCALL_FUNCTION(rt_sigaction)
{
    struct space *space = &thread->process->space;
    struct arm_sigaction action, old;
    uint32_t number = args[0];
    int error = 0;

    if (args[3] != SIGSET_SIZE || number < 1 || number > ARM_NSIG)
        return -EINVAL;
    old = thread->actions->of[number];
    if (args[1]) {
        if (space_read(space, args[1], &action, sizeof action) < 0)
            return -EFAULT;
        error = signal_set_action(thread, (int)number, &action);
    }
    if (!error && args[2] && space_write(space, args[2], &old, sizeof old) < 0)
        error = -EFAULT;
    return error;
}

SYSCALL_FUNCTION(rt_sigprocmask)
{
    struct space *space = &thread->process->space;
    uint64_t set, old = thread->mask;

    if (args[3] != SIGSET_SIZE)
        return -EINVAL;
    if (args[1]) {
        if (convert_mask_in(space, args[1], &set) < 0)
            return -EFAULT;
        switch (args[0]) {
        case SIG_BLOCK: thread->mask |= set; break;
        case SIG_UNBLOCK: thread->mask &= ~set; break;
        case SIG_SETMASK: thread->mask = set; break;
        default: return -EINVAL;
        }
        thread->mask &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
        signal_apply_mask(thread);
    }
    if (args[2] && convert_mask_out(space, args[2], old) < 0)
        return -EFAULT;
    return 0;
}

SYSCALL_FUNCTION(rt_sigpending)
{
    uint64_t set = 0;
    int64_t result = host_call(SYS_rt_sigpending, host_pointer(&set), sizeof set);

    if (args[1] > SIGSET_SIZE)
        return -EINVAL;
    /* The call also reports what only a held note keeps back on the host. */
    set &= thread->mask;
    return result < 0 ? result : space_write(&thread->process->space, args[0], &set, args[1]);
}

SYSCALL_FUNCTION(rt_sigsuspend)
{
    uint64_t mask;

    if (args[1] != SIGSET_SIZE)
        return -EINVAL;
    if (convert_mask_in(&thread->process->space, args[0], &mask) < 0)
        return -EFAULT;
    thread->suspend_mask = mask & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    thread->has_suspend_mask = true;
    mask &= ~(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS));
    return host_call_waiting(thread, SYS_rt_sigsuspend, host_pointer(&mask), sizeof mask);
}

SYSCALL_FUNCTION(rt_sigtimedwait)
{
    struct space *space = &thread->process->space;
    struct timespec timeout;
    struct arm_siginfo arm;
    siginfo_t info;
    uint64_t set;
    int64_t number;

    if (args[3] != SIGSET_SIZE)
        return -EINVAL;
    if (convert_mask_in(space, args[0], &set) < 0 ||
        (args[2] && convert_time_in(space, args[2], row->flags & SYSCALL_WIDE, &timeout) < 0))
        return -EFAULT;
    number = host_call_waiting(thread, SYS_rt_sigtimedwait, host_pointer(&set), host_pointer(&info),
                               host_pointer(args[2] ? &timeout : NULL), sizeof set);
    if (number < 0 || !args[1])
        return number;
    siginfo_to_arm(&info, &arm);
    return space_write(space, args[1], &arm, sizeof arm) < 0 ? -EFAULT : number;
}

static int siginfo_in(struct thread *thread, uint32_t address, siginfo_t *info)
{
    struct arm_siginfo arm;

    if (space_read(&thread->process->space, address, &arm, sizeof arm) < 0)
        return -EFAULT;
    siginfo_from_arm(&arm, info);
    return 0;
}

SYSCALL_FUNCTION(rt_sigqueueinfo)
{
    siginfo_t info;
    int error = siginfo_in(thread, args[2], &info);

    return error ? error
                 : host_call(SYS_rt_sigqueueinfo, (int32_t)args[0], (int32_t)args[1],
                             host_pointer(&info));
}

SYSCALL_FUNCTION(rt_tgsigqueueinfo)
{
    siginfo_t info;
    int error = siginfo_in(thread, args[3], &info);

    return error ? error
                 : host_call(SYS_rt_tgsigqueueinfo, (int32_t)args[0], (int32_t)args[1],
                             (int32_t)args[2], host_pointer(&info));
}

SYSCALL_FUNCTION(sigreturn)
{
    signal_return(thread, false);
    return -ERETURNED_;
}

SYSCALL_FUNCTION(rt_sigreturn)
{
    signal_return(thread, true);
    return -ERETURNED_;
}

SYSCALL_FUNCTION(sigaltstack)
{
    struct space *space = &thread->process->space;
    struct arm_stack stack, old = thread->altstack;
    bool in_use = thread->cpu.r[ARM_SP] - old.ss_sp - 1 < old.ss_size;

    old.ss_flags = old.ss_size == 0 ? SS_DISABLE : in_use ? SS_ONSTACK : 0;
    if (args[0]) {
        if (space_read(space, args[0], &stack, sizeof stack) < 0)
            return -EFAULT;
        if (in_use)
            return -EPERM;
        if (stack.ss_flags & SS_DISABLE)
            stack.ss_size = 0;
        else if (stack.ss_flags & ~SS_ONSTACK)
            return -EINVAL;
        else if (stack.ss_size < 2048) /* MINSIGSTKSZ */
            return -ENOMEM;
        thread->altstack = stack;
    }
    if (args[1] && space_write(space, args[1], &old, sizeof old) < 0)
        return -EFAULT;
    return 0;
}

/* What a signalfd reads has fixed sizes on all machines. */
static int64_t make_signalfd(struct thread *thread, uint32_t fd, uint32_t address, uint32_t size,
                             uint32_t flags)
{
    uint64_t mask;

    if (size != SIGSET_SIZE)
        return -EINVAL;
    if (convert_mask_in(&thread->process->space, address, &mask) < 0)
        return -EFAULT;
    return host_call(SYS_signalfd4, (int32_t)fd, host_pointer(&mask), sizeof mask, flags);
}

SYSCALL_FUNCTION(signalfd)
{
    return make_signalfd(thread, args[0], args[1], args[2], 0);
}

SYSCALL_FUNCTION(signalfd4)
{
    return make_signalfd(thread, args[0], args[1], args[2], args[3]);
}
