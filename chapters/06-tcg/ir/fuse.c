/*
 * fuse.c: lets the host's flags answer for the guest's.
 *
 * x86's CMP leaves in EFLAGS just what the branch after it wants to know. As long as
 * nothing between the two changes EFLAGS, the condition need not go through memory, and
 * often the flags need not be kept there at all.
 *
 *     sub   v1, v2  !nzcv  (host flags)          cmp  ebx, r8d
 *     exit_if  lt, 0x8000  (host flags)          jl   ...
 *
 * This pass marks both. It counts on the code generator: operations that
 * keeps_host_flags() names compile to instructions that leave EFLAGS alone.
 */
#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/optimize.h"

/* Moves and accesses. A condition does too if it is fused itself. */
static bool keeps_host_flags(const struct ir_insn *insn)
{
    switch (insn->op) {
    case IR_NOP:
    case IR_INSN:
    case IR_CONST:
    case IR_LOAD:
    case IR_STORE: return true;
    case IR_GET:
    case IR_SET: return insn->global != IR_N && insn->global != IR_Z; /* bits of a word */
    default: return ir_ops[insn->op].traits & IR_OP_COND && insn->fused;
    }
}

/* [answers] */
/* Can EFLAGS after this operation decide the condition? Of C and Z only SUB's can. */
static bool answers(const struct ir_insn *setter, unsigned known, unsigned cond)
{
    unsigned wants = ir_cond_flags(cond);
    bool sum = setter->op == IR_ADD || setter->op == IR_ADC;

    if ((wants & known) != wants)
        return false;
    return !(sum && wants == (IR_FLAG_C | IR_FLAG_Z));
}
/* [/answers] */

void ir_fuse(struct ir_block *block)
{
    struct ir_insn *setter = NULL;
    unsigned known = 0; /* flags of the guest that EFLAGS hold */

    for (unsigned i = 0; i < block->count; i++) {
        struct ir_insn *insn = &block->insns[i];

        if (ir_ops[insn->op].traits & IR_OP_COND && setter && answers(setter, known, insn->cond)) {
            insn->fused = true;
            setter->fused = true;
        }
        if (insn->flags & IR_FLAGS_ALL) {
            setter = insn;
            known = insn->flags & IR_FLAGS_ALL;
        } else if (!keeps_host_flags(insn)) {
            setter = NULL;
        } else if (insn->op == IR_SET && insn->global >= IR_N) {
            known &= ~IR_FLAG_OF(insn->global);
        }
    }
}
