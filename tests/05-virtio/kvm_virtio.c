/* kvm_virtio.c: chapter 5's guests on KVM, as a reader runs them. */
#include <stdio.h>
#include <string.h>

#include "common/bits.h"
#include "harness/harness.h"

#define SECTION "book/05-virtio.md"

/* Each says in its source what it prints, with which options, and how it ends. */
static const char *const guests[] = {"05-virtio/entropy", "05-virtio/console", "05-virtio/block"};

START_TEST(guests_do_what_their_sources_say)
{
    e2e_guest("virtio", guests[_i], SECTION);
}
END_TEST

START_TEST(a_trace_tells_what_the_guest_did_by_hand)
{
    const char *argv[] = {harness_built("virtio"), "--trace-ring=json",
                          harness_built("05-virtio/entropy.bin"), NULL};

    e2e_run(argv, 0, "They are not all zero.",
            "{\"ring\":\"entropy\",\"queue\":0,\"event\":\"takes\",\"id\":0,\"place\":0,\"pieces\":"
            "[{\"address\":196608,\"length\":16,\"device\":\"writes\"}]}\n"
            "{\"ring\":\"entropy\",\"queue\":0,\"event\":\"gives\",\"id\":0,\"place\":0,"
            "\"written\":16}\n"
            "{\"ring\":\"entropy\",\"queue\":0,\"event\":\"shows\",\"used\":1,"
            "\"interrupt\":true}\n",
            "ring_trace.c and the ring disagree", SECTION);
}
END_TEST

START_TEST(a_disk_that_is_no_disk_is_refused)
{
    static const char *const files[] = {"/", "/dev/null", "/nowhere"};

    for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
        const char *argv[] = {harness_built("virtio"), "--disk", files[i], NULL};

        e2e_run(argv, 1, "", files[i], "raw_disk_open() took it", SECTION);
    }
}
END_TEST

static Suite *virtio_suite(void)
{
    Suite *suite = suite_create("05 virtio");
    TCase *tests = tcase_create("guests");
    const char *reason = harness_no_kvm();

    tcase_set_timeout(tests, 60);
    if (reason)
        harness_add(tests, guests_do_what_their_sources_say, reason);
    else
        tcase_add_loop_test(tests, guests_do_what_their_sources_say, 0, ARRAY_SIZE(guests));
    harness_add(tests, a_trace_tells_what_the_guest_did_by_hand, reason);
    harness_add(tests, a_disk_that_is_no_disk_is_refused, reason);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(virtio_suite());
}
