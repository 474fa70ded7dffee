/*
 * test_sandbox.c: what a thread has given up. Each probe is a process of its own, for there
 * is no way back out of a sandbox.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "07-linux-boot/sandbox.h"
#include "common/bits.h"
#include "harness/harness.h"

static int open_a_file(void)
{
    return open("/etc/passwd", O_RDWR);
}

static int start_a_program(void)
{
    char *const argv[] = {"true", NULL};

    return execve("/bin/true", argv, argv + 1);
}

static int open_a_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);

    return page == MAP_FAILED ? -1 : 0;
}

static int make_data_code(void)
{
    static _Alignas(4096) char page[4096];

    return mprotect(page, sizeof page, PROT_READ | PROT_EXEC);
}

static int type_for_the_user(void)
{
    return ioctl(0, TIOCSTI, "x");
}

static int attach_to_a_process(void)
{
    return kill(getppid(), 0);
}

static int get_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED
               ? -1
               : 0;
}

#define ALL    (BIT(THREAD_KINDS) - 1)
#define NOBODY 0u
#define MILDLY BIT(31) /* the main thread is told no, and goes on */

static const struct {
    const char *what;
    int (*probe)(void);
    uint64_t allowed; /* to these kinds of threads */
} probes[] = {
    {"opening a file to write", open_a_file, MILDLY},
    {"starting a program", start_a_program, NOBODY},
    {"opening a socket", open_a_socket, BIT(THREAD_NETWORK)},
    {"memory that is executable", make_code, NOBODY},
    {"making memory executable", make_data_code, NOBODY},
    {"typing in the user's name", type_for_the_user, NOBODY},
    {"a signal to another process", attach_to_a_process, NOBODY},
    {"memory", get_memory, ALL},
};

/* In a process of its own, on its only thread. The status: 0, 1 (the call failed) or what
 * the sandbox makes of it. */
static int try(enum thread_kind kind, int (*probe)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct refusal why;

        if (sandbox_prepare(false, &why) < 0)
            _exit(99);
        close(STDERR_FILENO);
        sandbox_enter(kind);
        _exit(probe() < 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

START_TEST(a_thread_can_do_what_its_list_says_and_nothing_else)
{
    for (unsigned kind = 0; kind < THREAD_KINDS; kind++) {
        int status = try((enum thread_kind)kind, probes[_i].probe);
        bool mildly = (probes[_i].allowed & MILDLY) && kind == THREAD_MAIN;
        int expected = probes[_i].allowed & BIT(kind) ? 0 : mildly ? 1 : STATUS_FORBIDDEN;

        ck_assert_msg(status == expected,
                      "%s, a thread of kind %u: status %d, expected %d; see sandbox.c's tables",
                      probes[_i].what, kind, status, expected);
    }
}
END_TEST

static void *open_on_a_thread(void *self)
{
    open_a_file();
    return self;
}

START_TEST(threads_enter_by_themselves)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct refusal why;
        pthread_t thread;

        sandbox_prepare(false, &why);
        close(STDERR_FILENO);
        if (thread_start(&thread, THREAD_DEVICE, "probe", open_on_a_thread, NULL) == 0)
            pthread_join(thread, NULL);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), STATUS_FORBIDDEN);
}
END_TEST

static Suite *sandbox_suite(void)
{
    Suite *suite = suite_create("sandbox");
    TCase *tests = tcase_create("lists");
    const char *reason = sandbox_is_possible() ? NULL : "a build with sanitizers opens files";

    if (reason)
        printf("SKIP a_thread_can_do_what_its_list_says_and_nothing_else: %s\n", reason);
    else
        tcase_add_loop_test(tests, a_thread_can_do_what_its_list_says_and_nothing_else, 0,
                            ARRAY_SIZE(probes));
    harness_add(tests, threads_enter_by_themselves, reason);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(sandbox_suite());
}
