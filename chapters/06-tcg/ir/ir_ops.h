/*
 * ir_ops.h: the table of IR operations, for those who print or walk operands.
 */
#ifndef TCG_IR_IR_OPS_H
#define TCG_IR_IR_OPS_H

#include <stdint.h>

#include "06-tcg/ir/ir.h"

/* What an operation is like. */
#define IR_OP_VALUE 0x01u /* defines a value */
#define IR_OP_PURE  0x02u /* does nothing else, unless it sets flags */
#define IR_OP_STOPS 0x04u /* the guest's state may be looked at here */
#define IR_OP_LAST  0x08u /* leaves the block for certain */
#define IR_OP_COND  0x10u /* reads flags through its condition */

struct ir_op_info {
    const char *name;
    uint8_t operands; /* of a, b, c, how many it has */
    uint8_t traits;
    uint8_t flags;
};

extern const struct ir_op_info ir_ops[IR_OPS];

#define IR_OPERANDS_MAX 5

/* The operands that insn really has; returns their number. */
static inline unsigned ir_operands(const struct ir_insn *insn, ir_value operands[IR_OPERANDS_MAX])
{
    const ir_value all[] = {insn->a, insn->b, insn->c};
    unsigned count = 0;

    for (unsigned n = 0; n < ir_ops[insn->op].operands; n++)
        if (all[n] != IR_NONE)
            operands[count++] = all[n];
    if (insn->compare) {
        operands[count++] = insn->left;
        operands[count++] = insn->right;
    }
    return count;
}

#endif
