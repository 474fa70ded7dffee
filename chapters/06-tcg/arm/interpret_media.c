/*
 * interpret_media.c: bits and bytes within one register, saturation, and division.
 *
 * ARMv5TE has only CLZ; the others came with ARMv6 and ARMv7 and turn up where a
 * library asks which processor it runs on.
 *
 * Division never traps: by zero it gives zero, and the one quotient that does not
 * fit, -2^31 / -1, wraps to -2^31. x86 raises an exception for both.
 *
 * Keep open: [ARM-ARM, A5.4 "Media instructions"], [ARM-ARM, A4.4.8 "Divide
 * instructions"].
 */
#include "06-tcg/arm/shift.h"
#include "06-tcg/arm/step.h"

static uint32_t reverse_bits(uint32_t value)
{
    uint32_t result = 0;

    for (unsigned bit = 0; bit < 32; bit++)
        result |= (value >> bit & 1) << (31 - bit);
    return result;
}

/* Bytes of each half in the other order. */
static uint32_t reverse_halves(uint32_t value)
{
    return (value & 0x00ff00ff) << 8 | (value >> 8 & 0x00ff00ff);
}

static uint32_t divide_signed(uint32_t n, uint32_t m)
{
    if (m == 0)
        return 0;
    if (m == UINT32_MAX)
        return -n;
    return (uint32_t)((int32_t)n / (int32_t)m);
}

/* imm bits from bit amount on, moved down to bit 0. */
static uint32_t field(const struct arm_insn *insn, uint32_t value)
{
    return value >> insn->amount & (UINT32_MAX >> (32 - insn->imm));
}

static uint32_t sign_extend(uint32_t value, unsigned width)
{
    uint32_t sign = UINT32_C(1) << (width - 1);

    return (value ^ sign) - sign;
}

static uint32_t insert(const struct arm_insn *insn, uint32_t into, uint32_t value)
{
    uint32_t mask = (UINT32_MAX >> (32 - insn->imm)) << insn->amount;

    return (into & ~mask) | (value << insn->amount & mask);
}

/* How many values there are of this width, which is 32 at most. */
static int64_t limit(const struct arm_insn *insn)
{
    return INT64_C(1) << insn->imm;
}

/* Q tells that the value did not fit. */
static uint32_t saturate(const struct step *s, int64_t least, int64_t most)
{
    bool ignored = false;
    int32_t value = (int32_t)step_operand2(s, &ignored);

    if (value >= least && value <= most)
        return (uint32_t)value;
    s->cpu->q = 1;
    return (uint32_t)(value < least ? least : most);
}

bool step_media(struct step *s)
{
    const struct arm_insn *insn = s->insn;
    struct arm_cpu *cpu = s->cpu;
    uint32_t n = insn->rn == ARM_NO_REG ? 0 : cpu->r[insn->rn], m = cpu->r[insn->rm];
    bool ignored = false;
    uint32_t turned = arm_shift(m, ARM_ROR, insn->amount, &ignored);
    uint32_t *d = &cpu->r[insn->rd];

    switch (insn->op) {
    case ARM_MOVT: *d = (*d & 0xffff) | insn->imm << 16; break;
    case ARM_CLZ: *d = m ? (uint32_t)__builtin_clz(m) : 32; break;
    case ARM_REV: *d = __builtin_bswap32(m); break;
    case ARM_REV16: *d = reverse_halves(m); break;
    case ARM_REVSH: *d = sign_extend(reverse_halves(m) & 0xffff, 16); break;
    case ARM_RBIT: *d = reverse_bits(m); break;
    case ARM_SXTB: *d = n + sign_extend(turned & 0xff, 8); break;
    case ARM_SXTH: *d = n + sign_extend(turned & 0xffff, 16); break;
    case ARM_UXTB: *d = n + (turned & 0xff); break;
    case ARM_UXTH: *d = n + (turned & 0xffff); break;
    case ARM_SDIV: *d = divide_signed(n, m); break;
    case ARM_UDIV: *d = m ? n / m : 0; break;
    case ARM_SBFX: *d = sign_extend(field(insn, n), insn->imm); break;
    case ARM_UBFX: *d = field(insn, n); break;
    case ARM_BFI: *d = insert(insn, *d, n); break;
    case ARM_SSAT: *d = saturate(s, -limit(insn) / 2, limit(insn) / 2 - 1); break;
    case ARM_USAT: *d = saturate(s, 0, limit(insn) - 1); break;
    }
    return true;
}
