/*
 * kvm_ran.c: the VMM with a debugger at its port: gdb itself, and clients that are ruder.
 * The guest is guest/hostile.asm, which echoes what is typed ('e') or prints the alphabet
 * ('o'); software KVM will do, but on a processor that QEMU emulates there are no breakpoints.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "07-linux-boot/vmm_guest.h"

#define LIMIT 20.0

static struct terminal vmm;

static void start(const char *letter, const char *where, const char *stopped)
{
    struct termios settings;

    unlink(file("gdb"));
    HOSTILE_START(&vmm, letter, "-no-reboot", "-serial", "stdio", "-gdb", where, stopped);
    for (unsigned i = 0; i < 100 && strncmp(where, "unix", 4) == 0 && !is_there("gdb"); i++)
        usleep(50000);
    /* From then on what comes back is the guest's, and not the terminal's own echo. */
    for (unsigned i = 0; i < 100 && tcgetattr(vmm.fd, &settings) == 0 && settings.c_lflag & ECHO;
         i++)
        usleep(50000);
}

static void expect_end(int status)
{
    ck_assert_int_eq(terminal_wait(&vmm, LIMIT), status);
    terminal_free(&vmm);
}

/* Does the guest run? It says what it hears. */
static void expect_echo(const char *text)
{
    terminal_type(&vmm, text);
    terminal_expect(&vmm, text, 10);
}

/* Sends data in a frame, and waits for an answer that has text in it. */
static void ask(int fd, const char *data, const char *text)
{
    char frame[256], heard[4096] = "";
    size_t length = 0;
    unsigned sum = 0;

    for (const char *c = data; *c; c++)
        sum += (unsigned char)*c;
    snprintf(frame, sizeof frame, "$%s#%02x", data, sum & 0xff);
    ck_assert_int_eq(write(fd, frame, strlen(frame)), (ssize_t)strlen(frame));
    while (!strstr(heard, text)) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        ssize_t got;

        ck_assert_msg(poll(&poll_fd, 1, 10000) > 0, "%s: no \"%s\" in \"%s\"", data, text, heard);
        got = read(fd, heard + length, sizeof heard - 1 - length);
        ck_assert_msg(got > 0, "%s: the VMM hung up after \"%s\"", data, heard);
        length += (size_t)got;
        heard[length] = '\0';
    }
}

static bool hears_the_end(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    char byte;

    return poll(&poll_fd, 1, 10000) > 0 && read(fd, &byte, 1) <= 0;
}

static unsigned descriptors(int pid)
{
    char path[64];
    unsigned count = 0;
    DIR *list;

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    list = opendir(path);
    ck_assert_ptr_nonnull(list);
    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

/* -S, a breakpoint, a register changed so that the guest takes another way, and its end. */
START_TEST(gdb_breaks_in_and_leads_the_guest_elsewhere)
{
    static const char *const commands[] = {"break *0x1000081", /* cmp al, 'o' */
                                           "continue",
                                           "print/c $al",
                                           "stepi",
                                           "print/x (long)$rip",
                                           "set $eflags |= 0x40", /* equal */
                                           "hbreak *0x10000e2",   /* flood: */
                                           "delete 1",
                                           "continue",
                                           "info threads",
                                           "monitor info name",
                                           "x/1xw 0x1000000",
                                           "set *(int *)0x1200000 = 0x600df00d",
                                           "print/x *(int *)0x1200000",
                                           "delete",
                                           "continue",
                                           NULL};
    static const char *const says[] = {"Breakpoint 1, 0x0000000001000081",
                                       "= 101 'e'",
                                       "= 0x1000083",
                                       "Breakpoint 2, 0x00000000010000e2",
                                       "CPU#0, running",
                                       "= 0x600df00d",
                                       "exited normally"};
    struct program ran;

    start("e", "unix:FOLDER/gdb", "-S");
    ran = gdb(commands);
    for (unsigned i = 0; i < sizeof says / sizeof says[0]; i++)
        ck_assert_msg(strstr(ran.out, says[i]) != NULL, "no \"%s\" in\n%s%s", says[i], ran.out,
                      ran.err);
    program_free(&ran);
    expect_end(STATUS_OFF);
}
END_TEST

START_TEST(a_second_debugger_is_turned_away)
{
    int one, other;

    start("e", "unix:FOLDER/gdb", NULL);
    one = call("gdb");
    ask(one, "?", "T05");
    for (unsigned i = 0; i < 100; i++) {
        other = call("gdb");
        ck_assert(hears_the_end(other));
        close(other);
    }
    ask(one, "qC", "QC1");
    close(one);
    expect_echo("after");
    terminal_type(&vmm, "q");
    expect_end(STATUS_OFF);
}
END_TEST

START_TEST(callers_that_come_and_go_leave_nothing_behind)
{
    unsigned before;

    start("e", "unix:FOLDER/gdb", NULL);
    expect_echo("before");
    before = descriptors(vmm.pid);
    for (unsigned i = 0; i < 300; i++) {
        int fd = call("gdb");

        if (i % 100 == 0)
            ask(fd, "?", "T05"); /* he is there, not only in the queue */
        close(fd);
    }
    expect_echo("after");
    for (unsigned i = 0; i < 100 && descriptors(vmm.pid) != before; i++)
        usleep(50000);
    ck_assert_uint_eq(descriptors(vmm.pid), before);
    terminal_type(&vmm, "q");
    expect_end(STATUS_OFF);
}
END_TEST

START_TEST(a_guest_stopped_goes_on_when_its_debugger_dies)
{
    int fd;

    start("e", "unix:FOLDER/gdb", NULL);
    expect_echo("one");
    fd = call("gdb");
    ask(fd, "?", "T05");
    terminal_type(&vmm, "two");
    ck_assert(!terminal_sees(&vmm, "two", 0.5));
    close(fd);
    terminal_expect(&vmm, "two", 10);
    fd = call("gdb");
    ask(fd, "D", "OK");
    expect_echo("three");
    close(fd);
    terminal_type(&vmm, "q");
    expect_end(STATUS_OFF);
}
END_TEST

START_TEST(the_guest_s_end_is_told)
{
    static const struct {
        const char *letter, *told;
        int status;
    } rows[] = {{"h", "$W00#b7", STATUS_OFF},
                {"9", "$W03#ba", STATUS_RESET},
                {"t", "$X06#be", STATUS_CRASH}};

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd;

        start(rows[i].letter, "unix:FOLDER/gdb", "-S");
        fd = call("gdb");
        ask(fd, "vCont;c", rows[i].told);
        close(fd);
        expect_end(rows[i].status);
    }
}
END_TEST

START_TEST(kill_is_quit)
{
    int fd;

    start("e", "unix:FOLDER/gdb", NULL);
    fd = call("gdb");
    ask(fd, "vKill;1", "OK");
    close(fd);
    expect_end(STATUS_OFF);
}
END_TEST

/* What runs while others stand can be ended from outside all the same. */
START_TEST(a_signal_ends_a_machine_that_stands)
{
    int fd;

    start("e", "unix:FOLDER/gdb", NULL);
    fd = call("gdb");
    ask(fd, "?", "T05");
    kill(vmm.pid, SIGTERM);
    expect_end(128 + SIGTERM);
    close(fd);
}
END_TEST

/* Is there a listener? In /proc/net/tcp: address and port in hex, state 0A. */
static bool listens(const char *address)
{
    char row[256], wanted[64];
    bool found = false;
    FILE *rows = fopen("/proc/net/tcp", "r");

    ck_assert_ptr_nonnull(rows);
    snprintf(wanted, sizeof wanted, " %s:5D6D 00000000:0000 0A", address);
    while (fgets(row, sizeof row, rows))
        found |= strstr(row, wanted) != NULL;
    fclose(rows);
    return found;
}

START_TEST(a_port_is_for_this_host_alone)
{
    const char *again[] = {
        harness_built("vmm"), "-kernel", harness_built("07-linux-boot/hostile.bin"), "-gdb",
        "tcp::23917",         NULL};

    start("e", "tcp::23917", NULL);
    for (unsigned i = 0; i < 100 && !listens("0100007F"); i++)
        usleep(50000);
    ck_assert(listens("0100007F") && !listens("00000000"));
    e2e_run(again, STATUS_REFUSED, "", "127.0.0.1:23917: cannot listen", "the port is in use",
            "Stopped from outside");
    expect_echo("up");
    terminal_type(&vmm, "q");
    expect_end(STATUS_OFF);
}
END_TEST

/* NULL if breakpoints can be tried here. */
static const char *no_breakpoints(void)
{
    unsigned eax;
    char vendor[13] = "";

    if (harness_no_kvm())
        return harness_no_kvm();
    __cpuid(0x40000000, eax, *(unsigned *)vendor, *(unsigned *)(vendor + 4),
            *(unsigned *)(vendor + 8));
    if (strcmp(vendor, "TCGTCGTCGTCG") == 0)
        return "QEMU's emulated AMD-V has no breakpoints for KVM's guests";
    return no_gdb();
}

int main(void)
{
    Suite *suite = suite_create("07 debugger");
    TCase *tests = tcase_create("gdb");

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    harness_add(tests, gdb_breaks_in_and_leads_the_guest_elsewhere, no_breakpoints());
    harness_add(tests, a_second_debugger_is_turned_away, harness_no_kvm());
    harness_add(tests, callers_that_come_and_go_leave_nothing_behind, harness_no_kvm());
    harness_add(tests, a_guest_stopped_goes_on_when_its_debugger_dies, harness_no_kvm());
    harness_add(tests, the_guest_s_end_is_told, harness_no_kvm());
    harness_add(tests, kill_is_quit, harness_no_kvm());
    harness_add(tests, a_signal_ends_a_machine_that_stands, harness_no_kvm());
    harness_add(tests, a_port_is_for_this_host_alone, harness_no_kvm());
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
