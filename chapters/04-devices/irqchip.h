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
 */
#ifndef CHAPTER_04_IRQCHIP_H
#define CHAPTER_04_IRQCHIP_H

#include "01-kvm-hello/kvm.h"
#include "04-devices/irq.h"

/* The interrupt lines of an ISA PC that our devices use. */
enum irq_number {
    IRQ_KEYBOARD = 1,
    IRQ_SERIAL_1 = 4,
    IRQ_MOUSE = 12,
};

/* One input of the interrupt controllers. It must not move while in use. */
struct irq_pin {
    const struct vm *vm;
    unsigned number;
};

/* Creates chips and timer. Before any vCPU. Dies if the host refuses. */
void irqchip_create(const struct vm *vm);

struct irq_line irq_pin_line(struct irq_pin *pin);

#endif
