/*
 * sregs_dump.h: a processor's state as text that a person can read, change and reload.
 *
 *     cr0=0x80000011
 *     rip=0x1000
 *     cs selector=0x18 base=0x0 limit=0xffffffff type=0xb present=1 dpl=0 db=0 s=1 l=1 g=1 avl=0
 * unusable=0 gdt base=0xf000 limit=0x27
 *
 * One register on a line, in any order; "#" begins a comment. A register or field that
 * is missing is 0. Numbers are decimal or, with 0x, hexadecimal.
 */
#ifndef CHAPTER_02_SREGS_DUMP_H
#define CHAPTER_02_SREGS_DUMP_H

#include <linux/kvm.h>
#include <stdio.h>

#include "common/refusal.h"

void sregs_dump(FILE *out, const struct kvm_regs *regs, const struct kvm_sregs *sregs);

/*
 * Reads a dump from text (zero-terminated). 0, or -EINVAL with why->text set to
 * "line 3: ..." for an unknown name, a number that is none or does not fit its field,
 * or a register given twice.
 */
int sregs_parse(const char *text, struct kvm_regs *regs, struct kvm_sregs *sregs,
                struct refusal *why);

#endif
