/*
 * encode_jumps.c: instructions about the flags, and about where to go on.
 *
 * A jump's displacement is the last part of it and counts from its end. It has one byte
 * (EB, 7x) or four (E9, E8, 0F 8x). One that leads forward is written before anybody knows
 * how far; who knows it then fills it in, x86_land() a short one, x86_patch() a long one.
 *
 *   | E9 | displacement |   next instruction ... target
 *                       |<------------------->|
 *
 * Keep open: [SDM2, 3 "Instruction Set Reference"], Jcc, SETcc and CMOVcc, whose last four
 * bits of the opcode are the condition.
 */
#include "06-tcg/x86/encode.h"

#include <assert.h>
#include <string.h>

#include "06-tcg/x86/format.h"
#include "06-tcg/x86/listing.h"

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
