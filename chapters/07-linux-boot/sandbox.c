/*
 * sandbox.c: see sandbox.h. Open at hand: seccomp(2), seccomp_rule_add(3),
 * Documentation/userspace-api/seccomp_filter.rst.
 *
 * The lists are tables below, a row for each call and a column for each kind of thread.
 * libseccomp compiles a column to a program of the kernel's packet filter, which runs before
 * each system call. It sees the call's number and its arguments, but not what pointers point
 * at; so ioctl() can be allowed by request, and openat() not by path.
 *
 * Filters add up. A thread starts with those of the thread that made it, so the main thread's
 * list holds all that a processor or a device needs. The user network's thread is
 * the exception: it starts earlier, for it may do what no other may, open sockets.
 *
 * Left out on purpose: other system call tables (a 32-bit call ends the process, as
 * libseccomp has it by default), and builds with sanitizers, which open files of /proc.
 */
#define _GNU_SOURCE
#include "07-linux-boot/sandbox.h"

#include <assert.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "common/bits.h"
#include "common/die.h"
#include "common/term.h"

#define MALLOC_ARENAS 4

/* The columns. */
#define M BIT(THREAD_MAIN)
#define P BIT(THREAD_PROCESSOR)
#define D BIT(THREAD_DEVICE)
#define N BIT(THREAD_NETWORK)

static const char *const kind_names[THREAD_KINDS] = {
    [THREAD_MAIN] = "main",
    [THREAD_PROCESSOR] = "processor",
    [THREAD_DEVICE] = "device",
    [THREAD_NETWORK] = "network",
};

static const struct {
    int call;
    unsigned kinds;
} calls[] = {
    /* to wait, to be woken, to wake others */
    {SCMP_SYS(futex), M | P | D | N},
    {SCMP_SYS(poll), M | P | D | N},
    {SCMP_SYS(epoll_ctl), M | P},
    {SCMP_SYS(epoll_wait), M | P},
    {SCMP_SYS(clock_gettime), M | P | D | N},
    {SCMP_SYS(clock_nanosleep), M | P | D | N},
    {SCMP_SYS(timerfd_settime), M | P},
    {SCMP_SYS(tgkill), M | P},
    {SCMP_SYS(getpid), M | P},
    {SCMP_SYS(rt_sigreturn), M | P | D | N},
    {SCMP_SYS(rt_sigprocmask), M | P | D | N},
    /* the other side of devices: descriptors that are open */
    {SCMP_SYS(read), M | P | D | N},
    {SCMP_SYS(write), M | P | D | N},
    {SCMP_SYS(readv), M | P | D | N},
    {SCMP_SYS(writev), M | P | D | N},
    {SCMP_SYS(pread64), M | D},
    {SCMP_SYS(pwrite64), M | P | D},
    {SCMP_SYS(preadv), M | P | D},
    {SCMP_SYS(preadv2), M | D},
    {SCMP_SYS(pwritev), M | P | D},
    {SCMP_SYS(fallocate), M | D},
    {SCMP_SYS(fdatasync), M | D},
    {SCMP_SYS(fsync), M | D},
    {SCMP_SYS(ftruncate), M | D},
    {SCMP_SYS(io_uring_enter), M | P | D},
    {SCMP_SYS(sendto), M | P | D | N},
    {SCMP_SYS(sendmsg), M | P | D | N},
    {SCMP_SYS(recvfrom), M | P | D | N},
    {SCMP_SYS(getrandom), M | P | D | N},
    /* malloc() and free(); memory that the guest gives back */
    {SCMP_SYS(brk), M | P | D | N},
    {SCMP_SYS(munmap), M | P | D | N},
    {SCMP_SYS(mremap), M | P | D | N},
    {SCMP_SYS(madvise), M | P | D},
    /* to end */
    {SCMP_SYS(exit), M | P | D | N},
    {SCMP_SYS(exit_group), M | P | D | N},
    /* to build a machine, and to take it apart: at a reset this is done again */
    {SCMP_SYS(close), M | P | N},
    {SCMP_SYS(clone), M},
    {SCMP_SYS(clone3), M},
    {SCMP_SYS(set_robust_list), M},
    {SCMP_SYS(rseq), M},
    {SCMP_SYS(seccomp), M},
    {SCMP_SYS(eventfd2), M},
    {SCMP_SYS(timerfd_create), M},
    {SCMP_SYS(signalfd4), M},
    {SCMP_SYS(rt_sigaction), M},
    {SCMP_SYS(rt_sigpending), M},
    {SCMP_SYS(gettid), M},
    {SCMP_SYS(newfstatat), M | N},
    {SCMP_SYS(lseek), M | D},
    {SCMP_SYS(accept4), M},
    {SCMP_SYS(dup2), M},
    /* connections in the guest's name */
    {SCMP_SYS(socket), N},
    {SCMP_SYS(connect), N},
    {SCMP_SYS(bind), N},
    {SCMP_SYS(listen), N},
    {SCMP_SYS(accept), N},
    {SCMP_SYS(shutdown), M | N},
    {SCMP_SYS(getsockname), N},
    {SCMP_SYS(getpeername), N},
    {SCMP_SYS(getsockopt), N},
    {SCMP_SYS(setsockopt), M | N},
    {SCMP_SYS(recvmsg), N},
};

#define REQUEST(name) #name, (uint32_t)(name)

/* Calls of which one argument is looked at: with these bits it must have this value. */
static const struct {
    int call;
    unsigned argument;
    const char *note;
    uint64_t value;
    uint64_t bits;
    unsigned kinds;
} arguments[] = {
    {SCMP_SYS(mmap), 2, "not PROT_EXEC", 0, PROT_EXEC, M | P | D | N},
    {SCMP_SYS(mprotect), 2, "not PROT_EXEC", 0, PROT_EXEC, M | P | D | N},
    {SCMP_SYS(prctl), 0, REQUEST(PR_GET_NAME), UINT32_MAX, M | P | D | N},
    {SCMP_SYS(prctl), 0, REQUEST(PR_SET_NAME), UINT32_MAX, M},
    {SCMP_SYS(fcntl), 1, REQUEST(F_DUPFD_CLOEXEC), UINT32_MAX, M},
    {SCMP_SYS(fcntl), 1, REQUEST(F_GETFL), UINT32_MAX, M | N},
    {SCMP_SYS(fcntl), 1, REQUEST(F_SETFL), UINT32_MAX, M | N},
    {SCMP_SYS(fcntl), 1, REQUEST(F_SETFD), UINT32_MAX, N},
    {SCMP_SYS(openat), 2, "O_RDONLY", O_RDONLY, O_ACCMODE | O_CREAT | O_TRUNC, N},
    {SCMP_SYS(ioctl), 1, REQUEST(FIONREAD), UINT32_MAX, N},
    {SCMP_SYS(ioctl), 1, REQUEST(TUNSETOFFLOAD), UINT32_MAX, M | P | D},
    {SCMP_SYS(ioctl), 1, REQUEST(TCGETS), UINT32_MAX, M | P | D | N},
    {SCMP_SYS(ioctl), 1, REQUEST(TCSETS), UINT32_MAX, M | P | D | N},
    {SCMP_SYS(ioctl), 1, REQUEST(TCSETSW), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(TIOCGWINSZ), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(TIOCGPTN), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_RUN), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_IRQ_LINE), UINT32_MAX, M | P | D},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SIGNAL_MSI), UINT32_MAX, M | P | D},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_GSI_ROUTING), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_IRQFD), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_IOEVENTFD), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_MP_STATE), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_VCPU_EVENTS), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_REGS), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_SREGS), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_TRANSLATE), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_NMI), UINT32_MAX, M | P},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_API_VERSION), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_CHECK_EXTENSION), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_CREATE_VM), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_IDENTITY_MAP_ADDR), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_TSS_ADDR), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_USER_MEMORY_REGION), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_CREATE_IRQCHIP), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_IRQCHIP), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_IRQCHIP), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_CREATE_PIT2), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_CREATE_VCPU), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_VCPU_MMAP_SIZE), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_SUPPORTED_CPUID), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_CPUID2), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_MSRS), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_MSRS), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_GET_TSC_KHZ), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_REGS), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_SET_SREGS), UINT32_MAX, M},
    {SCMP_SYS(ioctl), 1, REQUEST(KVM_REGISTER_COALESCED_MMIO), UINT32_MAX, M},
};

/* Compiled once, by sandbox_prepare(), before any thread enters. */
static struct sock_fprog programs[THREAD_KINDS];

static int add_rules(scmp_filter_ctx context, unsigned kind)
{
    int error = 0;

    for (size_t i = 0; i < ARRAY_SIZE(arguments) && error == 0; i++)
        if (arguments[i].kinds & BIT(kind))
            error = seccomp_rule_add(context, SCMP_ACT_ALLOW, arguments[i].call, 1,
                                     SCMP_CMP(arguments[i].argument, SCMP_CMP_MASKED_EQ,
                                              arguments[i].bits, arguments[i].value));
    for (size_t i = 0; i < ARRAY_SIZE(calls) && error == 0; i++)
        if (calls[i].kinds & BIT(kind))
            error = seccomp_rule_add(context, SCMP_ACT_ALLOW, calls[i].call, 0);
    return error;
}

/* libseccomp writes its program to a file; this one has no name. */
static int take_program(scmp_filter_ctx context, struct sock_fprog *program)
{
    int fd = memfd_create("filter", MFD_CLOEXEC), error;
    off_t size;

    if (fd < 0)
        return -errno;
    error = seccomp_export_bpf(context, fd);
    size = lseek(fd, 0, SEEK_END);
    if (error == 0) {
        program->len = (unsigned short)((size_t)size / sizeof *program->filter);
        program->filter = malloc((size_t)size);
        if (!program->filter)
            die("no memory for a filter of %jd bytes", (intmax_t)size);
        if (pread(fd, program->filter, (size_t)size, 0) != size)
            error = -EIO;
    }
    close(fd);
    return error;
}

/*
 * Two calls that a person can ask the main thread for fail instead of ending the guest: the
 * monitor's "change", which would open another disc, and the removal of sockets and
 * pidfiles, where there are none.
 */
static int refuse_mildly(scmp_filter_ctx context, bool removes)
{
    int error = seccomp_rule_add(context, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);

    if (error < 0)
        return error;
    return seccomp_rule_add(context, removes ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES),
                            SCMP_SYS(unlink), 0);
}

/* [sandbox-compile] */
static int compile(unsigned kind, bool removes)
{
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_TRAP);
    int error;

    if (!context)
        return -ENOMEM;
    error = add_rules(context, kind);
    if (error == 0 && kind == THREAD_MAIN)
        error = refuse_mildly(context, removes);
    if (error == 0)
        error = take_program(context, &programs[kind]);
    seccomp_release(context);
    return error;
}
/* [/sandbox-compile] */

/*
 * The call has not happened. This thread may be an attacker's, so nothing here depends on
 * more than its own stack; and the call that ends the process is in every list.
 */
static void forbidden(int signal, siginfo_t *info, void *context)
{
    static const char sorry[] = ": the sandbox does not let this thread make system call ";
    char line[128], *end = line, name[16] = "a thread";
    int call = info->si_syscall;

    (void)signal, (void)context;
    term_restore();
    prctl(PR_GET_NAME, name);
    end = stpcpy(stpcpy(stpcpy(end, "vmm: "), name), sorry);
    for (int unit = 1000; unit > 0; unit /= 10)
        if (call >= unit || unit == 1)
            *end++ = (char)('0' + call / unit % 10);
    *end++ = '\n';
    if (write(STDERR_FILENO, line, (size_t)(end - line)) < 0)
        _exit(STATUS_FORBIDDEN);
    _exit(STATUS_FORBIDDEN);
}

bool sandbox_is_possible(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return false;
#elif defined __has_feature
    return !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer);
#else
    return true;
#endif
}

int sandbox_prepare(bool removes, struct refusal *why)
{
    struct sigaction action = {.sa_sigaction = forbidden, .sa_flags = SA_SIGINFO};

    for (unsigned kind = 0; kind < THREAD_KINDS; kind++) {
        int error = compile(kind, removes);

        if (error < 0)
            return refuse(why, error, "cannot make a filter of system calls: %s", strerror(-error));
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return refuse(why, -errno, "PR_SET_NO_NEW_PRIVS failed: %s", strerror(errno));
    tzset(); /* else the clock's first date reads the time zone from a file */
    /* Else malloc() counts the host's processors, in a file, when a second thread calls it. */
    mallopt(M_ARENA_MAX, MALLOC_ARENAS);
    sigaction(SIGSYS, &action, NULL);
    threads_on_birth(sandbox_enter);
    return 0;
}

void sandbox_enter(enum thread_kind kind)
{
    assert(programs[kind].len > 0);
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &programs[kind]) < 0)
        die("seccomp failed: %s: the sandbox cannot be had; -sandbox off does without",
            strerror(errno));
}

static void print_kinds(FILE *out, unsigned kinds)
{
    for (unsigned kind = 0; kind < THREAD_KINDS; kind++)
        fprintf(out, " %-9s", kinds & BIT(kind) ? kind_names[kind] : "-");
    fprintf(out, "\n");
}

static void print_row(FILE *out, int call, const char *note, unsigned kinds)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);

    fprintf(out, "%-15s %-27s", name ? name : "?", note);
    print_kinds(out, kinds);
    free(name);
}

void sandbox_print(FILE *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        print_row(out, calls[i].call, "", calls[i].kinds);
    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++)
        print_row(out, arguments[i].call, arguments[i].note, arguments[i].kinds);
}
