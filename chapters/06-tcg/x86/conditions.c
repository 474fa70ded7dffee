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
 * An instruction that sets flags keeps those that somebody reads: N, Z and V in one
 * word (frame.h), C in its byte of struct arm_cpu. A condition that comes while EFLAGS
 * still hold the result (fused), or that compares again, needs neither.
 *
 * Most flags are read by nobody, and yet a fault, a signal or unknown code might look
 * at them before the next instruction sets them. They are lazy: plain stores keep what
 * they would be made of,
 *
 *      lazy.left, lazy.right   of ADD and SUB
 *      lazy.result             where only N and Z are: C and V are as they were
 *
 * and four bytes, the kinds, say so. They lie behind lazy.right and are 0 if all flags are a
 * subtraction's, as most are: then one store writes both. Whoever wants to read a flag that
 * is not known to be kept has lazy ones settled first: a comparison of the four bytes, and a
 * call that is seldom made.
 */
#include <assert.h>
#include <string.h>

#include "06-tcg/x86/generator.h"
#include "common/bits.h"

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

/* N and Z, and V if it is wanted: one store for all of them. */
static void save_nzv(struct generator *g, unsigned flags)
{
    allocate_claim(&g->places, RAX); /* LAHF's register */
    x86_lahf(g->code);
    if (flags & IR_FLAG_V) {
        x86_setcc(g->code, X86_O, x86_reg(RAX));
        x86_store(g->code, X86_16, FRAME_NZV, RAX);
    } else {
        x86_store_ah(g->code, FRAME_NZ);
    }
}

#define LAZY(field) x86_mem(RBP, offsetof(struct arm_cpu, lazy.field))

/* Four bytes at once: which flags are lazy, and of what operation. */
static uint32_t kinds_of(unsigned flags, unsigned add)
{
    const uint8_t kinds[] = {!(flags & IR_FLAGS_NZ), !(flags & IR_FLAG_C), !(flags & IR_FLAG_V),
                             (uint8_t)add};
    uint32_t word;

    memcpy(&word, kinds, sizeof word);
    return word;
}

static void store_kinds(struct generator *g, uint32_t kinds)
{
    x86_store_imm(g->code, X86_32, FRAME_KINDS, (int32_t)kinds);
}

/* [width] */
/* With how many bytes the right operand is stored: eight write kinds of 0 too, since a
 * register that holds 32 bits has zeros above them. */
static enum x86_width right_width(uint32_t kinds)
{
    return kinds ? X86_32 : X86_64;
}

/* An immediate of eight bytes is sign-extended from four. */
static void store_constant(struct generator *g, enum x86_width width, struct x86_operand to,
                           uint32_t constant)
{
    bool separate = width == X86_64 && constant >> 31;

    x86_store_imm(g->code, separate ? X86_32 : width, to, (int32_t)constant);
    if (separate)
        store_kinds(g, 0);
}
/* [/width] */

static void store_operand(struct generator *g, enum x86_width width, struct x86_operand to,
                          ir_value v)
{
    uint32_t constant;

    if (allocate_is_const(&g->places, v, &constant))
        store_constant(g, width, to, constant);
    else
        x86_store(g->code, width, to, allocate_use(&g->places, v));
}

/* [saved] */
void emit_saved_operands(struct generator *g, const struct ir_insn *insn)
{
    if (insn->saved & IR_SAVED_LEFT)
        store_operand(g, X86_32, LAZY(left), insn->a);
    if (insn->saved & IR_SAVED_RIGHT)
        store_operand(g, X86_32, LAZY(right), insn->b);
}
/* [/saved] */

/* [operands] */
void emit_lazy_operands(struct generator *g, const struct ir_insn *insn)
{
    uint32_t kinds = kinds_of(insn->lazy, insn->op == IR_ADD);

    store_operand(g, X86_32, LAZY(left), insn->a);
    store_operand(g, right_width(kinds), LAZY(right), insn->b);
    if (kinds)
        store_kinds(g, kinds);
    g->kept = IR_FLAGS_ALL & ~insn->lazy; /* of the others, some are read: they follow */
}
/* [/operands] */

void emit_lazy_result(struct generator *g, enum x86_reg result)
{
    x86_store(g->code, X86_32, LAZY(result), result);
    x86_store_imm(g->code, X86_8, LAZY(nz), 2);
    g->kept &= ~IR_FLAGS_NZ;
}

/* A register plus a constant, or a constant alone, to memory. */
static void store_from_register(struct generator *g, enum x86_width width, struct x86_operand to,
                                unsigned global, uint32_t constant, enum x86_reg scratch)
{
    enum x86_reg from = scratch;

    if (global == IR_IN_MEMORY) { /* there already */
        if (width == X86_64)
            store_kinds(g, 0);
        return;
    }
    if (global == IR_NO_GLOBAL) {
        store_constant(g, width, to, constant);
        return;
    }
    if (g->places.pins->reg[global] != X86_NO_REG)
        from = g->places.pins->reg[global];
    else
        x86_load(g->code, X86_32, from, frame_home(global));
    if (constant) {
        x86_lea(g->code, X86_32, scratch, x86_mem(from, (int32_t)constant));
        from = scratch;
    }
    x86_store(g->code, width, to, from);
}

void emit_pending(struct generator *g, unsigned pending, enum x86_reg scratch)
{
    const struct ir_recipe *r = &g->block->recipe[pending - 1];

    if (r->op == IR_AND) {
        store_from_register(g, X86_32, LAZY(result), r->left, r->left_const, scratch);
        x86_store_imm(g->code, X86_8, LAZY(nz), 2);
    } else {
        uint32_t kinds = kinds_of(r->lazy, (r->op == IR_ADD) | r->undo << 1);

        store_from_register(g, X86_32, LAZY(left), r->left, r->left_const, scratch);
        store_from_register(g, right_width(kinds), LAZY(right), r->right, r->right_const, scratch);
        if (kinds)
            store_kinds(g, kinds);
    }
    g->kept &= ~r->lazy;
}

void emit_settle(struct generator *g, unsigned flags)
{
    if ((g->kept & flags) == flags)
        return;
    if (g->settles == ARRAY_SIZE(g->settle)) {
        g->places.failed = true; /* a shorter block has fewer */
        return;
    }
    x86_alu_imm(g->code, X86_CMP, X86_32, FRAME_KINDS, FRAME_KEPT);
    g->settle[g->settles].jump = x86_jcc(g->code, X86_NE, X86_LATER);
    g->settle[g->settles++].back = g->code->size;
    g->kept = IR_FLAGS_ALL;
}

void emit_kept(struct generator *g, unsigned flags)
{
    unsigned news = flags & ~g->kept;

    if (news == IR_FLAGS_ALL) {
        store_kinds(g, FRAME_KEPT);
    } else {
        if (news & IR_FLAGS_NZ)
            x86_store_imm(g->code, X86_8, LAZY(nz), 1);
        if (news & IR_FLAG_C)
            x86_store_imm(g->code, X86_8, LAZY(c), 1);
        if (news & IR_FLAG_V)
            x86_store_imm(g->code, X86_8, LAZY(v), 1);
    }
    g->kept |= flags;
}

void emit_flags(struct generator *g, unsigned i, enum host_flags kind)
{
    const struct ir_insn *insn = &g->block->insns[i];
    unsigned flags = insn->flags & ~insn->lazy;

    g->places.busy = 0; /* operands have been read, the result is written: all may move */
    if (flags & IR_FLAG_C) {
        allocate_leave_home(&g->places, i, IR_C);
        x86_setcc(g->code, kind == HOST_FLAGS_SUB ? X86_AE : X86_B, frame_home(IR_C));
    }
    if (flags & IR_FLAG_V)
        allocate_leave_home(&g->places, i, IR_V);
    if (flags & (IR_FLAGS_NZ | IR_FLAG_V))
        save_nzv(g, flags);
    if (flags & IR_FLAG_Q) {
        size_t over = x86_jcc_short(g->code, X86_NO);

        x86_store_imm(g->code, X86_8, x86_mem(RBP, offsetof(struct arm_cpu, q)), 1);
        x86_land(g->code, over);
    }
    if (flags & IR_FLAG_V)
        flags |= IR_FLAGS_NZ; /* written with V */
    emit_kept(g, flags & IR_FLAGS_ALL);
    g->host_flags = kind;
    g->code->flags_changed = false;
}

/*
 * A condition with V: back into EFLAGS with all of it. Adding 127 to a byte overflows
 * if it was 1, and SAHF leaves OF alone.
 */
static void restore_nzv(struct generator *g)
{
    allocate_claim(&g->places, RAX);
    x86_movzx(g->code, X86_16, RAX, FRAME_NZV);
    x86_alu_imm(g->code, X86_ADD, X86_8, x86_reg(RAX), 127);
    x86_sahf(g->code);
}

/* HI is C and not Z. The host's condition for it. */
static enum x86_cc test_higher(struct generator *g)
{
    enum x86_reg scratch = allocate_scratch(&g->places);

    x86_movzx(g->code, X86_8, scratch, FRAME_NZ);
    x86_shift_imm(g->code, X86_SHR, X86_32, x86_reg(scratch), FRAME_Z_BIT - 8);
    x86_alu_imm(g->code, X86_AND, X86_32, x86_reg(scratch), 1);
    x86_alu(g->code, X86_CMP, X86_8, scratch, frame_home(IR_C)); /* Z below C */
    return X86_B;
}

/* The even condition of each pair, from where the flags are kept. */
static enum x86_cc test_kept(struct generator *g, unsigned cond)
{
    switch (cond / 2) {
    case 0: x86_test_imm(g->code, X86_8, FRAME_NZ, 1 << (FRAME_Z_BIT - 8)); return X86_NE;
    case 1: x86_alu_imm(g->code, X86_CMP, X86_8, frame_home(IR_C), 0); return X86_NE;
    case 2: x86_test_imm(g->code, X86_8, FRAME_NZ, 1 << (FRAME_N_BIT - 8)); return X86_NE;
    case 3: x86_alu_imm(g->code, X86_CMP, X86_8, frame_home(IR_V), 0); return X86_NE;
    case 4: return test_higher(g);
    default: restore_nzv(g); return after_sub[cond & ~1u];
    }
}

/* The comparison that set the guest's flags, once more. */
static enum x86_cc compare_again(struct generator *g, const struct ir_insn *insn)
{
    struct ir_insn compare = {.op = insn->compare, .a = insn->left, .b = insn->right};

    emit_compare(g, &compare);
    return after_sub[insn->cond];
}

enum x86_cc emit_condition(struct generator *g, const struct ir_insn *insn)
{
    unsigned cond = insn->cond;
    enum x86_cc cc;

    if (insn->compare && !insn->fused)
        return compare_again(g, insn);

    if (insn->fused) {
        assert(host_flags_hold(g));
        cc = after_sub[cond];
        if (g->host_flags != HOST_FLAGS_SUB && cond / 2 == 1) /* CS, CC */
            cc = opposite(cc);
        return cc;
    }
    emit_settle(g, ir_cond_flags(cond));
    cc = test_kept(g, cond);
    return cond & 1 ? opposite(cc) : cc;
}

void emit_carry_in(struct generator *g, ir_value v, bool inverted)
{
    if (v == IR_NONE) { /* ADDS, ADC: the carry has not left CF */
        assert(host_flags_hold(g));
        if ((g->host_flags == HOST_FLAGS_SUB) != inverted)
            x86_cmc(g->code);
    } else if (inverted) { /* borrows if v < 1 */
        x86_alu_imm(g->code, X86_CMP, X86_32, x86_reg(allocate_use(&g->places, v)), 1);
    } else {
        x86_bt(g->code, X86_32, x86_reg(allocate_use(&g->places, v)), 0);
    }
}

void generate_flags(struct arm_cpu *cpu, const struct ir_recipe *recipe)
{
    uint32_t left = recipe->left_const, right = recipe->right_const, result;
    bool subtract = recipe->op == IR_SUB;
    int64_t exact;

    if (recipe->left == IR_IN_MEMORY)
        left = cpu->lazy.left;
    else if (recipe->left != IR_NO_GLOBAL)
        left += cpu->r[recipe->left];
    if (recipe->right == IR_IN_MEMORY)
        right = cpu->lazy.right;
    else if (recipe->right != IR_NO_GLOBAL)
        right += cpu->r[recipe->right];
    if (recipe->undo)
        left = subtract ? left + right : left - right;
    result = recipe->op == IR_AND ? left : subtract ? left - right : left + right;
    exact = (int64_t)(int32_t)left + (subtract ? -(int64_t)(int32_t)right : (int32_t)right);
    if (recipe->lazy & IR_FLAG_N)
        cpu->n = result >> 31;
    if (recipe->lazy & IR_FLAG_Z)
        cpu->z = result == 0;
    if (recipe->lazy & IR_FLAG_C)
        cpu->c = subtract ? left >= right : result < left;
    if (recipe->lazy & IR_FLAG_V)
        cpu->v = exact != (int32_t)result;
}
