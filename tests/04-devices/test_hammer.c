/*
 * test_hammer.c: the whole board without KVM, and a driver gone mad: random accesses of
 * every width to every port and to the devices' memory, strings, keys, alarms, DMA.
 *
 * HAMMER_SEED and HAMMER_COUNT choose other runs than the usual ones.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "04-devices/pc.h"
#include "common/bits.h"
#include "harness/harness.h"

#define RAM_SIZE   (2 * MIB)
#define PCI_WINDOW UINT64_C(0xe0000000)

static struct pc pc;
static uint64_t state;
static uint64_t taken; /* bytes that the sinks took */

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

/* Now and then it takes less than it is offered, as terminals do. */
static size_t take(void *self, const uint8_t *bytes, size_t count)
{
    size_t some = next() % 8 ? count : count / 2;

    (void)self, (void)bytes;
    taken += some;
    return some;
}

static void power_up(void)
{
    struct byte_sink sink = {.put = take};
    struct pc_options options = {
        .irqchip = IRQCHIP_USER, .debug_exit = true, .serial = sink, .debug = sink};
    struct machine *m = &pc.machine;

    memset(&pc, 0, sizeof pc);
    m->wake = eventfd(0, EFD_NONBLOCK);
    pthread_mutex_init(&m->devices.lock, NULL);
    alarms_init(&m->alarms);
    ck_assert_int_eq(guest_memory_add(&m->vm.memory, 0, RAM_SIZE), 0);
    pc_attach(&pc, &options);
}

/* Every port alike, but half of the time one that somebody owns. */
static uint64_t any_port(void)
{
    const struct bus *ports = &pc.machine.devices.ports;
    const struct bus_range *range = &ports->ranges[next() % ports->count];

    if (next() % 2)
        return next() % 65536;
    return range->start + next() % range->size;
}

static uint64_t any_address(void)
{
    const struct bus *memory = &pc.machine.devices.memory;

    if (memory->count > 0 && next() % 8) {
        const struct bus_range *range = &memory->ranges[next() % memory->count];

        return range->start + next() % (range->size < 8192 ? range->size : 8192);
    }
    return PCI_WINDOW + next() % (512 * MIB) - 4;
}

/* Numbers that programs get wrong more often than others. */
static uint64_t any_value(void)
{
    static const uint64_t edges[] = {0,          1,          0x7f,       0x80,
                                     0xff,       0x7fff,     0xffff,     0x80000000,
                                     0xffffffff, UINT64_MAX, 0x100000,   RAM_SIZE - 1,
                                     0xfee00000, 0xe0000000, 0x80000800, 0x8000f804};

    return next() % 3 ? next() : edges[next() % ARRAY_SIZE(edges)];
}

static void person_does_something(void)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)next();
    switch (next() % 5) {
    case 0: ps2_keyboard_key(&pc.keyboard, (unsigned)next() % 800, next() % 2); break;
    case 1:
        ps2_mouse_move(&pc.mouse, (struct pointer_motion){.right = (int)next(),
                                                          .down = (int)next(),
                                                          .wheel = (int)next(),
                                                          .buttons = (unsigned)next()});
        break;
    case 2: uart_receive(&pc.serial, bytes, sizeof bytes); break;
    case 3: uart_receive_break(&pc.serial); break;
    default: uart_drain(&pc.serial); break;
    }
}

/* Whatever is due, and more: devices must bear an alarm that comes too soon. */
static void alarm_rings(void)
{
    struct alarms *alarms = &pc.machine.alarms;
    struct alarm_slot *slot = &alarms->slots[next() % alarms->count];

    slot->when = ALARM_NEVER;
    slot->due(slot->self);
}

static void one_access(void)
{
    static const unsigned widths[] = {1, 2, 4, 8};
    static uint8_t string[8 * 64];
    struct devices *devices = &pc.machine.devices;
    bool port = next() % 4 != 0;
    struct bus *bus = port ? &devices->ports : &devices->memory;
    uint64_t address = port ? any_port() : any_address();
    unsigned size = widths[next() % (port ? 3 : 4)];

    switch (next() % 16) {
    case 0: bus_read_string(bus, address, size, next() % 64, string); break;
    case 1: bus_write_string(bus, address, size, next() % 64, string); break;
    case 2:
    case 3:
    case 4:
    case 5: {
        uint64_t value = bus_read(bus, address, size);

        ck_assert_uint_eq(size == 8 ? 0 : value >> size * 8, 0);
        break;
    }
    default: bus_write(bus, address, size, any_value());
    }
}

static unsigned from_environment(const char *name, unsigned usual)
{
    const char *text = getenv(name);

    return text ? (unsigned)strtoul(text, NULL, 0) : usual;
}

static void hammer(uint64_t seed, unsigned count)
{
    static struct text_frame frame;

    state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    printf("seed %llu, %u operations\n", (unsigned long long)seed, count);
    for (unsigned i = 0; i < count; i++) {
        one_access();
        if (i % 16 == 0)
            person_does_something();
        if (i % 64 == 0)
            alarm_rings();
        if (i % 4096 == 0)
            text_screen_frame(&pc.screen, &frame);
        if (i % 8 == 0 && pic_pending(&pc.pic))
            pic_acknowledge(&pc.pic);
    }
}

/* After all that the board still works: a reset of each part, and it answers. */
static void expect_sane(void)
{
    struct bus *ports = &pc.machine.devices.ports;

    ck_assert_uint_gt(taken, 0);
    bus_write(ports, 0x3fb, 1, 0);
    bus_write(ports, 0x3ff, 1, 0x5a);
    ck_assert_uint_eq(bus_read(ports, 0x3ff, 1), 0x5a);
    bus_write(ports, PCI_ADDRESS_PORT, 4, 0x80000000);
    ck_assert_uint_eq(bus_read(ports, PCI_DATA_PORT, 4), 0x12378086);
    ck_assert_uint_eq(bus_read(ports, DEBUG_CONSOLE_PORT, 1), DEBUG_CONSOLE_ANSWER);
    ck_assert_uint_eq(bus_read(ports, 0x1234, 2), 0xffff);
}

START_TEST(a_mad_driver_hurts_nobody)
{
    unsigned seed = from_environment("HAMMER_SEED", (unsigned)_i + 1);

    hammer(seed, from_environment("HAMMER_COUNT", 2500000));
    expect_sane();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("04 the whole board");
    TCase *tests = tcase_create("hammer");

    tcase_set_timeout(tests, 300);
    tcase_add_checked_fixture(tests, power_up, NULL);
    tcase_add_loop_test(tests, a_mad_driver_hurts_nobody, 0, 4);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
