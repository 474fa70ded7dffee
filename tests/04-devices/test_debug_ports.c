/* test_debug_ports.c: ports 0xe9, 0x402, 0x80 and 0xf4. */
#include <string.h>

#include "04-devices/bus.h"
#include "04-devices/debug_ports.h"
#include "common/bits.h"
#include "harness/harness.h"

static struct bus bus;
static struct debug_console console;
static struct post_port post;
static struct debug_exit debug_exit;
static char printed[64];
static size_t printed_count, room;
static unsigned ends, status;

static size_t print(void *self, const uint8_t *bytes, size_t count)
{
    (void)self, (void)count; /* always 1 */
    if (room == 0)
        return 0;
    room--;
    if (printed_count < sizeof printed - 1)
        printed[printed_count] = (char)*bytes;
    printed_count++;
    return 1;
}

static void end(void *self, unsigned value)
{
    (void)self;
    ends++;
    status = value;
}

static void claim(uint64_t start, uint64_t size, unsigned width,
                  uint64_t (*read)(void *, uint64_t, unsigned),
                  void (*write)(void *, uint64_t, unsigned, uint64_t), void *self)
{
    ck_assert_int_eq(bus_add(&bus, &(struct bus_range){.start = start,
                                                       .size = size,
                                                       .width = width,
                                                       .read = read,
                                                       .write = write,
                                                       .self = self}),
                     0);
}

static void power_up(void)
{
    memset(&bus, 0, sizeof bus);
    memset(printed, 0, sizeof printed);
    printed_count = ends = status = 0;
    room = SIZE_MAX;
    debug_console_init(&console, (struct byte_sink){print, NULL});
    post_init(&post);
    debug_exit_init(&debug_exit, end, NULL);
    claim(DEBUG_CONSOLE_PORT, 1, 1, debug_console_read, debug_console_write, &console);
    claim(DEBUG_CONSOLE_SEABIOS, 1, 1, debug_console_read, debug_console_write, &console);
    claim(POST_PORT, 1, 1, post_read, post_write, &post);
    claim(DEBUG_EXIT_PORT, DEBUG_EXIT_PORT_COUNT, 4, debug_exit_read, debug_exit_write,
          &debug_exit);
}

START_TEST(a_guest_can_ask_whether_anybody_listens)
{
    ck_assert_uint_eq(bus_read(&bus, 0xe9, 1), 0xe9);
    ck_assert_uint_eq(bus_read(&bus, 0x402, 1), 0xe9);
    memset(&bus, 0, sizeof bus);
    ck_assert_uint_eq(bus_read(&bus, 0xe9, 1), 0xff);
}
END_TEST

START_TEST(bytes_are_printed_in_order_from_both_ports)
{
    bus_write_string(&bus, 0xe9, 1, 5, "Hello");
    bus_write_string(&bus, 0x402, 1, 6, ", BIOS");
    bus_write(&bus, 0xe9, 4, 0x61616121); /* one byte is ours, three are the neighbours' */
    ck_assert_str_eq(printed, "Hello, BIOS!");
}
END_TEST

START_TEST(ten_million_bytes_nobody_takes_cost_nothing)
{
    room = 3;
    for (unsigned i = 0; i < 10000000; i++)
        debug_console_write(&console, 0, 1, 'x');
    ck_assert_str_eq(printed, "xxx");
    ck_assert_uint_eq(console.lost, 9999997);
}
END_TEST

START_TEST(the_last_post_codes_are_kept_oldest_first)
{
    char text[POST_TEXT_MAX];

    ck_assert_uint_eq(bus_read(&bus, 0x80, 1), 0xff);
    post_text(&post, text);
    ck_assert_str_eq(text, "");
    for (unsigned code = 1; code <= 100; code++)
        bus_write(&bus, 0x80, 1, code);
    ck_assert_uint_eq(bus_read(&bus, 0x80, 1), 100);
    ck_assert_uint_eq(post.count, POST_CODES);
    for (unsigned i = 0; i < POST_CODES; i++)
        ck_assert_uint_eq(post.codes[i], 100 - POST_CODES + 1 + i);
    post_text(&post, text);
    ck_assert_str_eq(text, "55 56 57 58 59 5a 5b 5c 5d 5e 5f 60 61 62 63 64");
}
END_TEST

START_TEST(waiting_at_port_80_pushes_no_code_out)
{
    bus_write(&bus, 0x80, 1, 0x11);
    bus_write(&bus, 0x80, 1, 0x22);
    for (unsigned i = 0; i < 10000000; i++)
        post_write(&post, 0, 1, 0);
    ck_assert_uint_eq(post.count, 3);
    ck_assert_uint_eq(post.codes[0], 0x11);
    ck_assert_uint_eq(post.writes, 10000002);
}
END_TEST

START_TEST(the_exit_status_is_the_value_doubled_plus_one)
{
    static const struct {
        uint64_t value;
        unsigned size, status;
    } rows[] = {{0, 4, 1},          {0, 1, 1},           {1, 1, 3},      {0x10, 2, 0x21},
                {0x7f, 1, 255},     {0x80, 1, 1},        {0xff, 4, 255}, {0x100, 4, 1},
                {0x80000000, 4, 1}, {0xffffffff, 4, 255}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        power_up();
        bus_write(&bus, 0xf4, rows[i].size, rows[i].value);
        ck_assert_uint_eq(ends, 1);
        ck_assert_uint_eq(status, rows[i].status);
    }
}
END_TEST

START_TEST(a_machine_ends_once)
{
    bus_write_string(&bus, 0xf4, 1, 10, "\5\6\7\5\6\7\5\6\7\5");
    ck_assert_uint_eq(ends, 1);
    ck_assert_uint_eq(status, 11);
    ck_assert_uint_eq(bus_read(&bus, 0xf4, 4), 0);
}
END_TEST

static Suite *debug_ports_suite(void)
{
    Suite *suite = suite_create("04 debug ports");
    TCase *tests = tcase_create("debug ports");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, a_guest_can_ask_whether_anybody_listens);
    tcase_add_test(tests, bytes_are_printed_in_order_from_both_ports);
    tcase_add_test(tests, ten_million_bytes_nobody_takes_cost_nothing);
    tcase_add_test(tests, the_last_post_codes_are_kept_oldest_first);
    tcase_add_test(tests, waiting_at_port_80_pushes_no_code_out);
    tcase_add_test(tests, the_exit_status_is_the_value_doubled_plus_one);
    tcase_add_test(tests, a_machine_ends_once);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(debug_ports_suite());
}
