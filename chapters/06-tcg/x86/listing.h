/*
 * listing.h: the encoder's instructions as text, for who listens. (For the encoder's
 * files alone.)
 *
 * The syntax is the GNU assembler's ".intel_syntax noprefix", complete with "dword
 * ptr", so that the text can be assembled again and the bytes compared.
 */
#ifndef TCG_X86_LISTING_H
#define TCG_X86_LISTING_H

#include "06-tcg/x86/encode.h"

extern const char *const list_alu[8], *const list_shift[8], *const list_unary[10],
                                                                *const list_cc[16];

/* Tells the listener, if there is one. start: where the instruction begins. */
__attribute__((format(printf, 3, 4))) void list(struct x86_code *code, size_t start,
                                                const char *format, ...);

/* "name reg, rm", "name rm, reg", and so on: each with the operands that it is named after. */
void list_reg_rm(struct x86_code *code, size_t start, const char *name, enum x86_width reg_width,
                 enum x86_reg reg, enum x86_width rm_width, struct x86_operand rm);
void list_rm_reg(struct x86_code *code, size_t start, const char *name, enum x86_width width,
                 struct x86_operand rm, enum x86_reg reg);
void list_reg_rm_text(struct x86_code *code, size_t start, const char *name, enum x86_width width,
                      enum x86_reg reg, struct x86_operand rm, const char *third);
void list_rm_imm(struct x86_code *code, size_t start, const char *name, enum x86_width width,
                 struct x86_operand rm, int32_t imm);
void list_rm_text(struct x86_code *code, size_t start, const char *name, enum x86_width width,
                  struct x86_operand rm, const char *text);
void list_cc_rm(struct x86_code *code, size_t start, const char *name, enum x86_cc cc,
                struct x86_operand rm);
void list_cmov(struct x86_code *code, size_t start, enum x86_cc cc, enum x86_width width,
               enum x86_reg reg, struct x86_operand rm);
void list_lea(struct x86_code *code, size_t start, enum x86_width width, enum x86_reg reg,
              struct x86_operand mem);

#endif
