/*
 * fault.h: host SIGSEGV and SIGBUS that belong to the guest.
 *
 * Translated code touches the guest's memory without asking first, and a system
 * call copies structures that another thread of the guest may unmap meanwhile. Both
 * may fault in our own process. One handler receives those signals and asks, in
 * turn, everyone who may know the place: the first claim that returns true has put
 * it right (by changing the interrupted context or the page), and the program goes
 * on. A fault that nobody claims is our own bug: the default action ends us.
 */
#ifndef CHAPTER_06_FAULT_H
#define CHAPTER_06_FAULT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* context is a ucontext_t. Runs in a signal handler: async-signal-safe calls only. */
typedef bool fault_claim(void *self, const siginfo_t *info, void *context);

/* Adds a claim (at most eight) and, the first time, installs the handler. */
void fault_add(fault_claim *claim, void *self);

/*
 * What to do with a SIGSEGV or SIGBUS that is no fault but was sent by somebody.
 * Without it: the default action.
 */
void fault_on_sent(void (*sent)(int number, siginfo_t *info, void *context));

/* Takes a claim back. No thread may be where it could fault for it. */
void fault_remove(fault_claim *claim, void *self);

/*
 * Puts our handler in place again, and makes sure that neither signal is blocked:
 * for after fork() and for threads. Harmless to repeat.
 */
void fault_install(void);

/* memcpy() that answers -EFAULT where either side faults. 0 if it went well. */
int fault_copy(void *to, const void *from, size_t size);

/*
 * Runs work(self). If it faults, stops it there, fills *info and returns false. Not
 * for work that holds locks or memory. Calls may nest.
 */
bool fault_guard(void (*work)(void *self), void *self, siginfo_t *info);

#endif
