/*
 * cpuid.h: which processor the guest believes to have.
 *
 * KVM says what it can offer on this host (KVM_GET_SUPPORTED_CPUID). The policy on
 * top of it, as with "-cpu host" elsewhere:
 *
 * - The vendor, the family, the model and its brand name are the host's. Serial
 *   numbers are never shown.
 * - Nested virtualization is hidden: no VMX, no SVM; unless -cpu asks for it, which may
 *   also take features away (cpu_model.h).
 * - The host's topology (how many cores share which cache, which of them answered)
 *   is replaced by the guest's (topology.h). A level-2 cache belongs to one core, a
 *   level-3 cache to one socket.
 * - The "hypervisor present" bit and KVM's own leaves are shown: the guest finds
 *   kvm-clock, and need not guess.
 */
#ifndef CHAPTER_07_CPUID_H
#define CHAPTER_07_CPUID_H

#include <linux/kvm.h>
#include <stdbool.h>

#include "01-kvm-hello/kvm.h"
#include "07-linux-boot/cpu_model.h"
#include "07-linux-boot/topology.h"

/* [SDM2, "CPUID"]; leaves 0x8...: [APM3, E.4 "Extended Functions"] */
#define CPUID_1_EBX_COUNT_SHIFT    16
#define CPUID_1_EBX_APIC_ID_SHIFT  24
#define CPUID_1_ECX_VMX            (1u << 5)
#define CPUID_1_ECX_TSC_DEADLINE   (1u << 24)
#define CPUID_1_ECX_HYPERVISOR     (1u << 31)
#define CPUID_1_EDX_PSN            (1u << 18)
#define CPUID_1_EDX_HTT            (1u << 28)
#define CPUID_7_EBX_ERMS           (1u << 9)
#define CPUID_7_EDX_FSRM           (1u << 4)
#define CPUID_80000001_ECX_CMP     (1u << 1)
#define CPUID_80000001_ECX_SVM     (1u << 2)
#define CPUID_80000001_ECX_TOPOEXT (1u << 22)

/* Entries that cpuid_filter() may add: the levels of leaves 0x0b and 0x1f. */
#define CPUID_ADDED_MAX 6u

/*
 * Turns what KVM supports into what the processor apic_id sees. There is room for
 * CPUID_ADDED_MAX more entries behind the last. tsc_deadline: KVM's local APIC has that
 * timer mode, which KVM_GET_SUPPORTED_CPUID does not tell.
 */
void cpuid_filter(struct kvm_cpuid2 *cpuid, const struct topology *topology, unsigned apic_id,
                  bool tsc_deadline);

/*
 * Gives the vCPU, whose id is its APIC id, its leaves, and the MSRs that go with them. Dies
 * if the model has a feature that KVM cannot offer.
 */
void cpuid_apply(const struct vm *vm, const struct vcpu *vcpu, const struct topology *topology,
                 const struct cpu_model *model);

#endif
