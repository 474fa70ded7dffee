/*
 * lift_multiply.c: multiplies, also the long ones and those of the DSP extension;
 * fields, extensions and byte order.
 *
 * Products of 64 bits stay in one IR value until their halves are wanted. Flags of a
 * multiply are N and Z alone. [ARM-ARM, A4.4.3 "Multiply instructions"]
 */
#include "06-tcg/translate/lifter.h"

/* N and Z from a value that no single operation has just computed. */
static void test_flags(struct lifter *l, ir_value value)
{
    ir_append(l->block,
              (struct ir_insn){.op = IR_AND, .flags = IR_FLAGS_NZ, .a = value, .b = value});
}

static void lift_short(struct lifter *l, const struct arm_insn *insn)
{
    struct ir_block *b = l->block;
    ir_value result = ir_binary(b, IR_MUL, lift_read(l, insn->rn), lift_read(l, insn->rm));

    if (insn->op == ARM_MLA)
        result = ir_binary(b, IR_ADD, result, lift_read(l, insn->ra));
    if (insn->op == ARM_MLS)
        result = ir_binary(b, IR_SUB, lift_read(l, insn->ra), result);
    ir_set(b, insn->rd, result);
    if (insn->s)
        test_flags(l, result);
}

/* Two registers as one number. */
static ir_value accumulator(struct lifter *l, const struct arm_insn *insn)
{
    return ir_binary(l->block, IR_PAIR, lift_read(l, insn->ra), lift_read(l, insn->rd));
}

static void write_long(struct lifter *l, const struct arm_insn *insn, ir_value wide)
{
    struct ir_block *b = l->block;
    ir_value low = ir_unary(b, IR_LOW, wide), high = ir_unary(b, IR_HIGH, wide);

    ir_set(b, insn->ra, low);
    ir_set(b, insn->rd, high);
    if (insn->s) {
        ir_set(b, IR_N, lift_bit(l, high, 31));
        ir_set(b, IR_Z, ir_unary(b, IR_EQZ, ir_binary(b, IR_OR, low, high)));
    }
}

static void lift_long(struct lifter *l, const struct arm_insn *insn)
{
    struct ir_block *b = l->block;
    bool is_signed = insn->op == ARM_SMULL || insn->op == ARM_SMLAL;
    ir_value left = lift_read(l, insn->rn), right = lift_read(l, insn->rm);
    ir_value wide = ir_binary(b, is_signed ? IR_SMULL : IR_UMULL, left, right);

    if (insn->op == ARM_UMLAL || insn->op == ARM_SMLAL)
        wide = ir_binary(b, IR_ADD64, wide, accumulator(l, insn));
    if (insn->op == ARM_UMAAL) { /* both are added separately */
        ir_value zero = ir_const(b, 0);

        wide = ir_binary(b, IR_ADD64, wide, ir_binary(b, IR_PAIR, lift_read(l, insn->ra), zero));
        wide = ir_binary(b, IR_ADD64, wide, ir_binary(b, IR_PAIR, lift_read(l, insn->rd), zero));
    }
    write_long(l, insn, wide);
}

/* One signed half of a register. */
static ir_value half(struct lifter *l, unsigned n, bool top)
{
    struct ir_block *b = l->block;

    if (top)
        return ir_binary(b, IR_ASR, lift_read(l, n), ir_const(b, 16));
    return ir_unary(b, IR_SEXT16, lift_read(l, n));
}

/* The product of the DSP multiplies: 16 by 16 bits, or the upper 32 of 32 by 16. */
static ir_value dsp_product(struct lifter *l, const struct arm_insn *insn)
{
    struct ir_block *b = l->block;

    if (insn->op == ARM_SMULXY || insn->op == ARM_SMLAXY)
        return ir_binary(b, IR_MUL, half(l, insn->rn, insn->top_n), half(l, insn->rm, insn->top_m));

    ir_value wide = ir_binary(b, IR_SMULL, lift_read(l, insn->rn), half(l, insn->rm, insn->top_m));
    ir_value high = ir_binary(b, IR_LSL, ir_unary(b, IR_HIGH, wide), ir_const(b, 16));
    ir_value low = ir_binary(b, IR_LSR, ir_unary(b, IR_LOW, wide), ir_const(b, 16));

    return ir_binary(b, IR_OR, high, low);
}

static void lift_dsp(struct lifter *l, const struct arm_insn *insn)
{
    struct ir_block *b = l->block;
    ir_value result = dsp_product(l, insn);

    if (insn->op == ARM_SMLAXY || insn->op == ARM_SMLAWY) /* an overflow is remembered in Q */
        result = ir_append(
            b, (struct ir_insn){
                   .op = IR_ADD, .flags = IR_FLAG_Q, .a = result, .b = lift_read(l, insn->ra)});
    ir_set(b, insn->rd, result);
}

bool lift_multiply(struct lifter *l, const struct arm_insn *insn)
{
    switch (insn->op) {
    case ARM_MUL:
    case ARM_MLA:
    case ARM_MLS: lift_short(l, insn); return true;
    case ARM_UMULL:
    case ARM_UMLAL:
    case ARM_SMULL:
    case ARM_SMLAL:
    case ARM_UMAAL: lift_long(l, insn); return true;
    case ARM_SMULXY:
    case ARM_SMLAXY:
    case ARM_SMULWY:
    case ARM_SMLAWY: lift_dsp(l, insn); return true;
    case ARM_SMLALXY:
        write_long(l, insn,
                   ir_binary(l->block, IR_ADD64,
                             ir_binary(l->block, IR_SMULL, half(l, insn->rn, insn->top_n),
                                       half(l, insn->rm, insn->top_m)),
                             accumulator(l, insn)));
        return true;
    default: return false; /* the saturating sums */
    }
}

/* SXTB and its kin: rotate, extend, perhaps add. */
static void lift_extend(struct lifter *l, const struct arm_insn *insn)
{
    static const enum ir_op ops[] = {IR_SEXT8, IR_SEXT16, IR_ZEXT8, IR_ZEXT16};
    struct ir_block *b = l->block;
    ir_value value = lift_read(l, insn->rm);

    if (insn->amount)
        value = ir_binary(b, IR_ROR, value, ir_const(b, insn->amount));
    value = ir_unary(b, ops[insn->op - ARM_SXTB], value);
    if (insn->rn != ARM_NO_REG)
        value = ir_binary(b, IR_ADD, value, lift_read(l, insn->rn));
    ir_set(b, insn->rd, value);
}

bool lift_field(struct lifter *l, const struct arm_insn *insn)
{
    struct ir_block *b = l->block;
    ir_value value;

    switch (insn->op) {
    case ARM_SXTB:
    case ARM_SXTH:
    case ARM_UXTB:
    case ARM_UXTH: lift_extend(l, insn); return true;
    case ARM_CLZ: value = ir_unary(b, IR_CLZ, lift_read(l, insn->rm)); break;
    case ARM_REV: value = ir_unary(b, IR_BSWAP, lift_read(l, insn->rm)); break;
    case ARM_MOVT:
        value = ir_binary(b, IR_OR, ir_unary(b, IR_ZEXT16, lift_read(l, insn->rd)),
                          ir_const(b, insn->imm << 16));
        break;
    default: return false;
    }
    ir_set(b, insn->rd, value);
    return true;
}
