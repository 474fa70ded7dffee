/*
 * sregs_rules.c: the rules of sregs_check.h in words, one row each.
 *
 * Section numbers are those of the editions in book/references.md. Intel's chapter 26
 * is "VM Entries"; the wording here is ours.
 */
#include "02-protected-mode/sregs_check.h"

#include <assert.h>

#define CR    "[SDM3, 26.3.1.1 \"Checks on Guest Control Registers, Debug Registers, and MSRs\"]"
#define SEG   "[SDM3, 26.3.1.2 \"Checks on Guest Segment Registers\"]"
#define TABLE "[SDM3, 26.3.1.3 \"Checks on Guest Descriptor-Table Registers\"]"
#define RIP   "[SDM3, 26.3.1.4 \"Checks on Guest RIP and RFLAGS\"]"
#define AMD   "[APM2, 15.5.1 \"Basic Operation\"]"

/* [rules] */
static const struct sregs_words rules[RULE_COUNT] = {
    [RULE_CR0_RESERVED] = {"cr0-reserved", SREGS_REFUSED, AMD, "clear bits 63 to 32 of CR0"},
    [RULE_CR0_PG_NEEDS_PE] = {"cr0-pg-needs-pe", SREGS_REFUSED, CR,
                              "set CR0.PE too: there is no paging in real mode"},
    [RULE_CR0_NW_NEEDS_CD] = {"cr0-nw-needs-cd", SREGS_REFUSED, AMD,
                              "clear CR0.NW, or set CR0.CD as after reset"},
    [RULE_CR3_WIDTH] = {"cr3-width", SREGS_REFUSED, CR,
                        "CR3 holds a physical address: clear bits 63 to 52"},
    [RULE_CR4_RESERVED] = {"cr4-reserved", SREGS_REFUSED, CR,
                           "clear the bits of CR4 that no processor defines"},
    [RULE_CR4_PCIDE_NEEDS_LONG] = {"cr4-pcide-needs-long", SREGS_REFUSED, CR,
                                   "clear CR4.PCIDE, or enter long mode (EFER.LMA)"},
    [RULE_EFER_RESERVED] = {"efer-reserved", SREGS_REFUSED, CR,
                            "clear the bits of EFER that no processor defines"},
    [RULE_LONG_NEEDS_PAE] = {"long-needs-pae", SREGS_REFUSED, CR,
                             "set CR4.PAE: long mode's tables have entries of eight bytes"},
    [RULE_LMA_MATCHES] = {"lma-matches", SREGS_REFUSED, CR,
                          "make EFER.LMA what a processor would: LME and CR0.PG, both"},
    /* [/rules] */
    [RULE_RFLAGS_ONE] = {"rflags-one", SREGS_REFUSED, RIP, "set bit 1: RFLAGS is never 0"},
    [RULE_RFLAGS_RESERVED] = {"rflags-reserved", SREGS_REFUSED, RIP,
                              "clear bits 3, 5, 15 and 22 to 63 of RFLAGS"},
    [RULE_RFLAGS_VM] = {"rflags-vm", SREGS_REFUSED, RIP,
                        "clear RFLAGS.VM: virtual-8086 mode needs CR0.PE and excludes long mode"},
    [RULE_RIP_WIDTH] = {"rip-width", SREGS_REFUSED, RIP,
                        "clear bits 63 to 32 of RIP, or make CS a 64-bit segment"},
    [RULE_RIP_CANONICAL] = {"rip-canonical", SREGS_REFUSED, RIP,
                            "bits 63 to 47 of RIP must be alike"},
    [RULE_CS_L_NEEDS_LONG] = {"cs-l-needs-long", SREGS_REFUSED,
                              "[SDM3, 5.2.1 \"Code-Segment Descriptor in 64-bit Mode\"]",
                              "clear CS.L, or set EFER.LME, EFER.LMA, CR0.PG and CR4.PAE"},
    [RULE_CS_L_AND_D] = {"cs-l-and-d", SREGS_REFUSED, SEG,
                         "clear CS.D: a 64-bit code segment has L = 1 and D = 0"},
    [RULE_CS_TYPE] = {"cs-type", SREGS_REFUSED, SEG,
                      "CS must be code: type 9, 11, 13 or 15 (in real mode 3, too)"},
    [RULE_CS_DPL] = {"cs-dpl", SREGS_REFUSED, SEG, "make CS.DPL what SS.DPL is: that is the ring"},
    [RULE_SS_TYPE] = {"ss-type", SREGS_REFUSED, SEG,
                      "SS must be writable data: type 3 or 7, or unusable"},
    [RULE_SS_DPL_REAL] = {"ss-dpl-real", SREGS_REFUSED, SEG,
                          "real mode is ring 0: set SS.DPL to 0"},
    [RULE_SS_RPL] = {"ss-rpl", SREGS_OLD, SEG,
                     "make the low two bits of SS, those of CS and SS.DPL one number"},
    [RULE_SEG_SYSTEM] = {"segment-system", SREGS_REFUSED, SEG,
                         "set S: this register holds code or data, not a system segment"},
    [RULE_SEG_NOT_PRESENT] = {"segment-not-present", SREGS_REFUSED, SEG,
                              "set P, or mark the segment unusable"},
    [RULE_SEG_TYPE] = {"segment-type", SREGS_REFUSED, SEG,
                       "code in a data register must be readable: set bit 1 of the type"},
    [RULE_SEG_ACCESSED] = {"segment-accessed", SREGS_OLD, SEG,
                           "set bit 0 of the type; where it can, KVM does it for you"},
    [RULE_SEG_DPL] = {"segment-dpl", SREGS_OLD, SEG,
                      "DPL may not be below the selector's RPL, except for conforming code"},
    [RULE_SEG_BASE_WIDTH] = {"base-width", SREGS_REFUSED, SEG,
                             "clear bits 63 to 32 of the base; only FS, GS, TR and LDTR have them"},
    [RULE_SEG_BASE_CANONICAL] = {"base-canonical", SREGS_REFUSED, SEG,
                                 "bits 63 to 47 of the base must be alike"},
    [RULE_LIMIT_NEEDS_G] = {"limit-needs-g", SREGS_REFUSED, SEG,
                            "set G: a limit of 1 MiB or more counts in pages"},
    [RULE_G_NEEDS_LIMIT] = {"g-needs-limit", SREGS_REFUSED, SEG,
                            "clear G, or end the limit in 0xfff: KVM's limits are in bytes"},
    [RULE_V8086_SEGMENT] = {"v8086-segment", SREGS_REFUSED, SEG,
                            "base = selector * 16, limit 0xffff, type 3, ring 3"},
    [RULE_TR_UNUSABLE] = {"tr-unusable", SREGS_REFUSED, SEG,
                          "TR must be usable, even if the guest never loads it"},
    [RULE_TR_LOCAL] = {"tr-local", SREGS_REFUSED, SEG,
                       "clear bit 2 of TR's selector: a TSS is in the GDT"},
    [RULE_TR_TYPE] = {"tr-type", SREGS_REFUSED, SEG,
                      "set type 11, a busy TSS (outside long mode 3, a 16-bit one, will do)"},
    [RULE_TR_SYSTEM] = {"tr-system", SREGS_REFUSED, SEG, "clear S: a TSS is a system segment"},
    [RULE_TR_NOT_PRESENT] = {"tr-not-present", SREGS_REFUSED, SEG, "set P of TR"},
    [RULE_LDTR_LOCAL] = {"ldtr-local", SREGS_REFUSED, SEG,
                         "clear bit 2 of LDTR's selector: an LDT is in the GDT"},
    [RULE_LDTR_TYPE] = {"ldtr-type", SREGS_REFUSED, SEG, "set type 2, or mark LDTR unusable"},
    [RULE_LDTR_SYSTEM] = {"ldtr-system", SREGS_REFUSED, SEG, "clear S: an LDT is a system segment"},
    [RULE_LDTR_NOT_PRESENT] = {"ldtr-not-present", SREGS_REFUSED, SEG,
                               "set P, or mark LDTR unusable"},
    [RULE_TABLE_BASE_CANONICAL] = {"table-base-canonical", SREGS_REFUSED, TABLE,
                                   "bits 63 to 47 of the table's base must be alike"},
    [RULE_GDT_WITHOUT_CS] = {"gdt-without-cs", SREGS_TRAP,
                             "[SDM3, 3.5.1 \"Segment Descriptor Tables\"]",
                             "raise the limit of the GDT: an IRET or far jump to this CS faults"},
    [RULE_IDT_EMPTY] = {"idt-empty", SREGS_TRAP,
                        "[SDM3, 6.10 \"Interrupt Descriptor Table (IDT)\"]",
                        "load an IDT before the first exception, or it is a triple fault"},
};

const struct sregs_words *sregs_rule_words(enum sregs_rule rule)
{
    assert(rule < RULE_COUNT);
    return &rules[rule];
}
