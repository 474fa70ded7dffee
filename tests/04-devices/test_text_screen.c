/*
 * test_text_screen.c: the display adapter's registers and frames, and what a terminal
 * shows of them (vt.h).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/bus.h"
#include "04-devices/cp437.h"
#include "04-devices/screen_view.h"
#include "04-devices/text_screen.h"
#include "common/bits.h"
#include "harness/harness.h"
#include "vt.h"

static struct text_screen screen;
static struct bus bus;
static uint16_t memory[TEXT_MEMORY_SIZE / 2];
static struct text_frame frame;
static struct screen_view view;

static struct vt terminal;
static size_t room, bytes_sent; /* of the wire to it */

/* Collects what comes, and shows it when the view has said all it wanted. */
static char wire[2 * VIEW_BUFFER];
static size_t wire_length;

static size_t wire_put(void *self, const uint8_t *bytes, size_t count)
{
    size_t taken = count < room ? count : room;

    (void)self;
    ck_assert_uint_lt(wire_length + taken, sizeof wire);
    memcpy(wire + wire_length, bytes, taken);
    wire_length += taken;
    wire[wire_length] = '\0';
    room -= taken;
    bytes_sent += taken;
    return taken;
}

static void wire_arrives(void)
{
    ck_assert_uint_eq(vt_show(&terminal, wire), wire_length);
    wire_length = 0;
    wire[0] = '\0';
}

static void power_up(void)
{
    memset(&bus, 0, sizeof bus);
    memset(&terminal, 0, sizeof terminal);
    room = SIZE_MAX;
    bytes_sent = wire_length = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(memory); i++)
        memory[i] = 0x0720;
    text_screen_init(&screen, memory);
    bus_add(&bus, &(struct bus_range){.start = VGA_PORTS,
                                      .size = VGA_PORT_COUNT,
                                      .width = 1,
                                      .read = vga_read,
                                      .write = vga_write,
                                      .self = &screen});
    bus_add(&bus, &(struct bus_range){.start = CRTC_PORTS,
                                      .size = CRTC_PORT_COUNT,
                                      .width = 1,
                                      .read = crtc_read,
                                      .write = crtc_write,
                                      .self = &screen});
    bus_add(&bus, &(struct bus_range){.start = VGA_STATUS_PORT,
                                      .size = 1,
                                      .width = 1,
                                      .read = vga_status_read,
                                      .write = vga_status_write,
                                      .self = &screen});
    screen_view_init(&view, (struct byte_sink){wire_put, NULL}, TEXT_ROWS);
}

static uint8_t in(unsigned port)
{
    return (uint8_t)bus_read(&bus, port, 1);
}

static void out(unsigned port, unsigned value)
{
    bus_write(&bus, port, 1, value);
}

static void crtc(unsigned reg, unsigned value)
{
    bus_write(&bus, CRTC_PORTS, 2, reg | value << 8); /* "out dx, ax", as drivers do */
}

static void put(unsigned row, unsigned column, uint8_t attribute, const char *text)
{
    for (; *text; text++)
        memory[row * TEXT_COLUMNS + column++] = (uint16_t)(attribute << 8 | (uint8_t)*text);
}

/* One frame, from memory to the terminal. */
static void draw(void)
{
    text_screen_frame(&screen, &frame);
    ck_assert(screen_view_draw(&view, &frame));
    wire_arrives();
}

static const char *row_shown(unsigned row)
{
    return vt_row(&terminal, row);
}

START_TEST(registers_start_in_mode_3_and_read_back)
{
    for (unsigned reg = 0; reg < CRTC_REGISTERS; reg++) {
        out(0x3d4, reg);
        ck_assert_uint_eq(in(0x3d4), reg);
    }
    out(0x3d4, 0xe0 | CRTC_OFFSET); /* five bits count */
    ck_assert_uint_eq(in(0x3d4), CRTC_OFFSET);
    ck_assert_uint_eq(in(0x3d5), 40);
    ck_assert_uint_eq(in(0x3cc), 0x67);
    crtc(CRTC_CURSOR_HIGH, 0x12);
    crtc(CRTC_CURSOR_LOW, 0x34);
    out(0x3d4, CRTC_CURSOR_HIGH);
    ck_assert_uint_eq(in(0x3d5), 0x12);
    out(0x3d4, CRTC_CURSOR_LOW);
    ck_assert_uint_eq(in(0x3d5), 0x34);
    bus_write(&bus, 0x3ce, 2, 0x5a08);
    ck_assert_uint_eq(bus_read(&bus, 0x3ce, 2), 0x5a08);
    bus_write(&bus, 0x3c4, 2, 0x0f02);
    ck_assert_uint_eq(bus_read(&bus, 0x3c4, 2), 0x0f02);
}
END_TEST

START_TEST(timing_registers_are_protected)
{
    crtc(0, 0x11);
    out(0x3d4, 0);
    ck_assert_uint_eq(in(0x3d5), 0x5f);
    crtc(CRTC_RETRACE_END, 0x0e);
    crtc(0, 0x11);
    out(0x3d4, 0);
    ck_assert_uint_eq(in(0x3d5), 0x11);
}
END_TEST

START_TEST(the_attribute_port_takes_index_and_data_in_turn)
{
    in(0x3da);
    out(0x3c0, 0x10);
    out(0x3c0, 0x04);
    ck_assert_uint_eq(in(0x3c1), 0x04);
    out(0x3c0, 0x01);
    in(0x3da); /* the flip-flop is reset: an index is next */
    out(0x3c0, 0x10);
    ck_assert_uint_eq(in(0x3c1), 0x04);
}
END_TEST

START_TEST(the_palette_counts_by_three)
{
    out(0x3c8, 254);
    for (unsigned i = 0; i < 9; i++) /* wraps from 255 to 0 */
        out(0x3c9, i + 0xc0);
    out(0x3c7, 254);
    ck_assert_uint_eq(in(0x3c7), 3);
    for (unsigned i = 0; i < 9; i++)
        ck_assert_uint_eq(in(0x3c9), i);
    ck_assert_uint_eq(in(0x3c8), 1);
    out(0x3c9, 33); /* one of three, and then another colour */
    out(0x3c8, 20);
    out(0x3c9, 44);
    out(0x3c7, 20);
    ck_assert_uint_eq(in(0x3c9), 44);
}
END_TEST

START_TEST(waiting_for_the_beam_ends)
{
    for (unsigned wanted = 0; wanted < 10; wanted++) {
        uint8_t bit = wanted % 2 ? VGA_STATUS_RETRACE : VGA_STATUS_BLANK;
        unsigned looks = 0;

        while (!(in(0x3da) & bit))
            ck_assert_uint_lt(++looks, 5);
        while (in(0x3da) & bit)
            ck_assert_uint_lt(++looks, 9);
    }
}
END_TEST

START_TEST(a_frame_begins_at_the_start_address_and_wraps)
{
    put(0, 0, 7, "first");
    put(1, 0, 7, "second");
    crtc(CRTC_START_LOW, TEXT_COLUMNS);
    text_screen_frame(&screen, &frame);
    ck_assert_uint_eq(frame.cells[0][0], 0x0700 | 's');
    crtc(CRTC_START_HIGH, 0xff);
    crtc(CRTC_START_LOW, 0xff); /* the last cell; row 0 column 1 is cell 0 */
    text_screen_frame(&screen, &frame);
    ck_assert_uint_eq(frame.cells[0][1], 0x0700 | 'f');
    crtc(CRTC_START_HIGH, 0);
    crtc(CRTC_START_LOW, 0);
    crtc(CRTC_OFFSET, 80); /* 160 cells a row: every other line */
    put(2, 0, 7, "third");
    text_screen_frame(&screen, &frame);
    ck_assert_uint_eq(frame.cells[1][0], 0x0700 | 't');
}
END_TEST

START_TEST(the_cursor_is_where_the_registers_say)
{
    static const struct {
        unsigned at, start, top, bottom;
        bool seen;
        unsigned row, column;
    } rows[] = {
        {0, 0, 13, 14, true, 0, 0},          {81, 0, 13, 14, true, 1, 1},
        {1999, 0, 13, 14, true, 24, 79},     {2000, 0, 13, 14, false, 0, 0},
        {160, 80, 13, 14, true, 1, 0},       {0, 80, 13, 14, false, 0, 0},
        {5, 0, 0x2d, 14, false, 0, 0},       {5, 0, 14, 13, false, 0, 0},
        {0xffff, 0xffff, 0, 15, true, 0, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        crtc(CRTC_CURSOR_HIGH, rows[i].at >> 8);
        crtc(CRTC_CURSOR_LOW, rows[i].at & 0xff);
        crtc(CRTC_START_HIGH, rows[i].start >> 8);
        crtc(CRTC_START_LOW, rows[i].start & 0xff);
        crtc(CRTC_CURSOR_START, rows[i].top);
        crtc(CRTC_CURSOR_END, rows[i].bottom);
        text_screen_frame(&screen, &frame);
        ck_assert_uint_eq(frame.cursor, rows[i].seen);
        if (rows[i].seen) {
            ck_assert_uint_eq(frame.cursor_row, rows[i].row);
            ck_assert_uint_eq(frame.cursor_column, rows[i].column);
        }
    }
    crtc(CRTC_OFFSET, 80); /* rows of 160 cells */
    crtc(CRTC_START_HIGH, 0);
    crtc(CRTC_START_LOW, 0);
    crtc(CRTC_CURSOR_HIGH, 163 >> 8);
    crtc(CRTC_CURSOR_LOW, 163 & 0xff);
    text_screen_frame(&screen, &frame);
    ck_assert_uint_eq(frame.cursor_row * 1000 + frame.cursor_column, 1003);
}
END_TEST

START_TEST(the_terminal_shows_text_and_cursor)
{
    put(0, 0, 7, "Hello");
    put(24, 75, 7, "World");
    crtc(CRTC_CURSOR_LOW, 5);
    draw();
    ck_assert_str_eq(row_shown(0), "Hello");
    ck_assert_str_eq(terminal.text[24][79], "d");
    ck_assert(terminal.cursor);
    ck_assert_uint_eq(terminal.row, 0);
    ck_assert_uint_eq(terminal.column, 5);
}
END_TEST

START_TEST(only_differences_are_drawn)
{
    draw();
    ck_assert_uint_eq(terminal.cells_drawn, TEXT_ROWS * TEXT_COLUMNS);
    terminal.cells_drawn = bytes_sent = 0;
    draw();
    ck_assert_uint_eq(bytes_sent, 0);
    put(3, 10, 7, "abc");
    draw();
    ck_assert_uint_eq(terminal.cells_drawn, 3);
    ck_assert_uint_lt(bytes_sent, 40);
    put(0, 0, 7, "top");
    draw();
    screen_view_forget(&view);
    terminal.cells_drawn = 0;
    terminal.row = 5; /* who knows what happened to it */
    draw();
    ck_assert_uint_eq(terminal.cells_drawn, TEXT_ROWS * TEXT_COLUMNS);
    ck_assert_str_eq(row_shown(0), "top");
    ck_assert_str_eq(row_shown(3), "          abc");
    ck_assert(terminal.cursor);
}
END_TEST

START_TEST(sixteen_colours_have_the_terminals_numbers)
{
    static const struct {
        uint8_t attribute;
        const char *blinking, *bright;
    } rows[] = {
        {0x07, "0;37;40", "0;37;40"},    {0x1f, "0;97;44", "0;97;44"},
        {0x4e, "0;93;41", "0;93;41"},    {0x21, "0;34;42", "0;34;42"},
        {0x30, "0;30;46", "0;30;46"},    {0x9a, "0;5;92;44", "0;92;104"},
        {0xff, "0;5;97;47", "0;97;107"},
    };

    for (unsigned bright = 0; bright < 2; bright++) {
        in(0x3da);
        out(0x3c0, 0x10);
        out(0x3c0, bright ? 0x04 : 0x0c);
        for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
            put(0, i, rows[i].attribute, "x");
        draw();
        for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
            ck_assert_str_eq(terminal.colours[0][i], bright ? rows[i].bright : rows[i].blinking);
    }
}
END_TEST

START_TEST(code_page_437_becomes_utf_8)
{
    static char dump[TEXT_DUMP_MAX];

    put(0, 0, 7, "\x01\x80\xb0\xb3\xc9\xdb\xe1\xf1\xfe\x7f~");
    memory[11] = 0x0700; /* a zero is a blank */
    put(0, 12, 7, "!");
    put(2, 0, 7, "end");
    draw();
    ck_assert_str_eq(row_shown(0), "☺Ç░│╔█ß±■⌂~ !");
    text_frame_dump(&frame, dump);
    ck_assert_ptr_nonnull(strstr(dump, "☺Ç░│╔█ß±■⌂~ !\n\nend\n\n"));
    ck_assert_uint_eq(strlen(strstr(dump, "end\n")), 3 + 23);
}
END_TEST

START_TEST(every_code_is_one_valid_character)
{
    for (unsigned code = 0; code < 256; code++) {
        char text[CP437_UTF8_MAX];
        size_t length = cp437_utf8((uint8_t)code, text);

        ck_assert_uint_ge(length, 1);
        ck_assert((uint8_t)text[0] >= 0x20 && (uint8_t)text[0] != 0x7f);
        for (size_t i = 1; i < length; i++)
            ck_assert_uint_eq((uint8_t)text[i] >> 6, 2);
        ck_assert_uint_eq((uint8_t)text[0] >> 7, length > 1);
    }
}
END_TEST

START_TEST(a_slow_terminal_gets_fewer_frames_not_older_ones)
{
    room = 100;
    put(0, 0, 7, "one");
    text_screen_frame(&screen, &frame);
    ck_assert(screen_view_draw(&view, &frame));
    for (unsigned i = 0; i < 1000; i++) {
        put(0, 0, 7, i % 2 ? "two" : "six");
        text_screen_frame(&screen, &frame);
        ck_assert(!screen_view_draw(&view, &frame));
    }
    ck_assert_uint_eq(bytes_sent, 100);
    room = 50;
    ck_assert(!screen_view_drain(&view));
    room = 50;
    ck_assert(!screen_view_drain(&view));
    room = SIZE_MAX;
    ck_assert(screen_view_drain(&view));
    wire_arrives();
    ck_assert_str_eq(row_shown(0), "one");
    draw();
    ck_assert_str_eq(row_shown(0), "two");
}
END_TEST

START_TEST(the_worst_frame_fits_the_buffer)
{
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < TEXT_ROWS * TEXT_COLUMNS; i++)
            if (round == 0 || i % 2 == round % 2)
                memory[i] = (uint16_t)((i * 8 + i / 2 * 16 + round) << 8 | (0xb0 + i % 48));
        room = 0;
        text_screen_frame(&screen, &frame);
        screen_view_draw(&view, &frame);
        room = SIZE_MAX;
        ck_assert(screen_view_drain(&view));
        wire_arrives();
    }
    room = 0;
    screen_view_forget(&view);
    for (unsigned i = 0; i < TEXT_ROWS * TEXT_COLUMNS; i++)
        memory[i] = (uint16_t)((i % 2 ? 0xff : 0xee) << 8 | 0xdb);
    text_screen_frame(&screen, &frame);
    screen_view_draw(&view, &frame);
    screen_view_end(&view);
    ck_assert_uint_gt(view.filled, 30000);
}
END_TEST

START_TEST(a_small_terminal_follows_the_cursor)
{
    screen_view_init(&view, (struct byte_sink){wire_put, NULL}, 10);
    put(0, 0, 7, "top");
    put(24, 0, 7, "bottom");
    draw();
    ck_assert_str_eq(row_shown(0), "top");
    ck_assert_str_eq(row_shown(10), "");
    crtc(CRTC_CURSOR_HIGH, 24 * 80 >> 8);
    crtc(CRTC_CURSOR_LOW, 24 * 80 & 0xff);
    draw();
    ck_assert_str_eq(row_shown(9), "bottom");
    ck_assert_str_eq(row_shown(0), "");
    ck_assert_uint_eq(terminal.row, 9);
}
END_TEST

START_TEST(the_end_gives_the_terminal_back)
{
    screen_view_want_mouse(&view);
    crtc(CRTC_CURSOR_START, CRTC_CURSOR_OFF);
    text_screen_frame(&screen, &frame);
    screen_view_draw(&view, &frame);
    ck_assert_ptr_nonnull(strstr(wire, "\033[?1002h\033[?1006h"));
    screen_view_end(&view);
    ck_assert_ptr_nonnull(strstr(wire, "\033[?1002l\033[?1006l"));
    wire_arrives();
    ck_assert(terminal.cursor && terminal.wraps);
    ck_assert_str_eq(terminal.now, "0");
    screen_view_end(&view); /* twice is once */
    ck_assert_uint_eq(wire_length, 0);
}
END_TEST

START_TEST(random_frames_arrive_as_they_are)
{
    srand(5);
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned i = (unsigned)rand() % 500; i-- > 0;)
            memory[(unsigned)rand() % ARRAY_SIZE(memory)] = (uint16_t)rand();
        for (unsigned reg = CRTC_CURSOR_START; reg <= CRTC_CURSOR_LOW; reg++)
            crtc(reg, rand() % 4 ? 0 : (unsigned)rand() & 0xff);
        draw();
        for (unsigned row = 0; row < TEXT_ROWS; row++)
            for (unsigned column = 0; column < TEXT_COLUMNS; column++) {
                char text[CP437_UTF8_MAX + 1] = "";

                cp437_utf8((uint8_t)frame.cells[row][column], text);
                if (strcmp(terminal.text[row][column], text) != 0)
                    ck_abort_msg("round %u: row %u, column %u", round, row, column);
            }
        ck_assert_uint_eq(terminal.cursor, frame.cursor);
    }
}
END_TEST

START_TEST(hammering_every_port_breaks_nothing)
{
    srand(6);
    for (unsigned i = 0; i < 1000000; i++) {
        unsigned port = 0x3b0 + (unsigned)rand() % 0x30, size = 1u << rand() % 3;

        if (rand() % 2)
            bus_write(&bus, port, size, (uint64_t)rand());
        else
            bus_read(&bus, port, size);
        if (i % 1000 == 0) {
            text_screen_frame(&screen, &frame);
            screen_view_draw(&view, &frame);
            wire_arrives();
        }
    }
}
END_TEST

static Suite *text_screen_suite(void)
{
    Suite *suite = suite_create("04 text screen");
    TCase *device = tcase_create("device"), *shown = tcase_create("view");

    tcase_add_checked_fixture(device, power_up, NULL);
    tcase_add_test(device, registers_start_in_mode_3_and_read_back);
    tcase_add_test(device, timing_registers_are_protected);
    tcase_add_test(device, the_attribute_port_takes_index_and_data_in_turn);
    tcase_add_test(device, the_palette_counts_by_three);
    tcase_add_test(device, waiting_for_the_beam_ends);
    tcase_add_test(device, a_frame_begins_at_the_start_address_and_wraps);
    tcase_add_test(device, the_cursor_is_where_the_registers_say);
    tcase_add_test(device, hammering_every_port_breaks_nothing);
    suite_add_tcase(suite, device);
    tcase_add_checked_fixture(shown, power_up, NULL);
    tcase_add_test(shown, the_terminal_shows_text_and_cursor);
    tcase_add_test(shown, only_differences_are_drawn);
    tcase_add_test(shown, sixteen_colours_have_the_terminals_numbers);
    tcase_add_test(shown, code_page_437_becomes_utf_8);
    tcase_add_test(shown, every_code_is_one_valid_character);
    tcase_add_test(shown, a_slow_terminal_gets_fewer_frames_not_older_ones);
    tcase_add_test(shown, the_worst_frame_fits_the_buffer);
    tcase_add_test(shown, a_small_terminal_follows_the_cursor);
    tcase_add_test(shown, the_end_gives_the_terminal_back);
    tcase_add_test(shown, random_frames_arrive_as_they_are);
    suite_add_tcase(suite, shown);
    return suite;
}

int main(void)
{
    return harness_main(text_screen_suite());
}
