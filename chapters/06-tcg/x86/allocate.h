/*
 * allocate.h: where each value of a block is while code for it is emitted.
 *
 * A linear allocator: it goes along with the code generator, one IR instruction
 * after the other, and knows in advance only where each value is used last. A value
 * can be in up to three places at once:
 *
 *   a register   of the ones that are no pin
 *   a slot       of the frame, when registers were scarce
 *   its home     it is what some global holds: GET costs nothing until the global
 *                is overwritten while the value is still needed
 *
 * or it is a constant and needs no place. Whoever emits an instruction asks for the
 * operands, then for a register for the result, and at the end of the instruction
 * allocate_end() frees what was used for the last time.
 *
 * Nothing the allocator emits changes the host's flags, but for GET and SET of N and Z.
 */
#ifndef TCG_X86_ALLOCATE_H
#define TCG_X86_ALLOCATE_H

#include "06-tcg/ir/ir.h"
#include "06-tcg/x86/encode.h"
#include "06-tcg/x86/frame.h"

#define ALLOCATE_NONE 0xff

struct place {
    uint8_t reg;   /* X86_NO_REG: none */
    uint8_t slot;  /* ALLOCATE_NONE: none */
    uint8_t home;  /* the global that holds it; ALLOCATE_NONE: none */
    uint8_t wish;  /* the global it will be SET to, if it may be computed there */
    ir_value next; /* in the list of values with the same home */
};

struct allocation {
    struct x86_code *code;
    const struct ir_block *block;
    const struct x86_pins *pins;
    uint32_t temporaries; /* registers that are free for values: a set of bits */
    uint32_t busy;        /* those in use by the instruction being emitted */
    uint64_t slots;       /* in use */
    unsigned now;         /* the instruction being emitted; the generator keeps it */
    bool failed;          /* out of registers or slots: give the block up */
    ir_value owner[X86_REGS];
    ir_value homed[IR_GLOBALS]; /* head of the list of values with this home */
    ir_value holds[IR_GLOBALS]; /* the value SET last: a second home for it; IR_NONE: unknown */
    struct place place[IR_MAX];
    uint16_t last_use[IR_MAX + 1]; /* 0: never used; of IR_NONE: never the last time */
};

void allocate_begin(struct allocation *a, struct x86_code *code, const struct ir_block *block,
                    const struct x86_pins *pins);

bool allocate_is_const(const struct allocation *a, ir_value v, uint32_t *constant);

/* The value in a register, brought there if need be. It must not be written. */
enum x86_reg allocate_use(struct allocation *a, ir_value v);

/* The value as a 32-bit operand: a register, or memory if it is there. */
struct x86_operand allocate_operand(struct allocation *a, ir_value v);

/* The instruction will not look at the operand again: its register may be evicted. */
void allocate_done(struct allocation *a, ir_value v);

/* Is the value in this register, whether as its own or as a pin? */
bool allocate_is_in(const struct allocation *a, ir_value v, enum x86_reg reg);

/*
 * A register for the result of instruction i; its old contents are of no use. Ask for
 * the operands first: the result may take the place of one that is used up.
 */
enum x86_reg allocate_result(struct allocation *a, unsigned i);

/*
 * The same, with a copy of value v in it. other is an operand that the instruction
 * reads after the copy (asked for before); its register is not chosen. IR_NONE: there
 * is none.
 */
enum x86_reg allocate_copy(struct allocation *a, unsigned i, ir_value v, ir_value other);

/* Like allocate_result(), but never an operand's register nor a pin. */
enum x86_reg allocate_fresh(struct allocation *a, unsigned i);

/* Value v is in this register now, which has been claimed. */
void allocate_take(struct allocation *a, ir_value v, enum x86_reg reg);

/* A register for the length of this instruction. */
enum x86_reg allocate_scratch(struct allocation *a);

/* Makes one particular register free for the length of this instruction. */
void allocate_claim(struct allocation *a, enum x86_reg reg);

/* The same; what is in the register goes to memory. And a copy of v in a register so cleared. */
void allocate_clear(struct allocation *a, enum x86_reg reg);
void allocate_bring(struct allocation *a, enum x86_reg reg, ir_value v);

/* The IR's GET and SET. */
void allocate_get(struct allocation *a, unsigned i);
void allocate_set(struct allocation *a, unsigned i);
void allocate_unseen(struct allocation *a, unsigned i);

/* Instruction i is going to write the global otherwise (a flag): values leave it. */
void allocate_leave_home(struct allocation *a, unsigned i, unsigned global);

/* After instruction i: frees values used for the last time. */
void allocate_end(struct allocation *a, unsigned i);

/* At a LABEL: no value exists any more. */
void allocate_forget(struct allocation *a);

#endif
