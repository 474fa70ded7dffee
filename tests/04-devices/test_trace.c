/* test_trace.c: the trace is JSON at any moment, and the statistics add up. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "04-devices/stats.h"
#include "04-devices/trace.h"
#include "harness/harness.h"

static char path[] = "/tmp/ring-trace-XXXXXX";
static struct trace trace;

static void power_up(void)
{
    struct refusal why;
    int fd;

    strcpy(path, "/tmp/ring-trace-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_msg(trace_open(&trace, trace_create(path, &why), 1000, &why) == 0, "%s", why.text);
}

static void power_down(void)
{
    unlink(path);
}

static struct trace_event event_at(int64_t time)
{
    return (struct trace_event){.exited = time,
                                .entered = time + 1500,
                                .inside = 2500,
                                .reason = "KVM_EXIT_IO",
                                .verb = "out",
                                .device = "serial port",
                                .address = 0x3f8,
                                .size = 1,
                                .count = 1,
                                .data = 0x41};
}

static void add(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct trace_event event = event_at(1000 + (int64_t)trace.written * 10000);

        trace_add(&trace, &event);
    }
}

/* What Python's JSON parser makes of the file: the expression's value, as text. */
static void expect_json(const char *expression, const char *expected)
{
    char script[512];
    const char *argv[] = {"python3", "-c", script, path, NULL};
    struct program ran;

    snprintf(script, sizeof script,
             "import json,sys; t=json.load(open(sys.argv[1]))['traceEvents']; "
             "e=[x for x in t if x['ph']=='X']; print(%s)",
             expression);
    ran = program_run(argv, NULL, 20);
    ck_assert_msg(ran.status == 0, "not JSON: %s", ran.err);
    ran.out[strcspn(ran.out, "\n")] = '\0';
    ck_assert_str_eq(ran.out, expected);
    program_free(&ran);
}

START_TEST(an_empty_trace_is_json)
{
    expect_json("len(e)", "0");
    trace_close(&trace);
    expect_json("len(e)", "0");
}
END_TEST

START_TEST(an_event_says_what_happened_and_how_long_it_took)
{
    struct trace_event event = event_at(3000);

    event.rip = 0x1016;
    event.has_rip = true;
    trace_add(&trace, &event);
    trace_close(&trace);
    expect_json("e[0]['name'], e[0]['ts'], e[0]['dur'], e[0]['args']",
                "out 0x3f8 serial port 2.0 1.5 {'inside_us': 2.5, 'size': 1, 'count': 1, "
                "'data': '0x41', 'rip': '0x1016'}");
}
END_TEST

START_TEST(it_is_json_after_each_event_without_being_closed)
{
    for (unsigned i = 1; i <= 40; i++) {
        add(1);
        if (i % 3 == 0) {
            char expected[16];

            trace_flush(&trace);
            snprintf(expected, sizeof expected, "%u", i);
            expect_json("len(e)", expected);
        }
    }
}
END_TEST

START_TEST(a_full_ring_keeps_the_last_events)
{
    char expected[64];

    add(TRACE_SLOTS + 20);
    expect_json("len(e)", "65536"); /* not flushed: the last four are still ours */
    trace_close(&trace);
    snprintf(expected, sizeof expected, "(%u, %.1f)", TRACE_SLOTS - 12,
             (double)(TRACE_SLOTS + 19) * 10);
    expect_json("(len(e), max(x['ts'] for x in e))", expected);
}
END_TEST

START_TEST(the_longest_event_fits_its_slot)
{
    struct trace_event event = {.exited = INT64_MAX / 2,
                                .entered = INT64_MAX / 2 + INT64_MAX / 4,
                                .inside = INT64_MAX / 4,
                                .reason = "KVM_EXIT_INTERNAL_ERROR",
                                .verb = "write",
                                .device = "a device with a name that is much too long for a slot",
                                .address = UINT64_MAX,
                                .size = 4294967295u,
                                .count = 4294967295u,
                                .data = UINT64_MAX,
                                .rip = UINT64_MAX,
                                .has_rip = true,
                                .vcpu = 4294967295u};

    trace_add(&trace, &event);
    trace_close(&trace);
    expect_json("len(e)", "1");
}
END_TEST

START_TEST(a_file_that_cannot_be_made_is_refused_by_name)
{
    struct refusal why;
    struct trace other;

    ck_assert_int_lt(trace_create("/no/such/folder/x", &why), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "/no/such/folder/x: No such file"));
    ck_assert_int_lt(trace_open(&other, trace_create("/dev/full", &why), 0, &why), 0);
    ck_assert_ptr_nonnull(strstr(why.text, "cannot write 16 MiB: "));
}
END_TEST

static char *printed(struct stats *stats)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    stats_print(stats, out, "\n");
    fclose(out);
    return text;
}

START_TEST(statistics_add_up)
{
    static struct stats stats;
    char *text;

    stats_init(&stats);
    for (unsigned i = 0; i < 10; i++) {
        stats_exit(&stats, KVM_EXIT_IO, 1000, 9000);
        stats_access(&stats, STATS_PORT, 0x3f8, "serial port", 3, 1000);
    }
    stats_exit(&stats, 9999, 500, 500);
    stats_access(&stats, STATS_MEMORY, 0x3f8, "nobody", 1, 500);
    text = printed(&stats);
    ck_assert_msg(strstr(text, "11 exits; 0.011 ms in the VMM, 0.090 ms in KVM_RUN"), "%s", text);
    ck_assert_msg(strstr(text, "        10         10         10     1.00  KVM_EXIT_IO\n"), "%s",
                  text);
    ck_assert_msg(strstr(text, "        10         30         10     1.00  port 0x3f8, serial"),
                  "%s", text);
    ck_assert_msg(strstr(text, "memory 0x3f8, nobody\n"), "%s", text);
    ck_assert_msg(strstr(text, "an unknown exit\n"), "%s", text);
    free(text);
    stats_free(&stats);
}
END_TEST

START_TEST(a_guest_that_is_everywhere_does_not_fill_the_table)
{
    static struct stats stats;
    char *text;

    stats_init(&stats);
    for (unsigned port = 0; port < 65536; port++) {
        stats_exit(&stats, KVM_EXIT_IO, 1, 1);
        stats_access(&stats, STATS_PORT, port, "nobody", 1, 1);
    }
    text = printed(&stats);
    ck_assert_msg(strstr(text, "     65536      65536         66     0.00  device \"nobody\""),
                  "%s", text);
    ck_assert_msg(strstr(text, "     65520      65520         66     0.00  elsewhere\n"), "%s",
                  text);
    free(text);
    stats_free(&stats);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("04 trace and statistics");
    TCase *tests = tcase_create("trace"), *counts = tcase_create("stats");

    tcase_add_checked_fixture(tests, power_up, power_down);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, an_empty_trace_is_json);
    tcase_add_test(tests, an_event_says_what_happened_and_how_long_it_took);
    tcase_add_test(tests, it_is_json_after_each_event_without_being_closed);
    tcase_add_test(tests, a_full_ring_keeps_the_last_events);
    tcase_add_test(tests, the_longest_event_fits_its_slot);
    tcase_add_test(tests, a_file_that_cannot_be_made_is_refused_by_name);
    suite_add_tcase(suite, tests);
    tcase_add_test(counts, statistics_add_up);
    tcase_add_test(counts, a_guest_that_is_everywhere_does_not_fill_the_table);
    suite_add_tcase(suite, counts);
    return harness_main(suite);
}
