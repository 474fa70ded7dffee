/*
 * test_ps2_keyboard.c: the keyboard, alone on a socket and behind its controller, with
 * a clock that is turned by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/i8042.h"
#include "04-devices/ps2_keyboard.h"
#include "common/bits.h"
#include "harness/harness.h"

#define MS INT64_C(1000000)

static struct ps2_keyboard kb;
static struct ps2_device device;
static int64_t time_now, time_due;
static unsigned readies, rooms;

static void on_ready(void *self)
{
    ++*(unsigned *)self;
}

static int64_t read_clock(void *self)
{
    return *(int64_t *)self;
}

static void set_alarm(void *self, int64_t when)
{
    *(int64_t *)self = when;
}

static void power_up(void)
{
    time_now = readies = rooms = 0;
    time_due = ALARM_NEVER;
    ps2_keyboard_init(&kb, (struct ps2_socket){on_ready, &readies},
                      (struct clock){read_clock, &time_now}, (struct alarm){set_alarm, &time_due});
    ps2_keyboard_on_room(&kb, on_ready, &rooms);
    device = ps2_keyboard_device(&kb);
}

static void send(uint8_t byte)
{
    device.send(device.self, byte);
}

static void stroke(unsigned key)
{
    ps2_keyboard_key(&kb, key, true);
    ps2_keyboard_key(&kb, key, false);
}

/* All that the keyboard has to say, as hexadecimal digits. */
static const char *said(void)
{
    static char text[256];
    size_t length = 0;
    uint8_t byte;

    text[0] = '\0';
    while (length + 4 < sizeof text && device.fetch(device.self, &byte))
        length += (size_t)sprintf(text + length, "%s%02x", length ? " " : "", byte);
    return text;
}

static void expect(uint8_t byte, const char *answer)
{
    send(byte);
    ck_assert_str_eq(said(), answer);
}

START_TEST(each_set_has_its_own_codes)
{
    static const struct {
        unsigned key;
        const char *set1, *set2, *set3;
    } rows[] = {
        {KEY_A, "1e 9e", "1c f0 1c", "1c f0 1c"},
        {KEY_LEFTCTRL, "1d 9d", "14 f0 14", "11 f0 11"},
        {KEY_RIGHTCTRL, "e0 1d e0 9d", "e0 14 e0 f0 14", "58 f0 58"},
        {KEY_UP, "e0 48 e0 c8", "e0 75 e0 f0 75", "63 f0 63"},
        {KEY_F7, "41 c1", "83 f0 83", "37 f0 37"},
        {KEY_KPENTER, "e0 1c e0 9c", "e0 5a e0 f0 5a", "79 f0 79"},
        {KEY_PAUSE, "e1 1d 45 e1 9d c5", "e1 14 77 e1 f0 14 f0 77", "62 f0 62"},
        {KEY_SYSRQ, "e0 2a e0 37 e0 b7 e0 aa", "e0 12 e0 7c e0 f0 7c e0 f0 12", "57 f0 57"},
        {KEY_RESERVED, "", "", ""},
        {KEY_WWW, "", "", ""},
        {70000, "", "", ""},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        for (uint8_t set = 1; set <= 3; set++) {
            send(PS2_KBD_SET);
            expect(set, "fa");
            stroke(rows[i].key);
            ck_assert_str_eq(said(), set == 1   ? rows[i].set1
                                     : set == 2 ? rows[i].set2
                                                : rows[i].set3);
        }
}
END_TEST

START_TEST(ctrl_pause_is_break_and_alt_print_is_sysrq)
{
    ps2_keyboard_key(&kb, KEY_RIGHTCTRL, true);
    said();
    stroke(KEY_PAUSE);
    ck_assert_str_eq(said(), "e0 7e e0 f0 7e");
    stroke(KEY_SYSRQ);
    ck_assert_str_eq(said(), "e0 7c e0 f0 7c");
    ps2_keyboard_key(&kb, KEY_RIGHTCTRL, false);
    ps2_keyboard_key(&kb, KEY_LEFTALT, true);
    said();
    stroke(KEY_SYSRQ);
    ck_assert_str_eq(said(), "84 f0 84");
}
END_TEST

START_TEST(commands_are_answered_as_the_manual_says)
{
    expect(PS2_RESET, "fa aa");
    expect(PS2_KBD_IDENTIFY, "fa ab 83");
    expect(PS2_KBD_ECHO, "ee");
    expect(PS2_KBD_SET, "fa");
    expect(0, "fa 02");
    expect(PS2_KBD_SET, "fa");
    expect(4, "fe");
    expect(PS2_KBD_LEDS, "fa");
    expect(PS2_LED_CAPS | PS2_LED_NUM, "fa");
    ck_assert_uint_eq(kb.leds, PS2_LED_CAPS | PS2_LED_NUM);
    expect(0x00, "fe"); /* no command, and no parameter any more */
    expect(0xef, "fe");
    expect(PS2_KBD_IDENTIFY, "fa ab 83");
    expect(PS2_RESEND, "83");
    expect(PS2_RESEND, "83");
}
END_TEST

START_TEST(every_byte_gets_an_answer)
{
    for (unsigned command = 0; command < 256; command++)
        for (unsigned parameter = 0; parameter < 256; parameter++) {
            send((uint8_t)command);
            if (!*said())
                ck_abort_msg("%02x is not answered", command);
            send((uint8_t)parameter);
            if (!*said())
                ck_abort_msg("%02x after %02x is not answered", parameter, command);
        }
    expect(PS2_RESET, "fa aa");
}
END_TEST

START_TEST(a_command_where_a_parameter_belongs_is_a_command)
{
    expect(PS2_KBD_LEDS, "fa");
    expect(PS2_KBD_IDENTIFY, "fa ab 83");
    ck_assert_uint_eq(kb.leds, 0);
}
END_TEST

START_TEST(the_answer_comes_before_the_keys)
{
    stroke(KEY_A);
    send(PS2_KBD_LEDS);
    ck_assert_str_eq(said(), "fa 1c f0 1c");
}
END_TEST

START_TEST(a_silenced_keyboard_is_silent)
{
    stroke(KEY_A);
    expect(PS2_KBD_DISABLE, "fa");
    stroke(KEY_B);
    ck_assert_str_eq(said(), "");
    ck_assert(!ps2_keyboard_ready(&kb));
    expect(PS2_KBD_IDENTIFY, "fa ab 83");
    ck_assert_uint_eq(rooms, 0);
    expect(PS2_KBD_ENABLE, "fa");
    ck_assert_uint_eq(rooms, 1); /* now somebody listens */
    ck_assert(ps2_keyboard_ready(&kb));
    stroke(KEY_B);
    ck_assert_str_eq(said(), "32 f0 32");
}
END_TEST

START_TEST(set_3_reports_of_each_key_what_it_is_told)
{
    send(PS2_KBD_SET);
    expect(3, "fa");
    expect(PS2_KBD_ALL_MAKE, "fa");
    stroke(KEY_A);
    ck_assert_str_eq(said(), "1c");
    expect(PS2_KBD_KEY_MAKE_BREAK, "fa");
    expect(0x1c, "fa");
    expect(0x32, "fa"); /* a list, until the next command */
    expect(PS2_KBD_ENABLE, "fa");
    stroke(KEY_A);
    stroke(KEY_B);
    stroke(KEY_C);
    ck_assert_str_eq(said(), "1c f0 1c 32 f0 32 21");
    ck_assert(time_due == ALARM_NEVER);
    expect(PS2_KBD_ALL_TYPEMATIC, "fa");
    stroke(KEY_A);
    ck_assert_str_eq(said(), "1c");
    ps2_keyboard_key(&kb, KEY_A, true);
    ck_assert(time_due != ALARM_NEVER);
}
END_TEST

START_TEST(a_key_held_down_repeats_after_the_delay_at_the_rate)
{
    static const struct {
        uint8_t typematic;
        int64_t delay, period; /* ["Set Typematic Rate/Delay (Hex F3)"] */
    } rows[] = {{0x00, 250, 33}, {0x2b, 500, 91}, {0x7f, 1000, 500}, {0x1c, 250, 400}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        send(PS2_KBD_TYPEMATIC);
        expect(rows[i].typematic, "fa");
        ps2_keyboard_key(&kb, KEY_A, true);
        ck_assert_int_eq((time_due - time_now) / MS, rows[i].delay);
        ck_assert_str_eq(said(), "1c");
        for (unsigned j = 0; j < 3; j++) {
            time_now = time_due;
            ps2_keyboard_alarm(&kb);
            ck_assert_str_eq(said(), "1c");
            ck_assert_int_eq((time_due - time_now) / MS, rows[i].period);
        }
        ps2_keyboard_key(&kb, KEY_A, false);
        ck_assert(time_due == ALARM_NEVER);
        ck_assert_str_eq(said(), "f0 1c");
    }
}
END_TEST

START_TEST(the_last_key_pressed_repeats)
{
    ps2_keyboard_key(&kb, KEY_A, true);
    ps2_keyboard_key(&kb, KEY_B, true);
    ps2_keyboard_key(&kb, KEY_A, false); /* does not stop B */
    said();
    ps2_keyboard_alarm(&kb);
    ck_assert_str_eq(said(), "32");
}
END_TEST

START_TEST(a_guest_that_does_not_read_finds_no_flood)
{
    ps2_keyboard_key(&kb, KEY_A, true);
    for (unsigned i = 0; i < 1000; i++)
        ps2_keyboard_alarm(&kb);
    ck_assert_str_eq(said(), "1c");
}
END_TEST

START_TEST(keys_that_do_not_fit_leave_one_overrun)
{
    for (unsigned i = 0; i < 1000; i++)
        stroke(KEY_A);
    ck_assert_str_eq(said(), "1c f0 1c 1c f0 1c 1c f0 1c 1c f0 1c 1c f0 1c 00");
    stroke(KEY_B);
    ck_assert_str_eq(said(), "32 f0 32");
    send(PS2_KBD_SET);
    expect(1, "fa");
    for (unsigned i = 0; i < 1000; i++)
        stroke(KEY_A);
    ck_assert_str_eq(strrchr(said(), ' '), " ff"); /* set 1 has its own code */
}
END_TEST

START_TEST(a_host_that_waits_loses_nothing)
{
    ck_assert(ps2_keyboard_ready(&kb));
    ps2_keyboard_key(&kb, KEY_LEFTCTRL, true);
    ps2_keyboard_key(&kb, KEY_LEFTALT, true);
    ps2_keyboard_key(&kb, KEY_LEFTSHIFT, true);
    stroke(KEY_DELETE);
    ps2_keyboard_key(&kb, KEY_LEFTSHIFT, false);
    ps2_keyboard_key(&kb, KEY_LEFTALT, false);
    ps2_keyboard_key(&kb, KEY_LEFTCTRL, false);
    ck_assert(!ps2_keyboard_ready(&kb));
    ck_assert_uint_eq(rooms, 0);
    ck_assert_str_eq(said(), "14 11 12 e0 71 e0 f0 71 f0 12 f0 11 f0 14");
    ck_assert_uint_eq(rooms, 1);
    stroke(KEY_A);
    said();
    ck_assert_uint_eq(rooms, 1); /* nobody waits any more */
    ck_assert(ps2_keyboard_ready(&kb));
}
END_TEST

START_TEST(reset_restores_the_defaults)
{
    send(PS2_KBD_SET);
    send(1);
    send(PS2_KBD_TYPEMATIC);
    send(0x7f);
    send(PS2_KBD_DISABLE);
    stroke(KEY_A);
    expect(PS2_RESET, "fa aa");
    ck_assert_uint_eq(kb.typematic, 0x2b);
    stroke(KEY_A);
    ck_assert_str_eq(said(), "1c f0 1c");
}
END_TEST

static void no_wire(void *self, bool level)
{
    (void)self, (void)level;
}

START_TEST(behind_the_controller_it_speaks_set_1)
{
    static struct i8042 controller;
    struct irq_line none = {no_wire, NULL};
    static const uint8_t codes[] = {0x2a, 0x1e, 0x9e, 0xaa, 0xe0, 0x48, 0xe0, 0xc8};

    i8042_init(&controller, none, none, none);
    ps2_keyboard_init(&kb, i8042_socket(&controller), kb.clock, kb.alarm);
    i8042_plug_keyboard(&controller, ps2_keyboard_device(&kb));
    ps2_keyboard_key(&kb, KEY_LEFTSHIFT, true);
    stroke(KEY_A);
    ps2_keyboard_key(&kb, KEY_LEFTSHIFT, false);
    stroke(KEY_UP);
    for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
        ck_assert_uint_eq(i8042_data_read(&controller, 0, 1), codes[i]);

    /* Linux asks so: the second identity byte is translated, too. */
    i8042_data_write(&controller, 0, 1, PS2_KBD_IDENTIFY);
    ck_assert_uint_eq(i8042_data_read(&controller, 0, 1), 0xfa);
    ck_assert_uint_eq(i8042_data_read(&controller, 0, 1), 0xab);
    ck_assert_uint_eq(i8042_data_read(&controller, 0, 1), 0x41);
    ck_assert_uint_eq(i8042_status_read(&controller, 0, 1) & I8042_STATUS_OBF, 0);
}
END_TEST

START_TEST(hammering_keys_and_commands_breaks_nothing)
{
    srand(2);
    for (unsigned i = 0; i < 500000; i++) {
        switch (rand() % 4) {
        case 0: send((uint8_t)rand()); break;
        case 1: ps2_keyboard_key(&kb, (unsigned)rand() % 130, rand() % 2); break;
        case 2: ps2_keyboard_alarm(&kb); break;
        default: kb.count ? said() : NULL; break;
        }
        ck_assert_uint_le(kb.count, PS2_KEYS_QUEUED);
    }
    expect(PS2_RESET, "fa aa");
}
END_TEST

static Suite *keyboard_suite(void)
{
    Suite *suite = suite_create("04 ps2 keyboard");
    TCase *tests = tcase_create("keyboard");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, each_set_has_its_own_codes);
    tcase_add_test(tests, ctrl_pause_is_break_and_alt_print_is_sysrq);
    tcase_add_test(tests, commands_are_answered_as_the_manual_says);
    tcase_add_test(tests, every_byte_gets_an_answer);
    tcase_add_test(tests, a_command_where_a_parameter_belongs_is_a_command);
    tcase_add_test(tests, the_answer_comes_before_the_keys);
    tcase_add_test(tests, a_silenced_keyboard_is_silent);
    tcase_add_test(tests, set_3_reports_of_each_key_what_it_is_told);
    tcase_add_test(tests, a_key_held_down_repeats_after_the_delay_at_the_rate);
    tcase_add_test(tests, the_last_key_pressed_repeats);
    tcase_add_test(tests, a_guest_that_does_not_read_finds_no_flood);
    tcase_add_test(tests, keys_that_do_not_fit_leave_one_overrun);
    tcase_add_test(tests, a_host_that_waits_loses_nothing);
    tcase_add_test(tests, reset_restores_the_defaults);
    tcase_add_test(tests, behind_the_controller_it_speaks_set_1);
    tcase_add_test(tests, hammering_keys_and_commands_breaks_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(keyboard_suite());
}
