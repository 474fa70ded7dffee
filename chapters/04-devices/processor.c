/*
 * processor.c: a virtual CPU is a thread that calls KVM_RUN in a loop; how all of them
 * start, stand still and stop.
 *
 * To get its attention while the guest runs takes two steps. A signal interrupts
 * KVM_RUN; but one that comes just before the call would be lost, so
 * run->immediate_exit is set first, which makes KVM_RUN return at once.
 * [KVM-API, 5 "The kvm_run structure", immediate_exit]
 *
 * To pause is to wait until each has been interrupted so. KVM_RUN with immediate_exit
 * set first completes the access of the exit before, so nothing is left half done.
 *
 * A debug exception that KVM keeps from the guest is a debugger's: the processor stands until
 * told to go on, whatever the others do.
 *
 * Left out on purpose: processors that come and go while the guest runs.
 */
#define _GNU_SOURCE
#include "04-devices/machine.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "04-devices/threads.h"
#include "common/die.h"

#define KICK_SIGNAL SIGRTMIN /* ours alone: users send SIGUSR1 and SIGUSR2 */

static void do_nothing(int signal)
{
    (void)signal; /* that it came is enough: KVM_RUN returns */
}

struct processor *machine_add_processor(struct machine *machine, unsigned id)
{
    struct processor *processor = &machine->processors[machine->processor_count];

    assert(machine->processor_count < (machine->pic ? 1 : PROCESSORS_MAX));
    machine->processor_count++;
    processor->machine = machine;
    pthread_cond_init(&processor->woken, NULL);
    vcpu_init(&processor->vcpu, &machine->vm, id);
    return processor;
}

/*
 * Halted with interrupts off and no NMI on its way, or not yet started: no device can
 * wake it any more, only another processor. The vCPU stands still.
 */
static bool sleeps_for_good(const struct vcpu *vcpu)
{
    struct kvm_mp_state state;
    struct kvm_vcpu_events events;
    struct kvm_regs regs;

    if (ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
        ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) < 0)
        return false;
    if (state.mp_state == KVM_MP_STATE_UNINITIALIZED ||
        state.mp_state == KVM_MP_STATE_INIT_RECEIVED)
        return true;
    vcpu_get_regs(vcpu, &regs);
    return state.mp_state == KVM_MP_STATE_HALTED && !(regs.rflags & RFLAGS_IF) &&
           !events.nmi.pending && !events.nmi.injected && !events.smi.pending;
}

/* Under the lock: no guest code until the machine is resumed, or the run ends. */
static void stand_still(struct processor *processor)
{
    struct machine *machine = processor->machine;

    processor->standing = true;
    pthread_cond_signal(&machine->stands);
    while ((machine->pauses || processor->held) && machine_ending(machine) == ENDING_NONE)
        pthread_cond_wait(&machine->resumed, &machine->devices.lock);
    processor->standing = false;
}

/*
 * HLT comes to us only without KVM's local APIC. Waits for an interrupt, or for the
 * run's end; nobody polls. With interrupts off there is nothing to wait for.
 */
static enum ending sleep_until_interrupt(struct processor *processor)
{
    struct machine *machine = processor->machine;
    enum ending ending = ENDING_NONE;

    pthread_mutex_lock(&machine->devices.lock);
    while (!interrupt_wakes(&processor->interrupts) && machine_ending(machine) == ENDING_NONE) {
        if (!processor->vcpu.run->if_flag) {
            ending = ENDING_OFF;
            break;
        }
        if (machine->pauses)
            stand_still(processor);
        else
            pthread_cond_wait(&processor->woken, &machine->devices.lock);
    }
    pthread_mutex_unlock(&machine->devices.lock);
    return ending;
}

/* What the guest wrote before this exit comes before it. */
static void drain(struct machine *machine)
{
    pthread_mutex_lock(&machine->devices.lock);
    coalesced_drain(machine->coalesced);
    pthread_mutex_unlock(&machine->devices.lock);
}

/* [meet-debugger] */
static enum ending meet_debugger(struct processor *processor)
{
    struct machine *machine = processor->machine;

    pthread_mutex_lock(&machine->devices.lock);
    processor->debug = processor->vcpu.run->debug.arch;
    processor->debugged = processor->held = true;
    machine->on_debug(machine->debugger);
    stand_still(processor);
    pthread_mutex_unlock(&machine->devices.lock);
    return ENDING_NONE;
}
/* [/meet-debugger] */

static enum ending handle_exit(struct processor *processor)
{
    struct machine *machine = processor->machine;
    struct kvm_run *run = processor->vcpu.run;

    if (machine->coalesced && coalesced_waiting(machine->coalesced))
        drain(machine);
    if (run->exit_reason == KVM_EXIT_HLT && machine->pic)
        return sleep_until_interrupt(processor);
    if (run->exit_reason == KVM_EXIT_DEBUG && machine->on_debug)
        return meet_debugger(processor);
    return dispatch_exit(&machine->devices, run);
}

static void inject(struct processor *processor)
{
    pthread_mutex_lock(&processor->machine->devices.lock);
    interrupt_before_run(&processor->interrupts);
    pthread_mutex_unlock(&processor->machine->devices.lock);
}

/* A kick, and what it is about: the run's end is seen by the loop, a pause here. */
static void handle_kick(struct processor *processor)
{
    struct machine *machine = processor->machine;

    __atomic_store_n(&processor->vcpu.run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    if (!machine->pauses)
        return;
    pthread_mutex_lock(&machine->devices.lock);
    stand_still(processor);
    pthread_mutex_unlock(&machine->devices.lock);
}

/* The thread ends: it will not run the guest again, and nobody needs to wait for it. */
static void leave(struct processor *processor)
{
    struct machine *machine = processor->machine;

    pthread_mutex_lock(&machine->devices.lock);
    processor->standing = true;
    pthread_cond_signal(&machine->stands);
    pthread_mutex_unlock(&machine->devices.lock);
}

/* [loop] */
static bool run_once(struct processor *processor)
{
    struct observer *observer = processor->machine->observer;
    bool returned;

    if (processor->machine->pic)
        inject(processor);
    if (observer)
        observer_enter(observer, &processor->vcpu, &processor->observed);
    returned = vcpu_run(&processor->vcpu);
    if (observer)
        observer_exit(returned, &processor->observed);
    return returned;
}

static void *processor_loop(void *self)
{
    struct processor *processor = self;
    struct machine *machine = processor->machine;

    while (machine_ending(machine) == ENDING_NONE) {
        enum ending ending = ENDING_NONE;

        if (run_once(processor))
            ending = handle_exit(processor);
        else
            handle_kick(processor);
        if (ending != ENDING_NONE && machine_end(machine, ending))
            processor->ending = ending;
    }
    if (machine->observer) /* the last exit, too */
        observer_enter(machine->observer, &processor->vcpu, &processor->observed);
    leave(processor);
    return NULL;
}
/* [/loop] */

static void processor_kick(struct processor *processor)
{
    __atomic_store_n(&processor->vcpu.run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    pthread_kill(processor->thread, KICK_SIGNAL);
}

void processor_wake(void *self)
{
    struct processor *processor = self;

    if (!processor->started) /* it will look before it runs for the first time */
        return;
    pthread_cond_signal(&processor->woken);
    if (!pthread_equal(pthread_self(), processor->thread))
        processor_kick(processor);
}

static void start(struct processor *processor)
{
    struct machine *machine = processor->machine;
    char name[16];
    int error;

    if (machine->observer)
        observer_prepare(machine->observer, &machine->vm, &processor->vcpu);
    snprintf(name, sizeof name, "vcpu %u", processor->vcpu.id);
    error = thread_start(&processor->thread, THREAD_PROCESSOR, name, processor_loop, processor);
    if (error < 0)
        die("cannot start a thread for processor %u: %s", processor->vcpu.id, strerror(-error));
    processor->started = true;
}

void machine_start(struct machine *machine)
{
    struct sigaction action = {.sa_handler = do_nothing};

    sigaction(KICK_SIGNAL, &action, NULL);
    pthread_mutex_lock(&machine->devices.lock);
    for (unsigned i = 0; i < machine->processor_count; i++)
        start(&machine->processors[i]);
    pthread_mutex_unlock(&machine->devices.lock);
}

/* Under the lock: out of KVM_RUN, and out of any sleep. */
static void kick_all(struct machine *machine)
{
    pthread_cond_broadcast(&machine->resumed);
    for (unsigned i = 0; i < machine->processor_count; i++) {
        pthread_cond_signal(&machine->processors[i].woken);
        processor_kick(&machine->processors[i]);
    }
}

void machine_join(struct machine *machine)
{
    pthread_mutex_lock(&machine->devices.lock);
    kick_all(machine);
    pthread_mutex_unlock(&machine->devices.lock);
    for (unsigned i = 0; i < machine->processor_count; i++)
        pthread_join(machine->processors[i].thread, NULL);
    for (unsigned i = 0; i < machine->processor_count; i++)
        machine->processors[i].started = false;
}

void machine_hold(struct machine *machine)
{
    machine->pauses++;
    for (unsigned i = 0; i < machine->processor_count; i++)
        machine->processors[i].vcpu.run->immediate_exit = 1;
}

static bool all_stand(const struct machine *machine)
{
    for (unsigned i = 0; i < machine->processor_count; i++)
        if (!machine->processors[i].standing)
            return false;
    return true;
}

void machine_pause(struct machine *machine)
{
    pthread_mutex_lock(&machine->devices.lock);
    machine->pauses++;
    kick_all(machine);
    while (!all_stand(machine))
        pthread_cond_wait(&machine->stands, &machine->devices.lock);
    pthread_mutex_unlock(&machine->devices.lock);
}

void machine_resume(struct machine *machine)
{
    pthread_mutex_lock(&machine->devices.lock);
    if (--machine->pauses == 0)
        pthread_cond_broadcast(&machine->resumed);
    pthread_mutex_unlock(&machine->devices.lock);
}

void machine_hold_processor(struct machine *machine, unsigned index, bool hold)
{
    pthread_mutex_lock(&machine->devices.lock);
    machine->processors[index].held = hold;
    pthread_mutex_unlock(&machine->devices.lock);
}

bool machine_take_debug(struct machine *machine, unsigned index, struct kvm_debug_exit_arch *debug)
{
    struct processor *processor = &machine->processors[index];
    bool debugged;

    pthread_mutex_lock(&machine->devices.lock);
    debugged = processor->debugged;
    processor->debugged = false;
    *debug = processor->debug;
    pthread_mutex_unlock(&machine->devices.lock);
    return debugged;
}

bool machine_sleeps_for_good(struct machine *machine)
{
    bool all = true;

    machine_pause(machine);
    /* Only now: the last to stand may have sent the first an NMI. */
    for (unsigned i = 0; all && i < machine->processor_count; i++)
        all = sleeps_for_good(&machine->processors[i].vcpu);
    machine_resume(machine);
    return all;
}

/* A thread that has ended has no clock; then its time stands still. */
static int64_t processor_time(const struct processor *processor)
{
    clockid_t clock;
    struct timespec used;

    if (pthread_getcpuclockid(processor->thread, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return 0;
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

int64_t machine_processor_time(const struct machine *machine)
{
    int64_t time = 0;

    for (unsigned i = 0; i < machine->processor_count; i++)
        time += processor_time(&machine->processors[i]);
    return time;
}
