/*
 * Debian's own ARM programs, unmodified: chapters/06-tcg/armel root fetches them.
 *
 * Each line is run by rarm and, where it is installed, by qemu-arm; output and exit
 * status must be the same. What qemu-arm cannot do (start further programs without
 * the host's help) is compared with the text beside it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/harness.h"

#define SECTION "book/06-tcg.md, \"Linux, from below\""
#define ROOT    "build/armel/root"

static bool have_qemu;

/* One program, one argument or script, what it says. NULL: what qemu-arm says. */
static const struct {
    const char *program, *option, *text, *expected;
    int status;
} lines[] = {
    {"/bin/busybox", "echo", "hello", NULL, 0},
    {"/bin/busybox", "factor", "2147483647", NULL, 0},
    {"/bin/busybox", "sha256sum", "/lib/arm-linux-gnueabi/libc.so.6", NULL, 0},
    {"/bin/busybox", "awk", "BEGIN { for (i = 0; i < 9; i++) s = s i * i \" \"; print s }", NULL,
     0},
    {"/bin/busybox", "sh", "no such script", "", 2},
    {"/bin/bash", "-c", "for i in {1..9}; do echo $((i * i)); done; exit 7", NULL, 7},
    {"/usr/bin/awk", "--", "BEGIN { printf \"%.10f %s\\n\", exp(1), toupper(\"gawk\") }", NULL, 0},
    {"/usr/bin/perl", "-e", "print join(',', sort { $b <=> $a } map { $_ ** 2 } 1 .. 20), qq(\\n)",
     NULL, 0},
    {"/usr/bin/lua5.4", "-e", "print(2 ^ 53, 7 // 2, ('x'):rep(5), #arg)", NULL, 0},
    {"/usr/bin/python3", "-c",
     "import decimal, hashlib, json, re, zlib\n"
     "print(json.dumps({'a': [1, 2.5, None]}), re.sub('b+', '-', 'abbbc'), 2 ** 200)\n"
     "print(hashlib.sha256(b'x').hexdigest(), zlib.crc32(b'abc'), decimal.Decimal(1) / 7)",
     NULL, 0},
    {"/usr/bin/python3", "-c", "import sys; sys.exit(sum(map(int, '12345')))", "", 15},
    {"/usr/bin/sqlite3", ":memory:",
     "create table t(x); insert into t values (1), (2), (40); select count(*), sum(x) from t;",
     "3|43\n", 0},
    /* From here on programs start programs. */
    {"/bin/bash", "-c", "seq 1 100 | awk '{ s += $1 } END { print s }'; uname -m",
     "5050\narmv5tel\n", 0},
    {"/bin/bash", "-c", "echo one two | tr ' ' '\\n' | sort -r | sed s/o/0/ | grep -n .",
     "1:tw0\n2:0ne\n", 0},
    {"/bin/bash", "-c",
     "head -c 100000 /lib/arm-linux-gnueabi/libc.so.6 | gzip | gunzip | wc -c;"
     "head -c 100000 /lib/arm-linux-gnueabi/libc.so.6 | xz -0 | xz -d | wc -c",
     "100000\n100000\n", 0},
    {"/bin/bash", "-c", "tar -C /usr/share/perl -cf - . | tar -tf - | grep -c Carp.pm", "1\n", 0},
    {"/bin/bash", "-c", "trap 'echo caught' TERM; kill -TERM $$; sleep 0.1 & wait $!; echo $?",
     "caught\n0\n", 0},
    {"/bin/bash", "-c", "kill -9 $$", "", 128 + 9},
    /* A program of the host is none of the guest's. ARM48 */
    {"/bin/bash", "-c", "exec build/rarm --help", "", 126},
    {"/bin/busybox", "sh", "-c", "", 2},
    {"/usr/bin/python3", "-c",
     "import subprocess, threading\n"
     "out = []\n"
     "ts = [threading.Thread(target=lambda n=n: out.append(n)) for n in range(8)]\n"
     "[t.start() for t in ts]; [t.join() for t in ts]\n"
     "print(sorted(out), subprocess.run(['echo', 'sub'], capture_output=True).stdout)",
     "[0, 1, 2, 3, 4, 5, 6, 7] b'sub\\n'\n", 0},
    {"/usr/bin/perl", "-e", "open(F, '-|', 'echo from perl'); print <F>; print `echo again`",
     "from perl\nagain\n", 0},
    {"/bin/bash", "-c",
     "cd $(mktemp -d) && echo 'int printf(const char *, ...); int main(void)"
     "{ return printf(\"%d\\n\", (int)sizeof(long)) != 2; }' > a.c &&"
     "gcc -O2 -o a a.c && ./a && gcc -O1 -S -o - a.c | grep -c __aeabi; rm -r $PWD",
     "4\n0\n", 0},
};

#define LINES (int)(sizeof lines / sizeof lines[0])

static struct program run_under(const char *runner, const char *program, int n)
{
    const char *argv[] = {runner, "-L", ROOT, program, lines[n].option, lines[n].text, NULL};

    return program_run(argv, NULL, 200);
}

START_TEST(debian_s_programs_run)
{
    struct program ours, theirs = {0};
    char path[128];

    snprintf(path, sizeof path, "%s%s", ROOT, lines[_i].program);
    ours = run_under(harness_built("rarm"), lines[_i].program, _i);
    if (ours.timed_out || ours.status != lines[_i].status)
        e2e_fail(SECTION, "another status", "a system call or an instruction done wrongly",
                 "%s %s '%s': status %d, \"%s\" and \"%s\"", lines[_i].program, lines[_i].option,
                 lines[_i].text, ours.status, ours.out, ours.err);
    if (lines[_i].expected) {
        ck_assert_str_eq(ours.out, lines[_i].expected);
    } else if (have_qemu) {
        theirs = run_under("qemu-arm", path, _i);
        ck_assert_int_eq(theirs.status, ours.status);
        ck_assert_str_eq(theirs.out, ours.out);
        program_free(&theirs);
    }
    ck_assert(lines[_i].expected || ours.out_size > 0);
    program_free(&ours);
}
END_TEST

/* A terminal: job control, line editing, and Ctrl-C for the guest's program alone. */
START_TEST(a_shell_on_a_terminal)
{
    const char *argv[] = {harness_built("rarm"), "-L", ROOT, "/bin/bash", "--norc",
                          "--noprofile",         "-i", NULL};
    struct terminal terminal;

    setenv("PS1", "guest> ", 1);
    setenv("TERM", "dumb", 1);
    terminal_start(&terminal, argv);
    terminal_expect(&terminal, "guest> ", 30);
    terminal_type(&terminal, "stty size; echo $((6 * 7))\n");
    terminal_expect(&terminal, "24 80", 30);
    terminal_expect(&terminal, "42\r\n", 30);
    terminal_expect(&terminal, "guest> ", 30);
    terminal_type(&terminal, "echo ready; cat\n");
    terminal_expect(&terminal, "ready\r\n", 30);
    usleep(300000); /* until cat reads: else Ctrl-C would be for the shell */
    terminal_type(&terminal, "echoed\n");
    terminal_expect(&terminal, "echoed\r\nechoed", 30);
    terminal_type(&terminal, "\003");
    terminal_expect(&terminal, "guest> ", 30);
    terminal_type(&terminal, "echo $?\n");
    terminal_expect(&terminal, "130", 30);
    terminal_expect(&terminal, "guest> ", 30);
    terminal_type(&terminal, "echo again; sleep 100\n");
    terminal_expect(&terminal, "again\r\n", 30);
    usleep(300000);
    terminal_type(&terminal, "\032");
    terminal_expect(&terminal, "Stopped", 30);
    terminal_expect(&terminal, "guest> ", 30);
    terminal_type(&terminal, "fg\n");
    terminal_expect(&terminal, "sleep 100\r\n", 30);
    usleep(300000);
    terminal_type(&terminal, "\003");
    terminal_expect(&terminal, "guest> ", 30);
    terminal_type(&terminal, "exit 9\n");
    ck_assert_int_eq(terminal_wait(&terminal, 30), 9);
    terminal_free(&terminal);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("armel");
    TCase *tests = tcase_create("armel");

    tcase_set_timeout(tests, 420);
    have_qemu = system("command -v qemu-arm >/dev/null") == 0;
    if (access(ROOT "/bin/bash", F_OK) == 0) {
        tcase_add_loop_test(tests, debian_s_programs_run, 0, LINES);
        tcase_add_test(tests, a_shell_on_a_terminal);
    } else {
        printf("SKIP armel: Debian's ARM programs are not here (chapters/06-tcg/armel root)\n");
    }
    if (!have_qemu)
        printf("SKIP qemu_says_the_same: qemu-arm is not installed (common/deps arm)\n");
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
