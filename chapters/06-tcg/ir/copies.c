/*
 * copies.c: follows values through the globals.
 *
 * After "set r1, v3" a "get r1" is v3; after "v5 = get r1" another "get r1" is v5. So
 * registers are read once and results go straight to their users. At a LABEL all is
 * forgotten: two histories meet there, and no value crosses it. A block within a
 * SKIP region may use values from before it.
 *
 * Constants and equal values are found on the way (fold.c), and followed further: a GET of
 * a register that was set to a sum of constants is a constant.
 *
 * The same walk remembers which values are known to be multiples of four, so that the
 * second LDM through a stack pointer need not check what the first has.
 */
#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/optimize.h"

struct copies {
    struct ir_block *block;
    ir_value same[IR_MAX];      /* the value that stands for this one */
    ir_value holds[IR_GLOBALS]; /* what each global is known to hold, or IR_NONE */
    bool aligned[IR_MAX];
};

static void forget(struct copies *c)
{
    for (unsigned g = 0; g < IR_GLOBALS; g++)
        c->holds[g] = IR_NONE;
}

static void rename_operands(struct copies *c, struct ir_insn *insn)
{
    ir_value *operands[] = {&insn->a, &insn->b, &insn->c};

    for (unsigned n = 0; n < ir_ops[insn->op].operands; n++)
        if (*operands[n] != IR_NONE)
            *operands[n] = c->same[*operands[n]];
}

/* [get] */
static void visit_get(struct copies *c, unsigned i)
{
    struct ir_insn *insn = &c->block->insns[i];
    ir_value known = c->holds[insn->global];

    if (known == IR_NONE) {
        c->holds[insn->global] = (ir_value)i;
        return;
    }
    c->same[i] = known;
    *insn = (struct ir_insn){.op = IR_NOP};
}
/* [/get] */

/* Sums of multiples of four, and constants, are multiples of four. */
static bool is_aligned_sum(const struct copies *c, const struct ir_insn *insn)
{
    if (insn->op == IR_CONST)
        return insn->imm % 4 == 0;
    return (insn->op == IR_ADD || insn->op == IR_SUB) && c->aligned[insn->a] && c->aligned[insn->b];
}

static void visit_aligned(struct copies *c, struct ir_insn *insn)
{
    if (c->aligned[insn->a])
        *insn = (struct ir_insn){.op = IR_NOP};
    else
        c->aligned[insn->a] = true;
}

void ir_copies(struct ir_block *block)
{
    struct copies c; /* arrays are filled as the walk goes along */

    c.block = block;
    forget(&c);
    for (unsigned i = 0; i < block->count; i++) {
        struct ir_insn *insn = &block->insns[i];
        unsigned flags = insn->flags;
        ir_value equal;

        rename_operands(&c, insn);
        equal = ir_fold(block, i);
        c.same[i] = equal == IR_NONE ? (ir_value)i : equal;
        c.aligned[i] = is_aligned_sum(&c, insn);
        if (insn->op == IR_GET)
            visit_get(&c, i);
        else if (insn->op == IR_SET)
            c.holds[insn->global] = insn->a;
        else if (insn->op == IR_ALIGNED)
            visit_aligned(&c, insn);
        else if (insn->op == IR_LABEL)
            forget(&c);
        for (unsigned g = IR_N; flags && g <= IR_V; g++)
            if (flags & IR_FLAG_OF(g))
                c.holds[g] = IR_NONE;
    }
}
