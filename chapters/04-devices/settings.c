/* settings.c: see settings.h. */
#define _GNU_SOURCE
#include "04-devices/settings.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "01-kvm-hello/stop.h"
#include "04-devices/ending.h"
#include "04-devices/trace.h"
#include "common/die.h"

static void print_help(uint64_t guest_max)
{
    printf("usage: devices [OPTION]... [GUEST]\n"
           "\n"
           "Runs GUEST, a flat binary of at most %llu bytes, in 32-bit protected mode at\n"
           "0x1000 on a small PC, its serial port on this terminal. Without GUEST, runs one\n"
           "that says hello.\n"
           "\n"
           "  --irqchip=kernel  interrupt controllers and timer are KVM's (default)\n"
           "  --irqchip=user    ... are ours: two 8259, an 8254, and no APIC\n"
           "  --screen          this terminal is the PC's text screen and keyboard\n"
           "  --debug-exit      a write of N to port 0xf4 ends the run with status N*2+1\n"
           "  --limit SECONDS   stop the guest after so much time\n"
           "  --trace FILE      write the last %u exits to FILE, for ui.perfetto.dev\n"
           "  --stats           count exits; print the counts at the end and on SIGUSR1\n"
           "  --help            this text\n"
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
           (unsigned long long)guest_max, TRACE_SLOTS, STATUS_OFF, STATUS_REFUSED, STATUS_RESET,
           STATUS_CRASH, STATUS_STUCK, STATUS_LIMIT);
}

static enum irqchip parse_irqchip(const char *text)
{
    if (strcmp(text, "kernel") == 0)
        return IRQCHIP_KERNEL;
    if (strcmp(text, "user") == 0)
        return IRQCHIP_USER;
    die("--irqchip=%s: not one of kernel and user", text);
}

struct settings settings_parse(int argc, char **argv, uint64_t guest_max)
{
    static const struct option known[] = {
        {"irqchip", required_argument, NULL, 'i'}, {"screen", no_argument, NULL, 'S'},
        {"debug-exit", no_argument, NULL, 'd'},    {"limit", required_argument, NULL, 'l'},
        {"trace", required_argument, NULL, 't'},   {"stats", no_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    struct settings settings = {0};
    int option;

    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'i': settings.irqchip = parse_irqchip(optarg); break;
        case 'S': settings.screen = true; break;
        case 'd': settings.debug_exit = true; break;
        case 'l': settings.limit = stop_parse_limit(optarg); break;
        case 't': settings.trace = optarg; break;
        case 's': settings.stats = true; break;
        case 'h': print_help(guest_max); exit(EXIT_SUCCESS);
        default: /* getopt has named what it did not like */
            fprintf(stderr, "devices: 'devices --help' lists the options\n");
            exit(STATUS_REFUSED);
        }
    }
    if (argc - optind > 1)
        die("one guest at most, but \"%s\" follows \"%s\"", argv[optind + 1], argv[optind]);
    settings.guest = argv[optind];
    return settings;
}
