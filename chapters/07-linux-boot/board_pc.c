/*
 * board_pc.c: the PC. Each device is attached by one visible line; its chapter is in the
 * name of its header.
 *
 *     port   size   device                     interrupt
 *     0x020         PICs, timer, speaker       (in KVM)
 *     0x060  1      keyboard controller, data  1, 12
 *     0x064  1      keyboard controller, command
 *     0x070  2      clock and CMOS memory
 *     0x092  1      fast reset
 *     0x3c0  16     text screen, with -vnc; also 0x3d4 and 0x3da; RAM at 0xb8000
 *     0x3f8  8      first serial port          4
 *     0x2f8  8      ... and as many as there are -serial: 0x3e8, 0x2e8
 *     0x600  8      ACPI: power                9
 *     0xcf8  8      PCI (0xcf9: reset control)  16 to 19
 *
 * On PCI: the devices of the command line.
 *
 * Left out on purpose: pictures (a screen has text), a floppy drive, a parallel port, DMA
 * controllers.
 */
#include "07-linux-boot/board.h"

#include "04-devices/irqchip.h"
#include "07-linux-boot/layout.h"

/* Where BARs go: between RAM and the I/O APIC. */
#define PCI_MEMORY LAYOUT_HOLE
#define PCI_END    LAYOUT_IOAPIC
#define PCI_GSI    16u

#define TEXT_BLANK 0x0720u /* a space, grey on black */

static void add_keyboard(struct machine *machine, struct i8042 *keyboard)
{
    i8042_init(keyboard, machine_irq(machine, IRQ_KEYBOARD), machine_irq(machine, IRQ_MOUSE),
               machine_reset_line(machine));
    machine_claim_ports(machine, "keyboard controller", I8042_DATA, 1, 1, i8042_data_read,
                        i8042_data_write, keyboard);
    machine_claim_ports(machine, "keyboard controller", I8042_STATUS, 1, 1, i8042_status_read,
                        i8042_command_write, keyboard);
}

static void keyboard_due(void *self)
{
    ps2_keyboard_alarm(self);
}

/* A person's end: without one the controller's sockets are empty. */
static void add_screen(struct board *board)
{
    struct machine *machine = &board->machine;
    struct ps2_socket socket = i8042_socket(&board->keyboard);
    uint16_t *cells = guest_ptr(&machine->vm.memory, TEXT_MEMORY, TEXT_MEMORY_SIZE);

    for (unsigned i = 0; i < TEXT_MEMORY_SIZE / sizeof *cells; i++)
        cells[i] = TEXT_BLANK; /* as firmware leaves it */
    text_screen_init(&board->screen, cells);
    machine_claim_ports(machine, "text screen", VGA_PORTS, VGA_PORT_COUNT, 1, vga_read, vga_write,
                        &board->screen);
    machine_claim_ports(machine, "text screen", CRTC_PORTS, CRTC_PORT_COUNT, 1, crtc_read,
                        crtc_write, &board->screen);
    machine_claim_ports(machine, "text screen", VGA_STATUS_PORT, 1, 1, vga_status_read,
                        vga_status_write, &board->screen);
    ps2_keyboard_init(&board->keys, socket, machine_clock(machine),
                      machine_alarm(machine, keyboard_due, &board->keys));
    i8042_plug_keyboard(&board->keyboard, ps2_keyboard_device(&board->keys));
    ps2_mouse_init(&board->mouse, socket);
    i8042_plug_mouse(&board->keyboard, ps2_mouse_device(&board->mouse));
}

static void rtc_due(void *self)
{
    rtc_alarm(self);
}

static void add_clock(struct machine *machine, struct rtc *rtc)
{
    rtc_init(rtc, machine_wall_clock(machine), machine_wall_alarm(machine, rtc_due, rtc),
             machine_irq(machine, IRQ_RTC));
    machine_claim_ports(machine, "clock", RTC_PORTS, RTC_PORT_COUNT, 1, rtc_read, rtc_write, rtc);
}

static void add_reset(struct machine *machine, struct reset_ports *reset)
{
    reset_init(reset, machine_reset_line(machine));
    machine_claim_ports(machine, "fast reset", RESET_PORT_A, 1, 1, reset_port_a_read,
                        reset_port_a_write, reset);
}

/* The bridge, whose four interrupt wires are the I/O APIC's inputs from 16 on. */
static void add_pci(struct board *board)
{
    struct machine *machine = &board->machine;
    struct pci_host *pci = &board->pci;
    struct pci_wire wires[PCI_WIRES];

    for (unsigned i = 0; i < PCI_WIRES; i++) {
        board->pci_pins[i] = (struct irq_pin){.vm = &machine->vm, .number = PCI_GSI + i};
        wires[i] = (struct pci_wire){.line = irq_pin_line(&board->pci_pins[i]),
                                     .number = (uint8_t)(PCI_GSI + i)};
    }
    pci_host_init(pci, &machine->devices.ports, &machine->devices.memory, wires, &board->reset);
    machine_claim_ports(machine, "PCI address", PCI_ADDRESS_PORT, 4, 4, pci_address_read,
                        pci_address_write, pci);
    machine_claim_ports(machine, "PCI data", PCI_DATA_PORT, 4, 4, pci_data_read, pci_data_write,
                        pci);
    board->bus = (struct virtio_bus){.machine = machine, .pci = pci};
}

static void add_power(struct machine *machine, struct acpi_pm *power)
{
    acpi_pm_init(power, machine_irq(machine, ACPI_SCI), machine_off_line(machine), false);
    machine_claim_ports(machine, "ACPI power", ACPI_PM_PORTS, ACPI_PM_PORT_COUNT, 2, acpi_pm_read,
                        acpi_pm_write, power);
}

/* [board-pc] */
void board_pc(struct board *board, const struct inventory *inventory)
{
    struct machine *machine = &board->machine;

    irqchip_create(&machine->vm);
    serial_ports_plug(&board->serial, inventory, machine);
    add_keyboard(machine, &board->keyboard);
    if (inventory->screen)
        add_screen(board);
    add_clock(machine, &board->rtc);
    add_reset(machine, &board->reset);
    add_pci(board);
    add_power(machine, &board->power);

    board->tables = (struct acpi_board){.serial = inventory->serial[0] != NULL,
                                        .keyboard = true,
                                        .screen = inventory->screen,
                                        .clock = true,
                                        .pci = true,
                                        .pci_first = PCI_MEMORY,
                                        .pci_last = PCI_END - 1,
                                        .pci_gsi = PCI_GSI};
}
/* [/board-pc] */
