/*
 * cpuid.c: see cpuid.h for the policy. Open at hand: [SDM2] "CPUID", [KVM-API]
 * 4.46 "KVM_GET_SUPPORTED_CPUID".
 *
 * Left out on purpose: models other than the host's.
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

/* What each leaf's filter needs to know of the processor that reads it. */
struct reader {
    const struct topology *topology;
    unsigned apic_id;
    unsigned thread_bits, socket_bits; /* of the APIC id */
    bool tsc_deadline;
    bool has_identifiers; /* leaf 0x8000001e */
};

/* The largest number that these many bits hold: CPUID likes counts less one. */
static unsigned ones(unsigned bits)
{
    return (1u << bits) - 1;
}

static unsigned in_socket(const struct reader *reader)
{
    return reader->topology->cores * reader->topology->threads;
}

/* [features] */
static void filter_features(struct kvm_cpuid_entry2 *e, const struct reader *reader)
{
    e->ebx &= 0xffff; /* brand index and CLFLUSH size are the host's */
    e->ebx |= (1u << reader->socket_bits) << CPUID_1_EBX_COUNT_SHIFT;
    e->ebx |= reader->apic_id << CPUID_1_EBX_APIC_ID_SHIFT;
    e->ecx &= ~CPUID_1_ECX_VMX;
    e->ecx |= CPUID_1_ECX_HYPERVISOR;
    if (reader->tsc_deadline)
        e->ecx |= CPUID_1_ECX_TSC_DEADLINE;
    e->edx &= ~(CPUID_1_EDX_PSN | CPUID_1_EDX_HTT);
    if (in_socket(reader) > 1)
        e->edx |= CPUID_1_EDX_HTT;
}
/* [/features] */

/* Which APIC ids share a cache: those of a core, and of a socket on the last level. */
static void filter_caches(struct kvm_cpuid_entry2 *e, const struct reader *reader, bool amd)
{
    bool last_level = bits(e->eax, 7, 5) >= 3;
    unsigned sharing = ones(last_level ? reader->socket_bits : reader->thread_bits);
    unsigned cores = ones(reader->socket_bits - reader->thread_bits);

    if (bits(e->eax, 4, 0) == 0)
        return; /* the end of the list */
    e->eax = (e->eax & 0x3fff) | sharing << 14 | (amd ? 0 : cores << 26);
}

/* A level of leaves 0x0b and 0x1f: 0 threads of a core, 1 processors of a socket, 2 end. */
static void filter_level(struct kvm_cpuid_entry2 *e, const struct reader *reader)
{
    e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    e->eax = e->ebx = 0;
    e->ecx = e->index & 0xff;
    e->edx = reader->apic_id;
    if (e->index == 0) {
        e->eax = reader->thread_bits;
        e->ebx = reader->topology->threads;
        e->ecx |= LEVEL_SMT;
    } else if (e->index == 1) {
        e->eax = reader->socket_bits;
        e->ebx = in_socket(reader);
        e->ecx |= LEVEL_CORE;
    }
}

/* [APM3, E.4.7 "Function 8000_0008h", E.4.17 "Function 8000_001Eh"] */
static void filter_sizes(struct kvm_cpuid_entry2 *e, const struct reader *reader)
{
    e->ecx = reader->socket_bits << 12 | (in_socket(reader) - 1);
}

static void filter_identifiers(struct kvm_cpuid_entry2 *e, const struct reader *reader)
{
    unsigned core = (reader->apic_id & ones(reader->socket_bits)) >> reader->thread_bits;

    e->eax = reader->apic_id;
    e->ebx = (reader->topology->threads - 1) << 8 | core;
    e->ecx = reader->apic_id >> reader->socket_bits; /* each socket is one node */
}

static void filter_entry(struct kvm_cpuid_entry2 *e, const struct reader *reader)
{
    switch (e->function) {
    case 0x1: filter_features(e, reader); break;
    case 0x3: e->eax = e->ebx = e->ecx = e->edx = 0; break; /* serial number */
    case 0x4: filter_caches(e, reader, false); break;
    case 0x7:
        /* "Short REP MOVSB is fast" without "REP MOVSB is fast" confuses guests. */
        if (e->index == 0 && (e->edx & CPUID_7_EDX_FSRM))
            e->ebx |= CPUID_7_EBX_ERMS;
        break;
    case 0xb:
    case 0x1f: filter_level(e, reader); break;
    case 0x80000001:
        e->ecx &= ~(CPUID_80000001_ECX_SVM | CPUID_80000001_ECX_CMP);
        if (in_socket(reader) > 1)
            e->ecx |= CPUID_80000001_ECX_CMP;
        /* That leaf is ours, so it is true whatever the host's processor has. */
        if (reader->has_identifiers)
            e->ecx |= CPUID_80000001_ECX_TOPOEXT;
        break;
    case 0x80000008: filter_sizes(e, reader); break;
    case 0x8000000a: e->eax = e->ebx = e->ecx = e->edx = 0; break; /* SVM */
    case 0x8000001d: filter_caches(e, reader, true); break;
    case 0x8000001e: filter_identifiers(e, reader); break;
    case 0x80000026: e->eax = e->ebx = e->ecx = e->edx = 0; break; /* AMD's newer 0x0b */
    default: break;
    }
}

static bool has_entry(const struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index)
{
    for (unsigned i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
            return true;
    return false;
}

/*
 * KVM leaves topology to user space: of leaves 0x0b and 0x1f newer ones list
 * level 0 alone, which says "nothing here". [KVM-API, 4.46 "KVM_GET_SUPPORTED_CPUID"]
 */
static void add_levels(struct kvm_cpuid2 *cpuid, uint32_t function)
{
    if (!has_entry(cpuid, function, 0))
        return;
    for (uint32_t index = 1; index <= 2; index++)
        if (!has_entry(cpuid, function, index))
            cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2){.function = function,
                                                                      .index = index};
}

void cpuid_filter(struct kvm_cpuid2 *cpuid, const struct topology *topology, unsigned apic_id,
                  bool tsc_deadline)
{
    struct reader reader = {.topology = topology,
                            .apic_id = apic_id,
                            .thread_bits = topology_thread_bits(topology),
                            .socket_bits = topology_socket_bits(topology),
                            .tsc_deadline = tsc_deadline,
                            .has_identifiers = has_entry(cpuid, 0x8000001e, 0)};

    add_levels(cpuid, 0xb);
    add_levels(cpuid, 0x1f);
    for (unsigned i = 0; i < cpuid->nent; i++)
        filter_entry(&cpuid->entries[i], &reader);
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

/* KVM's list with room for what cpuid_filter() adds. */
static struct kvm_cpuid2 *supported_with_room(const struct vm *vm)
{
    struct kvm_cpuid2 *cpuid = vm_supported_cpuid(vm);
    size_t count = cpuid->nent + CPUID_ADDED_MAX;

    cpuid = realloc(cpuid, sizeof *cpuid + count * sizeof cpuid->entries[0]);
    if (!cpuid)
        die("no memory for %zu CPUID leaves", count);
    return cpuid;
}

void cpuid_apply(const struct vm *vm, const struct vcpu *vcpu, const struct topology *topology,
                 const struct cpu_model *model)
{
    struct kvm_cpuid2 *supported = vm_supported_cpuid(vm), *cpuid = supported_with_room(vm);
    struct refusal why;

    for (unsigned i = 0; i < cpuid->nent; i++)
        copy_brand(&cpuid->entries[i]);
    cpuid_filter(cpuid, topology, vcpu->id, vm_capability(vm, KVM_CAP_TSC_DEADLINE_TIMER));
    if (cpu_model_apply(model, cpuid, supported, &why) < 0)
        die("-cpu: %s", why.text);
    vcpu_set_cpuid(vcpu, cpuid);
    free(cpuid);
    free(supported);
    enable_fast_strings(vcpu);
    enable_memory_types(vcpu);
}
