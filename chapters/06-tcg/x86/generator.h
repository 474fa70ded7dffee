/*
 * generator.h: what the files of the code generator share. (Not for others.)
 *
 * generate.c walks over the block; arithmetic.c and conditions.c emit what belongs to
 * their subject. Each emit_ function handles IR instruction i and leaves its value,
 * if it has one, with the allocator.
 */
#ifndef TCG_X86_GENERATOR_H
#define TCG_X86_GENERATOR_H

#include "06-tcg/x86/allocate.h"
#include "06-tcg/x86/generate.h"

/* What the host's flags say about the guest's, as long as nobody changes them. */
enum host_flags {
    HOST_FLAGS_NONE,
    HOST_FLAGS_ADD,   /* all four; CF is ARM's C */
    HOST_FLAGS_SUB,   /* all four; CF is the opposite of ARM's C */
    HOST_FLAGS_LOGIC, /* N and Z only */
    HOST_FLAGS_SHIFT, /* N and Z; CF is ARM's C */
};

struct generator {
    struct x86_code *code;
    const struct ir_block *block;
    struct allocation places;
    enum host_flags host_flags;
    bool bmi;         /* there are BMI2's instructions */
    unsigned kept;    /* flags known not to be lazy */
    unsigned settles; /* places that wait for their stub, which settles lazy flags */
    struct {
        size_t jump, back;
    } settle[IR_GUEST * 2];
    unsigned skips; /* to the next LABEL */
    struct {
        size_t jump;
        unsigned kept;
        uint8_t pending;
    } skip[IR_GUEST];
    unsigned leaves; /* exits to the interpreter that wait for their stubs */
    struct {
        size_t jump;
        uint32_t key;
        uint8_t pending;
    } leave[IR_GUEST];
    unsigned detours; /* jumps that write flags' operands down on their way */
    struct {
        size_t jump;
        struct exit_site *site; /* of a side exit; NULL: a SKIP */
        size_t back;            /* of a SKIP: its LABEL */
        uint8_t pending;
        bool straight; /* the exit has a straight way too */
    } detour[IR_GUEST * 4];
};

/* The host condition for the guest's, emitting what it takes to have it in EFLAGS. */
enum x86_cc emit_condition(struct generator *g, const struct ir_insn *insn);

/* After an instruction that set EFLAGS for IR instruction i: keeps what it asks for. */
void emit_flags(struct generator *g, unsigned i, enum host_flags kind);

/* For a setter whose flags are lazy: keeps its operands, before they are overwritten; or
 * the result, if C and V are not lazy. Changes no flags of the host. */
void emit_lazy_operands(struct generator *g, const struct ir_insn *insn);
void emit_lazy_result(struct generator *g, enum x86_reg result);

/* For a setter whose flags are deferred: keeps the operands that no register does. */
void emit_saved_operands(struct generator *g, const struct ir_insn *insn);

/* Writes down what the pending flags of an exit are made of, by way of scratch. */
void emit_pending(struct generator *g, unsigned pending, enum x86_reg scratch);

/* Makes sure that none of these flags of the guest is lazy. Changes the host's. */
void emit_settle(struct generator *g, unsigned flags);

/* These flags of the guest have just been written: they are not lazy any more. */
void emit_kept(struct generator *g, unsigned flags);

/* Sets CF to the carry value v, or to its opposite. */
void emit_carry_in(struct generator *g, ir_value v, bool inverted);

/* Do the host's flags still hold what the last emit_flags() saw? */
bool host_flags_hold(const struct generator *g);

/* CMP or TEST for IR_SUB or IR_AND of insn->a and insn->b: only the flags are wanted. */
void emit_compare(struct generator *g, const struct ir_insn *insn);

void emit_add_sub_logic(struct generator *g, unsigned i);
void emit_add_sub_carry(struct generator *g, unsigned i);
void emit_shift(struct generator *g, unsigned i);
void emit_rotate_by_carry(struct generator *g, unsigned i);
void emit_shift_carry(struct generator *g, unsigned i);
void emit_multiply(struct generator *g, unsigned i);
void emit_wide(struct generator *g, unsigned i);
void emit_unary(struct generator *g, unsigned i);
void emit_quotient(struct generator *g, unsigned i);

#endif
