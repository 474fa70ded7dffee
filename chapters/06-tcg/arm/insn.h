/*
 * insn.h: one decoded ARM or Thumb instruction.
 *
 * A32 and Thumb decode to the same form, so whoever executes or translates it need
 * not know which it was, but for its length and for what R15 reads as. All fields
 * are plain numbers, already expanded: a rotated constant is its value, "LSR #0" is
 * a shift by 32, an offset counts bytes. A field that the operation does not have
 * is 0; where a register is optional (-1 below) its absence is ARM_NO_REG.
 *
 *   group                 rd        rn          rm      ra        others
 *   AND ... MVN           result    left        right   shift by  operand 2, s
 *   MOVT                  both      -           -       -         imm (16 bits)
 *   MUL, MLA, MLS         result    left        right   addend    s
 *   UMULL ... UMAAL       high      left        right   low       s
 *   SMULXY, SMLAXY        result    left        right   addend    top_n, top_m
 *   SMULWY, SMLAWY        result    left        right   addend    top_m
 *   SMLALXY               high      left        right   low       top_n, top_m
 *   QADD ... QDSUB        result    right       left    -
 *   CLZ, REV ...          result    -           operand -
 *   SXTB ... UXTH         result    addend, -1  operand -         amount (rotation)
 *   SDIV, UDIV            result    left        right   -
 *   SBFX, UBFX            result    operand     -       -         amount (lsb), imm (width)
 *   BFI                   both      source, -1  -       -         amount (lsb), imm (width)
 *   SSAT, USAT            result    -           operand -         shift, imm (width)
 *   LDR, STR              data      base        offset  -         size, sign, address mode
 *   LDRD, STRD            data      base        offset  data + 1  address mode
 *   LDM, STM              -         base        -       -         list, address mode
 *   LDREX                 data      base        -       data + 1  size
 *   STREX                 status    base        data    data + 1  size
 *   SWP                   result    base        data    -         size
 *   B, BL, BLX            -         -           target  -         imm if no rm
 *   MRS, MSR              data      -           data    -         imm, list (field mask)
 *
 * Manual to have open: [ARM-ARM, A8.8 "Alphabetical list of instructions"].
 */
#ifndef TCG_ARM_INSN_H
#define TCG_ARM_INSN_H

#include <stdbool.h>
#include <stdint.h>

enum arm_op {
    /* Data processing, in the order of their opcode field, bits 24:21. */
    ARM_AND,
    ARM_EOR,
    ARM_SUB,
    ARM_RSB,
    ARM_ADD,
    ARM_ADC,
    ARM_SBC,
    ARM_RSC,
    ARM_TST,
    ARM_TEQ,
    ARM_CMP,
    ARM_CMN,
    ARM_ORR,
    ARM_MOV, /* MOVW too: a constant without flags */
    ARM_BIC,
    ARM_MVN,

    ARM_MOVT,

    ARM_MUL,
    ARM_MLA,
    ARM_MLS,
    ARM_UMULL,
    ARM_UMLAL,
    ARM_SMULL,
    ARM_SMLAL,
    ARM_UMAAL,

    ARM_SMULXY,
    ARM_SMLAXY,
    ARM_SMULWY,
    ARM_SMLAWY,
    ARM_SMLALXY,
    ARM_QADD,
    ARM_QSUB,
    ARM_QDADD,
    ARM_QDSUB,

    ARM_CLZ,
    ARM_REV,
    ARM_REV16,
    ARM_REVSH,
    ARM_RBIT,
    ARM_SXTB,
    ARM_SXTH,
    ARM_UXTB,
    ARM_UXTH,
    ARM_SDIV,
    ARM_UDIV,
    ARM_SBFX,
    ARM_UBFX,
    ARM_BFI,
    ARM_SSAT,
    ARM_USAT,

    ARM_LDR,
    ARM_STR,
    ARM_LDRD,
    ARM_STRD,
    ARM_LDM,
    ARM_STM,
    ARM_SWP,
    ARM_LDREX,
    ARM_STREX,
    ARM_CLREX,

    ARM_B,   /* to R15 as read + imm */
    ARM_BL,  /* the same, leaving the return address in LR */
    ARM_BLX, /* imm: changes the instruction set; else to rm, bit 0 chooses the set */
    ARM_BX,  /* to rm, bit 0 chooses the set */

    ARM_MRS,
    ARM_MSR,
    ARM_GET_TLS, /* MRC p15, 0, Rd, c13, c0, 3 */
    ARM_BARRIER, /* DMB, DSB, ISB and their ancestors in cp15 */
    ARM_HINT,    /* NOP, YIELD, WFE, WFI, SEV, PLD: nothing to do */
    ARM_SVC_OP,  /* imm: the comment field */
    ARM_BKPT,    /* imm: its number */
    ARM_UNDEF,   /* no such instruction, or none that we promise anything about */
};

/* Operand 2 of data processing, offset of LDR and STR, operand of MSR, target of B. */
enum arm_operand {
    ARM_IMM,        /* imm */
    ARM_REG,        /* rm, shifted by the constant amount */
    ARM_REG_BY_REG, /* rm, shifted by the low byte of ra */
};

/* In the order of the shift type field, bits 6:5; RRX is ROR #0 in the encoding. */
enum arm_shift {
    ARM_LSL, /* amount 0..31; 0 leaves value and carry as they are */
    ARM_LSR, /* amount 1..32 */
    ARM_ASR, /* amount 1..32 */
    ARM_ROR, /* amount 1..31 */
    ARM_RRX, /* by one, through the carry flag */
};

/* Where the carry of a constant operand 2 comes from. */
enum arm_carry {
    ARM_CARRY_0,
    ARM_CARRY_1,
    ARM_CARRY_KEPT, /* the constant was not rotated: C stays */
};

#define ARM_NO_REG 0xff
#define ARM_NO_ROW 0xffff

struct arm_insn {
    uint32_t raw;   /* as fetched; a Thumb pair has its second half in bits 31:16 */
    uint16_t row;   /* of the table of encodings; for the disassembler */
    bool thumb;     /* which of the two tables that is */
    uint8_t length; /* in bytes: 2 or 4 */
    uint8_t op;     /* enum arm_op */
    uint8_t cond;   /* 0..14; 14 is always */
    bool s;         /* sets flags */
    uint8_t rd, rn, rm, ra;
    uint8_t operand; /* enum arm_operand */
    uint8_t shift;   /* enum arm_shift */
    uint8_t amount;  /* of the shift */
    uint8_t carry;   /* enum arm_carry, if operand is ARM_IMM */
    uint32_t imm;    /* constant, or unsigned offset, or signed branch offset */
    uint8_t size;    /* of a load or store: 1, 2, 4 or 8 bytes */
    bool sign;       /* the loaded byte or halfword is sign-extended */
    /*
     * The address mode. The address is base +- offset if index, else base; with
     * writeback the base becomes base +- offset, whichever was used. LDM and STM
     * have four bytes per register in place of an offset: the lowest register is
     * at the lowest address.
     */
    bool index;        /* P: the offset counts before the access */
    bool add;          /* U: it is added, not subtracted */
    bool writeback;    /* W, or no P */
    bool top_n, top_m; /* DSP multiplies: the upper half of that register */
    uint16_t list;     /* LDM, STM: bit n is register n; MSR: its field mask */
};

/*
 * Decodes the A32 instruction raw. What the architecture leaves UNDEFINED or
 * UNPREDICTABLE decodes as ARM_UNDEF, and so does what this chapter does not know.
 */
struct arm_insn arm_decode(uint32_t raw);

/*
 * Decodes the Thumb instruction whose first halfword is in bits 15:0. If
 * arm_thumb_is_pair() says so its second halfword must be in bits 31:16.
 */
struct arm_insn arm_decode_thumb(uint32_t raw);

/* Is the halfword the first one of two, as those of BL and BLX are? */
static inline bool arm_thumb_is_pair(uint16_t first)
{
    return first >= 0xe800;
}

/*
 * The instruction in the assembler's syntax (UAL, as objdump prints it): mnemonic,
 * a tab, operands. address is where it lies: branch targets are absolute. At most
 * size bytes, always terminated. Returns text.
 */
char *arm_disassemble(const struct arm_insn *insn, uint32_t address, char *text, unsigned size);

/* TST, TEQ, CMP or CMN: sets flags, and no register. */
static inline bool arm_compares(const struct arm_insn *insn)
{
    return insn->op >= ARM_TST && insn->op <= ARM_CMN;
}

#endif
