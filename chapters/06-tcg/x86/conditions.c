/*
 * conditions.c: ARM's flags on x86's.
 *
 *   ARM   x86 after ADD   after SUB, CMP   after AND, OR, XOR, TEST
 *   N     SF              SF               SF
 *   Z     ZF              ZF               ZF
 *   C     CF              not CF           -
 *   V     OF              OF               -
 *
 * The one difference is the carry of a subtraction: ARM's C says "no borrow", x86's
 * CF says "borrow". [ARM-ARM, A2.2.1 "Integer arithmetic", AddWithCarry()]
 * [SDM1, 3.4.3.1 "Status Flags"]
 *
 * The guest's flags live in four bytes of struct arm_cpu. An instruction that sets
 * them writes, with SETcc, those that somebody may read. A condition that comes while
 * EFLAGS still hold the result (fused) needs no bytes at all.
 */
#include <assert.h>

#include "06-tcg/x86/generator.h"

/* [cc] */
/* ARM's conditions by number on EFLAGS after a subtraction: a perfect match. */
static const enum x86_cc after_sub[14] = {
    X86_E,  X86_NE, X86_AE, X86_B,  X86_S, X86_NS, X86_O,
    X86_NO, X86_A,  X86_BE, X86_GE, X86_L, X86_G,  X86_LE,
};
/* [/cc] */

/* The host condition that says the opposite is the neighbour. */
static enum x86_cc opposite(enum x86_cc cc)
{
    return cc ^ 1;
}

bool host_flags_hold(const struct generator *g)
{
    return g->host_flags != HOST_FLAGS_NONE && !g->code->flags_changed;
}

void emit_flags(struct generator *g, unsigned i, enum host_flags kind)
{
    static const enum x86_cc cc[] = {X86_S, X86_E, X86_B, X86_O};
    unsigned flags = g->block->insns[i].flags;

    for (unsigned global = IR_N; global <= IR_V; global++) {
        bool inverted = global == IR_C && kind == HOST_FLAGS_SUB;

        if (!(flags & IR_FLAG_OF(global)))
            continue;
        allocate_leave_home(&g->places, i, global);
        x86_setcc(g->code, inverted ? opposite(cc[global - IR_N]) : cc[global - IR_N],
                  frame_home(global));
    }
    if (flags & IR_FLAG_Q) {
        size_t over = x86_jcc_short(g->code, X86_NO);

        x86_store_imm(g->code, X86_8, x86_mem(RBP, offsetof(struct arm_cpu, q)), 1);
        x86_land(g->code, over);
    }
    g->host_flags = kind;
    g->host_carry = flags & IR_FLAG_C;
    g->code->flags_changed = false;
}

/* A condition of two or three flags, from their bytes. True if it is the even one. */
static enum x86_cc compare_bytes(struct generator *g, unsigned cond)
{
    struct x86_code *code = g->code;
    enum x86_reg scratch = allocate_scratch(&g->places);

    switch (cond / 2) {
    case 4: /* HI: C and not Z, which is Z < C */
        x86_movzx(code, X86_8, scratch, frame_home(IR_Z));
        x86_alu(code, X86_CMP, X86_8, scratch, frame_home(IR_C));
        return X86_B;
    case 5: /* GE: N == V */
        x86_movzx(code, X86_8, scratch, frame_home(IR_N));
        x86_alu(code, X86_CMP, X86_8, scratch, frame_home(IR_V));
        return X86_E;
    default: /* GT: N == V and not Z */
        x86_movzx(code, X86_8, scratch, frame_home(IR_N));
        x86_alu(code, X86_XOR, X86_8, scratch, frame_home(IR_V));
        x86_alu(code, X86_OR, X86_8, scratch, frame_home(IR_Z));
        return X86_E;
    }
}

enum x86_cc emit_condition(struct generator *g, const struct ir_insn *insn)
{
    static const uint8_t single[] = {IR_Z, IR_C, IR_N, IR_V}; /* EQ, CS, MI, VS */
    unsigned cond = insn->cond;
    enum x86_cc cc;

    if (insn->fused) {
        assert(host_flags_hold(g));
        cc = after_sub[cond];
        if (g->host_flags == HOST_FLAGS_ADD && cond / 2 == 1) /* CS, CC */
            cc = opposite(cc);
        return cc;
    }
    if (cond < 8) {
        x86_alu_imm(g->code, X86_CMP, X86_8, frame_home(single[cond / 2]), 0);
        cc = X86_NE;
    } else {
        cc = compare_bytes(g, cond);
    }
    return cond & 1 ? opposite(cc) : cc;
}

void emit_carry_in(struct generator *g, ir_value v, bool inverted)
{
    const struct place *place = &g->places.place[v];
    bool in_host = place->home == IR_C && g->host_carry && host_flags_hold(g);

    if (in_host) { /* ADDS, ADC: the carry has not left CF */
        if ((g->host_flags == HOST_FLAGS_SUB) != inverted)
            x86_cmc(g->code);
        return;
    }
    if (inverted) /* borrows if v < 1 */
        x86_alu_imm(g->code, X86_CMP, X86_32, x86_reg(allocate_use(&g->places, v)), 1);
    else
        x86_bt(g->code, X86_32, x86_reg(allocate_use(&g->places, v)), 0);
}
