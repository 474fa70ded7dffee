/*
 * lift.h: from ARM instructions to a block of IR.
 *
 * A block begins at a key and takes in one guest instruction after the other, across
 * conditional branches that are not taken (they become side exits), until something
 * leaves for certain, the guest's page ends, or the block is full. That nothing spans
 * pages, but for a last Thumb pair, keeps invalidation simple.
 *
 * What is not lifted is not lost: such an instruction becomes IR_INTERPRET, and the
 * reference interpreter executes it. SVC, BKPT and undefined instructions take this
 * way too, so that there is one place which decides what they do.
 */
#ifndef TCG_TRANSLATE_LIFT_H
#define TCG_TRANSLATE_LIFT_H

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/stop.h"
#include "06-tcg/ir/ir.h"

struct lift_options {
    unsigned limit;                           /* guest instructions, 1 .. IR_GUEST */
    bool no_literals;                         /* load constants from the page at run time too */
    bool no_select;                           /* conditional moves as branches */
    const struct ir_recipe *inherited;        /* flags on entry; NULL: nothing is known */
    bool no_following;                        /* a branch ends the block */
    bool no_runs;                             /* an instruction that sets flags ends its region */
    bool no_choices;                          /* conditional computations become regions */
    bool no_idioms;                           /* divisions are done step by step */
    bool (*begins)(void *self, uint32_t key); /* a block begins there; this one ends. Or NULL */
    void *self;
};

/*
 * Fills *block with the code at key, as cpu->space has it now. False: not even the
 * first instruction can be fetched, and *stop says why. Reads no state of the
 * processor but its space.
 */
bool lift(struct ir_block *block, const struct arm_cpu *cpu, uint32_t key,
          const struct lift_options *options, struct arm_stop *stop);

#endif
