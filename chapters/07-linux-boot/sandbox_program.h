/*
 * sandbox_program.h: a column of the table, as a program for the kernel's packet filter.
 *
 * What the program sees and says is in [man seccomp(2)]; what the rows mean, in
 * sandbox_lists.h. The rows are ours, so a program that would be too long is a bug (assert).
 */
#ifndef CHAPTER_07_SANDBOX_PROGRAM_H
#define CHAPTER_07_SANDBOX_PROGRAM_H

#include <linux/filter.h>

#include "07-linux-boot/sandbox_lists.h"

#define SANDBOX_PROGRAM_MAX 512u

struct sandbox_program {
    struct sock_filter code[SANDBOX_PROGRAM_MAX];
    unsigned short length; /* in instructions */
};

/*
 * The program for threads of a kind. Rows of one call are neighbours. self: the number of the
 * process in which it will run, for rows that allow a call on that alone.
 */
void sandbox_compile(struct sandbox_program *program, const struct sandbox_row *rows, size_t count,
                     enum thread_kind kind, uint32_t self);

#endif
