/*
 * translate.c: one block through all stages: lift, optimize, generate, enter in tables.
 *
 * The page with the code is write-protected before it is read. If it changes while we
 * are at it, its flag SPACE_CODE is gone afterwards, and we start again: no block is
 * ever entered in the tables that was made from a page nobody watches.
 */
#include "06-tcg/translate/engine.h"

#include "06-tcg/fault.h"
#include "06-tcg/ir/optimize.h"

/* Blocks with the same key that differ in what they inherit, at most. */
#define VERSIONS 4

struct lifting {
    struct translator *t;
    struct ir_block *ir;
    const struct arm_cpu *cpu;
    uint32_t key;
    struct lift_options options;
    bool optimize;
    struct arm_stop *stop;
    bool done;
};

static struct ir_live live_flags(void *self, uint32_t key)
{
    struct lifting *l = self;

    return engine_live_flags(l->t, l->key >> SPACE_PAGE_SHIFT, key);
}

static bool begins(void *self, uint32_t key)
{
    struct lifting *l = self;

    return block_table_find(&l->t->blocks, key, NULL);
}

/* All stages that read the guest's memory. */
static void lift_guarded(void *self)
{
    struct lifting *l = self;
    unsigned without = l->t->options.without;

    l->done = lift(l->ir, l->cpu, l->key, &l->options, l->stop);
    if (!l->done || !l->optimize)
        return;
    engine_dump_stage(l->t, l->ir, TRANSLATOR_DUMP_ARM);
    engine_dump_stage(l->t, l->ir, TRANSLATOR_DUMP_IR);
    if (!(without & TRANSLATOR_NO_OPTIMIZER)) {
        struct ir_options options = {.no_fusing = without & TRANSLATOR_NO_FUSING,
                                     .no_repeating = without & TRANSLATOR_NO_REPEATING,
                                     .no_lazy = without & TRANSLATOR_NO_LAZY,
                                     .no_deferring = without & TRANSLATOR_NO_DEFERRING,
                                     .no_saving = without & TRANSLATOR_NO_SAVING,
                                     .no_forwarding = without & TRANSLATOR_NO_FORWARDING};

        ir_optimize(l->ir, &options, without & TRANSLATOR_NO_LIVENESS ? NULL : live_flags, l);
        engine_dump_stage(l->t, l->ir, TRANSLATOR_DUMP_OPT);
    }
}

bool engine_lift(struct translator *t, const struct arm_cpu *cpu, uint32_t key,
                 const struct ir_recipe *inherited, unsigned limit, struct ir_block *ir,
                 enum engine_purpose purpose, struct arm_stop *stop)
{
    unsigned without = t->options.without;
    struct lifting l = {
        .t = t,
        .ir = ir,
        .cpu = cpu,
        .key = key,
        .options = {.limit = limit,
                    .inherited = inherited,
                    .no_literals = without & TRANSLATOR_NO_LITERALS,
                    .no_select = without & TRANSLATOR_NO_SELECT,
                    .no_following = without & TRANSLATOR_NO_FOLLOWING,
                    .no_runs = without & TRANSLATOR_NO_RUNS,
                    .no_choices = without & (TRANSLATOR_NO_CHOICES | TRANSLATOR_NO_SELECT),
                    .no_idioms = without & TRANSLATOR_NO_IDIOMS},
        .optimize = purpose != ENGINE_SHOW_IR,
        .stop = stop};
    siginfo_t info;

    l.options.self = &l;
    l.options.begins = purpose == ENGINE_TRANSLATE && !(without & TRANSLATOR_NO_MEETING) ? begins
                                                                                         : NULL;

    if (fault_guard(lift_guarded, &l, &info))
        return l.done;
    *stop = (struct arm_stop){.reason = ARM_FAULT, /* a page of a file beyond its end */
                              .address = key & ~1u,
                              .access = ARM_EXECUTE,
                              .vanished = info.si_signo == SIGBUS};
    return false;
}

/* Is the page watched? If not, it is now, and the caller looks again at everything. */
static bool watched(struct translator *t, uint32_t address)
{
    unsigned flags = space_flags(t->space, address);

    if (flags & SPACE_CODE || !(flags & SPACE_EXEC))
        return true; /* where nothing can be executed, lifting fails anyway */
    pthread_mutex_unlock(&t->lock);
    space_protect_code(t->space, address, 1);
    pthread_mutex_lock(&t->lock);
    return false;
}

/* No instruction needs more registers than there are; but better slow than wrong. */
static void leave_to_interpreter(struct translator *t, uint32_t key,
                                 const struct ir_recipe *inherited)
{
    ir_begin(&t->ir, key);
    ir_inherit(&t->ir, inherited);
    ir_append(&t->ir, (struct ir_insn){.op = IR_INSN, .imm = key});
    ir_append(&t->ir,
              (struct ir_insn){.op = IR_INTERPRET, .imm = key, .pending = inherited != NULL});
    t->ir.end = (key & ~1u) + 2;
}

struct generate_options engine_generate_options(const struct translator *t, uint32_t first_exit)
{
    unsigned without = t->options.without;

    return (struct generate_options){
        .pins = t->pins,
        .code = &t->trampolines,
        .first_exit = first_exit,
        .no_inheriting = without & TRANSLATOR_NO_INHERITING,
        .no_placing = without & TRANSLATOR_NO_PLACING,
        .bmi = t->bmi,
        .looks = without & TRANSLATOR_NO_CUTTING,
        .caches = !(without & (TRANSLATOR_NO_CACHING | TRANSLATOR_NO_CHAINING))};
}

/* Code for t->ir, or for fewer instructions if registers run out. */
static bool generate_block(struct translator *t, struct arm_cpu *cpu, uint32_t key,
                           const struct ir_recipe *inherited, struct arm_stop *stop)
{
    struct generate_options options = engine_generate_options(t, t->blocks.exit_count);
    unsigned limit = t->options.block_limit;

    if (t->options.count)
        options.counter = &t->blocks.blocks[t->blocks.block_count].executions;

    while (!generate(&t->cache.code, &t->ir, &options, &t->generated)) {
        if (t->cache.code.overflow)
            return false;
        limit /= 2;
        if (limit == 0)
            leave_to_interpreter(t, key, inherited);
        else if (!engine_lift(t, cpu, key, inherited, limit, &t->ir, ENGINE_TRANSLATE, stop))
            return false;
    }
    return true;
}

static struct block *add(struct translator *t)
{
    struct block *block = block_table_add(&t->blocks, &t->ir, &t->generated);

    t->stats.blocks++;
    t->stats.insns += block->insns;
    if (t->options.perf_map)
        engine_perf_map(t, block);
    if (t->options.dump)
        engine_dump_x86(t, block, &t->ir);
    return block;
}

/* What a new block for key is to inherit: nothing, if there are many versions already. */
static const struct ir_recipe *heritage(const struct translator *t, uint32_t key,
                                        const struct ir_recipe *recipe)
{
    return block_table_versions(&t->blocks, key) < VERSIONS ? recipe : NULL;
}

struct block *engine_block(struct translator *t, struct arm_cpu *cpu, uint32_t key,
                           const struct ir_recipe *recipe, struct arm_stop *stop)
{
    for (;;) {
        const struct ir_recipe *inherited = recipe;
        struct block *block;

        while (t->flushing)
            pthread_cond_wait(&t->changed, &t->lock);
        block = block_table_find(&t->blocks, key, inherited);
        if (!block && inherited && !(inherited = heritage(t, key, recipe)))
            block = block_table_find(&t->blocks, key, NULL);
        if (block) {
            if (!inherited)
                t->jumps[jump_table_index(key)] = (uintptr_t)engine_code(t, block->entry);
            return block;
        }
        if (!watched(t, key & ~1u))
            continue;
        if (!engine_lift(t, cpu, key, inherited, t->options.block_limit, &t->ir, ENGINE_TRANSLATE,
                         stop))
            return NULL;
        if (!watched(t, t->ir.end - 1))
            continue;
        if (!block_table_has_room(&t->blocks) || !generate_block(t, cpu, key, inherited, stop)) {
            engine_flush(t);
            continue;
        }
        add(t);
    }
}
