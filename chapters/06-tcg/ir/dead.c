/*
 * dead.c: what nobody will ever see: flags, values, SETs.
 *
 * All three walk backward and know, at each instruction, what is still looked at behind
 * it. Where the block may stop, everything is looked at, since a fault shows the guest
 * all of its registers and flags.
 *
 * A region between SKIP and LABEL happens or not. What it sets is therefore not
 * overwritten for certain, and before the SKIP everything is needed that is needed on
 * either way.
 */
#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/optimize.h"

/* ---- flags -------------------------------------------------------------------------- */

/* Flags that the exit's target may read. */
static unsigned live_at_exit(const struct ir_insn *insn, ir_live_flags *live, void *self)
{
    bool direct = insn->op == IR_EXIT || insn->op == IR_EXIT_IF;

    return direct && live ? live(self, insn->imm) : IR_FLAGS_ALL;
}

void ir_dead_flags(struct ir_block *block, ir_live_flags *live, void *self)
{
    unsigned needed = IR_FLAGS_ALL, after_label = IR_FLAGS_ALL;

    for (unsigned i = block->count; i-- > 0;) {
        struct ir_insn *insn = &block->insns[i];
        unsigned traits = ir_ops[insn->op].traits;

        if (insn->op == IR_LABEL)
            after_label = needed;
        if (traits & IR_OP_LAST)
            needed = 0; /* nothing comes after it */
        if (traits & IR_OP_EXIT)
            needed |= live_at_exit(insn, live, self);
        else if (traits & IR_OP_STOPS)
            needed = IR_FLAGS_ALL;
        if (insn->op == IR_SKIP)
            needed |= after_label;
        if (traits & IR_OP_COND && !insn->fused)
            needed |= ir_cond_flags(insn->cond);
        if (insn->op == IR_GET && insn->global >= IR_N)
            needed |= IR_FLAG_OF(insn->global);
        if (insn->op == IR_SET && insn->global >= IR_N) {
            if (!(needed & IR_FLAG_OF(insn->global)))
                insn->op = IR_NOP;
            else
                needed &= ~IR_FLAG_OF(insn->global);
        }
        if (insn->flags) {
            unsigned sets = insn->flags & IR_FLAGS_ALL;

            insn->flags &= (uint8_t)(needed | IR_FLAG_Q);
            needed &= ~sets;
        }
    }
}

/* ---- values and SETs ---------------------------------------------------------------- */

/* Does somebody see the SET? overwritten holds the globals that are set again before. */
static bool visit_set(const struct ir_insn *insn, uint32_t *overwritten)
{
    bool dead = *overwritten >> insn->global & 1;

    *overwritten |= 1u << insn->global;
    return dead;
}

/* Flags are read by conditions, not only by GET. */
#define FLAG_GLOBALS (0xfu << IR_N)

void ir_dead_code(struct ir_block *block)
{
    uint32_t overwritten = 0;
    bool used[IR_MAX] = {false};

    for (unsigned i = block->count; i-- > 0;) {
        struct ir_insn *insn = &block->insns[i];
        unsigned traits = ir_ops[insn->op].traits;
        ir_value operands[IR_OPERANDS_MAX];
        bool dead = traits & IR_OP_PURE && !used[i] && !insn->flags && !insn->fused;

        if (insn->op == IR_SET && visit_set(insn, &overwritten))
            dead = true;
        if (dead) {
            *insn = (struct ir_insn){.op = IR_NOP};
            continue;
        }
        if (traits & IR_OP_STOPS || insn->op == IR_SKIP || insn->op == IR_LABEL)
            overwritten = 0;
        if (traits & IR_OP_COND)
            overwritten &= ~FLAG_GLOBALS;
        if (insn->op == IR_GET)
            overwritten &= ~(1u << insn->global);
        for (unsigned n = ir_operands(insn, operands); n-- > 0;)
            used[operands[n]] = true;
    }
}
