/*
 * main.c: virtio, the program of this chapter: chapter 4's PC with three virtio devices,
 * and guests that drive them by hand, one field of the ring after the other.
 *
 *     address       device              interrupt
 *     0xd0000000    entropy             5
 *     0xd0000200    console, one port   6
 *     0xd0000400    block               9
 *
 * With --trace-ring everything that goes through a ring is told on standard error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/payload.h"
#include "02-protected-mode/entry.h"
#include "04-devices/console.h"
#include "04-devices/event_loop.h"
#include "04-devices/pc.h"
#include "04-devices/signals.h"
#include "05-virtio/raw_disk.h"
#include "05-virtio/ring_trace.h"
#include "05-virtio/virtio_blk.h"
#include "05-virtio/virtio_console.h"
#include "05-virtio/virtio_mmio.h"
#include "05-virtio/virtio_rng.h"
#include "common/die.h"
#include "common/embed.h"
#include "common/term.h"

#define RAM_SIZE  (16 * MIB)
#define GUEST_MAX (ENTRY_STACK - 4 * KIB - ENTRY_PAYLOAD)
#define WINDOW    UINT64_C(0xd0000000)
#define DISK_SIZE (1 * MIB)

EMBED(virtio_block_bin, "05-virtio/block.bin");

struct options {
    const char *guest; /* NULL: the built-in one */
    const char *disk;  /* NULL: an empty one in memory */
    bool tracing;
    enum ring_trace_form form;
};

/* All of the program. Large, and nothing in it may move. */
static struct pc pc;
static struct console console;
static struct raw_disk raw;
static struct virtio_rng rng;
static struct virtio_console virtio_console;
static struct virtio_blk blk;
static struct virtio_mmio transports[3];
static struct ring_trace traces[3];

static void print_help(void)
{
    printf("usage: virtio [OPTION]... [GUEST]\n"
           "\n"
           "Runs GUEST, a flat binary of at most %llu bytes, in 32-bit protected mode on a PC\n"
           "with virtio devices. Without GUEST, runs one that drives the block device.\n"
           "\n"
           "  --disk FILE          the disk's image (default: 1 MiB of memory)\n"
           "  --trace-ring[=FORM]  tell what goes through the rings: text (default) or json\n"
           "  --help               this text\n",
           (unsigned long long)GUEST_MAX);
}

static enum ring_trace_form parse_form(const char *text)
{
    if (!text || strcmp(text, "text") == 0)
        return RING_TRACE_TEXT;
    if (strcmp(text, "json") == 0)
        return RING_TRACE_JSON;
    die("--trace-ring=%s: not one of text and json", text);
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"disk", required_argument, NULL, 'd'},
        {"trace-ring", optional_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct options options = {0};
    int option;

    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'd': options.disk = optarg; break;
        case 't':
            options.tracing = true;
            options.form = parse_form(optarg);
            break;
        case 'h': print_help(); exit(EXIT_SUCCESS);
        default: /* getopt has named what it did not like */
            fprintf(stderr, "virtio: 'virtio --help' lists the options\n");
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind > 1)
        die("one guest at most, but \"%s\" follows \"%s\"", argv[optind + 1], argv[optind]);
    options.guest = argv[optind];
    return options;
}

/* The image, or memory that looks like a file. */
static void open_disk(const char *path)
{
    char memory[40];
    struct refusal why;

    if (!path) {
        int fd = memfd_create("disk", MFD_CLOEXEC);

        if (fd < 0 || ftruncate(fd, DISK_SIZE) < 0)
            die("cannot make a disk in memory: %s", strerror(errno));
        snprintf(memory, sizeof memory, "/proc/self/fd/%d", fd);
        path = memory;
    }
    if (raw_disk_open(&raw, path, 0, &why) < 0)
        die("--disk %s: %s", path, why.text);
}

static void attach(unsigned number, const char *name, struct virtio_device *device, unsigned line,
                   const struct options *options)
{
    struct machine *machine = &pc.machine;

    virtio_mmio_init(&transports[number], device, machine_irq(machine, line));
    machine_claim_memory(machine, name, WINDOW + number * VIRTIO_MMIO_SIZE, VIRTIO_MMIO_SIZE, 4,
                         virtio_mmio_read, virtio_mmio_write, &transports[number]);
    if (options->tracing)
        ring_trace_init(&traces[number], stderr, options->form, name, device);
}

/* What had to wait for the host's disk has come; on the event loop's thread. */
static void disk_ready(void *self)
{
    struct machine *machine = self;

    pthread_mutex_lock(&machine->devices.lock);
    virtio_blk_complete(&blk);
    pthread_mutex_unlock(&machine->devices.lock);
}

static void attach_devices(const struct options *options)
{
    const struct guest_memory *memory = &pc.machine.vm.memory;

    virtio_rng_init(&rng, memory, entropy_host());
    attach(0, "entropy", &rng.device, 5, options);

    virtio_console_init(&virtio_console, memory, 80, 24);
    virtio_console_add_port(&virtio_console, NULL, console_sink(&console), NULL, NULL);
    attach(1, "console", &virtio_console.device, 6, options);

    open_disk(options->disk);
    virtio_blk_init(&blk, memory, &raw.disk, "ring-minus-one", 1);
    attach(2, "disk", &blk.device, 9, options);
    if (raw.disk.ready_fd >= 0)
        watches_add(&pc.machine.watches, raw.disk.ready_fd, disk_ready, &pc.machine);
}

static void load_guest(const struct options *options)
{
    struct machine *machine = &pc.machine;
    struct vcpu *vcpu = &machine_add_processor(machine, 0)->vcpu;
    struct kvm_cpuid2 *cpuid = vm_supported_cpuid(&machine->vm);
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    payload_load(&machine->vm.memory, ENTRY_PAYLOAD, GUEST_MAX, options->guest, virtio_block_bin,
                 (size_t)(virtio_block_bin_end - virtio_block_bin));
    entry_tables(&machine->vm.memory);
    vcpu_set_cpuid(vcpu, cpuid);
    free(cpuid);
    vcpu_get_sregs(vcpu, &sregs);
    entry_protected(&regs, &sregs);
    vcpu_set_sregs(vcpu, &sregs);
    vcpu_set_regs(vcpu, &regs);
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    int signals = signals_take(), wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct pc_options board = {.irqchip = IRQCHIP_KERNEL};
    enum ending ending;

    if (wake < 0)
        die("eventfd failed: %s", strerror(errno));
    console_init(&console, STDIN_FILENO, STDOUT_FILENO, wake);
    board.serial = board.debug = console_sink(&console);
    machine_init(&pc.machine, wake);
    vm_add_ram(&pc.machine.vm, 0, RAM_SIZE);
    pc_attach(&pc, &board);
    attach_devices(&options);
    load_guest(&options);

    term_raw(STDIN_FILENO);
    console_attach(&console, &pc.serial, &pc.machine.devices.lock);
    ending = event_loop_run(&pc.machine, &console, signals);
    console_detach(&console);
    term_restore();

    if (ending == ENDING_CRASH || ending == ENDING_STUCK)
        machine_report(stderr, &pc.machine);
    pc_detach(&pc);
    virtio_blk_free(&blk);
    raw_disk_close(&raw);
    machine_free(&pc.machine);
    console_free(&console);
    if (ending == ENDING_SIGNAL)
        signals_die(signals);
    return (int)ending_status(ending);
}
