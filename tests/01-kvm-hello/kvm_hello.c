/* Chapter 1's programs, run as a reader runs them. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/harness.h"

#define SECTION "book/01-kvm-hello.md"

START_TEST(hello_says_hello)
{
    e2e_guest("hello", "01-kvm-hello/hello", SECTION ", \"Run it\"");
}
END_TEST

START_TEST(echo_reads_and_writes_the_port)
{
    e2e_guest("hello", "01-kvm-hello/echo", SECTION ", \"Answering a port\"");
}
END_TEST

START_TEST(a_string_instruction_moves_every_item)
{
    e2e_guest("hello", "01-kvm-hello/batch", SECTION ", \"Answering a port\"");
}
END_TEST

START_TEST(a_triple_fault_is_named)
{
    e2e_guest("hello", "01-kvm-hello/triple", SECTION ", \"When the guest stops\"");
}
END_TEST

START_TEST(a_guest_that_never_halts_meets_the_limit)
{
    e2e_guest("hello", "01-kvm-hello/spin", SECTION ", \"Getting the processor back\"");
}
END_TEST

START_TEST(a_store_off_the_map_is_named)
{
    e2e_guest("hello", "01-kvm-hello/offmap", SECTION ", \"When the guest stops\"");
}
END_TEST

START_TEST(a_jump_into_nothing_is_reported)
{
    e2e_guest("hello", "01-kvm-hello/wild", SECTION ", \"When the guest stops\"");
}
END_TEST

/* NULL if command succeeds, else reason: may this user make such a computer? */
static const char *unless(const char *command, const char *reason)
{
    return system(command) == 0 ? NULL : reason;
}

static void expect_run(const char *const argv[], int status, const char *out, const char *err,
                       const char *cause)
{
    e2e_run(argv, status, out, err, cause, SECTION);
}

START_TEST(the_raw_program_tells_the_same_story)
{
    const char *argv[] = {harness_built("hello-raw"), NULL};

    expect_run(argv, 0, "There are 25.\n[host] the guest halted; its memory shows 25 primes\n", "",
               "raw.c and hello.asm disagree about ports or addresses");
}
END_TEST

START_TEST(without_a_payload_the_built_in_guest_runs)
{
    const char *argv[] = {harness_built("hello"), NULL};

    expect_run(argv, 0, "There are 25.\n", "", "the guest is not embedded");
}
END_TEST

START_TEST(the_trace_names_each_exit)
{
    const char *argv[] = {harness_built("hello"), "--trace", NULL};

    expect_run(argv, 0, "There are 25.", "KVM_EXIT_IO (2): wrote 1 x 1 byte to port 0xe9",
               "--trace prints nothing or prints too late");
}
END_TEST

START_TEST(registers_show_the_count_of_primes)
{
    const char *argv[] = {harness_built("hello"), "--registers", NULL};

    expect_run(argv, 0, "rcx=0x0000000000000019", "", "registers read before the guest's end");
}
END_TEST

START_TEST(bad_arguments_are_refused_by_name)
{
    static const struct {
        const char *argument[2];
        const char *says;
    } rows[] = {
        {{"--frobnicate", NULL}, "frobnicate"},
        {{"--limit", "soon"}, "--limit soon: not a number of seconds"},
        {{"--limit", "-1"}, "--limit -1: not a number"},
        {{"--limit", "nan"}, "--limit nan: not a number"},
        {{"a.bin", "b.bin"}, "\"b.bin\" follows \"a.bin\""},
        {{"/no/such/file", NULL}, "payload /no/such/file: cannot open: No such file"},
        {{"/dev/zero", NULL}, "payload /dev/zero: not a regular file"},
        {{"/", NULL}, "payload /: not a regular file"},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *argv[] = {harness_built("hello"), rows[i].argument[0], rows[i].argument[1],
                              NULL};

        expect_run(argv, 1, "", rows[i].says, "an option parsed too kindly");
    }
}
END_TEST

START_TEST(a_payload_fits_exactly_or_is_refused)
{
    char path[] = "/tmp/ring-payload-XXXXXX";
    const char *argv[] = {harness_built("hello"), "--limit", "5", path, NULL};
    int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    expect_run(argv, 1, "", "empty", "an empty payload runs");
    /* 0xf4 is HLT; the rest of the file are zeros. */
    ck_assert_int_eq(write(fd, "\xf4", 1), 1);
    ck_assert_int_eq(ftruncate(fd, 57344), 0);
    expect_run(argv, 0, "", "", "the limit is off by one");
    ck_assert_int_eq(ftruncate(fd, 57345), 0);
    expect_run(argv, 1, "", "57345 bytes, but at most 57344 are allowed",
               "the limit is off by one");
    close(fd);
    unlink(path);
}
END_TEST

/* A mount namespace with an empty /dev: a computer without KVM. */
#define NO_DEV "unshare -rm sh -c 'mount -t tmpfs none /dev && exec \"$0\"' "

START_TEST(a_missing_dev_kvm_names_the_doctor)
{
    const char *argv[] = {"sh", "-c", NO_DEV "$0", harness_built("hello"), NULL};

    expect_run(argv, 1, "", "cannot open /dev/kvm: No such file or directory (run 'make doctor'",
               "the error of open() is lost or not explained");
}
END_TEST

START_TEST(the_doctor_without_dev_kvm_sends_us_to_the_lab)
{
    const char *argv[] = {"sh", "-c", NO_DEV "$0", harness_built("doctor"), NULL};

    expect_run(argv, 1, "PROBLEM  /dev/kvm", "",
               "the doctor needs a /dev/kvm to say there is none");
}
END_TEST

START_TEST(a_forbidden_dev_kvm_names_the_doctor)
{
    const char *argv[] = {"setpriv", "--reuid=65534", "--clear-groups", harness_built("hello"),
                          NULL};

    expect_run(argv, 1, "", "cannot open /dev/kvm: Permission denied (run 'make doctor'",
               "the error of open() is lost or not explained");
}
END_TEST

START_TEST(ctrl_c_ends_a_spinning_guest)
{
    const char *argv[] = {harness_built("hello"), harness_built("01-kvm-hello/spin.bin"), NULL};
    struct terminal terminal;

    terminal_start(&terminal, argv);
    usleep(300000); /* let it spin: the signal must reach a running guest */
    terminal_type(&terminal, "\x03");
    terminal_expect(&terminal, "stopped by Ctrl-C at rip=0x1000", 10);
    ck_assert_int_eq(terminal_wait(&terminal, 10), 5);
    terminal_free(&terminal);
}
END_TEST

START_TEST(the_doctor_measures_this_machine)
{
    const char *where[] = {harness_built("doctor"), "--where", NULL};
    const char *json[] = {harness_built("doctor"), "--json", NULL};
    struct program ran = program_run(where, NULL, 20);

    ck_assert_int_eq(ran.status, 0);
    ck_assert_msg(strcmp(ran.out, "host\n") == 0 || strcmp(ran.out, "host-chapters-only\n") == 0,
                  "guests run here, but the doctor says \"%s\"", ran.out);
    program_free(&ran);

    ran = program_run(json, NULL, 20);
    ck_assert_ptr_nonnull(strstr(ran.out, "\"KVM_CAP_USER_MEMORY\": 1"));
    ck_assert_ptr_null(strstr(ran.out, "\"step\": 0"));
    program_free(&ran);
}
END_TEST

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    const char *no_namespaces = unless("unshare -rm mount -t tmpfs none /dev 2>/dev/null",
                                       "this user may not make namespaces");
    const char *no_stranger = unless(
        "setpriv --reuid=65534 --clear-groups test ! -r /dev/kvm 2>/dev/null",
        "not root, or /dev/kvm is open to everyone");
    Suite *suite = suite_create("chapter 1 on KVM");
    TCase *tests = tcase_create("programs");

    tcase_set_timeout(tests, 60);
    harness_add(tests, hello_says_hello, no_kvm);
    harness_add(tests, echo_reads_and_writes_the_port, no_kvm);
    harness_add(tests, a_string_instruction_moves_every_item, no_kvm);
    harness_add(tests, a_triple_fault_is_named, no_kvm);
    harness_add(tests, a_guest_that_never_halts_meets_the_limit, no_kvm);
    harness_add(tests, a_store_off_the_map_is_named, no_kvm);
    harness_add(tests, a_jump_into_nothing_is_reported, no_kvm);
    harness_add(tests, the_raw_program_tells_the_same_story, no_kvm);
    harness_add(tests, without_a_payload_the_built_in_guest_runs, no_kvm);
    harness_add(tests, the_trace_names_each_exit, no_kvm);
    harness_add(tests, registers_show_the_count_of_primes, no_kvm);
    harness_add(tests, bad_arguments_are_refused_by_name, no_kvm);
    harness_add(tests, a_payload_fits_exactly_or_is_refused, no_kvm);
    harness_add(tests, a_missing_dev_kvm_names_the_doctor, no_namespaces);
    harness_add(tests, the_doctor_without_dev_kvm_sends_us_to_the_lab, no_namespaces);
    harness_add(tests, a_forbidden_dev_kvm_names_the_doctor, no_stranger);
    harness_add(tests, ctrl_c_ends_a_spinning_guest, no_kvm);
    harness_add(tests, the_doctor_measures_this_machine, no_kvm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
