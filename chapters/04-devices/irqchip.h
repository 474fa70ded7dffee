/*
 * irqchip.h: the interrupt controllers and the timer that KVM keeps in the kernel.
 *
 * A PC has two 8259 PICs, an I/O APIC, a local APIC in each processor, and an 8254
 * timer. KVM can emulate all of them without leaving the kernel; then HLT waits in
 * there, too, and a device only needs to say which line is high.
 *
 *     device --irq_set()--> irq_pin --KVM_IRQ_LINE--> [PIC] [I/O APIC] --> vCPU
 *
 *     struct irq_pin serial_pin = {.vm = &vm, .number = 4};
 *     uart_init(&uart, irq_pin_line(&serial_pin), sink);
 *
 * Line numbers are KVM's GSIs ("global system interrupts"). What a GSI is soldered to
 * says a table of routes: an input of a PIC and one of the I/O APIC at once, as on a
 * board with both, or a message (MSI). To change the table, fill one of these and commit
 * it. The whole table is replaced at once.
 *
 *     struct irq_routes routes;
 *     irq_routes_init(&routes);                       lines 0 to 23, as on a PC
 *     irq_routes_set_msi(&routes, 24, address, data);
 *     irq_routes_commit(&routes, &vm);
 *     irqfd_attach(&vm, eventfd, 24);                 a write to it is that message
 *
 * This needs no lock, but for a struct irq_routes, which has one owner at a time.
 */
#ifndef CHAPTER_04_IRQCHIP_H
#define CHAPTER_04_IRQCHIP_H

#include "01-kvm-hello/kvm.h"
#include "04-devices/irq.h"

/* The interrupt lines of an ISA PC that our devices use. */
enum irq_number {
    IRQ_TIMER = 0,
    IRQ_KEYBOARD = 1,
    IRQ_SERIAL_1 = 4,
    IRQ_RTC = 8,
    IRQ_MOUSE = 12,
};

/* One input of the interrupt controllers. It must not move while in use. */
struct irq_pin {
    const struct vm *vm;
    unsigned number;
};

/* Chips and timer, wired as in a PC. Before any vCPU. Dies if the host refuses. */
void irqchip_create(const struct vm *vm);

/*
 * The APICs alone: no timer, and the PICs, which KVM makes all the same, are masked. For a
 * machine whose guest is told that there are none.
 */
void irqchip_create_apics(const struct vm *vm);

struct irq_line irq_pin_line(struct irq_pin *pin);

/*
 * Message-signalled interrupts into KVM's local APICs. An address outside 0xfeexxxxx is
 * no interrupt: on a PC such a write ends in memory or nowhere, here always nowhere.
 */
struct msi_sender irqchip_msi(const struct vm *vm);

/* Is this an address that local APICs answer? [SDM3, 10.11.1 "Message Address Register Format"] */
bool msi_address_valid(uint64_t address);

#define IRQ_ROUTES_MAX 512u
#define IOAPIC_PINS    24u /* GSIs 0 to 23 are its inputs; messages begin above */

/* Laid out as KVM's struct kvm_irq_routing. */
struct irq_routes {
    uint32_t count;
    uint32_t flags; /* none are defined */
    struct kvm_irq_routing_entry entries[IRQ_ROUTES_MAX];
};

/*
 * The wiring of a PC: ISA lines 0 to 15 to the PICs and to the I/O APIC's inputs of the
 * same number, but line 0 to its input 2 (so says ACPI's MADT on PCs); 16 to 23 to the
 * I/O APIC alone.
 */
void irq_routes_init(struct irq_routes *routes);

/*
 * GSI stands for this message, and for nothing else. An address that is not valid makes
 * it stand for nothing. 0, or -ENOSPC.
 */
int irq_routes_set_msi(struct irq_routes *routes, uint32_t gsi, uint64_t address, uint32_t data);

/* GSI stands for nothing. */
void irq_routes_remove(struct irq_routes *routes, uint32_t gsi);

/* Makes the table KVM's. 0, or -errno (-EINVAL: a GSI that this host does not have). */
int irq_routes_commit(const struct irq_routes *routes, const struct vm *vm);

/*
 * Connects an eventfd to a GSI: each write is an edge, from any thread or process, or
 * from the kernel, with no exit to us. 0, or -errno.
 */
int irqfd_attach(const struct vm *vm, int eventfd, uint32_t gsi);

/*
 * The same for a level-triggered line: a write makes it high; when the guest ends the
 * interrupt KVM makes it low and writes to resample, and the device, if it still wants
 * service, writes to eventfd again. 0, or -errno.
 */
int irqfd_attach_level(const struct vm *vm, int eventfd, int resample, uint32_t gsi);

int irqfd_detach(const struct vm *vm, int eventfd, uint32_t gsi);

#endif
