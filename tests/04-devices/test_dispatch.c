/*
 * test_dispatch.c: every exit reason KVM can name, from a kvm_run we write
 * ourselves.
 */
#include <string.h>

#include "04-devices/dispatch.h"
#include "common/bits.h"
#include "harness/harness.h"

/* A page of kvm_run with room for port data behind it, as KVM maps it. */
static union {
    struct kvm_run run;
    uint8_t bytes[8192];
} shared;
#define DATA_OFFSET 4096u

static struct devices devices;
static uint64_t seen[8];
static unsigned seen_count;

static uint64_t read_sequence(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)size;
    return ++seen_count + reg * 16;
}

static void write_sequence(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    (void)self, (void)reg, (void)size;
    /* The caller holds the lock, so that two threads never meet in a device. */
    ck_assert_int_ne(pthread_mutex_trylock(&devices.lock), 0);
    seen[seen_count++ % 8] = value;
}

static void power_up(void)
{
    struct bus_range range = {0x3f8, 8, 1, read_sequence, write_sequence, NULL, NULL};

    memset(&shared, 0, sizeof shared);
    devices = (struct devices){.lock = PTHREAD_MUTEX_INITIALIZER};
    bus_add(&devices.ports, &range);
    range.width = 8;
    range.start = 0xd0000000;
    bus_add(&devices.memory, &range);
    seen_count = 0;
}

static void port_exit(unsigned direction, unsigned port, unsigned size, unsigned count)
{
    shared.run.exit_reason = KVM_EXIT_IO;
    shared.run.io.direction = (uint8_t)direction;
    shared.run.io.port = (uint16_t)port;
    shared.run.io.size = (uint8_t)size;
    shared.run.io.count = count;
    shared.run.io.data_offset = DATA_OFFSET;
    ck_assert_int_eq(dispatch_exit(&devices, &shared.run), ENDING_NONE);
}

START_TEST(string_output_reaches_the_device_in_order)
{
    memcpy(shared.bytes + DATA_OFFSET, "\x11\x22\x33", 3);
    port_exit(KVM_EXIT_IO_OUT, 0x3f8, 1, 3);
    ck_assert_uint_eq(seen_count, 3);
    ck_assert_uint_eq(seen[0], 0x11);
    ck_assert_uint_eq(seen[2], 0x33);
}
END_TEST

START_TEST(string_input_fills_the_data)
{
    port_exit(KVM_EXIT_IO_IN, 0x3f8, 2, 2);
    ck_assert_mem_eq(shared.bytes + DATA_OFFSET, "\x01\x12\x03\x14", 5);
}
END_TEST

START_TEST(unclaimed_ports_read_all_ones)
{
    port_exit(KVM_EXIT_IO_IN, 0x80, 4, 1);
    ck_assert_mem_eq(shared.bytes + DATA_OFFSET, "\xff\xff\xff\xff", 5);
    port_exit(KVM_EXIT_IO_OUT, 0x80, 4, 1);
}
END_TEST

START_TEST(memory_accesses_of_each_size_arrive)
{
    for (unsigned size = 1; size <= 8; size *= 2) {
        uint64_t value = 0;

        shared.run.exit_reason = KVM_EXIT_MMIO;
        shared.run.mmio.phys_addr = 0xd0000000;
        shared.run.mmio.len = size;
        shared.run.mmio.is_write = 1;
        memset(shared.run.mmio.data, 0xa5, 8);
        ck_assert_int_eq(dispatch_exit(&devices, &shared.run), ENDING_NONE);
        ck_assert_uint_eq(seen[0], UINT64_C(0xa5a5a5a5a5a5a5a5) >> (64 - 8 * size));
        shared.run.mmio.is_write = 0;
        ck_assert_int_eq(dispatch_exit(&devices, &shared.run), ENDING_NONE);
        memcpy(&value, shared.run.mmio.data, size);
        ck_assert_uint_eq(value, 2);
        seen_count = 0;
    }
    shared.run.mmio.phys_addr = 0xe0000000;
    ck_assert_int_eq(dispatch_exit(&devices, &shared.run), ENDING_NONE);
    ck_assert_mem_eq(shared.run.mmio.data, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
}
END_TEST

START_TEST(every_exit_reason_has_an_answer)
{
    /* All but these end the run and are reported. */
    static const enum ending known[64] = {
        [KVM_EXIT_IO] = ENDING_NONE,
        [KVM_EXIT_MMIO] = ENDING_NONE,
        [KVM_EXIT_INTR] = ENDING_NONE,
        [KVM_EXIT_HLT] = ENDING_OFF,
        [KVM_EXIT_SHUTDOWN] = ENDING_CRASH,
        [KVM_EXIT_SYSTEM_EVENT] = ENDING_STUCK, /* of type 0, which there is not */
    };

    for (unsigned reason = 0; reason < 1000; reason++) {
        enum ending expected = ENDING_STUCK;

        memset(&shared, 0, sizeof shared);
        shared.run.exit_reason = reason;
        if (reason == KVM_EXIT_IO || reason == KVM_EXIT_MMIO || reason == KVM_EXIT_INTR ||
            reason == KVM_EXIT_IRQ_WINDOW_OPEN || reason == KVM_EXIT_SET_TPR ||
            (reason < 64 && known[reason] != ENDING_NONE))
            expected = known[reason];
        ck_assert_msg(dispatch_exit(&devices, &shared.run) == expected, "reason %u", reason);
    }
    shared.run.exit_reason = UINT32_MAX;
    ck_assert_int_eq(dispatch_exit(&devices, &shared.run), ENDING_STUCK);
}
END_TEST

START_TEST(system_events_end_the_run_each_in_its_way)
{
    static const struct {
        uint32_t type;
        enum ending ending;
    } rows[] = {{KVM_SYSTEM_EVENT_SHUTDOWN, ENDING_OFF},
                {KVM_SYSTEM_EVENT_RESET, ENDING_RESET},
                {KVM_SYSTEM_EVENT_CRASH, ENDING_CRASH},
                {99, ENDING_STUCK}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        shared.run.exit_reason = KVM_EXIT_SYSTEM_EVENT;
        shared.run.system_event.type = rows[i].type;
        ck_assert_int_eq(dispatch_exit(&devices, &shared.run), rows[i].ending);
    }
}
END_TEST

static Suite *dispatch_suite(void)
{
    Suite *suite = suite_create("04 dispatch");
    TCase *tests = tcase_create("dispatch");

    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_test(tests, string_output_reaches_the_device_in_order);
    tcase_add_test(tests, string_input_fills_the_data);
    tcase_add_test(tests, unclaimed_ports_read_all_ones);
    tcase_add_test(tests, memory_accesses_of_each_size_arrive);
    tcase_add_test(tests, every_exit_reason_has_an_answer);
    tcase_add_test(tests, system_events_end_the_run_each_in_its_way);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(dispatch_suite());
}
