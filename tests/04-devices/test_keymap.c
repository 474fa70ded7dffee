/*
 * test_keymap.c: bytes of a terminal in, keys out. A stroke is written as the keys that
 * go down ("ctrl+a"); that each is released again, in the opposite order, is checked on
 * the way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/keymap.h"
#include "common/bits.h"
#include "harness/harness.h"

static struct keymap map;
static int64_t time_now, time_due;
static char played[4096];
static size_t played_length;
static unsigned held[8], held_count, last_key;
static unsigned room; /* strokes that the keyboard takes */
static struct pointer_motion moved, buttons_seen;
static unsigned moves;

static int64_t read_clock(void *self)
{
    return *(int64_t *)self;
}

static void set_alarm(void *self, int64_t when)
{
    *(int64_t *)self = when;
}

static const char *name_of(unsigned key)
{
    static const struct {
        unsigned key;
        const char *name;
    } names[] = {
        {KEY_LEFTCTRL, "ctrl"},
        {KEY_LEFTALT, "alt"},
        {KEY_LEFTSHIFT, "shift"},
        {KEY_A, "a"},
        {KEY_B, "b"},
        {KEY_Z, "z"},
        {KEY_1, "1"},
        {KEY_2, "2"},
        {KEY_6, "6"},
        {KEY_O, "o"},
        {KEY_MINUS, "-"},
        {KEY_LEFTBRACE, "["},
        {KEY_RIGHTBRACE, "]"},
        {KEY_BACKSLASH, "\\"},
        {KEY_SPACE, "space"},
        {KEY_ENTER, "enter"},
        {KEY_TAB, "tab"},
        {KEY_ESC, "esc"},
        {KEY_UP, "up"},
        {KEY_DOWN, "down"},
        {KEY_LEFT, "left"},
        {KEY_RIGHT, "right"},
        {KEY_HOME, "home"},
        {KEY_END, "end"},
        {KEY_INSERT, "insert"},
        {KEY_DELETE, "delete"},
        {KEY_PAGEUP, "pageup"},
        {KEY_PAGEDOWN, "pagedown"},
        {KEY_BACKSPACE, "backspace"},
        {KEY_F1, "f1"},
        {KEY_F2, "f2"},
        {KEY_F4, "f4"},
        {KEY_F5, "f5"},
        {KEY_F6, "f6"},
        {KEY_F10, "f10"},
        {KEY_F11, "f11"},
        {KEY_F12, "f12"},
        {KEY_GRAVE, "`"},
        {KEY_SLASH, "/"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].key == key)
            return names[i].name;
    return "?";
}

static void on_key(void *self, unsigned key, bool down)
{
    (void)self;
    if (!down) {
        ck_assert_uint_gt(held_count, 0);
        ck_assert_uint_eq(held[--held_count], key); /* last down, first up */
        return;
    }
    ck_assert_uint_lt(held_count, ARRAY_SIZE(held));
    if (played_length + 16 < sizeof played)
        played_length += (size_t)sprintf(played + played_length, "%s%s",
                                         !played_length ? ""
                                         : held_count   ? "+"
                                                        : " ",
                                         name_of(key));
    held[held_count++] = last_key = key;
    if (room > 0 && held_count == 1)
        room--;
}

static bool on_ready(void *self)
{
    (void)self;
    return room > 0;
}

static void on_move(void *self, struct pointer_motion motion)
{
    (void)self;
    moved = motion;
    buttons_seen.buttons |= motion.buttons;
    moves++;
}

static void power_up(void)
{
    time_now = 0;
    time_due = ALARM_NEVER;
    played_length = held_count = moves = 0;
    room = 1000000;
    keymap_init(&map, (struct key_sink){on_key, on_ready, NULL},
                (struct clock){read_clock, &time_now}, (struct alarm){set_alarm, &time_due});
    keymap_on_pointer(&map, (struct pointer_sink){on_move, NULL});
}

/* Types and, if an ESC is left in doubt, waits. */
static const char *keys_of(const char *bytes, size_t count)
{
    played_length = 0;
    played[0] = '\0';
    ck_assert_uint_eq(keymap_receive(&map, (const uint8_t *)bytes, count), count);
    if (time_due != ALARM_NEVER) {
        ck_assert(time_due == time_now + KEYMAP_PATIENCE);
        time_now = time_due;
        time_due = ALARM_NEVER;
        keymap_alarm(&map);
    }
    ck_assert_uint_eq(held_count, 0);
    return played;
}

#define KEYS(bytes) keys_of(bytes, sizeof(bytes) - 1)

START_TEST(characters_are_keys_with_or_without_shift)
{
    ck_assert_str_eq(KEYS("a"), "a");
    ck_assert_str_eq(KEYS("A"), "shift+a");
    ck_assert_str_eq(KEYS("z1!@"), "z 1 shift+1 shift+2");
    ck_assert_str_eq(KEYS("`~ ?"), "` shift+` space shift+/");
}
END_TEST

START_TEST(every_printable_character_has_a_stroke_of_its_own)
{
    static bool seen[2][KEY_CNT];

    for (char c = ' '; c <= '~'; c++) {
        unsigned before = room;
        bool shift;

        keys_of(&c, 1);
        shift = strncmp(played, "shift+", 6) == 0;
        ck_assert_uint_eq(before - room, 1);
        ck_assert_msg(!seen[shift][last_key], "'%c' is not alone", c);
        seen[shift][last_key] = true;
    }
}
END_TEST

START_TEST(control_characters_are_ctrl_and_a_key)
{
    ck_assert_str_eq(KEYS("\x01\x02\x1a"), "ctrl+a ctrl+b ctrl+z");
    ck_assert_str_eq(KEYS("\x1c\x1d\x1e\x1f"), "ctrl+\\ ctrl+] ctrl+6 ctrl+-");
    ck_assert_str_eq(KEYS("\0"), "ctrl+2");
    ck_assert_str_eq(KEYS("\t\r\n\b\x7f"), "tab enter enter backspace backspace");
}
END_TEST

START_TEST(sequences_are_keys)
{
    ck_assert_str_eq(KEYS("\033[A\033[B\033[C\033[D"), "up down right left");
    ck_assert_str_eq(KEYS("\033OA\033OP\033OQ\033OS"), "up f1 f2 f4");
    ck_assert_str_eq(KEYS("\033[H\033[F\033[1~\033[4~\033[7~\033[8~"),
                     "home end home end home end");
    ck_assert_str_eq(KEYS("\033[2~\033[3~\033[5~\033[6~"), "insert delete pageup pagedown");
    ck_assert_str_eq(KEYS("\033[11~\033[15~\033[17~\033[21~\033[23~\033[24~"),
                     "f1 f5 f6 f10 f11 f12");
    ck_assert_str_eq(KEYS("\033[[A\033[[E"), "f1 f5");
    ck_assert_str_eq(KEYS("\033[Z"), "shift+tab");
}
END_TEST

START_TEST(the_second_number_is_the_modifiers)
{
    ck_assert_str_eq(KEYS("\033[1;2A\033[1;3A\033[1;5A"), "shift+up alt+up ctrl+up");
    ck_assert_str_eq(KEYS("\033[3;8~"), "ctrl+alt+shift+delete");
    ck_assert_str_eq(KEYS("\033[1;5P\033[24;2~"), "ctrl+f1 shift+f12");
    ck_assert_str_eq(KEYS("\033[1;1A\033[1;A"), "up up");
}
END_TEST

START_TEST(esc_before_a_key_is_alt)
{
    ck_assert_str_eq(KEYS("\033a\033A\033\x01"), "alt+a alt+shift+a ctrl+alt+a");
    ck_assert_str_eq(KEYS("\033\033[A"), "alt+up");
    ck_assert_str_eq(KEYS("\033\x7f"), "alt+backspace");
    ck_assert_str_eq(KEYS("a"), "a"); /* and then no more */
}
END_TEST

START_TEST(esc_alone_is_a_key_after_a_while)
{
    ck_assert_uint_eq(keymap_receive(&map, (const uint8_t *)"\033", 1), 1);
    ck_assert_uint_eq(played_length, 0);
    ck_assert(time_due == KEYMAP_PATIENCE);
    keymap_alarm(&map);
    ck_assert_str_eq(played, "esc");
    ck_assert_str_eq(KEYS("[A"), "[ shift+a"); /* too late for a sequence */
    ck_assert_str_eq(KEYS("\033\033"), "esc esc");
    ck_assert_str_eq(KEYS("\033\033\033"), "esc esc esc");
    ck_assert_str_eq(KEYS("\033["), "alt+[");
    ck_assert_str_eq(KEYS("\033O"), "alt+shift+o");
    ck_assert_str_eq(KEYS("\033[1;5"), ""); /* half a sequence is none */
}
END_TEST

START_TEST(a_sequence_may_come_in_pieces)
{
    const char *whole = "\033[1;5A";

    for (const char *c = whole; *c; c++) {
        ck_assert_uint_eq(keymap_receive(&map, (const uint8_t *)c, 1), 1);
        time_now += KEYMAP_PATIENCE / 2; /* the alarm is moved by each byte */
    }
    ck_assert_str_eq(played, "ctrl+up");
    ck_assert(time_due == ALARM_NEVER);
}
END_TEST

START_TEST(what_no_key_makes_is_dropped_whole)
{
    ck_assert_str_eq(KEYS("\xc3\xa9z\xe2\x82\xac\xf0\x9f\x98\x80z"), "z z"); /* e', euro, face */
    ck_assert_str_eq(KEYS("\xe2\x82z\x80\xff\xc3\xc3z"), "z z");             /* broken ones */
    ck_assert_str_eq(KEYS("\xc3\033[A"), "up");
    ck_assert_str_eq(KEYS("\033[?25hz\033[1;2;3;4;5Az\033[38:5m\033[99~\033[77777777777777777~z"),
                     "z z z");
    ck_assert_str_eq(KEYS("\033[4294967299~"), ""); /* not 3, Delete */
    ck_assert_str_eq(KEYS("\033[1\x18z\033[\033[A"), "z up");
    ck_assert_str_eq(KEYS("\033[I\033[O\033[200~a\033[201~"), "a"); /* focus, pasting */
}
END_TEST

START_TEST(a_full_keyboard_makes_the_terminal_wait)
{
    room = 3;
    ck_assert_uint_eq(keymap_receive(&map, (const uint8_t *)"abababab", 8), 3);
    ck_assert_str_eq(played, "a b a");
    room = 1;
    ck_assert_uint_eq(keymap_receive(&map, (const uint8_t *)"\033[Ab", 4), 3);
    room = 1;
    keymap_receive(&map, (const uint8_t *)"\033", 1);
    room = 0;
    time_now = time_due;
    keymap_alarm(&map); /* no room for Esc: later */
    ck_assert(time_due == time_now + KEYMAP_PATIENCE);
    ck_assert_ptr_null(strstr(played, "esc"));
    room = 1;
    keymap_alarm(&map);
    ck_assert_str_eq(strrchr(played, ' '), " esc");
}
END_TEST

START_TEST(mouse_reports_are_movements)
{
    static const struct {
        const char *report;
        int right, down, wheel;
        unsigned buttons;
    } rows[] = {
        {"\033[<35;10;10M", 0, 0, 0, 0}, /* where it is is not how it moved */
        {"\033[<35;12;9M", 16, -16, 0, 0},
        {"\033[<0;12;9M", 0, 0, 0, POINTER_LEFT},
        {"\033[<32;11;9M", -8, 0, 0, POINTER_LEFT},
        {"\033[<2;11;9M", 0, 0, 0, POINTER_LEFT | POINTER_RIGHT},
        {"\033[<0;11;9m", 0, 0, 0, POINTER_RIGHT},
        {"\033[<2;11;9m", 0, 0, 0, 0},
        {"\033[<1;11;9M", 0, 0, 0, POINTER_MIDDLE},
        {"\033[<1;11;9m", 0, 0, 0, 0},
        {"\033[<64;11;9M", 0, 0, -1, 0},
        {"\033[<65;11;9M", 0, 0, 1, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        ck_assert_str_eq(keys_of(rows[i].report, strlen(rows[i].report)), "");
        ck_assert_uint_eq(moves, i + 1);
        ck_assert_int_eq(moved.right, rows[i].right);
        ck_assert_int_eq(moved.down, rows[i].down);
        ck_assert_int_eq(moved.wheel, rows[i].wheel);
        ck_assert_uint_eq(moved.buttons, rows[i].buttons);
    }
    KEYS("\033[<0;1M\033[<M\033[<0;1;1A"); /* no such reports */
    ck_assert_uint_eq(moves, ARRAY_SIZE(rows));
}
END_TEST

START_TEST(any_stream_of_bytes_is_survived)
{
    static const char likely[] = "\033\033\033[[[O<;0123456789~ABCDMmZ?\xc3\xa9";

    srand(4);
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t byte = rand() % 4 ? (uint8_t)likely[(unsigned)rand() % (sizeof likely - 1)]
                                  : (uint8_t)rand();

        room = 1000;
        ck_assert_uint_eq(keymap_receive(&map, &byte, 1), 1);
        if (rand() % 100 == 0)
            keymap_alarm(&map);
        ck_assert_uint_eq(held_count, 0);
    }
    keymap_alarm(&map);
    room = 1000;
    ck_assert_str_eq(KEYS("\033[Aa"), "up a");
}
END_TEST

static Suite *keymap_suite(void)
{
    Suite *suite = suite_create("04 keymap");
    TCase *tests = tcase_create("keymap");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, characters_are_keys_with_or_without_shift);
    tcase_add_test(tests, every_printable_character_has_a_stroke_of_its_own);
    tcase_add_test(tests, control_characters_are_ctrl_and_a_key);
    tcase_add_test(tests, sequences_are_keys);
    tcase_add_test(tests, the_second_number_is_the_modifiers);
    tcase_add_test(tests, esc_before_a_key_is_alt);
    tcase_add_test(tests, esc_alone_is_a_key_after_a_while);
    tcase_add_test(tests, a_sequence_may_come_in_pieces);
    tcase_add_test(tests, what_no_key_makes_is_dropped_whole);
    tcase_add_test(tests, a_full_keyboard_makes_the_terminal_wait);
    tcase_add_test(tests, mouse_reports_are_movements);
    tcase_add_test(tests, any_stream_of_bytes_is_survived);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(keymap_suite());
}
