/*
 * ir_evaluate.c: the meaning of every IR operation.
 *
 * Flags follow the pseudocode of AddWithCarry: an unsigned and a signed sum in wider
 * arithmetic, compared with the result. [ARM-ARM, A2.2.1 "Integer arithmetic"]
 */
#include "06-tcg/ir/ir_evaluate.h"

#include <assert.h>

/* Shift amounts are a byte; what they push beyond 32 bits is gone. */
static uint64_t shift(enum ir_op op, uint32_t a, unsigned n)
{
    switch (op) {
    case IR_LSL: return n < 32 ? (uint32_t)(a << n) : 0;
    case IR_LSR: return n < 32 ? a >> n : 0;
    case IR_ASR: return (uint32_t)((int32_t)a >> (n < 32 ? n : 31));
    default: return n % 32 ? (uint32_t)(a >> n % 32 | a << (32 - n % 32)) : a;
    }
}

/* The last bit shifted out. [ARM-ARM, A2.2.1 "Integer arithmetic", Shift_C()] */
static uint64_t shift_carry(enum ir_op op, uint32_t a, unsigned n, uint64_t carry)
{
    if (n == 0)
        return carry;
    switch (op) {
    case IR_CARRY_LSL: return n <= 32 ? a >> (32 - n) & 1 : 0;
    case IR_CARRY_LSR: return n <= 32 ? (uint64_t)a >> (n - 1) & 1 : 0;
    case IR_CARRY_ASR: return (int64_t)(int32_t)a >> (n <= 32 ? n - 1 : 31) & 1;
    default: return a >> (n - 1) % 32 & 1;
    }
}

static uint32_t quotient(uint32_t a, uint32_t b, unsigned last, unsigned steps)
{
    uint32_t bits = 0;

    for (unsigned n = last + steps; n-- > last;) {
        bool fits = a >= b << n;

        bits = bits << 1 | fits;
        a -= fits ? b << n : 0;
    }
    return bits;
}

uint64_t ir_compute(enum ir_op op, uint64_t a, uint64_t b, uint64_t c)
{
    uint32_t left = (uint32_t)a, right = (uint32_t)b;

    switch (op) {
    case IR_ADD: return (uint32_t)(left + right);
    case IR_ADC: return (uint32_t)(left + right + c);
    case IR_SUB: return (uint32_t)(left - right);
    case IR_SBC: return (uint32_t)(left - right - !c);
    case IR_AND: return left & right;
    case IR_OR: return left | right;
    case IR_XOR: return left ^ right;
    case IR_NOT: return (uint32_t)~left;
    case IR_RRX: return right << 31 | left >> 1;
    case IR_LSL:
    case IR_LSR:
    case IR_ASR:
    case IR_ROR: return shift(op, left, right & 0xff);
    case IR_CARRY_LSL:
    case IR_CARRY_LSR:
    case IR_CARRY_ASR:
    case IR_CARRY_ROR: return shift_carry(op, left, right & 0xff, c);
    case IR_MUL: return (uint32_t)(left * right);
    case IR_UMULL: return (uint64_t)left * right;
    case IR_SMULL: return (uint64_t)((int64_t)(int32_t)left * (int32_t)right);
    case IR_PAIR: return (uint64_t)right << 32 | left;
    case IR_ADD64: return a + b;
    case IR_LOW: return left;
    case IR_HIGH: return a >> 32;
    case IR_SEXT8: return (uint32_t)(int8_t)left;
    case IR_SEXT16: return (uint32_t)(int16_t)left;
    case IR_ZEXT8: return left & 0xff;
    case IR_ZEXT16: return left & 0xffff;
    case IR_CLZ: return left ? (uint32_t)__builtin_clz(left) : 32;
    case IR_BSWAP: return __builtin_bswap32(left);
    case IR_EQZ: return left == 0;
    case IR_QUOTIENT: return quotient(left, right, c & 0xff, (unsigned)c >> 8);
    default: assert(!"a pure operation"); return 0;
    }
}

/* Sets the flags that insn asks for. left + right + carry is what it computed. */
static void set_flags(struct ir_state *state, unsigned flags, uint32_t left, uint32_t right,
                      unsigned carry, uint32_t result)
{
    uint64_t wide = (uint64_t)left + right + carry;
    int64_t exact = (int64_t)(int32_t)left + (int32_t)right + carry;
    bool overflow = exact != (int32_t)result;

    if (flags & IR_FLAG_N)
        state->globals[IR_N] = result >> 31;
    if (flags & IR_FLAG_Z)
        state->globals[IR_Z] = result == 0;
    if (flags & IR_FLAG_C)
        state->globals[IR_C] = (uint32_t)(wide >> 32);
    if (flags & IR_FLAG_V)
        state->globals[IR_V] = overflow;
    if (flags & IR_FLAG_Q)
        state->q |= overflow;
}

/* A subtraction is the addition of the complement, with a carry in. */
static void flags_of(struct ir_state *state, const struct ir_insn *insn, uint32_t a, uint32_t b,
                     uint32_t c, uint32_t result)
{
    switch (insn->op) {
    case IR_SUB: set_flags(state, insn->flags, a, ~b, 1, result); break;
    case IR_SBC: set_flags(state, insn->flags, a, ~b, c, result); break;
    case IR_ADC: set_flags(state, insn->flags, a, b, c, result); break;
    case IR_LSL:
    case IR_LSR:
    case IR_ASR:
        if (insn->flags & IR_FLAG_C)
            state->globals[IR_C] = (uint32_t)shift_carry(insn->op - IR_LSL + IR_CARRY_LSL, a, b, 0);
        set_flags(state, insn->flags & IR_FLAGS_NZ, 0, 0, 0, result);
        break;
    default: set_flags(state, insn->flags, a, b, 0, result); break;
    }
}

/* A condition that repeats its comparison asks its own operands, not the flags. */
static bool holds(const struct ir_state *state, const struct ir_insn *insn, const uint64_t *values)
{
    struct ir_state own = *state;
    const uint32_t *g = own.globals;

    if (insn->compare) {
        struct ir_insn compare = {.op = insn->compare,
                                  .flags = ir_flags_of(insn->compare) & IR_FLAGS_ALL};
        uint32_t left = (uint32_t)values[insn->left], right = (uint32_t)values[insn->right];

        flags_of(&own, &compare, left, right, 0,
                 (uint32_t)ir_compute(insn->compare, left, right, 0));
    }
    return ir_cond_holds(insn->cond, g[IR_N], g[IR_Z], g[IR_C], g[IR_V]);
}

/* A load or store; false if it faults. */
static bool access_memory(const struct ir_insn *insn, struct ir_state *state, uint64_t *values,
                          uint64_t *loaded)
{
    uint32_t index = insn->b == IR_NONE ? 0 : (uint32_t)values[insn->b];
    uint32_t address = (uint32_t)values[insn->a] + (index << insn->scale) + insn->imm;
    uint32_t value = 0;

    if (insn->op == IR_STORE)
        return state->store(state->memory, address, insn->size, (uint32_t)values[insn->c]);
    if (!state->load(state->memory, address, insn->size, &value))
        return false;
    if (insn->sign && insn->size < 4)
        value = (uint32_t)ir_compute(insn->size == 1 ? IR_SEXT8 : IR_SEXT16, value, 0, 0);
    *loaded = value;
    return true;
}

/* False if it faults. */
static bool exchange(struct ir_state *state, uint32_t address, uint32_t old, uint32_t new,
                     uint64_t *done)
{
    uint32_t seen;

    if (!state->load(state->memory, address, 4, &seen))
        return false;
    *done = seen == old;
    return state->store(state->memory, address, 4, *done ? new : seen);
}

struct ir_end ir_evaluate(const struct ir_block *block, struct ir_state *state)
{
    uint64_t values[IR_MAX] = {0};
    uint32_t at = block->start;

    for (unsigned i = 0; i < block->count; i++) {
        const struct ir_insn *insn = &block->insns[i];
        uint64_t a = insn->a < i ? values[insn->a] : 0;
        uint64_t b = insn->b < i ? values[insn->b] : insn->op == IR_RRX ? state->globals[IR_C] : 0;
        uint64_t c = insn->c < i ? values[insn->c] : insn->c == IR_NONE ? state->globals[IR_C] : 0;

        switch (insn->op) {
        case IR_NOP:
        case IR_UNSEEN:
        case IR_FENCE:
        case IR_LABEL: break;
        case IR_INSN: at = insn->imm; break;
        case IR_CONST: values[i] = insn->imm; break;
        case IR_GET: values[i] = state->globals[insn->global]; break;
        case IR_SET: state->globals[insn->global] = (uint32_t)a; break;
        case IR_SELECT: values[i] = holds(state, insn, values) ? a : b; break;
        case IR_LOAD:
        case IR_STORE:
            if (!access_memory(insn, state, values, &values[i]))
                return (struct ir_end){insn->op, at, at};
            break;
        case IR_CMPXCHG:
            if (!exchange(state, (uint32_t)a, (uint32_t)b, (uint32_t)c, &values[i]))
                return (struct ir_end){IR_STORE, at, at};
            break;
        case IR_THREAD: values[i] = state->thread; break;
        case IR_ALIGNED:
            if (a % 4)
                return (struct ir_end){IR_INTERPRET, insn->imm, at};
            break;
        case IR_SKIP:
            if (!holds(state, insn, values))
                while (block->insns[i].op != IR_LABEL)
                    i++;
            break;
        case IR_EXIT_IF:
            if (holds(state, insn, values))
                return (struct ir_end){IR_EXIT, insn->imm, at};
            break;
        case IR_EXIT:
        case IR_INTERPRET: return (struct ir_end){insn->op, insn->imm, at};
        case IR_JUMP: return (struct ir_end){insn->op, (uint32_t)a, at};
        default:
            values[i] = ir_compute(insn->op, a, b << insn->scale, c);
            flags_of(state, insn, (uint32_t)a, (uint32_t)b, (uint32_t)c, (uint32_t)values[i]);
        }
    }
    assert(!"a block ends with an exit");
    return (struct ir_end){IR_NOP, at, at};
}
