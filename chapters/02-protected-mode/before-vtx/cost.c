/*
 * cost.c: see cost.h.
 *
 * The trap is an UD2 whose handler steps over it: into the kernel, out to the handler,
 * sigreturn into the kernel, out to the program; what before-vtx pays for each emulated
 * instruction. The exits are guest/exits.asm. Left out on purpose: what emulating costs
 * once we are there, and the cold caches a real guest leaves behind.
 */
#define _GNU_SOURCE
#include "01-kvm-hello/payload.h"
#include "02-protected-mode/before-vtx/cost.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "02-protected-mode/board.h"
#include "02-protected-mode/entry.h"
#include "02-protected-mode/launch.h"
#include "common/embed.h"

EMBED(exits_bin, "02-protected-mode/exits.bin");

#define SAMPLES  101u
#define BATCH    200u /* round trips in a sample */
#define UD2_SIZE 2
#define CPUIDS   10u /* between two OUTs of exits.asm */

static double now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double cost_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* The median time of one round trip. */
static double measure(void (*round_trip)(void *), void *argument, unsigned batch)
{
    double samples[SAMPLES];

    for (unsigned i = 0; i < SAMPLES; i++) {
        double start = now_ns();

        for (unsigned j = 0; j < batch; j++)
            round_trip(argument);
        samples[i] = (now_ns() - start) / batch;
    }
    return cost_median(samples, SAMPLES);
}

__attribute__((noinline)) static void call(void *unused)
{
    __asm__ volatile("" : : "r"(unused) : "memory");
}

static void system_call(void *unused)
{
    (void)unused;
    syscall(SYS_getppid);
}

static void step_over(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += UD2_SIZE;
}

static void trap(void *unused)
{
    (void)unused;
    __asm__ volatile("ud2" : : : "memory");
}

static void run_to_exit(void *vcpu)
{
    vcpu_run(vcpu);
}

/* Both kinds of exit, in nanoseconds; false if there is no KVM here to measure. */
static bool measure_exits(double *to_us, double *to_kvm)
{
    const struct board_options options = {0};
    struct board board;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    double ten;

    if (fd < 0)
        return false;
    close(fd);
    board_init(&board, &options, ENTRY_RAM);
    payload_load(&board.vm.memory, ENTRY_PAYLOAD, GUEST_PAGE_SIZE, NULL, exits_bin,
                 (size_t)(exits_bin_end - exits_bin));
    entry_tables(&board.vm.memory);
    vcpu_get_sregs(&board.vcpu, &sregs);
    entry_long(&regs, &sregs);
    if (launch_load(&board.vcpu, &regs, &sregs) < 0) {
        board_free(&board);
        return false;
    }
    *to_us = measure(run_to_exit, &board.vcpu, BATCH);
    regs.rbx = 1;
    launch_load(&board.vcpu, &regs, &sregs);
    ten = measure(run_to_exit, &board.vcpu, BATCH);
    *to_kvm = (ten - *to_us) / CPUIDS;
    board_free(&board);
    return true;
}

static void print_row(FILE *out, const char *name, double ns, double call_ns)
{
    fprintf(out, "%-44s %10.0f ns %9.0f\n", name, ns, ns / call_ns);
}

void cost_print(FILE *out)
{
    struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO}, before;
    double calls, syscalls, traps, to_us, to_kvm;

    calls = measure(call, NULL, BATCH * 100);
    syscalls = measure(system_call, NULL, BATCH);
    sigaction(SIGILL, &action, &before);
    traps = measure(trap, NULL, BATCH);
    sigaction(SIGILL, &before, NULL);

    fprintf(out, "%-44s %13s %9s\n", "round trip (median)", "time", "calls");
    print_row(out, "a function call", calls, calls);
    print_row(out, "a system call (getppid)", syscalls, calls);
    print_row(out, "a trap in a process (UD2, SIGILL, sigreturn)", traps, calls);
    if (!measure_exits(&to_us, &to_kvm)) {
        fprintf(out, "a VM exit: not measured, there is no usable /dev/kvm here\n");
        return;
    }
    print_row(out, "a VM exit that KVM answers (CPUID)", to_kvm, calls);
    print_row(out, "a VM exit that we answer (OUT)", to_us, calls);
    fprintf(out, "trap / VM exit answered by us: %.2f, by KVM: %.2f\n", traps / to_us,
            traps / to_kvm);
}
