/*
 * signal.c: signals of the host become signals of the guest. See signal.h.
 *
 * The frame on the guest's stack is Linux's, so that the C library, a debugger and
 * an exception's unwinder find what they expect:
 *
 *     sp before  +----------------------------+
 *                | retcode: mov r7, #n; svc   |  \
 *                | ucontext: registers, mask  |   } struct sigframe
 *                +----------------------------+  /
 *                | siginfo                    |  with SA_SIGINFO only
 *     sp after   +----------------------------+  a multiple of 8
 *
 *     r0 = number, r1 = &siginfo, r2 = &ucontext, lr = the restorer, pc = the handler
 *
 * Left out on purpose: the VFP's and iWMMXt's registers in uc_regspace (an ARMv5TE
 * has neither), and core files.
 *
 * [Linux: arch/arm/kernel/signal.c, arch/arm/include/uapi/asm/sigcontext.h]
 */
#include "06-tcg/linux/signal.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "06-tcg/linux/helper.h"
#include "06-tcg/linux/strace.h"
#include "06-tcg/linux/syscall.h"

#define HOST_SA_RESTORER 0x04000000u
#define UC_FLAGS_V2      0x5ac3c35au /* the mark of a frame of Linux 2.6.18 or later */

/* The kernel's own struct sigaction: the C library's keeps signals 32 and 33 to itself,
 * and the guest's C library needs just those. */
struct host_sigaction {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

void host_restorer(void);
__asm__(".text\n"
        ".globl host_restorer\n"
        ".hidden host_restorer\n"
        "host_restorer:\n"
        "    mov $15, %eax\n" /* rt_sigreturn */
        "    syscall\n");

/* Faults of our own must come through at all times. */
static const uint64_t never_blocked = SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS);

static void set_host_mask(uint64_t mask)
{
    mask &= ~never_blocked;
    host_call(SYS_rt_sigprocmask, SIG_SETMASK, host_pointer(&mask), 0, sizeof mask);
}

void signal_block_all(void)
{
    set_host_mask(UINT64_MAX);
}

void signal_apply_mask(struct thread *thread)
{
    if (!thread->pending.number)
        set_host_mask(thread->mask);
}

/* Step 1 and 2 of signal.h; info stays valid until signal_deliver(). */
static void take_note(struct thread *thread, const siginfo_t *info, ucontext_t *context)
{
    uint64_t all = ~never_blocked;

    thread->pending.info = *info;
    thread->pending.number = info->si_signo;
    thread->cpu.interrupt = 1;
    memcpy(&context->uc_sigmask, &all, sizeof all);
}

/* [signal-handler] */
static void signal_handler(int number, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    uintptr_t rip = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    const struct engine *engine;

    (void)number;
    if (!thread_current)
        return;
    engine = &thread_current->process->engine;
    take_note(thread_current, info, context);
    if (engine->interrupt)
        engine->interrupt(engine->self, context);
    if (rip >= (uintptr_t)wait_begin && rip < (uintptr_t)wait_end)
        context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)wait_signalled;
}
/* [/signal-handler] */

/* A SIGSEGV or SIGBUS that somebody sent: no fault. */
static void signal_sent(int number, siginfo_t *info, void *context)
{
    uint32_t handler = thread_current ? thread_current->actions->of[number].handler : 0;

    if (handler == (uint32_t)(uintptr_t)SIG_DFL)
        signal_die(number);
    if (handler != (uint32_t)(uintptr_t)SIG_IGN)
        signal_handler(number, info, context);
}

/* ---- actions ---------------------------------------------------------------------- */

static bool is_handler(const struct arm_sigaction *action)
{
    return action->handler != (uint32_t)(uintptr_t)SIG_DFL &&
           action->handler != (uint32_t)(uintptr_t)SIG_IGN;
}

bool signal_has_handler(struct thread *thread, int number)
{
    return is_handler(&thread->actions->of[number]);
}

static int set_host_action(int number, const struct arm_sigaction *action)
{
    struct host_sigaction host = {.restorer = host_restorer, .mask = ~never_blocked};

    if (SIGNAL_BIT(number) & never_blocked)
        return 0;
    host.flags = HOST_SA_RESTORER | (action->flags & (SA_NOCLDSTOP | SA_NOCLDWAIT));
    if (is_handler(action)) {
        host.handler = signal_handler;
        host.flags |= SA_SIGINFO | SA_ONSTACK;
    } else {
        host.handler = (void (*)(int, siginfo_t *, void *))(uintptr_t)action->handler;
    }
    return (int)host_call(SYS_rt_sigaction, number, host_pointer(&host), 0, sizeof host.mask);
}

int signal_set_action(struct thread *thread, int number, const struct arm_sigaction *action)
{
    int error = 0;

    if (number < 1 || number > ARM_NSIG || number == SIGKILL || number == SIGSTOP)
        return -EINVAL;
    pthread_mutex_lock(&thread->actions->lock);
    error = set_host_action(number, action);
    if (!error)
        thread->actions->of[number] = *action;
    pthread_mutex_unlock(&thread->actions->lock);
    return error;
}

void signal_start(struct thread *thread)
{
    struct host_sigaction host;

    for (int number = 1; number <= ARM_NSIG; number++)
        if (host_call(SYS_rt_sigaction, number, 0, host_pointer(&host), sizeof host.mask) == 0 &&
            (uintptr_t)host.handler == (uintptr_t)SIG_IGN)
            thread->actions->of[number].handler = (uint32_t)(uintptr_t)SIG_IGN;
    host_call(SYS_rt_sigprocmask, SIG_SETMASK, 0, host_pointer(&thread->mask), sizeof thread->mask);
    fault_on_sent(signal_sent);
    fault_install();
}

void signal_die(int number)
{
    struct host_sigaction host = {.flags = HOST_SA_RESTORER, .restorer = host_restorer};
    uint64_t open = ~SIGNAL_BIT(number);
    struct rlimit none = {0, 0};

    /* A core file would be of the translator, not of the guest. */
    setrlimit(RLIMIT_CORE, &none);
    if (thread_current && thread_current->process->engine.finish)
        thread_current->process->engine.finish(thread_current->process->engine.self);
    host_call(SYS_rt_sigaction, number, host_pointer(&host), 0, sizeof host.mask);
    host_call(SYS_tgkill, getpid(), gettid(), number);
    host_call(SYS_rt_sigprocmask, SIG_SETMASK, host_pointer(&open), 0, sizeof open);
    process_exit(128 + number); /* not reached: the signal has come */
}

/* ---- frames ----------------------------------------------------------------------- */

static bool on_altstack(const struct thread *thread)
{
    return thread->cpu.r[ARM_SP] - thread->altstack.ss_sp - 1 < thread->altstack.ss_size;
}

static uint32_t frame_address(const struct thread *thread, const struct arm_sigaction *action,
                              uint32_t size)
{
    uint32_t sp = thread->cpu.r[ARM_SP];

    if ((action->flags & SA_ONSTACK) && thread->altstack.ss_size && !on_altstack(thread))
        sp = thread->altstack.ss_sp + thread->altstack.ss_size;
    return (sp - size) & ~UINT32_C(7);
}

static void fill_frame(const struct thread *thread, const struct arm_sigaction *action,
                       const struct arm_siginfo *info, uint64_t mask, struct arm_sigframe *frame)
{
    struct arm_sigcontext *context = &frame->uc.uc_mcontext;

    frame->uc.uc_flags = UC_FLAGS_V2;
    frame->uc.uc_stack = thread->altstack;
    frame->uc.uc_stack.ss_flags = !thread->altstack.ss_size ? SS_DISABLE
                                  : on_altstack(thread)     ? SS_ONSTACK
                                                            : 0;
    memcpy(context->r, thread->cpu.r, sizeof context->r);
    context->cpsr = arm_cpsr(&thread->cpu);
    context->oldmask = (uint32_t)mask;
    if (siginfo_has_address(info->si_signo) && info->si_code > 0)
        context->fault_address = info->fault.address;
    memcpy(frame->uc.uc_sigmask, &mask, sizeof mask);
    frame->retcode[0] = 0xe3a07000 | (action->flags & SA_SIGINFO ? 173 : 119); /* mov r7, #nr */
    frame->retcode[1] = 0xef000000;                                            /* svc #0 */
}

static uint32_t return_address(const struct arm_sigaction *action)
{
    if (action->flags & ARM_SA_RESTORER)
        return action->restorer;
    return action->flags & SA_SIGINFO ? HELPER_RT_SIGRETURN : HELPER_SIGRETURN;
}

/* Builds the frame and enters the handler. False: the stack is no memory. */
static bool enter_handler(struct thread *thread, const struct arm_sigaction *action,
                          const struct arm_siginfo *info, uint64_t saved_mask)
{
    struct arm_rt_sigframe frame = {.info = *info};
    bool rt = action->flags & SA_SIGINFO;
    uint32_t skip = rt ? 0 : offsetof(struct arm_rt_sigframe, sig);
    uint32_t at = frame_address(thread, action, sizeof frame - skip);
    uint32_t *r = thread->cpu.r;

    fill_frame(thread, action, info, saved_mask, &frame.sig);
    if (space_write(&thread->process->space, at, (char *)&frame + skip, sizeof frame - skip) < 0)
        return false;
    r[0] = (uint32_t)info->si_signo;
    if (rt) {
        r[1] = at;
        r[2] = at + offsetof(struct arm_rt_sigframe, sig);
    }
    r[ARM_SP] = at;
    r[ARM_LR] = return_address(action);
    thread->cpu.thumb = action->handler & 1;
    r[ARM_PC] = action->handler & ~(action->handler & 1 ? UINT32_C(1) : UINT32_C(3));
    thread->cpu.monitor.size = 0; /* an exception clears it: no STREX succeeds across one */
    return true;
}

/* The action for a signal that is delivered now; SA_RESETHAND takes effect. */
static struct arm_sigaction use_action(struct thread *thread, int number)
{
    struct arm_sigaction action, none = {0};

    pthread_mutex_lock(&thread->actions->lock);
    action = thread->actions->of[number];
    if ((action.flags & SA_RESETHAND) && is_handler(&action)) {
        thread->actions->of[number] = none;
        set_host_action(number, &none);
    }
    pthread_mutex_unlock(&thread->actions->lock);
    return action;
}

static void run_handler(struct thread *thread, const struct arm_sigaction *action,
                        const struct arm_siginfo *info)
{
    uint64_t saved = thread->mask, added;

    if (thread->has_suspend_mask)
        thread->mask = thread->suspend_mask;
    thread->has_suspend_mask = false;
    memcpy(&added, action->mask, sizeof added);
    if (!enter_handler(thread, action, info, saved))
        signal_die(SIGSEGV);
    thread->mask |= added | (action->flags & SA_NODEFER ? 0 : SIGNAL_BIT(info->si_signo));
    thread->mask &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
}

static void finish_call(struct thread *thread, bool again, uint32_t svc_size)
{
    if (again)
        thread->cpu.r[ARM_PC] -= svc_size;
    else
        thread->cpu.r[0] = (uint32_t)-EINTR;
}

void signal_deliver(struct thread *thread, int64_t restart, uint32_t svc_size)
{
    int number;

    thread->cpu.interrupt = 0;
    while ((number = thread->pending.number)) {
        struct arm_sigaction action = use_action(thread, number);
        struct arm_siginfo info;

        siginfo_to_arm(&thread->pending.info, &info);
        if (is_handler(&action)) {
            strace_signal(thread, &info);
            if (restart)
                finish_call(thread, restart == -ERESTARTSYS_ && (action.flags & SA_RESTART),
                            svc_size);
            restart = 0;
            run_handler(thread, &action, &info);
        }
        thread->pending.number = 0;
        thread->cpu.interrupt = 0;
        /* The default came after the note was taken: let the host do it. */
        if (action.handler == (uint32_t)(uintptr_t)SIG_DFL)
            host_call(SYS_tgkill, getpid(), gettid(), number);
        signal_apply_mask(thread); /* the next one comes here */
    }
    if (thread->has_suspend_mask) {
        thread->has_suspend_mask = false;
        signal_apply_mask(thread);
    }
    if (restart) /* a signal without a handler: as if it had not come */
        finish_call(thread, true, svc_size);
}

void signal_force(struct thread *thread, int number, int code, uint32_t address)
{
    struct arm_siginfo info = {.si_signo = number, .si_code = code, .fault = {address}};
    struct arm_sigaction action = use_action(thread, number);

    strace_signal(thread, &info);
    if (!is_handler(&action) || (thread->mask & SIGNAL_BIT(number)))
        signal_die(number);
    run_handler(thread, &action, &info);
    signal_apply_mask(thread);
}

/* A mask from the guest; SIGKILL and SIGSTOP cannot be blocked. */
static void restore(struct thread *thread, const struct arm_ucontext *uc)
{
    const struct arm_sigcontext *context = &uc->uc_mcontext;

    memcpy(thread->cpu.r, context->r, sizeof context->r);
    arm_set_cpsr(&thread->cpu, context->cpsr);
    thread->cpu.r[ARM_PC] &= ~(thread->cpu.thumb ? UINT32_C(1) : UINT32_C(3));
    memcpy(&thread->mask, uc->uc_sigmask, sizeof thread->mask);
    thread->mask &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    thread->cpu.monitor.size = 0;
}

bool signal_return(struct thread *thread, bool rt)
{
    uint32_t at = thread->cpu.r[ARM_SP] + (rt ? offsetof(struct arm_rt_sigframe, sig) : 0);
    struct arm_ucontext uc;

    if (thread->cpu.r[ARM_SP] % 8 || space_read(&thread->process->space, at, &uc, sizeof uc) < 0) {
        signal_force(thread, SIGSEGV, SEGV_MAPERR, at);
        return false;
    }
    restore(thread, &uc);
    if (rt && !on_altstack(thread)) {
        thread->altstack = uc.uc_stack;
        if (uc.uc_stack.ss_flags & SS_DISABLE)
            thread->altstack.ss_size = 0;
    }
    signal_apply_mask(thread);
    return true;
}
