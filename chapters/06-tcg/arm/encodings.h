/*
 * encodings.h: the table from which decoder and disassembler come.
 *
 * A row is one encoding: its bits as the manual prints them, how it is written in
 * assembly, what it does, and when it promises nothing.
 *
 * The pattern has one character per bit, from bit 31 down (Thumb: from bit 15 of the
 * first halfword down); blanks are for the eye. 0 and 1 must match. A letter is one
 * bit of a field; the bits of a field are strung together from left to right
 * wherever they stand:
 *
 *   c  condition                  P U W  address mode: index, add, write back
 *   S  sets flags                 l      register list; MSR: field mask
 *   n d m o  registers            x y    DSP multiply: top half of Rn, of Rm
 *   i  constant or offset         r      rotation of a constant
 *   t a  type and amount of a shift; lowest bit of a field
 *   w  highest bit or width of a field
 *
 * o is the "other" register: Rs that holds a shift, Ra, RdLo.
 *
 * The text is printed as it is but for
 *
 *   %c %s           condition, s          %d %n %m %o  a register
 *   %2              operand 2             %a           [base, offset]
 *   %l              {list}                %M %!        mode of LDM; ! if the base changes
 *   %i %h           imm, shift amount     %b           a branch target
 *   %x %q           imm in 8, in 4 digits of hexadecimal
 *   %f              the fields of MSR     %T %U        b or t: half of Rn, of Rm
 *   %r %S           rotation, shift type  %B           scope of a barrier
 */
#ifndef TCG_ARM_ENCODINGS_H
#define TCG_ARM_ENCODINGS_H

#include "06-tcg/arm/insn.h"

/* A row's fields, taken out of an instruction; 0 where the pattern has none. */
struct fields {
    uint32_t c, S, n, d, m, o, i, r, t, a, P, U, W, l, x, y, w;
};

/* When an encoding is UNPREDICTABLE, or only for the kernel: bits of a row's "unless". */
enum restriction {
    D15 = 1 << 0,     /* Rd is the PC */
    N15 = 1 << 1,     /* Rn is the PC */
    M15 = 1 << 2,     /* Rm is the PC */
    O15 = 1 << 3,     /* Ra is the PC */
    S15 = 1 << 4,     /* sets flags and Rd is the PC: a return from an exception */
    HILO = 1 << 5,    /* RdHi is RdLo */
    BASE = 1 << 6,    /* with writeback, the base is the PC or the data register */
    PAIR = 1 << 7,    /* Rd is odd or LR, W without P, or the pair holds the base or the offset */
    RM_PAIR = 1 << 8, /* Rm is odd or LR */
    EMPTY = 1 << 9,   /* the list is empty */
    LOADED = 1 << 10, /* with writeback, the base is in the list */
    STATUS = 1 << 11, /* STREX: the status register is the base or the data */
    SWAP = 1 << 12,   /* SWP: the base is one of the data registers */
    FIELD = 1 << 13,  /* a bit field reaches beyond bit 31, or has no bits */
    LOW = 1 << 14,    /* Thumb: both registers are low, and another encoding exists */
    BOTH15 = 1 << 15, /* Rd and Rm are the PC */
};

/*
 * What a row says besides: what its operand is, and any of the rest. Without a word it is
 * i, the offset of a load or store.
 */
enum form {
    REG = 1,  /* Rm */
    IMM,      /* i, which leaves the carry alone */
    ROTATED,  /* i, rotated right by twice r */
    SHIFTED,  /* Rm, shifted by the constant a, as t says */
    EXTENDED, /* Rm, rotated by one through the carry */
    BY_REG,   /* Rm, shifted by Ro, as t or TYPE says */
    TARGET,   /* of a branch: see TO */
    BYTES,    /* rotation: r counts bytes */
    WIDTH,    /* of a bit field: w is one less */
    LAST,     /* w is the highest bit of a bit field */
    SATURATE, /* Rm, shifted by the constant a, as TYPE says; to w bits, or one more with a sign */
    OPERAND = 15,

    SETS = 1 << 4,  /* flags, always */
    INDEX = 1 << 5, /* P, U and W, always */
    ADD = 1 << 6,
    BACK = 1 << 7,
    UP = INDEX | ADD,
    POST = 1 << 8,    /* without P the base always changes: the offset counts afterwards */
    SCALED = 1 << 9,  /* i counts what is transferred, or words */
    N_IS_D = 1 << 10, /* Rn is Rd, and so on */
    M_IS_D = 1 << 11,
    N_IS_SP = 1 << 12,
    N_IS_PC = 1 << 13,
    D_IS_SP = 1 << 14,
    NO_N = 1 << 15,
    D_PAIR = 1 << 16, /* Ra follows Rd */
    M_PAIR = 1 << 17, /* Ra follows Rm */
    LR_TOO = 1 << 18, /* a: LR is in the list */
    PC_TOO = 1 << 19,
    KEEPS = 1 << 20, /* a base that is loaded keeps what was loaded */
    ONE = 1 << 21,   /* the offset is the size of what is transferred */
};
/* A type of shift; so many bits of i, as many times 1 << scale. */
#define TYPE(shift)      ((unsigned)(shift) << 22)
#define TO(width, scale) (TARGET | (width) << 24 | (scale) << 29)

struct encoding {
    const char *pattern, *text;
    enum arm_op op;
    unsigned form;   /* of enum form */
    unsigned unless; /* of enum restriction */
    int size;        /* of a load or store in bytes; negative: sign-extended */
};

/* Completes insn, whose fields of the same name and size are set already. */
void encoding_complete(struct arm_insn *insn, const struct fields *f, unsigned form);

/* Of several rows that match, the first one counts. */
extern const struct encoding arm_encodings[], thumb_encodings[];
extern const unsigned arm_encoding_count, thumb_encoding_count;

#endif
