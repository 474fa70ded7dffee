/* Hypercalls, CPUID leaves and the autopsy, against guests that mean no good. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "02-protected-mode/autopsy.h"
#include "02-protected-mode/entry.h"
#include "02-protected-mode/hypercall.h"
#include "02-protected-mode/identity.h"
#include "02-protected-mode/segment.h"
#include "02-protected-mode/x86.h"
#include "harness/harness.h"

static struct guest_memory memory;

static void add_memory(void)
{
    ck_assert_int_eq(guest_memory_add(&memory, 0, ENTRY_RAM), 0);
}

static void free_memory(void)
{
    guest_memory_free(&memory);
}

static size_t sunk;

static void count_bytes(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    for (size_t i = 0; i < count; i++)
        sunk += bytes[i] == 0; /* reads each byte: a wrong pointer shows */
}

START_TEST(a_write_stays_within_guest_memory)
{
    static const struct {
        uint64_t at, bytes;
        int32_t answer;
    } rows[] = {
        {0, 0, 0},
        {0, 4096, 4096},
        {ENTRY_RAM - 1, 1, 1},
        {ENTRY_RAM - 4096, 4096, 4096},
        {ENTRY_RAM - 4095, 4096, -EFAULT},
        {ENTRY_RAM, 1, -EFAULT},
        {UINT64_MAX, 1, -EFAULT},
        {UINT64_MAX - 4095, 4096, -EFAULT},
        {0, 4097, -EINVAL},
        {0, UINT64_MAX, -EINVAL},
        {1, UINT64_C(1) << 32, -EINVAL},
    };
    struct hypercalls calls = {.memory = &memory, .sink = count_bytes};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        sunk = 0;
        ck_assert_msg(hypercall(&calls, HYPERCALL_WRITE, rows[i].at, rows[i].bytes) ==
                          rows[i].answer,
                      "row %u", i);
        ck_assert_uint_eq(sunk, rows[i].answer > 0 ? (size_t)rows[i].answer : 0);
    }
}
END_TEST

START_TEST(unknown_numbers_are_enosys_for_ever)
{
    struct hypercalls calls = {.memory = &memory, .sink = count_bytes};
    uint64_t number = HYPERCALL_CALLS + 1;

    for (unsigned i = 0; i < 100000; i++) {
        ck_assert_int_eq(hypercall(&calls, number, number, number), -ENOSYS);
        number = number * 6364136223846793005u + 1442695040888963407u;
        if (number <= HYPERCALL_CALLS)
            number += 3;
    }
    ck_assert_int_eq(hypercall(&calls, UINT64_C(1) << 32, 0, 0), -ENOSYS); /* not 0 in 32 bits */
    ck_assert_int_eq(hypercall(&calls, HYPERCALL_VERSION, 0, 0), HYPERCALL_INTERFACE);
    ck_assert_int_eq(hypercall(&calls, HYPERCALL_CALLS, 0, 0), 100003);
    calls.calls = UINT32_MAX - 1;
    ck_assert_int_ge(hypercall(&calls, HYPERCALL_CALLS, 0, 0), 0); /* never looks like an error */
}
END_TEST

static const struct kvm_cpuid_entry2 *leaf(const struct kvm_cpuid2 *cpuid, uint32_t function)
{
    const struct kvm_cpuid_entry2 *found = NULL;

    for (unsigned i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == function) {
            ck_assert_msg(!found, "leaf 0x%x twice", function);
            found = &cpuid->entries[i];
        }
    return found;
}

START_TEST(cpuid_says_who_we_are)
{
    static const struct kvm_cpuid_entry2 before[] = {
        {.function = 1, .ecx = (uint32_t)BIT(5) | 1},
        {.function = 3, .ecx = 0x1234, .edx = 0x5678},
        {.function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b},
        {.function = 0x40000001, .eax = 0x1000},
        {.function = 0x80000001, .ecx = 0x5, .edx = (uint32_t)BIT(29)},
    };
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + sizeof before), *ours;
    char signature[13] = "";

    cpuid->nent = ARRAY_SIZE(before);
    memcpy(cpuid->entries, before, sizeof before);
    ours = identity_add(cpuid);
    ck_assert_uint_eq(ours->nent, cpuid->nent + 2);
    memcpy(signature, &leaf(ours, IDENTITY_BASE)->ebx, 4);
    memcpy(signature + 4, &leaf(ours, IDENTITY_BASE)->ecx, 4);
    memcpy(signature + 8, &leaf(ours, IDENTITY_BASE)->edx, 4);
    ck_assert_str_eq(signature, "Ring minus 1");
    ck_assert_uint_eq(leaf(ours, IDENTITY_BASE)->eax, IDENTITY_BASE + 1);
    ck_assert_uint_eq(leaf(ours, IDENTITY_BASE + 1)->ebx, HYPERCALL_PORT);
    ck_assert_uint_eq(leaf(ours, IDENTITY_NEXT)->ebx, 0x4b4d564b);
    ck_assert_uint_eq(leaf(ours, IDENTITY_NEXT)->eax, IDENTITY_NEXT + 1);
    ck_assert_uint_eq(leaf(ours, IDENTITY_NEXT + 1)->eax, 0x1000);
    ck_assert_uint_eq(leaf(ours, 1)->ecx, (uint32_t)BIT(31) | 1); /* hypervisor, no VMX */
    ck_assert_uint_eq(leaf(ours, 0x80000001)->ecx, 0x1);          /* no SVM */
    ck_assert_uint_eq(leaf(ours, 0x80000001)->edx, (uint32_t)BIT(29));
    ck_assert_uint_eq(leaf(ours, 3)->ecx | leaf(ours, 3)->edx, 0);
    ck_assert_uint_eq(leaf(cpuid, 3)->ecx, 0x1234); /* the original is left alone */
    free(ours);
    free(cpuid);
}
END_TEST

#define IDT UINT64_C(0x24000)

/* A kernel that can take every exception: an IDT of 256 gates to a handler at 0x5000. */
static void healthy(struct kvm_regs *r, struct kvm_sregs *s)
{
    uint64_t *gates = guest_ptr(&memory, IDT, 4096);

    *s = (struct kvm_sregs){0};
    entry_tables(&memory);
    entry_long(r, s);
    for (unsigned i = 0; i < 256; i++) {
        gates[2 * i] = 0x5000 | ENTRY_CODE64 << 16 | UINT64_C(0x8e00) << 32;
        gates[2 * i + 1] = 0;
    }
    s->idt = (struct kvm_dtable){.base = IDT, .limit = 4095};
}

/* What the autopsy says of vector 13 after a change. */
#define SAYS(change, words)                                                                        \
    do {                                                                                           \
        struct kvm_regs r;                                                                         \
        struct kvm_sregs s;                                                                        \
        uint64_t *gate = guest_ptr(&memory, IDT + 13 * 16, 16);                                    \
        uint64_t *gdt = guest_ptr(&memory, ENTRY_GDT, 40);                                         \
        char text[160];                                                                            \
                                                                                                   \
        healthy(&r, &s);                                                                           \
        (void)gate;                                                                                \
        (void)gdt;                                                                                 \
        change;                                                                                    \
        autopsy_vector(&memory, &r, &s, 13, text, sizeof text);                                    \
        ck_assert_str_eq(text, words);                                                             \
    } while (0)

START_TEST(each_broken_link_is_named)
{
    SAYS(, "");
    SAYS(s.idt.limit = 13 * 16 + 14, "the IDT at 0x24000 ends at byte 0xde, before gate 13");
    SAYS(s.idt.limit = 13 * 16 + 15, "");
    SAYS(s.idt.base = ENTRY_RAM, "the IDT at 0x200000 is not in memory");
    SAYS(s.idt.base = UINT64_MAX - 1000, "the IDT at 0xfffffffffffffc17 is not in memory");
    SAYS(gate[0] &= ~BIT(47), "gate 13 is not present");
    SAYS(gate[0] ^= BIT(41), "gate 13 is no interrupt or trap gate");
    SAYS(gate[0] |= BIT(40), ""); /* a trap gate */
    SAYS(gate[0] &= ~UINT64_C(0xffff0000),
         "its selector 0x0 is outside the GDT, whose limit is 0x27");
    SAYS(s.gdt.limit = 0x1e, "its selector 0x18 is outside the GDT, whose limit is 0x1e");
    SAYS(s.gdt.base = BIT(40), "the GDT at 0x10000000000 is not in memory");
    SAYS(gdt[3] = 0, "its selector 0x18 names a descriptor that is not present");
    SAYS(gdt[3] = gdt[2], "its selector 0x18 names a descriptor that is no 64-bit code");
    SAYS(gdt[3] = gdt[1], "its selector 0x18 names a descriptor that is no 64-bit code");
    SAYS(gate[1] = 0x8000, "its handler at 0x800000005000 is not in memory");
    SAYS(r.rsp = 0, "its frame would go to the stack at 0x0, which is not in memory");
    SAYS(r.rsp = BIT(47) + 16,
         "its frame would go to the stack at 0x800000000010, which is not canonical");
    SAYS(s.ss.dpl = 3, "its frame would go to the stack at 0x0, which is not in memory");
    SAYS((s.ss.dpl = 3, s.tr.base = ENTRY_RAM - 4),
         "the TSS at 0x1ffffc, which names its stack, is not in memory");
    SAYS((gate[0] |= UINT64_C(1) << 32, s.tr.base = ENTRY_RAM),
         "the TSS at 0x200000, which names its stack, is not in memory");
}
END_TEST

/* Whatever the registers and tables hold, the autopsy ends and reads only guest memory. */
START_TEST(random_corpses_are_survived)
{
    struct kvm_regs r;
    struct kvm_sregs s;
    char text[160];

    srandom(3);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t *gate = guest_ptr(&memory, IDT + 13 * 16, 16);

        healthy(&r, &s);
        for (unsigned i = 0; i < 16; i++)
            gate[i] = (uint8_t)(random() >> 8);
        if (round % 2)
            s.idt.base = (uint64_t)random() << 33 ^ (uint64_t)random();
        if (round % 3)
            s.gdt.base = (uint64_t)random() << 33 ^ (uint64_t)random();
        s.tr.base = (uint64_t)random() << 33 ^ (uint64_t)random();
        autopsy_vector(&memory, &r, &s, 13, text, sizeof text);
        autopsy_vector(&memory, &r, &s, (unsigned)random() & 255, text, sizeof text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hypercalls, identity, autopsy");
    TCase *tests = tcase_create("rings");

    tcase_add_checked_fixture(tests, add_memory, free_memory);
    tcase_add_test(tests, a_write_stays_within_guest_memory);
    tcase_add_test(tests, unknown_numbers_are_enosys_for_ever);
    tcase_add_test(tests, cpuid_says_who_we_are);
    tcase_add_test(tests, each_broken_link_is_named);
    tcase_add_test(tests, random_corpses_are_survived);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
