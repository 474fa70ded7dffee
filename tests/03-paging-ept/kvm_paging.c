/* Chapter 3's guests and programs on KVM, as a reader runs them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "03-paging-ept/machine.h"
#include "common/bits.h"
#include "harness/harness.h"

#define SECTION "book/03-paging-ept.md"

static const char *const guests[] = {"demand", "cow",  "nx",       "huge",
                                     "loop",   "edge", "mmiojump", "scribble"};

START_TEST(guests_do_what_their_sources_say)
{
    char name[64];

    snprintf(name, sizeof name, "03-paging-ept/%s", guests[_i]);
    e2e_guest("paging", name, SECTION);
}
END_TEST

/* Runs a program; the output must hold every part, in order. */
static void expect_run(const char *const argv[], int status, const char *const parts[])
{
    struct program ran = program_run(argv, NULL, 40);
    const char *at = status ? ran.err : ran.out;

    if (ran.timed_out || ran.status != status)
        e2e_fail(SECTION, "another exit status", "an option or an exit handled wrongly",
                 "status %d, \"%s\", \"%s\"", ran.status, ran.out, ran.err);
    for (unsigned i = 0; parts[i]; i++) {
        const char *found = strstr(at, parts[i]);

        if (!found)
            e2e_fail(SECTION, parts[i], "see the part of the program that prints it", "\"%s\"", at);
        at = found + strlen(parts[i]);
    }
    program_free(&ran);
}

#define PARTS(...)              ((const char *const[]){__VA_ARGS__, NULL})
#define RUN(status, parts, ...) expect_run((const char *const[]){__VA_ARGS__, NULL}, status, parts)

START_TEST(exits_are_counted_alike_everywhere)
{
    RUN(0,
        PARTS("the sum of what we wrote: 2016",
              "entries filled in                         101      101      104        1",
              "passed on to the guest         96       96        0        0",
              "writes to page tables                     128        2        0        0",
              "INVLPG                                     32       32        0        0"),
        harness_built("paging"), "--count-exits");
}
END_TEST

#define HEAT                                                                                       \
    "  240000  ........................................................::::::::\n"                 \
    "  280000  @-------========++++++++ooooooooxxxxxxxx%%%%%%%%########@@@@@@@@\n"

START_TEST(the_dirty_log_shows_what_was_written)
{
    RUN(0, PARTS("24 frames", HEAT), harness_built("paging"), "--heat-map",
        harness_built("03-paging-ept/scribble.bin"));
}
END_TEST

START_TEST(the_dirty_ring_shows_the_same)
{
    RUN(0, PARTS("24 frames", HEAT), harness_built("paging"), "--ring",
        harness_built("03-paging-ept/scribble.bin"));
}
END_TEST

START_TEST(a_walk_is_dumped_as_text_and_json)
{
    RUN(0,
        PARTS("PML4[  0] at 0x10000", "PT  [  3] at 0x21018    = 0x103063", "0x103123",
              "up to 24 with two"),
        harness_built("paging"), "--dump-walk", "0x40003123");
    RUN(0, PARTS("page fault, error code 0x6: the entry is not present"), harness_built("paging"),
        "--dump-walk", "0x40103123", "--access", "wu");
    RUN(0, PARTS("not canonical"), harness_built("paging"), "--dump-walk", "0x800000000000");
    RUN(0, PARTS("\"status\": \"mapped\"", "\"guest_physical\": \"0x103123\""),
        harness_built("paging"), "--dump-walk", "0x40003123", "--json");
}
END_TEST

START_TEST(bad_arguments_are_refused_by_name)
{
    RUN(1, PARTS("--dump-walk somewhere: not an address"), harness_built("paging"), "--dump-walk",
        "somewhere");
    RUN(1, PARTS("--access wx: no access both"), harness_built("paging"), "--access", "wx");
    RUN(1, PARTS("/no/such: cannot open"), harness_built("paging"), "/no/such");
    RUN(1, PARTS("frobnicate"), harness_built("paging"), "--frobnicate");
}
END_TEST

START_TEST(slots_do_what_the_program_shows)
{
    RUN(0,
        PARTS("read the alias of it                     0x11111111\n",
              "read RAM at 1 MiB                        0x22222222\n",
              "read a hole                              0xffffffff  (MMIO exit)",
              "write ROM                                0x44444444  (MMIO exit)",
              "read ROM again                           0x64616572\n",
              "read where it was                        0xffffffff  (MMIO exit)",
              "made longer in place: Invalid argument",
              "made anew, twice as long, read there     0x22222222\n"),
        harness_built("slots"));
}
END_TEST

START_TEST(the_chain_is_followed_in_the_guest)
{
    RUN(0, PARTS("64 steps in the guest"), harness_built("tlb"), "--self-test");
}
END_TEST

static int ioctl_region(int fd, const struct kvm_userspace_memory_region *region)
{
    return ioctl(fd, KVM_SET_USER_MEMORY_REGION, region) < 0 ? -errno : 0;
}

/* KVM and our map must say the same to random changes of slots. */
START_TEST(the_slot_map_has_kvms_rules)
{
    struct slot_map map = {0};
    uint64_t state = 12345;
    struct vm vm;
    unsigned made = 0;

    vm_init(&vm);
    ck_assert_int_eq(guest_memory_add(&vm.memory, 0, 4 * MIB), 0);
    for (unsigned n = 0; n < 5000; n++) {
        unsigned id, bits_;
        struct slot want, *have;
        int ours, theirs;

        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bits_ = (unsigned)(state >> 33);
        id = bits_ & 7;
        have = &map.slots[id];
        want = (struct slot){.start = (bits_ >> 3 & 31) * 64 * KIB + (bits_ >> 20 & 15 ? 0 : 1),
                             .size = (bits_ >> 8 & 3) * 64 * KIB,
                             .host = (uint8_t *)guest_ptr(&vm.memory, 0, 1) +
                                     (bits_ >> 10 & 3) * 64 * KIB,
                             .flags = (bits_ >> 12 & 7) ? 0 : bits_ >> 15 & 3};
        if (have->size && (bits_ >> 17 & 3)) { /* often: a change that is allowed */
            want.size = have->size;
            want.host = have->host;
        }
        struct slot_map copy = map;
        struct kvm_userspace_memory_region region = {id, want.flags, want.start, want.size,
                                                     (uintptr_t)want.host};

        ours = slots_set(&copy, id, &want);
        theirs = ioctl_region(vm.fd, &region);
        ck_assert_msg(ours == theirs, "change %u: slot %u: ours %d, KVM's %d", n, id, ours, theirs);
        map = copy;
        made += !ours;
    }
    ck_assert_uint_gt(made, 100);
    vm_free(&vm);
}
END_TEST

int main(void)
{
    const char *no_kvm = harness_no_kvm();
    Suite *suite = suite_create("chapter 3 on KVM");
    TCase *tests = tcase_create("programs");

    tcase_set_timeout(tests, 60);
    if (!no_kvm)
        tcase_add_loop_test(tests, guests_do_what_their_sources_say, 0, ARRAY_SIZE(guests));
    else
        printf("SKIP guests_do_what_their_sources_say: %s\n", no_kvm);
    harness_add(tests, exits_are_counted_alike_everywhere, no_kvm);
    harness_add(tests, the_dirty_log_shows_what_was_written, no_kvm);
    harness_add(tests, the_dirty_ring_shows_the_same, no_kvm);
    harness_add(tests, a_walk_is_dumped_as_text_and_json, no_kvm);
    harness_add(tests, bad_arguments_are_refused_by_name, no_kvm);
    harness_add(tests, slots_do_what_the_program_shows, no_kvm);
    harness_add(tests, the_chain_is_followed_in_the_guest, no_kvm);
    harness_add(tests, the_slot_map_has_kvms_rules, no_kvm);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
