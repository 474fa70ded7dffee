/*
 * kvm_processors.c: up to sixteen processors, started by the guest itself (processors.asm),
 * and what may come from any of them: output, the end, a crash. Row CON40 of the hostile
 * inputs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "01-kvm-hello/payload.h"
#include "02-protected-mode/entry.h"
#include "04-devices/event_loop.h"
#include "04-devices/machine.h"
#include "04-devices/signals.h"
#include "harness/harness.h"

#define TASK     UINT64_C(0x0600) /* as processors.asm has these */
#define EXPECTED UINT64_C(0x0604)
#define ARRIVED  UINT64_C(0x0608)
#define COUNTS   UINT64_C(0x0640)
#define TEXT     500u
#define END_PORT 0x0510u

static struct machine machine;
static struct console console;
static struct uart uart;
static unsigned letters[256]; /* what came out of the serial port */
static char thread_names[PROCESSORS_MAX][16];
static unsigned thread_count;
static int64_t ended; /* when the run was told to end */

static int64_t now(void)
{
    struct clock clock = machine_clock(&machine);

    return clock_now(&clock);
}

static volatile uint32_t *word(gpa_t address)
{
    return guest_ptr(&machine.vm.memory, address, 4);
}

static size_t count_letters(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    for (size_t i = 0; i < count; i++)
        letters[bytes[i]]++;
    return count;
}

static uint64_t nothing(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)reg, (void)size;
    return 0;
}

static void end_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    (void)self, (void)reg, (void)size, (void)value;
    machine_end(&machine, ENDING_OFF);
}

static void line_set(void *self, bool level)
{
    (void)self, (void)level;
}

static void power_up(char task, unsigned processors)
{
    int wake = eventfd(0, EFD_NONBLOCK);
    struct kvm_sregs sregs;
    struct kvm_regs regs;

    memset(letters, 0, sizeof letters);
    thread_count = 0;
    console_init(&console, -1, open("/dev/null", O_WRONLY), wake);
    machine_init(&machine, wake);
    irqchip_create(&machine.vm);
    vm_add_ram(&machine.vm, 0, ENTRY_RAM);
    uart_init(&uart, (struct irq_line){.set = line_set}, (struct byte_sink){.put = count_letters});
    machine_claim_ports(&machine, "serial port", 0x3f8, UART_REGISTERS, 1, uart_read, uart_write,
                        &uart);
    machine_claim_ports(&machine, "end", END_PORT, 1, 1, nothing, end_write, NULL);
    payload_load(&machine.vm.memory, ENTRY_PAYLOAD, 0x7000,
                 harness_built("04-devices/processors.bin"), NULL, 0);
    entry_tables(&machine.vm.memory);
    *word(TASK) = (uint8_t)task;
    *word(EXPECTED) = processors;

    for (unsigned i = 0; i < processors; i++)
        machine_add_processor(&machine, i);
    vcpu_get_sregs(&machine.processors[0].vcpu, &sregs);
    entry_protected(&regs, &sregs);
    vcpu_set_sregs(&machine.processors[0].vcpu, &sregs);
    vcpu_set_regs(&machine.processors[0].vcpu, &regs);
    console_attach(&console, &uart, &machine.devices.lock);
}

static void expect_ending(enum ending ending)
{
    enum ending got = event_loop_run(&machine, &console, signals_take());

    if (got != ending) {
        machine_report(stderr, &machine);
        e2e_fail("book/04-devices.md, \"A guest that hammers every port\"", "another ending",
                 "a processor did not start, or does not hear",
                 "ending %d, not %d; %u of %u started", got, ending, *word(ARRIVED),
                 *word(EXPECTED));
    }
}

/* The names of our threads, in the order in which they were made. */
static void list_threads(void)
{
    DIR *tasks = opendir("/proc/self/task");

    for (struct dirent *entry; (entry = readdir(tasks)) && thread_count < PROCESSORS_MAX;) {
        char path[300], name[16] = "";
        FILE *comm;

        snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
        comm = fopen(path, "r");
        if (comm && fscanf(comm, "%15[^\n]", name) == 1 && strncmp(name, "vcpu ", 5) == 0)
            memcpy(thread_names[thread_count++], name, sizeof name);
        if (comm)
            fclose(comm);
    }
    closedir(tasks);
}

/* When all spin: looks at the threads, and ends the run. */
static void end_when_all_spin(void *self)
{
    struct alarm *again = self;

    for (unsigned i = 0; i < machine.processor_count; i++)
        if (*word(COUNTS + 4 * i) == 0) {
            alarm_set(again, now() + 10 * INT64_C(1000000));
            return;
        }
    list_threads();
    ended = now();
    machine_end(&machine, ENDING_QUIT);
}

static const unsigned some[] = {1, 2, 4, 16};

START_TEST(all_stop_within_a_second_while_all_spin)
{
    static struct alarm alarm;

    power_up('s', some[_i]);
    alarm = machine_alarm(&machine, end_when_all_spin, &alarm);
    alarm_set(&alarm, now());
    expect_ending(ENDING_QUIT);
    ck_assert_msg(now() - ended < INT64_C(1000000000), "it took %g s",
                  (double)(now() - ended) / 1e9);
    ck_assert_uint_eq(thread_count, some[_i]);
    for (unsigned i = 0; i < thread_count; i++) {
        char name[16];

        snprintf(name, sizeof name, "vcpu %u", i);
        ck_assert_str_eq(thread_names[i], name);
    }
}
END_TEST

START_TEST(bytes_of_all_processors_arrive_whole)
{
    power_up('w', some[_i]);
    expect_ending(ENDING_OFF);
    for (unsigned i = 0; i < 256; i++)
        ck_assert_msg(letters[i] == (i >= 'A' && i < 'A' + some[_i] ? TEXT : 0), "%u times 0x%02x",
                      letters[i], i);
}
END_TEST

START_TEST(the_machine_is_off_only_when_all_have_halted)
{
    power_up('h', 3);
    expect_ending(ENDING_OFF);
    ck_assert_uint_eq(*word(COUNTS), 1000000);
}
END_TEST

START_TEST(any_processor_ends_the_run)
{
    power_up('e', 4);
    expect_ending(ENDING_OFF);
    ck_assert_uint_eq(*word(ARRIVED), 4);
}
END_TEST

START_TEST(a_crash_is_reported_from_the_processor_that_crashed)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    unsigned crashed = 0;

    power_up('t', 3);
    expect_ending(ENDING_CRASH);
    for (unsigned i = 0; i < 3; i++)
        if (machine.processors[i].ending == ENDING_CRASH)
            crashed += i;
    ck_assert_uint_ne(crashed, 0);
    machine_report(out, &machine);
    fclose(out);
    ck_assert_msg(strncmp(text, "processor ", 10) == 0 && (unsigned)text[10] == '0' + crashed &&
                      strstr(text, "KVM_EXIT_SHUTDOWN"),
                  "%s", text);
    ck_assert_ptr_null(strstr(text + 10, "processor 0:"));
    free(text);
}
END_TEST

/* A KVM without vmx or svm beneath it emulates the guest's kernel, and not all of it. */
static const char *no_crash(const char *no_kvm)
{
    if (no_kvm || system("grep -qwE 'vmx|svm' /proc/cpuinfo") == 0)
        return no_kvm;
    return "software KVM (no vmx or svm in /proc/cpuinfo) cannot crash half way to protected "
           "mode; it runs in the lab";
}

int main(void)
{
    Suite *suite = suite_create("chapter 4, processors");
    TCase *tests = tcase_create("processors");
    const char *no_kvm = harness_no_kvm();

    tcase_set_timeout(tests, 60);
    if (no_kvm) {
        printf("SKIP all_stop_within_a_second_while_all_spin and one more: %s\n", no_kvm);
    } else {
        tcase_add_loop_test(tests, all_stop_within_a_second_while_all_spin, 0, 4);
        tcase_add_loop_test(tests, bytes_of_all_processors_arrive_whole, 0, 4);
    }
    harness_add(tests, the_machine_is_off_only_when_all_have_halted, no_kvm);
    harness_add(tests, any_processor_ends_the_run, no_kvm);
    harness_add(tests, a_crash_is_reported_from_the_processor_that_crashed, no_crash(no_kvm));
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
