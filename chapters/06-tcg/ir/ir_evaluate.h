/*
 * ir_evaluate.h: what a block of IR means, in C.
 *
 * The judge of the optimizer: a pass is right if the evaluator cannot tell the block
 * before from the block after. Slow and plain, it runs only in tests.
 */
#ifndef TCG_IR_IR_EVALUATE_H
#define TCG_IR_IR_EVALUATE_H

#include <stdbool.h>
#include <stdint.h>

#include "06-tcg/ir/ir.h"

struct ir_state {
    uint32_t globals[IR_GLOBALS];
    bool q;
    uint32_t thread; /* THREAD */
    /* The guest's memory. False: the access faults, and the block stops before it. */
    bool (*load)(void *self, uint32_t address, unsigned size, uint32_t *value);
    bool (*store)(void *self, uint32_t address, unsigned size, uint32_t value);
    void *memory;
};

/* How a block ended. */
struct ir_end {
    uint8_t op;    /* IR_EXIT (EXIT_IF too), IR_JUMP, IR_INTERPRET; IR_LOAD, IR_STORE: fault */
    uint32_t key;  /* where to */
    uint32_t insn; /* the guest instruction that was being executed */
};

struct ir_end ir_evaluate(const struct ir_block *block, struct ir_state *state);

/* The value of a pure operation other than GET and SELECT; also for constant folding. */
uint64_t ir_compute(enum ir_op op, uint64_t a, uint64_t b, uint64_t c);

#endif
