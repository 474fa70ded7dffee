/*
 * entry.c: see entry.h.
 *
 * Open at hand: [SDM3, 9.8 "Software Initialization for Protected-Mode Operation" and
 * 9.8.5 "Initializing IA-32e Mode"], which list what a guest would have to do, and
 * 26.3.1 "Checks on the Guest State Area", which says what we must get right instead.
 * Left out on purpose: an IDT. A guest entered so takes no interrupts until it makes
 * one, and its first exception is its last.
 */
#include "02-protected-mode/entry.h"

#include <assert.h>
#include <string.h>

#include "01-kvm-hello/kvm.h"
#include "02-protected-mode/segment.h"
#include "02-protected-mode/x86.h"

#define GDT_ENTRIES 5u

/* VM entry wants a task segment in TR, busy, even of a guest that never uses one. */
static struct kvm_segment task_segment(void)
{
    return (struct kvm_segment){
        .selector = ENTRY_TSS,
        .limit = 0x67, /* the smallest that a TSS can have */
        .type = SYS_TSS_BUSY,
        .present = 1,
    };
}

static void write_u64(const struct guest_memory *memory, gpa_t at, uint64_t value)
{
    void *to = guest_ptr(memory, at, sizeof value);

    assert(to); /* the addresses are ours, and the contract says ENTRY_RAM */
    memcpy(to, &value, sizeof value);
}

/* [tables] */
void entry_tables(const struct guest_memory *memory)
{
    const gpa_t pml4 = ENTRY_TABLES, pdpt = pml4 + 0x1000, directory = pdpt + 0x1000;
    const struct kvm_segment segments[] = {
        segment_code32(ENTRY_CODE32, 0),
        segment_data(ENTRY_DATA, 0),
        segment_code64(ENTRY_CODE64, 0),
        task_segment(),
    };

    /* Descriptor 0 stays empty: selector 0 means "no segment". */
    for (unsigned i = 0; i < ARRAY_SIZE(segments); i++)
        write_u64(memory, ENTRY_GDT + segments[i].selector, segment_pack(&segments[i]));

    /* Three levels, one entry each: the first 2 MiB are mapped to themselves. */
    write_u64(memory, pml4, pdpt | PTE_W | PTE_P);
    write_u64(memory, pdpt, directory | PTE_W | PTE_P);
    write_u64(memory, directory, 0 | PTE_PS | PTE_W | PTE_P);
}
/* [/tables] */

void entry_protected(struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    struct kvm_segment data = segment_data(ENTRY_DATA, 0);

    sregs->cs = segment_code32(ENTRY_CODE32, 0);
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->tr = task_segment();
    sregs->ldt = (struct kvm_segment){.unusable = 1};
    sregs->gdt = (struct kvm_dtable){.base = ENTRY_GDT, .limit = GDT_ENTRIES * 8 - 1};
    sregs->idt = (struct kvm_dtable){0};
    sregs->cr0 = CR0_ET | CR0_PE;
    sregs->cr4 = 0;
    sregs->efer = 0;
    *regs = (struct kvm_regs){.rip = ENTRY_PAYLOAD, .rsp = ENTRY_STACK, .rflags = RFLAGS_ONE};
}

/* [long] */
void entry_long(struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    entry_protected(regs, sregs);
    sregs->cs = segment_code64(ENTRY_CODE64, 0);
    sregs->cr3 = ENTRY_TABLES;
    sregs->cr4 = CR4_PAE;
    sregs->cr0 |= CR0_PG;
    sregs->efer = EFER_LME | EFER_LMA; /* LMA too: nobody derives it for us */
}
/* [/long] */
