/*
 * paging_regs.c: see paging_regs.h.
 *
 * Open at hand: [SDM2, 3.2 "Instructions (A-L)"], CPUID; [SDM3, 3.4.5 "Segment
 * Descriptors"]. The GDT that these hidden segment parts would come from need not
 * exist as long as the guest loads no segment register.
 */
#define _GNU_SOURCE /* sigset_t, in kvm.h */
#include "03-paging-ept/paging_regs.h"

#include <stdlib.h>

#include "common/bits.h"

#define CPUID_FEATURES      0x00000007u
#define CPUID_7_EBX_SMEP    BIT(7)
#define CPUID_7_EBX_SMAP    BIT(20)
#define CPUID_7_ECX_LA57    BIT(16)
#define CPUID_EXTENDED      0x80000001u
#define CPUID_EXT_EDX_NX    BIT(20)
#define CPUID_EXT_EDX_1G    BIT(26)
#define CPUID_ADDRESS_SIZES 0x80000008u

/* Types of a descriptor. [SDM3, Table 3-1 "Code- and Data-Segment Types"] */
#define SEG_CODE 11u /* execute, read, accessed */
#define SEG_DATA 3u  /* read, write, accessed */

struct paging_features paging_features(const struct vm *vm)
{
    struct paging_features f = {.maxphyaddr = 36};
    struct kvm_cpuid2 *cpuid = vm_supported_cpuid(vm);

    for (unsigned i = 0; i < cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *leaf = &cpuid->entries[i];

        if (leaf->function == CPUID_FEATURES && leaf->index == 0) {
            f.smep = leaf->ebx & CPUID_7_EBX_SMEP;
            f.smap = leaf->ebx & CPUID_7_EBX_SMAP;
            f.la57 = leaf->ecx & CPUID_7_ECX_LA57;
        }
        if (leaf->function == CPUID_EXTENDED) {
            f.nx = leaf->edx & CPUID_EXT_EDX_NX;
            f.gib_pages = leaf->edx & CPUID_EXT_EDX_1G;
        }
        if (leaf->function == CPUID_ADDRESS_SIZES)
            f.maxphyaddr = leaf->eax & 0xff;
    }
    free(cpuid);
    return f;
}

struct paging paging_of(const struct vcpu *vcpu, const struct paging_features *features)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    vcpu_get_sregs(vcpu, &sregs);
    vcpu_get_regs(vcpu, &regs);
    return (struct paging){
        .cr0 = sregs.cr0,
        .cr3 = sregs.cr3,
        .cr4 = sregs.cr4,
        .efer = sregs.efer,
        .rflags = regs.rflags,
        .maxphyaddr = features->maxphyaddr,
        .gib_pages = features->gib_pages,
        .pse36_width = 36,
    };
}

void vcpu_set_paging(const struct vcpu *vcpu, const struct paging *paging, uint64_t rip,
                     uint64_t rsp)
{
    bool is_64 = paging->efer & EFER_LME;
    struct kvm_segment code = {
        .limit = 0xffffffff,
        .selector = 8,
        .type = SEG_CODE,
        .present = 1,
        .s = 1,
        .g = 1,
        .l = is_64,
        .db = !is_64,
    };
    struct kvm_segment data = {
        .limit = 0xffffffff,
        .selector = 16,
        .type = SEG_DATA,
        .present = 1,
        .s = 1,
        .g = 1,
        .db = 1,
    };
    struct kvm_regs regs = {.rip = rip, .rsp = rsp, .rflags = RFLAGS_ONE | paging->rflags};
    struct kvm_sregs sregs;

    vcpu_get_sregs(vcpu, &sregs);
    sregs.cs = code;
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = data;
    sregs.cr0 = paging->cr0 | CR0_PE;
    sregs.cr3 = paging->cr3;
    sregs.cr4 = paging->cr4;
    sregs.efer = paging->efer | (is_64 && (paging->cr0 & CR0_PG) ? EFER_LMA : 0);
    vcpu_set_sregs(vcpu, &sregs);
    vcpu_set_regs(vcpu, &regs);
}
