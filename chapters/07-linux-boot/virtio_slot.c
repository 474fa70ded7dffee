/*
 * virtio_slot.c: see virtio_slot.h.
 *
 * To change what it watches takes KVM milliseconds, and a guest that looks for the size
 * of its BARs switches them off and on dozens of times. So ports that move lose their
 * doorbells at once and get them back when they have rested; until then a ring is an
 * exit. A guest that never stops moving them costs us next to nothing.
 *
 * Left out on purpose: interrupts by irqfd. A device here runs in the VMM, and an ioctl
 * sends its message as fast as a write to an eventfd would; and doorbells in memory,
 * since Linux takes the ports, which come first among the capabilities.
 */
#include "07-linux-boot/virtio_slot.h"

#include <errno.h>

#define PORTS_REST_NS INT64_C(10000000)

static void move_bells(struct virtio_slot *slot, bool somewhere)
{
    const struct pci_bar *ports = &slot->transport.pci.bars[VIRTIO_PCI_BAR_PORTS];

    for (unsigned queue = 0; queue < slot->bell_count; queue++)
        doorbell_move(&slot->bells[queue],
                      somewhere && ports->visible
                          ? ports->range.start + (uint64_t)queue * VIRTIO_PCI_NOTIFY_STEP
                          : DOORBELL_NOWHERE);
}

static void ports_rested(void *self)
{
    move_bells(self, true);
}

static void ports_moved(void *self, unsigned bar)
{
    struct virtio_slot *slot = self;
    struct clock clock = machine_clock(slot->machine);

    if (bar != VIRTIO_PCI_BAR_PORTS)
        return;
    move_bells(slot, false);
    alarm_set(&slot->rested, clock_now(&clock) + PORTS_REST_NS);
}

/*
 * A guest that fills its rings as fast as we empty them shall not keep the event loop
 * from the keyboard: the rest is served when the loop has been round.
 */
static void serve_rest(void *self)
{
    struct virtio_slot *slot = self;

    for (unsigned queue = 0; queue < slot->transport.device->queue_count; queue++)
        virtio_device_notify(slot->transport.device, queue);
}

static void serve_later(void *self)
{
    struct virtio_slot *slot = self;
    struct clock clock = machine_clock(slot->machine);

    alarm_set(&slot->again, clock_now(&clock));
}

/* A host that has no more of them costs us speed, nothing else. */
static void add_bells(struct virtio_slot *slot, unsigned queues)
{
    while (slot->bell_count < queues && slot->bell_count < VIRTIO_SLOT_BELLS_MAX) {
        struct doorbell *bell = &slot->bells[slot->bell_count];

        *bell = (struct doorbell){.machine = slot->machine,
                                  .space = DOORBELL_PORT,
                                  .address = DOORBELL_NOWHERE,
                                  .size = 2,
                                  .value = slot->bell_count};
        if (doorbell_open(bell) < 0)
            break;
        slot->bell_count++;
    }
}

int virtio_slot_plug(struct virtio_slot *slot, struct virtio_device *device, uint32_t class_code,
                     struct machine *machine, struct pci_host *pci, struct refusal *why)
{
    int number = pci_host_free_slot(pci);

    if (number < 0)
        return refuse(why, number, "no slot is left on the PCI bus");
    slot->machine = machine;
    slot->bell_count = 0;
    virtio_pci_init(&slot->transport, device, class_code, machine_msi(machine));
    slot->rested = machine_alarm(machine, ports_rested, slot);
    slot->again = machine_alarm(machine, serve_rest, slot);
    device->later = (struct virtio_later){serve_later, slot};
    slot->transport.pci.bar_moved = ports_moved;
    slot->transport.pci.bar_moved_self = slot;
    add_bells(slot, device->queue_count);
    pci_host_plug(pci, (unsigned)number, &slot->transport.pci);
    return 0;
}

void virtio_slot_unplug(struct virtio_slot *slot)
{
    while (slot->bell_count > 0)
        doorbell_close(&slot->bells[--slot->bell_count]);
}
