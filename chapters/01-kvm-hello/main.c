/*
 * main.c: the program of chapter 1, on the wrappers that all later chapters use.
 *
 * The machine: one processor in real mode, 64 KiB of memory, and one port. Bytes
 * written to port 0xe9 go to standard output; a 16-bit read gives the next byte of
 * standard input, or 0xffff at its end. (Bochs and QEMU print what a guest writes
 * to 0xe9, too; reading it is our own idea.)
 *
 * Left out on purpose: every other device (chapter 4), every other processor mode
 * (chapter 2), every other memory layout (chapter 3).
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "01-kvm-hello/exits.h"
#include "01-kvm-hello/kvm.h"
#include "01-kvm-hello/payload.h"
#include "01-kvm-hello/stop.h"
#include "common/bits.h"
#include "common/die.h"
#include "common/embed.h"

#define RAM_SIZE    (64 * KIB)
#define GUEST_START 0x1000u
#define STACK_SIZE  (4 * KIB) /* kept free above the payload */
#define PAYLOAD_MAX (RAM_SIZE - GUEST_START - STACK_SIZE)
#define TEXT_PORT   0xe9u
#define NO_BYTE     0xffffu /* what IN AX, 0xe9 gives at the end of the input */

EMBED(hello_bin, "01-kvm-hello/hello.bin");

/* [status] */
/* What the exit status says; --help prints the same list. */
enum status {
    STATUS_HALTED = 0,       /* the guest executed HLT */
    STATUS_HOST = 1,         /* the host refused something (die) */
    STATUS_TRIPLE_FAULT = 3, /* the guest crashed its processor */
    STATUS_UNHANDLED = 4,    /* an exit this program has no answer to */
    STATUS_STOPPED = 5,      /* Ctrl-C or --limit */
};
/* [/status] */

struct options {
    const char *payload; /* NULL: the built-in guest */
    double limit;        /* seconds; 0 for none */
    bool registers;
    bool trace;
};

static void print_help(void)
{
    printf("usage: hello [--limit SECONDS] [--registers] [--trace] [PAYLOAD]\n"
           "\n"
           "Runs PAYLOAD, a flat binary of at most %llu bytes, in 16-bit real mode at\n"
           "0x%x with 64 KiB of memory. Without PAYLOAD, runs a guest that says hello.\n"
           "Port 0xe9: OUT prints a byte; IN AX reads one (0xffff at the end).\n"
           "\n"
           "  --limit SECONDS  stop the guest after so much time\n"
           "  --registers      print the registers when the guest stops\n"
           "  --trace          print each exit as it happens\n"
           "  --help           print this\n"
           "\n"
           "exit status: 0 the guest halted, 1 the host refused, 3 triple fault,\n"
           "             4 an exit without an answer, 5 stopped by Ctrl-C or --limit\n",
           (unsigned long long)PAYLOAD_MAX, GUEST_START);
}

static struct options parse_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"limit", required_argument, NULL, 'l'},
        {"registers", no_argument, NULL, 'r'},
        {"trace", no_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct options options = {0};
    int option;

    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'l': options.limit = stop_parse_limit(optarg); break;
        case 'r': options.registers = true; break;
        case 't': options.trace = true; break;
        case 'h': print_help(); exit(EXIT_SUCCESS);
        default: /* getopt has named what it did not like */
            fprintf(stderr, "hello: 'hello --help' lists the options\n");
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind > 1)
        die("one payload at most, but \"%s\" follows \"%s\"", argv[optind + 1], argv[optind]);
    options.payload = argv[optind];
    return options;
}

/* [port] */
/*
 * Answers an access to a port. REP INS makes one exit of many accesses: the items
 * stand one behind the other in kvm_run, all for the same port.
 */
static bool answer_port(struct kvm_run *run)
{
    uint8_t *item = (uint8_t *)run + run->io.data_offset;

    if (run->io.port != TEXT_PORT)
        return false;
    if (run->io.direction == KVM_EXIT_IO_OUT) {
        fwrite(item, run->io.size, run->io.count, stdout);
        return true;
    }
    if (run->io.size != sizeof(uint16_t))
        return false;
    fflush(stdout); /* a prompt should stand there before we wait */
    for (unsigned i = 0; i < run->io.count; i++, item += sizeof(uint16_t)) {
        int byte = getchar();
        uint16_t value = byte == EOF ? NO_BYTE : (uint16_t)byte;

        memcpy(item, &value, sizeof value);
    }
    return true;
}
/* [/port] */

/* [run] */
static enum status run_guest(const struct vm *vm, struct vcpu *vcpu, const struct options *options)
{
    for (;;) {
        if (!vcpu_run(vcpu)) {
            stop_report(vcpu, options->limit);
            return STATUS_STOPPED;
        }
        if (options->trace)
            exit_describe(stderr, vcpu->run);

        switch (vcpu->run->exit_reason) {
        case KVM_EXIT_HLT: return STATUS_HALTED;
        case KVM_EXIT_IO:
            if (answer_port(vcpu->run))
                continue;
            break;
        case KVM_EXIT_SHUTDOWN: exit_report(stderr, vm, vcpu); return STATUS_TRIPLE_FAULT;
        }
        exit_report(stderr, vm, vcpu);
        return STATUS_UNHANDLED;
    }
}
/* [/run] */

/* [main] */
int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    struct vm vm;
    struct vcpu vcpu;

    vm_init(&vm);
    vm_add_ram(&vm, 0, RAM_SIZE);
    payload_load(&vm.memory, GUEST_START, PAYLOAD_MAX, options.payload, hello_bin,
                 (size_t)(hello_bin_end - hello_bin));
    vcpu_init(&vcpu, &vm, 0);
    vcpu_set_real_mode(&vcpu, GUEST_START);
    stop_arm(&vcpu, options.limit);

    enum status status = run_guest(&vm, &vcpu, &options);

    fflush(stdout);
    if (options.registers) {
        struct kvm_regs regs;
        struct kvm_sregs sregs;

        vcpu_get_regs(&vcpu, &regs);
        vcpu_get_sregs(&vcpu, &sregs);
        registers_print(stdout, &regs, &sregs);
    }
    vcpu_free(&vcpu);
    vm_free(&vm);
    return status;
}
/* [/main] */
