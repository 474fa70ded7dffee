/*
 * cpu_mode.c: see cpu_mode.h.
 *
 * Left out on purpose: system-management mode, which KVM keeps in a register of its
 * own, and what paging makes of an address (chapter 3).
 */
#include "02-protected-mode/cpu_mode.h"

#include <inttypes.h>
#include <string.h>

#include "02-protected-mode/x86.h"

/* [mode] */
enum cpu_mode cpu_mode(const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    if (!(sregs->cr0 & CR0_PE))
        return MODE_REAL;
    if (regs->rflags & RFLAGS_VM)
        return MODE_VIRTUAL_8086;
    if (!(sregs->efer & EFER_LMA))
        return sregs->cs.db ? MODE_PROTECTED_32 : MODE_PROTECTED_16;
    if (sregs->cs.l)
        return MODE_LONG_64;
    return sregs->cs.db ? MODE_COMPAT_32 : MODE_COMPAT_16;
}
/* [/mode] */

const char *cpu_mode_name(enum cpu_mode mode)
{
    static const char *const names[] = {
        [MODE_REAL] = "real",           [MODE_VIRTUAL_8086] = "virtual-8086",
        [MODE_PROTECTED_16] = "prot16", [MODE_PROTECTED_32] = "prot32",
        [MODE_COMPAT_16] = "compat16",  [MODE_COMPAT_32] = "compat32",
        [MODE_LONG_64] = "long64",
    };

    return names[mode];
}

unsigned cpu_ring(const struct kvm_sregs *sregs)
{
    return sregs->cr0 & CR0_PE ? sregs->ss.dpl : 0;
}

bool cpu_mode_changed(const struct kvm_regs *before, const struct kvm_sregs *before_s,
                      const struct kvm_regs *after, const struct kvm_sregs *after_s)
{
    return cpu_mode(before, before_s) != cpu_mode(after, after_s) ||
           cpu_ring(before_s) != cpu_ring(after_s) || before_s->cr0 != after_s->cr0 ||
           before_s->cr4 != after_s->cr4 || before_s->efer != after_s->efer;
}

struct flag {
    uint64_t bit;
    const char *name;
};

/* The names of the bits set in value; bits without a name as a number behind them. */
static void print_flags(FILE *out, const char *name, uint64_t value, const struct flag *flags)
{
    const char *comma = "";

    fprintf(out, "  %s=", name);
    if (value == 0)
        fputs("0", out);
    for (; flags->name; flags++) {
        if (!(value & flags->bit))
            continue;
        fprintf(out, "%s%s", comma, flags->name);
        value &= ~flags->bit;
        comma = ",";
    }
    if (value != 0)
        fprintf(out, "%s0x%" PRIx64, comma, value);
}

void cpu_mode_print(FILE *out, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    static const struct flag cr0[] = {
        {CR0_PG, "PG"}, {CR0_CD, "CD"}, {CR0_NW, "NW"}, {CR0_AM, "AM"},
        {CR0_WP, "WP"}, {CR0_NE, "NE"}, {CR0_ET, "ET"}, {CR0_TS, "TS"},
        {CR0_EM, "EM"}, {CR0_MP, "MP"}, {CR0_PE, "PE"}, {0, NULL},
    };
    static const struct flag cr4[] = {
        {CR4_SMAP, "SMAP"},
        {CR4_SMEP, "SMEP"},
        {CR4_OSXSAVE, "OSXSAVE"},
        {CR4_PCIDE, "PCIDE"},
        {CR4_VMXE, "VMXE"},
        {CR4_LA57, "LA57"},
        {CR4_UMIP, "UMIP"},
        {CR4_PGE, "PGE"},
        {CR4_OSXMMEXCPT, "OSXMMEXCPT"},
        {CR4_OSFXSR, "OSFXSR"},
        {CR4_PAE, "PAE"},
        {CR4_PSE, "PSE"},
        {0, NULL},
    };
    static const struct flag efer[] = {
        {EFER_SVME, "SVME"}, {EFER_NXE, "NXE"}, {EFER_LMA, "LMA"},
        {EFER_LME, "LME"},   {EFER_SCE, "SCE"}, {0, NULL},
    };

    fprintf(out, "%-8s ring %u  %04x:%08" PRIx64, cpu_mode_name(cpu_mode(regs, sregs)),
            cpu_ring(sregs), sregs->cs.selector, (uint64_t)regs->rip);
    print_flags(out, "cr0", sregs->cr0, cr0);
    print_flags(out, "cr4", sregs->cr4, cr4);
    print_flags(out, "efer", sregs->efer, efer);
    fputc('\n', out);
}
