/*
 * virtio_slot.h: a virtio device in its place on the bus (virtio_bus.h), with everything
 * around it that makes it fast: doorbells which do not stop the guest.
 *
 *     virtio_rng_init(&rng, &machine->vm.memory, entropy_host());
 *     virtio_slot_plug(&slot, &rng.device, class_code, bus, &why);
 *     ... the guest runs ...
 *     virtio_slot_unplug(&slot);
 *
 * The driver rings by a write: on PCI to a port, else to its page of registers. KVM takes
 * it and the guest goes on (04-devices/doorbell.h), while another thread serves the queue:
 * the event loop's, or, where time matters, one of the device's own (05-virtio/worker.h).
 * That one's interrupts go straight from it to KVM (05-virtio/queue_irqs.h). So do those of
 * whoever else serves a queue, the host's kernel for one; while the short way is shut, he is
 * given an eventfd that the event loop hears. A driver that
 * rings in a BAR's memory, or writes another value than the queue's number, stops the guest
 * as any other access to a device does.
 */
#ifndef CHAPTER_07_VIRTIO_SLOT_H
#define CHAPTER_07_VIRTIO_SLOT_H

#include "04-devices/clock.h"
#include "04-devices/doorbell.h"
#include "04-devices/machine.h"
#include "05-virtio/virtio_mmio.h"
#include "05-virtio/queue_irqs.h"
#include "05-virtio/virtio_pci.h"
#include "05-virtio/worker.h"
#include "07-linux-boot/virtio_bus.h"
#include "common/refusal.h"

/* Queues from this one on ring by exits. */
#define VIRTIO_SLOT_BELLS_MAX 17u

/* Queues that are served elsewhere: 0 and up. */
#define VIRTIO_SLOT_FAR_MAX 2u

struct virtio_slot {
    struct virtio_device *device; /* not owned */
    union {
        struct virtio_pci pci;
        struct virtio_mmio mmio;
    } transport;             /* which: as the bus */
    struct machine *machine; /* not owned */
    struct doorbell bells[VIRTIO_SLOT_BELLS_MAX];
    unsigned bell_count;
    struct alarm rested; /* ports and vectors have not moved for a while */
    struct alarm again;  /* a queue has more than was served at once */
    struct virtio_worker worker;
    bool has_worker;
    struct queue_irqs irqs; /* the worker's, on PCI */
    struct far_queue {      /* one that is served elsewhere: its interrupts' long way */
        struct virtio_slot *slot;
        unsigned index;
        int fd; /* the event loop listens */
    } far[VIRTIO_SLOT_FAR_MAX];
    unsigned far_count;
};

/*
 * Puts the device into the lowest free place. It and slot must not move. 0, or -ENOSPC
 * with why->text. class_code as in struct pci_identity.
 */
int virtio_slot_plug(struct virtio_slot *slot, struct virtio_device *device, uint32_t class_code,
                     struct virtio_bus *bus, struct refusal *why);

/*
 * The same with a thread of the device's own, called name, that also waits for source (which
 * may be all zero).
 */
int virtio_slot_plug_worker(struct virtio_slot *slot, struct virtio_device *device,
                            uint32_t class_code, struct virtio_bus *bus, const char *name,
                            const struct virtio_source *source, struct refusal *why);

/* Before the device goes; the event loop must not be running. */
void virtio_slot_unplug(struct virtio_slot *slot);

#endif
