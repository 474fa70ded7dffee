/*
 * pit.c: three counters behind four ports, and the wire to interrupt line 0. Open at
 * hand: [I8254, "Operational Description"].
 *
 * The wire rises where counter 0's OUT rises. There it stays until the next rise, for
 * which it drops just before: the interrupt controller looks for edges, and the falls
 * in between would cost an alarm each. Only a command that makes OUT low shows at once.
 *
 * Left out on purpose: the sound of the speaker, and catching up on edges the host was
 * too late for: a guest that counts ticks loses some, as it does on a machine whose
 * interrupts were off for too long.
 */
#include "04-devices/pit.h"

#include <stddef.h>

#include "common/bits.h"

#define SECOND INT64_C(1000000000)

/* Nanoseconds to ticks, rounded down, in two parts so that nothing overflows. */
static int64_t to_ticks(int64_t ns)
{
    return ns / SECOND * PIT_HZ + ns % SECOND * PIT_HZ / SECOND;
}

/* The first nanosecond of a tick. */
static int64_t to_ns(int64_t tick)
{
    return tick / PIT_HZ * SECOND + (tick % PIT_HZ * SECOND + PIT_HZ - 1) / PIT_HZ;
}

static int64_t pit_now(const struct pit *pit)
{
    return to_ticks(clock_now(&pit->clock));
}

static void pit_drive(struct pit *pit, bool level)
{
    if (pit->level != level) {
        pit->level = level;
        irq_set(&pit->irq, level);
    }
}

/* [edges] */
/* Reports what counter 0 has done until now, however often, as one edge. */
static void pit_report(struct pit *pit, int64_t now)
{
    if (counter_next_rise(&pit->channels[0].counter, pit->seen) <= now) {
        pit_drive(pit, false);
        pit_drive(pit, true);
    }
    pit->seen = now;
}

/* Asks to be called when it will have something to report. */
static void pit_set_alarm(struct pit *pit)
{
    int64_t rise = counter_next_rise(&pit->channels[0].counter, pit->seen);

    alarm_set(&pit->alarm, rise == COUNTER_NEVER ? ALARM_NEVER : to_ns(rise));
}

void pit_alarm(struct pit *pit)
{
    pit_report(pit, pit_now(pit));
    pit_set_alarm(pit);
}
/* [/edges] */

static unsigned access_of(const struct pit_channel *channel)
{
    return channel->control & PIT_ACCESS_BOTH;
}

static void latch_count(struct pit_channel *channel, int64_t now)
{
    if (channel->latched)
        return; /* the first one stays until it has been read */
    channel->latch = counter_value(&channel->counter, now);
    channel->latched = access_of(channel) == PIT_ACCESS_BOTH ? 2 : 1;
}

static void latch_status(struct pit_channel *channel, int64_t now)
{
    if (channel->status_latched)
        return;
    channel->status = channel->control;
    if (counter_out(&channel->counter, now))
        channel->status |= PIT_STATUS_OUT;
    if (counter_null(&channel->counter, now))
        channel->status |= PIT_STATUS_NULL;
    channel->status_latched = true;
}

static uint8_t channel_read(struct pit_channel *channel, int64_t now)
{
    uint16_t value;
    bool high;

    if (channel->status_latched) {
        channel->status_latched = false;
        return channel->status;
    }
    value = channel->latched ? channel->latch : counter_value(&channel->counter, now);
    if (channel->latched)
        channel->latched--;
    high = access_of(channel) == PIT_ACCESS_MSB;
    if (access_of(channel) == PIT_ACCESS_BOTH) {
        high = channel->high_read_next;
        channel->high_read_next = !high;
    }
    return (uint8_t)(high ? value >> 8 : value);
}

static void channel_write(struct pit_channel *channel, uint8_t byte, int64_t now)
{
    switch (access_of(channel)) {
    case PIT_ACCESS_LSB: counter_load(&channel->counter, byte, now); return;
    case PIT_ACCESS_MSB: counter_load(&channel->counter, (uint16_t)(byte << 8), now); return;
    }
    if (channel->high_byte_next) {
        counter_load(&channel->counter, (uint16_t)(byte << 8 | channel->low_byte), now);
    } else {
        channel->low_byte = byte;
        counter_first_byte(&channel->counter);
    }
    channel->high_byte_next = !channel->high_byte_next;
}

static void read_back(struct pit *pit, uint8_t command, int64_t now)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pit->channels); i++) {
        if (!(command & BIT(i + 1)))
            continue;
        if (!(command & PIT_NO_COUNT))
            latch_count(&pit->channels[i], now);
        if (!(command & PIT_NO_STATUS))
            latch_status(&pit->channels[i], now);
    }
}

static void control_write(struct pit *pit, uint8_t word, int64_t now)
{
    struct pit_channel *channel;

    if (word >= PIT_READ_BACK) {
        read_back(pit, word, now);
        return;
    }
    channel = &pit->channels[word >> 6];
    if ((word & PIT_ACCESS_BOTH) == PIT_LATCH) {
        latch_count(channel, now);
        return;
    }
    /* Bytes that were on their way, in either direction, are forgotten. */
    *channel = (struct pit_channel){.counter = channel->counter, .control = word & 0x3f};
    counter_program(&channel->counter, (unsigned)bits(word, 3, 1), word & PIT_BCD);
}

uint64_t pit_read(void *self, uint64_t reg, unsigned size)
{
    struct pit *pit = self;

    (void)size;
    if (reg == PIT_CONTROL)
        return 0xff; /* can only be written */
    return channel_read(&pit->channels[reg], pit_now(pit));
}

void pit_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct pit *pit = self;
    int64_t now = pit_now(pit);

    (void)size;
    pit_report(pit, now); /* what happened before the write happened as it was */
    if (reg == PIT_CONTROL)
        control_write(pit, (uint8_t)value, now);
    else
        channel_write(&pit->channels[reg], (uint8_t)value, now);
    if (!pit->channels[0].counter.running || pit->channels[0].counter.mode == 0)
        pit_drive(pit, counter_out(&pit->channels[0].counter, now));
    pit_set_alarm(pit);
}

uint64_t pit_port_b_read(void *self, uint64_t reg, unsigned size)
{
    struct pit *pit = self;
    int64_t now = pit_now(pit);
    uint8_t value = pit->port_b;

    (void)reg, (void)size;
    /* Refresh is a chip set's own affair today: this bit just keeps its old rhythm. */
    if (now / PIT_REFRESH_TICKS % 2)
        value |= PORT_B_REFRESH;
    if (counter_out(&pit->channels[2].counter, now))
        value |= PORT_B_OUT_2;
    return value;
}

void pit_port_b_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct pit *pit = self;

    (void)reg, (void)size;
    pit->port_b = (uint8_t)value & PORT_B_WRITABLE;
    counter_set_gate(&pit->channels[2].counter, value & PORT_B_GATE_2, pit_now(pit));
}

void pit_init(struct pit *pit, struct clock clock, struct alarm alarm, struct irq_line irq)
{
    *pit = (struct pit){.clock = clock, .alarm = alarm, .irq = irq};
    for (unsigned i = 0; i < ARRAY_SIZE(pit->channels); i++) {
        pit->channels[i].control = PIT_ACCESS_BOTH | PIT_MODE(3);
        pit->channels[i].counter.gate = i != 2;
        counter_program(&pit->channels[i].counter, 3, false);
    }
    pit->seen = pit_now(pit);
    pit_drive(pit, true);
}
