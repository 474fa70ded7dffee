/*
 * threads.h: a thread that names itself, and the moment between its birth and its work.
 *
 * Debuggers and top show the name. The moment is for whoever wants to take something away
 * from the thread before it meets the guest: system calls, above all (chapter 7).
 */
#ifndef CHAPTER_04_THREADS_H
#define CHAPTER_04_THREADS_H

#include <pthread.h>

/* What a thread is for. The first thread of the process is never started here. */
enum thread_kind {
    THREAD_MAIN,      /* the event loop, and everything before the guest runs */
    THREAD_PROCESSOR, /* KVM_RUN, and what its exits ask of devices */
    THREAD_DEVICE,    /* a device's queues and its back end */
    THREAD_NETWORK,   /* connections in the guest's name */
    THREAD_KINDS,
};

/* A name has at most 15 characters; the rest is cut off. 0, or -errno. */
int thread_start(pthread_t *thread, enum thread_kind kind, const char *name,
                 void *(*run)(void *self), void *self);

/*
 * From now on each new thread calls this first, on itself. One for the whole process, as
 * a signal handler is, and for its reason: nothing that starts threads should have to
 * carry it around.
 */
void threads_on_birth(void (*born)(enum thread_kind kind));

#endif
