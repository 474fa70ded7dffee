/* signals.c: see signals.h. */
#define _GNU_SOURCE
#include "04-devices/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/die.h"
#include "common/term.h"

int signals_take(void)
{
    sigset_t ends;
    int fd;

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGHUP);
    sigaddset(&ends, SIGQUIT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    fd = signalfd(-1, &ends, SFD_CLOEXEC);
    if (fd < 0)
        die("signalfd failed: %s", strerror(errno));
    return fd;
}

bool signals_asked_where(void)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGQUIT) == 1;
}

void signals_die(int signals)
{
    struct signalfd_siginfo info;
    sigset_t set;

    if (read(signals, &info, sizeof info) != sizeof info)
        die("signalfd: %s", strerror(errno));
    term_restore();
    signal((int)info.ssi_signo, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, (int)info.ssi_signo);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise((int)info.ssi_signo);
}
