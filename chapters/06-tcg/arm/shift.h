/*
 * shift.h: the barrel shifter, which gives a value and a carry.
 * [ARM-ARM, A2.2.1 "Integer arithmetic", Shift_C()]
 */
#ifndef TCG_ARM_SHIFT_H
#define TCG_ARM_SHIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "06-tcg/arm/insn.h"

/*
 * Shifts value by amount, which may be any number up to 255 as it comes from a
 * register. *carry goes in as C and comes out as the last bit that was shifted out;
 * by 0 nothing changes. RRX is always by one.
 */
uint32_t arm_shift(uint32_t value, enum arm_shift type, unsigned amount, bool *carry);

#endif
