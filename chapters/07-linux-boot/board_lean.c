/*
 * board_lean.c: the machine without a past.
 *
 *     port   size   device                 interrupt
 *     0x3f8  8      serial port            4
 *     0x600  8      ACPI: power            9
 *     0xcf8  4      reset control (0xcf9)
 *
 *     address     device
 *     0xd0000000  virtio, a page for each  10 to 23
 *     0xfec00000  I/O APIC                 (in KVM)
 *
 * A PC's kernel spends its first second looking for what PCs have had since 1981. This
 * board says in ACPI's words that there is none of it (HW_REDUCED_ACPI: no PIC, no 8254,
 * no fixed registers; no keyboard controller, no CMOS clock, no PCI), and a kernel that
 * believes it saves thousands of exits. Its clock and its timer are the processor's own:
 * the TSC with the frequency KVM tells, and the local APIC's deadline.
 * [ACPI, 4.1 "Hardware-Reduced ACPI"]
 *
 * KVM makes PICs together with its APICs; here they stay masked. The 8254 is not made
 * at all.
 *
 * Left out on purpose: PCI, for cards that are no virtio devices.
 */
#include "07-linux-boot/board.h"

#include "04-devices/irqchip.h"

static void add_reset(struct machine *machine, struct reset_ports *reset)
{
    reset_init(reset, machine_reset_line(machine));
    machine_claim_ports(machine, "reset control", RESET_CONTROL, 4, 4, reset_control_read,
                        reset_control_write, reset);
}

static void add_power(struct machine *machine, struct acpi_pm *power)
{
    acpi_pm_init(power, machine_irq(machine, ACPI_SCI), machine_off_line(machine), true);
    machine_claim_ports(machine, "ACPI power", ACPI_PM_PORTS, ACPI_PM_PORT_COUNT, 2, acpi_pm_read,
                        acpi_pm_write, power);
}

void board_lean(struct board *board, const struct inventory *inventory)
{
    struct machine *machine = &board->machine;

    irqchip_create_apics(&machine->vm);
    serial_ports_plug(&board->serial, inventory, machine);
    add_reset(machine, &board->reset);
    add_power(machine, &board->power);
    board->bus = (struct virtio_bus){.machine = machine};

    board->tables = (struct acpi_board){.lean = true, .serial = inventory->serial[0] != NULL};
}
