/*
 * translator.c: the loop around emitted code.
 *
 *      +--> cold: interpret to the next jump that leads to hot code
 *      +--> block for the key, translated if new --> enter() ---+
 *      |                                               |        |
 *      |      chain the exit it came through           v        |
 *      +---- <-- LOOKUP, EXIT n -----------------  status       |
 *      +---- <-- INTERPRET: one instruction  ----      |        |
 *      +---- <-- FAULT on a page of code  -------      |        |
 *                                                      v
 *                       FAULT, INTERRUPTED, a system call: back to the caller
 *
 * As more and more exits are chained, emitted code comes back here less and less.
 */
#include "06-tcg/translate/translator.h"

#include <assert.h>
#include <asm/prctl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "06-tcg/translate/engine.h"
#include "common/bits.h"
#include "common/die.h"

#define CACHE_DEFAULT (32 * MIB)
#define CACHE_LEAST   (128 * KIB) /* more than the longest block's code */
#define TABLE         (JUMP_TABLE_SIZE * sizeof(uintptr_t))

/* [fault] */
/*
 * A host fault at an address of ours: notes what happened and makes the thread leave
 * emitted code by itself, which stores the pins. The rest is translator_run()'s.
 * [SDM3, 4.7 "Page-Fault Exceptions"]
 */
static bool claim_fault(void *self, const siginfo_t *info, void *context)
{
    struct translator *t = self;
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)regs[REG_RIP];
    uintptr_t address = (uintptr_t)info->si_addr;
    struct frame_fault *fault;
    size_t offset;

    if (!code_cache_holds(&t->cache, rip, &offset) || offset < t->cache.kept)
        return false;
    if (address - (uintptr_t)t->jumps - TABLE < TABLE) { /* interrupted: translator_interrupt() */
        regs[REG_RDX] = FRAME_INTERRUPTED;
        regs[REG_RIP] = (greg_t)(uintptr_t)engine_code(t, t->trampolines.leave);
        return true;
    }
    fault = *(struct frame_fault **)(uintptr_t)(regs[REG_RSP] + FRAME_FAULT);
    *fault = (struct frame_fault){.offset = offset,
                                  .address = address,
                                  .write = regs[REG_ERR] & 2, /* W/R */
                                  .vanished = info->si_signo == SIGBUS};
    regs[REG_RIP] = (greg_t)(uintptr_t)engine_code(t, t->trampolines.fault_leave);
    return true;
}
/* [/fault] */

/*
 * The space tells, under its lock, that these pages change. Their flag goes while ours
 * is held too: who translates meanwhile sees that they are not watched any more.
 */
static void code_changes(void *self, uint32_t first, uint32_t last)
{
    struct translator *t = self;

    pthread_mutex_lock(&t->lock);
    for (uint32_t page = first >> SPACE_PAGE_SHIFT; page <= last >> SPACE_PAGE_SHIFT; page++) {
        t->space->flags[page] &= (uint8_t)~SPACE_CODE;
        engine_forget_page(t, page);
    }
    pthread_mutex_unlock(&t->lock);
}

static int init(struct translator *t)
{
    size_t wanted = t->options.cache_size ? t->options.cache_size : CACHE_DEFAULT;
    size_t size = align_up(wanted < CACHE_LEAST ? CACHE_LEAST : wanted, SPACE_PAGE_SIZE);
    int error = code_cache_init(&t->cache, size);

    if (error)
        return error;
    error = block_table_init(&t->blocks, size);
    if (error) {
        code_cache_free(&t->cache);
        return error;
    }
    t->jumps = mmap(NULL, 2 * TABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t->jumps == MAP_FAILED || mprotect((void *)t->jumps, TABLE, PROT_READ | PROT_WRITE) < 0) {
        code_cache_free(&t->cache);
        block_table_free(&t->blocks);
        return -ENOMEM;
    }
    return 0;
}

/* An empty cache with its trampolines, and nobody running. */
static void prepare(struct translator *t)
{
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
    t->running = t->cut = 0;
    t->flushing = false;
    t->cache.code.segment = t->space->base != 0;
    generate_trampolines(&t->cache.code, t->pins, &t->trampolines);
    t->cache.kept = t->cache.code.size;
    engine_flush(t);
    t->stats = (struct translator_stats){0};
}

int translator_new(struct translator **out, struct space *space,
                   const struct translator_options *options)
{
    struct translator *t = calloc(1, sizeof *t);
    int error;

    if (!t)
        return -ENOMEM;
    if (options)
        t->options = *options;
    if (!t->options.block_limit || t->options.block_limit > IR_GUEST)
        t->options.block_limit = IR_GUEST;
    if (t->options.without & TRANSLATOR_NO_TIERING)
        t->options.cold_runs = 0;
    t->space = space;
    t->bmi = __builtin_cpu_supports("bmi2") && !(t->options.without & TRANSLATOR_NO_BMI);
    t->pins = t->options.without & TRANSLATOR_NO_PINS ? &x86_pins_none : &x86_pins_usual;
    error = init(t);
    if (error) {
        free(t);
        return error;
    }
    prepare(t);
    space->code_changes = code_changes;
    space->watcher = t;
    fault_add(claim_fault, t);
    *out = t;
    return 0;
}

void translator_free(struct translator *t)
{
    fault_remove(claim_fault, t);
    t->space->code_changes = NULL;
    t->space->watcher = NULL;
    munmap((void *)t->jumps, 2 * TABLE);
    block_table_free(&t->blocks);
    code_cache_free(&t->cache);
    pthread_mutex_destroy(&t->lock);
    pthread_cond_destroy(&t->changed);
    if (t->perf_map)
        fclose(t->perf_map);
    free(t);
}

/*
 * Makes GS reach the guest's window, where emitted code uses it. The kernel keeps the
 * base per thread, so each thread remembers what it has set last.
 */
static void set_segment(const struct translator *t)
{
    static _Thread_local uintptr_t current;

    if (t->cache.code.segment && current != t->space->base) {
        syscall(SYS_arch_prctl, ARCH_SET_GS, t->space->base);
        current = t->space->base;
    }
}

static uint32_t key_of(const struct arm_cpu *cpu)
{
    return cpu->r[ARM_PC] | cpu->thumb;
}

/* [writes] */
/*
 * A fault in emitted code, with the processor's state complete. True: the guest can
 * go on. A store to a page with translated code is the interpreter's: it has the page's
 * blocks forgotten and stores. (To forget and try again would not do. The store may
 * be on the same page, and be translated, and write-protected, again.)
 */
static bool settle_fault(struct translator *t, struct arm_cpu *cpu, const struct frame_fault *fault,
                         struct arm_stop *stop)
{
    uint32_t address = (uint32_t)(fault->address - t->space->base);
    unsigned flags = space_flags(t->space, address);

    if (!fault->vanished && (fault->write ? flags & SPACE_WRITE : flags & SPACE_PROT))
        return flags & SPACE_CODE ? engine_interpret_one(t, cpu, stop)
                                  : true; /* another thread has settled it meanwhile */
    *stop = (struct arm_stop){.reason = ARM_FAULT,
                              .address = address,
                              .access = fault->write ? ARM_WRITE : ARM_READ,
                              .vanished = fault->vanished};
    return false;
}
/* [/writes] */

/* Finds out which guest instruction faulted. The lock is held. */
static void locate_fault(struct translator *t, struct arm_cpu *cpu, const struct frame_fault *fault)
{
    struct block *block = block_table_at(&t->blocks, (uint32_t)fault->offset);

    assert(block); /* only blocks touch the guest's memory */

    const struct code_map *map = block_map_at(&t->blocks, block, (uint32_t)fault->offset);

    if (map->recipe.lazy)
        generate_flags(cpu, &map->recipe);
    cpu->r[ARM_PC] = map->guest & ~1u;
    cpu->thumb = map->guest & 1;
}

/* Runs emitted code from block on. The lock is held before and after, not within. */
static uint32_t enter(struct translator *t, struct arm_cpu *cpu, const struct block *block,
                      struct frame_fault *fault)
{
    frame_enter *run = (frame_enter *)(uintptr_t)engine_code(t, t->trampolines.enter);
    const void *code = engine_code(t, block->body);
    uint32_t status;

    t->running++;
    pthread_mutex_unlock(&t->lock);
    status = run(cpu, code, (void *)t->jumps, fault);
    pthread_mutex_lock(&t->lock);
    t->cut -= cpu->cut;
    cpu->cut = false;
    if (status == FRAME_FAULT_TAKEN)
        locate_fault(t, cpu, fault);
    t->running--;
    if (t->flushing && t->running == 0)
        pthread_cond_broadcast(&t->changed);
    return status;
}

/* What is left to do outside of the lock. True: go on running. */
static bool after(struct translator *t, struct arm_cpu *cpu, uint32_t status,
                  const struct frame_fault *fault, struct arm_stop *stop)
{
    switch (status) {
    case FRAME_INTERPRET: return engine_interpret_one(t, cpu, stop);
    case FRAME_FAULT_TAKEN: return settle_fault(t, cpu, fault, stop);
    case FRAME_INTERRUPTED: engine_make_exact(t, cpu, stop); return false;
    default: return true;
    }
}

/* The flags on the way through this exit, if a recipe tells them. */
static bool find_recipe(const struct translator *t, uint32_t exit, struct ir_recipe *recipe)
{
    const struct ir_recipe *found = block_table_recipe(&t->blocks, exit);

    if (found)
        *recipe = *found; /* the table may be emptied soon */
    return found;
}

/* [run] */
struct arm_stop translator_run(struct translator *t, struct arm_cpu *cpu)
{
    struct frame_fault fault = {0};
    struct arm_stop stop = {0};
    struct ir_recipe recipe;
    uint32_t status = FRAME_LOOKUP;
    uint64_t flushes = 0;

    set_segment(t);
    pthread_mutex_lock(&t->lock);
    for (;;) {
        if (!engine_is_hot(t, key_of(cpu))) {
            pthread_mutex_unlock(&t->lock);
            if (!engine_interpret_cold(t, cpu, &stop))
                return stop;
            pthread_mutex_lock(&t->lock);
            status = FRAME_LOOKUP;
            continue;
        }

        bool inherits = status >= FRAME_EXIT && find_recipe(t, status - FRAME_EXIT, &recipe);
        struct block *block = engine_block(t, cpu, key_of(cpu), inherits ? &recipe : NULL, &stop);

        if (!block)
            break;
        if (status >= FRAME_EXIT && flushes == t->stats.flushes)
            engine_chain(t, status - FRAME_EXIT, block);
        flushes = t->stats.flushes;
        status = enter(t, cpu, block, &fault);
        if (status == FRAME_LOOKUP || status >= FRAME_EXIT)
            continue;
        pthread_mutex_unlock(&t->lock);
        if (!after(t, cpu, status, &fault, &stop))
            return stop;
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return stop;
}
/* [/run] */

void translator_forked(struct translator *t)
{
    size_t size = t->cache.code.limit;
    int error = code_cache_renew(&t->cache);

    block_table_free(&t->blocks);
    if (!error)
        error = block_table_init(&t->blocks, size);
    if (error)
        die("no memory for translated code after fork(): %s", strerror(-error));
    prepare(t);
}

void translator_flush(struct translator *t)
{
    pthread_mutex_lock(&t->lock);
    engine_flush(t);
    pthread_mutex_unlock(&t->lock);
}

void translator_invalidate(struct translator *t, uint32_t address, uint64_t size)
{
    uint64_t first = address >> SPACE_PAGE_SHIFT;
    uint64_t end = ((uint64_t)address + size + SPACE_PAGE_SIZE - 1) >> SPACE_PAGE_SHIFT;

    pthread_mutex_lock(&t->lock);
    for (uint64_t page = first; page < end && page < SPACE_PAGES; page++)
        engine_forget_page(t, (uint32_t)page);
    pthread_mutex_unlock(&t->lock);
}

struct translator_stats translator_stats(struct translator *t)
{
    struct translator_stats stats;

    pthread_mutex_lock(&t->lock);
    stats = t->stats;
    stats.code_bytes = t->cache.code.size;
    pthread_mutex_unlock(&t->lock);
    return stats;
}
