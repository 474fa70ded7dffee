/*
 * reset.c: see reset.h. Open at hand: [ICH9] section 13.7.
 *
 * Left out on purpose: the difference between resetting the processor and the
 * whole platform, and the A20 gate, which no system since MS-DOS has closed.
 */
#include "04-devices/reset.h"

void reset_init(struct reset_ports *ports, struct irq_line reset)
{
    *ports = (struct reset_ports){.reset = reset, .port_a = RESET_A20};
}

uint64_t reset_port_a_read(void *self, uint64_t reg, unsigned size)
{
    const struct reset_ports *ports = self;

    (void)reg, (void)size;
    return ports->port_a;
}

void reset_port_a_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct reset_ports *ports = self;
    uint8_t rising = (uint8_t)value & ~ports->port_a;

    (void)reg, (void)size;
    ports->port_a = ((uint8_t)value & RESET_FAST) | RESET_A20;
    if (rising & RESET_FAST)
        irq_set(&ports->reset, true);
}

uint64_t reset_control_read(void *self, uint64_t reg, unsigned size)
{
    const struct reset_ports *ports = self;

    (void)size;
    return reg == 1 ? ports->control : UINT64_MAX;
}

void reset_control_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct reset_ports *ports = self;
    uint8_t rising = (uint8_t)value & ~ports->control;

    (void)size; /* at an odd address it is 1 */
    if (reg != 1)
        return;
    ports->control = (uint8_t)value & RESET_KINDS;
    if (rising & RESET_RCPU)
        irq_set(&ports->reset, true);
}
