/*
 * memory.h: what memory is known to hold, along one walk over a block.
 *
 * A store tells what is there, and so does a load, until a store that may overlap. Who loads
 * the same again can have the value at once: that the access does not fault has been seen.
 * Another thread may write in between; it may as well have written later, as long as there is
 * no barrier.
 */
#ifndef TCG_IR_MEMORY_H
#define TCG_IR_MEMORY_H

#include "06-tcg/ir/ir.h"

#define IR_KNOWN 8 /* accesses that are remembered */

struct ir_memory {
    unsigned count;
    ir_value access[IR_KNOWN]; /* LOADs and STOREs; the oldest makes room */
};

/* The access that has left or found what LOAD i is going to load; or IR_NONE. */
ir_value ir_known_access(const struct ir_memory *m, const struct ir_block *block, unsigned i);

/* After access i. */
void ir_remember_access(struct ir_memory *m, const struct ir_block *block, unsigned i);

#endif
