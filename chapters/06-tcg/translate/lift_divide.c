/*
 * lift_divide.c: a division done with pencil and paper becomes a division.
 *
 *     cmp    r0, r1, lsl #7        does the divisor, shifted, fit into the rest?
 *     adc    r2, r2, r2            one more bit of the quotient; may be missing
 *     subcs  r0, r0, r1, lsl #7    if so, take it away
 *     cmp    r0, r1, lsl #6        and so on
 *
 * An ARMv5 has no instruction that divides, so each of its libraries has 32 such steps and
 * jumps into their midst. They are known here by what they compute, whoever has written
 * them. All steps but the last become one operation. The last is lifted as it is: it leaves
 * the flags.
 */
#include "06-tcg/arm/interpret.h"
#include "06-tcg/translate/lifter.h"

#define STEPS_LEAST 4 /* to be worth a division, with the one that is lifted as it is */

/* The steps of one division: which registers, and the instructions of a step. */
struct division {
    uint32_t rest, divisor, quotient; /* quotient: ARM_NO_REG if nobody wants it */
    unsigned words;
};

/* The n-th word of the step that shifts by amount. [ARM-ARM, A5.2.1 "Data-processing (register)"]
 */
static uint32_t word_of(const struct division *d, unsigned n, unsigned amount)
{
    uint32_t shifted = d->rest << 16 | amount << 7 | d->divisor;

    if (n == 0)
        return 0xe1500000 | shifted; /* CMP */
    if (n == d->words - 1)
        return 0x20400000 | shifted | d->rest << 12;                         /* SUBCS */
    return 0xe0a00000 | d->quotient << 16 | d->quotient << 12 | d->quotient; /* ADC */
}

/* The instruction n words further on. False: not on this page. */
static bool look_ahead(const struct lifter *l, unsigned n, struct arm_insn *insn)
{
    struct arm_cpu fetcher = {.space = l->cpu->space};
    uint32_t address = l->address + 4 * n;
    struct arm_stop stop;

    return (address ^ l->block->start) < SPACE_PAGE_SIZE &&
           arm_fetch(&fetcher, address, insn, &stop);
}

/* Which registers would they be? False: the registers of a division differ. */
static bool find_registers(const struct lifter *l, const struct arm_insn *cmp, struct division *d)
{
    struct arm_insn second;

    *d = (struct division){.rest = cmp->rn, .divisor = cmp->rm, .quotient = ARM_NO_REG, .words = 2};
    if (!look_ahead(l, 1, &second))
        return false;
    if (second.op == ARM_ADC) {
        d->quotient = second.rd;
        d->words = 3;
    }
    return d->rest != d->divisor && d->quotient != d->rest && d->quotient != d->divisor &&
           d->rest != ARM_PC && d->divisor != ARM_PC && d->quotient != ARM_PC;
}

static unsigned count_steps(const struct lifter *l, const struct division *d, unsigned amount)
{
    struct arm_insn insn;

    for (unsigned steps = 0;; steps++)
        for (unsigned n = 0; n < d->words; n++)
            if (steps > amount || !look_ahead(l, steps * d->words + n, &insn) ||
                insn.raw != word_of(d, n, amount - steps))
                return steps;
}

/* [divide] */
bool lift_divide(struct lifter *l, struct arm_insn *insn)
{
    struct ir_block *b = l->block;
    ir_value rest, divisor, quotient;
    struct division d;
    unsigned steps, last;

    if (insn->op != ARM_CMP || insn->operand != ARM_REG || insn->amount < STEPS_LEAST - 1 ||
        !find_registers(l, insn, &d))
        return false;
    steps = count_steps(l, &d, insn->amount);
    if (steps < STEPS_LEAST)
        return false;
    lift_begin(l);
    steps--;
    last = insn->amount - steps + 1;
    rest = ir_get(b, d.rest);
    divisor = ir_get(b, d.divisor);
    quotient = ir_append(
        b, (struct ir_insn){
               .op = IR_QUOTIENT, .a = rest, .b = divisor, .c = ir_const(b, steps << 8 | last)});
    divisor = ir_binary(b, IR_LSL, divisor, ir_const(b, last));
    ir_set(b, d.rest, ir_binary(b, IR_SUB, rest, ir_binary(b, IR_MUL, quotient, divisor)));
    if (d.quotient != ARM_NO_REG) {
        ir_value before = ir_binary(b, IR_LSL, ir_get(b, d.quotient), ir_const(b, steps));

        ir_set(b, d.quotient, ir_binary(b, IR_OR, before, quotient));
    }
    look_ahead(l, steps * d.words, insn);
    l->address += 4 * steps * d.words;
    return true;
}
/* [/divide] */
