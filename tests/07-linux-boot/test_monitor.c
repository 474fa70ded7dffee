/*
 * test_monitor.c: lines typed to the monitor, and its answers. The machine has no
 * processors and no KVM; it can be ended and paused all the same.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/devices/balloon.h"
#include "07-linux-boot/monitor.h"
#include "common/bits.h"
#include "harness/harness.h"

static struct machine machine;
static struct inventory inventory;
static struct monitor monitor;
static struct options options;
static struct refusal why;
static char screen[20000];
static size_t shown, room;
static unsigned presses, wakes;

static size_t put(void *self, const uint8_t *bytes, size_t count)
{
    (void)self;
    count = count < room ? count : room;
    memcpy(screen + shown, bytes, count);
    shown += count;
    room -= count;
    screen[shown] = '\0';
    return count;
}

static void wake(void *self)
{
    (void)self;
    wakes++;
}

static void press(void *self)
{
    (void)self;
    presses++;
}

static void start(const char *const argv[], int argc)
{
    memset(&machine, 0, sizeof machine);
    pthread_mutex_init(&machine.devices.lock, NULL);
    machine.wake = -1;
    ck_assert_int_eq(options_parse(&options, argc, (char *const *)argv, &why), 0);
    ck_assert_msg(inventory_read(&inventory, &options, &why) == 0, "%s", why.text);
    monitor_init(&monitor, &inventory);
    monitor.ram = 512 * MIB;
    monitor.name = "the machine";
    monitor_connect(&monitor, (struct byte_sink){put, NULL}, wake, NULL, false);
    monitor_attach(&monitor, &machine, press, NULL);
    shown = 0;
    room = sizeof screen - 1;
}

static void power_up(void)
{
    static const char *const argv[] = {"vmm",
                                       "-kernel",
                                       "k",
                                       "-device",
                                       "virtio-balloon-pci,id=b",
                                       "-drive",
                                       "file=disk.img,id=d0",
                                       "-nic",
                                       "user"};

    start(argv, 9);
}

static void done(void)
{
    monitor_detach(&monitor);
    monitor_free(&monitor);
    inventory_free(&inventory);
}

/* The event loop, until the monitor has nothing to do. */
static void turn(void)
{
    struct pollfd fd = {.fd = monitor.event, .events = POLLIN};

    for (unsigned i = 0; poll(&fd, 1, 0) == 1; i++) {
        ck_assert_uint_lt(i, 1000);
        monitor_run(&monitor);
    }
}

static size_t type(const char *text)
{
    struct console_end end = monitor_end(&monitor);
    size_t taken = end.receive(end.self, (const uint8_t *)text, strlen(text));

    turn();
    return taken;
}

static void expect_screen(const char *text)
{
    ck_assert_str_eq(screen, text);
    shown = 0;
    screen[0] = '\0';
}

START_TEST(lines_are_answered)
{
    static const struct {
        const char *line, *answer;
    } rows[] = {
        {"info status\n", "VM status: running\r\n(vmm) "},
        {"  info   status  \r", "VM status: running\r\n(vmm) "},
        {"info name\n", "the machine\r\n(vmm) "},
        {"\n", "(vmm) "},
        {"   \n", "(vmm) "},
        {"info block\n", "d0: disk.img (raw), 0 bytes\r\n(vmm) "},
        {"info network\n", "nic0: user\r\n(vmm) "},
        {"info chardev\n", "serial0: stdio, nobody there\r\n(vmm) "},
        {"info qtree\n", "virtio-blk\r\nvirtio-net\r\nvirtio-balloon, id b\r\n(vmm) "},
        {"info cpus\n", "(vmm) "},
        {"info virtio\n", "(vmm) "}, /* none is plugged in */
        {"inof status\n", "unknown command \"inof\": did you mean info?\r\n(vmm) "},
        {"info stauts\n", "unknown command \"stauts\": did you mean status?\r\n(vmm) "},
        {"xyzzy\n", "unknown command \"xyzzy\": help lists those there are\r\n(vmm) "},
        {"quit now\n", "quit takes no argument\r\n(vmm) "},
        {"balloon\n", "balloon : not a number of MiB from 0 to 512\r\n(vmm) "},
        {"balloon 513\n", "balloon 513: not a number of MiB from 0 to 512\r\n(vmm) "},
        {"balloon -1\n", "balloon -1: not a number of MiB from 0 to 512\r\n(vmm) "},
        {"balloon 1x\n", "balloon 1x: not a number of MiB from 0 to 512\r\n(vmm) "},
        {"info balloon\n", "balloon: actual=512 target=512 reported=0\r\n(vmm) "},
        {"balloon 200\n", "(vmm) "},
        {"info balloon\n", "balloon: actual=512 target=200 reported=0\r\n(vmm) "},
        {"eject\n", "eject: \"\" is no CD-ROM drive: info qtree lists the devices\r\n(vmm) "},
        {"eject d0\n", "eject: \"d0\" is no CD-ROM drive: info qtree lists the devices\r\n(vmm) "},
        {"change\n", "change: which drive, and which file? change DRIVE FILE\r\n(vmm) "},
        {"change d0\n", "change: which drive, and which file? change DRIVE FILE\r\n(vmm) "},
        {"change d0 f\n",
         "change: \"d0\" is no CD-ROM drive: info qtree lists the devices\r\n(vmm) "},
        {"xx\x7f\x7finfo status\n", "VM status: running\r\n(vmm) "},
        {"\x7f\x7f\x08info status\n", "VM status: running\r\n(vmm) "},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        ck_assert_uint_eq(type(rows[i].line), strlen(rows[i].line));
        expect_screen(rows[i].answer);
    }
    ck_assert_int_eq(machine_ending(&machine), ENDING_NONE);
}
END_TEST

START_TEST(help_lists_every_command)
{
    static const char *const words[] = {"balloon MIB -- ", "cont|c -- ", "quit|q -- ",
                                        "info WHAT -- ", "system_powerdown -- "};

    type("help\n");
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        ck_assert_msg(strstr(screen, words[i]), "no %s", words[i]);
    shown = 0;
    type("info\n");
    ck_assert_ptr_nonnull(strstr(screen, "info balloon -- "));
}
END_TEST

START_TEST(the_balloon_gets_its_target)
{
    struct balloon_card *card = NULL;

    for (unsigned i = 0; i < inventory.devices.count; i++)
        if (inventory.devices.list[i]->kind == &device_balloon)
            card = (struct balloon_card *)inventory.devices.list[i];
    ck_assert_ptr_nonnull(card);
    type("balloon 128\n");
    ck_assert_uint_eq(card->target, (512 - 128) * MIB / 4096);
    ck_assert_uint_eq(card->balloon.config.num_pages, card->target);
    type("balloon 512\n");
    ck_assert_uint_eq(card->balloon.config.num_pages, 0);
}
END_TEST

START_TEST(the_machine_does_what_it_is_told)
{
    type("stop\nstop\n"); /* twice is once */
    ck_assert_uint_eq(machine.pauses, 1);
    shown = 0;
    type("info status\n");
    expect_screen("VM status: paused\r\n(vmm) ");
    type("c\ncont\n");
    ck_assert_uint_eq(machine.pauses, 0);
    type("system_powerdown\n");
    ck_assert_uint_eq(presses, 1);
    ck_assert_int_eq(machine_ending(&machine), ENDING_NONE);
    type("q\n");
    ck_assert_int_eq(machine_ending(&machine), ENDING_QUIT);
}
END_TEST

START_TEST(a_reset_is_one)
{
    type("system_reset\n");
    ck_assert_int_eq(machine_ending(&machine), ENDING_RESET);
}
END_TEST

START_TEST(a_machine_that_is_held_waits_for_cont)
{
    static const char *const argv[] = {"vmm", "-kernel", "k", "-S"};

    done();
    start(argv, 4);
    monitor_detach(&monitor);
    monitor.hold = true;
    machine.watches.count = 0;
    monitor_attach(&monitor, &machine, press, NULL);
    ck_assert_uint_eq(machine.pauses, 1);
    type("info status\n");
    expect_screen("VM status: paused\r\n(vmm) ");
    type("cont\n");
    ck_assert_uint_eq(machine.pauses, 0);
}
END_TEST

START_TEST(a_terminal_sees_what_it_types)
{
    monitor.echo = true;
    type("infp\x7fo status\r");
    expect_screen("infp\b \bo status\r\nVM status: running\r\n(vmm) ");
}
END_TEST

/* A reader that takes nothing: one answer waits, and nothing more is run or kept. */
START_TEST(a_slow_reader_costs_one_answer)
{
    char line[] = "info status\n";
    size_t typed = 0, taken;

    room = 3;
    do {
        taken = type(line);
        typed += taken;
    } while (taken == strlen(line));
    ck_assert_uint_lt(typed, 2 * MONITOR_INPUT);
    ck_assert_uint_eq(shown, 3);
    room = sizeof screen - 1 - shown;
    wakes = 0;
    monitor_end(&monitor).drain(&monitor);
    turn();
    ck_assert_uint_gt(wakes, 0);
    ck_assert_uint_eq(monitor.input_count, 0);
    for (unsigned i = 0; i < typed / strlen(line); i++)
        ck_assert_int_eq(
            strncmp(screen + i * strlen("VM status: running\r\n(vmm) "), "VM status", 9), 0);
}
END_TEST

START_TEST(any_bytes_are_harmless)
{
    char bytes[2] = "";

    srand(7);
    for (unsigned i = 0; i < 100000; i++) {
        bytes[0] = (char)(rand() % 256);
        if (bytes[0] == 0 || bytes[0] == 'q') /* quit, and nothing else, would be obeyed */
            continue;
        shown = 0;
        room = sizeof screen - 1;
        type(bytes);
    }
    ck_assert_uint_lt(monitor.length, MONITOR_LINE);
}
END_TEST

START_TEST(a_new_reader_starts_with_an_empty_line)
{
    struct console_end end = monitor_end(&monitor);

    type("qui");
    expect_screen("(vmm) ");
    end.opened(end.self, false);
    end.opened(end.self, true);
    turn();
    expect_screen("(vmm) ");
    type("t\n");
    ck_assert_int_eq(machine_ending(&machine), ENDING_NONE);
}
END_TEST

static Suite *monitor_suite(void)
{
    Suite *suite = suite_create("07 monitor");
    TCase *tests = tcase_create("monitor");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_add_test(tests, lines_are_answered);
    tcase_add_test(tests, help_lists_every_command);
    tcase_add_test(tests, the_balloon_gets_its_target);
    tcase_add_test(tests, the_machine_does_what_it_is_told);
    tcase_add_test(tests, a_reset_is_one);
    tcase_add_test(tests, a_machine_that_is_held_waits_for_cont);
    tcase_add_test(tests, a_terminal_sees_what_it_types);
    tcase_add_test(tests, a_slow_reader_costs_one_answer);
    tcase_add_test(tests, any_bytes_are_harmless);
    tcase_add_test(tests, a_new_reader_starts_with_an_empty_line);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(monitor_suite());
}
