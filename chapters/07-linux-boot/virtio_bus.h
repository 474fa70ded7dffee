/*
 * virtio_bus.h: what the virtio devices of the command line are plugged into.
 *
 *     the PC             PCI: a slot, BARs, a message for each queue's interrupt
 *     the lean machine   a page of registers at a fixed address and an interrupt line,
 *                        both told to the guest by ACPI (acpi/dsdt.c)
 *
 *     page   0xd0000000   0xd0001000   ...   0xd000d000
 *     line           10           11   ...           23
 *
 * A device, and whoever makes one, knows nothing of the difference: virtio_slot_plug()
 * takes a bus of either kind.
 */
#ifndef CHAPTER_07_VIRTIO_BUS_H
#define CHAPTER_07_VIRTIO_BUS_H

#include "04-devices/machine.h"
#include "04-devices/pci.h"

/* Pages of registers, one to a device, in the hole below 4 GiB. */
#define VIRTIO_PAGES     UINT64_C(0xd0000000)
#define VIRTIO_PAGE_STEP UINT64_C(0x1000)
#define VIRTIO_PAGE_LINE 10u /* of the first; the I/O APIC's last is 23 */
#define VIRTIO_PAGES_MAX 14u

struct virtio_bus {
    struct machine *machine; /* not owned */
    struct pci_host *pci;    /* not owned; NULL: the machine has pages of registers */
    struct irq_pin lines[VIRTIO_PAGES_MAX]; /* of the pages */
    unsigned pages;                         /* taken: the first ones */
};

#endif
