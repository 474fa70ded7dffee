/*
 * virtio_mmio.h: virtio by a page of registers at a fixed address, version 2.
 *
 * The simplest transport: no bus to look through, so something else must tell the driver
 * where the page is and which interrupt line it has: a device tree, or on a PC the kernel's
 * command line, "virtio_mmio.device=512@0xd0000000:5".
 *
 *     0x000  magic "virt"         0x030  queue select     0x070  status
 *     0x004  version 2            0x034  its largest size 0x080  descriptors, low and high
 *     0x008  device id            0x038  its size         0x090  driver area
 *     0x010  feature word         0x044  it is ready      0x0a0  device area
 *     0x014  select the word      0x050  notify           0x0fc  configuration generation
 *     0x020  accepted word        0x060  interrupt status 0x100  configuration
 *     0x024  select the word      0x064  acknowledge it
 *
 * [VIRTIO, 4.2.2 "MMIO Device Register Layout"]
 *
 *     virtio_mmio_init(&transport, &rng.device, machine_irq(machine, 5));
 *     machine_claim_memory(machine, "virtio", 0xd0000000, VIRTIO_MMIO_SIZE, 4,
 *                          virtio_mmio_read, virtio_mmio_write, &transport);
 *
 * Everything here runs under the lock of the buses (bus.h).
 */
#ifndef CHAPTER_05_VIRTIO_MMIO_H
#define CHAPTER_05_VIRTIO_MMIO_H

#include <linux/virtio_mmio.h>
#include <stdbool.h>
#include <stdint.h>

#include "04-devices/irq.h"
#include "05-virtio/virtio_device.h"

#define VIRTIO_MMIO_SIZE        0x200u
#define VIRTIO_MMIO_MAGIC       0x74726976u /* "virt" */
#define VIRTIO_MMIO_VENDOR      0x31676e52u /* "Rng1": any number will do */
#define VIRTIO_MMIO_QUEUE_RESET 0x0c0u      /* new in 1.2; not yet in Linux's header */

struct virtio_mmio {
    struct virtio_device *device;                /* not owned */
    struct irq_line irq;                         /* level triggered */
    uint32_t feature_word, accepted_word, queue; /* what the select registers say */
    uint32_t interrupts;                         /* VIRTIO_MMIO_INT_... */
    bool level;
};

/* Attaches the device, whose wire it becomes. It must not move. */
void virtio_mmio_init(struct virtio_mmio *t, struct virtio_device *device, struct irq_line irq);

/* Bus callbacks; the widest access is 4 bytes. */
uint64_t virtio_mmio_read(void *self, uint64_t reg, unsigned size);
void virtio_mmio_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
