/*
 * defer.c: lazy flags that need not even be written down.
 *
 * The flags of "cmp r1, #5" can be computed again at any time, as long as r1 stays what
 * it is. So where a fault shows the guest its flags, a recipe is enough: what to
 * subtract from what, by the names of the guest's registers. The code map has it for
 * each instruction that may fault, and running code pays nothing. An exit that shows
 * the flags writes the operands down on its way out.
 *
 *     cmp   r1, #5                 deferred: left r1, right 5
 *     beq   elsewhere              writes them down, if it is taken
 *     ldr   r0, [r2]               pending: a fault here computes r1 - 5
 *     cmp   r0, r1                 here they end
 *
 * If a register changes too soon, the setter saves that operand, and only that. But if
 * there is a loop's branch in between, it is the loop that counts: up to the branch the
 * recipe is good, and who leaves the loop writes the operands down.
 *
 * A setter is deferred only if its recipe is good at every such place until all of its
 * flags are set anew. SUBS r1, r1, #1 has overwritten r1, but knows what it was: the
 * result plus 1. So does ADDS r1, r1, r2: the result less r2.
 */
#include "06-tcg/ir/ir_ops.h"
#include "06-tcg/ir/optimize.h"

struct deferring {
    struct ir_block *block;
    ir_value holds[IR_GLOBALS]; /* what each register is known to hold, or IR_NONE */
    bool in_region, no_saving;
};

static void forget(struct deferring *d)
{
    for (unsigned g = 0; g <= IR_LR; g++)
        d->holds[g] = IR_NONE;
}

/* A constant, or a register of the guest that holds v, perhaps less a constant. */
static bool find(const struct deferring *d, ir_value v, uint8_t *reg, uint32_t *constant)
{
    const struct ir_insn *insn = &d->block->insns[v];

    *reg = IR_NO_GLOBAL;
    *constant = 0;
    if (insn->op == IR_CONST) {
        *constant = insn->imm;
        return true;
    }
    for (unsigned g = 0; g <= IR_LR; g++)
        if (d->holds[g] == v) {
            *reg = (uint8_t)g;
            return true;
        }
    if (insn->op != IR_ADD || d->block->insns[insn->b].op != IR_CONST)
        return false;
    *constant = d->block->insns[insn->b].imm;
    v = insn->a;
    for (unsigned g = 0; g <= IR_LR; g++)
        if (d->holds[g] == v) {
            *reg = (uint8_t)g;
            return true;
        }
    return false;
}

/* One operand: in a register, unless the setter is to save it. */
static bool operand(const struct deferring *d, ir_value v, bool saved, uint8_t *reg,
                    uint32_t *constant)
{
    if (!saved)
        return find(d, v, reg, constant);
    *reg = IR_IN_MEMORY;
    *constant = 0;
    return d->block->insns[v].op != IR_CONST;
}

/* The recipe by the operands, as they are in registers now; or saved, IR_SAVED_.... */
static bool by_operands(const struct deferring *d, const struct ir_insn *insn, unsigned saved,
                        struct ir_recipe *recipe)
{
    recipe->op = insn->op;
    if (insn->op == IR_AND && saved)
        return false;
    if (insn->op == IR_AND && insn->a == insn->b && insn->sets == IR_FLAGS_NZ) {
        recipe->right = IR_NO_GLOBAL;
        return find(d, insn->a, &recipe->left, &recipe->left_const) && recipe->left != IR_NO_GLOBAL;
    }
    return (insn->op == IR_ADD || insn->op == IR_SUB) && insn->sets == IR_FLAGS_ALL &&
           operand(d, insn->a, saved & IR_SAVED_LEFT, &recipe->left, &recipe->left_const) &&
           operand(d, insn->b, saved & IR_SAVED_RIGHT, &recipe->right, &recipe->right_const);
}

/* Can v be the right operand, if the result overwrites the left one? */
static bool is_kept(const struct deferring *d, ir_value v, unsigned saved, struct ir_recipe *recipe)
{
    return operand(d, v, saved, &recipe->right, &recipe->right_const) &&
           recipe->right != recipe->left;
}

/*
 * The recipe by the result, which the next SET puts into a register: of a sum or difference,
 * this and the right operand tell the left one.
 */
static bool by_result(const struct deferring *d, unsigned i, unsigned saved,
                      struct ir_recipe *recipe)
{
    const struct ir_insn *insn = &d->block->insns[i], *set = insn + 1;
    bool sum = (insn->op == IR_ADD || insn->op == IR_SUB) && insn->sets == IR_FLAGS_ALL;

    while (set->op == IR_NOP && set < &d->block->insns[d->block->count - 1])
        set++;
    if (set->op != IR_SET || set->a != i || set->global > IR_LR)
        return false;
    *recipe = (struct ir_recipe){.op = IR_AND, .left = set->global, .right = IR_NO_GLOBAL};
    if (!(insn->lazy & (IR_FLAG_C | IR_FLAG_V)))
        return true;
    recipe->op = insn->op;
    if (!sum || (!is_kept(d, insn->b, saved, recipe) &&
                 (insn->op == IR_SUB || saved || !is_kept(d, insn->a, 0, recipe))))
        return false;
    if (recipe->right == IR_NO_GLOBAL)
        recipe->left_const = insn->op == IR_SUB ? recipe->right_const : -recipe->right_const;
    else
        recipe->undo = true;
    return true;
}

/* Are the flags shown here? Where ways fork, or join another: are they shown later? */
static bool shows(const struct ir_insn *insn, unsigned lazy)
{
    if (insn->op == IR_EXIT || insn->op == IR_EXIT_IF || insn->op == IR_SKIP ||
        insn->op == IR_LABEL)
        return insn->sets & lazy;
    return ir_ops[insn->op].traits & IR_OP_STOPS;
}

static unsigned flags_written(const struct ir_insn *insn)
{
    if (insn->op == IR_SET && insn->global >= IR_N)
        return IR_FLAG_OF(insn->global);
    if (insn->op == IR_SKIP || insn->op == IR_LABEL || ir_ops[insn->op].traits & IR_OP_STOPS)
        return 0;
    return insn->sets;
}

/* Does the region that SKIP number skip opens or continues write flags? */
static bool region_writes(const struct ir_block *block, unsigned skip)
{
    for (unsigned j = skip + 1; block->insns[j].op != IR_LABEL; j++)
        if (flags_written(&block->insns[j]))
            return true;
    return false;
}

/* [shown] */
/*
 * Walks over the places where the flags of setter i are shown. False: the recipe is not
 * good at one of them. With mark, notes the recipe there. Where a region sets flags, the
 * ways that meet at its LABEL disagree: each writes down its own. So the walk ends there;
 * with loop, it ends at a branch back.
 */
static bool walk(struct ir_block *block, unsigned i, const struct ir_recipe *recipe, bool by_result,
                 bool in_region, bool loop, unsigned mark)
{
    unsigned lazy = block->insns[i].lazy;
    bool dirty = false;

    for (unsigned j = i + 1; j < block->count; j++) {
        struct ir_insn *insn = &block->insns[j];
        bool way = insn->op == IR_SKIP || insn->op == IR_LABEL;
        unsigned written;

        if (insn->op <= IR_GET ||
            (!insn->sets && !way && insn->op != IR_SET && !(ir_ops[insn->op].traits & IR_OP_STOPS)))
            continue; /* most: it has nothing to do with flags or registers */
        written = flags_written(insn);

        if (insn->op == IR_SKIP && !in_region)
            in_region = region_writes(block, j);
        if (insn->op == IR_SET && ((insn->global == recipe->left && !(by_result && insn->a == i)) ||
                                   insn->global == recipe->right))
            dirty = true;
        if (written) /* of some flags only: their operands would have to be kept too */
            return !(lazy & ~written);
        if (shows(insn, lazy) && (!way || in_region)) {
            if (dirty || (!mark && insn->pending))
                return false;
            if (mark)
                insn->pending = (uint8_t)mark;
            if (loop && insn->op == IR_EXIT_IF && insn->imm <= block->start && !in_region) {
                insn->behind = mark != 0;
                return true;
            }
        }
        if (insn->op == IR_LABEL && in_region)
            return true;
    }
    return true;
}
/* [/shown] */

/* Is there a recipe that is good wherever the flags of setter i are shown, or in the loop? */
static bool find_unsaved(const struct deferring *d, unsigned i, struct ir_recipe *recipe,
                         bool *result, bool loop)
{
    *result = false;
    if (by_operands(d, &d->block->insns[i], 0, recipe) &&
        walk(d->block, i, recipe, false, d->in_region, loop, 0))
        return true;
    *result = true;
    return by_result(d, i, 0, recipe) && walk(d->block, i, recipe, true, d->in_region, loop, 0);
}

static bool find_recipe(const struct deferring *d, unsigned i, struct ir_recipe *recipe,
                        bool *result, bool *loop)
{
    struct ir_insn *insn = &d->block->insns[i];

    for (*loop = false;; *loop = true) {
        if (find_unsaved(d, i, recipe, result, *loop))
            return true;
        if (d->no_saving)
            return false;
        if (*loop)
            break;
    }
    *loop = false;
    for (unsigned saved = IR_SAVED_LEFT; saved <= (IR_SAVED_LEFT | IR_SAVED_RIGHT); saved++) {
        insn->saved = (uint8_t)saved;
        *result = false;
        *recipe = (struct ir_recipe){0};
        if (by_operands(d, insn, saved, recipe) &&
            walk(d->block, i, recipe, false, d->in_region, false, 0))
            return true;
        *result = true;
        if (saved == IR_SAVED_RIGHT && by_result(d, i, saved, recipe) &&
            walk(d->block, i, recipe, true, d->in_region, false, 0))
            return true;
    }
    insn->saved = 0;
    return false;
}

static void defer(struct deferring *d, unsigned i)
{
    struct ir_block *block = d->block;
    struct ir_insn *insn = &block->insns[i];
    struct ir_recipe recipe = {0};
    bool result, loop, region = d->in_region;

    if (block->recipes == IR_GUEST || !find_recipe(d, i, &recipe, &result, &loop))
        return;
    recipe.lazy = insn->lazy;
    block->recipe[block->recipes++] = recipe;
    insn->deferred = true;
    walk(block, i, &recipe, result, region, loop, block->recipes);
}

void ir_defer(struct ir_block *block, bool save)
{
    struct deferring d = {.block = block, .no_saving = !save};

    forget(&d);
    for (unsigned i = 0; i < block->count; i++) {
        const struct ir_insn *insn = &block->insns[i];

        if (insn->op == IR_GET || insn->op == IR_SET) {
            d.holds[insn->global] = insn->op == IR_SET ? insn->a : (ir_value)i;
        } else if (insn->op == IR_SKIP) {
            d.in_region = true;
        } else if (insn->op == IR_LABEL) {
            d.in_region = false;
            forget(&d);
        } else if (insn->lazy) {
            defer(&d, i);
        }
    }
}
