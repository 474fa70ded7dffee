/*
 * stub.h: a debugger outside looks into the guest: gdb's remote protocol.
 *
 *     vmm -gdb tcp::1234 -S -kernel vmlinux ...
 *     gdb vmlinux -ex "target remote :1234"
 *
 * A processor is a thread to gdb, the first is number 1. The guest stands from the moment
 * somebody connects, until told to go on; it stands as a whole when any processor comes upon
 * a breakpoint. When the debugger leaves, in whichever way, its breakpoints go with it and
 * the guest runs on.
 *
 * Who connects can do with the guest what he likes, and end the VMM; but no more. What he
 * sends is as little trusted as what a guest does: each packet has its answer, an error if it
 * makes no sense, and no number in it leads outside the guest's memory and registers.
 *
 * It is a front end of a character back end, as the monitor is, and works like it: what comes
 * is kept, and handled by the event loop when it hears of it.
 *
 * Left out on purpose: going backwards, several debuggers at once, threads and programs of
 * the guest (a stub knows processors only), guests that debug themselves with the debug
 * registers while we use them.
 */
#ifndef CHAPTER_07_GDB_STUB_H
#define CHAPTER_07_GDB_STUB_H

#include "04-devices/console.h"
#include "04-devices/ending.h"
#include "04-devices/machine.h"
#include "07-linux-boot/gdb/breakpoints.h"
#include "07-linux-boot/gdb/packet.h"
#include "07-linux-boot/gdb/target.h"

#define GDB_INPUT 1024u

/* Why a processor stands. */
enum stop_cause {
    STOP_NONE,
    STOP_STEP,
    STOP_SOFTWARE,
    STOP_HARDWARE,
    STOP_WATCH, /* and which of the debug registers */
};

struct gdb_processor {
    bool runs, steps; /* when the machine goes on next, or since it did last */
    bool hit;         /* it has come upon this, of which nobody has thought yet: */
    struct kvm_debug_exit_arch debug;
    enum stop_cause cause;
    unsigned number;   /* of the debug register */
    uint32_t injected; /* a debug exception that is the guest's own, for KVM_SET_GUEST_DEBUG */
};

struct gdb_stub {
    const struct gdb_target *target; /* NULL: there is no machine. Not owned */
    struct byte_sink sink;
    void (*wake)(void *self); /* there is room for input again */
    void *wake_self;
    int event; /* owned: an eventfd, for the event loop */

    uint8_t input[GDB_INPUT];
    unsigned input_count;
    bool open;                /* somebody is there ... */
    bool fresh;               /* ... and has not said anything yet */
    unsigned callers, served; /* ... the how many-th, and which of them we serve */

    bool attached; /* the guest is the debugger's to stop and to go on */
    bool stopped;
    bool acks; /* + and -: until both do without */
    bool tells_software, tells_hardware;
    struct packet_reader reader;
    char *answer; /* owned; the last, for whoever has not understood */
    size_t sent, size;

    unsigned current; /* processor of which registers are asked */
    struct gdb_processor processors[PROCESSORS_MAX];
    struct breakpoints breakpoints;
};

/* Dies if the host refuses. */
void gdb_stub_init(struct gdb_stub *stub);
void gdb_stub_free(struct gdb_stub *stub);

void gdb_stub_connect(struct gdb_stub *stub, struct byte_sink sink, void (*wake)(void *self),
                      void *wake_self);
struct console_end gdb_stub_end(struct gdb_stub *stub);

/*
 * There is a machine, not started yet; or its run has ended. A debugger who waits for news is
 * told: then true, and he is to be let go. One who has stopped the guest finds the next machine
 * stopped soon after it starts, if there is one.
 */
void gdb_stub_attach(struct gdb_stub *stub, const struct gdb_target *target);
bool gdb_stub_detach(struct gdb_stub *stub, enum ending ending);

/* Handles what has come. On the event loop's thread, without the lock. */
void gdb_stub_run(void *stub);

/* From any thread: a processor has come upon something. */
void gdb_stub_hit(void *stub);

/* ---- commands.c ---- */

/* One packet; true: what it answers has been printed to out. */
bool gdb_command(struct gdb_stub *stub, const char *data, size_t length, FILE *out);

/* ---- stops.c ---- */

/* Lets processors go on as their runs and steps say. False: KVM can't do that. */
bool gdb_stub_go(struct gdb_stub *stub);

/* The debugger leaves the guest alone. */
void gdb_stub_leave(struct gdb_stub *stub);

/* Why the guest stands, as a packet. */
void gdb_stub_tell_stop(const struct gdb_stub *stub, unsigned signal, FILE *out);

/* The address space of the current processor. */
struct paging gdb_stub_paging(const struct gdb_stub *stub);

/* Somebody has come, or left, or one has come after another. */
void gdb_stub_change_caller(struct gdb_stub *stub);

/* Has a processor come upon something? Then the whole machine stands, and out tells it. */
void gdb_stub_look(struct gdb_stub *stub, FILE *out);

/* Ctrl-C. False: the guest stands already. */
bool gdb_stub_interrupt(struct gdb_stub *stub, FILE *out);

#endif
