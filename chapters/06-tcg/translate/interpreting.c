/*
 * interpreting.c: what the translator leaves to the interpreter.
 *
 *   one instruction    that the lifter does not know, or a store to a page with
 *                      translated code
 *   a few              after an interruption, until the flags are right
 *   cold code          until it gets to a place where it has been often enough
 *
 * A host fault in any of them finds no register changed. If the page's flags allow the
 * access, another thread has changed the page between our look and the access, and the
 * instruction is tried again, which looks again.
 */
#include "06-tcg/arm/interpret.h"
#include "06-tcg/fault.h"
#include "06-tcg/translate/engine.h"

struct interpreting {
    struct translator *t;
    struct arm_cpu *cpu;
    struct arm_stop *stop;
    bool done;
};

/* Calls work; false: *stop says why the guest does not go on. */
static bool guarded(void (*work)(void *self), struct interpreting *self)
{
    siginfo_t info;

    if (fault_guard(work, self, &info))
        return self->done;

    uint32_t address = (uint32_t)((uintptr_t)info.si_addr - self->t->space->base);

    if (info.si_signo != SIGBUS && space_flags(self->t->space, address) & SPACE_PROT)
        return true;
    *self->stop = (struct arm_stop){.reason = ARM_FAULT,
                                    .address = address,
                                    .access = ARM_READ,
                                    .vanished = info.si_signo == SIGBUS};
    return false;
}

static void one(void *self)
{
    struct interpreting *i = self;

    i->done = arm_step(i->cpu, i->stop);
}

bool engine_interpret_one(struct translator *t, struct arm_cpu *cpu, struct arm_stop *stop)
{
    return guarded(one, &(struct interpreting){.t = t, .cpu = cpu, .stop = stop});
}

/*
 * Interrupted between two blocks, where flags that the next one sets anyway may be
 * stale. The interpreter goes on until none is: a few instructions, none of which can
 * fault, or liveness.c would have counted it as a reader. (The limit is for code that
 * another thread changes at this very moment.)
 */
static void make_exact(void *self)
{
    struct interpreting *i = self;
    struct arm_cpu *cpu = i->cpu;
    uint32_t page = cpu->r[ARM_PC] >> SPACE_PAGE_SHIFT;
    struct ir_live live = engine_live_flags(i->t, page, cpu->r[ARM_PC] | cpu->thumb);
    unsigned stale = IR_FLAGS_ALL & ~(live.read | live.shown);

    for (unsigned n = 0; stale && n < IR_GUEST; n++) {
        stale &= ~engine_flags_set(cpu);
        if (!arm_step(cpu, i->stop))
            break;
    }
}

void engine_make_exact(struct translator *t, struct arm_cpu *cpu, struct arm_stop *stop)
{
    struct interpreting i = {.t = t, .cpu = cpu, .stop = stop};

    if (!(t->options.without & (TRANSLATOR_NO_LIVENESS | TRANSLATOR_NO_OPTIMIZER)))
        guarded(make_exact, &i);
    *stop = (struct arm_stop){.reason = ARM_INTERRUPTED};
}

/* [cold] */
/* From jump to jump; a jump is what a block could begin with. */
static void cold(void *self)
{
    struct interpreting *i = self;
    struct arm_cpu *cpu = i->cpu;

    for (;;) {
        uint32_t before = cpu->r[ARM_PC];

        i->done = arm_step(cpu, i->stop);
        if (!i->done)
            return;
        if (cpu->r[ARM_PC] - before <= 4 && cpu->r[ARM_PC] != before)
            continue;
        if (engine_is_hot(i->t, cpu->r[ARM_PC] | cpu->thumb) ||
            atomic_load_explicit(&cpu->interrupt, memory_order_relaxed))
            return;
    }
}

bool engine_interpret_cold(struct translator *t, struct arm_cpu *cpu, struct arm_stop *stop)
{
    if (!atomic_load_explicit(&cpu->interrupt, memory_order_relaxed))
        return guarded(cold, &(struct interpreting){.t = t, .cpu = cpu, .stop = stop});
    engine_make_exact(t, cpu, stop);
    return false;
}
/* [/cold] */
