/*
 * ir_print.c: a block of IR as text.
 *
 * The same form as in ir.h's example: the value's name, the operation, its operands,
 * then "!" with the flags it sets. What passes have removed is not shown.
 */
#include "06-tcg/ir/ir.h"

#include "06-tcg/ir/ir_ops.h"

static const char *const cond_names[] = {"eq", "ne", "cs", "cc", "mi", "pl", "vs",
                                         "vc", "hi", "ls", "ge", "lt", "gt", "le"};

static const char *const global_names[IR_GLOBALS] = {"r0", "r1", "r2", "r3",  "r4",  "r5",  "r6",
                                                     "r7", "r8", "r9", "r10", "r11", "r12", "sp",
                                                     "lr", "n",  "z",  "c",   "v"};

/* The value v; a constant as its number, which is easier to follow. */
static void print_value(FILE *file, const struct ir_block *block, ir_value v)
{
    if (v < block->count && block->insns[v].op == IR_CONST)
        fprintf(file, "%#x", block->insns[v].imm);
    else
        fprintf(file, "v%u", v);
}

static void print_address(FILE *file, const struct ir_block *block, const struct ir_insn *insn)
{
    fputc('[', file);
    print_value(file, block, insn->a);
    if (insn->b != IR_NONE) {
        fputs(" + ", file);
        print_value(file, block, insn->b);
        if (insn->scale)
            fprintf(file, " << %u", insn->scale);
    }
    if ((int32_t)insn->imm > 0)
        fprintf(file, " + %#x", insn->imm);
    else if (insn->imm)
        fprintf(file, " - %#x", -insn->imm);
    fputc(']', file);
}

static void print_memory(FILE *file, const struct ir_block *block, const struct ir_insn *insn)
{
    fprintf(file, "%s%u ", insn->sign ? "s" : "u", insn->size * 8);
    print_address(file, block, insn);
    if (insn->op == IR_STORE) {
        fputs(", ", file);
        print_value(file, block, insn->c);
    }
}

static void print_flags(FILE *file, unsigned flags)
{
    if (flags)
        fputs("  !", file);
    for (unsigned bit = 0; flags >> bit; bit++)
        if (flags >> bit & 1)
            fputc("nzcvq"[bit], file);
}

static void print_operands(FILE *file, const struct ir_block *block, const struct ir_insn *insn)
{
    ir_value operands[IR_OPERANDS_MAX];
    unsigned count = ir_operands(insn, operands) - (insn->compare ? 2 : 0);

    for (unsigned n = 0; n < count; n++) {
        fputs(n ? ", " : "", file);
        print_value(file, block, operands[n]);
    }
    if (insn->scale)
        fprintf(file, " << %u", insn->scale);
}

void ir_print_insn(FILE *file, const struct ir_block *block, unsigned index)
{
    const struct ir_insn *insn = &block->insns[index];
    const struct ir_op_info *info = &ir_ops[insn->op];

    if (info->traits & IR_OP_VALUE)
        fprintf(file, "v%-4u ", index);
    else
        fputs("      ", file);
    fprintf(file, "%-9s ", info->name);
    if (info->traits & IR_OP_COND)
        fprintf(file, "%s%s", cond_names[insn->cond], insn->op == IR_SKIP ? "" : ", ");
    if (insn->op == IR_LOAD || insn->op == IR_STORE)
        print_memory(file, block, insn);
    else if (insn->op == IR_GET)
        fputs(global_names[insn->global], file);
    else if (insn->op == IR_SET)
        fprintf(file, "%s, ", global_names[insn->global]);
    if (insn->op == IR_CONST || insn->op == IR_INSN || insn->op == IR_INTERPRET ||
        insn->op == IR_EXIT || insn->op == IR_EXIT_IF)
        fprintf(file, "%#x", insn->imm);
    else if (insn->op != IR_LOAD && insn->op != IR_STORE)
        print_operands(file, block, insn);
    print_flags(file, insn->flags);
    if (insn->lazy)
        fputs(insn->deferred ? "  (deferred)" : "  (lazy)", file);
    if (insn->compare) {
        fprintf(file, "  (%s ", ir_ops[insn->compare].name);
        print_value(file, block, insn->left);
        fputs(", ", file);
        print_value(file, block, insn->right);
        fputc(')', file);
    }
    if (insn->fused)
        fputs("  (host flags)", file);
    fputc('\n', file);
}

void ir_print(FILE *file, const struct ir_block *block)
{
    for (unsigned i = 0; i < block->count; i++)
        if (block->insns[i].op != IR_NOP && block->insns[i].op != IR_UNSEEN)
            ir_print_insn(file, block, i);
}
