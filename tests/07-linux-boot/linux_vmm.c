/*
 * linux_vmm.c: Debian's cloud kernel in the VMM, as a person uses it: typing,
 * interrupting, quitting, rebooting, crashing, on a terminal and without one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "07-linux-boot/linux_guest.h"

static struct termios before;

/* Is the terminal again as it was before the VMM made it raw? */
static void expect_terminal_restored(void)
{
    struct termios after;

    ck_assert_int_eq(tcgetattr(terminal.fd, &after), 0);
    ck_assert_uint_eq(after.c_lflag, before.c_lflag);
    ck_assert_uint_eq(after.c_iflag, before.c_iflag);
    ck_assert_uint_eq(after.c_oflag, before.c_oflag);
}

static void boot(void)
{
    SHELL_START(QUIET, NULL);
    ck_assert_int_eq(tcgetattr(terminal.fd, &before), 0);
}

static void boot_to_shell(void)
{
    boot();
    terminal_expect(&terminal, PROMPT, BOOT);
}

static void end(void)
{
    terminal_free(&terminal);
}

/* Until the VMM has taken the terminal and runs the guest. */
static void wait_for_raw(void)
{
    struct termios raw;

    do {
        usleep(10000);
        ck_assert_int_eq(tcgetattr(terminal.fd, &raw), 0);
    } while (raw.c_lflag & ICANON);
    usleep(200000);
}

/* User and system time of a thread of the VMM, in hundredths of a second. */
static unsigned long used_time(const char *task)
{
    unsigned long user, system;
    char path[64], line[1024];
    FILE *stat;

    snprintf(path, sizeof path, "/proc/%d/%s", terminal.pid, task);
    stat = fopen(path, "r");
    ck_assert_ptr_nonnull(stat);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, stat));
    fclose(stat);
    ck_assert_int_eq(sscanf(strrchr(line, ')'),
                            ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                            &system),
                     2);
    return user + system;
}

/*
 * The tests of the shell share one guest, started and ended around all of them in
 * the process that forks them.
 */
static void start_shell(void)
{
    boot_to_shell();
}

static void end_shell(void)
{
    terminal_type(&terminal, "\x01x");
    ck_assert_int_eq(terminal_wait(&terminal, 10), STATUS_OFF);
    expect_terminal_restored();
    end();
}

/* Passes over what the tests before have left on the screen. */
static void new_prompt(void)
{
    terminal_type(&terminal, "stty echo; echo next $((1000 + 337))\r");
    terminal_expect(&terminal, "next 1337", 10);
    terminal_expect(&terminal, PROMPT, 10);
}

START_TEST(a_shell_answers)
{
    new_prompt();
    terminal_type(&terminal, "echo $((6 * 7))\r");
    terminal_expect(&terminal, "\n42\r", 10);
}
END_TEST

START_TEST(ctrl_a_h_helps_and_ctrl_a_ctrl_a_is_typed)
{
    new_prompt();
    terminal_type(&terminal, "\x01h");
    terminal_expect(&terminal, "Ctrl-A x", 10);
    /* The shell's line editor takes Ctrl-A as "to the start of the line". */
    terminal_type(&terminal, "hello\x01\x01"
                             "echo I say \r");
    terminal_expect(&terminal, "\nI say hello\r", 10);
}
END_TEST

START_TEST(ctrl_c_interrupts_the_guests_program_not_the_vmm)
{
    new_prompt();
    terminal_type(&terminal, "sleep 1000\r");
    terminal_expect(&terminal, "sleep 1000\r", 10);
    usleep(500000);
    terminal_type(&terminal, "\x03");
    terminal_expect(&terminal, "^C", 10);
    terminal_expect(&terminal, PROMPT, 10);
}
END_TEST

START_TEST(a_break_is_sysrq)
{
    new_prompt();
    terminal_type(&terminal, "echo 1 >/proc/sys/kernel/sysrq; echo 7 >/proc/sys/kernel/printk\r");
    terminal_expect(&terminal, PROMPT, 10);
    terminal_type(&terminal, "\x01"
                             "bh");
    terminal_expect(&terminal, "sysrq: HELP", 10);
    /* The kernel's own messages would come in between the other tests' output. */
    terminal_type(&terminal, "\recho 1 >/proc/sys/kernel/printk\r");
    terminal_expect(&terminal, PROMPT, 10);
    terminal_expect(&terminal, PROMPT, 10);
}
END_TEST

START_TEST(a_long_paste_arrives_whole)
{
    char line[65];

    memset(line, 'x', sizeof line);
    line[63] = '\r';
    line[64] = '\0';
    new_prompt();
    terminal_type(&terminal, "stty -echo; head -c 12800 | wc -c\r");
    terminal_expect(&terminal, "wc -c\r", 10);
    usleep(500000);
    for (unsigned i = 0; i < 200; i++)
        terminal_type(&terminal, line);
    terminal_expect(&terminal, "12800\r", 60);
}
END_TEST

START_TEST(much_output_arrives_whole)
{
    new_prompt();
    terminal_type(&terminal, "stty -echo; seq 1 2000; echo do''ne\r");
    for (unsigned i = 1; i <= 2000; i++) {
        char line[16];

        snprintf(line, sizeof line, "\n%u\r", i);
        terminal_expect(&terminal, line, 30);
    }
    terminal_expect(&terminal, "\ndone", 30);
}
END_TEST

START_TEST(an_idle_guest_uses_little_time)
{
    unsigned long all, loop;
    char task[32];

    new_prompt();
    sleep(1);
    snprintf(task, sizeof task, "task/%d/stat", terminal.pid);
    all = used_time("stat");
    loop = used_time(task);
    sleep(4);
    /* The guest's timer ticks cost a lot in the lab; our own loop must not. */
    ck_assert_uint_lt(used_time("stat") - all, 80);
    ck_assert_uint_le(used_time(task) - loop, 4);
}
END_TEST

START_TEST(ctrl_a_x_quits_before_the_kernel_is_up)
{
    boot();
    wait_for_raw();
    terminal_type(&terminal, "\x01x");
    ck_assert_int_eq(terminal_wait(&terminal, 10), STATUS_OFF);
    expect_terminal_restored();
    end();
}
END_TEST

START_TEST(a_panic_resets)
{
    const char *argv[] = {harness_built("vmm"), "-kernel", KERNEL, "-append", QUIET,
                          "-no-reboot",         NULL};
    struct program ran = program_run(argv, NULL, BOOT);

    ck_assert_int_eq(ran.status, STATUS_RESET);
    ck_assert_ptr_nonnull(strstr(ran.out, "Kernel panic"));
    program_free(&ran);
}
END_TEST

START_TEST(signals_end_it_and_restore_the_terminal)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGSEGV};

    for (unsigned i = 0; i < 4; i++) {
        boot();
        wait_for_raw();
        kill(terminal.pid, signals[i]);
        ck_assert_int_eq(terminal_wait(&terminal, 10), 128 + signals[i]);
        expect_terminal_restored();
        end();
    }
}
END_TEST

START_TEST(reboot_boots_again_and_exit_powers_off)
{
    boot_to_shell();
    terminal_type(&terminal, "touch /tmp/old; reboot -f\r");
    terminal_expect(&terminal, "init runs", BOOT);
    terminal_expect(&terminal, PROMPT, BOOT);
    terminal_type(&terminal, "ls /tmp; echo do''ne\r");
    terminal_expect(&terminal, "\ndone", 10); /* and no "old" before it */
    ck_assert_ptr_null(strstr(terminal.screen + terminal.matched - 20, "old"));
    terminal_type(&terminal, "exit\r");
    ck_assert_int_eq(terminal_wait(&terminal, 10), STATUS_OFF);
    expect_terminal_restored();
    end();
}
END_TEST

/* Runs the VMM without a terminal; input: what its standard input says. */
static struct program run_vmm(const char *append, const char *input)
{
    struct arguments arguments;

    linux_arguments(&arguments, SHELL_INITRD, append, OPTIONS(NULL));
    return program_run(arguments.list, input, BOOT);
}

START_TEST(a_report_without_a_terminal)
{
    struct program ran = run_vmm(QUIET "ring.mode=report", NULL);

    ck_assert_int_eq(ran.status, STATUS_OFF);
    ck_assert_ptr_nonnull(strstr(ran.out, "Ring -1: init runs"));
    ck_assert_ptr_nonnull(strstr(ran.out, "processors: 1"));
    ck_assert_str_eq(ran.err, "");
    program_free(&ran);
}
END_TEST

START_TEST(piped_input_is_passed_on_and_output_is_no_command)
{
    struct program ran = run_vmm(QUIET "ring.mode=echo",
                                 "say \x01\x01x and \x1b]0;title\x07 and \xff\nquit\n");

    ck_assert_int_eq(ran.status, STATUS_OFF);
    ck_assert_ptr_nonnull(strstr(ran.out, "echo: say \x01x and \x1b]0;title\x07 and \xff"));
    program_free(&ran);
}
END_TEST

START_TEST(a_guest_without_a_console_driver_halts_too)
{
    struct program ran = run_vmm("quiet panic=-1 cryptomgr.notests ring.mode=report", NULL);

    ck_assert_int_eq(ran.status, STATUS_OFF);
    ck_assert_str_eq(ran.out, "");
    program_free(&ran);
}
END_TEST

/* Nobody reads standard output: the guest goes on, and SIGTERM ends it. */
START_TEST(a_full_pipe_stops_neither_guest_nor_signals)
{
    int out[2], status;
    pid_t pid;

    ck_assert_int_eq(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(open("/dev/null", O_RDWR), STDIN_FILENO);
        execl(harness_built("vmm"), "vmm", "-kernel", KERNEL, "-initrd", SHELL_INITRD, "-append",
              "console=ttyS0 ignore_loglevel cryptomgr.notests initcall_debug", NULL);
        _exit(127);
    }
    sleep(8); /* the pipe and the ring are full before that */
    ck_assert_int_eq(waitpid(pid, &status, WNOHANG), 0);
    kill(pid, SIGTERM);
    sleep(3); /* the last output gets a second */
    ck_assert_int_eq(waitpid(pid, &status, WNOHANG), pid);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}
END_TEST

static Suite *vmm_suite(void)
{
    Suite *suite = suite_create("07 linux in the vmm");
    TCase *shell = tcase_create("shell"), *runs = tcase_create("runs");
    const char *reason = no_linux(SHELL_INITRD);

    tcase_set_timeout(shell, 2 * BOOT);
    if (!reason)
        tcase_add_unchecked_fixture(shell, start_shell, end_shell);
    harness_add(shell, a_shell_answers, reason);
    harness_add(shell, ctrl_c_interrupts_the_guests_program_not_the_vmm, reason);
    harness_add(shell, ctrl_a_h_helps_and_ctrl_a_ctrl_a_is_typed, reason);
    harness_add(shell, a_break_is_sysrq, reason);
    harness_add(shell, a_long_paste_arrives_whole, reason);
    harness_add(shell, much_output_arrives_whole, reason);
    harness_add(shell, an_idle_guest_uses_little_time, reason);
    suite_add_tcase(suite, shell);

    tcase_set_timeout(runs, 4 * BOOT);
    harness_add(runs, a_report_without_a_terminal, reason);
    harness_add(runs, reboot_boots_again_and_exit_powers_off, reason);
    harness_add(runs, ctrl_a_x_quits_before_the_kernel_is_up, reason);
    harness_add(runs, signals_end_it_and_restore_the_terminal, reason);
    harness_add(runs, a_panic_resets, reason);
    harness_add(runs, piped_input_is_passed_on_and_output_is_no_command, reason);
    harness_add(runs, a_guest_without_a_console_driver_halts_too, reason);
    harness_add(runs, a_full_pipe_stops_neither_guest_nor_signals, reason);
    suite_add_tcase(suite, runs);
    return suite;
}

int main(void)
{
    return harness_main(vmm_suite());
}
