/*
 * test_vnc.c: the screen as pixels, keys by what they mean, and what vmm-vnc may say: without
 * a guest, and without a network.
 */
#define _GNU_SOURCE
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/vnc/keysyms.h"
#include "07-linux-boot/vnc/picture.h"
#include "07-linux-boot/vnc/vnc.h"
#include "harness/harness.h"

static struct picture picture;
static struct text_frame frame;
static uint8_t rom[8192];

/* A font in the middle of other things: the letter n has n in each of its rows. */
static void make_font(void)
{
    static const uint8_t face[] = {0,    0,    0x7e, 0x81, 0xa5, 0x81,
                                   0x81, 0xbd, 0x99, 0x81, 0x81, 0x7e};
    uint8_t *font = rom + 1000;

    memset(rom, 0xee, sizeof rom);
    for (unsigned letter = 0; letter < 256; letter++)
        memset(font + letter * CELL_HEIGHT, (int)letter, CELL_HEIGHT);
    memset(font, 0, 2 * CELL_HEIGHT);
    memcpy(font + CELL_HEIGHT, face, sizeof face);
    memset(&frame, 0, sizeof frame);
    picture_init(&picture, font_find(rom, sizeof rom));
}

START_TEST(letters_are_found_in_a_rom)
{
    ck_assert_ptr_eq(font_find(rom, sizeof rom), rom + 1000);
    ck_assert_ptr_null(font_find(rom, 1000 + FONT_SIZE - 1)); /* not all of them */
    ck_assert_ptr_null(font_find(rom + 1001, sizeof rom - 1001));
    ck_assert_ptr_null(font_find(rom, 0));
}
END_TEST

START_TEST(a_cell_is_ink_on_paper)
{
    struct picture_change change = picture_draw(&picture, &frame);

    ck_assert_uint_eq(change.first, 0);
    ck_assert_uint_eq(change.last, TEXT_ROWS - 1);
    frame.cells[3][5] = 0x1e83; /* letter 0x83, yellow on blue */
    change = picture_draw(&picture, &frame);
    ck_assert_uint_eq(change.first, 3);
    ck_assert_uint_eq(change.last, 3);
    for (unsigned x = 0; x < CELL_WIDTH; x++)
        ck_assert_uint_eq(picture.pixels[3 * CELL_HEIGHT + 15][5 * CELL_WIDTH + x],
                          x == 0 || x >= 6 ? 0x55ffff : 0xaa0000);
    ck_assert_uint_eq(picture.pixels[3 * CELL_HEIGHT][6 * CELL_WIDTH], 0);
    change = picture_draw(&picture, &frame);
    ck_assert_uint_gt(change.first, change.last); /* nothing new */
}
END_TEST

START_TEST(the_cursor_is_two_lines_and_moves)
{
    struct picture_change change;

    frame.cells[2][0] = frame.cells[4][79] = 0x0700;
    picture_draw(&picture, &frame);
    frame.cursor = true;
    frame.cursor_row = 2;
    picture_draw(&picture, &frame);
    ck_assert_uint_eq(picture.pixels[2 * CELL_HEIGHT + 13][0], 0);
    ck_assert_uint_eq(picture.pixels[2 * CELL_HEIGHT + 14][0], 0xaaaaaa);
    frame.cursor_row = 4;
    frame.cursor_column = 79;
    change = picture_draw(&picture, &frame);
    ck_assert_uint_eq(change.first, 2);
    ck_assert_uint_eq(change.last, 4);
    ck_assert_uint_eq(picture.pixels[2 * CELL_HEIGHT + 14][0], 0);
    ck_assert_uint_eq(picture.pixels[4 * CELL_HEIGHT + 15][PICTURE_WIDTH - 1], 0xaaaaaa);
}
END_TEST

START_TEST(a_blinking_cell_has_no_bright_paper)
{
    frame.cells[0][0] = 0xf000;
    picture_draw(&picture, &frame);
    ck_assert_uint_eq(picture.pixels[0][0], 0xffffff);
    frame.blink = true;
    picture_draw(&picture, &frame);
    ck_assert_uint_eq(picture.pixels[0][0], 0xaaaaaa);
}
END_TEST

/* Every character of ASCII has a key; nothing else than a number can come out. */
START_TEST(what_is_typed_has_a_key)
{
    static const struct {
        uint32_t keysym;
        unsigned key;
    } rows[] = {
        {'a', KEY_A},
        {'A', KEY_A},
        {'m', KEY_M},
        {'/', KEY_SLASH},
        {'?', KEY_SLASH},
        {'0', KEY_0},
        {'_', KEY_MINUS},
        {'~', KEY_GRAVE},
        {'|', KEY_BACKSLASH},
        {' ', KEY_SPACE},
        {0xff0d, KEY_ENTER},
        {0xffe1, KEY_LEFTSHIFT},
        {0xffff, KEY_DELETE},
        {0xffbe, KEY_F1},
        {0xffc9, KEY_F12},
        {0xffb5, KEY_KP5},
        {0, 0},
        {0x1f, 0},
        {0x7f, 0},
        {0xe4, 0},
        {0x1ff0d, 0},
        {0xffffffff, 0},
    };

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_uint_eq(keysym_key(rows[i].keysym), rows[i].key);
    for (uint32_t c = ' '; c < 0x7f; c++)
        ck_assert_uint_ne(keysym_key(c), 0);
}
END_TEST

START_TEST(a_place_is_for_this_host_unless_it_says_otherwise)
{
    static const char *const bad[] = {"",    "1",   "host",  "host:", ":x",
                                      ":1x", ":-1", ":1000", "unix:", ":99999999999999999999"};
    struct vnc_place place;
    struct refusal why;
    char longest[400] = "unix:";

    ck_assert_int_eq(vnc_read(&place, ":1", &why), 0);
    ck_assert_str_eq(place.host, "127.0.0.1");
    ck_assert_str_eq(place.port, "5901");
    ck_assert_int_eq(vnc_read(&place, "0.0.0.0:0", &why), 0);
    ck_assert_str_eq(place.host, "0.0.0.0");
    ck_assert_str_eq(place.port, "5900");
    ck_assert_int_eq(vnc_read(&place, "unix:/tmp/s:1", &why), 0);
    ck_assert_str_eq(place.host, "/tmp/s:1");
    ck_assert_str_eq(place.port, "");
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_lt(vnc_read(&place, bad[i], &why), 0);
        ck_assert_msg(strncmp(why.text, "-vnc ", 5) == 0, "%s", why.text);
    }
    memset(longest + 5, 'a', 300);
    ck_assert_int_lt(vnc_read(&place, longest, &why), 0);
    memset(longest, 'a', 300);
    strcpy(longest + 300, ":1");
    ck_assert_int_lt(vnc_read(&place, longest, &why), 0);
}
END_TEST

static unsigned keys, moves;
static struct pointer_motion motion;

static void take_key(void *self, unsigned key, bool down)
{
    (void)self, (void)down;
    ck_assert_uint_lt(key, KEY_CNT);
    keys++;
}

static void take_motion(void *self, struct pointer_motion m)
{
    (void)self;
    motion = m;
    moves++;
}

START_TEST(a_pointer_moves_by_differences)
{
    struct vnc v = {.fd = -1, .keys = {.key = take_key}, .pointer = {.move = take_motion}};

    vnc_event(&v, &(struct vnc_event){VNC_POINTER, 0, 100, 100});
    ck_assert(motion.right == 0 && motion.down == 0);
    vnc_event(&v, &(struct vnc_event){VNC_POINTER, 1, 110, 95});
    ck_assert(motion.right == 10 && motion.down == -5 && motion.buttons == POINTER_LEFT);
    vnc_event(&v, &(struct vnc_event){VNC_POINTER, 4 | 16, 110, 95});
    ck_assert(motion.right == 0 && motion.wheel == 1 && motion.buttons == POINTER_RIGHT);
}
END_TEST

/* vmm-vnc may have been taken over: what it says is only ever keys and small movements. */
START_TEST(no_event_does_harm)
{
    struct vnc v = {.fd = -1, .keys = {.key = take_key}, .pointer = {.move = take_motion}};
    uint32_t x = 1;

    for (unsigned i = 0; i < 1000000; i++) {
        struct vnc_event event;
        uint32_t *words = (uint32_t *)&event;

        for (unsigned w = 0; w < 4; w++) {
            x = x * 1664525 + 1013904223;
            words[w] = x >> (x >> 27);
        }
        event.kind = 1 + event.kind % 7;
        vnc_event(&v, &event);
        ck_assert(abs(motion.right) < (int)PICTURE_WIDTH && abs(motion.down) < (int)PICTURE_HEIGHT);
    }
    ck_assert_uint_gt(keys, 0);
    ck_assert_uint_gt(moves, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("07 vnc");
    TCase *tests = tcase_create("screen");

    tcase_add_checked_fixture(tests, make_font, NULL);
    tcase_add_test(tests, letters_are_found_in_a_rom);
    tcase_add_test(tests, a_cell_is_ink_on_paper);
    tcase_add_test(tests, the_cursor_is_two_lines_and_moves);
    tcase_add_test(tests, a_blinking_cell_has_no_bright_paper);
    tcase_add_test(tests, what_is_typed_has_a_key);
    tcase_add_test(tests, a_place_is_for_this_host_unless_it_says_otherwise);
    tcase_add_test(tests, a_pointer_moves_by_differences);
    tcase_add_test(tests, no_event_does_harm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
