/* kvm_observed.c: traces and statistics of real guests, and a VMM that stays in command. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "04-devices/ending.h"
#include "common/bits.h"
#include "harness/harness.h"

#define SECTION "book/04-devices.md, \"Seeing every exit\""

static char path[64];

static void make_path(void)
{
    int fd;

    strcpy(path, "/tmp/ring-trace-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void remove_path(void)
{
    unlink(path);
}

/* What Python makes of the trace's exits, e. */
static void expect_trace(const char *expression, const char *expected)
{
    char script[512];
    const char *argv[] = {"python3", "-c", script, path, NULL};

    snprintf(script, sizeof script,
             "import json,sys; t=json.load(open(sys.argv[1]))['traceEvents']; "
             "e=[x for x in t if x['ph']=='X']; print(%s)",
             expression);
    e2e_run(argv, 0, expected, "", "the trace is no JSON, or lacks exits", SECTION);
}

START_TEST(a_trace_holds_every_exit_of_a_hello)
{
    const char *argv[] = {harness_built("devices"), "--trace", path,
                          harness_built("04-devices/hello.bin"), NULL};

    e2e_run(argv, STATUS_OFF, "Hello from COM1", "", "the observer disturbs the run", SECTION);
    expect_trace("''.join(chr(int(x['args']['data'],16)) for x in e if "
                 "x['name']=='out 0x3f8 serial port')",
                 "Hello from COM1, 0x000003f8.\n");
    expect_trace("all(int(x['args']['rip'],16) in range(0x1000,0xe000) for x in e)", "True");
    expect_trace("all(x['dur']>=0 and x['args']['inside_us']>0 for x in e)", "True");
    expect_trace("all(a['ts']+a['dur']<=b['ts'] for a,b in zip(e,e[1:]))", "True");
}
END_TEST

static pid_t start(const char *const argv[], int err)
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        FILE *sink = fopen("/dev/null", "w");

        if (sink)
            dup2(fileno(sink), STDOUT_FILENO);
        if (err >= 0)
            dup2(err, STDERR_FILENO);
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    return child;
}

/* Until the ring file has events on this page. */
static void wait_for_events(unsigned page)
{
    int fd = open(path, O_RDONLY);
    char first = ' ';

    ck_assert_int_ge(fd, 0);
    for (unsigned i = 0; i < 2000 && first != '{'; i++) {
        usleep(10000);
        if (pread(fd, &first, 1, page * 4096) != 1)
            first = ' '; /* not there yet */
    }
    close(fd);
    ck_assert_int_eq(first, '{');
}

START_TEST(a_trace_is_json_even_after_sigkill)
{
    const char *argv[] = {harness_built("devices"), "--trace", path,
                          harness_built("04-devices/tireless.bin"), NULL};

    for (unsigned round = 0; round < 5; round++) {
        pid_t child;
        int status;

        ck_assert_int_eq(truncate(path, 0), 0); /* else we would see the last round's */
        child = start(argv, -1);
        wait_for_events(20);
        usleep(round * 20371);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        expect_trace("len(e) > 100", "True");
    }
}
END_TEST

START_TEST(sigusr1_prints_statistics_of_a_running_guest)
{
    const char *argv[] = {harness_built("devices"), "--stats",
                          harness_built("04-devices/tireless.bin"), NULL};
    char text[8192] = "";
    size_t size = 0;
    int err[2], status;
    pid_t child;

    ck_assert_int_eq(pipe(err), 0);
    child = start(argv, err[1]);
    close(err[1]);
    usleep(400000);
    kill(child, SIGUSR1);
    while (!strstr(text, "elsewhere") && !strstr(text, "memory 0xd0000000, nobody\n")) {
        ssize_t got = read(err[0], text + size, sizeof text - 1 - size);

        ck_assert_msg(got > 0, "it ended, or said too little: %s", text);
        size += (size_t)got;
    }
    ck_assert_ptr_nonnull(strstr(text, "device \"serial port\"\n"));
    ck_assert_ptr_nonnull(strstr(text, "KVM_EXIT_MMIO\n"));
    ck_assert_int_eq(waitpid(child, &status, WNOHANG), 0); /* it runs on */
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    close(err[0]);
}
END_TEST

START_TEST(statistics_count_a_hello_exactly)
{
    static const char *const irqchips[] = {"--irqchip=kernel", "--irqchip=user"};

    for (unsigned i = 0; i < ARRAY_SIZE(irqchips); i++) {
        const char *argv[] = {harness_built("devices"), "--stats", irqchips[i],
                              harness_built("04-devices/hello.bin"), NULL};

        e2e_run(argv, STATUS_OFF, "Hello", "  port 0x3fd, serial port\n", "exits go uncounted",
                SECTION);
        e2e_run(argv, STATUS_OFF, "Hello", "\n        58         58 ", "exits go uncounted",
                SECTION);
    }
}
END_TEST

/* On a terminal, while the guest exits as fast as it can, and prints. */
/* It prints 199 bytes through ports 0xe9 and 0x402, each a write that KVM collects. */
START_TEST(debug_output_does_not_stop_the_guest)
{
    const char *argv[] = {harness_built("devices"), "--stats", "--debug-exit",
                          harness_built("04-devices/post.bin"), NULL};
    struct program run = program_run(argv, NULL, 20);
    unsigned long exits = strtoul(run.err, NULL, 10);

    if (exits == 0 || exits > 60)
        e2e_fail("book/04-devices.md, \"What an exit costs\"", "1 to 60 exits",
                 "the debug ports are not in a zone that KVM collects", "%lu exits: \"%s\"", exits,
                 run.err);
    program_free(&run);
}
END_TEST

static const char *no_collecting(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), has;

    if (kvm < 0)
        return "no /dev/kvm";
    has = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_PIO);
    close(kvm);
    return has > 0 ? NULL : "this KVM does not collect port writes (KVM_CAP_COALESCED_PIO)";
}

START_TEST(ctrl_a_x_quits_a_tireless_guest)
{
    static const char *const irqchips[] = {"--irqchip=kernel", "--irqchip=user"};

    for (unsigned i = 0; i < ARRAY_SIZE(irqchips); i++) {
        const char *argv[] = {harness_built("devices"), irqchips[i],
                              harness_built("04-devices/tireless.bin"), NULL};
        struct terminal terminal;

        terminal_start(&terminal, argv);
        terminal_expect(&terminal, "tireless", 10);
        usleep(300000);
        terminal_type(&terminal, "\x01h");
        terminal_expect(&terminal, "Ctrl-A x       quit", 5);
        terminal_type(&terminal, "\x01x");
        ck_assert_int_eq(terminal_wait(&terminal, 5), STATUS_OFF);
        terminal_free(&terminal);
    }
}
END_TEST

START_TEST(ctrl_c_from_outside_ends_a_tireless_guest)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
        const char *argv[] = {harness_built("devices"), harness_built("04-devices/tireless.bin"),
                              NULL};
        pid_t child = start(argv, -1);
        unsigned waited = 0;
        int status;

        usleep(200000);
        kill(child, signals[i]);
        while (waitpid(child, &status, WNOHANG) == 0 && waited++ < 500)
            usleep(10000);
        ck_assert_uint_lt(waited, 500);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
    }
}
END_TEST

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    Suite *suite = suite_create("chapter 4, observed");
    TCase *tests = tcase_create("observed");

    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, make_path, remove_path);
    harness_add(tests, a_trace_holds_every_exit_of_a_hello, no_kvm);
    harness_add(tests, a_trace_is_json_even_after_sigkill, no_kvm);
    harness_add(tests, sigusr1_prints_statistics_of_a_running_guest, no_kvm);
    harness_add(tests, statistics_count_a_hello_exactly, no_kvm);
    harness_add(tests, debug_output_does_not_stop_the_guest, no_collecting());
    harness_add(tests, ctrl_a_x_quits_a_tireless_guest, no_kvm);
    harness_add(tests, ctrl_c_from_outside_ends_a_tireless_guest, no_kvm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
