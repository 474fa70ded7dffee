/*
 * test_cpuid.c: what the filter lets through, on leaves full of ones.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/cpuid.h"
#include "common/bits.h"
#include "harness/harness.h"

static union {
    struct kvm_cpuid2 cpuid;
    uint8_t bytes[sizeof(struct kvm_cpuid2) + 64 * sizeof(struct kvm_cpuid_entry2)];
} block;

/* One leaf, all ones as the worst host would give it, after the filter. */
static struct kvm_cpuid_entry2 filter(uint32_t function, uint32_t index, unsigned apic_id,
                                      unsigned count)
{
    memset(&block, 0, sizeof block);
    block.cpuid.nent = 1;
    block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = function,
                                                       .index = index,
                                                       .eax = UINT32_MAX,
                                                       .ebx = UINT32_MAX,
                                                       .ecx = UINT32_MAX,
                                                       .edx = UINT32_MAX};
    cpuid_filter(&block.cpuid, apic_id, count, false);
    return block.cpuid.entries[0];
}

START_TEST(nested_virtualization_is_hidden)
{
    struct kvm_cpuid_entry2 svm = filter(0x8000000a, 0, 0, 1);

    ck_assert_uint_eq(filter(1, 0, 0, 1).ecx & CPUID_1_ECX_VMX, 0);
    ck_assert_uint_eq(filter(0x80000001, 0, 0, 1).ecx & CPUID_80000001_ECX_SVM, 0);
    ck_assert_uint_eq(svm.eax | svm.ebx | svm.ecx | svm.edx, 0);
}
END_TEST

START_TEST(serial_numbers_are_hidden)
{
    struct kvm_cpuid_entry2 serial = filter(3, 0, 0, 1);

    ck_assert_uint_eq(filter(1, 0, 0, 1).edx & CPUID_1_EDX_PSN, 0);
    ck_assert_uint_eq(serial.eax | serial.ebx | serial.ecx | serial.edx, 0);
}
END_TEST

START_TEST(the_guest_knows_that_it_is_one)
{
    block.cpuid.nent = 1;
    block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = 1};
    cpuid_filter(&block.cpuid, 0, 1, false);
    ck_assert_uint_eq(block.cpuid.entries[0].ecx, CPUID_1_ECX_HYPERVISOR);
}
END_TEST

START_TEST(the_deadline_timer_depends_on_the_host)
{
    for (unsigned has = 0; has < 2; has++) {
        block.cpuid.nent = 1;
        block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = 1};
        cpuid_filter(&block.cpuid, 0, 1, has);
        ck_assert_uint_eq(block.cpuid.entries[0].ecx & CPUID_1_ECX_TSC_DEADLINE,
                          has ? CPUID_1_ECX_TSC_DEADLINE : 0);
    }
}
END_TEST

START_TEST(leaf_1_tells_id_and_count)
{
    struct kvm_cpuid_entry2 one = filter(1, 0, 0, 1), four = filter(1, 0, 3, 4);

    ck_assert_uint_eq(one.ebx, 0x0001ffff);
    ck_assert_uint_eq(one.edx & CPUID_1_EDX_HTT, 0);
    ck_assert_uint_eq(four.ebx, 0x0304ffff);
    ck_assert_uint_eq(four.edx & CPUID_1_EDX_HTT, CPUID_1_EDX_HTT);
}
END_TEST

START_TEST(the_topology_is_the_guests)
{
    static const struct {
        uint32_t index, count, eax, ebx, ecx;
    } rows[] = {
        {0, 1, 0, 1, 0x100}, {1, 1, 0, 1, 0x201}, {2, 1, 0, 0, 2},
        {0, 4, 0, 1, 0x100}, {1, 4, 2, 4, 0x201}, {2, 4, 0, 0, 2},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        for (uint32_t leaf = 0xb; leaf <= 0x1f; leaf += 0x14) {
            struct kvm_cpuid_entry2 e = filter(leaf, rows[i].index, rows[i].count - 1,
                                               rows[i].count);

            ck_assert_uint_eq(e.eax, rows[i].eax);
            ck_assert_uint_eq(e.ebx, rows[i].ebx);
            ck_assert_uint_eq(e.ecx, rows[i].ecx);
            ck_assert_uint_eq(e.edx, rows[i].count - 1);
        }
    ck_assert_uint_eq(filter(0x80000008, 0, 0, 1).ecx, 0x0000);
    ck_assert_uint_eq(filter(0x80000008, 0, 0, 4).ecx, 0x2003);
    ck_assert_uint_eq(filter(0x8000001e, 0, 2, 4).eax, 2);
    ck_assert_uint_eq(filter(0x8000001e, 0, 2, 4).ebx, 2);
}
END_TEST

START_TEST(caches_are_shared_by_guests_only)
{
    /* EAX of leaf 4: type in bits 4:0, level in 7:5, sharing from bit 14. */
    static const struct {
        uint32_t leaf, in, count, out;
    } rows[] = {
        {0x4, 0xfffffc21, 1, 0x00003c21},        {0x4, 0xfffffc63, 1, 0x00003c63},
        {0x4, 0xfffffc21, 4, 0x0c003c21},        {0x4, 0xfffffc63, 4, 0x0c00fc63},
        {0x8000001d, 0x03ffc163, 4, 0x0000c163}, {0x8000001d, 0x03ffc143, 4, 0x00000143},
        {0x4, 0x00000000, 4, 0x00000000},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        block.cpuid.nent = 1;
        block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = rows[i].leaf,
                                                           .eax = rows[i].in};
        cpuid_filter(&block.cpuid, 0, rows[i].count, false);
        ck_assert_msg(block.cpuid.entries[0].eax == rows[i].out, "row %u: 0x%x", i,
                      block.cpuid.entries[0].eax);
    }
}
END_TEST

START_TEST(fast_short_strings_imply_fast_strings)
{
    block.cpuid.nent = 1;
    block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = 7, .edx = CPUID_7_EDX_FSRM};
    cpuid_filter(&block.cpuid, 0, 1, false);
    ck_assert_uint_eq(block.cpuid.entries[0].ebx, CPUID_7_EBX_ERMS);
    block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = 7, .edx = 0};
    cpuid_filter(&block.cpuid, 0, 1, false);
    ck_assert_uint_eq(block.cpuid.entries[0].ebx, 0);
}
END_TEST

START_TEST(other_leaves_pass)
{
    static const uint32_t leaves[] = {0x0, 0x2, 0x6, 0xd, 0x40000000, 0x40000001, 0x80000002};

    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
        struct kvm_cpuid_entry2 e = filter(leaves[i], 0, 0, 1);

        ck_assert_uint_eq(e.eax & e.ebx & e.ecx & e.edx, UINT32_MAX);
    }
}
END_TEST

static Suite *cpuid_suite(void)
{
    Suite *suite = suite_create("07 cpuid");
    TCase *tests = tcase_create("cpuid");

    tcase_add_test(tests, nested_virtualization_is_hidden);
    tcase_add_test(tests, serial_numbers_are_hidden);
    tcase_add_test(tests, the_guest_knows_that_it_is_one);
    tcase_add_test(tests, the_deadline_timer_depends_on_the_host);
    tcase_add_test(tests, leaf_1_tells_id_and_count);
    tcase_add_test(tests, the_topology_is_the_guests);
    tcase_add_test(tests, caches_are_shared_by_guests_only);
    tcase_add_test(tests, fast_short_strings_imply_fast_strings);
    tcase_add_test(tests, other_leaves_pass);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(cpuid_suite());
}
