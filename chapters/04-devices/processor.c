/*
 * processor.c: a virtual CPU is a thread that calls KVM_RUN in a loop.
 *
 * To get its attention while the guest runs takes two steps. A signal interrupts
 * KVM_RUN; but one that comes just before the call would be lost, so
 * run->immediate_exit is set first, which makes KVM_RUN return at once.
 * [KVM-API, 5 "The kvm_run structure", immediate_exit]
 *
 * Left out on purpose: more than one processor, pausing, single steps.
 */
#define _GNU_SOURCE
#include "04-devices/machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common/die.h"

#define KICK_SIGNAL SIGRTMIN /* ours alone: users send SIGUSR1 and SIGUSR2 */

static void do_nothing(int signal)
{
    (void)signal; /* that it came is enough: KVM_RUN returns */
}

void processor_init(struct processor *processor, struct machine *machine)
{
    processor->machine = machine;
    pthread_cond_init(&processor->woken, NULL);
    vcpu_init(&processor->vcpu, &machine->vm, 0);
}

/*
 * Halted with interrupts off, and no NMI on its way: nothing can wake it any more.
 * That is how an operating system without ACPI powers a machine off, "System
 * halted". It is called by the vCPU's own thread, between two KVM_RUNs.
 */
static bool halted_for_good(const struct vcpu *vcpu)
{
    struct kvm_mp_state state;
    struct kvm_vcpu_events events;
    struct kvm_regs regs;

    if (ioctl(vcpu->fd, KVM_GET_MP_STATE, &state) < 0 ||
        ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events) < 0)
        return false;
    vcpu_get_regs(vcpu, &regs);
    return state.mp_state == KVM_MP_STATE_HALTED && !(regs.rflags & RFLAGS_IF) &&
           !events.nmi.pending && !events.nmi.injected && !events.smi.pending;
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

static enum ending handle_exit(struct processor *processor)
{
    struct machine *machine = processor->machine;
    struct kvm_run *run = processor->vcpu.run;

    if (machine->coalesced && coalesced_waiting(machine->coalesced))
        drain(machine);
    if (run->exit_reason == KVM_EXIT_HLT && machine->pic)
        return sleep_until_interrupt(processor);
    return dispatch_exit(&machine->devices, run);
}

static void inject(struct processor *processor)
{
    pthread_mutex_lock(&processor->machine->devices.lock);
    interrupt_before_run(&processor->interrupts);
    pthread_mutex_unlock(&processor->machine->devices.lock);
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
    struct vcpu *vcpu = &processor->vcpu;

    while (machine_ending(machine) == ENDING_NONE) {
        enum ending ending = ENDING_NONE;

        if (run_once(processor)) {
            ending = handle_exit(processor);
        } else {
            __atomic_store_n(&vcpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
            if (atomic_exchange(&processor->look, false) && halted_for_good(vcpu))
                ending = ENDING_OFF;
        }
        if (ending != ENDING_NONE)
            machine_end(machine, ending);
    }
    if (machine->observer) /* the last exit, too */
        observer_enter(machine->observer, vcpu, &processor->observed);
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

void processor_start(struct processor *processor)
{
    struct sigaction action = {.sa_handler = do_nothing};
    pthread_mutex_t *lock = &processor->machine->devices.lock;
    int error;

    sigaction(KICK_SIGNAL, &action, NULL);
    if (processor->machine->observer)
        observer_prepare(processor->machine->observer, &processor->machine->vm, &processor->vcpu);
    pthread_mutex_lock(lock);
    error = pthread_create(&processor->thread, NULL, processor_loop, processor);
    if (error)
        die("cannot start a thread for the processor: %s", strerror(error));
    processor->started = true;
    pthread_mutex_unlock(lock);
    pthread_setname_np(processor->thread, "vcpu 0");
}

void processor_join(struct processor *processor)
{
    pthread_mutex_t *lock = &processor->machine->devices.lock;

    pthread_mutex_lock(lock);
    pthread_cond_signal(&processor->woken);
    pthread_mutex_unlock(lock);
    processor_kick(processor);
    pthread_join(processor->thread, NULL);
    processor->started = false;
}

int64_t processor_time(const struct processor *processor)
{
    clockid_t clock;
    struct timespec used;

    /* A thread that has ended has no clock; then its time stands still. */
    if (pthread_getcpuclockid(processor->thread, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return 0;
    return used.tv_sec * INT64_C(1000000000) + used.tv_nsec;
}

void processor_look(struct processor *processor)
{
    atomic_store(&processor->look, true);
    processor_kick(processor);
}
