/*
 * lift_choice.c: short conditional computations without a branch.
 *
 *     cmp   r3, r2             get r6 .. v1 = sub r6, r2
 *     sbcs  lr, r5, r1         sub  r3, r2 !nzcv;  sbc r5, r1 !nzcv
 *     subcs r6, r6, r2         r6 = select cs, v1, r6
 *     movcs r5, lr             r5 = select cs, lr, r5
 *
 * Compilers for ARM make such code where the condition may be anybody's guess, a bit of a
 * quotient for instance, and a guess is what a branch costs: half of them wrong, twenty
 * cycles each. Computing what is not wanted costs less. The computation moves in front
 * of the comparison, whose flags the choice finds in EFLAGS then. If they are lost anyhow, to
 * an ADC for instance, it stays where it is, and the choice compares again.
 */
#include "06-tcg/arm/interpret.h"
#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/translate/lifter.h"

#define CHOICES 3  /* instructions of a run, at most */
#define BEHIND  40 /* IR instructions between the comparison and the run, at most */
_Static_assert(BEHIND + 8 <= IR_REORDER, "with those of one more ARM instruction");

/* No effect but a register's new value, made by one operation or two that anybody may do early. */
static bool is_plain(const struct arm_insn *insn)
{
    bool sum = insn->op == ARM_ADC || insn->op == ARM_SBC || insn->op == ARM_RSC;

    return insn->op <= ARM_MVN && !insn->s && !sum && insn->rd != ARM_PC &&
           insn->operand != ARM_REG_BY_REG && !(insn->operand == ARM_REG && insn->shift == ARM_RRX);
}

/* The registers whose values it computes with. A plain MOV does not compute. */
static unsigned reads(const struct arm_insn *insn)
{
    bool moves = insn->op == ARM_MOV || insn->op == ARM_MVN;
    bool reg = insn->operand == ARM_REG;

    if (insn->op == ARM_MOV && reg && insn->shift == ARM_LSL && insn->amount == 0)
        return 0;
    return (moves ? 0 : 1u << insn->rn) | (reg ? 1u << insn->rm : 0);
}

/* Who has set the flags. */
struct setter {
    unsigned place;
    unsigned changed; /* the registers that have changed since */
    bool lost;        /* EFLAGS too; but the condition can compare again */
};

/* Conditions will find their flags in EFLAGS, if all goes well. */
static bool keeps_host_flags(const struct ir_block *block, const struct ir_insn *insn)
{
    return insn->op == IR_SELECT || insn->op == IR_EXIT_IF ||
           ir_keeps_host_flags(block, insn, IR_FLAGS_ALL);
}

/* Looks back for the comparison. False: there is none whose answer is at hand. */
static bool find_setter(const struct ir_block *block, struct setter *s)
{
    *s = (struct setter){0};
    for (unsigned i = block->count; i-- > 0 && block->count - i < BEHIND;) {
        const struct ir_insn *insn = &block->insns[i];
        bool carries = insn->op == IR_ADC || insn->op == IR_SBC; /* the carry of one before it */

        s->place = i;
        if (insn->op == IR_SKIP || insn->op == IR_LABEL ||
            (insn->op == IR_SET && insn->global >= IR_N))
            return false;
        if (insn->op == IR_SET)
            s->changed |= 1u << insn->global;
        else if (insn->flags & IR_FLAGS_ALL && s->lost)
            return insn->op == IR_SUB;
        else if (insn->flags & IR_FLAGS_ALL && !carries)
            return true;
        else if (!(insn->flags & IR_FLAGS_ALL) && !keeps_host_flags(block, insn))
            s->lost = true;
    }
    return false;
}

/* How many instructions from here on are a run that can be chosen instead of branched around? */
static unsigned count_choices(const struct lifter *l, const struct arm_insn *first)
{
    struct arm_cpu fetcher = {.space = l->cpu->space, .thumb = l->thumb};
    struct arm_insn insn = *first;
    uint32_t address = l->address;
    struct arm_stop stop;
    struct setter s;

    if (!find_setter(l->block, &s))
        return 0;
    for (unsigned n = 0; n <= CHOICES; n++) {
        if (insn.cond != first->cond)
            return n;
        if (!is_plain(&insn) || (!s.lost && reads(&insn) & s.changed))
            return 0;
        s.changed |= 1u << insn.rd;
        address += insn.length;
        if ((address ^ l->block->start) >= SPACE_PAGE_SIZE ||
            !arm_fetch(&fetcher, address, &insn, &stop))
            return 0;
    }
    return 0;
}

/* Moves the instructions from start on to place; everybody's operands follow. */
static void hoist(struct ir_block *block, unsigned place, unsigned start)
{
    bool first[IR_REORDER];

    for (unsigned i = place; i < block->count; i++)
        first[i - place] = i >= start;
    ir_reorder(block, place, block->count - place, first);
}

/* [choice] */
bool lift_choice(struct lifter *l, const struct arm_insn *insn)
{
    struct ir_block *b = l->block;
    unsigned start = b->count;
    struct setter s;
    ir_value value;

    if (l->options->no_choices || (!l->choices && !(l->choices = count_choices(l, insn))))
        return false;
    l->choices--;
    find_setter(b, &s);
    lift_data(l, insn);
    value = b->insns[--b->count].a; /* of its SET */
    if (!s.lost) {
        hoist(b, s.place, start);
        value = (ir_value)(value - (start - s.place));
    }
    value = ir_append(
        b, (struct ir_insn){
               .op = IR_SELECT, .cond = insn->cond, .a = value, .b = ir_get(b, insn->rd)});
    ir_set(b, insn->rd, value);
    return true;
}
/* [/choice] */
