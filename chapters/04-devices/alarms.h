/*
 * alarms.h: many alarms of many devices on one timer of the host.
 *
 * Each device sets an alarm to a moment (clock.h). The earliest of them is what the
 * host's timer, a timerfd, is set to. When it rings, the event loop takes the device
 * lock and calls alarms_ring(), which calls every device whose moment has come.
 *
 *     set 5 ms --> [pit   5 ms]
 *     set 9 ms --> [rtc   9 ms]   the timerfd rings at 5 ms
 *     never    --> [dma  never]
 *
 * Two rules keep a guest that reprograms its timer a million times a second from
 * costing more than itself. A moment later than the one the timer is set to costs no
 * system call: the timer rings once too early and is set again. And it never rings
 * sooner than ALARMS_GAP after it last rang, so that devices whose alarms are always
 * due take a bounded share of the host; they see from the clock how late it is.
 *
 * All functions run under the device lock.
 */
#ifndef CHAPTER_04_ALARMS_H
#define CHAPTER_04_ALARMS_H

#include <stdint.h>

#include "04-devices/clock.h"

#define ALARMS_MAX 128u           /* a PCI bus full of cards with two each, and the board's own */
#define ALARMS_GAP INT64_C(50000) /* nanoseconds */

struct alarms;

struct alarm_slot {
    struct alarms *alarms;
    int64_t origin; /* the device's clock shows alarms_clock() plus this */
    int64_t when;   /* by alarms_clock(); ALARM_NEVER: not set */
    void (*due)(void *self);
    void *self;
};

struct alarms {
    struct alarm_slot slots[ALARMS_MAX];
    unsigned count;
    int fd;        /* a timerfd on CLOCK_MONOTONIC; readable when it has rung */
    int64_t armed; /* what it is set to */
    int64_t rang;  /* when it last did */
};

/* It must not move while devices hold alarms. Dies if the host has no timer left. */
void alarms_init(struct alarms *alarms);
void alarms_free(struct alarms *alarms);

/* The clock that alarms go by: CLOCK_MONOTONIC. */
struct clock alarms_clock(void);

/*
 * A new alarm; due(self) is called when its moment has come. The device's clock is
 * ahead of alarms_clock() by origin, which is not negative. More than ALARMS_MAX:
 * asserted.
 */
struct alarm alarms_add(struct alarms *alarms, int64_t origin, void (*due)(void *self), void *self);

/* The timerfd is readable: calls what is due, each at most once, and sets the timer anew. */
void alarms_ring(struct alarms *alarms);

#endif
