/*
 * interrupt.c: how a signal gets a thread out of emitted code that looks at nothing.
 *
 * A loop whose blocks are chained would never see cpu->interrupt. To look once a turn
 * costs two instructions, a tenth of a short loop's time, for something that hardly ever
 * happens. So nobody looks; instead the signal's handler, which runs in the very thread
 * and knows where it was, cuts the chains of the block it was in. At the block's end the
 * thread falls out of emitted code, with the guest's state complete.
 *
 * An indirect jump is cut in the same way: the thread is given another jump table, one that
 * no jump can be read from. Only who is about to enter a block from C looks, as its last
 * step; if the signal comes between the look and the block, it looks again.
 *
 * The handler takes the translator's lock. It may: a thread in emitted code holds none,
 * and another one that does is not waiting for this one.
 */
#include <ucontext.h>

#include "06-tcg/translate/engine.h"

/* The offset of the block's code that is being executed, or that has called settle; and the
 * frame. 0: no block's. */
static size_t place_in_block(const struct translator *t, greg_t *regs, uint8_t **frame)
{
    const struct trampolines *code = &t->trampolines;
    size_t offset;

    *frame = (uint8_t *)(uintptr_t)regs[REG_RSP];
    if (!code_cache_holds(&t->cache, (uint64_t)regs[REG_RIP], &offset))
        return 0;
    if (offset >= code->settle && offset < code->enter) {
        offset = *(uintptr_t *)(void *)*frame - (uintptr_t)t->cache.run;
        *frame += sizeof(uintptr_t);
    }
    if (offset >= code->look && offset < code->fault_leave)
        regs[REG_RIP] = (greg_t)(uintptr_t)engine_code(t, code->look);
    return offset < t->cache.kept ? 0 : offset;
}

/* [cut] */
/* Called by the handler of a signal, after cpu->interrupt has been set. */
void translator_interrupt(struct translator *t, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint8_t *frame;
    size_t offset = place_in_block(t, regs, &frame);
    struct arm_cpu *cpu;

    if (!offset)
        return; /* who runs this code will look at cpu->interrupt before the next block */
    cpu = (struct arm_cpu *)(uintptr_t)regs[REG_RBP];
    *(uintptr_t *)(void *)(frame + FRAME_TABLE) = (uintptr_t)(t->jumps + JUMP_TABLE_SIZE);
    pthread_mutex_lock(&t->lock);
    engine_cut(t, block_table_at(&t->blocks, (uint32_t)offset));
    if (!cpu->cut)
        t->cut++; /* until it has left, nobody chains */
    cpu->cut = true;
    pthread_mutex_unlock(&t->lock);
}
/* [/cut] */
