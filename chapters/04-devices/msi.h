/*
 * msi.h: an interrupt that is a memory write.
 *
 * A function with this capability needs no wire: software writes an address and a
 * number into its configuration space, and the function sends the number there. On a
 * PC the address belongs to a local APIC, and the number holds the vector.
 *
 *     0   id 0x05, next, message control
 *     4   message address, low and high
 *     12  message data                    with n messages the low bits are the message's
 *     16  mask bits                       1: hold this message back
 *     20  pending bits                    1: it is being held back
 *
 *     msi_init(&device->msi, &device->pci, 1, sender);
 *     ...
 *     msi_raise(&device->msi, 0);
 *
 * [PCI3, 6.8.1 "MSI Capability Structure"]. Always with 64-bit addresses and masks.
 */
#ifndef CHAPTER_04_MSI_H
#define CHAPTER_04_MSI_H

#include <stdbool.h>

#include "04-devices/irq.h"
#include "04-devices/pci_function.h"

struct msi {
    struct pci_function *function;
    struct msi_sender sender;
    unsigned capability; /* its offset in configuration space */
    unsigned count;
};

/* Adds the capability. count is a power of two from 1 to 32: asserted. */
void msi_init(struct msi *msi, struct pci_function *f, unsigned count, struct msi_sender sender);

bool msi_enabled(const struct msi *msi);

/*
 * Something has happened: sends message number, or remembers it while it is masked.
 * Nothing while MSI is off. A guest that has enabled fewer messages than number gets
 * the last one it has.
 */
void msi_raise(struct msi *msi, unsigned number);

#endif
