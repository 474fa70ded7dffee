/*
 * interrupt.c: how a signal gets a thread out of emitted code that looks at nothing.
 *
 * A loop whose blocks are chained would never see cpu->interrupt. To look once a turn
 * costs two instructions, a tenth of a short loop's time, for something that hardly ever
 * happens. So nobody looks; instead the signal's handler, which runs in the very thread
 * and knows where it was, cuts the chains of the block it was in. At the block's end the
 * thread falls out of emitted code, with the guest's state complete.
 *
 * Who comes through the jump table or enter() lands on a block's entry, which does look:
 * so an indirect jump that was about to be taken when the signal came leads out, too.
 *
 * The handler takes the translator's lock. It may: a thread in emitted code holds none,
 * and another one that does is not waiting for this one.
 */
#include <ucontext.h>

#include "06-tcg/translate/engine.h"

/* The offset of the block's code that is being executed, or that has called settle. */
static size_t place_in_block(const struct translator *t, const greg_t *regs)
{
    size_t offset;

    if (!code_cache_holds(&t->cache, (uint64_t)regs[REG_RIP], &offset))
        return 0;
    if (offset >= t->trampolines.settle && offset < t->trampolines.enter)
        offset = *(uintptr_t *)(uintptr_t)regs[REG_RSP] - (uintptr_t)t->cache.run;
    return offset < t->cache.kept ? 0 : offset;
}

/* [cut] */
/* Called by the handler of a signal, after cpu->interrupt has been set. */
void translator_interrupt(struct translator *t, const void *context)
{
    const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;
    size_t offset = place_in_block(t, regs);
    struct arm_cpu *cpu;

    if (!offset)
        return; /* who runs this code will look at cpu->interrupt before the next block */
    cpu = (struct arm_cpu *)(uintptr_t)regs[REG_RBP];
    pthread_mutex_lock(&t->lock);
    engine_cut(t, block_table_at(&t->blocks, (uint32_t)offset));
    if (!cpu->cut)
        t->cut++; /* until it has left, nobody chains */
    cpu->cut = true;
    pthread_mutex_unlock(&t->lock);
}
/* [/cut] */
