/*
 * kvm_interrupts.c: the guests about interrupts and time, on KVM's chips and on ours. A
 * guest must not notice the difference.
 */
#define _GNU_SOURCE
#include <stdio.h>

#include "harness/harness.h"

#define SECTION "book/04-devices.md, \"Interrupts\""

static const char *const guests[] = {"tasks", "spurious", "storm", "beats"};

START_TEST(guests_run_on_the_kernels_chips)
{
    char name[64];

    snprintf(name, sizeof name, "04-devices/%s", guests[_i]);
    e2e_guest_with("devices", "--irqchip=kernel", name, SECTION);
}
END_TEST

START_TEST(guests_run_on_our_own_chips)
{
    char name[64];

    snprintf(name, sizeof name, "04-devices/%s", guests[_i]);
    e2e_guest_with("devices", "--irqchip=user", name, SECTION);
}
END_TEST

/* With PIO32: 1,000 interrupts that the processor sends to itself. */
START_TEST(local_and_io_apic_deliver)
{
    e2e_guest("devices", "04-devices/apic", SECTION);
}
END_TEST

/* PIO34, and PIO35: a level that is stuck high. */
START_TEST(an_ioapic_programmed_at_random_hurts_nobody)
{
    e2e_guest("devices", "04-devices/ioapic", SECTION);
}
END_TEST

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    Suite *suite = suite_create("04 interrupts on KVM");
    TCase *tests = tcase_create("interrupts");
    int count = sizeof guests / sizeof guests[0];

    tcase_set_timeout(tests, 60);
    if (no_kvm) {
        printf("SKIP guests_run_on_the_kernels_chips: %s\n", no_kvm);
        printf("SKIP guests_run_on_our_own_chips: %s\n", no_kvm);
    } else {
        tcase_add_loop_test(tests, guests_run_on_the_kernels_chips, 0, count);
        tcase_add_loop_test(tests, guests_run_on_our_own_chips, 0, count);
    }
    harness_add(tests, local_and_io_apic_deliver, no_kvm);
    harness_add(tests, an_ioapic_programmed_at_random_hurts_nobody, no_kvm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
