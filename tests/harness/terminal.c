/* terminal.c: a program on a pty, typed at and read like a person would. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/harness.h"

/* How much of the end of the screen a failure shows. */
#define LAST_SCREEN 2000u

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void terminal_start(struct terminal *terminal, const char *const argv[])
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};

    *terminal = (struct terminal){.screen = calloc(1, 1)};
    ck_assert_ptr_nonnull(terminal->screen);
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, &size);
    if (terminal->pid < 0)
        ck_abort_msg("forkpty: %s", strerror(errno));
    if (terminal->pid == 0) {
        setenv("TERM", "vt100", 1);
        execvp(argv[0], (char *const *)argv);
        fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
}

void terminal_type(struct terminal *terminal, const char *text)
{
    size_t length = strlen(text);

    if (write(terminal->fd, text, length) != (ssize_t)length)
        ck_abort_msg("cannot type \"%s\": %s", text, strerror(errno));
}

/* Waits for more output until deadline. False: the program or the time ended. */
static bool read_more(struct terminal *terminal, double deadline)
{
    struct pollfd waiting = {.fd = terminal->fd, .events = POLLIN};
    double left = deadline - now();
    char buffer[4096];
    ssize_t got;

    if (left <= 0 || poll(&waiting, 1, (int)(left * 1000) + 1) <= 0)
        return false;
    got = read(terminal->fd, buffer, sizeof buffer);
    if (got <= 0)
        return false; /* EIO: the other side is closed */
    terminal->screen = realloc(terminal->screen, terminal->size + (size_t)got + 1);
    ck_assert_ptr_nonnull(terminal->screen);
    for (ssize_t i = 0; i < got; i++) /* zeros would end the string early */
        terminal->screen[terminal->size++] = buffer[i] ? buffer[i] : '?';
    terminal->screen[terminal->size] = '\0';
    return true;
}

bool terminal_sees(struct terminal *terminal, const char *text, double seconds)
{
    double deadline = now() + seconds;

    do {
        const char *found = strstr(terminal->screen + terminal->matched, text);

        if (found) {
            terminal->matched = (size_t)(found - terminal->screen) + strlen(text);
            return true;
        }
    } while (read_more(terminal, deadline));
    return false;
}

/* SIGQUIT asks our VMM for its guest's exit reason and registers (and ends it). */
static void ask_where(struct terminal *terminal)
{
    if (terminal->pid > 0 && kill(terminal->pid, SIGQUIT) == 0)
        while (read_more(terminal, now() + 2))
            ;
}

__attribute__((noreturn)) static void give_up(struct terminal *terminal, const char *text,
                                              double seconds)
{
    size_t from;

    ask_where(terminal);
    from = terminal->size > LAST_SCREEN ? terminal->size - LAST_SCREEN : 0;
    ck_abort_msg("\n  waited %.0f s for \"%s\"; the screen ends with:\n----\n%s\n----\n", seconds,
                 text, terminal->screen + from);
}

void terminal_expect(struct terminal *terminal, const char *text, double seconds)
{
    if (!terminal_sees(terminal, text, seconds))
        give_up(terminal, text, seconds);
}

int terminal_wait(struct terminal *terminal, double seconds)
{
    double deadline = now() + seconds;
    int status;

    while (read_more(terminal, deadline))
        ;
    while (waitpid(terminal->pid, &status, WNOHANG) == 0) {
        if (now() > deadline + 1)
            give_up(terminal, "(the program's end)", seconds);
        usleep(10000);
    }
    terminal->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void terminal_free(struct terminal *terminal)
{
    if (terminal->pid > 0) {
        kill(terminal->pid, SIGKILL);
        waitpid(terminal->pid, NULL, 0);
    }
    close(terminal->fd);
    free(terminal->screen);
    *terminal = (struct terminal){.fd = -1};
}
