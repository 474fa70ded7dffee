/*
 * insn.h: where does an x86-64 instruction end, and what are its parts?
 *
 *     [prefixes] [REX] opcode [ModRM [SIB] [displacement]] [immediate]
 *
 * [SDM2, 2.1 "Instruction Format for Protected Mode, Real-Address Mode, and Virtual-8086
 * Mode", 2.2 "IA-32e Mode"]. Instructions have from 1 to 15 bytes, and nothing but
 * decoding one tells where the next begins. This decoder knows the parts, not the
 * meanings, and only 64-bit mode; VEX, EVEX and XOP encodings (AVX and later) are
 * unknown to it, which it says. (Chapter 6 has a decoder of another kind for ARM.)
 */
#ifndef CHAPTER_02_INSN_H
#define CHAPTER_02_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_MAX 15u

struct insn {
    unsigned length; /* bytes */
    unsigned opcode; /* 0xf4; 0x0f01 for those of two bytes; 0x0f38xx, 0x0f3axx */
    uint8_t rex;     /* 0 if there is none */
    bool wide16;     /* operand-size prefix 0x66 */
    bool addr32;     /* address-size prefix 0x67 */
    bool lock_or_rep;
    uint8_t segment; /* prefix 0x64 (FS) or 0x65 (GS), or 0 */
    bool has_modrm;
    uint8_t modrm, sib;
    int32_t displacement;
    uint64_t immediate; /* zero-extended, as many bytes as there are */
};

/* Fields of ModRM, extended by REX: 0 to 15. */
unsigned insn_reg(const struct insn *insn);
unsigned insn_rm(const struct insn *insn);
bool insn_is_register(const struct insn *insn); /* r/m names a register, not memory */

/*
 * Decodes the instruction at code, of which size bytes may be read. False if it is
 * longer than that or than INSN_MAX, not defined in 64-bit mode, or unknown here.
 */
bool insn_decode(const uint8_t *code, size_t size, struct insn *insn);

#endif
