/*
 * arithmetic.c: code for the operations that compute.
 *
 * x86 instructions overwrite their left operand, IR operations do not. So the pattern
 * is always the same: copy the left operand to the result's register (or find it
 * there, when this was its last use), then combine the right one into it.
 *
 * A register with a value of 32 bits has zeros in its upper half, since every 32-bit
 * instruction clears it [SDM1, 3.4.1.1 "General-Purpose Registers in 64-Bit Mode"].
 * The 64-bit operations count on that.
 *
 * Longer than most: a function for each operation, and one switch that names them all.
 */
#include <assert.h>

#include "06-tcg/x86/generator.h"

/* The right operand: a constant, or a register or memory. */
struct right {
    bool is_const;
    uint32_t constant;
    struct x86_operand operand;
};

static struct right right_operand(struct generator *g, ir_value v)
{
    struct right right = {.operand.reg = X86_NO_REG};

    right.is_const = allocate_is_const(&g->places, v, &right.constant);
    if (!right.is_const)
        right.operand = allocate_operand(&g->places, v);
    return right;
}

static void combine(struct x86_code *code, enum x86_alu op, enum x86_reg reg, struct right right)
{
    if (right.is_const)
        x86_alu_imm(code, op, X86_32, x86_reg(reg), (int32_t)right.constant);
    else
        x86_alu(code, op, X86_32, reg, right.operand);
}

/* Nothing need be copied. A constant on the left goes to a register, as any other value. */
void emit_compare(struct generator *g, const struct ir_insn *insn)
{
    struct right right = right_operand(g, insn->b);
    enum x86_reg left = allocate_use(&g->places, insn->a);

    if (insn->op == IR_SUB)
        combine(g->code, X86_CMP, left, right);
    else if (right.is_const)
        x86_test_imm(g->code, X86_32, x86_reg(left), (int32_t)right.constant);
    else
        x86_test(g->code, X86_32, right.operand, left);
}

/* a + (b << scale) into a third register, by LEA, which leaves the flags alone. */
static bool add_by_lea(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct allocation *places = &g->places;
    struct x86_operand sum = {.reg = X86_NO_REG, .index = X86_NO_REG};
    uint32_t constant;
    bool by_const = allocate_is_const(places, insn->b, &constant);

    if (!insn->quiet && !insn->scale && places->last_use[insn->a] <= i &&
        places->place[insn->a].reg != X86_NO_REG)
        return false; /* its register is the result's: ADD is shorter */
    if (insn->op == IR_SUB && !by_const)
        return false;
    sum.base = (uint8_t)allocate_use(places, insn->a);
    if (by_const)
        sum.disp = (int32_t)(insn->op == IR_SUB ? -constant : constant);
    else
        sum.index = (uint8_t)allocate_use(places, insn->b);
    sum.scale = insn->scale;
    enum x86_reg result = allocate_result(places, i);

    if (by_const && result == sum.base && !insn->quiet)
        x86_alu_imm(g->code, X86_ADD, X86_32, x86_reg(result), sum.disp);
    else
        x86_lea(g->code, X86_32, result, sum);
    return true;
}

/* Is the value in the pin where the result of instruction i is wanted, and of no use later? */
static bool is_in_place(const struct allocation *a, unsigned i, ir_value v)
{
    unsigned wish = a->place[i].wish;

    return wish != ALLOCATE_NONE && a->last_use[v] <= i && allocate_is_in(a, v, a->pins->reg[wish]);
}

/* [from] */
/*
 * c - b, for a constant c, in b's own place: ~b - ~c is the same, and so are all of its flags,
 * since ~b is -1 - b. Of 0 - b that is NEG. And ~b + (c + 1) leaves the host's flags alone.
 */
static bool subtract_from_constant(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    bool borrows = insn->op == IR_SBC;
    uint32_t c;

    if (!allocate_is_const(&g->places, insn->a, &c) ||
        (!insn->quiet && !is_in_place(&g->places, i, insn->b)))
        return false;

    struct x86_operand result = x86_reg(allocate_copy(&g->places, i, insn->b, IR_NONE));

    if (c == 0 && !borrows && !insn->quiet) {
        x86_unary(g->code, X86_NEG, X86_32, result);
        return true;
    }
    x86_unary(g->code, X86_NOT, X86_32, result);
    if (insn->quiet)
        x86_lea(g->code, X86_32, result.reg, x86_mem(result.reg, (int32_t)(c + 1)));
    else
        x86_alu_imm(g->code, borrows ? X86_SBB : X86_SUB, X86_32, result, (int32_t)~c);
    return true;
}
/* [/from] */

/* Does the right operand's register become free, and the left one's not? */
static bool is_better_left(const struct allocation *a, unsigned i)
{
    const struct ir_insn *insn = &a->block->insns[i];
    const struct place *left = &a->place[insn->a], *right = &a->place[insn->b];

    if (is_in_place(a, i, insn->b))
        return !is_in_place(a, i, insn->a);
    return a->place[i].wish == ALLOCATE_NONE && right->reg != X86_NO_REG &&
           a->owner[right->reg] == insn->b && a->last_use[insn->b] <= i &&
           !(left->reg != X86_NO_REG && a->last_use[insn->a] <= i);
}

/* A sum or difference without a copy of the left operand, if there is a way. */
static bool emit_short_sum(struct generator *g, unsigned i, bool flags)
{
    enum ir_op op = g->block->insns[i].op;

    return (op == IR_SUB && subtract_from_constant(g, i)) ||
           ((op == IR_ADD || op == IR_SUB) && !flags && add_by_lea(g, i));
}

void emit_add_sub_logic(struct generator *g, unsigned i)
{
    static const enum x86_alu alu[] = {[IR_ADD] = X86_ADD,
                                       [IR_SUB] = X86_SUB,
                                       [IR_AND] = X86_AND,
                                       [IR_OR] = X86_OR,
                                       [IR_XOR] = X86_XOR};
    const struct ir_insn *insn = &g->block->insns[i];
    bool flags = insn->flags & ~insn->lazy || insn->fused, used = g->places.last_use[i];
    ir_value left = insn->a, other = insn->b;
    uint32_t constant;

    bool lazy = insn->lazy && !insn->deferred;
    bool by_operands = lazy && insn->lazy & (IR_FLAG_C | IR_FLAG_V);
    bool by_result = lazy && !by_operands;

    if (by_operands)
        emit_lazy_operands(g, insn);
    emit_saved_operands(g, insn);
    if (!used && !flags && !by_result) /* only what is lazy was wanted */
        return;
    if (!used && (insn->op == IR_SUB || insn->op == IR_AND) && !by_result) {
        emit_compare(g, insn);
    } else if (by_result || !emit_short_sum(g, i, flags)) {
        if (insn->op != IR_SUB &&
            (allocate_is_const(&g->places, left, &constant) || is_better_left(&g->places, i))) {
            left = insn->b;
            other = insn->a;
        }
        struct right right = right_operand(g, other);
        enum x86_reg result = allocate_copy(&g->places, i, left, other);

        combine(g->code, alu[insn->op], result, right);
        if (by_result)
            emit_lazy_result(g, result);
    }
    if (flags)
        emit_flags(g, i,
                   insn->op == IR_ADD   ? HOST_FLAGS_ADD
                   : insn->op == IR_SUB ? HOST_FLAGS_SUB
                                        : HOST_FLAGS_LOGIC);
}

void emit_add_sub_carry(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    bool subtract = insn->op == IR_SBC, swap = !subtract && is_better_left(&g->places, i);
    ir_value left = swap ? insn->b : insn->a, other = swap ? insn->a : insn->b;
    struct right right = right_operand(g, other);

    emit_carry_in(g, insn->c, subtract);

    /* Copies and NOT do not change CF. */
    if (!subtract || !subtract_from_constant(g, i)) {
        enum x86_reg result = allocate_copy(&g->places, i, left, other);

        combine(g->code, subtract ? X86_SBB : X86_ADC, result, right);
    }
    if (insn->flags || insn->fused)
        emit_flags(g, i, subtract ? HOST_FLAGS_SUB : HOST_FLAGS_ADD);
}

static const enum x86_shift host_shift[] = {X86_SHL, X86_SHR, X86_SAR, X86_ROR};

static void shift_by_constant(struct generator *g, unsigned i, unsigned count)
{
    const struct ir_insn *insn = &g->block->insns[i];
    enum x86_reg result;

    count = insn->op == IR_ROR ? count % 32 : insn->op == IR_ASR && count > 31 ? 31 : count;
    if (count > 31) {
        x86_mov_imm(g->code, allocate_result(&g->places, i), 0);
        return;
    }
    if (insn->op == IR_ROR && g->bmi) {
        struct x86_operand operand = allocate_operand(&g->places, insn->a);

        x86_rorx(g->code, X86_32, allocate_result(&g->places, i), operand, count);
        return;
    }
    if (insn->quiet) {
        struct x86_operand times = {.reg = X86_NO_REG, .base = X86_NO_REG};

        times.index = (uint8_t)allocate_use(&g->places, insn->a);
        times.scale = (uint8_t)count;
        x86_lea(g->code, X86_32, allocate_result(&g->places, i), times);
        return;
    }
    result = allocate_copy(&g->places, i, insn->a, IR_NONE);
    if (count)
        x86_shift_imm(g->code, host_shift[insn->op - IR_LSL], X86_32, x86_reg(result), count);
    if (insn->lazy && !insn->deferred)
        emit_lazy_result(g, result);
    if (insn->flags & ~insn->lazy || insn->fused)
        emit_flags(g, i, HOST_FLAGS_SHIFT);
}

void emit_rotate_by_carry(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];

    emit_carry_in(g, insn->b, false);

    /* Copies do not change CF. */
    enum x86_reg result = allocate_copy(&g->places, i, insn->a, IR_NONE);

    x86_shift_imm(g->code, X86_RCR, X86_32, x86_reg(result), 1);
}

/* Loads ECX with the low byte of the amount, limited to max by way of scratch. */
static void load_count(struct generator *g, ir_value amount, unsigned max, enum x86_reg scratch)
{
    uint32_t constant;

    if (allocate_is_const(&g->places, amount, &constant))
        x86_mov_imm(g->code, RCX, constant & 0xff);
    else
        x86_movzx(g->code, X86_8, RCX, allocate_operand(&g->places, amount));
    allocate_done(&g->places,
                  amount); /* registers are scarce; ask again for what is needed again */
    if (max) {
        x86_mov_imm(g->code, scratch, max);
        x86_alu(g->code, X86_CMP, X86_32, RCX, x86_reg(scratch));
        x86_cmov(g->code, X86_A, X86_32, RCX, x86_reg(scratch));
    }
}

/* [bzhi] */
/*
 * BZHI counts to 255 as ARM does, and with 32 or more it keeps all bits. LSL: below n the
 * shifted value has zeros, so what is kept is 0; but if n is beyond 31, it is all, and goes.
 * LSR: the bits below n go first, which are all bits then. ASR has no more to do than for 31.
 */
static void shift_with_bzhi(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    enum x86_reg value = allocate_use(&g->places, insn->a), n = allocate_use(&g->places, insn->b);
    enum x86_reg low = allocate_scratch(&g->places), result;

    if (insn->op == IR_ASR) {
        x86_mov_imm(g->code, low, 31);
        x86_alu_imm(g->code, X86_CMP, X86_8, x86_reg(n), 31);
        x86_cmov(g->code, X86_BE, X86_32, low, x86_reg(n));
        allocate_done(&g->places, insn->b);
        result = allocate_result(&g->places, i);
        x86_shift_by(g->code, X86_SAR, X86_32, result, x86_reg(value), low);
        return;
    }
    if (insn->op == IR_LSL) {
        x86_shift_by(g->code, X86_SHL, X86_32, low, x86_reg(value), n);
        allocate_done(&g->places, insn->a); /* registers are scarce */
        result = allocate_result(&g->places, i);
        x86_bzhi(g->code, X86_32, result, x86_reg(low), n);
        x86_alu(g->code, X86_XOR, X86_32, result, x86_reg(low));
        return;
    }
    x86_bzhi(g->code, X86_32, low, x86_reg(value), n);
    x86_alu(g->code, X86_XOR, X86_32, low, x86_reg(value));
    allocate_done(&g->places, insn->a);
    result = allocate_result(&g->places, i);
    x86_shift_by(g->code, X86_SHR, X86_32, result, x86_reg(low), n);
}
/* [/bzhi] */

/* [shift] */
/*
 * By a register: ARM shifts by 0..255, x86 by the amount modulo 32. Beyond 31 the
 * result of LSL and LSR is 0; SBB makes the mask: all ones if CL < 32, else zero.
 */
void emit_shift(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    enum x86_shift op = host_shift[insn->op - IR_LSL];
    uint32_t constant;

    if (allocate_is_const(&g->places, insn->b, &constant)) {
        shift_by_constant(g, i, constant & 0xff);
        return;
    }
    if (g->bmi && insn->op <= IR_ASR) {
        shift_with_bzhi(g, i);
        return;
    }
    allocate_claim(&g->places, RCX);

    enum x86_reg scratch = allocate_scratch(&g->places);

    load_count(g, insn->b, insn->op == IR_ASR ? 31 : 0, scratch);

    enum x86_reg result = allocate_copy(&g->places, i, insn->a, IR_NONE);

    if (insn->op == IR_ASR || insn->op == IR_ROR) {
        x86_shift_cl(g->code, op, X86_32, x86_reg(result));
        return;
    }
    x86_alu_imm(g->code, X86_CMP, X86_32, x86_reg(RCX), 32);
    x86_alu(g->code, X86_SBB, X86_32, scratch, x86_reg(scratch));
    x86_shift_cl(g->code, op, X86_32, x86_reg(result));
    x86_alu(g->code, X86_AND, X86_32, result, x86_reg(scratch));
}
/* [/shift] */

/*
 * The carry of a shift by a register. With the old carry put next to the operand, on
 * the side where bits leave, one 64-bit shift by 0..33 brings the right bit to a
 * known place, whatever the amount:
 *
 *     LSL     63 .. 33 | old carry | a 31..0          <<  n     bit 32
 *     LSR, ASR             a 31..0 | old carry        >>  n     bit 0
 */
static void rotate_carry(struct generator *g, unsigned i);

void emit_shift_carry(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct x86_code *code = g->code;

    if (insn->op == IR_CARRY_ROR) {
        rotate_carry(g, i);
        return;
    }
    allocate_claim(&g->places, RCX);

    enum x86_reg result = allocate_fresh(&g->places, i);

    load_count(g, insn->b, 33, result);

    if (insn->op == IR_CARRY_LSL) {
        x86_mov(code, X86_32, result, allocate_use(&g->places, insn->c));
        allocate_done(&g->places, insn->c);
        x86_shift_imm(code, X86_SHL, X86_64, x86_reg(result), 32);
        x86_alu(code, X86_OR, X86_64, result, x86_reg(allocate_use(&g->places, insn->a)));
        x86_shift_cl(code, X86_SHL, X86_64, x86_reg(result));
        x86_shift_imm(code, X86_SHR, X86_64, x86_reg(result), 32);
    } else {
        enum x86_reg operand = allocate_use(&g->places, insn->a);

        if (insn->op == IR_CARRY_ASR)
            x86_movsxd(code, result, x86_reg(operand));
        else
            x86_mov(code, X86_32, result, operand);
        allocate_done(&g->places, insn->a);
        x86_shift_imm(code, X86_SHL, X86_64, x86_reg(result), 1);
        x86_alu(code, X86_OR, X86_64, result, x86_reg(allocate_use(&g->places, insn->c)));
        x86_shift_cl(code, insn->op == IR_CARRY_ASR ? X86_SAR : X86_SHR, X86_64, x86_reg(result));
    }
    x86_alu_imm(code, X86_AND, X86_32, x86_reg(result), 1);
}

/* A rotation loses no bit: the carry is the top bit of its result, if it rotates at all. */
static void rotate_carry(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];

    allocate_claim(&g->places, RCX);
    load_count(g, insn->b, 0, RCX);

    enum x86_reg operand = allocate_use(&g->places, insn->a);
    enum x86_reg result = allocate_fresh(&g->places, i);

    x86_mov(g->code, X86_32, result, operand);
    allocate_done(&g->places, insn->a);
    x86_shift_cl(g->code, X86_ROR, X86_32, x86_reg(result));
    x86_shift_imm(g->code, X86_SHR, X86_32, x86_reg(result), 31);
    x86_test(g->code, X86_32, x86_reg(RCX), RCX);
    x86_cmov(g->code, X86_E, X86_32, result, x86_reg(allocate_use(&g->places, insn->c)));
}

/* [halves] */
/*
 * Of most long products both halves are wanted, each in a register of its own: LOW and HIGH
 * follow, and nobody else asks. x86 has a multiply for that, from and to EAX and EDX; that of
 * BMI2 writes where it is told to. The halves' own instructions have nothing to do then.
 */
static bool multiply_to_halves(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct allocation *places = &g->places;
    bool by_mulx = g->bmi && insn->op == IR_UMULL;
    unsigned low = i + 1, high = i + 2;
    enum x86_reg right;

    if (insn[1].op != IR_LOW || insn[2].op != IR_HIGH || insn[1].a != i || insn[2].a != i ||
        places->last_use[i] != high || !places->last_use[low])
        return false;
    allocate_claim(places, RDX);
    if (!by_mulx)
        allocate_claim(places, RAX);
    allocate_bring(places, by_mulx ? RDX : RAX, insn->a);
    right = allocate_use(places, insn->b);
    if (by_mulx) {
        allocate_done(places, insn->b);
        enum x86_reg to = allocate_result(places, low);

        x86_mulx(g->code, X86_32, allocate_result(places, high), to, right);
    } else {
        x86_unary(g->code, insn->op == IR_SMULL ? X86_IMUL : X86_MUL, X86_32, x86_reg(right));
        allocate_take(places, low, RAX);
        allocate_take(places, high, RDX);
    }
    return true;
}
/* [/halves] */

/*
 * A product with a constant is one instruction that changes no operand. Its constant has 32
 * bits and a sign: for the long product of unsigned numbers it must be a positive one.
 */
static bool multiply_by_constant(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct x86_operand left;
    enum x86_reg result;
    uint32_t constant;

    if (!allocate_is_const(&g->places, insn->b, &constant) ||
        (insn->op == IR_UMULL && constant > INT32_MAX))
        return false;
    if (insn->op == IR_SMULL) {
        left = allocate_operand(&g->places, insn->a);
        result = allocate_fresh(&g->places, i);
        x86_movsxd(g->code, result, left);
        left = x86_reg(result);
    } else {
        left = x86_reg(allocate_use(&g->places, insn->a));
        result = allocate_result(&g->places, i);
    }
    x86_imul_imm(g->code, insn->op == IR_MUL ? X86_32 : X86_64, result, left, (int32_t)constant);
    return true;
}

void emit_multiply(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];

    if (insn->op != IR_MUL && multiply_to_halves(g, i))
        return;
    if (multiply_by_constant(g, i))
        return;
    if (insn->op == IR_SMULL) {
        struct x86_operand left = allocate_operand(&g->places, insn->a);
        enum x86_reg result = allocate_fresh(&g->places, i), scratch = result;

        x86_movsxd(g->code, result, left);
        if (insn->a != insn->b) {
            allocate_done(&g->places, insn->a);

            struct x86_operand right = allocate_operand(&g->places, insn->b);

            scratch = allocate_scratch(&g->places);
            x86_movsxd(g->code, scratch, right);
        }
        x86_imul(g->code, X86_64, result, x86_reg(scratch));
        return;
    }

    enum x86_width width = insn->op == IR_MUL ? X86_32 : X86_64;
    bool swap = is_better_left(&g->places, i);
    ir_value left = swap ? insn->b : insn->a, other = swap ? insn->a : insn->b;
    enum x86_reg right = allocate_use(&g->places, other);
    enum x86_reg result = allocate_copy(&g->places, i, left, other);

    x86_imul(g->code, width, result, x86_reg(right));
}

/* PAIR, ADD64, LOW, HIGH: the register of a 64-bit value is just that. */
void emit_wide(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct x86_code *code = g->code;

    if (g->places.place[i].reg != X86_NO_REG) /* by multiply_to_halves() */
        return;
    if (insn->op == IR_LOW || insn->op == IR_HIGH) {
        enum x86_reg operand = allocate_use(&g->places, insn->a);
        enum x86_reg result = allocate_result(&g->places, i);

        x86_mov(code, insn->op == IR_LOW ? X86_32 : X86_64, result, operand);
        if (insn->op == IR_HIGH)
            x86_shift_imm(code, X86_SHR, X86_64, x86_reg(result), 32);
        return;
    }

    ir_value first = insn->op == IR_PAIR ? insn->b : insn->a;
    ir_value second = insn->op == IR_PAIR ? insn->a : insn->b;
    enum x86_reg right = allocate_use(&g->places, second);
    enum x86_reg result = allocate_copy(&g->places, i, first, second);

    if (insn->op == IR_PAIR)
        x86_shift_imm(code, X86_SHL, X86_64, x86_reg(result), 32);
    x86_alu(code, insn->op == IR_PAIR ? X86_OR : X86_ADD, X86_64, result, x86_reg(right));
}

static void count_leading_zeros(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct x86_operand operand = allocate_operand(&g->places, insn->a);
    enum x86_reg result = allocate_fresh(&g->places, i), scratch = allocate_scratch(&g->places);

    /* BSR leaves the number of the highest bit, or ZF if there is none: 63 ^ 31 is 32. */
    x86_mov_imm(g->code, scratch, 63);
    x86_bsr(g->code, result, operand);
    x86_cmov(g->code, X86_E, X86_32, result, x86_reg(scratch));
    x86_alu_imm(g->code, X86_XOR, X86_32, x86_reg(result), 31);
}

void emit_unary(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct x86_code *code = g->code;
    enum x86_reg operand, result;

    switch (insn->op) {
    case IR_CLZ: count_leading_zeros(g, i); return;
    case IR_NOT:
        result = allocate_copy(&g->places, i, insn->a, IR_NONE);
        x86_unary(code, X86_NOT, X86_32, x86_reg(result));
        return;
    case IR_BSWAP:
        result = allocate_copy(&g->places, i, insn->a, IR_NONE);
        x86_bswap(code, result);
        return;
    case IR_EQZ:
        operand = allocate_use(&g->places, insn->a);
        x86_test(code, X86_32, x86_reg(operand), operand);
        result = allocate_fresh(&g->places, i);
        x86_setcc(code, X86_E, x86_reg(result));
        x86_movzx(code, X86_8, result, x86_reg(result));
        return;
    default:
        operand = allocate_use(&g->places, insn->a);
        result = allocate_result(&g->places, i);
        if (insn->op == IR_SEXT8 || insn->op == IR_SEXT16)
            x86_movsx(code, insn->op == IR_SEXT8 ? X86_8 : X86_16, result, x86_reg(operand));
        else
            x86_movzx(code, insn->op == IR_ZEXT8 ? X86_8 : X86_16, result, x86_reg(operand));
    }
}

/* [quotient] */
/* The steps, one by one; the highest is the next to the right of rcx. */
static void emit_steps(struct x86_code *code, unsigned steps)
{
    size_t loop, low;

    x86_mov_imm(code, RDX, UINT32_C(1) << (32 - steps)); /* what ends the loop when it drops out */
    loop = code->size;
    x86_shift_imm(code, X86_SHR, X86_64, x86_reg(RCX), 1);
    x86_alu(code, X86_CMP, X86_32, RAX, x86_reg(RCX));
    low = x86_jcc_short(code, X86_B);
    x86_alu(code, X86_SUB, X86_32, RAX, x86_reg(RCX));
    x86_land(code, low);
    x86_cmc(code); /* it fitted if there is no borrow, from either of the two */
    x86_alu(code, X86_ADC, X86_32, RDX, x86_reg(RDX));
    x86_jcc(code, X86_AE, loop);
    x86_mov(code, X86_32, RAX, RDX);
}

/*
 * With T = b << (last + steps), of 64 bits: if T < 2^33, no step shifts anything out of b.
 * If a < T besides, then each step leaves less than the divisor it has tried, since before
 * the step there was less than twice as much: these are the digits of a / (b << last), and
 * none is missing. Division by 0 is excluded: T would be 0.
 */
void emit_quotient(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct x86_code *code = g->code;
    uint32_t constant = g->block->insns[insn->c].imm;
    unsigned steps = constant >> 8, last = constant & 0xff;
    size_t lost, divide, done;
    enum x86_reg result;

    for (enum x86_reg reg = RAX; reg <= RDX; reg++)
        allocate_clear(&g->places, reg);
    allocate_bring(&g->places, RAX, insn->a);
    allocate_bring(&g->places, RCX, insn->b);
    x86_shift_imm(code, X86_SHL, X86_64, x86_reg(RCX), last + steps);
    x86_mov(code, X86_64, RDX, RCX);
    x86_shift_imm(code, X86_SHR, X86_64, x86_reg(RDX), 33);
    lost = x86_jcc_short(code, X86_NE);
    x86_alu(code, X86_CMP, X86_64, RAX, x86_reg(RCX));
    divide = x86_jcc_short(code, X86_B);
    x86_land(code, lost);
    emit_steps(code, steps);
    done = x86_jmp_short(code);
    x86_land(code, divide);
    x86_shift_imm(code, X86_SHR, X86_64, x86_reg(RCX), steps);
    x86_unary(code, X86_DIV, X86_32, x86_reg(RCX)); /* edx is 0 */
    x86_land(code, done);

    g->places.busy = 0;
    result = allocate_result(&g->places, i);
    if (result != RAX)
        x86_mov(code, X86_32, result, RAX);
}
/* [/quotient] */
