/*
 * launch.h: load a state into a vCPU, and if it is refused say why.
 *
 * A state can be refused twice: by KVM_SET_SREGS with EINVAL, and by the processor when
 * KVM_RUN enters (KVM_EXIT_FAIL_ENTRY, or KVM_EXIT_INTERNAL_ERROR where KVM tried to
 * emulate its way out and could not).
 */
#ifndef CHAPTER_02_LAUNCH_H
#define CHAPTER_02_LAUNCH_H

#include <stdio.h>

#include "01-kvm-hello/kvm.h"

/* Loads both structs. 0, or the -errno with which KVM refused one of them. */
int launch_load(const struct vcpu *vcpu, const struct kvm_regs *regs,
                const struct kvm_sregs *sregs);

/* The broken rules of a state that was refused; see sregs_check.h. */
void launch_explain(FILE *out, const struct kvm_regs *regs, const struct kvm_sregs *sregs);

/* The same of the state that vcpu is in: after KVM_EXIT_FAIL_ENTRY. */
void launch_explain_vcpu(FILE *out, const struct vcpu *vcpu);

#endif
