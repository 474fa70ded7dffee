/*
 * fold.c: operations whose result is known, or is one of their operands, or that x86 has in
 * a shorter form: a scaled sum, the low half or byte of a register.
 *
 * Guest code has more of these than one would think: R15 is a constant in each
 * instruction, literals are constants, and so is what is added to them. An operation
 * that sets flags stays, for its flags; its users see the constant all the same.
 */
#include "06-tcg/ir/ir_evaluate.h"
#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/optimize.h"

static bool is_const(const struct ir_block *block, ir_value v)
{
    return v != IR_NONE && block->insns[v].op == IR_CONST;
}

static bool is_the_const(const struct ir_block *block, ir_value v, uint32_t value)
{
    return is_const(block, v) && block->insns[v].imm == value;
}

/* All operands known? Operations of 64 bits are left alone: constants have 32. */
static bool computable(const struct ir_block *block, const struct ir_insn *insn)
{
    unsigned operands = ir_ops[insn->op].operands;

    return is_const(block, insn->a) && (operands < 2 || is_const(block, insn->b)) &&
           (operands < 3 || is_const(block, insn->c)) && ir_is_pure(insn->op) &&
           insn->op != IR_SELECT && !insn->flags && !(insn->op >= IR_UMULL && insn->op <= IR_HIGH);
}

static uint32_t value_of(const struct ir_block *block, ir_value v)
{
    return is_const(block, v) ? block->insns[v].imm : 0;
}

/* A constant on the left goes to the right, where x86 takes it as an immediate. */
static void constant_to_the_right(const struct ir_block *block, struct ir_insn *insn)
{
    bool swappable = insn->op == IR_ADD || insn->op == IR_ADC || insn->op == IR_AND ||
                     insn->op == IR_OR || insn->op == IR_XOR || insn->op == IR_MUL ||
                     insn->op == IR_UMULL || insn->op == IR_SMULL;

    if (swappable && is_const(block, insn->a) && !is_const(block, insn->b)) {
        ir_value a = insn->a;

        insn->a = insn->b;
        insn->b = a;
    }
}

/*
 * By how many bits it is shifted to the left, if that is a constant. Else 0. A constant that
 * is shifted for its flags' sake does not count: as an immediate it has no scale.
 */
static unsigned shift_of(const struct ir_block *block, ir_value v)
{
    const struct ir_insn *insn = &block->insns[v];

    return insn->op == IR_LSL && !is_const(block, insn->a) ? value_of(block, insn->b) : 0;
}

/* What is shifted by 1 to 3 is added by the same instruction, as the index of an address. */
static void fold_scale(const struct ir_block *block, struct ir_insn *insn)
{
    for (unsigned n = 0; n < 2 && !insn->scale && !is_const(block, insn->b); n++) {
        ir_value shifted = insn->a, other = insn->b;
        unsigned amount = shift_of(block, shifted);

        insn->scale = amount <= 3 ? (uint8_t)amount : 0;
        insn->a = other;
        insn->b = insn->scale ? block->insns[shifted].a : shifted;
    }
}

/* The low half or byte of a register: AND, or to the left and back again, as ARMv5 must. */
static void fold_field(const struct ir_block *block, struct ir_insn *insn)
{
    unsigned shift = insn->op == IR_AND ? 0 : value_of(block, insn->b) & 0xff;
    uint32_t mask = insn->op == IR_AND ? value_of(block, insn->b)
                    : shift < 32       ? UINT32_MAX >> shift
                                       : 0;

    if ((mask != 0xff && mask != 0xffff) ||
        (shift && shift_of(block, insn->a) != value_of(block, insn->b)))
        return;
    if (insn->op == IR_ASR)
        insn->op = mask == 0xff ? IR_SEXT8 : IR_SEXT16;
    else
        insn->op = mask == 0xff ? IR_ZEXT8 : IR_ZEXT16;
    insn->a = shift ? block->insns[insn->a].a : insn->a;
    insn->b = IR_NONE;
}

/* Both halves of one value, put together again. */
static ir_value whole(const struct ir_block *block, const struct ir_insn *pair)
{
    const struct ir_insn *low = &block->insns[pair->a], *high = &block->insns[pair->b];

    return low->op == IR_LOW && high->op == IR_HIGH && low->a == high->a ? low->a : IR_NONE;
}

/* [identity] */
/* The operand that the result is equal to, or IR_NONE. */
static ir_value identity(const struct ir_block *block, const struct ir_insn *insn)
{
    switch (insn->op) {
    case IR_ADD:
    case IR_SUB:
    case IR_OR:
    case IR_XOR: return is_the_const(block, insn->b, 0) ? insn->a : IR_NONE;
    case IR_AND:
        return insn->a == insn->b || is_the_const(block, insn->b, UINT32_MAX) ? insn->a : IR_NONE;
    case IR_LSL:
    case IR_LSR:
    case IR_ASR:
    case IR_ROR:
        return is_const(block, insn->b) && value_of(block, insn->b) % 256 == 0 ? insn->a : IR_NONE;
    case IR_PAIR: /* 32 bits are 64 with zeros above */
        return is_the_const(block, insn->b, 0) ? insn->a : whole(block, insn);
    case IR_SELECT: return insn->a == insn->b ? insn->a : IR_NONE;
    default: return IR_NONE;
    }
}
/* [/identity] */

/* A constant added to a base is the displacement of the access. */
static void fold_address(const struct ir_block *block, struct ir_insn *insn)
{
    if (is_const(block, insn->b)) {
        insn->imm += value_of(block, insn->b) << insn->scale;
        insn->b = IR_NONE;
        insn->scale = 0;
    }
}

/* A jump to a known place (a key, unless it is half a word of ARM code) is a direct exit. */
static void fold_jump(const struct ir_block *block, struct ir_insn *insn)
{
    uint32_t key = value_of(block, insn->a);

    if (is_const(block, insn->a) && key % 4 != 2)
        *insn = (struct ir_insn){.op = IR_EXIT, .imm = key};
}

ir_value ir_fold(struct ir_block *block, unsigned i)
{
    struct ir_insn *insn = &block->insns[i];

    if (insn->op == IR_JUMP)
        fold_jump(block, insn);
    if (insn->op == IR_LOAD || insn->op == IR_STORE)
        fold_address(block, insn);
    if (computable(block, insn)) {
        uint64_t value = ir_compute(insn->op, value_of(block, insn->a), value_of(block, insn->b),
                                    value_of(block, insn->c));

        *insn = (struct ir_insn){.op = IR_CONST, .imm = (uint32_t)value};
        return IR_NONE;
    }
    constant_to_the_right(block, insn);
    if (insn->op == IR_ADD && !insn->flags)
        fold_scale(block, insn);
    if ((insn->op == IR_AND || insn->op == IR_LSR || insn->op == IR_ASR) && !insn->flags)
        fold_field(block, insn);
    if (insn->op == IR_XOR && insn->flags && is_the_const(block, insn->b, 0)) { /* TEQ r0, #0 */
        insn->op = IR_AND;
        insn->b = insn->a;
    }
    return identity(block, insn); /* without users it dies in ir_dead_code(), but for its flags */
}
