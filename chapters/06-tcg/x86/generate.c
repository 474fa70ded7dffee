/*
 * generate.c: walks over a block of IR and emits its code.
 *
 * One pass, front to back. What depends on the future (where a value is used last,
 * where a result will be SET to) the allocator has looked up beforehand.
 *
 * Longer than most: memory, branches and exits share the state of that one pass.
 */
#include "06-tcg/x86/generate.h"

#include <assert.h>

#include "06-tcg/x86/generator.h"
#include "common/bits.h"

#define KEY_SIZE   11 /* of the entry's look at the key */
#define CACHE_LINE 64
#define NEAR       64 /* bytes from a loop's first block back to which there is a straight way */

/* The guest address of a LOAD or STORE, as one x86 operand. */
static struct x86_operand guest_address(struct generator *g, const struct ir_insn *insn)
{
    struct x86_operand address = {.reg = X86_NO_REG, .index = X86_NO_REG, .guest = true};
    uint32_t constant = 0;

    if (allocate_is_const(&g->places, insn->a, &constant))
        address.base = X86_NO_REG;
    else
        address.base = (uint8_t)allocate_use(&g->places, insn->a);
    if (insn->b != IR_NONE) {
        address.index = (uint8_t)allocate_use(&g->places, insn->b);
        address.scale = insn->scale;
    }
    address.disp = (int32_t)(insn->imm + constant);
    return address;
}

static void emit_load(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct x86_operand address = guest_address(g, insn);
    enum x86_reg result = allocate_result(&g->places, i);

    if (insn->size == 4)
        x86_load(g->code, X86_32, result, address);
    else if (insn->sign)
        x86_movsx(g->code, insn->size, result, address);
    else
        x86_movzx(g->code, insn->size, result, address);
}

static void emit_store(struct generator *g, const struct ir_insn *insn)
{
    struct x86_operand address = guest_address(g, insn);
    uint32_t constant;

    if (allocate_is_const(&g->places, insn->c, &constant))
        x86_store_imm(g->code, insn->size, address, (int32_t)constant);
    else
        x86_store(g->code, insn->size, address, allocate_use(&g->places, insn->c));
}

static void emit_thread(struct generator *g, unsigned i)
{
    x86_load(g->code, X86_32, allocate_result(&g->places, i),
             x86_mem(RBP, offsetof(struct arm_cpu, tls)));
}

static void emit_cmpxchg(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];
    struct x86_operand where = {.reg = X86_NO_REG, .index = X86_NO_REG, .guest = true};
    enum x86_reg new, result;

    allocate_claim(&g->places, RAX);
    x86_mov(g->code, X86_32, RAX, allocate_use(&g->places, insn->b));
    allocate_done(&g->places, insn->b);
    where.base = (uint8_t)allocate_use(&g->places, insn->a);
    new = allocate_use(&g->places, insn->c);
    x86_lock_cmpxchg(g->code, where, new);
    x86_setcc(g->code, X86_E, x86_reg(RAX));
    allocate_done(&g->places, insn->a);
    allocate_done(&g->places, insn->c);
    result = allocate_result(&g->places, i);
    x86_movzx(g->code, X86_8, result, x86_reg(RAX));
}

static void emit_select(struct generator *g, unsigned i)
{
    const struct ir_insn *insn = &g->block->insns[i];

    enum x86_cc cc = emit_condition(g, insn); /* first: what it compares may be in the way */

    g->places.busy = 0;

    /* Copies do not change the host's flags. */
    struct x86_operand yes = x86_reg(allocate_use(&g->places, insn->a));
    enum x86_reg result = allocate_copy(&g->places, i, insn->b, insn->a);

    x86_cmov(g->code, cc, X86_32, result, yes);
}

static void emit_skip(struct generator *g, const struct ir_insn *insn)
{
    enum x86_cc cc = emit_condition(g, insn);

    assert(g->skips < IR_GUEST);
    g->skip[g->skips].jump = x86_jcc(g->code, cc ^ 1, X86_LATER);
    g->skip[g->skips].pending = insn->pending;
    g->skip[g->skips++].kept = g->kept;
}

/* A jump that is seldom taken, if it has pending flags: it goes by way of a detour. */
static void add_detour(struct generator *g, size_t jump, struct exit_site *site, unsigned pending)
{
    assert(g->detours < ARRAY_SIZE(g->detour));
    g->detour[g->detours].jump = jump;
    g->detour[g->detours].site = site;
    g->detour[g->detours].back = g->code->size;
    g->detour[g->detours].straight = false;
    g->detour[g->detours++].pending = (uint8_t)pending;
}

/* [label] */
/* Ways meet. What is pending on one of them is written down there, since the others differ. */
static void emit_label(struct generator *g, const struct ir_insn *insn)
{
    if (insn->pending)
        emit_pending(g, insn->pending, allocate_scratch(&g->places));
    if (!insn->fused)
        g->host_flags = HOST_FLAGS_NONE;
    for (unsigned n = 0; n < g->skips; n++) {
        g->kept &= g->skip[n].kept;
        if (g->skip[n].pending) {
            add_detour(g, g->skip[n].jump, NULL, g->skip[n].pending);
            g->kept &= ~(unsigned)g->block->recipe[g->skip[n].pending - 1].lazy;
        } else {
            x86_patch(g->code, g->skip[n].jump, g->code->size);
        }
    }
    g->skips = 0;
    allocate_forget(&g->places);
}
/* [/label] */

/*
 * Another processor may execute a jump while we chain it. Four bytes that do not
 * cross an 8-byte boundary are written as one [SDM3, 8.1.1 "Guaranteed Atomic
 * Operations"], so that one sees the old target or the new one. lead: bytes of the
 * jump before its displacement.
 */
static void align_patchable(struct x86_code *code, size_t lead)
{
    if ((code->size + lead) % 8 > 4)
        x86_align(code, lead, 8);
}

/* The jump of an exit, to be patched later. */
static size_t emit_exit_jump(struct generator *g, const struct ir_insn *insn)
{
    enum x86_cc cc;

    if (insn->op == IR_EXIT) {
        align_patchable(g->code, 1);
        return x86_jmp(g->code, X86_LATER);
    }
    cc = emit_condition(g, insn);
    align_patchable(g->code, 2);
    return x86_jcc(g->code, cc, X86_LATER);
}

/* Is this exit a short loop's, and its recipe one that another block may inherit? */
static bool goes_straight(const struct generator *g, const struct ir_insn *insn,
                          const struct generate_options *options)
{
    const struct ir_recipe *recipe = &g->block->recipe[insn->pending - 1];

    return g->block->start - insn->imm <= NEAR && !options->no_inheriting &&
           recipe->left != IR_IN_MEMORY && recipe->right != IR_IN_MEMORY && !recipe->undo;
}

/* A setter that a recipe describes sets all flags that its operation can set. */
static struct ir_recipe whole(struct ir_recipe recipe)
{
    recipe.lazy = recipe.op == IR_AND ? IR_FLAGS_NZ : IR_FLAGS_ALL;
    return recipe;
}

/*
 * An exit with pending flags writes their operands down: before it; or, if it is seldom
 * taken (a branch forward) or a loop's (which will go straight), on a detour behind the
 * block's code.
 */
static void emit_exit(struct generator *g, const struct ir_insn *insn, struct generated *out,
                      const struct generate_options *options)
{
    struct exit_site *site = &out->exit[out->exits++];
    bool loop = insn->pending && goes_straight(g, insn, options);
    bool seldom = insn->op == IR_EXIT_IF && insn->imm > g->block->start;
    bool detour = insn->pending && (seldom || loop);

    *site = (struct exit_site){.key = insn->imm};
    if (insn->pending && !detour)
        emit_pending(g, insn->pending, allocate_scratch(&g->places));
    g->places.busy = 0;
    if (!detour) {
        site->jump = (uint32_t)emit_exit_jump(g, insn);
        return;
    }
    add_detour(g, emit_exit_jump(g, insn), site, insn->pending);
    g->detour[g->detours - 1].straight = loop;
    if (insn->behind)
        emit_pending(g, insn->pending, allocate_scratch(&g->places));
    if (loop)
        out->exit[out->exits++] = (struct exit_site){
            .key = insn->imm, .recipe = whole(g->block->recipe[insn->pending - 1])};
}

/* Leaves emitted code; the key is in eax. */
static void emit_leave(struct x86_code *code, uint32_t status,
                       const struct generate_options *options)
{
    x86_mov_imm(code, RDX, status);
    x86_jmp(code, options->code->leave);
}

/* [cache] */
/* Does the jump's target come out of a table, by an index? Then the next one will differ. */
static bool is_indexed(const struct ir_block *block, ir_value target)
{
    const struct ir_insn *insn = &block->insns[target];

    return insn->op != IR_GET && (insn->op != IR_LOAD || insn->b != IR_NONE);
}

/* The key is in eax. Both jumps lead to the stub until C knows where the first one went. */
static void emit_cache(struct x86_code *code, struct generated *out)
{
    struct exit_site *site = &out->exit[out->exits++];

    if (code->size % 8 < 1 || code->size % 8 > 3) /* five bytes, and four from the eighth on */
        x86_align(code, 7, 8);
    *site = (struct exit_site){.compare = (uint32_t)code->size};
    x86_jmp(code, X86_LATER);
    site->jump = (uint32_t)x86_jcc(code, X86_E, X86_LATER);
}
/* [/cache] */

/* [jump] */
/*
 * An indirect jump goes where the jump table says, with the key in eax: the block that is
 * found there looks whether it is meant. No value of this block is needed any more. Bits 2
 * and up of the key, times two, are jump_table_index() times eight: the place in the table.
 */
static void emit_jump(struct generator *g, const struct ir_insn *insn, struct generated *out,
                      const struct generate_options *options)
{
    struct x86_code *code = g->code;
    struct x86_operand slot = {.reg = X86_NO_REG, .base = RDX, .index = RCX, .scale = 1};
    enum x86_reg target = allocate_use(&g->places, insn->a);

    if (insn->pending)
        emit_pending(g, insn->pending, allocate_scratch(&g->places));
    if (target != RAX)
        x86_mov(code, X86_32, RAX, target);
    if (options->caches && !is_indexed(g->block, insn->a))
        emit_cache(code, out);
    x86_mov(code, X86_32, RCX, RAX);
    x86_alu_imm(code, X86_AND, X86_32, x86_reg(RCX), (JUMP_TABLE_SIZE - 1) << 2);
    x86_load(code, X86_64, RDX, x86_mem(RSP, FRAME_TABLE));
    x86_jmp_to(code, slot);
}
/* [/jump] */

static void emit_interpret(struct generator *g, const struct ir_insn *insn,
                           const struct generate_options *options)
{
    if (insn->pending)
        emit_pending(g, insn->pending, RAX);
    x86_mov_imm(g->code, RAX, insn->imm);
    emit_leave(g->code, FRAME_INTERPRET, options);
}

/* Pairs and lists are nearly always aligned: the way out is a stub at the end. */
static void emit_aligned(struct generator *g, const struct ir_insn *insn)
{
    x86_test_imm(g->code, X86_8, x86_reg(allocate_use(&g->places, insn->a)), 3);
    assert(g->leaves < IR_GUEST);
    g->leave[g->leaves].jump = x86_jcc(g->code, X86_NE, X86_LATER);
    g->leave[g->leaves].pending = insn->pending;
    g->leave[g->leaves++].key = insn->imm;
}

static void emit_map(struct generator *g, uint32_t guest, struct generated *out)
{
    assert(out->maps < IR_GUEST);
    out->map[out->maps++] = (struct code_map){.host = (uint32_t)g->code->size, .guest = guest};
}

static void emit_get(struct generator *g, unsigned i)
{
    unsigned global = g->block->insns[i].global;

    if (global >= IR_N && g->places.last_use[i])
        emit_settle(g, IR_FLAG_OF(global));
    allocate_get(&g->places, i);
}

static void emit_set(struct generator *g, unsigned i)
{
    unsigned global = g->block->insns[i].global;

    if (global == IR_N || global == IR_Z) /* bits of a word that keeps the other's */
        emit_settle(g, IR_FLAGS_NZ);
    allocate_set(&g->places, i);
    if (global == IR_C || global == IR_V)
        emit_kept(g, IR_FLAG_OF(global));
}

/* What only reads and writes values. */
static void emit_value(struct generator *g, unsigned i)
{
    switch (g->block->insns[i].op) {
    case IR_ADD:
    case IR_SUB:
    case IR_AND:
    case IR_OR:
    case IR_XOR: emit_add_sub_logic(g, i); break;
    case IR_ADC:
    case IR_SBC: emit_add_sub_carry(g, i); break;
    case IR_LSL:
    case IR_LSR:
    case IR_ASR:
    case IR_ROR: emit_shift(g, i); break;
    case IR_RRX: emit_rotate_by_carry(g, i); break;
    case IR_CARRY_LSL:
    case IR_CARRY_LSR:
    case IR_CARRY_ASR:
    case IR_CARRY_ROR: emit_shift_carry(g, i); break;
    case IR_MUL:
    case IR_UMULL:
    case IR_SMULL: emit_multiply(g, i); break;
    case IR_PAIR:
    case IR_ADD64:
    case IR_LOW:
    case IR_HIGH: emit_wide(g, i); break;
    case IR_SELECT: emit_select(g, i); break;
    case IR_QUOTIENT: emit_quotient(g, i); break;
    default: emit_unary(g, i); break;
    }
}

static void emit_insn(struct generator *g, unsigned i, const struct generate_options *options,
                      struct generated *out)
{
    const struct ir_insn *insn = &g->block->insns[i];

    g->places.now = i;
    if (insn->pending && (insn->op == IR_LOAD || insn->op == IR_STORE || insn->op == IR_CMPXCHG))
        out->map[out->maps - 1].recipe = g->block->recipe[insn->pending - 1];
    switch (insn->op) {
    case IR_NOP:
    case IR_CONST: return;
    case IR_INSN: emit_map(g, insn->imm, out); return;
    case IR_GET: emit_get(g, i); break;
    case IR_SET: emit_set(g, i); break;
    case IR_UNSEEN: allocate_unseen(&g->places, i); break;
    case IR_LOAD: emit_load(g, i); break;
    case IR_STORE: emit_store(g, insn); break;
    case IR_THREAD: emit_thread(g, i); break;
    case IR_CMPXCHG: emit_cmpxchg(g, i); break;
    case IR_FENCE: x86_mfence(g->code); break;
    case IR_ALIGNED: emit_aligned(g, insn); break;
    case IR_SKIP: emit_skip(g, insn); break;
    case IR_LABEL: emit_label(g, insn); break;
    case IR_EXIT:
    case IR_EXIT_IF: emit_exit(g, insn, out, options); break;
    case IR_JUMP: emit_jump(g, insn, out, options); break;
    case IR_INTERPRET: emit_interpret(g, insn, options); break;
    default: emit_value(g, i); break;
    }
    allocate_end(&g->places, i);
}

/* Where direct exits lead until they are chained. */
static void emit_stubs(struct generator *g, const struct generate_options *options,
                       struct generated *out)
{
    struct x86_code *code = g->code;

    for (unsigned n = 0; n < g->leaves; n++) {
        x86_patch(code, g->leave[n].jump, code->size);
        if (g->leave[n].pending)
            emit_pending(g, g->leave[n].pending, RAX);
        x86_mov_imm(code, RAX, g->leave[n].key);
        emit_leave(code, FRAME_INTERPRET, options);
    }
    for (unsigned n = 0; n < g->detours; n++) {
        struct exit_site *site = g->detour[n].site;

        x86_patch(code, g->detour[n].jump, code->size);
        if (g->detour[n].straight) {
            site[1].jump = (uint32_t)g->detour[n].jump;
            site[1].stub = (uint32_t)code->size;
        }
        emit_pending(g, g->detour[n].pending, RAX);
        if (site) {
            align_patchable(code, 1);
            site->jump = (uint32_t)x86_jmp(code, X86_LATER);
        } else {
            x86_jmp(code, g->detour[n].back);
        }
    }
    for (unsigned n = 0; n < g->settles; n++) {
        x86_patch(code, g->settle[n].jump, code->size);
        x86_call(code, options->code->settle);
        x86_jmp(code, g->settle[n].back);
    }
    for (unsigned n = 0; n < out->exits; n++) {
        struct exit_site *site = &out->exit[n];

        if (site->recipe.lazy)
            continue;
        site->stub = (uint32_t)code->size;
        x86_patch(code, site->jump, site->stub);
        if (site->compare)
            x86_patch(code, site->compare + 1, site->stub);
        else
            x86_mov_imm(code, RAX, site->key);
        emit_leave(code, FRAME_EXIT + options->first_exit + n, options);
    }
}

static bool is_loop(const struct ir_block *block)
{
    bool loop = false;

    for (unsigned i = 0; i < block->count; i++)
        loop |= (block->insns[i].op == IR_EXIT || block->insns[i].op == IR_EXIT_IF) &&
                block->insns[i].imm == block->start;
    return loop;
}

/* [place] */
/*
 * Before a block's body lies its entry, for indirect jumps; none leads to a block that
 * inherits. The body of a loop begins where a cache line begins: processors fetch and decode
 * in aligned pieces, so that a short loop is then one or two of them instead of three. Other
 * blocks stay where they fall: branch predictors seem to tell indirect jumps apart by the low
 * bits of where they have led.
 */
static void emit_entry(struct x86_code *code, const struct ir_block *block,
                       const struct generate_options *options, struct generated *out)
{
    if (!options->no_placing && is_loop(block))
        x86_align(code, block->inherits ? 0 : KEY_SIZE, CACHE_LINE);
    out->entry = (uint32_t)code->size;
    if (!block->inherits) {
        x86_alu_imm(code, X86_CMP, X86_32, x86_reg(RAX), (int32_t)block->start);
        x86_jcc(code, X86_NE, options->code->miss);
    }
    out->body = (uint32_t)code->size;
}
/* [/place] */

static void emit_interrupted(struct generator *g, size_t jump,
                             const struct generate_options *options)
{
    x86_patch(g->code, jump, g->code->size);
    if (g->block->inherits)
        emit_pending(g, 1, RAX);
    x86_mov_imm(g->code, RAX, g->block->start);
    emit_leave(g->code, FRAME_INTERRUPTED, options);
}

bool generate(struct x86_code *code, const struct ir_block *block,
              const struct generate_options *options, struct generated *out)
{
    struct generator g;
    size_t start = code->size, interrupted = 0;

    g.code = code; /* the rest is large, and filled in as needed */
    g.block = block;
    g.host_flags = HOST_FLAGS_NONE;
    g.bmi = options->bmi;
    g.kept = g.settles = g.leaves = g.detours = g.skips = 0;
    out->exits = out->maps = 0;
    allocate_begin(&g.places, code, block, options->pins);
    emit_entry(code, block, options, out);
    if (options->looks) {
        x86_alu_imm(code, X86_CMP, X86_32, x86_mem(RBP, offsetof(struct arm_cpu, interrupt)), 0);
        interrupted = x86_jcc(code, X86_NE, X86_LATER);
    }
    if (options->counter) {
        x86_mov_imm64(code, RAX, (uintptr_t)options->counter);
        x86_unary(code, X86_INC, X86_64, x86_mem(RAX, 0));
    }
    for (unsigned i = 0; i < block->count; i++)
        emit_insn(&g, i, options, out);
    emit_stubs(&g, options, out);
    if (options->looks)
        emit_interrupted(&g, interrupted, options);
    out->end = (uint32_t)code->size;
    if (g.places.failed)
        code->size = start;
    return !g.places.failed && !code->overflow;
}
