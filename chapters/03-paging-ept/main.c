/*
 * main.c: the program of chapter 3: a guest with page tables, and four ways to look.
 *
 * The machine is machine.h's: 16 MiB of RAM, an alias, a ROM, holes. Port 0xe9 prints
 * a byte; port 0xea says that a frame is complete. A hole reads as all ones and
 * swallows what is written, as a bus on which nobody answers.
 *
 * Left out on purpose: devices (chapter 4).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/payload.h"
#include "01-kvm-hello/stop.h"
#include "03-paging-ept/dirty.h"
#include "03-paging-ept/dump.h"
#include "03-paging-ept/heat.h"
#include "03-paging-ept/machine.h"
#include "03-paging-ept/replay.h"
#include "common/bits.h"
#include "common/die.h"
#include "common/embed.h"

#define TEXT_PORT    0xe9u
#define FRAME_PORT   0xeau
#define RING_ENTRIES 1024u
#define HEAT_FIRST   512u /* the picture begins at 2 MiB */
#define HEAT_COUNT   256u /* and shows 1 MiB */
#define HEAT_COLUMNS 64u

EMBED(demand_bin, "03-paging-ept/demand.bin");

/* What the exit status says, as in chapter 1; --help prints the same list. */
enum status {
    STATUS_HALTED = 0,
    STATUS_HOST = 1,
    STATUS_TRIPLE_FAULT = 3,
    STATUS_UNHANDLED = 4,
    STATUS_STOPPED = 5,
};

struct options {
    const char *payload; /* NULL: the built-in guest */
    double limit;
    bool dump, json, count_exits, heat, every_frame, ring, slots, trace;
    uint64_t dump_address;
    unsigned dump_access;
};

struct view { /* what looks at the guest while it runs */
    struct dirty dirty;
    struct heat heat;
    struct replay replay;
    uint64_t frames;
};

static void print_help(void)
{
    printf("usage: paging [OPTION...] [PAYLOAD]\n"
           "\n"
           "Runs PAYLOAD, a flat binary of at most %llu bytes, in real mode at 0x%x on a\n"
           "machine with 16 MiB of memory. Without PAYLOAD, a guest that pages on demand.\n"
           "\n"
           "  --dump-walk ADDRESS  when the guest stops, translate ADDRESS in both dimensions\n"
           "  --access LETTERS     for --dump-walk: r, w or x, with u for user mode (r)\n"
           "  --json               for --dump-walk: as JSON\n"
           "  --count-exits        single-step, and count what shadow paging would cost\n"
           "  --heat-map           draw the dirty log (--frames: each frame, else the last)\n"
           "  --frames             draw every frame; on a terminal, in place\n"
           "  --ring               use the dirty ring instead of the dirty log\n"
           "  --slots              print the memory slots before the guest starts\n"
           "  --limit SECONDS      stop the guest after so much time\n"
           "  --trace              print each exit as it happens\n"
           "  --help               print this\n"
           "\n"
           "exit status: 0 the guest halted, 1 the host refused, 3 triple fault,\n"
           "             4 an exit without an answer, 5 stopped by Ctrl-C or --limit\n",
           (unsigned long long)PAYLOAD_MAX, GUEST_START);
}

static uint64_t parse_address(const char *text)
{
    char *end;

    errno = 0;
    uint64_t value = strtoull(text, &end, 0);

    if (errno || end == text || *end != '\0' || strchr(text, '-'))
        die("--dump-walk %s: not an address such as 0x40000000", text);
    return value;
}

static unsigned parse_access(const char *text)
{
    unsigned access = 0;

    for (const char *at = text; *at; at++) {
        switch (*at) {
        case 'r': break;
        case 'w': access |= WALK_WRITE; break;
        case 'x': access |= WALK_FETCH; break;
        case 'u': access |= WALK_USER; break;
        default: die("--access %s: letters are r, w, x and u", text);
        }
    }
    if ((access & WALK_WRITE) && (access & WALK_FETCH))
        die("--access %s: no access both writes and fetches", text);
    return access;
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"dump-walk", required_argument, NULL, 'd'},
        {"access", required_argument, NULL, 'a'},
        {"json", no_argument, NULL, 'j'},
        {"count-exits", no_argument, NULL, 'c'},
        {"heat-map", no_argument, NULL, 'm'},
        {"frames", no_argument, NULL, 'f'},
        {"ring", no_argument, NULL, 'r'},
        {"slots", no_argument, NULL, 's'},
        {"limit", required_argument, NULL, 'l'},
        {"trace", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct options options = {0};
    int option;

    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'd':
            options.dump = true;
            options.dump_address = parse_address(optarg);
            break;
        case 'a': options.dump_access = parse_access(optarg); break;
        case 'j': options.json = true; break;
        case 'c': options.count_exits = true; break;
        case 'm': options.heat = true; break;
        case 'f': options.heat = options.every_frame = true; break;
        case 'r': options.heat = options.ring = true; break;
        case 's': options.slots = true; break;
        case 'l': options.limit = stop_parse_limit(optarg); break;
        case 't': options.trace = true; break;
        case 'h': print_help(); exit(EXIT_SUCCESS);
        default: /* getopt has named what it did not like */
            fprintf(stderr, "paging: 'paging --help' lists the options\n");
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind > 1)
        die("one payload at most, but \"%s\" follows \"%s\"", argv[optind + 1], argv[optind]);
    options.payload = argv[optind];
    return options;
}

/* Fetches what was written, and lets it glow. The last frame is drawn in any case. */
static void harvest(struct machine *machine, struct view *view, const struct options *options)
{
    bool terminal = isatty(STDOUT_FILENO);
    int error = dirty_fetch(&view->dirty, &machine->vm);

    if (error)
        die("cannot fetch the dirty pages: %s", strerror(-error));
    heat_frame(&view->heat, view->dirty.bitmap);
    view->frames++;
    if (!options->every_frame)
        return;
    printf("%sframe %llu\n", terminal ? "\x1b[H\x1b[J" : "", (unsigned long long)view->frames);
    heat_print(stdout, &view->heat, HEAT_FIRST, HEAT_COUNT, HEAT_COLUMNS, terminal);
    fflush(stdout);
    if (terminal)
        usleep(50000);
}

static bool answer_port(struct machine *machine, struct view *view, const struct options *options)
{
    struct kvm_run *run = machine->vcpu.run;

    if (run->io.direction != KVM_EXIT_IO_OUT)
        return false;
    if (run->io.port == FRAME_PORT) {
        if (options->heat)
            harvest(machine, view, options);
        return true;
    }
    if (run->io.port != TEXT_PORT)
        return false;
    fwrite((uint8_t *)run + run->io.data_offset, run->io.size, run->io.count, stdout);
    return true;
}

/* [run] */
static enum status run_guest(struct machine *machine, struct view *view,
                             const struct options *options)
{
    struct vcpu *vcpu = &machine->vcpu;

    for (;;) {
        /* Armed anew each time: an exit may have cost the guest its trap flag. */
        if (options->count_exits && !replay_single_step(vcpu))
            die("KVM_SET_GUEST_DEBUG failed: %s (--count-exits needs it)", strerror(errno));
        if (!vcpu_run(vcpu)) {
            stop_report(vcpu, options->limit);
            return STATUS_STOPPED;
        }
        if (options->trace && vcpu->run->exit_reason != KVM_EXIT_DEBUG)
            exit_describe(stderr, vcpu->run);

        switch (vcpu->run->exit_reason) {
        case KVM_EXIT_HLT: return STATUS_HALTED;
        case KVM_EXIT_MMIO: /* a hole, or a write to ROM: nobody answers */
            if (!vcpu->run->mmio.is_write)
                memset(vcpu->run->mmio.data, 0xff, sizeof vcpu->run->mmio.data);
            continue;
        case KVM_EXIT_DEBUG: /* --count-exits: one instruction is done */
            replay_step(&view->replay, vcpu, &machine->features);
            if (view->replay.halted)
                return STATUS_HALTED;
            continue;
        case KVM_EXIT_DIRTY_RING_FULL: harvest(machine, view, options); continue;
        case KVM_EXIT_IO:
            if (answer_port(machine, view, options))
                continue;
            break;
        case KVM_EXIT_SHUTDOWN: exit_report(stderr, &machine->vm, vcpu); return STATUS_TRIPLE_FAULT;
        }
        exit_report(stderr, &machine->vm, vcpu);
        return STATUS_UNHANDLED;
    }
}
/* [/run] */

static void start_views(struct machine *machine, struct view *view, const struct options *options)
{
    int error = 0;

    if (options->heat)
        error = dirty_init(&view->dirty, &machine->slots, SLOT_RAM, &machine->vcpu,
                           options->ring ? RING_ENTRIES : 0);
    if (!error && options->heat)
        error = heat_init(&view->heat, RAM_SIZE / GUEST_PAGE_SIZE);
    if (!error && options->count_exits)
        error = replay_init(&view->replay, &machine->slots);
    if (error)
        die("cannot start watching the guest: %s", strerror(-error));
}

static void report(struct machine *machine, struct view *view, const struct options *options)
{
    if (options->heat && !options->every_frame)
        heat_print(stdout, &view->heat, HEAT_FIRST, HEAT_COUNT, HEAT_COLUMNS,
                   isatty(STDOUT_FILENO));
    if (options->count_exits)
        replay_print(stdout, &view->replay);
    if (options->dump) {
        struct paging paging = paging_of(&machine->vcpu, &machine->features);

        (options->json ? dump_walk_json : dump_walk_text)(
            stdout, &machine->slots, &paging, options->dump_address, options->dump_access);
    }
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct machine machine;
    struct view view = {0};

    machine_init(&machine, options.heat ? SLOT_LOG_DIRTY : 0, options.ring ? RING_ENTRIES : 0);
    payload_load(&machine.vm.memory, GUEST_START, PAYLOAD_MAX, options.payload, demand_bin,
                 (size_t)(demand_bin_end - demand_bin));
    start_views(&machine, &view, &options);
    if (options.slots)
        machine_print_slots(&machine);

    stop_arm(&machine.vcpu, options.limit);

    enum status status = run_guest(&machine, &view, &options);

    fflush(stdout);
    report(&machine, &view, &options);
    dirty_free(&view.dirty);
    heat_free(&view.heat);
    replay_free(&view.replay);
    machine_free(&machine);
    return status;
}
