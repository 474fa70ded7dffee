/*
 * strace.c: -strace. See strace.h.
 *
 * The arguments are printed as the table's letters say (syscall.h), from the guest's
 * registers and memory before the call. A line is one write(), so that lines of
 * several threads do not mix.
 */
#include "06-tcg/linux/strace.h"

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_SHOWN 32

struct line {
    char *text;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line->text + line->used, STRACE_LINE - line->used, format, args);
    va_end(args);
    line->used += length > 0 ? (size_t)length : 0;
    if (line->used >= STRACE_LINE)
        line->used = STRACE_LINE - 1;
}

/* Guest text in quotes: a string if size is UINT32_MAX, else so many bytes. */
static void add_text(struct line *line, struct space *space, uint32_t address, uint32_t size)
{
    char byte;
    uint32_t i;

    if (address == 0) {
        add(line, "NULL");
        return;
    }
    add(line, "\"");
    for (i = 0; i < size && i < TEXT_SHOWN; i++) {
        if (space_read(space, address + i, &byte, 1) < 0 || (size == UINT32_MAX && !byte))
            break;
        if (byte == '\n')
            add(line, "\\n");
        else if (isprint((unsigned char)byte) && byte != '"')
            add(line, "%c", byte);
        else
            add(line, "\\x%02x", (unsigned char)byte);
    }
    add(line, i == TEXT_SHOWN && i < size ? "\"..." : "\"");
}

static void add_argument(struct line *line, struct space *space, char letter, const uint32_t *args,
                         unsigned i)
{
    uint32_t value = args[i];

    switch (letter) {
    case 'd':
    case 'f': add(line, "%d", (int32_t)value); break;
    case 'F': add(line, (int32_t)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int32_t)value); break;
    case 'u': add(line, "%u", value); break;
    case 'o': add(line, "0%o", value); break;
    case 'p':
    case 'P':
    case 's': add_text(line, space, value, UINT32_MAX); break;
    case '<': add_text(line, space, value, args[i + 1]); break;
    case 'q': add(line, "%lld", (long long)((uint64_t)args[i + 1] << 32 | value)); break;
    default: add(line, value ? "0x%x" : "NULL", value); break;
    }
}

void strace_call(struct thread *thread, const struct syscall *row, uint32_t number,
                 const uint32_t args[SYSCALL_ARGS], char text[STRACE_LINE])
{
    struct line line = {text, 0};
    unsigned reg = 0;

    if (!thread->process->options.strace)
        return;
    add(&line, "%d ", gettid());
    if (!row) {
        add(&line, "syscall_%u(", number);
    } else {
        add(&line, "%s(", row->name);
        for (const char *letter = row->args; *letter && reg < SYSCALL_ARGS - 1; letter++, reg++) {
            if (isdigit((unsigned char)*letter)) {
                reg--; /* says more of the letter before it */
                continue;
            }
            if (*letter == 'q' && reg % 2)
                reg++;
            add(&line, letter == row->args ? "" : ",");
            add_argument(&line, &thread->process->space, *letter, args, reg);
            reg += *letter == 'q';
        }
    }
    add(&line, ")");
}

void strace_result(struct thread *thread, const char *text, int64_t result)
{
    if (!thread->process->options.strace)
        return;
    if (result == -ERESTARTSYS_ || result == -ERESTARTNOHAND_)
        dprintf(STDERR_FILENO, "%s = ? (a signal came first)\n", text);
    else if (result == -ERETURNED_)
        dprintf(STDERR_FILENO, "%s = ?\n", text);
    else if (result < 0 && result > -4096)
        dprintf(STDERR_FILENO, "%s = -1 errno=%d (%s)\n", text, (int)-result,
                strerror((int)-result));
    else if (result >= 0 && result < 0x10000)
        dprintf(STDERR_FILENO, "%s = %lld\n", text, (long long)result);
    else
        dprintf(STDERR_FILENO, "%s = 0x%08x\n", text, (uint32_t)result);
}

void strace_signal(struct thread *thread, const struct arm_siginfo *info)
{
    if (!thread->process->options.strace)
        return;
    dprintf(STDERR_FILENO, "%d --- SIG%s code=%d address or sender=0x%x ---\n", gettid(),
            sigabbrev_np(info->si_signo) ?: "RT", info->si_code, info->fault.address);
}
