/*
 * virtio_pci.h: virtio on PCI, as since version 1.0: found by its vendor number, placed
 * by whoever places PCI devices, with an interrupt for each queue.
 *
 *     BAR 0  memory, 16 KiB    0x0000  common configuration
 *                              0x1000  ISR status
 *                              0x2000  the device's own configuration
 *                              0x3000  notifications, 4 bytes for each queue
 *     BAR 1  memory, 4 KiB     the MSI-X table (04-devices/msix.h)
 *     BAR 2  ports, 256        notifications again
 *
 * Capabilities in configuration space say so, and a driver takes the first of each kind
 * that it can use. The ports come first: on AMD a write to memory that is a device costs
 * a guest nearly three times what a write to a port does, because KVM must look up the
 * address and decode the instruction. [VIRTIO, 4.1 "Virtio Over PCI Bus"]
 *
 *     virtio_pci_init(&transport, &blk.device, 0x010000, irqchip_msi(&vm));
 *     pci_host_plug(&pci, 3, &transport.pci);
 *
 * Without MSI-X all interrupts share the pin INTA#, and reading ISR status tells a driver
 * which kind it was.
 *
 * Everything here runs under the lock of the buses (bus.h).
 */
#ifndef CHAPTER_05_VIRTIO_PCI_H
#define CHAPTER_05_VIRTIO_PCI_H

#include <linux/virtio_pci.h>

#include "04-devices/msix.h"
#include "04-devices/pci_function.h"
#include "05-virtio/virtio_device.h"

#define VIRTIO_PCI_VENDOR      0x1af4u
#define VIRTIO_PCI_DEVICE      0x1040u /* plus the device's id */
#define VIRTIO_PCI_SUBSYSTEM   0x1100u /* any from 0x40 up: "not transitional" */

#define VIRTIO_PCI_BAR         0u
#define VIRTIO_PCI_BAR_MSIX    1u
#define VIRTIO_PCI_BAR_PORTS   2u

#define VIRTIO_PCI_COMMON_AT   0x0000u
#define VIRTIO_PCI_ISR_AT      0x1000u
#define VIRTIO_PCI_CONFIG_AT   0x2000u
#define VIRTIO_PCI_NOTIFY_AT   0x3000u
#define VIRTIO_PCI_PART        0x1000u /* size of each part */
#define VIRTIO_PCI_NOTIFY_STEP 4u      /* bytes from one queue's to the next */
#define VIRTIO_PCI_NOTIFY_SIZE (VIRTIO_QUEUES_MAX * VIRTIO_PCI_NOTIFY_STEP)

/* In the ISR status; Linux names only the second. [VIRTIO, 4.1.4.5] */
#define VIRTIO_PCI_ISR_QUEUE 0x1u

struct virtio_pci {
    struct pci_function pci;
    struct msix msix;
    struct virtio_device *device; /* not owned */
    uint32_t feature_word, accepted_word;
    uint16_t queue;         /* selected */
    uint16_t config_vector; /* or VIRTIO_MSI_NO_VECTOR */
    uint16_t queue_vectors[VIRTIO_QUEUES_MAX];
    uint8_t isr;
    unsigned access; /* offset of the PCI configuration access capability */

    /* What interrupts a queue's driver may have changed: look anew. May be NULL. */
    void (*vectors_changed)(void *self);
    void *vectors_changed_self;
};

/*
 * Attaches the device, whose wire it becomes. class_code as in struct pci_identity. It
 * must not move.
 */
void virtio_pci_init(struct virtio_pci *t, struct virtio_device *device, uint32_t class_code,
                     struct msi_sender sender);

/*
 * The message that tells the driver of queue, if it can be sent just now. False: MSI-X is
 * off, or it is masked, or the function may not send any.
 */
bool virtio_pci_message(const struct virtio_pci *t, unsigned queue, struct msix_entry *message);

/* Bus callbacks of BAR 0 and BAR 2; virtio_pci_init() attaches them. */
uint64_t virtio_pci_read(void *self, uint64_t reg, unsigned size);
void virtio_pci_write(void *self, uint64_t reg, unsigned size, uint64_t value);
uint64_t virtio_pci_port_read(void *self, uint64_t reg, unsigned size);
void virtio_pci_port_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
