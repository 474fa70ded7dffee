/*
 * entry.c: a processor that is in 64-bit mode before its first instruction.
 *
 * GDT, at LAYOUT_GDT:                        page tables:
 *
 *     0x00  null                             CR3 -> PML4[0] -> PDPT[0..3]
 *     0x08  null                                                 |
 *     0x10  code: flat, 64-bit     CS          four directories <+
 *     0x18  data: flat             DS ES SS    of 512 entries, each of which maps
 *                                              2 MiB to itself: 4 GiB in all
 *
 * A processor keeps of each segment register a hidden copy of the descriptor; KVM
 * sets it directly. The table in memory only matters when the kernel loads a
 * selector, so both must say the same: one list feeds both.
 *
 * Open at hand: [SDM3, 3.4.5 "Segment Descriptors"], [SDM3, 4.5 "4-Level Paging"],
 * [SDM3, 26.3.1 "Checks on the Guest State Area"] for what Intel's processors
 * demand of such a state (AMD's demand less).
 *
 * The 32-bit entry is the same without page tables, with a code segment of 32 bits.
 *
 * Left out on purpose: other processors (Linux starts them itself), interrupts and
 * TSS in memory (Linux builds its own).
 */
#define _GNU_SOURCE /* for the sigset_t in kvm.h */
#include "07-linux-boot/entry.h"

#include <assert.h>
#include <string.h>

#include "01-kvm-hello/kvm.h"
#include "07-linux-boot/layout.h"
#include "common/bits.h"

/* [SDM3, 2.5 "Control Registers"], [SDM3, 2.2.1 "Extended Feature Enable Register"] */
#define CR0_PE   BIT(0)  /* protected mode */
#define CR0_ET   BIT(4)  /* always 1 */
#define CR0_NE   BIT(5)  /* Intel demands it in VMX operation */
#define CR0_PG   BIT(31) /* paging */
#define CR4_PAE  BIT(5)  /* wide page-table entries, as 64-bit mode has them */
#define EFER_LME BIT(8)  /* long mode enabled */
#define EFER_LMA BIT(10) /* and active */

/* [SDM3, 4.5 "4-Level Paging"] */
#define PTE_P          BIT(0) /* present */
#define PTE_RW         BIT(1) /* writable */
#define PTE_PS         BIT(7) /* in a directory: a 2 MiB page, not a table */

#define TABLE_ENTRIES  512u
#define DIRECTORIES    4u
#define DIRECTORY_PAGE (2 * MIB)

#define SELECTOR_CODE  0x10u /* __BOOT_CS */
#define SELECTOR_DATA  0x18u /* __BOOT_DS */
#define GDT_ENTRIES    4u

/* [SDM3, 3.4.5.1 "Code- and Data-Segment Descriptor Types"], accessed bit set */
#define TYPE_CODE 0xbu /* execute, read */
#define TYPE_DATA 0x3u /* read, write */
/* [SDM3, 3.5 "System Descriptor Types"] */
#define TYPE_LDT      0x2u
#define TYPE_TSS_BUSY 0xbu

#define FLAT_LIMIT    0xffffffffu
#define TSS_LIMIT     0x67u /* [SDM3, 7.7 "Task Management in 64-bit Mode"] */

static const struct kvm_segment code = {
    .selector = SELECTOR_CODE,
    .limit = FLAT_LIMIT,
    .type = TYPE_CODE,
    .s = 1, /* code or data, not a system segment */
    .l = 1, /* 64-bit code */
    .g = 1, /* the limit counts pages */
    .present = 1,
};

static const struct kvm_segment code_32 = {
    .selector = SELECTOR_CODE,
    .limit = FLAT_LIMIT,
    .type = TYPE_CODE,
    .s = 1,
    .db = 1, /* 32-bit code */
    .g = 1,
    .present = 1,
};

static const struct kvm_segment data = {
    .selector = SELECTOR_DATA,
    .limit = FLAT_LIMIT,
    .type = TYPE_DATA,
    .s = 1,
    .db = 1, /* 32-bit, where it matters */
    .g = 1,
    .present = 1,
};

/* Nobody switches tasks here, yet a processor must have a busy TSS. */
static const struct kvm_segment task = {
    .limit = TSS_LIMIT,
    .type = TYPE_TSS_BUSY,
    .present = 1,
};

static const struct kvm_segment no_ldt = {
    .type = TYPE_LDT,
    .unusable = 1,
};

/*
 * A descriptor as the processor reads it. The base is 0.
 *
 *  63      56 55 54 53 52 51     48 47 46 45 44 43  40 39      16 15       0
 * | base 31:24| G| D| L| 0|lim 19:16| P| DPL |S | type |base 23:0 |lim 15:0 |
 */
static uint64_t descriptor(const struct kvm_segment *segment)
{
    uint64_t limit = segment->g ? segment->limit / GUEST_PAGE_SIZE : segment->limit;

    return bits(limit, 15, 0) | (uint64_t)segment->type << 40 | (uint64_t)segment->s << 44 |
           (uint64_t)segment->dpl << 45 | (uint64_t)segment->present << 47 |
           bits(limit, 19, 16) << 48 | (uint64_t)segment->l << 53 | (uint64_t)segment->db << 54 |
           (uint64_t)segment->g << 55;
}

static const struct kvm_segment *code_of(enum entry_mode mode)
{
    return mode == ENTRY_LONG ? &code : &code_32;
}

static void write_gdt(const struct guest_memory *memory, enum entry_mode mode)
{
    uint64_t gdt[GDT_ENTRIES] = {
        [SELECTOR_CODE / 8] = descriptor(code_of(mode)),
        [SELECTOR_DATA / 8] = descriptor(&data),
    };
    uint8_t *page = guest_ptr(memory, LAYOUT_GDT, sizeof gdt);

    assert(page);
    memcpy(page, gdt, sizeof gdt);
}

static void write_page_tables(const struct guest_memory *memory)
{
    uint64_t *pml4 = guest_ptr(memory, LAYOUT_PML4, GUEST_PAGE_SIZE);
    uint64_t *pdpt = guest_ptr(memory, LAYOUT_PDPT, GUEST_PAGE_SIZE);
    uint64_t *directories = guest_ptr(memory, LAYOUT_DIRECTORIES, DIRECTORIES * GUEST_PAGE_SIZE);

    assert(pml4 && pdpt && directories);
    pml4[0] = LAYOUT_PDPT | PTE_P | PTE_RW;
    for (unsigned i = 0; i < DIRECTORIES; i++)
        pdpt[i] = (LAYOUT_DIRECTORIES + i * GUEST_PAGE_SIZE) | PTE_P | PTE_RW;
    for (unsigned i = 0; i < DIRECTORIES * TABLE_ENTRIES; i++) /* they are adjacent */
        directories[i] = i * DIRECTORY_PAGE | PTE_P | PTE_RW | PTE_PS;
}

void entry_write_tables(const struct guest_memory *memory, enum entry_mode mode)
{
    write_gdt(memory, mode);
    if (mode == ENTRY_LONG)
        write_page_tables(memory);
}

/* [entry-registers] */
void entry_registers(const struct boot_entry *entry, struct kvm_sregs *sregs, struct kvm_regs *regs)
{
    *regs = (struct kvm_regs){
        .rip = entry->rip,
        .rax = entry->rax,
        .rbx = entry->rbx,
        .rsi = entry->rsi,
        .rsp = entry->rsp,
        .rflags = RFLAGS_ONE, /* interrupts off */
    };

    sregs->cs = *code_of(entry->mode);
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->tr = task;
    sregs->ldt = no_ldt;
    sregs->gdt = (struct kvm_dtable){
        .base = entry->gdt,
        .limit = GDT_ENTRIES * sizeof(uint64_t) - 1,
    };
    sregs->idt = (struct kvm_dtable){.limit = 0}; /* an exception now is the end */

    sregs->cr0 = CR0_PE | CR0_ET | CR0_NE;
    sregs->cr2 = 0;
    sregs->cr3 = entry->cr3;
    sregs->cr4 = 0;
    sregs->efer = 0;
    if (entry->mode == ENTRY_LONG) {
        sregs->cr0 |= CR0_PG;
        sregs->cr4 = CR4_PAE;
        sregs->efer = EFER_LME | EFER_LMA;
    }
}
/* [/entry-registers] */
