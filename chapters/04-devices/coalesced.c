/* coalesced.c: see coalesced.h. Open at hand: [KVM-API] 4.116 "KVM_(UN)REGISTER_COALESCED_MMIO". */
#define _GNU_SOURCE
#include "04-devices/coalesced.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "04-devices/machine.h"

/* As many as fit on its page; the header's own count needs a PAGE_SIZE that we lack. */
#define RING_ENTRIES                                                                               \
    ((GUEST_PAGE_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) / sizeof(struct kvm_coalesced_mmio))

/* [drain] */
void coalesced_drain(struct coalesced *coalesced)
{
    struct kvm_coalesced_mmio_ring *ring = coalesced->ring;
    struct devices *devices = &coalesced->machine->devices;
    /* What KVM adds meanwhile stays for the next time, so that a guest cannot hold us. */
    uint32_t end = __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE) % RING_ENTRIES;
    uint32_t at = ring->first % RING_ENTRIES;

    while (at != end) {
        const struct kvm_coalesced_mmio *write = &ring->coalesced_mmio[at];
        struct bus *bus = write->pio ? &devices->ports : &devices->memory;
        uint64_t value = 0;

        memcpy(&value, write->data, sizeof value);
        bus_write(bus, write->phys_addr, write->len, value);
        coalesced->writes++;
        at = (at + 1) % RING_ENTRIES;
        __atomic_store_n(&ring->first, at, __ATOMIC_RELEASE);
    }
}
/* [/drain] */

static void drain_due(void *self)
{
    struct coalesced *coalesced = self;

    coalesced_drain(coalesced);
    alarm_set(&coalesced->alarm, clock_now(&coalesced->clock) + COALESCED_PERIOD);
}

int coalesced_open(struct coalesced *coalesced, struct machine *machine)
{
    int page = vm_capability(&machine->vm, KVM_CAP_COALESCED_MMIO);
    uint8_t *run = (uint8_t *)machine->processors[0].vcpu.run;

    if (page <= 0) /* the capability's value is where the ring is, in pages */
        return -ENOTSUP;
    *coalesced = (struct coalesced){.machine = machine, .clock = machine_clock(machine)};
    coalesced->ring = (struct kvm_coalesced_mmio_ring *)(void *)(run +
                                                                 (size_t)page * GUEST_PAGE_SIZE);
    coalesced->alarm = machine_alarm(machine, drain_due, coalesced);
    alarm_set(&coalesced->alarm, 0);
    machine->coalesced = coalesced;
    return 0;
}

int coalesced_add(struct coalesced *coalesced, bool port, uint64_t start, uint32_t size)
{
    struct kvm_coalesced_mmio_zone zone = {.addr = start, .size = size, .pio = port};
    const struct vm *vm = &coalesced->machine->vm;

    /* Without the capability KVM would take a port for an address. */
    if (port && !vm_capability(vm, KVM_CAP_COALESCED_PIO))
        return -ENOTSUP;
    return ioctl(vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone) < 0 ? -errno : 0;
}
