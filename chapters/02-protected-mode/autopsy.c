/*
 * autopsy.c: see autopsy.h.
 *
 * On AMD the processor's state is undefined after a shutdown [APM2, 15.14.3 "Shutdown
 * Intercept"], and Linux resets the vCPU. So the caller keeps the registers of the last
 * exit before it (board.h), and what the guest did since then is not seen.
 */
#include "02-protected-mode/autopsy.h"

#include <inttypes.h>
#include <string.h>

#include "02-protected-mode/cpu_mode.h"
#include "02-protected-mode/segment.h"
#include "02-protected-mode/x86.h"

#define GATE_INTERRUPT 0xeu
#define GATE_TRAP      0xfu
#define TSS_RSP0       4u  /* offsets in the TSS of long mode */
#define TSS_IST1       36u /* [SDM3, 7.7 "Task Management in 64-bit Mode"] */
#define FRAME_SIZE     48u /* SS, RSP, RFLAGS, CS, RIP, error code */

/* False if any of it is not guest memory. */
static bool read_guest(const struct guest_memory *memory, uint64_t at, void *to, size_t size)
{
    const void *from = guest_ptr(memory, at, size);

    if (from)
        memcpy(to, from, size);
    return from != NULL;
}

/* Where the frame would be written: the interrupt stack table, RSP0, or RSP. */
static bool find_stack(const struct guest_memory *memory, const struct kvm_regs *regs,
                       const struct kvm_sregs *sregs, unsigned ist, uint64_t *stack)
{
    uint64_t tss = sregs->tr.base;

    if (ist != 0)
        return read_guest(memory, tss + TSS_IST1 + (ist - 1) * 8, stack, 8);
    if (cpu_ring(sregs) != 0)
        return read_guest(memory, tss + TSS_RSP0, stack, 8);
    *stack = regs->rsp;
    return true;
}

void autopsy_vector(const struct guest_memory *memory, const struct kvm_regs *regs,
                    const struct kvm_sregs *sregs, unsigned vector, char *text, size_t size)
{
    const struct kvm_dtable *idt = &sregs->idt, *gdt = &sregs->gdt;
    uint64_t gate[2], descriptor, handler, stack;
    struct kvm_segment code;
    unsigned selector, type;

    text[0] = '\0';
    if (vector * 16 + 15 > idt->limit) {
        snprintf(text, size, "the IDT at 0x%" PRIx64 " ends at byte 0x%x, before gate %u",
                 (uint64_t)idt->base, idt->limit, vector);
        return;
    }
    if (!read_guest(memory, idt->base + vector * 16, gate, sizeof gate)) {
        snprintf(text, size, "the IDT at 0x%" PRIx64 " is not in memory", (uint64_t)idt->base);
        return;
    }
    type = (unsigned)bits(gate[0], 43, 40);
    if (!bits(gate[0], 47, 47) || (type != GATE_INTERRUPT && type != GATE_TRAP)) {
        snprintf(text, size, "gate %u is %s", vector,
                 bits(gate[0], 47, 47) ? "no interrupt or trap gate" : "not present");
        return;
    }
    selector = (unsigned)bits(gate[0], 31, 16);
    if ((selector & ~7u) == 0 || (selector | 7u) > gdt->limit) {
        snprintf(text, size, "its selector 0x%x is outside the GDT, whose limit is 0x%x", selector,
                 gdt->limit);
        return;
    }
    if (!read_guest(memory, gdt->base + (selector & ~7u), &descriptor, sizeof descriptor)) {
        snprintf(text, size, "the GDT at 0x%" PRIx64 " is not in memory", (uint64_t)gdt->base);
        return;
    }
    code = segment_unpack((uint16_t)selector, descriptor);
    if (!code.present || !code.s || !(code.type & SEG_CODE) || !code.l) {
        snprintf(text, size, "its selector 0x%x names a descriptor that is %s", selector,
                 code.present ? "no 64-bit code" : "not present");
        return;
    }
    handler = bits(gate[0], 15, 0) | bits(gate[0], 63, 48) << 16 | bits(gate[1], 31, 0) << 32;
    if (!is_canonical(handler) || !guest_ptr(memory, handler, 1)) {
        snprintf(text, size, "its handler at 0x%" PRIx64 " is not in memory", handler);
        return;
    }
    if (!find_stack(memory, regs, sregs, (unsigned)bits(gate[0], 34, 32), &stack)) {
        snprintf(text, size, "the TSS at 0x%" PRIx64 ", which names its stack, is not in memory",
                 (uint64_t)sregs->tr.base);
        return;
    }
    stack &= ~UINT64_C(15); /* the processor aligns it before it pushes */
    if (!is_canonical(stack - 1) || !guest_ptr(memory, stack - FRAME_SIZE, FRAME_SIZE))
        snprintf(text, size, "its frame would go to the stack at 0x%" PRIx64 ", which is %s", stack,
                 is_canonical(stack - 1) ? "not in memory" : "not canonical");
}

void autopsy_print(FILE *out, const struct guest_memory *memory, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs)
{
    static const struct {
        unsigned vector;
        const char *name;
    } vectors[] = {{6, "#UD"}, {13, "#GP"}, {14, "#PF"}, {8, "#DF"}};

    if (!(sregs->efer & EFER_LMA)) {
        fprintf(out, "  autopsy: only of 64-bit kernels\n");
        return;
    }
    fprintf(out, "  autopsy, on the state at the last exit (rip=0x%" PRIx64 "):\n",
            (uint64_t)regs->rip);
    for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
        char text[160];

        autopsy_vector(memory, regs, sregs, vectors[i].vector, text, sizeof text);
        fprintf(out, "    %s (%u) %s%s\n", vectors[i].name, vectors[i].vector,
                text[0] ? "cannot be delivered: " : "can be delivered", text);
    }
}
