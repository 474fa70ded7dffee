/*
 * machine.c: see machine.h.
 *
 * Left out on purpose: resetting a machine in place. A reset throws this one away
 * and builds a new one, so nothing can be forgotten.
 */
#define _GNU_SOURCE
#include "04-devices/machine.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "common/die.h"

/* How far the host's date is ahead of its monotonic clock. */
static int64_t wall_origin(void)
{
    struct clock clock = alarms_clock();
    struct timespec date;

    clock_gettime(CLOCK_REALTIME, &date);
    return date.tv_sec * INT64_C(1000000000) + date.tv_nsec - clock_now(&clock);
}

void machine_init_on(struct machine *machine, int kvm_fd, int wake)
{
    *machine = (struct machine){.wake = wake};
    pthread_mutex_init(&machine->devices.lock, NULL);
    pthread_cond_init(&machine->stands, NULL);
    pthread_cond_init(&machine->resumed, NULL);
    alarms_init(&machine->alarms);
    machine->wall_origin = wall_origin();
    vm_init_on(&machine->vm, kvm_fd);
    for (unsigned i = 0; i < ISA_IRQS; i++)
        machine->pins[i] = (struct irq_pin){.vm = &machine->vm, .number = i};
}

void machine_init(struct machine *machine, int wake)
{
    machine_init_on(machine, kvm_open(), wake);
}

void machine_free(struct machine *machine)
{
    for (unsigned i = 0; i < machine->processor_count; i++)
        vcpu_free(&machine->processors[i].vcpu);
    vm_free(&machine->vm);
    free(machine->routes);
    alarms_free(&machine->alarms);
    pthread_cond_destroy(&machine->resumed);
    pthread_cond_destroy(&machine->stands);
    pthread_mutex_destroy(&machine->devices.lock);
}

struct irq_line machine_irq(struct machine *machine, unsigned number)
{
    assert(number < ISA_IRQS);
    return machine->pic ? pic_line(machine->pic, number) : irq_pin_line(&machine->pins[number]);
}

void machine_use_pic(struct machine *machine, struct pic_pair *pic)
{
    struct processor *processor = &machine->processors[0];

    machine->pic = pic;
    interrupt_init(&processor->interrupts, &processor->vcpu, pic, processor_wake, processor);
    pic_init(pic, interrupt_intr_line(&processor->interrupts));
}

static void msi_is_lost(void *self, uint64_t address, uint32_t data)
{
    (void)self, (void)address, (void)data;
}

struct msi_sender machine_msi(struct machine *machine)
{
    return machine->pic ? (struct msi_sender){.send = msi_is_lost} : irqchip_msi(&machine->vm);
}

struct irq_routes *machine_routes(struct machine *machine)
{
    assert(!machine->pic);
    if (!machine->routes) {
        machine->routes = malloc(sizeof *machine->routes);
        if (!machine->routes)
            die("no memory for a table of interrupts");
        irq_routes_init(machine->routes);
        machine->next_gsi = IOAPIC_PINS;
    }
    return machine->routes;
}

uint32_t machine_new_gsi(struct machine *machine)
{
    uint32_t chips = machine_routes(machine) ? 2 * IOAPIC_PINS : 0; /* at most, in the table */

    return machine->next_gsi < IOAPIC_PINS + IRQ_ROUTES_MAX - chips ? machine->next_gsi++ : 0;
}

static void machine_pull_reset(void *self, bool level)
{
    if (level)
        machine_end(self, ENDING_RESET);
}

struct irq_line machine_reset_line(struct machine *machine)
{
    return (struct irq_line){.set = machine_pull_reset, .self = machine};
}

struct clock machine_clock(const struct machine *machine)
{
    (void)machine;
    return alarms_clock();
}

struct alarm machine_alarm(struct machine *machine, void (*due)(void *self), void *self)
{
    return alarms_add(&machine->alarms, 0, due, self);
}

static void machine_switch_off(void *self, bool level)
{
    if (level)
        machine_end(self, ENDING_OFF);
}

struct irq_line machine_off_line(struct machine *machine)
{
    return (struct irq_line){.set = machine_switch_off, .self = machine};
}

static int64_t wall_now(void *self)
{
    const struct machine *machine = self;
    struct clock clock = alarms_clock();

    return clock_now(&clock) + machine->wall_origin;
}

struct clock machine_wall_clock(struct machine *machine)
{
    return (struct clock){.now = wall_now, .self = machine};
}

struct alarm machine_wall_alarm(struct machine *machine, void (*due)(void *self), void *self)
{
    return alarms_add(&machine->alarms, machine->wall_origin, due, self);
}

static void claim(struct bus *bus, const struct bus_range *range)
{
    int error = bus_add(bus, range);

    assert(error == 0);
    (void)error;
}

void machine_claim_ports(struct machine *machine, const char *name, uint16_t start, uint16_t count,
                         unsigned width, uint64_t (*read)(void *self, uint64_t reg, unsigned size),
                         void (*write)(void *self, uint64_t reg, unsigned size, uint64_t value),
                         void *self)
{
    claim(&machine->devices.ports, &(struct bus_range){.start = start,
                                                       .size = count,
                                                       .width = width,
                                                       .read = read,
                                                       .write = write,
                                                       .self = self,
                                                       .name = name});
}

void machine_claim_memory(struct machine *machine, const char *name, gpa_t start, uint64_t size,
                          unsigned width, uint64_t (*read)(void *self, uint64_t reg, unsigned size),
                          void (*write)(void *self, uint64_t reg, unsigned size, uint64_t value),
                          void *self)
{
    claim(&machine->devices.memory, &(struct bus_range){.start = start,
                                                        .size = size,
                                                        .width = width,
                                                        .read = read,
                                                        .write = write,
                                                        .self = self,
                                                        .name = name});
}

bool machine_end(struct machine *machine, enum ending ending)
{
    int none = ENDING_NONE;
    bool first = atomic_compare_exchange_strong(&machine->ending, &none, ending);
    uint64_t one = 1;

    if (write(machine->wake, &one, sizeof one) < 0)
        return first; /* its counter is full: the loop is awake */
    return first;
}

enum ending machine_ending(const struct machine *machine)
{
    return (enum ending)atomic_load_explicit(&machine->ending, memory_order_relaxed);
}

void machine_report(FILE *out, const struct machine *machine)
{
    bool one = false;

    for (unsigned i = 0; i < machine->processor_count; i++)
        one |= machine->processors[i].ending != ENDING_NONE;
    for (unsigned i = 0; i < machine->processor_count; i++) {
        const struct processor *processor = &machine->processors[i];

        if (one && processor->ending == ENDING_NONE)
            continue;
        if (machine->processor_count > 1)
            fprintf(out, "processor %u: ", processor->vcpu.id);
        exit_report(out, &machine->vm, &processor->vcpu);
    }
}
