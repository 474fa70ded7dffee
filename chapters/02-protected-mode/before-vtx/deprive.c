/*
 * deprive.c: see deprive.h.
 *
 * The child maps 64 KiB for the payload and a stack for signals, takes SIGSEGV, SIGTRAP,
 * SIGILL and SIGBUS, gives up its system calls, and jumps. From then on every line of
 * this file runs in the signal handler, which must not call what is not safe there.
 */
#define _GNU_SOURCE
#include "02-protected-mode/before-vtx/deprive.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "02-protected-mode/before-vtx/pretended.h"
#include "02-protected-mode/before-vtx/sensitive.h"
#include "common/bits.h"

#define SIGNAL_STACK (256 * KIB)

/*
 * Before it calls what does not return, code under AddressSanitizer asks the kernel for
 * its signal stack, and seccomp kills it for that. So the child's handlers go without.
 */
#define NO_SANITIZER __attribute__((no_sanitize("address")))

/* The child's state. One payload per child, so one of it: a handler gets no argument. */
static struct {
    struct pretended cpu;
    struct scan found;
    struct deprive_report report;
    bool patched;
    int out, pipe;
} child;

/* ucontext's names for the registers, in the order of instruction encodings. */
static const int greg_of[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                REG_R12, REG_R13, REG_R14, REG_R15};

/* Ends the child with its report. exit_group() is not among seccomp's four, exit() is. */
NO_SANITIZER __attribute__((noreturn)) static void end(enum deprive_end how)
{
    child.report.end = how;
    if (write(child.pipe, &child.report, sizeof child.report) != sizeof child.report)
        child.report.end = DEPRIVE_KILLED; /* nobody listens any more */
    for (;;)
        syscall(SYS_exit, 0);
}

NO_SANITIZER static void out(void *self, uint16_t port, uint8_t byte)
{
    (void)self;
    if (port == DEPRIVE_PORT && write(child.out, &byte, 1) != 1)
        end(DEPRIVE_KILLED);
}

/* [handler] */
/* A trap. Which instruction was it, and what would it have done in ring 0? */
NO_SANITIZER static void on_trap(int signal, siginfo_t *info, void *context)
{
    greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;
    const struct site *site = NULL;
    struct pretended_regs regs;
    uint8_t code[INSN_MAX];
    const char *name = "";
    struct insn insn;
    uint64_t offset, left;

    (void)info;
    for (unsigned i = 0; i < 16; i++)
        regs.gpr[i] = (uint64_t)gregs[greg_of[i]];
    regs.rip = (uint64_t)gregs[REG_RIP] - (signal == SIGTRAP); /* INT3 is behind us already */
    regs.rflags = (uint64_t)gregs[REG_EFL];

    offset = regs.rip - child.cpu.start;
    child.report.offset = offset - DEPRIVE_PAYLOAD;
    if (offset >= child.cpu.size)
        end(DEPRIVE_CRASHED);
    left = child.cpu.size - offset < INSN_MAX ? child.cpu.size - offset : INSN_MAX;
    memcpy(code, child.cpu.memory + offset, left);
    if (signal == SIGTRAP) {
        site = child.patched ? scan_find(&child.found, child.report.offset) : NULL;
        if (!site || site->kind != SILENT)
            end(DEPRIVE_CRASHED); /* an INT3 of the payload's own */
        code[0] = site->first;    /* what the patch replaced */
    }
    if (!insn_decode(code, left, &insn) || sensitivity(&insn, &name) == INNOCENT)
        end(DEPRIVE_CRASHED);
    strncpy(child.report.name, name, sizeof child.report.name - 1);
    if (!pretended_play(&child.cpu, &regs, &insn))
        end(DEPRIVE_UNKNOWN);
    if (site)
        child.report.patched++;
    else
        child.report.trapped++;
    if (child.cpu.halted)
        end(DEPRIVE_HALTED);

    for (unsigned i = 0; i < 16; i++)
        gregs[greg_of[i]] = (greg_t)regs.gpr[i];
    gregs[REG_RIP] = (greg_t)regs.rip;
    gregs[REG_EFL] = (greg_t)regs.rflags;
}
/* [/handler] */

/* In the child: everything up to the jump. Ends by end(), or with a status if refused. */
__attribute__((noreturn)) static void be_child(const uint8_t *payload, size_t size, bool patch)
{
    const int traps[] = {SIGSEGV, SIGTRAP, SIGILL, SIGBUS};
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    uint8_t *memory = mmap(NULL, DEPRIVE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_size = SIGNAL_STACK};

    stack.ss_sp = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                       0);
    if (memory == MAP_FAILED || stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) < 0)
        _exit(1);
    memcpy(memory + DEPRIVE_PAYLOAD, payload, size);
    if (patch) {
        if (scan(memory + DEPRIVE_PAYLOAD, size, &child.found) < 0)
            _exit(1);
        scan_patch(memory + DEPRIVE_PAYLOAD, &child.found);
    }
    child.patched = patch;
    child.cpu = (struct pretended){
        .memory = memory, .start = (uintptr_t)memory, .size = DEPRIVE_SIZE, .out = out};
    pretended_reset(&child.cpu);

    for (unsigned i = 0; i < ARRAY_SIZE(traps); i++)
        if (sigaction(traps[i], &action, NULL) < 0)
            _exit(1);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
        _exit(1);
    __asm__ volatile("mov %0, %%rsp\n\t"
                     "jmp *%1"
                     :
                     : "r"(memory + DEPRIVE_SIZE), "r"(memory + DEPRIVE_PAYLOAD)
                     : "memory");
    __builtin_unreachable();
}

/* Waits for the report, or kills the child when the time is over. */
static int collect(pid_t pid, int pipe, unsigned seconds, struct deprive_report *report)
{
    struct pollfd ready = {.fd = pipe, .events = POLLIN};
    ssize_t got = 0;
    int status;

    while (poll(&ready, 1, (int)seconds * 1000) < 0 && errno == EINTR)
        ;
    if (ready.revents)
        got = read(pipe, report, sizeof *report);
    else
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (got == sizeof *report)
        return 0;
    if (WIFEXITED(status))
        return -EPERM; /* be_child() could not set up: no executable memory, no seccomp */
    *report = (struct deprive_report){.end = DEPRIVE_KILLED, .signal = WTERMSIG(status)};
    return 0;
}

int deprive_run(const uint8_t *payload, size_t size, bool patch, unsigned seconds, int fd,
                struct deprive_report *report)
{
    int ends[2], error;
    pid_t pid;

    *report = (struct deprive_report){0};
    if (size > DEPRIVE_MAX)
        return -EFBIG;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid < 0) {
        error = -errno;
        close(ends[0]);
        close(ends[1]);
        return error;
    }
    if (pid == 0) {
        child.out = fd;
        child.pipe = ends[1];
        be_child(payload, size, patch);
    }
    close(ends[1]);
    error = collect(pid, ends[0], seconds, report);
    close(ends[0]);
    return error;
}
