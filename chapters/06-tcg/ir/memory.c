/*
 * memory.c: which accesses are to the same place, and which may overlap.
 *
 * Places are compared by how their addresses are computed. With equal base and index, the
 * constants decide. If those differ, nothing is known: two registers may hold the same.
 */
#include "06-tcg/ir/memory.h"

#include <string.h>

#define IN_PAGE 0xfffu

struct place {
    ir_value base, index; /* base is IR_NONE: disp alone */
    unsigned scale;
    uint32_t disp;
};

/* The base without the constants that have been added to it. */
static struct place place_of(const struct ir_block *block, const struct ir_insn *insn)
{
    struct place p = {insn->a, insn->b, insn->scale, insn->imm};

    for (;;) {
        const struct ir_insn *base = &block->insns[p.base];

        if (base->op == IR_CONST) {
            p.disp += base->imm;
            p.base = IR_NONE;
            return p;
        }
        if ((base->op != IR_ADD && base->op != IR_SUB) || block->insns[base->b].op != IR_CONST)
            return p;
        p.disp += base->op == IR_ADD ? block->insns[base->b].imm << base->scale
                                     : -block->insns[base->b].imm;
        p.base = base->a;
    }
}

static bool comparable(const struct place *a, const struct place *b)
{
    return a->base == b->base && a->index == b->index && a->scale == b->scale;
}

ir_value ir_known_access(const struct ir_memory *m, const struct ir_block *block, unsigned i)
{
    const struct ir_insn *load = &block->insns[i];
    struct place p = place_of(block, load);

    for (unsigned n = m->count; n-- > 0;) {
        const struct ir_insn *access = &block->insns[m->access[n]];
        struct place q = place_of(block, access);

        if (comparable(&p, &q) && p.disp == q.disp && load->size == access->size &&
            (access->op == IR_STORE || access->sign == load->sign))
            return m->access[n];
    }
    return IR_NONE;
}

/*
 * Forgets what a STORE may overwrite. Only places within a page are compared: a page may be
 * mapped twice, and a ring buffer's is, one beside the other.
 */
static void forget_overwritten(struct ir_memory *m, const struct ir_block *block, unsigned i)
{
    const struct ir_insn *store = &block->insns[i];
    struct place p = place_of(block, store);
    unsigned kept = 0;

    for (unsigned n = 0; n < m->count; n++) {
        const struct ir_insn *access = &block->insns[m->access[n]];
        struct place q = place_of(block, access);

        if (comparable(&p, &q) && ((q.disp - p.disp) & IN_PAGE) >= store->size &&
            ((p.disp - q.disp) & IN_PAGE) >= access->size)
            m->access[kept++] = m->access[n];
    }
    m->count = kept;
}

void ir_remember_access(struct ir_memory *m, const struct ir_block *block, unsigned i)
{
    if (block->insns[i].op == IR_STORE)
        forget_overwritten(m, block, i);
    if (m->count == IR_KNOWN)
        memmove(m->access, m->access + 1, --m->count * sizeof m->access[0]);
    m->access[m->count++] = (ir_value)i;
}
