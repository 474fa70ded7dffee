/*
 * x86.h: the bits of the control registers, EFER, RFLAGS and descriptors.
 *
 * Names are the manual's, prefixed by their register. [SDM3, 2.5 "Control Registers",
 * 2.2.1 "Extended Feature Enable Register", 3.4.5 "Segment Descriptors"; APM2, 3.1
 * "System-Control Registers"]
 */
#ifndef CHAPTER_02_X86_H
#define CHAPTER_02_X86_H

#include "common/bits.h"

#define CR0_PE         BIT(0)  /* protection enable */
#define CR0_MP         BIT(1)  /* monitor coprocessor */
#define CR0_EM         BIT(2)  /* emulate the FPU */
#define CR0_TS         BIT(3)  /* task switched */
#define CR0_ET         BIT(4)  /* extension type: always 1 */
#define CR0_NE         BIT(5)  /* numeric error */
#define CR0_WP         BIT(16) /* write protect, for ring 0 too */
#define CR0_AM         BIT(18) /* alignment mask */
#define CR0_NW         BIT(29) /* not write-through */
#define CR0_CD         BIT(30) /* cache disable */
#define CR0_PG         BIT(31) /* paging */

#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_PGE        BIT(7)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_VMXE       BIT(13)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)

#define EFER_SCE       BIT(0)  /* SYSCALL and SYSRET */
#define EFER_LME       BIT(8)  /* long mode wanted */
#define EFER_LMA       BIT(10) /* long mode active: LME and CR0.PG */
#define EFER_NXE       BIT(11)
#define EFER_SVME      BIT(12)

#define RFLAGS_TF      BIT(8)
#define RFLAGS_VM      BIT(17)

/* kvm_segment.type of a code or data descriptor (s = 1): bits 3..0. */
#define SEG_ACCESSED   0x1u
#define SEG_WRITABLE   0x2u /* of data */
#define SEG_READABLE   0x2u /* of code */
#define SEG_CONFORMING 0x4u /* of code */
#define SEG_CODE       0x8u

/* ... and of a system descriptor (s = 0). */
#define SYS_TSS16_BUSY 0x3u
#define SYS_LDT        0x2u
#define SYS_TSS_BUSY   0xbu

/* A selector: index, table (0 the GDT, 1 the LDT), requested privilege level. */
#define SELECTOR_RPL 0x3u
#define SELECTOR_TI  0x4u

/* Page-table entries, as far as an identity map needs them. Chapter 3 has the rest. */
#define PTE_P  BIT(0)
#define PTE_W  BIT(1)
#define PTE_PS BIT(7) /* in a page directory: this entry is a 2 MiB page */

/*
 * Is the address one that 48-bit linear addressing can have: bits 63..47 alike?
 * [SDM1, 3.3.7.1 "Canonical Addressing"]
 */
static inline bool is_canonical(uint64_t address)
{
    uint64_t top = address >> 47;

    return top == 0 || top == 0x1ffff;
}

#endif
