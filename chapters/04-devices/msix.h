/*
 * msix.h: message-signalled interrupts with a table: each vector its own address.
 *
 * MSI has room for one address in configuration space. MSI-X keeps a table in a BAR,
 * where every vector has an address, a number and a mask of its own, so that each
 * queue of a device can interrupt the processor that waits for it.
 *
 *     configuration space             BAR (ours: one page, table and PBA alone in it)
 *     id 0x11, next, control          0x000  vector 0: address low, high, data, control
 *     table: offset | BAR             0x010  vector 1: ...
 *     PBA:   offset | BAR             0x800  pending bit array: one bit a vector
 *
 *     vector raised --> enabled? --> masked? --no--> sent
 *                       no: lost     yes: its pending bit is set; sent, once, when
 *                                    neither its own mask nor the function's holds it
 *
 * Software must access the table by aligned 4 or 8 bytes. Narrower reads work here;
 * narrower writes are ignored, and an 8-byte write counts as two of 4 bytes. Beyond
 * the last vector, between table and PBA, and beyond the PBA all reads as ones, and
 * writes are ignored, as they are in the PBA.
 *
 *     msix_init(&device->msix, &device->pci, 1, 4, sender);
 *     ...
 *     msix_raise(&device->msix, 2);
 *
 * [PCI3, 6.8.2 "MSI-X Capability and Table Structures"]
 */
#ifndef CHAPTER_04_MSIX_H
#define CHAPTER_04_MSIX_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/irq.h"
#include "04-devices/pci_function.h"

#define MSIX_VECTORS_MAX 128u
#define MSIX_BAR_SIZE    0x1000u
#define MSIX_PBA         0x800u /* where the pending bits start in the BAR */

/* [PCI3, 6.8.2.6 "Message Address for MSI-X Table Entries"] and the three behind it */
struct msix_entry {
    uint32_t address_low;
    uint32_t address_high;
    uint32_t data;
    uint32_t control; /* bit 0: masked */
};
_Static_assert(sizeof(struct msix_entry) == PCI_MSIX_ENTRY_SIZE, "the guest sees the table");

struct msix {
    struct pci_function *function;
    struct msi_sender sender;
    unsigned capability; /* its offset in configuration space */
    unsigned count;
    struct msix_entry table[MSIX_VECTORS_MAX];
    uint64_t pending[MSIX_VECTORS_MAX / 64];

    /* Vector's message, or whether it may be sent, may have changed. May be NULL. */
    void (*changed)(void *self, unsigned vector);
    void *changed_self;
};

/*
 * Adds the capability, and BAR bar for table and pending bits. count is 1 to
 * MSIX_VECTORS_MAX: asserted.
 */
void msix_init(struct msix *msix, struct pci_function *f, unsigned bar, unsigned count,
               struct msi_sender sender);

bool msix_enabled(const struct msix *msix);

/* May vector be sent at once? If so, msix->table[vector] is the message. */
bool msix_open(const struct msix *msix, unsigned vector);

/* Something has happened. No such vector (0xffff, say): nothing. */
void msix_raise(struct msix *msix, unsigned vector);

/* Bus callbacks of the BAR; msix_init() attaches them. */
uint64_t msix_read(void *self, uint64_t reg, unsigned size);
void msix_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
