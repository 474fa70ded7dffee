/*
 * test_dma_timer.c: the data sheet of dma_timer.h, line by line, by a driver in C that
 * has a bus, a megabyte of RAM, and a clock that it turns by hand.
 */
#include <stdlib.h>
#include <string.h>

#include "04-devices/dma_timer.h"
#include "04-devices/pci.h"
#include "common/bits.h"
#include "harness/harness.h"

#define BASE 0xe0000000u
#define DESC 0x2000u /* where the driver keeps its descriptor */

static struct bus ports, memory;
static struct guest_memory ram;
static struct pci_host host;
static struct dma_timer device;
static bool wire;
static unsigned messages;
static int64_t now, alarm_at;

static void wire_set(void *self, bool level)
{
    (void)self;
    wire = level;
}

static void message(void *self, uint64_t address, uint32_t data)
{
    (void)self, (void)address, (void)data;
    messages++;
}

static int64_t time_now(void *self)
{
    (void)self;
    return now;
}

static void time_set(void *self, int64_t when)
{
    (void)self;
    alarm_at = when;
}

static uint32_t get(unsigned reg)
{
    return (uint32_t)bus_read(&memory, BASE + reg, 4);
}

static void set(unsigned reg, uint32_t value)
{
    bus_write(&memory, BASE + reg, 4, value);
}

static void command(uint32_t value)
{
    pci_config_write(&host, 4 << 3, PCI_COMMAND, 2, value);
}

static void setup(void)
{
    struct pci_wire wires[PCI_WIRES] = {0};
    unsigned char *bytes;

    ports = memory = (struct bus){0};
    wire = false;
    messages = 0;
    now = 1000000000;
    alarm_at = ALARM_NEVER;
    ck_assert_int_eq(guest_memory_add(&ram, 0, MIB), 0);
    bytes = guest_ptr(&ram, 0, MIB);
    for (unsigned i = 0x10000; i < MIB; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);

    for (unsigned i = 0; i < PCI_WIRES; i++)
        wires[i].line = (struct irq_line){wire_set, NULL};
    pci_host_init(&host, &ports, &memory, wires, NULL);
    dma_timer_init(&device, &ram, (struct clock){time_now, NULL}, (struct alarm){time_set, NULL},
                   (struct msi_sender){message, NULL});
    ck_assert_int_eq(pci_host_plug(&host, 4, &device.pci), 0);
    pci_config_write(&host, 4 << 3, PCI_BASE_ADDRESS_0, 4, BASE);
    command(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    set(DMA_TIMER_REG_DESC_LOW, DESC);
}

static void teardown(void)
{
    guest_memory_free(&ram);
}

/* What a driver does: writes a descriptor, rings. Returns the status it finds. */
static uint32_t transfer(uint64_t source, uint64_t destination, uint32_t length, uint32_t flags)
{
    struct dma_descriptor *d = guest_ptr(&ram, DESC, sizeof *d);

    *d = (struct dma_descriptor){
        .source = source, .destination = destination, .length = length, .flags = flags};
    set(DMA_TIMER_DOORBELL, 1);
    return d->status;
}

/* [first-test] */
START_TEST(a_doorbell_copies)
{
    ck_assert_uint_eq(transfer(0x20000, 0x80000, 5000, 0), DMA_STATUS_DONE | DMA_OK);
    ck_assert_mem_eq(guest_ptr(&ram, 0x80000, 5000), guest_ptr(&ram, 0x20000, 5000), 5000);
    ck_assert_uint_eq(get(DMA_TIMER_REG_ERROR), DMA_OK);
    ck_assert_uint_eq(get(DMA_TIMER_REG_COPIED), 5000);
    ck_assert_uint_eq(get(DMA_TIMER_REG_CAUSE), 0); /* nobody asked for an interrupt */
}
END_TEST
/* [/first-test] */

START_TEST(only_the_bytes_asked_for_change)
{
    const uint8_t *bytes = guest_ptr(&ram, 0, MIB);
    uint8_t before = bytes[0x7ffff], after = bytes[0x80005];

    transfer(0x30001, 0x80000, 5, 0);
    ck_assert_uint_eq(bytes[0x7ffff], before);
    ck_assert_uint_eq(bytes[0x80005], after);
    ck_assert_mem_eq(bytes + 0x80000, bytes + 0x30001, 5);
}
END_TEST

START_TEST(overlapping_ranges_are_copied_as_through_a_buffer)
{
    uint8_t copy[3000];
    const uint8_t *bytes = guest_ptr(&ram, 0, MIB);

    memcpy(copy, bytes + 0x20000, sizeof copy);
    transfer(0x20000, 0x20100, sizeof copy, 0);
    ck_assert_mem_eq(bytes + 0x20100, copy, sizeof copy);
}
END_TEST

START_TEST(errors_are_told_and_nothing_is_copied)
{
    static const struct {
        uint64_t source, destination;
        uint32_t length, flags, error;
    } rows[] = {
        {0x20000, 0x80000, 0, 0, DMA_BAD_LENGTH},
        {0x20000, 0x80000, DMA_LENGTH_MAX + 1, 0, DMA_BAD_LENGTH},
        {0x20000, 0x80000, UINT32_MAX, 0, DMA_BAD_LENGTH},
        {0x20000, 0x80000, 16, 2, DMA_BAD_FLAGS},
        {0x20000, 0x80000, 16, 0x80000001, DMA_BAD_FLAGS},
        {MIB - 8, 0x80000, 9, 0, DMA_BAD_SOURCE},
        {MIB, 0x80000, 1, 0, DMA_BAD_SOURCE},
        {BASE, 0x80000, 4, 0, DMA_BAD_SOURCE}, /* its own registers are no RAM */
        {UINT64_MAX, 0x80000, 2, 0, DMA_BAD_SOURCE},
        {UINT64_MAX - 15, 0x80000, 16, 0, DMA_BAD_SOURCE},
        {0x20000, MIB - 1, 2, 0, DMA_BAD_DESTINATION},
        {0x20000, UINT64_C(0x100080000), 16, 0, DMA_BAD_DESTINATION},
        {0x20000, BIT(63), 16, 0, DMA_BAD_DESTINATION},
    };
    uint8_t *before = malloc(MIB - 0x10000);

    memcpy(before, guest_ptr(&ram, 0x10000, MIB - 0x10000), MIB - 0x10000);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        set(DMA_TIMER_REG_CAUSE, ~0u);
        ck_assert_msg(transfer(rows[i].source, rows[i].destination, rows[i].length,
                               rows[i].flags) == (DMA_STATUS_DONE | rows[i].error),
                      "row %u", i);
        ck_assert_uint_eq(get(DMA_TIMER_REG_ERROR), rows[i].error);
        ck_assert_uint_eq(get(DMA_TIMER_REG_CAUSE), DMA_TIMER_FAILED);
    }
    ck_assert_mem_eq(before, guest_ptr(&ram, 0x10000, MIB - 0x10000), MIB - 0x10000);
    ck_assert_uint_eq(get(DMA_TIMER_REG_COPIED), 0);
    free(before);
}
END_TEST

START_TEST(the_last_byte_of_ram_is_ram)
{
    ck_assert_uint_eq(transfer(MIB - 16, 0x80000, 16, 0), DMA_STATUS_DONE);
    ck_assert_uint_eq(transfer(0x20000, MIB - DMA_LENGTH_MAX, DMA_LENGTH_MAX, 0), DMA_STATUS_DONE);
}
END_TEST

START_TEST(a_descriptor_outside_ram_is_an_error)
{
    static const struct {
        uint32_t low, high;
    } rows[] = {{MIB, 0}, {BASE, 0}, {DESC, 1}, {0xffffffff, 0xffffffff}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        set(DMA_TIMER_REG_CAUSE, ~0u);
        set(DMA_TIMER_REG_DESC_LOW, rows[i].low);
        set(DMA_TIMER_REG_DESC_HIGH, rows[i].high);
        ck_assert_uint_eq(get(DMA_TIMER_REG_DESC_LOW), rows[i].low & ~31u);
        ck_assert_uint_eq(get(DMA_TIMER_REG_DESC_HIGH), rows[i].high);
        set(DMA_TIMER_DOORBELL, 0);
        ck_assert_uint_eq(get(DMA_TIMER_REG_ERROR), DMA_BAD_DESCRIPTOR);
        ck_assert_uint_eq(get(DMA_TIMER_REG_CAUSE), DMA_TIMER_FAILED);
    }
}
END_TEST

START_TEST(without_bus_mastering_memory_is_out_of_reach)
{
    command(PCI_COMMAND_MEMORY);
    ck_assert_uint_eq(transfer(0x20000, 0x80000, 16, 0), 0); /* not even a status */
    ck_assert_uint_eq(get(DMA_TIMER_REG_ERROR), DMA_NOT_MASTER);
    ck_assert_uint_eq(get(DMA_TIMER_REG_CAUSE), DMA_TIMER_FAILED);
}
END_TEST

START_TEST(a_descriptor_may_be_overwritten_by_its_own_copy)
{
    /* The numbers were taken before; only the status is written afterwards. */
    ck_assert_uint_eq(transfer(0x20000, DESC, 64, 0), DMA_STATUS_DONE);
    ck_assert_mem_eq(guest_ptr(&ram, DESC, 24), guest_ptr(&ram, 0x20000, 24), 24);
    ck_assert_uint_eq(get(DMA_TIMER_REG_COPIED), 64);
}
END_TEST

START_TEST(the_pin_is_high_while_an_enabled_cause_is_set)
{
    transfer(0x20000, 0x80000, 16, DMA_FLAG_INTERRUPT);
    ck_assert_uint_eq(get(DMA_TIMER_REG_CAUSE), DMA_TIMER_COPIED);
    ck_assert(!wire);
    set(DMA_TIMER_REG_ENABLE, ~0u);
    ck_assert_uint_eq(get(DMA_TIMER_REG_ENABLE), DMA_TIMER_CAUSES);
    ck_assert(wire);
    transfer(0, 0, 0, 0); /* fails */
    set(DMA_TIMER_REG_CAUSE, DMA_TIMER_COPIED);
    ck_assert(wire);
    set(DMA_TIMER_REG_CAUSE, DMA_TIMER_FAILED);
    ck_assert(!wire);
    ck_assert_uint_eq(messages, 0);
}
END_TEST

START_TEST(a_message_is_sent_for_each_cause_that_becomes_set)
{
    pci_config_write(&host, 4 << 3, device.msi.capability + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
    set(DMA_TIMER_REG_ENABLE, DMA_TIMER_COPIED | DMA_TIMER_FAILED);
    transfer(0x20000, 0x80000, 16, DMA_FLAG_INTERRUPT);
    ck_assert_uint_eq(messages, 1);
    transfer(0x20000, 0x80000, 16, DMA_FLAG_INTERRUPT); /* still set: no news */
    ck_assert_uint_eq(messages, 1);
    transfer(0, 0, 0, 0);
    ck_assert_uint_eq(messages, 2);
    set(DMA_TIMER_REG_CAUSE, DMA_TIMER_COPIED);
    transfer(0x20000, 0x80000, 16, DMA_FLAG_INTERRUPT);
    ck_assert_uint_eq(messages, 3);
    ck_assert(!wire);
}
END_TEST

static void turn_clock(int64_t us)
{
    now += us * 1000;
    if (now >= alarm_at)
        dma_timer_alarm(&device);
}

START_TEST(a_timer_fires_once)
{
    set(DMA_TIMER_REG_PERIOD, 500);
    set(DMA_TIMER_REG_ENABLE, DMA_TIMER_FIRED);
    set(DMA_TIMER_REG_TIMER, DMA_TIMER_RUN);
    turn_clock(499);
    ck_assert(!wire);
    turn_clock(1);
    ck_assert(wire);
    ck_assert_uint_eq(get(DMA_TIMER_REG_TICKS), 1);
    ck_assert_uint_eq(get(DMA_TIMER_REG_TIMER), 0);
    ck_assert_int_eq(alarm_at, ALARM_NEVER);
}
END_TEST

START_TEST(a_repeating_timer_keeps_its_beat)
{
    set(DMA_TIMER_REG_PERIOD, 500);
    set(DMA_TIMER_REG_TIMER, DMA_TIMER_RUN | DMA_TIMER_REPEAT);
    turn_clock(700); /* late by 200 us; the next is due at 1000 all the same */
    ck_assert_int_eq(alarm_at, 1000000000 + 1000 * 1000);
    turn_clock(300);
    ck_assert_uint_eq(get(DMA_TIMER_REG_TICKS), 2);
    turn_clock(2600); /* five periods missed or met: counted, one interrupt */
    ck_assert_uint_eq(get(DMA_TIMER_REG_TICKS), 7);
    ck_assert_int_eq(alarm_at, 1000000000 + 4000 * 1000);
    set(DMA_TIMER_REG_TIMER, 0);
    ck_assert_int_eq(alarm_at, ALARM_NEVER);
    set(DMA_TIMER_REG_CAUSE, DMA_TIMER_FIRED);
    dma_timer_alarm(&device); /* one that was on its way when the guest stopped it */
    ck_assert_uint_eq(get(DMA_TIMER_REG_TICKS), 7);
    ck_assert_uint_eq(get(DMA_TIMER_REG_CAUSE), 0);
    set(DMA_TIMER_REG_TIMER, DMA_TIMER_RUN);
    ck_assert_uint_eq(get(DMA_TIMER_REG_TICKS), 0);
}
END_TEST

START_TEST(no_timer_is_faster_than_100_us)
{
    for (uint32_t period = 0; period <= 100; period += 50) {
        set(DMA_TIMER_REG_PERIOD, period);
        set(DMA_TIMER_REG_TIMER, DMA_TIMER_RUN | DMA_TIMER_REPEAT);
        ck_assert_int_eq(alarm_at, now + 100000);
    }
    set(DMA_TIMER_REG_PERIOD, UINT32_MAX);
    set(DMA_TIMER_REG_TIMER, ~0u);
    ck_assert_int_eq(alarm_at, now + INT64_C(4294967295000));
    ck_assert_uint_eq(get(DMA_TIMER_REG_TIMER), 3);
}
END_TEST

START_TEST(registers_are_4_bytes_wide)
{
    ck_assert_uint_eq(get(DMA_TIMER_REG_IDENT), DMA_TIMER_IDENT);
    ck_assert_uint_eq(bus_read(&memory, BASE, 1), 0xff);
    ck_assert_uint_eq(bus_read(&memory, BASE, 2), 0xffff);
    ck_assert_uint_eq(bus_read(&memory, BASE, 8), DMA_TIMER_IDENT); /* CAUSE is 0 */
    bus_write(&memory, BASE + DMA_TIMER_REG_PERIOD, 1, 5);
    bus_write(&memory, BASE + DMA_TIMER_DOORBELL, 2, 5);
    ck_assert_uint_eq(get(DMA_TIMER_REG_PERIOD), 0);
    ck_assert_uint_eq(get(DMA_TIMER_REG_CAUSE), 0);
    ck_assert_uint_eq(get(DMA_TIMER_DOORBELL), 0xffffffff);
    for (unsigned reg = 0x2c; reg < DMA_TIMER_BAR_SIZE; reg += 4)
        ck_assert_uint_eq(get(reg), 0xffffffff);
}
END_TEST

/* A guest gone mad: any register, any value, any descriptor, any time. */
START_TEST(random_drivers_hurt_nobody)
{
    static const unsigned regs[] = {0x00, 0x04, 0x08, 0x0c, 0x10, 0x14,  0x18,
                                    0x1c, 0x20, 0x24, 0x28, 0x2c, 0x1000};
    uint32_t *words = guest_ptr(&ram, 0, MIB);

    srand(47);
    for (unsigned i = 0; i < 300000; i++) {
        unsigned reg = regs[(unsigned)rand() % ARRAY_SIZE(regs)];
        uint32_t value = (uint32_t)rand() << (unsigned)rand() % 32;

        unsigned field = (unsigned)rand() % 8;     /* of the descriptor, in words */
        bool small = field % 2 == 1 && rand() % 8; /* high halves, flags: mostly sane */

        words[DESC / 4 + field] = small ? (uint32_t)rand() % 2 * (field == 5)
                                        : (uint32_t)rand() >> (unsigned)rand() % 32;
        bus_write(&memory, BASE + reg, 1u << rand() % 4, rand() % 4 ? value : DESC);
        bus_read(&memory, BASE + reg + (unsigned)rand() % 4, 1u << rand() % 4);
        if (rand() % 16 == 0)
            set(DMA_TIMER_REG_DESC_HIGH, 0);
        if (rand() % 8 == 0)
            turn_clock(rand() % 100000);
        if (rand() % 64 == 0)
            dma_timer_alarm(&device);
    }
    ck_assert_uint_gt(get(DMA_TIMER_REG_COPIED), 0);
    ck_assert_uint_eq(get(DMA_TIMER_REG_IDENT), DMA_TIMER_IDENT);
}
END_TEST

static Suite *dma_timer_suite(void)
{
    Suite *suite = suite_create("04 dma_timer");
    TCase *tests = tcase_create("dma_timer");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_doorbell_copies);
    tcase_add_test(tests, only_the_bytes_asked_for_change);
    tcase_add_test(tests, overlapping_ranges_are_copied_as_through_a_buffer);
    tcase_add_test(tests, errors_are_told_and_nothing_is_copied);
    tcase_add_test(tests, the_last_byte_of_ram_is_ram);
    tcase_add_test(tests, a_descriptor_outside_ram_is_an_error);
    tcase_add_test(tests, without_bus_mastering_memory_is_out_of_reach);
    tcase_add_test(tests, a_descriptor_may_be_overwritten_by_its_own_copy);
    tcase_add_test(tests, the_pin_is_high_while_an_enabled_cause_is_set);
    tcase_add_test(tests, a_message_is_sent_for_each_cause_that_becomes_set);
    tcase_add_test(tests, a_timer_fires_once);
    tcase_add_test(tests, a_repeating_timer_keeps_its_beat);
    tcase_add_test(tests, no_timer_is_faster_than_100_us);
    tcase_add_test(tests, registers_are_4_bytes_wide);
    tcase_add_test(tests, random_drivers_hurt_nobody);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(dma_timer_suite());
}
