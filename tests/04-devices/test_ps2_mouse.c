/* test_ps2_mouse.c: the mouse on a socket of its own. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "04-devices/ps2_mouse.h"
#include "common/bits.h"
#include "harness/harness.h"

static struct ps2_mouse mouse;
static struct ps2_device device;
static unsigned readies;

static void on_ready(void *self)
{
    ++*(unsigned *)self;
}

static void power_up(void)
{
    readies = 0;
    ps2_mouse_init(&mouse, (struct ps2_socket){on_ready, &readies});
    device = ps2_mouse_device(&mouse);
}

static const char *said(void)
{
    static char text[512];
    size_t length = 0;
    uint8_t byte;

    text[0] = '\0';
    while (length + 4 < sizeof text && device.fetch(device.self, &byte))
        length += (size_t)sprintf(text + length, "%s%02x", length ? " " : "", byte);
    return text;
}

static void expect(uint8_t byte, const char *answer)
{
    device.send(device.self, byte);
    ck_assert_str_eq(said(), answer);
}

static void move(int right, int down, int wheel, unsigned buttons)
{
    ps2_mouse_move(&mouse, (struct pointer_motion){right, down, wheel, buttons});
}

static void knock(uint8_t first, uint8_t second, uint8_t third)
{
    const uint8_t rates[] = {first, second, third};

    for (unsigned i = 0; i < 3; i++) {
        expect(PS2_MOUSE_RATE, "fa");
        expect(rates[i], "fa");
    }
}

START_TEST(reset_tests_itself_and_says_who_it_is)
{
    expect(PS2_RESET, "fa aa 00");
    expect(PS2_MOUSE_IDENTIFY, "fa 00");
    expect(PS2_MOUSE_STATUS, "fa 00 02 64");
}
END_TEST

START_TEST(packets_hold_nine_bits_of_movement_each_way)
{
    static const struct {
        int right, down;
        const char *packet;
    } rows[] = {
        {1, 0, "08 01 00"},   {-1, 0, "18 ff 00"},     {0, -1, "08 00 01"},     {0, 1, "28 00 ff"},
        {255, 0, "08 ff 00"}, {-255, 255, "38 01 01"}, {-128, 128, "38 80 80"},
    };

    expect(PS2_MOUSE_ENABLE, "fa");
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        move(rows[i].right, rows[i].down, 0, 0);
        ck_assert_str_eq(said(), rows[i].packet);
    }
}
END_TEST

START_TEST(a_long_way_takes_several_packets)
{
    expect(PS2_MOUSE_ENABLE, "fa");
    move(300, 0, 0, 0);
    ck_assert_str_eq(said(), "08 ff 00 08 2d 00");
}
END_TEST

START_TEST(buttons_are_in_every_packet)
{
    expect(PS2_MOUSE_ENABLE, "fa");
    move(0, 0, 0, POINTER_LEFT);
    ck_assert_str_eq(said(), "09 00 00");
    move(0, 0, 0, POINTER_RIGHT);
    ck_assert_str_eq(said(), "0a 00 00");
    move(2, 0, 0, POINTER_MIDDLE);
    ck_assert_str_eq(said(), "0c 02 00");
    expect(PS2_MOUSE_STATUS, "fa 22 02 64"); /* enabled, middle */
    move(0, 0, 0, POINTER_LEFT);
    said();
    expect(PS2_MOUSE_STATUS, "fa 24 02 64");
}
END_TEST

START_TEST(movements_merge_and_clicks_do_not)
{
    expect(PS2_MOUSE_ENABLE, "fa");
    for (unsigned i = 0; i < 100; i++)
        move(1, 1, 0, 0);
    move(0, 0, 0, POINTER_LEFT);
    move(0, 0, 0, 0);
    ck_assert_str_eq(said(), "28 64 9c 09 00 00 08 00 00");
}
END_TEST

START_TEST(a_disabled_mouse_forgets)
{
    move(5, 5, 0, POINTER_LEFT);
    ck_assert_str_eq(said(), "");
    ck_assert_uint_eq(readies, 0);
    expect(PS2_MOUSE_ENABLE, "fa");
    ck_assert_str_eq(said(), "");
    move(1, 0, 0, POINTER_LEFT);
    ck_assert_str_eq(said(), "09 01 00");
}
END_TEST

START_TEST(the_right_knock_turns_the_wheel_on)
{
    knock(200, 100, 79);
    expect(PS2_MOUSE_IDENTIFY, "fa 00");
    knock(10, 100, 80);
    expect(PS2_MOUSE_IDENTIFY, "fa 00");
    knock(100, 200, 80);
    expect(PS2_MOUSE_IDENTIFY, "fa 00");
    knock(200, 100, 80);
    expect(PS2_MOUSE_IDENTIFY, "fa 03");
    expect(PS2_MOUSE_ENABLE, "fa");
    move(0, 0, 1, 0);
    ck_assert_str_eq(said(), "08 00 00 01");
    move(0, 0, -1, 0);
    ck_assert_str_eq(said(), "08 00 00 ff");
    move(0, 0, 9, 0);
    ck_assert_str_eq(said(), "08 00 00 07 08 00 00 02");
    expect(PS2_RESET, "fa aa 00"); /* and off */
}
END_TEST

START_TEST(in_remote_mode_it_speaks_when_asked)
{
    expect(PS2_MOUSE_REMOTE, "fa");
    expect(PS2_MOUSE_ENABLE, "fa");
    move(3, 0, 0, 0);
    ck_assert_str_eq(said(), "");
    expect(PS2_MOUSE_READ, "fa 08 03 00");
    expect(PS2_MOUSE_READ, "fa 08 00 00");
    expect(PS2_MOUSE_STATUS, "fa 60 02 64");
    expect(PS2_MOUSE_STREAM, "fa");
    move(3, 0, 0, 0);
    ck_assert_str_eq(said(), "08 03 00");
}
END_TEST

START_TEST(in_wrap_mode_it_echoes)
{
    expect(PS2_MOUSE_ENABLE, "fa");
    expect(PS2_MOUSE_WRAP, "fa");
    for (unsigned byte = 0; byte < 256; byte++)
        if (byte != PS2_RESET && byte != PS2_MOUSE_UNWRAP) {
            char echo[3];

            snprintf(echo, sizeof echo, "%02x", byte);
            expect((uint8_t)byte, echo);
        }
    move(1, 1, 0, 0);
    ck_assert_str_eq(said(), "");
    expect(PS2_MOUSE_UNWRAP, "fa");
    move(1, 0, 0, 0);
    ck_assert_str_eq(said(), "08 01 00");
    expect(PS2_MOUSE_WRAP, "fa");
    expect(PS2_RESET, "fa aa 00"); /* the other way out */
    expect(PS2_MOUSE_IDENTIFY, "fa 00");
}
END_TEST

START_TEST(scaling_stretches_what_streams)
{
    static const struct {
        int counts;
        const char *packet;
    } rows[] = {{1, "08 01 00"}, {2, "08 01 00"}, {3, "08 03 00"},  {4, "08 06 00"},
                {5, "08 09 00"}, {6, "08 0c 00"}, {-4, "18 fa 00"}, {250, "08 ff 00"}};

    expect(PS2_MOUSE_ENABLE, "fa");
    expect(PS2_MOUSE_SCALE_2_1, "fa");
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        move(rows[i].counts, 0, 0, 0);
        ck_assert_str_eq(said(), rows[i].packet);
    }
    move(4, 0, 0, 0);
    expect(PS2_MOUSE_READ, "fa 08 04 00"); /* asked for, it tells the plain truth */
    expect(PS2_MOUSE_STATUS, "fa 30 02 64");
    expect(PS2_MOUSE_SCALE_1_1, "fa");
    move(4, 0, 0, 0);
    ck_assert_str_eq(said(), "08 04 00");
}
END_TEST

START_TEST(resolution_and_rate_read_back)
{
    expect(PS2_MOUSE_RESOLUTION, "fa");
    expect(3, "fa");
    expect(PS2_MOUSE_RATE, "fa");
    expect(40, "fa");
    expect(PS2_MOUSE_STATUS, "fa 00 03 28");
    expect(PS2_MOUSE_DEFAULT, "fa");
    expect(PS2_MOUSE_STATUS, "fa 00 02 64");
    expect(0x00, "fe");
    expect(PS2_MOUSE_IDENTIFY, "fa 00");
    expect(PS2_RESEND, "00");
}
END_TEST

START_TEST(a_command_cuts_a_packet_short)
{
    uint8_t byte;

    expect(PS2_MOUSE_ENABLE, "fa");
    move(1, 2, 0, 0);
    ck_assert(device.fetch(device.self, &byte));
    expect(PS2_MOUSE_IDENTIFY, "fa 00");
    move(3, 0, 0, 0);
    ck_assert_str_eq(said(), "08 03 00"); /* packets begin with their first byte */
}
END_TEST

START_TEST(hammering_breaks_nothing)
{
    srand(3);
    for (unsigned i = 0; i < 500000; i++) {
        uint8_t byte;

        switch (rand() % 4) {
        case 0:
            device.send(device.self, (uint8_t)(rand() % 3 ? 0xe6 + rand() % 26 : rand()));
            break;
        case 1:
            move(rand() % 999 - 500, rand() % 999 - 500, rand() % 40 - 20, (unsigned)rand());
            break;
        case 2: move(INT_MIN, INT_MAX, INT_MIN, (unsigned)rand()); break;
        default: device.fetch(device.self, &byte); break;
        }
        ck_assert_uint_le(mouse.count, PS2_MOTIONS_QUEUED);
    }
    said();
    device.send(device.self, PS2_MOUSE_UNWRAP);
    device.send(device.self, PS2_RESET);
    ck_assert_str_eq(said(), "fa aa 00");
}
END_TEST

static Suite *mouse_suite(void)
{
    Suite *suite = suite_create("04 ps2 mouse");
    TCase *tests = tcase_create("mouse");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, reset_tests_itself_and_says_who_it_is);
    tcase_add_test(tests, packets_hold_nine_bits_of_movement_each_way);
    tcase_add_test(tests, a_long_way_takes_several_packets);
    tcase_add_test(tests, buttons_are_in_every_packet);
    tcase_add_test(tests, movements_merge_and_clicks_do_not);
    tcase_add_test(tests, a_disabled_mouse_forgets);
    tcase_add_test(tests, the_right_knock_turns_the_wheel_on);
    tcase_add_test(tests, in_remote_mode_it_speaks_when_asked);
    tcase_add_test(tests, in_wrap_mode_it_echoes);
    tcase_add_test(tests, scaling_stretches_what_streams);
    tcase_add_test(tests, resolution_and_rate_read_back);
    tcase_add_test(tests, a_command_cuts_a_packet_short);
    tcase_add_test(tests, hammering_breaks_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(mouse_suite());
}
