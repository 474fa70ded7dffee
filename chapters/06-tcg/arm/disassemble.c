/*
 * disassemble.c: a decoded instruction as the assembler writes it.
 *
 * The row of the table that matched has a text with places to fill in (encodings.h
 * lists them); here they are filled. The dialect is UAL as GNU objdump prints it, so
 * that the two can be compared line by line. Left out: objdump's comments, and its
 * names for a few barrier scopes of ARMv8.
 *
 * Keep open: [ARM-ARM, A8.1 "Format of instruction descriptions"].
 */
#include <stdarg.h>
#include <stdio.h>

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/encodings.h"
#include "06-tcg/arm/insn.h"
#include "common/bits.h"

static const char *const registers[16] = {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7",
                                          "r8", "r9", "sl", "fp", "ip", "sp", "lr", "pc"};
static const char *const conditions[16] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs", "vc",
                                           "hi", "ls", "ge", "lt", "gt", "le", "",   ""};
static const char *const shifts[] = {"lsl", "lsr", "asr", "ror", "rrx"};

/* The text so far. What does not fit is dropped. */
struct output {
    char *text;
    unsigned size, used;
};

__attribute__((format(printf, 2, 3))) static void put(struct output *out, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(out->text + out->used, out->size - out->used, format, arguments);
    va_end(arguments);
    out->used += (unsigned)length;
    if (out->used >= out->size)
        out->used = out->size - 1;
}

static void put_shifted(struct output *out, const struct arm_insn *insn)
{
    put(out, "%s", registers[insn->rm]);
    if (insn->operand == ARM_REG_BY_REG)
        put(out, ", %s %s", shifts[insn->shift], registers[insn->ra]);
    else if (insn->shift == ARM_RRX)
        put(out, ", rrx");
    else if (insn->amount)
        put(out, ", %s #%u", shifts[insn->shift], insn->amount);
}

/* Could a smaller rotation have made the same constant? Then the encoding shows. */
static bool is_roundabout(const struct arm_insn *insn)
{
    uint32_t value = insn->imm;
    unsigned turns = 0;

    while (value > 0xff) {
        value = value << 2 | value >> 30;
        turns++;
    }
    return turns != bits(insn->raw, 11, 8);
}

static void put_operand2(struct output *out, const struct arm_insn *insn)
{
    if (insn->operand != ARM_IMM)
        put_shifted(out, insn);
    else if (is_roundabout(insn))
        put(out, "#%u, %u", (unsigned)bits(insn->raw, 7, 0), (unsigned)bits(insn->raw, 11, 8) * 2);
    else
        put(out, "#%d", (int32_t)insn->imm);
}

static void put_address(struct output *out, const struct arm_insn *insn)
{
    const char *sign = insn->add ? "" : "-";

    put(out, "[%s%s", registers[insn->rn], insn->index ? "" : "]");
    if (insn->operand != ARM_IMM) {
        put(out, ", %s", sign);
        put_shifted(out, insn);
    } else if (insn->imm || !insn->add || insn->writeback) {
        put(out, ", #%s%u", sign, insn->imm);
    }
    if (insn->index)
        put(out, "]%s", insn->writeback ? "!" : "");
}

static void put_list(struct output *out, unsigned list)
{
    const char *comma = "{";

    for (unsigned r = 0; r < 16; r++) {
        if (list >> r & 1) {
            put(out, "%s%s", comma, registers[r]);
            comma = ", ";
        }
    }
    put(out, list ? "}" : "{}");
}

/* "ia" is implied, but objdump says it of an STM that changes its base. */
static void put_list_mode(struct output *out, const struct arm_insn *insn)
{
    if (insn->add && !insn->index)
        put(out, "%s", insn->writeback && insn->op == ARM_STM ? "ia" : "");
    else
        put(out, "%c%c", insn->add ? 'i' : 'd', insn->index ? 'b' : 'a');
}

static void put_barrier(struct output *out, unsigned scope)
{
    static const char *const scopes[16] = {[2] = "oshst",  [3] = "osh",  [6] = "unst", [7] = "un",
                                           [10] = "ishst", [11] = "ish", [14] = "st",  [15] = "sy"};

    if (scopes[scope])
        put(out, "%s", scopes[scope]);
    else
        put(out, "#%u", scope);
}

static void put_psr_fields(struct output *out, unsigned mask)
{
    for (unsigned bit = 4; bit-- > 0;)
        if (mask >> bit & 1)
            put(out, "%c", "cxsf"[bit]);
}

static void put_rotation(struct output *out, unsigned amount)
{
    if (amount)
        put(out, ", ror #%u", amount);
}

/* Targets are absolute; from Thumb to A32 the PC counts as if aligned. */
static uint32_t branch_target(const struct arm_insn *insn, uint32_t address)
{
    uint32_t pc = address + (insn->thumb ? 4 : 8);

    if (insn->op == ARM_BLX)
        pc &= ~UINT32_C(3);
    return pc + insn->imm;
}

static void put_field(struct output *out, const struct arm_insn *insn, uint32_t address, char field)
{
    switch (field) {
    case 'c': put(out, "%s", conditions[insn->cond]); break;
    case 's': put(out, "%s", insn->s ? "s" : ""); break;
    case 'd': put(out, "%s", registers[insn->rd]); break;
    case 'n': put(out, "%s", registers[insn->rn]); break;
    case 'm': put(out, "%s", registers[insn->rm]); break;
    case 'o': put(out, "%s", registers[insn->ra]); break;
    case '2': put_operand2(out, insn); break;
    case 'a': put_address(out, insn); break;
    case 'l': put_list(out, insn->list); break;
    case 'M': put_list_mode(out, insn); break;
    case '!': put(out, "%s", insn->writeback ? "!" : ""); break;
    case 'i': put(out, "%u", insn->imm); break;
    case 'h': put(out, "%u", insn->amount); break;
    case 'b': put(out, "0x%x", branch_target(insn, address)); break;
    case 'x': put(out, "%08x", insn->imm); break;
    case 'q': put(out, "%04x", insn->imm); break;
    case 'f': put_psr_fields(out, insn->list); break;
    case 'T': put(out, "%c", insn->top_n ? 't' : 'b'); break;
    case 'U': put(out, "%c", insn->top_m ? 't' : 'b'); break;
    case 'r': put_rotation(out, insn->amount); break;
    case 'S': put(out, "%s", shifts[insn->shift]); break;
    case 'B': put_barrier(out, insn->imm); break;
    }
}

char *arm_disassemble(const struct arm_insn *insn, uint32_t address, char *text, unsigned size)
{
    struct output out = {text, size, 0};

    text[0] = '\0';
    if (insn->row == ARM_NO_ROW) {
        put(&out, insn->length == 2 ? ".short\t0x%04x" : ".word\t0x%08x", insn->raw);
        return text;
    }
    for (const char *at = (insn->thumb ? thumb_encodings : arm_encodings)[insn->row].text; *at;
         at++) {
        if (*at == '%')
            put_field(&out, insn, address, *++at);
        else
            put(&out, "%c", *at);
    }
    return text;
}
