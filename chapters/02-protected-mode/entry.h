/*
 * entry.h: a processor put straight into protected or long mode by its VMM.
 *
 * A guest climbs from real mode by some thirty instructions in the right order. A VMM
 * does not climb: it writes the GDT and the page tables into guest memory, fills
 * struct kvm_sregs with the state at the top, and starts there. Linux's own boot
 * protocols (chapter 7) ask for exactly this.
 *
 *     0x00000  interrupt vectors of real mode
 *     0x01000  the payload                              ENTRY_PAYLOAD
 *     0x0f000  the stack grows down from here; the GDT  ENTRY_GDT
 *     0x10000  page tables: PML4, PDPT, directory       ENTRY_TABLES
 *     0x13000  free
 *
 * The tables map the first 2 MiB to themselves. The functions fill structs and guest
 * memory and touch no vCPU; whoever calls them loads the registers (try_sregs.h).
 */
#ifndef CHAPTER_02_ENTRY_H
#define CHAPTER_02_ENTRY_H

#include <linux/kvm.h>

#include "01-kvm-hello/memory.h"
#include "common/bits.h"

#define ENTRY_PAYLOAD UINT64_C(0x1000)
#define ENTRY_STACK   UINT64_C(0xf000)
#define ENTRY_GDT     UINT64_C(0xf000)
#define ENTRY_TABLES  UINT64_C(0x10000)
#define ENTRY_RAM     (2 * MIB) /* what the guest must have at least */

/* Selectors of the GDT that entry_tables() writes: the index, times eight. */
#define ENTRY_CODE32 0x08u
#define ENTRY_DATA   0x10u
#define ENTRY_CODE64 0x18u
#define ENTRY_TSS    0x20u

/* Writes GDT and page tables. The guest has RAM from 0 to ENTRY_RAM. */
void entry_tables(const struct guest_memory *memory);

/*
 * Start from what KVM_GET_SREGS gives for a new vCPU, and end in ring 0 at
 * ENTRY_PAYLOAD with interrupts off and flat segments: 32-bit without paging, or
 * 64-bit with the identity map.
 */
void entry_protected(struct kvm_regs *regs, struct kvm_sregs *sregs);
void entry_long(struct kvm_regs *regs, struct kvm_sregs *sregs);

#endif
