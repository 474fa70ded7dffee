/*
 * kvm.h: a virtual machine and its processors, as thin C over /dev/kvm.
 *
 * Three kinds of file descriptor carry the whole interface [KVM-API, 2 "File
 * descriptors"]: /dev/kvm itself (what can this host do?), one for each machine
 * (its memory, its interrupt chips) and one for each virtual CPU (its registers,
 * and KVM_RUN). struct vm owns the first two, struct vcpu the third.
 *
 * The life of a machine:
 *
 *     vm_init(&vm);                     open /dev/kvm, create the machine
 *     vm_add_ram(&vm, 0, 64 * KIB);     give it memory
 *     vcpu_init(&vcpu, &vm, 0);         give it a processor
 *     ... set registers ...
 *     while (vcpu_run(&vcpu)) ...       run; look at vcpu.run->exit_reason
 *     vcpu_free(&vcpu); vm_free(&vm);
 *
 * Calls that only fail when the host refuses end the program with one line that
 * names the operation (die). Nothing here depends on what the guest does.
 */
#ifndef CHAPTER_01_KVM_H
#define CHAPTER_01_KVM_H

#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "01-kvm-hello/memory.h"

/* RFLAGS bit 1 is always one. [SDM1, 3.4.3 "EFLAGS Register"] */
#define RFLAGS_ONE 0x2u
#define RFLAGS_IF  0x200u

/*
 * Guest-physical space that KVM wants for itself on Intel, below the BIOS at the end
 * of 4 GiB; no RAM and no device may be there. See kvm.c.
 */
#define KVM_PAGES_START UINT64_C(0xfffbc000)
#define KVM_PAGES_SIZE  UINT64_C(0x4000)

struct vm {
    int kvm_fd; /* /dev/kvm */
    int fd;     /* this machine */
    struct guest_memory memory;
};

struct vcpu {
    int fd;
    unsigned id;
    struct kvm_run *run; /* shared with the kernel: why the guest stopped */
    size_t run_size;
};

/* Opens /dev/kvm: a descriptor, or dies saying what is wrong and what to do. */
int kvm_open(void);

/* What KVM_CHECK_EXTENSION says of a capability: 0 for absent, else its value. */
int vm_capability(const struct vm *vm, unsigned long capability);

void vm_init(struct vm *vm);
void vm_init_on(struct vm *vm, int kvm_fd); /* the same on a descriptor that it takes over */
void vm_free(struct vm *vm);

/* Adds zeroed RAM at a page-aligned guest-physical range: one memory slot. */
void vm_add_ram(struct vm *vm, gpa_t start, uint64_t size);

void vcpu_init(struct vcpu *vcpu, struct vm *vm, unsigned id);
void vcpu_free(struct vcpu *vcpu);

/* Let the guest run. True: read run->exit_reason. False: a signal came, go on. */
bool vcpu_run(struct vcpu *vcpu);

void vcpu_get_regs(const struct vcpu *vcpu, struct kvm_regs *regs);
void vcpu_set_regs(const struct vcpu *vcpu, const struct kvm_regs *regs);
void vcpu_get_sregs(const struct vcpu *vcpu, struct kvm_sregs *sregs);
void vcpu_set_sregs(const struct vcpu *vcpu, const struct kvm_sregs *sregs);

/*
 * Real mode at address: CS, DS, ES and SS get base 0 and selector 0, IP is the
 * address, FLAGS is clear (interrupts off) and SP is 0, so that the first push lands at
 * 0xfffe. The other general registers are 0.
 */
void vcpu_set_real_mode(const struct vcpu *vcpu, uint16_t address);

/*
 * Model-specific registers, one at a time. False: this vCPU has no such register, or
 * not for such a value. [KVM-API, 4.18 "KVM_GET_MSRS", 4.19 "KVM_SET_MSRS"]
 */
bool vcpu_get_msr(const struct vcpu *vcpu, uint32_t index, uint64_t *value);
bool vcpu_set_msr(const struct vcpu *vcpu, uint32_t index, uint64_t value);

/*
 * The CPUID leaves that this host's KVM can give a guest, in a fresh block that
 * the caller releases with free(). A vCPU starts with none: no long mode, for one.
 */
struct kvm_cpuid2 *vm_supported_cpuid(const struct vm *vm);
void vcpu_set_cpuid(const struct vcpu *vcpu, const struct kvm_cpuid2 *cpuid);

/*
 * The signals in set interrupt KVM_RUN although the thread blocks them: pending
 * ones make vcpu_run() return false, and sigtimedwait() then tells which came.
 * No handler, so no race between "is it time to stop?" and KVM_RUN.
 * [KVM-API, 4.21 "KVM_SET_SIGNAL_MASK"]
 */
void vcpu_interrupt_on(const struct vcpu *vcpu, const sigset_t *signals);

#endif
