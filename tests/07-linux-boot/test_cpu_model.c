/*
 * test_cpu_model.c: -cpu, flag by flag.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/cpu_flags.h"
#include "07-linux-boot/cpuid.h"
#include "common/bits.h"
#include "harness/harness.h"

#define LEAVES 9u

union list {
    struct kvm_cpuid2 head;
    uint8_t bytes[sizeof(struct kvm_cpuid2) + LEAVES * sizeof(struct kvm_cpuid_entry2)];
};

static const uint32_t leaves[LEAVES][2] = {{1, 0},          {7, 0},          {7, 1},
                                           {0xd, 1},        {0x80000001, 0}, {0x80000008, 0},
                                           {0x8000000a, 0}, {0x40000001, 0}, {0x80000007, 0}};

/* What KVM offers: every bit of every leaf, or none. */
static void fill(union list *list, uint32_t value)
{
    memset(list, 0, sizeof *list);
    list->head.nent = LEAVES;
    for (unsigned i = 0; i < LEAVES; i++)
        list->head.entries[i] = (struct kvm_cpuid_entry2){.function = leaves[i][0],
                                                          .index = leaves[i][1],
                                                          .eax = value,
                                                          .ebx = value,
                                                          .ecx = value,
                                                          .edx = value};
}

static union list guest, supported;
static struct cpu_model model;
static struct refusal why;

/* The guest's leaves, which start as value, with -cpu text on a host with everything. */
static int apply(const char *text, uint32_t value)
{
    int error = cpu_model_read(&model, text, &why);

    fill(&guest, value);
    fill(&supported, UINT32_MAX);
    return error < 0 ? error : cpu_model_apply(&model, &guest.head, &supported.head, &why);
}

static uint32_t ecx_1(void)
{
    return guest.head.entries[0].ecx;
}

static uint32_t ebx_7(void)
{
    return guest.head.entries[1].ebx;
}

START_TEST(flags_come_and_go_by_all_their_names)
{
    static const struct {
        const char *text;
        uint32_t ecx_1, ebx_7;
    } rows[] = {
        {NULL, 0, 0},
        {"host", 0, 0},
        {"host,+avx2", 0, BIT(5)},
        {"host,avx2=on", 0, BIT(5)},
        {"host,avx2", 0, BIT(5)},
        {"host,+AVX2", 0, BIT(5)},
        {"host,+sse4.1,+sse4-2,+x2apic", BIT(19) | BIT(20) | BIT(21), 0},
        {"host,+sse4_1,+pni", BIT(19) | BIT(0), 0},
        {"host,+sse3,+tsc-deadline", BIT(0) | BIT(24), 0},
        {"host,+avx2,-avx2", 0, 0}, /* the last counts */
        {"host,-avx2,+avx2", 0, BIT(5)},
        {"host,+vmx", BIT(5), 0},
        {"max", BIT(5), 0},
        {"max,-vmx", 0, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        ck_assert_msg(apply(rows[i].text, 0) == 0, "%s: %s", rows[i].text, why.text);
        ck_assert_msg(ecx_1() == rows[i].ecx_1 && ebx_7() == rows[i].ebx_7, "%s: 0x%x, 0x%x",
                      rows[i].text, ecx_1(), ebx_7());
    }
    ck_assert_int_eq(apply("host,-avx2,sse3=off", UINT32_MAX), 0);
    ck_assert_uint_eq(ebx_7(), ~(uint32_t)BIT(5));
    ck_assert_uint_eq(ecx_1(), ~(uint32_t)BIT(0));
}
END_TEST

START_TEST(each_name_is_one_bit_of_its_own)
{
    for (const struct cpu_flag *flag = cpu_flags; flag->name; flag++) {
        char text[60];

        for (const struct cpu_flag *other = cpu_flags; other < flag; other++) {
            ck_assert_str_ne(flag->name, other->name);
            ck_assert_msg(flag->leaf != other->leaf || flag->index != other->index ||
                              flag->reg != other->reg || flag->bit != other->bit,
                          "%s and %s", flag->name, other->name);
        }
        ck_assert_uint_lt(flag->bit, 32);
        snprintf(text, sizeof text, "host,+%s", flag->name);
        ck_assert_msg(apply(text, 0) == 0, "%s: %s", flag->name, why.text);
    }
}
END_TEST

START_TEST(nested_svm_comes_with_its_leaf)
{
    ck_assert_int_eq(apply("host", 0), 0);
    ck_assert_uint_eq(guest.head.entries[6].eax, 0);
    ck_assert_int_eq(apply("host,+svm", 0), 0);
    ck_assert_uint_eq(guest.head.entries[4].ecx, BIT(2));
    ck_assert_uint_eq(guest.head.entries[6].eax, UINT32_MAX);
    ck_assert_int_eq(apply("max", 0), 0);
    ck_assert_uint_eq(guest.head.entries[6].eax, UINT32_MAX);
}
END_TEST

START_TEST(what_kvm_lacks_cannot_be_added)
{
    ck_assert_int_eq(cpu_model_read(&model, "host,+avx512f", &why), 0);
    fill(&guest, 0);
    fill(&supported, 0);
    ck_assert_int_eq(cpu_model_apply(&model, &guest.head, &supported.head, &why), -ENOTSUP);
    ck_assert_str_eq(why.text, "+avx512f: KVM on this host has no such feature to offer");
    ck_assert_int_eq(cpu_model_read(&model, "max,-avx512f", &why), 0); /* these are wishes */
    ck_assert_int_eq(cpu_model_apply(&model, &guest.head, &supported.head, &why), 0);
    ck_assert_uint_eq(ecx_1(), 0);
    guest.head.nent = 0; /* not even the leaf is there */
    ck_assert_int_eq(cpu_model_apply(&model, &guest.head, &guest.head, &why), 0);
}
END_TEST

START_TEST(what_is_not_known_is_refused_by_name)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "\"\" is no model: there are host and max"},
        {"qemu64", "\"qemu64\" is no model: there are host and max"},
        {"+avx2", "\"+avx2\" is no model"},
        {"host,+avx3", "\"avx3\" is no flag that is known: did you mean avx?"},
        {"host,+no_such_flag_at_all", "-cpu help lists them"},
        {"host,avx2=yes", "avx2=yes: not one of on and off"},
        {"host,+avx2=on", "+avx2=on: +FLAG, -FLAG or FLAG=on|off"},
        {"host,+", "\"\" is no flag"},
        {"host,-", "\"\" is no flag"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        ck_assert_msg(cpu_model_read(&model, rows[i].text, &why) < 0, "%s was accepted",
                      rows[i].text);
        ck_assert_msg(strstr(why.text, rows[i].words), "%s: %s", rows[i].text, why.text);
    }
}
END_TEST

static Suite *model_suite(void)
{
    Suite *suite = suite_create("07 cpu_model");
    TCase *tests = tcase_create("flags");

    tcase_add_test(tests, flags_come_and_go_by_all_their_names);
    tcase_add_test(tests, each_name_is_one_bit_of_its_own);
    tcase_add_test(tests, nested_svm_comes_with_its_leaf);
    tcase_add_test(tests, what_kvm_lacks_cannot_be_added);
    tcase_add_test(tests, what_is_not_known_is_refused_by_name);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(model_suite());
}
