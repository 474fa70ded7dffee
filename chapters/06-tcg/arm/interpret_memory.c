/*
 * interpret_memory.c: loads and stores of one register, of two, of a list.
 *
 * Each has the same three steps: work out the address, access memory, then change
 * registers. As the last step cannot fail, an instruction that faults has changed
 * no register, and the kernel can have it tried again once it has mapped the page.
 * A list that is stored up to an unmapped page has changed memory up to there; that
 * is allowed, and trying again stores the same words.
 *
 *     index, writeback     [r1, #4]!     address = base + offset, base = address
 *     index                [r1, #4]      address = base + offset
 *     neither              [r1], #4      address = base,          base + offset
 *
 * Keep open: [ARM-ARM, A8.5 "Memory accesses"], [ARM-ARM, A5.3 "Load/store word and
 * unsigned byte"], [ARM-ARM, A5.5 "Branch, branch with link, and block data
 * transfer"], [ARM-ARM, B1.9.8 "Data Abort exception"].
 */
#include "06-tcg/arm/memory.h"
#include "06-tcg/arm/step.h"

/* As a base the PC counts from a word boundary, which matters to Thumb's literals. */
static uint32_t base_of(const struct step *s)
{
    uint32_t base = step_reg(s, s->insn->rn);

    return s->insn->rn == ARM_PC ? base & ~UINT32_C(3) : base;
}

/* The base with the offset applied. */
static uint32_t moved(const struct step *s)
{
    bool carry;
    uint32_t offset = step_operand2(s, &carry);

    return s->insn->add ? base_of(s) + offset : base_of(s) - offset;
}

static void write_base_back(struct step *s, uint32_t base)
{
    if (s->insn->writeback)
        s->cpu->r[s->insn->rn] = base;
}

static uint32_t sign_extend(uint64_t value, unsigned size)
{
    return size == 1   ? (uint32_t)(int8_t)value
           : size == 2 ? (uint32_t)(int16_t)value
                       : (uint32_t)value;
}

static bool load(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    uint32_t base = moved(s), address = insn->index ? base : base_of(s);
    uint64_t value;

    if (!memory_load(s->cpu, address, insn->size, &value, s->stop))
        return false;
    write_base_back(s, base);
    if (insn->rd == ARM_PC)
        step_jump_exchange(s, (uint32_t)value);
    else
        s->cpu->r[insn->rd] = insn->sign ? sign_extend(value, insn->size) : (uint32_t)value;
    return true;
}

static bool store(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    uint32_t base = moved(s), address = insn->index ? base : base_of(s);

    if (!memory_store(s->cpu, address, insn->size, step_reg(s, insn->rd), s->stop))
        return false;
    write_base_back(s, base);
    return true;
}

/* Two words, the lower register's first; they need the alignment of one. */
static bool load_pair(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    uint32_t base = moved(s), address = insn->index ? base : base_of(s);
    uint64_t value;

    if (!memory_aligned(address, 4, ARM_READ, s->stop) ||
        !memory_load(s->cpu, address, 8, &value, s->stop))
        return false;
    write_base_back(s, base);
    s->cpu->r[insn->rd] = (uint32_t)value;
    s->cpu->r[insn->ra] = (uint32_t)(value >> 32);
    return true;
}

static bool store_pair(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    uint32_t base = moved(s), address = insn->index ? base : base_of(s);
    uint64_t value = (uint64_t)s->cpu->r[insn->ra] << 32 | s->cpu->r[insn->rd];

    if (!memory_aligned(address, 4, ARM_WRITE, s->stop) ||
        !memory_store(s->cpu, address, 8, value, s->stop))
        return false;
    write_base_back(s, base);
    return true;
}

/* [list] */
/* The lowest register lies at the lowest address, whichever way the base goes. */
static uint32_t list_start(const struct step *s, uint32_t *base)
{
    const struct arm_insn *insn = s->insn;
    uint32_t size = 4 * (uint32_t)__builtin_popcount(insn->list), at = s->cpu->r[insn->rn];

    *base = insn->add ? at + size : at - size;
    if (insn->add)
        return insn->index ? at + 4 : at;
    return insn->index ? at - size : at - size + 4;
}

static bool load_list(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    uint32_t base, address = list_start(s, &base);
    uint64_t value[16];

    if (!memory_aligned(address, 4, ARM_READ, s->stop))
        return false;
    for (unsigned r = 0; r < 16; r++) {
        if (insn->list >> r & 1) {
            if (!memory_load(s->cpu, address, 4, &value[r], s->stop))
                return false;
            address += 4;
        }
    }
    write_base_back(s, base);
    for (unsigned r = 0; r < ARM_PC; r++)
        if (insn->list >> r & 1)
            s->cpu->r[r] = (uint32_t)value[r];
    if (insn->list >> ARM_PC & 1)
        step_jump_exchange(s, (uint32_t)value[ARM_PC]);
    return true;
}
/* [/list] */

/* A base in its own list is stored as it was before. */
static bool store_list(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    uint32_t base, address = list_start(s, &base);

    if (!memory_aligned(address, 4, ARM_WRITE, s->stop))
        return false;
    for (unsigned r = 0; r < 16; r++) {
        if (insn->list >> r & 1) {
            if (!memory_store(s->cpu, address, 4, step_reg(s, r), s->stop))
                return false;
            address += 4;
        }
    }
    write_base_back(s, base);
    return true;
}

bool step_memory(struct step *s)
{
    switch (s->insn->op) {
    case ARM_LDR: return load(s);
    case ARM_STR: return store(s);
    case ARM_LDRD: return load_pair(s);
    case ARM_STRD: return store_pair(s);
    case ARM_LDM: return load_list(s);
    default: return store_list(s);
    }
}
