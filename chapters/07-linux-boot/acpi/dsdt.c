/*
 * dsdt.c: the board once more, in ACPI's words. Read it beside board_pc.c and board_lean.c:
 * what is attached there and cannot be found by asking is named here.
 *
 * Ids beginning with PNP are Microsoft's list of PC devices, ACPI's own are in
 * [ACPI, 5.6.7 "Device Class-Specific Objects"], and LNRO0005 is virtio over MMIO,
 * as Linux and QEMU name it.
 *
 * Left out on purpose: processor objects (the MADT lists them; these would add sleep
 * states and hot-plug), link devices that move interrupts (ours are soldered).
 */
#include "07-linux-boot/acpi/dsdt.h"

#include <stdio.h>

#include "07-linux-boot/acpi/pm.h"

#define COM1_PORT 0x3f8

/* [serial] */
static void serial(struct aml *a)
{
    size_t device = aml_device(a, "COM1"), crs;

    aml_name(a, "_HID");
    aml_eisa_id(a, "PNP0501"); /* 16550A-compatible COM port */
    aml_name(a, "_UID");
    aml_integer(a, 1);
    aml_name(a, "_CRS");
    crs = aml_resources(a);
    aml_io(a, COM1_PORT, 8);
    aml_irq(a, 4);
    aml_resources_end(a, crs);
    aml_end(a, device);
}
/* [/serial] */

static void keyboard(struct aml *a)
{
    size_t device = aml_device(a, "KBD_"), crs;

    aml_name(a, "_HID");
    aml_eisa_id(a, "PNP0303"); /* IBM enhanced keyboard */
    aml_name(a, "_CRS");
    crs = aml_resources(a);
    aml_io(a, 0x60, 1);
    aml_io(a, 0x64, 1);
    aml_irq(a, 1);
    aml_resources_end(a, crs);
    aml_end(a, device);

    device = aml_device(a, "MOU_");
    aml_name(a, "_HID");
    aml_eisa_id(a, "PNP0F13"); /* PS/2 mouse */
    aml_name(a, "_CRS");
    crs = aml_resources(a);
    aml_irq(a, 12);
    aml_resources_end(a, crs);
    aml_end(a, device);
}

static void clock_and_cmos(struct aml *a)
{
    size_t device = aml_device(a, "RTC_"), crs;

    aml_name(a, "_HID");
    aml_eisa_id(a, "PNP0B00");
    aml_name(a, "_CRS");
    crs = aml_resources(a);
    aml_io(a, 0x70, 2);
    aml_irq(a, 8);
    aml_resources_end(a, crs);
    aml_end(a, device);
}

/* [pci-routing] */
/*
 * Which wire is INTB of slot 3? A card's four pins go to four lines, one further on
 * with each slot, so that cards with one interrupt do not all share one line.
 * [ACPI, 6.2.13 "_PRT (PCI Routing Table)"]
 */
static void pci_routing(struct aml *a, uint32_t first_gsi)
{
    size_t table, row;

    aml_name(a, "_PRT");
    table = aml_package(a, 32 * 4);
    for (uint32_t slot = 0; slot < 32; slot++) {
        for (uint32_t pin = 0; pin < 4; pin++) {
            row = aml_package(a, 4);
            aml_integer(a, slot << 16 | 0xffff); /* every function of the slot */
            aml_integer(a, pin);
            aml_integer(a, 0); /* no link device: the next number is the line */
            aml_integer(a, first_gsi + (slot + pin) % 4);
            aml_end(a, row);
        }
    }
    aml_end(a, table);
}
/* [/pci-routing] */

static void pci(struct aml *a, const struct acpi_board *board)
{
    size_t device = aml_device(a, "PCI0"), crs;

    aml_name(a, "_HID");
    aml_eisa_id(a, "PNP0A03"); /* PCI host bridge */
    aml_name(a, "_UID");
    aml_integer(a, 0);
    aml_name(a, "_BBN");
    aml_integer(a, 0);
    aml_name(a, "_CRS");
    crs = aml_resources(a);
    aml_bus_window(a, 0, 0);
    aml_io(a, 0xcf8, 8);
    aml_io_window(a, 0x0000, 0x0cf7);
    aml_io_window(a, 0x0d00, 0xffff);
    aml_memory_window(a, board->pci_first, board->pci_last);
    if (board->pci64_last)
        aml_memory_window(a, board->pci64_first, board->pci64_last);
    aml_resources_end(a, crs);
    pci_routing(a, board->pci_gsi);
    aml_end(a, device);
}

static void virtio_mmio(struct aml *a, const struct acpi_virtio_mmio *virtio, unsigned number)
{
    char name[5];
    size_t device, crs;

    snprintf(name, sizeof name, "VR%02u", number % 100);
    device = aml_device(a, name);
    aml_name(a, "_HID");
    aml_string(a, "LNRO0005");
    aml_name(a, "_UID");
    aml_integer(a, number);
    aml_name(a, "_CCA"); /* its DMA sees the caches */
    aml_integer(a, 1);
    aml_name(a, "_CRS");
    crs = aml_resources(a);
    aml_memory(a, virtio->address, virtio->size);
    aml_interrupt(a, virtio->gsi, false);
    aml_resources_end(a, crs);
    aml_end(a, device);
}

/*
 * A hardware-reduced machine has no button register. Its button is an interrupt, and
 * a method says what it means. [ACPI, 5.6.9 "Interrupt-signaled ACPI events"]
 */
static void power_button(struct aml *a)
{
    size_t device = aml_device(a, "PWRB"), method, crs;

    aml_name(a, "_HID");
    aml_eisa_id(a, "PNP0C0C");
    aml_name(a, "_UID");
    aml_integer(a, 0);
    aml_end(a, device);

    device = aml_device(a, "GED_");
    aml_name(a, "_HID");
    aml_string(a, "ACPI0013"); /* generic event device */
    aml_name(a, "_UID");
    aml_integer(a, 0);
    aml_name(a, "_CRS");
    crs = aml_resources(a);
    aml_interrupt(a, ACPI_SCI, false);
    aml_resources_end(a, crs);
    method = aml_method(a, "_EVT", 1);
    aml_notify(a, "\\_SB_.PWRB", 0x80); /* "pressed" */
    aml_end(a, method);
    aml_end(a, device);
}

static void soft_off(struct aml *a)
{
    size_t package;

    aml_name(a, "\\_S5_");
    package = aml_package(a, 4);
    for (unsigned i = 0; i < 4; i++)
        aml_integer(a, i < 2 ? ACPI_SLP_TYP_S5 : 0);
    aml_end(a, package);
}

void dsdt_write(struct aml *a, const struct acpi_board *board)
{
    size_t scope;

    soft_off(a);
    scope = aml_scope(a, "\\_SB_");
    if (board->pci)
        pci(a, board);
    if (board->serial)
        serial(a);
    if (board->keyboard)
        keyboard(a);
    if (board->clock)
        clock_and_cmos(a);
    for (unsigned i = 0; i < board->virtio_count; i++)
        virtio_mmio(a, &board->virtio[i], i);
    if (board->lean)
        power_button(a);
    aml_end(a, scope);
}
