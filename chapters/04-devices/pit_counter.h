/*
 * pit_counter.h: one counter of an 8254: what it shows at a moment, without counting.
 *
 * A counter that was loaded with N at tick T shows N minus (now - T), so nobody has to
 * decrement it. The six modes differ in what starts it, what GATE does, and when its
 * output OUT is low. [I8254, "Mode Definitions"]
 *
 *     mode                       starts by   OUT                     GATE low
 *     0  interrupt on count      a count     low, high after N       stands still
 *     1  one-shot                GATE rises  low for N               (nothing)
 *     2  rate generator          a count     low each Nth tick       stops, OUT high
 *     3  square wave             a count     high N/2, low N/2, ...  stops, OUT high
 *     4  strobe by software      a count     low for tick N          stands still
 *     5  strobe by hardware      GATE rises  low for tick N          (nothing)
 *
 * A tick is one pulse of CLK, numbered from an origin that the caller chooses. A count
 * written or a trigger in tick T is loaded in T + 1, and counted from there.
 * Every call must come with a tick no smaller than the one before.
 */
#ifndef CHAPTER_04_PIT_COUNTER_H
#define CHAPTER_04_PIT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

#define COUNTER_NEVER INT64_MAX

struct pit_counter {
    uint8_t mode; /* 0 to 5 */
    bool bcd;     /* four decimal digits instead of 16 bits */
    bool gate;
    bool running;      /* loaded, at "start" */
    uint32_t count;    /* what it counts down from: 1 to 65536; 0: none was written yet */
    uint32_t next;     /* written, but loaded later; 0: none */
    int64_t start;     /* the tick in which count was loaded */
    int64_t switch_at; /* modes 2 and 3: the tick in which next will be */
    int64_t held;      /* ticks counted when GATE stopped it, or -1 */
};

/* A control word: waits for a count, or for count and trigger. Mode 0 to 7 as written. */
void counter_program(struct pit_counter *counter, unsigned mode, bool bcd);

/* A count is complete, as the guest wrote it: 0 is the largest, 65536 or 10000. */
void counter_load(struct pit_counter *counter, uint16_t written, int64_t now);

/* The first byte of two: in mode 0 it stops the counter and makes OUT low. */
void counter_first_byte(struct pit_counter *counter);

void counter_set_gate(struct pit_counter *counter, bool level, int64_t now);

bool counter_out(struct pit_counter *counter, int64_t now);

/* What a guest reads, in BCD if it asked for that. */
uint16_t counter_value(struct pit_counter *counter, int64_t now);

/* Is a count or control word written that the counter does not count from yet? */
bool counter_null(struct pit_counter *counter, int64_t now);

/* The first tick after now in which OUT goes from low to high, or COUNTER_NEVER. */
int64_t counter_next_rise(struct pit_counter *counter, int64_t now);

#endif
