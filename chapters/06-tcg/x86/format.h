/*
 * format.h: the parts that x86-64 instructions are put together from. (For the encoder's
 * files alone; encode.c has the picture.)
 */
#ifndef TCG_X86_FORMAT_H
#define TCG_X86_FORMAT_H

#include <string.h>

#include "06-tcg/x86/encode.h"

/* Writes eight bytes at any rate, of which the first size count. */
static inline void put(struct x86_code *code, uint64_t value, unsigned size)
{
    if (code->limit - code->size < sizeof value) {
        code->overflow = true;
        return;
    }
    memcpy(code->bytes + code->size, &value, sizeof value); /* both sides are little-endian */
    code->size += size;
}

/* ModRM, SIB and displacement. field is the low half of a register, or a digit. */
void put_modrm(struct x86_code *code, unsigned field, struct x86_operand rm);

/* The opcode byte F of "0F F" is written 0x0fFF here. */
#define OPCODE_0F 0x0f00u

/*
 * Everything up to the immediate. width decides on the 66 prefix and REX.W; the
 * operands' own widths, which decide whether SIL needs a REX, are reg_width and
 * rm_width.
 */
void put_insn(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned reg,
              enum x86_width reg_width, struct x86_operand rm, enum x86_width rm_width);

/* The common case: both operands as wide as the operation; 8 bits have an opcode less by 1. */
void put_op(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned reg,
            struct x86_operand rm);

/* A digit in place of a register has no width. */
void put_digit(struct x86_code *code, unsigned opcode, enum x86_width width, unsigned digit,
               struct x86_operand rm);

#endif
