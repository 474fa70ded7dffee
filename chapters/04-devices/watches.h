/*
 * watches.h: file descriptors that somebody wants to hear about.
 *
 * The event loop polls its own few descriptors and all of these. One that is readable
 * (or at its end) has its callback called on the event loop's thread, without the
 * device lock: a back end that reads a file need not stop the guest. Callbacks that
 * touch a device take the lock themselves.
 *
 * Added while the machine is built, or by a callback; never from the guest's thread.
 */
#ifndef CHAPTER_04_WATCHES_H
#define CHAPTER_04_WATCHES_H

#include <assert.h>

#define WATCHES_MAX 64u

struct watch {
    int fd; /* not owned; -1: asleep, poll() passes over it */
    void (*ready)(void *self);
    void *self;
};

/* Start with an all-zero struct. */
struct watches {
    struct watch list[WATCHES_MAX];
    unsigned count;
};

/* The watch, whose fd the owner may set to -1 and back. More than WATCHES_MAX: asserted. */
static inline struct watch *watches_add(struct watches *watches, int fd, void (*ready)(void *self),
                                        void *self)
{
    struct watch *watch = &watches->list[watches->count];

    assert(watches->count < WATCHES_MAX);
    watches->count++;
    *watch = (struct watch){.fd = fd, .ready = ready, .self = self};
    return watch;
}

#endif
