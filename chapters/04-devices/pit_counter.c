/*
 * pit_counter.c: the six modes. Open at hand: [I8254, "Mode Definitions"], whose timing
 * diagrams are this file's tests.
 *
 *     mode 0, N = 4       load
 *     tick          0   1   2   3   4   5   6
 *     shows         -   4   3   2   1   0  ffff
 *     OUT         ______________________-------
 *
 *     mode 2, N = 3       load
 *     shows         -   3   2   1   3   2   1
 *     OUT         ------------___---------___--
 *
 * Left out on purpose: what a counter shows that was never loaded (the chip: anything;
 * here: 0), and counts of 1 in modes 2 and 3, which the data sheet forbids: OUT then
 * stays as it is.
 */
#include "04-devices/pit_counter.h"

#include "common/bits.h"

static uint32_t span(const struct pit_counter *c)
{
    return c->bcd ? 10000 : 0x10000;
}

static uint32_t decode(const struct pit_counter *c, uint16_t written)
{
    uint32_t value = written;

    if (c->bcd)
        value = (uint32_t)(bits(written, 15, 12) * 1000 + bits(written, 11, 8) * 100 +
                           bits(written, 7, 4) * 10 + bits(written, 3, 0));
    return value ? value : span(c);
}

static uint16_t encode(const struct pit_counter *c, uint32_t value)
{
    value %= span(c);
    if (!c->bcd)
        return (uint16_t)value;
    return (uint16_t)(value / 1000 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 |
                      value % 10);
}

static bool periodic(const struct pit_counter *c)
{
    return c->mode == 2 || c->mode == 3;
}

static bool triggered_by_gate(const struct pit_counter *c)
{
    return c->mode == 1 || c->mode == 5;
}

/* In mode 3, how long of count OUT is high: the longer half if it is odd. */
static uint32_t high_half(uint32_t count)
{
    return (count + 1) / 2;
}

/* Ticks since the load; negative before it. */
static int64_t elapsed(const struct pit_counter *c, int64_t now)
{
    return c->held >= 0 ? c->held : now - c->start;
}

/*
 * A new count for a rate or a wave takes effect where the old period, or the old half
 * of the wave, ends. If that moment is over, the counter has been counting from the
 * new one since.
 */
static void counter_catch_up(struct pit_counter *c, int64_t now)
{
    bool after_high_half;

    if (!periodic(c) || !c->next || c->held >= 0 || now < c->switch_at)
        return;
    after_high_half = (c->switch_at - c->start) % c->count != 0;
    c->start = c->switch_at;
    if (after_high_half) /* as if the new period had begun with its high half before */
        c->start -= high_half(c->next);
    c->count = c->next;
    c->next = 0;
}

void counter_program(struct pit_counter *c, unsigned mode, bool bcd)
{
    *c = (struct pit_counter){
        .mode = (uint8_t)(mode > 5 ? mode - 4 : mode), /* bit 2 of modes 2 and 3 is free */
        .bcd = bcd,
        .gate = c->gate,
        .held = -1,
    };
}

static void start(struct pit_counter *c, uint32_t count, int64_t now)
{
    c->count = count;
    c->next = 0;
    c->start = now + 1;
    c->held = c->gate || triggered_by_gate(c) ? -1 : 0;
    c->running = true;
}

void counter_load(struct pit_counter *c, uint16_t written, int64_t now)
{
    uint32_t count = decode(c, written);
    int64_t into;

    counter_catch_up(c, now);
    if (triggered_by_gate(c)) {
        c->next = count;
        return;
    }
    if (!periodic(c) || !c->running || now < c->start) {
        start(c, count, now);
        return;
    }
    c->next = count;
    into = elapsed(c, now) % c->count;
    c->switch_at = now - into + c->count;
    if (c->mode == 3 && into < high_half(c->count))
        c->switch_at = now - into + high_half(c->count);
}

void counter_first_byte(struct pit_counter *c)
{
    if (c->mode == 0)
        c->running = false;
}

void counter_set_gate(struct pit_counter *c, bool level, int64_t now)
{
    bool rises = level && !c->gate, falls = !level && c->gate;

    counter_catch_up(c, now);
    c->gate = level;
    if (rises && triggered_by_gate(c) && (c->next || c->count))
        start(c, c->next ? c->next : c->count, now);
    else if (rises && periodic(c) && c->running)
        start(c, c->next ? c->next : c->count, now);
    else if (rises && c->running && c->held >= 0) {
        c->start = now - c->held;
        c->held = -1;
    }
    if (falls && c->running && c->held < 0 && !triggered_by_gate(c))
        c->held = now > c->start ? now - c->start : 0;
}

bool counter_out(struct pit_counter *c, int64_t now)
{
    int64_t done;

    counter_catch_up(c, now);
    if (!c->running)
        return c->mode != 0;
    done = elapsed(c, now);
    switch (c->mode) {
    case 0:
    case 1: return done >= c->count;
    case 2: return c->held >= 0 || done < 0 || done % c->count != c->count - 1;
    case 3: return c->held >= 0 || done < 0 || done % c->count < high_half(c->count);
    default: return done != c->count; /* 4, 5: a strobe of one tick */
    }
}

/* [value] */
uint16_t counter_value(struct pit_counter *c, int64_t now)
{
    int64_t done, half;

    counter_catch_up(c, now);
    if (!c->running)
        return 0;
    done = elapsed(c, now);
    if (done < 0)
        return encode(c, c->count);
    switch (c->mode) {
    case 2: return encode(c, c->count - (uint32_t)(done % c->count));
    case 3: /* two at a time, from the even number below, once in each half */
        half = done % c->count;
        if (half >= high_half(c->count))
            half -= high_half(c->count);
        return encode(c, (c->count & ~1u) - 2 * (uint32_t)half);
    default: /* goes on below zero, round and round */
        return encode(c, c->count % span(c) + span(c) - (uint32_t)(done % span(c)));
    }
}
/* [/value] */

bool counter_null(struct pit_counter *c, int64_t now)
{
    counter_catch_up(c, now);
    return !c->running || c->next || (c->held < 0 && now < c->start);
}

int64_t counter_next_rise(struct pit_counter *c, int64_t now)
{
    int64_t rise;

    counter_catch_up(c, now);
    if (!c->running || c->held >= 0)
        return COUNTER_NEVER;
    if (!periodic(c)) {
        rise = c->start + c->count + (c->mode >= 4); /* the strobe ends a tick later */
        return rise > now ? rise : COUNTER_NEVER;
    }
    if (c->count == 1)
        return COUNTER_NEVER;
    if (now < c->start)
        return c->start + c->count;
    rise = c->start + ((now - c->start) / c->count + 1) * c->count;
    if (c->next && c->switch_at < rise) /* the low half will be one of the new count */
        rise = c->next == 1 ? COUNTER_NEVER : c->switch_at + c->next / 2;
    return rise;
}
