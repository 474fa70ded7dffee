/*
 * process.h: one guest process, its threads, and the loop that runs them.
 *
 * A guest thread is a thread of ours, a guest process a process of ours: the host's
 * kernel schedules, shares, wakes and kills them. So a guest has real thread and
 * process numbers, its parent can wait for it, and a signal that nobody handles
 * ends it as it would have on an ARM machine. We add only what differs: the
 * processor, the address space, and the shape of the structures.
 *
 *     process_start()        load the program, build its stack
 *       thread_run()         engine -> stop -> system call, fault or signal -> engine
 *         syscall_run()      syscall.h
 *         signal_deliver()   signal.h
 *
 * Data shared by threads is either constant after process_start() or guarded by the
 * lock named beside it.
 */
#ifndef CHAPTER_06_LINUX_PROCESS_H
#define CHAPTER_06_LINUX_PROCESS_H

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/stop.h"
#include "06-tcg/linux/abi.h"
#include "06-tcg/linux/elf.h"
#include "06-tcg/space.h"

/* Where things are in a fresh process. Linux on a 32-bit ARM ends near 0xc0000000; a
 * 32-bit process under a 64-bit ARM kernel has all but the last page, as here. */
#define PROCESS_STACK_TOP 0xf0000000u
#define PROCESS_MMAP_LOW  0x00400000u

/* What executes guest code: the reference interpreter or the translator. */
struct engine {
    const char *name;
    void *self;
    /* Runs until something only the caller can settle. */
    struct arm_stop (*run)(void *self, struct arm_cpu *cpu);
    /* NULL, or: a signal's handler, given this context, has set cpu->interrupt. */
    void (*interrupt)(void *self, void *context);
    /* NULL, or: forgets what was translated from [first, last]. */
    void (*flush)(void *self, uint32_t first, uint32_t last);
    /* NULL, or: fork() has made us a copy with one thread. */
    void (*forked)(void *self);
    /* NULL, or: the process ends; what was counted can be printed. */
    void (*finish)(void *self);
};

#define ENGINE_ARGS_MAX 16

/* What the command line says; constant, handed on when the guest calls execve(). */
struct options {
    const char *sysroot; /* -L: absolute paths are looked up below it first, or NULL */
    const char *argv0;   /* -0, or NULL: the program's path */
    bool strace;         /* -strace */
    bool interpret;      /* --interpret */
    uint32_t stack_size; /* -s, bytes; 0: as the host's limit says */
    char *engine_args[ENGINE_ARGS_MAX + 1]; /* options for the engine, as they came */
};

/* A System V segment that is attached; size 0: none. */
struct process_segment {
    uint32_t address, size;
};

struct process {
    struct space space;
    struct engine engine;
    struct options options;
    struct elf_image image; /* the program */
    char exe[PATH_MAX];     /* its path, absolute, as the guest sees it */
    bool exec_readable;     /* what can be read can be executed: see elf.h, exec_stack */
    uint32_t stack_low, stack_high;
    uint32_t mmap_high;          /* mmap() stays below: there is a gap before the stack */
    uint32_t arg_start, arg_end; /* the argument strings, for /proc/self/cmdline */
    uint32_t auxv, auxv_size;    /* the auxiliary vector, for /proc/self/auxv */

    pthread_mutex_t lock; /* guards the rest */
    uint32_t brk_start, brk;
    struct process_segment segments[32];
    int threads;
};

/* What the guest does about its signals; threads share it, fork() copies it. */
struct signal_actions {
    pthread_mutex_t lock;
    struct arm_sigaction of[ARM_NSIG + 1]; /* by number; [0] is unused */
};

/* A signal the host has handed us and the guest has not seen yet. */
struct pending_signal {
    volatile sig_atomic_t number; /* 0: none */
    siginfo_t info;
};

struct thread {
    struct arm_cpu cpu;
    struct process *process;
    struct signal_actions *actions;

    uint64_t mask;         /* the guest's blocked signals */
    bool has_suspend_mask; /* in force until the next signal: sigsuspend(), ppoll() */
    uint64_t suspend_mask;
    struct arm_stack altstack;
    struct pending_signal pending;

    uint32_t syscall_r0;      /* r0 before the system call overwrites it, for a restart */
    uint32_t clear_child_tid; /* zeroed and woken at the thread's end, or 0 */
    uint32_t robust_list;     /* set_robust_list()'s, or 0 */
    bool is_vfork_child;      /* shares the parent's memory until execve() or exit */
};

/* The thread this is; NULL in a thread that runs no guest. */
extern _Thread_local struct thread *thread_current;

/*
 * Loads path for a new process with the arguments and environment given. True, or
 * false with a line in *refusal that says why not. thread is the first thread, ready
 * for thread_run().
 */
bool process_start(struct process *process, struct thread *thread, const char *path,
                   char *const argv[], char *const envp[], struct refusal *refusal);

/*
 * If path is a script, path and *argv become what execve() makes of them: its #! line's
 * interpreter, the script behind it. Where that leads nowhere, process_start() says why.
 */
void process_script(struct process *process, char path[PATH_MAX], char ***argv);

/* Runs guest code until the thread or the process ends. */
_Noreturn void thread_run(struct thread *thread);

/* The thread's end: wakes who waits for it. Ends the process after its last thread. */
_Noreturn void thread_exit(struct thread *thread, int status);

/* The process' end, for all threads, as exit_group(). */
_Noreturn void process_exit(int status);

#endif
