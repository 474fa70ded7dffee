/* kvm_devices.c: chapter 4's guests on KVM, as a reader runs them. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "04-devices/ending.h"
#include "common/bits.h"
#include "harness/harness.h"

#define SECTION "book/04-devices.md"

/* Each says in its source what it prints, with which options, and how it ends. */
static const struct {
    const char *name, *option;
} guests[] = {
    {"hello", "--irqchip=kernel"},     {"hello", "--irqchip=user"},
    {"hammer", "--irqchip=kernel"},    {"hammer", "--irqchip=user"},
    {"pci_list", "--irqchip=kernel"},  {"pci_list", "--irqchip=user"},
    {"pci_edges", "--irqchip=kernel"}, {"pci_edges", "--irqchip=user"},
    {"dma_timer", "--irqchip=kernel"}, {"dma_timer", "--irqchip=user"},
    {"dma_msi", "--irqchip=kernel"},   {"echo", "--irqchip=kernel"},
    {"echo", "--irqchip=user"},        {"post", "--irqchip=kernel"},
    {"dead", "--irqchip=kernel"},
};

START_TEST(guests_do_what_their_sources_say)
{
    char name[64];

    snprintf(name, sizeof name, "04-devices/%s", guests[_i].name);
    e2e_guest_with("devices", guests[_i].option, name, SECTION);
}
END_TEST

/* The guest rings three times, the last time when its BAR has long been at rest. */
START_TEST(a_doorbell_at_rest_is_no_exit)
{
    const char *argv[] = {harness_built("devices"), "--stats",
                          harness_built("04-devices/dma_timer.bin"), NULL};
    struct program program = program_run(argv, NULL, 20);
    const char *end = strstr(program.err, "memory 0xd0001000"), *line = end;
    unsigned long exits = 0;

    ck_assert_int_eq(program.status, 0);
    ck_assert_ptr_nonnull(strstr(program.out, "copied once more\n"));
    ck_assert_ptr_nonnull(strstr(program.err, "memory 0xd0000010")); /* it is counted */
    while (line && line > program.err && line[-1] != '\n')
        line--;
    if (line)
        sscanf(line, "%lu", &exits);
    ck_assert_uint_lt(exits, 3);
    program_free(&program);
}
END_TEST

START_TEST(a_limit_stops_a_guest_that_spins)
{
    const char *argv[] = {harness_built("devices"), "--limit", "0.2",
                          harness_built("01-kvm-hello/spin.bin"), NULL};

    e2e_run(argv, STATUS_LIMIT, "", "devices: stopped after 0.2 s\n", "the limit's alarm is lost",
            SECTION);
}
END_TEST

START_TEST(bad_arguments_are_refused_by_name)
{
    static const char *const rows[][3] = {
        {"--limit", "soon", "--limit soon: not a number of seconds"},
        {"--frobnicate", NULL, "frobnicate"},
        {"a.bin", "b.bin", "\"b.bin\" follows \"a.bin\""},
        {"/no/such/file", NULL, "payload /no/such/file: cannot open: No such file"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *argv[] = {harness_built("devices"), rows[i][0], rows[i][1], NULL};

        e2e_run(argv, STATUS_REFUSED, "", rows[i][2], "an option parsed too kindly", SECTION);
    }
}
END_TEST

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    Suite *suite = suite_create("chapter 4 on KVM");
    TCase *tests = tcase_create("devices");

    tcase_set_timeout(tests, 120);
    if (no_kvm)
        printf("SKIP guests_do_what_their_sources_say: %s\n", no_kvm);
    else
        tcase_add_loop_test(tests, guests_do_what_their_sources_say, 0, ARRAY_SIZE(guests));
    harness_add(tests, a_doorbell_at_rest_is_no_exit, no_kvm);
    harness_add(tests, a_limit_stops_a_guest_that_spins, no_kvm);
    harness_add(tests, bad_arguments_are_refused_by_name, no_kvm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
