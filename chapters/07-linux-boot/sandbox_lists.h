/*
 * sandbox_lists.h: which kind of thread may make which system call: a table, and no code.
 *
 * A row is one call, or one call with a condition on one argument. Rows of the same call
 * stand together. A call without a row is nobody's.
 */
#ifndef CHAPTER_07_SANDBOX_LISTS_H
#define CHAPTER_07_SANDBOX_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "04-devices/threads.h"
#include "common/bits.h"

/* One kind more than there are threads: the clerk, a process (clerk.h). */
#define SANDBOX_CLERK ((enum thread_kind)THREAD_KINDS)
#define SANDBOX_KINDS (THREAD_KINDS + 1u)

struct sandbox_row {
    int number;
    const char *name;
    unsigned kinds; /* BIT(THREAD_MAIN) and so on: these may make it */

    /* With bits, that argument must have this value in them. Its upper half doesn't count:
     * the kernel ignores it as well, for every argument that is looked at here. */
    unsigned argument;
    uint32_t value, bits;
    const char *note; /* the same for people */
    bool self;        /* the value is this process's number */

    unsigned mildly; /* for these kinds the call fails with error, and the VMM goes on */
    int error;
};

extern const struct sandbox_row sandbox_rows[];
extern const size_t sandbox_row_count;

#endif
