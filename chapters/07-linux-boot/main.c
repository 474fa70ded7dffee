/*
 * main.c: the virtual machine monitor. Read it as a table of contents: what a machine
 * has, in the order in which it is put together.
 *
 *     inventory        what the command line brings: files, networks (inventory.h)
 *     start_clerk      who opens files when we cannot any more (clerk.h)
 *     held_open        what each boot needs again: the kernel's file, /dev/kvm (held.h)
 *     drop_privileges  rights, users, the host's files (privileges.h, jail.h)
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
#include "07-linux-boot/privileges.h"
#include "07-linux-boot/sandbox.h"
#include "07-linux-boot/user_network.h"
#include "common/die.h"
#include "common/term.h"

/* Threads that start from now on enter theirs. */
static bool prepare_sandbox(const struct options *options)
{
    struct refusal why;

    if (options->sandbox != SANDBOX_ON)
        return false;
    if (!sandbox_is_possible())
        die("-sandbox on: not in a build with sanitizers, which open files when they like");
    if (sandbox_prepare(&why) < 0)
        die("-sandbox on: %s", why.text);
    return true;
}

/* One of the clerk's addresses, for the chardev that goes there. */
struct errand {
    const struct clerk *clerk;
    unsigned address;
};

static int run_errand(void *self)
{
    const struct errand *errand = self;

    return clerk_call(errand->clerk, errand->address);
}

static void add_errands(struct clerk_duties *duties, const struct clerk *clerk,
                        struct chardevs *chardevs)
{
    static struct errand errands[CLERK_CALLS];

    for (unsigned i = 0; i < chardevs->count; i++) {
        struct char_end *end = chardevs->list[i];

        if (end->reconnect == 0)
            continue;
        errands[duties->call_count] = (struct errand){clerk, duties->call_count};
        end->caller = (struct chardev_caller){run_errand, &errands[duties->call_count]};
        duties->calls[duties->call_count++] = &end->address;
    }
}

/* Who opens and removes files, and connects, when we cannot. */
static void start_clerk(struct clerk *clerk, const struct options *options,
                        struct inventory *inventory)
{
    struct clerk_duties duties = {.folder = options->discs[0] ? options->discs : NULL,
                                  .enter = sandbox_enter_as_clerk};
    struct refusal why;

    if (options->pidfile)
        duties.removals[duties.removal_count++] = options->pidfile;
    for (unsigned i = 0; i < inventory->chardevs.count; i++)
        if (chardevs_removes(inventory->chardevs.list[i]))
            duties.removals[duties.removal_count++] = inventory->chardevs.list[i]->path;
    if (inventory->screen && !inventory->vnc.port[0])
        duties.removals[duties.removal_count++] = inventory->vnc.host;
    add_errands(&duties, clerk, &inventory->chardevs);
    if (clerk_start(clerk, &duties, &why) < 0)
        die("-sandbox: %s", why.text);
}

/* Everything is open, and no thread but this one has started. */
static void drop_privileges(const struct options *options, const struct inventory *inventory)
{
    struct privileges privileges = {.user = options->runas,
                                    .root = options->chroot,
                                    .jail = options->jail,
                                    .host_network = netdevs_have_user(&inventory->netdevs)};
    bool asked = options->runas || options->chroot || options->jail;
    struct refusal why;

    if ((asked || options->sandbox == SANDBOX_ON) && privileges_drop(&privileges, &why) < 0)
        die("%s", why.text);
}

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

/* Once is for ever. A kernel is somebody's file: it is better read by who can do little. */
static void close_sandbox(struct held *held)
{
    if (held->sandbox)
        sandbox_enter(THREAD_MAIN);
    held->sandbox = false;
}

/* Builds the machine, boots the kernel, and takes everything apart again. */
static enum ending boot_once(const struct options *options, struct held *held,
                             struct inventory *inventory, struct console *console,
                             struct monitor *monitor, struct gdb_stub *stub, struct vnc *vnc,
                             struct daemon *daemon, int signals)
{
    struct board board;
    struct machine *machine = &board.machine;
    uint8_t seed[BOOT_SEED_SIZE];
    struct boot_request request = {.memory = &machine->vm.memory,
                                   .kernel = options->kernel,
                                   .initrd = options->initrd,
                                   .kernel_file = &held->kernel,
                                   .initrd_file = held->has_initrd ? &held->initrd : NULL,
                                   .cmdline = options->cmdline,
                                   .rsdp = LAYOUT_FIRMWARE,
                                   .screen = inventory->screen};
    struct boot_entry entry;
    struct refusal why;
    struct observer observer;
    struct machine_target target;
    bool debugged;
    enum ending ending;

    machine_init_on(machine, held_again(held->kvm), console->wake);
    console_attach_nobody(console, &machine->devices.lock);
    add_ram(machine, &held->ram);
    if (options->machine == MACHINE_LEAN)
        board_lean(&board, inventory);
    else
        board_pc(&board, inventory);
    if (devices_plug(&inventory->devices, &board.bus, &why) < 0)
        die("%s", why.text);
    board_finish(&board, &options->topology);

    if (getrandom(seed, sizeof seed, GRND_NONBLOCK) == sizeof seed)
        request.seed = seed;
    if (!options->initrd || held->has_initrd)
        close_sandbox(held);
    if (boot_load(&request, &entry, &why) < 0)
        die("%s", why.text);
    explicit_bzero(seed, sizeof seed);
    close_sandbox(held); /* a list of modules: the loader had to open them */
    add_processors(machine, options, &entry);

    if (observer_open(&observer, machine, held_again(held->trace), options->stats, &why) < 0)
        die("-trace %s: %s", options->trace, why.text);

    if (console->in >= 0)
        term_raw(console->in);
    serial_ports_attach(&board.serial, inventory, machine);
    console_on_power(console, press_power, &board.power);
    attach_monitor(monitor, console, &board);
    attach_gdb(stub, &target, inventory, machine, monitor);
    vnc_attach(vnc, machine, &board.screen, ps2_keyboard_keys(&board.keys),
               ps2_mouse_pointer(&board.mouse));
    daemon_ready(daemon);
    ending = event_loop_run(machine, console, signals);
    debugged = stub && gdb_stub_detach(stub, ending);
    vnc_detach(vnc);
    monitor_detach(monitor);
    chardevs_detach(&inventory->chardevs);
    if (debugged && inventory->gdb->back.connected)
        chardev_hang_up(&inventory->gdb->back);
    console_detach(console);

    if (ending == ENDING_CRASH || ending == ENDING_STUCK ||
        (ending == ENDING_SIGNAL && signals_asked_where())) {
        term_restore();
        machine_report(stderr, machine);
    }
    observer_close(&observer);
    devices_unplug(&inventory->devices);
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

int main(int argc, char **argv)
{
    struct options options;
    struct inventory inventory;
    struct held held = {.kvm = -1};
    struct console console;
    struct monitor monitor;
    struct gdb_stub stub; /* of -gdb; it is large, and else stays untouched */
    struct vnc vnc = {.fd = -1};
    struct daemon daemon = {.parent = -1};
    struct clerk clerk = {.fd = -1};
    struct refusal why;
    enum ending ending;
    int signals, pidfile = -1;

    if (options_parse(&options, argc, argv, &why) < 0)
        die("%s", why.text);
    if (options.question)
        return answer(&options);
    if (inventory_read(&inventory, &options, &why) < 0)
        die("%s", why.text);
    if (netdevs_have_user(&inventory.netdevs) || chardevs_have_tcp(&inventory.chardevs))
        user_network_needed(argv);
    if (options.daemonize)
        daemon_begin(&daemon);
    if (options.pidfile && (pidfile = pidfile_open(options.pidfile, &why)) < 0)
        die("-pidfile %s", why.text);
    if (inventory.gdb && machine_target_lacks())
        warn("-gdb: %s", machine_target_lacks());
    start_console(&console, &inventory);
    if (inventory.screen &&
        vnc_start(&vnc, &inventory.vnc, options.name ? options.name : "vmm", &why) < 0)
        die("%s", why.text);
    if (chardevs_find_servers(&inventory.chardevs, &why) < 0)
        die("%s", why.text);
    held.sandbox = prepare_sandbox(&options);
    if (held.sandbox) {
        start_clerk(&clerk, &options, &inventory);
        inventory.clerk = &clerk;
    }
    if (inventory_open(&inventory, &console, &why) < 0)
        die("%s", why.text);
    signals = signals_take();

    monitor_init(&monitor, &inventory);
    monitor.name = options.name;
    monitor.ram = options.ram;
    monitor.hold = options.stopped;

    if (inventory.gdb)
        gdb_stub_init(&stub);
    held_open(&held, &options);
    clerk_take_over(&clerk);
    drop_privileges(&options, &inventory);
    inventory_start(&inventory);

    do
        ending = boot_once(&options, &held, &inventory, &console, &monitor,
                           inventory.gdb ? &stub : NULL, &vnc, &daemon, signals);
    while (ending == ENDING_RESET && !options.no_reboot);

    vnc_end(&vnc);
    if (inventory.gdb)
        gdb_stub_free(&stub);
    monitor_free(&monitor);
    console_free(&console);
    inventory_free(&inventory);
    pidfile_remove(pidfile, options.pidfile);
    clerk_end(&clerk);
    if (ending == ENDING_SIGNAL)
        signals_die(signals);
    return ending_status(ending);
}
