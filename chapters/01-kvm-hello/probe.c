/*
 * probe.c: see probe.h.
 *
 * The guest runs in a child: if KVM_RUN fails there the wrappers end the child
 * (die), not the doctor; if it hangs, the alarm ends it.
 */
#define _GNU_SOURCE
#include "01-kvm-hello/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "01-kvm-hello/kvm.h"
#include "common/bits.h"
#include "common/embed.h"

#define RAM_SIZE    (64 * KIB)
#define GUEST_START 0x1000u
#define STEP_PORT   0x80u

EMBED(probe_bin, "01-kvm-hello/probe.bin");

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void note_step(struct probe *probe, const struct kvm_run *run, double *loop_start)
{
    unsigned step = *((const uint8_t *)run + run->io.data_offset);

    if (step != (unsigned)probe->step + 1 || step > PROBE_CMPXCHG16B)
        return; /* the steps come in order, or something is very wrong */
    probe->step = (enum probe_step)step;
    if (step == PROBE_LONG)
        *loop_start = now();
    if (step == PROBE_LOOP)
        probe->instructions_per_second = PROBE_LOOP_INSTRUCTIONS / (now() - *loop_start);
}

/* In the child: run the guest to its end, its failure, or the alarm. */
static void run_guest(struct probe *probe, unsigned seconds)
{
    struct kvm_cpuid2 *cpuid;
    sigset_t alarm_only;
    struct vcpu vcpu;
    struct vm vm;
    double loop_start = 0;

    vm_init(&vm);
    vm_add_ram(&vm, 0, RAM_SIZE);
    memcpy(guest_ptr(&vm.memory, GUEST_START, RAM_SIZE - GUEST_START), probe_bin,
           (size_t)(probe_bin_end - probe_bin));
    vcpu_init(&vcpu, &vm, 0);
    vcpu_set_real_mode(&vcpu, GUEST_START);
    cpuid = vm_supported_cpuid(&vm);
    vcpu_set_cpuid(&vcpu, cpuid); /* without the "long mode" bit, EFER.LME is a #GP */
    free(cpuid);

    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm_only, NULL);
    vcpu_interrupt_on(&vcpu, &alarm_only);
    alarm(seconds);

    for (;;) {
        if (!vcpu_run(&vcpu)) {
            probe->timed_out = true;
            return;
        }
        probe->last_exit = vcpu.run->exit_reason;
        if (vcpu.run->exit_reason != KVM_EXIT_IO || vcpu.run->io.port != STEP_PORT)
            return;
        note_step(probe, vcpu.run, &loop_start);
    }
}

int probe_run(struct probe *probe, unsigned seconds)
{
    int ends[2], status;
    ssize_t got;
    pid_t child;

    *probe = (struct probe){0};
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    child = fork();
    if (child < 0) {
        int error = -errno;

        close(ends[0]);
        close(ends[1]);
        return error;
    }
    if (child == 0) {
        run_guest(probe, seconds);
        /* Smaller than a pipe's buffer: written whole or not at all. */
        _exit(write(ends[1], probe, sizeof *probe) == sizeof *probe ? 0 : 1);
    }
    close(ends[1]);
    got = read(ends[0], probe, sizeof *probe);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (got != sizeof *probe) {
        *probe = (struct probe){0};
        return -EIO;
    }
    return 0;
}
