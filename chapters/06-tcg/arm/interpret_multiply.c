/*
 * interpret_multiply.c: multiplication, and the saturating arithmetic of ARMv5TE.
 *
 * Three families. The plain ones give 32 bits, the long ones 64 in two registers;
 * with S both set N and Z and leave C and V alone (before ARMv5 C was destroyed).
 * The DSP ones multiply halfwords and do not care for N and Z, but remember in Q
 * that an accumulation or a saturation did not fit. Q stays until MSR clears it.
 *
 * Keep open: [ARM-ARM, A5.2.5 "Multiply and multiply accumulate"], [ARM-ARM, A5.2.6
 * "Saturating addition and subtraction"], [ARM-ARM, A5.2.7 "Halfword multiply and
 * multiply accumulate"].
 */
#include "06-tcg/arm/step.h"

/* One half of a register as a signed number. */
static int32_t half(uint32_t value, bool top)
{
    return (int16_t)(top ? value >> 16 : value);
}

static void set_short(struct step *s, uint32_t value)
{
    s->cpu->r[s->insn->rd] = value;
    if (s->insn->s)
        step_set_nz(s->cpu, value);
}

static void set_long(struct step *s, uint64_t value)
{
    s->cpu->r[s->insn->ra] = (uint32_t)value;
    s->cpu->r[s->insn->rd] = (uint32_t)(value >> 32);
    if (s->insn->s) {
        s->cpu->n = (uint8_t)(value >> 63);
        s->cpu->z = value == 0;
    }
}

/* The nearest number that 32 bits hold; Q tells that it is another one. */
static int32_t saturate(struct arm_cpu *cpu, int64_t value)
{
    if (value == (int32_t)value)
        return (int32_t)value;
    cpu->q = 1;
    return value < 0 ? INT32_MIN : INT32_MAX;
}

/* Halfword accumulation wraps, and Q tells. */
static uint32_t accumulate(struct arm_cpu *cpu, int64_t product, uint32_t addend)
{
    int64_t sum = product + (int32_t)addend;

    if (sum != (int32_t)sum)
        cpu->q = 1;
    return (uint32_t)sum;
}

bool step_multiply(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    struct arm_cpu *cpu = s->cpu;
    uint32_t n = cpu->r[insn->rn], m = cpu->r[insn->rm], a = cpu->r[insn->ra];
    uint64_t hi_lo = (uint64_t)cpu->r[insn->rd] << 32 | a;
    int64_t sn = (int32_t)n, sm = (int32_t)m;
    int64_t halves = (int64_t)half(n, insn->top_n) * half(m, insn->top_m);
    int64_t word_by_half = sn * half(m, insn->top_m) >> 16;

    switch (insn->op) {
    case ARM_MUL: set_short(s, n * m); break;
    case ARM_MLA: set_short(s, n * m + a); break;
    case ARM_MLS: set_short(s, a - n * m); break;
    case ARM_UMULL: set_long(s, (uint64_t)n * m); break;
    case ARM_UMLAL: set_long(s, (uint64_t)n * m + hi_lo); break;
    case ARM_SMULL: set_long(s, (uint64_t)(sn * sm)); break;
    case ARM_SMLAL: set_long(s, (uint64_t)(sn * sm) + hi_lo); break;
    case ARM_UMAAL: set_long(s, (uint64_t)n * m + cpu->r[insn->rd] + a); break;

    case ARM_SMULXY: set_short(s, (uint32_t)halves); break;
    case ARM_SMLAXY: set_short(s, accumulate(cpu, halves, a)); break;
    case ARM_SMULWY: set_short(s, (uint32_t)word_by_half); break;
    case ARM_SMLAWY: set_short(s, accumulate(cpu, word_by_half, a)); break;
    case ARM_SMLALXY: set_long(s, (uint64_t)halves + hi_lo); break;

    case ARM_QADD: set_short(s, (uint32_t)saturate(cpu, sm + sn)); break;
    case ARM_QSUB: set_short(s, (uint32_t)saturate(cpu, sm - sn)); break;
    case ARM_QDADD: set_short(s, (uint32_t)saturate(cpu, sm + saturate(cpu, 2 * sn))); break;
    case ARM_QDSUB: set_short(s, (uint32_t)saturate(cpu, sm - saturate(cpu, 2 * sn))); break;
    }
    return true;
}
