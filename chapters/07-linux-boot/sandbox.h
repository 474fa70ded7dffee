/*
 * sandbox.h: which system calls a thread may make once the guest runs.
 *
 * Guests are hostile, devices have bugs, and one day a guest takes over a thread of this
 * process. What it can do then is what the thread may ask of the kernel. So every thread
 * gives up what its work does not need, for ever: no file is opened, no program started, no
 * memory made executable.
 *
 *     inventory_open() ...      everything that must be opened is open
 *     sandbox_prepare()
 *     sandbox_enter(THREAD_MAIN)
 *     ... threads start, and enter theirs by themselves (04-devices/threads.h) ...
 *
 * A call that is not in the list does not happen. The VMM ends with one line that names the
 * thread and the call, and STATUS_FORBIDDEN.
 */
#ifndef CHAPTER_07_SANDBOX_H
#define CHAPTER_07_SANDBOX_H

#include <stdbool.h>
#include <stdio.h>

#include "04-devices/threads.h"
#include "common/refusal.h"

/*
 * Lets threads that start from now on enter theirs. -errno with why->text if this process
 * cannot give up privileges for good, which filters need.
 */
int sandbox_prepare(struct refusal *why);

/* False in a build with sanitizers. */
bool sandbox_is_possible(void);

/* For the calling thread, and for all that it starts. There is no way back. */
void sandbox_enter(enum thread_kind kind);

void sandbox_enter_as_clerk(void);

/* The lists, as text. */
void sandbox_print(FILE *out);

#endif
