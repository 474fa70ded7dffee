/*
 * interpret.h: the reference interpreter, judge of the translator.
 *
 * One instruction after the other, each as the manual's pseudocode says. Code that
 * rewrites itself needs no care here. Slow and plainly right.
 *
 *     cpu.budget = UINT64_MAX;
 *     struct arm_stop stop = arm_run(&cpu);    until a system call, a fault, ...
 *
 * Memory is reached through cpu->space with its page flags checked on every access,
 * so a wild pointer makes no host signal. The one exception, a page that goes away
 * during the access, is caught if the program has called fault_install().
 */
#ifndef TCG_ARM_INTERPRET_H
#define TCG_ARM_INTERPRET_H

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/insn.h"
#include "06-tcg/arm/stop.h"

/*
 * Runs until something happens that only the caller can settle, or until
 * cpu->budget more instructions have run (it counts down).
 */
struct arm_stop arm_run(struct arm_cpu *cpu);

/* The one instruction at cpu->r[15]: arm_fetch() and arm_execute(). */
bool arm_step(struct arm_cpu *cpu, struct arm_stop *stop);

/*
 * Fetches and decodes the instruction at address in the given instruction set.
 * False: it lies, at least in part, where nothing can be executed; *stop says so.
 */
bool arm_fetch(const struct arm_cpu *cpu, uint32_t address, struct arm_insn *insn,
               struct arm_stop *stop);

/*
 * Executes one decoded instruction at cpu->r[15], and moves r[15] on. True: done.
 * False: *stop says why not (an SVC stops after it is done). An engine that lacks
 * an instruction may call this for it.
 */
bool arm_execute(struct arm_cpu *cpu, const struct arm_insn *insn, struct arm_stop *stop);

#endif
