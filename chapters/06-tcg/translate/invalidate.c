/*
 * invalidate.c: chaining blocks, and forgetting them.
 *
 * A chained exit jumps straight to its target, past its entry's look at the key. So does an
 * inline cache, which is an exit that finds its key when it is taken first. Each block keeps a
 * list of the exits chained to it; to forget a block is to give all of them back their stubs.
 *
 * All functions run under the translator's lock (engine.h).
 */
#include "06-tcg/translate/engine.h"

/* [remember] */
/*
 * An inline cache gets its key, for good. Its JE leads to the block already: whoever compares
 * with the key jumps there, and a thread that has not seen the change jumps to the stub.
 */
static void remember(struct translator *t, struct block_exit *exit, uint32_t key)
{
    code_cache_compare(&t->cache, exit->compare, key);
    exit->key = key;
    exit->compare = 0;
}
/* [/remember] */

/* [chain] */
void engine_chain(struct translator *t, uint32_t number, struct block *to)
{
    if (to->inherited.lazy)
        number++; /* the straight way, past the detour */

    struct block_exit *exit = &t->blocks.exits[number];

    if (exit->chained || (exit->key != to->key && !exit->compare) || t->flushing || t->cut ||
        to->unlinked || t->options.without & TRANSLATOR_NO_CHAINING)
        return;

    code_cache_patch(&t->cache, exit->jump, to->body);
    if (exit->compare)
        remember(t, exit, to->key);
    exit->chained = true;
    exit->to = (uint32_t)(to - t->blocks.blocks);
    exit->next = to->callers;
    to->callers = number;
    t->stats.chained++;
}
/* [/chain] */

static void unchain(struct translator *t, struct block_exit *exit)
{
    code_cache_patch(&t->cache, exit->jump, exit->stub);
    exit->chained = false;
}

void engine_cut(struct translator *t, const struct block *block)
{
    for (uint32_t n = block->first_exit; n < block->first_exit + block->exits; n++) {
        struct block_exit *exit = &t->blocks.exits[n];
        uint32_t *link;

        if (!exit->chained)
            continue;
        link = &t->blocks.blocks[exit->to].callers;
        while (*link != n)
            link = &t->blocks.exits[*link].next;
        *link = exit->next;
        unchain(t, exit);
    }
}

static uintptr_t miss(const struct translator *t)
{
    return (uintptr_t)engine_code(t, t->trampolines.miss);
}

static void forget(struct translator *t, struct block *block)
{
    _Atomic uintptr_t *jump = &t->jumps[jump_table_index(block->key)];

    while (block->callers != BLOCK_NONE) {
        struct block_exit *exit = &t->blocks.exits[block->callers];

        block->callers = exit->next;
        unchain(t, exit);
    }
    if (*jump == (uintptr_t)engine_code(t, block->entry))
        *jump = miss(t);
    block_table_unlink(&t->blocks, block);
    t->stats.invalidated++;
}

/* What comes in its place may never run twice. */
static void is_cold_again(struct translator *t, uint32_t page)
{
    for (uint32_t place = 0; place < SPACE_PAGE_SIZE; place += 2)
        atomic_store_explicit(engine_runs(t, page << SPACE_PAGE_SHIFT | place), 0,
                              memory_order_relaxed);
}

void engine_forget_page(struct translator *t, uint32_t page)
{
    struct block *block;

    if (t->options.cold_runs && block_table_on_page(&t->blocks, page))
        is_cold_again(t, page);
    while ((block = block_table_on_page(&t->blocks, page)))
        forget(t, block);
}

/* [flush] */
void engine_flush(struct translator *t)
{
    if (t->flushing) {
        while (t->flushing)
            pthread_cond_wait(&t->changed, &t->lock);
        return;
    }
    t->flushing = true;
    for (uint32_t n = 0; n < t->blocks.exit_count; n++)
        if (t->blocks.exits[n].chained)
            unchain(t, &t->blocks.exits[n]);
    for (unsigned n = 0; n < JUMP_TABLE_SIZE; n++)
        t->jumps[n] = miss(t);
    while (t->running)
        pthread_cond_wait(&t->changed, &t->lock);
    block_table_reset(&t->blocks);
    code_cache_reset(&t->cache);
    t->stats.flushes++;
    t->flushing = false;
    pthread_cond_broadcast(&t->changed);
}
/* [/flush] */
