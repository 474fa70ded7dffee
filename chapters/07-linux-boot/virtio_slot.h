/*
 * virtio_slot.h: a virtio device in a slot of the PCI bus, with everything around it
 * that makes it fast: doorbells which do not stop the guest.
 *
 *     virtio_rng_init(&rng, &machine->vm.memory, entropy_host());
 *     virtio_slot_plug(&slot, &rng.device, class_code, machine, pci, &why);
 *     ... the guest runs ...
 *     virtio_slot_unplug(&slot);
 *
 * The driver rings by a write to a port. KVM takes it and the guest goes on, while the
 * event loop's thread serves the queue (04-devices/doorbell.h). Only the ports have such
 * doorbells: a driver that rings in memory, or writes another value than the queue's
 * number, stops the guest as any other access to a device does.
 */
#ifndef CHAPTER_07_VIRTIO_SLOT_H
#define CHAPTER_07_VIRTIO_SLOT_H

#include "04-devices/clock.h"
#include "04-devices/doorbell.h"
#include "04-devices/machine.h"
#include "04-devices/pci.h"
#include "05-virtio/virtio_pci.h"
#include "common/refusal.h"

/* Queues from this one on ring by exits; our devices have three at most. */
#define VIRTIO_SLOT_BELLS_MAX 3u

struct virtio_slot {
    struct virtio_pci transport;
    struct machine *machine; /* not owned */
    struct doorbell bells[VIRTIO_SLOT_BELLS_MAX];
    unsigned bell_count;
    struct alarm rested; /* the ports have not moved for a while */
    struct alarm again;  /* a queue has more than was served at once */
};

/*
 * Puts the device into the lowest free slot. It and slot must not move. 0, or -ENOSPC
 * with why->text. class_code as in struct pci_identity.
 */
int virtio_slot_plug(struct virtio_slot *slot, struct virtio_device *device, uint32_t class_code,
                     struct machine *machine, struct pci_host *pci, struct refusal *why);

/* Before the device goes; the event loop must not be running. */
void virtio_slot_unplug(struct virtio_slot *slot);

#endif
