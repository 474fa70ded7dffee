/*
 * form.c: what the fields of an instruction mean, as its row's form says.
 *
 * After this nobody looks at the bits again: a Thumb instruction and the A32 instruction
 * that does the same are the same struct arm_insn. See encodings.h.
 */
#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/encodings.h"

/* Eight bits rotated right by twice r.
   [ARM-ARM, A5.2.4 "Modified immediate constants in ARM instructions"] */
static void rotated(struct arm_insn *insn, const struct fields *f)
{
    unsigned turn = 2 * f->r;

    insn->imm = turn ? f->i >> turn | f->i << (32 - turn) : f->i;
    insn->carry = !turn ? ARM_CARRY_KEPT : insn->imm >> 31 ? ARM_CARRY_1 : ARM_CARRY_0;
}

static void extended(struct arm_insn *insn)
{
    insn->operand = ARM_REG;
    insn->shift = ARM_RRX;
    insn->amount = 1;
}

/* [shift] */
/* What "by 0" would waste encodes LSR and ASR by 32, and RRX.
   [ARM-ARM, A8.4.3 "Pseudocode details of instruction-specified shifts and rotates"] */
static void shifted(struct arm_insn *insn, const struct fields *f, unsigned type)
{
    insn->operand = ARM_REG;
    insn->shift = (uint8_t)type;
    insn->amount = (uint8_t)f->a;
    if (f->a == 0 && (type == ARM_LSR || type == ARM_ASR))
        insn->amount = 32;
    if (f->a == 0 && type == ARM_ROR)
        extended(insn);
}
/* [/shift] */

/* To Thumb: one more bit (H in the manual, a here) allows for halfword targets. */
static uint32_t target(const struct fields *f, unsigned form)
{
    uint32_t sign = UINT32_C(1) << ((form >> 24 & 31) - 1);

    return ((f->i ^ sign) - sign) << (form >> 29) | f->a << 1;
}

static void set_operand(struct arm_insn *insn, const struct fields *f, unsigned form)
{
    switch (form & OPERAND) {
    case REG: insn->operand = ARM_REG; break;
    case IMM: insn->carry = ARM_CARRY_KEPT; break;
    case ROTATED: rotated(insn, f); break;
    case SHIFTED: shifted(insn, f, f->t); break;
    case EXTENDED: extended(insn); break;
    case BY_REG:
        insn->operand = ARM_REG_BY_REG;
        insn->shift = (uint8_t)(f->t | (form >> 22 & 3));
        break;
    case TARGET: insn->imm = target(f, form); break;
    case BYTES: insn->amount = (uint8_t)(8 * f->r); break;
    case WIDTH: insn->imm = f->w + 1; break;
    case LAST: insn->imm = f->w - f->a + 1; break;
    case SATURATE:
        shifted(insn, f, form >> 22 & 3);
        insn->imm = f->w + (insn->op == ARM_SSAT);
        break;
    }
    if (form & SCALED)
        insn->imm *= insn->size ? insn->size : 4;
    if (form & ONE)
        insn->imm = insn->size;
}

static void set_registers(struct arm_insn *insn, const struct fields *f, unsigned form)
{
    if (form & (N_IS_D | N_IS_SP | N_IS_PC | NO_N))
        insn->rn = form & N_IS_D    ? insn->rd
                   : form & N_IS_SP ? ARM_SP
                   : form & N_IS_PC ? ARM_PC
                                    : ARM_NO_REG;
    if (form & M_IS_D)
        insn->rm = insn->rd;
    if (form & D_IS_SP)
        insn->rd = ARM_SP;
    if (form & (D_PAIR | M_PAIR))
        insn->ra = (form & D_PAIR ? insn->rd : insn->rm) + 1;
    if (form & (LR_TOO | PC_TOO))
        insn->list |= (uint16_t)(f->a << (form & LR_TOO ? ARM_LR : ARM_PC));
}

void encoding_complete(struct arm_insn *insn, const struct fields *f, unsigned form)
{
    if (!form)
        return;
    insn->s |= (form & SETS) != 0;
    insn->index |= (form & INDEX) != 0;
    insn->add |= (form & ADD) != 0;
    insn->writeback |= form & BACK || (form & POST && !f->P) ||
                       (form & KEEPS && !(f->l >> f->n & 1));
    set_operand(insn, f, form);
    set_registers(insn, f, form);
}
