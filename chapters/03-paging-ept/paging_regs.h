/*
 * paging_regs.h: a vCPU's registers as far as addresses are concerned.
 *
 * Between KVM's struct kvm_sregs, which has everything, and walk.h's struct paging,
 * which has only what decides a translation.
 */
#ifndef CHAPTER_03_PAGING_REGS_H
#define CHAPTER_03_PAGING_REGS_H

#include "01-kvm-hello/kvm.h"
#include "03-paging-ept/walk.h"

/*
 * What the CPUID leaves that this KVM gives its guests say on paging: sets
 * maxphyaddr, gib_pages and pse36_width, and which CR4 bits and EFER bits exist.
 */
struct paging_features {
    unsigned maxphyaddr;
    bool gib_pages, la57, smep, smap, nx;
};
struct paging_features paging_features(const struct vm *vm);

/* The vCPU's registers of this moment. */
struct paging paging_of(const struct vcpu *vcpu, const struct paging_features *features);

/*
 * Starts a vCPU in the middle of things: flat code and data segments of the width
 * that the registers in *paging ask for (64-bit with EFER.LME, else 32-bit, paging
 * on or off), interrupts off, at rip with stack rsp. The caller has given the vCPU
 * its CPUID, and memory holds the tables.
 */
void vcpu_set_paging(const struct vcpu *vcpu, const struct paging *paging, uint64_t rip,
                     uint64_t rsp);

#endif
