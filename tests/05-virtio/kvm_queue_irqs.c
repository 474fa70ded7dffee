/*
 * kvm_queue_irqs.c: interrupts by eventfd arrive at the local APIC while the driver allows
 * them, with the message that it last chose, and not otherwise.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "04-devices/pci.h"
#include "05-virtio/queue_irqs.h"
#include "05-virtio/virtio_rng.h"
#include "guest.h"

#define APIC_SVR 0xf0u /* [SDM3, 10.9 "Spurious Interrupt"]: bit 8 switches it on */
#define APIC_IRR 0x200u
#define MESSAGE  0xfee00000u
#define CONTROL  PCI_MSIX_FLAGS /* in the capability */

static struct machine machine;
static struct guest guest;
static struct virtio_rng rng;
static struct virtio_pci transport;
static struct queue_irqs irqs;
static int wake;

static uint32_t *apic_register(struct kvm_lapic_state *apic, unsigned offset)
{
    return (uint32_t *)(void *)(apic->regs + offset);
}

/* Does the processor's local APIC hold such an interrupt? Within a second, if it shall. */
static bool arrives(uint8_t vector, bool expected)
{
    struct kvm_lapic_state apic;
    bool held = false;

    for (unsigned tries = 0; tries < (expected ? 1000u : 20u) && !held; tries++) {
        ck_assert_int_eq(ioctl(machine.processors[0].vcpu.fd, KVM_GET_LAPIC, &apic), 0);
        held = *apic_register(&apic, APIC_IRR + vector / 32 * 16) >> vector % 32 & 1;
        if (!held)
            usleep(1000);
    }
    return held;
}

static void forget_interrupts(void)
{
    struct kvm_lapic_state apic;

    ck_assert_int_eq(ioctl(machine.processors[0].vcpu.fd, KVM_GET_LAPIC, &apic), 0);
    *apic_register(&apic, APIC_SVR) = 0x1ff;
    for (unsigned i = 0; i < 8; i++)
        *apic_register(&apic, APIC_IRR + i * 16) = 0;
    ck_assert_int_eq(ioctl(machine.processors[0].vcpu.fd, KVM_SET_LAPIC, &apic), 0);
}

static void table(unsigned vector, unsigned field, uint32_t value)
{
    msix_write(&transport.msix, vector * PCI_MSIX_ENTRY_SIZE + field, 4, value);
}

static void shut(void *self)
{
    queue_irqs_shut(self);
}

/* The driver has given queue 0 the vector 1, the message 0x41, and let it go. */
static void power_up(void)
{
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    machine_init(&machine, wake);
    irqchip_create(&machine.vm);
    machine_add_processor(&machine, 0);
    guest_ram(&guest);
    virtio_rng_init(&rng, &guest.memory, entropy_host());
    virtio_pci_init(&transport, &rng.device, 0x00ff00, machine_msi(&machine));
    queue_irqs_init(&irqs, &machine, &transport);
    transport.vectors_changed = shut;
    transport.vectors_changed_self = &irqs;
    ck_assert_uint_eq(irqs.count, 1);
    forget_interrupts();

    pci_function_write(&transport.pci, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    pci_function_write(&transport.pci, transport.msix.capability + CONTROL, 2,
                       PCI_MSIX_FLAGS_ENABLE);
    table(1, PCI_MSIX_ENTRY_LOWER_ADDR, MESSAGE);
    table(1, PCI_MSIX_ENTRY_DATA, 0x41);
    table(1, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    virtio_pci_write(&transport, VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
}

static void done(void)
{
    queue_irqs_free(&irqs);
    machine_free(&machine);
    guest_memory_free(&guest.memory);
    close(wake);
}

START_TEST(an_interrupt_arrives_without_a_lock)
{
    ck_assert(!queue_irqs_send(&irqs, 0)); /* not open yet */
    queue_irqs_open(&irqs);
    pthread_mutex_lock(&machine.devices.lock);
    ck_assert(queue_irqs_send(&irqs, 0));
    ck_assert(arrives(0x41, true));
    pthread_mutex_unlock(&machine.devices.lock);
}
END_TEST

START_TEST(a_driver_that_masks_gets_none)
{
    queue_irqs_open(&irqs);
    table(1, PCI_MSIX_ENTRY_VECTOR_CTRL, PCI_MSIX_ENTRY_CTRL_MASKBIT);
    ck_assert(!queue_irqs_send(&irqs, 0));
    queue_irqs_open(&irqs);
    ck_assert(!queue_irqs_send(&irqs, 0));
    ck_assert(!arrives(0x41, false));
    table(1, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    queue_irqs_open(&irqs);
    ck_assert(queue_irqs_send(&irqs, 0));
    ck_assert(arrives(0x41, true));
}
END_TEST

START_TEST(a_new_message_is_the_one_that_is_sent)
{
    queue_irqs_open(&irqs);
    table(1, PCI_MSIX_ENTRY_DATA, 0x52);
    ck_assert(!queue_irqs_send(&irqs, 0)); /* the old one would be wrong */
    queue_irqs_open(&irqs);
    ck_assert(queue_irqs_send(&irqs, 0));
    ck_assert(arrives(0x52, true));
    ck_assert(!arrives(0x41, false));
}
END_TEST

START_TEST(another_vector_another_message)
{
    queue_irqs_open(&irqs);
    virtio_pci_write(&transport, VIRTIO_PCI_COMMON_Q_MSIX, 2, VIRTIO_MSI_NO_VECTOR);
    ck_assert(!queue_irqs_send(&irqs, 0));
    queue_irqs_open(&irqs);
    ck_assert(!queue_irqs_send(&irqs, 0));
    table(0, PCI_MSIX_ENTRY_LOWER_ADDR, MESSAGE);
    table(0, PCI_MSIX_ENTRY_DATA, 0x63);
    table(0, PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    virtio_pci_write(&transport, VIRTIO_PCI_COMMON_Q_MSIX, 2, 0);
    queue_irqs_open(&irqs);
    ck_assert(queue_irqs_send(&irqs, 0));
    ck_assert(arrives(0x63, true));
}
END_TEST

START_TEST(a_function_that_may_send_none_has_no_shortcut)
{
    pci_function_write(&transport.pci, PCI_COMMAND, 2, 0);
    queue_irqs_open(&irqs);
    ck_assert(!queue_irqs_send(&irqs, 0));
    pci_function_write(&transport.pci, PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    pci_function_write(&transport.pci, transport.msix.capability + CONTROL, 2, 0);
    queue_irqs_open(&irqs);
    ck_assert(!queue_irqs_send(&irqs, 0));
}
END_TEST

START_TEST(a_reset_closes_it)
{
    queue_irqs_open(&irqs);
    virtio_pci_write(&transport, VIRTIO_PCI_COMMON_STATUS, 1, 0);
    ck_assert(!queue_irqs_send(&irqs, 0));
}
END_TEST

START_TEST(a_queue_without_one_goes_the_long_way)
{
    queue_irqs_open(&irqs);
    ck_assert(!queue_irqs_send(&irqs, 1));
    ck_assert(!queue_irqs_send(&irqs, VIRTIO_QUEUES_MAX - 1));
}
END_TEST

static Suite *irqs_suite(void)
{
    Suite *suite = suite_create("queue irqs");
    TCase *tests = tcase_create("messages");
    const char *reason = harness_no_kvm();

    tcase_add_checked_fixture(tests, reason ? NULL : power_up, reason ? NULL : done);
    tcase_set_timeout(tests, 60);
    harness_add(tests, an_interrupt_arrives_without_a_lock, reason);
    harness_add(tests, a_driver_that_masks_gets_none, reason);
    harness_add(tests, a_new_message_is_the_one_that_is_sent, reason);
    harness_add(tests, another_vector_another_message, reason);
    harness_add(tests, a_function_that_may_send_none_has_no_shortcut, reason);
    harness_add(tests, a_reset_closes_it, reason);
    harness_add(tests, a_queue_without_one_goes_the_long_way, reason);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(irqs_suite());
}
