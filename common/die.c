/* die.c: one-line messages that name the program. See die.h for when to use which. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "common/die.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/term.h"

static void complain(const char *format, va_list args)
{
    char message[1024];

    /* One write for the whole line: two threads or processes never mix theirs. */
    vsnprintf(message, sizeof message, format, args);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, message);
}

void die(const char *format, ...)
{
    va_list args;

    term_restore(); /* on a raw terminal the message would hang in mid-air */
    va_start(args, format);
    complain(format, args);
    va_end(args);
    exit(EXIT_FAILURE);
}

void warn(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    complain(format, args);
    va_end(args);
}
