/*
 * Signals at any instruction of emitted code, and of the code around it. The processor's
 * trap flag makes each instruction of the host a signal [SDM3, 17.3.1.4 "Single-Step Exception
 * Condition"]; one of them, later in each run, interrupts the guest.
 */
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

#include "06-tcg/arm/interpret.h"
#include "06-tcg/translate/translator.h"
#include "guest.h"

#define TURNS    1000u
#define FUNCTION (CODE + 0x1100) /* on a page of its own: its caller cannot see what it does */
#define TF       0x100

static struct guest guest;
static struct translator *translator;

/* A direct call, flags that are settled, a return by the table or by a chain, a branch back. */
static const uint32_t loop[] = {
    0xe5965000, /* loop: ldr   r5, [r6]       */
    0xe1510002, /*       cmp   r1, r2         */
    0xeb00043c, /*       bl    function       */
    0xe2511001, /*       subs  r1, r1, #1     */
    0x1afffffa, /*       bne   loop           */
    0xe1200070, /*       bkpt                 */
};
static const uint32_t function[] = {
    0x22833001, /*       addcs r3, r3, #1     */
    0xe0944005, /*       adds  r4, r4, r5     */
};
static const uint32_t ways_back[] = {0xe12fff1e /* bx lr */, 0xeafffbbf /* b */};

static void setup(void)
{
    guest_init(&guest);
    for (unsigned n = 0; n < ARRAY_SIZE(loop); n++)
        guest_put(&guest, CODE + 4 * n, loop[n]);
    for (unsigned n = 0; n < ARRAY_SIZE(function); n++)
        guest_put(&guest, FUNCTION + 4 * n, function[n]);
    guest_put(&guest, DATA, 0x40000001);
    ck_assert_int_eq(translator_new(&translator, &guest.space, NULL), 0);
}

static void teardown(void)
{
    translator_free(translator);
    guest_free(&guest);
}

static struct arm_cpu beginning(void)
{
    struct arm_cpu cpu = guest.cpu;

    cpu.r[1] = TURNS;
    cpu.r[2] = TURNS - 1;
    cpu.r[6] = DATA;
    cpu.r[ARM_PC] = CODE;
    return cpu;
}

static struct arm_cpu cpu;      /* of the thread that is interrupted */
static volatile unsigned steps; /* that are left until then */
static void (*volatile meanwhile)(void);

/* Where the translator's code runs. Found beforehand: a handler must not open files. */
static uintptr_t emitted_from, emitted_to;

static void find_emitted(void)
{
    char line[512], executable = 0;
    FILE *maps = fopen("/proc/self/maps", "r");

    ck_assert_ptr_nonnull(maps);
    while (executable != 'x' && fgets(line, sizeof line, maps))
        if (strstr(line, "memfd:code"))
            sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*c%*c%c", &emitted_from, &emitted_to,
                   &executable);
    fclose(maps);
    ck_assert_int_eq(executable, 'x');
}

/* Emitted code holds no lock: only there may another thread be waited for. */
static bool is_emitted(uintptr_t address)
{
    return address >= emitted_from && address < emitted_to;
}

static void on_step(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    if (--steps)
        return;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TF;
    atomic_store(&cpu.interrupt, 1);
    translator_interrupt(translator, context);
    if (meanwhile && is_emitted((uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]))
        meanwhile();
}

static enum arm_stop_reason run_and_interrupt_after(unsigned count)
{
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    struct arm_stop stop;

    sigaction(SIGTRAP, &action, NULL);
    cpu = beginning();
    steps = count;
    __asm__ volatile("sub $128, %%rsp; pushfq; orl %0, (%%rsp); popfq; add $128, %%rsp" ::"i"(TF)
                     : "memory", "cc");
    stop = translator_run(translator, &cpu);
    if (steps) /* it has come to its end before */
        __asm__ volatile(
            "sub $128, %%rsp; pushfq; andl %0, (%%rsp); popfq; add $128, %%rsp" ::"i"(~TF)
            : "memory", "cc");
    return stop.reason;
}

static bool same(const struct arm_cpu *a, const struct arm_cpu *b)
{
    return memcmp(a->r, b->r, sizeof a->r) == 0 && arm_cpsr(a) == arm_cpsr(b);
}

START_TEST(a_signal_at_any_instruction_leaves_the_state_between_two_of_the_guests)
{
    struct arm_cpu judge = beginning();
    struct arm_stop stop;

    guest_put(&guest, FUNCTION + sizeof function, ways_back[_i]);
    ck_assert_int_eq(translator_run(translator, &judge).reason, ARM_BREAKPOINT);
    for (unsigned n = 1; n == 1 || cpu.r[1] > TURNS - 3; n++) {
        ck_assert_uint_lt(n, 20000);
        ck_assert_msg(run_and_interrupt_after(n) == ARM_INTERRUPTED, "after %u instructions", n);
        judge = beginning();
        for (unsigned k = 0; k < 64 && !same(&judge, &cpu); k++)
            arm_step(&judge, &stop);
        ck_assert_msg(same(&judge, &cpu), "after %u instructions: at %#x", n, cpu.r[ARM_PC]);
    }
}
END_TEST

/* ---- another thread ------------------------------------------------------------------------ */

static sem_t go, done;

static void *run_once(void *unused)
{
    struct arm_cpu other = beginning();

    sem_wait(&go);
    translator_run(translator, &other);
    sem_post(&done);
    return unused;
}

static void let_the_other_run(void)
{
    sem_post(&go);
    sem_wait(&done);
}

/* The other runs through all exits that have been cut, while the first is on its way out. */
START_TEST(nobody_chains_what_another_thread_is_leaving_by)
{
    struct arm_cpu warm = beginning();
    pthread_t thread;

    guest_put(&guest, FUNCTION + sizeof function, ways_back[_i]);
    translator_run(translator, &warm);
    find_emitted();
    meanwhile = let_the_other_run;
    for (unsigned n = 1; n == 1 || cpu.r[1] > TURNS - 2; n++) {
        sem_init(&go, 0, 0);
        sem_init(&done, 0, 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, run_once, NULL), 0);
        ck_assert_msg(run_and_interrupt_after(n) == ARM_INTERRUPTED, "after %u instructions", n);
        sem_post(&go); /* in case it was interrupted elsewhere */
        pthread_join(thread, NULL);
    }
    meanwhile = NULL;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("interrupt");
    TCase *tests = tcase_create("interrupt");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests,
                        a_signal_at_any_instruction_leaves_the_state_between_two_of_the_guests, 0,
                        ARRAY_SIZE(ways_back));
    tcase_add_loop_test(tests, nobody_chains_what_another_thread_is_leaving_by, 0,
                        ARRAY_SIZE(ways_back));
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
