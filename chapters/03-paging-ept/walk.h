/*
 * walk.h: what a linear address means, as the processor finds out.
 *
 * The guest's page tables lie in the guest's memory. walk() reads them as the
 * processor does and answers as it does: with a guest-physical address, or with
 * the page fault and its error code. It knows the four formats of the x86:
 *
 *     CR0.PG=0                     none: the address is its own translation
 *     CR4.PAE=0                    32-bit: 2 levels of 4-byte entries, 4 KiB, 4 MiB
 *     CR4.PAE=1, EFER.LME=0        PAE: 3 levels of 8-byte entries, 4 KiB, 2 MiB
 *     EFER.LME=1                   4 levels, or 5 with CR4.LA57; 4 KiB, 2 MiB, 1 GiB
 *
 * Each entry is read from memory once. No table, however wild, makes a walk longer
 * than five reads: the level falls by one with each, and nothing else decides.
 *
 * No KVM here. [SDM3, 4 "Paging"; APM2, 5 "Page Translation and Protection"]
 */
#ifndef CHAPTER_03_WALK_H
#define CHAPTER_03_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/memory.h"
#include "common/bits.h"

/* Control registers [SDM3, 2.5 "Control Registers"] and EFER [SDM3, 2.2.1 "Extended
 * Feature Enable Register"]: the bits on which a walk depends. */
#define CR0_PE    0x00000001u
#define CR0_WP    0x00010000u
#define CR0_PG    0x80000000u
#define CR4_PSE   0x00000010u
#define CR4_PAE   0x00000020u
#define CR4_LA57  0x00001000u
#define CR4_SMEP  0x00100000u
#define CR4_SMAP  0x00200000u
#define EFER_LME  0x00000100u
#define EFER_LMA  0x00000400u
#define EFER_NXE  0x00000800u
#define RFLAGS_AC 0x00040000u

/* [pte] */
/* A paging-structure entry. [SDM3, 4.5 "4-Level Paging", Figure 4-11] */
#define PTE_P    UINT64_C(0x01) /* present: all other bits mean something */
#define PTE_W    UINT64_C(0x02) /* writable */
#define PTE_U    UINT64_C(0x04) /* user mode may use it */
#define PTE_A    UINT64_C(0x20) /* accessed: set by the processor */
#define PTE_D    UINT64_C(0x40) /* dirty: set by the processor, in the last entry */
#define PTE_PS   UINT64_C(0x80) /* page size: this entry is the last one */
#define PTE_G    UINT64_C(0x100)
#define PTE_NX   BIT(63) /* no instruction may be fetched */
#define PTE_ADDR UINT64_C(0x000ffffffffff000)
/* [/pte] */

/* [error-code] */
/* The error code that a page fault pushes. [SDM3, 4.7 "Page-Fault Exceptions"] */
#define PF_P    0x01u /* 0: an entry was not present; 1: present, but forbidden */
#define PF_W    0x02u /* the access was a write */
#define PF_U    0x04u /* the access was made in user mode */
#define PF_RSVD 0x08u /* a reserved bit was set in an entry */
#define PF_I    0x10u /* the access was an instruction fetch */
/* [/error-code] */

/* The processor's half of a translation. */
struct paging {
    uint64_t cr0, cr3, cr4, efer, rflags;
    unsigned maxphyaddr;  /* physical address bits, 36 to 52: CPUID 80000008H */
    bool gib_pages;       /* 1 GiB pages exist: CPUID 80000001H */
    unsigned pse36_width; /* address bits of a 4 MiB page: 32, 36 (KVM) or 40 */
};

/* What an access is; or them together. */
enum {
    WALK_READ = 0,
    WALK_WRITE = 1,
    WALK_FETCH = 2,    /* not together with WALK_WRITE */
    WALK_USER = 4,     /* made at CPL 3 */
    WALK_IMPLICIT = 8, /* by the processor itself (descriptor tables, TSS): AC is no excuse */
    WALK_SET_AD = 16,  /* set accessed and dirty bits, as the processor does */
};

enum walk_status {
    WALK_OK,
    WALK_PAGE_FAULT,    /* #PF with error_code, CR2 = the address */
    WALK_NON_CANONICAL, /* #GP (#SS for the stack): not even an address */
    WALK_NO_TABLE,      /* an entry lies where the guest has no RAM: see walk() */
};

/* Why a page fault, or why not: the first rule that was broken. */
enum walk_reason {
    WALK_ALLOWED,
    WALK_NOT_PRESENT,
    WALK_RESERVED,
    WALK_IS_SUPERVISOR, /* user access to a supervisor page */
    WALK_IS_READ_ONLY,
    WALK_IS_NX,
    WALK_BY_SMEP, /* the kernel fetches from a user page */
    WALK_BY_SMAP, /* the kernel reads or writes a user page */
};

#define WALK_STEPS_MAX 5u

struct walk_step {
    unsigned level; /* 5 PML5 ... 2 page directory, 1 page table */
    unsigned index; /* which entry of its table */
    gpa_t entry_at; /* where the entry lies */
    uint64_t entry; /* what it was when it was read */
};

struct walk {
    enum walk_status status;
    enum walk_reason reason;
    uint32_t error_code;             /* if status is WALK_PAGE_FAULT */
    gpa_t gpa;                       /* if WALK_OK: the translation of the whole address */
    uint64_t page_size;              /* if WALK_OK; 0 with paging off */
    bool writable, user, executable; /* all levels together, without CR0.WP and friends */
    unsigned step_count;
    struct walk_step steps[WALK_STEPS_MAX];
};

/* How many levels of tables these registers ask for: 0 (paging off), 2, 3, 4, 5. */
unsigned walk_levels(const struct paging *paging);

/*
 * Translates linear for an access. The guest's memory changes only with
 * WALK_SET_AD, and only where the access is allowed. (What a walk that ends in a
 * fault does to the accessed bits on its way is left open by the manuals.)
 *
 * WALK_NO_TABLE: real hardware reads whatever the bus answers at such an address;
 * KVM's walker reports "not present". Either way nothing can come of it, so the
 * walk stops and names the place in the last step.
 */
struct walk walk(const struct guest_memory *memory, const struct paging *paging, uint64_t linear,
                 unsigned access);

/* Would MOV to CR3 take these PAE pointers, or is it #GP? True outside PAE, too. */
bool walk_pdptes_valid(const struct guest_memory *memory, const struct paging *paging);

/* "PML4" for level 4, and so on. */
const char *walk_level_name(unsigned level);

/* "a reserved bit is set", and so on. */
const char *walk_reason_text(enum walk_reason reason);

#endif
