/*
 * pci.h: PCI bus 0 and the host bridge, the door to it.
 *
 * A guest reaches configuration space through two I/O ports of 4 bytes each. To the
 * first it writes what it means, through the second it reads or writes it:
 *
 *      31  30   24 23      16 15    11 10   8 7        2 1 0
 *     +---+-------+----------+--------+------+----------+---+
 *     | E |   0   |   bus    | device | func | register |0 0|   CONFIG_ADDRESS, 0xcf8
 *     +---+-------+----------+--------+------+----------+---+
 *                                                             CONFIG_DATA, 0xcfc
 *
 * [PCI3, 3.2.2.3.2 "Software Generation of Configuration Transactions"]
 *
 * There are 32 devices of one function each on bus 0; all else reads as all ones,
 * which is how software learns that nobody is there. Slot 0 is the bridge itself,
 * which says that it is the 82441FX of Intel's 440FX chip set, as QEMU's "pc" does.
 *
 *     pci_host_init(&pci, &ports, &memory, wires, &reset_ports);
 *     machine_claim_ports(machine, "PCI address", PCI_ADDRESS_PORT, 4, 4,
 *                         pci_address_read, pci_address_write, &pci);
 *     machine_claim_ports(machine, "PCI data", PCI_DATA_PORT, 4, 4, pci_data_read,
 *                         pci_data_write, &pci);
 *     pci_host_plug(&pci, 3, &dma_timer.pci);
 *
 * Who answers where a BAR lies on top of something?
 *
 * - RAM, and what KVM emulates itself (local APIC, I/O APIC): KVM looks there first,
 *   and no access to them reaches us.
 * - A range that is on the bus already, be it fixed or another BAR: it stays. A BAR that
 *   touches one, by a single byte, is hidden as a whole. It appears as soon as
 *   it, or what was in its way, has moved; if several wait, the lowest slot and BAR.
 * - A BAR of 0 is not placed yet and answers nowhere, nor does one past the end of its
 *   address space (64 KiB of ports).
 *
 * Everything here runs under the lock of the buses (bus.h).
 */
#ifndef CHAPTER_04_PCI_H
#define CHAPTER_04_PCI_H

#include <stdint.h>

#include "04-devices/bus.h"
#include "04-devices/irq.h"
#include "04-devices/pci_function.h"
#include "04-devices/reset.h"

#define PCI_ADDRESS_PORT 0xcf8u /* four ports, width 4 */
#define PCI_DATA_PORT    0xcfcu /* four ports, width 4 */

#define PCI_SLOTS        32u
#define PCI_WIRES        4u

/* One of the four interrupt wires that all slots share, PIRQA to PIRQD. */
struct pci_wire {
    struct irq_line line; /* level triggered, to an interrupt controller */
    uint8_t number;       /* its number there, for the "interrupt line" registers */
    uint32_t slots;       /* who pulls it: a bit for each slot */
};

struct pci_host {
    struct bus *ports, *memory;
    struct reset_ports *reset;
    struct pci_wire wires[PCI_WIRES];
    struct pci_slot {
        struct pci_host *host;
        struct pci_function *function; /* not owned; NULL: empty */
    } slots[PCI_SLOTS];
    struct pci_function bridge; /* slot 0 */
    uint32_t address;           /* CONFIG_ADDRESS */
};

/*
 * A bridge with nothing behind it. wires has PCI_WIRES elements, of which line and
 * number are copied. The function in slot s pulls wire (s + pin - 1) % 4, as QEMU's
 * "pc" wires it. Accesses to ports 0xcf8 to 0xcfb that are not 4 bytes wide are passed
 * on to reset (port 0xcf9 is its); NULL if the board has none.
 */
void pci_host_init(struct pci_host *host, struct bus *ports, struct bus *memory,
                   const struct pci_wire *wires, struct reset_ports *reset);

/*
 * Puts a function into a slot, before or while the guest runs. 0, or -EINVAL (no such
 * slot), -EEXIST (occupied). pci_host_free_slot(): the lowest empty one, or -ENOSPC.
 */
int pci_host_plug(struct pci_host *host, unsigned slot, struct pci_function *function);
int pci_host_free_slot(const struct pci_host *host);

/*
 * What firmware does before an operating system starts: gives every BAR an address,
 * ports from io upwards, memory from memory upwards, and switches decoding on. BARs
 * that do not fit below the limits stay at 0. -ENOSPC if there was one, else 0.
 */
int pci_host_place(struct pci_host *host, uint64_t io, uint64_t io_limit, uint64_t memory,
                   uint64_t memory_limit);

/*
 * One access to configuration space, naturally aligned, of 1, 2 or 4 bytes. bdf is
 * bus << 8 | device << 3 | function. Every way into the space ends here.
 */
uint32_t pci_config_read(struct pci_host *host, uint16_t bdf, unsigned offset, unsigned size);
void pci_config_write(struct pci_host *host, uint16_t bdf, unsigned offset, unsigned size,
                      uint32_t value);

/* Bus callbacks for PCI_ADDRESS_PORT and PCI_DATA_PORT. */
uint64_t pci_address_read(void *self, uint64_t reg, unsigned size);
void pci_address_write(void *self, uint64_t reg, unsigned size, uint64_t value);
uint64_t pci_data_read(void *self, uint64_t reg, unsigned size);
void pci_data_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
