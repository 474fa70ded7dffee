/*
 * pci_function.h: one function on a PCI bus: its 256 bytes of configuration space.
 *
 * A PCI device is found, placed and wired by software, through registers that look
 * alike in every device: who are you, how much address space do you want, what can
 * you do. This module keeps those registers; what the device does is behind its base
 * address registers (BARs), which are ordinary ranges of bus.h.
 *
 *     0x00  vendor, device        0x10..0x27  BAR 0 to BAR 5
 *     0x04  command, status       0x2c        subsystem vendor, subsystem
 *     0x08  revision, class       0x34        where the list of capabilities starts
 *     0x0e  header type 0         0x3c        interrupt line, interrupt pin
 *     0x40..0xff  capabilities, each with the offset of the next
 *
 * Three bytes stand behind each byte of the space: its value, the bits a write
 * changes, and the bits a written one clears. So writing needs no code for each
 * register, and sizing a BAR (write ones, read back what stuck) needs none at all.
 *
 *     struct pci_function *f = &device->pci;
 *     pci_function_init(f, &(struct pci_identity){.vendor = 0x1af4, ...});
 *     pci_function_add_bar(f, 0, PCI_BAR_MEMORY, &(struct bus_range){.size = 0x1000, ...});
 *     msix_init(&device->msix, f, 1, 4, sender);         (BAR 1, four vectors)
 *     pci_host_plug(&host, 3, f);                         (slot 3: pci.h)
 *
 * Everything here runs under the lock of the buses (bus.h). The struct must not move
 * once it is plugged in. Names of registers are those of <linux/pci_regs.h>.
 * [PCI3, 6.1 "Configuration Space Organization"]
 */
#ifndef CHAPTER_04_PCI_FUNCTION_H
#define CHAPTER_04_PCI_FUNCTION_H

#include <linux/pci_regs.h>
#include <stdbool.h>
#include <stdint.h>

#include "04-devices/bus.h"
#include "04-devices/irq.h"

#define PCI_CONFIG_SIZE      256u
#define PCI_BARS             6u
#define PCI_CAPABILITIES_MAX 16u

/* The low bits of a BAR say what it is. [PCI3, 6.2.5.1 "Address Maps"] */
enum pci_bar_kind {
    PCI_BAR_IO = PCI_BASE_ADDRESS_SPACE_IO,
    PCI_BAR_MEMORY = PCI_BASE_ADDRESS_MEM_TYPE_32,
    PCI_BAR_MEMORY_64 = PCI_BASE_ADDRESS_MEM_TYPE_64, /* takes the next BAR, too */
    PCI_BAR_PREFETCH = PCI_BASE_ADDRESS_MEM_PREFETCH, /* reads have no effect */
    PCI_BAR_PREFETCH_64 = PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH,
};

struct pci_bar {
    struct bus_range range; /* size 0: there is no such BAR */
    enum pci_bar_kind kind;
    bool visible; /* it is on its bus, at range.start */
};

struct pci_identity {
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem;
    uint32_t class_code; /* 24 bits: base class, subclass, programming interface */
    uint8_t revision;
    uint8_t interrupt_pin; /* 0: none, 1: INTA# */
};

/*
 * A capability: length bytes of configuration space, and what to do when they are
 * used. reading() runs before bytes are read, written() after they have changed;
 * offset counts from the capability's start. Both may be NULL.
 */
struct pci_capability {
    uint8_t id;
    uint8_t length; /* at least 2: id and next are part of it */
    void (*reading)(void *self, unsigned offset, unsigned size);
    void (*written)(void *self, unsigned offset, unsigned size);
    void *self;
    uint8_t offset; /* filled in by pci_function_add_capability() */
};

struct pci_function {
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t writable[PCI_CONFIG_SIZE]; /* bits that take the value written */
    uint8_t clears[PCI_CONFIG_SIZE];   /* bits that a written 1 clears (RW1C) */
    struct pci_bar bars[PCI_BARS];

    struct pci_capability capabilities[PCI_CAPABILITIES_MAX];
    unsigned capability_count;
    uint8_t free; /* where the next capability goes */

    /* A BAR has appeared, moved or vanished: look at bars[bar]. May be NULL. */
    void (*bar_moved)(void *self, unsigned bar);
    void *bar_moved_self;

    struct irq_line intx; /* the wire of the slot's pin; set by pci_host_plug() */
    bool intx_wanted;     /* the device wants an interrupt ... */
    bool intx_level;      /* ... and this is what it may drive */
    unsigned messages_on; /* MSI or MSI-X is enabled (a bit each): the wire is not used */
};

void pci_function_init(struct pci_function *f, const struct pci_identity *identity);

/*
 * Gives the function a BAR. range has size (a power of two; at least 4 for ports, 16
 * for memory), width, read, write and self; the guest chooses start. What a device
 * asks for that no BAR can be is a mistake of its author: asserted.
 */
void pci_function_add_bar(struct pci_function *f, unsigned bar, enum pci_bar_kind kind,
                          const struct bus_range *range);

/*
 * Appends a capability to the list, zeroed and read-only, and returns its offset. The
 * caller fills pci_config_set() and pci_config_allow() in. Too many: asserted.
 */
unsigned pci_function_add_capability(struct pci_function *f,
                                     const struct pci_capability *capability);

/* The device's own view: little-endian values of 1, 2 or 4 bytes, no effect. */
uint32_t pci_config_get(const struct pci_function *f, unsigned offset, unsigned size);
void pci_config_set(struct pci_function *f, unsigned offset, unsigned size, uint32_t value);

/* From now on a guest may change these bits. */
void pci_config_allow(struct pci_function *f, unsigned offset, unsigned size, uint32_t bits);

/*
 * The guest's view: naturally aligned accesses of 1, 2 or 4 bytes below
 * PCI_CONFIG_SIZE. Called by the host bridge, which moves BARs afterwards.
 */
uint32_t pci_function_read(struct pci_function *f, unsigned offset, unsigned size);
void pci_function_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value);

/* Where BAR bar stands in its register, whether it is decoded or not. */
uint64_t pci_bar_address(const struct pci_function *f, unsigned bar);

/* Do the command register and the address let BAR bar answer? */
bool pci_bar_decodes(const struct pci_function *f, unsigned bar);

/* May the function use the bus by itself: DMA, and messages, which are writes? */
bool pci_function_is_master(const struct pci_function *f);

/* The pin: true while the device wants an interrupt. Silent while messages are on. */
void pci_function_set_intx(struct pci_function *f, bool wanted);

/* For msi.c and msix.c: capability number which has been switched on or off. */
void pci_function_use_messages(struct pci_function *f, unsigned which, bool on);

#endif
