/* refusal.c: see refusal.h. */
#include "common/refusal.h"

#include <stdarg.h>
#include <stdio.h>

int refuse(struct refusal *why, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return error;
}
