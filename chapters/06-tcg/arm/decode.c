/*
 * decode.c: from bits to a struct arm_insn, by the table of encodings.
 *
 * Patterns are text, for people. Once, before the first instruction, they are made
 * into masks, values and lists of fields, and each row goes into every bucket that
 * it may match: for A32 by bits 27:20 and 7:4, which tell most encodings apart, for
 * Thumb by the first ten bits. A look-up then tries one to four rows.
 *
 *    31  28 27      20 19            8 7  4 3  0
 *   | cond |  bucket  |               |bkt |    |     and cond = 15 has its own half
 *
 * The compiled table never changes once it is made, so threads share it.
 *
 * Keep open: [ARM-ARM, A5 "ARM Instruction Set Encoding"].
 */
#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/encodings.h"
#include "06-tcg/arm/insn.h"
#include "common/bits.h"

#define MAX_ROWS      192
#define MAX_RUNS      12   /* pieces of fields in one pattern */
#define UNCONDITIONAL 4096 /* buckets of cond = 15 come after all others */
#define ARM_BUCKETS   8192
#define THUMB_BUCKETS 1024
#define POOL_SIZE     32768

/* Bits of the instruction that belong to one field and stand next to each other. */
struct run {
    uint8_t field; /* which one of struct fields */
    uint8_t low, width;
    uint32_t mask; /* width ones */
};

struct row {
    uint32_t mask, value;
    unsigned run_count;
    struct run runs[MAX_RUNS];
};

/* Bucket b holds the rows pool[start[b]] to pool[start[b + 1] - 1], in table order. */
struct table {
    const struct encoding *encodings;
    unsigned row_count, bucket_count;
    unsigned (*key)(uint32_t word); /* the bits that choose a bucket */
    struct row rows[MAX_ROWS];
    uint32_t start[ARM_BUCKETS + 1];
    uint8_t pool[POOL_SIZE];
};

static unsigned arm_key(uint32_t word)
{
    return (unsigned)(bits(word, 27, 20) << 4 | bits(word, 7, 4));
}

static unsigned thumb_key(uint32_t word)
{
    return (unsigned)bits(word, 31, 22);
}

static struct table arm = {.bucket_count = ARM_BUCKETS, .key = arm_key};
static struct table thumb = {.bucket_count = THUMB_BUCKETS, .key = thumb_key};

/* The fields in the order of struct fields. */
static const char letters[] = "cSndmoirtaPUWlxyw";
_Static_assert(sizeof(struct fields) == 4 * (sizeof letters - 1), "a letter for each field");

/* [compile] */
/* Makes a pattern into mask, value and the places of its fields. */
static void compile(struct row *row, const char *pattern)
{
    int bit = 31;
    char before = ' ';

    for (const char *at = pattern; *at; at++) {
        if (*at == ' ')
            continue;
        if (*at == '0' || *at == '1') {
            row->mask |= UINT32_C(1) << bit;
            row->value |= (uint32_t)(*at - '0') << bit;
        } else if (*at == before) {
            struct run *run = &row->runs[row->run_count - 1];

            run->low = (uint8_t)bit;
            run->width++;
            run->mask = run->mask << 1 | 1;
        } else {
            const char *letter = strchr(letters, *at);

            assert(letter && row->run_count < MAX_RUNS);
            row->runs[row->run_count++] = (struct run){
                .field = (uint8_t)(letter - letters), .low = (uint8_t)bit, .width = 1, .mask = 1};
        }
        before = *at;
        bit--;
    }
    assert(bit == -1 || bit == 15); /* every pattern has 32 or 16 bits */
}
/* [/compile] */

/*
 * Goes through the buckets that row number n may match: the bits of the key that it
 * leaves open take every value. Counts the row there, or, if next is given, enters it.
 */
static void enter(struct table *table, unsigned n, uint32_t *next)
{
    const struct row *row = &table->rows[n];
    unsigned space = table == &arm ? UNCONDITIONAL : THUMB_BUCKETS;
    unsigned free = ~table->key(row->mask) & (space - 1), some = free;
    unsigned base = table->key(row->value);

    if (table == &arm && row->mask >> 28 == 15 && row->value >> 28 == 15)
        base += UNCONDITIONAL;
    for (;;) {
        if (next)
            table->pool[next[base + some]++] = (uint8_t)n;
        else
            table->start[base + some + 1]++;
        if (some == 0)
            return;
        some = (some - 1) & free;
    }
}

static void build(struct table *table, const struct encoding *encodings, unsigned count)
{
    uint32_t next[ARM_BUCKETS];

    assert(count <= MAX_ROWS);
    table->encodings = encodings;
    table->row_count = count;
    for (unsigned n = 0; n < count; n++) {
        compile(&table->rows[n], encodings[n].pattern);
        enter(table, n, NULL);
    }
    for (unsigned b = 0; b < table->bucket_count; b++) {
        table->start[b + 1] += table->start[b];
        next[b] = table->start[b];
    }
    assert(table->start[table->bucket_count] <= POOL_SIZE);
    for (unsigned n = 0; n < count; n++)
        enter(table, n, next);
}

static void build_tables(void)
{
    build(&arm, arm_encodings, arm_encoding_count);
    build(&thumb, thumb_encodings, thumb_encoding_count);
}

static void tables_are_built(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, build_tables);
}

/* The first row of the bucket that matches word, or -1. */
static int find(const struct table *table, unsigned bucket, uint32_t word)
{
    for (uint32_t i = table->start[bucket]; i < table->start[bucket + 1]; i++) {
        const struct row *row = &table->rows[table->pool[i]];

        if ((word & row->mask) == row->value)
            return table->pool[i];
    }
    return -1;
}

/* [extract] */
static void take_fields(const struct row *row, uint32_t word, struct fields *f)
{
    for (unsigned i = 0; i < row->run_count; i++) {
        const struct run *run = &row->runs[i];
        uint32_t *field = (uint32_t *)f + run->field;

        *field = *field << run->width | (word >> run->low & run->mask);
    }
}
/* [/extract] */

static bool pair_restricted(const struct arm_insn *insn, const struct fields *f)
{
    unsigned rd = insn->rd;
    bool offset_lost = insn->op == ARM_LDRD && insn->operand == ARM_REG && insn->rm / 2 == rd / 2;

    return rd % 2 || rd == ARM_LR || (f->W && !f->P) || offset_lost ||
           (insn->writeback && insn->rn == rd + 1);
}

/* Does this restriction hold? The names are those of encodings.h. */
static bool restricted(enum restriction unless, const struct arm_insn *insn, const struct fields *f)
{
    unsigned rd = insn->rd, rn = insn->rn, rm = insn->rm;

    switch (unless) {
    case D15: return rd == ARM_PC;
    case N15: return rn == ARM_PC;
    case M15: return rm == ARM_PC;
    case O15: return insn->ra == ARM_PC;
    case S15: return insn->s && rd == ARM_PC;
    case HILO: return rd == insn->ra;
    case BASE: return insn->writeback && (rn == ARM_PC || rn == rd);
    case PAIR: return pair_restricted(insn, f);
    case RM_PAIR: return rm % 2 || rm == ARM_LR || rd == rm + 1;
    case EMPTY: return insn->list == 0;
    case LOADED: return insn->writeback && (insn->list >> rn & 1);
    case STATUS: return rd == rn || rd == rm;
    case SWAP: return rn == rd || rn == rm;
    case FIELD: return insn->imm - 1 > 31 || insn->amount + insn->imm > 32;
    case LOW: return rn < 8 && rm < 8;
    case BOTH15: return rd == ARM_PC && rm == ARM_PC;
    }
    return false;
}

/* Fills insn, whose raw and length are set, from row number n of the table. */
static void fill(struct arm_insn *insn, const struct table *table, int n, uint32_t word)
{
    const struct encoding *encoding = &table->encodings[n];
    struct fields f = {.c = 14}; /* always, where the pattern has no condition */

    take_fields(&table->rows[n], word, &f);
    insn->row = (uint16_t)n;
    insn->op = (uint8_t)encoding->op;
    insn->cond = f.c & 15;
    insn->s = f.S || arm_compares(insn);
    insn->rd = (uint8_t)f.d;
    insn->rn = (uint8_t)f.n;
    insn->rm = (uint8_t)f.m;
    insn->ra = (uint8_t)f.o;
    insn->amount = (uint8_t)f.a;
    insn->imm = f.i;
    insn->list = (uint16_t)f.l;
    insn->index = f.P;
    insn->add = f.U;
    insn->writeback = f.W;
    insn->top_n = f.x;
    insn->top_m = f.y;
    insn->size = (uint8_t)(encoding->size < 0 ? -encoding->size : encoding->size);
    insn->sign = encoding->size < 0;
    encoding_complete(insn, &f, encoding->form);
    for (unsigned unless = encoding->unless; unless; unless &= unless - 1)
        if (restricted(unless & -unless, insn, &f))
            insn->op = ARM_UNDEF;
}

struct arm_insn arm_decode(uint32_t raw)
{
    struct arm_insn insn = {
        .raw = raw, .length = 4, .cond = 14, .op = ARM_UNDEF, .row = ARM_NO_ROW};
    int row;

    tables_are_built();
    row = find(&arm, arm_key(raw) + (raw >> 28 == 15 ? UNCONDITIONAL : 0), raw);
    if (row >= 0)
        fill(&insn, &arm, row, raw);
    return insn;
}

struct arm_insn arm_decode_thumb(uint32_t raw)
{
    bool pair = arm_thumb_is_pair((uint16_t)raw);
    uint32_t word = raw << 16 | (pair ? raw >> 16 : 0);
    struct arm_insn insn = {.raw = pair ? raw : raw & 0xffff,
                            .thumb = true,
                            .length = pair ? 4 : 2,
                            .cond = 14,
                            .op = ARM_UNDEF,
                            .row = ARM_NO_ROW};
    int row;

    tables_are_built();
    row = find(&thumb, thumb_key(word), word);
    if (row >= 0)
        fill(&insn, &thumb, row, word);
    return insn;
}
