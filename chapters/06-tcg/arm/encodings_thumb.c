/*
 * encodings_thumb.c: the Thumb instructions of ARMv5T, as rows of the same kind.
 *
 * A Thumb instruction is a common A32 instruction in half the space: eight of the
 * registers, shorter constants, flags always set. So each form below spells out what
 * the A32 instruction would have said, and nothing after the decoder knows the
 * difference. A few instructions of ARMv6 that compilers like are here too.
 *
 * BL and BLX are two halfwords. ARMv5T ran them one after the other; we follow later
 * processors and take the pair as one instruction, so half of a pair is UNDEFINED.
 * Left out: all of Thumb-2, IT blocks with it.
 *
 * Keep open: [ARM-ARM, A6.2 "16-bit Thumb instruction encoding"], whose sections
 * and order these are.
 */
#include "06-tcg/arm/encodings.h"
#include "06-tcg/arm/cpu.h"
#include "common/bits.h"

const struct encoding thumb_encodings[] = {
    /* [ARM-ARM, A6.2.1 "Shift (immediate), add, subtract, move, and compare"] */
    {"000 00 00000 mmm ddd", "movs\t%d, %m", ARM_MOV, REG | SETS, 0, 0},
    {"000 11 00 mmm nnn ddd", "adds\t%d, %n, %m", ARM_ADD, REG | SETS, 0, 0},
    {"000 11 01 mmm nnn ddd", "subs\t%d, %n, %m", ARM_SUB, REG | SETS, 0, 0},
    {"000 11 10 iii nnn ddd", "adds\t%d, %n, #%i", ARM_ADD, IMM | SETS, 0, 0},
    {"000 11 11 iii nnn ddd", "subs\t%d, %n, #%i", ARM_SUB, IMM | SETS, 0, 0},
    {"000 tt aaaaa mmm ddd", "%Ss\t%d, %m, #%h", ARM_MOV, SHIFTED | SETS, 0, 0},
    {"001 00 ddd iiiiiiii", "movs\t%d, #%i", ARM_MOV, IMM | SETS, 0, 0},
    {"001 01 nnn iiiiiiii", "cmp\t%n, #%i", ARM_CMP, IMM | SETS, 0, 0},
    {"001 10 ddd iiiiiiii", "adds\t%d, #%i", ARM_ADD, IMM | SETS | N_IS_D, 0, 0},
    {"001 11 ddd iiiiiiii", "subs\t%d, #%i", ARM_SUB, IMM | SETS | N_IS_D, 0, 0},

    /* [ARM-ARM, A6.2.2 "Data-processing"] */
    {"010000 0000 mmm ddd", "ands\t%d, %m", ARM_AND, REG | SETS | N_IS_D, 0, 0},
    {"010000 0001 mmm ddd", "eors\t%d, %m", ARM_EOR, REG | SETS | N_IS_D, 0, 0},
    {"010000 0010 ooo ddd", "lsls\t%d, %o", ARM_MOV, BY_REG | SETS | M_IS_D, 0, 0},
    {"010000 0011 ooo ddd", "lsrs\t%d, %o", ARM_MOV, BY_REG | SETS | M_IS_D | TYPE(ARM_LSR), 0, 0},
    {"010000 0100 ooo ddd", "asrs\t%d, %o", ARM_MOV, BY_REG | SETS | M_IS_D | TYPE(ARM_ASR), 0, 0},
    {"010000 0101 mmm ddd", "adcs\t%d, %m", ARM_ADC, REG | SETS | N_IS_D, 0, 0},
    {"010000 0110 mmm ddd", "sbcs\t%d, %m", ARM_SBC, REG | SETS | N_IS_D, 0, 0},
    {"010000 0111 ooo ddd", "rors\t%d, %o", ARM_MOV, BY_REG | SETS | M_IS_D | TYPE(ARM_ROR), 0, 0},
    {"010000 1000 mmm nnn", "tst\t%n, %m", ARM_TST, REG | SETS, 0, 0},
    {"010000 1001 nnn ddd", "negs\t%d, %n", ARM_RSB, IMM | SETS, 0, 0},
    {"010000 1010 mmm nnn", "cmp\t%n, %m", ARM_CMP, REG | SETS, 0, 0},
    {"010000 1011 mmm nnn", "cmn\t%n, %m", ARM_CMN, REG | SETS, 0, 0},
    {"010000 1100 mmm ddd", "orrs\t%d, %m", ARM_ORR, REG | SETS | N_IS_D, 0, 0},
    {"010000 1101 nnn ddd", "muls\t%d, %n", ARM_MUL, SETS | M_IS_D, 0, 0},
    {"010000 1110 mmm ddd", "bics\t%d, %m", ARM_BIC, REG | SETS | N_IS_D, 0, 0},
    {"010000 1111 mmm ddd", "mvns\t%d, %m", ARM_MVN, REG | SETS, 0, 0},

    /* [ARM-ARM, A6.2.3 "Special data instructions and branch and exchange"] */
    {"010001 00 d mmmm ddd", "add\t%d, %m", ARM_ADD, REG | N_IS_D, BOTH15, 0},
    {"010001 01 n mmmm nnn", "cmp\t%n, %m", ARM_CMP, REG, LOW | N15 | M15, 0},
    {"010001 10 1 1000 000", "nop", ARM_HINT, 0, 0, 0}, /* MOV R8, R8 */
    {"010001 10 d mmmm ddd", "mov\t%d, %m", ARM_MOV, REG | N_IS_D, 0, 0},
    {"010001 110 mmmm 000", "bx\t%m", ARM_BX, REG, 0, 0},
    {"010001 111 mmmm 000", "blx\t%m", ARM_BLX, REG, M15, 0},

    /* [ARM-ARM, A6.2.4 "Load/store single data item"] and the literal load before it. */
    {"01001 ddd iiiiiiii", "ldr\t%d, [pc, #%i]", ARM_LDR, UP | N_IS_PC | SCALED, 0, 4},
    {"0101 000 mmm nnn ddd", "str\t%d, [%n, %m]", ARM_STR, REG | UP, 0, 4},
    {"0101 001 mmm nnn ddd", "strh\t%d, [%n, %m]", ARM_STR, REG | UP, 0, 2},
    {"0101 010 mmm nnn ddd", "strb\t%d, [%n, %m]", ARM_STR, REG | UP, 0, 1},
    {"0101 011 mmm nnn ddd", "ldrsb\t%d, [%n, %m]", ARM_LDR, REG | UP, 0, -1},
    {"0101 100 mmm nnn ddd", "ldr\t%d, [%n, %m]", ARM_LDR, REG | UP, 0, 4},
    {"0101 101 mmm nnn ddd", "ldrh\t%d, [%n, %m]", ARM_LDR, REG | UP, 0, 2},
    {"0101 110 mmm nnn ddd", "ldrb\t%d, [%n, %m]", ARM_LDR, REG | UP, 0, 1},
    {"0101 111 mmm nnn ddd", "ldrsh\t%d, [%n, %m]", ARM_LDR, REG | UP, 0, -2},
    {"0110 0 iiiii nnn ddd", "str\t%d, [%n, #%i]", ARM_STR, UP | SCALED, 0, 4},
    {"0110 1 iiiii nnn ddd", "ldr\t%d, [%n, #%i]", ARM_LDR, UP | SCALED, 0, 4},
    {"0111 0 iiiii nnn ddd", "strb\t%d, [%n, #%i]", ARM_STR, UP | SCALED, 0, 1},
    {"0111 1 iiiii nnn ddd", "ldrb\t%d, [%n, #%i]", ARM_LDR, UP | SCALED, 0, 1},
    {"1000 0 iiiii nnn ddd", "strh\t%d, [%n, #%i]", ARM_STR, UP | SCALED, 0, 2},
    {"1000 1 iiiii nnn ddd", "ldrh\t%d, [%n, #%i]", ARM_LDR, UP | SCALED, 0, 2},
    {"1001 0 ddd iiiiiiii", "str\t%d, [sp, #%i]", ARM_STR, UP | N_IS_SP | SCALED, 0, 4},
    {"1001 1 ddd iiiiiiii", "ldr\t%d, [sp, #%i]", ARM_LDR, UP | N_IS_SP | SCALED, 0, 4},
    {"10100 ddd iiiiiiii", "add\t%d, pc, #%i", ARM_ADD, IMM | N_IS_PC | SCALED, 0, 0},
    {"10101 ddd iiiiiiii", "add\t%d, sp, #%i", ARM_ADD, IMM | N_IS_SP | SCALED, 0, 0},

    /* [ARM-ARM, A6.2.5 "Miscellaneous 16-bit instructions"] */
    {"1011 0000 0 iiiiiii", "add\tsp, #%i", ARM_ADD, IMM | N_IS_SP | D_IS_SP | SCALED, 0, 0},
    {"1011 0000 1 iiiiiii", "sub\tsp, #%i", ARM_SUB, IMM | N_IS_SP | D_IS_SP | SCALED, 0, 0},
    {"1011 0010 00 mmm ddd", "sxth\t%d, %m", ARM_SXTH, NO_N, 0, 0},
    {"1011 0010 01 mmm ddd", "sxtb\t%d, %m", ARM_SXTB, NO_N, 0, 0},
    {"1011 0010 10 mmm ddd", "uxth\t%d, %m", ARM_UXTH, NO_N, 0, 0},
    {"1011 0010 11 mmm ddd", "uxtb\t%d, %m", ARM_UXTB, NO_N, 0, 0},
    {"1011 010 a llllllll", "push\t%l", ARM_STM, N_IS_SP | INDEX | BACK | LR_TOO, EMPTY, 4},
    {"1011 1010 00 mmm ddd", "rev\t%d, %m", ARM_REV, 0, 0, 0},
    {"1011 1010 01 mmm ddd", "rev16\t%d, %m", ARM_REV16, 0, 0, 0},
    {"1011 1010 11 mmm ddd", "revsh\t%d, %m", ARM_REVSH, 0, 0, 0},
    {"1011 110 a llllllll", "pop\t%l", ARM_LDM, N_IS_SP | ADD | BACK | PC_TOO, EMPTY, 4},
    {"1011 1110 iiiiiiii", "bkpt\t0x%q", ARM_BKPT, 0, 0, 0},
    {"1011 1111 0000 0000", "nop", ARM_HINT, 0, 0, 0},
    {"1011 1111 0001 0000", "yield", ARM_HINT, 0, 0, 0},
    {"1011 1111 0010 0000", "wfe", ARM_HINT, 0, 0, 0},
    {"1011 1111 0011 0000", "wfi", ARM_HINT, 0, 0, 0},
    {"1011 1111 0100 0000", "sev", ARM_HINT, 0, 0, 0},

    /* [ARM-ARM, A6.2 "16-bit Thumb instruction encoding"]: lists of registers. */
    {"1100 0 nnn llllllll", "stmia\t%n!, %l", ARM_STM, ADD | BACK, EMPTY, 4},
    {"1100 1 nnn llllllll", "ldmia\t%n%!, %l", ARM_LDM, ADD | KEEPS, EMPTY, 4},

    /* [ARM-ARM, A6.2.6 "Conditional branch, and Supervisor Call"] */
    {"1101 1110 iiiiiiii", "udf\t#%i", ARM_UNDEF, 0, 0, 0},
    {"1101 1111 iiiiiiii", "svc\t%i", ARM_SVC_OP, 0, 0, 0},
    {"1101 cccc iiiiiiii", "b%c.n\t%b", ARM_B, TO(8, 1), 0, 0},
    {"11100 iiiiiiiiiii", "b.n\t%b", ARM_B, TO(11, 1), 0, 0},

    /* [ARM-ARM, A6.3.4 "Branches and miscellaneous control"], as far as ARMv5T has it. */
    {"11110 iiiiiiiiiii 11111 iiiiiiiiiii", "bl\t%b", ARM_BL, TO(22, 1), 0, 0},
    {"11110 iiiiiiiiiii 11101 iiiiiiiiii 0", "blx\t%b", ARM_BLX, TO(21, 2), 0, 0},
};
const unsigned thumb_encoding_count = ARRAY_SIZE(thumb_encodings);
