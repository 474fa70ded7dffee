/*
 * siginfo.c: what a signal says about itself, in the guest's layout and in ours.
 *
 * A siginfo is three ints and a union, and only its number and code together tell which
 * member of the union is meant: a positive code is the kernel's own and belongs to the
 * signal, any other says how the signal was sent. [Linux: kernel/signal.c,
 * siginfo_layout()]
 */
#include <signal.h>
#include <string.h>

#include "06-tcg/linux/signal.h"

bool siginfo_has_address(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
           number == SIGTRAP;
}

void siginfo_to_arm(const siginfo_t *from, struct arm_siginfo *to)
{
    memset(to, 0, sizeof *to);
    to->si_signo = from->si_signo;
    to->si_errno = from->si_errno;
    to->si_code = from->si_code;
    if (from->si_code == SI_TIMER) {
        to->timer.id = from->si_timerid;
        to->timer.overrun = from->si_overrun;
        to->timer.value = (uint32_t)(uintptr_t)from->si_value.sival_ptr;
    } else if (from->si_code > 0 && from->si_signo == SIGCHLD) {
        to->child.pid = from->si_pid;
        to->child.uid = from->si_uid;
        to->child.status = from->si_status;
        to->child.utime = (int32_t)from->si_utime;
        to->child.stime = (int32_t)from->si_stime;
    } else if (from->si_code > 0 && from->si_signo == SIGPOLL) {
        to->poll.band = (int32_t)from->si_band;
        to->poll.fd = from->si_fd;
    } else if (from->si_code > 0 && siginfo_has_address(from->si_signo)) {
        to->fault.address = (uint32_t)(uintptr_t)from->si_addr;
    } else {
        to->rt.pid = from->si_pid;
        to->rt.uid = from->si_uid;
        to->rt.value = (uint32_t)(uintptr_t)from->si_value.sival_ptr;
    }
}

void siginfo_from_arm(const struct arm_siginfo *from, siginfo_t *to)
{
    memset(to, 0, sizeof *to);
    to->si_signo = from->si_signo;
    to->si_errno = from->si_errno;
    to->si_code = from->si_code;
    to->si_pid = from->rt.pid;
    to->si_uid = from->rt.uid;
    to->si_value.sival_ptr = (void *)(uintptr_t)from->rt.value;
}
