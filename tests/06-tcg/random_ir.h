/*
 * random_ir.h: random, valid blocks of IR, and a memory to run them on.
 *
 * Operands are mostly recent values, sometimes old ones, so that some blocks need many
 * registers at once. Memory is one page at 0x20000 (where guest.h has its
 * data); elsewhere every access faults.
 */
#ifndef TESTS_06_TCG_RANDOM_IR_H
#define TESTS_06_TCG_RANDOM_IR_H

#include <string.h>

#include "06-tcg/ir/ir.h"
#include "06-tcg/ir/ir_evaluate.h"
#include "06-tcg/ir/ir_ops.h"
#include "common/bits.h"

#define MEMORY_START 0x20000u
#define MEMORY_SIZE  4096u

struct ir_random {
    uint64_t state;
    struct ir_block *block;
    ir_value values[IR_MAX]; /* of 32 bits, that may be used here */
    unsigned count;
    ir_value wide; /* a value of 64 bits, or IR_NONE */
    bool region;
};

static inline uint32_t ir_random_word(struct ir_random *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 16);
}

static inline uint32_t ir_random_below(struct ir_random *r, uint32_t limit)
{
    return (uint32_t)((uint64_t)ir_random_word(r) * limit >> 32);
}

static inline uint32_t ir_random_number(struct ir_random *r)
{
    switch (ir_random_below(r, 5)) {
    case 0: return ir_random_below(r, 40);
    case 1: return -ir_random_below(r, 40);
    case 2: return MEMORY_START + ir_random_below(r, MEMORY_SIZE);
    case 3: return UINT32_C(1) << ir_random_below(r, 32);
    default: return ir_random_word(r);
    }
}

static inline ir_value ir_random_value(struct ir_random *r)
{
    unsigned back = ir_random_below(r, 4) ? 6 : r->count;

    if (back > r->count)
        back = r->count;
    return r->values[r->count - 1 - ir_random_below(r, back)];
}

static inline void ir_random_keep(struct ir_random *r, ir_value v)
{
    r->values[r->count++] = v;
}

/* A value is 0 or 1, as a carry has to be. */
static inline ir_value ir_random_bit(struct ir_random *r)
{
    if (ir_random_below(r, 2))
        return ir_get(r->block, IR_N + ir_random_below(r, 4));
    return ir_binary(r->block, IR_AND, ir_random_value(r), ir_const(r->block, 1));
}

/* At the start of a block, and of what comes after a label: values to work with. */
static inline void ir_random_start(struct ir_random *r)
{
    r->count = 0;
    r->wide = IR_NONE;
    for (unsigned n = 0; n < 4; n++)
        ir_random_keep(r, ir_get(r->block, ir_random_below(r, 15)));
    ir_random_keep(r, ir_const(r->block, ir_random_number(r)));
}

static inline void ir_random_set(struct ir_random *r)
{
    if (ir_random_below(r, 4))
        ir_set(r->block, ir_random_below(r, 15), ir_random_value(r));
    else
        ir_set(r->block, IR_N + ir_random_below(r, 4), ir_random_bit(r));
}

/* Half of them with the word that is there. */
static inline void ir_random_exchange(struct ir_random *r)
{
    struct ir_insn exchange = {.op = IR_CMPXCHG, .b = ir_random_value(r), .c = ir_random_value(r)};

    exchange.a = ir_const(r->block, MEMORY_START + ir_random_below(r, MEMORY_SIZE - 4));
    ir_append(r->block, (struct ir_insn){.op = IR_INSN, .imm = 0x10000});
    if (ir_random_below(r, 2))
        exchange.b = ir_append(
            r->block, (struct ir_insn){.op = IR_LOAD, .size = 4, .a = exchange.a, .b = IR_NONE});
    ir_random_keep(r, ir_append(r->block, exchange));
}

static inline void ir_random_memory(struct ir_random *r)
{
    static const uint8_t sizes[] = {1, 2, 4};
    struct ir_insn insn = {.op = ir_random_below(r, 2) ? IR_LOAD : IR_STORE,
                           .size = sizes[ir_random_below(r, 3)],
                           .sign = ir_random_below(r, 2),
                           .a = ir_random_value(r),
                           .b = IR_NONE,
                           .c = ir_random_value(r),
                           .imm = ir_random_below(r, 8) - 4};

    if (ir_random_below(r, 8) == 0) {
        ir_random_exchange(r);
        return;
    }
    if (ir_random_below(r, 8)) /* mostly one that succeeds, and half of these near each other */
        insn.a = ir_const(r->block,
                          MEMORY_START + 8 +
                              (ir_random_below(r, 2) ? ir_random_below(r, MEMORY_SIZE - 24) : 0));
    if (ir_random_below(r, 3) == 0) {
        insn.b = ir_binary(r->block, IR_AND, ir_random_value(r), ir_const(r->block, 1));
        insn.scale = (uint8_t)ir_random_below(r, 4);
    }
    /* Each in an instruction of its own, as the lifter has it: no flag changes within. */
    ir_append(r->block, (struct ir_insn){.op = IR_INSN, .imm = 0x10000});

    ir_value v = ir_append(r->block, insn);

    if (insn.op == IR_LOAD && ir_random_below(r, 2))
        ir_set(r->block, ir_random_below(r, IR_N), v);
    if (insn.op == IR_LOAD)
        ir_random_keep(r, v);
}

static inline ir_value ir_random_steps(struct ir_random *r)
{
    uint32_t steps = 1 + ir_random_below(r, 31);

    return ir_const(r->block, steps << 8 | ir_random_below(r, 33 - steps));
}

static inline void ir_random_compute(struct ir_random *r)
{
    struct ir_insn insn;

    do
        insn = (struct ir_insn){.op = (uint8_t)(IR_ADD + ir_random_below(r, IR_SELECT - IR_ADD))};
    while (insn.op >= IR_UMULL && insn.op <= IR_HIGH);
    insn.a = ir_random_value(r);
    insn.b = ir_random_value(r);
    if (ir_ops[insn.op].operands == 3)
        insn.c = ir_random_bit(r);
    if (insn.op == IR_QUOTIENT)
        insn.c = ir_random_steps(r);
    if (ir_random_below(r, 2))
        insn.flags = (ir_random_below(r, 3) ? IR_FLAGS_ALL : IR_FLAGS_NZ) & ir_flags_of(insn.op);
    if (insn.op >= IR_LSL && insn.op <= IR_ASR && insn.flags) /* only these set flags */
        insn.b = ir_const(r->block, 1 + ir_random_below(r, 31));
    if (insn.op >= IR_LSL && insn.op <= IR_ASR && insn.flags && ir_random_below(r, 3) == 0)
        insn.flags = IR_FLAG_C;
    if (insn.op == IR_RRX)
        insn.b = ir_random_bit(r);
    if (insn.op == IR_ADD && ir_random_below(r, 4) == 0)
        insn.flags |= IR_FLAG_Q;
    ir_random_keep(r, ir_append(r->block, insn));
}

static inline void ir_random_wide(struct ir_random *r)
{
    enum ir_op op = IR_UMULL + ir_random_below(r, 6);

    if (op == IR_UMULL || op == IR_SMULL || op == IR_PAIR || r->wide == IR_NONE)
        r->wide = ir_binary(r->block, op <= IR_PAIR ? op : IR_PAIR, ir_random_value(r),
                            ir_random_value(r));
    else if (op == IR_ADD64)
        r->wide = ir_binary(r->block, op, r->wide,
                            ir_binary(r->block, IR_UMULL, ir_random_value(r), ir_random_value(r)));
    else
        ir_random_keep(r, ir_unary(r->block, op, r->wide));
}

static inline void ir_random_condition(struct ir_random *r)
{
    uint8_t cond = (uint8_t)ir_random_below(r, 14);

    switch (ir_random_below(r, 4)) {
    case 0:
        ir_append(r->block,
                  (struct ir_insn){.op = IR_EXIT_IF, .cond = cond, .imm = ir_random_word(r) & ~3u});
        break;
    case 1:
        if (r->region && ir_random_below(r, 2)) {
            ir_append(r->block, (struct ir_insn){.op = IR_LABEL});
            r->region = false;
            ir_random_start(r);
        } else {
            ir_append(r->block, (struct ir_insn){.op = IR_SKIP, .cond = cond});
            r->region = true;
        }
        break;
    default:
        ir_random_keep(r, ir_append(r->block, (struct ir_insn){.op = IR_SELECT,
                                                               .cond = cond,
                                                               .a = ir_random_value(r),
                                                               .b = ir_random_value(r)}));
    }
}

/* A block of about length instructions. */
static inline void ir_random_block(struct ir_random *r, struct ir_block *block, unsigned length)
{
    r->block = block;
    r->region = false;
    ir_begin(block, 0x10000);
    ir_append(block, (struct ir_insn){.op = IR_INSN, .imm = 0x10000});
    ir_random_start(r);
    while (block->count < length) {
        switch (ir_random_below(r, 10)) {
        case 0:
        case 1:
        case 2: ir_random_compute(r); break;
        case 3:
        case 4: ir_random_set(r); break;
        case 5: ir_random_keep(r, ir_get(block, ir_random_below(r, 15))); break;
        case 6: ir_random_keep(r, ir_const(block, ir_random_number(r))); break;
        case 7: ir_random_memory(r); break;
        case 8: ir_random_wide(r); break;
        default: ir_random_condition(r);
        }
        if (ir_random_below(r, 40) == 0)
            ir_append(block,
                      (struct ir_insn){.op = IR_ALIGNED, .a = ir_random_value(r), .imm = 0x10000});
    }
    if (r->region) {
        ir_append(block, (struct ir_insn){.op = IR_LABEL});
        ir_random_start(r);
    }
    if (ir_random_below(r, 2))
        ir_unary(block, IR_JUMP, ir_random_value(r));
    else
        ir_append(block, (struct ir_insn){.op = IR_EXIT, .imm = 0x40000});
}

static inline bool ir_memory_holds(uint32_t address, unsigned size)
{
    return fits(address - MEMORY_START, size, MEMORY_SIZE);
}

static inline bool ir_memory_load(void *self, uint32_t address, unsigned size, uint32_t *value)
{
    if (!ir_memory_holds(address, size))
        return false;
    *value = 0;
    memcpy(value, (uint8_t *)self + (address - MEMORY_START), size);
    return true;
}

static inline bool ir_memory_store(void *self, uint32_t address, unsigned size, uint32_t value)
{
    if (!ir_memory_holds(address, size))
        return false;
    memcpy((uint8_t *)self + (address - MEMORY_START), &value, size);
    return true;
}

static inline struct ir_state ir_random_state(struct ir_random *r, uint8_t *memory)
{
    struct ir_state state = {.load = ir_memory_load, .store = ir_memory_store, .memory = memory};

    for (unsigned g = 0; g < IR_GLOBALS; g++)
        state.globals[g] = g < IR_N ? ir_random_number(r) : ir_random_below(r, 2);
    for (unsigned n = 0; n < MEMORY_SIZE; n++)
        memory[n] = (uint8_t)ir_random_word(r);
    return state;
}

/* NULL, or what is not the same. */
static inline const char *ir_difference(const struct ir_state *want, struct ir_end want_end,
                                        const struct ir_state *have, struct ir_end have_end)
{
    bool known = want_end.op == IR_JUMP && have_end.op == IR_EXIT; /* a jump to a constant */

    if ((want_end.op != have_end.op && !known) || want_end.key != have_end.key)
        return "the block ends otherwise";
    if (memcmp(want->globals, have->globals, sizeof want->globals) != 0)
        return "globals differ";
    if (want->q != have->q)
        return "q differs";
    return memcmp(want->memory, have->memory, MEMORY_SIZE) ? "memory differs" : NULL;
}

#endif
