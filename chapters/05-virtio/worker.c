/*
 * worker.c: see worker.h. Open at hand: eventfd(2).
 *
 * An eventfd is a counter: any number of kicks before the worker looks are one. That is
 * right, for a kick says "look", not "one more".
 *
 * Left out on purpose: more than one thread for a device of several queues.
 */
#define _GNU_SOURCE /* SCHED_BATCH */
#include "05-virtio/worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "04-devices/threads.h"
#include "common/bits.h"
#include "common/die.h"

/*
 * How long a driver may wait to be told of what it sent, in milliseconds. Linux's TCP keeps
 * about one millisecond's worth of bytes on their way to the wire, so not for much longer.
 */
#define UNTOLD_MS     2
#define UNTOLD_DELAYS 4u /* frames that come start the time anew, but not for ever */

static void ring_fd(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof one) < 0)
        return; /* its counter is full: whoever reads it is awake */
}

static void silence_fd(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof count) < 0)
        return; /* it was silent */
}

/* Under the devices' lock. */
static void raise_interrupts(struct virtio_worker *w)
{
    uint64_t used = atomic_exchange(&w->used, 0);

    for (unsigned i = 0; used != 0; i++, used >>= 1)
        if ((used & 1) && w->transport.used)
            w->transport.used(w->transport.self, i);
    if (atomic_exchange(&w->config_changed, false) && w->transport.changed)
        w->transport.changed(w->transport.self);
}

/* [try-interrupt] */
static void interrupt(struct virtio_worker *w)
{
    if (pthread_mutex_trylock(w->devices_lock) != 0) {
        ring_fd(w->call_fd);
        return;
    }
    raise_interrupts(w);
    pthread_mutex_unlock(w->devices_lock);
}
/* [/try-interrupt] */

static bool is_worker(const struct virtio_worker *w)
{
    return pthread_equal(pthread_self(), w->thread);
}

/* The device says so from the worker's thread; or, during a reset, from a processor's. */
static void worker_used(void *self, unsigned queue)
{
    struct virtio_worker *w = self;

    if (w->shortcut.send && w->shortcut.send(w->shortcut.self, queue))
        return;
    atomic_fetch_or(&w->used, BIT(queue));
    if (is_worker(w))
        interrupt(w);
    else
        raise_interrupts(w);
}

static void worker_changed(void *self)
{
    struct virtio_worker *w = self;

    atomic_store(&w->config_changed, true);
    if (is_worker(w))
        interrupt(w);
    else
        raise_interrupts(w);
}

void virtio_worker_deliver(struct virtio_worker *w)
{
    silence_fd(w->call_fd);
    pthread_mutex_lock(w->devices_lock);
    raise_interrupts(w);
    pthread_mutex_unlock(w->devices_lock);
}

static void worker_kick(void *self, unsigned queue)
{
    struct virtio_worker *w = self;

    (void)queue; /* it looks at all of them */
    ring_fd(w->kick_fd);
}

static void set_state(struct virtio_worker *w, enum worker_state state)
{
    pthread_mutex_lock(&w->lock);
    w->state = state;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* [pause] */
static void worker_pause(void *self)
{
    struct virtio_worker *w = self;

    set_state(w, WORKER_SHALL_PAUSE);
    ring_fd(w->kick_fd);
    pthread_mutex_lock(&w->lock);
    while (w->state == WORKER_SHALL_PAUSE)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    /* Interrupts of before a reset are not for the driver that comes after it. */
    w->used = 0;
    w->config_changed = false;
}
/* [/pause] */

static void worker_resume(void *self)
{
    struct virtio_worker *w = self;

    set_state(w, WORKER_RUNS);
    ring_fd(w->kick_fd); /* other queues may have been kicked meanwhile */
}

/* Waits while it is asked to pause. False: it shall end. */
static bool may_go_on(struct virtio_worker *w)
{
    pthread_mutex_lock(&w->lock);
    if (w->state == WORKER_SHALL_PAUSE) {
        w->state = WORKER_PAUSES;
        pthread_cond_broadcast(&w->changed);
    }
    while (w->state == WORKER_PAUSES)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    return w->state != WORKER_SHALL_END;
}

/* Until nothing is left to do, or somebody wants something else of us. */
static void serve_all(struct virtio_worker *w)
{
    bool more = true;

    while (more && w->state == WORKER_RUNS) {
        more = false;
        for (unsigned i = 0; i < w->device->queue_count; i++)
            more |= virtio_device_serve(w->device, i);
    }
}

/* [patience] */
/*
 * While a stream flows it is better to be woken late than often: the longer the guest goes
 * on, the more it has put into the ring. A thread of the batch policy does not take the
 * processor from one that runs; where a processor is free, it starts as soon as any other.
 */
static void set_patience(struct virtio_worker *w, bool patient)
{
    const struct sched_param none = {.sched_priority = 0};

    if (patient == w->patient)
        return;
    w->patient = patient;
    pthread_setschedparam(pthread_self(), patient ? SCHED_BATCH : SCHED_OTHER, &none);
}
/* [/patience] */

/*
 * Waits for a kick, for the source, or until the driver must be told of what it sent. One
 * that kicks has looked already, and has said what it wants to be told of from now on.
 */
static void wait_for_work(struct virtio_worker *w, struct pollfd fds[2])
{
    const struct virtio_class *class = w->device->class;
    int ready;

    if (class->streams)
        set_patience(w, class->streams(w->device->self));
    fds[0].revents = fds[1].revents = 0;
    fds[1].fd = w->source.fd ? w->source.fd(w->source.self) : -1;
    ready = poll(fds, 2, w->device->untold ? UNTOLD_MS : -1);
    if (ready < 0 && errno != EINTR)
        die("poll failed: %s", strerror(errno));
    if (fds[0].revents)
        silence_fd(w->kick_fd);
    if (ready > 0 && !fds[0].revents && ++w->delays < UNTOLD_DELAYS)
        return;
    virtio_device_tell(w->device);
    w->delays = 0;
}

/* [worker-loop] */
static void *worker_loop(void *self)
{
    struct virtio_worker *w = self;
    struct pollfd fds[] = {{.fd = w->kick_fd, .events = POLLIN}, {.fd = -1, .events = POLLIN}};

    do {
        wait_for_work(w, fds);
        if (!may_go_on(w))
            return NULL;
        if (fds[1].revents)
            w->source.ready(w->source.self);
        if (fds[0].revents)
            serve_all(w);
    } while (true);
}
/* [/worker-loop] */

void virtio_worker_init(struct virtio_worker *w, struct virtio_device *device,
                        pthread_mutex_t *devices_lock)
{
    *w = (struct virtio_worker){
        .device = device,
        .runner = {worker_kick, worker_pause, worker_resume, w},
        .transport = device->wire,
        .devices_lock = devices_lock,
        .kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    if (w->kick_fd < 0 || w->call_fd < 0)
        die("eventfd failed: %s", strerror(errno));
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
}

void virtio_worker_start(struct virtio_worker *w, const char *name)
{
    int error = thread_start(&w->thread, THREAD_DEVICE, name, worker_loop, w);

    if (error < 0)
        die("cannot start a thread for %s: %s", name, strerror(-error));
    w->device->wire = (struct virtio_wire){worker_used, worker_changed, w};
    w->device->runner = &w->runner;
    w->device->defers = true;
}

void virtio_worker_stop(struct virtio_worker *w)
{
    set_state(w, WORKER_SHALL_END);
    ring_fd(w->kick_fd);
    pthread_join(w->thread, NULL);
    w->device->runner = NULL;
    w->device->defers = false;
    w->device->wire = w->transport;
    close(w->kick_fd);
    close(w->call_fd);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
}
