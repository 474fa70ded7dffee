/*
 * registers.h: the processor's registers, as gdb numbers and names them.
 *
 * A stub describes its registers to gdb in XML, a row each; from then on both know them by
 * number. Names and groups that gdb knows ("org.gnu.gdb.i386.core") get its pretty printing
 * and its use as program counter, stack pointer and flags; the rest is shown as it is.
 * [GDB, G "Target Descriptions", G.5.15 "x86 Features"]
 *
 * Left out on purpose: mask and ZMM registers, the debug registers (gdb's own), and
 * descriptions of 16 and 32 bits: in every mode a processor shows its 64-bit self.
 */
#ifndef CHAPTER_07_GDB_REGISTERS_H
#define CHAPTER_07_GDB_REGISTERS_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define REGISTER_MAX 16u /* bytes of the longest */
#define REGISTER_RIP 16u /* its number */

/*
 * The start of what XSAVE stores, and KVM_GET_XSAVE gives.
 * [SDM1, 13.4 "XSAVE Area", Table 10-2 "Format of an FXSAVE Area"]
 */
struct fpu_area {
    uint16_t fcw, fsw;
    uint8_t ftw, reserved1;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t reserved2[96];
    uint64_t xstate_bv; /* which components are not as after a reset */
    uint8_t reserved3[56];
    uint8_t ymm_high[16][16];
};
_Static_assert(sizeof(struct fpu_area) == 832 && offsetof(struct fpu_area, ymm_high) == 576,
               "the processor's layout");

#define XSTATE_X87 0x1u
#define XSTATE_SSE 0x2u
#define XSTATE_AVX 0x4u

/* All of a processor that gdb can see. */
struct registers {
    struct kvm_regs general;
    struct kvm_sregs special;
    struct fpu_area floating;
    uint64_t kernel_gs; /* the MSR that SWAPGS swaps with */
};

/* How many there are; each is of 1 to REGISTER_MAX bytes. */
unsigned registers_count(void);
unsigned register_size(unsigned number);

/* The value, lowest byte first, in register_size() bytes. */
void register_read(const struct registers *registers, unsigned number, uint8_t *bytes);

/*
 * False, and nothing changed: no processor could have that value there. Selectors can't be
 * written, as that would not load the segment.
 */
bool register_write(struct registers *registers, unsigned number, const uint8_t *bytes);

/* The XML. */
void registers_describe(FILE *out);

#endif
