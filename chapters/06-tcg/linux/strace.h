/* strace.h: -strace, one line on standard error per system call and signal. */
#ifndef CHAPTER_06_LINUX_STRACE_H
#define CHAPTER_06_LINUX_STRACE_H

#include <stdint.h>

#include "06-tcg/linux/syscall.h"

#define STRACE_LINE 1024

/* All of these do nothing without -strace. row is NULL for an unknown number. */

/* Formats "4711 openat(AT_FDCWD,"/etc/passwd",0x0)" into line, before the call runs. */
void strace_call(struct thread *thread, const struct syscall *row, uint32_t number,
                 const uint32_t args[SYSCALL_ARGS], char line[STRACE_LINE]);

/* Prints line and the result. */
void strace_result(struct thread *thread, const char *line, int64_t result);

void strace_signal(struct thread *thread, const struct arm_siginfo *info);

#endif
