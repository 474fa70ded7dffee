/*
 * lift_data.c: data processing: AND to MVN, with their shifted operands and flags.
 *
 * [ARM-ARM, A8.4 "Shifts applied to a register"], [ARM-ARM, A2.2.1 "Integer
 * arithmetic"]. ADD, SUB and their kin set C and V as sums do. The logical ones leave
 * V alone and take C from the shifter, if that has shifted at all.
 */
#include "06-tcg/translate/lifter.h"

/* Operand 2, and the carry that its shift leaves. */
struct operand2 {
    ir_value value;
    ir_value carry; /* IR_NONE: C keeps its value */
};

static const enum ir_op shift_op[] = {IR_LSL, IR_LSR, IR_ASR, IR_ROR};
static const enum ir_op carry_op[] = {IR_CARRY_LSL, IR_CARRY_LSR, IR_CARRY_ASR, IR_CARRY_ROR};

ir_value lift_bit(struct lifter *l, ir_value value, unsigned n)
{
    struct ir_block *b = l->block;

    if (n)
        value = ir_binary(b, IR_LSR, value, ir_const(b, n));
    return n == 31 ? value : ir_binary(b, IR_AND, value, ir_const(b, 1));
}

ir_value lift_shifted(struct lifter *l, const struct arm_insn *insn, ir_value value)
{
    struct ir_block *b = l->block;

    if (insn->shift == ARM_RRX)
        return ir_binary(b, IR_RRX, value, ir_get(b, IR_C));
    if (insn->amount == 0)
        return value;
    return ir_binary(b, shift_op[insn->shift], value, ir_const(b, insn->amount));
}

/* The last bit that RRX, a rotation or a shift by 32 pushes out of value. */
static ir_value shifted_carry(struct lifter *l, const struct arm_insn *insn, ir_value value)
{
    if (insn->shift == ARM_RRX)
        return lift_bit(l, value, 0);
    return insn->amount ? lift_bit(l, value, insn->amount - 1u) : IR_NONE;
}

static ir_value append_flags(struct lifter *l, enum ir_op op, ir_value a, ir_value b,
                             unsigned flags)
{
    ir_value carry = op == IR_ADC || op == IR_SBC ? ir_get(l->block, IR_C) : 0;

    return ir_append(
        l->block,
        (struct ir_insn){.op = (uint8_t)op, .flags = (uint8_t)flags, .a = a, .b = b, .c = carry});
}

/* By 1 to 31, not a rotation. */
static bool is_plain_shift(const struct arm_insn *insn)
{
    return insn->operand == ARM_REG && insn->shift <= ARM_ASR && insn->amount >= 1 &&
           insn->amount <= 31;
}

static struct operand2 lift_operand2(struct lifter *l, const struct arm_insn *insn, bool carry)
{
    struct ir_block *b = l->block;
    struct operand2 two = {IR_NONE, IR_NONE};

    if (insn->operand == ARM_IMM) {
        two.value = ir_const(b, insn->imm);
        if (carry && insn->carry != ARM_CARRY_KEPT)
            two.carry = ir_const(b, insn->carry == ARM_CARRY_1);
        return two;
    }

    ir_value value = lift_read(l, insn->rm);

    if (carry && is_plain_shift(insn)) { /* x86's shift leaves the carry, too */
        two.value = append_flags(l, shift_op[insn->shift], value, ir_const(b, insn->amount),
                                 IR_FLAG_C);
        return two;
    }
    if (insn->operand == ARM_REG) {
        if (carry)
            two.carry = shifted_carry(l, insn, value);
        two.value = lift_shifted(l, insn, value);
        return two;
    }

    ir_value amount = lift_read(l, insn->ra);

    if (carry)
        two.carry = ir_append(b, (struct ir_insn){.op = (uint8_t)carry_op[insn->shift],
                                                  .a = value,
                                                  .b = amount,
                                                  .c = ir_get(b, IR_C)});
    two.value = ir_binary(b, shift_op[insn->shift], value, amount);
    return two;
}

/* Sums and differences; RSB and RSC have their operands the other way round. */
static bool is_sum(const struct arm_insn *insn, enum ir_op *op, bool *reversed)
{
    static const uint8_t ops[ARM_MVN + 1] = {
        [ARM_SUB] = IR_SUB, [ARM_RSB] = IR_SUB, [ARM_ADD] = IR_ADD, [ARM_ADC] = IR_ADC,
        [ARM_SBC] = IR_SBC, [ARM_RSC] = IR_SBC, [ARM_CMP] = IR_SUB, [ARM_CMN] = IR_ADD,
    };

    *op = ops[insn->op];
    *reversed = insn->op == ARM_RSB || insn->op == ARM_RSC;
    return *op != IR_NOP;
}

/* R15 as a left operand; Thumb's ADR counts from the word that R15 is in. */
static ir_value lift_left(struct lifter *l, const struct arm_insn *insn)
{
    if (insn->rn == ARM_PC && insn->operand == ARM_IMM)
        return ir_const(l->block, lift_pc(l) & ~3u);
    return lift_read(l, insn->rn);
}

/* [sum] */
static ir_value lift_sum(struct lifter *l, const struct arm_insn *insn, enum ir_op op,
                         bool reversed)
{
    ir_value left = lift_left(l, insn);
    ir_value right = lift_operand2(l, insn, false).value;
    unsigned flags = insn->s ? IR_FLAGS_ALL : 0;

    return reversed ? append_flags(l, op, right, left, flags)
                    : append_flags(l, op, left, right, flags);
}
/* [/sum] */

static ir_value lift_logic(struct lifter *l, const struct arm_insn *insn)
{
    static const uint8_t ops[ARM_MVN + 1] = {
        [ARM_AND] = IR_AND, [ARM_EOR] = IR_XOR, [ARM_TST] = IR_AND,
        [ARM_TEQ] = IR_XOR, [ARM_ORR] = IR_OR,  [ARM_BIC] = IR_AND,
    };
    bool s = insn->s;
    bool move = insn->op == ARM_MOV || insn->op == ARM_MVN;

    if (insn->op == ARM_MOV && s && is_plain_shift(insn)) /* x86's shift leaves all three flags */
        return append_flags(l, shift_op[insn->shift], lift_read(l, insn->rm),
                            ir_const(l->block, insn->amount), IR_FLAGS_NZ | IR_FLAG_C);

    struct operand2 two = lift_operand2(l, insn, s);
    ir_value result = two.value;

    if (insn->op == ARM_BIC || insn->op == ARM_MVN)
        result = ir_unary(l->block, IR_NOT, result);
    if (s && two.carry != IR_NONE)
        ir_set(l->block, IR_C, two.carry);
    if (!move)
        result = append_flags(l, ops[insn->op], lift_read(l, insn->rn), result,
                              s ? IR_FLAGS_NZ : 0);
    else if (s) /* nothing is computed: test the value */
        append_flags(l, IR_AND, result, result, IR_FLAGS_NZ);
    return result;
}

/*
 * A result for R15 is a jump. In ARM code it may change the instruction set, in Thumb
 * code it does not. [ARM-ARM, A2.3 "ARM core registers", ALUWritePC()]
 */
static void write_pc(struct lifter *l, ir_value value)
{
    if (l->thumb)
        value = ir_binary(l->block, IR_OR, value, ir_const(l->block, 1));
    lift_write_interworking(l, ARM_PC, value);
}

bool lift_data(struct lifter *l, const struct arm_insn *insn)
{
    bool reversed;
    enum ir_op op;
    ir_value result;

    if (insn->rd == ARM_PC && insn->s && !arm_compares(insn))
        return false; /* the return from an exception */
    result = is_sum(insn, &op, &reversed) ? lift_sum(l, insn, op, reversed) : lift_logic(l, insn);
    if (arm_compares(insn))
        return true;
    if (insn->rd == ARM_PC)
        write_pc(l, result);
    else
        ir_set(l->block, insn->rd, result);
    return true;
}
