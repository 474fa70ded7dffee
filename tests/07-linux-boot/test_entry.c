/* The processor's first state: tables in memory and registers, against the manual. */
#define _GNU_SOURCE
#include "images.h"

#include "07-linux-boot/entry.h"

static struct guest_memory memory;
static struct kvm_sregs sregs;
static struct kvm_regs regs;
static const struct boot_entry entry = {
    .rip = 0x1000200,
    .rsi = LAYOUT_ZERO_PAGE,
    .rsp = LAYOUT_STACK_TOP,
    .cr3 = LAYOUT_PML4,
    .gdt = LAYOUT_GDT,
};

static void setup(void)
{
    ram_make(&memory, 2 * MIB);
    entry_write_tables(&memory, ENTRY_LONG);
    memset(&sregs, 0xa5, sizeof sregs);
    memset(&regs, 0xa5, sizeof regs);
    entry_registers(&entry, &sregs, &regs);
}

static void teardown(void)
{
    guest_memory_free(&memory);
}

static uint64_t word(gpa_t address)
{
    const uint64_t *at = guest_ptr(&memory, address, 8);

    ck_assert_ptr_nonnull(at);
    return *at;
}

/* A page walk by hand. UINT64_MAX: not mapped. [SDM3, 4.5 "4-Level Paging"] */
static uint64_t translate(uint64_t virtual)
{
    uint64_t table = entry.cr3, e;

    for (unsigned shift = 39; shift >= 21; shift -= 9) {
        e = word(table + bits(virtual, shift + 8, shift) * 8);
        if (!(e & 1) || !(e & 2)) /* present, writable */
            return UINT64_MAX;
        if (shift < 39 && (e & 0x80)) /* a large page */
            return bits(e, 51, shift) << shift | bits(virtual, shift - 1, 0);
        table = bits(e, 51, 12) << 12;
    }
    return UINT64_MAX;
}

START_TEST(four_gib_are_mapped_to_themselves)
{
    for (uint64_t at = 0; at < 4 * GIB; at += MIB) {
        ck_assert_uint_eq(translate(at), at);
        ck_assert_uint_eq(translate(at + MIB - 1), at + MIB - 1);
    }
}
END_TEST

START_TEST(nothing_else_is_mapped)
{
    ck_assert_uint_eq(translate(4 * GIB), UINT64_MAX);
    ck_assert_uint_eq(translate(UINT64_C(0x8000000000)), UINT64_MAX);
    ck_assert_uint_eq(translate(UINT64_C(0xffffff8000000000)), UINT64_MAX);
    ck_assert(is_zero(&memory, LAYOUT_PML4 + 8, LAYOUT_PML4 + 4096));
    ck_assert(is_zero(&memory, LAYOUT_PDPT + 4 * 8, LAYOUT_PDPT + 4096));
}
END_TEST

/* Computed by hand from [SDM3, 3.4.5 "Segment Descriptors"]. */
START_TEST(the_gdt_has_flat_code_and_data)
{
    ck_assert_uint_eq(word(LAYOUT_GDT + 0x00), 0);
    ck_assert_uint_eq(word(LAYOUT_GDT + 0x08), 0);
    ck_assert_uint_eq(word(LAYOUT_GDT + 0x10), UINT64_C(0x00af9b000000ffff));
    ck_assert_uint_eq(word(LAYOUT_GDT + 0x18), UINT64_C(0x00cf93000000ffff));
    ck_assert_uint_eq(sregs.gdt.base, LAYOUT_GDT);
    ck_assert_uint_eq(sregs.gdt.limit, 0x1f);
}
END_TEST

START_TEST(long_mode_is_on_and_active)
{
    ck_assert_uint_eq(sregs.cr0, 0x80000031); /* PG NE ET PE */
    ck_assert_uint_eq(sregs.cr4, 0x20);       /* PAE */
    ck_assert_uint_eq(sregs.efer, 0x500);     /* LMA LME */
    ck_assert_uint_eq(sregs.cr3, LAYOUT_PML4);
}
END_TEST

/* [SDM3, 26.3.1.2 "Checks on Guest Segment Registers"] */
START_TEST(segments_pass_intels_entry_checks)
{
    const struct kvm_segment *flat[] = {&sregs.ds, &sregs.es, &sregs.ss, &sregs.fs, &sregs.gs};

    ck_assert_uint_eq(sregs.cs.selector, 0x10);
    ck_assert_uint_eq(sregs.cs.type, 11);
    ck_assert(sregs.cs.s && sregs.cs.present && sregs.cs.g && sregs.cs.l && !sregs.cs.db);
    ck_assert_uint_eq(sregs.cs.limit, 0xffffffff);
    ck_assert_uint_eq(sregs.cs.base, 0);
    ck_assert_uint_eq(sregs.cs.dpl, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(flat); i++) {
        ck_assert_uint_eq(flat[i]->selector, 0x18);
        ck_assert_uint_eq(flat[i]->type, 3);
        ck_assert(flat[i]->s && flat[i]->present && flat[i]->g && !flat[i]->unusable);
        ck_assert_uint_eq(flat[i]->limit, 0xffffffff);
        ck_assert_uint_eq(flat[i]->base, 0);
    }
    ck_assert_uint_eq(sregs.tr.type, 11); /* busy 64-bit TSS: nothing else passes */
    ck_assert(!sregs.tr.s && sregs.tr.present && !sregs.tr.g && !sregs.tr.unusable);
    ck_assert_uint_eq(sregs.tr.limit, 0x67);
    ck_assert_uint_eq(sregs.tr.selector & 4, 0);
    ck_assert_uint_eq(sregs.ldt.unusable, 1);
}
END_TEST

START_TEST(interrupts_are_off_and_rsi_has_the_zero_page)
{
    ck_assert_uint_eq(regs.rip, 0x1000200);
    ck_assert_uint_eq(regs.rsi, LAYOUT_ZERO_PAGE);
    ck_assert_uint_eq(regs.rsp, LAYOUT_STACK_TOP);
    ck_assert_uint_eq(regs.rflags, 2);
    ck_assert_uint_eq(regs.rax | regs.rbx | regs.rcx | regs.rdx | regs.rdi | regs.rbp, 0);
    ck_assert_uint_eq(regs.r8 | regs.r9 | regs.r10 | regs.r11 | regs.r15, 0);
}
END_TEST

START_TEST(the_apic_base_is_not_ours_to_set)
{
    ck_assert_uint_eq(sregs.apic_base, UINT64_C(0xa5a5a5a5a5a5a5a5));
}
END_TEST

/* [PVH, "x86/HVM direct boot ABI"], and [MULTIBOOT, 3.2] asks for no more. */
START_TEST(a_32_bit_entry_has_no_paging_and_a_32_bit_code_segment)
{
    const struct boot_entry protected = {.mode = ENTRY_PROTECTED,
                                         .rip = 0x200000,
                                         .rax = 0x2badb002,
                                         .rbx = LAYOUT_BOOT_INFO,
                                         .rsp = LAYOUT_STACK_TOP,
                                         .gdt = LAYOUT_GDT};

    entry_write_tables(&memory, ENTRY_PROTECTED);
    entry_registers(&protected, &sregs, &regs);
    ck_assert_uint_eq(word(LAYOUT_GDT + 0x10), UINT64_C(0x00cf9b000000ffff));
    ck_assert_uint_eq(sregs.cr0 & ~BIT(4), 1 | BIT(5));
    ck_assert_uint_eq(sregs.cr3 | sregs.cr4 | sregs.efer, 0);
    ck_assert(!sregs.cs.l && sregs.cs.db && sregs.cs.g);
    ck_assert_uint_eq(sregs.tr.type, 11);
    ck_assert_uint_eq(sregs.tr.limit, 0x67);
    ck_assert_uint_eq(regs.rax, 0x2badb002);
    ck_assert_uint_eq(regs.rbx, LAYOUT_BOOT_INFO);
    ck_assert_uint_eq(regs.rip, 0x200000);
    ck_assert_uint_eq(regs.rflags, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("entry");
    TCase *tests = tcase_create("entry");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, four_gib_are_mapped_to_themselves);
    tcase_add_test(tests, nothing_else_is_mapped);
    tcase_add_test(tests, the_gdt_has_flat_code_and_data);
    tcase_add_test(tests, long_mode_is_on_and_active);
    tcase_add_test(tests, segments_pass_intels_entry_checks);
    tcase_add_test(tests, interrupts_are_off_and_rsi_has_the_zero_page);
    tcase_add_test(tests, the_apic_base_is_not_ours_to_set);
    tcase_add_test(tests, a_32_bit_entry_has_no_paging_and_a_32_bit_code_segment);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
