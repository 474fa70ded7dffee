/*
 * step.h: the execution of one instruction, shared by the interpreter's groups.
 *
 * arm_execute() fills a struct step and calls the group that the operation belongs
 * to. A group changes registers and flags only once nothing can fail any more, so
 * that a fault finds the processor as it was. Not for use outside the interpreter.
 */
#ifndef TCG_ARM_STEP_H
#define TCG_ARM_STEP_H

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/insn.h"
#include "06-tcg/arm/stop.h"

struct step {
    struct arm_cpu *cpu;
    const struct arm_insn *insn;
    struct arm_stop *stop; /* filled by a group that returns false */
    uint32_t next;         /* where to go on: the following instruction, until changed */
    bool next_thumb;
};

/* The groups. False: *stop says why the instruction did not happen. */
bool step_data(struct step *s);
bool step_multiply(struct step *s);
bool step_media(struct step *s);
bool step_memory(struct step *s);
bool step_exclusive(struct step *s);

/* Register n as an operand: R15 reads two instructions ahead. */
uint32_t step_reg(const struct step *s, unsigned n);

/* Sets register n to a result of arithmetic; R15 is a jump. */
void step_set_reg(struct step *s, unsigned n, uint32_t value);

/* Jumps as BX does: bit 0 chooses the instruction set. */
void step_jump_exchange(struct step *s, uint32_t target);

/*
 * The value of an ARM_REG or ARM_REG_BY_REG operand, shifted; *carry is what the
 * shifter puts out, or C as it was. ARM_IMM: the constant.
 */
uint32_t step_operand2(const struct step *s, bool *carry);

/* N and Z as the result has them. */
static inline void step_set_nz(struct arm_cpu *cpu, uint32_t result)
{
    cpu->n = (uint8_t)(result >> 31);
    cpu->z = result == 0;
}

#endif
