/*
 * syscall.h: system calls, and the table that describes them.
 *
 * An EABI program puts the number in r7, arguments in r0 to r6, and executes SVC #0;
 * the result comes back in r0, an error as its negative number. [Linux:
 * arch/arm/kernel/entry-common.S]
 *
 * Most calls take the same arguments on x86-64, narrower. For them a row of the table
 * is all there is: a name, a string that describes the arguments, and the host's
 * number. The string drives both the conversion and -strace. Calls whose structures
 * differ have a function.
 *
 *     HOST(3, read, "f>u", WAITS)     a row that does it all
 *     OURS(197, fstat64, "fx")        a row with a function
 *
 * One letter per argument:
 *
 *     d  int                        u  unsigned             x  bits, an address
 *     f  descriptor                 F  directory or AT_FDCWD
 *     o  octal mode                 p  path; P: its last link is not followed
 *     s  string that is no path     q  64 bits, in an even and an odd register
 *     Q  64 bits in any two; the host looks at the second no more
 *     <  buffer that is read, its size is the next argument
 *     >  buffer that is written, likewise
 *     v  struct iovecs of buffers that are read, their number is the next argument
 *     V  struct iovecs of buffers that are written, likewise
 *     @  address of a socket that is written, a pointer to its size is the next argument
 *     w  pointer to 4 bytes, W to 8, read or written
 *     l  pointer to pairs of longs that are written, L to some that are read; a digit
 *        says how many: l1 is a struct timespec or timeval, l2 an itimerval
 *     t  pointer to pairs of 64-bit numbers that are written, T to some that are read,
 *        of the second ones the low half alone: what times have been since 5.1
 *
 * A pointer may be NULL, and stays it.
 */
#ifndef CHAPTER_06_LINUX_SYSCALL_H
#define CHAPTER_06_LINUX_SYSCALL_H

#include <stdint.h>

#include "06-tcg/linux/process.h"

#define SYSCALL_ARGS 7

/*
 * What a call answers besides results and errnos, as inside Linux: a signal came
 * first. Start the call again if the handler has SA_RESTART, or only if no handler
 * runs. The guest never sees these. [Linux: include/linux/errno.h]
 */
#define ERESTARTSYS_    512
#define ERESTARTNOHAND_ 514
/* The registers are already what they are to be: sigreturn, or an execve() that worked. */
#define ERETURNED_ 600

struct syscall;
typedef int64_t syscall_function(struct thread *thread, const struct syscall *row,
                                 const uint32_t args[SYSCALL_ARGS]);

#define SYSCALL_BLOCKS 1u /* may wait: a signal interrupts it; SA_RESTART starts it again */
#define SYSCALL_NOHAND 2u /* likewise, but after a handler it is EINTR: signal(7) */
#define SYSCALL_LEAVES 4u /* does not come back, if it works: -strace prints it before */
#define SYSCALL_WIDE   8u /* a function's times have 64 bits */

struct syscall {
    uint32_t number;
    const char *name, *args;
    int host; /* or -1: function does it */
    syscall_function *function;
    unsigned flags;
};

/* The row for a number, or NULL. */
const struct syscall *syscall_find(uint32_t number);

/*
 * Runs the call the registers describe, and leaves its result in them: all but
 * -ERESTARTSYS_ and -ERESTARTNOHAND_, which signal_deliver() settles.
 */
int64_t syscall_run(struct thread *thread);

/*
 * A host system call that can wait. If a signal for the guest is or becomes pending
 * before it started, -ERESTARTSYS_; if one interrupted it, -EINTR. It cannot be lost
 * in between. Otherwise the kernel's answer, errors negative; errno is not touched.
 * Arguments that are not named are 0.
 */
#define host_call_waiting(thread, number, ...)                                                     \
    host_syscall_waiting(thread, number, (const int64_t[6]){__VA_ARGS__})
int64_t host_syscall_waiting(struct thread *thread, long number, const int64_t args[6]);

/* One that returns at once. */
#define host_call(number, ...) host_syscall(number, (const int64_t[6]){__VA_ARGS__})
int64_t host_syscall(long number, const int64_t args[6]);

/* A pointer as an argument of theirs; the kernel may write where it points to. */
static inline int64_t host_pointer(volatile void *pointer)
{
    return (int64_t)(uintptr_t)pointer;
}

/* A function behind a row. */
#define SYSCALL_FUNCTION(name)                                                                     \
    int64_t sys_##name(__attribute__((unused)) struct thread *thread,                              \
                       __attribute__((unused)) const struct syscall *row,                          \
                       __attribute__((unused)) const uint32_t args[SYSCALL_ARGS])

#endif
