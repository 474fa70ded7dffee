/* Signals as a program sees them: handlers, masks, frames, restart, alternate stacks. */
#define _GNU_SOURCE
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

/* The assembly is for the ARM instruction set, also when the rest is Thumb. */
#define ARM_CODE __attribute__((target("arm"), noinline))

static volatile sig_atomic_t count, last;
static siginfo_t seen;
static sigset_t mask_inside;

static void counter(int number)
{
    count++;
    last = number;
}

static void informed(int number, siginfo_t *info, void *context)
{
    (void)context;
    counter(number);
    seen = *info;
    sigprocmask(SIG_BLOCK, NULL, &mask_inside);
}

static void install(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

    sigaddset(&action.sa_mask, SIGHUP);
    CHECK(sigaction(number, &action, NULL) == 0);
    count = 0;
}

static void a_handler_runs_once_and_its_mask_is_undone(void)
{
    sigset_t mask;

    install(SIGUSR1, informed, 0);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    CHECK(count == 1 && last == SIGUSR1);
    CHECK(seen.si_signo == SIGUSR1 && seen.si_code == SI_USER && seen.si_pid == getpid() &&
          seen.si_uid == getuid());
    CHECK(sigismember(&mask_inside, SIGUSR1) && sigismember(&mask_inside, SIGHUP));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    CHECK(!sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGHUP));
}

static void a_blocked_signal_waits(void)
{
    sigset_t set, pending;

    install(SIGUSR1, informed, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    raise(SIGUSR1);
    CHECK(count == 0);
    sigpending(&pending);
    CHECK(sigismember(&pending, SIGUSR1));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(count == 1); /* two are one, unless they are real-time signals */
}

static void real_time_signals_queue_with_their_values(void)
{
    sigset_t set;
    siginfo_t info;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 1; i <= 3; i++)
        CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 100 + i}) == 0);
    for (int i = 1; i <= 3; i++) {
        CHECK(sigwaitinfo(&set, &info) == SIGRTMIN + 1);
        CHECK(info.si_value.sival_int == 100 + i && info.si_code == SI_QUEUE);
    }
    CHECK_ERRNO(sigtimedwait(&set, &info, &(struct timespec){0, 1000000}), EAGAIN);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void handlers_nest_and_all_registers_survive(void)
{
    double before = 1.5;
    uint64_t sum = 0;
    struct itimerval often = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}};

    install(SIGALRM, informed, SA_RESTART);
    setitimer(ITIMER_REAL, &often, NULL);
    for (uint32_t i = 0; count < 10; i++)
        sum += (uint64_t)i * i, before += 0.0;
    setitimer(ITIMER_REAL, &off, NULL);
    CHECK(sum > 0 && before == 1.5);
}

static void write_later(int fd, int ms)
{
    if (fork() == 0) {
        usleep(ms * 1000);
        kill(getppid(), SIGUSR1);
        usleep(ms * 1000);
        if (write(fd, "x", 1) != 1)
            _exit(1);
        _exit(0);
    }
}

static void a_read_is_started_again_if_asked(void)
{
    int ends[2];
    char byte = 0;

    CHECK(pipe(ends) == 0);
    install(SIGUSR1, informed, SA_RESTART);
    write_later(ends[1], 50);
    CHECK(read(ends[0], &byte, 1) == 1 && byte == 'x' && count == 1);
    CHECK(wait(NULL) > 0);

    install(SIGUSR1, informed, 0);
    write_later(ends[1], 50);
    CHECK_ERRNO(read(ends[0], &byte, 1), EINTR);
    CHECK(count == 1);
    CHECK(read(ends[0], &byte, 1) == 1);
    CHECK(wait(NULL) > 0);

    install(SIGUSR1, informed, SA_RESTART); /* poll() never is: signal(7) */
    write_later(ends[1], 50);
    CHECK_ERRNO(poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, 5000), EINTR);
    CHECK(wait(NULL) > 0);
}

static void nanosleep_says_what_is_left(void)
{
    struct timespec rest = {0, 0};

    install(SIGUSR1, informed, SA_RESTART);
    if (fork() == 0) {
        usleep(30000);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    CHECK_ERRNO(nanosleep(&(struct timespec){5, 0}, &rest), EINTR);
    CHECK(rest.tv_sec == 4 && count == 1);
    CHECK(wait(NULL) > 0);
}

static void sigsuspend_misses_nothing(void)
{
    sigset_t blocked, open;

    install(SIGUSR1, informed, 0);
    sigemptyset(&open);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    for (int i = 1; i <= 20; i++) {
        if (fork() == 0) {
            kill(getppid(), SIGUSR1);
            _exit(0);
        }
        CHECK_ERRNO(sigsuspend(&open), EINTR);
        CHECK(count == i);
        CHECK(wait(NULL) > 0);
        kill(getpid(), SIGUSR1);
        CHECK(count == i); /* blocked again */
        CHECK_ERRNO(sigsuspend(&open), EINTR);
        CHECK(count == i + 1);
        count = i;
    }
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static int self_pipe[2];

static void write_byte(int number)
{
    (void)number;
    if (write(self_pipe[1], "x", 1) != 1)
        _exit(1);
}

/*
 * The read() ends only if the handler runs, and the signal may come at any instant:
 * before it, inside it, and where a translator enters it.
 */
static void no_signal_is_lost_before_a_read(void)
{
    struct sigaction action = {.sa_handler = write_byte, .sa_flags = SA_RESTART};
    struct itimerval soon = {{0, 0}, {0, 1}};
    char byte;

    CHECK(pipe(self_pipe) == 0);
    sigaction(SIGALRM, &action, NULL);
    for (int i = 0; i < 3000; i++) {
        soon.it_value.tv_usec = 1 + i % 50;
        setitimer(ITIMER_REAL, &soon, NULL);
        CHECK(read(self_pipe[0], &byte, 1) == 1);
    }
}

static char other_stack[32768];
static char *volatile handler_sp;

static void note_stack(int number, siginfo_t *info, void *context)
{
    informed(number, info, context);
    handler_sp = __builtin_frame_address(0);
}

static void the_other_stack_is_used(void)
{
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack}, old;

    CHECK(sigaltstack(&stack, NULL) == 0);
    install(SIGUSR2, note_stack, SA_ONSTACK);
    raise(SIGUSR2);
    CHECK(count == 1 && handler_sp > other_stack && handler_sp < other_stack + sizeof other_stack);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == other_stack && old.ss_flags == 0);
    CHECK_ERRNO(sigaltstack(&(stack_t){.ss_sp = other_stack, .ss_size = 100}, NULL), ENOMEM);
    stack.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&stack, NULL) == 0);
}

static sigjmp_buf out;
static volatile char *fault_page;

static void repair(int number, siginfo_t *info, void *context)
{
    informed(number, info, context);
    mprotect((void *)fault_page, 4096, PROT_READ | PROT_WRITE);
}

static void jump_out(int number, siginfo_t *info, void *context)
{
    informed(number, info, context);
    siglongjmp(out, 1);
}

ARM_CODE static void undefined(void)
{
    __asm__ volatile(".inst 0xe7f000f0\n" ::: "memory"); /* udf */
}

static void a_fault_names_its_address_and_can_be_repaired(void)
{
    fault_page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(fault_page != MAP_FAILED);
    install(SIGSEGV, repair, 0);
    fault_page[123] = 7; /* the instruction is started again */
    CHECK(count == 1 && fault_page[123] == 7);
    CHECK(seen.si_code == SEGV_ACCERR && seen.si_addr == fault_page + 123);

    install(SIGSEGV, jump_out, SA_NODEFER);
    if (sigsetjmp(out, 1) == 0)
        *(volatile char *)16 = 0;
    CHECK(count == 1 && seen.si_code == SEGV_MAPERR && seen.si_addr == (void *)16);

    install(SIGILL, jump_out, 0);
    if (sigsetjmp(out, 1) == 0)
        undefined();
    CHECK(count == 1 && last == SIGILL);
}

static void a_handler_may_be_for_once(void)
{
    struct sigaction now;

    install(SIGUSR1, informed, SA_RESETHAND);
    raise(SIGUSR1);
    CHECK(count == 1);
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
    CHECK_ERRNO(sigaction(SIGKILL, &(struct sigaction){.sa_handler = counter}, NULL), EINVAL);
    CHECK_ERRNO(sigaction(65, &(struct sigaction){.sa_handler = counter}, NULL), EINVAL);
}

static void set_r0(int number, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;

    informed(number, info, opaque);
    context->uc_mcontext.arm_r4 = 0x12345678;
}

ARM_CODE static void a_handler_may_change_the_registers(void)
{
    uint32_t value, pid = (uint32_t)getpid();

    install(SIGUSR1, set_r0, 0);
    __asm__ volatile("mov r4, #1\n mov r0, %1\n mov r1, #10\n mov r7, #37\n svc #0\n mov %0, r4\n"
                     : "=r"(value)
                     : "r"(pid)
                     : "r0", "r1", "r4", "r7", "memory");
    CHECK(value == 0x12345678);
}

static int death_of(void (*way)(void))
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGILL, SIG_DFL);
        way();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void by_abort(void)
{
    abort();
}
static void by_fault(void)
{
    *(volatile int *)4 = 0;
}
static void by_term(void)
{
    raise(SIGTERM);
}
static void by_blocked_fault(void)
{
    sigset_t all;

    install(SIGSEGV, informed, 0);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    by_fault();
}
ARM_CODE static void by_bad_stack(void)
{
    install(SIGUSR1, informed, 0);
    __asm__ volatile(
        "mov r0, %0\n mov sp, #64\n mov r1, #10\n mov r7, #37\n svc #0\n" ::"r"(getpid())
        : "r0", "r1", "r7", "memory");
}

static void deaths_have_their_signal(void)
{
    CHECK(death_of(by_abort) == SIGABRT);
    CHECK(death_of(by_fault) == SIGSEGV);
    CHECK(death_of(by_term) == SIGTERM);
    CHECK(death_of(by_blocked_fault) == SIGSEGV);
    CHECK(death_of(by_bad_stack) == SIGSEGV);
}

int main(void)
{
    a_handler_runs_once_and_its_mask_is_undone();
    a_blocked_signal_waits();
    real_time_signals_queue_with_their_values();
    handlers_nest_and_all_registers_survive();
    a_read_is_started_again_if_asked();
    nanosleep_says_what_is_left();
    sigsuspend_misses_nothing();
    no_signal_is_lost_before_a_read();
    the_other_stack_is_used();
    a_fault_names_its_address_and_can_be_repaired();
    a_handler_may_be_for_once();
    a_handler_may_change_the_registers();
    deaths_have_their_signal();
    puts("signals: ok");
    return 0;
}
