/*
 * shift.c: the barrel shifter.
 *
 * C leaves a shift by 32 or more undefined and x86 takes amounts modulo 32; ARM
 * does neither. A shift register really is emptied by 32 and stays so beyond, and
 * the carry is the bit that left last. This file is the place where the difference
 * is spelt out.
 *
 *            LSL               LSR               ASR
 *   C <- [31 ... 0] <- 0   0 -> [31 ... 0] -> C   b31 -> [31 ... 0] -> C
 *
 * Keep open: [ARM-ARM, A2.2.1 "Integer arithmetic"] and [ARM-ARM, A8.4 "Shifts
 * applied to a register"].
 */
#include "06-tcg/arm/shift.h"

/* [shifts] */
static uint32_t shift_left(uint32_t value, unsigned amount, bool *carry)
{
    *carry = amount <= 32 && (value >> (32 - amount) & 1);
    return amount < 32 ? value << amount : 0;
}

static uint32_t shift_right(uint32_t value, unsigned amount, bool *carry)
{
    *carry = amount <= 32 && (value >> (amount - 1) & 1);
    return amount < 32 ? value >> amount : 0;
}

/* From 32 on nothing but copies of the sign is left. */
static uint32_t shift_arithmetic(uint32_t value, unsigned amount, bool *carry)
{
    uint32_t sign = value >> 31 ? ~UINT32_C(0) : 0;

    if (amount >= 32) {
        *carry = value >> 31;
        return sign;
    }
    *carry = value >> (amount - 1) & 1;
    return value >> amount | sign << (32 - amount);
}

/* Turning by 32 changes nothing, but the carry still is the top bit. */
static uint32_t rotate(uint32_t value, unsigned amount, bool *carry)
{
    unsigned turn = amount % 32;
    uint32_t result = turn ? value >> turn | value << (32 - turn) : value;

    *carry = result >> 31;
    return result;
}
/* [/shifts] */

uint32_t arm_shift(uint32_t value, enum arm_shift type, unsigned amount, bool *carry)
{
    bool carry_in = *carry;

    if (amount == 0)
        return value;
    switch (type) {
    case ARM_LSL: return shift_left(value, amount, carry);
    case ARM_LSR: return shift_right(value, amount, carry);
    case ARM_ASR: return shift_arithmetic(value, amount, carry);
    case ARM_ROR: return rotate(value, amount, carry);
    case ARM_RRX: break;
    }
    *carry = value & 1;
    return value >> 1 | (uint32_t)carry_in << 31;
}
