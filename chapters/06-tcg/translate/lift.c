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
 * The region ends where the condition changes. After an instruction in it that sets flags
 * the condition is asked again, and the second SKIP leads to the same LABEL. A conditional
 * branch needs no region: it is a side exit. Nor does a run that ends in a branch for the
 * opposite case, as in "if (a && b)": who would skip the run is at the branch's target.
 *
 *     cmp   r0, r1             sub   v0, v1  !nzcv
 *     cmpne r2, #0             exit_if eq, found
 *     beq   found              sub   v2, 0  !nzcv
 *                              exit_if eq, found
 */
#include "06-tcg/translate/lift.h"

#include "06-tcg/arm/interpret.h"
#include "06-tcg/space.h"
#include "06-tcg/translate/lifter.h"

#define COND_ALWAYS 14
#define RUN         8  /* instructions under one condition, when looking for a branch */
#define FOLLOWED    12 /* instructions at most behind a branch */
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
    return insn->s || insn->op == ARM_MSR;
}

/* [region] */
/* Closes the open region if the next instruction does not belong to it; opens its own. */
static void enter_region(struct lifter *l, unsigned cond)
{
    if (l->open == cond && !l->again)
        return;
    if (l->open != COND_ALWAYS && l->open != cond)
        ir_append(l->block, (struct ir_insn){.op = IR_LABEL});
    if (cond != COND_ALWAYS)
        ir_append(l->block, (struct ir_insn){.op = IR_SKIP, .cond = (uint8_t)cond});
    l->open = cond;
    l->again = false;
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
    if (!l->options->no_runs)
        l->known = insn->cond ^ 1;
    return true;
}

/* [run] */
/* The side exit of a run under one condition that ends in a branch under the opposite one. */
static bool lift_run_exit(struct lifter *l, const struct arm_insn *first)
{
    struct arm_cpu fetcher = {.space = l->cpu->space, .thumb = l->thumb};
    uint32_t address = l->address;
    struct arm_insn insn = *first;
    struct arm_stop stop;

    for (unsigned n = 0; n < RUN && insn.cond == first->cond; n++) {
        address += insn.length;
        if ((address ^ l->block->start) >= SPACE_PAGE_SIZE ||
            !arm_fetch(&fetcher, address, &insn, &stop))
            return false;
    }
    if (insn.op != ARM_B || insn.cond != (first->cond ^ 1))
        return false;
    address += (l->thumb ? 4 : 8) + insn.imm;
    ir_append(
        l->block,
        (struct ir_insn){.op = IR_EXIT_IF, .cond = first->cond ^ 1, .imm = lift_key(l, address)});
    l->known = first->cond;
    return true;
}
/* [/run] */

/* MOVcc without a shift: a choice between two values, and no branch. */
static bool lift_conditional_move(struct lifter *l, const struct arm_insn *insn)
{
    bool plain = insn->operand == ARM_IMM ||
                 (insn->operand == ARM_REG && insn->shift == ARM_LSL && insn->amount == 0);
    ir_value yes, no;

    if (insn->cond == COND_ALWAYS || insn->op != ARM_MOV || insn->s || insn->rd == ARM_PC ||
        !plain || l->options->no_select)
        return false;
    if (l->choices)
        l->choices--;
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

void lift_begin(struct lifter *l)
{
    enter_region(l, COND_ALWAYS);
    mark(l);
}

/* One instruction with its condition. */
static void lift_one(struct lifter *l, const struct arm_insn *insn)
{
    unsigned cond = insn->cond == l->known ? COND_ALWAYS : insn->cond;
    bool joins = l->open == cond && !l->again;

    if (l->open != cond)
        enter_region(l, COND_ALWAYS);
    mark(l);
    if (l->known != COND_ALWAYS && cond == (l->known ^ 1))
        return; /* never */
    if (cond != COND_ALWAYS && !joins) {
        if (lift_side_exit(l, insn) || (l->open != cond && lift_conditional_move(l, insn)))
            return;
        if (l->open != cond && !l->options->no_runs && !l->choices && lift_run_exit(l, insn))
            cond = COND_ALWAYS;
        else if (l->open != cond && lift_choice(l, insn))
            return;
    }
    enter_region(l, cond);
    if (!lift_insn(l, insn)) {
        ir_append(l->block, (struct ir_insn){.op = IR_INTERPRET, .imm = lift_key(l, l->address)});
        l->done = true;
    }
    if (sets_flags(insn)) {
        l->again = cond != COND_ALWAYS;
        l->known = COND_ALWAYS;
    }
    if (cond != COND_ALWAYS && (l->done || (l->again && l->options->no_runs))) {
        enter_region(l, COND_ALWAYS);
        l->done = false;
    }
}

/* Is the address on the page where the block began, and not yet part of it? */
static bool is_new(const struct lifter *l, uint32_t address)
{
    unsigned place = address % SPACE_PAGE_SIZE / 2;

    return (address ^ l->block->start) < SPACE_PAGE_SIZE &&
           !(l->seen[place / 64] >> place % 64 & 1);
}

/* This instruction is in the block now. */
static void see(struct lifter *l, const struct arm_insn *insn)
{
    l->seen[l->address % SPACE_PAGE_SIZE / 128] |= UINT64_C(1) << l->address / 2 % 64;
    if (l->address + insn->length > l->block->end)
        l->block->end = l->address + insn->length;
}

/* [meet] */
/* Is there room for another instruction, and has it not been lifted already, nor translated? */
static bool goes_on(const struct lifter *l, unsigned count)
{
    const struct lift_options *options = l->options;

    return !l->done && count < l->limit && l->block->count < IR_MAX - IR_RESERVE &&
           is_new(l, l->address) &&
           !(options->begins && options->begins(options->self, lift_key(l, l->address)));
}
/* [/meet] */

/* [follow] */
/*
 * An unconditional branch to a place on the page that is not in the block yet costs
 * nothing: the block goes on there. So a loop is never unrolled, and an interpreter's
 * dispatch becomes the end of each of its handlers. Not much of what is there is lifted
 * once more: to translate it takes time.
 */
static bool follow(struct lifter *l, const struct arm_insn *insn, unsigned count)
{
    uint32_t target = lift_pc(l) + insn->imm;
    bool taken = insn->cond == COND_ALWAYS || insn->cond == l->known;

    if (insn->op != ARM_B || !taken || l->options->no_following || !is_new(l, target))
        return false;
    lift_begin(l);
    l->address = target;
    if (l->limit > count + FOLLOWED)
        l->limit = count + FOLLOWED;
    return true;
}
/* [/follow] */

bool lift(struct ir_block *block, const struct arm_cpu *cpu, uint32_t key,
          const struct lift_options *options, struct arm_stop *stop)
{
    struct arm_cpu fetcher = {.space = cpu->space, .thumb = key & 1};
    struct lifter l = {.block = block,
                       .cpu = cpu,
                       .options = options,
                       .limit = options->limit,
                       .address = key & ~1u,
                       .thumb = key & 1,
                       .open = COND_ALWAYS,
                       .known = COND_ALWAYS};
    unsigned count = 0;
    struct arm_insn insn;

    ir_begin(block, key);
    ir_inherit(block, options->inherited);
    if (lift_helper(&l))
        return true;
    do {
        if (!arm_fetch(&fetcher, l.address, &insn, stop)) {
            if (count == 0)
                return false;
            break;
        }
        see(&l, &insn);
        count++;
        if (count < l.limit && !options->no_idioms && lift_divide(&l, &insn)) {
            see(&l, &insn);
            count++;
        }
        if (follow(&l, &insn, count))
            continue;
        lift_one(&l, &insn);
        l.address += insn.length;
    } while (goes_on(&l, count));
    enter_region(&l, COND_ALWAYS);
    if (!l.done)
        ir_append(block, (struct ir_insn){.op = IR_EXIT, .imm = lift_key(&l, l.address)});
    return true;
}
