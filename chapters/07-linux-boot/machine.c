/*
 * machine.c: see machine.h.
 *
 * Left out on purpose: resetting a machine in place. A reset throws this one away
 * and builds a new one, so nothing can be forgotten.
 */
#define _GNU_SOURCE
#include "07-linux-boot/machine.h"

#include <assert.h>
#include <unistd.h>

#include "07-linux-boot/layout.h"

void machine_init(struct machine *machine, uint64_t ram_size, int wake)
{
    struct ram_range ranges[2];
    unsigned count = ram_layout(ram_size, ranges);

    *machine = (struct machine){.wake = wake};
    pthread_mutex_init(&machine->devices.lock, NULL);
    vm_init(&machine->vm);
    for (unsigned i = 0; i < count; i++)
        vm_add_ram(&machine->vm, ranges[i].start, ranges[i].size);
    irqchip_create(&machine->vm);
    for (unsigned i = 0; i < ISA_IRQS; i++)
        machine->pins[i] = (struct irq_pin){.vm = &machine->vm, .number = i};
}

void machine_free(struct machine *machine)
{
    vcpu_free(&machine->processor.vcpu);
    vm_free(&machine->vm);
    pthread_mutex_destroy(&machine->devices.lock);
}

struct irq_line machine_irq(struct machine *machine, unsigned number)
{
    assert(number < ISA_IRQS);
    return irq_pin_line(&machine->pins[number]);
}

static void machine_pull_reset(void *self, bool level)
{
    if (level)
        machine_end(self, ENDING_RESET);
}

static void machine_pull_off(void *self, bool level)
{
    if (level)
        machine_end(self, ENDING_OFF);
}

struct irq_line machine_off_line(struct machine *machine)
{
    return (struct irq_line){.set = machine_pull_off, .self = machine};
}

struct irq_line machine_reset_line(struct machine *machine)
{
    return (struct irq_line){.set = machine_pull_reset, .self = machine};
}

void machine_claim_ports(struct machine *machine, uint16_t start, uint16_t count, unsigned width,
                         uint64_t (*read)(void *self, uint64_t reg, unsigned size),
                         void (*write)(void *self, uint64_t reg, unsigned size, uint64_t value),
                         void *self)
{
    int error = bus_add(&machine->devices.ports, &(struct bus_range){.start = start,
                                                                     .size = count,
                                                                     .width = width,
                                                                     .read = read,
                                                                     .write = write,
                                                                     .self = self});

    assert(error == 0);
    (void)error;
}

void machine_end(struct machine *machine, enum ending ending)
{
    int none = ENDING_NONE;
    uint64_t one = 1;

    atomic_compare_exchange_strong(&machine->ending, &none, ending);
    if (write(machine->wake, &one, sizeof one) < 0)
        return; /* its counter is full: the loop is awake */
}

enum ending machine_ending(const struct machine *machine)
{
    return (enum ending)atomic_load_explicit(&machine->ending, memory_order_relaxed);
}
