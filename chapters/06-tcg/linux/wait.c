/*
 * wait.c: a system call that no signal is lost before.
 *
 * A signal handler only takes notes; the guest's handler runs later. What if the
 * signal comes after we have looked at the notes but before the system call has
 * begun to wait? Then the call would sleep, perhaps for ever, on a signal it should
 * have been interrupted by. The look and the call must be one step.
 *
 *     begin:  cmpl $0, pending
 *             jne  signalled
 *             syscall              <- a signal before this instruction: the handler
 *     end:    ret                     finds rip in [begin, end), and moves it
 *     signalled:
 *             mov  $-512, rax      <- here
 *             ret
 *
 * Once the instruction has executed, the kernel itself sees the signal and answers
 * EINTR, with rip at end. That it sets rip back to the instruction, to start a call
 * again by itself, is covered too. The same problem and a like answer are in every
 * user-mode emulator, and in C libraries for the cancellation of threads.
 */
#include "06-tcg/linux/signal.h"
#include "06-tcg/linux/syscall.h"

/* rdi: pending, rsi: the call's number, rdx: its six arguments. */
/* [wait] */
__asm__(".text\n"
        ".globl wait_syscall, wait_begin, wait_end, wait_signalled\n"
        ".hidden wait_syscall, wait_begin, wait_end, wait_signalled\n"
        ".type wait_syscall, @function\n"
        "wait_syscall:\n"
        "    mov %rsi, %rax\n"
        "    mov %rdi, %rcx\n" /* syscall destroys rcx and r11: good for now */
        "    mov %rdx, %r11\n"
        "    mov (%r11), %rdi\n"
        "    mov 8(%r11), %rsi\n"
        "    mov 16(%r11), %rdx\n"
        "    mov 24(%r11), %r10\n"
        "    mov 32(%r11), %r8\n"
        "    mov 40(%r11), %r9\n"
        "wait_begin:\n"
        "    cmpl $0, (%rcx)\n"
        "    jne wait_signalled\n"
        "    syscall\n"
        "wait_end:\n"
        "    ret\n"
        "wait_signalled:\n"
        "    mov $-512, %rax\n"
        "    ret\n"
        ".size wait_syscall, . - wait_syscall\n");
/* [/wait] */

int64_t wait_syscall(const volatile sig_atomic_t *pending, long number, const int64_t args[6]);

_Static_assert(ERESTARTSYS_ == 512, "the number in the assembly");
_Static_assert(sizeof(sig_atomic_t) == 4, "cmpl looks at four bytes");

int64_t host_syscall_waiting(struct thread *thread, long number, const int64_t args[6])
{
    return wait_syscall(&thread->pending.number, number, args);
}

int64_t host_syscall(long number, const int64_t args[6])
{
    static const volatile sig_atomic_t never;
    int64_t result;

    /* A handler may still move us to "signalled" before the call has started. */
    do
        result = wait_syscall(&never, number, args);
    while (result == -ERESTARTSYS_);
    return result;
}
