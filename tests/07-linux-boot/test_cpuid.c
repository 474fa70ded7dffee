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

static const struct topology one = {1, 1, 1};

/* One leaf, all ones as the worst host would give it, after the filter. */
static struct kvm_cpuid_entry2 filter_for(uint32_t function, uint32_t index, unsigned apic_id,
                                          struct topology topology)
{
    memset(&block, 0, sizeof block);
    block.cpuid.nent = 1;
    block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = function,
                                                       .index = index,
                                                       .eax = UINT32_MAX,
                                                       .ebx = UINT32_MAX,
                                                       .ecx = UINT32_MAX,
                                                       .edx = UINT32_MAX};
    cpuid_filter(&block.cpuid, &topology, apic_id, false);
    return block.cpuid.entries[0];
}

/* The same for one socket of count cores. */
static struct kvm_cpuid_entry2 filter(uint32_t function, uint32_t index, unsigned apic_id,
                                      unsigned count)
{
    return filter_for(function, index, apic_id, (struct topology){1, count, 1});
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
    cpuid_filter(&block.cpuid, &one, 0, false);
    ck_assert_uint_eq(block.cpuid.entries[0].ecx, CPUID_1_ECX_HYPERVISOR);
}
END_TEST

START_TEST(the_deadline_timer_depends_on_the_host)
{
    for (unsigned has = 0; has < 2; has++) {
        block.cpuid.nent = 1;
        block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = 1};
        cpuid_filter(&block.cpuid, &one, 0, has);
        ck_assert_uint_eq(block.cpuid.entries[0].ecx & CPUID_1_ECX_TSC_DEADLINE,
                          has ? CPUID_1_ECX_TSC_DEADLINE : 0);
    }
}
END_TEST

START_TEST(leaf_1_tells_id_and_count)
{
    struct kvm_cpuid_entry2 alone = filter(1, 0, 0, 1), four = filter(1, 0, 3, 4);
    struct kvm_cpuid_entry2 third = filter_for(1, 0, 4, (struct topology){2, 3, 1});
    struct kvm_cpuid_entry2 socket = filter_for(1, 0, 1, (struct topology){2, 1, 1});

    ck_assert_uint_eq(third.ebx, 0x0404ffff); /* three cores have numbers for four */
    ck_assert_uint_eq(socket.ebx, 0x0101ffff);
    ck_assert_uint_eq(socket.edx & CPUID_1_EDX_HTT, 0); /* alone in its socket */
    ck_assert_uint_eq(alone.ebx, 0x0001ffff);
    ck_assert_uint_eq(alone.edx & CPUID_1_EDX_HTT, 0);
    ck_assert_uint_eq(four.ebx, 0x0304ffff);
    ck_assert_uint_eq(four.edx & CPUID_1_EDX_HTT, CPUID_1_EDX_HTT);
}
END_TEST

START_TEST(the_topology_is_the_guests)
{
    static const struct {
        struct topology topology;
        uint32_t index, eax, ebx, ecx;
    } rows[] = {
        {{1, 1, 1}, 0, 0, 1, 0x100}, {{1, 1, 1}, 1, 0, 1, 0x201}, {{1, 1, 1}, 2, 0, 0, 2},
        {{1, 4, 1}, 0, 0, 1, 0x100}, {{1, 4, 1}, 1, 2, 4, 0x201}, {{1, 4, 1}, 2, 0, 0, 2},
        {{2, 3, 2}, 0, 1, 2, 0x100}, {{2, 3, 2}, 1, 3, 6, 0x201}, {{2, 3, 2}, 2, 0, 0, 2},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        for (uint32_t leaf = 0xb; leaf <= 0x1f; leaf += 0x14) {
            struct kvm_cpuid_entry2 e = filter_for(leaf, rows[i].index, 13, rows[i].topology);

            ck_assert_uint_eq(e.eax, rows[i].eax);
            ck_assert_uint_eq(e.ebx, rows[i].ebx);
            ck_assert_uint_eq(e.ecx, rows[i].ecx);
            ck_assert_uint_eq(e.edx, 13);
        }
}
END_TEST

START_TEST(levels_that_kvm_leaves_out_are_added)
{
    const struct topology four = {1, 4, 1};

    for (uint32_t leaf = 0xb; leaf <= 0x1f; leaf += 0x14) {
        memset(&block, 0, sizeof block);
        block.cpuid.nent = 1;
        block.cpuid.entries[0].function = leaf;
        cpuid_filter(&block.cpuid, &four, 2, false);
        ck_assert_uint_eq(block.cpuid.nent, 3);
        for (uint32_t i = 0; i < 3; i++) {
            ck_assert_uint_eq(block.cpuid.entries[i].function, leaf);
            ck_assert_uint_eq(block.cpuid.entries[i].index, i);
            ck_assert_uint_eq(block.cpuid.entries[i].flags, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
            ck_assert_uint_eq(block.cpuid.entries[i].edx, 2);
        }
        cpuid_filter(&block.cpuid, &four, 2, false);
        ck_assert_uint_eq(block.cpuid.nent, 3); /* and never twice */
    }
}
END_TEST

START_TEST(amds_leaves_tell_threads_cores_and_sockets)
{
    const struct topology many = {2, 3, 2};

    ck_assert_uint_eq(filter(0x80000008, 0, 0, 1).ecx, 0x0000);
    ck_assert_uint_eq(filter(0x80000008, 0, 0, 4).ecx, 0x2003);
    ck_assert_uint_eq(filter_for(0x80000008, 0, 0, many).ecx, 0x3005);
    ck_assert_uint_eq(filter(0x8000001e, 0, 2, 4).eax, 2);
    ck_assert_uint_eq(filter(0x8000001e, 0, 2, 4).ebx, 2);
    ck_assert_uint_eq(filter_for(0x8000001e, 0, 13, many).eax, 13);
    ck_assert_uint_eq(filter_for(0x8000001e, 0, 13, many).ebx, 0x102); /* two threads; core 2 */
    ck_assert_uint_eq(filter_for(0x8000001e, 0, 13, many).ecx, 1);
    ck_assert_uint_eq(filter(0x80000026, 0, 1, 4).ebx, 0);
    ck_assert_uint_eq(filter(0x80000001, 0, 0, 1).ecx & CPUID_80000001_ECX_CMP, 0);
    ck_assert_uint_ne(filter(0x80000001, 0, 0, 2).ecx & CPUID_80000001_ECX_CMP, 0);
}
END_TEST

START_TEST(threads_are_announced_where_there_is_a_leaf_for_them)
{
    for (unsigned has = 0; has < 2; has++) {
        memset(&block, 0, sizeof block);
        block.cpuid.nent = 1 + has;
        block.cpuid.entries[0].function = 0x80000001;
        block.cpuid.entries[1].function = 0x8000001e;
        cpuid_filter(&block.cpuid, &one, 0, false);
        ck_assert_uint_eq(block.cpuid.entries[0].ecx, has ? CPUID_80000001_ECX_TOPOEXT : 0);
    }
}
END_TEST

START_TEST(caches_are_shared_by_guests_only)
{
    /* EAX of leaf 4: type in bits 4:0, level in 7:5, sharing from bit 14. */
    static const struct {
        struct topology topology;
        uint32_t leaf, in, out;
    } rows[] = {
        {{1, 1, 1}, 0x4, 0xfffffc21, 0x00003c21},
        {{1, 1, 1}, 0x4, 0xfffffc63, 0x00003c63},
        {{1, 4, 1}, 0x4, 0xfffffc21, 0x0c003c21},
        {{1, 4, 1}, 0x4, 0xfffffc63, 0x0c00fc63},
        {{2, 3, 2}, 0x4, 0xfffffc21, 0x0c007c21},
        {{2, 3, 2}, 0x4, 0xfffffc63, 0x0c01fc63},
        {{1, 4, 1}, 0x8000001d, 0x03ffc163, 0x0000c163},
        {{1, 4, 1}, 0x8000001d, 0x03ffc143, 0x00000143},
        {{1, 4, 2}, 0x8000001d, 0x03ffc143, 0x00004143},
        {{1, 4, 1}, 0x4, 0x00000000, 0x00000000},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        block.cpuid.nent = 1;
        block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = rows[i].leaf,
                                                           .eax = rows[i].in};
        cpuid_filter(&block.cpuid, &rows[i].topology, 0, false);
        ck_assert_msg(block.cpuid.entries[0].eax == rows[i].out, "row %u: 0x%x", i,
                      block.cpuid.entries[0].eax);
    }
}
END_TEST

START_TEST(fast_short_strings_imply_fast_strings)
{
    block.cpuid.nent = 1;
    block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = 7, .edx = CPUID_7_EDX_FSRM};
    cpuid_filter(&block.cpuid, &one, 0, false);
    ck_assert_uint_eq(block.cpuid.entries[0].ebx, CPUID_7_EBX_ERMS);
    block.cpuid.entries[0] = (struct kvm_cpuid_entry2){.function = 7, .edx = 0};
    cpuid_filter(&block.cpuid, &one, 0, false);
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
    tcase_add_test(tests, levels_that_kvm_leaves_out_are_added);
    tcase_add_test(tests, amds_leaves_tell_threads_cores_and_sockets);
    tcase_add_test(tests, threads_are_announced_where_there_is_a_leaf_for_them);
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
