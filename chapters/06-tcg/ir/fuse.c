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
 * keeps_host_flags() names compile to instructions that leave EFLAGS alone.
 */
#include <string.h>

#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/optimize.h"

struct fusing {
    struct ir_block *block;
    struct ir_insn *setter; /* of the host's flags as they are */
    unsigned known;         /* flags of the guest that EFLAGS hold */
    ir_value compared;      /* who set the guest's flags last, IR_NONE: not known here */
    unsigned skipped;       /* flags that EFLAGS hold at the open SKIPs */
    enum ir_op skipped_by;  /* who has set them; IR_NOP: no SKIP is open */
    bool repeat;            /* conditions may compare again */
    uint16_t uses[IR_MAX + 1];
};

/* Moves and accesses. A condition does too if it is fused itself. */
static bool keeps_host_flags(const struct fusing *f, const struct ir_insn *insn)
{
    switch (insn->op) {
    case IR_NOP:
    case IR_INSN:
    case IR_CONST:
    case IR_LOAD:
    case IR_STORE: return true;
    case IR_GET:
        return insn->global < IR_N || (insn->global >= IR_C && f->known & IR_FLAG_OF(insn->global));
    case IR_SET: return insn->global != IR_N && insn->global != IR_Z; /* bits of a word */
    default: return ir_ops[insn->op].traits & IR_OP_COND && insn->fused;
    }
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

static void visit_condition(struct fusing *f, struct ir_insn *insn)
{
    if (f->setter && answers(f->setter, f->known, insn->cond)) {
        insn->fused = true;
        f->setter->fused = true;
    } else if (f->repeat && f->compared != IR_NONE && compare_again(f, insn)) {
        f->setter = NULL;
    }
}

/* ADDS, ADC or LSRS, RRX: the carry is still in CF, and GET need not look for it in memory. */
static void visit_carry(struct fusing *f, struct ir_insn *insn)
{
    ir_value *carry = insn->op == IR_RRX ? &insn->b : &insn->c;
    struct ir_insn *get = &f->block->insns[*carry];

    if (!f->setter || !(f->known & IR_FLAG_C) || get->op != IR_GET || get->global != IR_C ||
        get < f->setter)
        return;
    f->setter->fused = true;
    if (--f->uses[*carry] == 0)
        get->op = IR_NOP;
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
static void visit_label(struct fusing *f, struct ir_insn *label)
{
    visit_skip(f);
    f->known = f->skipped;
    f->compared = IR_NONE;
    f->skipped_by = IR_NOP;
    label->fused = f->setter && f->known;
    if (!label->fused)
        f->setter = NULL;
}
/* [/join] */

static void visit(struct fusing *f, unsigned i)
{
    struct ir_insn *insn = &f->block->insns[i];

    if (insn->op == IR_ADC || insn->op == IR_SBC || insn->op == IR_RRX)
        visit_carry(f, insn);
    if (ir_ops[insn->op].traits & IR_OP_COND)
        visit_condition(f, insn);
    if (insn->op == IR_LABEL) {
        visit_label(f, insn);
    } else if (insn->flags & IR_FLAGS_ALL) {
        f->setter = insn;
        f->known = insn->flags & IR_FLAGS_ALL;
        f->compared = (ir_value)i;
    } else if (!keeps_host_flags(f, insn)) {
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
    f.known = 0;
    f.skipped_by = IR_NOP;
    f.compared = IR_NONE;
    f.repeat = repeat;
    memset(f.uses, 0, block->count * sizeof f.uses[0]);

    for (unsigned i = 0; i < block->count; i++) {
        const struct ir_insn *insn = &block->insns[i];

        if (insn->op <= IR_GET)
            continue;
        f.uses[insn->a]++;
        f.uses[insn->b]++;
        f.uses[insn->c]++;
    }
    for (unsigned i = 0; i < block->count; i++)
        if (block->insns[i].op > IR_CONST)
            visit(&f, i);
}
