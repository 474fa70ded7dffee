/*
 * Signals that find threads in loops without a system call: some loops go on, some are
 * left for good. A timer sends them, so that nobody waits for a processor to send one.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define THREADS 4
#define SIGNALS 1000 /* in each thread */
#define ESCAPES 1500

/* A timer that sends its signal to the calling thread. */
static timer_t timer_of_mine(int number)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
    timer_t timer;

    event._sigev_un._tid = (int)syscall(SYS_gettid);
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    return timer;
}

static void start(timer_t timer, long first_ns, long then_ns)
{
    struct itimerspec when = {{0, then_ns}, {0, first_ns}};

    CHECK(timer_settime(timer, 0, &when, NULL) == 0);
}

/* ---- loops that go on ------------------------------------------------------------------ */

static __thread volatile int handled;

static void note(int number)
{
    (void)number;
    handled++;
}

static uint32_t plus_seven(uint32_t n)
{
    return n + 7;
}

static uint32_t (*volatile by_pointer)(uint32_t) = plus_seven;

/* One sum in a register, one in memory, one through an indirect call: always in step. */
static void *compute(void *unused)
{
    timer_t timer = timer_of_mine(SIGUSR1);
    uint32_t turns = 0, three = 0, seven = 0;
    volatile uint32_t five = 0;

    start(timer, 100000, 100000);
    while (handled < SIGNALS) {
        turns++;
        three += 3;
        five += 5;
        seven = by_pointer(seven);
    }
    timer_delete(timer);
    CHECK(three == turns * 3 && five == turns * 5 && seven == turns * 7);
    return unused;
}

static void signals_disturb_no_computation(void)
{
    pthread_t threads[THREADS];

    CHECK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = note}, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, compute, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

/* ---- loops that never end --------------------------------------------------------------- */

static volatile uint32_t turns;

static void nothing(void)
{
    for (;;)
        __asm__ volatile("");
}

static void memory(void)
{
    for (;;)
        turns++;
}

static void flags(void)
{
    for (;;)
        for (uint32_t inner = 100; inner; inner--)
            __asm__ volatile("" : "+r"(inner));
}

static void pointer(void)
{
    for (;;)
        turns = by_pointer(turns);
}

__attribute__((noinline)) static uint32_t deep(uint32_t n)
{
    return n ? deep(n - 1) + turns : turns;
}

static void recursion(void)
{
    for (;;)
        turns = deep(20);
}

static void (*const endless[])(void) = {nothing, memory, flags, pointer, recursion};

static sigjmp_buf out;

static void leave(int number)
{
    (void)number;
    siglongjmp(out, 1);
}

/* From soon enough to find a loop that is still being translated, to a while later. */
static void a_handler_may_leave_any_loop_for_good(void)
{
    timer_t timer = timer_of_mine(SIGUSR2);
    static volatile int escaped;

    CHECK(sigaction(SIGUSR2, &(struct sigaction){.sa_handler = leave}, NULL) == 0);
    while (escaped < ESCAPES)
        if (sigsetjmp(out, 1) == 0) {
            start(timer, 1000 + escaped % 64 * 4000, 0);
            endless[escaped % (int)(sizeof endless / sizeof endless[0])]();
        } else {
            escaped++;
        }
    timer_delete(timer);
}

int main(void)
{
    signals_disturb_no_computation();
    a_handler_may_leave_any_loop_for_good();
    printf("loops: ok\n");
    return 0;
}
