/*
 * engine.h: the inside of a translator. (For the files of translate/ alone.)
 *
 * Who may touch what, with several threads:
 *
 *   lock        guards everything below it. It is held while translating, chaining and
 *               forgetting, and never while emitted code runs.
 *   running     counts the threads in emitted code. Code is overwritten only when
 *               there is none.
 *   flushing    somebody wants the cache empty. He unchains all blocks and empties the
 *               jump table, so every thread soon leaves emitted code by itself, and
 *               finds here that it has to wait. Blocks have no loops: "soon" is at most
 *               one block.
 *
 * The space has a lock of its own, which is taken first: it is held when the space
 * tells us about changed code. So never call the space while holding our lock.
 */
#ifndef TCG_TRANSLATE_ENGINE_H
#define TCG_TRANSLATE_ENGINE_H

#include <pthread.h>

#include "06-tcg/ir/optimize.h"
#include "06-tcg/translate/block_table.h"
#include "06-tcg/translate/code_cache.h"
#include "06-tcg/translate/lift.h"
#include "06-tcg/translate/translator.h"
#include "06-tcg/x86/generate.h"

#define ENGINE_RUNS (1u << 16) /* counters; a page's are 2,048 that lie together */

typedef uint32_t frame_enter(struct arm_cpu *cpu, const void *code, void *table,
                             struct frame_fault *fault);

struct translator {
    struct space *space;
    struct translator_options options;
    const struct x86_pins *pins;
    bool bmi; /* the host has BMI2, and may use it */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* running or flushing */
    unsigned running;
    unsigned cut; /* threads on their way out of a block that has been cut: see interrupt.c */
    bool flushing;

    struct code_cache cache;
    struct trampolines trampolines;
    struct block_table blocks;
    _Atomic uintptr_t *jumps;          /* the jump table: addresses of code; then a closed one */
    _Atomic uint8_t runs[ENGINE_RUNS]; /* of cold code, by key: see engine_is_hot() */
    struct translator_stats stats;
    FILE *perf_map;

    /* Work space for translating, too large for a stack. */
    struct ir_block ir;
    struct generated generated;
};

/* [hot] */
static inline _Atomic uint8_t *engine_runs(struct translator *t, uint32_t key)
{
    return &t->runs[(key ^ key >> 16) >> 1 & (ENGINE_RUNS - 1)];
}

/*
 * Has the code at key run often enough to be translated? Else this is one time more.
 * Keys that share a counter are translated sooner than need be, and no harm is done.
 */
static inline bool engine_is_hot(struct translator *t, uint32_t key)
{
    _Atomic uint8_t *runs = engine_runs(t, key);
    unsigned count = atomic_load_explicit(runs, memory_order_relaxed);

    if (count >= t->options.cold_runs)
        return true;
    atomic_store_explicit(runs, (uint8_t)(count + 1), memory_order_relaxed);
    return false;
}
/* [/hot] */

/* Where threads run the code at this offset. */
static inline const void *engine_code(const struct translator *t, size_t offset)
{
    return t->cache.run + offset;
}

/* translate.c: the block at key, translated now if need be. The lock is held, but may
 * be released in between. NULL: *stop says why there is none. inherited: the flags on
 * entry, or NULL; the block may make use of them. */
struct block *engine_block(struct translator *t, struct arm_cpu *cpu, uint32_t key,
                           const struct ir_recipe *inherited, struct arm_stop *stop);

/* To translate, or to look at a block once more: at what is lifted, or optimized as well. */
enum engine_purpose { ENGINE_TRANSLATE, ENGINE_SHOW_IR, ENGINE_SHOW_ALL };

/* For the block whose exits are numbered from first_exit on. */
struct generate_options engine_generate_options(const struct translator *t, uint32_t first_exit);

/* Lifts and optimizes into *ir. */
bool engine_lift(struct translator *t, const struct arm_cpu *cpu, uint32_t key,
                 const struct ir_recipe *inherited, unsigned limit, struct ir_block *ir,
                 enum engine_purpose purpose, struct arm_stop *stop);

/* liveness.c: the flags that the code at key may read before it sets them, as far as can
 * be seen from this page of the guest (a page number). */
struct ir_live engine_live_flags(const struct translator *t, uint32_t page, uint32_t key);

/* The flags that the instruction at cpu->r[15] is going to set. */
unsigned engine_flags_set(const struct arm_cpu *cpu);

/*
 * interpreting.c: what is left to the interpreter. The lock is not held. False: *stop
 * says why the guest does not go on.
 */
bool engine_interpret_one(struct translator *t, struct arm_cpu *cpu, struct arm_stop *stop);
bool engine_interpret_cold(struct translator *t, struct arm_cpu *cpu, struct arm_stop *stop);
void engine_make_exact(struct translator *t, struct arm_cpu *cpu, struct arm_stop *stop);

/* invalidate.c; the lock is held. */
void engine_chain(struct translator *t, uint32_t exit, struct block *to);
void engine_cut(struct translator *t, const struct block *block);
void engine_forget_page(struct translator *t, uint32_t page);
void engine_flush(struct translator *t);

/* dump.c: prints what options.dump asks for, of the block just translated. */
void engine_dump_stage(struct translator *t, const struct ir_block *ir, unsigned stage);
void engine_dump_x86(struct translator *t, const struct block *block, struct ir_block *ir);
void engine_perf_map(struct translator *t, const struct block *block);

#endif
