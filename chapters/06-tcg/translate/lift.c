/*
 * lift.c: the lifter's walk over the guest's instructions, and their conditions.
 *
 * A run of instructions under the same condition, as compilers make of short ifs,
 * becomes one region:
 *
 *     cmp   r0, #0             sub   v0, 0  !nzcv
 *     addne r1, r1, #1         skip  ne           (enter it if not equal)
 *     movne r2, #7             ...
 *     ldr   r3, [r4]           label
 *
 * The region ends where the condition changes, or after an instruction in it that
 * sets flags. A conditional branch needs no region: it is a side exit.
 */
#include "06-tcg/translate/lift.h"

#include "06-tcg/arm/interpret.h"
#include "06-tcg/space.h"
#include "06-tcg/translate/lifter.h"

#define COND_ALWAYS 14
/* More IR than one guest instruction ever becomes: an LDM of 16 registers. */
#define IR_RESERVE 96

uint32_t lift_key(const struct lifter *l, uint32_t address)
{
    return address | l->thumb;
}

uint32_t lift_pc(const struct lifter *l)
{
    return l->address + (l->thumb ? 4 : 8);
}

ir_value lift_read(struct lifter *l, unsigned n)
{
    return n == ARM_PC ? ir_const(l->block, lift_pc(l)) : ir_get(l->block, n);
}

void lift_write_interworking(struct lifter *l, unsigned n, ir_value value)
{
    if (n != ARM_PC) {
        ir_set(l->block, n, value);
        return;
    }
    ir_unary(l->block, IR_JUMP, value);
    l->done = true;
}

static bool lift_insn(struct lifter *l, const struct arm_insn *insn)
{
    switch (insn->op) {
    case ARM_MUL ... ARM_QDSUB: return lift_multiply(l, insn);
    case ARM_MOVT:
    case ARM_CLZ ... ARM_BFI: return lift_field(l, insn);
    case ARM_LDR ... ARM_STM: return lift_memory(l, insn);
    case ARM_B ... ARM_BX: return lift_branch(l, insn);
    case ARM_HINT: return true;
    default: return insn->op <= ARM_MVN && lift_data(l, insn);
    }
}

static bool sets_flags(const struct arm_insn *insn)
{
    return insn->s || (insn->op >= ARM_TST && insn->op <= ARM_CMN) || insn->op == ARM_MSR;
}

/* [region] */
/* Closes the open region if the next instruction does not belong to it; opens its own. */
static void enter_region(struct lifter *l, unsigned *open, unsigned cond)
{
    if (*open == cond)
        return;
    if (*open != COND_ALWAYS)
        ir_append(l->block, (struct ir_insn){.op = IR_LABEL});
    if (cond != COND_ALWAYS)
        ir_append(l->block, (struct ir_insn){.op = IR_SKIP, .cond = (uint8_t)cond});
    *open = cond;
}
/* [/region] */

/* A conditional branch: the block goes on where it is not taken. */
static bool lift_side_exit(struct lifter *l, const struct arm_insn *insn)
{
    if (insn->op != ARM_B || insn->cond == COND_ALWAYS)
        return false;
    ir_append(l->block, (struct ir_insn){.op = IR_EXIT_IF,
                                         .cond = insn->cond,
                                         .imm = lift_key(l, lift_pc(l) + insn->imm)});
    return true;
}

/* MOVcc without a shift: a choice between two values, and no branch. */
static bool lift_conditional_move(struct lifter *l, const struct arm_insn *insn)
{
    bool plain = insn->operand == ARM_IMM ||
                 (insn->operand == ARM_REG && insn->shift == ARM_LSL && insn->amount == 0);
    ir_value yes, no;

    if (insn->cond == COND_ALWAYS || insn->op != ARM_MOV || insn->s || insn->rd == ARM_PC ||
        !plain || l->options->no_select)
        return false;
    yes = insn->operand == ARM_IMM ? ir_const(l->block, insn->imm) : lift_read(l, insn->rm);
    no = ir_get(l->block, insn->rd);
    ir_set(l->block, insn->rd,
           ir_append(l->block,
                     (struct ir_insn){.op = IR_SELECT, .cond = insn->cond, .a = yes, .b = no}));
    return true;
}

static void mark(struct lifter *l)
{
    ir_append(l->block, (struct ir_insn){.op = IR_INSN, .imm = lift_key(l, l->address)});
}

/* One instruction with its condition. open is the condition of the open region. */
static void lift_one(struct lifter *l, const struct arm_insn *insn, unsigned *open)
{
    bool joins = *open == insn->cond;

    if (!joins)
        enter_region(l, open, COND_ALWAYS);
    mark(l);
    if (!joins && (lift_side_exit(l, insn) || lift_conditional_move(l, insn)))
        return;
    enter_region(l, open, insn->cond);
    if (!lift_insn(l, insn)) {
        ir_append(l->block, (struct ir_insn){.op = IR_INTERPRET, .imm = lift_key(l, l->address)});
        l->done = true;
    }
    if (insn->cond != COND_ALWAYS && (l->done || sets_flags(insn))) {
        enter_region(l, open, COND_ALWAYS);
        l->done = false;
    }
}

/* Is there room for another instruction, on the page where the block began? */
static bool goes_on(const struct lifter *l, unsigned count)
{
    uint32_t start = l->block->start & ~1u;

    return !l->done && count < l->options->limit && l->block->count < IR_MAX - IR_RESERVE &&
           (l->address ^ start) < SPACE_PAGE_SIZE;
}

bool lift(struct ir_block *block, const struct arm_cpu *cpu, uint32_t key,
          const struct lift_options *options, struct arm_stop *stop)
{
    struct arm_cpu fetcher = {.space = cpu->space, .thumb = key & 1};
    struct lifter l = {
        .block = block, .cpu = cpu, .options = options, .address = key & ~1u, .thumb = key & 1};
    unsigned open = COND_ALWAYS, count = 0;
    struct arm_insn insn;

    ir_begin(block, key);
    do {
        if (!arm_fetch(&fetcher, l.address, &insn, stop)) {
            if (count == 0)
                return false;
            break;
        }
        lift_one(&l, &insn, &open);
        l.address += insn.length;
        count++;
    } while (goes_on(&l, count));
    enter_region(&l, &open, COND_ALWAYS);
    block->end = l.address;
    if (!l.done)
        ir_append(block, (struct ir_insn){.op = IR_EXIT, .imm = lift_key(&l, l.address)});
    return true;
}
