/*
 * lift_branch.c: B, BL, BLX and BX.
 *
 * A direct branch ends the block with a known key, so it can be chained. A branch to a
 * register becomes a JUMP: the register is a key as it is, since bit 0 chooses the
 * instruction set. [ARM-ARM, A8.8.27 "BX"]
 */
#include "06-tcg/translate/lifter.h"

static void link_register(struct lifter *l, const struct arm_insn *insn)
{
    if (insn->op == ARM_BL || insn->op == ARM_BLX)
        ir_set(l->block, IR_LR, ir_const(l->block, lift_key(l, l->address + insn->length)));
}

bool lift_branch(struct lifter *l, const struct arm_insn *insn)
{
    uint32_t target;

    l->done = true;
    if (insn->op == ARM_BX || (insn->op == ARM_BLX && insn->operand == ARM_REG)) {
        ir_value to = lift_read(l, insn->rm); /* before LR changes: it may be LR */

        link_register(l, insn);
        ir_unary(l->block, IR_JUMP, to);
        return true;
    }
    if (insn->op == ARM_BLX) /* to the other instruction set; ARM code is aligned */
        target = l->thumb ? (lift_pc(l) & ~3u) + insn->imm : (lift_pc(l) + insn->imm) | 1;
    else
        target = lift_key(l, lift_pc(l) + insn->imm);
    link_register(l, insn);
    ir_append(l->block, (struct ir_insn){.op = IR_EXIT, .imm = target});
    return true;
}
