/*
 * kvm_irqchip.c: interrupts that arrive. A guest (irqprobe.asm) reports what it gets; the
 * test sends, by KVM's chips or by ours.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/payload.h"
#include "02-protected-mode/entry.h"
#include "04-devices/bus.h"
#include "04-devices/interrupt.h"
#include "04-devices/irqchip.h"
#include "04-devices/pic.h"
#include "harness/harness.h"

#define READY       0x100u
#define READY_PORT  0xe9u
#define VECTOR_PORT 0xeau
#define MSI         UINT64_C(0xfee00000)

static struct vm vm;
static struct vcpu vcpu;
static struct pic_pair pic;
static struct bus ports;
static struct interrupt_pins pins;
static struct irq_pin kernel_pins[PIC_INPUTS];
static bool user;

static void nobody_sleeps(void *self)
{
    (void)self; /* the test sends and runs on one thread */
}

static struct irq_line line_of(unsigned number)
{
    return user ? pic_line(&pic, number) : irq_pin_line(&kernel_pins[number]);
}

static void line(unsigned number, bool level)
{
    struct irq_line wire = line_of(number);

    irq_set(&wire, level);
}

/* Runs the guest until it says something: READY, or the vector of an interrupt. */
static unsigned next(void)
{
    struct kvm_run *run = vcpu.run;

    for (;;) {
        uint8_t *data;

        interrupt_before_run(&pins);
        ck_assert(vcpu_run(&vcpu));
        data = (uint8_t *)run + run->io.data_offset;
        switch (run->exit_reason) {
        case KVM_EXIT_HLT:
            ck_assert_msg(interrupt_wakes(&pins), "the guest sleeps: no interrupt has come");
            break;
        case KVM_EXIT_IRQ_WINDOW_OPEN:
        case KVM_EXIT_MMIO: break; /* of a local APIC that is not there */
        case KVM_EXIT_IO:
            if (run->io.port == READY_PORT)
                return READY;
            if (run->io.port == VECTOR_PORT)
                return *data;
            if (run->io.direction == KVM_EXIT_IO_OUT)
                bus_write_string(&ports, run->io.port, run->io.size, run->io.count, data);
            else
                bus_read_string(&ports, run->io.port, run->io.size, run->io.count, data);
            break;
        default: exit_report(stderr, &vm, &vcpu); ck_abort_msg("exit reason %u", run->exit_reason);
        }
    }
}

static void expect(unsigned what)
{
    unsigned got = next();

    ck_assert_msg(got == what, "the guest said 0x%x, not 0x%x", got, what);
}

/* Some processors take the next interrupt at once, others after a round of the guest. */
static void expect_soon(unsigned vector)
{
    unsigned got = next();

    if (got == READY)
        got = next();
    ck_assert_msg(got == vector, "the guest said 0x%x, not 0x%x", got, vector);
}

static void start_guest(void)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    payload_load(&vm.memory, ENTRY_PAYLOAD, 0x8000, harness_built("04-devices/irqprobe.bin"), NULL,
                 0);
    entry_tables(&vm.memory);
    vcpu_init(&vcpu, &vm, 0);
    vcpu_get_sregs(&vcpu, &sregs);
    entry_protected(&regs, &sregs);
    vcpu_set_sregs(&vcpu, &sregs);
    vcpu_set_regs(&vcpu, &regs);
}

static void power_up(bool ours)
{
    user = ours;
    vm_init(&vm);
    vm_add_ram(&vm, 0, ENTRY_RAM);
    interrupt_init(&pins, &vcpu, user ? &pic : NULL, nobody_sleeps, NULL);
    if (user) {
        pic_init(&pic, interrupt_intr_line(&pins));
        bus_add(&ports,
                &(struct bus_range){PIC_MASTER, 2, 1, pic_read, pic_write, &pic.master, NULL});
        bus_add(&ports,
                &(struct bus_range){PIC_SLAVE, 2, 1, pic_read, pic_write, &pic.slave, NULL});
    } else {
        irqchip_create(&vm);
        for (unsigned i = 0; i < PIC_INPUTS; i++)
            kernel_pins[i] = (struct irq_pin){.vm = &vm, .number = i};
    }
    start_guest();
}

static const bool both[] = {false, true}; /* KVM's chips, and ours */

START_TEST(a_line_interrupts_once_for_each_edge)
{
    power_up(both[_i]);
    for (unsigned i = 0; i < 3; i++) {
        expect(READY);
        line(4, true);
        expect(0x24);
        expect(READY);
        line(4, false);
        line(10, true);
        expect(0x2a);
        line(10, false);
    }
}
END_TEST

START_TEST(two_requests_are_two_interrupts_in_order)
{
    power_up(both[_i]);
    expect(READY);
    line(5, true);
    line(10, true);
    line(4, true);
    expect(0x2a);
    expect_soon(0x24);
    expect_soon(0x25);
    expect(READY);
}
END_TEST

START_TEST(an_nmi_comes_though_interrupts_are_off)
{
    struct irq_line nmi = interrupt_nmi_line(&pins);

    power_up(both[_i]);
    expect(READY); /* IF is 0 at this point of the guest */
    irq_set(&nmi, true);
    expect(2);
    irq_set(&nmi, false);
    line(4, true);
    expect(0x24);
    expect(READY);
}
END_TEST

/* The vector is asked for in the last moment, so a request that went is not delivered. */
START_TEST(our_pic_forgets_a_request_that_goes_before_its_window)
{
    power_up(true);
    expect(READY);
    line(4, true);
    interrupt_before_run(&pins);
    ck_assert_uint_eq(vcpu.run->request_interrupt_window, 1);
    line(4, false);
    line(5, true);
    expect(0x25);
    expect(READY);
}
END_TEST

START_TEST(a_message_interrupts)
{
    struct msi_sender sender = irqchip_msi(&vm);

    power_up(false);
    expect(READY);
    msi_send(&sender, MSI, 0x41);
    expect(0x41);
    expect(READY);
    msi_send(&sender, MSI, 0x40);
    expect(0x40);
}
END_TEST

/* PCI26 */
START_TEST(messages_to_other_addresses_are_ignored)
{
    static const uint64_t addresses[] = {0,          0x1000,     0xfedff000,        0xfef00000,
                                         0xffffffff, 0x1fee0000, 0x100000000 | MSI, UINT64_MAX};
    struct msi_sender sender = irqchip_msi(&vm);
    uint8_t *ram, before[4096];

    power_up(false);
    expect(READY);
    ram = guest_ptr(&vm.memory, 0x1000, sizeof before);
    memcpy(before, ram, sizeof before);
    for (unsigned i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        msi_send(&sender, addresses[i], 0x41);
    ck_assert_mem_eq(ram, before, sizeof before);
    msi_send(&sender, MSI, 0x40);
    expect(0x40);
    expect(READY);
    msi_send(&sender, MSI, 0x40); /* and not the 0x41 of before */
    expect(0x40);
}
END_TEST

/* PCI27: all delivery modes, all vectors, reserved bits. */
START_TEST(no_message_hurts_the_host)
{
    struct msi_sender sender = irqchip_msi(&vm);

    power_up(false);
    srand(0xfee);
    for (unsigned i = 0; i < 100000; i++)
        msi_send(&sender, MSI | ((uint64_t)rand() & 0xfffff), (uint32_t)rand() << 1);
    vcpu_free(&vcpu);
    vm_free(&vm);
}
END_TEST

static void ring(int fd)
{
    uint64_t one = 1;

    ck_assert_int_eq(write(fd, &one, sizeof one), sizeof one);
}

START_TEST(an_eventfd_sends_a_message)
{
    static struct irq_routes routes;
    int fd = eventfd(0, EFD_CLOEXEC);

    power_up(false);
    irq_routes_init(&routes);
    ck_assert_int_eq(irq_routes_set_msi(&routes, IOAPIC_PINS, MSI, 0x41), 0);
    ck_assert_int_eq(irq_routes_commit(&routes, &vm), 0);
    ck_assert_int_eq(irqfd_attach(&vm, fd, IOAPIC_PINS), 0);
    expect(READY);
    ring(fd);
    expect(0x41);
    expect(READY);
    ck_assert_int_eq(irq_routes_set_msi(&routes, IOAPIC_PINS, MSI, 0x40), 0);
    ck_assert_int_eq(irq_routes_commit(&routes, &vm), 0); /* the guest has reprogrammed it */
    ring(fd);
    expect(0x40);
    expect(READY);

    ck_assert_int_eq(irqfd_detach(&vm, fd, IOAPIC_PINS), 0);
    ring(fd);
    line(4, true); /* our table routes the lines, too */
    expect(0x24);
    expect(READY);
    line(5, true);
    expect(0x25); /* nothing but lines */
}
END_TEST

START_TEST(a_level_falls_when_the_guest_ends_the_interrupt)
{
    int fd = eventfd(0, EFD_CLOEXEC), resample = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    uint64_t times;

    power_up(false);
    ck_assert_int_eq(irqfd_attach_level(&vm, fd, resample, 5), 0);
    for (unsigned i = 0; i < 3; i++) {
        expect(READY);
        ck_assert_int_lt(read(resample, &times, sizeof times), 0);
        ring(fd);
        expect(0x25);
        expect(READY); /* behind the EOI */
        ck_assert_int_eq(read(resample, &times, sizeof times), sizeof times);
        line(4, true); /* something to wake the guest, so that the round begins again */
        expect(0x24);
        line(4, false);
    }
    ck_assert_int_eq(irqfd_detach(&vm, fd, 5), 0);
}
END_TEST

START_TEST(routes_the_host_does_not_have_are_refused)
{
    static struct irq_routes routes;

    power_up(false);
    irq_routes_init(&routes);
    ck_assert_int_eq(irq_routes_set_msi(&routes, 1u << 20, MSI, 0x41), 0);
    ck_assert_int_lt(irq_routes_commit(&routes, &vm), 0);
    irq_routes_remove(&routes, 1u << 20);
    ck_assert_int_eq(irq_routes_commit(&routes, &vm), 0);
}
END_TEST

/* NULL if this host's KVM has the capability, else why the test cannot run. */
static const char *lacks(unsigned long capability, const char *reason)
{
    struct vm asked;
    bool has;

    if (harness_no_kvm())
        return harness_no_kvm();
    vm_init(&asked);
    has = vm_capability(&asked, capability) > 0;
    vm_free(&asked);
    return has ? NULL : reason;
}

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    const char *no_msi = lacks(KVM_CAP_SIGNAL_MSI, "this KVM has no KVM_CAP_SIGNAL_MSI");
    const char *no_irqfd = lacks(KVM_CAP_IRQFD, "this KVM has no KVM_CAP_IRQFD");
    const char *no_resample = lacks(KVM_CAP_IRQFD_RESAMPLE,
                                    "this KVM has no KVM_CAP_IRQFD_RESAMPLE");
    const char *no_routing = lacks(KVM_CAP_IRQ_ROUTING, "this KVM has no KVM_CAP_IRQ_ROUTING");
    Suite *suite = suite_create("04 irqchip on KVM");
    TCase *tests = tcase_create("irqchip");

    tcase_set_timeout(tests, 60);
    if (no_kvm) {
        printf("SKIP a_line_interrupts_once_for_each_edge and two more: %s\n", no_kvm);
    } else {
        tcase_add_loop_test(tests, a_line_interrupts_once_for_each_edge, 0, 2);
        tcase_add_loop_test(tests, two_requests_are_two_interrupts_in_order, 0, 2);
        tcase_add_loop_test(tests, an_nmi_comes_though_interrupts_are_off, 0, 2);
    }
    harness_add(tests, our_pic_forgets_a_request_that_goes_before_its_window, no_kvm);
    harness_add(tests, a_message_interrupts, no_msi);
    harness_add(tests, messages_to_other_addresses_are_ignored, no_msi);
    harness_add(tests, no_message_hurts_the_host, no_msi);
    harness_add(tests, an_eventfd_sends_a_message, no_irqfd);
    harness_add(tests, a_level_falls_when_the_guest_ends_the_interrupt, no_resample);
    harness_add(tests, routes_the_host_does_not_have_are_refused, no_routing);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
