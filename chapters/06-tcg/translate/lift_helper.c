/*
 * lift_helper.c: the kernel's helpers that C libraries call all the time.
 *
 * An ARMv5 has no atomic instruction but SWP, and no register for the thread's own
 * pointer: so each malloc() and each lock calls the kernel's page. We need no code there.
 * What the helper does is known, and becomes the IR of a block of its own, whose only
 * guest instruction is the helper:
 *
 *     insn    0xffff0fc0           int cmpxchg(int old, int new, volatile int *where)
 *     aligned r2
 *     cmpxchg r2, r0, r1           1: exchanged
 *     set     C; r0 = 0 if exchanged, else 1
 *     jump    lr
 *
 * As with an instruction, a fault finds the registers as they were. The rest of the page
 * is the caller's: see ARM_HELPER_PAGE. [KUSER-HELPERS]
 */
#include "06-tcg/linux/helper.h"
#include "06-tcg/translate/lifter.h"

static void begin(struct lifter *l)
{
    ir_append(l->block, (struct ir_insn){.op = IR_INSN, .imm = l->address});
    l->block->end = l->address + 4;
}

/* [helper] */
static void lift_cmpxchg(struct lifter *l)
{
    struct ir_block *b = l->block;
    ir_value old = ir_get(b, 0), new = ir_get(b, 1), where = ir_get(b, 2), done;

    ir_append(b, (struct ir_insn){.op = IR_ALIGNED, .a = where, .imm = l->address});
    done = ir_append(b, (struct ir_insn){.op = IR_CMPXCHG, .a = where, .b = old, .c = new});
    ir_set(b, IR_C, done);
    ir_set(b, 0, ir_binary(b, IR_XOR, done, ir_const(b, 1)));
}
/* [/helper] */

bool lift_helper(struct lifter *l)
{
    if (l->thumb)
        return false;
    switch (l->address) {
    case HELPER_CMPXCHG: begin(l), lift_cmpxchg(l); break;
    case HELPER_BARRIER: begin(l), ir_append(l->block, (struct ir_insn){.op = IR_FENCE}); break;
    case HELPER_GET_TLS: begin(l), ir_set(l->block, 0, ir_unary(l->block, IR_THREAD, 0)); break;
    default: return false;
    }
    ir_unary(l->block, IR_JUMP, ir_get(l->block, IR_LR));
    return true;
}
