/*
 * cpu.c: flags, conditions, and the word they are packed into.
 *
 * Modelled: the bits of the CPSR that belong to a user program. Left out: modes,
 * interrupt masks, endianness (always little), IT state and Jazelle.
 *
 *   31 30 29 28 27 26     20 19  16 15       6 5 4     0
 *  | N| Z| C| V| Q|   ...  |  GE  |    ...   |T|  mode |
 *
 * Keep open: [ARM-ARM, B1.3.3 "Program Status Registers (PSRs)"] and
 * [ARM-ARM, A8.3 "Conditional execution"].
 */
#include "06-tcg/arm/cpu.h"
#include "common/bits.h"

uint32_t arm_cpsr(const struct arm_cpu *cpu)
{
    return (uint32_t)cpu->n << 31 | (uint32_t)cpu->z << 30 | (uint32_t)cpu->c << 29 |
           (uint32_t)cpu->v << 28 | (uint32_t)cpu->q << 27 | (uint32_t)cpu->ge << 16 |
           (cpu->thumb ? CPSR_T : 0) | CPSR_USER;
}

void arm_set_cpsr(struct arm_cpu *cpu, uint32_t cpsr)
{
    cpu->n = !!(cpsr & CPSR_N);
    cpu->z = !!(cpsr & CPSR_Z);
    cpu->c = !!(cpsr & CPSR_C);
    cpu->v = !!(cpsr & CPSR_V);
    cpu->q = !!(cpsr & CPSR_Q);
    cpu->ge = (uint8_t)bits(cpsr, 19, 16);
    cpu->thumb = !!(cpsr & CPSR_T);
}

/* [conditions] */
/* Conditions come in pairs: the odd one is the even one's opposite, but for 14 and 15. */
bool arm_condition(const struct arm_cpu *cpu, unsigned cond)
{
    bool holds = true;

    switch (cond >> 1) {
    case 0: holds = cpu->z; break;                      /* EQ, NE */
    case 1: holds = cpu->c; break;                      /* CS, CC */
    case 2: holds = cpu->n; break;                      /* MI, PL */
    case 3: holds = cpu->v; break;                      /* VS, VC */
    case 4: holds = cpu->c && !cpu->z; break;           /* HI, LS */
    case 5: holds = cpu->n == cpu->v; break;            /* GE, LT */
    case 6: holds = cpu->n == cpu->v && !cpu->z; break; /* GT, LE */
    case 7: return true;                                /* AL, and the unconditional space */
    }
    return (cond & 1) ? !holds : holds;
}
/* [/conditions] */
