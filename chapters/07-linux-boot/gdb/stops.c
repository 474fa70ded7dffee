/*
 * stops.c: see stub.h: why the guest stops for a debugger, and how it goes on.
 *
 * A debug exception that KVM gives to us may be one of our breakpoints, the end of a step, or
 * the guest's own: it may have an int3 of its own, or be single-stepping a program. Its own
 * it gets back, as if it had never left.
 *
 * When a processor stops, all are made to, and meanwhile others may come upon something. One
 * that met a breakpoint has not moved past it and will meet it again; a watched write has
 * happened, so it is kept and told when gdb lets the guest go on.
 */
#include "07-linux-boot/gdb/stub.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/bits.h"
#include "common/die.h"

/* gdb's numbers of signals. */
#define GDB_SIGINT  2u
#define GDB_SIGTRAP 5u

/* ---- why processors stand ---- */

struct paging gdb_stub_paging(const struct gdb_stub *s)
{
    struct registers r;

    s->target->get(s->target->self, s->current, &r);
    return (struct paging){.cr0 = r.special.cr0,
                           .cr3 = r.special.cr3,
                           .cr4 = r.special.cr4,
                           .efer = r.special.efer,
                           .rflags = r.general.rflags,
                           .maxphyaddr = s->target->maxphyaddr,
                           .gib_pages = s->target->gib_pages,
                           .pse36_width = 36};
}

static bool at_our_int3(struct gdb_stub *s, unsigned i, uint64_t pc)
{
    unsigned before = s->current;
    struct paging paging;
    gpa_t at;

    s->current = i;
    paging = gdb_stub_paging(s);
    s->current = before;
    return debug_translate(s->target->memory, &paging, pc, &at) &&
           breakpoint_at(&s->breakpoints, at);
}

/* [classify] */
/* One of our breakpoints, our step, or the guest's own business, which it gets back. */
static void classify(struct gdb_stub *s, unsigned i, const struct kvm_debug_exit_arch *hit)
{
    static const enum stop_cause causes[] = {[BREAK_SOFTWARE] = STOP_SOFTWARE,
                                             [BREAK_HARDWARE] = STOP_HARDWARE,
                                             [WATCH_WRITE] = STOP_WATCH,
                                             [WATCH_READ] = STOP_WATCH,
                                             [WATCH_ACCESS] = STOP_WATCH};
    struct gdb_processor *p = &s->processors[i];

    if (hit->exception == BP_VECTOR) {
        if (at_our_int3(s, i, hit->pc))
            p->cause = STOP_SOFTWARE;
        else
            p->injected = KVM_GUESTDBG_INJECT_BP;
        return;
    }
    for (unsigned n = 0; n < DEBUG_REGISTERS; n++)
        if ((hit->dr6 & BIT(n)) && s->breakpoints.registers[n].used) {
            p->cause = causes[s->breakpoints.registers[n].kind];
            p->number = n;
            return;
        }
    if (p->steps)
        p->cause = STOP_STEP;
    else
        p->injected = KVM_GUESTDBG_INJECT_DB;
}
/* [/classify] */

/* Has any processor come upon something? */
static bool take_hits(struct gdb_stub *s)
{
    bool any = false;

    for (unsigned i = 0; i < s->target->processors; i++) {
        struct gdb_processor *p = &s->processors[i];

        p->hit |= s->target->take_hit(s->target->self, i, &p->debug);
        any |= p->hit;
    }
    return any;
}

/*
 * The machine stands. The processor to be told of, if there is one, becomes the current one.
 */
static bool choose(struct gdb_stub *s)
{
    take_hits(s); /* some came while the machine was being stopped */
    for (unsigned i = 0; i < s->target->processors; i++) {
        if (s->processors[i].hit)
            classify(s, i, &s->processors[i].debug);
        s->processors[i].hit = false;
    }
    for (unsigned i = 0; i < s->target->processors; i++) {
        unsigned next = (s->current + i) % s->target->processors;

        if (s->processors[next].cause != STOP_NONE) {
            s->current = next;
            return true;
        }
    }
    return false;
}

static void tell_cause(const struct gdb_stub *s, const struct gdb_processor *p, FILE *out)
{
    static const char *const names[] = {
        [WATCH_WRITE] = "watch", [WATCH_READ] = "rwatch", [WATCH_ACCESS] = "awatch"};
    const struct debug_register *r = &s->breakpoints.registers[p->number];

    if (p->cause == STOP_SOFTWARE && s->tells_software)
        fputs("swbreak:;", out);
    if (p->cause == STOP_HARDWARE && s->tells_hardware)
        fputs("hwbreak:;", out);
    if (p->cause == STOP_WATCH && r->used && r->kind > BREAK_HARDWARE)
        fprintf(out, "%s:%" PRIx64 ";", names[r->kind], r->address);
}

void gdb_stub_tell_stop(const struct gdb_stub *s, unsigned signal, FILE *out)
{
    fprintf(out, "T%02xthread:%x;", signal, s->current + 1);
    tell_cause(s, &s->processors[s->current], out);
}

/* A packet that answers the "go on" of a while ago. */
static void send_stop(struct gdb_stub *s, unsigned signal, FILE *out)
{
    char *text;
    size_t size;
    FILE *packet = open_memstream(&text, &size);

    if (!packet)
        die("no memory for an answer");
    gdb_stub_tell_stop(s, signal, packet);
    fclose(packet);
    packet_write(out, text, size);
    free(text);
    s->processors[s->current].cause = STOP_NONE;
}

/* ---- stop and go ---- */

static void stop(struct gdb_stub *s)
{
    s->target->stop(s->target->self);
    s->stopped = true;
}

static bool arm(struct gdb_stub *s, unsigned i)
{
    struct gdb_processor *p = &s->processors[i];
    struct kvm_guest_debug debug = {.control = p->injected};

    breakpoints_arm(&s->breakpoints, &debug);
    if (p->runs && p->steps)
        debug.control |= KVM_GUESTDBG_ENABLE | s->target->step_flags;
    if (!s->target->arm(s->target->self, i, &debug))
        return false;
    p->injected = 0;
    return true;
}

/* Something that happened together with what was told last. */
static bool is_left(const struct gdb_stub *s)
{
    for (unsigned i = 0; i < s->target->processors; i++)
        if (s->processors[i].runs && s->processors[i].cause != STOP_NONE)
            return true;
    return false;
}

bool gdb_stub_go(struct gdb_stub *s)
{
    bool runs[PROCESSORS_MAX];

    for (unsigned i = 0; i < s->target->processors; i++) {
        if (!arm(s, i))
            return false;
        runs[i] = s->processors[i].runs;
        /* It has not moved past a breakpoint, and will come upon it again. */
        if (runs[i] && s->processors[i].cause != STOP_WATCH)
            s->processors[i].cause = STOP_NONE;
    }
    s->stopped = false;
    s->target->go(s->target->self, runs);
    if (is_left(s))
        gdb_stub_hit(s);
    return true;
}

void gdb_stub_leave(struct gdb_stub *s)
{
    if (!s->attached)
        return;
    if (!s->stopped)
        stop(s);
    choose(s); /* what is the guest's own it gets back */
    breakpoints_clear(&s->breakpoints, s->target->memory);
    for (unsigned i = 0; i < s->target->processors; i++) {
        s->processors[i].runs = true;
        s->processors[i].steps = false;
        s->processors[i].cause = STOP_NONE;
    }
    if (!gdb_stub_go(s))
        warn("-gdb: KVM does not take a processor's breakpoints back");
    s->attached = false;
}

void gdb_stub_change_caller(struct gdb_stub *s)
{
    s->served = s->callers;
    gdb_stub_leave(s);
    if (!s->open)
        return;
    memset(s->processors, 0, sizeof s->processors);
    if (s->fresh) {
        s->reader = (struct packet_reader){0};
        s->acks = true;
        s->tells_software = s->tells_hardware = false;
    }
    s->fresh = false;
    s->current = 0;
    s->attached = true;
    stop(s);
}

void gdb_stub_look(struct gdb_stub *s, FILE *out)
{
    if (!s->attached || s->stopped || (!take_hits(s) && !is_left(s)))
        return;
    stop(s);
    if (choose(s))
        send_stop(s, GDB_SIGTRAP, out);
    else if (!gdb_stub_go(s))
        send_stop(s, GDB_SIGTRAP, out);
}

bool gdb_stub_interrupt(struct gdb_stub *s, FILE *out)
{
    if (!s->attached || s->stopped)
        return false;
    stop(s);
    send_stop(s, choose(s) ? GDB_SIGTRAP : GDB_SIGINT, out);
    return true;
}
