/*
 * cpuid.c: see cpuid.h for the policy. Open at hand: [SDM2] "CPUID", [KVM-API]
 * 4.46 "KVM_GET_SUPPORTED_CPUID".
 *
 * Left out on purpose: choosing single features, models other than the host's, and
 * more than one thread in a core.
 */
#define _GNU_SOURCE
#include "07-linux-boot/cpuid.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

#include "common/bits.h"
#include "common/die.h"

/* [SDM4, table 2-2 "IA-32 Architectural MSRs"] */
#define MSR_IA32_MISC_ENABLE         0x1a0u
#define IA32_MISC_ENABLE_FAST_STRING BIT(0)
#define MSR_IA32_MTRR_DEF_TYPE       0x2ffu
#define MTRR_DEF_TYPE_E              BIT(11) /* MTRRs are on */
#define MTRR_TYPE_WRITE_BACK         6u

/* Level types of leaves 0x0b and 0x1f, in ECX bits 15:8. */
#define LEVEL_SMT  (1u << 8)
#define LEVEL_CORE (2u << 8)

/* How many bits of the APIC id tell count processors apart. */
static unsigned id_bits(unsigned count)
{
    unsigned bits = 0;

    while (1u << bits < count)
        bits++;
    return bits;
}

static void filter_features(struct kvm_cpuid_entry2 *e, unsigned apic_id, unsigned count,
                            bool tsc_deadline)
{
    e->ebx &= 0xffff; /* brand index and CLFLUSH size are the host's */
    e->ebx |= count << CPUID_1_EBX_COUNT_SHIFT | apic_id << CPUID_1_EBX_APIC_ID_SHIFT;
    e->ecx &= ~CPUID_1_ECX_VMX;
    e->ecx |= CPUID_1_ECX_HYPERVISOR;
    if (tsc_deadline)
        e->ecx |= CPUID_1_ECX_TSC_DEADLINE;
    e->edx &= ~(CPUID_1_EDX_PSN | CPUID_1_EDX_HTT);
    if (count > 1)
        e->edx |= CPUID_1_EDX_HTT;
}

/* Caches: each processor has its own, except the last level. */
static void filter_caches(struct kvm_cpuid_entry2 *e, unsigned count, bool amd)
{
    bool last_level = bits(e->eax, 7, 5) >= 3;
    unsigned sharing = last_level ? count - 1 : 0;

    if (bits(e->eax, 4, 0) == 0)
        return; /* the end of the list */
    e->eax = (e->eax & 0x3fff) | sharing << 14 | (amd ? 0 : (count - 1) << 26);
}

/* The levels of the topology: 0 threads of a core, 1 cores of the package, 2 end. */
static void filter_topology(struct kvm_cpuid_entry2 *e, unsigned apic_id, unsigned count)
{
    e->eax = e->ebx = 0;
    e->ecx = e->index & 0xff;
    e->edx = apic_id;
    if (e->index == 0) {
        e->ebx = 1;
        e->ecx |= LEVEL_SMT;
    } else if (e->index == 1) {
        e->eax = id_bits(count);
        e->ebx = count;
        e->ecx |= LEVEL_CORE;
    }
}

static void filter_entry(struct kvm_cpuid_entry2 *e, unsigned apic_id, unsigned count,
                         bool tsc_deadline)
{
    switch (e->function) {
    case 0x1: filter_features(e, apic_id, count, tsc_deadline); break;
    case 0x3: e->eax = e->ebx = e->ecx = e->edx = 0; break; /* serial number */
    case 0x4: filter_caches(e, count, false); break;
    case 0x7:
        /* "Short REP MOVSB is fast" without "REP MOVSB is fast" confuses guests. */
        if (e->index == 0 && (e->edx & CPUID_7_EDX_FSRM))
            e->ebx |= CPUID_7_EBX_ERMS;
        break;
    case 0xb:
    case 0x1f: filter_topology(e, apic_id, count); break;
    case 0x80000001:
        e->ecx &= ~(CPUID_80000001_ECX_SVM | CPUID_80000001_ECX_CMP);
        if (count > 1)
            e->ecx |= CPUID_80000001_ECX_CMP;
        break;
    case 0x80000008: e->ecx = id_bits(count) << 12 | (count - 1); break;
    case 0x8000000a: e->eax = e->ebx = e->ecx = e->edx = 0; break; /* SVM */
    case 0x8000001d: filter_caches(e, count, true); break;
    case 0x8000001e:
        e->eax = apic_id;
        e->ebx = apic_id; /* the core's number; bits 15:8: one thread in each */
        e->ecx = 0;       /* one node */
        break;
    default: break;
    }
}

void cpuid_filter(struct kvm_cpuid2 *cpuid, unsigned apic_id, unsigned count, bool tsc_deadline)
{
    for (unsigned i = 0; i < cpuid->nent; i++)
        filter_entry(&cpuid->entries[i], apic_id, count, tsc_deadline);
}

/* KVM leaves the brand name's 48 letters to user space, as zeros. */
static void copy_brand(struct kvm_cpuid_entry2 *e)
{
    if (e->function >= 0x80000002 && e->function <= 0x80000004)
        __cpuid(e->function, e->eax, e->ebx, e->ecx, e->edx);
}

/*
 * Fast strings are advertised in CPUID and enabled in an MSR that starts as 0.
 * Linux on Intel believes the MSR, and forgets ERMS without it. A processor that
 * lacks the register (AMD) lacks the quirk.
 */
static void enable_fast_strings(const struct vcpu *vcpu)
{
    uint64_t value;

    if (vcpu_get_msr(vcpu, MSR_IA32_MISC_ENABLE, &value))
        vcpu_set_msr(vcpu, MSR_IA32_MISC_ENABLE, value | IA32_MISC_ENABLE_FAST_STRING);
}

/*
 * What firmware leaves behind: the memory types switched on, and write-back where
 * no range says otherwise. With them off Linux does without its page attributes.
 * [SDM3, 11.11.2.1 "IA32_MTRR_DEF_TYPE MSR"]
 */
static void enable_memory_types(const struct vcpu *vcpu)
{
    vcpu_set_msr(vcpu, MSR_IA32_MTRR_DEF_TYPE, MTRR_DEF_TYPE_E | MTRR_TYPE_WRITE_BACK);
}

void cpuid_apply(const struct vm *vm, const struct vcpu *vcpu, unsigned count)
{
    struct kvm_cpuid2 *cpuid = vm_supported_cpuid(vm);

    for (unsigned i = 0; i < cpuid->nent; i++)
        copy_brand(&cpuid->entries[i]);
    cpuid_filter(cpuid, vcpu->id, count, vm_capability(vm, KVM_CAP_TSC_DEADLINE_TIMER));
    vcpu_set_cpuid(vcpu, cpuid);
    free(cpuid);
    enable_fast_strings(vcpu);
    enable_memory_types(vcpu);
}
