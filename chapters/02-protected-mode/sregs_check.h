/*
 * sregs_check.h: why won't my vCPU start?
 *
 * VM entry checks the guest's registers against each other and refuses a state that no
 * processor could be in. All it tells is a number: on Intel 0x80000021, "invalid guest
 * state", for any of some sixty reasons; on AMD VMEXIT_INVALID. KVM_SET_SREGS refuses
 * a few combinations itself, with EINVAL. This module says which rule is broken, where
 * the rule stands and what to do.
 *
 *     struct sregs_findings found;
 *
 *     sregs_check(&regs, &sregs, &found);
 *     sregs_findings_print(stderr, &found);
 *
 * A pure function: no KVM, no output. The rules are those that concern struct kvm_regs
 * and struct kvm_sregs in [SDM3, 26.3.1 "Checks on the Guest State Area"] and [APM2,
 * 15.5.1 "Basic Operation"], and those of Linux's KVM_SET_SREGS. A processor may ask
 * for more (a bit of CR4 that it lacks, say); no findings is no promise.
 */
#ifndef CHAPTER_02_SREGS_CHECK_H
#define CHAPTER_02_SREGS_CHECK_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>

/* The rules, from the control registers down to the tables. sregs_rules.c has the words. */
enum sregs_rule {
    RULE_CR0_RESERVED,
    RULE_CR0_PG_NEEDS_PE,
    RULE_CR0_NW_NEEDS_CD,
    RULE_CR3_WIDTH,
    RULE_CR4_RESERVED,
    RULE_CR4_PCIDE_NEEDS_LONG,
    RULE_EFER_RESERVED,
    RULE_LONG_NEEDS_PAE,
    RULE_LMA_MATCHES,
    RULE_RFLAGS_ONE,
    RULE_RFLAGS_RESERVED,
    RULE_RFLAGS_VM,
    RULE_RIP_WIDTH,
    RULE_RIP_CANONICAL,
    RULE_CS_L_NEEDS_LONG,
    RULE_CS_L_AND_D,
    RULE_CS_TYPE,
    RULE_CS_DPL,
    RULE_SS_TYPE,
    RULE_SS_DPL_REAL,
    RULE_SS_RPL,
    RULE_SEG_SYSTEM,
    RULE_SEG_NOT_PRESENT,
    RULE_SEG_TYPE,
    RULE_SEG_ACCESSED,
    RULE_SEG_DPL,
    RULE_SEG_BASE_WIDTH,
    RULE_SEG_BASE_CANONICAL,
    RULE_LIMIT_NEEDS_G,
    RULE_G_NEEDS_LIMIT,
    RULE_V8086_SEGMENT,
    RULE_TR_UNUSABLE,
    RULE_TR_LOCAL,
    RULE_TR_TYPE,
    RULE_TR_SYSTEM,
    RULE_TR_NOT_PRESENT,
    RULE_LDTR_LOCAL,
    RULE_LDTR_TYPE,
    RULE_LDTR_SYSTEM,
    RULE_LDTR_NOT_PRESENT,
    RULE_TABLE_BASE_CANONICAL,
    RULE_GDT_WITHOUT_CS,
    RULE_IDT_EMPTY,
    RULE_COUNT,
};

enum sregs_severity {
    SREGS_REFUSED, /* KVM or the processor refuses to enter */
    SREGS_OLD,     /* a processor without "unrestricted guest" refuses; newer ones enter */
    SREGS_TRAP,    /* it enters, and fails later: at the first exception or segment load */
};

/* What a rule is about, without regard to any state. Static, never NULL. */
struct sregs_words {
    const char *name; /* "cr0-pg-needs-pe" */
    enum sregs_severity severity;
    const char *manual; /* number and title of the section */
    const char *cure;   /* what to set, in one sentence */
};

const struct sregs_words *sregs_rule_words(enum sregs_rule rule);

struct sregs_finding {
    enum sregs_rule rule;
    char text[96]; /* the registers at fault, with their values */
};

/* A rule can be broken by several segments, so there may be more than RULE_COUNT. */
#define SREGS_FINDINGS_MAX 96u

struct sregs_findings {
    struct sregs_finding list[SREGS_FINDINGS_MAX];
    unsigned count;
};

/* Fills found with every rule that the state breaks, each as often as it is broken. */
void sregs_check(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
                 struct sregs_findings *found);

/* Is there a finding of severity SREGS_REFUSED? */
bool sregs_refused(const struct sregs_findings *found);

/* Three lines for each finding (what, where it stands, what to do), or one for none. */
void sregs_findings_print(FILE *out, const struct sregs_findings *found);

#endif
