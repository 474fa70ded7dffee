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
#include <string.h>

#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/optimize.h"

/* ---- flags -------------------------------------------------------------------------- */

/* Where the block may stop, all flags may be looked at; where it goes on, those of use there. */
static struct ir_live live_at_stop(const struct ir_insn *insn, ir_live_flags *live, void *self)
{
    bool direct = insn->op == IR_EXIT || insn->op == IR_EXIT_IF;

    return direct && live ? live(self, insn->imm) : (struct ir_live){.shown = IR_FLAGS_ALL};
}

static bool can_be_lazy(const struct ir_insn *insn)
{
    return insn->op == IR_ADD || insn->op == IR_SUB || insn->op == IR_AND || insn->op == IR_OR ||
           insn->op == IR_XOR || (insn->op >= IR_LSL && insn->op <= IR_ASR);
}

/*
 * What a setter has to keep: nothing that nobody uses; its operands instead of flags
 * that are only shown; and flags that are read. C may be read for itself (ADDS, ADC).
 */
static void visit_setter(struct ir_insn *insn, bool lazy, struct ir_live *used)
{
    unsigned sets = insn->flags & IR_FLAGS_ALL, read = sets & used->read;

    insn->flags &= (uint8_t)(used->read | used->shown | IR_FLAG_Q);
    insn->sets = (uint8_t)sets;
    insn->lazy = 0;
    if (lazy && can_be_lazy(insn) && !(read & ~IR_FLAG_C) && !(insn->flags & IR_FLAG_Q))
        insn->lazy = (uint8_t)(insn->flags & ~read);
    if (insn->op >= IR_LSL && insn->op <= IR_ASR)
        insn->lazy &= IR_FLAGS_NZ; /* C is not made of operands that anyone keeps */
    used->read &= ~sets;
    used->shown &= ~sets;
}

static void visit_flag_set(struct ir_insn *insn, struct ir_live *used)
{
    unsigned flag = IR_FLAG_OF(insn->global);

    if (!((used->read | used->shown) & flag))
        insn->op = IR_NOP;
    used->read &= ~flag;
    used->shown &= ~flag;
}

void ir_dead_flags(struct ir_block *block, bool lazy, ir_live_flags *live, void *self)
{
    struct ir_live used = {0}, after_label = {0};

    for (unsigned i = block->count; i-- > 0;) {
        struct ir_insn *insn = &block->insns[i];
        unsigned traits = ir_ops[insn->op].traits;

        if (insn->op <= IR_CONST)
            continue;
        if (insn->op == IR_LABEL) {
            after_label = used;
            insn->sets = (uint8_t)(used.read | used.shown);
        }
        if (traits & IR_OP_LAST)
            used = (struct ir_live){0}; /* nothing comes after it */
        if (traits & IR_OP_STOPS) {
            struct ir_live stop = live_at_stop(insn, live, self);

            used.read |= stop.read;
            used.shown |= stop.shown;
            insn->sets = (uint8_t)(stop.read | stop.shown);
        }
        if (insn->op == IR_SKIP) {
            used.read |= after_label.read;
            used.shown |= after_label.shown;
            insn->sets = (uint8_t)(after_label.read | after_label.shown);
        }
        if (traits & IR_OP_COND && !insn->fused && !insn->compare)
            used.read |= ir_cond_flags(insn->cond);
        if (insn->op == IR_GET && insn->global >= IR_N)
            used.read |= IR_FLAG_OF(insn->global);
        if (insn->op == IR_SET && insn->global >= IR_N)
            visit_flag_set(insn, &used);
        if (insn->flags)
            visit_setter(insn, lazy, &used);
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
    bool used[IR_MAX + 1];

    memset(used, 0, block->count * sizeof used[0]);
    for (unsigned i = block->count; i-- > 0;) {
        struct ir_insn *insn = &block->insns[i];
        unsigned traits = ir_ops[insn->op].traits;

        if (insn->op <= IR_INSN)
            continue;
        bool wanted = insn->deferred ? insn->flags & ~insn->lazy || insn->saved : insn->flags;
        bool dead = traits & IR_OP_PURE && !used[i] && !wanted && !insn->fused;

        if (insn->op == IR_SET && visit_set(insn, &overwritten)) {
            insn->op = insn->global < IR_N ? IR_UNSEEN : IR_NOP;
            continue;
        }
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
        if (insn->op <= IR_GET)
            continue;
        used[insn->a] = used[insn->b] = used[insn->c] = true;
        if (insn->compare)
            used[insn->left] = used[insn->right] = true;
    }
}
