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
 * The file is long because x86 has many kinds of instruction; it is one idea, and each
 * function is read by itself.
 *
 * Where an instruction has several encodings we take the one the GNU assembler
 * takes: short, and comparable byte for byte.
 */
#include "06-tcg/x86/encode.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "06-tcg/x86/listing.h"

static void put(struct x86_code *code, uint64_t value, unsigned size)
{
    if (size > code->limit - code->size) {
        code->overflow = true;
        return;
    }
    memcpy(code->bytes + code->size, &value, size); /* both sides are little-endian */
    code->size += size;
}

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
static void put_modrm(struct x86_code *code, unsigned field, struct x86_operand rm)
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

/* The opcode byte F of "0F F" is written 0x0fFF here. */
#define OPCODE_0F 0x0f00u

/*
 * Everything up to the immediate. width decides on the 66 prefix and REX.W; the
 * operands' own widths, which decide whether SIL needs a REX, are reg_width and
 * rm_width.
 */
static void put_insn(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned reg,
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

/* The common case: both operands as wide as the operation; 8 bits have an opcode less by 1. */
static void put_op(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned reg,
                   struct x86_operand rm)
{
    put_insn(code, opcode - (width == X86_8), width, reg, width, rm, width);
}

/* A digit in place of a register has no width. */
static void put_digit(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned digit,
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

void x86_bt(struct x86_code *code, enum x86_width width, struct x86_operand rm, unsigned bit)
{
    size_t start = code->size;

    assert(width >= X86_32);
    put_digit(code, OPCODE_0F | 0xba, width, 4, rm);
    put(code, bit, 1);
    code->flags_changed = true;
    list_rm_imm(code, start, "bt", width, rm, (int32_t)bit);
}

void x86_cmc(struct x86_code *code)
{
    size_t start = code->size;

    put(code, 0xf5, 1);
    code->flags_changed = true;
    list(code, start, "cmc");
}

void x86_lock_cmpxchg(struct x86_code *code, struct x86_operand rm, enum x86_reg reg)
{
    size_t start = code->size;

    put(code, 0xf0, 1);
    put_op(code, OPCODE_0F | 0xb1, X86_32, reg, rm);
    code->flags_changed = true;
    list_rm_reg(code, start, "lock cmpxchg", X86_32, rm, reg);
}

void x86_mfence(struct x86_code *code)
{
    size_t start = code->size;

    put(code, 0xf0ae0f, 3);
    list(code, start, "mfence");
}

void x86_lahf(struct x86_code *code)
{
    size_t start = code->size;

    put(code, 0x9f, 1);
    list(code, start, "lahf");
}

void x86_sahf(struct x86_code *code)
{
    size_t start = code->size;

    put(code, 0x9e, 1);
    code->flags_changed = true;
    list(code, start, "sahf");
}

void x86_store_ah(struct x86_code *code, struct x86_operand mem)
{
    size_t start = code->size;

    assert(!x86_is_reg(mem) && mem.base < R8 && mem.index == X86_NO_REG);
    put(code, 0x88, 1);
    put_modrm(code, RSP, mem); /* 4 is AH as long as there is no REX */
    list_rm_text(code, start, "mov", X86_8, mem, ", ah");
}

void x86_setcc(struct x86_code *code, enum x86_cc cc, struct x86_operand rm)
{
    size_t start = code->size;

    put_insn(code, OPCODE_0F | 0x90 | cc, X86_8, 0, X86_32, rm, X86_8);
    list_cc_rm(code, start, "set", cc, rm);
}

void x86_cmov(struct x86_code *code, enum x86_cc cc, enum x86_width width, enum x86_reg reg,
              struct x86_operand rm)
{
    size_t start = code->size;

    assert(width >= X86_32);
    put_op(code, OPCODE_0F | 0x40 | cc, width, reg, rm);
    list_cmov(code, start, cc, width, reg, rm);
}

static void push_or_pop(struct x86_code *code, unsigned opcode, enum x86_reg reg, const char *name)
{
    size_t start = code->size;

    if (reg >= R8)
        put(code, 0x41, 1);
    put(code, opcode | (reg & 7), 1);
    list(code, start, "%s %s", name, x86_reg_name(reg, X86_64));
}

void x86_push(struct x86_code *code, enum x86_reg reg)
{
    push_or_pop(code, 0x50, reg, "push");
}

void x86_pop(struct x86_code *code, enum x86_reg reg)
{
    push_or_pop(code, 0x58, reg, "pop");
}

void x86_ret(struct x86_code *code)
{
    size_t start = code->size;

    put(code, 0xc3, 1);
    list(code, start, "ret");
}

void x86_jmp_to(struct x86_code *code, struct x86_operand rm)
{
    size_t start = code->size;

    put_insn(code, 0xff, X86_32, 4, X86_32, rm, X86_32); /* 64 bits without REX.W */
    list_rm_text(code, start, "jmp", X86_64, rm, "");
}

/* A displacement counts from the end of the instruction, which it is the end of. */
static uint32_t displacement(size_t offset, size_t target)
{
    if (target == X86_LATER)
        return 0;
    return (uint32_t)(target - (offset + 4));
}

static void list_jump(struct x86_code *code, size_t start, const char *cc, size_t target)
{
    if (target == X86_LATER)
        list(code, start, "j%s (patched later)", cc);
    else
        list(code, start, "j%s %#zx", cc, target);
}

size_t x86_jmp(struct x86_code *code, size_t target)
{
    size_t start = code->size;

    put(code, 0xe9, 1);
    put(code, displacement(code->size, target), 4);
    list_jump(code, start, "mp", target);
    return code->size - 4;
}

size_t x86_call(struct x86_code *code, size_t target)
{
    size_t start = code->size;

    put(code, 0xe8, 1);
    put(code, displacement(code->size, target), 4);
    if (target == X86_LATER)
        list(code, start, "call (patched later)");
    else
        list(code, start, "call %#zx", target);
    return code->size - 4;
}

size_t x86_jcc(struct x86_code *code, enum x86_cc cc, size_t target)
{
    size_t start = code->size;

    put(code, 0x0f, 1);
    put(code, 0x80 | cc, 1);
    put(code, displacement(code->size, target), 4);
    list_jump(code, start, list_cc[cc], target);
    return code->size - 4;
}

size_t x86_jcc_short(struct x86_code *code, enum x86_cc cc)
{
    size_t start = code->size;

    put(code, 0x70 | cc, 1);
    put(code, 0, 1);
    list(code, start, "j%s forward", list_cc[cc]);
    return code->size - 1;
}

size_t x86_jmp_short(struct x86_code *code)
{
    size_t start = code->size;

    put(code, 0xeb, 1);
    put(code, 0, 1);
    list(code, start, "jmp forward");
    return code->size - 1;
}

void x86_land(struct x86_code *code, size_t jump)
{
    size_t distance = code->size - (jump + 1);

    if (code->overflow)
        return;
    assert(distance <= INT8_MAX);
    code->bytes[jump] = (uint8_t)distance;
}

void x86_patch(struct x86_code *code, size_t offset, size_t target)
{
    uint32_t value = displacement(offset, target);

    if (!code->overflow)
        memcpy(code->bytes + offset, &value, 4);
}

/* [SDM2, 4.3, NOP, table 4-12 "Recommended Multi-Byte Sequence of NOP Instruction"] */
void x86_align(struct x86_code *code, size_t lead, size_t power)
{
    static const uint8_t nops[8][8] = {
        {0x90},
        {0x66, 0x90},
        {0x0f, 0x1f, 0x00},
        {0x0f, 0x1f, 0x40, 0x00},
        {0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
        {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
        {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    };
    size_t missing = -(code->size + lead) & (power - 1);

    while (missing) {
        size_t start = code->size, n = missing < 8 ? missing : 8;
        uint64_t bytes;

        memcpy(&bytes, nops[n - 1], 8);
        put(code, bytes, (unsigned)n);
        list(code, start, "nop");
        missing -= n;
    }
}
