/*
 * sregs_check.c: the checks of sregs_check.h, register by register.
 *
 * Every check is one line: a condition that a startable state never meets, the rule,
 * and the numbers to show. The order is that of the rules, so a report reads from the
 * control registers down to the tables.
 *
 * Left out on purpose: what struct kvm_sregs does not hold (debug registers, MSRs,
 * pending events, CR3's page-directory-pointer entries in guest memory) and what
 * depends on CPUID (a bit of CR4 or EFER that is defined but missing here).
 */
#include "02-protected-mode/sregs_check.h"

#include <inttypes.h>
#include <stdarg.h>

#include "01-kvm-hello/kvm.h"
#include "02-protected-mode/x86.h"

/* Bits 15, 26, 29 to 31 and 33 to 63 of CR4 mean nothing on any processor. */
#define CR4_RESERVED (BIT(15) | BIT(26) | BIT(29) | BIT(30) | BIT(31) | ~(BIT(33) - 1))
/* SCE, LME, LMA, NXE, SVME, LMSLE, FFXSR, TCE, MCOMMIT, INTWB, UAIE, AIBRSE */
#define EFER_DEFINED                                                                               \
    (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME | BIT(13) | BIT(14) | BIT(15) |         \
     BIT(17) | BIT(18) | BIT(20) | BIT(21))
#define RFLAGS_RESERVED (BIT(3) | BIT(5) | BIT(15) | ~(BIT(22) - 1))
#define CR3_RESERVED    (~(BIT(52) - 1))

/* What all checks look at, and where they write. */
struct state {
    const struct kvm_regs *r;
    const struct kvm_sregs *s;
    struct sregs_findings *found;
    bool protected, long_mode, v8086;
};

__attribute__((format(printf, 4, 5))) static void
broken_if(const struct state *state, bool broken, enum sregs_rule rule, const char *format, ...)
{
    struct sregs_findings *found = state->found;
    struct sregs_finding *finding = &found->list[found->count];
    va_list args;

    if (!broken || found->count == SREGS_FINDINGS_MAX)
        return;
    found->count++;
    finding->rule = rule;
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
}

/* [control] */
static void check_control(const struct state *state)
{
    const uint64_t cr0 = state->s->cr0, cr3 = state->s->cr3, cr4 = state->s->cr4;
    const uint64_t efer = state->s->efer;
    const bool wanted = efer & EFER_LME, paging = cr0 & CR0_PG, active = efer & EFER_LMA;

    broken_if(state, cr0 >> 32, RULE_CR0_RESERVED, "CR0 is 0x%" PRIx64, cr0);
    broken_if(state, paging && !(cr0 & CR0_PE), RULE_CR0_PG_NEEDS_PE,
              "CR0 is 0x%" PRIx64 ": PG is 1 and PE is 0", cr0);
    broken_if(state, (cr0 & CR0_NW) && !(cr0 & CR0_CD), RULE_CR0_NW_NEEDS_CD,
              "CR0 is 0x%" PRIx64 ": NW is 1 and CD is 0", cr0);
    broken_if(state, cr3 & CR3_RESERVED, RULE_CR3_WIDTH, "CR3 is 0x%" PRIx64, cr3);
    broken_if(state, cr4 & CR4_RESERVED, RULE_CR4_RESERVED, "CR4 is 0x%" PRIx64, cr4);
    broken_if(state, (cr4 & CR4_PCIDE) && !active, RULE_CR4_PCIDE_NEEDS_LONG,
              "CR4 is 0x%" PRIx64 ", EFER is 0x%" PRIx64, cr4, efer);
    broken_if(state, efer & ~EFER_DEFINED, RULE_EFER_RESERVED, "EFER is 0x%" PRIx64, efer);
    broken_if(state, wanted && paging && !(cr4 & CR4_PAE), RULE_LONG_NEEDS_PAE,
              "EFER.LME and CR0.PG are 1, CR4 is 0x%" PRIx64, cr4);
    broken_if(state, active != (wanted && paging), RULE_LMA_MATCHES,
              "LMA is %d, LME is %d, CR0.PG is %d", active, wanted, paging);
}
/* [/control] */

static void check_flags_and_rip(const struct state *state)
{
    const uint64_t flags = state->r->rflags, rip = state->r->rip;
    const bool code64 = state->long_mode && state->s->cs.l;

    broken_if(state, !(flags & RFLAGS_ONE), RULE_RFLAGS_ONE, "RFLAGS is 0x%" PRIx64, flags);
    broken_if(state, flags & RFLAGS_RESERVED, RULE_RFLAGS_RESERVED, "RFLAGS is 0x%" PRIx64, flags);
    broken_if(state, (flags & RFLAGS_VM) && (state->long_mode || !state->protected), RULE_RFLAGS_VM,
              "RFLAGS is 0x%" PRIx64, flags);
    broken_if(state, !code64 && rip >> 32, RULE_RIP_WIDTH, "RIP is 0x%" PRIx64, rip);
    broken_if(state, code64 && !is_canonical(rip), RULE_RIP_CANONICAL, "RIP is 0x%" PRIx64, rip);
}

static void check_code_and_stack(const struct state *state)
{
    const struct kvm_segment *cs = &state->s->cs, *ss = &state->s->ss;
    const unsigned type = cs->type;
    const bool data_in_real_mode = !state->protected && (type & 0xe) == SEG_WRITABLE;
    const bool code = type & SEG_CODE;
    bool wrong_ring;

    broken_if(state, cs->l && !state->long_mode, RULE_CS_L_NEEDS_LONG,
              "CS.L is 1, EFER is 0x%" PRIx64, (uint64_t)state->s->efer);
    broken_if(state, state->long_mode && cs->l && cs->db, RULE_CS_L_AND_D, "CS.L is 1, CS.D is 1");
    if (state->v8086)
        return; /* there, one rule holds for all six segments: check_v8086() */

    broken_if(state, !code && !data_in_real_mode, RULE_CS_TYPE, "CS is of type %u", type);
    /* Conforming code runs in the caller's ring, so it may belong to a lower number. */
    wrong_ring = type & SEG_CONFORMING ? cs->dpl > ss->dpl : cs->dpl != ss->dpl;
    broken_if(state, code && state->protected && wrong_ring, RULE_CS_DPL,
              "CS.DPL is %u, SS.DPL is %u", cs->dpl, ss->dpl);
    broken_if(state, !ss->unusable && (ss->type & 0xa) != SEG_WRITABLE, RULE_SS_TYPE,
              "SS is of type %u", ss->type);
    broken_if(state, !state->protected && ss->dpl != 0, RULE_SS_DPL_REAL, "SS.DPL is %u", ss->dpl);
    broken_if(state,
              state->protected && ((ss->selector & SELECTOR_RPL) != ss->dpl ||
                                   (cs->selector & SELECTOR_RPL) != ss->dpl),
              RULE_SS_RPL, "SS is 0x%04x, CS is 0x%04x, SS.DPL is %u", ss->selector, cs->selector,
              ss->dpl);
}

/* A limit is in bytes, so G must say truly whether it counts in pages. */
static void check_limit(const struct state *state, const char *name, const struct kvm_segment *seg)
{
    broken_if(state, !seg->g && seg->limit >> 20, RULE_LIMIT_NEEDS_G, "%s has limit 0x%x and G = 0",
              name, seg->limit);
    broken_if(state, seg->g && (seg->limit & 0xfff) != 0xfff, RULE_G_NEEDS_LIMIT,
              "%s has limit 0x%x and G = 1", name, seg->limit);
}

/* What holds for CS, SS, DS, ES, FS and GS alike. An unusable one may hold anything. */
static void check_segment(const struct state *state, const char *name,
                          const struct kvm_segment *seg)
{
    const bool cs = seg == &state->s->cs, ss = seg == &state->s->ss;
    const bool wide = seg == &state->s->fs || seg == &state->s->gs;
    const bool code = seg->type & SEG_CODE, conforming = code && (seg->type & SEG_CONFORMING);

    /* FS and GS keep 64-bit bases in MSRs, so theirs count even if unusable. */
    broken_if(state, wide && !is_canonical(seg->base), RULE_SEG_BASE_CANONICAL,
              "%s has base 0x%" PRIx64, name, (uint64_t)seg->base);
    if (seg->unusable && !cs)
        return;
    broken_if(state, !wide && seg->base >> 32, RULE_SEG_BASE_WIDTH, "%s has base 0x%" PRIx64, name,
              (uint64_t)seg->base);
    if (state->v8086)
        return;
    broken_if(state, !seg->s, RULE_SEG_SYSTEM, "%s has S = 0", name);
    broken_if(state, !seg->present, RULE_SEG_NOT_PRESENT, "%s has P = 0", name);
    broken_if(state, !cs && !ss && code && !(seg->type & SEG_READABLE), RULE_SEG_TYPE,
              "%s is of type %u", name, seg->type);
    broken_if(state, state->protected && !(seg->type & SEG_ACCESSED), RULE_SEG_ACCESSED,
              "%s is of type %u", name, seg->type);
    broken_if(state, !cs && !ss && !conforming && seg->dpl < (seg->selector & SELECTOR_RPL),
              RULE_SEG_DPL, "%s is 0x%04x with DPL %u", name, seg->selector, seg->dpl);
    check_limit(state, name, seg);
}

static void check_v8086(const struct state *state, const char *name, const struct kvm_segment *seg)
{
    bool right = seg->base == (uint64_t)seg->selector << 4 && seg->limit == 0xffff &&
                 seg->type == (SEG_WRITABLE | SEG_ACCESSED) && seg->s && seg->present &&
                 seg->dpl == 3 && !seg->g && !seg->db && !seg->l;

    broken_if(state, state->v8086 && !right, RULE_V8086_SEGMENT,
              "%s is 0x%04x with base 0x%" PRIx64 ", limit 0x%x", name, seg->selector,
              (uint64_t)seg->base, seg->limit);
}

static void check_task_and_ldt(const struct state *state)
{
    const struct kvm_segment *tr = &state->s->tr, *ldt = &state->s->ldt;
    const bool old_tss = !state->long_mode && tr->type == SYS_TSS16_BUSY;

    broken_if(state, tr->unusable, RULE_TR_UNUSABLE, "TR is unusable");
    broken_if(state, tr->selector & SELECTOR_TI, RULE_TR_LOCAL, "TR is 0x%04x", tr->selector);
    broken_if(state, tr->type != SYS_TSS_BUSY && !old_tss, RULE_TR_TYPE, "TR is of type %u",
              tr->type);
    broken_if(state, tr->s, RULE_TR_SYSTEM, "TR has S = 1");
    broken_if(state, !tr->present, RULE_TR_NOT_PRESENT, "TR has P = 0");
    broken_if(state, !is_canonical(tr->base), RULE_SEG_BASE_CANONICAL, "TR has base 0x%" PRIx64,
              (uint64_t)tr->base);
    check_limit(state, "TR", tr);

    if (ldt->unusable)
        return;
    broken_if(state, ldt->selector & SELECTOR_TI, RULE_LDTR_LOCAL, "LDTR is 0x%04x", ldt->selector);
    broken_if(state, ldt->type != SYS_LDT, RULE_LDTR_TYPE, "LDTR is of type %u", ldt->type);
    broken_if(state, ldt->s, RULE_LDTR_SYSTEM, "LDTR has S = 1");
    broken_if(state, !ldt->present, RULE_LDTR_NOT_PRESENT, "LDTR has P = 0");
    broken_if(state, !is_canonical(ldt->base), RULE_SEG_BASE_CANONICAL, "LDTR has base 0x%" PRIx64,
              (uint64_t)ldt->base);
    check_limit(state, "LDTR", ldt);
}

static void check_tables(const struct state *state)
{
    const struct kvm_dtable *gdt = &state->s->gdt, *idt = &state->s->idt;
    const unsigned cs = state->s->cs.selector, index = cs & ~7u;

    broken_if(state, !is_canonical(gdt->base), RULE_TABLE_BASE_CANONICAL,
              "the GDT has base 0x%" PRIx64, (uint64_t)gdt->base);
    broken_if(state, !is_canonical(idt->base), RULE_TABLE_BASE_CANONICAL,
              "the IDT has base 0x%" PRIx64, (uint64_t)idt->base);
    if (!state->protected || state->v8086)
        return;
    broken_if(state, !(cs & SELECTOR_TI) && index + 7 > gdt->limit, RULE_GDT_WITHOUT_CS,
              "CS is 0x%04x, the GDT has limit 0x%x", cs, gdt->limit);
    broken_if(state, idt->limit < (state->long_mode ? 16 : 8) - 1, RULE_IDT_EMPTY,
              "the IDT has limit 0x%x", idt->limit);
}

void sregs_check(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
                 struct sregs_findings *found)
{
    const bool protected = sregs->cr0 & CR0_PE, long_mode = sregs->efer & EFER_LMA;
    const struct state state = {
        .r = regs,
        .s = sregs,
        .found = found,
        .protected = protected,
        .long_mode = long_mode,
        .v8086 = protected && !long_mode && (regs->rflags & RFLAGS_VM),
    };
    const struct {
        const char *name;
        const struct kvm_segment *segment;
    } segments[] = {
        {"CS", &sregs->cs}, {"SS", &sregs->ss}, {"DS", &sregs->ds},
        {"ES", &sregs->es}, {"FS", &sregs->fs}, {"GS", &sregs->gs},
    };

    found->count = 0;
    check_control(&state);
    check_flags_and_rip(&state);
    check_code_and_stack(&state);
    for (unsigned i = 0; i < ARRAY_SIZE(segments); i++) {
        check_segment(&state, segments[i].name, segments[i].segment);
        check_v8086(&state, segments[i].name, segments[i].segment);
    }
    check_task_and_ldt(&state);
    check_tables(&state);
}

bool sregs_refused(const struct sregs_findings *found)
{
    for (unsigned i = 0; i < found->count; i++)
        if (sregs_rule_words(found->list[i].rule)->severity == SREGS_REFUSED)
            return true;
    return false;
}

void sregs_findings_print(FILE *out, const struct sregs_findings *found)
{
    static const char *const severities[] = {
        [SREGS_REFUSED] = "refused",
        [SREGS_OLD] = "refused by older processors",
        [SREGS_TRAP] = "enters, but wait for it",
    };

    if (found->count == 0)
        fprintf(out, "no rule is broken\n");
    for (unsigned i = 0; i < found->count; i++) {
        const struct sregs_words *words = sregs_rule_words(found->list[i].rule);

        fprintf(out, "%s (%s): %s\n", words->name, severities[words->severity],
                found->list[i].text);
        fprintf(out, "  rule: %s\n  cure: %s\n", words->manual, words->cure);
    }
}
