/*
 * entry.h: the state of the first processor when the kernel gets it.
 *
 * A PC starts in real mode and climbs to long mode step by step (chapter 2). A
 * VMM need not climb: it writes the registers of a processor that has already
 * arrived. Two places to arrive at:
 *
 *     ENTRY_LONG        paging on with low memory mapped to itself, flat segments at
 *                       selectors 0x10 and 0x18, interrupts off, the zero page's address
 *                       in RSI                       [BOOT, "64-bit Boot Protocol"]
 *     ENTRY_PROTECTED   32-bit, paging off, the same selectors, interrupts off, an
 *                       address in EBX, for Multiboot also a magic number in EAX
 *                       [PVH, "Direct boot ABI"], [MULTIBOOT, 3.2 "Machine state"]
 *
 *     boot_load(&request, &entry, &why);          writes the guest's memory
 *     vcpu_get_sregs(&vcpu, &sregs);
 *     entry_registers(&entry, &sregs, &regs);     fills both
 *     vcpu_set_sregs(&vcpu, &sregs);
 *     vcpu_set_regs(&vcpu, &regs);
 */
#ifndef CHAPTER_07_ENTRY_H
#define CHAPTER_07_ENTRY_H

#include <linux/kvm.h>

#include "01-kvm-hello/memory.h"

enum entry_mode { ENTRY_LONG, ENTRY_PROTECTED };

struct boot_entry {
    enum entry_mode mode;
    gpa_t rip;    /* first instruction */
    gpa_t rsi;    /* ENTRY_LONG: the zero page */
    gpa_t rbx;    /* ENTRY_PROTECTED: what the protocol tells the kernel by, ... */
    uint32_t rax; /* ... and the protocol's number, or 0 */
    gpa_t rsp;    /* a small stack, for kernels that bring none */
    gpa_t cr3;    /* page tables that map the first 4 GiB to themselves, or 0 */
    gpa_t gdt;    /* descriptors: null, null, flat code, flat data */
};

/*
 * Writes the GDT and, for ENTRY_LONG, the page tables where layout.h says; below 1 MiB is
 * RAM.
 */
void entry_write_tables(const struct guest_memory *memory, enum entry_mode mode);

/*
 * Fills regs entirely and, of sregs, what 64-bit mode needs; what it does not
 * touch (the APIC base, pending interrupts) keeps the value KVM_GET_SREGS gave.
 */
void entry_registers(const struct boot_entry *entry, struct kvm_sregs *sregs,
                     struct kvm_regs *regs);

#endif
