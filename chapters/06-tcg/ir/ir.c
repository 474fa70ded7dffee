/*
 * ir.c: building a block of IR, and what each operation is like.
 *
 * One table describes all operations. Passes and the code generator ask it instead
 * of listing operations themselves, so a new operation is one row here, one case in
 * ir_evaluate.c and one in the code generator.
 */
#include "06-tcg/ir/ir.h"

#include <assert.h>
#include <string.h>

#include "06-tcg/ir/ir_ops.h"
#include "common/bits.h"

#define V IR_OP_VALUE
#define P (IR_OP_VALUE | IR_OP_PURE)
#define S IR_OP_STOPS

const struct ir_op_info ir_ops[IR_OPS] = {
    /* name, operands, what it is like, flags it can set */
    [IR_NOP] = {"nop", 0, 0, 0},
    [IR_INSN] = {"insn", 0, 0, 0},
    [IR_CONST] = {"const", 0, P, 0},
    [IR_GET] = {"get", 0, P, 0},
    [IR_SET] = {"set", 1, 0, 0},
    [IR_UNSEEN] = {"unseen", 0, 0, 0},
    [IR_ADD] = {"add", 2, P, IR_FLAGS_ALL | IR_FLAG_Q},
    [IR_ADC] = {"adc", 3, P, IR_FLAGS_ALL},
    [IR_SUB] = {"sub", 2, P, IR_FLAGS_ALL},
    [IR_SBC] = {"sbc", 3, P, IR_FLAGS_ALL},
    [IR_AND] = {"and", 2, P, IR_FLAGS_NZ},
    [IR_OR] = {"or", 2, P, IR_FLAGS_NZ},
    [IR_XOR] = {"xor", 2, P, IR_FLAGS_NZ},
    [IR_NOT] = {"not", 1, P, 0},
    [IR_RRX] = {"rrx", 2, P, 0},
    [IR_LSL] = {"lsl", 2, P, IR_FLAGS_NZ | IR_FLAG_C},
    [IR_LSR] = {"lsr", 2, P, IR_FLAGS_NZ | IR_FLAG_C},
    [IR_ASR] = {"asr", 2, P, IR_FLAGS_NZ | IR_FLAG_C},
    [IR_ROR] = {"ror", 2, P, 0},
    [IR_CARRY_LSL] = {"carry_lsl", 3, P, 0},
    [IR_CARRY_LSR] = {"carry_lsr", 3, P, 0},
    [IR_CARRY_ASR] = {"carry_asr", 3, P, 0},
    [IR_CARRY_ROR] = {"carry_ror", 3, P, 0},
    [IR_MUL] = {"mul", 2, P, 0},
    [IR_UMULL] = {"umull", 2, P, 0},
    [IR_SMULL] = {"smull", 2, P, 0},
    [IR_PAIR] = {"pair", 2, P, 0},
    [IR_ADD64] = {"add64", 2, P, 0},
    [IR_LOW] = {"low", 1, P, 0},
    [IR_HIGH] = {"high", 1, P, 0},
    [IR_SEXT8] = {"sext8", 1, P, 0},
    [IR_SEXT16] = {"sext16", 1, P, 0},
    [IR_ZEXT8] = {"zext8", 1, P, 0},
    [IR_ZEXT16] = {"zext16", 1, P, 0},
    [IR_CLZ] = {"clz", 1, P, 0},
    [IR_BSWAP] = {"bswap", 1, P, 0},
    [IR_EQZ] = {"eqz", 1, P, 0},
    [IR_QUOTIENT] = {"quotient", 3, P, 0},
    [IR_SELECT] = {"select", 2, P | IR_OP_COND, 0},
    [IR_THREAD] = {"thread", 0, P, 0},
    [IR_LOAD] = {"load", 2, V | S, 0},
    [IR_STORE] = {"store", 3, S, 0},
    [IR_CMPXCHG] = {"cmpxchg", 3, V | S, 0},
    [IR_FENCE] = {"fence", 0, 0, 0},
    [IR_ALIGNED] = {"aligned", 1, S, 0},
    [IR_SKIP] = {"skip", 0, IR_OP_COND, 0},
    [IR_LABEL] = {"label", 0, 0, 0},
    [IR_EXIT_IF] = {"exit_if", 0, S | IR_OP_COND, 0},
    [IR_EXIT] = {"exit", 0, S | IR_OP_LAST, 0},
    [IR_JUMP] = {"jump", 1, S | IR_OP_LAST, 0},
    [IR_INTERPRET] = {"interpret", 0, S | IR_OP_LAST, 0},
};

#undef V
#undef P
#undef S

void ir_begin(struct ir_block *block, uint32_t start)
{
    block->start = start;
    block->end = start & ~1u;
    block->count = block->recipes = 0;
    block->inherits = false;
}

ir_value ir_append(struct ir_block *block, struct ir_insn insn)
{
    unsigned operands = ir_ops[insn.op].operands;

    assert(block->count < IR_MAX);
    insn.a = operands > 0 ? insn.a : IR_NONE;
    insn.b = operands > 1 ? insn.b : IR_NONE;
    insn.c = operands > 2 ? insn.c : IR_NONE;
    block->insns[block->count] = insn;
    return (ir_value)block->count++;
}

ir_value ir_const(struct ir_block *block, uint32_t value)
{
    return ir_append(block, (struct ir_insn){.op = IR_CONST, .imm = value});
}

ir_value ir_get(struct ir_block *block, enum ir_global global)
{
    return ir_append(block, (struct ir_insn){.op = IR_GET, .global = (uint8_t)global});
}

void ir_set(struct ir_block *block, enum ir_global global, ir_value a)
{
    ir_append(block, (struct ir_insn){.op = IR_SET, .global = (uint8_t)global, .a = a});
}

ir_value ir_unary(struct ir_block *block, enum ir_op op, ir_value a)
{
    return ir_append(block, (struct ir_insn){.op = (uint8_t)op, .a = a});
}

ir_value ir_binary(struct ir_block *block, enum ir_op op, ir_value a, ir_value b)
{
    return ir_append(block, (struct ir_insn){.op = (uint8_t)op, .a = a, .b = b});
}

/* [inherit] */
/* A register of the guest plus a constant, or the constant alone. */
static ir_value operand_of(struct ir_block *block, uint8_t reg, uint32_t constant)
{
    ir_value v;

    if (reg == IR_NO_GLOBAL)
        return ir_const(block, constant);
    v = ir_get(block, reg);
    return constant ? ir_binary(block, IR_ADD, v, ir_const(block, constant)) : v;
}

void ir_inherit(struct ir_block *block, const struct ir_recipe *recipe)
{
    struct ir_insn setter = {.op = recipe ? recipe->op : IR_NOP};

    if (!recipe)
        return;
    block->inherits = true;
    block->recipe[block->recipes++] = *recipe;
    setter.a = operand_of(block, recipe->left, recipe->left_const);
    setter.b = setter.op == IR_AND ? setter.a
                                   : operand_of(block, recipe->right, recipe->right_const);
    if (recipe->undo)
        setter.a = ir_binary(block, setter.op == IR_ADD ? IR_SUB : IR_ADD, setter.a, setter.b);
    setter.flags = setter.op == IR_AND ? IR_FLAGS_NZ : IR_FLAGS_ALL;
    ir_append(block, setter);
}
/* [/inherit] */

void ir_reorder(struct ir_block *block, unsigned from, unsigned count, const bool *first)
{
    struct ir_insn old[IR_REORDER];
    ir_value place[IR_REORDER];
    unsigned to = from;

    assert(count <= IR_REORDER);
    memcpy(old, &block->insns[from], count * sizeof old[0]);
    for (unsigned last = 0; last < 2; last++)
        for (unsigned k = 0; k < count; k++)
            if (first[k] == !last) {
                block->insns[to] = old[k];
                place[k] = (ir_value)to++;
            }
    for (unsigned i = from; i < block->count; i++) {
        struct ir_insn *insn = &block->insns[i];
        ir_value *operands[] = {&insn->a, &insn->b, &insn->c, &insn->left, &insn->right};

        for (unsigned k = 0; k < IR_OPERANDS_MAX; k++)
            if (*operands[k] >= from && *operands[k] < from + count)
                *operands[k] = place[*operands[k] - from];
    }
}

bool ir_is_pure(enum ir_op op)
{
    return ir_ops[op].traits & IR_OP_PURE;
}

unsigned ir_flags_of(enum ir_op op)
{
    return ir_ops[op].flags;
}

/* [ARM-ARM, A8.3, table A8-1 "Condition codes"]: pairs of a condition and its opposite. */
unsigned ir_cond_flags(unsigned cond)
{
    static const uint8_t flags[] = {
        IR_FLAG_Z,                         /* EQ, NE */
        IR_FLAG_C,                         /* CS, CC */
        IR_FLAG_N,                         /* MI, PL */
        IR_FLAG_V,                         /* VS, VC */
        IR_FLAG_C | IR_FLAG_Z,             /* HI, LS */
        IR_FLAG_N | IR_FLAG_V,             /* GE, LT */
        IR_FLAG_N | IR_FLAG_V | IR_FLAG_Z, /* GT, LE */
    };

    assert(cond / 2 < ARRAY_SIZE(flags));
    return flags[cond / 2];
}

bool ir_cond_holds(unsigned cond, bool n, bool z, bool c, bool v)
{
    bool holds[] = {z, c, n, v, c && !z, n == v, n == v && !z};

    assert(cond / 2 < ARRAY_SIZE(holds));
    return holds[cond / 2] ^ (cond & 1);
}

/* Is operand v of instruction i a value that may be used there? */
static bool usable(const struct ir_block *block, unsigned i, ir_value v, unsigned label)
{
    return v < i && v >= label && (ir_ops[block->insns[v].op].traits & IR_OP_VALUE);
}

const char *ir_check(const struct ir_block *block)
{
    unsigned label = 0;
    bool skipping = false;

    for (unsigned i = 0; i < block->count; i++) {
        const struct ir_insn *insn = &block->insns[i];
        const ir_value operands[] = {insn->a, insn->b, insn->c};

        for (unsigned n = 0; n < ir_ops[insn->op].operands; n++) {
            bool memory = insn->op == IR_LOAD || insn->op == IR_STORE;
            bool carry = insn->op == IR_ADC || insn->op == IR_SBC;
            bool optional = (n == 1 && (memory || insn->op == IR_RRX)) || (n == 2 && carry);

            if (!(optional && operands[n] == IR_NONE) && !usable(block, i, operands[n], label))
                return "an operand is no value, or not one of this side of a label";
        }
        if (insn->compare &&
            !(usable(block, i, insn->left, label) && usable(block, i, insn->right, label)))
            return "a condition compares what is no value";
        if (insn->flags & ~ir_flags_of(insn->op))
            return "an operation sets a flag that it cannot set";
        if (insn->op == IR_LABEL && !skipping)
            return "a label without a skip";
        if (insn->op == IR_SKIP)
            skipping = true;
        if (insn->op == IR_LABEL) {
            skipping = false;
            label = i + 1;
        }
    }
    if (skipping)
        return "a skip without a label";
    if (block->count == 0 || !(ir_ops[block->insns[block->count - 1].op].traits & IR_OP_LAST))
        return "the last instruction is no exit";
    return NULL;
}
