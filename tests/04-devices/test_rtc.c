/*
 * test_rtc.c: the clock and the CMOS bytes, with a host clock that the tests turn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/bus.h"
#include "04-devices/rtc.h"
#include "common/bits.h"
#include "harness/harness.h"

#define SECOND INT64_C(1000000000)

static struct rtc rtc;
static struct bus bus;
static int64_t host_now;

static int64_t read_host(void *self)
{
    return *(int64_t *)self;
}

static int64_t alarm_at;
static struct wire {
    bool level;
    unsigned rises;
} wire;

static void set_alarm(void *self, int64_t when)
{
    *(int64_t *)self = when;
}

static void set_wire(void *self, bool level)
{
    (void)self;
    ck_assert_int_ne(wire.level, level); /* a device drives changes only */
    wire.level = level;
    wire.rises += level;
}

static void power_up(void)
{
    wire = (struct wire){0};
    alarm_at = ALARM_NEVER;
    host_now = INT64_C(1709210096) * SECOND; /* Thursday 2024-02-29 12:34:56 UTC */
    memset(&bus, 0, sizeof bus);
    rtc_init(&rtc, (struct clock){read_host, &host_now}, (struct alarm){set_alarm, &alarm_at},
             (struct irq_line){.set = set_wire});
    bus_add(&bus,
            &(struct bus_range){RTC_PORTS, RTC_PORT_COUNT, 1, rtc_read, rtc_write, &rtc, NULL});
}

static uint8_t get(uint8_t index)
{
    bus_write(&bus, 0x70, 1, index);
    return (uint8_t)bus_read(&bus, 0x71, 1);
}

static void put(uint8_t index, uint8_t value)
{
    bus_write(&bus, 0x70, 1, index);
    bus_write(&bus, 0x71, 1, value);
}

static void check_time(const char *expected)
{
    char text[32];

    snprintf(text, sizeof text, "%02x%02x-%02x-%02x %02x:%02x:%02x", get(RTC_CENTURY),
             get(RTC_YEAR), get(RTC_MONTH), get(RTC_DAY), get(RTC_HOURS), get(RTC_MINUTES),
             get(RTC_SECONDS));
    ck_assert_str_eq(text, expected);
}

START_TEST(time_is_the_hosts_in_bcd)
{
    check_time("2024-02-29 12:34:56");
    ck_assert_uint_eq(get(RTC_WEEKDAY), 5);
    host_now += 86400 * SECOND;
    check_time("2024-03-01 12:34:56");
    ck_assert_uint_eq(get(RTC_WEEKDAY), 6);
}
END_TEST

START_TEST(binary_mode_is_binary)
{
    put(RTC_B, RTC_B_24 | RTC_B_DM);
    ck_assert_uint_eq(get(RTC_SECONDS), 56);
    ck_assert_uint_eq(get(RTC_YEAR), 24);
    put(RTC_MINUTES, 45);
    ck_assert_uint_eq(get(RTC_MINUTES), 45);
}
END_TEST

START_TEST(twelve_hour_mode_marks_the_afternoon)
{
    static const struct {
        unsigned hour;
        uint8_t bcd;
    } rows[] = {{0, 0x12}, {1, 0x01}, {11, 0x11}, {12, 0x92}, {13, 0x81}, {23, 0x91}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        power_up();
        host_now = INT64_C(1709164800) * SECOND + rows[i].hour * 3600 * SECOND;
        put(RTC_B, 0);
        ck_assert_uint_eq(get(RTC_HOURS), rows[i].bcd);
        put(RTC_HOURS, 0x05);
        put(RTC_HOURS, rows[i].bcd);
        put(RTC_B, RTC_B_24 | RTC_B_DM);
        ck_assert_uint_eq(get(RTC_HOURS), rows[i].hour);
    }
}
END_TEST

START_TEST(update_in_progress_comes_before_the_second)
{
    ck_assert_uint_eq(get(RTC_A), 0x26);
    host_now += SECOND - RTC_UIP_NS - 1;
    ck_assert_uint_eq(get(RTC_A), 0x26);
    host_now += 1;
    ck_assert_uint_eq(get(RTC_A), 0xa6);
    put(RTC_B, RTC_B_24 | RTC_B_SET); /* a clock that stands still never updates */
    ck_assert_uint_eq(get(RTC_A), 0x26);
    put(RTC_B, RTC_B_24);
    host_now += RTC_UIP_NS;
    ck_assert_uint_eq(get(RTC_A), 0x26);
}
END_TEST

START_TEST(set_stops_the_clock_and_lets_it_go_on)
{
    put(RTC_B, RTC_B_24 | RTC_B_SET);
    host_now += 100 * SECOND;
    check_time("2024-02-29 12:34:56");
    put(RTC_DAY, 0x31); /* before its month: no such day in February */
    put(RTC_MONTH, 0x12);
    put(RTC_YEAR, 0x99);
    put(RTC_CENTURY, 0x19);
    put(RTC_HOURS, 0x23);
    put(RTC_MINUTES, 0x59);
    put(RTC_SECONDS, 0x58);
    check_time("1999-12-31 23:59:58");
    put(RTC_B, RTC_B_24);
    check_time("1999-12-31 23:59:58");
    host_now += 2 * SECOND;
    check_time("2000-01-01 00:00:00");
}
END_TEST

START_TEST(a_running_clock_can_be_set_byte_by_byte)
{
    put(RTC_MINUTES, 0x10);
    put(RTC_YEAR, 0x30);
    put(RTC_MONTH, 0x01);
    put(RTC_DAY, 0x15);
    check_time("2030-01-15 12:10:56");
    host_now += SECOND;
    check_time("2030-01-15 12:10:57");
    put(RTC_WEEKDAY, 1); /* follows from the date */
    ck_assert_uint_eq(get(RTC_WEEKDAY), 3);
}
END_TEST

START_TEST(years_beyond_four_digits_are_ignored)
{
    put(RTC_B, RTC_B_24 | RTC_B_DM);
    put(RTC_CENTURY, 255);
    put(RTC_CENTURY, 99);
    put(RTC_CENTURY, 100);
    put(RTC_B, RTC_B_24);
    check_time("9924-02-29 12:34:56");
}
END_TEST

START_TEST(memory_bytes_keep_what_is_written)
{
    for (unsigned index = 0x0e; index < 0x80; index++)
        if (index != RTC_CENTURY)
            put((uint8_t)index, (uint8_t)(index * 3));
    for (unsigned index = 0x0e; index < 0x80; index++)
        if (index != RTC_CENTURY)
            ck_assert_uint_eq(get((uint8_t)index), (uint8_t)(index * 3));
    put(0x90, 0x77); /* bit 7 of the index is the NMI mask */
    ck_assert_uint_eq(get(0x10), 0x77);
}
END_TEST

START_TEST(status_registers_keep_their_read_only_bits)
{
    put(RTC_A, 0xff);
    ck_assert_uint_eq(get(RTC_A), 0x7f);
    put(RTC_C, 0xff);
    ck_assert_uint_eq(get(RTC_C), 0x00);
    put(RTC_D, 0x00);
    ck_assert_uint_eq(get(RTC_D), RTC_D_VRT);
}
END_TEST

START_TEST(the_index_cannot_be_read)
{
    put(0x20, 0x12);
    ck_assert_uint_eq(bus_read(&bus, 0x70, 1), 0xff);
    ck_assert_uint_eq(bus_read(&bus, 0x70, 2), 0x12ff);
}
END_TEST

START_TEST(hammering_the_clock_breaks_nothing)
{
    srand(146818);
    for (unsigned i = 0; i < 500000; i++) {
        host_now += rand() % SECOND;
        if (rand() % 2)
            put((uint8_t)(rand() % 64), (uint8_t)rand());
        else
            get((uint8_t)rand());
    }
    put(RTC_B, RTC_B_24 | RTC_B_SET);
    put(RTC_CENTURY, 0x20);
    put(RTC_YEAR, 0x24);
    put(RTC_MONTH, 0x02);
    put(RTC_DAY, 0x29);
    put(RTC_HOURS, 0x01);
    put(RTC_MINUTES, 0x02);
    put(RTC_SECONDS, 0x03);
    put(RTC_B, RTC_B_24);
    check_time("2024-02-29 01:02:03");
}
END_TEST

static Suite *rtc_suite(void)
{
    Suite *suite = suite_create("04 rtc");
    TCase *tests = tcase_create("rtc");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, time_is_the_hosts_in_bcd);
    tcase_add_test(tests, binary_mode_is_binary);
    tcase_add_test(tests, twelve_hour_mode_marks_the_afternoon);
    tcase_add_test(tests, update_in_progress_comes_before_the_second);
    tcase_add_test(tests, set_stops_the_clock_and_lets_it_go_on);
    tcase_add_test(tests, a_running_clock_can_be_set_byte_by_byte);
    tcase_add_test(tests, years_beyond_four_digits_are_ignored);
    tcase_add_test(tests, memory_bytes_keep_what_is_written);
    tcase_add_test(tests, status_registers_keep_their_read_only_bits);
    tcase_add_test(tests, the_index_cannot_be_read);
    tcase_add_test(tests, hammering_the_clock_breaks_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(rtc_suite());
}
