/*
 * alarms.c: see alarms.h.
 *
 * Left out on purpose: a heap. A board has a handful of alarms; looking at all of
 * them is quicker than keeping them in order.
 */
#define _GNU_SOURCE
#include "04-devices/alarms.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/die.h"

#define SECOND INT64_C(1000000000)

static int64_t monotonic(void *self)
{
    struct timespec now;

    (void)self;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

struct clock alarms_clock(void)
{
    return (struct clock){.now = monotonic};
}

/* Sets the host's timer to when, or stops it. */
static void arm(struct alarms *alarms, int64_t when)
{
    struct itimerspec spec = {{0}, {0}};

    alarms->armed = when;
    if (when != ALARM_NEVER) {
        if (when < alarms->rang + ALARMS_GAP)
            when = alarms->rang + ALARMS_GAP;
        /* Zero would stop the timer; the monotonic clock left it behind long ago. */
        if (when < 1)
            when = 1;
        spec.it_value = (struct timespec){.tv_sec = when / SECOND, .tv_nsec = when % SECOND};
    }
    timerfd_settime(alarms->fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void slot_set(void *self, int64_t when)
{
    struct alarm_slot *slot = self;

    if (when != ALARM_NEVER) /* whatever is negative has been over since this host started */
        when = when > slot->origin ? when - slot->origin : 0;
    slot->when = when;
    if (when < slot->alarms->armed)
        arm(slot->alarms, when);
}

void alarms_ring(struct alarms *alarms)
{
    int64_t now = monotonic(NULL), next = ALARM_NEVER;
    uint64_t times;

    if (read(alarms->fd, &times, sizeof times) < 0)
        return; /* set anew between poll() and here: it has not rung */
    alarms->rang = now;
    alarms->armed = INT64_MIN; /* what is set meanwhile need not touch the timer */
    for (unsigned i = 0; i < alarms->count; i++) {
        struct alarm_slot *slot = &alarms->slots[i];

        if (slot->when <= now) {
            slot->when = ALARM_NEVER;
            slot->due(slot->self);
        }
    }
    for (unsigned i = 0; i < alarms->count; i++)
        if (alarms->slots[i].when < next)
            next = alarms->slots[i].when;
    arm(alarms, next);
}

struct alarm alarms_add(struct alarms *alarms, int64_t origin, void (*due)(void *self), void *self)
{
    struct alarm_slot *slot = &alarms->slots[alarms->count];

    assert(alarms->count < ALARMS_MAX);
    alarms->count++;
    *slot = (struct alarm_slot){
        .alarms = alarms, .origin = origin, .when = ALARM_NEVER, .due = due, .self = self};
    return (struct alarm){.set = slot_set, .self = slot};
}

void alarms_init(struct alarms *alarms)
{
    *alarms = (struct alarms){.armed = ALARM_NEVER, .rang = -ALARMS_GAP};
    alarms->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (alarms->fd < 0)
        die("timerfd_create failed: %s", strerror(errno));
}

void alarms_free(struct alarms *alarms)
{
    close(alarms->fd);
}
