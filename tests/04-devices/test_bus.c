/*
 * test_bus.c: the rules of bus.h, on devices that record what reaches them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/bus.h"
#include "common/bits.h"
#include "harness/harness.h"

/* Remembers its accesses as text, "r2.4" for a read of 4 bytes at register 2. */
struct probe {
    char log[512];
    uint8_t answer; /* register r reads as answer + r in each byte place */
    uint64_t written[16];
};

static void probe_note(struct probe *probe, char kind, uint64_t reg, unsigned size)
{
    size_t used = strlen(probe->log);

    snprintf(probe->log + used, sizeof probe->log - used, "%c%u.%u ", kind, (unsigned)reg, size);
}

static uint64_t probe_read(void *self, uint64_t reg, unsigned size)
{
    struct probe *probe = self;
    uint64_t value = 0;

    probe_note(probe, 'r', reg, size);
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)(uint8_t)(probe->answer + reg + i) << (8 * i);
    return value;
}

static void probe_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct probe *probe = self;

    probe_note(probe, 'w', reg, size);
    probe->written[reg % 16] = value;
}

static int add(struct bus *bus, struct probe *probe, uint64_t start, uint64_t size, unsigned width)
{
    struct bus_range range = {start, size, width, probe_read, probe_write, probe, NULL};

    return bus_add(bus, &range);
}

START_TEST(overlap_is_rejected)
{
    /* Against [0x100, 0x110) and [0x200, 0x201). */
    static const struct {
        uint64_t start, size;
        int result;
    } rows[] = {
        {0x100, 0x10, -EEXIST},
        {0x0ff, 2, -EEXIST},
        {0x10f, 1, -EEXIST},
        {0x10f, 4, -EEXIST},
        {0x104, 2, -EEXIST},
        {0x000, 0x1000, -EEXIST},
        {0x1f0, 0x11, -EEXIST},
        {0x200, 1, -EEXIST},
        {0x0f0, 0x10, 0},
        {0x110, 0xf0, 0},
        {0x201, UINT64_MAX - 0x201, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bus bus = {0};
        struct probe probe = {0};

        ck_assert_int_eq(add(&bus, &probe, 0x200, 1, 1), 0);
        ck_assert_int_eq(add(&bus, &probe, 0x100, 0x10, 1), 0);
        ck_assert_msg(add(&bus, &probe, rows[i].start, rows[i].size, 1) == rows[i].result, "row %u",
                      i);
    }
}
END_TEST

START_TEST(senseless_ranges_are_rejected)
{
    static const struct {
        uint64_t start, size;
        unsigned width;
    } rows[] = {{0, 0, 1},  {0, 8, 0},          {0, 8, 3},
                {0, 8, 16}, {UINT64_MAX, 2, 1}, {8, UINT64_MAX, 1}};
    struct bus bus = {0};
    struct probe probe = {0};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        ck_assert_int_eq(add(&bus, &probe, rows[i].start, rows[i].size, rows[i].width), -EINVAL);
    ck_assert_uint_eq(bus.count, 0);
}
END_TEST

START_TEST(a_full_bus_says_so)
{
    struct bus bus = {0};
    struct probe probe = {0};

    for (unsigned i = 0; i < BUS_RANGES_MAX; i++)
        ck_assert_int_eq(add(&bus, &probe, i * 2, 1, 1), 0);
    ck_assert_int_eq(add(&bus, &probe, 1, 1, 1), -ENOSPC);
}
END_TEST

START_TEST(unclaimed_reads_are_all_ones)
{
    struct bus bus = {0};
    struct probe probe = {0};

    ck_assert_uint_eq(bus_read(&bus, 0x80, 1), 0xff);
    add(&bus, &probe, 0x100, 4, 4);
    ck_assert_uint_eq(bus_read(&bus, 0xff, 1), 0xff);
    ck_assert_uint_eq(bus_read(&bus, 0x104, 2), 0xffff);
    ck_assert_uint_eq(bus_read(&bus, 0x108, 4), 0xffffffff);
    ck_assert_uint_eq(bus_read(&bus, UINT64_MAX - 7, 8), UINT64_MAX);
    bus_write(&bus, 0x104, 4, 1);
    ck_assert_str_eq(probe.log, "");
}
END_TEST

START_TEST(each_of_many_devices_is_found)
{
    struct bus bus = {0};
    struct probe probes[BUS_RANGES_MAX] = {0};

    /* Added from both ends inwards, so that insertion has to sort. */
    for (unsigned i = 0; i < BUS_RANGES_MAX; i++) {
        unsigned at = i % 2 ? BUS_RANGES_MAX - 1 - i / 2 : i / 2;

        probes[at].answer = (uint8_t)(at * 3);
        ck_assert_int_eq(add(&bus, &probes[at], at * 16, 8, 1), 0);
    }
    for (unsigned at = 0; at < BUS_RANGES_MAX; at++) {
        ck_assert_uint_eq(bus_read(&bus, at * 16, 1), (uint8_t)(at * 3));
        ck_assert_uint_eq(bus_read(&bus, at * 16 + 7, 1), (uint8_t)(at * 3 + 7));
        ck_assert_uint_eq(bus_read(&bus, at * 16 + 8, 1), 0xff);
    }
}
END_TEST

START_TEST(accesses_are_cut_to_the_devices_width)
{
    static const struct {
        unsigned width;
        uint64_t address;
        unsigned size;
        const char *seen;
    } rows[] = {
        {1, 0x3f8, 4, "r0.1 r1.1 r2.1 r3.1 "},
        {1, 0x3f9, 2, "r1.1 r2.1 "},
        {2, 0x3f8, 4, "r0.2 r2.2 "},
        {2, 0x3f9, 4, "r1.1 r2.2 r4.1 "},
        {4, 0x3f8, 1, "r0.1 "},
        {4, 0x3fb, 4, "r3.1 r4.2 r6.1 "},
        {4, 0x3f8, 8, "r0.4 r4.4 "},
        {8, 0x3f8, 8, "r0.8 "},
        {8, 0x3f9, 7, "r1.1 r2.2 r4.4 "},
        {8, 0x3f8, 3, "r0.2 r2.1 "},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        struct bus bus = {0};
        struct probe probe = {.answer = 0x10};
        uint64_t value, expected = 0;

        add(&bus, &probe, 0x3f8, 8, rows[i].width);
        value = bus_read(&bus, rows[i].address, rows[i].size);
        ck_assert_str_eq(probe.log, rows[i].seen);
        for (unsigned byte = 0; byte < rows[i].size; byte++)
            expected |= (uint64_t)(0x10 + rows[i].address - 0x3f8 + byte) << (8 * byte);
        ck_assert_uint_eq(value, expected);

        probe.log[0] = '\0';
        bus_write(&bus, rows[i].address, rows[i].size, 0);
        for (char *c = probe.log; *c; c++)
            if (*c == 'w')
                *c = 'r';
        ck_assert_str_eq(probe.log, rows[i].seen);
    }
}
END_TEST

START_TEST(written_pieces_carry_their_bytes_only)
{
    struct bus bus = {0};
    struct probe probe = {0};

    add(&bus, &probe, 0x3f8, 8, 2);
    bus_write(&bus, 0x3f9, 4, 0x44332211);
    ck_assert_uint_eq(probe.written[1], 0x11);
    ck_assert_uint_eq(probe.written[2], 0x3322);
    ck_assert_uint_eq(probe.written[4], 0x44);
}
END_TEST

static uint64_t read_too_much(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)reg, (void)size;
    return UINT64_C(0x1122334455667788);
}

START_TEST(a_devices_answer_is_cut_to_the_size)
{
    struct bus bus = {0};
    struct bus_range range = {0x10, 4, 1, read_too_much, probe_write, NULL, NULL};

    bus_add(&bus, &range);
    ck_assert_uint_eq(bus_read(&bus, 0x10, 1), 0x88);
    ck_assert_uint_eq(bus_read(&bus, 0x10, 2), 0x8888);
}
END_TEST

START_TEST(an_access_past_the_end_is_shared_with_the_neighbour)
{
    struct bus bus = {0};
    struct probe low = {.answer = 0x10}, high = {.answer = 0x20};

    add(&bus, &low, 0x3f8, 8, 1);
    ck_assert_uint_eq(bus_read(&bus, 0x3ff, 2), 0xff17);
    ck_assert_uint_eq(bus_read(&bus, 0x3f7, 4), 0x121110ff);
    add(&bus, &high, 0x400, 8, 4);
    ck_assert_uint_eq(bus_read(&bus, 0x3fe, 4), 0x21201716);
    /* Ports end at 0xffff; nobody can claim the byte behind. */
    ck_assert_uint_eq(bus_read(&bus, 0xffff, 4), 0xffffffff);
}
END_TEST

START_TEST(rep_outs_advances_data_not_port)
{
    static const uint8_t data[] = {0x11, 0x22, 0x33, 0x44, 0x55, 0x66};
    struct bus bus = {0};
    struct probe probe = {0};

    add(&bus, &probe, 0x3f8, 8, 2);
    bus_write_string(&bus, 0x3f8, 1, 3, data);
    ck_assert_str_eq(probe.log, "w0.1 w0.1 w0.1 ");
    ck_assert_uint_eq(probe.written[0], 0x33);
    bus_write_string(&bus, 0x3fa, 2, 3, data);
    ck_assert_str_eq(probe.log, "w0.1 w0.1 w0.1 w2.2 w2.2 w2.2 ");
    ck_assert_uint_eq(probe.written[2], 0x6655);
}
END_TEST

static uint64_t read_counter(void *self, uint64_t reg, unsigned size)
{
    (void)reg, (void)size;
    return ++*(uint64_t *)self;
}

START_TEST(rep_ins_fills_data_from_one_port)
{
    uint64_t counter = 0;
    struct bus bus = {0};
    struct bus_range range = {0x60, 1, 1, read_counter, probe_write, &counter, NULL};
    uint8_t data[6] = {[5] = 0xaa};

    bus_add(&bus, &range);
    bus_read_string(&bus, 0x60, 1, 5, data);
    ck_assert_mem_eq(data, "\x01\x02\x03\x04\x05\xaa", 6);
    bus_read_string(&bus, 0x60, 2, 2, data); /* 0x61 is nobody's */
    ck_assert_mem_eq(data, "\x06\xff\x07\xff\x05\xaa", 6);
    bus_read_string(&bus, 0x60, 1, 0, data);
    ck_assert_uint_eq(counter, 7);
}
END_TEST

START_TEST(a_removed_range_is_nobodys)
{
    struct bus bus = {0};
    struct probe probes[3] = {0};

    for (unsigned i = 0; i < 3; i++)
        add(&bus, &probes[i], 0x100 + i * 8, 8, 4);
    ck_assert_int_eq(bus_remove(&bus, 0x10c), -ENOENT); /* inside, not the start */
    ck_assert_int_eq(bus_remove(&bus, 0xff), -ENOENT);
    ck_assert_int_eq(bus_remove(&bus, 0x108), 0);
    ck_assert_int_eq(bus_remove(&bus, 0x108), -ENOENT);
    ck_assert_uint_eq(bus_read(&bus, 0x108, 4), 0xffffffff);
    bus_write(&bus, 0x10c, 4, 0);
    ck_assert_str_eq(probes[1].log, "");
    /* The neighbours have not moved. */
    bus_read(&bus, 0x104, 4);
    bus_read(&bus, 0x110, 4);
    ck_assert_str_eq(probes[0].log, "r4.4 ");
    ck_assert_str_eq(probes[2].log, "r0.4 ");
    /* The place is free again, for less or more. */
    ck_assert_int_eq(add(&bus, &probes[1], 0x108, 9, 1), -EEXIST);
    ck_assert_int_eq(add(&bus, &probes[1], 0x108, 8, 1), 0);
}
END_TEST

/* A device that leaves its place when it is written to, as a BAR register makes one. */
struct mover {
    struct bus *bus;
    uint64_t start;
    unsigned writes;
};

static void mover_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct mover *mover = self;

    (void)reg, (void)size, (void)value;
    mover->writes++;
    bus_remove(mover->bus, mover->start);
}

START_TEST(a_device_may_leave_in_the_middle_of_an_access)
{
    struct bus bus = {0};
    struct mover mover = {&bus, 0x100, 0};
    struct probe next = {0};

    bus_add(&bus, &(struct bus_range){0x100, 2, 1, read_too_much, mover_write, &mover, NULL});
    add(&bus, &next, 0x102, 2, 1);
    bus_write(&bus, 0x100, 4, 0);
    ck_assert_uint_eq(mover.writes, 1); /* its second byte is nobody's by then */
    ck_assert_str_eq(next.log, "w0.1 w1.1 ");
}
END_TEST

/* PIO13: what nobody claims, in every width, at every page of a busy map. */
START_TEST(every_width_at_every_unclaimed_page)
{
    struct bus bus = {0};
    struct probe probe = {0};

    for (unsigned i = 0; i < 200; i++)
        add(&bus, &probe, 0xfe000000 + i * 0x3000, 0x1000, 1u << i % 4);
    for (uint64_t page = 0xfdf00000; page < 0xfe400000; page += 0x1000) {
        bool claimed = page >= 0xfe000000 && (page - 0xfe000000) % 0x3000 == 0 &&
                       (page - 0xfe000000) / 0x3000 < 200;

        for (unsigned size = 1; size <= 8 && !claimed; size *= 2)
            for (unsigned at = 0; at + size <= 0x1000; at += 0x1f8) {
                ck_assert_uint_eq(bus_read(&bus, page + at, size),
                                  size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1);
                bus_write(&bus, page + at, size, 0);
            }
    }
    ck_assert_str_eq(probe.log, "");
}
END_TEST

/* PIO18: a register of 4 bytes sees each byte as it came, and 8 bytes as two writes. */
START_TEST(a_wide_register_sees_narrow_and_wide_accesses)
{
    struct bus bus = {0};
    struct probe probe = {.answer = 0x10};

    add(&bus, &probe, 0x1000, 8, 4);
    for (unsigned byte = 0; byte < 4; byte++)
        bus_write(&bus, 0x1000 + byte, 1, 0xa0 + byte);
    ck_assert_str_eq(probe.log, "w0.1 w1.1 w2.1 w3.1 ");
    bus_write(&bus, 0x1000, 8, UINT64_C(0x8877665544332211));
    ck_assert_str_eq(probe.log, "w0.1 w1.1 w2.1 w3.1 w0.4 w4.4 ");
    ck_assert_uint_eq(probe.written[0], 0x44332211);
    ck_assert_uint_eq(probe.written[4], 0x88776655);
    ck_assert_uint_eq(bus_read(&bus, 0x1000, 8), UINT64_C(0x1716151413121110));
}
END_TEST

/* No access, whatever its place and size, may reach a device outside its range. */
struct guard {
    uint64_t start, size;
    unsigned width;
    unsigned violations; /* counted: a million ck_asserts take minutes */
};

static void guard_check(struct guard *guard, uint64_t reg, unsigned size)
{
    if (!is_power_of_two(size) || size > guard->width || !fits(reg, size, guard->size) ||
        !is_aligned(guard->start + reg, size))
        guard->violations++;
}

static uint64_t guard_read(void *self, uint64_t reg, unsigned size)
{
    guard_check(self, reg, size);
    return UINT64_MAX;
}

static void guard_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct guard *guard = self;

    guard_check(guard, reg, size);
    if (size < 8 && value >> (8 * size))
        guard->violations++;
}

START_TEST(random_accesses_stay_within_ranges)
{
    struct guard guards[BUS_RANGES_MAX];
    struct bus bus = {0};
    unsigned wide = 0;

    srand(4);
    for (unsigned i = 0; i < BUS_RANGES_MAX; i++) {
        guards[i] = (struct guard){rand() % 0x800, 1 + rand() % 24, 1u << rand() % 4, 0};
        bus_add(&bus, &(struct bus_range){guards[i].start, guards[i].size, guards[i].width,
                                          guard_read, guard_write, &guards[i], NULL});
    }
    ck_assert_uint_gt(bus.count, 20);
    for (unsigned i = 0; i < 500000; i++) {
        uint64_t address = (uint64_t)(rand() % 0x820);
        unsigned size = 1 + rand() % 8;
        uint64_t value;

        if (i % 100 == 0)
            address = UINT64_MAX - address % 9; /* wraps around */
        if (i % 1000 == 0) {                    /* and the ranges come and go */
            struct bus_range moved = bus.ranges[(unsigned)rand() % bus.count];

            ck_assert_int_eq(bus_remove(&bus, moved.start), 0);
            moved.start = ((struct guard *)moved.self)->start = rand() % 0x800;
            if (bus_add(&bus, &moved) != 0)
                ((struct guard *)moved.self)->size = 0; /* gone: no access is right */
        }
        value = bus_read(&bus, address, size);
        wide += size < 8 && value >> (8 * size);
        bus_write(&bus, address, size, UINT64_MAX);
    }
    ck_assert_uint_eq(wide, 0);
    for (unsigned i = 0; i < BUS_RANGES_MAX; i++)
        ck_assert_uint_eq(guards[i].violations, 0);
}
END_TEST

static Suite *bus_suite(void)
{
    Suite *suite = suite_create("04 bus");
    TCase *tests = tcase_create("bus");

    tcase_add_test(tests, overlap_is_rejected);
    tcase_add_test(tests, senseless_ranges_are_rejected);
    tcase_add_test(tests, a_full_bus_says_so);
    tcase_add_test(tests, unclaimed_reads_are_all_ones);
    tcase_add_test(tests, each_of_many_devices_is_found);
    tcase_add_test(tests, accesses_are_cut_to_the_devices_width);
    tcase_add_test(tests, written_pieces_carry_their_bytes_only);
    tcase_add_test(tests, a_devices_answer_is_cut_to_the_size);
    tcase_add_test(tests, an_access_past_the_end_is_shared_with_the_neighbour);
    tcase_add_test(tests, rep_outs_advances_data_not_port);
    tcase_add_test(tests, rep_ins_fills_data_from_one_port);
    tcase_add_test(tests, a_removed_range_is_nobodys);
    tcase_add_test(tests, a_device_may_leave_in_the_middle_of_an_access);
    tcase_add_test(tests, every_width_at_every_unclaimed_page);
    tcase_add_test(tests, a_wide_register_sees_narrow_and_wide_accesses);
    tcase_add_test(tests, random_accesses_stay_within_ranges);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(bus_suite());
}
