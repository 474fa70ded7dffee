/* test_alarms.c: many alarms on one timer, as an event loop serves them. */
#define _GNU_SOURCE
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>

#include "04-devices/alarms.h"
#include "harness/harness.h"

#define MILLISECOND INT64_C(1000000)

static struct alarms alarms;
static struct clock host;
static struct alarm first, second;
static char order[16];
static unsigned rung;

static void ring_first(void *self)
{
    (void)self;
    order[rung++ % sizeof order] = '1';
}

static void ring_second(void *self)
{
    (void)self;
    order[rung++ % sizeof order] = '2';
}

/* Always due: the worst that a guest can make of a timer. */
static void ring_again(void *self)
{
    rung++;
    alarm_set(self, 0);
}

static void power_up(void)
{
    alarms_init(&alarms);
    host = alarms_clock();
    first = alarms_add(&alarms, 0, ring_first, NULL);
    second = alarms_add(&alarms, 0, ring_second, NULL);
    rung = 0;
    memset(order, 0, sizeof order);
}

/* One turn of the event loop. False: nothing came within so many milliseconds. */
static bool turn(int milliseconds)
{
    struct pollfd fd = {.fd = alarms.fd, .events = POLLIN};

    if (poll(&fd, 1, milliseconds) == 0)
        return false;
    alarms_ring(&alarms);
    return true;
}

START_TEST(the_earlier_alarm_rings_first)
{
    int64_t now = clock_now(&host);

    /* Far apart: a busy computer may have us wait until both are due. */
    alarm_set(&second, now + 500 * MILLISECOND);
    alarm_set(&first, now + 5 * MILLISECOND);
    ck_assert(turn(1000));
    ck_assert_str_eq(order, "1");
    ck_assert_int_ge(clock_now(&host), now + 5 * MILLISECOND);
    ck_assert(turn(1000));
    ck_assert_str_eq(order, "12");
    ck_assert_int_ge(clock_now(&host), now + 500 * MILLISECOND);
    ck_assert(!turn(30));
}
END_TEST

START_TEST(setting_again_replaces_the_moment)
{
    int64_t now = clock_now(&host);

    alarm_set(&first, now + 2 * MILLISECOND);
    alarm_set(&first, now + 30 * MILLISECOND);
    while (rung == 0 && turn(1000))
        continue;
    ck_assert_str_eq(order, "1");
    ck_assert_int_ge(clock_now(&host), now + 30 * MILLISECOND);
}
END_TEST

START_TEST(never_is_never)
{
    alarm_set(&first, clock_now(&host) + 2 * MILLISECOND);
    alarm_set(&first, ALARM_NEVER);
    turn(20);
    ck_assert_uint_eq(rung, 0);
    ck_assert(!turn(20));
}
END_TEST

START_TEST(a_moment_in_the_past_is_due_now)
{
    alarm_set(&first, INT64_MIN);
    alarm_set(&second, -1);
    ck_assert(turn(1000));
    ck_assert_str_eq(order, "12");
}
END_TEST

START_TEST(a_device_with_the_date_rings_by_the_date)
{
    int64_t origin = INT64_C(1700000000000000000), now = clock_now(&host);
    struct alarm dated = alarms_add(&alarms, origin, ring_second, NULL);

    alarm_set(&first, now + 500 * MILLISECOND);
    alarm_set(&dated, origin + now + 3 * MILLISECOND);
    while (rung < 2 && turn(1000))
        continue;
    ck_assert_str_eq(order, "21");
    alarm_set(&dated, INT64_MIN);
    ck_assert(turn(1000));
    ck_assert_str_eq(order, "212");
}
END_TEST

START_TEST(what_is_always_due_is_bounded)
{
    struct alarm again;
    int64_t end;

    again = alarms_add(&alarms, 0, ring_again, &again);
    end = clock_now(&host) + 50 * MILLISECOND;
    alarm_set(&again, 0);
    while (clock_now(&host) < end)
        turn(100);
    ck_assert_uint_ge(rung, 5);
    ck_assert_uint_le(rung, 50 * MILLISECOND / ALARMS_GAP + 2);
}
END_TEST

START_TEST(a_later_moment_costs_no_system_call)
{
    struct itimerspec before, after;
    int64_t now = clock_now(&host);

    alarm_set(&first, now + 1000 * MILLISECOND);
    timerfd_gettime(alarms.fd, &before);
    for (int i = 0; i < 1000; i++)
        alarm_set(&first, now + (2000 + i) * MILLISECOND);
    timerfd_gettime(alarms.fd, &after);
    ck_assert_int_le(after.it_value.tv_sec, before.it_value.tv_sec);
    ck_assert_int_eq(alarms.armed, now + 1000 * MILLISECOND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("04 alarms");
    TCase *tests = tcase_create("alarms");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, the_earlier_alarm_rings_first);
    tcase_add_test(tests, setting_again_replaces_the_moment);
    tcase_add_test(tests, never_is_never);
    tcase_add_test(tests, a_moment_in_the_past_is_due_now);
    tcase_add_test(tests, a_device_with_the_date_rings_by_the_date);
    tcase_add_test(tests, what_is_always_due_is_bounded);
    tcase_add_test(tests, a_later_moment_costs_no_system_call);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
