/*
 * rings.c: rings, the program that runs a kernel and its ring 3, and answers its calls.
 *
 * The machine of board.h, entered in 64-bit mode; hypercalls behind a port; CPUID
 * leaves that say so. The guests are guest/kernel.inc with a different program on top.
 * A triple fault gets an autopsy.
 *
 * Left out on purpose: interrupts from outside (chapter 4), and a kernel of any use.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "01-kvm-hello/payload.h"
#include "01-kvm-hello/stop.h"
#include "02-protected-mode/autopsy.h"
#include "02-protected-mode/board.h"
#include "02-protected-mode/entry.h"
#include "02-protected-mode/hypercall.h"
#include "02-protected-mode/identity.h"
#include "02-protected-mode/launch.h"
#include "common/die.h"
#include "common/embed.h"

EMBED(privilege_bin, "02-protected-mode/privilege.bin");

#define STACK_SIZE  (4 * KIB) /* kept free above the payload */
#define PAYLOAD_MAX (ENTRY_STACK - STACK_SIZE - ENTRY_PAYLOAD)

static void print_help(void)
{
    printf("usage: rings [OPTION...] [PAYLOAD]\n"
           "\n"
           "Runs a small 64-bit kernel with a program in ring 3. Without PAYLOAD (a flat\n"
           "binary for 0x1000, at most %llu bytes), one that tries what ring 3 may not.\n"
           "Port 0x%x takes hypercalls; CPUID leaf 0x%x says so.\n"
           "\n"
           "  --watch          single-step; print each change of mode or ring\n"
           "  --step           ... and each instruction\n"
           "  --limit SECONDS  stop the guest after so much time\n"
           "  --help           print this\n"
           "\n"
           "exit status: 0 the guest halted, 1 the host refused, 3 triple fault,\n"
           "             4 an exit without an answer, 5 stopped by Ctrl-C or --limit,\n"
           "             6 registers that contradict each other\n",
           (unsigned long long)PAYLOAD_MAX, HYPERCALL_PORT, IDENTITY_BASE);
}

static const char *parse_options(int argc, char **argv, struct board_options *options)
{
    static const struct option known[] = {
        {"watch", no_argument, NULL, 'w'},
        {"step", no_argument, NULL, 's'},
        {"limit", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'w': options->watch = true; break;
        case 's': options->step = true; break;
        case 'l': options->limit = stop_parse_limit(optarg); break;
        case 'h': print_help(); exit(EXIT_SUCCESS);
        default: /* getopt has named what it did not like */
            fprintf(stderr, "rings: 'rings --help' lists the options\n");
            exit(EXIT_FAILURE);
        }
    }
    if (argc - optind > 1)
        die("one payload at most, but \"%s\" follows \"%s\"", argv[optind + 1], argv[optind]);
    return argv[optind];
}

static void to_stdout(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    fwrite(bytes, 1, count, stdout);
}

/* [port] */
/* A 32-bit IN from the port is a hypercall; its registers are in board->regs already. */
static bool answer_hypercall(void *self, struct board *board, struct kvm_run *run)
{
    const struct kvm_regs *regs = &board->regs;
    int32_t answer;

    if (run->io.port != HYPERCALL_PORT || run->io.direction != KVM_EXIT_IO_IN ||
        run->io.size != sizeof answer || run->io.count != 1)
        return false;
    answer = hypercall(self, regs->rdi, regs->rsi, regs->rcx);
    memcpy((uint8_t *)run + run->io.data_offset, &answer, sizeof answer);
    return true;
}
/* [/port] */

static void tell_who_we_are(const struct board *board)
{
    struct kvm_cpuid2 *kvms = vm_supported_cpuid(&board->vm), *ours = identity_add(kvms);

    if (!ours)
        die("no memory for %u CPUID leaves", kvms->nent + 2);
    vcpu_set_cpuid(&board->vcpu, ours);
    free(ours);
    free(kvms);
}

int main(int argc, char **argv)
{
    struct board_options options = {0};
    const char *payload = parse_options(argc, argv, &options);
    struct hypercalls calls = {.sink = to_stdout};
    enum board_status status;
    struct board board;
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    board_init(&board, &options, ENTRY_RAM);
    tell_who_we_are(&board);
    calls.memory = &board.vm.memory;
    board.port = answer_hypercall;
    board.self = &calls;

    payload_load(&board.vm.memory, ENTRY_PAYLOAD, PAYLOAD_MAX, payload, privilege_bin,
                 (size_t)(privilege_bin_end - privilege_bin));
    entry_tables(&board.vm.memory);
    vcpu_get_sregs(&board.vcpu, &sregs);
    entry_long(&regs, &sregs);
    if (launch_load(&board.vcpu, &regs, &sregs) < 0)
        die("this KVM does not enter 64-bit mode directly; see 'modes --entry vmm'");

    status = board_run(&board);
    if (status == BOARD_TRIPLE_FAULT)
        autopsy_print(stderr, &board.vm.memory, &board.regs, &board.sregs);
    board_free(&board);
    return status;
}
