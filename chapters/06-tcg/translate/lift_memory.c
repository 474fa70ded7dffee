/*
 * lift_memory.c: loads and stores.
 *
 * Whatever an address costs on ARM, x86 takes base + index * 2^n + constant for free,
 * so the offset goes into the LOAD or STORE as it is where that is possible. The
 * base is written back after the access: if that faults, it is as if nothing had
 * happened.
 *
 * Unaligned words and halfwords are read and written where they lie, as on ARMv6 and
 * later under Linux. Pairs and lists must be aligned; one that is not goes to the
 * interpreter, which knows what happens then. [ARM-ARM, A3.2.1 "Unaligned data access"]
 */
#include "06-tcg/space.h"
#include "06-tcg/translate/lifter.h"

/* An address as LOAD and STORE take it. */
struct address {
    ir_value base, index;
    uint8_t scale;
    uint32_t disp;
};

/* What the base register becomes with writeback, given its value before. */
static ir_value moved_base(struct lifter *l, const struct arm_insn *insn, ir_value base)
{
    struct ir_block *b = l->block;
    ir_value offset = insn->operand == ARM_IMM ? ir_const(b, insn->imm)
                                               : lift_shifted(l, insn, lift_read(l, insn->rm));

    return ir_binary(b, insn->add ? IR_ADD : IR_SUB, base, offset);
}

/* R15 as a base; in Thumb code the word it is in. */
static ir_value lift_base(struct lifter *l, const struct arm_insn *insn)
{
    return insn->rn == ARM_PC ? ir_const(l->block, lift_pc(l) & ~3u) : lift_read(l, insn->rn);
}

static struct address lift_address(struct lifter *l, const struct arm_insn *insn, ir_value base)
{
    struct address at = {.base = base, .index = IR_NONE};

    if (!insn->index) /* the offset counts only afterwards */
        return at;
    if (insn->operand == ARM_IMM) {
        at.disp = insn->add ? insn->imm : -insn->imm;
    } else if (insn->add && insn->shift == ARM_LSL && insn->amount <= 3) {
        at.index = lift_read(l, insn->rm);
        at.scale = insn->amount;
    } else if (insn->add && !insn->writeback) {
        at.index = lift_shifted(l, insn, lift_read(l, insn->rm));
    } else {
        at.base = moved_base(l, insn, base);
    }
    return at;
}

static ir_value load(struct lifter *l, struct address at, const struct arm_insn *insn,
                     unsigned size, uint32_t further)
{
    return ir_append(l->block, (struct ir_insn){.op = IR_LOAD,
                                                .size = (uint8_t)size,
                                                .sign = insn->sign,
                                                .a = at.base,
                                                .b = at.index,
                                                .scale = at.scale,
                                                .imm = at.disp + further});
}

static void store(struct lifter *l, struct address at, unsigned size, uint32_t further,
                  ir_value value)
{
    ir_append(l->block, (struct ir_insn){.op = IR_STORE,
                                         .size = (uint8_t)size,
                                         .a = at.base,
                                         .b = at.index,
                                         .scale = at.scale,
                                         .imm = at.disp + further,
                                         .c = value});
}

/* Pairs and lists: base plus constant, with an index added to the base beforehand. */
static void require_aligned(struct lifter *l, struct address *at)
{
    struct ir_block *b = l->block;
    ir_value address;

    if (at->index != IR_NONE)
        at->base = ir_binary(b, IR_ADD, at->base, at->index);
    at->index = IR_NONE;
    address = at->disp % 4 ? ir_binary(b, IR_ADD, at->base, ir_const(b, at->disp)) : at->base;
    ir_append(b, (struct ir_insn){.op = IR_ALIGNED, .a = address, .imm = lift_key(l, l->address)});
}

/*
 * A word next to the code is a constant: the page is write-protected while this block
 * exists, and whoever changes the word removes the block.
 */
static bool lift_literal(struct lifter *l, const struct arm_insn *insn)
{
    struct space *space = l->cpu->space;
    uint32_t address = (lift_pc(l) & ~3u) + (insn->add ? insn->imm : -insn->imm), word;

    if (l->options->no_literals || insn->op != ARM_LDR || insn->rn != ARM_PC ||
        insn->rd == ARM_PC || insn->operand != ARM_IMM || !insn->index || insn->writeback ||
        insn->size != 4 || address % 4 || (address ^ l->block->start) >= SPACE_PAGE_SIZE ||
        space_flags(space, address) & SPACE_SHARED ||
        space_read(space, address, &word, sizeof word) < 0)
        return false;
    ir_set(l->block, insn->rd, ir_const(l->block, word));
    return true;
}

static void lift_single(struct lifter *l, const struct arm_insn *insn)
{
    ir_value base = lift_base(l, insn);
    struct address at = lift_address(l, insn, base);
    ir_value value = 0;

    if (insn->op == ARM_LDR)
        value = load(l, at, insn, insn->size, 0);
    else
        store(l, at, insn->size, 0, lift_read(l, insn->rd));
    if (insn->writeback)
        ir_set(l->block, insn->rn, moved_base(l, insn, base));
    if (insn->op == ARM_LDR)
        lift_write_interworking(l, insn->rd, value);
}

static void lift_double(struct lifter *l, const struct arm_insn *insn)
{
    ir_value base = lift_base(l, insn);
    struct address at = lift_address(l, insn, base);
    ir_value first = 0, second = 0;

    require_aligned(l, &at);
    if (insn->op == ARM_LDRD) {
        first = load(l, at, insn, 4, 0);
        second = load(l, at, insn, 4, 4);
    } else {
        store(l, at, 4, 0, lift_read(l, insn->rd));
        store(l, at, 4, 4, lift_read(l, insn->ra));
    }
    if (insn->writeback)
        ir_set(l->block, insn->rn, moved_base(l, insn, base));
    if (insn->op == ARM_LDRD) {
        ir_set(l->block, insn->rd, first);
        ir_set(l->block, insn->ra, second);
    }
}

/* The lowest address of an LDM or STM, relative to the base. */
static uint32_t multiple_start(const struct arm_insn *insn, uint32_t bytes)
{
    if (insn->add)
        return insn->index ? 4 : 0;
    return insn->index ? -bytes : 4 - bytes;
}

/* [multiple] */
/*
 * Registers change one by one as their words arrive, but for the base and R15, which
 * change when nothing can fault any more: then the instruction can start again.
 */
static void lift_load_multiple(struct lifter *l, const struct arm_insn *insn, struct address at,
                               ir_value moved)
{
    ir_value base = IR_NONE, pc = IR_NONE;

    for (unsigned n = 0; n < 16; n++) {
        if (!(insn->list >> n & 1))
            continue;

        ir_value value = load(l, at, insn, 4, 0);

        if (n == ARM_PC)
            pc = value;
        else if (n == insn->rn)
            base = value;
        else
            ir_set(l->block, n, value);
        at.disp += 4;
    }
    if (insn->writeback)
        ir_set(l->block, insn->rn, ir_binary(l->block, IR_ADD, at.base, moved));
    if (base != IR_NONE)
        ir_set(l->block, insn->rn, base);
    if (pc != IR_NONE)
        lift_write_interworking(l, ARM_PC, pc);
}
/* [/multiple] */

static void lift_store_multiple(struct lifter *l, const struct arm_insn *insn, struct address at,
                                ir_value moved)
{
    for (unsigned n = 0; n < 16; n++) {
        if (!(insn->list >> n & 1))
            continue;
        store(l, at, 4, 0, lift_read(l, n));
        at.disp += 4;
    }
    if (insn->writeback)
        ir_set(l->block, insn->rn, ir_binary(l->block, IR_ADD, at.base, moved));
}

static void lift_multiple(struct lifter *l, const struct arm_insn *insn)
{
    uint32_t bytes = 4 * (uint32_t)__builtin_popcount(insn->list);
    struct address at = {
        .base = lift_read(l, insn->rn), .index = IR_NONE, .disp = multiple_start(insn, bytes)};
    ir_value moved = ir_const(l->block, insn->add ? bytes : -bytes);

    require_aligned(l, &at);
    if (insn->op == ARM_LDM)
        lift_load_multiple(l, insn, at, moved);
    else
        lift_store_multiple(l, insn, at, moved);
}

bool lift_memory(struct lifter *l, const struct arm_insn *insn)
{
    switch (insn->op) {
    case ARM_LDR:
    case ARM_STR:
        if (!lift_literal(l, insn))
            lift_single(l, insn);
        return true;
    case ARM_LDRD:
    case ARM_STRD: lift_double(l, insn); return true;
    case ARM_LDM:
    case ARM_STM:
        if (insn->list == 0)
            return false;
        lift_multiple(l, insn);
        return true;
    default: return false;
    }
}
