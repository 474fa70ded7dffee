/*
 * test_pit.c: the 8254, tick by tick, against the timing diagrams of its data sheet. The
 * tests turn the clock; what they read comes through the ports, as a guest reads it.
 *
 * Longer than 350 lines: six modes, with and without GATE.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/bus.h"
#include "04-devices/pit.h"
#include "common/bits.h"
#include "harness/harness.h"

#define SECOND INT64_C(1000000000)

static struct pit pit;
static struct bus bus;
static int64_t tick; /* the clock shows its first nanosecond */
static int64_t alarm_at;
static uint64_t alarms_set;
static struct {
    bool level;
    unsigned rises;
} wire;

static int64_t exact; /* the clock in nanoseconds, if a test wants it finer than ticks */

static int64_t now(void *self)
{
    (void)self;
    if (exact)
        return exact;
    return tick / PIT_HZ * SECOND + (tick % PIT_HZ * SECOND + PIT_HZ - 1) / PIT_HZ;
}

static void set_alarm(void *self, int64_t when)
{
    (void)self;
    alarm_at = when;
    alarms_set++;
}

static void set_wire(void *self, bool level)
{
    (void)self;
    ck_assert_int_ne(wire.level, level);
    wire.level = level;
    wire.rises += level;
}

static void out(unsigned port, unsigned value)
{
    bus_write(&bus, port, 1, value);
}

static uint8_t in(unsigned port)
{
    return (uint8_t)bus_read(&bus, port, 1);
}

static void power_up(void)
{
    memset(&bus, 0, sizeof bus);
    memset(&wire, 0, sizeof wire);
    alarm_at = ALARM_NEVER;
    alarms_set = 0;
    tick = 5000000000; /* more than an hour: far beyond 32 bits */
    pit_init(&pit, (struct clock){.now = now}, (struct alarm){.set = set_alarm},
             (struct irq_line){.set = set_wire});
    bus_add(&bus,
            &(struct bus_range){PIT_PORTS, PIT_PORT_COUNT, 1, pit_read, pit_write, &pit, NULL});
    bus_add(&bus,
            &(struct bus_range){PIT_PORT_B, 1, 1, pit_port_b_read, pit_port_b_write, &pit, NULL});
    wire.rises = 0;
}

/* Counter 2, low and high byte, GATE as port 0x61 has it. */
static void program_2(unsigned mode, unsigned count)
{
    out(0x43, PIT_SELECT(2) | PIT_ACCESS_BOTH | PIT_MODE(mode));
    out(0x42, count & 0xff);
    out(0x42, count >> 8);
}

static void gate(bool level)
{
    out(0x61, level);
}

static bool out_2(void)
{
    return in(0x61) & PORT_B_OUT_2;
}

static unsigned value_2(void)
{
    unsigned low = in(0x42);

    return low | (unsigned)in(0x42) << 8;
}

/*
 * Follows counter 2 for a tick per character: "4_ 3_ 0-" is the value in hexadecimal and
 * then OUT, low or high. A dot for the value: not looked at.
 */
static void expect_2(const char *timing)
{
    char seen[256] = "";

    for (const char *at = timing; *at; at += strcspn(at, " "), at += *at == ' ') {
        unsigned used = (unsigned)strlen(seen);
        const char *between = used ? " " : "";

        tick++;
        if (*at == '.')
            snprintf(seen + used, sizeof seen - used, "%s.%c", between, out_2() ? '-' : '_');
        else
            snprintf(seen + used, sizeof seen - used, "%s%x%c", between, value_2(),
                     out_2() ? '-' : '_');
    }
    ck_assert_str_eq(seen, timing);
}

START_TEST(mode_0_rises_after_n_and_stays)
{
    gate(true);
    program_2(0, 4);
    ck_assert(!out_2());
    expect_2("4_ 3_ 2_ 1_ 0- ffff- fffe-");
    program_2(0, 2);
    expect_2("2_ 1_ 0-");
}
END_TEST

START_TEST(mode_0_stands_still_while_gate_is_low)
{
    gate(true);
    program_2(0, 4);
    expect_2("4_ 3_");
    gate(false);
    expect_2("3_ 3_ 3_");
    gate(true);
    expect_2("2_ 1_ 0-");
}
END_TEST

START_TEST(mode_0_stops_at_the_first_byte)
{
    gate(true);
    program_2(0, 4);
    tick += 10;
    ck_assert(out_2());
    out(0x42, 3);
    ck_assert(!out_2());
    tick += 10;
    ck_assert(!out_2());
    out(0x42, 0);
    expect_2("3_ 2_ 1_ 0-");
}
END_TEST

START_TEST(mode_1_is_low_for_n_after_each_trigger)
{
    gate(false);
    program_2(1, 3);
    expect_2(".- .- .- .- .-");
    gate(true);
    expect_2("3_ 2_ 1_ 0- ffff-");
    gate(false);
    expect_2("fffe- fffd-");
    gate(true);
    expect_2("3_ 2_");
    gate(false);
    gate(true); /* again, before it is over: the pulse grows longer */
    expect_2("3_ 2_ 1_ 0-");
}
END_TEST

START_TEST(mode_1_takes_a_new_count_at_the_next_trigger)
{
    gate(false);
    program_2(1, 2);
    gate(true);
    expect_2("2_");
    out(0x42, 4), out(0x42, 0);
    expect_2("1_ 0- ffff-");
    gate(false);
    gate(true);
    expect_2("4_ 3_ 2_ 1_ 0-");
}
END_TEST

START_TEST(mode_2_is_low_for_one_tick_in_n)
{
    gate(true);
    program_2(2, 3);
    expect_2("3- 2- 1_ 3- 2- 1_ 3-");
}
END_TEST

START_TEST(mode_2_takes_a_new_count_when_the_period_ends)
{
    gate(true);
    program_2(2, 4);
    expect_2("4- 3-");
    out(0x42, 2), out(0x42, 0);
    expect_2("2- 1_ 2- 1_ 2-");
}
END_TEST

START_TEST(mode_2_starts_anew_when_gate_rises)
{
    gate(true);
    program_2(2, 3);
    expect_2("3- 2- 1_");
    gate(false);
    ck_assert(out_2());
    expect_2(".- .- .- .-");
    gate(true);
    expect_2("3- 2- 1_ 3-");
}
END_TEST

START_TEST(a_new_count_waits_while_gate_is_low)
{
    gate(true);
    program_2(2, 4);
    expect_2("4- 3-");
    out(0x42, 2), out(0x42, 0);
    gate(false);
    expect_2("3- 3- 3- 3- 3-");
    gate(true);
    expect_2("2- 1_ 2-");
}
END_TEST

START_TEST(the_speakers_gate_is_low_at_power_up)
{
    program_2(0, 3);
    expect_2("3_ 3_ 3_ 3_ 3_");
}
END_TEST

START_TEST(mode_3_is_a_square_wave)
{
    gate(true);
    program_2(3, 4);
    expect_2("4- 2- 4_ 2_ 4- 2- 4_");
    gate(false);
    ck_assert(out_2());
    gate(true);
    expect_2("4- 2- 4_ 2_");
}
END_TEST

START_TEST(mode_3_is_high_for_the_longer_half_of_an_odd_count)
{
    gate(true);
    program_2(3, 5);
    expect_2("4- 2- 0- 4_ 2_ 4- 2- 0- 4_");
}
END_TEST

START_TEST(mode_3_takes_a_new_count_when_the_half_ends)
{
    gate(true);
    program_2(3, 4);
    expect_2("4-");
    out(0x42, 6), out(0x42, 0);
    expect_2("2- 6_ 4_ 2_ 6- 4- 2- 6_");
    program_2(3, 4);
    expect_2("4- 2- 4_");
    out(0x42, 6), out(0x42, 0);
    expect_2("2_ 6- 4- 2- 6_");
}
END_TEST

START_TEST(mode_4_strobes_once_for_one_tick)
{
    gate(true);
    program_2(4, 3);
    expect_2("3- 2- 1- 0_ ffff- fffe-");
    program_2(4, 3);
    expect_2("3- 2-");
    gate(false);
    expect_2("2- 2-");
    gate(true);
    expect_2("1- 0_ ffff-");
}
END_TEST

START_TEST(mode_5_strobes_n_after_a_trigger)
{
    gate(false);
    program_2(5, 3);
    expect_2(".- .- .- .-");
    gate(true);
    expect_2("3- 2-");
    gate(false); /* the level does not matter */
    expect_2("1- 0_ ffff-");
    gate(true);
    expect_2("3- 2- 1- 0_ ffff-");
}
END_TEST

START_TEST(modes_6_and_7_are_2_and_3)
{
    gate(true);
    program_2(6, 3);
    expect_2("3- 2- 1_ 3-");
    program_2(7, 4);
    expect_2("4- 2- 4_ 2_");
}
END_TEST

START_TEST(a_count_of_0_is_the_largest)
{
    gate(true);
    program_2(2, 0);
    expect_2("0- ffff- fffe-");
    tick += 65533;
    ck_assert(!out_2());
    ck_assert_uint_eq(value_2(), 1);
    expect_2("0-");
}
END_TEST

START_TEST(bcd_counts_in_decimal)
{
    gate(true);
    out(0x43, PIT_SELECT(2) | PIT_ACCESS_BOTH | PIT_MODE(0) | PIT_BCD);
    out(0x42, 0x01), out(0x42, 0x10); /* 1001 */
    expect_2("1001_ 1000_ 999_");
    tick += 998;
    expect_2("0- 9999- 9998-");
    out(0x43, PIT_SELECT(2) | PIT_ACCESS_BOTH | PIT_MODE(2) | PIT_BCD);
    out(0x42, 0), out(0x42, 0);
    expect_2("0- 9999-");
    tick += 9998;
    expect_2("0-");
}
END_TEST

START_TEST(one_byte_of_a_count_is_enough_if_so_agreed)
{
    gate(true);
    out(0x43, PIT_SELECT(2) | PIT_ACCESS_LSB | PIT_MODE(0));
    out(0x42, 0x34);
    tick++;
    ck_assert_uint_eq(in(0x42), 0x34);
    ck_assert_uint_eq(in(0x42), 0x34);
    out(0x43, PIT_SELECT(2) | PIT_ACCESS_MSB | PIT_MODE(0));
    out(0x42, 0x12);
    tick += 2;
    ck_assert_uint_eq(in(0x42), 0x11); /* 0x1200 - 1 */
}
END_TEST

START_TEST(a_latched_count_stands_until_it_is_read)
{
    gate(true);
    program_2(0, 0x1234);
    tick++;
    out(0x43, PIT_SELECT(2) | PIT_LATCH);
    tick += 0x100;
    out(0x43, PIT_SELECT(2) | PIT_LATCH); /* ignored: one is waiting */
    ck_assert_uint_eq(in(0x42), 0x34);
    tick += 0x100;
    ck_assert_uint_eq(in(0x42), 0x12);
    ck_assert_uint_eq(value_2(), 0x1034);

    out(0x43, PIT_SELECT(2) | PIT_LATCH);
    program_2(0, 0x4321); /* programming forgets the latch */
    tick++;
    ck_assert_uint_eq(value_2(), 0x4321);
}
END_TEST

START_TEST(read_back_latches_status_and_count)
{
    gate(true);
    program_2(2, 0x1234);
    out(0x43, PIT_READ_BACK | PIT_NO_COUNT | BIT(3));
    ck_assert_uint_eq(in(0x42), PIT_STATUS_OUT | PIT_STATUS_NULL | 0x34);
    tick++;
    out(0x43, PIT_READ_BACK | BIT(3)); /* both: status first */
    tick += 0x10;
    out(0x43, PIT_READ_BACK | BIT(3));
    ck_assert_uint_eq(in(0x42), PIT_STATUS_OUT | 0x34);
    ck_assert_uint_eq(value_2(), 0x1234);
    ck_assert_uint_eq(value_2(), 0x1224);

    program_2(0, 100);
    out(0x43, PIT_READ_BACK | PIT_NO_COUNT | PIT_NO_STATUS | BIT(3)); /* neither */
    tick++;
    ck_assert_uint_eq(value_2(), 100);
    out(0x43, PIT_READ_BACK | PIT_NO_STATUS | BIT(1) | BIT(3)); /* two counters at once */
    tick += 7;
    ck_assert_uint_eq(value_2(), 100);
    ck_assert_uint_eq(value_2(), 93);
}
END_TEST

START_TEST(a_latched_status_stands_until_it_is_read)
{
    gate(true);
    program_2(0, 2);
    out(0x43, PIT_READ_BACK | PIT_NO_COUNT | BIT(3));
    tick += 5;
    out(0x43, PIT_READ_BACK | PIT_NO_COUNT | BIT(3));
    ck_assert_uint_eq(in(0x42), PIT_STATUS_NULL | 0x30); /* of the first time */
    out(0x43, PIT_READ_BACK | PIT_NO_COUNT | BIT(3));
    ck_assert_uint_eq(in(0x42), PIT_STATUS_OUT | 0x30);
}
END_TEST

START_TEST(null_count_lasts_until_a_new_rate_counts)
{
    gate(true);
    program_2(2, 5);
    tick += 2;
    out(0x42, 7), out(0x42, 0);
    out(0x43, PIT_READ_BACK | PIT_NO_COUNT | BIT(3));
    ck_assert_uint_eq(in(0x42), PIT_STATUS_OUT | PIT_STATUS_NULL | 0x34);
    tick += 4;
    out(0x43, PIT_READ_BACK | PIT_NO_COUNT | BIT(3));
    ck_assert_uint_eq(in(0x42), PIT_STATUS_OUT | 0x34);
    ck_assert_uint_eq(value_2(), 7);
}
END_TEST

START_TEST(the_control_port_cannot_be_read)
{
    ck_assert_uint_eq(in(0x43), 0xff);
}
END_TEST

/* The board's part: lets time pass, ringing the alarm whenever it is due. */
static void pass(int64_t ticks)
{
    int64_t end = tick + ticks;

    for (;;) {
        int64_t was = tick;

        tick = end;
        if (alarm_at > now(NULL))
            return;
        for (tick = was; now(NULL) < alarm_at; tick++)
            ;
        alarm_at = ALARM_NEVER;
        pit_alarm(&pit);
    }
}

static void program_0(unsigned mode, unsigned count)
{
    out(0x43, PIT_SELECT(0) | PIT_ACCESS_BOTH | PIT_MODE(mode));
    out(0x40, count & 0xff);
    out(0x40, count >> 8);
}

START_TEST(a_rate_interrupts_once_a_period)
{
    static const unsigned modes[] = {2, 3};

    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        power_up();
        program_0(modes[i], 1000);
        ck_assert_uint_eq(wire.rises, 0);
        pass(1000);
        ck_assert_uint_eq(wire.rises, 0);
        pass(1); /* the count is loaded in the tick after it is written */
        ck_assert_uint_eq(wire.rises, 1);
        pass(9000);
        ck_assert_uint_eq(wire.rises, 10);
    }
}
END_TEST

START_TEST(a_wave_changed_in_its_high_half_has_a_low_half_of_the_new_count)
{
    program_0(3, 10);
    pass(2);
    out(0x40, 100), out(0x40, 0);
    pass(5 - 1 + 50 - 1);
    ck_assert_uint_eq(wire.rises, 0);
    pass(1);
    ck_assert_uint_eq(wire.rises, 1);
    pass(100);
    ck_assert_uint_eq(wire.rises, 2);
}
END_TEST

START_TEST(what_happened_before_a_write_is_reported)
{
    program_0(2, 1000);
    tick += 1500; /* the board was late, and the guest reprograms */
    program_0(2, 60000);
    ck_assert_uint_eq(wire.rises, 1);
    pass(60000);
    ck_assert_uint_eq(wire.rises, 1);
}
END_TEST

/* One nanosecond too early, and the alarm finds nothing and has to be set again. */
START_TEST(the_alarm_is_never_early)
{
    for (unsigned count = 2; count < 1000; count++) {
        power_up();
        program_0(2, count);
        exact = alarm_at;
        pit_alarm(&pit);
        ck_assert_uint_eq(wire.rises, 1);
        exact = 0;
    }
}
END_TEST

START_TEST(one_shots_interrupt_once)
{
    static const struct {
        unsigned mode, after;
    } rows[] = {{0, 101}, {4, 102}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        power_up();
        program_0(rows[i].mode, 100);
        wire.rises = 0;
        pass(rows[i].after - 1);
        ck_assert_uint_eq(wire.rises, 0);
        pass(1);
        ck_assert_uint_eq(wire.rises, 1);
        ck_assert(alarm_at == ALARM_NEVER);
        pass(200000);
        ck_assert_uint_eq(wire.rises, 1);
    }
}
END_TEST

/* Nothing ever drives the GATE of counter 0. */
START_TEST(modes_that_wait_for_gate_never_interrupt)
{
    program_0(1, 100);
    ck_assert(alarm_at == ALARM_NEVER);
    program_0(5, 100);
    ck_assert(alarm_at == ALARM_NEVER);
    pass(1000000);
    ck_assert_uint_eq(wire.rises, 0);
}
END_TEST

START_TEST(counts_of_1_set_no_alarm_in_periodic_modes)
{
    program_0(2, 1);
    ck_assert(alarm_at == ALARM_NEVER);
    program_0(3, 1);
    ck_assert(alarm_at == ALARM_NEVER);
    program_0(3, 4);
    out(0x40, 1), out(0x40, 0);
    pass(100);
    ck_assert(alarm_at == ALARM_NEVER);
    program_0(0, 1);
    pass(2);
    ck_assert(wire.level);
}
END_TEST

START_TEST(a_late_alarm_is_one_interrupt)
{
    program_0(2, 1000);
    tick += 1000 * 1000 + 1;
    pit_alarm(&pit);
    ck_assert_uint_eq(wire.rises, 1);
    pass(999);
    ck_assert_uint_eq(wire.rises, 1);
    pass(1); /* the next one comes on the old beat */
    ck_assert_uint_eq(wire.rises, 2);
}
END_TEST

START_TEST(an_alarm_that_comes_early_does_nothing)
{
    program_0(2, 1000);
    tick += 500;
    pit_alarm(&pit);
    ck_assert_uint_eq(wire.rises, 0);
    pass(501);
    ck_assert_uint_eq(wire.rises, 1);
}
END_TEST

START_TEST(reprogramming_drops_the_line_in_mode_0)
{
    program_0(0, 10);
    ck_assert(!wire.level);
    pass(11);
    ck_assert(wire.level);
    program_0(0, 10);
    ck_assert(!wire.level);
}
END_TEST

START_TEST(the_beat_does_not_drift)
{
    program_0(2, 11932); /* 100 Hz, nearly */
    pass(PIT_HZ * 10);
    ck_assert_uint_eq(wire.rises, PIT_HZ * 10 / 11932);
}
END_TEST

/* PIO09: 10^6 reads of the bit with which guests measure a delay. */
START_TEST(the_refresh_bit_changes_every_15_us)
{
    unsigned changes = 0;
    bool level = in(0x61) & PORT_B_REFRESH;

    for (unsigned i = 0; i < 1000000; i++) {
        bool next;

        tick += i % 10 == 0;
        next = in(0x61) & PORT_B_REFRESH;
        changes += next != level;
        level = next;
    }
    ck_assert_uint_ge(changes, 100000 / 18);
    ck_assert_uint_le(changes, 100000 / 18 + 1);
    ck_assert_uint_eq(alarms_set, 0); /* no poll costs the host more than itself */
}
END_TEST

START_TEST(port_61_keeps_its_own_bits)
{
    out(0x61, 0xff);
    ck_assert_uint_eq(in(0x61) & 0xcf, 0x0f);
    out(0x61, 0x02);
    ck_assert_uint_eq(in(0x61) & 0xcf, 0x02);
}
END_TEST

/* PIO08: 10^6 programmings in any mode with counts of 0, 1 and others, at any distance. */
START_TEST(hammering_the_timer_sets_one_alarm_and_breaks_nothing)
{
    static const unsigned counts[] = {0, 1, 2, 3, 0xffff};

    srand(8254);
    for (unsigned i = 0; i < 1000000; i++) {
        unsigned channel = (unsigned)rand() % 3;

        tick += rand() % 4 ? rand() % 8 : rand() % 200000;
        switch (rand() % 6) {
        case 0: out(0x43, (unsigned)rand() & 0xff); break;
        case 1:
            out(0x40 + channel, counts[rand() % 5] & 0xff);
            out(0x40 + channel, counts[rand() % 5] >> 8);
            break;
        case 2: out(0x40 + (unsigned)rand() % 4, (unsigned)rand() & 0xff); break;
        case 3: in(0x40 + (unsigned)rand() % 4); break;
        case 4: out(0x61, (unsigned)rand() & 0xff); break;
        default:
            in(0x61);
            if (alarm_at <= now(NULL)) {
                pit_alarm(&pit);
                ck_assert(alarm_at > now(NULL)); /* or the board would ring for ever */
            }
        }
    }
    ck_assert_uint_le(alarms_set, 2000000); /* at most one a call */
    gate(false);
    gate(true);
    program_2(2, 3); /* a legal driver finds a chip that works */
    expect_2("3- 2- 1_ 3-");
}
END_TEST

static Suite *pit_suite(void)
{
    Suite *suite = suite_create("04 pit");
    TCase *tests = tcase_create("pit");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, mode_0_rises_after_n_and_stays);
    tcase_add_test(tests, mode_0_stands_still_while_gate_is_low);
    tcase_add_test(tests, mode_0_stops_at_the_first_byte);
    tcase_add_test(tests, mode_1_is_low_for_n_after_each_trigger);
    tcase_add_test(tests, mode_1_takes_a_new_count_at_the_next_trigger);
    tcase_add_test(tests, mode_2_is_low_for_one_tick_in_n);
    tcase_add_test(tests, mode_2_takes_a_new_count_when_the_period_ends);
    tcase_add_test(tests, mode_2_starts_anew_when_gate_rises);
    tcase_add_test(tests, mode_3_is_a_square_wave);
    tcase_add_test(tests, mode_3_is_high_for_the_longer_half_of_an_odd_count);
    tcase_add_test(tests, mode_3_takes_a_new_count_when_the_half_ends);
    tcase_add_test(tests, mode_4_strobes_once_for_one_tick);
    tcase_add_test(tests, mode_5_strobes_n_after_a_trigger);
    tcase_add_test(tests, modes_6_and_7_are_2_and_3);
    tcase_add_test(tests, a_count_of_0_is_the_largest);
    tcase_add_test(tests, bcd_counts_in_decimal);
    tcase_add_test(tests, one_byte_of_a_count_is_enough_if_so_agreed);
    tcase_add_test(tests, a_latched_count_stands_until_it_is_read);
    tcase_add_test(tests, read_back_latches_status_and_count);
    tcase_add_test(tests, null_count_lasts_until_a_new_rate_counts);
    tcase_add_test(tests, the_control_port_cannot_be_read);
    tcase_add_test(tests, a_rate_interrupts_once_a_period);
    tcase_add_test(tests, one_shots_interrupt_once);
    tcase_add_test(tests, modes_that_wait_for_gate_never_interrupt);
    tcase_add_test(tests, counts_of_1_set_no_alarm_in_periodic_modes);
    tcase_add_test(tests, a_late_alarm_is_one_interrupt);
    tcase_add_test(tests, an_alarm_that_comes_early_does_nothing);
    tcase_add_test(tests, reprogramming_drops_the_line_in_mode_0);
    tcase_add_test(tests, the_beat_does_not_drift);
    tcase_add_test(tests, the_refresh_bit_changes_every_15_us);
    tcase_add_test(tests, port_61_keeps_its_own_bits);
    tcase_add_test(tests, hammering_the_timer_sets_one_alarm_and_breaks_nothing);
    tcase_add_test(tests, a_new_count_waits_while_gate_is_low);
    tcase_add_test(tests, the_speakers_gate_is_low_at_power_up);
    tcase_add_test(tests, a_latched_status_stands_until_it_is_read);
    tcase_add_test(tests, a_wave_changed_in_its_high_half_has_a_low_half_of_the_new_count);
    tcase_add_test(tests, what_happened_before_a_write_is_reported);
    tcase_add_test(tests, the_alarm_is_never_early);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(pit_suite());
}
