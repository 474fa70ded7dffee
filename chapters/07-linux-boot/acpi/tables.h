/*
 * tables.h: what firmware tells an operating system about its machine: ACPI.
 *
 *     RSDP --> XSDT --+--> FADT --+--> DSDT   the tree of devices, in AML
 *     0xe0000         |           +--> FACS   (only where there is sleep)
 *                     +--> MADT               processors and interrupt controllers
 *
 * The tables lie in the BIOS area that the memory map reserves, where a kernel
 * searches if no loader gave it the address. [ACPI, 5.2 "ACPI System Description
 * Tables"]
 *
 * Two machines. The PC has ACPI's fixed registers (pm.h), the old interrupt wires
 * and perhaps PCI. The lean one says HW_REDUCED_ACPI: there is no PIC, no PIT and no
 * fixed hardware to look for, and a kernel that believes it saves thousands of exits.
 */
#ifndef CHAPTER_07_ACPI_TABLES_H
#define CHAPTER_07_ACPI_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/memory.h"

#define ACPI_PROCESSORS_MAX  255u /* 8-bit APIC ids; 255 is "all of them" */
#define ACPI_VIRTIO_MMIO_MAX 16u

/* The global interrupt that is ACPI's own; ISA line 9 by custom. */
#define ACPI_SCI 9u

struct acpi_virtio_mmio {
    uint32_t address; /* of its register page */
    uint32_t size;
    uint32_t gsi; /* edge */
};

struct acpi_board {
    unsigned processors;
    const uint8_t *apic_ids;      /* of each; NULL: 0 to processors - 1. Not owned */
    bool lean;                    /* hardware-reduced */
    bool serial, keyboard, clock; /* COM1, the i8042, the CMOS clock */
    bool screen;                  /* VGA */

    bool pci;           /* bus 0, by configuration mechanism #1 */
    uint32_t pci_first; /* the window below 4 GiB that BARs may use */
    uint32_t pci_last;
    uint64_t pci64_first; /* and one above, or both 0 */
    uint64_t pci64_last;
    uint32_t pci_gsi; /* INTA of slot 0; four lines, slot and pin add up mod 4 */

    struct acpi_virtio_mmio virtio[ACPI_VIRTIO_MMIO_MAX];
    unsigned virtio_count;
};

/*
 * Writes all tables into the guest's BIOS area and returns where the RSDP is. The
 * guest has RAM there. The board is ours, not the guest's: its limits are asserted.
 */
gpa_t acpi_write(const struct guest_memory *memory, const struct acpi_board *board);

#endif
