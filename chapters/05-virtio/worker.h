/*
 * worker.h: a thread of a device's own, so that the guest goes on while a disk is slow.
 *
 *     processor's thread            worker                       event loop
 *     notify --> kick ----eventfd---> serve the queues
 *     or KVM itself ------eventfd-'   disk, rings
 *                                     used --> shortcut? interrupt
 *                                              lock free? -----> or call_fd, and
 *                                              interrupt         interrupt from there
 *
 * The worker never waits for the devices' lock. A processor that resets the device holds
 * that lock and waits for the worker to pause; if the worker waited for the lock in turn,
 * neither would ever go on. So an interrupt takes a shortcut that needs no lock, if there
 * is one (queue_irqs.h); is raised at once if the lock is free; and is otherwise left to the
 * event loop.
 *
 *     virtio_mmio_init(&transport, &blk.device, line);      the wire first
 *     virtio_worker_init(&worker, &blk.device, &machine.devices.lock);
 *     watch worker.call_fd: when it is readable, virtio_worker_deliver(&worker)
 *     worker.source = ..., worker.shortcut = ...            if there are any
 *     virtio_worker_start(&worker, "disk 0");
 *     ...
 *     virtio_worker_stop(&worker);
 */
#ifndef CHAPTER_05_WORKER_H
#define CHAPTER_05_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "05-virtio/virtio_device.h"

/* What a worker waits for beside kicks: its back end, or nothing. */
struct virtio_source {
    int (*fd)(void *self);     /* asked before each wait; -1: nothing to wait for now */
    void (*ready)(void *self); /* that was readable; on the worker's thread */
    void *self;
};

/* A way to interrupt the driver that needs no lock. */
struct virtio_shortcut {
    bool (*send)(void *self, unsigned queue); /* false: not this way, now */
    void *self;
};

enum worker_state { WORKER_RUNS, WORKER_SHALL_PAUSE, WORKER_PAUSES, WORKER_SHALL_END };

struct virtio_worker {
    struct virtio_device *device; /* not owned */
    struct virtio_runner runner;
    struct virtio_wire transport; /* where interrupts go in the end; under the lock */
    pthread_mutex_t *devices_lock;

    pthread_t thread;
    pthread_mutex_t lock; /* of state, for those who wait for it */
    pthread_cond_t changed;
    _Atomic enum worker_state state;
    int kick_fd;           /* wakes the worker; KVM may write to it, too */
    int call_fd;           /* wakes the event loop */
    bool patient;          /* its thread's, who sees no haste in waking up */
    unsigned delays;       /* times that it woke up and did not tell the driver */
    _Atomic uint64_t used; /* queues whose interrupt has not been raised yet */
    atomic_bool config_changed;

    struct virtio_source source;     /* fd is NULL: none */
    struct virtio_shortcut shortcut; /* send is NULL: none */
};

/*
 * Puts itself between device and transport. Dies if the host refuses. source and shortcut
 * may be set before the start. It must not move.
 */
void virtio_worker_init(struct virtio_worker *w, struct virtio_device *device,
                        pthread_mutex_t *devices_lock);
void virtio_worker_start(struct virtio_worker *w, const char *name);

/* Raises the interrupts that wait. On the event loop's thread, which takes the lock. */
void virtio_worker_deliver(struct virtio_worker *w);

/* Ends the thread and releases everything. The guest must not run any more. */
void virtio_worker_stop(struct virtio_worker *w);

#endif
