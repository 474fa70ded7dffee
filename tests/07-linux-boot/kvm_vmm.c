/*
 * kvm_vmm.c: the VMM with kernels of a few instructions, most of them hostile. They
 * need no Linux, so software KVM will do.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "07-linux-boot/sandbox.h"
#include "07-linux-boot/vmm_guest.h"
#include "common/bits.h"

#define LIMIT 30.0 /* seconds; one is usual, until the halt is noticed */

static void expect(const char *letter, int status, const char *out, const char *err)
{
    struct program ran = HOSTILE_RUN(letter, NULL, "-no-reboot");

    ck_assert_msg(ran.status == status, "%s: status %d, not %d; %s", letter, ran.status, status,
                  ran.err);
    ck_assert_msg(strstr(ran.out, out) != NULL, "%s printed \"%s\"", letter, ran.out);
    ck_assert_msg(strstr(ran.err, err) != NULL, "%s reported \"%s\"", letter, ran.err);
    program_free(&ran);
}

START_TEST(halting_with_interrupts_off_powers_off)
{
    expect("h", STATUS_OFF, "", "");
}
END_TEST

START_TEST(rep_outsb_of_65535_bytes_arrives_in_order)
{
    struct program ran = HOSTILE_RUN("o", NULL, NULL);

    ck_assert_int_eq(ran.status, STATUS_OFF);
    ck_assert_uint_eq(ran.out_size, 65535);
    for (unsigned i = 0; i < ran.out_size; i++)
        ck_assert_msg(ran.out[i] == (i % 27 < 26 ? (char)('A' + i % 27) : '\n'), "byte %u", i);
    program_free(&ran);
}
END_TEST

START_TEST(rep_insb_ends_up_and_down)
{
    expect("i", STATUS_OFF, "alive\n", "");
}
END_TEST

START_TEST(every_port_survives_every_width)
{
    expect("p", STATUS_OFF, "alive\n", "");
}
END_TEST

START_TEST(device_memory_nobody_claims_reads_all_ones)
{
    expect("m", STATUS_OFF, "alive\n", "");
}
END_TEST

START_TEST(nested_virtualization_is_hidden)
{
    expect("c", STATUS_OFF, "alive\n", "");
}
END_TEST

START_TEST(a_triple_fault_is_reported)
{
    expect("t", STATUS_CRASH, "", "triple fault");
    expect("t", STATUS_CRASH, "", "rip=0x");
}
END_TEST

START_TEST(a_jump_into_nothing_is_reported)
{
    expect("j", STATUS_STUCK, "", "KVM_EXIT_INTERNAL_ERROR");
    expect("j", STATUS_STUCK, "", "rip=0x00000000d0000000");
}
END_TEST

START_TEST(each_reset_port_resets)
{
    static const char *const letters[] = {"9", "f", "k"};

    for (unsigned i = 0; i < ARRAY_SIZE(letters); i++) {
        struct program ran = HOSTILE_RUN(letters[i], NULL, "-no-reboot");

        ck_assert_int_eq(ran.status, STATUS_RESET);
        ck_assert_str_eq(ran.out, ""); /* not one instruction further */
        ck_assert_str_eq(ran.err, "");
        program_free(&ran);
    }
    expect("r", STATUS_OFF, "alive\n", "");
}
END_TEST

/* What a run needs from its first instruction to its report, and again after a reset. */
START_TEST(a_sandbox_takes_nothing_that_a_run_needs)
{
    static const struct {
        const char *letter, *option;
        int status;
        const char *out;
    } runs[] = {
        {"h", "-no-reboot", STATUS_OFF, ""},   {"p", "-no-reboot", STATUS_OFF, "alive\n"},
        {"t", "-no-reboot", STATUS_CRASH, ""}, {"9", "-no-reboot", STATUS_RESET, ""},
        {"h", "-stats", STATUS_OFF, ""},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(runs); i++) {
        struct program ran = HOSTILE_RUN(runs[i].letter, NULL, "-sandbox", "on", runs[i].option);

        ck_assert_msg(ran.status == runs[i].status && strstr(ran.out, runs[i].out),
                      "%s: status %d, not %d; %s", runs[i].letter, ran.status, runs[i].status,
                      ran.err);
        program_free(&ran);
    }
}
END_TEST

START_TEST(resets_follow_each_other_until_the_user_quits)
{
    struct terminal terminal;

    HOSTILE_START(&terminal, "k", NULL);
    ck_assert(!terminal_sees(&terminal, "vmm:", 2)); /* hundreds of machines later */
    terminal_type(&terminal, "\x01x");
    ck_assert_int_eq(terminal_wait(&terminal, 10), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

START_TEST(the_monitor_is_behind_the_terminal)
{
    struct terminal terminal;

    HOSTILE_START(&terminal, "e", NULL);
    terminal_type(&terminal, "for the guest");
    terminal_expect(&terminal, "for the guest", 10);
    terminal_type(&terminal, "\x01"
                             "c");
    terminal_expect(&terminal, "(vmm) ", 5);
    terminal_type(&terminal, "info cpus\r");
    terminal_expect(&terminal, "CPU #0: APIC id 0, rip 0x", 5);
    terminal_type(&terminal, "stop\rinfo status\r");
    terminal_expect(&terminal, "VM status: paused", 5);
    terminal_type(&terminal, "\x01"
                             "cunheard");
    ck_assert(!terminal_sees(&terminal, "unheard", 1)); /* the guest stands still ... */
    terminal_type(&terminal, "\x01"
                             "ccont\r");
    terminal_expect(&terminal, "unheard", 5); /* ... and then takes what was typed */
    terminal_type(&terminal, "quit\r");
    ck_assert_int_eq(terminal_wait(&terminal, 10), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

START_TEST(a_held_machine_has_not_run_one_instruction)
{
    struct terminal terminal;

    HOSTILE_START(&terminal, "o", "-S");
    ck_assert(!terminal_sees(&terminal, "ABC", 1));
    terminal_type(&terminal, "\x01"
                             "cinfo cpus\r");
    terminal_expect(&terminal, "rip 0x", 5);
    ck_assert(!terminal_sees(&terminal, "ABC", 1));
    terminal_type(&terminal, "cont\r");
    terminal_expect(&terminal, "XYZ", 20);
    ck_assert_int_eq(terminal_wait(&terminal, 3 * LIMIT), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

/* The VMM with its first serial port on a socket, and a caller; hostile.asm's 'e' echoes. */
static void *call_and_talk(void *unused)
{
    static char heard[1000];
    int fd = call("serial");
    size_t size = 0;
    ssize_t got;

    (void)unused;
    if (write(fd, "a line through a socket\nq", 25) != 25)
        return NULL;
    while (size < sizeof heard - 1 && (got = read(fd, heard + size, sizeof heard - 1 - size)) > 0)
        size += (size_t)got;
    close(fd);
    return heard;
}

START_TEST(a_serial_port_on_a_socket_waits_for_its_caller_and_loses_nothing)
{
    struct program ran;
    pthread_t caller;
    void *heard;

    pthread_create(&caller, NULL, call_and_talk, NULL);
    ran = HOSTILE_RUN("e", NULL, "-serial", "unix:FOLDER/serial,server=on");
    pthread_join(caller, &heard);
    ck_assert_int_eq(ran.status, STATUS_OFF);
    ck_assert_str_eq(ran.out, "");
    ck_assert_ptr_nonnull(strstr(ran.err, "waiting for somebody to connect to"));
    ck_assert_ptr_nonnull(heard);
    ck_assert_str_eq(heard, "a line through a socket\nalive\n");
    ck_assert(!is_there("serial"));
    program_free(&ran);
}
END_TEST

START_TEST(a_terminal_that_nobody_uses_stays_as_it_is)
{
    struct terminal terminal;

    HOSTILE_START(&terminal, "e", "-serial", "null");
    ck_assert(!terminal_sees(&terminal, "vmm:", 1));
    terminal_type(&terminal, "\x03"); /* Ctrl-C is a signal, not a key */
    ck_assert_int_eq(terminal_wait(&terminal, 10), 128 + SIGINT);
    terminal_free(&terminal);
}
END_TEST

START_TEST(a_daemon_has_started_when_its_command_ends)
{
    struct arguments arguments;
    int pid = 0, monitor;
    struct program ran;
    FILE *in;

    hostile_arguments(&arguments, "e",
                      OPTIONS("-m", "64", "-daemonize", "-pidfile", "FOLDER/pid", "-monitor",
                              "unix:FOLDER/monitor,server=on,wait=off"));
    ran = program_run(arguments.list, NULL, LIMIT);
    ck_assert_int_eq(ran.status, 0);
    ck_assert_str_eq(ran.err, "");
    program_free(&ran);
    in = fopen(file("pid"), "r");
    ck_assert_int_eq(fscanf(in, "%d", &pid), 1);
    fclose(in);
    ck_assert_int_eq(kill(pid, 0), 0); /* it runs */

    ran = program_run(arguments.list, NULL,
                      LIMIT); /* a second one is refused, to its caller's face */
    ck_assert_int_eq(ran.status, STATUS_REFUSED);
    ck_assert_ptr_nonnull(strstr(ran.err, "another VMM runs that has it"));
    program_free(&ran);

    monitor = call("monitor");
    ck_assert_int_eq(write(monitor, "quit\n", 5), 5);
    close(monitor);
    for (unsigned i = 0; i < 100 && (is_there("pid") || kill(pid, 0) == 0); i++)
        usleep(100000);
    ck_assert_int_lt(kill(pid, 0), 0);
    ck_assert(!is_there("pid") && !is_there("monitor"));
}
END_TEST

START_TEST(a_polling_driver_gets_piped_input_whole)
{
    struct program ran = HOSTILE_RUN("e", "the quick brown fox jumps over the lazy dog\nq", NULL);

    ck_assert_int_eq(ran.status, STATUS_OFF);
    /* 'q' ends it: the first one is in "quick". */
    ck_assert_str_eq(ran.out, "the alive\n");
    program_free(&ran);
    ran = HOSTILE_RUN("e", "The lazy dog is not jumped over, not even by a brown fox\nq", NULL);
    ck_assert_str_eq(ran.out, "The lazy dog is not jumped over, not even by a brown fox\nalive\n");
    program_free(&ran);
}
END_TEST

START_TEST(a_polling_driver_gets_typed_input_at_once)
{
    struct terminal terminal;

    HOSTILE_START(&terminal, "e", NULL);
    usleep(300000);
    terminal_type(&terminal, "hello");
    terminal_expect(&terminal, "hello", 5);
    terminal_type(&terminal, "q");
    terminal_expect(&terminal, "alive", 5);
    ck_assert_int_eq(terminal_wait(&terminal, 10), STATUS_OFF);
    terminal_free(&terminal);
}
END_TEST

START_TEST(refusals_come_before_any_guest)
{
    static const struct {
        const char *argv[6];
        const char *says;
    } rows[] = {
        {{"-kernel", "/nonexistent"}, "/nonexistent: cannot open"},
        {{"-kernel", "README.md"}, "README.md: "},
        {{"-kernel", "/dev/null"}, "/dev/null: not a regular file"},
        {{"-smp", "4,cores=3"}, "-smp 4,cores=3: sockets 1 * cores 3 * threads 1 are 3"},
        {{"-kernel", "k", "-drive", "file=/dev/null"}, "-drive: /dev/null: neither"},
        {{"-kernel", "k", "-serial", "file:/"}, "-chardev file,id=serial0: /: cannot open"},
        {{"-kernel", "k", "-device", "virtio-blk-pci,drive=d"}, "drive=d: no -drive has that"},
        {{"-kernel", "build/07-linux-boot/hostile.bin", "-cpu", "host,+3dnow"},
         "-cpu: +3dnow: KVM on this host has no such feature to offer"},
        {{NULL}, "no kernel"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *argv[8] = {harness_built("vmm")};
        struct program ran;

        memcpy(argv + 1, rows[i].argv, sizeof rows[i].argv);
        if (argv[2] && strstr(argv[2], "hostile.bin")) /* of this build */
            argv[2] = harness_built("07-linux-boot/hostile.bin");
        ran = program_run(argv, NULL, LIMIT);
        ck_assert_int_eq(ran.status, STATUS_REFUSED);
        ck_assert_msg(strncmp(ran.err, "vmm: ", 5) == 0, "%s", ran.err);
        ck_assert_msg(strstr(ran.err, rows[i].says) != NULL, "%s", ran.err);
        ck_assert_msg(strchr(ran.err, '\n') == ran.err + ran.err_size - 1, "one line: %s", ran.err);
        ck_assert_str_eq(ran.out, "");
        program_free(&ran);
    }
}
END_TEST

/* The bus has 32 slots, one of them the bridge's. */
START_TEST(more_devices_than_the_bus_has_slots_are_refused)
{
    const char *argv[3 + 2 * 32 + 1] = {harness_built("vmm"), "-kernel",
                                        harness_built("07-linux-boot/hostile.bin")};
    struct program ran;

    for (unsigned i = 3; i < ARRAY_SIZE(argv) - 1; i += 2) {
        argv[i] = "-device";
        argv[i + 1] = "virtio-rng-pci";
    }
    ran = program_run(argv, NULL, LIMIT);
    ck_assert_msg(ran.status == STATUS_REFUSED && strncmp(ran.err, "vmm: -device ", 13) == 0 &&
                      strchr(ran.err, '\n') == ran.err + ran.err_size - 1,
                  "status %d, \"%s\"", ran.status, ran.err);
    program_free(&ran);
}
END_TEST

static Suite *vmm_suite(void)
{
    Suite *suite = suite_create("07 vmm");
    TCase *tests = tcase_create("vmm");
    const char *reason = harness_no_kvm();

    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 4 * LIMIT);
    harness_add(tests, halting_with_interrupts_off_powers_off, reason);
    harness_add(tests, rep_outsb_of_65535_bytes_arrives_in_order, reason);
    harness_add(tests, rep_insb_ends_up_and_down, reason);
    harness_add(tests, every_port_survives_every_width, reason);
    harness_add(tests, device_memory_nobody_claims_reads_all_ones, reason);
    harness_add(tests, nested_virtualization_is_hidden, reason);
    harness_add(tests, a_triple_fault_is_reported, reason);
    harness_add(tests, a_jump_into_nothing_is_reported, reason);
    harness_add(tests, each_reset_port_resets, reason);
    harness_add(tests, a_sandbox_takes_nothing_that_a_run_needs,
                reason || sandbox_is_possible() ? reason : "a build with sanitizers opens files");
    harness_add(tests, resets_follow_each_other_until_the_user_quits, reason);
    harness_add(tests, the_monitor_is_behind_the_terminal, reason);
    harness_add(tests, a_held_machine_has_not_run_one_instruction, reason);
    harness_add(tests, a_serial_port_on_a_socket_waits_for_its_caller_and_loses_nothing, reason);
    harness_add(tests, a_terminal_that_nobody_uses_stays_as_it_is, reason);
    harness_add(tests, a_daemon_has_started_when_its_command_ends, reason);
    harness_add(tests, a_polling_driver_gets_piped_input_whole, reason);
    harness_add(tests, a_polling_driver_gets_typed_input_at_once, reason);
    harness_add(tests, refusals_come_before_any_guest, reason);
    harness_add(tests, more_devices_than_the_bus_has_slots_are_refused, reason);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(vmm_suite());
}
