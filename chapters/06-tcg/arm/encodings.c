/*
 * encodings.c: the A32 instructions of a user program, one row each.
 *
 * Modelled: ARMv5TE whole, and what later compilers and libraries add when they
 * find it: exclusive loads and stores, barriers, byte reversal, sign extension, bit
 * fields, saturation to a width, 16-bit constants, division. Left out: the parallel
 * arithmetic of ARMv6 and all coprocessors but the thread pointer; floating point is the program's
 * own business (soft float). What no row matches is UNDEFINED, and so is what a row's restrictions
 * name: where the manual says UNPREDICTABLE, a program gets SIGILL.
 *
 * Keep open: [ARM-ARM, A5 "ARM Instruction Set Encoding"], whose sections and order
 * these are, and [ARM-ARM, A8.8 "Alphabetical list of instructions"]. An alias that
 * has a name of its own (PUSH is an STMDB) stands before the row it is a case of.
 */
#include "06-tcg/arm/encodings.h"
#include "06-tcg/arm/cpu.h"
#include "common/bits.h"

#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* [rows] */
/* Each of the sixteen operations exists with a constant and with two kinds of shift. */
#define DATA(op, name, opcode, operands, n, d)                                                     \
    ROW("cccc 001 " opcode n d "rrrr iiiiiiii", name operands "%2", op, ROTATED, S15, 0),          \
        ROW("cccc 000 " opcode n d "aaaaa tt 0 mmmm", name operands "%2", op, SHIFTED, S15, 0),    \
        ROW("cccc 000 " opcode n d "oooo 0 tt 1 mmmm", name operands "%2", op, BY_REG,             \
            D15 | N15 | M15 | O15, 0)
#define COMPUTE(op, name, opcode) DATA(op, name "%s%c\t", opcode "S ", "%d, %n, ", "nnnn ", "dddd ")
#define COMPARE(op, name, opcode) DATA(op, name "%c\t", opcode "1 ", "%n, ", "nnnn ", "0000 ")
#define MOVE(op, name, opcode)    DATA(op, name "%s%c\t", opcode "S ", "%d, ", "0000 ", "dddd ")
/* [/rows] */

/* Words and bytes: an offset of 12 bits, or a register shifted by a constant. */
#define MEMORY(op, name, byte, load, size, unless)                                                 \
    ROW("cccc 010 0 U " byte " 1 " load " nnnn dddd iiiiiiiiiiii", name "t%c\t%d, %a", op, POST,   \
        BASE | D15, size),                                                                         \
        ROW("cccc 011 0 U " byte " 1 " load " nnnn dddd aaaaa tt 0 mmmm", name "t%c\t%d, %a", op,  \
            SHIFTED | POST, BASE | D15 | M15, size),                                               \
        ROW("cccc 010 P U " byte " W " load " nnnn dddd iiiiiiiiiiii", name "%c\t%d, %a", op,      \
            POST, BASE | (unless), size),                                                          \
        ROW("cccc 011 P U " byte " W " load " nnnn dddd aaaaa tt 0 mmmm", name "%c\t%d, %a", op,   \
            SHIFTED | POST, BASE | M15 | (unless), size)

/* Halfwords, signed loads and pairs came later: 8 bits of offset, or a register as it is. */
#define EXTRA(op, name, load, kind, size, imm_form, reg_form, unless)                              \
    ROW("cccc 000 P U 1 W " load " nnnn dddd iiii " kind " iiii", name "%c\t%d, %a", op, imm_form, \
        BASE | (unless), size),                                                                    \
        ROW("cccc 000 P U 0 W " load " nnnn dddd 0000 " kind " mmmm", name "%c\t%d, %a", op,       \
            reg_form, BASE | M15 | (unless), size)
#define HALF(op, name, load, kind, size)                                                           \
    ROW("cccc 000 0 U 1 1 " load " nnnn dddd iiii " kind " iiii", name "t%c\t%d, %a", op, POST,    \
        BASE | D15, size),                                                                         \
        ROW("cccc 000 0 U 0 1 " load " nnnn dddd 0000 " kind " mmmm", name "t%c\t%d, %a", op,      \
            SHIFTED | POST, BASE | D15 | M15, size),                                               \
        EXTRA(op, name, load, kind, size, POST, SHIFTED | POST, D15)

#define EXCLUSIVE(size, width, suffix)                                                             \
    ROW("cccc 0001 1" width "1 nnnn dddd 1111 1001 1111", "ldrex" suffix "%c\t%d, [%n]",           \
        ARM_LDREX, UP, D15 | N15, size),                                                           \
        ROW("cccc 0001 1" width "0 nnnn dddd 1111 1001 mmmm", "strex" suffix "%c\t%d, %m, [%n]",   \
            ARM_STREX, UP, D15 | N15 | M15 | STATUS, size)

#define EXTEND(op, name, add_name, code)                                                           \
    ROW("cccc 0110 " code " 1111 dddd rr00 0111 mmmm", name "%c\t%d, %m%r", op, BYTES | NO_N,      \
        D15 | M15, 0),                                                                             \
        ROW("cccc 0110 " code " nnnn dddd rr00 0111 mmmm", add_name "%c\t%d, %n, %m%r", op, BYTES, \
            D15 | M15, 0)

#define SATURATION(op, name, code)                                                                 \
    ROW("cccc 0110 " code " wwwww dddd aaaaa 001 mmmm", name "%c\t%d, #%i, %2", op,                \
        SATURATE | TYPE(ARM_LSL), D15 | M15, 0),                                                   \
        ROW("cccc 0110 " code " wwwww dddd aaaaa 101 mmmm", name "%c\t%d, #%i, %2", op,            \
            SATURATE | TYPE(ARM_ASR), D15 | M15, 0)

const struct encoding arm_encodings[] = {
    /* [ARM-ARM, A5.7 "Unconditional instructions"]: no condition, so they come first. */
    {"1111 101 a iiiiiiiiiiiiiiiiiiiiiiii", "blx\t%b", ARM_BLX, TO(24, 2), 0, 0},
    {"1111 0101 U101 nnnn 1111 iiiiiiiiiiii", "pld\t%a", ARM_HINT, INDEX, 0, 0},
    {"1111 0111 U101 nnnn 1111 aaaaa tt 0 mmmm", "pld\t%a", ARM_HINT, SHIFTED | INDEX, M15, 0},
    {"1111 0101 U001 nnnn 1111 iiiiiiiiiiii", "pldw\t%a", ARM_HINT, INDEX, N15, 0},
    {"1111 0111 U001 nnnn 1111 aaaaa tt 0 mmmm", "pldw\t%a", ARM_HINT, SHIFTED | INDEX, M15 | N15,
     0},
    {"1111 0100 U101 nnnn 1111 iiiiiiiiiiii", "pli\t%a", ARM_HINT, INDEX, 0, 0},
    {"1111 0110 U101 nnnn 1111 aaaaa tt 0 mmmm", "pli\t%a", ARM_HINT, SHIFTED | INDEX, M15, 0},
    {"1111 0101 0111 1111 1111 0000 0001 1111", "clrex", ARM_CLREX, 0, 0, 0},
    {"1111 0101 0111 1111 1111 0000 0100 iiii", "dsb\t%B", ARM_BARRIER, 0, 0, 0},
    {"1111 0101 0111 1111 1111 0000 0101 iiii", "dmb\t%B", ARM_BARRIER, 0, 0, 0},
    {"1111 0101 0111 1111 1111 0000 0110 iiii", "isb\t%B", ARM_BARRIER, 0, 0, 0},

    /* [ARM-ARM, A5.2.1 "Data-processing (register)"] and the two sections after it. */
    {"1110 0001 1010 0000 0000 0000 0000 0000", "nop", ARM_HINT, 0, 0, 0}, /* MOV R0, R0 */
    {"cccc 000 1101 S 0000 dddd 00000 00 0 mmmm", "mov%s%c\t%d, %m", ARM_MOV, SHIFTED, S15, 0},
    {"cccc 000 1101 S 0000 dddd 00000 11 0 mmmm", "rrx%s%c\t%d, %m", ARM_MOV, EXTENDED, S15, 0},
    {"cccc 000 1101 S 0000 dddd aaaaa tt 0 mmmm", "%S%s%c\t%d, %m, #%h", ARM_MOV, SHIFTED, S15, 0},
    {"cccc 000 1101 S 0000 dddd oooo 0 tt 1 mmmm", "%S%s%c\t%d, %m, %o", ARM_MOV, BY_REG,
     D15 | M15 | O15, 0},
    COMPUTE(ARM_AND, "and", "0000"),
    COMPUTE(ARM_EOR, "eor", "0001"),
    COMPUTE(ARM_SUB, "sub", "0010"),
    COMPUTE(ARM_RSB, "rsb", "0011"),
    COMPUTE(ARM_ADD, "add", "0100"),
    COMPUTE(ARM_ADC, "adc", "0101"),
    COMPUTE(ARM_SBC, "sbc", "0110"),
    COMPUTE(ARM_RSC, "rsc", "0111"),
    COMPARE(ARM_TST, "tst", "1000"),
    COMPARE(ARM_TEQ, "teq", "1001"),
    COMPARE(ARM_CMP, "cmp", "1010"),
    COMPARE(ARM_CMN, "cmn", "1011"),
    COMPUTE(ARM_ORR, "orr", "1100"),
    MOVE(ARM_MOV, "mov", "1101"),
    COMPUTE(ARM_BIC, "bic", "1110"),
    MOVE(ARM_MVN, "mvn", "1111"),
    {"cccc 0011 0000 iiii dddd iiiiiiiiiiii", "movw%c\t%d, #%i", ARM_MOV, IMM, D15, 0},
    {"cccc 0011 0100 iiii dddd iiiiiiiiiiii", "movt%c\t%d, #%i", ARM_MOVT, IMM, D15, 0},

    /* [ARM-ARM, A5.2.5 "Multiply and multiply accumulate"] */
    {"cccc 0000 000S dddd 0000 mmmm 1001 nnnn", "mul%s%c\t%d, %n, %m", ARM_MUL, 0, D15 | N15 | M15,
     0},
    {"cccc 0000 001S dddd oooo mmmm 1001 nnnn", "mla%s%c\t%d, %n, %m, %o", ARM_MLA, 0,
     D15 | N15 | M15 | O15, 0},
    {"cccc 0000 0100 dddd oooo mmmm 1001 nnnn", "umaal%c\t%o, %d, %n, %m", ARM_UMAAL, 0,
     D15 | N15 | M15 | O15 | HILO, 0},
    {"cccc 0000 0110 dddd oooo mmmm 1001 nnnn", "mls%c\t%d, %n, %m, %o", ARM_MLS, 0,
     D15 | N15 | M15 | O15, 0},
    {"cccc 0000 100S dddd oooo mmmm 1001 nnnn", "umull%s%c\t%o, %d, %n, %m", ARM_UMULL, 0,
     D15 | N15 | M15 | O15 | HILO, 0},
    {"cccc 0000 101S dddd oooo mmmm 1001 nnnn", "umlal%s%c\t%o, %d, %n, %m", ARM_UMLAL, 0,
     D15 | N15 | M15 | O15 | HILO, 0},
    {"cccc 0000 110S dddd oooo mmmm 1001 nnnn", "smull%s%c\t%o, %d, %n, %m", ARM_SMULL, 0,
     D15 | N15 | M15 | O15 | HILO, 0},
    {"cccc 0000 111S dddd oooo mmmm 1001 nnnn", "smlal%s%c\t%o, %d, %n, %m", ARM_SMLAL, 0,
     D15 | N15 | M15 | O15 | HILO, 0},

    /* [ARM-ARM, A5.2.6 "Saturating addition and subtraction"] */
    {"cccc 0001 0000 nnnn dddd 0000 0101 mmmm", "qadd%c\t%d, %m, %n", ARM_QADD, 0, D15 | N15 | M15,
     0},
    {"cccc 0001 0010 nnnn dddd 0000 0101 mmmm", "qsub%c\t%d, %m, %n", ARM_QSUB, 0, D15 | N15 | M15,
     0},
    {"cccc 0001 0100 nnnn dddd 0000 0101 mmmm", "qdadd%c\t%d, %m, %n", ARM_QDADD, 0,
     D15 | N15 | M15, 0},
    {"cccc 0001 0110 nnnn dddd 0000 0101 mmmm", "qdsub%c\t%d, %m, %n", ARM_QDSUB, 0,
     D15 | N15 | M15, 0},

    /* [ARM-ARM, A5.2.7 "Halfword multiply and multiply accumulate"] */
    {"cccc 0001 0000 dddd oooo mmmm 1yx0 nnnn", "smla%T%U%c\t%d, %n, %m, %o", ARM_SMLAXY, 0,
     D15 | N15 | M15 | O15, 0},
    {"cccc 0001 0010 dddd oooo mmmm 1y00 nnnn", "smlaw%U%c\t%d, %n, %m, %o", ARM_SMLAWY, 0,
     D15 | N15 | M15 | O15, 0},
    {"cccc 0001 0010 dddd 0000 mmmm 1y10 nnnn", "smulw%U%c\t%d, %n, %m", ARM_SMULWY, 0,
     D15 | N15 | M15, 0},
    {"cccc 0001 0100 dddd oooo mmmm 1yx0 nnnn", "smlal%T%U%c\t%o, %d, %n, %m", ARM_SMLALXY, 0,
     D15 | N15 | M15 | O15 | HILO, 0},
    {"cccc 0001 0110 dddd 0000 mmmm 1yx0 nnnn", "smul%T%U%c\t%d, %n, %m", ARM_SMULXY, 0,
     D15 | N15 | M15, 0},

    /* [ARM-ARM, A5.2.8 "Extra load/store instructions"] and A5.2.9, the T variants. */
    HALF(ARM_STR, "strh", "0", "1011", 2),
    HALF(ARM_LDR, "ldrh", "1", "1011", 2),
    HALF(ARM_LDR, "ldrsb", "1", "1101", -1),
    HALF(ARM_LDR, "ldrsh", "1", "1111", -2),
    EXTRA(ARM_LDRD, "ldrd", "0", "1101", 8, POST | D_PAIR, SHIFTED | POST | D_PAIR, PAIR),
    EXTRA(ARM_STRD, "strd", "0", "1111", 8, POST | D_PAIR, SHIFTED | POST | D_PAIR, PAIR),

    /* [ARM-ARM, A5.2.10 "Synchronization primitives"] */
    {"cccc 0001 0000 nnnn dddd 0000 1001 mmmm", "swp%c\t%d, %m, [%n]", ARM_SWP, UP,
     D15 | N15 | M15 | SWAP, 4},
    {"cccc 0001 0100 nnnn dddd 0000 1001 mmmm", "swpb%c\t%d, %m, [%n]", ARM_SWP, UP,
     D15 | N15 | M15 | SWAP, 1},
    EXCLUSIVE(4, "00", ""),
    EXCLUSIVE(1, "10", "b"),
    EXCLUSIVE(2, "11", "h"),
    {"cccc 0001 1011 nnnn dddd 1111 1001 1111", "ldrexd%c\t%d, [%n]", ARM_LDREX, UP | D_PAIR,
     N15 | PAIR, 8},
    {"cccc 0001 1010 nnnn dddd 1111 1001 mmmm", "strexd%c\t%d, %m, [%n]", ARM_STREX, UP | M_PAIR,
     D15 | N15 | STATUS | RM_PAIR, 8},

    /* [ARM-ARM, A5.2.11 "MSR (immediate), and hints"] */
    {"cccc 0011 0010 0000 1111 0000 0000 0000", "nop%c\t{0}", ARM_HINT, 0, 0, 0},
    {"cccc 0011 0010 0000 1111 0000 0000 0001", "yield%c", ARM_HINT, 0, 0, 0},
    {"cccc 0011 0010 0000 1111 0000 0000 0010", "wfe%c", ARM_HINT, 0, 0, 0},
    {"cccc 0011 0010 0000 1111 0000 0000 0011", "wfi%c", ARM_HINT, 0, 0, 0},
    {"cccc 0011 0010 0000 1111 0000 0000 0100", "sev%c", ARM_HINT, 0, 0, 0},
    {"cccc 0011 0010 0000 1111 0000 iiiiiiii", "nop%c\t{%i}", ARM_HINT, 0, 0, 0},
    {"cccc 0011 0010 llll 1111 rrrr iiiiiiii", "msr%c\tCPSR_%f, %2", ARM_MSR, ROTATED, 0, 0},

    /* [ARM-ARM, A5.2.12 "Miscellaneous instructions"] */
    {"cccc 0001 0000 1111 dddd 0000 0000 0000", "mrs%c\t%d, CPSR", ARM_MRS, 0, D15, 0},
    {"cccc 0001 0010 llll 1111 0000 0000 mmmm", "msr%c\tCPSR_%f, %m", ARM_MSR, REG, M15 | EMPTY, 0},
    {"cccc 0001 0010 1111 1111 1111 0001 mmmm", "bx%c\t%m", ARM_BX, REG, 0, 0},
    /* Without Jazelle BXJ is BX. */
    {"cccc 0001 0010 1111 1111 1111 0010 mmmm", "bxj%c\t%m", ARM_BX, REG, M15, 0},
    {"cccc 0001 0010 1111 1111 1111 0011 mmmm", "blx%c\t%m", ARM_BLX, REG, M15, 0},
    {"cccc 0001 0110 1111 dddd 1111 0001 mmmm", "clz%c\t%d, %m", ARM_CLZ, 0, D15 | M15, 0},
    {"1110 0001 0010 iiiiiiiiiiii 0111 iiii", "bkpt\t0x%q", ARM_BKPT, 0, 0, 0},

    /* [ARM-ARM, A5.3 "Load/store word and unsigned byte"] */
    {"cccc 0101 0010 1101 dddd 000000000100", "push%c\t{%d}", ARM_STR, N_IS_SP | INDEX | BACK | ONE,
     BASE, 4},
    {"cccc 0100 1001 1101 dddd 000000000100", "pop%c\t{%d}", ARM_LDR, N_IS_SP | ADD | BACK | ONE,
     BASE, 4},
    MEMORY(ARM_STR, "str", "0", "0", 4, 0),
    MEMORY(ARM_LDR, "ldr", "0", "1", 4, 0),
    MEMORY(ARM_STR, "strb", "1", "0", 1, D15),
    MEMORY(ARM_LDR, "ldrb", "1", "1", 1, D15),

    /* [ARM-ARM, A5.4 "Media instructions"] */
    {"cccc 0110 1011 1111 dddd 1111 0011 mmmm", "rev%c\t%d, %m", ARM_REV, 0, D15 | M15, 0},
    {"cccc 0110 1011 1111 dddd 1111 1011 mmmm", "rev16%c\t%d, %m", ARM_REV16, 0, D15 | M15, 0},
    {"cccc 0110 1111 1111 dddd 1111 0011 mmmm", "rbit%c\t%d, %m", ARM_RBIT, 0, D15 | M15, 0},
    {"cccc 0110 1111 1111 dddd 1111 1011 mmmm", "revsh%c\t%d, %m", ARM_REVSH, 0, D15 | M15, 0},
    EXTEND(ARM_SXTB, "sxtb", "sxtab", "1010"),
    EXTEND(ARM_SXTH, "sxth", "sxtah", "1011"),
    EXTEND(ARM_UXTB, "uxtb", "uxtab", "1110"),
    EXTEND(ARM_UXTH, "uxth", "uxtah", "1111"),
    SATURATION(ARM_SSAT, "ssat", "101"),
    SATURATION(ARM_USAT, "usat", "111"),
    {"cccc 0111 0001 dddd 1111 mmmm 0001 nnnn", "sdiv%c\t%d, %n, %m", ARM_SDIV, 0, D15 | N15 | M15,
     0},
    {"cccc 0111 0011 dddd 1111 mmmm 0001 nnnn", "udiv%c\t%d, %n, %m", ARM_UDIV, 0, D15 | N15 | M15,
     0},
    {"cccc 0111 101 wwwww dddd aaaaa 101 nnnn", "sbfx%c\t%d, %n, #%h, #%i", ARM_SBFX, WIDTH,
     D15 | N15 | FIELD, 0},
    {"cccc 0111 111 wwwww dddd aaaaa 101 nnnn", "ubfx%c\t%d, %n, #%h, #%i", ARM_UBFX, WIDTH,
     D15 | N15 | FIELD, 0},
    {"cccc 0111 110 wwwww dddd aaaaa 001 1111", "bfc%c\t%d, #%h, #%i", ARM_BFI, LAST | NO_N,
     D15 | FIELD, 0},
    {"cccc 0111 110 wwwww dddd aaaaa 001 nnnn", "bfi%c\t%d, %n, #%h, #%i", ARM_BFI, LAST,
     D15 | FIELD, 0},
    {"1110 0111 1111 iiiiiiiiiiii 1111 iiii", "udf\t#%i", ARM_UNDEF, 0, 0, 0},

    /* [ARM-ARM, A5.5 "Branch, branch with link, and block data transfer"]. A list with
       one register is no PUSH: the assembler would take the STR above for it. */
    {"cccc 1010 iiiiiiiiiiiiiiiiiiiiiiii", "b%c\t%b", ARM_B, TO(24, 2), 0, 0},
    {"cccc 1011 iiiiiiiiiiiiiiiiiiiiiiii", "bl%c\t%b", ARM_BL, TO(24, 2), 0, 0},
    {"cccc 1000 1011 1101 llllllllllllllll", "pop%c\t%l", ARM_LDM, N_IS_SP | ADD | BACK,
     EMPTY | LOADED, 4},
    {"cccc 1001 0010 1101 llllllllllllllll", "push%c\t%l", ARM_STM, N_IS_SP | INDEX | BACK, EMPTY,
     4},
    {"cccc 100 P U0W 1 nnnn llllllllllllllll", "ldm%M%c\t%n%!, %l", ARM_LDM, 0,
     N15 | EMPTY | LOADED, 4},
    {"cccc 100 P U0W 0 nnnn llllllllllllllll", "stm%M%c\t%n%!, %l", ARM_STM, 0, N15 | EMPTY, 4},

    /* [ARM-ARM, A5.6 "Coprocessor instructions, and Supervisor Call"] */
    {"cccc 1110 0001 1101 dddd 1111 0111 0000", "mrc%c\t15, 0, %d, cr13, cr0, {3}", ARM_GET_TLS, 0,
     D15, 0},
    {"cccc 1110 0000 0111 dddd 1111 1011 1010", "mcr%c\t15, 0, %d, cr7, cr10, {5}", ARM_BARRIER, 0,
     D15, 0},
    {"cccc 1110 0000 0111 dddd 1111 1001 1010", "mcr%c\t15, 0, %d, cr7, cr10, {4}", ARM_BARRIER, 0,
     D15, 0},
    {"cccc 1110 0000 0111 dddd 1111 1001 0101", "mcr%c\t15, 0, %d, cr7, cr5, {4}", ARM_BARRIER, 0,
     D15, 0},
    {"cccc 1111 iiiiiiiiiiiiiiiiiiiiiiii", "svc%c\t0x%x", ARM_SVC_OP, 0, 0, 0},
};
const unsigned arm_encoding_count = ARRAY_SIZE(arm_encodings);
