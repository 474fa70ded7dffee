/* kvm_hostile.c: guests that do what no guest should, and a VMM that says so or shrugs. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/ending.h"
#include "common/bits.h"
#include "harness/harness.h"

struct wish {
    const char *letter;
    int status;
    const char *out, *err;
};

/* Both interrupt chips must give the same. */
static void expect(const struct wish *wish)
{
    static const char *const irqchips[] = {"--irqchip=kernel", "--irqchip=user"};

    for (unsigned i = 0; i < ARRAY_SIZE(irqchips); i++) {
        const char *argv[] = {harness_built("devices"),
                              irqchips[i],
                              "--limit",
                              "20",
                              harness_built("04-devices/hostile.bin"),
                              NULL};
        struct program ran = program_run(argv, wish->letter, 30);

        ck_assert_msg(!ran.timed_out && ran.status == wish->status &&
                          strcmp(ran.out, wish->out) == 0 && strstr(ran.err, wish->err),
                      "%s %s: status %d, \"%s\", \"%s\"", irqchips[i], wish->letter, ran.status,
                      ran.out, ran.err);
        program_free(&ran);
    }
}

START_TEST(long_strings_end_up_and_down)
{
    expect(&(struct wish){"i", STATUS_OFF, "alive\n", ""});
}
END_TEST

START_TEST(halting_with_interrupts_off_ends_the_run)
{
    expect(&(struct wish){"h", STATUS_OFF, "", ""});
}
END_TEST

START_TEST(each_reset_port_resets_at_once)
{
    expect(&(struct wish){"9", STATUS_RESET, "", ""});
    expect(&(struct wish){"f", STATUS_RESET, "", ""});
    expect(&(struct wish){"k", STATUS_RESET, "", ""});
}
END_TEST

START_TEST(an_access_across_the_end_of_ram_is_divided)
{
    expect(&(struct wish){"e", STATUS_OFF, "alive\n", ""});
}
END_TEST

START_TEST(a_jump_into_nothing_is_reported_with_its_place)
{
    expect(&(struct wish){"j", STATUS_STUCK, "", "rip=0x00000000d0000000"});
}
END_TEST

START_TEST(a_triple_fault_is_reported)
{
    expect(&(struct wish){"3", STATUS_CRASH, "", "triple fault"});
}
END_TEST

START_TEST(paging_without_protection_is_refused_by_the_processor)
{
    expect(&(struct wish){"c", STATUS_OFF, "#GP\n", ""});
}
END_TEST

START_TEST(every_cpuid_leaf_is_harmless)
{
    expect(&(struct wish){"p", STATUS_OFF, "alive\n", ""});
}
END_TEST

START_TEST(sixteen_bytes_to_nobody_are_divided)
{
    expect(&(struct wish){"s", STATUS_OFF, "alive\n", ""});
}
END_TEST

/* KVM's emulator may know no AVX; then the run ends, and says where. */
START_TEST(thirty_two_bytes_to_nobody_are_divided_or_reported)
{
    const char *argv[] = {harness_built("devices"), "--limit", "20",
                          harness_built("04-devices/hostile.bin"), NULL};
    struct program ran = program_run(argv, "y", 30);

    if (ran.status == STATUS_STUCK)
        ck_assert_msg(strstr(ran.err, "KVM_EXIT_INTERNAL_ERROR") && strstr(ran.err, "rip=0x"),
                      "\"%s\", \"%s\"", ran.out, ran.err);
    else
        ck_assert_msg(ran.status == STATUS_OFF && strcmp(ran.out, "alive\n") == 0,
                      "status %d, \"%s\", \"%s\"", ran.status, ran.out, ran.err);
    program_free(&ran);
}
END_TEST

START_TEST(a_rom_keeps_its_bytes)
{
    expect(&(struct wish){"o", STATUS_OFF, "alive\n", ""});
}
END_TEST

START_TEST(a_local_apic_switched_off_is_nobody)
{
    expect(&(struct wish){"a", STATUS_OFF, "alive\n", ""});
}
END_TEST

START_TEST(unknown_hypercalls_are_unknown)
{
    expect(&(struct wish){"v", STATUS_OFF, "alive\n", ""});
}
END_TEST

/* Linux 6.1's KVM forgets the step over a write to memory that exits to user space. */
START_TEST(single_steps_count_exits_once)
{
    const char *argv[] = {harness_built("devices"), harness_built("04-devices/hostile.bin"), NULL};
    struct program ran = program_run(argv, "t", 30);

    ck_assert_msg(strcmp(ran.out, "00000008 steps\nalive\n") == 0 ||
                      strcmp(ran.out, "00000007 steps\nalive\n") == 0,
                  "status %d, \"%s\", \"%s\"", ran.status, ran.out, ran.err);
    program_free(&ran);
}
END_TEST

START_TEST(there_are_no_virtual_machines_inside)
{
    expect(&(struct wish){"n", STATUS_OFF, "alive\n", ""});
}
END_TEST

/* A KVM without vmx or svm beneath it emulates, and leaves out what these need. */
static const char *no_hardware(const char *no_kvm)
{
    if (no_kvm)
        return no_kvm;
    if (system("grep -qwE 'vmx|svm' /proc/cpuinfo") == 0)
        return NULL;
    return "software KVM (no vmx or svm in /proc/cpuinfo) has no vmcall and no IRET in protected "
           "mode; it runs in the lab";
}

static const char *no_avx(const char *no_kvm)
{
    if (no_kvm)
        return no_kvm;
    return system("grep -qw avx /proc/cpuinfo") == 0 ? NULL : "no AVX in /proc/cpuinfo";
}

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    const char *software = no_hardware(no_kvm);
    Suite *suite = suite_create("chapter 4, hostile guests");
    TCase *tests = tcase_create("hostile");

    tcase_set_timeout(tests, 120);
    harness_add(tests, long_strings_end_up_and_down, no_kvm);
    harness_add(tests, halting_with_interrupts_off_ends_the_run, no_kvm);
    harness_add(tests, each_reset_port_resets_at_once, no_kvm);
    harness_add(tests, an_access_across_the_end_of_ram_is_divided, no_kvm);
    harness_add(tests, a_jump_into_nothing_is_reported_with_its_place, no_kvm);
    harness_add(tests, a_triple_fault_is_reported, no_kvm);
    harness_add(tests, paging_without_protection_is_refused_by_the_processor, no_kvm);
    harness_add(tests, every_cpuid_leaf_is_harmless, no_kvm);
    harness_add(tests, there_are_no_virtual_machines_inside, software);
    harness_add(tests, sixteen_bytes_to_nobody_are_divided, no_kvm);
    harness_add(tests, thirty_two_bytes_to_nobody_are_divided_or_reported, no_avx(no_kvm));
    harness_add(tests, a_rom_keeps_its_bytes, no_kvm);
    harness_add(tests, a_local_apic_switched_off_is_nobody, no_kvm);
    harness_add(tests, unknown_hypercalls_are_unknown, software);
    harness_add(tests, single_steps_count_exits_once, software);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
