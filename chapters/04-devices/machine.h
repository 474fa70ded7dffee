/*
 * machine.h: the frame that a board screws its devices into.
 *
 * A machine is a KVM VM with one processor, two buses, a clock with alarms, and a way
 * to end. It knows no device by name, but for the interrupt controller: KVM's, which
 * talks to the processor inside the kernel, or ours, which does so here.
 *
 *     machine_init(&machine, wake);
 *     irqchip_create(&machine.vm);            or machine_use_pic(&machine, &pic)
 *     vm_add_ram(&machine.vm, 0, 16 * MIB);
 *     uart_init(&uart, machine_irq(&machine, IRQ_SERIAL_1), sink);
 *     machine_claim_ports(&machine, "serial port", 0x3f8, 8, 1, uart_read, uart_write,
 *                         &uart);
 *     processor_init(&machine.processor, &machine);
 *     ... registers ...
 *     ending = event_loop_run(&machine, ...);
 *     machine_free(&machine);
 *
 * Threads: the processor runs on a thread of its own (processor.c), the event loop
 * on the one that called it. Device code runs on either, under devices.lock.
 */
#ifndef CHAPTER_04_MACHINE_H
#define CHAPTER_04_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/kvm.h"
#include "04-devices/alarms.h"
#include "04-devices/coalesced.h"
#include "04-devices/dispatch.h"
#include "04-devices/ending.h"
#include "04-devices/interrupt.h"
#include "04-devices/irqchip.h"
#include "04-devices/observer.h"
#include "04-devices/watches.h"

#define ISA_IRQS 16u

struct machine;

struct processor {
    struct vcpu vcpu;
    struct machine *machine;
    pthread_t thread;
    bool started; /* the thread is there; under the lock */
    struct observed observed;
    atomic_bool look; /* asked to find out whether it sleeps for good */

    /* Without KVM's interrupt chips, all under the lock: */
    struct interrupt_pins interrupts;
    pthread_cond_t woken; /* a halted processor waits for it */
};

struct machine {
    struct vm vm;
    struct devices devices;
    struct irq_pin pins[ISA_IRQS]; /* of KVM's chips ... */
    struct pic_pair *pic;          /* ... or this, if not NULL. Not owned */
    struct processor processor;
    struct alarms alarms;
    int64_t wall_origin; /* the date minus alarms_clock() */
    struct watches watches;
    struct coalesced *coalesced; /* NULL: KVM collects no writes. Not owned */
    struct observer *observer;   /* NULL: nobody watches the exits. Not owned */
    int wake;                    /* not owned: an eventfd that the event loop polls */
    atomic_int ending;           /* enum ending; the first one to come stays */
};

/* No interrupt chips, no RAM, empty buses. It must not move. Dies if the host refuses. */
void machine_init(struct machine *machine, int wake);
void machine_free(struct machine *machine);

/*
 * Makes pic the interrupt controller instead of KVM's chips, and powers it up. The
 * caller claims its ports. Before any device asks for a wire.
 */
void machine_use_pic(struct machine *machine, struct pic_pair *pic);

/* The wire to interrupt line number (0 to 15), of whichever controller. */
struct irq_line machine_irq(struct machine *machine, unsigned number);

/* Messages to the local APICs; without KVM's chips there are none, and they are lost. */
struct msi_sender machine_msi(struct machine *machine);

/* The wire that resets the machine when it is raised. */
struct irq_line machine_reset_line(struct machine *machine);

/* The wire that switches it off. */
struct irq_line machine_off_line(struct machine *machine);

/* A clock that counts, and an alarm by it: due(self) is called under the device lock. */
struct clock machine_clock(const struct machine *machine);
struct alarm machine_alarm(struct machine *machine, void (*due)(void *self), void *self);

/*
 * The same for devices that know the date: nanoseconds since 1970-01-01 00:00 UTC. The
 * host's date is asked for once, when the machine is made; from then on this clock
 * counts like the other, and never jumps when the host's does.
 */
struct clock machine_wall_clock(struct machine *machine);
struct alarm machine_wall_alarm(struct machine *machine, void (*due)(void *self), void *self);

/*
 * bus_add() for the I/O ports. The name is for traces: plain letters, and no quotes. A
 * collision is a mistake of the board: asserted.
 */
void machine_claim_ports(struct machine *machine, const char *name, uint16_t start, uint16_t count,
                         unsigned width, uint64_t (*read)(void *self, uint64_t reg, unsigned size),
                         void (*write)(void *self, uint64_t reg, unsigned size, uint64_t value),
                         void *self);

/* The same for physical addresses that are not RAM. */
void machine_claim_memory(struct machine *machine, const char *name, gpa_t start, uint64_t size,
                          unsigned width, uint64_t (*read)(void *self, uint64_t reg, unsigned size),
                          void (*write)(void *self, uint64_t reg, unsigned size, uint64_t value),
                          void *self);

/* Ends the run; only the first call counts. From any thread. */
void machine_end(struct machine *machine, enum ending ending);
enum ending machine_ending(const struct machine *machine);

/* The machine's one processor, as it comes out of reset. */
void processor_init(struct processor *processor, struct machine *machine);

/* Lets it run until the machine's ending is set, and waits for it to stop. */
void processor_start(struct processor *processor);
void processor_join(struct processor *processor);

/* One of its interrupt pins went high, under the lock: see interrupt.h. */
void processor_wake(void *self);

/* The CPU time it has used, in nanoseconds. It must have been started. */
int64_t processor_time(const struct processor *processor);

/* Asks it to end the run if it is halted and nothing can ever wake it. */
void processor_look(struct processor *processor);

#endif
