/*
 * fuse.c: lets the host's flags answer for the guest's.
 *
 * x86's CMP leaves in EFLAGS just what the branch after it wants to know. As long as
 * nothing between the two changes EFLAGS, the condition need not go through memory, and
 * often the flags need not be kept there at all.
 *
 *     sub   v1, v2  !nzcv  (host flags)          cmp  ebx, r8d
 *     exit_if  lt, 0x8000  (host flags)          jl   ...
 *
 * This pass marks both. It counts on the code generator: operations that
 * ir_keeps_host_flags() names compile to instructions that leave EFLAGS alone, sums to LEA
 * instead of ADD if they are told to be quiet. What would change EFLAGS in between is computed
 * before the setter, if it depends on nothing since. Left out: moving loads and stores, whose
 * order another thread may see.
 */
#include <string.h>

#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/optimize.h"

struct fusing {
    struct ir_block *block;
    struct ir_insn *setter; /* of the host's flags as they are */
    unsigned known;         /* flags of the guest that EFLAGS hold */
    unsigned loud;          /* what comes behind the setter, from here on, is not quiet yet */
    ir_value compared;      /* who set the guest's flags last, IR_NONE: not known here */
    unsigned chain;         /* the same, or the first of those whose carries led to it */
    unsigned skipped;       /* flags that EFLAGS hold at the open SKIPs */
    enum ir_op skipped_by;  /* who has set them; IR_NOP: no SKIP is open */
    bool repeat;            /* conditions may compare again */
    uint16_t uses[IR_MAX + 1];
};

bool ir_can_be_quiet(const struct ir_block *block, const struct ir_insn *insn)
{
    bool constant = insn->b != IR_NONE && block->insns[insn->b].op == IR_CONST;

    if (insn->flags)
        return false;
    switch (insn->op) {
    case IR_NOT:
    case IR_LOW:
    case IR_SEXT8:
    case IR_SEXT16:
    case IR_ZEXT8:
    case IR_ZEXT16:
    case IR_BSWAP:
    case IR_THREAD:
    case IR_ADD: return true;
    case IR_SUB: return constant || block->insns[insn->a].op == IR_CONST;
    case IR_LSL: return constant && block->insns[insn->b].imm - 1 < 3;
    default: return false;
    }
}

/* Moves and accesses, and what can be quiet. A condition does too if it is fused itself. */
bool ir_keeps_host_flags(const struct ir_block *block, const struct ir_insn *insn, unsigned known)
{
    switch (insn->op) {
    case IR_NOP:
    case IR_INSN:
    case IR_CONST:
    case IR_LOAD:
    case IR_STORE: return true;
    case IR_GET:
        return insn->global < IR_N || (insn->global >= IR_C && known & IR_FLAG_OF(insn->global));
    case IR_SET: return insn->global != IR_N && insn->global != IR_Z; /* bits of a word */
    default:
        return (ir_ops[insn->op].traits & IR_OP_COND && insn->fused) ||
               ir_can_be_quiet(block, insn);
    }
}

/* EFLAGS are wanted at instruction i. */
static void be_quiet(struct fusing *f, unsigned i)
{
    for (; f->loud < i; f->loud++)
        f->block->insns[f->loud].quiet = true;
}

/* [answers] */
/* Can EFLAGS after this operation decide the condition? On C and Z together SUB's can. */
static bool answers(const struct ir_insn *setter, unsigned known, unsigned cond)
{
    unsigned wants = ir_cond_flags(cond);
    bool sub = setter->op == IR_SUB || setter->op == IR_SBC;

    if ((wants & known) != wants)
        return false;
    return sub || wants != (IR_FLAG_C | IR_FLAG_Z);
}
/* [/answers] */

/* [again] */
/*
 * EFLAGS are lost, but the operands are not: the condition compares once more. That
 * costs one instruction, as much as a look at flags in memory, and nobody has to write
 * them there. N and Z alone are those of the result.
 */
static bool compare_again(struct fusing *f, struct ir_insn *insn)
{
    const struct ir_insn *setter = &f->block->insns[f->compared];
    unsigned wants = ir_cond_flags(insn->cond);
    bool by_result = !(wants & ~IR_FLAGS_NZ);

    if (wants & ~setter->flags)
        return false;
    if (by_result && (f->uses[f->compared] || (setter->op != IR_SUB && setter->op != IR_AND))) {
        insn->compare = IR_AND;
        insn->left = insn->right = f->compared;
        return true;
    }
    if (setter->op != IR_SUB && (setter->op != IR_AND || !by_result))
        return false;
    insn->compare = setter->op;
    insn->left = setter->a;
    insn->right = setter->b;
    return true;
}
/* [/again] */

static void count_uses(struct fusing *f)
{
    memset(f->uses, 0, f->block->count * sizeof f->uses[0]);
    for (unsigned i = 0; i < f->block->count; i++) {
        const struct ir_insn *insn = &f->block->insns[i];

        if (insn->op <= IR_GET)
            continue;
        f->uses[insn->a]++;
        f->uses[insn->b]++;
        f->uses[insn->c]++;
    }
}

/* Sets flags by a carry that is in EFLAGS: ADC, SBC. */
static bool hands_on(const struct ir_insn *insn)
{
    return (insn->op == IR_ADC || insn->op == IR_SBC) && insn->c == IR_NONE && insn->flags;
}

/* [together] */
/*
 * Something between the setter and instruction i has changed EFLAGS. If it is computed from
 * what was known before the setter, it can as well be computed there. True: now EFLAGS last.
 */
static bool draw_together(struct fusing *f, unsigned i)
{
    unsigned from = f->chain, before = 0, behind = 0;
    bool first[IR_REORDER] = {false};
    uint32_t got = 0; /* globals that are read earlier than they were */

    if (f->compared == IR_NONE || i - from > IR_REORDER)
        return false;
    for (unsigned k = i; --k > from;) {
        const struct ir_insn *insn = &f->block->insns[k];
        const ir_value operands[] = {insn->a, insn->b, insn->c};

        if (insn->op == IR_SET && got >> insn->global & 1)
            return false;
        if (!first[k - from] && (hands_on(insn) || ir_keeps_host_flags(f->block, insn, f->known)))
            continue;
        if (!ir_is_pure(insn->op) || insn->flags || ir_ops[insn->op].traits & IR_OP_COND ||
            (insn->op == IR_GET && insn->global >= IR_N))
            return false;
        first[k - from] = true;
        got |= insn->op == IR_GET ? 1u << insn->global : 0;
        before += k < f->compared;
        behind += k > f->compared;
        for (unsigned n = 0; n < ir_ops[insn->op].operands; n++) {
            if (operands[n] == from || operands[n] == IR_NONE) /* none: a carry from EFLAGS */
                return false;
            if (operands[n] > from)
                first[operands[n] - from] = true;
        }
    }
    ir_reorder(f->block, from, i - from, first);
    f->chain += before + behind;
    f->compared = (ir_value)(f->compared + behind);
    f->setter = &f->block->insns[f->compared];
    f->loud = f->compared + 1u;
    count_uses(f);
    return true;
}
/* [/together] */

static void visit_condition(struct fusing *f, unsigned i)
{
    struct ir_insn *insn = &f->block->insns[i];
    const struct ir_insn *setter = f->setter ? f->setter : &f->block->insns[f->compared];
    bool answered = (f->setter || f->compared != IR_NONE) && answers(setter, f->known, insn->cond);

    if (!(f->setter && answered) && f->repeat && f->compared != IR_NONE && compare_again(f, insn)) {
        f->setter = NULL;
    } else if (answered && (f->setter || draw_together(f, i))) {
        insn->fused = true;
        f->setter->fused = true;
        be_quiet(f, i);
    }
}

/* ADDS, ADC or LSRS, RRX: the carry is still in CF, and GET need not look for it in memory. */
static void visit_carry(struct fusing *f, unsigned i)
{
    struct ir_insn *insn = &f->block->insns[i];
    ir_value *carry = insn->op == IR_RRX ? &insn->b : &insn->c;
    const struct ir_insn *get = &f->block->insns[*carry];
    bool old = f->setter ? get < f->setter : *carry < f->compared;

    if (!(f->known & IR_FLAG_C) || get->op != IR_GET || get->global != IR_C || old ||
        (!f->setter && !draw_together(f, i)))
        return;
    f->setter->fused = true;
    be_quiet(f, i);
    if (--f->uses[*carry] == 0)
        f->block->insns[*carry].op = IR_NOP;
    *carry = IR_NONE;
}

/* What C means in CF depends on who set it. (Logic has no C; it is not known there.) */
static bool same_carry(enum ir_op a, enum ir_op b)
{
    return (a == IR_SUB || a == IR_SBC) == (b == IR_SUB || b == IR_SBC);
}

/* Another way to the next LABEL, with EFLAGS as they are here. */
static void visit_skip(struct fusing *f)
{
    enum ir_op op = f->setter ? f->setter->op : IR_NOP;
    unsigned known = f->setter ? f->known : 0;

    if (f->skipped_by != IR_NOP && f->setter)
        known &= same_carry(op, f->skipped_by) ? f->skipped : f->skipped & IR_FLAGS_NZ;
    f->skipped = f->skipped_by == IR_NOP || f->skipped ? known : 0;
    f->skipped_by = f->setter ? op : IR_AND;
}

/* [join] */
/*
 * The ways of a region meet, values end. If EFLAGS hold the guest's flags on all of them,
 * they do so behind the LABEL, whoever has set them.
 */
static void visit_label(struct fusing *f, unsigned i)
{
    struct ir_insn *label = &f->block->insns[i];

    visit_skip(f);
    f->known = f->skipped;
    f->compared = IR_NONE;
    f->skipped_by = IR_NOP;
    label->fused = f->setter && f->known;
    if (label->fused)
        be_quiet(f, i);
    else
        f->setter = NULL;
}
/* [/join] */

static void visit(struct fusing *f, unsigned i)
{
    struct ir_insn *insn = &f->block->insns[i];

    if (insn->op == IR_ADC || insn->op == IR_SBC || insn->op == IR_RRX)
        visit_carry(f, i);
    if (ir_ops[insn->op].traits & IR_OP_COND)
        visit_condition(f, i);
    if (insn->op == IR_LABEL) {
        visit_label(f, i);
    } else if (insn->flags & IR_FLAGS_ALL) {
        f->setter = insn;
        f->known = insn->flags & IR_FLAGS_ALL;
        f->compared = (ir_value)i;
        f->chain = hands_on(insn) ? f->chain : i;
        f->loud = i + 1;
    } else if (f->setter && !ir_keeps_host_flags(f->block, insn, f->known)) {
        f->setter = NULL;
    }
    if (insn->op == IR_SET && insn->global >= IR_N) {
        f->known &= ~IR_FLAG_OF(insn->global);
        f->compared = IR_NONE;
    }
    if (insn->op == IR_SKIP)
        visit_skip(f);
}

void ir_fuse(struct ir_block *block, bool repeat)
{
    struct fusing f;

    f.block = block;
    f.setter = NULL;
    f.known = f.loud = 0;
    f.skipped_by = IR_NOP;
    f.compared = IR_NONE;
    f.repeat = repeat;

    count_uses(&f);
    for (unsigned i = 0; i < block->count; i++)
        if (block->insns[i].op > IR_CONST)
            visit(&f, i);
}
