/*
 * generate.h: random programs of valid instructions, for differential tests.
 *
 * The third tool from the one table: a row's pattern with random bits in its fields
 * is an instruction of that kind. What is not promised (ARM_UNDEF), what would leave
 * the program (jumps, SVC) and what depends on more than state and memory is thrown
 * away. Before an access to memory a few instructions put its registers into the
 * data (guest.h), so a program runs through and ends with SVC 0:
 *
 *     struct generator g = generator(seed, GENERATE_ARM | GENERATE_THUMB);
 *     generate_program(&g, CODE, 20);           20 units into g.bytes, g.size
 *
 * A unit is one random instruction with what prepares it. So that a failing program
 * can be made smaller, each unit can be replaced by as many NOPs: generate_blank().
 */
#ifndef TESTS_06_TCG_GENERATE_H
#define TESTS_06_TCG_GENERATE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/encodings.h"
#include "06-tcg/arm/insn.h"
#include "common/bits.h"
#include "guest.h"

#define GENERATE_ARM    1u
#define GENERATE_THUMB  2u
#define GENERATE_WORDS  4u  /* A32 from random words, not from rows */
#define GENERATE_WILD   8u  /* one access in eight goes wherever its registers say */
#define GENERATE_V5     16u /* only what ARMv5TE has */
#define GENERATE_LOOPS  32u /* A32 only: branches back, so it may never end */
#define GENERATE_DIVIDE 64u /* A32 only: steps of divisions; not more than 16 units */
#define GENERATE_MIDDLE (DATA + DATA_SIZE / 2)

#define GENERATE_UNITS  64
#define GENERATE_BYTES  8192

struct unit {
    unsigned start, end; /* offsets in bytes */
    bool thumb;          /* at its start and end */
};

struct generator {
    uint64_t state;
    unsigned options;
    unsigned last_cond; /* of the last instruction that could have one */
    uint32_t address;   /* of bytes[0] in the guest */
    uint8_t bytes[GENERATE_BYTES];
    unsigned size;
    struct unit units[GENERATE_UNITS];
    unsigned unit_count;
};

static inline uint32_t random_word(struct generator *g)
{
    /* SplitMix64: any seed will do, neighbouring ones too. */
    uint64_t z = (g->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 16);
}

static inline uint32_t random_below(struct generator *g, uint32_t limit)
{
    return (uint32_t)((uint64_t)random_word(g) * limit >> 32);
}

static inline struct generator generator(uint64_t seed, unsigned options)
{
    return (struct generator){.state = seed, .options = options, .last_cond = 14};
}

/* A number such as find the corners of arithmetic: small, near a power of two, any. */
static inline uint32_t random_value(struct generator *g)
{
    switch (random_below(g, 4)) {
    case 0: return random_below(g, 64) - 32;
    case 1: return (UINT32_C(1) << random_below(g, 32)) + random_below(g, 3) - 1;
    case 2: return random_word(g) & random_word(g) & 0x80ff80ff;
    default: return random_word(g);
    }
}

static inline void generate_put(struct generator *g, uint32_t raw, unsigned length)
{
    memcpy(g->bytes + g->size, &raw, length);
    g->size += length;
}

/* Most instructions have no condition; but one that has is often followed by its like. */
static inline uint32_t random_condition(struct generator *g)
{
    bool run = g->last_cond < 14 && random_below(g, 4);

    if (run && random_below(g, 8) == 0)
        g->last_cond ^= 1;
    else if (!run)
        g->last_cond = random_below(g, 6) ? 14 : random_below(g, 14);
    return g->last_cond;
}

/* Random bits in the places that the pattern leaves open. */
static inline uint32_t fill_pattern(struct generator *g, const char *pattern, unsigned *length)
{
    uint32_t word = 0;
    unsigned count = 0;

    for (const char *at = pattern; *at; at++) {
        if (*at == ' ')
            continue;
        word = word << 1 | (*at == '1' || (*at != '0' && random_below(g, 2)));
        count++;
    }
    *length = count / 8;
    if (*pattern == 'c')
        word = (word & 0x0fffffff) | random_condition(g) << 28;
    return word;
}

static inline bool is_v6(const struct arm_insn *insn)
{
    switch (insn->op) {
    case ARM_MOVT:
    case ARM_MLS:
    case ARM_UMAAL:
    case ARM_REV ... ARM_USAT:
    case ARM_LDREX:
    case ARM_STREX:
    case ARM_CLREX:
    case ARM_GET_TLS:
    case ARM_BARRIER: return true;
    default: return false;
    }
}

static inline bool is_memory(const struct arm_insn *insn)
{
    return insn->op >= ARM_LDR && insn->op <= ARM_STREX;
}

/* Can the next instruction executed be another than the following one? */
static inline bool ends_block(const struct arm_insn *insn)
{
    switch (insn->op) {
    case ARM_B:
    case ARM_BL:
    case ARM_BLX:
    case ARM_BX:
    case ARM_SVC_OP:
    case ARM_BKPT:
    case ARM_UNDEF: return true;
    case ARM_LDM: return insn->list >> ARM_PC & 1;
    case ARM_LDR: return insn->rd == ARM_PC;
    default: return insn->op <= ARM_MVN && !arm_compares(insn) && insn->rd == ARM_PC;
    }
}

/* Can the instruction stand anywhere in a program, once its registers are prepared? */
static inline bool is_suitable(const struct generator *g, const struct arm_insn *insn)
{
    bool offset_register = insn->operand == ARM_REG && insn->op <= ARM_STRD;

    if (ends_block(insn) || insn->op == ARM_GET_TLS || insn->op == ARM_HINT)
        return false;
    if ((g->options & GENERATE_V5) && is_v6(insn))
        return false;
    if (insn->op == ARM_MSR && insn->list & 2)
        return false; /* qemu-arm lets it change to big-endian data */
    if (!is_memory(insn))
        return true;
    if (insn->rn == ARM_PC) /* may read code, but not write it */
        return insn->op == ARM_LDR && insn->operand == ARM_IMM && insn->imm < 256;
    if (offset_register && insn->index &&
        (insn->rm == insn->rn || insn->shift >= ARM_ROR || insn->amount > 5))
        return false;
    if (insn->op == ARM_LDRD || insn->op == ARM_STRD)
        return insn->imm % 4 == 0;
    return true;
}

static inline struct arm_insn random_insn(struct generator *g, bool thumb)
{
    for (;;) {
        unsigned length = 4;
        uint32_t raw;
        struct arm_insn insn;

        if (thumb)
            raw = fill_pattern(g, thumb_encodings[random_below(g, thumb_encoding_count)].pattern,
                               &length);
        else if (g->options & GENERATE_WORDS)
            raw = random_word(g);
        else
            raw = fill_pattern(g, arm_encodings[random_below(g, arm_encoding_count)].pattern,
                               &length);
        if (thumb && length == 4)
            continue; /* the pairs are branches */
        insn = thumb ? arm_decode_thumb(raw) : arm_decode(raw);
        if (is_suitable(g, &insn))
            return insn;
    }
}

/* STREX finds a matching LDREX or none: after one of another size anything may happen. */
static inline void prepare_monitor(struct generator *g, const struct arm_insn *insn)
{
    uint32_t sizes[] = {[1] = 0x400000, [2] = 0x600000, [4] = 0};

    if (insn->size == 8 || random_below(g, 4) == 0)
        generate_put(g, 0xf57ff01f, 4); /* CLREX */
    else                                /* LDREX Rd, [Rn], of the same size */
        generate_put(
            g, 0xe1900f9f | (uint32_t)insn->rn << 16 | (uint32_t)insn->rd << 12 | sizes[insn->size],
            4);
}

/* A32 instructions that put the registers of an access where it can succeed. */
static inline void prepare(struct generator *g, const struct arm_insn *insn)
{
    unsigned align = insn->op == ARM_LDR || insn->op == ARM_STR ? 1 : insn->size;
    bool offset_register = insn->operand == ARM_REG && insn->op <= ARM_STRD;

    /* MOV Rn, #MIDDLE; ADD Rn, Rn, #0 to 255 */
    generate_put(g, 0xe3a00000 | (uint32_t)insn->rn << 12 | 0x900 | GENERATE_MIDDLE >> 14, 4);
    generate_put(g,
                 0xe2800000 | (uint32_t)insn->rn << 16 | (uint32_t)insn->rn << 12 |
                     random_below(g, 256 / align) * align,
                 4);
    if (offset_register && insn->index) /* AND Rm, Rm, #0xfc */
        generate_put(g, 0xe20000fc | (uint32_t)insn->rm << 16 | (uint32_t)insn->rm << 12, 4);
    if (insn->op == ARM_STREX)
        prepare_monitor(g, insn);
}

/* From Thumb to A32 and back without a register: BX PC, and LDR PC, [PC, #-4]. */
static inline void enter_arm(struct generator *g)
{
    if ((g->address + g->size) % 4)
        generate_put(g, 0x46c0, 2);
    generate_put(g, 0x46c04778, 4);
}

static inline void enter_thumb(struct generator *g)
{
    generate_put(g, 0xe51ff004, 4);
    generate_put(g, (g->address + g->size + 4) | 1, 4);
}

/* Appends one unit: the instruction, with what prepares it unless it is to run wild. */
static inline void generate_insn(struct generator *g, const struct arm_insn *insn, bool thumb,
                                 bool wild)
{
    struct unit *unit = &g->units[g->unit_count++];

    *unit = (struct unit){.start = g->size, .thumb = thumb};
    if (is_memory(insn) && insn->rn != ARM_PC && !wild) {
        if (thumb)
            enter_arm(g);
        prepare(g, insn);
        if (thumb)
            enter_thumb(g);
    }
    generate_put(g, insn->raw, insn->length);
    unit->end = g->size;
}

static inline void generate_unit(struct generator *g, bool thumb)
{
    struct arm_insn insn = random_insn(g, thumb);
    bool wild = (g->options & GENERATE_WILD) && random_below(g, 8) == 0;

    generate_insn(g, &insn, thumb, wild);
}

/* A branch over the unit that follows it, under some condition, or always. */
static inline void generate_skip(struct generator *g, unsigned from, bool thumb)
{
    uint32_t over = g->size - from;
    uint32_t cond = g->last_cond < 14 && random_below(g, 2) ? g->last_cond ^ random_below(g, 2)
                                                            : random_below(g, 15);

    if (thumb && over < 200) {
        uint16_t branch = (uint16_t)(cond == 14 ? 0xe000 | ((over - 4) / 2 & 0x7ff)
                                                : 0xd000 | cond << 8 | ((over - 4) / 2 & 0xff));
        memcpy(g->bytes + from, &branch, 2);
    } else if (!thumb) {
        uint32_t branch = 0x0a000000 | cond << 28 | ((over - 8) / 4 & 0xffffff);
        memcpy(g->bytes + from, &branch, 4);
    }
}

/* A branch back to one of the last units, after a sum or a comparison that differs each time. */
static inline void generate_loop(struct generator *g)
{
    unsigned back = 1 + random_below(g, g->unit_count < 6 ? g->unit_count : 6);
    uint32_t from = g->units[g->unit_count - back].start, start = g->size;
    uint32_t reg = random_below(g, 13), step = 0x400 | random_below(g, 0x100);
    bool compare = random_below(g, 2);

    generate_put(g, (compare ? 0xe2800000 : 0xe2900000) | reg << 16 | reg << 12 | step, 4);
    if (compare)
        generate_put(g, 0xe1500000 | reg << 16 | random_below(g, 13), 4);
    generate_put(g, 0x0a000000 | random_below(g, 14) << 28 | ((from - g->size - 8) / 4 & 0xffffff),
                 4);
    g->units[g->unit_count++] = (struct unit){.start = start, .end = g->size};
}

/*
 * Some steps of a division with pencil and paper, as in lift_divide.c; half of them with a
 * divisor that loses nothing when it is shifted.
 */
static inline void generate_division(struct generator *g)
{
    uint32_t rest = random_below(g, 15), divisor = random_below(g, 15), bits = random_below(g, 15);
    uint32_t first = random_below(g, 32), last = random_below(g, first + 1);
    bool remainder = random_below(g, 4) == 0;
    struct unit *unit = &g->units[g->unit_count++];

    unit->start = g->size;
    if (first && random_below(g, 2)) /* MOV divisor, divisor, LSR #first */
        generate_put(g, 0xe1a00020 | divisor << 12 | first << 7 | divisor, 4);
    for (uint32_t n = first + 1; n-- > last;) {
        generate_put(g, 0xe1500000 | rest << 16 | n << 7 | divisor, 4);
        if (!remainder)
            generate_put(g, 0xe0a00000 | bits << 16 | bits << 12 | bits, 4);
        generate_put(g, 0x20400000 | rest << 16 | rest << 12 | n << 7 | divisor, 4);
    }
    unit->end = g->size;
}

/*
 * Makes a program for address that starts in A32 and ends there with SVC 0, after
 * unit_count (at most GENERATE_UNITS) random instructions.
 */
static inline void generate_program(struct generator *g, uint32_t address, unsigned unit_count)
{
    bool thumb = false;

    g->address = address;
    g->size = g->unit_count = 0;
    for (unsigned i = 0; i < unit_count; i++) {
        bool want_thumb = (g->options & GENERATE_THUMB) &&
                          (!(g->options & GENERATE_ARM) || (random_below(g, 8) ? thumb : !thumb));
        unsigned from;

        if (thumb && !want_thumb)
            enter_arm(g);
        else if (!thumb && want_thumb)
            enter_thumb(g);
        thumb = want_thumb;
        from = g->size;
        if (random_below(g, 6) == 0) { /* a NOP now, a branch once its length is known */
            generate_put(g, thumb ? 0x46c0 : 0xe1a00000, thumb ? 2 : 4);
            generate_unit(g, thumb);
            generate_skip(g, from, thumb);
            g->units[g->unit_count - 1].start = from;
        } else {
            generate_unit(g, thumb);
        }
        if ((g->options & GENERATE_LOOPS) && random_below(g, 4) == 0)
            generate_loop(g);
        if ((g->options & GENERATE_DIVIDE) && random_below(g, 2))
            generate_division(g);
    }
    if (thumb)
        enter_arm(g);
    generate_put(g, 0xef000000, 4);
}

/* Replaces a unit by NOPs. */
static inline void generate_blank(struct generator *g, const struct unit *unit)
{
    unsigned length = unit->thumb ? 2 : 4;

    for (unsigned at = unit->start; at < unit->end; at += length)
        memcpy(g->bytes + at, unit->thumb ? "\xc0\x46" : "\x00\x00\xa0\xe1", length);
}

/* Prints the program as assembly, NOPs left out, for the report of a failure. */
static inline void generate_print(const struct generator *g, FILE *to)
{
    bool thumb = false;

    for (unsigned at = 0; at < g->size;) {
        uint32_t raw = 0;
        struct arm_insn insn;
        char text[80];

        memcpy(&raw, g->bytes + at, g->size - at < 4 ? g->size - at : 4);
        insn = thumb ? arm_decode_thumb(raw) : arm_decode(raw);
        arm_disassemble(&insn, g->address + at, text, sizeof text);
        if (strcmp(text, "nop") != 0)
            fprintf(to, "%08x: %08x  %s\n", g->address + at, insn.raw, text);
        at += insn.length;
        if (thumb && raw == 0x46c04778) { /* BX PC and its NOP */
            at += 2;
            thumb = false;
        } else if (!thumb && raw == 0xe51ff004) { /* LDR PC with its literal */
            at += 4;
            thumb = true;
        }
    }
}

#endif
