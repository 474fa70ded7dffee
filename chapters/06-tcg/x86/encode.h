/*
 * encode.h: writes x86-64 instructions, byte by byte.
 *
 * One function per kind of instruction, typed so that what cannot be encoded cannot
 * be said. Each appends to a struct x86_code and, if somebody listens, tells what it
 * wrote in the assembler's Intel syntax; the dumps and the encoder's own test live
 * on that text.
 *
 *     x86_load(code, RAX, x86_mem(RBP, 8));            mov eax, dword ptr [rbp + 8]
 *     x86_alu_imm(code, X86_ADD, X86_32, x86_reg(RAX), 4);          add eax, 0x4
 *
 * An operand is a register, host memory [base + disp] with 64-bit registers, or
 * *guest* memory. A guest address has 32 bits, and an address-size prefix makes the
 * processor compute it in 32 bits too, wrapping as the guest's own processor would.
 * Where the guest's window does not start at 0, the GS segment's base is added.
 * [SDM1, 3.7.5.1 "Specifying an Offset"]
 *
 * Manual to have open: [SDM2], chapter 2 "Instruction Format" and the page of each
 * instruction; the numbers behind X86_... are the manual's opcode digits.
 */
#ifndef TCG_X86_ENCODE_H
#define TCG_X86_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum x86_reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    X86_REGS,
    X86_NO_REG = X86_REGS
};

enum x86_width {
    X86_8 = 1,
    X86_16 = 2,
    X86_32 = 4,
    X86_64 = 8,
};

/* The reg field of opcodes 80, 81, 83; also bits 5:3 of the short opcodes. */
enum x86_alu {
    X86_ADD = 0,
    X86_OR = 1,
    X86_ADC = 2,
    X86_SBB = 3,
    X86_AND = 4,
    X86_SUB = 5,
    X86_XOR = 6,
    X86_CMP = 7,
};

/* The reg field of opcodes C1, D1, D3. */
enum x86_shift {
    X86_ROL = 0,
    X86_ROR = 1,
    X86_RCR = 3,
    X86_SHL = 4,
    X86_SHR = 5,
    X86_SAR = 7,
};

/* The reg field of opcode F7, and of FF with 8 added. */
enum x86_unary {
    X86_NOT = 2,
    X86_NEG = 3,
    X86_MUL = 4,
    X86_IMUL = 5,
    X86_DIV = 6,
    X86_INC = 8,
    X86_DEC = 9,
};

/* The low four bits of Jcc, SETcc and CMOVcc. [SDM2, appendix B.1.4.7 "Condition Test"] */
enum x86_cc {
    X86_O,
    X86_NO,
    X86_B,
    X86_AE,
    X86_E,
    X86_NE,
    X86_BE,
    X86_A,
    X86_S,
    X86_NS,
    X86_P,
    X86_NP,
    X86_L,
    X86_GE,
    X86_LE,
    X86_G,
};

struct x86_operand {
    uint8_t reg;   /* the register, or X86_NO_REG: memory */
    uint8_t base;  /* X86_NO_REG: none */
    uint8_t index; /* X86_NO_REG: none; never RSP */
    uint8_t scale; /* of the index, 0..3: a power of two */
    bool guest;    /* 32-bit address in the guest's window */
    int32_t disp;
};

/* Told of each instruction after it is written: where it starts, and its text. */
typedef void x86_listener(void *self, size_t offset, const char *text);

struct x86_code {
    uint8_t *bytes; /* written here; not owned */
    size_t size;    /* so far */
    size_t limit;
    bool overflow; /* something did not fit: the code is worthless */
    bool segment;  /* guest operands need the GS segment's base */
    /*
     * Set by every instruction that may change CF, ZF, SF or OF. Who wants to use
     * the flags of an earlier instruction clears it there and looks at it later.
     */
    bool flags_changed;
    x86_listener *listener; /* or NULL */
    void *self;
};

static inline struct x86_operand x86_reg(enum x86_reg reg)
{
    return (struct x86_operand){.reg = (uint8_t)reg, .base = X86_NO_REG, .index = X86_NO_REG};
}

static inline struct x86_operand x86_mem(enum x86_reg base, int32_t disp)
{
    return (struct x86_operand){
        .reg = X86_NO_REG, .base = (uint8_t)base, .index = X86_NO_REG, .disp = disp};
}

static inline bool x86_is_reg(struct x86_operand operand)
{
    return operand.reg != X86_NO_REG;
}

/* Two operands: "reg op= rm", "rm op= reg" and "rm op= imm". CMP writes flags only. */
void x86_alu(struct x86_code *code, enum x86_alu op, enum x86_width width, enum x86_reg reg,
             struct x86_operand rm);
void x86_alu_to(struct x86_code *code, enum x86_alu op, enum x86_width width, struct x86_operand rm,
                enum x86_reg reg);
void x86_alu_imm(struct x86_code *code, enum x86_alu op, enum x86_width width,
                 struct x86_operand rm, int32_t imm);
void x86_test(struct x86_code *code, enum x86_width width, struct x86_operand rm, enum x86_reg reg);
void x86_test_imm(struct x86_code *code, enum x86_width width, struct x86_operand rm, int32_t imm);

/* MOV. Writing 32 bits of a register clears its upper half. */
void x86_mov(struct x86_code *code, enum x86_width width, enum x86_reg to, enum x86_reg from);
void x86_load(struct x86_code *code, enum x86_width width, enum x86_reg reg,
              struct x86_operand mem);
void x86_store(struct x86_code *code, enum x86_width width, struct x86_operand mem,
               enum x86_reg reg);
void x86_store_imm(struct x86_code *code, enum x86_width width, struct x86_operand mem,
                   int32_t imm);
void x86_mov_imm(struct x86_code *code, enum x86_reg reg, uint32_t imm);
void x86_mov_imm64(struct x86_code *code, enum x86_reg reg, uint64_t imm);

/* To 32 bits, from an 8- or 16-bit register or memory; MOVSXD: from 32 to 64 bits. */
void x86_movzx(struct x86_code *code, enum x86_width from, enum x86_reg reg, struct x86_operand rm);
void x86_movsx(struct x86_code *code, enum x86_width from, enum x86_reg reg, struct x86_operand rm);
void x86_movsxd(struct x86_code *code, enum x86_reg reg, struct x86_operand rm);

/* reg = base + (index << scale) + disp, in 32 or 64 bits. */
void x86_lea(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand mem);

void x86_shift_imm(struct x86_code *code, enum x86_shift op, enum x86_width width,
                   struct x86_operand rm, unsigned count);
void x86_shift_cl(struct x86_code *code, enum x86_shift op, enum x86_width width,
                  struct x86_operand rm);
void x86_unary(struct x86_code *code, enum x86_unary op, enum x86_width width,
               struct x86_operand rm);
void x86_imul(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand rm);
void x86_imul_imm(struct x86_code *code, enum x86_width width, enum x86_reg reg,
                  struct x86_operand rm, int32_t imm);
void x86_bsr(struct x86_code *code, enum x86_reg reg, struct x86_operand rm);
void x86_bswap(struct x86_code *code, enum x86_reg reg);

/*
 * BMI2: a result apart from its operands, and flags as they were; of SHLX and its kin, which
 * count like x86_shift_cl(), in any register. BZHI keeps the low bits below number index, which
 * is the register's low byte, 0 to 255, and does change flags. MULX multiplies by EDX, unsigned.
 */
void x86_shift_by(struct x86_code *code, enum x86_shift op, enum x86_width width, enum x86_reg reg,
                  struct x86_operand rm, enum x86_reg count);
void x86_rorx(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand rm,
              unsigned count);
void x86_bzhi(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand rm,
              enum x86_reg index);
void x86_mulx(struct x86_code *code, enum x86_width width, enum x86_reg high, enum x86_reg low,
              enum x86_reg right);

void x86_bt(struct x86_code *code, enum x86_width width, struct x86_operand rm, unsigned bit);
void x86_cmc(struct x86_code *code);

/* If rm is EAX, it becomes reg, and ZF is set; else EAX becomes rm. With LOCK, in one go. */
void x86_lock_cmpxchg(struct x86_code *code, struct x86_operand rm, enum x86_reg reg);
void x86_mfence(struct x86_code *code);

/* AH = SF, ZF, - , - , - , - , - , CF, from bit 7 down; and back. */
void x86_lahf(struct x86_code *code);
void x86_sahf(struct x86_code *code);

/* Stores AH, which no other function can name. mem needs no REX: its base is below R8. */
void x86_store_ah(struct x86_code *code, struct x86_operand mem);

void x86_setcc(struct x86_code *code, enum x86_cc cc, struct x86_operand rm);
void x86_cmov(struct x86_code *code, enum x86_cc cc, enum x86_width width, enum x86_reg reg,
              struct x86_operand rm);

void x86_push(struct x86_code *code, enum x86_reg reg);
void x86_pop(struct x86_code *code, enum x86_reg reg);
void x86_ret(struct x86_code *code);
void x86_jmp_to(struct x86_code *code, struct x86_operand rm); /* through a register or memory */

/* A target that is not known yet. */
#define X86_LATER SIZE_MAX

/*
 * Jumps with a 32-bit displacement to an offset in code->bytes, or X86_LATER. Both return the
 * offset of the displacement, for x86_patch().
 */
size_t x86_jmp(struct x86_code *code, size_t target);
size_t x86_call(struct x86_code *code, size_t target);
size_t x86_jcc(struct x86_code *code, enum x86_cc cc, size_t target);

/* A jump over what comes next; x86_land() fills in where it lands: here. */
size_t x86_jcc_short(struct x86_code *code, enum x86_cc cc);
size_t x86_jmp_short(struct x86_code *code);
void x86_land(struct x86_code *code, size_t jump);

/* Makes the 32-bit displacement at offset lead to target. */
void x86_patch(struct x86_code *code, size_t offset, size_t target);

/* Fills up with one NOP so that size + lead is a multiple of power. */
void x86_align(struct x86_code *code, size_t lead, size_t power);

const char *x86_reg_name(enum x86_reg reg, enum x86_width width);

#endif
