/*
 * main.c: the virtual machine monitor. Read it as a table of contents: what a machine
 * has, in the order in which it is put together.
 *
 *     inventory        what the command line brings: files, networks (inventory.h)
 *     confine          who opens files when we cannot any more, and our rights (confine.h)
 *     held_open        what each boot needs again: the kernel's file, /dev/kvm (held.h)
 *     machine_init     the frame: KVM, processors' threads, buses (04-devices/machine.h)
 *     board_pc         the devices of a PC (board_pc.c), or
 *     board_lean       ... of the lean machine (board_lean.c)
 *     devices_plug     the devices of the command line
 *     board_finish     what firmware would do: addresses for PCI, ACPI's tables
 *     close_sandbox    from here on nothing can be opened (sandbox.h)
 *     boot_load        the kernel (boot.h)
 *     add_processors   their CPUID, and where the first one starts
 *     event_loop_run   the guest runs
 *
 * Left out on purpose: a window of its own (vmm-vnc shows the screen to others).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "04-devices/console.h"
#include "04-devices/event_loop.h"
#include "04-devices/signals.h"
#include "07-linux-boot/board.h"
#include "07-linux-boot/boot.h"
#include "07-linux-boot/clerk.h"
#include "07-linux-boot/confine.h"
#include "07-linux-boot/cpuid.h"
#include "07-linux-boot/daemon.h"
#include "07-linux-boot/gdb/machine_target.h"
#include "07-linux-boot/gdb/stub.h"
#include "07-linux-boot/held.h"
#include "07-linux-boot/inventory.h"
#include "07-linux-boot/layout.h"
#include "07-linux-boot/monitor.h"
#include "07-linux-boot/option_table.h"
#include "07-linux-boot/options.h"
#include "07-linux-boot/sandbox.h"
#include "07-linux-boot/user_network.h"
#include "common/die.h"
#include "common/term.h"

static void add_ram(struct machine *machine, const struct ram_file *file)
{
    struct ram_range ranges[2];
    unsigned count = ram_layout(file->size, ranges);
    struct refusal why;

    for (unsigned i = 0; i < count; i++)
        vm_add_ram(&machine->vm, ranges[i].start, ranges[i].size);
    if (ram_file_use(file, &machine->vm.memory, &why) < 0)
        die("%s", why.text);
}

static void press_power(void *power)
{
    acpi_pm_press(power);
}

/* [processors] */
/*
 * The first processor stands where boot_load() wants it to start. The others wait in KVM
 * for the kernel to wake them.
 */
static void add_processors(struct machine *machine, const struct options *options,
                           const struct boot_entry *entry)
{
    const struct topology *topology = &options->topology;
    const struct vcpu *first = &machine->processors[0].vcpu;
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    for (unsigned i = 0; i < topology_count(topology); i++) {
        struct processor *processor = machine_add_processor(machine, topology_apic_id(topology, i));

        cpuid_apply(&machine->vm, &processor->vcpu, topology, &options->cpu);
    }
    vcpu_get_sregs(first, &sregs);
    entry_registers(entry, &sregs, &regs);
    vcpu_set_sregs(first, &sregs);
    vcpu_set_regs(first, &regs);
}
/* [/processors] */

/* Behind the terminal, at an end of its own, or nowhere: see inventory.h. */
static void attach_monitor(struct monitor *monitor, struct console *console, struct board *board)
{
    struct inventory *inventory = monitor->inventory;
    struct machine *machine = &board->machine;
    struct chardev *back = inventory->monitor ? &inventory->monitor->back : NULL;

    if (!back && !inventory->monitor_behind && !inventory->gdb)
        return;
    monitor_attach(monitor, machine, press_power, &board->power);
    if (!back && !inventory->monitor_behind)
        return; /* a debugger's commands alone */
    if (back) {
        monitor_connect(monitor, chardev_sink(back), chardev_wake, back,
                        back->console ? console->is_terminal : back->person);
        chardev_attach(back, monitor_end(monitor), &machine->devices.lock, &machine->watches);
    } else {
        monitor_connect(monitor, console_sink(console), console_wake, console,
                        console->is_terminal);
        console_attach_other(console, monitor_end(monitor));
    }
}

/* A debugger's end, if there is one. */
static void attach_gdb(struct gdb_stub *stub, struct machine_target *target,
                       struct inventory *inventory, struct machine *machine,
                       struct monitor *monitor)
{
    struct chardev *back = inventory->gdb ? &inventory->gdb->back : NULL;

    if (!back)
        return;
    machine_target_init(target, machine, monitor, gdb_stub_hit, stub);
    gdb_stub_attach(stub, &target->target);
    gdb_stub_connect(stub, chardev_sink(back), chardev_wake, back);
    watches_add(&machine->watches, stub->event, gdb_stub_run, stub);
    chardev_attach(back, gdb_stub_end(stub), &machine->devices.lock, &machine->watches);
}

/* What stays while machines come and go: each reset builds a new one. */
struct monitor_program {
    struct options options;
    struct inventory inventory;
    struct held held;
    struct console console;
    struct monitor monitor;
    struct gdb_stub stub; /* of -gdb; it is large, and else stays untouched */
    struct vnc vnc;
    struct daemon daemon;
    struct clerk clerk;
    int signals, pidfile;
};

static void assemble(struct monitor_program *p, struct board *board)
{
    struct machine *machine = &board->machine;
    struct refusal why;

    machine_init_on(machine, held_again(p->held.kvm), p->console.wake);
    console_attach_nobody(&p->console, &machine->devices.lock);
    add_ram(machine, &p->held.ram);
    if (p->options.machine == MACHINE_LEAN)
        board_lean(board, &p->inventory);
    else
        board_pc(board, &p->inventory);
    if (devices_plug(&p->inventory.devices, &board->bus, &why) < 0)
        die("%s", why.text);
    board_finish(board, &p->options.topology);
}

/* Once is for ever. A kernel is somebody's file: it is better read by who can do little. */
static void close_sandbox(struct held *held)
{
    if (held->sandbox)
        sandbox_enter(THREAD_MAIN);
    held->sandbox = false;
}

static void load(struct monitor_program *p, struct machine *machine)
{
    const struct options *options = &p->options;
    struct held *held = &p->held;
    uint8_t seed[BOOT_SEED_SIZE];
    struct boot_request request = {.memory = &machine->vm.memory,
                                   .kernel = options->kernel,
                                   .initrd = options->initrd,
                                   .kernel_file = &held->kernel,
                                   .initrd_file = held->has_initrd ? &held->initrd : NULL,
                                   .cmdline = options->cmdline,
                                   .rsdp = LAYOUT_FIRMWARE,
                                   .screen = p->inventory.screen};
    struct boot_entry entry;
    struct refusal why;

    if (getrandom(seed, sizeof seed, GRND_NONBLOCK) == sizeof seed)
        request.seed = seed;
    if (!options->initrd || held->has_initrd)
        close_sandbox(held);
    if (boot_load(&request, &entry, &why) < 0)
        die("%s", why.text);
    explicit_bzero(seed, sizeof seed);
    close_sandbox(held); /* a list of modules: the loader had to open them */
    add_processors(machine, options, &entry);
}

/* People and programs that look at the machine from outside. */
static void attach_outside(struct monitor_program *p, struct board *board,
                           struct machine_target *target)
{
    if (p->console.in >= 0)
        term_raw(p->console.in);
    serial_ports_attach(&board->serial, &p->inventory, &board->machine);
    console_on_power(&p->console, press_power, &board->power);
    attach_monitor(&p->monitor, &p->console, board);
    attach_gdb(&p->stub, target, &p->inventory, &board->machine, &p->monitor);
    vnc_attach(&p->vnc, &board->machine, &board->screen, ps2_keyboard_keys(&board->keys),
               ps2_mouse_pointer(&board->mouse));
}

static void detach_outside(struct monitor_program *p, enum ending ending)
{
    struct inventory *inventory = &p->inventory;
    bool debugged = inventory->gdb && gdb_stub_detach(&p->stub, ending);

    vnc_detach(&p->vnc);
    monitor_detach(&p->monitor);
    chardevs_detach(&inventory->chardevs);
    if (debugged && inventory->gdb->back.connected)
        chardev_hang_up(&inventory->gdb->back);
    console_detach(&p->console);
}

/* Builds the machine, boots the kernel, and takes everything apart again. */
static enum ending boot_once(struct monitor_program *p)
{
    const struct options *options = &p->options;
    struct board board;
    struct machine *machine = &board.machine;
    struct observer observer;
    struct machine_target target;
    struct refusal why;
    enum ending ending;

    assemble(p, &board);
    load(p, machine);
    if (observer_open(&observer, machine, held_again(p->held.trace), options->stats, &why) < 0)
        die("-trace %s: %s", options->trace, why.text);
    attach_outside(p, &board, &target);
    daemon_ready(&p->daemon);

    ending = event_loop_run(machine, &p->console, p->signals);

    detach_outside(p, ending);
    if (ending == ENDING_CRASH || ending == ENDING_STUCK ||
        (ending == ENDING_SIGNAL && signals_asked_where())) {
        term_restore();
        machine_report(stderr, machine);
    }
    observer_close(&observer);
    devices_unplug(&p->inventory.devices);
    machine_free(machine);
    return ending;
}

static int answer(const struct options *options)
{
    struct refusal why;

    if (options->help)
        options_print_help(stdout);
    if (options->version)
        printf("vmm of Ring -1, chapter 7\n");
    if (options->cpu_help)
        cpu_model_print(stdout);
    if (options->sandbox == SANDBOX_HELP)
        sandbox_print(stdout);
    if (inventory_answer(stdout, options, &why) < 0)
        die("%s", why.text);
    return STATUS_OFF;
}

/* Nobody but a back end uses the terminal; without one it stays as it is. */
static void start_console(struct console *console, const struct inventory *inventory)
{
    bool used = chardevs_terminal(&inventory->chardevs);
    int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (wake < 0)
        die("eventfd failed: %s", strerror(errno));
    console_init(console, used ? STDIN_FILENO : -1, used ? STDOUT_FILENO : -1, wake);
}

/* All that can be refused is refused here, before anything is opened. */
static void prepare(struct monitor_program *p, char **argv)
{
    const struct options *options = &p->options;
    struct inventory *inventory = &p->inventory;
    struct refusal why;

    if (inventory_read(inventory, options, &why) < 0)
        die("%s", why.text);
    if (netdevs_have_user(&inventory->netdevs) || chardevs_have_tcp(&inventory->chardevs))
        user_network_needed(argv);
    if (options->daemonize)
        daemon_begin(&p->daemon);
    if (options->pidfile && (p->pidfile = pidfile_open(options->pidfile, &why)) < 0)
        die("-pidfile %s", why.text);
    if (inventory->gdb && machine_target_lacks())
        warn("-gdb: %s", machine_target_lacks());
}

/* Opens all that the command line names, and gives up the right to open more. */
static void open_all(struct monitor_program *p)
{
    const struct options *options = &p->options;
    struct inventory *inventory = &p->inventory;
    struct refusal why;

    start_console(&p->console, inventory);
    if (inventory->screen &&
        vnc_start(&p->vnc, &inventory->vnc, options->name ? options->name : "vmm", &why) < 0)
        die("%s", why.text);
    if (chardevs_find_servers(&inventory->chardevs, &why) < 0)
        die("%s", why.text);
    p->held.sandbox = confine_prepare(options);
    if (p->held.sandbox) {
        confine_start_clerk(&p->clerk, options, inventory);
        inventory->clerk = &p->clerk;
    }
    if (inventory_open(inventory, &p->console, &why) < 0)
        die("%s", why.text);
    p->signals = signals_take();

    monitor_init(&p->monitor, inventory);
    p->monitor.name = options->name;
    p->monitor.ram = options->ram;
    p->monitor.hold = options->stopped;

    if (inventory->gdb)
        gdb_stub_init(&p->stub);
    held_open(&p->held, options);
    clerk_take_over(&p->clerk);
    confine_drop_privileges(options, inventory);
    inventory_start(inventory);
}

static void close_all(struct monitor_program *p)
{
    vnc_end(&p->vnc);
    if (p->inventory.gdb)
        gdb_stub_free(&p->stub);
    monitor_free(&p->monitor);
    console_free(&p->console);
    inventory_free(&p->inventory);
    pidfile_remove(p->pidfile, p->options.pidfile);
    clerk_end(&p->clerk);
}

int main(int argc, char **argv)
{
    struct monitor_program program;
    struct refusal why;
    enum ending ending;

    if (options_parse(&program.options, argc, argv, &why) < 0)
        die("%s", why.text);
    if (program.options.question)
        return answer(&program.options);
    program.held = (struct held){.kvm = -1};
    program.vnc = (struct vnc){.fd = -1};
    program.daemon = (struct daemon){.parent = -1};
    program.clerk = (struct clerk){.fd = -1};
    program.pidfile = -1;
    prepare(&program, argv);
    open_all(&program);

    do
        ending = boot_once(&program);
    while (ending == ENDING_RESET && !program.options.no_reboot);

    close_all(&program);
    if (ending == ENDING_SIGNAL)
        signals_die(program.signals);
    return ending_status(ending);
}
