/* observer.c: see observer.h. */
#define _GNU_SOURCE
#include "04-devices/observer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "04-devices/machine.h"
#include "common/die.h"

#define SECOND INT64_C(1000000000)

static int64_t now(void)
{
    struct clock clock = alarms_clock();

    return clock_now(&clock);
}

static uint64_t first_item(const void *data, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, data, size < sizeof value ? size : sizeof value);
    return value;
}

/* The access that an exit was. False: it was something else. */
static bool describe_access(const struct kvm_run *run, struct trace_event *event,
                            enum stats_space *space)
{
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        *space = STATS_PORT;
        event->verb = run->io.direction == KVM_EXIT_IO_OUT ? "out" : "in";
        event->address = run->io.port;
        event->size = run->io.size;
        event->count = run->io.count;
        event->data = first_item((const uint8_t *)run + run->io.data_offset, run->io.size);
        return true;
    case KVM_EXIT_MMIO:
        *space = STATS_MEMORY;
        event->verb = run->mmio.is_write ? "write" : "read";
        event->address = run->mmio.phys_addr;
        event->size = run->mmio.len;
        event->count = 1;
        event->data = first_item(run->mmio.data, run->mmio.len);
        return true;
    default: return false;
    }
}

/* Ranges come and go with PCI, so even their names are read under the lock. */
static const char *device_name(struct devices *devices, enum stats_space space, uint64_t address)
{
    const char *name;

    pthread_mutex_lock(&devices->lock);
    name = bus_name(space == STATS_PORT ? &devices->ports : &devices->memory, address);
    pthread_mutex_unlock(&devices->lock);
    return name;
}

/* The guest has not run since, so RIP is what it was at the exit. */
static void take_rip(const struct vcpu *vcpu, struct trace_event *event)
{
    if (vcpu->run->kvm_valid_regs & KVM_SYNC_X86_REGS) {
        event->rip = vcpu->run->s.regs.regs.rip;
    } else {
        struct kvm_regs regs;

        vcpu_get_regs(vcpu, &regs);
        event->rip = regs.rip;
    }
    event->has_rip = true;
}

/* [tell] */
static void tell(struct observer *observer, const struct vcpu *vcpu, const struct observed *seen,
                 int64_t entering)
{
    const struct kvm_run *run = vcpu->run;
    uint32_t reason = seen->returned ? run->exit_reason : KVM_EXIT_INTR;
    struct trace_event event = {.exited = seen->exited,
                                .entered = entering,
                                .inside = seen->exited - seen->entered,
                                .reason = exit_name(reason),
                                .vcpu = vcpu->id};
    int64_t ours = entering - seen->exited;
    enum stats_space space = STATS_FREE;

    if (seen->returned && describe_access(run, &event, &space))
        event.device = device_name(observer->devices, space, event.address);
    if (observer->counting) {
        stats_exit(&observer->stats, reason, ours, event.inside);
        if (space != STATS_FREE)
            stats_access(&observer->stats, space, event.address, event.device, event.count, ours);
    }
    if (observer->tracing) {
        take_rip(vcpu, &event);
        trace_add(&observer->trace, &event);
    }
}
/* [/tell] */

void observer_enter(struct observer *observer, const struct vcpu *vcpu, struct observed *seen)
{
    if (seen->pending)
        tell(observer, vcpu, seen, now());
    seen->pending = false;
    seen->entered = now(); /* what the telling cost is nobody's time */
}

void observer_exit(bool returned, struct observed *seen)
{
    seen->exited = now();
    seen->returned = returned;
    seen->pending = true;
}

void observer_prepare(const struct observer *observer, const struct vm *vm, const struct vcpu *vcpu)
{
    if (observer->tracing && (vm_capability(vm, KVM_CAP_SYNC_REGS) & KVM_SYNC_X86_REGS))
        vcpu->run->kvm_valid_regs |= KVM_SYNC_X86_REGS;
}

static void flush_trace(void *self)
{
    struct observer *observer = self;

    trace_flush(&observer->trace);
    alarm_set(&observer->flush, now() + SECOND);
}

/* On a raw terminal a line's end takes both characters. */
static void print_stats(struct observer *observer)
{
    stats_print(&observer->stats, stderr, isatty(STDERR_FILENO) ? "\r\n" : "\n");
}

static void signal_came(void *self)
{
    struct observer *observer = self;
    struct signalfd_siginfo info;

    if (read(observer->signal_fd, &info, sizeof info) != sizeof info)
        return;
    if (observer->counting)
        print_stats(observer);
    else
        warn("SIGUSR1 prints statistics if they were asked for at the start");
}

/* As signals.h does it: blocked, and read from a descriptor. */
static int take_signal(void)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        die("signalfd failed: %s", strerror(errno));
    return fd;
}

int observer_open(struct observer *observer, struct machine *machine, int trace, bool counting,
                  struct refusal *why)
{
    *observer = (struct observer){
        .devices = &machine->devices, .tracing = trace >= 0, .counting = counting};
    if (trace >= 0) {
        int error = trace_open(&observer->trace, trace, now(), why);

        if (error < 0)
            return error;
        observer->flush = machine_alarm(machine, flush_trace, observer);
        alarm_set(&observer->flush, now() + SECOND);
    }
    stats_init(&observer->stats);
    observer->signal_fd = take_signal();
    watches_add(&machine->watches, observer->signal_fd, signal_came, observer);
    if (observer->tracing || counting)
        machine->observer = observer;
    return 0;
}

void observer_close(struct observer *observer)
{
    if (observer->counting)
        print_stats(observer);
    if (observer->tracing)
        trace_close(&observer->trace);
    stats_free(&observer->stats);
    close(observer->signal_fd);
}
