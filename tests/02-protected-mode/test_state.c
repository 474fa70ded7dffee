/* Descriptors, modes and dumps: the same state in three notations. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "02-protected-mode/cpu_mode.h"
#include "02-protected-mode/entry.h"
#include "02-protected-mode/segment.h"
#include "02-protected-mode/sregs_dump.h"
#include "02-protected-mode/x86.h"
#include "harness/harness.h"

START_TEST(flat_descriptors_are_those_of_every_kernel)
{
    struct kvm_segment code32 = segment_code32(8, 0), code64 = segment_code64(8, 3);
    struct kvm_segment data = segment_data(16, 3);

    ck_assert_uint_eq(segment_pack(&code32), 0x00cf9b000000ffff);
    ck_assert_uint_eq(segment_pack(&code64), 0x00affb000000ffff);
    ck_assert_uint_eq(segment_pack(&data), 0x00cff3000000ffff);
    ck_assert_uint_eq(code64.selector, 0x0b);
}
END_TEST

START_TEST(each_bit_of_a_descriptor_survives_the_round_trip)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        struct kvm_segment segment = segment_unpack(8, BIT(bit));

        ck_assert_msg(segment_pack(&segment) == BIT(bit), "bit %u is lost or moved", bit);
    }
}
END_TEST

START_TEST(limits_are_in_bytes)
{
    struct kvm_segment small = segment_unpack(8, 0x0000930000000067);
    struct kvm_segment large = segment_unpack(8, 0x00c0930000000001);

    ck_assert_uint_eq(small.limit, 0x67);
    ck_assert_uint_eq(large.limit, 0x1fff);
    ck_assert_uint_eq(segment_unpack(8, 0).unusable, 1);
}
END_TEST

START_TEST(four_places_spell_the_mode)
{
    struct kvm_regs r = {.rflags = 2};
    struct kvm_sregs s = {.cs = {.l = 1, .db = 1}};

    ck_assert_int_eq(cpu_mode(&r, &s), MODE_REAL);
    s.cr0 = CR0_PE;
    ck_assert_int_eq(cpu_mode(&r, &s), MODE_PROTECTED_32); /* L means nothing here */
    s.cs.db = 0;
    ck_assert_int_eq(cpu_mode(&r, &s), MODE_PROTECTED_16);
    r.rflags |= RFLAGS_VM;
    ck_assert_int_eq(cpu_mode(&r, &s), MODE_VIRTUAL_8086);
    r.rflags = 2;
    s.efer = EFER_LME; /* wanted, not active */
    ck_assert_int_eq(cpu_mode(&r, &s), MODE_PROTECTED_16);
    s.efer |= EFER_LMA;
    ck_assert_int_eq(cpu_mode(&r, &s), MODE_LONG_64);
    s.cs.l = 0;
    ck_assert_int_eq(cpu_mode(&r, &s), MODE_COMPAT_16);
    s.cs.db = 1;
    ck_assert_int_eq(cpu_mode(&r, &s), MODE_COMPAT_32);
}
END_TEST

START_TEST(the_ring_is_that_of_the_stack_segment)
{
    struct kvm_sregs s = {.cr0 = CR0_PE, .ss.dpl = 3, .cs.selector = 8};

    ck_assert_uint_eq(cpu_ring(&s), 3);
    s.cr0 = 0;
    ck_assert_uint_eq(cpu_ring(&s), 0);
}
END_TEST

START_TEST(a_dump_read_back_is_the_same_state)
{
    struct kvm_regs r, r2;
    struct kvm_sregs s = {0}, s2;
    struct refusal why;
    char *text = NULL;
    size_t size;
    FILE *out;

    entry_long(&r, &s);
    r.r15 = UINT64_MAX;
    s.fs.base = 0xffff800000000000;
    out = open_memstream(&text, &size);
    sregs_dump(out, &r, &s);
    fclose(out);
    ck_assert_int_eq(sregs_parse(text, &r2, &s2, &why), 0);
    ck_assert_mem_eq(&r, &r2, sizeof r);
    ck_assert_mem_eq(&s, &s2, sizeof s);
    free(text);
}
END_TEST

START_TEST(a_bad_dump_is_refused_by_line_and_name)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"cr0=1\ncr9=1\n", "line 2: no register or field \"cr9\""},
        {"cs colour=1\n", "line 1: no register or field \"colour\""},
        {"cr0=yes\n", "line 1: cr0: \"yes\" is no number"},
        {"cr0=\n", "line 1: cr0: \"\" is no number"},
        {"cr0=-1\n", "line 1: cr0: \"-1\" is no number"},
        {"cr0=0x10000000000000000\n", "line 1: cr0: \"0x10000000000000000\" is no number"},
        {"cs dpl=256\n", "line 1: dpl: 0x100 needs more than 8 bits"},
        {"gdt limit=0x10000\n", "line 1: limit: 0x10000 needs more than 16 bits"},
        {"rip=1\n# rip=2\nrip=3\n", "line 3: rip is given twice"},
        {"cs present\n", "line 1: \"present\" is not NAME=NUMBER"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct kvm_regs r;
        struct kvm_sregs s;
        struct refusal why = {""};

        ck_assert_int_eq(sregs_parse(rows[i].text, &r, &s, &why), -EINVAL);
        ck_assert_str_eq(why.text, rows[i].says);
    }
}
END_TEST

START_TEST(the_tables_map_the_first_two_megabytes)
{
    struct guest_memory memory = {0};
    const uint64_t *table;

    ck_assert_int_eq(guest_memory_add(&memory, 0, ENTRY_RAM), 0);
    entry_tables(&memory);
    table = guest_ptr(&memory, ENTRY_TABLES, 3 * 4096);
    ck_assert_uint_eq(table[0], (ENTRY_TABLES + 0x1000) | PTE_P | PTE_W);
    ck_assert_uint_eq(table[512], (ENTRY_TABLES + 0x2000) | PTE_P | PTE_W);
    ck_assert_uint_eq(table[1024], PTE_P | PTE_W | PTE_PS);
    table = guest_ptr(&memory, ENTRY_GDT, 40);
    ck_assert_uint_eq(table[0], 0);
    ck_assert_uint_eq(table[ENTRY_CODE64 / 8], 0x00af9b000000ffff);
    guest_memory_free(&memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("descriptors, modes, dumps");
    TCase *tests = tcase_create("state");

    tcase_add_test(tests, flat_descriptors_are_those_of_every_kernel);
    tcase_add_test(tests, each_bit_of_a_descriptor_survives_the_round_trip);
    tcase_add_test(tests, limits_are_in_bytes);
    tcase_add_test(tests, four_places_spell_the_mode);
    tcase_add_test(tests, the_ring_is_that_of_the_stack_segment);
    tcase_add_test(tests, a_dump_read_back_is_the_same_state);
    tcase_add_test(tests, a_bad_dump_is_refused_by_line_and_name);
    tcase_add_test(tests, the_tables_map_the_first_two_megabytes);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
