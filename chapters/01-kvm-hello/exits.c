/*
 * exits.c: the exit reasons of KVM, explained.
 *
 * One table gives each reason its name and its likely cause; the reasons that
 * carry details have a line of their own above it. Reasons of other architectures
 * keep their names, so that an impossible exit is at least reported by name.
 */
#include "01-kvm-hello/exits.h"

#include <inttypes.h>
#include <sys/ioctl.h>

#include "common/bits.h"

/* How many bytes of code a report shows. x86 instructions have at most 15. */
#define CODE_BYTES 15u

struct exit_words {
    const char *name;
    const char *cause;
};

#define EXIT(reason, cause) [reason] = {#reason, cause}

/* [exit-table] */
static const struct exit_words exits[] = {
    EXIT(KVM_EXIT_UNKNOWN, "KVM does not know this hardware exit; report it with the number above"),
    EXIT(KVM_EXIT_EXCEPTION, "a leftover of PowerPC; x86 never sends it"),
    EXIT(KVM_EXIT_IO, "the program has nothing behind this port"),
    EXIT(KVM_EXIT_HYPERCALL, "the guest called a hypercall that KVM passes to user space"),
    EXIT(KVM_EXIT_DEBUG, "a breakpoint or single step that KVM_SET_GUEST_DEBUG asked for"),
    EXIT(KVM_EXIT_HLT, "the guest has nothing to do and no interrupt can wake it"),
    EXIT(KVM_EXIT_MMIO, "a wrong pointer or segment, or a device that is not there"),
    EXIT(KVM_EXIT_IRQ_WINDOW_OPEN, "the guest can now take the interrupt we wanted to inject"),
    EXIT(KVM_EXIT_SHUTDOWN, "the guest's interrupt table or stack is not usable: look at the "
                            "first exception after its last change of IDT, GDT, CR3 or stack"),
    EXIT(KVM_EXIT_FAIL_ENTRY, "special registers that contradict each other, such as paging "
                              "without protected mode or a wrong segment type"),
    EXIT(KVM_EXIT_INTR, "a signal came while the guest ran"),
    EXIT(KVM_EXIT_SET_TPR, "the guest changed its task priority"),
    EXIT(KVM_EXIT_TPR_ACCESS, "the guest touched its local APIC's task priority"),
    EXIT(KVM_EXIT_NMI, "a non-maskable interrupt came for the host"),
    EXIT(KVM_EXIT_INTERNAL_ERROR, "usually the guest jumped to where there is no code, or used "
                                  "an instruction that KVM's emulator lacks"),
    EXIT(KVM_EXIT_SYSTEM_EVENT, "the guest asked for power-off, reset or reported a crash"),
    EXIT(KVM_EXIT_IOAPIC_EOI, "the guest finished a level-triggered interrupt"),
    EXIT(KVM_EXIT_HYPERV, "the guest used a Hyper-V interface"),
    EXIT(KVM_EXIT_X86_RDMSR, "the guest read a model-specific register left to user space"),
    EXIT(KVM_EXIT_X86_WRMSR, "the guest wrote a model-specific register left to user space"),
    EXIT(KVM_EXIT_DIRTY_RING_FULL, "the ring of dirty pages must be emptied"),
    EXIT(KVM_EXIT_X86_BUS_LOCK, "the guest locked the bus across a cache line"),
};
/* [/exit-table] */

static const struct exit_words *find_exit(uint32_t reason)
{
    static const struct exit_words unknown = {
        "an unknown exit", "a newer kernel than this program; see linux/kvm.h for the number"};

    if (reason < ARRAY_SIZE(exits) && exits[reason].name)
        return &exits[reason];
    return &unknown;
}

const char *exit_name(uint32_t reason)
{
    return find_exit(reason)->name;
}

static const char *internal_error_name(uint32_t suberror)
{
    switch (suberror) {
    case KVM_INTERNAL_ERROR_EMULATION: return "an instruction it cannot emulate";
    case KVM_INTERNAL_ERROR_SIMUL_EX: return "two exceptions at once";
    case KVM_INTERNAL_ERROR_DELIVERY_EV: return "an exit while delivering an event";
    case KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON: return "an exit the hardware should not make";
    default: return "a reason this program does not know";
    }
}

static void explain_io(FILE *out, const struct kvm_run *run)
{
    fprintf(out, "%s %u x %u byte%s %s port 0x%x",
            run->io.direction == KVM_EXIT_IO_OUT ? "wrote" : "read", run->io.count, run->io.size,
            run->io.size == 1 ? "" : "s", run->io.direction == KVM_EXIT_IO_OUT ? "to" : "from",
            run->io.port);
}

static void explain_mmio(FILE *out, const struct kvm_run *run)
{
    fprintf(out, "%s %u byte%s %s 0x%" PRIx64 ", where there is no memory",
            run->mmio.is_write ? "wrote" : "read", run->mmio.len, run->mmio.len == 1 ? "" : "s",
            run->mmio.is_write ? "to" : "from", (uint64_t)run->mmio.phys_addr);
}

/* [exit-describe] */
void exit_describe(FILE *out, const struct kvm_run *run)
{
    fprintf(out, "%s (%u): ", exit_name(run->exit_reason), run->exit_reason);
    switch (run->exit_reason) {
    case KVM_EXIT_IO: explain_io(out, run); break;
    case KVM_EXIT_MMIO: explain_mmio(out, run); break;
    case KVM_EXIT_SHUTDOWN:
        fprintf(out,
                "triple fault: a fault, a fault in reporting it, and a third in reporting that");
        break;
    case KVM_EXIT_FAIL_ENTRY:
        fprintf(out, "the processor refused to enter the guest, hardware reason 0x%" PRIx64,
                (uint64_t)run->fail_entry.hardware_entry_failure_reason);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        fprintf(out, "KVM met %s (suberror %u)", internal_error_name(run->internal.suberror),
                run->internal.suberror);
        break;
    case KVM_EXIT_UNKNOWN:
        fprintf(out, "hardware exit reason 0x%" PRIx64, (uint64_t)run->hw.hardware_exit_reason);
        break;
    case KVM_EXIT_SYSTEM_EVENT: fprintf(out, "event type %u", run->system_event.type); break;
    default: fprintf(out, "no details");
    }
    fprintf(out, "\n");
}
/* [/exit-describe] */

void exit_explain(FILE *out, const struct kvm_run *run)
{
    fprintf(out, "the guest stopped: ");
    exit_describe(out, run);
    fprintf(out, "  likely cause: %s\n", find_exit(run->exit_reason)->cause);
}

static void print_segment(FILE *out, const char *name, const struct kvm_segment *segment)
{
    fprintf(out, " %s=%04x@%" PRIx64, name, segment->selector, (uint64_t)segment->base);
}

void registers_print(FILE *out, const struct kvm_regs *r, const struct kvm_sregs *s)
{
    const uint64_t values[] = {r->rip, r->rsp, r->rflags, r->rax, r->rbx, r->rcx,
                               r->rdx, r->rsi, r->rdi,    r->rbp, r->r8,  r->r9,
                               r->r10, r->r11, r->r12,    r->r13, r->r14, r->r15};
    static const char *const names[] = {"rip", "rsp", "rflags", "rax", "rbx", "rcx",
                                        "rdx", "rsi", "rdi",    "rbp", "r8",  "r9",
                                        "r10", "r11", "r12",    "r13", "r14", "r15"};

    for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
        fprintf(out, "%s%s=0x%016" PRIx64, i % 3 ? " " : i ? "\n  " : "  ", names[i], values[i]);
    fprintf(out,
            "\n  cr0=0x%" PRIx64 " cr2=0x%" PRIx64 " cr3=0x%" PRIx64 " cr4=0x%" PRIx64
            " efer=0x%" PRIx64 "\n ",
            (uint64_t)s->cr0, (uint64_t)s->cr2, (uint64_t)s->cr3, (uint64_t)s->cr4,
            (uint64_t)s->efer);
    print_segment(out, "cs", &s->cs);
    print_segment(out, "ds", &s->ds);
    print_segment(out, "es", &s->es);
    print_segment(out, "ss", &s->ss);
    fprintf(out, " gdt=%" PRIx64 "+%x idt=%" PRIx64 "+%x\n", (uint64_t)s->gdt.base, s->gdt.limit,
            (uint64_t)s->idt.base, s->idt.limit);
}

/* The bytes the processor would fetch next, found through its own page tables. */
static void print_code(FILE *out, const struct vm *vm, const struct vcpu *vcpu, uint64_t linear)
{
    struct kvm_translation translation = {.linear_address = linear};
    uint64_t in_page = GUEST_PAGE_SIZE - linear % GUEST_PAGE_SIZE;
    unsigned count = in_page < CODE_BYTES ? (unsigned)in_page : CODE_BYTES;
    const uint8_t *code = NULL;

    if (ioctl(vcpu->fd, KVM_TRANSLATE, &translation) == 0 && translation.valid)
        code = guest_ptr(&vm->memory, translation.physical_address, count);
    if (!code) {
        fprintf(out, "  code at 0x%" PRIx64 ": not in the guest's memory\n", linear);
        return;
    }
    fprintf(out, "  code at 0x%" PRIx64 ":", linear);
    for (unsigned i = 0; i < count; i++)
        fprintf(out, " %02x", code[i]);
    fprintf(out, "\n");
}

/* Where a processor comes out of reset. [SDM3, 9.1.4 "First Instruction Executed"] */
static bool looks_reset(const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    return sregs->cs.base == 0xffff0000 && regs->rip == 0xfff0;
}

void exit_report(FILE *out, const struct vm *vm, const struct vcpu *vcpu)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    exit_explain(out, vcpu->run);
    vcpu_get_regs(vcpu, &regs);
    vcpu_get_sregs(vcpu, &sregs);
    if (vcpu->run->exit_reason == KVM_EXIT_SHUTDOWN && looks_reset(&regs, &sregs))
        fprintf(out, "  (KVM on AMD resets the processor at a shutdown: what follows is that, "
                     "not the crash)\n");
    registers_print(out, &regs, &sregs);
    print_code(out, vm, vcpu, sregs.cs.base + regs.rip);
}
