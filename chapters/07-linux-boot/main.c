/*
 * main.c: the virtual machine monitor. This is its board: read it as a table of
 * contents. Each device is attached by one visible line; its chapter is in the name
 * of its header.
 *
 *     port   size   device                     interrupt
 *     0x020         PICs, timer, speaker       (in KVM)
 *     0x060  1      keyboard controller, data  1, 12
 *     0x064  1      keyboard controller, command
 *     0x070  2      clock and CMOS memory
 *     0x092  1      fast reset
 *     0x3f8  8      serial port                4
 *     0x600  8      ACPI: power                9
 *     0xcf8  8      PCI (0xcf9: reset control)  16 to 19
 *
 * On PCI: the devices of the command line, in the order of inventory.c.
 *
 * Left out on purpose: a screen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "04-devices/console.h"
#include "04-devices/event_loop.h"
#include "04-devices/i8042.h"
#include "04-devices/irqchip.h"
#include "04-devices/machine.h"
#include "04-devices/pci.h"
#include "04-devices/reset.h"
#include "04-devices/rtc.h"
#include "04-devices/signals.h"
#include "04-devices/uart.h"
#include "07-linux-boot/acpi/pm.h"
#include "07-linux-boot/acpi/tables.h"
#include "07-linux-boot/boot.h"
#include "07-linux-boot/cpuid.h"
#include "07-linux-boot/inventory.h"
#include "07-linux-boot/layout.h"
#include "07-linux-boot/options.h"
#include "common/die.h"
#include "common/term.h"

#define COM1 0x3f8

/* Where BARs go: ports, and addresses between RAM and the I/O APIC. */
#define PCI_IO     UINT64_C(0xc000)
#define PCI_IO_END UINT64_C(0x10000)
#define PCI_GSI    16u
#define PCI_MEMORY LAYOUT_HOLE
#define PCI_END    LAYOUT_IOAPIC

static void rtc_due(void *self)
{
    rtc_alarm(self);
}

static void add_ram(struct machine *machine, uint64_t size)
{
    struct ram_range ranges[2];
    unsigned count = ram_layout(size, ranges);

    for (unsigned i = 0; i < count; i++)
        vm_add_ram(&machine->vm, ranges[i].start, ranges[i].size);
}

/* The bridge, whose four interrupt wires are the I/O APIC's inputs from 16 on. */
static void add_pci(struct machine *machine, struct pci_host *pci, struct irq_pin pins[PCI_WIRES],
                    struct reset_ports *reset)
{
    struct pci_wire wires[PCI_WIRES];

    for (unsigned i = 0; i < PCI_WIRES; i++) {
        pins[i] = (struct irq_pin){.vm = &machine->vm, .number = PCI_GSI + i};
        wires[i] = (struct pci_wire){.line = irq_pin_line(&pins[i]),
                                     .number = (uint8_t)(PCI_GSI + i)};
    }
    pci_host_init(pci, &machine->devices.ports, &machine->devices.memory, wires, reset);
    machine_claim_ports(machine, "PCI address", PCI_ADDRESS_PORT, 4, 4, pci_address_read,
                        pci_address_write, pci);
    machine_claim_ports(machine, "PCI data", PCI_DATA_PORT, 4, 4, pci_data_read, pci_data_write,
                        pci);
}

static void press_power(void *power)
{
    acpi_pm_press(power);
}

/*
 * The first processor stands where boot_load() wants it to start. The others wait in KVM
 * for the kernel to wake them.
 */
static void add_processors(struct machine *machine, const struct topology *topology,
                           const struct boot_entry *entry)
{
    const struct vcpu *first = &machine->processors[0].vcpu;
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    for (unsigned i = 0; i < topology_count(topology); i++) {
        struct processor *processor = machine_add_processor(machine, topology_apic_id(topology, i));

        cpuid_apply(&machine->vm, &processor->vcpu, topology);
    }
    vcpu_get_sregs(first, &sregs);
    entry_registers(entry, &sregs, &regs);
    vcpu_set_sregs(first, &sregs);
    vcpu_set_regs(first, &regs);
}

/* Builds the machine, boots the kernel, and takes everything apart again. */
static enum ending boot_once(const struct options *options, struct inventory *inventory,
                             struct console *console, int signals)
{
    struct machine machine;
    struct uart serial;
    struct i8042 keyboard;
    struct rtc rtc;
    struct reset_ports reset;
    struct acpi_pm power;
    struct pci_host pci;
    struct irq_pin pci_pins[PCI_WIRES];
    struct virtio_bus bus;
    uint8_t apic_ids[PROCESSORS_MAX];
    struct acpi_board board = {.processors = topology_count(&options->topology),
                               .apic_ids = apic_ids,
                               .serial = true,
                               .keyboard = true,
                               .clock = true,
                               .pci = true,
                               .pci_first = PCI_MEMORY,
                               .pci_last = PCI_END - 1,
                               .pci_gsi = PCI_GSI};
    struct boot_request request = {.memory = &machine.vm.memory,
                                   .kernel = options->kernel,
                                   .initrd = options->initrd,
                                   .cmdline = options->cmdline};
    struct boot_entry entry;
    struct refusal why;
    struct observer observer;
    enum ending ending;

    machine_init(&machine, console->wake);
    irqchip_create(&machine.vm);
    add_ram(&machine, options->ram);

    uart_init(&serial, machine_irq(&machine, IRQ_SERIAL_1), console_sink(console));
    machine_claim_ports(&machine, "serial port", COM1, UART_REGISTERS, 1, uart_read, uart_write,
                        &serial);

    i8042_init(&keyboard, machine_irq(&machine, IRQ_KEYBOARD), machine_irq(&machine, IRQ_MOUSE),
               machine_reset_line(&machine));
    machine_claim_ports(&machine, "keyboard controller", I8042_DATA, 1, 1, i8042_data_read,
                        i8042_data_write, &keyboard);
    machine_claim_ports(&machine, "keyboard controller", I8042_STATUS, 1, 1, i8042_status_read,
                        i8042_command_write, &keyboard);

    rtc_init(&rtc, machine_wall_clock(&machine), machine_wall_alarm(&machine, rtc_due, &rtc),
             machine_irq(&machine, IRQ_RTC));
    machine_claim_ports(&machine, "clock", RTC_PORTS, RTC_PORT_COUNT, 1, rtc_read, rtc_write, &rtc);

    reset_init(&reset, machine_reset_line(&machine));
    machine_claim_ports(&machine, "fast reset", RESET_PORT_A, 1, 1, reset_port_a_read,
                        reset_port_a_write, &reset);

    add_pci(&machine, &pci, pci_pins, &reset);
    bus = (struct virtio_bus){.machine = &machine, .pci = &pci};
    if (devices_plug(&inventory->devices, &bus, &why) < 0)
        die("%s", why.text);
    pci_host_place(&pci, PCI_IO, PCI_IO_END, PCI_MEMORY, PCI_END);

    acpi_pm_init(&power, machine_irq(&machine, ACPI_SCI), machine_off_line(&machine), false);
    machine_claim_ports(&machine, "ACPI power", ACPI_PM_PORTS, ACPI_PM_PORT_COUNT, 2, acpi_pm_read,
                        acpi_pm_write, &power);
    for (unsigned i = 0; i < board.processors; i++)
        apic_ids[i] = (uint8_t)topology_apic_id(&options->topology, i);
    acpi_write(&machine.vm.memory, &board);

    if (boot_load(&request, &entry, &why) < 0)
        die("%s", why.text);
    add_processors(&machine, &options->topology, &entry);

    if (observer_open(&observer, &machine, options->trace, options->stats, &why) < 0)
        die("-trace %s", why.text);

    term_raw(STDIN_FILENO);
    console_attach(console, &serial, &machine.devices.lock);
    console_on_power(console, press_power, &power);
    ending = event_loop_run(&machine, console, signals);
    console_detach(console);

    if (ending == ENDING_CRASH || ending == ENDING_STUCK ||
        (ending == ENDING_SIGNAL && signals_asked_where())) {
        term_restore();
        machine_report(stderr, &machine);
    }
    observer_close(&observer);
    devices_unplug(&inventory->devices);
    machine_free(&machine);
    return ending;
}

int main(int argc, char **argv)
{
    struct options options;
    struct inventory inventory;
    struct console console;
    struct refusal why;
    enum ending ending;
    int signals, wake;

    if (options_parse(&options, argc, argv, &why) < 0)
        die("%s", why.text);
    if (options.help) {
        options_print_help(stdout);
        return STATUS_OFF;
    }
    if (inventory_read(&inventory, &options, &why) < 0 || inventory_open(&inventory, &why) < 0)
        die("%s", why.text);
    signals = signals_take();
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0)
        die("eventfd failed: %s", strerror(errno));
    console_init(&console, STDIN_FILENO, STDOUT_FILENO, wake);

    do
        ending = boot_once(&options, &inventory, &console, signals);
    while (ending == ENDING_RESET && !options.no_reboot);

    if (ending == ENDING_SIGNAL)
        signals_die(signals);
    console_free(&console);
    inventory_free(&inventory);
    return ending_status(ending);
}
