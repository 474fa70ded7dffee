/* Each rule of the checker goes red on a state that breaks it, and only then. */
#define _GNU_SOURCE
#include "02-protected-mode/sregs_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "02-protected-mode/entry.h"
#include "02-protected-mode/segment.h"
#include "02-protected-mode/x86.h"
#include "harness/harness.h"

struct world {
    struct kvm_regs r;
    struct kvm_sregs s;
};

/* What a new vCPU looks like on Intel, as far as the rules go. */
static struct world real_mode(void)
{
    struct kvm_segment data = {.limit = 0xffff, .type = 3, .s = 1, .present = 1};
    struct world w = {.r = {.rflags = 2}, .s = {.cr0 = CR0_CD | CR0_NW | CR0_ET}};

    w.s.cs = w.s.ds = w.s.es = w.s.fs = w.s.gs = w.s.ss = data;
    w.s.cs.type = 11;
    w.s.tr = (struct kvm_segment){.limit = 0xffff, .type = 11, .present = 1};
    w.s.ldt = (struct kvm_segment){.limit = 0xffff, .type = 2, .present = 1};
    w.s.gdt.limit = w.s.idt.limit = 0xffff;
    return w;
}

static struct world protected_mode(void)
{
    struct world w = real_mode();

    entry_protected(&w.r, &w.s);
    w.s.idt.limit = 0xff;
    return w;
}

static struct world long_mode(void)
{
    struct world w = real_mode();

    entry_long(&w.r, &w.s);
    w.s.idt.limit = 0xfff;
    return w;
}

/* A program of ring 3 in long mode, with LDT and all: as Linux runs one. */
static struct world user_mode(void)
{
    struct world w = long_mode();

    w.s.cs = segment_code64(ENTRY_CODE64, 3);
    w.s.ss = w.s.ds = w.s.es = segment_data(ENTRY_DATA, 3);
    w.s.fs = w.s.gs = (struct kvm_segment){.unusable = 1, .base = 0xffff800000000000};
    w.s.ldt = (struct kvm_segment){.selector = 8, .type = 2, .present = 1, .limit = 0xfff};
    w.r.rip = 0x00007fffffffffff;
    return w;
}

static struct world v8086(void)
{
    struct world w = protected_mode();
    struct kvm_segment segment = {
        .selector = 0x1234,
        .base = 0x12340,
        .limit = 0xffff,
        .type = 3,
        .s = 1,
        .present = 1,
        .dpl = 3,
    };

    w.r.rflags |= RFLAGS_VM;
    w.s.cs = w.s.ds = w.s.es = w.s.fs = w.s.gs = w.s.ss = segment;
    return w;
}

static bool broken(const struct world *w, enum sregs_rule rule)
{
    struct sregs_findings found;

    sregs_check(&w->r, &w->s, &found);
    for (unsigned i = 0; i < found.count; i++)
        if (found.list[i].rule == rule)
            return true;
    return false;
}

static char *report(const struct world *w)
{
    struct sregs_findings found;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    sregs_check(&w->r, &w->s, &found);
    sregs_findings_print(out, &found);
    fclose(out);
    return text;
}

START_TEST(states_that_start_break_no_rule)
{
    const struct world worlds[] = {real_mode(), protected_mode(), long_mode(), user_mode(),
                                   v8086()};

    for (unsigned i = 0; i < ARRAY_SIZE(worlds); i++) {
        char *text = report(&worlds[i]);

        ck_assert_msg(strcmp(text, "no rule is broken\n") == 0, "world %u: %s", i, text);
        free(text);
    }
}
END_TEST

/* RED(rule, start, statement): the world after the statement breaks the rule. */
#define RED(rule, start, statement)                                                                \
    do {                                                                                           \
        struct world w = start();                                                                  \
        ck_assert_msg(!broken(&w, rule), "%s is broken before: %s", #rule, #statement);            \
        statement;                                                                                 \
        ck_assert_msg(broken(&w, rule), "%s is not broken by: %s", #rule, #statement);             \
        red[rule] = true;                                                                          \
    } while (0)

/* GREEN(rule, start, statement): it does not, although it is close. */
#define GREEN(rule, start, statement)                                                              \
    do {                                                                                           \
        struct world w = start();                                                                  \
        statement;                                                                                 \
        ck_assert_msg(!broken(&w, rule), "%s is broken by: %s", #rule, #statement);                \
        green[rule] = true;                                                                        \
    } while (0)

static void control_registers(bool red[], bool green[])
{
    RED(RULE_CR0_RESERVED, long_mode, w.s.cr0 |= BIT(32));
    GREEN(RULE_CR0_RESERVED, long_mode, w.s.cr0 = 0xffffffff);
    RED(RULE_CR0_PG_NEEDS_PE, long_mode, w.s.cr0 &= ~CR0_PE);
    GREEN(RULE_CR0_PG_NEEDS_PE, long_mode, w.s.cr0 &= ~CR0_PG);
    RED(RULE_CR0_NW_NEEDS_CD, long_mode, w.s.cr0 |= CR0_NW);
    GREEN(RULE_CR0_NW_NEEDS_CD, long_mode, w.s.cr0 |= CR0_NW | CR0_CD);
    RED(RULE_CR3_WIDTH, long_mode, w.s.cr3 = BIT(52));
    GREEN(RULE_CR3_WIDTH, long_mode, w.s.cr3 = BIT(51));
    RED(RULE_CR4_RESERVED, long_mode, w.s.cr4 |= BIT(15));
    RED(RULE_CR4_RESERVED, long_mode, w.s.cr4 |= BIT(63));
    GREEN(RULE_CR4_RESERVED, long_mode, w.s.cr4 |= CR4_SMAP | CR4_LA57);
    RED(RULE_CR4_PCIDE_NEEDS_LONG, protected_mode, w.s.cr4 |= CR4_PCIDE);
    GREEN(RULE_CR4_PCIDE_NEEDS_LONG, long_mode, w.s.cr4 |= CR4_PCIDE);
    RED(RULE_EFER_RESERVED, long_mode, w.s.efer |= BIT(9));
    GREEN(RULE_EFER_RESERVED, long_mode, w.s.efer |= EFER_NXE | EFER_SCE | EFER_SVME);
    RED(RULE_LONG_NEEDS_PAE, long_mode, w.s.cr4 &= ~CR4_PAE);
    GREEN(RULE_LONG_NEEDS_PAE, protected_mode, w.s.cr0 |= CR0_PG);
    RED(RULE_LMA_MATCHES, long_mode, w.s.efer &= ~EFER_LMA);
    RED(RULE_LMA_MATCHES, long_mode, w.s.efer &= ~EFER_LME);
    RED(RULE_LMA_MATCHES, long_mode, w.s.cr0 &= ~CR0_PG);
    GREEN(RULE_LMA_MATCHES, protected_mode, w.s.efer = EFER_LME);
}

static void flags_and_rip(bool red[], bool green[])
{
    RED(RULE_RFLAGS_ONE, real_mode, w.r.rflags = 0);
    GREEN(RULE_RFLAGS_ONE, real_mode, w.r.rflags = 0x202);
    RED(RULE_RFLAGS_RESERVED, real_mode, w.r.rflags |= BIT(3));
    RED(RULE_RFLAGS_RESERVED, real_mode, w.r.rflags |= BIT(22));
    GREEN(RULE_RFLAGS_RESERVED, real_mode, w.r.rflags |= BIT(21) | RFLAGS_TF);
    RED(RULE_RFLAGS_VM, real_mode, w.r.rflags |= RFLAGS_VM);
    RED(RULE_RFLAGS_VM, long_mode, w.r.rflags |= RFLAGS_VM);
    GREEN(RULE_RFLAGS_VM, protected_mode, w.r.rflags |= RFLAGS_VM);
    RED(RULE_RIP_WIDTH, protected_mode, w.r.rip = BIT(32));
    RED(RULE_RIP_WIDTH, long_mode, (w.s.cs = segment_code32(ENTRY_CODE32, 0), w.r.rip = BIT(32)));
    GREEN(RULE_RIP_WIDTH, long_mode, w.r.rip = BIT(32));
    RED(RULE_RIP_CANONICAL, long_mode, w.r.rip = BIT(47));
    RED(RULE_RIP_CANONICAL, long_mode, w.r.rip = 0xffff7fffffffffff);
    GREEN(RULE_RIP_CANONICAL, long_mode, w.r.rip = 0xffff800000000000);
}

static void code_and_stack(bool red[], bool green[])
{
    RED(RULE_CS_L_NEEDS_LONG, protected_mode, w.s.cs.l = 1);
    GREEN(RULE_CS_L_NEEDS_LONG, long_mode, w.s.cs.l = 1);
    RED(RULE_CS_L_AND_D, long_mode, w.s.cs.db = 1);
    GREEN(RULE_CS_L_AND_D, long_mode, (w.s.cs.db = 1, w.s.cs.l = 0));
    RED(RULE_CS_TYPE, protected_mode, w.s.cs.type = 3);
    GREEN(RULE_CS_TYPE, real_mode, w.s.cs.type = 3);
    RED(RULE_CS_DPL, long_mode, w.s.cs.dpl = 3);
    RED(RULE_CS_DPL, long_mode, (w.s.cs.dpl = 3, w.s.cs.type = 15));
    GREEN(RULE_CS_DPL, user_mode, (w.s.cs.dpl = 0, w.s.cs.type = 15));
    RED(RULE_SS_TYPE, long_mode, w.s.ss.type = 1);
    RED(RULE_SS_TYPE, long_mode, w.s.ss.type = 11);
    GREEN(RULE_SS_TYPE, long_mode, (w.s.ss.type = 1, w.s.ss.unusable = 1));
    RED(RULE_SS_DPL_REAL, real_mode, w.s.ss.dpl = 3);
    GREEN(RULE_SS_DPL_REAL, user_mode, w.s.ss.dpl = 3);
    RED(RULE_SS_RPL, long_mode, w.s.ss.selector |= 3);
    RED(RULE_SS_RPL, long_mode, w.s.cs.selector |= 1);
    GREEN(RULE_SS_RPL, real_mode, w.s.ss.selector |= 3);
}

static void all_segments(bool red[], bool green[])
{
    RED(RULE_SEG_SYSTEM, long_mode, w.s.es.s = 0);
    RED(RULE_SEG_SYSTEM, long_mode, w.s.cs.s = 0);
    GREEN(RULE_SEG_SYSTEM, long_mode, (w.s.es.s = 0, w.s.es.unusable = 1));
    RED(RULE_SEG_NOT_PRESENT, long_mode, w.s.gs.present = 0);
    RED(RULE_SEG_NOT_PRESENT, long_mode, (w.s.cs.present = 0, w.s.cs.unusable = 1));
    GREEN(RULE_SEG_NOT_PRESENT, long_mode, (w.s.gs.present = 0, w.s.gs.unusable = 1));
    RED(RULE_SEG_TYPE, long_mode, w.s.ds.type = 9);
    GREEN(RULE_SEG_TYPE, long_mode, w.s.ds.type = 11);
    RED(RULE_SEG_ACCESSED, long_mode, w.s.ds.type = 2);
    RED(RULE_SEG_ACCESSED, long_mode, w.s.ss.type = 2);
    GREEN(RULE_SEG_ACCESSED, real_mode, w.s.ss.type = 2);
    RED(RULE_SEG_DPL, long_mode, w.s.ds.selector |= 3);
    GREEN(RULE_SEG_DPL, long_mode, (w.s.ds.selector |= 3, w.s.ds.type = 15));
    RED(RULE_SEG_BASE_WIDTH, long_mode, w.s.ds.base = BIT(32));
    GREEN(RULE_SEG_BASE_WIDTH, long_mode, w.s.gs.base = BIT(32));
    RED(RULE_SEG_BASE_CANONICAL, long_mode, w.s.gs.base = BIT(47));
    RED(RULE_SEG_BASE_CANONICAL, long_mode, (w.s.fs.base = BIT(63), w.s.fs.unusable = 1));
    RED(RULE_SEG_BASE_CANONICAL, long_mode, w.s.tr.base = BIT(47));
    RED(RULE_SEG_BASE_CANONICAL, user_mode, w.s.ldt.base = BIT(47));
    GREEN(RULE_SEG_BASE_CANONICAL, long_mode, w.s.gs.base = 0xffffffff80000000);
    RED(RULE_LIMIT_NEEDS_G, protected_mode, w.s.ds.g = 0);
    RED(RULE_LIMIT_NEEDS_G, protected_mode, w.s.tr.limit = 0x100000);
    GREEN(RULE_LIMIT_NEEDS_G, protected_mode, (w.s.ds.g = 0, w.s.ds.limit = 0xfffff));
    RED(RULE_G_NEEDS_LIMIT, protected_mode, w.s.ds.limit = 0xfffff000);
    RED(RULE_G_NEEDS_LIMIT, user_mode, (w.s.ldt.limit = 7, w.s.ldt.g = 1));
    GREEN(RULE_G_NEEDS_LIMIT, protected_mode, w.s.ds.limit = 0xfff);
    RED(RULE_V8086_SEGMENT, v8086, w.s.es.base = 0x12350);
    RED(RULE_V8086_SEGMENT, v8086, w.s.cs.type = 11);
    GREEN(RULE_V8086_SEGMENT, v8086, (w.s.es.selector = 0xffff, w.s.es.base = 0xffff0));
}

static void system_segments(bool red[], bool green[])
{
    RED(RULE_TR_UNUSABLE, long_mode, w.s.tr.unusable = 1);
    GREEN(RULE_TR_UNUSABLE, long_mode, w.s.ldt.unusable = 1);
    RED(RULE_TR_LOCAL, long_mode, w.s.tr.selector |= 4);
    GREEN(RULE_TR_LOCAL, long_mode, w.s.tr.selector |= 3);
    RED(RULE_TR_TYPE, long_mode, w.s.tr.type = 3);
    RED(RULE_TR_TYPE, protected_mode, w.s.tr.type = 9);
    GREEN(RULE_TR_TYPE, protected_mode, w.s.tr.type = 3);
    RED(RULE_TR_SYSTEM, long_mode, w.s.tr.s = 1);
    GREEN(RULE_TR_SYSTEM, long_mode, w.s.tr.s = 0);
    RED(RULE_TR_NOT_PRESENT, long_mode, w.s.tr.present = 0);
    GREEN(RULE_TR_NOT_PRESENT, long_mode, w.s.tr.dpl = 3);
    RED(RULE_LDTR_LOCAL, user_mode, w.s.ldt.selector |= 4);
    GREEN(RULE_LDTR_LOCAL, long_mode, w.s.ldt.selector |= 4);
    RED(RULE_LDTR_TYPE, user_mode, w.s.ldt.type = 3);
    GREEN(RULE_LDTR_TYPE, long_mode, w.s.ldt.type = 3);
    RED(RULE_LDTR_SYSTEM, user_mode, w.s.ldt.s = 1);
    GREEN(RULE_LDTR_SYSTEM, long_mode, w.s.ldt.s = 1);
    RED(RULE_LDTR_NOT_PRESENT, user_mode, w.s.ldt.present = 0);
    GREEN(RULE_LDTR_NOT_PRESENT, long_mode, w.s.ldt.present = 0);
}

static void tables(bool red[], bool green[])
{
    RED(RULE_TABLE_BASE_CANONICAL, long_mode, w.s.gdt.base = BIT(47));
    RED(RULE_TABLE_BASE_CANONICAL, long_mode, w.s.idt.base = BIT(63));
    GREEN(RULE_TABLE_BASE_CANONICAL, long_mode, w.s.idt.base = 0xfffffe0000000000);
    RED(RULE_GDT_WITHOUT_CS, long_mode, w.s.gdt.limit = 0x1e);
    GREEN(RULE_GDT_WITHOUT_CS, long_mode, w.s.gdt.limit = 0x1f);
    RED(RULE_IDT_EMPTY, long_mode, w.s.idt.limit = 14);
    RED(RULE_IDT_EMPTY, protected_mode, w.s.idt.limit = 6);
    GREEN(RULE_IDT_EMPTY, protected_mode, w.s.idt.limit = 7);
}

START_TEST(each_rule_goes_red_and_green)
{
    bool red[RULE_COUNT] = {false}, green[RULE_COUNT] = {false};

    control_registers(red, green);
    flags_and_rip(red, green);
    code_and_stack(red, green);
    all_segments(red, green);
    system_segments(red, green);
    tables(red, green);
    for (unsigned rule = 0; rule < RULE_COUNT; rule++) {
        ck_assert_msg(red[rule], "no case breaks %s", sregs_rule_words(rule)->name);
        ck_assert_msg(green[rule], "no case just keeps %s", sregs_rule_words(rule)->name);
    }
}
END_TEST

START_TEST(each_rule_has_words_of_its_own)
{
    for (unsigned rule = 0; rule < RULE_COUNT; rule++) {
        const struct sregs_words *words = sregs_rule_words(rule);

        ck_assert_msg(words->name, "rule %u has no row", rule);
        ck_assert_msg(words->manual[0] == '[' && strchr(words->manual, '"'),
                      "%s: \"%s\" is no citation", words->name, words->manual);
        ck_assert_uint_gt(strlen(words->cure), 10);
        for (unsigned other = 0; other < rule; other++)
            ck_assert_str_ne(words->name, sregs_rule_words(other)->name);
    }
}
END_TEST

START_TEST(only_refusals_are_refused)
{
    struct world w = long_mode();
    struct sregs_findings found;

    w.s.idt.limit = 0;
    sregs_check(&w.r, &w.s, &found);
    ck_assert_uint_eq(found.count, 1);
    ck_assert(!sregs_refused(&found));
    w.s.cr4 = 0;
    sregs_check(&w.r, &w.s, &found);
    ck_assert(sregs_refused(&found));
}
END_TEST

START_TEST(the_report_names_register_value_rule_and_cure)
{
    struct world w = long_mode();
    char *text;

    w.s.cs.db = 1;
    text = report(&w);
    ck_assert_str_eq(text, "cs-l-and-d (refused): CS.L is 1, CS.D is 1\n"
                           "  rule: [SDM3, 26.3.1.2 \"Checks on Guest Segment Registers\"]\n"
                           "  cure: clear CS.D: a 64-bit code segment has L = 1 and D = 0\n");
    free(text);
}
END_TEST

/* Whatever the bytes, the check ends and the list does not overflow. */
START_TEST(random_states_are_survived)
{
    unsigned most = 0;

    srandom(2);
    for (unsigned round = 0; round < 20000; round++) {
        struct world w;
        struct sregs_findings found;

        for (size_t i = 0; i < sizeof w; i++)
            ((uint8_t *)&w)[i] = (uint8_t)(random() >> 8);
        sregs_check(&w.r, &w.s, &found);
        ck_assert_uint_le(found.count, SREGS_FINDINGS_MAX);
        if (found.count > most)
            most = found.count;
    }
    ck_assert_uint_gt(most, 30);
    ck_assert_uint_lt(most, SREGS_FINDINGS_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("the checker of special registers");
    TCase *tests = tcase_create("rules");

    tcase_add_test(tests, states_that_start_break_no_rule);
    tcase_add_test(tests, each_rule_goes_red_and_green);
    tcase_add_test(tests, each_rule_has_words_of_its_own);
    tcase_add_test(tests, only_refusals_are_refused);
    tcase_add_test(tests, the_report_names_register_value_rule_and_cure);
    tcase_add_test(tests, random_states_are_survived);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
