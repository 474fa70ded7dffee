/*
 * stop.h: getting the processor back from a guest that does not give it back.
 *
 * Three signals end a run: SIGINT (Ctrl-C), SIGTERM, and SIGALRM, which a time limit
 * sends. They are blocked in our own code and lifted only inside KVM_RUN, so none can
 * slip in between "is it time to stop?" and KVM_RUN. There is no handler.
 *
 *     stop_arm(&vcpu, limit);
 *     while (vcpu_run(&vcpu)) ...
 *     stop_report(&vcpu, limit);       vcpu_run() said false: which signal was it?
 */
#ifndef CHAPTER_01_STOP_H
#define CHAPTER_01_STOP_H

#include "01-kvm-hello/kvm.h"

/* "--limit TEXT" in seconds, from 0.001 to 1000000; dies if it is anything else. */
double stop_parse_limit(const char *text);

/* From now on the signals end vcpu_run(). limit is in seconds; 0 sets no timer. */
void stop_arm(const struct vcpu *vcpu, double limit);

/* Takes the signal that ended vcpu_run() and says on standard error what stopped it. */
void stop_report(const struct vcpu *vcpu, double limit);

#endif
