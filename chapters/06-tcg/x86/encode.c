/*
 * encode.c: the bytes of those x86-64 instructions that generated code is made of. Left out:
 * all others, floating point and vectors above all.
 *
 *   +-------+-----+--------+-------+-----+--------------+-----------+
 *   | 65 67 | REX | opcode | ModRM | SIB | displacement | immediate |
 *   | 66    |     | 1-2    |       |     | 0, 1, 4      | 0,1,2,4,8 |
 *   +-------+-----+--------+-------+-----+--------------+-----------+
 *
 *   REX   0100 W R X B     W: 64 bits wide; R, X, B: bit 3 of reg, index, base
 *   ModRM mod:2 reg:3 rm:3   mod 3: rm is a register, else memory with 0, 1, 4
 *                            bytes of displacement
 *   SIB   scale:2 index:3 base:3
 *   VEX   C4 and two bytes in place of 66 and REX, for BMI2: see put_vex()
 *
 * [SDM2, 2.1 "Instruction Format for Protected Mode, Real-Address Mode, and
 * Virtual-8086 Mode", 2.2.1 "REX Prefixes"]. Three holes in the pattern need care:
 * base RSP or R12 needs a SIB byte, base RBP or R13 a displacement, and "no base" in
 * 64-bit mode is a SIB byte with base 5, because the short form means RIP-relative.
 *
 * Here are the format, and what moves and computes; encode_jumps.c has what is about flags
 * and where to go on. The file is long because x86 has many kinds of instruction; each
 * function is read by itself.
 *
 * Where an instruction has several encodings we take the one the GNU assembler
 * takes: short, and comparable byte for byte.
 */
#include "06-tcg/x86/encode.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "06-tcg/x86/format.h"
#include "06-tcg/x86/listing.h"

static bool fits_byte(int64_t value)
{
    return value == (int8_t)value;
}

/* SPL, BPL, SIL and DIL exist only with a REX prefix; without it they are AH .. BH. */
static bool needs_rex(enum x86_width width, unsigned reg)
{
    return width == X86_8 && reg >= RSP && reg <= RDI;
}

/* [modrm] */
/* ModRM, SIB and displacement. field is the low half of a register, or a digit. */
void put_modrm(struct x86_code *code, unsigned field, struct x86_operand rm)
{
    unsigned base = rm.base & 7, mod;
    bool sib = rm.index != X86_NO_REG || rm.base == X86_NO_REG || base == RSP;
    unsigned index = rm.index == X86_NO_REG ? RSP : rm.index & 7; /* 4 in SIB: no index */

    if (x86_is_reg(rm)) {
        put(code, 3u << 6 | field << 3 | (rm.reg & 7), 1);
        return;
    }
    if (rm.base == X86_NO_REG)
        mod = 0, base = RBP; /* and a displacement of four bytes */
    else if (rm.disp == 0 && base != RBP)
        mod = 0;
    else
        mod = fits_byte(rm.disp) ? 1 : 2;
    put(code, mod << 6 | field << 3 | (sib ? (unsigned)RSP : base), 1);
    if (sib)
        put(code, (unsigned)rm.scale << 6 | index << 3 | base, 1);
    if (mod == 1)
        put(code, (uint8_t)rm.disp, 1);
    else if (mod == 2 || rm.base == X86_NO_REG)
        put(code, (uint32_t)rm.disp, 4);
}
/* [/modrm] */

void put_insn(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned reg,
              enum x86_width reg_width, struct x86_operand rm, enum x86_width rm_width)
{
    unsigned base = x86_is_reg(rm) ? rm.reg : rm.base == X86_NO_REG ? 0 : rm.base;
    unsigned index = rm.index == X86_NO_REG ? 0 : rm.index;
    unsigned rex = (width == X86_64) << 3 | (reg >> 3) << 2 | (index >> 3) << 1 | base >> 3;
    bool empty_rex = needs_rex(reg_width, reg) || (x86_is_reg(rm) && needs_rex(rm_width, rm.reg));

    if (rm.guest && code->segment)
        put(code, 0x65, 1);
    if (rm.guest)
        put(code, 0x67, 1);
    if (width == X86_16)
        put(code, 0x66, 1);
    if (rex || empty_rex)
        put(code, 0x40 | rex, 1);
    if (opcode >= OPCODE_0F)
        put(code, 0x0f, 1);
    put(code, opcode & 0xff, 1);
    put_modrm(code, reg & 7, rm);
}

void put_op(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned reg,
            struct x86_operand rm)
{
    put_insn(code, opcode - (width == X86_8), width, reg, width, rm, width);
}

void put_digit(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned digit,
               struct x86_operand rm)
{
    put_insn(code, opcode - (width == X86_8), width, digit, X86_32, rm, width);
}

static void put_imm(struct x86_code *code, enum x86_width width, int32_t imm)
{
    put(code, (uint32_t)imm, width == X86_64 ? 4 : width);
}

/* An immediate as the operation sees it: of width bits, signed. */
static int32_t narrow(enum x86_width width, int32_t imm)
{
    return width == X86_8 ? (int8_t)imm : width == X86_16 ? (int16_t)imm : imm;
}

void x86_alu(struct x86_code *code, enum x86_alu op, enum x86_width width, enum x86_reg reg,
             struct x86_operand rm)
{
    size_t start = code->size;

    if (x86_is_reg(rm)) {
        x86_alu_to(code, op, width, x86_reg(reg), (enum x86_reg)rm.reg);
        return;
    }
    put_op(code, op * 8u + 3, width, reg, rm);
    code->flags_changed = true;
    list_reg_rm(code, start, list_alu[op], width, reg, width, rm);
}

void x86_alu_to(struct x86_code *code, enum x86_alu op, enum x86_width width, struct x86_operand rm,
                enum x86_reg reg)
{
    size_t start = code->size;

    put_op(code, op * 8u + 1, width, reg, rm);
    code->flags_changed = true;
    list_rm_reg(code, start, list_alu[op], width, rm, reg);
}

void x86_alu_imm(struct x86_code *code, enum x86_alu op, enum x86_width width,
                 struct x86_operand rm, int32_t imm)
{
    size_t start = code->size;
    bool accumulator = x86_is_reg(rm) && rm.reg == RAX;

    imm = narrow(width, imm);
    if (width != X86_8 && fits_byte(imm)) {
        put_digit(code, 0x83, width, op, rm);
        put(code, (uint8_t)imm, 1);
    } else if (accumulator) { /* a form of its own, without ModRM */
        if (width == X86_16 || width == X86_64)
            put(code, width == X86_16 ? 0x66 : 0x48, 1);
        put(code, op * 8u + 5 - (width == X86_8), 1);
        put_imm(code, width, imm);
    } else {
        put_digit(code, 0x81, width, op, rm);
        put_imm(code, width, imm);
    }
    code->flags_changed = true;
    list_rm_imm(code, start, list_alu[op], width, rm, imm);
}

void x86_test(struct x86_code *code, enum x86_width width, struct x86_operand rm, enum x86_reg reg)
{
    size_t start = code->size;

    put_op(code, 0x85, width, reg, rm);
    code->flags_changed = true;
    list_rm_reg(code, start, "test", width, rm, reg);
}

void x86_test_imm(struct x86_code *code, enum x86_width width, struct x86_operand rm, int32_t imm)
{
    size_t start = code->size;

    imm = narrow(width, imm);
    if (x86_is_reg(rm) && rm.reg == RAX) {
        if (width == X86_16 || width == X86_64)
            put(code, width == X86_16 ? 0x66 : 0x48, 1);
        put(code, width == X86_8 ? 0xa8 : 0xa9, 1);
    } else {
        put_digit(code, 0xf7, width, 0, rm);
    }
    put_imm(code, width, imm);
    code->flags_changed = true;
    list_rm_imm(code, start, "test", width, rm, imm);
}

void x86_mov(struct x86_code *code, enum x86_width width, enum x86_reg to, enum x86_reg from)
{
    size_t start = code->size;

    put_op(code, 0x89, width, from, x86_reg(to));
    list_rm_reg(code, start, "mov", width, x86_reg(to), from);
}

void x86_load(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand mem)
{
    size_t start = code->size;

    assert(!x86_is_reg(mem));
    put_op(code, 0x8b, width, reg, mem);
    list_reg_rm(code, start, "mov", width, reg, width, mem);
}

void x86_store(struct x86_code *code, enum x86_width width, struct x86_operand mem,
               enum x86_reg reg)
{
    size_t start = code->size;

    assert(!x86_is_reg(mem));
    put_op(code, 0x89, width, reg, mem);
    list_rm_reg(code, start, "mov", width, mem, reg);
}

void x86_store_imm(struct x86_code *code, enum x86_width width, struct x86_operand mem, int32_t imm)
{
    size_t start = code->size;

    assert(!x86_is_reg(mem));
    imm = narrow(width, imm);
    put_digit(code, 0xc7, width, 0, mem);
    put_imm(code, width, imm);
    list_rm_imm(code, start, "mov", width, mem, imm);
}

void x86_mov_imm(struct x86_code *code, enum x86_reg reg, uint32_t imm)
{
    size_t start = code->size;

    if (reg >= R8)
        put(code, 0x41, 1);
    put(code, 0xb8 | (reg & 7), 1);
    put(code, imm, 4);
    list_rm_imm(code, start, "mov", X86_32, x86_reg(reg), (int32_t)imm);
}

void x86_mov_imm64(struct x86_code *code, enum x86_reg reg, uint64_t imm)
{
    size_t start = code->size;

    put(code, 0x48 | (reg >> 3), 1);
    put(code, 0xb8 | (reg & 7), 1);
    put(code, imm, 8);
    list(code, start, "movabs %s, %#llx", x86_reg_name(reg, X86_64), (unsigned long long)imm);
}

void x86_movzx(struct x86_code *code, enum x86_width from, enum x86_reg reg, struct x86_operand rm)
{
    size_t start = code->size;

    put_insn(code, OPCODE_0F | (from == X86_8 ? 0xb6 : 0xb7), X86_32, reg, X86_32, rm, from);
    list_reg_rm(code, start, "movzx", X86_32, reg, from, rm);
}

void x86_movsx(struct x86_code *code, enum x86_width from, enum x86_reg reg, struct x86_operand rm)
{
    size_t start = code->size;

    put_insn(code, OPCODE_0F | (from == X86_8 ? 0xbe : 0xbf), X86_32, reg, X86_32, rm, from);
    list_reg_rm(code, start, "movsx", X86_32, reg, from, rm);
}

void x86_movsxd(struct x86_code *code, enum x86_reg reg, struct x86_operand rm)
{
    size_t start = code->size;

    put_insn(code, 0x63, X86_64, reg, X86_64, rm, X86_32);
    list_reg_rm(code, start, "movsxd", X86_64, reg, X86_32, rm);
}

void x86_lea(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand mem)
{
    size_t start = code->size;

    assert(!x86_is_reg(mem) && !mem.guest);
    put_op(code, 0x8d, width, reg, mem);
    list_lea(code, start, width, reg, mem);
}

void x86_shift_imm(struct x86_code *code, enum x86_shift op, enum x86_width width,
                   struct x86_operand rm, unsigned count)
{
    size_t start = code->size;

    put_digit(code, count == 1 ? 0xd1 : 0xc1, width, op, rm);
    if (count != 1)
        put(code, count, 1);
    code->flags_changed = true;
    list_rm_imm(code, start, list_shift[op], width, rm, (int32_t)count);
}

void x86_shift_cl(struct x86_code *code, enum x86_shift op, enum x86_width width,
                  struct x86_operand rm)
{
    size_t start = code->size;

    put_digit(code, 0xd3, width, op, rm);
    code->flags_changed = true;
    list_rm_text(code, start, list_shift[op], width, rm, ", cl");
}

/*
 * VEX in place of prefixes and REX, with a third operand; its bits for registers are inverted.
 * map: 2 for 0F 38, 3 for 0F 3A. prefix: 0, or 1 to 3 for 66, F3, F2. [SDM2, 2.3.5 "The VEX
 * Prefix"]
 */
static void put_vex(struct x86_code *code, unsigned map, unsigned prefix, unsigned opcode,
                    enum x86_width width, unsigned reg, unsigned third, struct x86_operand rm)
{
    unsigned base = x86_is_reg(rm) ? rm.reg : rm.base;
    unsigned index = rm.index == X86_NO_REG ? 0 : rm.index;

    assert(!rm.guest && base != X86_NO_REG && width >= X86_32);
    put(code, 0xc4, 1);
    put(code, ((reg >> 3) << 7 | (index >> 3) << 6 | (base >> 3) << 5 | map) ^ 0xe0, 1);
    put(code, (unsigned)(width == X86_64) << 7 | (third ^ 15) << 3 | prefix, 1);
    put(code, opcode, 1);
    put_modrm(code, reg & 7, rm);
}

void x86_shift_by(struct x86_code *code, enum x86_shift op, enum x86_width width, enum x86_reg reg,
                  struct x86_operand rm, enum x86_reg count)
{
    size_t start = code->size;
    unsigned prefix = op == X86_SHL ? 1 : op == X86_SAR ? 2 : 3;

    put_vex(code, 2, prefix, 0xf7, width, reg, count, rm);
    list_reg_rm_text(code, start,
                     op == X86_SHL   ? "shlx"
                     : op == X86_SAR ? "sarx"
                                     : "shrx",
                     width, reg, rm, x86_reg_name(count, width));
}

void x86_rorx(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand rm,
              unsigned count)
{
    size_t start = code->size;
    char number[12] = "";

    if (code->listener)
        snprintf(number, sizeof number, "%#x", count);
    put_vex(code, 3, 3, 0xf0, width, reg, 0, rm);
    put(code, count, 1);
    list_reg_rm_text(code, start, "rorx", width, reg, rm, number);
}

void x86_bzhi(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand rm,
              enum x86_reg index)
{
    size_t start = code->size;

    put_vex(code, 2, 0, 0xf5, width, reg, index, rm);
    code->flags_changed = true;
    list_reg_rm_text(code, start, "bzhi", width, reg, rm, x86_reg_name(index, width));
}

void x86_mulx(struct x86_code *code, enum x86_width width, enum x86_reg high, enum x86_reg low,
              enum x86_reg right)
{
    size_t start = code->size;

    put_vex(code, 2, 3, 0xf6, width, high, low, x86_reg(right));
    list(code, start, "mulx %s, %s, %s", x86_reg_name(high, width), x86_reg_name(low, width),
         x86_reg_name(right, width));
}

void x86_unary(struct x86_code *code, enum x86_unary op, enum x86_width width,
               struct x86_operand rm)
{
    size_t start = code->size;

    put_digit(code, op >= X86_INC ? 0xff : 0xf7, width, op & 7, rm);
    code->flags_changed |= op != X86_NOT;
    list_rm_text(code, start, list_unary[op], width, rm, "");
}

void x86_imul(struct x86_code *code, enum x86_width width, enum x86_reg reg, struct x86_operand rm)
{
    size_t start = code->size;

    assert(width >= X86_32);
    put_op(code, OPCODE_0F | 0xaf, width, reg, rm);
    code->flags_changed = true;
    list_reg_rm(code, start, "imul", width, reg, width, rm);
}

void x86_imul_imm(struct x86_code *code, enum x86_width width, enum x86_reg reg,
                  struct x86_operand rm, int32_t imm)
{
    size_t start = code->size;
    char text[16];

    assert(width >= X86_32);
    put_op(code, fits_byte(imm) ? 0x6b : 0x69, width, reg, rm);
    put(code, (uint32_t)imm, fits_byte(imm) ? 1 : 4);
    code->flags_changed = true;
    if (!code->listener)
        return;
    snprintf(text, sizeof text, "%d", imm);
    list_reg_rm_text(code, start, "imul", width, reg, rm, text);
}

void x86_bsr(struct x86_code *code, enum x86_reg reg, struct x86_operand rm)
{
    size_t start = code->size;

    put_op(code, OPCODE_0F | 0xbd, X86_32, reg, rm);
    code->flags_changed = true;
    list_reg_rm(code, start, "bsr", X86_32, reg, X86_32, rm);
}

void x86_bswap(struct x86_code *code, enum x86_reg reg)
{
    size_t start = code->size;

    if (reg >= R8)
        put(code, 0x41, 1);
    put(code, 0x0f, 1);
    put(code, 0xc8 | (reg & 7), 1);
    list(code, start, "bswap %s", x86_reg_name(reg, X86_32));
}
