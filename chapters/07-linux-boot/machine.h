/*
 * machine.h: the frame that main.c screws the devices into.
 *
 * A machine is a KVM VM with RAM, interrupt chips and one processor, two buses,
 * and a way to end. It knows no device by name.
 *
 *     machine_init(&machine, ram_size, wake);
 *     uart_init(&uart, machine_irq(&machine, IRQ_SERIAL_1), sink);
 *     machine_claim_ports(&machine, 0x3f8, 8, 1, uart_read, uart_write, &uart);
 *     ... boot_load(), processor_init() ...
 *     ending = event_loop_run(&machine, ...);
 *     machine_free(&machine);
 *
 * Threads: the processor runs on a thread of its own (processor.c), the event loop
 * on the one that called it. Device code runs on either, under devices.lock.
 */
#ifndef CHAPTER_07_MACHINE_H
#define CHAPTER_07_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/kvm.h"
#include "04-devices/irqchip.h"
#include "07-linux-boot/dispatch.h"
#include "07-linux-boot/ending.h"
#include "07-linux-boot/entry.h"

#define ISA_IRQS 16u

struct machine;

struct processor {
    struct vcpu vcpu;
    struct machine *machine;
    pthread_t thread;
    atomic_bool look; /* asked to find out whether it sleeps for good */
};

struct machine {
    struct vm vm;
    struct devices devices;
    struct irq_pin pins[ISA_IRQS];
    struct processor processor;
    int wake;          /* not owned: an eventfd that the event loop polls */
    atomic_int ending; /* enum ending; the first one to come stays */
};

/* RAM (layout.h says where), interrupt chips, empty buses. Dies if the host refuses. */
void machine_init(struct machine *machine, uint64_t ram_size, int wake);
void machine_free(struct machine *machine);

/* The wire to interrupt line number (0 to 15). */
struct irq_line machine_irq(struct machine *machine, unsigned number);

/* The wire that resets the machine when it is raised. */
struct irq_line machine_reset_line(struct machine *machine);

/* The wire that switches it off. */
struct irq_line machine_off_line(struct machine *machine);

/* bus_add() for the I/O ports. A collision is a mistake of the board: asserted. */
void machine_claim_ports(struct machine *machine, uint16_t start, uint16_t count, unsigned width,
                         uint64_t (*read)(void *self, uint64_t reg, unsigned size),
                         void (*write)(void *self, uint64_t reg, unsigned size, uint64_t value),
                         void *self);

/* Ends the run; only the first call counts. From any thread. */
void machine_end(struct machine *machine, enum ending ending);
enum ending machine_ending(const struct machine *machine);

/* The machine's one processor, where boot_load() wants it to start. */
void processor_init(struct processor *processor, struct machine *machine,
                    const struct boot_entry *entry);

/* Lets it run until the machine's ending is set, and waits for it to stop. */
void processor_start(struct processor *processor);
void processor_join(struct processor *processor);

/* The CPU time it has used, in nanoseconds. It must have been started. */
int64_t processor_time(const struct processor *processor);

/* Asks it to end the run if it is halted and nothing can ever wake it. */
void processor_look(struct processor *processor);

#endif
