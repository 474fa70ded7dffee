/*
 * The IR and its passes. A pass is right if the evaluator cannot tell the block before
 * from the block after: tens of thousands of random blocks, each with random states.
 *
 * The same blocks go through the code generator and run, with the evaluator as judge:
 * that is where the register allocator meets blocks that no compiler would write.
 *
 * Long, because each pass has its facts beside the random blocks, and one machine runs all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <asm/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "06-tcg/ir/optimize.h"
#include "06-tcg/space.h"
#include "06-tcg/translate/code_cache.h"
#include "06-tcg/x86/generate.h"
#include "harness/harness.h"
#include "random_ir.h"

#define BLOCKS 10000
#define STATES 3

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *value = getenv(name);

    return value ? strtoul(value, NULL, 0) : otherwise;
}

static uint64_t first_seed(void)
{
    uint64_t seed = setting("RANDOM_SEED", (unsigned long)time(NULL) * 1000003);

    printf("random blocks: RANDOM_SEED=%#llx\n", (unsigned long long)seed);
    return seed;
}

/* ---- meaning -------------------------------------------------------------------------- */

/* The result of one operation on constants, and its flags. */
static uint32_t compute(enum ir_op op, uint32_t a, uint32_t b, uint32_t carry, const char *flags)
{
    struct ir_block block;
    struct ir_state state = {0};
    struct ir_insn insn = {.op = (uint8_t)op, .flags = IR_FLAGS_ALL & ir_flags_of(op)};
    static char text[5];

    ir_begin(&block, 0);
    insn.a = ir_const(&block, a);
    insn.b = ir_const(&block, b);
    insn.c = ir_const(&block, carry);
    ir_set(&block, IR_R0, ir_append(&block, insn));
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ck_assert_ptr_null(ir_check(&block));
    ir_evaluate(&block, &state);
    for (unsigned n = 0; n < 4; n++)
        text[n] = state.globals[IR_N + n] ? "NZCV"[n] : "nzcv"[n];
    if (flags)
        ck_assert_str_eq(text, flags);
    return state.globals[IR_R0];
}

START_TEST(sums_set_flags_as_add_with_carry_does)
{
    ck_assert_uint_eq(compute(IR_ADD, 0xffffffff, 1, 0, "nZCv"), 0);
    ck_assert_uint_eq(compute(IR_ADD, 0x7fffffff, 1, 0, "NzcV"), 0x80000000);
    ck_assert_uint_eq(compute(IR_SUB, 1, 1, 0, "nZCv"), 0);
    ck_assert_uint_eq(compute(IR_SUB, 0, 1, 0, "Nzcv"), 0xffffffff);
    ck_assert_uint_eq(compute(IR_SUB, 0x80000000, 1, 0, "nzCV"), 0x7fffffff);
    ck_assert_uint_eq(compute(IR_ADC, 0xffffffff, 0, 1, "nZCv"), 0);
    ck_assert_uint_eq(compute(IR_SBC, 5, 3, 0, "nzCv"), 1);
    ck_assert_uint_eq(compute(IR_SBC, 5, 3, 1, "nzCv"), 2);
    ck_assert_uint_eq(compute(IR_SBC, 3, 3, 0, "Nzcv"), 0xffffffff);
}
END_TEST

START_TEST(shifts_count_by_a_byte)
{
    ck_assert_uint_eq(compute(IR_LSL, 1, 31, 0, NULL), 0x80000000);
    ck_assert_uint_eq(compute(IR_LSL, 1, 32, 0, NULL), 0);
    ck_assert_uint_eq(compute(IR_LSL, 1, 0x100, 0, NULL), 1);
    ck_assert_uint_eq(compute(IR_LSR, 0x80000000, 33, 0, NULL), 0);
    ck_assert_uint_eq(compute(IR_ASR, 0x80000000, 255, 0, NULL), 0xffffffff);
    ck_assert_uint_eq(compute(IR_ROR, 0x80000001, 33, 0, NULL), 0xc0000000);
    ck_assert_uint_eq(compute(IR_CARRY_LSL, 1, 32, 0, NULL), 1);
    ck_assert_uint_eq(compute(IR_CARRY_LSL, 1, 33, 1, NULL), 0);
    ck_assert_uint_eq(compute(IR_CARRY_LSL, 0, 0, 1, NULL), 1);
    ck_assert_uint_eq(compute(IR_CARRY_LSR, 0x80000000, 32, 0, NULL), 1);
    ck_assert_uint_eq(compute(IR_CARRY_ASR, 0x80000000, 200, 0, NULL), 1);
    ck_assert_uint_eq(compute(IR_CARRY_ROR, 0x80000000, 32, 0, NULL), 1);
}
END_TEST

START_TEST(wrong_blocks_are_found)
{
    struct ir_block block;

    ir_begin(&block, 0);
    ir_set(&block, IR_R0, 3);
    ck_assert_ptr_nonnull(ir_check(&block)); /* a value from the future */

    ir_begin(&block, 0);
    ir_const(&block, 1);
    ck_assert_ptr_nonnull(ir_check(&block)); /* no exit */

    ir_begin(&block, 0);
    ir_append(&block, (struct ir_insn){.op = IR_SKIP});
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ck_assert_ptr_nonnull(ir_check(&block)); /* no label */

    ir_begin(&block, 0);
    ir_append(&block, (struct ir_insn){.op = IR_SKIP});
    ir_value v = ir_const(&block, 1);
    ir_append(&block, (struct ir_insn){.op = IR_LABEL});
    ir_set(&block, IR_R0, v);
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ck_assert_ptr_nonnull(ir_check(&block)); /* a value that may not exist */
}
END_TEST

START_TEST(a_block_prints_one_line_for_each_operation)
{
    struct ir_block block;
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    ir_begin(&block, 0x8000);
    ir_value r1 = ir_get(&block, 1);
    ir_value four = ir_const(&block, 4);
    ir_value difference = ir_append(
        &block, (struct ir_insn){.op = IR_SUB, .a = r1, .b = four, .flags = IR_FLAGS_ALL});

    ir_set(&block, 1, difference);
    ir_append(&block, (struct ir_insn){.op = IR_EXIT_IF, .cond = 1, .imm = 0x8000});
    ir_append(&block,
              (struct ir_insn){
                  .op = IR_STORE, .size = 2, .a = r1, .b = r1, .scale = 2, .imm = -8u, .c = four});
    ir_append(&block, (struct ir_insn){.op = IR_EXIT, .imm = 0x8008});
    ir_print(file, &block);
    fclose(file);
    ck_assert_str_eq(text, "v0    get       r1\n"
                           "v1    const     0x4\n"
                           "v2    sub       v0, 0x4  !nzcv\n"
                           "      set       r1, v2\n"
                           "      exit_if   ne, 0x8000\n"
                           "      store     u16 [v0 + v0 << 2 - 0x8], 0x4\n"
                           "      exit      0x8008\n");
    free(text);
}
END_TEST

/* ---- passes --------------------------------------------------------------------------- */

static void dead_flags(struct ir_block *block)
{
    ir_dead_flags(block, true, NULL, NULL);
}

static void report(const char *why, uint64_t seed, const struct ir_block *before,
                   const struct ir_block *after)
{
    fprintf(stderr, "seed %#llx: %s; before:\n", (unsigned long long)seed, why);
    ir_print(stderr, before);
    if (after) {
        fprintf(stderr, "after:\n");
        ir_print(stderr, after);
    }
    ck_abort_msg("%s", why);
}

static void keeps_meaning(void (*pass)(struct ir_block *block))
{
    static struct ir_block before, after;
    unsigned long blocks = setting("RANDOM_CASES", BLOCKS);
    uint64_t seed = first_seed();

    for (unsigned long n = 0; n < blocks; n++, seed++) {
        struct ir_random r = {.state = seed};

        ir_random_block(&r, &before, 8 + ir_random_below(&r, 80));
        ck_assert_ptr_null(ir_check(&before));
        after = before;
        pass(&after);
        if (ir_check(&after))
            report(ir_check(&after), seed, &before, &after);
        for (unsigned k = 0; k < STATES; k++) {
            uint8_t want_memory[MEMORY_SIZE], have_memory[MEMORY_SIZE];
            struct ir_state want = ir_random_state(&r, want_memory), have = want;
            struct ir_end want_end, have_end;
            const char *why;

            memcpy(have_memory, want_memory, MEMORY_SIZE);
            have.memory = have_memory;
            want_end = ir_evaluate(&before, &want);
            have_end = ir_evaluate(&after, &have);
            why = ir_difference(&want, want_end, &have, have_end);
            if (why)
                report(why, seed, &before, &after);
        }
    }
}

static void copies(struct ir_block *block)
{
    ir_copies(block, true);
}

START_TEST(copies_keep_the_meaning)
{
    keeps_meaning(copies);
}
END_TEST

static void fold(struct ir_block *block)
{
    for (unsigned i = 0; i < block->count; i++)
        ir_fold(block, i);
}

START_TEST(folding_keeps_the_meaning)
{
    keeps_meaning(fold);
}
END_TEST

static void fuse(struct ir_block *block)
{
    ir_fuse(block, true);
}

START_TEST(marking_host_flags_keeps_the_meaning)
{
    keeps_meaning(fuse);
}
END_TEST

START_TEST(dead_flags_are_missed_by_nobody)
{
    keeps_meaning(dead_flags);
}
END_TEST

START_TEST(dead_code_is_missed_by_nobody)
{
    keeps_meaning(ir_dead_code);
}
END_TEST

/* With host flags the evaluator is no judge of flags that are not written: no fusing. */
static void without_fusing(struct ir_block *block)
{
    ir_optimize(block, &(struct ir_options){.no_fusing = true}, NULL, NULL);
}

START_TEST(all_passes_together_keep_the_meaning)
{
    keeps_meaning(without_fusing);
}
END_TEST

START_TEST(passes_leave_little_of_what_is_known)
{
    struct ir_block block;
    unsigned left = 0;

    ir_begin(&block, 0);
    ir_set(&block, 0, ir_const(&block, 5)); /* overwritten below */
    ir_value sum = ir_binary(&block, IR_ADD, ir_get(&block, 0), ir_const(&block, 2));
    ir_set(&block, 1, ir_binary(&block, IR_LSL, sum, ir_const(&block, 4)));
    ir_set(&block, 0, ir_get(&block, 1));
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    for (unsigned i = 0; i < block.count; i++)
        left += block.insns[i].op != IR_NOP && block.insns[i].op != IR_UNSEEN;
    ck_assert_uint_eq(left, 4); /* const 0x70, set r1, set r0, exit */
}
END_TEST

START_TEST(a_flag_that_is_set_twice_is_written_once)
{
    struct ir_block block;

    ir_begin(&block, 0);
    ir_value a = ir_get(&block, 0);
    ir_value first = ir_append(
        &block, (struct ir_insn){.op = IR_SUB, .flags = IR_FLAGS_ALL, .a = a, .b = a});
    ir_value second = ir_append(
        &block, (struct ir_insn){.op = IR_AND, .flags = IR_FLAGS_NZ, .a = a, .b = a});
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    ck_assert_uint_eq(block.insns[first].flags, IR_FLAG_C | IR_FLAG_V);
    ck_assert_uint_eq(block.insns[second].flags, IR_FLAGS_NZ);
}
END_TEST

/* ---- code ----------------------------------------------------------------------------- */

struct machine {
    struct space space;
    struct code_cache cache;
    struct trampolines trampolines;
    const struct x86_pins *pins;
    size_t fault; /* where the last one was */
};

/* What a fault in emitted code shows: that it happened, and the state of the globals. */
static bool leave_on_fault(void *self, const siginfo_t *info, void *context)
{
    struct machine *m = self;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)info;
    if (!code_cache_holds(&m->cache, (uint64_t)regs[REG_RIP], &m->fault))
        return false;
    regs[REG_RIP] = (greg_t)(uintptr_t)(m->cache.run + m->trampolines.fault_leave);
    return true;
}

static void machine_init(struct machine *m, const struct x86_pins *pins)
{
    *m = (struct machine){.pins = pins};
    ck_assert_int_eq(space_init(&m->space), 0);
    ck_assert_int_eq(
        space_map(&m->space, MEMORY_START, MEMORY_SIZE, SPACE_READ | SPACE_WRITE, false, -1, 0), 0);
    ck_assert_int_eq(code_cache_init(&m->cache, 1 << 20), 0);
    m->cache.code.segment = m->space.base != 0;
    if (m->cache.code.segment)
        ck_assert_int_eq(syscall(SYS_arch_prctl, ARCH_SET_GS, m->space.base), 0);
    generate_trampolines(&m->cache.code, pins, &m->trampolines);
    m->cache.kept = m->cache.code.size;
    fault_add(leave_on_fault, m);
}

static void machine_free(struct machine *m)
{
    fault_remove(leave_on_fault, m);
    code_cache_free(&m->cache);
    space_free(&m->space);
}

/* How the block ended, in the evaluator's words. A fault's direction it does not know. */
static struct ir_end end_of(uint32_t status, const struct arm_cpu *cpu, struct ir_end want)
{
    struct ir_end end = {.key = cpu->r[ARM_PC] | cpu->thumb};

    if (status == FRAME_FAULT_TAKEN)
        return (struct ir_end){want.op == IR_STORE ? IR_STORE : IR_LOAD, want.key, want.insn};
    end.op = status == FRAME_LOOKUP ? IR_JUMP : status == FRAME_INTERPRET ? IR_INTERPRET : IR_EXIT;
    return end;
}

/* Runs generated code on the state. */
static struct ir_end run(struct machine *m, const struct generated *code, struct ir_state *state,
                         struct ir_end want)
{
    typedef uint32_t enter(struct arm_cpu *, const void *, void *, struct frame_fault *);
    static uintptr_t table[JUMP_TABLE_SIZE];
    struct arm_cpu cpu = {.q = state->q};
    uint8_t *memory = space_at(&m->space, MEMORY_START);
    uint32_t status;

    for (unsigned n = 0; n < JUMP_TABLE_SIZE; n++)
        table[n] = (uintptr_t)(m->cache.run + m->trampolines.miss);
    for (unsigned g = 0; g < IR_N; g++)
        cpu.r[g] = state->globals[g];
    cpu.n = (uint8_t)state->globals[IR_N];
    cpu.z = (uint8_t)state->globals[IR_Z];
    cpu.c = (uint8_t)state->globals[IR_C];
    cpu.v = (uint8_t)state->globals[IR_V];
    memcpy(memory, state->memory, MEMORY_SIZE);
    status = ((enter *)(uintptr_t)(m->cache.run + m->trampolines.enter))(
        &cpu, m->cache.run + code->body, table, NULL);
    memcpy(state->memory, memory, MEMORY_SIZE);
    for (unsigned n = code->maps; status == FRAME_FAULT_TAKEN && n-- > 0;)
        if (code->map[n].host <= m->fault) {
            generate_flags(&cpu, &code->map[n].recipe);
            break;
        }
    for (unsigned g = 0; g < IR_N; g++)
        state->globals[g] = cpu.r[g];
    state->globals[IR_N] = cpu.n;
    state->globals[IR_Z] = cpu.z;
    state->globals[IR_C] = cpu.c;
    state->globals[IR_V] = cpu.v;
    state->q = cpu.q;
    return end_of(status, &cpu, want);
}

static void code_means_the_same(const struct x86_pins *pins, bool optimize, unsigned length)
{
    static struct ir_block before, block;
    static struct generated code;
    static struct machine m;
    unsigned long blocks = setting("RANDOM_CASES", BLOCKS), failed = 0;
    uint64_t seed = first_seed();

    machine_init(&m, pins);
    for (unsigned long n = 0; n < blocks; n++, seed++) {
        struct ir_random r = {.state = seed};
        struct generate_options options = {
            .pins = pins, .bmi = n % 2 && __builtin_cpu_supports("bmi2"), .code = &m.trampolines};

        ir_random_block(&r, &before, 8 + ir_random_below(&r, length));
        block = before;
        if (optimize)
            ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
        code_cache_reset(&m.cache);
        if (!generate(&m.cache.code, &block, &options, &code)) {
            /* Too many values at once: the translator would take a shorter block. */
            ck_assert_uint_gt(before.count, 40);
            failed++;
            continue;
        }
        for (unsigned k = 0; k < STATES; k++) {
            uint8_t want_memory[MEMORY_SIZE], have_memory[MEMORY_SIZE];
            struct ir_state want = ir_random_state(&r, want_memory), have = want;
            struct ir_end want_end, have_end;
            const char *why;

            memcpy(have_memory, want_memory, MEMORY_SIZE);
            have.memory = have_memory;
            want_end = ir_evaluate(&before, &want);
            have_end = run(&m, &code, &have, want_end);
            why = ir_difference(&want, want_end, &have, have_end);
            if (why)
                report(why, seed, &before, &block);
        }
    }
    ck_assert_uint_lt(failed, blocks / 4);
    machine_free(&m);
}

START_TEST(code_with_pins_means_what_the_block_means)
{
    code_means_the_same(&x86_pins_usual, false, 80);
}
END_TEST

START_TEST(code_without_pins_means_what_the_block_means)
{
    code_means_the_same(&x86_pins_none, false, 80);
}
END_TEST

START_TEST(optimized_code_means_what_the_block_means)
{
    code_means_the_same(&x86_pins_usual, true, 80);
}
END_TEST

START_TEST(optimized_code_without_pins_means_what_the_block_means)
{
    code_means_the_same(&x86_pins_none, true, 80);
}
END_TEST

static void count_spills(void *self, size_t offset, const char *text)
{
    (void)offset;
    *(unsigned *)self += strstr(text, "rsp") != NULL;
}

static void generate_usual(struct machine *m, const struct ir_block *block, bool no_placing,
                           struct generated *code)
{
    ck_assert(generate(&m->cache.code, block,
                       &(struct generate_options){.pins = &x86_pins_usual,
                                                  .code = &m->trampolines,
                                                  .no_placing = no_placing},
                       code));
}

/* Eight registers that change and change again, where nobody looks before the end. */
START_TEST(a_set_that_nobody_sees_still_gives_its_value_a_place)
{
    static struct ir_block block;
    static struct generated code;
    static struct machine m;
    unsigned spills = 0;

    machine_init(&m, &x86_pins_usual);
    m.cache.code.listener = count_spills;
    m.cache.code.self = &spills;
    ir_begin(&block, 0);
    for (unsigned n = 0; n < 80; n++)
        ir_set(&block, n % 8,
               ir_binary(&block, IR_XOR, ir_get(&block, n % 8), ir_get(&block, (n + 1) % 8)));
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    generate_usual(&m, &block, false, &code);
    ck_assert_uint_eq(spills, 0);
    machine_free(&m);
}
END_TEST

/* Nine values whose home is r0, when r0 changes. */
START_TEST(more_values_than_registers_leave_their_home_at_once)
{
    static struct ir_block block;
    static struct generated code;
    static struct machine m;
    ir_value copies[9], sum;

    machine_init(&m, &x86_pins_usual);
    ir_begin(&block, 0);
    for (unsigned n = 0; n < 9; n++)
        copies[n] = ir_get(&block, 0);
    sum = ir_get(&block, 1);
    ir_set(&block, 0, ir_binary(&block, IR_ADD, sum, ir_get(&block, 2)));
    for (unsigned n = 0; n < 9; n++)
        sum = ir_binary(&block, IR_XOR, sum, copies[n]);
    ir_set(&block, 3, sum);
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    generate_usual(&m, &block, false, &code);
    machine_free(&m);
}
END_TEST

/* Behind code of any length; other blocks follow at once. */
START_TEST(the_body_of_a_loop_begins_a_cache_line)
{
    static struct ir_block loop, other;
    static struct generated code;
    static struct machine m;

    machine_init(&m, &x86_pins_usual);
    ir_begin(&loop, 0x8000);
    ir_append(&loop, (struct ir_insn){.op = IR_EXIT, .imm = 0x8000});
    ir_begin(&other, 0x8000);
    ir_append(&other, (struct ir_insn){.op = IR_EXIT, .imm = 0x8004});
    for (unsigned n = 0; n < 64; n++) {
        x86_align(&m.cache.code, 64 - n, 64);
        generate_usual(&m, &loop, false, &code);
        ck_assert_uint_eq(code.body % 64, 0);
        for (unsigned without = 0; without < 2; without++) {
            size_t end = m.cache.code.size;

            generate_usual(&m, without ? &loop : &other, without, &code);
            ck_assert_uint_eq(code.entry, end);
        }
    }
    machine_free(&m);
}
END_TEST

static void count_carries(void *self, size_t offset, const char *text)
{
    (void)offset;
    *(unsigned *)self += strstr(text, "setb") || strstr(text, "bt ");
}

/* adds r0, r0, r1; orr r2, r2, r3, lsr r4; adc r5, r5, r6, and r2 may depend on the sum. */
static unsigned carries_through_memory(bool depends)
{
    static struct ir_block block;
    static struct generated code;
    static struct machine m;
    unsigned count = 0;
    ir_value sum, shifted;

    machine_init(&m, &x86_pins_usual);
    m.cache.code.listener = count_carries;
    m.cache.code.self = &count;
    ir_begin(&block, 0);
    sum = ir_append(&block, (struct ir_insn){.op = IR_ADD,
                                             .flags = IR_FLAGS_ALL,
                                             .a = ir_get(&block, 0),
                                             .b = ir_get(&block, 1)});
    ir_set(&block, 0, sum);
    shifted = ir_binary(&block, IR_LSR, depends ? sum : ir_get(&block, 3), ir_get(&block, 4));
    ir_set(&block, 2, ir_binary(&block, IR_OR, ir_get(&block, 2), shifted));
    ir_set(&block, 5,
           ir_append(&block, (struct ir_insn){.op = IR_ADC,
                                              .a = ir_get(&block, 5),
                                              .b = ir_get(&block, 6),
                                              .c = ir_get(&block, IR_C)}));
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    generate_usual(&m, &block, false, &code);
    machine_free(&m);
    return count;
}

START_TEST(a_carry_stays_where_it_is_if_what_comes_between_may_come_before)
{
    ck_assert_uint_eq(carries_through_memory(false), 0);
    ck_assert_uint_eq(carries_through_memory(true), 2);
}
END_TEST

/* UMULL r0, r1; UMLAL r0, r1: the accumulator is the product before, and no PAIR. */
START_TEST(halves_of_a_value_together_are_the_value)
{
    static struct ir_block block;
    ir_value product, low, high;

    ir_begin(&block, 0);
    product = ir_binary(&block, IR_UMULL, ir_get(&block, 2), ir_get(&block, 3));
    low = ir_unary(&block, IR_LOW, product);
    high = ir_unary(&block, IR_HIGH, product);
    ir_set(&block, 0, low);
    ir_set(&block, 1, high);
    product = ir_binary(&block, IR_ADD64, ir_binary(&block, IR_PAIR, low, high),
                        ir_binary(&block, IR_PAIR, low, ir_const(&block, 0)));
    ir_set(&block, 2, ir_unary(&block, IR_HIGH, product));
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    for (unsigned i = 0; i < block.count; i++)
        ck_assert_uint_ne(block.insns[i].op, IR_PAIR);
    ck_assert_uint_eq(block.insns[product].a, block.insns[low].a);
    ck_assert_uint_eq(block.insns[product].b, low);
}
END_TEST

static void access_word(struct ir_block *block, struct ir_insn insn)
{
    insn.b = IR_NONE;
    if (insn.op == IR_LOAD)
        ir_set(block, 2, ir_append(block, insn));
    else
        ir_append(block, insn);
}

/* str r3, [r11, #-8], then something else, then ldr r2, [r11, #-8]: is it still a load? */
static bool is_loaded_behind(struct ir_insn between)
{
    static struct ir_block block;
    struct ir_insn word = {.size = 4, .imm = -8u};

    ir_begin(&block, 0);
    word.a = ir_get(&block, 11);
    word.c = ir_get(&block, 3);
    word.op = IR_STORE;
    access_word(&block, word);
    between.a = between.op != IR_SET && between.a == 1 ? ir_get(&block, 1) : word.a;
    between.c = word.c;
    access_word(&block, between);
    word.op = IR_LOAD;
    access_word(&block, word);
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    for (unsigned i = 0; i < block.count; i++)
        if (block.insns[i].op == IR_LOAD && block.insns[i].size == 4)
            return true;
    return false;
}

START_TEST(what_was_stored_is_not_loaded_again)
{
    struct ir_insn other = {.op = IR_STORE, .size = 1, .imm = -9u};

    ck_assert(!is_loaded_behind((struct ir_insn){.op = IR_NOP}));
    ck_assert(!is_loaded_behind(other));
    other.imm = -4u;
    ck_assert(!is_loaded_behind(other));
    other.imm = -5u;
    ck_assert(is_loaded_behind(other));
    other.imm = -9u;
    other.size = 2;
    ck_assert(is_loaded_behind(other));
    other.imm = -100u;
    other.a = 1; /* another register may hold the same */
    ck_assert(is_loaded_behind(other));
    other.op = IR_LOAD;
    ck_assert(!is_loaded_behind(other));
    ck_assert(is_loaded_behind((struct ir_insn){.op = IR_FENCE}));
    ck_assert(is_loaded_behind((struct ir_insn){.op = IR_SET, .global = 3})); /* r3 is gone */
}
END_TEST

/* adds or subs r0, left, right; r1 perhaps changes; ldr r4, [r2]; cmp r2, r3: the setter. */
static struct ir_insn setter_before_load(enum ir_op op, unsigned left, unsigned right, bool changes)
{
    static struct ir_block block;
    ir_value setter, address;

    ir_begin(&block, 0);
    setter = ir_append(&block, (struct ir_insn){.op = (uint8_t)op,
                                                .flags = IR_FLAGS_ALL,
                                                .a = ir_get(&block, left),
                                                .b = ir_get(&block, right)});
    ir_set(&block, 0, setter);
    if (changes)
        ir_set(&block, 1, ir_const(&block, 0));
    address = ir_get(&block, 2);
    access_word(&block, (struct ir_insn){.op = IR_LOAD, .size = 4, .a = address});
    ir_append(&block,
              (struct ir_insn){
                  .op = IR_SUB, .flags = IR_FLAGS_ALL, .a = address, .b = ir_get(&block, 3)});
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    return block.insns[setter];
}

START_TEST(what_a_result_overwrites_is_known_by_the_result)
{
    struct ir_insn insn = setter_before_load(IR_ADD, 0, 1, false);

    ck_assert(insn.deferred && !insn.saved);
    insn = setter_before_load(IR_ADD, 1, 0, false);
    ck_assert(insn.deferred && !insn.saved);
    insn = setter_before_load(IR_SUB, 0, 1, false);
    ck_assert(insn.deferred && !insn.saved);
    insn = setter_before_load(IR_SUB, 0, 1, true);
    ck_assert(insn.deferred && insn.saved == IR_SAVED_RIGHT);
    insn = setter_before_load(IR_SUB, 1, 0, true);
    ck_assert(insn.deferred && insn.saved == IR_SAVED_RIGHT);
}
END_TEST

static void count_lines(void *self, size_t offset, const char *text)
{
    (void)offset;
    *(unsigned *)self += strncmp(text, "nop", 3) != 0; /* before a jump that is patched */
}

/* The instructions of the host that a long product r0, r1 of r2 and r3 becomes. */
static unsigned product_lines(enum ir_op op, bool bmi)
{
    static struct ir_block block;
    static struct generated code;
    static struct machine m;
    unsigned lines[2];

    for (unsigned with = 0; with < 2; with++) {
        machine_init(&m, &x86_pins_usual);
        m.cache.code.listener = count_lines;
        m.cache.code.self = &lines[with];
        lines[with] = 0;
        ir_begin(&block, 0);
        if (with) {
            ir_value product = ir_binary(&block, op, ir_get(&block, 2), ir_get(&block, 3));
            ir_value low = ir_unary(&block, IR_LOW, product);

            ir_set(&block, 1, ir_unary(&block, IR_HIGH, product));
            ir_set(&block, 0, low);
        }
        ir_append(&block, (struct ir_insn){.op = IR_EXIT});
        ck_assert(generate(
            &m.cache.code, &block,
            &(struct generate_options){.pins = &x86_pins_usual, .code = &m.trampolines, .bmi = bmi},
            &code));
        machine_free(&m);
    }
    return lines[1] - lines[0];
}

START_TEST(the_halves_of_a_product_are_made_where_they_are_wanted)
{
    ck_assert_uint_eq(product_lines(IR_UMULL, true), 2);  /* mov, mulx */
    ck_assert_uint_eq(product_lines(IR_UMULL, false), 4); /* mov, mul, mov, mov */
    ck_assert_uint_eq(product_lines(IR_SMULL, true), 4);
}
END_TEST

/* add r0, r0, r1, lsl #2; and r2, r2, #255; lsl r3, #16; asr r3, #16; lsr r4, #24 */
START_TEST(shifts_that_x86_has_in_other_instructions_are_gone)
{
    static struct ir_block block;
    ir_value left;
    unsigned shifts = 0;

    ir_begin(&block, 0);
    left = ir_binary(&block, IR_LSL, ir_get(&block, 1), ir_const(&block, 2));
    ir_set(&block, 0, ir_binary(&block, IR_ADD, ir_get(&block, 0), left));
    ir_set(&block, 2, ir_binary(&block, IR_AND, ir_get(&block, 2), ir_const(&block, 255)));
    left = ir_binary(&block, IR_LSL, ir_get(&block, 3), ir_const(&block, 16));
    ir_set(&block, 3, ir_binary(&block, IR_ASR, left, ir_const(&block, 16)));
    ir_set(&block, 4, ir_binary(&block, IR_LSR, ir_get(&block, 4), ir_const(&block, 24)));
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    for (unsigned i = 0; i < block.count; i++) {
        ck_assert_uint_ne(block.insns[i].op, IR_AND);
        shifts += block.insns[i].op >= IR_LSL && block.insns[i].op <= IR_ROR;
    }
    ck_assert_uint_eq(shifts, 1);
}
END_TEST

START_TEST(a_shift_by_88_is_none_by_24)
{
    static struct ir_block block;
    ir_value left, eighty_eight;

    ir_begin(&block, 0);
    eighty_eight = ir_const(&block, 88);
    left = ir_binary(&block, IR_LSL, ir_get(&block, 4), eighty_eight);
    ir_set(&block, 4, ir_binary(&block, IR_ASR, left, eighty_eight));
    ir_append(&block, (struct ir_insn){.op = IR_EXIT});
    ir_optimize(&block, &(struct ir_options){0}, NULL, NULL);
    for (unsigned i = 0; i < block.count; i++)
        ck_assert_uint_ne(block.insns[i].op, IR_SEXT8);
}
END_TEST

START_TEST(values_that_find_no_register_are_spilled)
{
    code_means_the_same(&x86_pins_usual, true, 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("optimize");
    TCase *meaning = tcase_create("meaning"), *passes = tcase_create("passes"),
          *code = tcase_create("code");

    tcase_add_test(meaning, sums_set_flags_as_add_with_carry_does);
    tcase_add_test(meaning, shifts_count_by_a_byte);
    tcase_add_test(meaning, wrong_blocks_are_found);
    tcase_add_test(meaning, a_block_prints_one_line_for_each_operation);
    tcase_set_timeout(passes, 3600);
    tcase_add_test(passes, copies_keep_the_meaning);
    tcase_add_test(passes, folding_keeps_the_meaning);
    tcase_add_test(passes, marking_host_flags_keeps_the_meaning);
    tcase_add_test(passes, dead_flags_are_missed_by_nobody);
    tcase_add_test(passes, dead_code_is_missed_by_nobody);
    tcase_add_test(passes, all_passes_together_keep_the_meaning);
    tcase_add_test(passes, passes_leave_little_of_what_is_known);
    tcase_add_test(passes, a_flag_that_is_set_twice_is_written_once);
    tcase_set_timeout(code, 3600);
    tcase_add_test(code, code_with_pins_means_what_the_block_means);
    tcase_add_test(code, code_without_pins_means_what_the_block_means);
    tcase_add_test(code, optimized_code_means_what_the_block_means);
    tcase_add_test(code, optimized_code_without_pins_means_what_the_block_means);
    tcase_add_test(code, values_that_find_no_register_are_spilled);
    tcase_add_test(code, a_set_that_nobody_sees_still_gives_its_value_a_place);
    tcase_add_test(code, more_values_than_registers_leave_their_home_at_once);
    tcase_add_test(code, the_body_of_a_loop_begins_a_cache_line);
    tcase_add_test(code, a_carry_stays_where_it_is_if_what_comes_between_may_come_before);
    tcase_add_test(code, halves_of_a_value_together_are_the_value);
    tcase_add_test(code, shifts_that_x86_has_in_other_instructions_are_gone);
    tcase_add_test(code, a_shift_by_88_is_none_by_24);
    tcase_add_test(code, what_was_stored_is_not_loaded_again);
    tcase_add_test(code, what_a_result_overwrites_is_known_by_the_result);
    tcase_add_test(code, the_halves_of_a_product_are_made_where_they_are_wanted);
    suite_add_tcase(suite, meaning);
    suite_add_tcase(suite, passes);
    suite_add_tcase(suite, code);
    return harness_main(suite);
}
