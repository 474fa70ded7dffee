/*
 * test_rtc.c: the clock, its interrupts and the CMOS bytes, with a host clock that the
 * tests turn.
 *
 * Longer than 350 lines: a calendar, three kinds of interrupt, and what firmware leaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/bus.h"
#include "04-devices/cmos.h"
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

/* The board's part: lets time pass, ringing the alarm whenever it is due. */
static void pass(int64_t ns)
{
    int64_t end = host_now + ns;

    while (alarm_at <= end) {
        ck_assert_int_ge(alarm_at, host_now);
        host_now = alarm_at;
        alarm_at = ALARM_NEVER;
        rtc_alarm(&rtc);
    }
    host_now = end;
}

/* What an interrupt handler does, all the time that passes. */
static unsigned count_interrupts(int64_t ns)
{
    int64_t end = host_now + ns;
    unsigned count = 0;

    while (alarm_at <= end) {
        pass(alarm_at - host_now);
        if (wire.level) {
            ck_assert_uint_eq(get(RTC_C) & RTC_C_IRQF, RTC_C_IRQF);
            count++;
        }
        ck_assert(!wire.level);
    }
    host_now = end;
    return count;
}

START_TEST(no_interrupt_is_asked_for_at_power_up)
{
    pass(100 * SECOND);
    ck_assert_uint_eq(wire.rises, 0);
    ck_assert(alarm_at == ALARM_NEVER);
}
END_TEST

START_TEST(register_c_says_what_happened_though_nothing_interrupts)
{
    get(RTC_C);
    ck_assert_uint_eq(get(RTC_C), 0);
    host_now += SECOND / 1024 + 1;
    ck_assert_uint_eq(get(RTC_C), RTC_C_PF);
    ck_assert_uint_eq(get(RTC_C), 0);
    host_now += SECOND;
    ck_assert_uint_eq(get(RTC_C), RTC_C_PF | RTC_C_UF);
    put(RTC_A, RTC_A_32KHZ); /* rate 0 */
    host_now += SECOND;
    get(RTC_C);
    host_now += SECOND;
    ck_assert_uint_eq(get(RTC_C), RTC_C_UF);
}
END_TEST

START_TEST(periodic_interrupts_come_at_their_rate)
{
    static const unsigned hertz[16] = {0,   256, 128, 8192, 4096, 2048, 1024, 512,
                                       256, 128, 64,  32,   16,   8,    4,    2};

    for (unsigned rate = 0; rate < 16; rate++) {
        power_up();
        put(RTC_A, RTC_A_32KHZ | rate);
        put(RTC_B, RTC_B_24 | RTC_B_PIE);
        ck_assert_uint_eq(count_interrupts(10 * SECOND), 10 * hertz[rate]);
    }
}
END_TEST

/* Register C is the guest's way to ask for the next one: without it there is none. */
START_TEST(an_interrupt_not_acknowledged_is_the_last)
{
    put(RTC_A, RTC_A_32KHZ | 3);
    put(RTC_B, RTC_B_24 | RTC_B_PIE);
    pass(SECOND);
    ck_assert_uint_eq(wire.rises, 1);
    ck_assert(wire.level);
    ck_assert(alarm_at == ALARM_NEVER);
    ck_assert_uint_eq(get(RTC_C), RTC_C_IRQF | RTC_C_PF | RTC_C_UF);
    ck_assert(!wire.level);
    ck_assert(alarm_at != ALARM_NEVER);
}
END_TEST

START_TEST(update_ended_comes_with_each_second)
{
    put(RTC_B, RTC_B_24 | RTC_B_UIE);
    pass(SECOND - 1);
    ck_assert(!wire.level);
    pass(1);
    ck_assert(wire.level);
    ck_assert_uint_eq(get(RTC_SECONDS), 0x57);
    ck_assert_uint_eq(get(RTC_C) & RTC_C_UF, RTC_C_UF);
    ck_assert_uint_eq(count_interrupts(60 * SECOND), 60);
}
END_TEST

START_TEST(setting_the_clock_ends_update_interrupts)
{
    put(RTC_B, RTC_B_24 | RTC_B_UIE | RTC_B_SET);
    ck_assert_uint_eq(get(RTC_B), RTC_B_24 | RTC_B_SET);
    put(RTC_B, RTC_B_24 | RTC_B_SET | RTC_B_AIE);
    pass(86400 * SECOND);
    ck_assert_uint_eq(wire.rises, 0);
    ck_assert_uint_eq(get(RTC_C) & (RTC_C_UF | RTC_C_AF), 0);
}
END_TEST

START_TEST(enabling_what_has_happened_interrupts_at_once)
{
    host_now += 2 * SECOND;
    put(RTC_B, RTC_B_24 | RTC_B_UIE);
    ck_assert(wire.level);
    put(RTC_B, RTC_B_24);
    ck_assert(!wire.level);
    ck_assert_uint_eq(get(RTC_C) & (RTC_C_IRQF | RTC_C_UF), RTC_C_UF);
}
END_TEST

/* It is 12:34:56; the alarm is set by its three bytes. */
START_TEST(the_alarm_rings_when_its_bytes_fit)
{
    static const struct {
        uint8_t hours, minutes, seconds;
        int64_t first, then; /* seconds from now, and from there to the next */
    } rows[] = {
        {0x12, 0x34, 0x57, 1, 86400},
        {0x12, 0x34, 0x56, 86400, 86400}, /* it is that time already: tomorrow */
        {0x12, 0x35, 0x00, 4, 86400},
        {0x00, 0x00, 0x00, 41104, 86400},
        {0x12, 0x34, 0x55, 86399, 86400},
        {0xff, 0x35, 0x10, 14, 3600},
        {0xc0, 0x34, 0x10, 3554, 3600}, /* this hour is over */
        {0xff, 0xff, 0x10, 14, 60},
        {0xff, 0xc5, 0xff, 1, 1},
        {0x13, 0xff, 0xff, 1504, 1},
        {0x13, 0xff, 0x30, 1534, 60},
        {0xff, 0x34, 0xff, 1, 1},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        power_up();
        put(RTC_HOURS_ALARM, rows[i].hours);
        put(RTC_MINUTES_ALARM, rows[i].minutes);
        put(RTC_SECONDS_ALARM, rows[i].seconds);
        put(RTC_B, RTC_B_24 | RTC_B_AIE);
        pass(rows[i].first * SECOND - 1);
        ck_assert_msg(!wire.level, "row %u rings too early", i);
        pass(1);
        ck_assert_msg(wire.level, "row %u does not ring", i);
        ck_assert_uint_eq(get(RTC_C) & (RTC_C_IRQF | RTC_C_AF), RTC_C_IRQF | RTC_C_AF);
        pass(rows[i].then * SECOND);
        ck_assert_msg(wire.level, "row %u does not ring again", i);
    }
}
END_TEST

START_TEST(an_alarm_that_never_fits_never_rings)
{
    static const uint8_t rows[][3] = {{0x24, 0xff, 0xff}, {0xff, 0x60, 0xff}, {0xff, 0xff, 0x75}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        power_up();
        put(RTC_HOURS_ALARM, rows[i][0]);
        put(RTC_MINUTES_ALARM, rows[i][1]);
        put(RTC_SECONDS_ALARM, rows[i][2]);
        put(RTC_B, RTC_B_24 | RTC_B_AIE);
        ck_assert(alarm_at == ALARM_NEVER);
        host_now += 1000000 * SECOND;
        ck_assert_uint_eq(get(RTC_C) & RTC_C_AF, 0);
    }
}
END_TEST

START_TEST(the_alarm_follows_the_guests_clock_not_the_hosts)
{
    put(RTC_HOURS, 0x07); /* the guest sets its clock to 07:34:56 */
    put(RTC_HOURS_ALARM, 0x07);
    put(RTC_MINUTES_ALARM, 0x35);
    put(RTC_SECONDS_ALARM, 0x00);
    put(RTC_B, RTC_B_24 | RTC_B_AIE);
    pass(4 * SECOND - 1);
    ck_assert(!wire.level);
    pass(1);
    ck_assert(wire.level);
}
END_TEST

START_TEST(the_alarm_is_in_the_clocks_own_format)
{
    put(RTC_B, RTC_B_AIE); /* twelve hours, BCD */
    put(RTC_HOURS_ALARM, 0x81);
    put(RTC_MINUTES_ALARM, 0x00);
    put(RTC_SECONDS_ALARM, 0x00);
    ck_assert_int_eq((alarm_at - host_now) / SECOND, 1504);
    put(RTC_B, RTC_B_AIE | RTC_B_24 | RTC_B_DM);
    put(RTC_HOURS_ALARM, 13);
    put(RTC_MINUTES_ALARM, 10);
    ck_assert_int_eq((alarm_at - host_now) / SECOND, 2104);
}
END_TEST

START_TEST(alarms_work_in_the_year_1)
{
    put(RTC_B, RTC_B_24 | RTC_B_SET);
    put(RTC_CENTURY, 0x00), put(RTC_YEAR, 0x01); /* century 0 is taken for 19 ... */
    put(RTC_B, RTC_B_24);
    rtc.offset -= INT64_C(60000000000); /* ... so we help */
    put(RTC_HOURS_ALARM, 0xff);
    put(RTC_MINUTES_ALARM, 0xff);
    put(RTC_SECONDS_ALARM, get(RTC_SECONDS) ^ 1);
    put(RTC_B, RTC_B_24 | RTC_B_AIE);
    pass(60 * SECOND);
    ck_assert(wire.level);
}
END_TEST

/* PIO42: the fastest rate, an alarm each second, and a guest that does nothing but program. */
START_TEST(a_guest_that_reprograms_sets_one_alarm_each_time)
{
    srand(1468182);
    put(RTC_A, RTC_A_32KHZ | 3);
    for (unsigned i = 0; i < 1000000; i++) {
        uint8_t index = (uint8_t)(rand() % 14);

        put(index, (uint8_t)rand());
        host_now += rand() % 100000;
        if (alarm_at <= host_now) {
            rtc_alarm(&rtc);
            ck_assert(alarm_at > host_now); /* or the board would ring for ever */
        }
        if (rand() % 8 == 0)
            get(RTC_C);
    }
}
END_TEST

START_TEST(the_board_is_described_in_cmos)
{
    struct cmos_board board = {
        .below_4_gib = 3 * GIB, .above_4_gib = 5 * GIB, .equipment = CMOS_FPU | CMOS_MOUSE};
    unsigned sum = 0;

    cmos_describe(&rtc, &board);
    cmos_describe(&rtc, &board); /* its own checksum does not change the checksum */
    ck_assert_uint_eq(get(0x14), 0x06);
    ck_assert_uint_eq(get(0x15) | get(0x16) << 8, 640);
    ck_assert_uint_eq(get(0x17) | get(0x18) << 8, 0xffff); /* more than 64 MiB: as much as fits */
    ck_assert_uint_eq(get(0x30) | get(0x31) << 8, 0xffff);
    ck_assert_uint_eq(get(0x34) | get(0x35) << 8, (3 * GIB - 16 * MIB) / (64 * KIB));
    ck_assert_uint_eq(get(0x5b) | get(0x5c) << 8 | get(0x5d) << 16, 5 * GIB / (64 * KIB));
    for (uint8_t i = 0x10; i <= 0x2d; i++)
        sum += get(i);
    ck_assert_uint_eq(get(0x2e) << 8 | get(0x2f), sum);

    board = (struct cmos_board){.below_4_gib = 8 * MIB};
    cmos_describe(&rtc, &board);
    ck_assert_uint_eq(get(0x17) | get(0x18) << 8, 7 * 1024);
    ck_assert_uint_eq(get(0x34) | get(0x35) << 8, 0);
    board = (struct cmos_board){.below_4_gib = 512 * KIB};
    cmos_describe(&rtc, &board);
    ck_assert_uint_eq(get(0x15) | get(0x16) << 8, 512);
    ck_assert_uint_eq(get(0x17) | get(0x18) << 8, 0);
}
END_TEST

/* PIO10 */
START_TEST(every_index_can_be_read_and_written)
{
    for (unsigned i = 0; i < 256; i++) {
        put((uint8_t)i, 0xff);
        get((uint8_t)i);
        put((uint8_t)i, 0x00);
        get((uint8_t)i);
    }
}
END_TEST

static Suite *rtc_suite(void)
{
    Suite *suite = suite_create("04 rtc");
    TCase *tests = tcase_create("rtc");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_set_timeout(tests, 60);
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
    tcase_add_test(tests, no_interrupt_is_asked_for_at_power_up);
    tcase_add_test(tests, register_c_says_what_happened_though_nothing_interrupts);
    tcase_add_test(tests, periodic_interrupts_come_at_their_rate);
    tcase_add_test(tests, an_interrupt_not_acknowledged_is_the_last);
    tcase_add_test(tests, update_ended_comes_with_each_second);
    tcase_add_test(tests, setting_the_clock_ends_update_interrupts);
    tcase_add_test(tests, enabling_what_has_happened_interrupts_at_once);
    tcase_add_test(tests, the_alarm_rings_when_its_bytes_fit);
    tcase_add_test(tests, an_alarm_that_never_fits_never_rings);
    tcase_add_test(tests, the_alarm_follows_the_guests_clock_not_the_hosts);
    tcase_add_test(tests, the_alarm_is_in_the_clocks_own_format);
    tcase_add_test(tests, alarms_work_in_the_year_1);
    tcase_add_test(tests, a_guest_that_reprograms_sets_one_alarm_each_time);
    tcase_add_test(tests, the_board_is_described_in_cmos);
    tcase_add_test(tests, every_index_can_be_read_and_written);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(rtc_suite());
}
