/*
 * dispatch.c: from KVM's exit to the device. Open at hand: [KVM-API] section 5
 * "The kvm_run structure".
 *
 * This path is walked for every character the guest prints, so it is short: a
 * switch, an uncontended lock, a binary search, the device.
 *
 * An unknown exit ends the run rather than being skipped: KVM_RUN would come back
 * with it at once and for ever.
 */
#include "04-devices/dispatch.h"

#include <string.h>

static void dispatch_port(struct devices *devices, struct kvm_run *run)
{
    void *data = (uint8_t *)run + run->io.data_offset;

    if (run->io.direction == KVM_EXIT_IO_OUT)
        bus_write_string(&devices->ports, run->io.port, run->io.size, run->io.count, data);
    else
        bus_read_string(&devices->ports, run->io.port, run->io.size, run->io.count, data);
}

static void dispatch_memory(struct devices *devices, struct kvm_run *run)
{
    if (run->mmio.is_write)
        bus_write_string(&devices->memory, run->mmio.phys_addr, run->mmio.len, 1, run->mmio.data);
    else
        bus_read_string(&devices->memory, run->mmio.phys_addr, run->mmio.len, 1, run->mmio.data);
}

static enum ending system_event(uint32_t type)
{
    switch (type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN: return ENDING_OFF;
    case KVM_SYSTEM_EVENT_RESET: return ENDING_RESET;
    case KVM_SYSTEM_EVENT_CRASH: return ENDING_CRASH;
    default: return ENDING_STUCK;
    }
}

enum ending dispatch_exit(struct devices *devices, struct kvm_run *run)
{
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        pthread_mutex_lock(&devices->lock);
        dispatch_port(devices, run);
        pthread_mutex_unlock(&devices->lock);
        return ENDING_NONE;
    case KVM_EXIT_MMIO:
        pthread_mutex_lock(&devices->lock);
        dispatch_memory(devices, run);
        pthread_mutex_unlock(&devices->lock);
        return ENDING_NONE;
    case KVM_EXIT_INTR:            /* a signal, without EINTR */
    case KVM_EXIT_IRQ_WINDOW_OPEN: /* before the next KVM_RUN the interrupt goes in */
    case KVM_EXIT_SET_TPR: /* of a local APIC that is not there */ return ENDING_NONE;
    case KVM_EXIT_HLT: return ENDING_OFF; /* only without KVM's own local APIC */
    case KVM_EXIT_SHUTDOWN: return ENDING_CRASH;
    case KVM_EXIT_SYSTEM_EVENT: return system_event(run->system_event.type);
    default: return ENDING_STUCK;
    }
}
