/*
 * interpret_data.c: data processing, the sixteen operations with two operands.
 *
 * All arithmetic is one addition: a subtraction adds the complement with a carry
 * of 1, so C after a subtraction means "no borrow". (x86 has it the other way
 * round, which costs a translator one instruction.)
 *
 *   ADD  a +  b + 0     SUB  a + ~b + 1     RSB  ~a + b + 1     CMP  as SUB
 *   ADC  a +  b + C     SBC  a + ~b + C     RSC  ~a + b + C     CMN  as ADD
 *
 * The logical operations leave V alone and take C from the shifter.
 *
 * Keep open: [ARM-ARM, A2.2.1 "Integer arithmetic", AddWithCarry()] and [ARM-ARM,
 * A8.8 "Alphabetical list of instructions"].
 */
#include "06-tcg/arm/shift.h"
#include "06-tcg/arm/step.h"

struct result {
    uint32_t value;
    bool carry, overflow;
};

/* [add] */
static struct result add_with_carry(uint32_t a, uint32_t b, bool carry)
{
    uint64_t sum = (uint64_t)a + b + carry;
    uint32_t value = (uint32_t)sum;

    /* Overflow: both operands have a sign that the result has not. */
    return (struct result){value, sum >> 32, (~(a ^ b) & (a ^ value)) >> 31};
}
/* [/add] */

static struct result logical(uint32_t value, bool carry, bool overflow)
{
    return (struct result){value, carry, overflow};
}

/* carry is the shifter's; C as it was is in the state. */
static struct result compute(const struct arm_cpu *cpu, enum arm_op op, uint32_t a, uint32_t b,
                             bool carry)
{
    switch (op) {
    case ARM_AND:
    case ARM_TST: return logical(a & b, carry, cpu->v);
    case ARM_EOR:
    case ARM_TEQ: return logical(a ^ b, carry, cpu->v);
    case ARM_SUB:
    case ARM_CMP: return add_with_carry(a, ~b, 1);
    case ARM_RSB: return add_with_carry(~a, b, 1);
    case ARM_ADD:
    case ARM_CMN: return add_with_carry(a, b, 0);
    case ARM_ADC: return add_with_carry(a, b, cpu->c);
    case ARM_SBC: return add_with_carry(a, ~b, cpu->c);
    case ARM_RSC: return add_with_carry(~a, b, cpu->c);
    case ARM_ORR: return logical(a | b, carry, cpu->v);
    case ARM_BIC: return logical(a & ~b, carry, cpu->v);
    case ARM_MVN: return logical(~b, carry, cpu->v);
    default: return logical(b, carry, cpu->v); /* MOV */
    }
}

uint32_t step_operand2(const struct step *s, bool *carry)
{
    const struct arm_insn *insn = s->insn;

    *carry = s->cpu->c;
    if (insn->operand == ARM_IMM) {
        if (insn->carry != ARM_CARRY_KEPT)
            *carry = insn->carry == ARM_CARRY_1;
        return insn->imm;
    }
    if (insn->operand == ARM_REG)
        return arm_shift(step_reg(s, insn->rm), insn->shift, insn->amount, carry);
    return arm_shift(step_reg(s, insn->rm), insn->shift, step_reg(s, insn->ra) & 0xff, carry);
}

/* The PC plus a constant is an address of data: ADR. It counts from a word boundary. */
static uint32_t first_operand(const struct step *s)
{
    uint32_t value = step_reg(s, s->insn->rn);

    return s->insn->rn == ARM_PC && s->insn->operand == ARM_IMM ? value & ~UINT32_C(3) : value;
}

bool step_data(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    struct arm_cpu *cpu = s->cpu;
    bool carry;
    uint32_t operand2 = step_operand2(s, &carry);
    struct result result = compute(cpu, insn->op, first_operand(s), operand2, carry);

    if (insn->s) {
        step_set_nz(cpu, result.value);
        cpu->c = result.carry;
        cpu->v = result.overflow;
    }
    if (!arm_compares(insn))
        step_set_reg(s, insn->rd, result.value);
    return true;
}
