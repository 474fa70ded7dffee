/*
 * pretended.h: the processor that a deprivileged payload believes in.
 *
 * Just the state that sensitive instructions read and write. The rest of the payload's
 * registers are the real ones. One function plays out one instruction.
 */
#ifndef CHAPTER_02_PRETENDED_H
#define CHAPTER_02_PRETENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "02-protected-mode/before-vtx/insn.h"

struct pretended_table {
    uint16_t limit;
    uint64_t base;
};

struct pretended {
    uint64_t cr0, cr2, cr3, cr4;
    bool interrupts; /* RFLAGS.IF */
    bool halted;
    struct pretended_table gdt, idt;
    uint16_t cs, ds, ldtr, tr; /* ds stands for DS, ES and SS */

    /* The payload's memory: all that the instructions may touch. */
    uint8_t *memory;
    uint64_t start, size; /* the same as addresses */

    void (*out)(void *self, uint16_t port, uint8_t byte);
    void *self;
};

/* The real registers at the trap, in the order of instruction encodings: RAX is 0. */
struct pretended_regs {
    uint64_t gpr[16];
    uint64_t rip, rflags;
};

/* As at entry in 64-bit mode by a VMM (entry.h): PE, PG, ring 0, interrupts off. */
void pretended_reset(struct pretended *cpu);

/*
 * Plays out insn, which stands at regs->rip, and moves regs->rip behind it. False, with
 * nothing changed, if it is none that this monitor emulates or its operand lies outside
 * the payload's memory.
 */
bool pretended_play(struct pretended *cpu, struct pretended_regs *regs, const struct insn *insn);

#endif
