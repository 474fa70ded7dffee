/*
 * threads.c: see threads.h.
 *
 * The thread says its name itself. To name another one, glibc would open a file of
 * /proc; a process that runs a guest should open none.
 */
#define _GNU_SOURCE
#include "04-devices/threads.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static void (*_Atomic on_birth)(enum thread_kind kind);

/*
 * Less than a huge page, so that the host does not give a thread one for the first byte
 * that it pushes: to clear 2 MiB takes longer than all else that starting it takes.
 */
#define STACK_SIZE (1024u * 1024u)

struct birth {
    enum thread_kind kind;
    char name[16];
    void *(*run)(void *self);
    void *self;
};

static void *begin(void *argument)
{
    struct birth birth = *(struct birth *)argument;
    void (*born)(enum thread_kind kind) = on_birth;

    free(argument);
    pthread_setname_np(pthread_self(), birth.name);
    if (born)
        born(birth.kind);
    return birth.run(birth.self);
}

int thread_start(pthread_t *thread, enum thread_kind kind, const char *name,
                 void *(*run)(void *self), void *self)
{
    struct birth *birth = malloc(sizeof *birth);
    pthread_attr_t attributes;
    int error;

    if (!birth)
        return -ENOMEM;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    *birth = (struct birth){.kind = kind, .run = run, .self = self};
    snprintf(birth->name, sizeof birth->name, "%s", name);
    error = pthread_create(thread, &attributes, begin, birth);
    pthread_attr_destroy(&attributes);
    if (error)
        free(birth);
    return -error;
}

void threads_on_birth(void (*born)(enum thread_kind kind))
{
    on_birth = born;
}
