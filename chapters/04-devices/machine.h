/*
 * machine.h: the frame that a board screws its devices into.
 *
 * A machine is a KVM VM with processors, two buses, a clock with alarms, and a way to
 * end. It knows no device by name, but for the interrupt controller: KVM's, which talks
 * to the processors inside the kernel, or ours, which does so here and to one only.
 *
 *     machine_init(&machine, wake);
 *     irqchip_create(&machine.vm);            or machine_use_pic(&machine, &pic)
 *     vm_add_ram(&machine.vm, 0, 16 * MIB);
 *     uart_init(&uart, machine_irq(&machine, IRQ_SERIAL_1), sink);
 *     machine_claim_ports(&machine, "serial port", 0x3f8, 8, 1, uart_read, uart_write,
 *                         &uart);
 *     processor = machine_add_processor(&machine, 0);
 *     ... registers of processor->vcpu ...
 *     ending = event_loop_run(&machine, ...);
 *     machine_free(&machine);
 *
 * Threads: each processor runs on a thread of its own (processor.c), the event loop
 * on the one that called it. Device code runs on any of them, under devices.lock.
 *
 * With more than one processor the first is the one that boots. The others wait inside
 * KVM until it wakes them as on a PC, by INIT and start-up messages from its local APIC.
 * [SDM3, 8.4 "Multiple-Processor (MP) Initialization"]
 */
#ifndef CHAPTER_04_MACHINE_H
#define CHAPTER_04_MACHINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "01-kvm-hello/kvm.h"
#include "04-devices/alarms.h"
#include "04-devices/coalesced.h"
#include "04-devices/dispatch.h"
#include "04-devices/ending.h"
#include "04-devices/interrupt.h"
#include "04-devices/irqchip.h"
#include "04-devices/observer.h"
#include "04-devices/watches.h"

#define ISA_IRQS       16u
#define PROCESSORS_MAX 16u

struct machine;

struct processor {
    struct vcpu vcpu;
    struct machine *machine;
    pthread_t thread;
    struct observed observed;
    enum ending ending; /* what it ended the run with; valid when it is joined */

    /* Under the lock: */
    bool started;  /* the thread is there */
    bool standing; /* ... and runs no guest code: the machine is paused, or ends */
    bool held;     /* it stands, also when the others run */
    bool debugged; /* it has come upon a debug exception, which nobody has taken yet: */
    struct kvm_debug_exit_arch debug;

    /* Without KVM's interrupt chips, under the lock, too: */
    struct interrupt_pins interrupts;
    pthread_cond_t woken; /* a halted processor waits for it */
};

struct machine {
    struct vm vm;
    struct devices devices;
    struct irq_pin pins[ISA_IRQS]; /* of KVM's chips ... */
    struct pic_pair *pic;          /* ... or this, if not NULL. Not owned */
    struct processor processors[PROCESSORS_MAX];
    unsigned processor_count;
    pthread_cond_t stands;  /* a processor has come to stand ... */
    pthread_cond_t resumed; /* ... and may go on; both under the lock */
    atomic_uint pauses;     /* written under the lock; 0: the processors run */
    struct alarms alarms;
    int64_t wall_origin; /* the date minus alarms_clock() */
    struct watches watches;
    struct irq_routes *routes;        /* owned; NULL: nobody has wanted one of his own yet */
    uint32_t next_gsi;                /* the lowest that stands for nothing */
    struct coalesced *coalesced;      /* NULL: KVM collects no writes. Not owned */
    struct observer *observer;        /* NULL: nobody watches the exits. Not owned */
    void (*on_debug)(void *debugger); /* a processor met a debug exception, and is held; */
    void *debugger;                   /* called on its thread, under the lock. NULL: none */
    int wake;                         /* not owned: an eventfd that the event loop polls */
    atomic_int ending;                /* enum ending; the first one to come stays */
};

/* No interrupt chips, no RAM, empty buses. It must not move. Dies if the host refuses. */
void machine_init(struct machine *machine, int wake);
void machine_init_on(struct machine *machine, int kvm_fd, int wake); /* takes /dev/kvm over */
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

/*
 * The table of what GSIs stand for, with KVM's chips; under the lock. Whoever wants a
 * message of his own takes a new GSI, which keeps its meaning as long as the machine lives.
 * 0: there are no more.
 */
struct irq_routes *machine_routes(struct machine *machine);
uint32_t machine_new_gsi(struct machine *machine);

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

/* Ends the run; only the first call counts, and returns true. From any thread. */
bool machine_end(struct machine *machine, enum ending ending);
enum ending machine_ending(const struct machine *machine);

/*
 * One processor more, as it comes out of reset. id is its number in KVM and in its local
 * APIC: 0 for the first. With our own PIC there can be one only: asserted.
 */
struct processor *machine_add_processor(struct machine *machine, unsigned id);

/* Lets all of them run until the machine's ending is set, and waits for them to stop. */
void machine_start(struct machine *machine);
void machine_join(struct machine *machine);

/*
 * Pause returns when no processor runs guest code: each is between two instructions, its
 * last access answered and complete, its registers to be read and set. Each call needs a
 * resume, the last of which lets them go on. On the event loop's thread, between start
 * and join, without the lock.
 */
void machine_pause(struct machine *machine);
void machine_resume(struct machine *machine);

/*
 * The same before the start: the processors will stand at their first instruction, until a
 * resume.
 */
void machine_hold(struct machine *machine);

/*
 * While paused: shall one processor stand when the others go on? Not owned by anybody: what
 * was said last counts.
 */
void machine_hold_processor(struct machine *machine, unsigned index, bool hold);

/*
 * What a processor's debug exception was, told once; false: there was none. From any thread.
 * [KVM-API, 5 "The kvm_run structure", KVM_EXIT_DEBUG]
 */
bool machine_take_debug(struct machine *machine, unsigned index, struct kvm_debug_exit_arch *debug);

/*
 * Do all processors sleep, so that only one of them could wake another? A machine
 * without ACPI is switched off so. Pauses to find out.
 */
bool machine_sleeps_for_good(struct machine *machine);

/* The CPU time that all processors have used, in nanoseconds. They must be started. */
int64_t machine_processor_time(const struct machine *machine);

/*
 * Where the processors stand, when they are joined: that one which ended the run, or all
 * if something else did.
 */
void machine_report(FILE *out, const struct machine *machine);

/* One of its interrupt pins went high, under the lock: see interrupt.h. */
void processor_wake(void *self);

#endif
