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

static void plain(struct arm_insn *insn, const struct fields *f)
{
    (void)insn;
    (void)f;
}

/* Rd = Rn op Rm */
static void registers(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    insn->operand = ARM_REG;
    insn->s = true;
}

/* Rd = Rd op Rm */
static void two_registers(struct arm_insn *insn, const struct fields *f)
{
    registers(insn, f);
    insn->rn = (uint8_t)f->d;
}

/* Rd = Rm shifted by a constant. */
static void shift_constant(struct arm_insn *insn, const struct fields *f)
{
    registers(insn, f);
    insn->shift = (uint8_t)f->t;
    insn->amount = f->a == 0 && f->t != ARM_LSL ? 32 : (uint8_t)f->a;
}

/* Rd = Rd shifted by Rs */
static void shift_register(struct arm_insn *insn, const struct fields *f, enum arm_shift shift)
{
    insn->operand = ARM_REG_BY_REG;
    insn->s = true;
    insn->shift = (uint8_t)shift;
    insn->rm = (uint8_t)f->d;
}

static void shift_left(struct arm_insn *insn, const struct fields *f)
{
    shift_register(insn, f, ARM_LSL);
}

static void shift_right(struct arm_insn *insn, const struct fields *f)
{
    shift_register(insn, f, ARM_LSR);
}

static void shift_arithmetic(struct arm_insn *insn, const struct fields *f)
{
    shift_register(insn, f, ARM_ASR);
}

static void rotate(struct arm_insn *insn, const struct fields *f)
{
    shift_register(insn, f, ARM_ROR);
}

static void multiply(struct arm_insn *insn, const struct fields *f)
{
    insn->s = true;
    insn->rm = (uint8_t)f->d;
}

static void immediate(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    insn->operand = ARM_IMM;
    insn->carry = ARM_CARRY_KEPT;
    insn->s = true;
}

/* Rd = Rd op imm */
static void two_immediate(struct arm_insn *insn, const struct fields *f)
{
    immediate(insn, f);
    insn->rn = (uint8_t)f->d;
}

/* The instructions that reach all registers leave the flags alone. */
static void high_registers(struct arm_insn *insn, const struct fields *f)
{
    insn->operand = ARM_REG;
    insn->rn = (uint8_t)f->d;
}

static void compare_high(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    insn->operand = ARM_REG;
    insn->s = true;
}

static void target_register(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    insn->operand = ARM_REG;
}

/* Rd = PC or SP + 4 * imm */
static void relative(struct arm_insn *insn, unsigned base, unsigned imm)
{
    insn->operand = ARM_IMM;
    insn->carry = ARM_CARRY_KEPT;
    insn->rn = (uint8_t)base;
    insn->imm = 4 * imm;
}

static void pc_relative(struct arm_insn *insn, const struct fields *f)
{
    relative(insn, ARM_PC, f->i);
}

static void sp_relative(struct arm_insn *insn, const struct fields *f)
{
    relative(insn, ARM_SP, f->i);
}

static void sp_adjust(struct arm_insn *insn, const struct fields *f)
{
    relative(insn, ARM_SP, f->i);
    insn->rd = ARM_SP;
}

static void offset_address(struct arm_insn *insn, unsigned scale)
{
    insn->operand = ARM_IMM;
    insn->index = insn->add = true;
    insn->imm *= scale;
}

static void memory_bytes(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    offset_address(insn, 1);
}

static void memory_halves(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    offset_address(insn, 2);
}

static void memory_words(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    offset_address(insn, 4);
}

static void memory_pc(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    offset_address(insn, 4);
    insn->rn = ARM_PC;
}

static void memory_sp(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    offset_address(insn, 4);
    insn->rn = ARM_SP;
}

static void memory_reg(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    insn->operand = ARM_REG;
    insn->index = insn->add = true;
}

/* The ninth bit of the list, a, is LR in PUSH and PC in POP. */
static void push_list(struct arm_insn *insn, const struct fields *f)
{
    insn->list = (uint16_t)(f->l | f->a << ARM_LR);
    insn->rn = ARM_SP;
    insn->index = insn->writeback = true;
}

static void pop_list(struct arm_insn *insn, const struct fields *f)
{
    insn->list = (uint16_t)(f->l | f->a << ARM_PC);
    insn->rn = ARM_SP;
    insn->add = insn->writeback = true;
}

static void store_list(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    insn->add = insn->writeback = true;
}

/* A base that is loaded keeps what was loaded. */
static void load_list(struct arm_insn *insn, const struct fields *f)
{
    insn->add = true;
    insn->writeback = !(f->l >> f->n & 1);
}

static void extension(struct arm_insn *insn, const struct fields *f)
{
    (void)f;
    insn->rn = ARM_NO_REG;
}

static uint32_t sign_extend(uint32_t value, unsigned width)
{
    uint32_t sign = UINT32_C(1) << (width - 1);

    return (value ^ sign) - sign;
}

static void branch_if(struct arm_insn *insn, const struct fields *f)
{
    insn->operand = ARM_IMM;
    insn->imm = sign_extend(f->i, 8) << 1;
}

static void branch(struct arm_insn *insn, const struct fields *f)
{
    insn->operand = ARM_IMM;
    insn->imm = sign_extend(f->i, 11) << 1;
}

static void branch_pair(struct arm_insn *insn, const struct fields *f)
{
    insn->operand = ARM_IMM;
    insn->imm = sign_extend(f->i, 22) << 1;
}

static void branch_exchange_pair(struct arm_insn *insn, const struct fields *f)
{
    insn->operand = ARM_IMM;
    insn->imm = sign_extend(f->i, 21) << 2;
}

const struct encoding thumb_encodings[] = {
    /* [ARM-ARM, A6.2.1 "Shift (immediate), add, subtract, move, and compare"] */
    {"000 00 00000 mmm ddd", "movs\t%d, %m", ARM_MOV, registers, 0, 0},
    {"000 11 00 mmm nnn ddd", "adds\t%d, %n, %m", ARM_ADD, registers, 0, 0},
    {"000 11 01 mmm nnn ddd", "subs\t%d, %n, %m", ARM_SUB, registers, 0, 0},
    {"000 11 10 iii nnn ddd", "adds\t%d, %n, #%i", ARM_ADD, immediate, 0, 0},
    {"000 11 11 iii nnn ddd", "subs\t%d, %n, #%i", ARM_SUB, immediate, 0, 0},
    {"000 tt aaaaa mmm ddd", "%Ss\t%d, %m, #%h", ARM_MOV, shift_constant, 0, 0},
    {"001 00 ddd iiiiiiii", "movs\t%d, #%i", ARM_MOV, immediate, 0, 0},
    {"001 01 nnn iiiiiiii", "cmp\t%n, #%i", ARM_CMP, immediate, 0, 0},
    {"001 10 ddd iiiiiiii", "adds\t%d, #%i", ARM_ADD, two_immediate, 0, 0},
    {"001 11 ddd iiiiiiii", "subs\t%d, #%i", ARM_SUB, two_immediate, 0, 0},

    /* [ARM-ARM, A6.2.2 "Data-processing"] */
    {"010000 0000 mmm ddd", "ands\t%d, %m", ARM_AND, two_registers, 0, 0},
    {"010000 0001 mmm ddd", "eors\t%d, %m", ARM_EOR, two_registers, 0, 0},
    {"010000 0010 ooo ddd", "lsls\t%d, %o", ARM_MOV, shift_left, 0, 0},
    {"010000 0011 ooo ddd", "lsrs\t%d, %o", ARM_MOV, shift_right, 0, 0},
    {"010000 0100 ooo ddd", "asrs\t%d, %o", ARM_MOV, shift_arithmetic, 0, 0},
    {"010000 0101 mmm ddd", "adcs\t%d, %m", ARM_ADC, two_registers, 0, 0},
    {"010000 0110 mmm ddd", "sbcs\t%d, %m", ARM_SBC, two_registers, 0, 0},
    {"010000 0111 ooo ddd", "rors\t%d, %o", ARM_MOV, rotate, 0, 0},
    {"010000 1000 mmm nnn", "tst\t%n, %m", ARM_TST, registers, 0, 0},
    {"010000 1001 nnn ddd", "negs\t%d, %n", ARM_RSB, immediate, 0, 0},
    {"010000 1010 mmm nnn", "cmp\t%n, %m", ARM_CMP, registers, 0, 0},
    {"010000 1011 mmm nnn", "cmn\t%n, %m", ARM_CMN, registers, 0, 0},
    {"010000 1100 mmm ddd", "orrs\t%d, %m", ARM_ORR, two_registers, 0, 0},
    {"010000 1101 nnn ddd", "muls\t%d, %n", ARM_MUL, multiply, 0, 0},
    {"010000 1110 mmm ddd", "bics\t%d, %m", ARM_BIC, two_registers, 0, 0},
    {"010000 1111 mmm ddd", "mvns\t%d, %m", ARM_MVN, registers, 0, 0},

    /* [ARM-ARM, A6.2.3 "Special data instructions and branch and exchange"] */
    {"010001 00 d mmmm ddd", "add\t%d, %m", ARM_ADD, high_registers, BOTH15, 0},
    {"010001 01 n mmmm nnn", "cmp\t%n, %m", ARM_CMP, compare_high, LOW | N15 | M15, 0},
    {"010001 10 1 1000 000", "nop", ARM_HINT, plain, 0, 0}, /* MOV R8, R8 */
    {"010001 10 d mmmm ddd", "mov\t%d, %m", ARM_MOV, high_registers, 0, 0},
    {"010001 110 mmmm 000", "bx\t%m", ARM_BX, target_register, 0, 0},
    {"010001 111 mmmm 000", "blx\t%m", ARM_BLX, target_register, M15, 0},

    /* [ARM-ARM, A6.2.4 "Load/store single data item"] and the literal load before it. */
    {"01001 ddd iiiiiiii", "ldr\t%d, [pc, #%i]", ARM_LDR, memory_pc, 0, 4},
    {"0101 000 mmm nnn ddd", "str\t%d, [%n, %m]", ARM_STR, memory_reg, 0, 4},
    {"0101 001 mmm nnn ddd", "strh\t%d, [%n, %m]", ARM_STR, memory_reg, 0, 2},
    {"0101 010 mmm nnn ddd", "strb\t%d, [%n, %m]", ARM_STR, memory_reg, 0, 1},
    {"0101 011 mmm nnn ddd", "ldrsb\t%d, [%n, %m]", ARM_LDR, memory_reg, 0, -1},
    {"0101 100 mmm nnn ddd", "ldr\t%d, [%n, %m]", ARM_LDR, memory_reg, 0, 4},
    {"0101 101 mmm nnn ddd", "ldrh\t%d, [%n, %m]", ARM_LDR, memory_reg, 0, 2},
    {"0101 110 mmm nnn ddd", "ldrb\t%d, [%n, %m]", ARM_LDR, memory_reg, 0, 1},
    {"0101 111 mmm nnn ddd", "ldrsh\t%d, [%n, %m]", ARM_LDR, memory_reg, 0, -2},
    {"0110 0 iiiii nnn ddd", "str\t%d, [%n, #%i]", ARM_STR, memory_words, 0, 4},
    {"0110 1 iiiii nnn ddd", "ldr\t%d, [%n, #%i]", ARM_LDR, memory_words, 0, 4},
    {"0111 0 iiiii nnn ddd", "strb\t%d, [%n, #%i]", ARM_STR, memory_bytes, 0, 1},
    {"0111 1 iiiii nnn ddd", "ldrb\t%d, [%n, #%i]", ARM_LDR, memory_bytes, 0, 1},
    {"1000 0 iiiii nnn ddd", "strh\t%d, [%n, #%i]", ARM_STR, memory_halves, 0, 2},
    {"1000 1 iiiii nnn ddd", "ldrh\t%d, [%n, #%i]", ARM_LDR, memory_halves, 0, 2},
    {"1001 0 ddd iiiiiiii", "str\t%d, [sp, #%i]", ARM_STR, memory_sp, 0, 4},
    {"1001 1 ddd iiiiiiii", "ldr\t%d, [sp, #%i]", ARM_LDR, memory_sp, 0, 4},
    {"10100 ddd iiiiiiii", "add\t%d, pc, #%i", ARM_ADD, pc_relative, 0, 0},
    {"10101 ddd iiiiiiii", "add\t%d, sp, #%i", ARM_ADD, sp_relative, 0, 0},

    /* [ARM-ARM, A6.2.5 "Miscellaneous 16-bit instructions"] */
    {"1011 0000 0 iiiiiii", "add\tsp, #%i", ARM_ADD, sp_adjust, 0, 0},
    {"1011 0000 1 iiiiiii", "sub\tsp, #%i", ARM_SUB, sp_adjust, 0, 0},
    {"1011 0010 00 mmm ddd", "sxth\t%d, %m", ARM_SXTH, extension, 0, 0},
    {"1011 0010 01 mmm ddd", "sxtb\t%d, %m", ARM_SXTB, extension, 0, 0},
    {"1011 0010 10 mmm ddd", "uxth\t%d, %m", ARM_UXTH, extension, 0, 0},
    {"1011 0010 11 mmm ddd", "uxtb\t%d, %m", ARM_UXTB, extension, 0, 0},
    {"1011 010 a llllllll", "push\t%l", ARM_STM, push_list, EMPTY, 4},
    {"1011 1010 00 mmm ddd", "rev\t%d, %m", ARM_REV, plain, 0, 0},
    {"1011 1010 01 mmm ddd", "rev16\t%d, %m", ARM_REV16, plain, 0, 0},
    {"1011 1010 11 mmm ddd", "revsh\t%d, %m", ARM_REVSH, plain, 0, 0},
    {"1011 110 a llllllll", "pop\t%l", ARM_LDM, pop_list, EMPTY, 4},
    {"1011 1110 iiiiiiii", "bkpt\t0x%q", ARM_BKPT, plain, 0, 0},
    {"1011 1111 0000 0000", "nop", ARM_HINT, plain, 0, 0},
    {"1011 1111 0001 0000", "yield", ARM_HINT, plain, 0, 0},
    {"1011 1111 0010 0000", "wfe", ARM_HINT, plain, 0, 0},
    {"1011 1111 0011 0000", "wfi", ARM_HINT, plain, 0, 0},
    {"1011 1111 0100 0000", "sev", ARM_HINT, plain, 0, 0},

    /* [ARM-ARM, A6.2 "16-bit Thumb instruction encoding"]: lists of registers. */
    {"1100 0 nnn llllllll", "stmia\t%n!, %l", ARM_STM, store_list, EMPTY, 4},
    {"1100 1 nnn llllllll", "ldmia\t%n%!, %l", ARM_LDM, load_list, EMPTY, 4},

    /* [ARM-ARM, A6.2.6 "Conditional branch, and Supervisor Call"] */
    {"1101 1110 iiiiiiii", "udf\t#%i", ARM_UNDEF, plain, 0, 0},
    {"1101 1111 iiiiiiii", "svc\t%i", ARM_SVC_OP, plain, 0, 0},
    {"1101 cccc iiiiiiii", "b%c.n\t%b", ARM_B, branch_if, 0, 0},
    {"11100 iiiiiiiiiii", "b.n\t%b", ARM_B, branch, 0, 0},

    /* [ARM-ARM, A6.3.4 "Branches and miscellaneous control"], as far as ARMv5T has it. */
    {"11110 iiiiiiiiiii 11111 iiiiiiiiiii", "bl\t%b", ARM_BL, branch_pair, 0, 0},
    {"11110 iiiiiiiiiii 11101 iiiiiiiiii 0", "blx\t%b", ARM_BLX, branch_exchange_pair, 0, 0},
};
const unsigned thumb_encoding_count = ARRAY_SIZE(thumb_encodings);
