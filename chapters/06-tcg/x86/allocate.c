/*
 * allocate.c: the linear register allocator.
 *
 * The one clever thing is the wish. In "v3 = sub v1, v2; set r1, v3" with r1 pinned
 * to a host register, v3 is best computed in that register at once. allowed_early()
 * finds the values for which nobody can see the difference: between the computation
 * and the SET nothing reads the global, nothing can fault, nothing can leave. A SET that
 * nobody sees, since another one follows, is worth as much: what it would have set is still
 * computed in the pin, which is of no other use until then.
 *
 * Longer than most: one pass over a block, whose rules need one another.
 */
#include "06-tcg/x86/allocate.h"

#include <assert.h>
#include <string.h>

#include "06-tcg/ir/ir_ops.h"
#include "common/bits.h"

/* r0 to r7, r12, SP and LR: what compilers use most. Three registers are left for values. */
const struct x86_pins x86_pins_usual = {{
    RBX, R8,         R9,         R10,        R11,        R12, R13,
    RDI, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, RSI, R14,
    R15, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG,
}};

const struct x86_pins x86_pins_none = {{
    X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG,
    X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG,
    X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG, X86_NO_REG,
}};

/* [early] */
/* May the value of instruction def be computed in the home that SET number set gives it? */
static bool allowed_early(const struct ir_block *block, unsigned def, unsigned set)
{
    unsigned global = block->insns[set].global;

    if (block->insns[def].op == IR_CONST || block->insns[def].op == IR_GET)
        return false;
    for (unsigned i = def + 1; i < set; i++) {
        const struct ir_insn *insn = &block->insns[i];
        bool same = insn->global == global &&
                    (insn->op == IR_GET || insn->op == IR_SET || insn->op == IR_UNSEEN);
        bool way = insn->op == IR_SKIP || insn->op == IR_LABEL;

        if (same || way || ir_ops[insn->op].traits & IR_OP_STOPS)
            return false;
    }
    return true;
}
/* [/early] */

/* If def is the only one to read its left operand, that had better be in the same pin. */
static void wish_for_left(struct allocation *a, unsigned def, unsigned set)
{
    const struct ir_insn *insn = &a->block->insns[def];
    bool copies = (insn->op >= IR_ADD && insn->op <= IR_XOR && insn->op != IR_ADC &&
                   insn->op != IR_SBC) ||
                  (insn->op >= IR_LSL && insn->op <= IR_ROR);

    if (copies && insn->a != insn->b && a->last_use[insn->a] == def &&
        a->place[insn->a].wish == ALLOCATE_NONE && allowed_early(a->block, insn->a, set))
        a->place[insn->a].wish = a->block->insns[set].global;
}

void allocate_begin(struct allocation *a, struct x86_code *code, const struct ir_block *block,
                    const struct x86_pins *pins)
{
    ir_value wishes[IR_MAX]; /* SETs that fulfil one */
    unsigned count = 0;

    a->code = code;
    a->block = block;
    a->pins = pins;
    a->temporaries = 0xffffu & ~(1u << RSP | 1u << RBP);
    a->failed = false;
    a->now = 0;
    memset(a->last_use, 0, block->count * sizeof a->last_use[0]);
    for (unsigned g = 0; g < IR_GLOBALS; g++)
        if (pins->reg[g] != X86_NO_REG)
            a->temporaries &= ~(1u << pins->reg[g]);
    for (unsigned i = 0; i < block->count; i++) {
        const struct ir_insn *insn = &block->insns[i];

        a->place[i] = (struct place){X86_NO_REG, ALLOCATE_NONE, ALLOCATE_NONE, ALLOCATE_NONE,
                                     IR_NONE};
        bool sets = insn->op == IR_SET || insn->op == IR_UNSEEN;

        if (insn->op > IR_GET) {
            a->last_use[insn->a] = a->last_use[insn->b] = a->last_use[insn->c] = (uint16_t)i;
            if (insn->compare)
                a->last_use[insn->left] = a->last_use[insn->right] = (uint16_t)i;
        }
        if (sets && pins->reg[insn->global] != X86_NO_REG && allowed_early(block, insn->a, i)) {
            a->place[insn->a].wish = insn->global;
            wishes[count++] = (ir_value)i;
        }
    }
    a->last_use[IR_NONE] = UINT16_MAX;
    for (unsigned n = 0; n < count; n++)
        if (a->place[block->insns[wishes[n]].a].wish == block->insns[wishes[n]].global)
            wish_for_left(a, block->insns[wishes[n]].a, wishes[n]);
    allocate_forget(a);
}

void allocate_forget(struct allocation *a)
{
    a->busy = 0;
    a->slots = 0;
    for (unsigned reg = 0; reg < X86_REGS; reg++)
        a->owner[reg] = IR_NONE;
    for (unsigned g = 0; g < IR_GLOBALS; g++)
        a->homed[g] = a->holds[g] = IR_NONE;
}

bool allocate_is_const(const struct allocation *a, ir_value v, uint32_t *constant)
{
    if (a->block->insns[v].op != IR_CONST)
        return false;
    *constant = a->block->insns[v].imm;
    return true;
}

/* Values of 32 bits have zeros above them in a register. */
static enum x86_width width_of(const struct allocation *a, ir_value v)
{
    enum ir_op op = a->block->insns[v].op;

    return op == IR_UMULL || op == IR_SMULL || op == IR_PAIR || op == IR_ADD64 ? X86_64 : X86_32;
}

/* The pin that holds v, or X86_NO_REG. */
static enum x86_reg pin_of(const struct allocation *a, ir_value v)
{
    return a->place[v].home == ALLOCATE_NONE ? X86_NO_REG : a->pins->reg[a->place[v].home];
}

static struct x86_operand slot_operand(unsigned slot)
{
    return x86_mem(RSP, (int32_t)slot * 8);
}

void allocate_take(struct allocation *a, ir_value v, enum x86_reg reg)
{
    a->owner[reg] = v;
    a->place[v].reg = (uint8_t)reg;
    a->busy |= 1u << reg;
}

/* Takes the register away from its value, which stays known elsewhere. */
static void evict(struct allocation *a, enum x86_reg reg)
{
    ir_value v = a->owner[reg];
    struct place *place = &a->place[v];

    if (place->slot == ALLOCATE_NONE && place->home == ALLOCATE_NONE &&
        a->block->insns[v].op != IR_CONST) {
        if (~a->slots << (64 - FRAME_SLOTS) == 0) {
            a->failed = true;
        } else {
            place->slot = (uint8_t)__builtin_ctzll(~a->slots);
            a->slots |= BIT(place->slot);
            x86_store(a->code, X86_64, slot_operand(place->slot), reg);
        }
    }
    place->reg = X86_NO_REG;
    a->owner[reg] = IR_NONE;
}

/* A free register; if there is none, that of the value whose last use is farthest. */
static enum x86_reg find_register(struct allocation *a)
{
    enum x86_reg best = X86_NO_REG;

    for (enum x86_reg reg = RAX; reg < X86_REGS; reg++) {
        if (!(a->temporaries & ~a->busy & 1u << reg))
            continue;
        if (a->owner[reg] == IR_NONE)
            return reg;
        if (best == X86_NO_REG || a->last_use[a->owner[reg]] > a->last_use[a->owner[best]])
            best = reg;
    }
    if (best == X86_NO_REG) {
        a->failed = true;
        return RAX;
    }
    evict(a, best);
    return best;
}

enum x86_reg allocate_scratch(struct allocation *a)
{
    enum x86_reg reg = find_register(a);

    a->busy |= 1u << reg;
    return reg;
}

void allocate_claim(struct allocation *a, enum x86_reg reg)
{
    ir_value v = a->owner[reg];

    if (v != IR_NONE) {
        a->busy |= 1u << reg;
        enum x86_reg other = find_register(a);

        x86_mov(a->code, width_of(a, v), other, reg);
        a->owner[reg] = IR_NONE;
        allocate_take(a, v, other);
        a->busy &= ~(1u << other); /* the instruction may not even use it */
    }
    a->busy |= 1u << reg;
}

void allocate_clear(struct allocation *a, enum x86_reg reg)
{
    if (a->owner[reg] != IR_NONE)
        evict(a, reg);
    a->busy |= 1u << reg;
}

void allocate_bring(struct allocation *a, enum x86_reg reg, ir_value v)
{
    const struct place *place = &a->place[v];
    uint32_t constant;

    if (allocate_is_const(a, v, &constant))
        x86_mov_imm(a->code, reg, constant);
    else if (place->reg != X86_NO_REG)
        x86_mov(a->code, width_of(a, v), reg, place->reg);
    else if (pin_of(a, v) != X86_NO_REG)
        x86_mov(a->code, X86_32, reg, pin_of(a, v));
    else if (place->slot != ALLOCATE_NONE)
        x86_load(a->code, X86_64, reg, slot_operand(place->slot));
    else if (place->home >= IR_C)
        x86_movzx(a->code, X86_8, reg, frame_home(place->home));
    else
        x86_load(a->code, X86_32, reg, frame_home(place->home));
}

enum x86_reg allocate_use(struct allocation *a, ir_value v)
{
    enum x86_reg reg = a->place[v].reg;

    if (reg == X86_NO_REG)
        reg = pin_of(a, v);
    if (reg == X86_NO_REG) {
        reg = find_register(a);
        allocate_bring(a, reg, v);
        allocate_take(a, v, reg);
    }
    a->busy |= 1u << reg;
    return reg;
}

struct x86_operand allocate_operand(struct allocation *a, ir_value v)
{
    const struct place *place = &a->place[v];
    bool last = a->last_use[v] <= a->now; /* else it is worth a register */

    if (place->reg == X86_NO_REG && pin_of(a, v) == X86_NO_REG && last) {
        if (place->slot != ALLOCATE_NONE)
            return slot_operand(place->slot);
        if (place->home < IR_N)
            return frame_home(place->home);
    }
    return x86_reg(allocate_use(a, v));
}

bool allocate_is_in(const struct allocation *a, ir_value v, enum x86_reg reg)
{
    return a->place[v].reg == reg || pin_of(a, v) == reg;
}

void allocate_done(struct allocation *a, ir_value v)
{
    if (a->place[v].reg != X86_NO_REG)
        a->busy &= ~(1u << a->place[v].reg);
}

static void link_home(struct allocation *a, ir_value v, unsigned global)
{
    a->place[v].home = (uint8_t)global;
    a->place[v].next = a->homed[global];
    a->homed[global] = v;
}

static void unlink_home(struct allocation *a, ir_value v)
{
    ir_value *link = &a->homed[a->place[v].home];

    while (*link != v)
        link = &a->place[*link].next;
    *link = a->place[v].next;
    a->place[v].home = ALLOCATE_NONE;
}

/* After MOV r7, r0 the old value of r0 need not be saved when r0 changes: r7 is its home. */
static bool move_home(struct allocation *a, ir_value v, unsigned global)
{
    for (unsigned other = 0; other < IR_N; other++)
        if (other != global && a->holds[other] == v) {
            unlink_home(a, v);
            link_home(a, v, other);
            return true;
        }
    return false;
}

void allocate_leave_home(struct allocation *a, unsigned i, unsigned global)
{
    while (a->homed[global] != IR_NONE) {
        ir_value v = a->homed[global];

        if (a->last_use[v] > i && move_home(a, v, global))
            continue;
        if (a->last_use[v] > i && a->place[v].reg == X86_NO_REG &&
            a->place[v].slot == ALLOCATE_NONE) {
            enum x86_reg reg = find_register(a);

            allocate_bring(a, reg, v);
            allocate_take(a, v, reg);
            a->busy &= ~(1u << reg); /* no operand: the next one may push it into a slot */
        }
        unlink_home(a, v);
    }
}

/*
 * The pin in which instruction i may put its result at once, or X86_NO_REG: values
 * that have the same home must not be needed after i, nor during it, unless the
 * instruction has read them before it writes.
 */
static enum x86_reg wished_pin(struct allocation *a, unsigned i, ir_value read_late)
{
    unsigned global = a->place[i].wish;

    if (global == ALLOCATE_NONE)
        return X86_NO_REG;
    for (ir_value v = a->homed[global], next; v != IR_NONE; v = next) {
        next = a->place[v].next;
        if (v == read_late || (a->last_use[v] > i && !move_home(a, v, global)))
            return X86_NO_REG;
    }
    return a->pins->reg[global];
}

/* The result is in a pin: until its SET it has no home, and its register is the pin. */
static enum x86_reg result_in_pin(struct allocation *a, unsigned i, enum x86_reg pin)
{
    a->holds[a->place[i].wish] = IR_NONE;
    while (a->homed[a->place[i].wish] != IR_NONE)
        unlink_home(a, a->homed[a->place[i].wish]);
    a->place[i].reg = (uint8_t)pin;
    a->busy |= 1u << pin;
    return pin;
}

enum x86_reg allocate_fresh(struct allocation *a, unsigned i)
{
    enum x86_reg reg = find_register(a);

    allocate_take(a, (ir_value)i, reg);
    return reg;
}

enum x86_reg allocate_result(struct allocation *a, unsigned i)
{
    enum x86_reg pin = wished_pin(a, i, IR_NONE);

    return pin == X86_NO_REG ? allocate_fresh(a, i) : result_in_pin(a, i, pin);
}

enum x86_reg allocate_copy(struct allocation *a, unsigned i, ir_value v, ir_value other)
{
    bool both = other == v;
    unsigned wish = a->place[i].wish;
    bool there = wish != ALLOCATE_NONE && allocate_is_in(a, v, a->pins->reg[wish]);
    enum x86_reg pin = wished_pin(a, i, both ? IR_NONE : other), reg = a->place[v].reg;

    if (pin != X86_NO_REG) {
        bool other_there = !both && other != IR_NONE && allocate_is_in(a, other, pin);

        assert(!other_there);
        (void)other_there;
        if (!there)
            allocate_bring(a, pin, v);
        return result_in_pin(a, i, pin);
    }
    if (reg != X86_NO_REG && a->owner[reg] == v && a->last_use[v] <= i && !both) {
        a->place[v].reg = X86_NO_REG; /* v ends here: its register is the result's */
        allocate_take(a, (ir_value)i, reg);
        return reg;
    }
    reg = find_register(a);
    allocate_bring(a, reg, v);
    allocate_take(a, (ir_value)i, reg);
    return reg;
}

/* N or Z as 0 or 1. */
static void get_bit(struct allocation *a, unsigned i, unsigned bit)
{
    enum x86_reg reg = allocate_fresh(a, i);

    x86_movzx(a->code, X86_16, reg, FRAME_NZV);
    x86_shift_imm(a->code, X86_SHR, X86_32, x86_reg(reg), bit);
    x86_alu_imm(a->code, X86_AND, X86_32, x86_reg(reg), 1);
}

/* N or Z from a value of 0 or 1, among the other bits of their byte. */
static void set_bit(struct allocation *a, ir_value v, unsigned bit)
{
    enum x86_reg value = allocate_use(a, v), scratch = allocate_scratch(a);

    x86_mov(a->code, X86_32, scratch, value);
    x86_shift_imm(a->code, X86_SHL, X86_32, x86_reg(scratch), bit - 8);
    x86_alu_imm(a->code, X86_AND, X86_8, FRAME_NZ, ~(1 << (bit - 8)));
    x86_alu_to(a->code, X86_OR, X86_8, FRAME_NZ, scratch);
}

static unsigned bit_of(unsigned global)
{
    return global == IR_N ? FRAME_N_BIT : FRAME_Z_BIT;
}

void allocate_get(struct allocation *a, unsigned i)
{
    unsigned global = a->block->insns[i].global;

    if (a->last_use[i] && (global == IR_N || global == IR_Z))
        get_bit(a, i, bit_of(global));
    else if (a->last_use[i])
        link_home(a, (ir_value)i, global);
}

/* Has the wish for this global come true? Then it is the value's home from now on. */
static bool settles_in(struct allocation *a, ir_value v, unsigned global)
{
    struct place *place = &a->place[v];

    if (a->pins->reg[global] == X86_NO_REG || place->reg != a->pins->reg[global])
        return false;
    if (place->home != ALLOCATE_NONE) /* it has been SET to another global before */
        unlink_home(a, v);
    place->reg = X86_NO_REG;
    link_home(a, v, global);
    return true;
}

void allocate_unseen(struct allocation *a, unsigned i)
{
    const struct ir_insn *insn = &a->block->insns[i];

    if (settles_in(a, insn->a, insn->global))
        a->holds[insn->global] = insn->a;
}

void allocate_set(struct allocation *a, unsigned i)
{
    const struct ir_insn *insn = &a->block->insns[i];
    enum x86_reg pin = a->pins->reg[insn->global];
    struct place *place = &a->place[insn->a];
    enum x86_width width = insn->global >= IR_N ? X86_8 : X86_32;
    uint32_t constant;

    if (insn->global == IR_N || insn->global == IR_Z) {
        set_bit(a, insn->a, bit_of(insn->global));
        return;
    }
    a->holds[insn->global] = insn->a;
    if (place->home == insn->global)
        return;
    if (settles_in(a, insn->a, insn->global))
        return;
    allocate_leave_home(a, i, insn->global);
    if (allocate_is_const(a, insn->a, &constant)) {
        if (pin != X86_NO_REG)
            x86_mov_imm(a->code, pin, constant);
        else
            x86_store_imm(a->code, width, frame_home(insn->global), (int32_t)constant);
        return;
    }
    if (pin != X86_NO_REG)
        allocate_bring(a, pin, insn->a);
    else
        x86_store(a->code, width, frame_home(insn->global), allocate_use(a, insn->a));
    if (width == X86_8 || pin_of(a, insn->a) != X86_NO_REG ||
        (place->home != ALLOCATE_NONE && pin == X86_NO_REG))
        return;
    if (place->home != ALLOCATE_NONE) /* in memory: the pin is a better one */
        unlink_home(a, insn->a);
    link_home(a, insn->a, insn->global);
    if (pin != X86_NO_REG && place->reg != X86_NO_REG && a->owner[place->reg] == insn->a) {
        /* the pin will do */
        a->owner[place->reg] = IR_NONE;
        place->reg = X86_NO_REG;
    }
}

static void release(struct allocation *a, ir_value v)
{
    struct place *place = &a->place[v];

    if (place->reg != X86_NO_REG && a->owner[place->reg] == v)
        a->owner[place->reg] = IR_NONE;
    if (place->slot != ALLOCATE_NONE)
        a->slots &= ~BIT(place->slot);
    if (place->home != ALLOCATE_NONE)
        unlink_home(a, v);
    place->reg = X86_NO_REG;
    place->slot = ALLOCATE_NONE;
}

static void end_use(struct allocation *a, ir_value v, unsigned i)
{
    if (a->last_use[v] <= i)
        release(a, v);
}

void allocate_end(struct allocation *a, unsigned i)
{
    const struct ir_insn *insn = &a->block->insns[i];

    if (insn->op > IR_GET) {
        end_use(a, insn->a, i);
        end_use(a, insn->b, i);
        end_use(a, insn->c, i);
        if (insn->compare) {
            end_use(a, insn->left, i);
            end_use(a, insn->right, i);
        }
    }
    if (a->last_use[i] <= i)
        release(a, (ir_value)i); /* nobody wants it, if it is a value at all */
    a->busy = 0;
}
