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
 *     0xcf8  4      reset control (0xcf9)
 *
 * Left out on purpose: disks, networks, a screen, a second processor.
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
#include "04-devices/reset.h"
#include "04-devices/rtc.h"
#include "04-devices/signals.h"
#include "04-devices/uart.h"
#include "07-linux-boot/acpi/pm.h"
#include "07-linux-boot/acpi/tables.h"
#include "07-linux-boot/boot.h"
#include "07-linux-boot/cpuid.h"
#include "07-linux-boot/layout.h"
#include "07-linux-boot/options.h"
#include "common/die.h"
#include "common/term.h"

#define COM1 0x3f8

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

/* The first processor, where boot_load() wants it to start. */
static void add_processor(struct machine *machine, const struct boot_entry *entry)
{
    struct vcpu *vcpu = &machine->processor.vcpu;
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    processor_init(&machine->processor, machine);
    cpuid_apply(&machine->vm, vcpu, 1);
    vcpu_get_sregs(vcpu, &sregs);
    entry_registers(entry, &sregs, &regs);
    vcpu_set_sregs(vcpu, &sregs);
    vcpu_set_regs(vcpu, &regs);
}

/* Builds the machine, boots the kernel, and takes everything apart again. */
static enum ending boot_once(const struct options *options, struct console *console, int signals)
{
    struct machine machine;
    struct uart serial;
    struct i8042 keyboard;
    struct rtc rtc;
    struct reset_ports reset;
    struct acpi_pm power;
    struct acpi_board board = {.processors = 1, .serial = true, .keyboard = true, .clock = true};
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
    machine_claim_ports(&machine, "reset control", RESET_CONTROL, 4, 4, reset_control_read,
                        reset_control_write, &reset);

    acpi_pm_init(&power, machine_irq(&machine, ACPI_SCI), machine_off_line(&machine), false);
    machine_claim_ports(&machine, "ACPI power", ACPI_PM_PORTS, ACPI_PM_PORT_COUNT, 2, acpi_pm_read,
                        acpi_pm_write, &power);
    acpi_write(&machine.vm.memory, &board);

    if (boot_load(&request, &entry, &why) < 0)
        die("%s", why.text);
    add_processor(&machine, &entry);

    if (observer_open(&observer, &machine, options->trace, options->stats, &why) < 0)
        die("-trace %s", why.text);

    term_raw(STDIN_FILENO);
    console_attach(console, &serial, &machine.devices.lock);
    ending = event_loop_run(&machine, console, signals);
    console_detach(console);

    if (ending == ENDING_CRASH || ending == ENDING_STUCK ||
        (ending == ENDING_SIGNAL && signals_asked_where())) {
        term_restore();
        exit_report(stderr, &machine.vm, &machine.processor.vcpu);
    }
    observer_close(&observer);
    machine_free(&machine);
    return ending;
}

int main(int argc, char **argv)
{
    struct options options;
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
    signals = signals_take();
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake < 0)
        die("eventfd failed: %s", strerror(errno));
    console_init(&console, STDIN_FILENO, STDOUT_FILENO, wake);

    do
        ending = boot_once(&options, &console, signals);
    while (ending == ENDING_RESET && !options.no_reboot);

    if (ending == ENDING_SIGNAL)
        signals_die(signals);
    console_free(&console);
    return ending_status(ending);
}
