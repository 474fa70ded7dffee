/*
 * check.h: for test programs that run in the guest: say what broke, and where.
 *
 * Each program is compiled for the ARM, runs under rarm (and under qemu-arm, which
 * must agree) and ends with "NAME: ok", or with the first check that failed.
 */
#ifndef PROGRAMS_CHECK_H
#define PROGRAMS_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: not so: %s (errno: %s)\n", __FILE_NAME__, __LINE__, #condition,         \
                   strerror(errno));                                                               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* The call fails, with that errno. */
#define CHECK_ERRNO(call, number)                                                                  \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK((call) == -1 && errno == (number));                                                  \
    } while (0)

#endif
