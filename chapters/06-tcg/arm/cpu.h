/*
 * cpu.h: the state of one ARM processor as a user program sees it.
 *
 * Sixteen registers, the flags, and what a thread owns besides: its thread pointer
 * and its exclusive monitor. There is no mode, no coprocessor and no MMU: user mode
 * never sees them. Whatever runs guest code (the interpreter, emitted code) works
 * on this structure, so a guest can change from one to the other between any two
 * instructions.
 *
 * The flags are not packed into a CPSR word but kept as four bytes of 0 or 1: x86's
 * SETcc writes exactly such a byte, and a condition is then a load and a test.
 *
 * r[15] is the address of the next instruction to execute, bit 0 clear. That a
 * *read* of R15 by an instruction gives a value 8 or 4 further on (arm_read_pc) is
 * a matter of the instruction, not of the state. [ARM-ARM, A2.3 "ARM core
 * registers"]
 */
#ifndef TCG_ARM_CPU_H
#define TCG_ARM_CPU_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct space; /* the guest's memory: 06-tcg/space.h */

#define ARM_SP 13
#define ARM_LR 14
#define ARM_PC 15

/* [ARM-ARM, B1.3.3 "Program Status Registers (PSRs)"] */
#define CPSR_N    (UINT32_C(1) << 31)
#define CPSR_Z    (UINT32_C(1) << 30)
#define CPSR_C    (UINT32_C(1) << 29)
#define CPSR_V    (UINT32_C(1) << 28)
#define CPSR_Q    (UINT32_C(1) << 27)
#define CPSR_T    (UINT32_C(1) << 5)
#define CPSR_USER UINT32_C(0x10) /* the mode field of a user program */

/* What LDREX leaves for STREX. [ARM-ARM, A3.4 "Synchronization and semaphores"] */
struct arm_monitor {
    uint64_t value;   /* what was loaded; STREX stores only if it is still there */
    uint32_t address; /* of the load */
    uint32_t size;    /* in bytes; 0: no LDREX is open */
};

/*
 * Who answers where there is no memory. Asked for a data access that the page flags do
 * not allow; false: nobody, and it is a fault after all.
 */
struct arm_io {
    bool (*load)(void *self, uint32_t address, unsigned size, uint64_t *value);
    bool (*store)(void *self, uint32_t address, unsigned size, uint64_t value);
    void *self;
};

/*
 * Flags that emitted code has not computed yet, but could: what N, Z, C and V would be
 * made of. Elsewhere than in emitted code n, z, c and v of struct arm_cpu are right, and
 * this says nothing. (x86/conditions.c has the whole story.)
 */
struct arm_lazy_flags {
    uint32_t right;
    uint8_t nz;   /* N and Z: 0 of left op right, 1 kept, 2 of result */
    uint8_t c, v; /* 0 of left op right, 1 kept */
    uint8_t add;  /* bit 0: op is an addition, else a subtraction; bit 1: left is the result */
    uint32_t left;
    uint32_t result;
    uint16_t nzv; /* those that are kept, as LAHF and SETO leave them in AX */
};

struct arm_cpu {
    uint32_t r[16];
    uint8_t n, z, c, v; /* each 0 or 1 */
    uint8_t q;          /* sticky: a saturating instruction saturated */
    uint8_t thumb;      /* 1: r[15] points at Thumb instructions */
    uint8_t ge;         /* four bits, of the parallel adds of ARMv6 */
    uint8_t cut;        /* the translator's: see interrupt.c */
    /*
     * Not 0: stop with ARM_INTERRUPTED soon. Written from a signal's handler in the
     * thread that runs this processor; the interpreter reads it before each instruction,
     * the translator has to be told (translator_interrupt()). Neither clears it.
     */
    _Atomic uint32_t interrupt;
    uint32_t tls; /* TPIDRURO, the thread pointer */
    struct arm_lazy_flags lazy;
    struct arm_monitor monitor;
    struct space *space;     /* not owned */
    uint64_t instructions;   /* executed so far by the interpreter */
    uint64_t budget;         /* the interpreter stops with ARM_BUDGET at 0 */
    const struct arm_io *io; /* for the interpreter; NULL: nobody. Not owned */
};

/* Emitted code reaches these by offset. Near the start, for one-byte displacements. */
_Static_assert(offsetof(struct arm_cpu, r) == 0, "r[n] is at 4 * n");
_Static_assert(offsetof(struct arm_cpu, n) == 64, "the flags follow the registers");
_Static_assert(offsetof(struct arm_cpu, z) == 65, "z");
_Static_assert(offsetof(struct arm_cpu, c) == 66, "c");
_Static_assert(offsetof(struct arm_cpu, v) == 67, "v");
_Static_assert(offsetof(struct arm_cpu, q) == 68, "q");
_Static_assert(offsetof(struct arm_cpu, thumb) == 69, "thumb");
_Static_assert(offsetof(struct arm_cpu, interrupt) == 72, "interrupt");
_Static_assert(offsetof(struct arm_cpu, tls) == 76, "tls");
_Static_assert(offsetof(struct arm_cpu, lazy.right) == 80, "aligned, for a store of eight bytes");
_Static_assert(offsetof(struct arm_cpu, lazy.nz) == 84, "one word says which flags are lazy");
_Static_assert(sizeof(_Atomic uint32_t) == 4, "emitted code reads interrupt as a plain word");

/* The CPSR as MRS in user mode and a signal frame show it. */
uint32_t arm_cpsr(const struct arm_cpu *cpu);

/*
 * Sets N, Z, C, V, Q, GE and the instruction set from a CPSR, as the return from a
 * signal does. All other bits are the kernel's and are ignored.
 */
void arm_set_cpsr(struct arm_cpu *cpu, uint32_t cpsr);

/* Does condition cond (0..15) hold? 14 and 15 always do. */
bool arm_condition(const struct arm_cpu *cpu, unsigned cond);

/* What an instruction at r[15] reads in R15: two instructions ahead of itself. */
static inline uint32_t arm_read_pc(const struct arm_cpu *cpu)
{
    return cpu->r[ARM_PC] + (cpu->thumb ? 4 : 8);
}

#endif
