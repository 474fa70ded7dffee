/*
 * harness.h: what our libcheck suites share.
 *
 * Each tests/NN-name/X.c is one program with one suite; its name says where it runs:
 *
 *     test_*.c    modules alone: no /dev/kvm, anywhere
 *     kvm_*.c     a chapter's guests on /dev/kvm, software KVM will do
 *     linux_*.c   a real kernel: hardware KVM, or the lab
 *
 * tests/run starts them from the top of the tree with BUILD naming the build folder,
 * adds up their summary lines and the SKIP lines, and prints the totals.
 *
 * A failure should teach. Use the e2e_* checks below: they print what was observed,
 * what was expected, the likely cause, and the section of the book to read.
 */
#ifndef TESTS_HARNESS_H
#define TESTS_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* Runs the suite, prints libcheck's summary; the value is main()'s exit status. */
int harness_main(Suite *suite);

/*
 * Adds a test, or, if reason is not NULL, prints "SKIP test: reason" instead. So a
 * test that cannot run here is never counted as passed.
 *
 *     harness_add(tests, primes_are_right, harness_no_kvm());
 */
#define harness_add(tcase, test, reason) harness_add_test(tcase, test, #test, reason)
void harness_add_test(TCase *tcase, const TTest *test, const char *name, const char *reason);

/* NULL if /dev/kvm opens, else why not. */
const char *harness_no_kvm(void);

/* "build/hello" for "hello", below $BUILD. In static storage, eight at a time. */
const char *harness_built(const char *name);

/* What a finished program left behind. Release with program_free(). */
struct program {
    char *out, *err; /* zero-terminated; may hold zeros before that */
    size_t out_size, err_size;
    int status;     /* exit status; 128 + signal if one killed it */
    bool timed_out; /* killed by us after the time limit */
    double seconds; /* wall time */
};

/*
 * Runs argv (NULL-terminated) with input (NULL: /dev/null) on its standard input
 * and waits at most seconds. Output beyond 16 MiB is thrown away.
 */
struct program program_run(const char *const argv[], const char *input, double seconds);
void program_free(struct program *program);

/*
 * Runs "PROGRAM GUEST.bin" as the guest's source asks in comment lines:
 *
 *     ; args: --limit 0.2        options before the payload
 *     ; input: text\n            its standard input (\n is a line's end)
 *     ; expect: TEXT             a whole line of standard output, in this order
 *     ; expect-error: TEXT       a part of standard error
 *     ; status: 3                the exit status, 0 if not given
 *
 * and fails with the difference, the likely cause and the section to read.
 * guest is "01-kvm-hello/hello"; its source is chapters/01-kvm-hello/guest/hello.asm.
 */
void e2e_guest(const char *program, const char *guest, const char *section);

/* The same with one more option in front of the source's own; NULL for none. */
void e2e_guest_with(const char *program, const char *option, const char *guest,
                    const char *section);

/*
 * Runs argv (20 s at most) and compares its exit status, and a part of each of its
 * outputs; "" fits any. cause and section are for the reader of a failure.
 */
void e2e_run(const char *const argv[], int status, const char *out, const char *err,
             const char *cause, const char *section);

/* Fails the test with all four lines a failure owes its reader. */
__attribute__((noreturn, format(printf, 4, 5))) void
e2e_fail(const char *section, const char *expected, const char *cause, const char *observed, ...);

/* As a student sees it: a program on a terminal of its own (a pty, 80 x 24). */
struct terminal {
    int fd; /* the controlling side */
    int pid;
    char *screen; /* all that came, zero-terminated */
    size_t size;
    size_t matched; /* terminal_expect() looks from here on */
};

void terminal_start(struct terminal *terminal, const char *const argv[]);

/* Types text, as a person would. */
void terminal_type(struct terminal *terminal, const char *text);

/*
 * Waits until text appears after the last match, at most seconds. Otherwise fails
 * the test with the last screen; a VMM adds its guest's exit reason and registers.
 */
void terminal_expect(struct terminal *terminal, const char *text, double seconds);

/* Like terminal_expect(), but answers instead of failing. */
bool terminal_sees(struct terminal *terminal, const char *text, double seconds);

/* Waits for the program's end, at most seconds, and gives its status as above. */
int terminal_wait(struct terminal *terminal, double seconds);

/* Kills what still runs and releases everything. */
void terminal_free(struct terminal *terminal);

#endif
