/*
 * signal.h: signals of the host become signals of the guest.
 *
 * The host's kernel keeps the guest's books: what the guest ignores is ignored on the
 * host too, what it leaves to the default keeps the host's default (so the guest's
 * death is ours, with the same status), and what it blocks is blocked in the host's
 * thread. Only for a signal with a handler do we install one of our own. It may come
 * at any moment, in the middle of emitted code; so it does three things only:
 *
 *   1. it remembers the signal in thread->pending and sets cpu->interrupt;
 *   2. it blocks all signals, by changing the mask its own return will restore;
 *      one slot is therefore enough, the kernel queues the rest;
 *   3. it makes sure that no system call starts to wait now (wait.c).
 *
 * The engine stops at its next safe point and signal_deliver() builds the frame on
 * the guest's stack and moves pc to the handler. The guest's own sigreturn call
 * undoes it.
 *
 * SIGSEGV and SIGBUS are never blocked nor default on the host: fault.h needs them.
 */
#ifndef CHAPTER_06_LINUX_SIGNAL_H
#define CHAPTER_06_LINUX_SIGNAL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "06-tcg/linux/process.h"

#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

/* Takes over what the host's process was started with: ignored and blocked signals. */
void signal_start(struct thread *thread);

/*
 * Delivers what is pending. restart is what the last system call answered
 * (-ERESTARTSYS_, -ERESTARTNOHAND_ or 0): the call is started again, or fails with
 * EINTR, as the handler asks. svc_size: how far pc goes back for that.
 */
void signal_deliver(struct thread *thread, int64_t restart, uint32_t svc_size);

/* The guest itself did something wrong: delivers, or ends the process. */
void signal_force(struct thread *thread, int number, int code, uint32_t address);

/* Undoes a frame: the system calls sigreturn (rt false) and rt_sigreturn. */
bool signal_return(struct thread *thread, bool rt);

/* Makes action the guest's and tells the host. 0 or -errno. */
int signal_set_action(struct thread *thread, int number, const struct arm_sigaction *action);

bool signal_has_handler(struct thread *thread, int number);

/* The host's mask follows thread->mask, unless a signal is pending. */
void signal_apply_mask(struct thread *thread);

/* Blocks everything, for where no signal must come between; then apply_mask(). */
void signal_block_all(void);

/* Ends the process as that signal does. */
_Noreturn void signal_die(int number);

/* Does a kernel's siginfo of this signal carry an address (SIGSEGV and its kin)? */
bool siginfo_has_address(int number);

void siginfo_to_arm(const siginfo_t *from, struct arm_siginfo *to);
void siginfo_from_arm(const struct arm_siginfo *from, siginfo_t *to);

/* Where wait.c's one system call instruction is: see signal_handler(). */
extern const char wait_begin[], wait_end[], wait_signalled[];

#endif
