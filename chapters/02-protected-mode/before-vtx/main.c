/*
 * main.c: before-vtx, the program about the years without hardware virtualization.
 *
 * It needs no KVM: a process is ring 3, and ring 3 is where a guest's kernel had to run.
 * "try" asks this processor which sensitive instructions trap, "scan" looks for them in
 * a payload, "run" executes a ring-0 payload deprivileged, with or without patches, and
 * "cost" compares what a trap and a VM exit cost (that one does need KVM).
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "02-protected-mode/before-vtx/cost.h"
#include "02-protected-mode/before-vtx/deprive.h"
#include "02-protected-mode/before-vtx/sensitive.h"
#include "02-protected-mode/before-vtx/trials.h"
#include "common/bits.h"
#include "common/die.h"
#include "common/embed.h"
#include "common/file.h"

EMBED(deprived_bin, "02-protected-mode/deprived.bin");

#define RUN_SECONDS 10u

enum status {
    STATUS_HALTED = 0,
    STATUS_HOST = 1,    /* the host refused something (die) */
    STATUS_CRASHED = 3, /* the payload made a fault that no emulation explains */
    STATUS_UNKNOWN = 4, /* a sensitive instruction without emulation */
    STATUS_KILLED = 5,  /* the payload made a system call, or the time was up */
};

static void print_help(void)
{
    printf("usage: before-vtx try\n"
           "       before-vtx scan [PAYLOAD]\n"
           "       before-vtx run [--patch] [PAYLOAD]\n"
           "       before-vtx cost\n"
           "\n"
           "  try   execute sensitive instructions in this process; which ones trap?\n"
           "  scan  list those of PAYLOAD, position-independent 64-bit code of at most\n"
           "        %u bytes (without PAYLOAD: a built-in kernel)\n"
           "  run   execute PAYLOAD in ring 3, and emulate what traps;\n"
           "        --patch makes the silent ones trap first\n"
           "  cost  measure a trap in a process and a VM exit\n"
           "\n"
           "exit status: 0 all right (run: the payload halted), 1 the host refused,\n"
           "             3 the payload crashed, 4 an instruction without emulation,\n"
           "             5 killed: a system call, or %u seconds were up\n",
           DEPRIVE_MAX, RUN_SECONDS);
}

/* The payload's bytes: of the file, or a copy of the built-in one. Release with free(). */
static uint8_t *read_payload(const char *path, size_t *size)
{
    struct refusal why;
    uint8_t *bytes;

    if (!path) {
        *size = (size_t)(deprived_bin_end - deprived_bin);
        bytes = malloc(*size);
        if (!bytes)
            die("no memory for the payload");
        return memcpy(bytes, deprived_bin, *size);
    }
    if (file_read_all(path, DEPRIVE_MAX, &bytes, size, &why) < 0)
        die("payload %s: %s", path, why.text);
    if (*size == 0)
        die("payload %s: empty; assemble one with 'nasm -f bin -o %s FILE.asm'", path, path);
    return bytes;
}

static enum status scan_payload(const char *path)
{
    unsigned silent = 0;
    struct scan found;
    size_t size;
    uint8_t *bytes = read_payload(path, &size);

    if (scan(bytes, size, &found) < 0)
        die("no memory for the list of instructions");
    for (unsigned i = 0; i < found.count; i++) {
        silent += found.sites[i].kind == SILENT;
        printf("0x%04x  %-6s  %s\n", found.sites[i].offset,
               found.sites[i].kind == SILENT ? "silent" : "traps", found.sites[i].name);
    }
    printf("%u trap, %u are silent; %u bytes decode to nothing\n", found.count - silent, silent,
           found.unknown);
    scan_free(&found);
    free(bytes);
    return STATUS_HALTED;
}

static enum status explain(const struct deprive_report *report)
{
    fflush(stdout);
    fprintf(stderr, "%u trapped, %u patched to trap\n", report->trapped, report->patched);
    switch (report->end) {
    case DEPRIVE_HALTED: return STATUS_HALTED;
    case DEPRIVE_CRASHED:
        warn("the payload crashed at offset 0x%llx: no sensitive instruction is there",
             (unsigned long long)report->offset);
        return STATUS_CRASHED;
    case DEPRIVE_UNKNOWN:
        warn("the payload's %s at offset 0x%llx is one this monitor does not emulate", report->name,
             (unsigned long long)report->offset);
        return STATUS_UNKNOWN;
    case DEPRIVE_KILLED: break;
    }
    warn("the payload was killed (%s): a system call of its own, or more than %u s",
         strsignal(report->signal), RUN_SECONDS);
    return STATUS_KILLED;
}

static enum status run_payload(const char *path, bool patch)
{
    struct deprive_report report;
    size_t size;
    uint8_t *bytes = read_payload(path, &size);
    int error = deprive_run(bytes, size, patch, RUN_SECONDS, STDOUT_FILENO, &report);

    free(bytes);
    if (error < 0)
        die("cannot run a payload in a child: %s", strerror(-error));
    return explain(&report);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"patch", no_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *command, *payload;
    bool patch = false;
    int option;

    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'p': patch = true; break;
        case 'h': print_help(); return STATUS_HALTED;
        default: /* getopt has named what it did not like */
            fprintf(stderr, "before-vtx: 'before-vtx --help' lists commands and options\n");
            return STATUS_HOST;
        }
    }
    command = optind < argc ? argv[optind] : "try";
    payload = optind + 1 < argc ? argv[optind + 1] : NULL;
    if (optind + 2 < argc)
        die("one payload at most, but \"%s\" follows \"%s\"", argv[optind + 2], payload);

    if (strcmp(command, "try") == 0) {
        trials_print(stdout);
        return STATUS_HALTED;
    }
    if (strcmp(command, "scan") == 0)
        return scan_payload(payload);
    if (strcmp(command, "run") == 0)
        return run_payload(payload, patch);
    if (strcmp(command, "cost") == 0) {
        cost_print(stdout);
        return STATUS_HALTED;
    }
    die("no command \"%s\"; 'before-vtx --help' lists them", command);
}
