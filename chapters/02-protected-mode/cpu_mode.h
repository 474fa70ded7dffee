/*
 * cpu_mode.h: which of its modes a processor is in, read off its registers.
 *
 * No register holds "the mode". It is spelled out by bits in four places: CR0.PE,
 * RFLAGS.VM, EFER.LMA and two bits of the code segment, L and D.
 * [SDM3, 2.2 "Modes of Operation"; APM2, 1.3 "Operating Modes"]
 */
#ifndef CHAPTER_02_CPU_MODE_H
#define CHAPTER_02_CPU_MODE_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>

enum cpu_mode {
    MODE_REAL,
    MODE_VIRTUAL_8086,
    MODE_PROTECTED_16,
    MODE_PROTECTED_32,
    MODE_COMPAT_16, /* long mode, code of the old kind */
    MODE_COMPAT_32,
    MODE_LONG_64,
};

enum cpu_mode cpu_mode(const struct kvm_regs *regs, const struct kvm_sregs *sregs);
const char *cpu_mode_name(enum cpu_mode mode);

/* The ring: 0 to 3. VM entry takes it from SS, not from CS; so do we. */
unsigned cpu_ring(const struct kvm_sregs *sregs);

/* Does after differ from before in mode, ring, CR0, CR4 or EFER? */
bool cpu_mode_changed(const struct kvm_regs *before, const struct kvm_sregs *before_s,
                      const struct kvm_regs *after, const struct kvm_sregs *after_s);

/* One line: mode, ring, CS:RIP and the bits of CR0, CR4 and EFER by name. */
void cpu_mode_print(FILE *out, const struct kvm_regs *regs, const struct kvm_sregs *sregs);

#endif
