/*
 * liveness.c: which flags the code at a key may read before it sets them.
 *
 * A block ends with CMP and BNE. Must the four flags be written for whoever comes next?
 * We look: a few instructions at either target, along branches, until all flags are set
 * anew. What may fault or stop counts as a reader of all, since it shows the flags to
 * the guest.
 *
 * We look only at the page where the block itself is. When the page changes, the block
 * is forgotten with it; no other page would tell us.
 *
 * The price is that between two blocks the flags in memory may be stale. Nobody sees
 * that but an asynchronous stop, and for that translator_run() lets the interpreter go
 * on to where they are right again.
 */
#include "06-tcg/arm/insn.h"
#include "06-tcg/arm/interpret.h"
#include "06-tcg/translate/engine.h"

#define COND_ALWAYS 14
#define STEPS       8 /* instructions looked at, on one way */

/* What one instruction does with flags. */
struct effect {
    unsigned reads, writes;
    bool stops; /* it may show all flags, or go who knows where */
};

static bool is_logic(const struct arm_insn *insn)
{
    return insn->op <= ARM_EOR || insn->op == ARM_TST || insn->op == ARM_TEQ || insn->op >= ARM_ORR;
}

static struct effect data_effect(const struct arm_insn *insn)
{
    struct effect e = {.stops = insn->rd == ARM_PC && !arm_compares(insn)};
    bool rrx = insn->operand == ARM_REG && insn->shift == ARM_RRX;

    if (insn->op == ARM_ADC || insn->op == ARM_SBC || insn->op == ARM_RSC || rrx)
        e.reads = IR_FLAG_C;
    if (!insn->s)
        return e;
    e.writes = is_logic(insn) ? IR_FLAGS_NZ : IR_FLAGS_ALL;
    if (is_logic(insn) && insn->operand == ARM_REG_BY_REG)
        e.reads |= IR_FLAG_C; /* C stays if the amount is 0 */
    if (is_logic(insn) && (rrx || (insn->operand == ARM_REG && insn->amount) ||
                           (insn->operand == ARM_IMM && insn->carry != ARM_CARRY_KEPT)))
        e.writes |= IR_FLAG_C;
    return e;
}

static struct effect effect_of(const struct arm_insn *insn)
{
    if (insn->op <= ARM_MVN)
        return data_effect(insn);
    if (insn->op >= ARM_MUL && insn->op <= ARM_SMLALXY)
        return (struct effect){.writes = insn->s ? IR_FLAGS_NZ : 0};
    return (struct effect){.stops = insn->op != ARM_HINT && insn->op != ARM_CLZ};
}

struct look {
    const struct translator *t;
    uint32_t page; /* of the block we look for */
};

/* pending are the flags whose fate is open. What is still pending at the end may be shown. */
static struct ir_live look(const struct look *l, uint32_t key, unsigned pending, unsigned steps)
{
    struct arm_cpu fetcher = {.space = l->t->space, .thumb = key & 1};
    uint32_t address = key & ~1u;
    struct ir_live live = {0};
    struct arm_insn insn;
    struct arm_stop stop;

    for (; pending && steps; steps--) {
        uint32_t pc = address + (fetcher.thumb ? 4 : 8);

        if (address >> SPACE_PAGE_SHIFT != l->page || !arm_fetch(&fetcher, address, &insn, &stop))
            break;
        if (insn.cond != COND_ALWAYS)
            live.read |= ir_cond_flags(insn.cond) & pending;
        address += insn.length;
        if (insn.op == ARM_B && insn.cond == COND_ALWAYS) {
            address = pc + insn.imm;
        } else if (insn.op == ARM_B) {
            struct ir_live there = look(l, (pc + insn.imm) | fetcher.thumb, pending, steps / 2);

            live.read |= there.read;
            live.shown |= there.shown;
        } else {
            struct effect e = effect_of(&insn);

            if (e.stops)
                break;
            live.read |= e.reads & pending;
            if (insn.cond == COND_ALWAYS)
                pending &= ~e.writes;
        }
    }
    live.shown |= pending;
    return live;
}

struct ir_live engine_live_flags(const struct translator *t, uint32_t page, uint32_t key)
{
    struct look l = {.t = t, .page = page};

    return look(&l, key, IR_FLAGS_ALL, STEPS);
}

unsigned engine_flags_set(const struct arm_cpu *cpu)
{
    struct arm_insn insn;
    struct arm_stop stop;

    if (!arm_fetch(cpu, cpu->r[ARM_PC], &insn, &stop) || !arm_condition(cpu, insn.cond))
        return 0;
    return effect_of(&insn).writes;
}
