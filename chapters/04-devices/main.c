/*
 * main.c: devices, a PC small enough to read. This is its board: a table of contents of
 * the chapter, where each device is attached by one visible line.
 *
 *     port   size   device                        interrupt
 *     0x020  2      master PIC                    with --irqchip=user;
 *     0x0a0  2      slave PIC                     else these are KVM's,
 *     0x4d0  2      PIC edge/level                with an I/O APIC and a local one
 *     0x060  1      keyboard controller, data     1, 12
 *     0x064  1      keyboard controller, command
 *     0x070  2      clock and CMOS memory
 *     0x092  1      fast reset
 *     0x3f8  8      serial port                   4
 *     0xcf8  4      reset control (0xcf9)
 *
 * The guest is a flat binary at 0x1000 that starts in 32-bit protected mode, without
 * paging (02-protected-mode/entry.h). It has 16 MiB of RAM from address 0.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/payload.h"
#include "01-kvm-hello/stop.h"
#include "02-protected-mode/entry.h"
#include "04-devices/console.h"
#include "04-devices/event_loop.h"
#include "04-devices/i8042.h"
#include "04-devices/machine.h"
#include "04-devices/pic.h"
#include "04-devices/reset.h"
#include "04-devices/rtc.h"
#include "04-devices/signals.h"
#include "04-devices/uart.h"
#include "common/die.h"
#include "common/embed.h"
#include "common/term.h"

#define RAM_SIZE         (16 * MIB)
#define COM1             0x3f8
#define CPUID_1_EDX_APIC (1u << 9) /* [SDM2, "CPUID"] */
#define STACK_SIZE       (4 * KIB) /* kept free above the payload */
#define PAYLOAD_MAX      (ENTRY_STACK - STACK_SIZE - ENTRY_PAYLOAD)

EMBED(devices_hello_bin, "04-devices/hello.bin");

enum irqchip { IRQCHIP_KERNEL, IRQCHIP_USER };

struct options {
    const char *payload; /* NULL: the built-in guest */
    double limit;        /* seconds; 0 for none */
    enum irqchip irqchip;
    const char *trace; /* NULL: no trace */
    bool stats;
};

static void print_help(void)
{
    printf("usage: devices [OPTION]... [GUEST]\n"
           "\n"
           "Runs GUEST, a flat binary of at most %llu bytes, in 32-bit protected mode at\n"
           "0x%llx on a small PC, its serial port on this terminal. Without GUEST, runs one\n"
           "that says hello.\n"
           "\n"
           "  --irqchip=kernel interrupt controllers and timer are KVM's (default)\n"
           "  --irqchip=user   ... are ours: two 8259, an 8254, and no APIC\n"
           "  --limit SECONDS  stop the guest after so much time\n"
           "  --trace FILE     write each exit to FILE, for ui.perfetto.dev\n"
           "  --stats          count exits; print the counts at the end and on SIGUSR1\n"
           "  --help           this text\n"
           "\n"
           "keys: Ctrl-A x quits, Ctrl-A h lists the others\n"
           "\n"
           "exit status:\n"
           "  %d  the guest halted for good, or you quit\n"
           "  %d  an option, a file or the host was no good; no guest has run\n"
           "  %d  the guest reset itself\n"
           "  %d  the guest crashed (triple fault)\n"
           "  %d  KVM could not go on; standard error says why\n"
           "  %d  --limit was reached\n"
           "  else ended by a signal: 128 + its number, as the shell counts\n",
           (unsigned long long)PAYLOAD_MAX, (unsigned long long)ENTRY_PAYLOAD, STATUS_OFF,
           STATUS_REFUSED, STATUS_RESET, STATUS_CRASH, STATUS_STUCK, STATUS_LIMIT);
}

static enum irqchip parse_irqchip(const char *text)
{
    if (strcmp(text, "kernel") == 0)
        return IRQCHIP_KERNEL;
    if (strcmp(text, "user") == 0)
        return IRQCHIP_USER;
    die("--irqchip=%s: not one of kernel and user", text);
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"irqchip", required_argument, NULL, 'i'}, {"limit", required_argument, NULL, 'l'},
        {"trace", required_argument, NULL, 't'},   {"stats", no_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    struct options options = {0};
    int option;

    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'i': options.irqchip = parse_irqchip(optarg); break;
        case 'l': options.limit = stop_parse_limit(optarg); break;
        case 't': options.trace = optarg; break;
        case 's': options.stats = true; break;
        case 'h': print_help(); exit(EXIT_SUCCESS);
        default: /* getopt has named what it did not like */
            fprintf(stderr, "devices: 'devices --help' lists the options\n");
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind > 1)
        die("one guest at most, but \"%s\" follows \"%s\"", argv[optind + 1], argv[optind]);
    options.payload = argv[optind];
    return options;
}

static void time_is_over(void *self)
{
    machine_end(self, ENDING_LIMIT);
}

static void rtc_due(void *self)
{
    rtc_alarm(self);
}

/* The board: every device, and where it sits. */
struct board {
    struct machine machine;
    struct pic_pair pic; /* with --irqchip=user */
    struct uart serial;
    struct i8042 keyboard;
    struct rtc rtc;
    struct reset_ports reset;
};

/* The interrupt controllers and the timer: KVM's, or ours. */
static void attach_chips(struct board *board, enum irqchip irqchip)
{
    struct machine *machine = &board->machine;

    if (irqchip == IRQCHIP_KERNEL) {
        irqchip_create(&machine->vm);
        return;
    }
    machine_use_pic(machine, &board->pic);
    machine_claim_ports(machine, "master PIC", PIC_MASTER, PIC_PORTS, 1, pic_read, pic_write,
                        &board->pic.master);
    machine_claim_ports(machine, "slave PIC", PIC_SLAVE, PIC_PORTS, 1, pic_read, pic_write,
                        &board->pic.slave);
    machine_claim_ports(machine, "PIC edge/level", PIC_ELCR, PIC_PORTS, 1, pic_elcr_read,
                        pic_elcr_write, &board->pic);
}

/* [board] */
static void attach_devices(struct board *board, struct console *console)
{
    struct machine *machine = &board->machine;

    uart_init(&board->serial, machine_irq(machine, IRQ_SERIAL_1), console_sink(console));
    machine_claim_ports(machine, "serial port", COM1, UART_REGISTERS, 1, uart_read, uart_write,
                        &board->serial);

    i8042_init(&board->keyboard, machine_irq(machine, IRQ_KEYBOARD),
               machine_irq(machine, IRQ_MOUSE), machine_reset_line(machine));
    machine_claim_ports(machine, "keyboard controller", I8042_DATA, 1, 1, i8042_data_read,
                        i8042_data_write, &board->keyboard);
    machine_claim_ports(machine, "keyboard controller", I8042_STATUS, 1, 1, i8042_status_read,
                        i8042_command_write, &board->keyboard);

    rtc_init(&board->rtc, machine_wall_clock(machine),
             machine_wall_alarm(machine, rtc_due, &board->rtc), machine_irq(machine, IRQ_RTC));
    machine_claim_ports(machine, "clock", RTC_PORTS, RTC_PORT_COUNT, 1, rtc_read, rtc_write,
                        &board->rtc);

    reset_init(&board->reset, machine_reset_line(machine));
    machine_claim_ports(machine, "fast reset", RESET_PORT_A, 1, 1, reset_port_a_read,
                        reset_port_a_write, &board->reset);
    machine_claim_ports(machine, "reset control", RESET_CONTROL, 4, 4, reset_control_read,
                        reset_control_write, &board->reset);
}
/* [/board] */

/* Without KVM's chips there is no local APIC; the guest shall not look for one. */
static void hide_apic(struct kvm_cpuid2 *cpuid)
{
    for (unsigned i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == 1)
            cpuid->entries[i].edx &= ~CPUID_1_EDX_APIC;
}

/* The payload, and a processor that stands at its first instruction. */
static void load_guest(struct machine *machine, const struct options *options)
{
    struct vcpu *vcpu = &machine->processor.vcpu;
    struct kvm_cpuid2 *cpuid = vm_supported_cpuid(&machine->vm);
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    payload_load(&machine->vm.memory, ENTRY_PAYLOAD, PAYLOAD_MAX, options->payload,
                 devices_hello_bin, (size_t)(devices_hello_bin_end - devices_hello_bin));
    entry_tables(&machine->vm.memory);
    processor_init(&machine->processor, machine);
    if (options->irqchip == IRQCHIP_USER)
        hide_apic(cpuid);
    vcpu_set_cpuid(vcpu, cpuid);
    free(cpuid);
    vcpu_get_sregs(vcpu, &sregs);
    entry_protected(&regs, &sregs);
    vcpu_set_sregs(vcpu, &sregs);
    vcpu_set_regs(vcpu, &regs);
}

static void set_limit(struct machine *machine, double seconds)
{
    struct alarm alarm = machine_alarm(machine, time_is_over, machine);
    struct clock clock = machine_clock(machine);

    if (seconds > 0)
        alarm_set(&alarm, clock_now(&clock) + (int64_t)(seconds * 1e9));
}

static void report_ending(const struct board *board, enum ending ending,
                          const struct options *options)
{
    term_restore();
    if (ending == ENDING_LIMIT)
        warn("stopped after %g s", options->limit);
    if (ending == ENDING_CRASH || ending == ENDING_STUCK ||
        (ending == ENDING_SIGNAL && signals_asked_where()))
        exit_report(stderr, &board->machine.vm, &board->machine.processor.vcpu);
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    static struct console console;
    static struct observer observer;
    static struct board board;
    struct refusal why;
    int signals = signals_take(), wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum ending ending;

    if (wake < 0)
        die("eventfd failed: %s", strerror(errno));
    console_init(&console, STDIN_FILENO, STDOUT_FILENO, wake);
    machine_init(&board.machine, wake);
    vm_add_ram(&board.machine.vm, 0, RAM_SIZE);
    attach_chips(&board, options.irqchip);
    attach_devices(&board, &console);
    load_guest(&board.machine, &options);
    set_limit(&board.machine, options.limit);
    if (observer_open(&observer, &board.machine, options.trace, options.stats, &why) < 0)
        die("--trace %s", why.text);

    term_raw(STDIN_FILENO);
    console_attach(&console, &board.serial, &board.machine.devices.lock);
    ending = event_loop_run(&board.machine, &console, signals);
    console_detach(&console);

    report_ending(&board, ending, &options);
    observer_close(&observer);
    machine_free(&board.machine);
    console_free(&console);
    if (ending == ENDING_SIGNAL)
        signals_die(signals);
    return ending_status(ending);
}
