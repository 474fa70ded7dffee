/*
 * autopsy.h: why could the processor deliver no exception? A triple fault in words.
 *
 * Delivery goes IDT, gate, selector, GDT, code segment, handler, stack; a triple fault
 * means that this chain was broken three times in a row. The autopsy follows it for the
 * exceptions that matter and names the first link that does not hold.
 * [SDM3, 6.14 "Exception and Interrupt Handling in 64-bit Mode"]
 *
 * For 64-bit kernels whose tables lie in memory mapped to itself: linear addresses are
 * taken for physical ones (chapter 3 has the walk that is missing here).
 */
#ifndef CHAPTER_02_AUTOPSY_H
#define CHAPTER_02_AUTOPSY_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdio.h>

#include "01-kvm-hello/memory.h"

/*
 * Can an exception of this vector (0 to 255) reach its handler from this state? Empty
 * text if so, else the first reason why not. Reads guest memory; trusts none of it.
 */
void autopsy_vector(const struct guest_memory *memory, const struct kvm_regs *regs,
                    const struct kvm_sregs *sregs, unsigned vector, char *text, size_t size);

/* The same for #UD, #DF, #GP and #PF, a line each. */
void autopsy_print(FILE *out, const struct guest_memory *memory, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs);

#endif
