/*
 * optimize.c: the order of the passes.
 *
 * Copies come first, and fold on the way: what is known about operands is known by then.
 * Flags die before code does: a flag that nobody reads was the last user of many a
 * comparison.
 */
#include "06-tcg/ir/optimize.h"

void ir_optimize(struct ir_block *block, const struct ir_options *options, ir_live_flags *live,
                 void *self)
{
    ir_copies(block, !options->no_forwarding);
    if (!options->no_fusing)
        ir_fuse(block, !options->no_repeating);
    ir_dead_flags(block, !options->no_lazy, live, self);
    ir_dead_code(block);
    if (!options->no_deferring)
        ir_defer(block, !options->no_saving);
    if (block->inherits)
        ir_dead_code(block); /* the operands of a setter that was deferred at once */
}
