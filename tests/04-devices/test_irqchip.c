/* test_irqchip.c: the table of routes, and which messages are interrupts. No KVM. */
#include <errno.h>

#include "04-devices/irqchip.h"
#include "common/bits.h"
#include "harness/harness.h"

static struct irq_routes routes;

static void power_up(void)
{
    irq_routes_init(&routes);
}

/* How many entries there are for gsi; the last one is left in *entry. */
static unsigned find(uint32_t gsi, struct kvm_irq_routing_entry *entry)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < routes.count; i++) {
        if (routes.entries[i].gsi == gsi) {
            *entry = routes.entries[i];
            count++;
        }
    }
    return count;
}

START_TEST(lines_are_wired_as_on_a_pc)
{
    struct kvm_irq_routing_entry entry;

    for (uint32_t line = 0; line < 16; line++)
        ck_assert_uint_eq(find(line, &entry), line == 2 ? 0 : 2);
    ck_assert_uint_eq(find(0, &entry), 2);
    ck_assert_uint_eq(entry.u.irqchip.irqchip, KVM_IRQCHIP_IOAPIC);
    ck_assert_uint_eq(entry.u.irqchip.pin, 2);
    ck_assert_uint_eq(find(20, &entry), 1);
    ck_assert_uint_eq(entry.u.irqchip.pin, 20);
    for (uint32_t i = 0; i < routes.count; i++) {
        entry = routes.entries[i];
        if (entry.u.irqchip.irqchip == KVM_IRQCHIP_PIC_SLAVE)
            ck_assert_uint_eq(entry.u.irqchip.pin, entry.gsi - 8);
        if (entry.u.irqchip.irqchip == KVM_IRQCHIP_PIC_MASTER)
            ck_assert_uint_eq(entry.u.irqchip.pin, entry.gsi);
    }
}
END_TEST

START_TEST(a_message_replaces_what_its_gsi_stood_for)
{
    struct kvm_irq_routing_entry entry;
    uint32_t before = routes.count;

    irq_routes_set_msi(&routes, 30, 0xfee01000, 0x41);
    ck_assert_uint_eq(find(30, &entry), 1);
    irq_routes_set_msi(&routes, 30, 0xfee02000, 0x42);
    ck_assert_uint_eq(find(30, &entry), 1);
    ck_assert_uint_eq(entry.type, KVM_IRQ_ROUTING_MSI);
    ck_assert_uint_eq(entry.u.msi.address_lo, 0xfee02000);
    ck_assert_uint_eq(entry.u.msi.data, 0x42);
    irq_routes_remove(&routes, 30);
    ck_assert_uint_eq(routes.count, before);
}
END_TEST

START_TEST(a_message_that_is_no_interrupt_stands_for_nothing)
{
    struct kvm_irq_routing_entry entry;

    irq_routes_set_msi(&routes, 30, 0xfee01000, 0x41);
    ck_assert_int_eq(irq_routes_set_msi(&routes, 30, 0x1000, 0x41), 0);
    ck_assert_uint_eq(find(30, &entry), 0);
}
END_TEST

START_TEST(a_full_table_says_so)
{
    uint32_t gsi = IOAPIC_PINS;

    while (routes.count < IRQ_ROUTES_MAX)
        ck_assert_int_eq(irq_routes_set_msi(&routes, gsi++, 0xfee00000, 0x41), 0);
    ck_assert_int_eq(irq_routes_set_msi(&routes, gsi, 0xfee00000, 0x41), -ENOSPC);
    ck_assert_int_eq(irq_routes_set_msi(&routes, gsi - 1, 0xfee00000, 0x42), 0);
}
END_TEST

START_TEST(local_apics_answer_one_megabyte)
{
    ck_assert(msi_address_valid(0xfee00000));
    ck_assert(msi_address_valid(0xfeefffff));
    ck_assert(!msi_address_valid(0xfedfffff));
    ck_assert(!msi_address_valid(0xfef00000));
    ck_assert(!msi_address_valid(0));
    ck_assert(!msi_address_valid(GIB * 4 + 0xfee00000));
    ck_assert(!msi_address_valid(UINT64_MAX));
}
END_TEST

static Suite *irqchip_suite(void)
{
    Suite *suite = suite_create("04 irqchip");
    TCase *tests = tcase_create("irqchip");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, lines_are_wired_as_on_a_pc);
    tcase_add_test(tests, a_message_replaces_what_its_gsi_stood_for);
    tcase_add_test(tests, a_message_that_is_no_interrupt_stands_for_nothing);
    tcase_add_test(tests, a_full_table_says_so);
    tcase_add_test(tests, local_apics_answer_one_megabyte);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(irqchip_suite());
}
