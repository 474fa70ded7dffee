/*
 * bench.c: what an exit costs: KVM's part, our part, and QEMU's in our place.
 *
 * One guest (guest/exitcost.asm) measures each kind of access with its own time stamp
 * counter, in three worlds that take turns: a bare KVM_RUN loop that answers nothing,
 * which is the price of KVM and the processor; our machine, with its lock, bus and
 * device; and QEMU, if it is installed, whose pc-testdev has the same two registers.
 * What is above the bare loop is the VMM's own. Medians of all rounds are shown.
 *
 * It is long because three worlds and a plot are compared in one place.
 *
 * Left out on purpose: HLT under the two VMMs. They sleep; there is nothing to compare.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "02-protected-mode/entry.h"
#include "04-devices/coalesced.h"
#include "04-devices/doorbell.h"
#include "04-devices/event_loop.h"
#include "04-devices/machine.h"
#include "04-devices/signals.h"
#include "04-devices/uart.h"
#include "common/die.h"
#include "common/embed.h"

#define TESTS_AT   0x500 /* as exitcost.asm has it */
#define COUNT_AT   0x504
#define COUNT      8192u /* a multiple of the guest's string of 4096 bytes */
#define TESTS      12u
#define PLOTTED    6u /* the first tests, which QEMU has, too */
#define ROUNDS_MAX 99u
#define COM1       0x3f8
#define END_PORT   0xf4
#define TEXT_MAX   4096u

EMBED(exitcost_bin, "04-devices/exitcost.bin");

enum world { BARE, OURS, QEMU, WORLDS };

static const char *const names[TESTS] = {
    "OUT",
    "IN",
    "MMIO write",
    "MMIO read",
    "REP OUTSB, a byte",
    "REP INSB, a byte",
    "HLT",
    "OUT, ioeventfd",
    "MMIO, ioeventfd",
    "MMIO, collected",
    "OUT, then an interrupt",
    "... without the VMM",
};

/* Nanoseconds; 0: not measured. */
static double results[WORLDS][TESTS][ROUNDS_MAX];
static double ticks_per_ns;

/* What the guest prints: lines of a letter and the ticks of COUNT accesses. */
struct text {
    char bytes[TEXT_MAX];
    size_t size;
};

static void note(struct text *text, const char *bytes, size_t count)
{
    if (count > TEXT_MAX - 1 - text->size)
        count = TEXT_MAX - 1 - text->size;
    memcpy(text->bytes + text->size, bytes, count);
    text->size += count;
    text->bytes[text->size] = '\0';
}

static void read_results(const struct text *text, enum world world, unsigned round, double count)
{
    for (const char *line = text->bytes; line; line = strchr(line, '\n')) {
        uint64_t ticks;
        char letter;

        line += *line == '\n';
        if (sscanf(line, "%c %16" SCNx64, &letter, &ticks) == 2 && letter >= 'a' &&
            letter < 'a' + (char)TESTS)
            results[world][letter - 'a'][round] = (double)ticks / ticks_per_ns / count;
    }
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void find_frequency(void)
{
    double begin = now();
    uint64_t first = __rdtsc();

    while (now() < begin + 5e7)
        continue;
    ticks_per_ns = (double)(__rdtsc() - first) / (now() - begin);
}

static void load_guest(struct vm *vm, const struct vcpu *vcpu, uint32_t tests)
{
    struct kvm_cpuid2 *cpuid = vm_supported_cpuid(vm);
    struct kvm_sregs sregs;
    struct kvm_regs regs;
    uint32_t words[2] = {tests, COUNT};

    vcpu_set_cpuid(vcpu, cpuid);
    free(cpuid);

    memcpy(guest_ptr(&vm->memory, ENTRY_PAYLOAD, 1), exitcost_bin,
           (size_t)(exitcost_bin_end - exitcost_bin));
    memcpy(guest_ptr(&vm->memory, TESTS_AT, sizeof words), words, sizeof words);
    entry_tables(&vm->memory);
    vcpu_get_sregs(vcpu, &sregs);
    entry_protected(&regs, &sregs);
    vcpu_set_sregs(vcpu, &sregs);
    vcpu_set_regs(vcpu, &regs);
}

/* [bare] */
/* Lets the guest run, and does nothing but let it print. */
static void bare_loop(struct vcpu *vcpu, struct text *text)
{
    struct kvm_run *run = vcpu->run;

    for (;;) {
        char *data;

        if (!vcpu_run(vcpu) || run->exit_reason != KVM_EXIT_IO)
            continue;
        if (run->io.port == END_PORT)
            return;
        data = (char *)run + run->io.data_offset;
        if (run->io.port == COM1)
            note(text, data, 1);
        else if (run->io.port == COM1 + UART_LSR)
            *data = UART_LSR_THRE;
    }
}
/* [/bare] */

static void measure_bare(unsigned round, uint32_t tests, bool chips)
{
    struct text text = {.size = 0};
    struct vcpu vcpu;
    struct vm vm;

    vm_init(&vm);
    vm_add_ram(&vm, 0, ENTRY_RAM);
    if (chips)
        irqchip_create(&vm);
    vcpu_init(&vcpu, &vm, 0);
    load_guest(&vm, &vcpu, tests);
    bare_loop(&vcpu, &text);
    vcpu_free(&vcpu);
    vm_free(&vm);
    read_results(&text, BARE, round, COUNT);
}

/* The registers of our machine: one that keeps, one that interrupts, one that ends. */
struct board {
    struct machine machine;
    struct uart uart;
    struct irq_line line;
    uint64_t value;
    struct text text;
};

static uint64_t keep_read(void *self, uint64_t reg, unsigned size)
{
    struct board *board = self;

    (void)reg, (void)size;
    return board->value;
}

static void keep_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct board *board = self;

    (void)reg, (void)size;
    board->value = value;
}

static void interrupt_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct board *board = self;

    (void)reg, (void)size, (void)value;
    irq_set(&board->line, true);
    irq_set(&board->line, false);
}

static void end_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct board *board = self;

    (void)reg, (void)size, (void)value;
    machine_end(&board->machine, ENDING_OFF);
}

static size_t take_text(void *self, const uint8_t *bytes, size_t count)
{
    struct board *board = self;

    note(&board->text, (const char *)bytes, count);
    return count;
}

static void attach(struct board *board)
{
    struct machine *m = &board->machine;

    board->line = machine_irq(m, 5);
    uart_init(&board->uart, machine_irq(m, IRQ_SERIAL_1),
              (struct byte_sink){.put = take_text, .self = board});
    machine_claim_ports(m, "serial", COM1, UART_REGISTERS, 1, uart_read, uart_write, &board->uart);
    machine_claim_ports(m, "register", 0xe0, 4, 4, keep_read, keep_write, board);
    machine_claim_ports(m, "doorbell", 0xe4, 4, 4, keep_read, keep_write, board);
    machine_claim_ports(m, "interrupt", 0xec, 1, 1, keep_read, interrupt_write, board);
    machine_claim_ports(m, "end", END_PORT, 1, 1, keep_read, end_write, board);
    machine_claim_memory(m, "register", 0xff000000, 4096, 4, keep_read, keep_write, board);
    machine_claim_memory(m, "doorbell", 0xfe000000, 4096, 4, keep_read, keep_write, board);
    machine_claim_memory(m, "collected", 0xfd000000, 4096, 4, keep_read, keep_write, board);
}

/* The fast paths; a bit for each test whose path this KVM has. */
static uint32_t attach_fast_paths(struct machine *m, struct doorbell bells[2],
                                  struct coalesced *coalesced, int irq)
{
    struct kvm_ioeventfd direct = {
        .addr = 0xee, .len = 1, .fd = irq, .flags = KVM_IOEVENTFD_FLAG_PIO};
    uint32_t tests = 0;

    bells[0] = (struct doorbell){
        .machine = m, .space = DOORBELL_PORT, .address = 0xe4, .size = 4, .any_value = true};
    bells[1] = (struct doorbell){.machine = m,
                                 .space = DOORBELL_MEMORY,
                                 .address = 0xfe000000,
                                 .size = 4,
                                 .any_value = true};
    for (unsigned i = 0; i < 2; i++)
        if (doorbell_open(&bells[i]) == 0)
            tests |= 1u << ('h' + i - 'a');
    if (coalesced_open(coalesced, m) == 0 && coalesced_add(coalesced, false, 0xfd000000, 4096) == 0)
        tests |= 1u << ('j' - 'a');
    if (irqfd_attach(&m->vm, irq, 6) == 0 && ioctl(m->vm.fd, KVM_IOEVENTFD, &direct) == 0)
        tests |= 1u << ('l' - 'a');
    return tests;
}

static void measure_ours(unsigned round, int signals, int wake)
{
    static struct board board;
    static struct console console;
    struct coalesced coalesced;
    struct doorbell bells[2];
    int irq = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    uint32_t tests = 0x3f | 1u << ('k' - 'a');

    memset(&board, 0, sizeof board);
    console_init(&console, -1, STDERR_FILENO, wake);
    machine_init(&board.machine, wake);
    irqchip_create(&board.machine.vm);
    vm_add_ram(&board.machine.vm, 0, ENTRY_RAM);
    attach(&board);
    machine_add_processor(&board.machine, 0);
    tests |= attach_fast_paths(&board.machine, bells, &coalesced, irq);
    load_guest(&board.machine.vm, &board.machine.processors[0].vcpu, tests);
    console_attach(&console, &board.uart, &board.machine.devices.lock);
    if (event_loop_run(&board.machine, &console, signals) == ENDING_SIGNAL)
        signals_die(signals);
    for (unsigned i = 0; i < 2; i++)
        if (tests & 1u << ('h' + i - 'a'))
            doorbell_close(&bells[i]);
    close(irq);
    console_free(&console);
    machine_free(&board.machine);
    read_results(&board.text, OURS, round, COUNT);
}

/* False: QEMU is not there, or did not get through. */
static bool measure_qemu(unsigned round, const char *build)
{
    struct text text = {.size = 0};
    char command[1024], buffer[256];
    FILE *qemu;
    size_t got;

    snprintf(command, sizeof command,
             "timeout 120 qemu-system-x86_64 -accel kvm -cpu host -m 64 -nodefaults -display none "
             "-serial stdio -device pc-testdev -device isa-debug-exit,iobase=0xf4,iosize=4 "
             "-no-reboot -kernel '%s/04-devices/exitcost-qemu.bin' 2>/dev/null </dev/null",
             build);
    qemu = popen(command, "re");
    if (!qemu)
        return false;
    while ((got = fread(buffer, 1, sizeof buffer, qemu)) > 0)
        note(&text, buffer, got);
    pclose(qemu);
    read_results(&text, QEMU, round, COUNT);
    return results[QEMU][0][round] > 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(enum world world, unsigned test, unsigned rounds)
{
    qsort(results[world][test], rounds, sizeof(double), by_size);
    return results[world][test][rounds / 2];
}

static void print_cell(double ns)
{
    if (ns != 0)
        printf("%9.0f", ns);
    else
        printf("%9s", "-");
}

static void print_table(double ns[WORLDS][TESTS], bool qemu)
{
    printf("nanoseconds for each     a bare  the same      what the\n"
           "access, as the guest    KVM_RUN      with      VMM adds\n"
           "sees it                    loop      ours     QEMU     ours     QEMU\n");
    for (unsigned t = 0; t < TESTS; t++) {
        printf("%-22.22s", names[t]);
        for (unsigned w = 0; w < WORLDS; w++)
            print_cell(ns[w][t]);
        print_cell(ns[BARE][t] != 0 && ns[OURS][t] != 0 ? ns[OURS][t] - ns[BARE][t] : 0);
        print_cell(ns[BARE][t] != 0 && ns[QEMU][t] != 0 ? ns[QEMU][t] - ns[BARE][t] : 0);
        printf("\n");
    }
    if (!qemu)
        printf("SKIP QEMU: qemu-system-x86_64 -accel kvm is not there or did not run the guest\n");
}

/* Two bars for each access: what our VMM and QEMU add to the bare loop. */
static void plot(const char *path, double ns[WORLDS][TESTS])
{
    static const char *const colours[WORLDS] = {[OURS] = "#d9770b", [QEMU] = "#808894"};
    FILE *svg = fopen(path, "we");
    double most = 1;

    if (!svg)
        die("--plot %s: %s", path, strerror(errno));
    for (unsigned t = 0; t < PLOTTED; t++)
        for (unsigned w = OURS; w < WORLDS; w++)
            most = ns[w][t] - ns[BARE][t] > most ? ns[w][t] - ns[BARE][t] : most;
    fprintf(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 300\" "
                 "font-family=\"sans-serif\" font-size=\"13\">\n"
                 "<rect width=\"720\" height=\"300\" fill=\"white\"/>\n"
                 "<text x=\"20\" y=\"286\">nanoseconds that the VMM adds to an access; above: "
                 "ours, below: QEMU</text>\n");
    for (unsigned t = 0; t < PLOTTED; t++) {
        fprintf(svg, "<text x=\"20\" y=\"%u\">%s</text>\n", 38 + t * 42, names[t]);
        for (unsigned w = OURS; w < WORLDS; w++) {
            double adds = ns[w][t] != 0 && ns[w][t] > ns[BARE][t] ? ns[w][t] - ns[BARE][t] : 0;
            unsigned y = 18 + t * 42 + (w - OURS) * 16;

            fprintf(svg,
                    "<rect x=\"160\" y=\"%u\" width=\"%.1f\" height=\"14\" fill=\"%s\"/>\n"
                    "<text x=\"%.1f\" y=\"%u\">%.0f</text>\n",
                    y, adds / most * 480, colours[w], 166 + adds / most * 480, y + 12, adds);
        }
    }
    fprintf(svg, "</svg>\n");
    fclose(svg);
    printf("plot: %s\n", path);
}

int main(int argc, char **argv)
{
    double ns[WORLDS][TESTS];
    const char *build = getenv("BUILD"), *plot_path = NULL;
    unsigned rounds = 5;
    bool qemu = true;
    int signals, wake;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--plot") == 0 && i + 1 < argc) {
            plot_path = argv[++i];
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            rounds = (unsigned)atoi(argv[++i]);
        } else {
            printf("usage: exitcost [--rounds N] [--plot FILE]\n\nMeasures what an exit costs.\n");
            return strcmp(argv[i], "--help") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    if (rounds < 1 || rounds > ROUNDS_MAX)
        die("--rounds: from 1 to %u", ROUNDS_MAX);
    signals = signals_take();
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    find_frequency();
    for (unsigned round = 0; round < rounds; round++) {
        measure_bare(round, 0x3f, true);
        measure_bare(round, 0x40, false);
        measure_ours(round, signals, wake);
        qemu = qemu && measure_qemu(round, build ? build : "build");
    }
    for (unsigned w = 0; w < WORLDS; w++)
        for (unsigned t = 0; t < TESTS; t++)
            ns[w][t] = median(w, t, rounds);
    print_table(ns, qemu);
    if (plot_path)
        plot(plot_path, ns);
    return EXIT_SUCCESS;
}
