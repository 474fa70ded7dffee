/*
 * step.h: one instruction at a time, by KVM_SET_GUEST_DEBUG.
 *
 * [KVM-API, 4.87 "KVM_SET_GUEST_DEBUG"]. The processor's trap flag does the work, as
 * under any debugger: after each instruction comes a debug exception, and KVM gives
 * it to us as KVM_EXIT_DEBUG instead of to the guest. Where an instruction clears the
 * trap flag (an interrupt gate, SYSCALL with TF in its mask) the guest runs freely
 * until its next exit.
 */
#ifndef CHAPTER_02_STEP_H
#define CHAPTER_02_STEP_H

#include <stdbool.h>

#include "01-kvm-hello/kvm.h"

/*
 * Arms single-stepping for the next KVM_RUN. Call before each: KVM folds the trap
 * flag into RFLAGS, and the guest may have popped other flags since. False: this
 * host's KVM refuses.
 */
bool step_arm(const struct vcpu *vcpu);

#endif
