/*
 * test_pci.c: the host bridge and a function behind it, driven through the two ports
 * as a guest would. Hostile rows of configuration space are named by their number.
 *
 * Longer than most: one bench, and a test for each rule of two headers.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "04-devices/pci.h"
#include "common/bits.h"
#include "harness/harness.h"

#define SLOT 3u

/* A device that answers with its own number in every byte, and counts writes. */
struct probe {
    uint8_t answer;
    unsigned writes;
    uint64_t last;
};

/* A board: the bridge, a device "near" in slot 3 and one "far" in slot 7. */
static struct bus ports, memory;
static struct pci_host host;
static struct reset_ports reset;
static struct pci_function near_function, far_function;
static struct probe near_probe, far_probe, fixed_probe;
static bool wires[PCI_WIRES];
static unsigned edges, resets;

static uint64_t probe_read(void *self, uint64_t reg, unsigned size)
{
    (void)reg, (void)size;
    return ((struct probe *)self)->answer * UINT64_C(0x0101010101010101);
}

static void probe_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct probe *probe = self;

    (void)reg, (void)size;
    probe->writes++;
    probe->last = value;
}

static struct bus_range probe_range(struct probe *probe, uint64_t size)
{
    return (struct bus_range){
        .size = size, .width = 4, .read = probe_read, .write = probe_write, .self = probe};
}

static void wire_set(void *self, bool level)
{
    *(bool *)self = level;
    edges++;
}

static void reset_set(void *self, bool level)
{
    (void)self, (void)level;
    resets++;
}

static void out(uint64_t port, unsigned size, uint64_t value)
{
    bus_write(&ports, port, size, value);
}

static uint64_t in(uint64_t port, unsigned size)
{
    return bus_read(&ports, port, size);
}

static uint32_t at(unsigned slot, unsigned offset)
{
    return 0x80000000u | slot << 11 | (offset & 0xfc);
}

static uint32_t get(unsigned slot, unsigned offset, unsigned size)
{
    out(PCI_ADDRESS_PORT, 4, at(slot, offset));
    return (uint32_t)in(PCI_DATA_PORT + offset % 4, size);
}

static void set(unsigned slot, unsigned offset, unsigned size, uint32_t value)
{
    out(PCI_ADDRESS_PORT, 4, at(slot, offset));
    out(PCI_DATA_PORT + offset % 4, size, value);
}

static uint64_t peek(uint64_t address)
{
    return bus_read(&memory, address, 4);
}

#define NEAR  0x11111111u
#define FAR   0x22222222u
#define FIXED 0x33333333u
#define NONE  0xffffffffu

static void setup(void)
{
    struct pci_wire lines[PCI_WIRES];
    struct bus_range range;

    ports = memory = (struct bus){0};
    near_probe = (struct probe){.answer = 0x11};
    far_probe = (struct probe){.answer = 0x22};
    fixed_probe = (struct probe){.answer = 0x33};
    memset(wires, 0, sizeof wires);
    edges = resets = 0;

    for (unsigned i = 0; i < PCI_WIRES; i++)
        lines[i] = (struct pci_wire){.line = {wire_set, &wires[i]}, .number = 16 + i};
    reset_init(&reset, (struct irq_line){reset_set, NULL});
    pci_host_init(&host, &ports, &memory, lines, &reset);
    bus_add(&ports, &(struct bus_range){PCI_ADDRESS_PORT, 4, 4, pci_address_read, pci_address_write,
                                        &host, NULL});
    bus_add(&ports,
            &(struct bus_range){PCI_DATA_PORT, 4, 4, pci_data_read, pci_data_write, &host, NULL});
    range = (struct bus_range){0xfec00000, 0x1000, 4, probe_read, probe_write, &fixed_probe, NULL};
    bus_add(&memory, &range);

    pci_function_init(&near_function, &(struct pci_identity){.vendor = 0x1af4,
                                                             .device = 0x10ff,
                                                             .subsystem_vendor = 0xabcd,
                                                             .subsystem = 0x1234,
                                                             .class_code = 0x088000,
                                                             .revision = 5,
                                                             .interrupt_pin = 1});
    range = probe_range(&near_probe, 0x1000);
    pci_function_add_bar(&near_function, 0, PCI_BAR_MEMORY, &range);
    range = probe_range(&near_probe, 0x20);
    pci_function_add_bar(&near_function, 1, PCI_BAR_IO, &range);
    range = probe_range(&near_probe, 0x10000);
    pci_function_add_bar(&near_function, 2, PCI_BAR_PREFETCH_64, &range);
    ck_assert_int_eq(pci_host_plug(&host, SLOT, &near_function), 0);

    pci_function_init(&far_function, &(struct pci_identity){.vendor = 0x1af4, .interrupt_pin = 1});
    range = probe_range(&far_probe, 0x1000);
    pci_function_add_bar(&far_function, 0, PCI_BAR_MEMORY, &range);
    ck_assert_int_eq(pci_host_plug(&host, 7, &far_function), 0);
}

START_TEST(the_bridge_is_a_440fx_in_slot_0)
{
    ck_assert_uint_eq(get(0, PCI_VENDOR_ID, 4), 0x12378086);
    ck_assert_uint_eq(get(0, PCI_CLASS_DEVICE, 2), 0x0600);
    ck_assert_uint_eq(get(0, PCI_HEADER_TYPE, 1), 0);
}
END_TEST

START_TEST(the_header_shows_the_identity)
{
    static const struct {
        unsigned offset, size;
        uint32_t value;
    } rows[] = {
        {PCI_VENDOR_ID, 2, 0x1af4},
        {PCI_DEVICE_ID, 2, 0x10ff},
        {PCI_VENDOR_ID, 4, 0x10ff1af4},
        {PCI_REVISION_ID, 1, 5},
        {PCI_CLASS_PROG, 1, 0x00},
        {PCI_CLASS_DEVICE, 2, 0x0880},
        {PCI_SUBSYSTEM_VENDOR_ID, 2, 0xabcd},
        {PCI_SUBSYSTEM_ID, 2, 0x1234},
        {PCI_INTERRUPT_PIN, 1, 1},
        {PCI_INTERRUPT_LINE, 1, 16 + 3},
        {PCI_DEVICE_ID + 1, 1, 0x10},
        {PCI_CAPABILITY_LIST, 1, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        ck_assert_msg(get(SLOT, rows[i].offset, rows[i].size) == rows[i].value, "row %u", i);
}
END_TEST

START_TEST(pci01_without_the_enable_bit_nobody_answers)
{
    out(PCI_ADDRESS_PORT, 4, at(SLOT, 0) & ~0x80000000u);
    ck_assert_uint_eq(in(PCI_DATA_PORT, 4), 0xffffffff);
    out(PCI_ADDRESS_PORT, 4, at(SLOT, PCI_COMMAND) & ~0x80000000u);
    out(PCI_DATA_PORT, 2, 7);
    ck_assert_uint_eq(get(SLOT, PCI_COMMAND, 2), 0);
}
END_TEST

START_TEST(pci02_only_what_is_plugged_in_exists)
{
    for (unsigned bdf = 0; bdf <= 0xffff; bdf++) {
        bool exists = bdf == 0 || bdf == SLOT << 3 || bdf == 7 << 3;

        out(PCI_ADDRESS_PORT, 4, 0x80000000u | bdf << 8);
        ck_assert_msg((in(PCI_DATA_PORT, 4) != 0xffffffff) == exists, "bdf %#x", bdf);
        if (!exists)
            out(PCI_DATA_PORT, 4, ~0u);
    }
}
END_TEST

START_TEST(pci03_the_address_register_takes_4_bytes_only)
{
    out(PCI_ADDRESS_PORT, 4, 0xffffffff);
    ck_assert_uint_eq(in(PCI_ADDRESS_PORT, 4), 0x80fffffc); /* reserved bits read as 0 */
    out(PCI_ADDRESS_PORT, 1, 0);
    out(PCI_ADDRESS_PORT, 2, 0);
    out(PCI_ADDRESS_PORT + 2, 2, 0);
    out(PCI_ADDRESS_PORT + 3, 1, 0);
    ck_assert_uint_eq(in(PCI_ADDRESS_PORT, 4), 0x80fffffc);
    ck_assert_uint_eq(in(PCI_ADDRESS_PORT, 2), 0xffff);
    ck_assert_uint_eq(in(PCI_ADDRESS_PORT + 3, 1), 0xff);
}
END_TEST

START_TEST(pci03_data_may_be_read_in_any_width_and_place)
{
    out(PCI_ADDRESS_PORT, 4, at(SLOT, 0));
    ck_assert_uint_eq(in(PCI_DATA_PORT + 1, 1), 0x1a);
    ck_assert_uint_eq(in(PCI_DATA_PORT + 1, 2), 0xff1a);     /* misaligned: cut by the bus */
    ck_assert_uint_eq(in(PCI_DATA_PORT + 3, 4), 0xffffff10); /* the rest is nobody's */
    out(PCI_DATA_PORT + 3, 4, 0);
    ck_assert_uint_eq(get(SLOT, 0, 4), 0x10ff1af4);
}
END_TEST

START_TEST(port_cf9_still_resets)
{
    out(PCI_ADDRESS_PORT, 4, at(SLOT, 0));
    out(0xcf9, 1, 0x02);
    ck_assert_uint_eq(in(0xcf9, 1), 0x02);
    ck_assert_uint_eq(resets, 0);
    out(PCI_ADDRESS_PORT, 4, 0x80000600); /* bits 10:8 of 0xcf8 are not 0xcf9 */
    ck_assert_uint_eq(resets, 0);
    out(0xcf9, 1, 0x06);
    ck_assert_uint_eq(resets, 1);
    ck_assert_uint_eq(in(PCI_ADDRESS_PORT, 4), 0x80000600);
}
END_TEST

/* PCI08, PCI09, PCI10, PCI46: what sticks when each byte is written with ones, zeros. */
START_TEST(only_defined_bits_stick)
{
    static const struct {
        unsigned offset, size;
        uint32_t ones, zeros;
    } rows[] = {
        {PCI_VENDOR_ID, 4, 0x10ff1af4, 0x10ff1af4},
        {PCI_COMMAND, 2, 0x0547, 0}, /* IO, MEM, MASTER, PARITY, SERR, INTX_DISABLE */
        {PCI_STATUS, 2, 0, 0},
        {PCI_REVISION_ID, 4, 0x08800005, 0x08800005},
        {PCI_CACHE_LINE_SIZE, 1, 0xff, 0},
        {PCI_LATENCY_TIMER, 1, 0xff, 0},
        {PCI_HEADER_TYPE, 1, 0, 0},
        {PCI_BIST, 1, 0, 0},
        {PCI_BASE_ADDRESS_4, 4, 0, 0},
        {PCI_SUBSYSTEM_VENDOR_ID, 4, 0x1234abcd, 0x1234abcd},
        {PCI_ROM_ADDRESS, 4, 0, 0},
        {PCI_CAPABILITY_LIST, 4, 0, 0},
        {PCI_INTERRUPT_LINE, 1, 0xff, 0},
        {PCI_INTERRUPT_PIN, 1, 1, 1},
        {0x40, 4, 0, 0},
        {0xfc, 4, 0, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        set(SLOT, rows[i].offset, rows[i].size, ~0u);
        ck_assert_msg(get(SLOT, rows[i].offset, rows[i].size) == rows[i].ones, "row %u ones", i);
        set(SLOT, rows[i].offset, rows[i].size, 0);
        ck_assert_msg(get(SLOT, rows[i].offset, rows[i].size) == rows[i].zeros, "row %u zeros", i);
    }
    set(0, PCI_PRIMARY_BUS, 4, ~0u); /* PCI46: ours is not a bridge between buses */
    ck_assert_uint_eq(get(0, PCI_PRIMARY_BUS, 4), 0);
}
END_TEST

START_TEST(pci08_status_bits_are_cleared_by_ones)
{
    pci_config_set(&near_function, PCI_STATUS, 2, 0xf910);
    set(SLOT, PCI_STATUS, 2, 0);
    ck_assert_uint_eq(get(SLOT, PCI_STATUS, 2), 0xf910);
    set(SLOT, PCI_STATUS, 2, 0x8000);
    ck_assert_uint_eq(get(SLOT, PCI_STATUS, 2), 0x7910);
    set(SLOT, PCI_STATUS + 1, 1, 0x11);
    ck_assert_uint_eq(get(SLOT, PCI_STATUS, 2), 0x6810);
    set(SLOT, PCI_STATUS, 2, 0xffff);
    ck_assert_uint_eq(get(SLOT, PCI_STATUS, 2), 0x0010); /* "has capabilities" stays */
}
END_TEST

START_TEST(writing_ones_shows_a_bars_size)
{
    static const uint32_t sizes[PCI_BARS] = {0xfffff000, 0xffffffe1, 0xffff000c, 0xffffffff, 0, 0};

    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        set(SLOT, PCI_BASE_ADDRESS_0 + 4 * bar, 4, 0xffffffff);
        ck_assert_uint_eq(get(SLOT, PCI_BASE_ADDRESS_0 + 4 * bar, 4), sizes[bar]);
    }
}
END_TEST

START_TEST(a_bar_of_4_gib_and_more_has_its_size_in_the_high_half)
{
    struct bus_range range = probe_range(&near_probe, 8 * GIB);

    pci_function_add_bar(&near_function, 4, PCI_BAR_PREFETCH_64, &range);
    set(SLOT, PCI_BASE_ADDRESS_4, 4, ~0u);
    set(SLOT, PCI_BASE_ADDRESS_5, 4, ~0u);
    ck_assert_uint_eq(get(SLOT, PCI_BASE_ADDRESS_4, 4), 0xc);
    ck_assert_uint_eq(get(SLOT, PCI_BASE_ADDRESS_5, 4), 0xfffffffe);
}
END_TEST

START_TEST(a_bar_answers_while_its_command_bit_is_set)
{
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    set(SLOT, PCI_BASE_ADDRESS_1, 4, 0xc000);
    ck_assert_uint_eq(peek(0xe0000000), NONE);
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(peek(0xe0000000), NEAR);
    ck_assert_uint_eq(peek(0xe0000ffc), NEAR);
    ck_assert_uint_eq(peek(0xe0001000), NONE);
    ck_assert_uint_eq(in(0xc000, 4), NONE);
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    ck_assert_uint_eq(in(0xc01c, 4), NEAR);
    ck_assert_uint_eq(in(0xc020, 4), NONE);
    /* PCI11: memory decoding is off again. */
    ck_assert_uint_eq(peek(0xe0000000), NONE);
    bus_write(&memory, 0xe0000000, 4, 1);
    ck_assert_uint_eq(near_probe.writes, 0);
}
END_TEST

START_TEST(a_bar_moves_while_it_is_on)
{
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    ck_assert_uint_eq(peek(0xe0000000), NEAR);
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0001fff); /* the low bits are not the guest's */
    ck_assert_uint_eq(peek(0xe0000000), NONE);
    ck_assert_uint_eq(peek(0xe0001000), NEAR);
    set(SLOT, PCI_BASE_ADDRESS_0 + 3, 1, 0xd0); /* a byte is enough */
    ck_assert_uint_eq(peek(0xe0001000), NONE);
    ck_assert_uint_eq(peek(0xd0001000), NEAR);
}
END_TEST

START_TEST(a_64_bit_bar_goes_above_4_gib)
{
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    set(SLOT, PCI_BASE_ADDRESS_2, 4, 0x40000000);
    ck_assert_uint_eq(peek(0x40000000), NEAR);
    set(SLOT, PCI_BASE_ADDRESS_3, 4, 0x12);
    ck_assert_uint_eq(peek(0x40000000), NONE);
    ck_assert_uint_eq(peek(UINT64_C(0x1240000000)), NEAR);
}
END_TEST

START_TEST(the_last_bar_moves_too)
{
    struct bus_range range = probe_range(&near_probe, 0x1000);

    pci_function_add_bar(&near_function, 4, PCI_BAR_MEMORY_64, &range);
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    set(SLOT, PCI_BASE_ADDRESS_5, 4, 1);
    ck_assert_uint_eq(peek(UINT64_C(0x100000000)), NEAR);
}
END_TEST

START_TEST(pci14_a_bar_of_zero_shadows_nothing)
{
    struct probe low = {.answer = 0x44};

    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
    ck_assert_uint_eq(peek(0), NONE);
    ck_assert_uint_eq(in(0, 1), 0xff);
    /* A device at port 0x10 that comes later finds its place free. */
    ck_assert_int_eq(
        bus_add(&ports, &(struct bus_range){0x10, 1, 1, probe_read, probe_write, &low, NULL}), 0);
    ck_assert_uint_eq(in(0x10, 1), 0x44);
}
END_TEST

START_TEST(pci16_a_fixed_range_wins_until_the_bar_moves)
{
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xfec00000);
    ck_assert_uint_eq(peek(0xfec00000), FIXED);
    ck_assert(!near_function.bars[0].visible);
    set(SLOT, PCI_BASE_ADDRESS_2, 4, 0xfebf8000); /* 64 KiB: aligned down to 0xfebf0000 */
    ck_assert_uint_eq(peek(0xfebf8000), NEAR);
    set(SLOT, PCI_BASE_ADDRESS_2, 4, 0xfec00000); /* all 64 KiB are hidden, not 4 */
    ck_assert_uint_eq(peek(0xfec00000), FIXED);
    ck_assert_uint_eq(peek(0xfec01000), NONE);
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xfed00000);
    ck_assert_uint_eq(peek(0xfed00000), NEAR);
}
END_TEST

START_TEST(pci16_of_two_bars_the_first_one_stays_and_the_second_waits)
{
    set(7, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    set(7, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    ck_assert_uint_eq(peek(0xe0000000), FAR);
    /* The first one goes: in the same moment the other appears. */
    set(7, PCI_BASE_ADDRESS_0, 4, 0xe0008000);
    ck_assert_uint_eq(peek(0xe0000000), NEAR);
    ck_assert_uint_eq(peek(0xe0008000), FAR);
    set(7, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    ck_assert_uint_eq(peek(0xe0000000), NEAR);
    set(SLOT, PCI_COMMAND, 2, 0);
    ck_assert_uint_eq(peek(0xe0000000), FAR);
}
END_TEST

START_TEST(pci17_the_ends_of_the_address_space)
{
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xffffffff);
    ck_assert_uint_eq(peek(0xfffff000), NEAR);
    set(SLOT, PCI_BASE_ADDRESS_3, 4, 0xffffffff); /* the low half is 0 */
    ck_assert_uint_eq(peek(UINT64_C(0xffffffff00000000)), NEAR);
    set(SLOT, PCI_BASE_ADDRESS_2, 4, 0xffffffff); /* would end at 2^64 */
    ck_assert_uint_eq(peek(UINT64_C(0xffffffffffff0000)), NONE);
    set(SLOT, PCI_BASE_ADDRESS_2, 4, 0xfffeffff);
    ck_assert_uint_eq(peek(UINT64_C(0xfffffffffffe0000)), NEAR);
}
END_TEST

START_TEST(pci18_ports_that_are_taken_or_do_not_exist)
{
    static const uint32_t rows[] = {0xcf8, 0xce0, 0xcfc, 0x10000, 0xfffffff0, 0xfffc0000};

    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        set(SLOT, PCI_BASE_ADDRESS_1, 4, rows[i]);
        ck_assert_msg(!near_function.bars[1].visible, "row %u", i);
        ck_assert_uint_eq(get(SLOT, PCI_VENDOR_ID, 2), 0x1af4); /* the bridge lives */
    }
    set(SLOT, PCI_BASE_ADDRESS_1, 4, 0xffe0);
    ck_assert_uint_eq(in(0xfffc, 4), NEAR);
}
END_TEST

/* A BAR register written through a BAR's own neighbour, the bridge: one long access. */
START_TEST(an_access_may_move_the_bar_it_goes_on_to)
{
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_IO);
    set(SLOT, PCI_BASE_ADDRESS_1, 4, 0xd00);
    ck_assert_uint_eq(in(0xd00, 4), NEAR);
    out(PCI_ADDRESS_PORT, 4, at(SLOT, PCI_BASE_ADDRESS_1));
    out(PCI_DATA_PORT, 8, UINT64_C(0x55555555) << 32 | 0xe00);
    ck_assert_uint_eq(near_probe.writes, 0); /* it had left before the second half */
    ck_assert_uint_eq(in(0xe00, 4), NEAR);
}
END_TEST

struct moves {
    unsigned calls;
    bool visible;
    uint64_t start;
};

static void note_move(void *self, unsigned bar)
{
    struct moves *moves = self;

    moves->calls++;
    moves->visible = near_function.bars[bar].visible;
    moves->start = near_function.bars[bar].range.start;
}

START_TEST(a_function_hears_of_its_bars_moves)
{
    struct moves moves = {0};

    near_function.bar_moved = note_move;
    near_function.bar_moved_self = &moves;
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    ck_assert_uint_eq(moves.calls, 0);
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(moves.calls, 1);
    ck_assert(moves.visible && moves.start == 0xe0000000);
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0001000);
    ck_assert_uint_eq(moves.calls, 3); /* gone there, come here */
    ck_assert(moves.visible && moves.start == 0xe0001000);
    set(SLOT, PCI_CACHE_LINE_SIZE, 1, 8);
    ck_assert_uint_eq(moves.calls, 3);
    set(SLOT, PCI_COMMAND, 2, 0);
    ck_assert(!moves.visible && moves.start == 0xe0001000);
}
END_TEST

START_TEST(the_pin_is_a_level)
{
    pci_function_set_intx(&near_function, true);
    pci_function_set_intx(&near_function, true);
    ck_assert(wires[SLOT % PCI_WIRES]);
    ck_assert_uint_eq(edges, 1);
    ck_assert(get(SLOT, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_INTX_DISABLE);
    ck_assert(!wires[SLOT % PCI_WIRES]);
    ck_assert(get(SLOT, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT); /* still wanted */
    set(SLOT, PCI_COMMAND, 2, 0);
    ck_assert(wires[SLOT % PCI_WIRES]);
    pci_function_set_intx(&near_function, false);
    ck_assert(!wires[SLOT % PCI_WIRES]);
    ck_assert(!(get(SLOT, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT));
}
END_TEST

START_TEST(slots_and_pins_take_turns_with_the_wires)
{
    struct pci_function functions[4];

    for (unsigned pin = 1; pin <= 4; pin++) {
        struct pci_function *f = &functions[pin - 1];

        pci_function_init(f, &(struct pci_identity){.vendor = 1, .interrupt_pin = pin});
        ck_assert_int_eq(pci_host_plug(&host, 16 + 3 * pin, f), 0);
        pci_function_set_intx(f, true);
        ck_assert(wires[(3 * pin + pin - 1) % PCI_WIRES]);
        ck_assert_uint_eq(get(16 + 3 * pin, PCI_INTERRUPT_LINE, 1), 16 + (4 * pin - 1) % 4);
        pci_function_set_intx(f, false);
    }
}
END_TEST

START_TEST(a_pin_is_driven_when_its_level_changes)
{
    near_function.intx = (struct irq_line){wire_set, &wires[0]};
    pci_function_set_intx(&near_function, true);
    pci_function_set_intx(&near_function, true);
    set(SLOT, PCI_LATENCY_TIMER, 1, 3);
    pci_function_set_intx(&near_function, false);
    pci_function_set_intx(&near_function, false);
    ck_assert_uint_eq(edges, 2);
}
END_TEST

START_TEST(pci45_a_shared_wire_stays_up_while_anyone_pulls)
{
    pci_function_set_intx(&near_function, true); /* slots 3 and 7 share wire 3 */
    pci_function_set_intx(&far_function, true);
    ck_assert_uint_eq(edges, 1);
    pci_function_set_intx(&near_function, false);
    ck_assert(wires[3]);
    pci_function_set_intx(&far_function, false);
    ck_assert(!wires[3]);
    ck_assert_uint_eq(edges, 2);
}
END_TEST

struct uses {
    unsigned reads, writes, offset, size;
};

static void note_read(void *self, unsigned offset, unsigned size)
{
    struct uses *uses = self;

    uses->reads++;
    uses->offset = offset;
    uses->size = size;
    pci_config_set(&near_function, 0x50, 1, 0x5a + uses->reads); /* in time to be read */
}

static void note_write(void *self, unsigned offset, unsigned size)
{
    struct uses *uses = self;

    uses->writes++;
    uses->offset = offset;
    uses->size = size;
}

START_TEST(capabilities_are_a_list_with_hooks)
{
    struct uses uses = {0};
    unsigned first, second;

    first = pci_function_add_capability(&near_function,
                                        &(struct pci_capability){.id = 0x05, .length = 5});
    second = pci_function_add_capability(&near_function,
                                         &(struct pci_capability){.id = PCI_CAP_ID_VNDR,
                                                                  .length = 16,
                                                                  .reading = note_read,
                                                                  .written = note_write,
                                                                  .self = &uses});
    pci_config_allow(&near_function, second + 4, 2, 0x0ff0);

    ck_assert(get(SLOT, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST);
    ck_assert_uint_eq(get(SLOT, PCI_CAPABILITY_LIST, 1), first);
    ck_assert_uint_eq(get(SLOT, first, 2), second << 8 | 0x05);
    ck_assert_uint_eq(second, first + 8);
    ck_assert_uint_eq(get(SLOT, second, 2), PCI_CAP_ID_VNDR);
    ck_assert_uint_eq(uses.reads, 1);
    ck_assert_uint_eq(get(SLOT, second + 8, 1), 0x5a + 2);
    ck_assert(uses.reads == 2 && uses.offset == 8 && uses.size == 1);
    set(SLOT, first + 4, 4, ~0u);
    ck_assert_uint_eq(uses.writes, 0);
    set(SLOT, second + 6, 2, ~0u);
    ck_assert(uses.writes == 1 && uses.offset == 6 && uses.size == 2);
    set(SLOT, second + 4, 4, ~0u);
    ck_assert_uint_eq(get(SLOT, second + 4, 4), 0x0ff0);
    set(SLOT, second + 16, 1, 1); /* behind its end */
    ck_assert_uint_eq(uses.writes, 2);
    set(SLOT, second, 4, 0); /* the list itself is not the guest's */
    ck_assert_uint_eq(get(SLOT, second, 2), PCI_CAP_ID_VNDR);
}
END_TEST

START_TEST(pci43_no_power_management_no_power_state)
{
    for (unsigned offset = 0x40; offset < 0x100; offset += 4)
        set(SLOT, offset, 4, 3); /* D3hot, wherever it might be */
    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(peek(0xe0000000), NEAR);
}
END_TEST

START_TEST(pci48_there_is_no_hot_plug_controller)
{
    for (uint64_t port = 0xae00; port < 0xae20; port += 4) {
        ck_assert_uint_eq(in(port, 4), NONE);
        out(port, 4, ~0u); /* "eject every slot" */
    }
    ck_assert_uint_eq(get(SLOT, PCI_VENDOR_ID, 2), 0x1af4);
}
END_TEST

START_TEST(slots_hold_one_function_each)
{
    struct pci_function spare[PCI_SLOTS];
    unsigned plugged = 0;

    ck_assert_int_eq(pci_host_plug(&host, SLOT, &far_function), -EEXIST);
    ck_assert_int_eq(pci_host_plug(&host, PCI_SLOTS, &far_function), -EINVAL);
    ck_assert_int_eq(pci_host_free_slot(&host), 1);
    while (pci_host_free_slot(&host) >= 0) {
        pci_function_init(&spare[plugged], &(struct pci_identity){.vendor = 1});
        ck_assert_int_eq(pci_host_plug(&host, (unsigned)pci_host_free_slot(&host), &spare[plugged]),
                         0);
        plugged++;
    }
    ck_assert_uint_eq(plugged, PCI_SLOTS - 3);
    ck_assert_int_eq(pci_host_free_slot(&host), -ENOSPC);
}
END_TEST

START_TEST(placing_gives_every_bar_its_own_aligned_range)
{
    ck_assert_int_eq(pci_host_place(&host, 0xc001, 0xd000, 0xe0000010, 0xe1000000), 0);
    ck_assert_uint_eq(get(SLOT, PCI_BASE_ADDRESS_0, 4), 0xe0001000);
    ck_assert_uint_eq(get(SLOT, PCI_BASE_ADDRESS_1, 4), 0xc021);
    ck_assert_uint_eq(get(SLOT, PCI_BASE_ADDRESS_2, 4), 0xe001000c);
    ck_assert_uint_eq(get(7, PCI_BASE_ADDRESS_0, 4), 0xe0020000);
    ck_assert_uint_eq(get(7, PCI_COMMAND, 2), PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(peek(0xe0001000), NEAR);
    ck_assert_uint_eq(peek(0xe0020000), FAR);
    ck_assert_uint_eq(in(0xc020, 4), NEAR);
    ck_assert_int_eq(pci_host_place(&host, 0xc000, 0xd000, 0xe0000000, 0xe0001000), -ENOSPC);
}
END_TEST

/* PCI19: one thread moves the BAR, another uses it, each under the buses' lock. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *use_bar(void *wrong)
{
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t a, b;
        bool on;

        pthread_mutex_lock(&lock);
        a = peek(0xe0000000);
        b = peek(0xe0001000);
        on = near_function.bars[0].visible;
        pthread_mutex_unlock(&lock);
        *(unsigned *)wrong += on ? (a == NEAR) == (b == NEAR) : a == NEAR || b == NEAR;
    }
    return NULL;
}

START_TEST(pci19_a_bar_moved_while_another_thread_uses_it)
{
    unsigned wrong = 0;
    pthread_t user;

    set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0000000);
    set(SLOT, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    ck_assert_int_eq(pthread_create(&user, NULL, use_bar, &wrong), 0);
    for (unsigned i = 0; i < 20000; i++) {
        pthread_mutex_lock(&lock);
        set(SLOT, PCI_BASE_ADDRESS_0, 4, 0xe0000000 | (i & 1) << 12);
        set(SLOT, PCI_COMMAND, 2, i % 3 ? PCI_COMMAND_MEMORY : 0);
        pthread_mutex_unlock(&lock);
    }
    pthread_join(user, NULL);
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* Whatever is written where: identities stay, buses stay consistent, BARs stay theirs. */
START_TEST(random_configuration_writes_break_nothing)
{
    static const unsigned slots[] = {0, SLOT, 7, 9};

    srand(41);
    for (unsigned i = 0; i < 300000; i++) {
        unsigned offset = (unsigned)rand() % 256, size = 1u << rand() % 3;
        uint32_t value = (uint32_t)rand() << 16 ^ (uint32_t)rand();

        if (rand() % 4 == 0)
            value = rand() % 2 ? ~0u : 0xfec00000 + ((uint32_t)rand() % 3 << 12);
        set(slots[rand() % 4], offset & ~(size - 1), size, value);
        if (rand() % 8 == 0)
            peek(value);
    }
    ck_assert_uint_eq(get(SLOT, PCI_VENDOR_ID, 4), 0x10ff1af4);
    ck_assert_uint_eq(get(0, PCI_VENDOR_ID, 4), 0x12378086);
    ck_assert_uint_eq(peek(0xfec00000), FIXED);
    for (unsigned i = 1; i < memory.count; i++)
        ck_assert(memory.ranges[i - 1].start + memory.ranges[i - 1].size <= memory.ranges[i].start);
    set(SLOT, PCI_COMMAND, 2, 0);
    set(7, PCI_COMMAND, 2, 0);
    ck_assert_uint_eq(memory.count, 1);
    ck_assert_uint_eq(ports.count, 2);
}
END_TEST

static Suite *pci_suite(void)
{
    Suite *suite = suite_create("04 pci");
    TCase *tests = tcase_create("pci");

    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, the_bridge_is_a_440fx_in_slot_0);
    tcase_add_test(tests, the_header_shows_the_identity);
    tcase_add_test(tests, pci01_without_the_enable_bit_nobody_answers);
    tcase_add_test(tests, pci02_only_what_is_plugged_in_exists);
    tcase_add_test(tests, pci03_the_address_register_takes_4_bytes_only);
    tcase_add_test(tests, pci03_data_may_be_read_in_any_width_and_place);
    tcase_add_test(tests, port_cf9_still_resets);
    tcase_add_test(tests, only_defined_bits_stick);
    tcase_add_test(tests, pci08_status_bits_are_cleared_by_ones);
    tcase_add_test(tests, writing_ones_shows_a_bars_size);
    tcase_add_test(tests, a_bar_of_4_gib_and_more_has_its_size_in_the_high_half);
    tcase_add_test(tests, a_bar_answers_while_its_command_bit_is_set);
    tcase_add_test(tests, a_bar_moves_while_it_is_on);
    tcase_add_test(tests, a_64_bit_bar_goes_above_4_gib);
    tcase_add_test(tests, the_last_bar_moves_too);
    tcase_add_test(tests, pci14_a_bar_of_zero_shadows_nothing);
    tcase_add_test(tests, pci16_a_fixed_range_wins_until_the_bar_moves);
    tcase_add_test(tests, pci16_of_two_bars_the_first_one_stays_and_the_second_waits);
    tcase_add_test(tests, pci17_the_ends_of_the_address_space);
    tcase_add_test(tests, pci18_ports_that_are_taken_or_do_not_exist);
    tcase_add_test(tests, an_access_may_move_the_bar_it_goes_on_to);
    tcase_add_test(tests, a_function_hears_of_its_bars_moves);
    tcase_add_test(tests, the_pin_is_a_level);
    tcase_add_test(tests, slots_and_pins_take_turns_with_the_wires);
    tcase_add_test(tests, a_pin_is_driven_when_its_level_changes);
    tcase_add_test(tests, pci45_a_shared_wire_stays_up_while_anyone_pulls);
    tcase_add_test(tests, capabilities_are_a_list_with_hooks);
    tcase_add_test(tests, pci43_no_power_management_no_power_state);
    tcase_add_test(tests, pci48_there_is_no_hot_plug_controller);
    tcase_add_test(tests, slots_hold_one_function_each);
    tcase_add_test(tests, placing_gives_every_bar_its_own_aligned_range);
    tcase_add_test(tests, pci19_a_bar_moved_while_another_thread_uses_it);
    tcase_add_test(tests, random_configuration_writes_break_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(pci_suite());
}
