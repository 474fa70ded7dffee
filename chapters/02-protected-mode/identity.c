/*
 * identity.c: see identity.h.
 *
 * Open at hand: [SDM2, 3.2 "Instructions (A-L)"], CPUID, and Linux's "KVM CPUID bits".
 * Left out on purpose: the processor's name and features, which stay the host's.
 */
#include "02-protected-mode/identity.h"

#include <stdlib.h>
#include <string.h>

#include "02-protected-mode/hypercall.h"
#include "common/bits.h"

#define LEAF1_ECX_VMX         BIT(5)
#define LEAF1_ECX_HYPERVISOR  BIT(31)
#define LEAF80000001_ECX_SVM  BIT(2)
#define LEAF_SERIAL           3u
#define LEAF_EXTENDED_FEATURE 0x80000001u

/* [edit] */
static void edit(struct kvm_cpuid_entry2 *leaf)
{
    switch (leaf->function) {
    case 1:
        leaf->ecx |= (uint32_t)LEAF1_ECX_HYPERVISOR;
        leaf->ecx &= (uint32_t)~LEAF1_ECX_VMX;
        break;
    case LEAF_SERIAL: leaf->eax = leaf->ebx = leaf->ecx = leaf->edx = 0; break;
    case LEAF_EXTENDED_FEATURE: leaf->ecx &= (uint32_t)~LEAF80000001_ECX_SVM; break;
    case IDENTITY_BASE: leaf->eax += IDENTITY_NEXT - IDENTITY_BASE; break;
    }
    if (leaf->function >= IDENTITY_BASE && leaf->function < IDENTITY_NEXT)
        leaf->function += IDENTITY_NEXT - IDENTITY_BASE;
}
/* [/edit] */

struct kvm_cpuid2 *identity_add(const struct kvm_cpuid2 *cpuid)
{
    struct kvm_cpuid_entry2 base = {.function = IDENTITY_BASE, .eax = IDENTITY_BASE + 1};
    struct kvm_cpuid_entry2 interface = {
        .function = IDENTITY_BASE + 1, .eax = HYPERCALL_INTERFACE, .ebx = HYPERCALL_PORT};
    size_t size = sizeof *cpuid + (cpuid->nent + 2) * sizeof cpuid->entries[0];
    struct kvm_cpuid2 *copy = calloc(1, size);

    if (!copy)
        return NULL;
    for (unsigned i = 0; i < cpuid->nent; i++) {
        copy->entries[i] = cpuid->entries[i];
        edit(&copy->entries[i]);
    }
    memcpy(&base.ebx, &IDENTITY_SIGNATURE[0], 4);
    memcpy(&base.ecx, &IDENTITY_SIGNATURE[4], 4);
    memcpy(&base.edx, &IDENTITY_SIGNATURE[8], 4);
    copy->entries[cpuid->nent] = base;
    copy->entries[cpuid->nent + 1] = interface;
    copy->nent = cpuid->nent + 2;
    return copy;
}
