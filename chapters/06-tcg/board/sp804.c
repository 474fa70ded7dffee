/*
 * sp804.c: a counter of Arm's dual timer. See sp804.h.
 *
 * Modelled: the three ways to count, both widths, the prescaler, and the flag at zero.
 * Left out: the interrupt's wire, because our processor, a user program's, has no
 * interrupts; a guest looks at RIS.
 *
 * Keep open: [SP804, 3 "Programmers Model"].
 */
#include "06-tcg/board/sp804.h"

#define TICK_NS 1000 /* the board clocks it with 1 MHz */

void sp804_init(struct sp804 *timer, struct clock clock)
{
    *timer = (struct sp804){.clock = clock, .value = 0xffffffff, .control = SP804_IRQ};
}

static uint64_t counts(const struct sp804 *timer)
{
    return timer->control & SP804_32_BITS ? UINT64_C(1) << 32 : UINT64_C(1) << 16;
}

static int64_t step_ns(const struct sp804 *timer)
{
    static const int64_t factors[4] = {1, 16, 256, 256}; /* 3 is reserved */

    return TICK_NS * factors[(timer->control & SP804_PRESCALE) >> 2];
}

/* Zero lies behind us by rest steps. */
static uint32_t started_anew(const struct sp804 *timer, uint64_t rest)
{
    uint64_t load = timer->load % counts(timer);

    if (timer->control & SP804_ONE_SHOT)
        return 0;
    if (!(timer->control & SP804_PERIODIC))
        return (uint32_t)((counts(timer) - rest % counts(timer)) % counts(timer));
    return load ? (uint32_t)(load - rest % load) : 0;
}

/* Brings value and reached_zero up to now. */
static void catch_up(struct sp804 *timer)
{
    int64_t now = clock_now(&timer->clock), steps = (now - timer->since) / step_ns(timer);
    bool stopped = (timer->control & SP804_ONE_SHOT) && timer->value == 0;

    if (!(timer->control & SP804_ENABLE) || stopped) {
        timer->since = now;
        return;
    }
    if (steps == 0)
        return;
    timer->since += steps * step_ns(timer);
    if ((uint64_t)steps < timer->value) {
        timer->value -= (uint32_t)steps;
        return;
    }
    timer->reached_zero = true;
    timer->value = started_anew(timer, (uint64_t)steps - timer->value);
}

uint64_t sp804_read(void *self, uint64_t reg, unsigned size)
{
    struct sp804 *timer = self;

    (void)size; /* the bus cuts a register out of its word */
    catch_up(timer);
    switch (reg) {
    case SP804_LOAD:
    case SP804_BGLOAD: return timer->load;
    case SP804_VALUE: return timer->value;
    case SP804_CONTROL: return timer->control;
    case SP804_RIS: return timer->reached_zero;
    case SP804_MIS: return timer->reached_zero && (timer->control & SP804_IRQ);
    default: return 0;
    }
}

void sp804_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct sp804 *timer = self;

    (void)size;
    catch_up(timer);
    switch (reg) {
    case SP804_LOAD:
        timer->load = (uint32_t)value;
        timer->value = (uint32_t)(value % counts(timer));
        break;
    case SP804_BGLOAD: timer->load = (uint32_t)value; break;
    case SP804_CONTROL:
        timer->control = value & 0xef;
        timer->value %= counts(timer);
        break;
    case SP804_INTCLR: timer->reached_zero = false; break;
    }
}
