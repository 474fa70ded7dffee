/*
 * exits.h: why a guest stopped, in words.
 *
 * KVM_RUN returns with a number in run->exit_reason and details in a union
 * [KVM-API, 5 "The kvm_run structure"]. These functions turn both into sentences
 * for a person: what happened, the likely cause, and where the book treats it.
 * They read only what they are given, so tests need no KVM.
 */
#ifndef CHAPTER_01_EXITS_H
#define CHAPTER_01_EXITS_H

#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>

#include "01-kvm-hello/kvm.h"

/* "KVM_EXIT_HLT" for a number the header defines; "an unknown exit" for others. */
const char *exit_name(uint32_t reason);

/* One line: the reason's name and number, and its details. For any exit reason. */
void exit_describe(FILE *out, const struct kvm_run *run);

/* "the guest stopped: ", that line, and one more with the likely cause. */
void exit_explain(FILE *out, const struct kvm_run *run);

/* The general registers, control registers and segments, four lines. */
void registers_print(FILE *out, const struct kvm_regs *regs, const struct kvm_sregs *sregs);

/*
 * The whole report on a vCPU that stopped: exit_explain(), the registers and, if
 * they can be read, the instruction bytes at CS:RIP. Changes nothing.
 */
void exit_report(FILE *out, const struct vm *vm, const struct vcpu *vcpu);

#endif
