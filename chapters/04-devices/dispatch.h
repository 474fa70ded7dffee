/*
 * dispatch.h: what to do when the guest stops. The one place that looks at
 * kvm_run->exit_reason.
 */
#ifndef CHAPTER_04_DISPATCH_H
#define CHAPTER_04_DISPATCH_H

#include <linux/kvm.h>
#include <pthread.h>

#include "04-devices/bus.h"
#include "04-devices/ending.h"

/* Everything a guest can reach by port or address, and the lock around it all. */
struct devices {
    struct bus ports;
    struct bus memory;
    pthread_mutex_t lock; /* held while a device's code runs, on any thread */
};

/*
 * Answers the exit: carries out port and memory accesses, names the ending for
 * those that end the run. ENDING_NONE: let the guest go on. Every number that a
 * present or future KVM can put there has an answer; none is ignored.
 */
enum ending dispatch_exit(struct devices *devices, struct kvm_run *run);

#endif
