/*
 * test_topology.c: what -smp means, and the APIC ids that follow.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/topology.h"
#include "common/bits.h"
#include "harness/harness.h"

START_TEST(numbers_not_given_follow)
{
    static const struct {
        const char *text;
        struct topology topology;
    } rows[] = {
        {"1", {1, 1, 1}},
        {"4", {1, 4, 1}}, /* cores are preferred */
        {"cpus=4", {1, 4, 1}},
        {"16", {1, 16, 1}},
        {"04", {1, 4, 1}},
        {"4,sockets=2", {2, 2, 1}},
        {"4,threads=2", {1, 2, 2}},
        {"4,cores=1", {4, 1, 1}},
        {"4,cores=2,sockets=1", {1, 2, 2}},
        {"sockets=2,cores=3,threads=2", {2, 3, 2}},
        {"threads=2", {1, 1, 2}},
        {"cores=2,cpus=8,threads=2", {2, 2, 2}},
        {"2,cpus=4", {1, 4, 1}}, /* of two equal words the last counts */
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct topology t;
        struct refusal why = {.text = ""};

        ck_assert_msg(topology_parse(&t, rows[i].text, &why) == 0, "%s: %s", rows[i].text,
                      why.text);
        ck_assert_msg(memcmp(&t, &rows[i].topology, sizeof t) == 0, "%s gave %u, %u, %u",
                      rows[i].text, t.sockets, t.cores, t.threads);
    }
}
END_TEST

START_TEST(contradictions_and_nonsense_are_refused_by_name)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"4,cores=3", "sockets 1 * cores 3 * threads 1 are 3 processors, not 4"},
        {"2,sockets=4", "sockets 4 * cores 1 * threads 1 are 4 processors, not 2"},
        {"8,sockets=2,cores=2,threads=1", "are 4 processors, not 8"},
        {"sockets=4,cores=5", "20 processors; 16 at most"},
        {"sockets=16,cores=16,threads=16", "4096 processors; 16 at most"},
        {"0", "\"0\" is no number from 1 to 16"},
        {"17", "\"17\" is no number from 1 to 16"},
        {"-1", "\"-1\" is no number"},
        {"+1", "\"+1\" is no number"},
        {"", "\"\" is no number"},
        {"2x", "\"2x\" is no number"},
        {"4,", "\"\" is unknown"},
        {",4", "\"\" is no number"},
        {"4,2", "\"2\" is unknown"},
        {"4,cores=", "\"cores=\" is no number"},
        {"4,cores=2=2", "\"cores=2=2\" is no number"},
        {"4,dies=2", "\"dies=2\" is unknown: there are cpus=, sockets=, cores= and threads="},
        {"4,maxcpus=8", "\"maxcpus=8\" is unknown"},
        {"=4", "\"=4\" is unknown"},
        {"4294967297", "is no number"},
        {"99999999999999999999", "is no number"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct topology t;
        struct refusal why = {.text = ""};

        ck_assert_msg(topology_parse(&t, rows[i].text, &why) == -EINVAL, "\"%s\" was accepted",
                      rows[i].text);
        ck_assert_msg(strncmp(why.text, "-smp ", 5) == 0 && strstr(why.text, rows[i].says),
                      "\"%s\" gave \"%s\"", rows[i].text, why.text);
    }
}
END_TEST

START_TEST(apic_ids_have_a_field_for_each_level)
{
    static const struct {
        struct topology topology;
        unsigned thread_bits, socket_bits;
        unsigned ids[16];
    } rows[] = {
        {{1, 1, 1}, 0, 0, {0}},
        {{1, 4, 1}, 0, 2, {0, 1, 2, 3}},
        {{2, 1, 2}, 1, 1, {0, 1, 2, 3}},
        {{2, 3, 1}, 0, 2, {0, 1, 2, 4, 5, 6}},
        {{2, 3, 2}, 1, 3, {0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13}},
        {{1, 2, 3}, 2, 3, {0, 1, 2, 4, 5, 6}},
        {{5, 3, 1}, 0, 2, {0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18}},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct topology *t = &rows[i].topology;

        ck_assert_uint_eq(topology_thread_bits(t), rows[i].thread_bits);
        ck_assert_uint_eq(topology_socket_bits(t), rows[i].socket_bits);
        for (unsigned k = 0; k < topology_count(t); k++)
            ck_assert_msg(topology_apic_id(t, k) == rows[i].ids[k], "row %u: %u is %u", i, k,
                          topology_apic_id(t, k));
    }
}
END_TEST

START_TEST(no_two_processors_share_an_id_and_all_fit_eight_bits)
{
    for (unsigned sockets = 1; sockets <= TOPOLOGY_MAX; sockets++)
        for (unsigned cores = 1; sockets * cores <= TOPOLOGY_MAX; cores++)
            for (unsigned threads = 1; sockets * cores * threads <= TOPOLOGY_MAX; threads++) {
                struct topology t = {sockets, cores, threads};
                bool taken[255] = {false};

                for (unsigned i = 0; i < topology_count(&t); i++) {
                    unsigned id = topology_apic_id(&t, i);

                    ck_assert_uint_lt(id, ARRAY_SIZE(taken)); /* 255 means "all" */
                    ck_assert(!taken[id]);
                    taken[id] = true;
                }
            }
}
END_TEST

static Suite *topology_suite(void)
{
    Suite *suite = suite_create("07 topology");
    TCase *tests = tcase_create("topology");

    tcase_add_test(tests, numbers_not_given_follow);
    tcase_add_test(tests, contradictions_and_nonsense_are_refused_by_name);
    tcase_add_test(tests, apic_ids_have_a_field_for_each_level);
    tcase_add_test(tests, no_two_processors_share_an_id_and_all_fit_eight_bits);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(topology_suite());
}
