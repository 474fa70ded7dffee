/*
 * sys_process.c: threads and processes: clone, fork, vfork, wait, exit.
 *
 * Three kinds of clone() exist in practice, and each is its like on the host:
 *
 *   a thread  CLONE_VM | CLONE_THREAD   a thread of ours with its own struct thread
 *   vfork     CLONE_VM | CLONE_VFORK    a process that borrows our memory, ours and the
 *                                       guest's, while its parent waits: so what
 *                                       posix_spawn() writes to its caller arrives
 *   fork      neither                   fork(): the window is copied with the rest
 *
 * The vfork child runs on a stack of its own inside the parent's process, like any
 * vfork child; the thread-local variables it changes are put back when it is done.
 * Any other combination (memory shared between processes that both run, namespaces)
 * is refused with EINVAL; clone3() answers ENOSYS, and C libraries fall back.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/robust.h"
#include "06-tcg/linux/signal.h"
#include "06-tcg/linux/sys.h"

#define CHILD_STACK (1u << 20)
#define CLONE_KNOWN                                                                                \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID |              \
     CLONE_DETACHED | CLONE_VFORK)

/* clone()'s arguments, as the ARM orders them. */
struct clone_call {
    uint32_t flags, stack, parent_tid, tls, child_tid;
};

/* The child's registers are the parent's, with 0 as the result, and its own stack. */
static void make_child(struct thread *child, const struct thread *parent,
                       const struct clone_call *call)
{
    *child = *parent;
    child->pending.number = 0;
    child->cpu.interrupt = 0;
    child->cpu.r[0] = 0;
    if (call->stack)
        child->cpu.r[ARM_SP] = call->stack;
    if (call->flags & CLONE_SETTLS)
        child->cpu.tls = call->tls;
    child->clear_child_tid = call->flags & CLONE_CHILD_CLEARTID ? call->child_tid : 0;
    child->robust_list = 0;
}

static void note_tid(struct thread *thread, uint32_t address)
{
    int32_t tid = gettid();

    space_write(&thread->process->space, address, &tid, sizeof tid);
}

/* ---- a thread ----------------------------------------------------------------------- */

struct birth {
    struct thread *thread;
    uint32_t child_tid; /* where the child writes its number, or 0 */
    uint32_t parent_tid;
    sem_t ready;
    int32_t tid;
};

static void *thread_main(void *opaque)
{
    struct birth *birth = opaque;
    struct thread *thread = birth->thread;

    thread_current = thread;
    fault_install();
    if (birth->child_tid)
        note_tid(thread, birth->child_tid);
    if (birth->parent_tid)
        note_tid(thread, birth->parent_tid);
    birth->tid = gettid();
    sem_post(&birth->ready); /* birth is gone from here on */
    thread_run(thread);
}

static int64_t start_thread(struct thread *parent, const struct clone_call *call)
{
    struct birth birth = {.thread = malloc(sizeof *birth.thread),
                          .child_tid = call->flags & CLONE_CHILD_SETTID ? call->child_tid : 0,
                          .parent_tid = call->flags & CLONE_PARENT_SETTID ? call->parent_tid : 0};
    pthread_attr_t attributes;
    pthread_t id;
    int error;

    if (!birth.thread)
        return -EAGAIN;
    make_child(birth.thread, parent, call);
    birth.thread->altstack = (struct arm_stack){0};
    sem_init(&birth.ready, 0, 0);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, CHILD_STACK);
    pthread_mutex_lock(&parent->process->lock);
    parent->process->threads++;
    pthread_mutex_unlock(&parent->process->lock);
    signal_block_all(); /* the child inherits that, until it can take a note */
    error = pthread_create(&id, &attributes, thread_main, &birth);
    if (error) {
        parent->process->threads--;
        free(birth.thread);
    } else {
        while (sem_wait(&birth.ready) < 0)
            ;
    }
    signal_apply_mask(parent);
    pthread_attr_destroy(&attributes);
    sem_destroy(&birth.ready);
    return error ? -EAGAIN : birth.tid;
}

/* ---- a process ---------------------------------------------------------------------- */

/* fork() in a process with threads: no lock may be held by one that will not exist. */
static pid_t fork_with_locks(struct thread *thread)
{
    struct process *process = thread->process;
    pid_t child;

    pthread_mutex_lock(&process->lock);
    pthread_mutex_lock(&process->space.lock);
    pthread_mutex_lock(&thread->actions->lock);
    child = fork();
    if (child == 0)
        process->threads = 1;
    pthread_mutex_unlock(&thread->actions->lock);
    pthread_mutex_unlock(&process->space.lock);
    pthread_mutex_unlock(&process->lock);
    return child;
}

static int64_t do_fork(struct thread *thread, const struct clone_call *call)
{
    struct engine *engine = &thread->process->engine;
    struct thread child;
    pid_t pid;

    signal_block_all();
    pid = fork_with_locks(thread);
    if (pid == 0) {
        if (engine->forked)
            engine->forked(engine->self);
        make_child(&child, thread, call);
        *thread = child;
        if (call->flags & CLONE_CHILD_SETTID)
            note_tid(thread, call->child_tid);
        fault_install();
    } else if (pid > 0 && (call->flags & CLONE_PARENT_SETTID)) {
        space_write(&thread->process->space, call->parent_tid, &pid, sizeof pid);
    }
    signal_apply_mask(thread);
    return pid < 0 ? -EAGAIN : pid;
}

/* ---- vfork --------------------------------------------------------------------------- */

static int vfork_child(void *opaque)
{
    thread_run(opaque);
}

/* Its signal actions are its own: CLONE_VM without CLONE_SIGHAND copies them. */
static int64_t do_vfork(struct thread *parent, const struct clone_call *call)
{
    struct signal_actions actions = *parent->actions;
    struct thread child;
    char *stack = aligned_alloc(64, CHILD_STACK);
    int64_t pid;

    if (!stack)
        return -EAGAIN;
    make_child(&child, parent, call);
    pthread_mutex_init(&actions.lock, NULL);
    child.actions = &actions;
    child.is_vfork_child = true;
    signal_block_all();
    pid = clone(vfork_child, stack + CHILD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, &child);
    if (pid < 0)
        pid = -errno;
    thread_current = parent;
    if (pid > 0 && (call->flags & CLONE_PARENT_SETTID)) {
        int32_t word = (int32_t)pid;

        space_write(&parent->process->space, call->parent_tid, &word, sizeof word);
    }
    signal_apply_mask(parent);
    free(stack);
    return pid;
}

static int64_t do_clone(struct thread *thread, const struct clone_call *call)
{
    uint32_t kind = call->flags & (CLONE_VM | CLONE_THREAD | CLONE_VFORK);

    if (call->flags & ~(uint32_t)(CLONE_KNOWN | CSIGNAL))
        return -EINVAL;
    switch (kind) {
    case CLONE_VM | CLONE_THREAD: return start_thread(thread, call);
    case CLONE_VM | CLONE_VFORK: return do_vfork(thread, call);
    case CLONE_VFORK:
    case 0: return do_fork(thread, call);
    default: return -EINVAL;
    }
}

SYSCALL_FUNCTION(clone)
{
    const struct clone_call call = {args[0], args[1], args[2], args[3], args[4]};

    return do_clone(thread, &call);
}

SYSCALL_FUNCTION(fork)
{
    const struct clone_call call = {.flags = SIGCHLD};

    return do_clone(thread, &call);
}

SYSCALL_FUNCTION(vfork)
{
    const struct clone_call call = {.flags = CLONE_VM | CLONE_VFORK | SIGCHLD};

    return do_clone(thread, &call);
}

/* ---- the end, and waiting for it ------------------------------------------------------ */

SYSCALL_FUNCTION(exit)
{
    thread_exit(thread, (int)(args[0] & 0xff));
}

SYSCALL_FUNCTION(exit_group)
{
    robust_list_exit(thread);
    process_exit((int)(args[0] & 0xff));
}

SYSCALL_FUNCTION(waitid)
{
    struct space *space = &thread->process->space;
    struct rusage usage = {0}; /* pairs of longs, all of it */
    struct arm_siginfo arm = {0};
    siginfo_t info = {0};
    int64_t result = host_call_waiting(thread, SYS_waitid, (int32_t)args[0], (int32_t)args[1],
                                       host_pointer(&info), (int32_t)args[3], host_pointer(&usage));

    if (result < 0)
        return result;
    if (info.si_signo)
        siginfo_to_arm(&info, &arm);
    if (args[2] && space_write(space, args[2], &arm, sizeof arm) < 0)
        return -EFAULT;
    if (args[4] && convert_pairs_out(space, args[4], PAIRS_MAX, false, (const int64_t *)&usage) < 0)
        return -EFAULT;
    return result;
}

_Static_assert(sizeof(struct rusage) == PAIRS_MAX * 16, "two times and fourteen counters");

/* ---- what a thread owns ---------------------------------------------------------------- */

SYSCALL_FUNCTION(set_tid_address)
{
    thread->clear_child_tid = args[0];
    return gettid();
}

SYSCALL_FUNCTION(set_robust_list)
{
    if (args[1] != 12) /* struct robust_list_head: three words */
        return -EINVAL;
    thread->robust_list = args[0];
    return 0;
}

SYSCALL_FUNCTION(get_robust_list)
{
    struct space *space = &thread->process->space;
    const uint32_t size = 12;

    if (args[0] && (pid_t)args[0] != gettid())
        return -EPERM;
    if (space_write(space, args[1], &thread->robust_list, 4) < 0 ||
        space_write(space, args[2], &size, 4) < 0)
        return -EFAULT;
    return 0;
}

SYSCALL_FUNCTION(set_tls)
{
    thread->cpu.tls = args[0];
    return 0;
}

SYSCALL_FUNCTION(get_tls)
{
    return thread->cpu.tls;
}
