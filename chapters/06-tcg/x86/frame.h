/*
 * frame.h: which host register holds what while emitted code runs.
 *
 *   rsp   the host's stack; at its top the frame below
 *   rbp   struct arm_cpu
 *   gs    base of the guest's window, where that is not 0
 *   pins  some globals of the IR live in a host register from the moment emitted
 *         code is entered until it is left, through all jumps between blocks
 *   the rest is for values, within one block
 *
 * A global without a pin lives in struct arm_cpu. Because every block agrees on the
 * pins, a jump from block to block moves nothing at all.
 *
 *   rsp + 0     spilled values, FRAME_SLOTS of 8 bytes
 *   rsp + ...   the jump table, which finds a block by its key (generate.h)
 *   rsp + ...   where a fault is noted
 *   rsp + ...   what the subroutine that settles flags saves
 *
 * Flags that are kept are in struct arm_cpu, C in its byte and the others in lazy.nzv,
 * as LAHF and SETO leave them in ax:
 *
 *      15  14          7 .. 0
 *    |  N |  Z | -  |    V    |
 *
 * So CMP's flags are saved by two instructions and one store. On the way in and out the
 * flags are converted.
 */
#ifndef TCG_X86_FRAME_H
#define TCG_X86_FRAME_H

#include <stdint.h>

#include "06-tcg/arm/cpu.h"
#include "06-tcg/ir/ir.h"
#include "06-tcg/x86/encode.h"

#define FRAME_SLOTS 48
#define FRAME_TABLE (FRAME_SLOTS * 8)
#define FRAME_FAULT (FRAME_SLOTS * 8 + 8)
#define FRAME_SAVED (FRAME_SLOTS * 8 + 16) /* two registers of settle */
#define FRAME_SIZE  (FRAME_SLOTS * 8 + 40) /* with six pushes and a return address: 16-aligned */

_Static_assert((FRAME_SIZE + 7 * 8) % 16 == 0, "the stack stays aligned as the ABI asks");

/* What emitted code has in rdx when it leaves; rax is the key it would go on at. */
enum frame_status {
    FRAME_LOOKUP,      /* the key's block is not known to the jump table */
    FRAME_INTERPRET,   /* the instruction at the key is the interpreter's */
    FRAME_INTERRUPTED, /* cpu->interrupt is set */
    FRAME_FAULT_TAKEN, /* a memory access faulted; struct frame_fault knows more */
    FRAME_EXIT,        /* exit number status - FRAME_EXIT: direct, not yet chained */
};

/* Filled in by the signal handler when emitted code faults. */
struct frame_fault {
    uint64_t offset;  /* of the instruction that faulted, in the code cache */
    uint64_t address; /* what it wanted to reach: a host address */
    bool write;
    bool vanished; /* the page is mapped, but not there: SIGBUS */
};

struct x86_pins {
    uint8_t reg[IR_GLOBALS]; /* X86_NO_REG: none */
};

/* The usual choice, and none at all (every global in memory). */
extern const struct x86_pins x86_pins_usual, x86_pins_none;

/* The word with N, Z and V; the byte with N and Z; their bits in the word. */
#define FRAME_NZV   x86_mem(RBP, offsetof(struct arm_cpu, lazy.nzv))
#define FRAME_NZ    x86_mem(RBP, offsetof(struct arm_cpu, lazy.nzv) + 1)
#define FRAME_N_BIT 15
#define FRAME_Z_BIT 14

/* The word that says which flags are lazy, and what it is if none is. */
#define FRAME_KINDS x86_mem(RBP, offsetof(struct arm_cpu, lazy.nz))
#define FRAME_KEPT  0x00010101

/* Where a global lives that has a place of its own: all but N and Z. */
static inline struct x86_operand frame_home(unsigned global)
{
    if (global == IR_V)
        return FRAME_NZV;

    size_t offset = global >= IR_N ? offsetof(struct arm_cpu, n) + (global - IR_N)
                                   : offsetof(struct arm_cpu, r) + 4 * global;

    return x86_mem(RBP, (int32_t)offset);
}

#endif
