/*
 * term.c: see term.h.
 *
 * The saved settings are the one mutable global of the project: a signal handler
 * and an atexit handler can be given no argument.
 */
#define _GNU_SOURCE
#include "common/term.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "common/bits.h"

static struct {
    volatile sig_atomic_t active;
    bool registered; /* with atexit(), once */
    int fd;
    struct termios before;
} saved;

void term_restore(void)
{
    if (!saved.active)
        return;
    saved.active = 0;
    tcsetattr(saved.fd, TCSANOW, &saved.before);
}

/* Restores, then dies of the same signal, so that the shell sees the truth. */
static void restore_and_die(int signal)
{
    term_restore();
    raise(signal); /* SA_RESETHAND has put the default action back */
}

void term_raw(int fd)
{
    static const int fatal[] = {SIGABRT, SIGBUS,  SIGFPE,  SIGHUP, SIGILL,
                                SIGINT,  SIGQUIT, SIGSEGV, SIGTERM};
    struct sigaction action = {.sa_handler = restore_and_die, .sa_flags = SA_RESETHAND};
    struct termios raw;

    if (saved.active || tcgetattr(fd, &saved.before) < 0)
        return; /* not a terminal: nothing to change, nothing to restore */
    saved.fd = fd;
    saved.active = 1;
    if (!saved.registered)
        atexit(term_restore);
    saved.registered = true;
    for (unsigned i = 0; i < ARRAY_SIZE(fatal); i++)
        sigaction(fatal[i], &action, NULL);

    raw = saved.before;
    cfmakeraw(&raw);
    tcsetattr(fd, TCSADRAIN, &raw);
}
