/*
 * lifter.h: what the files of the lifter share. (Not for others.)
 *
 * lift.c walks over the guest's instructions; each lift_ function below emits the IR
 * of one instruction of its group, as if it were executed always: conditions are
 * lift.c's. It returns false for what it leaves to the interpreter, with nothing
 * emitted.
 *
 * The order of what is emitted matters twice. Accesses that may fault come before
 * any SET, so that a fault finds the registers as they were. And the operation whose
 * result sets N and Z comes last, so that a branch after it finds the host's flags.
 */
#ifndef TCG_TRANSLATE_LIFTER_H
#define TCG_TRANSLATE_LIFTER_H

#include "06-tcg/arm/insn.h"
#include "06-tcg/space.h"
#include "06-tcg/translate/lift.h"

struct lifter {
    struct ir_block *block;
    const struct arm_cpu *cpu; /* for its space */
    const struct lift_options *options;
    unsigned limit;   /* of guest instructions */
    uint32_t address; /* of the instruction */
    bool thumb;
    bool done; /* nothing comes after this instruction, if it is executed */
    uint64_t seen[SPACE_PAGE_SIZE / 128]; /* places of this page that are in the block: bits */
    unsigned open;    /* the condition of the open region; 14 (always): none is open */
    bool again;       /* the region has set flags: its condition must be asked again */
    unsigned choices; /* instructions from here on that are lifted by lift_choice() */
    unsigned known;   /* a condition that holds here; 14: none but "always" */
};

bool lift_data(struct lifter *l, const struct arm_insn *insn);
bool lift_multiply(struct lifter *l, const struct arm_insn *insn);
bool lift_field(struct lifter *l, const struct arm_insn *insn);
bool lift_memory(struct lifter *l, const struct arm_insn *insn);
bool lift_choice(struct lifter *l, const struct arm_insn *insn);
bool lift_branch(struct lifter *l, const struct arm_insn *insn);

/* The whole block, if it is one of the kernel's helpers. */
bool lift_helper(struct lifter *l);

/* Lifts what comes before the last step of a division by hand. True: *insn is that last step,
 * and so is l->address. */
bool lift_divide(struct lifter *l, struct arm_insn *insn);

/* The instruction at l->address begins, under no condition. */
void lift_begin(struct lifter *l);

/* What register n reads as: R15 is known. */
ir_value lift_read(struct lifter *l, unsigned n);

/* The instruction sets of addresses: bit 0 is set for Thumb. */
uint32_t lift_key(const struct lifter *l, uint32_t address);

/* The address after this instruction, and what R15 reads as. */
uint32_t lift_pc(const struct lifter *l);

/* A write to a register; R15 is a jump whose target may change the instruction set. */
void lift_write_interworking(struct lifter *l, unsigned n, ir_value value);

/* rm shifted by a constant, as operand 2 of data processing and as an offset. */
ir_value lift_shifted(struct lifter *l, const struct arm_insn *insn, ir_value value);

/* Bit number n of value, as 0 or 1. */
ir_value lift_bit(struct lifter *l, ir_value value, unsigned n);

#endif
