/* Threads: locks, thread-local variables, cancellation, the kernel's helper page. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define THREADS 4
#define TURNS   20000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static volatile int counter, exchanged;
static uint64_t doubled;
static __thread int mine;

/* [Linux: Documentation/arm/kernel_user_helpers.rst] */
typedef int cmpxchg(int old, int new, volatile int *where);
typedef int cmpxchg64(const int64_t *old, const int64_t *new, volatile int64_t *where);
#define HELPER_VERSION   (*(volatile int32_t *)0xffff0ffc)
#define HELPER_CMPXCHG   ((cmpxchg *)0xffff0fc0)
#define HELPER_CMPXCHG64 ((cmpxchg64 *)0xffff0f60)
#define HELPER_BARRIER   ((void (*)(void))0xffff0fa0)
#define HELPER_GET_TLS   ((void *(*)(void))0xffff0fe0)

static void *count(void *self)
{
    mine = (int)(intptr_t)self;
    for (int i = 0; i < TURNS; i++) {
        int old;
        int64_t old64, new64;

        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
        do
            old = exchanged;
        while (HELPER_CMPXCHG(old, old + 1, &exchanged));
        do {
            old64 = *(volatile int64_t *)&doubled;
            new64 = old64 + 0x100000001;
        } while (HELPER_CMPXCHG64(&old64, &new64, (volatile int64_t *)&doubled));
    }
    CHECK(mine == (int)(intptr_t)self);
    return (void *)(intptr_t)(mine * 2);
}

static void nothing_is_lost_between_threads(void)
{
    pthread_t threads[THREADS];
    void *result;

    for (intptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, count, (void *)(i + 1)) == 0);
    for (intptr_t i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], &result) == 0);
        CHECK((intptr_t)result == 2 * (i + 1));
    }
    CHECK(counter == THREADS * TURNS && exchanged == THREADS * TURNS);
    CHECK(doubled == (uint64_t)THREADS * TURNS * 0x100000001);
}

static void the_helper_page_helps(void)
{
    volatile int word = 5;

    CHECK(HELPER_VERSION >= 5);
    CHECK(HELPER_CMPXCHG(5, 6, &word) == 0 && word == 6);
    CHECK(HELPER_CMPXCHG(5, 7, &word) != 0 && word == 6);
    HELPER_BARRIER();
    CHECK(HELPER_GET_TLS() == __builtin_thread_pointer());
}

static void *answer(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    counter = -1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void conditions_wake_and_time_out(void)
{
    struct timespec soon;
    pthread_t thread;

    pthread_mutex_lock(&lock);
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000)
        soon.tv_sec++, soon.tv_nsec -= 1000000000;
    CHECK(pthread_cond_timedwait(&changed, &lock, &soon) == ETIMEDOUT);
    CHECK(pthread_create(&thread, NULL, answer, NULL) == 0);
    while (counter != -1)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *wait_for_ever(void *unused)
{
    (void)unused;
    for (;;)
        sleep(1000);
    return NULL;
}

static void cancellation_interrupts_a_wait(void)
{
    pthread_t thread;
    void *result;

    CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
    usleep(20000);
    CHECK(pthread_cancel(thread) == 0);
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

static sem_t came;
static volatile pid_t who;

static void handler(int number)
{
    (void)number;
    who = (pid_t)syscall(SYS_gettid);
    sem_post(&came);
}

static void *wait_for_signal(void *tid)
{
    *(volatile pid_t *)tid = (pid_t)syscall(SYS_gettid);
    for (int i = 0; i < 200 && !who; i++)
        usleep(10000);
    return NULL;
}

static void a_signal_reaches_its_thread(void)
{
    volatile pid_t tid = 0;
    pthread_t thread;

    sem_init(&came, 0, 0);
    signal(SIGUSR1, handler);
    CHECK(pthread_create(&thread, NULL, wait_for_signal, (void *)&tid) == 0);
    while (!tid)
        usleep(1000);
    CHECK(tid != getpid());
    CHECK(pthread_kill(thread, SIGUSR1) == 0);
    CHECK(sem_wait(&came) == 0 && who == tid);
    CHECK(pthread_join(thread, NULL) == 0);
}

static pthread_mutex_t *robust;

static void *die_with_lock(void *unused)
{
    (void)unused;
    pthread_mutex_lock(robust);
    return NULL;
}

/* In shared memory, so that it is another process too that dies. */
static void a_dead_owner_is_known(void)
{
    pthread_mutexattr_t attributes;
    volatile int *locked;
    pthread_t thread;

    robust = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    locked = (volatile int *)(robust + 1);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    CHECK(pthread_mutex_init(robust, &attributes) == 0);
    CHECK(pthread_create(&thread, NULL, die_with_lock, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(pthread_mutex_lock(robust) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(robust) == 0 && pthread_mutex_unlock(robust) == 0);
    if (fork() == 0) {
        *locked = pthread_mutex_lock(robust) == 0;
        usleep(50000); /* so that the parent waits, and is woken */
        _exit(0);
    }
    while (!*locked)
        usleep(1000);
    CHECK(pthread_mutex_lock(robust) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(robust) == 0 && pthread_mutex_unlock(robust) == 0);
}

static void *leave_process(void *unused)
{
    (void)unused;
    puts("threads: ok");
    fflush(stdout);
    exit(42);
}

int main(void)
{
    pthread_t thread;

    the_helper_page_helps();
    nothing_is_lost_between_threads();
    conditions_wake_and_time_out();
    cancellation_interrupts_a_wait();
    a_signal_reaches_its_thread();
    a_dead_owner_is_known();
    /* Any thread's exit() ends all of them. */
    CHECK(pthread_create(&thread, NULL, leave_process, NULL) == 0);
    pthread_exit(NULL);
}
