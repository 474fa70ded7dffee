/*
 * observer.h: the one place from which every exit can be watched.
 *
 * A machine without an observer pays one predicted branch before each KVM_RUN and one
 * after it. With one, its processor's loop is:
 *
 *     observer_enter(observer, &vcpu, &seen);     the exit before this one is complete
 *     returned = vcpu_run(&vcpu);
 *     observer_exit(returned, &seen);             takes the time
 *     ...dispatch...
 *
 * An exit's story is told when the next KVM_RUN is about to begin: only then is known
 * how long we took, and what a read was answered with. Two times are kept of each: from
 * KVM_RUN's return to its next call, which is ours, and from the call to the return,
 * which the guest and the kernel share and which cannot be divided from here.
 *
 *     if (observer_open(&observer, &machine, trace, stats, &why) < 0) die(...);
 *     ...run...
 *     observer_close(&observer);                  statistics, and the end of the trace
 *
 * SIGUSR1 prints the statistics at any time.
 */
#ifndef CHAPTER_04_OBSERVER_H
#define CHAPTER_04_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/kvm.h"
#include "04-devices/clock.h"
#include "04-devices/stats.h"
#include "04-devices/trace.h"
#include "common/refusal.h"

struct devices;
struct machine;

struct observer {
    struct devices *devices; /* whose names it shows */
    bool tracing, counting;
    struct trace trace;
    struct stats stats;
    struct alarm flush; /* the trace is written at least once a second */
    int signal_fd;      /* SIGUSR1 */
};

/* What a processor remembers of its exits; starts all zero. */
struct observed {
    bool pending;  /* an exit whose end has not been seen */
    bool returned; /* as vcpu_run() said */
    int64_t entered, exited;
};

/*
 * Traces into a file (-1: none; see trace_create()), which it takes over, and counts if asked to;
 * if either, makes itself the machine's observer. Before the machine's processor starts. Must not
 * move. 0, or -errno with why->text.
 */
int observer_open(struct observer *observer, struct machine *machine, int trace, bool counting,
                  struct refusal *why);

/* After the processor has stopped. Prints statistics if they were asked for. */
void observer_close(struct observer *observer);

/* Asks KVM to leave RIP in kvm_run at each exit, where it can: a trace wants it. */
void observer_prepare(const struct observer *observer, const struct vm *vm,
                      const struct vcpu *vcpu);

void observer_enter(struct observer *observer, const struct vcpu *vcpu, struct observed *seen);
void observer_exit(bool returned, struct observed *seen);

#endif
