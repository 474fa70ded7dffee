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
 * second LDM through a stack pointer need not check what the first has; and what has been
 * stored or loaded lately, and is still in a register.
 */
#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/memory.h"
#include "06-tcg/ir/optimize.h"

struct copies {
    struct ir_block *block;
    ir_value same[IR_MAX + 1];  /* the value that stands for this one; IR_NONE for itself */
    ir_value holds[IR_GLOBALS]; /* what each global is known to hold, or IR_NONE */
    bool aligned[IR_MAX];
    struct ir_memory memory;
    bool forward;
};

static void forget(struct copies *c)
{
    for (unsigned g = 0; g < IR_GLOBALS; g++)
        c->holds[g] = IR_NONE;
    c->memory.count = 0;
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

static void visit_aligned(struct copies *c, struct ir_insn *insn)
{
    if (c->aligned[insn->a])
        *insn = (struct ir_insn){.op = IR_NOP};
    else
        c->aligned[insn->a] = true;
}

/*
 * Is the value in a register of the guest, or a constant? Else to keep it costs as much as to
 * load it again.
 */
static bool is_at_hand(const struct copies *c, ir_value v)
{
    bool held = c->block->insns[v].op == IR_CONST;

    for (unsigned g = 0; g <= IR_LR; g++)
        held |= c->holds[g] == v;
    return held;
}

/* [known] */
/* What is loaded may be known: it was stored or loaded before. The low part of it, if stored. */
static void visit_load(struct copies *c, unsigned i)
{
    struct ir_insn *insn = &c->block->insns[i];
    ir_value before = ir_known_access(&c->memory, c->block, i), value = before;
    bool stored = before != IR_NONE && c->block->insns[before].op == IR_STORE;

    if (stored)
        value = c->block->insns[before].c;
    if (before == IR_NONE || !is_at_hand(c, value)) {
        ir_remember_access(&c->memory, c->block, i);
    } else if (stored && insn->size < 4) {
        enum ir_op extend = insn->size == 1 ? IR_ZEXT8 : IR_ZEXT16;

        if (insn->sign)
            extend = insn->size == 1 ? IR_SEXT8 : IR_SEXT16;
        *insn = (struct ir_insn){.op = (uint8_t)extend, .a = value, .b = IR_NONE, .c = IR_NONE};
        ir_fold(c->block, i);
    } else {
        c->same[i] = value;
        *insn = (struct ir_insn){.op = IR_NOP};
    }
}
/* [/known] */

/* What computes, accesses memory or leaves. Sums of multiples of four are such themselves. */
static void visit(struct copies *c, unsigned i)
{
    struct ir_insn *insn = &c->block->insns[i];
    unsigned flags = insn->flags;
    ir_value equal;

    insn->a = c->same[insn->a];
    insn->b = c->same[insn->b];
    insn->c = c->same[insn->c];
    equal = ir_fold(c->block, i);
    if (equal != IR_NONE)
        c->same[i] = equal;
    if (insn->op == IR_ADD || insn->op == IR_SUB)
        c->aligned[i] = c->aligned[insn->a] && c->aligned[insn->b];
    else if (insn->op == IR_CONST)
        c->aligned[i] = insn->imm % 4 == 0;
    else if (insn->op == IR_ALIGNED)
        visit_aligned(c, insn);
    else if (insn->op == IR_LOAD && c->forward)
        visit_load(c, i);
    else if (insn->op == IR_STORE)
        ir_remember_access(&c->memory, c->block, i);
    else if (insn->op == IR_CMPXCHG || insn->op == IR_FENCE)
        c->memory.count = 0;
    else if (insn->op == IR_LABEL)
        forget(c);
    for (unsigned g = IR_N; flags && g <= IR_V; g++)
        if (flags & IR_FLAG_OF(g))
            c->holds[g] = IR_NONE;
}

void ir_copies(struct ir_block *block, bool forward)
{
    struct copies c; /* arrays are filled as the walk goes along */

    c.block = block;
    c.forward = forward;
    c.same[IR_NONE] = IR_NONE;
    forget(&c);
    for (unsigned i = 0; i < block->count; i++) {
        struct ir_insn *insn = &block->insns[i];

        c.same[i] = (ir_value)i;
        c.aligned[i] = false;
        switch (insn->op) {
        case IR_NOP:
        case IR_INSN: break;
        case IR_CONST: c.aligned[i] = insn->imm % 4 == 0; break;
        case IR_GET: visit_get(&c, i); break;
        case IR_SET: c.holds[insn->global] = insn->a = c.same[insn->a]; break;
        default: visit(&c, i); break;
        }
    }
}
