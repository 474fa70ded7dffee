/*
 * die.h: the one way our programs give up.
 *
 * die() is for the host that refuses: a missing file, a denied open, an ioctl
 * that fails. It prints one line, "PROGRAM: MESSAGE", on standard error and
 * exits with status 1; atexit handlers run, so a raw terminal is restored.
 * It is never the answer to anything a guest does.
 */
#ifndef COMMON_DIE_H
#define COMMON_DIE_H

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);

/* The same line, but the program goes on. */
__attribute__((format(printf, 1, 2))) void warn(const char *format, ...);

#endif
