/* stop.c: see stop.h. [KVM-API, 4.21 "KVM_SET_SIGNAL_MASK"] */
#include "01-kvm-hello/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "common/die.h"

static sigset_t stop_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGALRM);
    return signals;
}

double stop_parse_limit(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= 1e6))
        die("--limit %s: not a number of seconds from 0.001 to 1000000", text);
    return seconds;
}

static void start_timer(double seconds)
{
    struct itimerval timer = {
        .it_value.tv_sec = (time_t)seconds,
        .it_value.tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6),
    };

    if (setitimer(ITIMER_REAL, &timer, NULL) < 0)
        die("cannot start the timer of --limit: %s", strerror(errno));
}

/* [stop] */
void stop_arm(const struct vcpu *vcpu, double limit)
{
    sigset_t signals = stop_signals();

    sigprocmask(SIG_BLOCK, &signals, NULL);
    vcpu_interrupt_on(vcpu, &signals);
    if (limit > 0)
        start_timer(limit);
}

void stop_report(const struct vcpu *vcpu, double limit)
{
    sigset_t signals = stop_signals();
    struct kvm_regs regs;
    int signal = sigwaitinfo(&signals, NULL);

    vcpu_get_regs(vcpu, &regs);
    if (signal == SIGALRM)
        warn("the guest is still running after %g s, at rip=0x%llx; stopped", limit, regs.rip);
    else
        warn("stopped by %s at rip=0x%llx", signal == SIGINT ? "Ctrl-C" : "SIGTERM", regs.rip);
}
/* [/stop] */
