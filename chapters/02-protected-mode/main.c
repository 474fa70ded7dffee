/*
 * main.c: modes, the program that enters each mode of an x86, by either door.
 *
 * --entry guest starts in real mode, and the guest climbs; --entry vmm starts at the
 * top, with tables and registers that we made (entry.c). While it runs, each change of
 * mode is printed, found by single-stepping. --dump writes the starting state as text,
 * --check judges such a text, --start begins with it.
 *
 * Left out on purpose: rings other than 0 and every exception (rings.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "01-kvm-hello/payload.h"
#include "01-kvm-hello/stop.h"
#include "02-protected-mode/board.h"
#include "02-protected-mode/entry.h"
#include "02-protected-mode/launch.h"
#include "02-protected-mode/sregs_check.h"
#include "02-protected-mode/sregs_dump.h"
#include "common/die.h"
#include "common/embed.h"
#include "common/file.h"

EMBED(real_bin, "02-protected-mode/real.bin");
EMBED(protected_bin, "02-protected-mode/protected.bin");
EMBED(long_bin, "02-protected-mode/long.bin");
EMBED(flat32_bin, "02-protected-mode/flat32.bin");
EMBED(flat64_bin, "02-protected-mode/flat64.bin");

#define STACK_SIZE  (4 * KIB) /* kept free above the payload */
#define PAYLOAD_MAX (ENTRY_STACK - STACK_SIZE - ENTRY_PAYLOAD)
#define DUMP_MAX    (64 * KIB)

enum mode { REAL, PROTECTED, LONG };
enum entry { GUEST, VMM };

struct options {
    struct board_options board;
    enum mode mode;
    enum entry entry;
    const char *dump, *check, *start, *payload;
};

static void print_help(void)
{
    printf("usage: modes [OPTION...] [PAYLOAD]\n"
           "       modes --check FILE\n"
           "\n"
           "Runs a guest in a mode of the processor. Without PAYLOAD (a flat binary for\n"
           "0x1000, at most %llu bytes), a built-in guest for that mode and entry.\n"
           "\n"
           "  --mode real|protected|long  the mode to end in (long)\n"
           "  --entry guest|vmm           who makes the way there (guest: from real mode)\n"
           "  --watch                     single-step; print each change of mode\n"
           "  --step                      ... and each instruction\n"
           "  --dump FILE                 write the starting state to FILE (-: output); no run\n"
           "  --check FILE                judge such a state by the manual; no run, no KVM\n"
           "  --start FILE                start with such a state instead\n"
           "  --limit SECONDS             stop the guest after so much time\n"
           "  --help                      print this\n"
           "\n"
           "exit status: 0 the guest halted, 1 the host refused, 3 triple fault,\n"
           "             4 an exit without an answer, 5 stopped by Ctrl-C or --limit,\n"
           "             6 registers that contradict each other (also --check)\n",
           (unsigned long long)PAYLOAD_MAX);
}

static unsigned parse_word(const char *option, const char *text, const char *const words[])
{
    for (unsigned i = 0; words[i]; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    die("--%s %s: not one of those that 'modes --help' lists", option, text);
}

static struct options parse_options(int argc, char **argv)
{
    static const char *const modes[] = {"real", "protected", "long", NULL};
    static const char *const entries[] = {"guest", "vmm", NULL};
    static const struct option known[] = {
        {"mode", required_argument, NULL, 'm'},  {"entry", required_argument, NULL, 'e'},
        {"watch", no_argument, NULL, 'w'},       {"step", no_argument, NULL, 's'},
        {"dump", required_argument, NULL, 'd'},  {"check", required_argument, NULL, 'c'},
        {"start", required_argument, NULL, 'S'}, {"limit", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},        {0},
    };
    struct options options = {.mode = LONG, .entry = GUEST};
    int option;

    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'm': options.mode = parse_word("mode", optarg, modes); break;
        case 'e': options.entry = parse_word("entry", optarg, entries); break;
        case 'w': options.board.watch = true; break;
        case 's': options.board.step = true; break;
        case 'd': options.dump = optarg; break;
        case 'c': options.check = optarg; break;
        case 'S': options.start = optarg; break;
        case 'l': options.board.limit = stop_parse_limit(optarg); break;
        case 'h': print_help(); exit(EXIT_SUCCESS);
        default: /* getopt has named what it did not like */
            fprintf(stderr, "modes: 'modes --help' lists the options\n");
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind > 1)
        die("one payload at most, but \"%s\" follows \"%s\"", argv[optind + 1], argv[optind]);
    options.payload = argv[optind];
    return options;
}

static void read_state(const char *path, struct kvm_regs *regs, struct kvm_sregs *sregs)
{
    struct refusal why;
    uint8_t *bytes;
    size_t size;
    char *text;

    if (file_read_all(path, DUMP_MAX, &bytes, &size, &why) < 0)
        die("%s: %s", path, why.text);
    text = strndup((const char *)bytes, size);
    free(bytes);
    if (!text)
        die("no memory for %s", path);
    if (sregs_parse(text, regs, sregs, &why) < 0)
        die("%s: %s", path, why.text);
    free(text);
}

static enum board_status check_state(const char *path)
{
    struct sregs_findings found;
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    read_state(path, &regs, &sregs);
    sregs_check(&regs, &sregs, &found);
    sregs_findings_print(stdout, &found);
    return sregs_refused(&found) ? BOARD_REFUSED : BOARD_HALTED;
}

static void dump_state(const char *path, const struct kvm_regs *regs, const struct kvm_sregs *sregs)
{
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");

    if (!out)
        die("--dump %s: %s", path, strerror(errno));
    sregs_dump(out, regs, sregs);
    if (out != stdout ? fclose(out) != 0 : fflush(out) != 0)
        die("--dump %s: %s", path, strerror(errno));
}

static void load_guest(struct board *board, const struct options *options)
{
    static const struct {
        const uint8_t *start, *end;
    } guests[3][2] = {
        [REAL] = {{real_bin, real_bin_end}, {real_bin, real_bin_end}},
        [PROTECTED] = {{protected_bin, protected_bin_end}, {flat32_bin, flat32_bin_end}},
        [LONG] = {{long_bin, long_bin_end}, {flat64_bin, flat64_bin_end}},
    };
    const uint8_t *start = guests[options->mode][options->entry].start;
    const uint8_t *end = guests[options->mode][options->entry].end;

    payload_load(&board->vm.memory, ENTRY_PAYLOAD, PAYLOAD_MAX, options->payload, start,
                 (size_t)(end - start));
}

/* The registers to start with: real mode at the payload, or the top of the stairs. */
static void choose_state(struct board *board, const struct options *options, struct kvm_regs *regs,
                         struct kvm_sregs *sregs)
{
    vcpu_set_real_mode(&board->vcpu, ENTRY_PAYLOAD);
    vcpu_get_regs(&board->vcpu, regs);
    vcpu_get_sregs(&board->vcpu, sregs);
    if (options->entry == VMM && options->mode == PROTECTED)
        entry_protected(regs, sregs);
    if (options->entry == VMM && options->mode == LONG)
        entry_long(regs, sregs);
    if (options->start)
        read_state(options->start, regs, sregs);
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    enum board_status status;
    struct board board;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    int error;

    if (options.check)
        return check_state(options.check);

    board_init(&board, &options.board, ENTRY_RAM);
    load_guest(&board, &options);
    if (options.entry == VMM || options.start)
        entry_tables(&board.vm.memory);
    choose_state(&board, &options, &regs, &sregs);
    if (options.dump) {
        dump_state(options.dump, &regs, &sregs);
        return BOARD_HALTED;
    }

    error = launch_load(&board.vcpu, &regs, &sregs);
    if (error < 0) {
        warn("KVM_SET_SREGS refused the state: %s", strerror(-error));
        launch_explain(stderr, &regs, &sregs);
        status = BOARD_REFUSED;
    } else {
        status = board_run(&board);
    }
    /* Not every maker checks every rule at the door: some states enter, and crash. */
    if (options.start && (status == BOARD_TRIPLE_FAULT || status == BOARD_UNHANDLED)) {
        fprintf(stderr, "it was started from %s: ", options.start);
        launch_explain(stderr, &regs, &sregs);
    }
    board_free(&board);
    return status;
}
