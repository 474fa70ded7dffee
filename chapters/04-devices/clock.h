/*
 * clock.h: time, as a device sees it: a clock it reads, and an alarm it sets.
 *
 * A device never sleeps and owns no timer of the host. It reads the clock when the
 * guest asks, works out what must have happened since, and sets the alarm to the
 * next moment at which something happens unasked, an interrupt as a rule. When that
 * moment has come (or a little later: hosts are busy) the board calls the device's
 * own function, pit_alarm() say, which sets the alarm anew.
 *
 * So a unit test holds a clock still and turns it by hand, and a guest that asks for
 * a thousand interrupts in one microsecond sets one alarm, a thousand times.
 */
#ifndef CHAPTER_04_CLOCK_H
#define CHAPTER_04_CLOCK_H

#include <stdint.h>

/* Nanoseconds since an origin that the board chooses; never runs backwards. */
struct clock {
    int64_t (*now)(void *self);
    void *self;
};

static inline int64_t clock_now(const struct clock *clock)
{
    return clock->now(clock->self);
}

#define ALARM_NEVER INT64_MAX

/* One alarm: setting it again replaces the moment. A moment in the past is due now. */
struct alarm {
    void (*set)(void *self, int64_t when);
    void *self;
};

static inline void alarm_set(const struct alarm *alarm, int64_t when)
{
    alarm->set(alarm->self, when);
}

#endif
