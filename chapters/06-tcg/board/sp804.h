/*
 * sp804.h: Arm's dual timer, SP804: one of its two counters.
 *
 * A counter runs down, one step per microsecond or per 16 or 256 of them, and at zero
 * starts anew: from its load register (periodic), from all ones (free-running), or not
 * at all (one-shot). Like the timers of chapter 4 it does not tick. It knows when it
 * was last looked at and works out what has happened since.
 *
 *     0x00 LOAD    start here, now          0x10 RIS   zero was reached
 *     0x04 VALUE   the counter              0x14 MIS   and the interrupt is wanted
 *     0x08 CONTROL                          0x18 BGLOAD  for the next round
 *     0x0c INTCLR  forget that zero was reached
 *
 * Names: [SP804, 3.3 "Register descriptions"].
 */
#ifndef TCG_BOARD_SP804_H
#define TCG_BOARD_SP804_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/clock.h"

#define SP804_SIZE    0x20u /* of one counter; the chip has two */

#define SP804_LOAD    0x00u
#define SP804_VALUE   0x04u
#define SP804_CONTROL 0x08u
#define SP804_INTCLR  0x0cu
#define SP804_RIS     0x10u
#define SP804_MIS     0x14u
#define SP804_BGLOAD  0x18u

/* [SP804, 3.3.3 "Control register"] */
#define SP804_ONE_SHOT 0x01u
#define SP804_32_BITS  0x02u
#define SP804_PRESCALE 0x0cu /* 1, 16 or 256 */
#define SP804_IRQ      0x20u
#define SP804_PERIODIC 0x40u
#define SP804_ENABLE   0x80u

struct sp804 {
    struct clock clock;
    int64_t since; /* nanoseconds: value is what the counter was then */
    uint32_t load, value, control;
    bool reached_zero;
};

void sp804_init(struct sp804 *timer, struct clock clock);

/* For struct bus_range, width 4. */
uint64_t sp804_read(void *self, uint64_t reg, unsigned size);
void sp804_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
