/*
 * listing.c: what the encoder wrote, in the assembler's words.
 *
 * Nothing here decodes: the encoder says what it meant. That the bytes mean the same
 * is what tests/06-tcg/test_encode.c proves, with the GNU assembler as the judge.
 */
#include "06-tcg/x86/listing.h"

#include <stdarg.h>
#include <stdio.h>

#define OPERAND_SIZE 64 /* more than the longest operand's text */

const char *const list_alu[8] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};
const char *const list_shift[8] = {"rol", "ror", "rcl", "rcr", "shl", "shr", "shl", "sar"};
const char *const list_unary[10] = {"", "", "not", "neg", "mul", "imul", "div", "", "inc", "dec"};
const char *const list_cc[16] = {"o", "no", "b", "ae", "e", "ne", "be", "a",
                                 "s", "ns", "p", "np", "l", "ge", "le", "g"};

const char *x86_reg_name(enum x86_reg reg, enum x86_width width)
{
    static const char *const names[4][X86_REGS] = {
        {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b",
         "r13b", "r14b", "r15b"},
        {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w",
         "r13w", "r14w", "r15w"},
        {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d",
         "r12d", "r13d", "r14d", "r15d"},
        {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
         "r13", "r14", "r15"},
    };

    return names[width == X86_8 ? 0 : width == X86_16 ? 1 : width == X86_32 ? 2 : 3][reg];
}

void list(struct x86_code *code, size_t start, const char *format, ...)
{
    char text[4 * OPERAND_SIZE];
    va_list args;

    if (!code->listener || code->overflow)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    code->listener(code->self, start, text);
}

/* "[rbp + 0x8]", "gs:[eax + ecx*4]" */
static void format_address(const struct x86_code *code, char *text, struct x86_operand mem)
{
    enum x86_width width = mem.guest ? X86_32 : X86_64;
    const char *plus = "";
    int at = 0;

    at += sprintf(text, "%s[", mem.guest && code->segment ? "gs:" : "");
    if (mem.base != X86_NO_REG) {
        at += sprintf(text + at, "%s", x86_reg_name(mem.base, width));
        plus = " + ";
    }
    if (mem.index != X86_NO_REG) {
        at += sprintf(text + at, "%s%s*%d", plus, x86_reg_name(mem.index, width), 1 << mem.scale);
        plus = " + ";
    }
    if (mem.disp < 0 && *plus)
        at += sprintf(text + at, " - %#x", -(unsigned)mem.disp);
    else if (mem.disp || !*plus)
        at += sprintf(text + at, "%s%#x", plus, (unsigned)mem.disp);
    sprintf(text + at, "]");
}

static const char *format_rm(const struct x86_code *code, char *text, struct x86_operand rm,
                             enum x86_width width)
{
    static const char *const sizes[] = {[1] = "byte", [2] = "word", [4] = "dword", [8] = "qword"};
    int at;

    if (x86_is_reg(rm))
        return x86_reg_name(rm.reg, width);
    at = sprintf(text, "%s ptr ", sizes[width]);
    format_address(code, text + at, rm);
    return text;
}

void list_reg_rm(struct x86_code *code, size_t start, const char *name, enum x86_width reg_width,
                 enum x86_reg reg, enum x86_width rm_width, struct x86_operand rm)
{
    char text[OPERAND_SIZE];

    if (code->listener)
        list(code, start, "%s %s, %s", name, x86_reg_name(reg, reg_width),
             format_rm(code, text, rm, rm_width));
}

void list_rm_reg(struct x86_code *code, size_t start, const char *name, enum x86_width width,
                 struct x86_operand rm, enum x86_reg reg)
{
    char text[OPERAND_SIZE];

    if (code->listener)
        list(code, start, "%s %s, %s", name, format_rm(code, text, rm, width),
             x86_reg_name(reg, width));
}

void list_reg_rm_text(struct x86_code *code, size_t start, const char *name, enum x86_width width,
                      enum x86_reg reg, struct x86_operand rm, const char *third)
{
    char text[OPERAND_SIZE];

    if (code->listener)
        list(code, start, "%s %s, %s, %s", name, x86_reg_name(reg, width),
             format_rm(code, text, rm, width), third);
}

void list_rm_imm(struct x86_code *code, size_t start, const char *name, enum x86_width width,
                 struct x86_operand rm, int32_t imm)
{
    char text[OPERAND_SIZE];

    if (!code->listener)
        return;
    if (width == X86_64 && imm < 0)
        list(code, start, "%s %s, -%#x", name, format_rm(code, text, rm, width), -(unsigned)imm);
    else
        list(code, start, "%s %s, %#x", name, format_rm(code, text, rm, width),
             width == X86_8    ? (uint8_t)imm
             : width == X86_16 ? (uint16_t)imm
                               : (unsigned)imm);
}

void list_rm_text(struct x86_code *code, size_t start, const char *name, enum x86_width width,
                  struct x86_operand rm, const char *text)
{
    char operand[OPERAND_SIZE];

    if (code->listener)
        list(code, start, "%s %s%s", name, format_rm(code, operand, rm, width), text);
}

void list_cc_rm(struct x86_code *code, size_t start, const char *name, enum x86_cc cc,
                struct x86_operand rm)
{
    char text[OPERAND_SIZE];

    if (code->listener)
        list(code, start, "%s%s %s", name, list_cc[cc], format_rm(code, text, rm, X86_8));
}

void list_cmov(struct x86_code *code, size_t start, enum x86_cc cc, enum x86_width width,
               enum x86_reg reg, struct x86_operand rm)
{
    char text[OPERAND_SIZE];

    if (code->listener)
        list(code, start, "cmov%s %s, %s", list_cc[cc], x86_reg_name(reg, width),
             format_rm(code, text, rm, width));
}

void list_lea(struct x86_code *code, size_t start, enum x86_width width, enum x86_reg reg,
              struct x86_operand mem)
{
    char text[OPERAND_SIZE];

    if (!code->listener)
        return;
    format_address(code, text, mem);
    list(code, start, "lea %s, %s", x86_reg_name(reg, width), text);
}
