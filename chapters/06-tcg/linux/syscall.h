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
 *     {3, "read", "f>u", SYS_read, NULL, 0}         a row that does it all
 *     {197, "fstat64", "fx", 0, sys_fstat64, 0}     a row with a function
 *
 * One letter per argument:
 *
 *     d  int                        u  unsigned             x  bits, an address
 *     f  descriptor                 F  directory or AT_FDCWD
 *     o  octal mode                 p  path; P: its last link is not followed
 *     s  string that is no path     q  64 bits, in an even and an odd register
 *     <  buffer that is read, its size is the next argument
 *     >  buffer that is written, likewise
 *     w  pointer to 4 bytes, W to 8, t to 16, read or written; T to 16 that are only
 *        read; NULL stays NULL
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

typedef int64_t syscall_function(struct thread *thread, const uint32_t args[SYSCALL_ARGS]);

#define SYSCALL_BLOCKS 1u /* may wait: a signal interrupts it; SA_RESTART starts it again */
#define SYSCALL_NOHAND 2u /* likewise, but after a handler it is EINTR: signal(7) */
#define SYSCALL_LEAVES 4u /* does not come back, if it works: -strace prints it before */

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
 */
int64_t host_call_waiting(struct thread *thread, long number, int64_t a, int64_t b, int64_t c,
                          int64_t d, int64_t e, int64_t f);

/* One that returns at once. */
int64_t host_call(long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f);

/* ---- the functions behind the table, by subject ---- */

#define SYSCALL_FUNCTION(name)                                                                     \
    int64_t sys_##name(struct thread *thread, const uint32_t args[SYSCALL_ARGS])

#endif
