/*
 * board.h: the two boards a guest can be built on.
 *
 *                        board_pc()                      board_lean()
 *     found by           ports that every PC has, PCI    ACPI's tables alone
 *     virtio devices     on PCI                          pages of registers
 *     interrupts         PICs, I/O APIC, MSI             I/O APIC
 *     timer              8254 and what follows           the processor's own
 *     keyboard, clock    i8042, MC146818                 none
 *     power button       ACPI's fixed registers          an interrupt and a method
 *
 * The PC is what any operating system for PCs knows. The lean one, -M microvm, is what
 * is left when everything goes that a kernel would only look at, find old, and leave: it
 * has fewer devices to start and fewer to stop for, and needs a kernel that believes ACPI.
 *
 *     machine_init(&board.machine, wake);
 *     ... RAM ...
 *     board_pc(&board, &inventory);             or board_lean()
 *     virtio_slot_plug(..., &board.bus, ...);   and so on
 *     board_finish(&board, &topology);
 *
 * A board must not move, and needs no release of its own beyond machine_free().
 */
#ifndef CHAPTER_07_BOARD_H
#define CHAPTER_07_BOARD_H

#include "04-devices/i8042.h"
#include "04-devices/machine.h"
#include "04-devices/pci.h"
#include "04-devices/ps2_keyboard.h"
#include "04-devices/ps2_mouse.h"
#include "04-devices/reset.h"
#include "04-devices/rtc.h"
#include "04-devices/text_screen.h"
#include "07-linux-boot/acpi/pm.h"
#include "07-linux-boot/acpi/tables.h"
#include "07-linux-boot/inventory.h"
#include "07-linux-boot/serial_ports.h"
#include "07-linux-boot/topology.h"
#include "07-linux-boot/virtio_bus.h"

/* Where PCI's ports go, on a board that has PCI. */
#define BOARD_PCI_PORTS     UINT64_C(0xc000)
#define BOARD_PCI_PORTS_END UINT64_C(0x10000)

struct board {
    struct machine machine;
    struct serial_ports serial;
    struct reset_ports reset;
    struct acpi_pm power;
    struct virtio_bus bus;    /* where cards are plugged in */
    struct acpi_board tables; /* the board once more, as the guest is told of it */

    /* The PC's alone: */
    struct i8042 keyboard;
    struct rtc rtc;
    struct text_screen screen; /* with -vnc, as are the next two */
    struct ps2_keyboard keys;
    struct ps2_mouse mouse;
    struct pci_host pci;
    struct irq_pin pci_pins[PCI_WIRES];
};

/*
 * Interrupt chips and devices, for a machine that has RAM and no processor yet. The
 * inventory, whose back ends are open, has the serial ports.
 */
void board_pc(struct board *board, const struct inventory *inventory);
void board_lean(struct board *board, const struct inventory *inventory);

/* With every card in it: gives PCI cards their addresses, and writes ACPI's tables. */
void board_finish(struct board *board, const struct topology *topology);

#endif
