/*
 * optimize.h: passes over a block of IR. Each leaves its meaning as it was.
 *
 * A pass turns instructions into others in place, or into NOPs; the indices of values
 * never change. What "meaning" is, ir_evaluate() says: globals and memory at every
 * place where the block may stop, and where it goes.
 *
 *     ir_copies()      a GET or LOAD of what is known; values replaced by equal ones
 *                      and, by ir_fold(), operations on constants; x + 0, x & x, ...
 *     ir_fuse()        conditions that the host's own flags will answer
 *     ir_dead_flags()  flags that nobody reads any more
 *     ir_dead_code()   values that nobody uses, SETs that another SET overwrites
 *     ir_defer()       lazy flags that can be computed from registers when they are shown
 */
#ifndef TCG_IR_OPTIMIZE_H
#define TCG_IR_OPTIMIZE_H

#include "06-tcg/ir/ir.h"

void ir_copies(struct ir_block *block, bool forward); /* forward: loads of what is known, too */

/* Instruction i alone. The operand that its value is equal to, or IR_NONE. */
ir_value ir_fold(struct ir_block *block, unsigned i);

void ir_fuse(struct ir_block *block, bool repeat); /* repeat: conditions may compare again */
void ir_dead_code(struct ir_block *block);

/* Flags that the code at some key may use before it sets them. */
struct ir_live {
    unsigned read;  /* by instructions */
    unsigned shown; /* by a fault, a stop, or who knows */
};

/* NULL: all are shown. */
typedef struct ir_live ir_live_flags(void *self, uint32_t key);
void ir_dead_flags(struct ir_block *block, bool lazy, ir_live_flags *live, void *self);

void ir_defer(struct ir_block *block, bool save); /* after ir_dead_code() */

/* What may be left out. */
struct ir_options {
    bool no_fusing;     /* no ir_fuse() */
    bool no_repeating;  /* of which: no condition compares again */
    bool no_lazy;       /* no flags are lazy */
    bool no_deferring;  /* no ir_defer() */
    bool no_saving;     /* of which: no operand is saved */
    bool no_forwarding; /* what was stored is loaded again */
};

/* All of them, in a good order. */
void ir_optimize(struct ir_block *block, const struct ir_options *options, ir_live_flags *live,
                 void *self);

#endif
