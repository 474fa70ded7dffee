/*
 * test_mmio.c: the register page, through a bus, as a guest's processor sees it.
 */
#include "04-devices/bus.h"
#include "05-virtio/virtio_mmio.h"
#include "05-virtio/virtio_rng.h"
#include "guest.h"

#define BASE 0xd0000000u

static struct guest guest;
static struct virtio_rng rng;
static struct virtio_mmio transport;
static struct bus bus;
static struct ring ring;
static bool level;
static unsigned edges;

static void wire(void *self, bool now)
{
    (void)self;
    ck_assert(now != level);
    level = now;
    edges++;
}

static uint32_t get(uint64_t reg)
{
    return (uint32_t)bus_read(&bus, BASE + reg, 4);
}

static void put(uint64_t reg, uint32_t value)
{
    bus_write(&bus, BASE + reg, 4, value);
}

static void power_up(void)
{
    guest_ram(&guest);
    memset(&bus, 0, sizeof bus);
    level = false;
    edges = 0;
    virtio_rng_init(&rng, &guest.memory, entropy_host());
    virtio_mmio_init(&transport, &rng.device, (struct irq_line){wire, NULL});
    ck_assert_int_eq(bus_add(&bus, &(struct bus_range){.start = BASE,
                                                       .size = VIRTIO_MMIO_SIZE,
                                                       .width = 4,
                                                       .read = virtio_mmio_read,
                                                       .write = virtio_mmio_write,
                                                       .self = &transport}),
                     0);
}

static void done(void)
{
    guest_memory_free(&guest.memory);
}

static void put_address(uint64_t reg, gpa_t address)
{
    put(reg, (uint32_t)address);
    put(reg + 4, (uint32_t)(address >> 32));
}

static void place_queue(uint32_t size)
{
    put(VIRTIO_MMIO_QUEUE_SEL, 0);
    put(VIRTIO_MMIO_QUEUE_NUM, size);
    put_address(VIRTIO_MMIO_QUEUE_DESC_LOW, ring.setup.descriptors);
    put_address(VIRTIO_MMIO_QUEUE_AVAIL_LOW, ring.setup.driver);
    put_address(VIRTIO_MMIO_QUEUE_USED_LOW, ring.setup.device);
}

/* As a driver does it. [VIRTIO, 4.2.3.1 "Device Initialization"] */
static void bring_up(void)
{
    put(VIRTIO_MMIO_STATUS, 0);
    put(VIRTIO_MMIO_STATUS, 1);
    put(VIRTIO_MMIO_STATUS, 3);
    put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
    put(VIRTIO_MMIO_DRIVER_FEATURES, 1 | 1u << (VIRTIO_F_RING_RESET - 32));
    put(VIRTIO_MMIO_STATUS, 3 | VIRTIO_CONFIG_S_FEATURES_OK);
    ck_assert(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK);
    ring_init(&ring, &guest.memory, GUEST_RINGS, 8, 0);
    place_queue(8);
    put(VIRTIO_MMIO_QUEUE_READY, 1);
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_READY), 1);
    put(VIRTIO_MMIO_STATUS, 3 | VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void ask(void)
{
    ck_assert_int_ge(ring_add(&ring, &(struct piece){GUEST_FREE, 16, true}, 1, false), 0);
    ring_publish(&ring);
    put(VIRTIO_MMIO_QUEUE_NOTIFY, 0);
}

static uint32_t answer(void)
{
    uint16_t id;
    uint32_t written;

    return ring_take(&ring, &id, &written) ? written : 0;
}

START_TEST(the_device_says_what_it_is)
{
    ck_assert_uint_eq(get(VIRTIO_MMIO_MAGIC_VALUE), 0x74726976);
    ck_assert_uint_eq(get(VIRTIO_MMIO_VERSION), 2);
    ck_assert_uint_eq(get(VIRTIO_MMIO_DEVICE_ID), 4);
    ck_assert_uint_eq(get(VIRTIO_MMIO_STATUS), 0);
}
END_TEST

START_TEST(a_driver_can_use_it)
{
    bring_up();
    for (unsigned i = 0; i < 100; i++) {
        ask();
        ck_assert(level);
        ck_assert_uint_eq(get(VIRTIO_MMIO_INTERRUPT_STATUS), 1);
        put(VIRTIO_MMIO_INTERRUPT_ACK, 1);
        ck_assert(!level);
        ck_assert_uint_eq(answer(), 16);
    }
    ck_assert_uint_eq(edges, 200);
}
END_TEST

START_TEST(the_line_is_high_until_every_cause_is_acknowledged)
{
    bring_up();
    ask();
    virtio_device_config_changed(&rng.device);
    ck_assert_uint_eq(get(VIRTIO_MMIO_INTERRUPT_STATUS), 3);
    put(VIRTIO_MMIO_INTERRUPT_ACK, 1);
    ck_assert(level);
    put(VIRTIO_MMIO_INTERRUPT_ACK, 0xfffffffc);
    ck_assert(level);
    put(VIRTIO_MMIO_INTERRUPT_ACK, 2);
    ck_assert(!level);
}
END_TEST

START_TEST(feature_words_are_selected)
{
    put(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
    ck_assert_uint_eq(get(VIRTIO_MMIO_DEVICE_FEATURES) & 1, 1);
    put(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
    ck_assert(get(VIRTIO_MMIO_DEVICE_FEATURES) & 1u << VIRTIO_RING_F_EVENT_IDX);
    put(VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0xffffffff);
    ck_assert_uint_eq(get(VIRTIO_MMIO_DEVICE_FEATURES), 0);
    put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0xffffffff);
    put(VIRTIO_MMIO_DRIVER_FEATURES, 0xffffffff);
    ck_assert_uint_eq(rng.device.accepted, 0);
}
END_TEST

/* VQ50, VQ51 */
START_TEST(a_ready_queue_is_fixed)
{
    struct virtqueue_setup before;

    bring_up();
    before = rng.device.queues[0].setup;
    place_queue(0);
    put_address(VIRTIO_MMIO_QUEUE_DESC_LOW, UINT64_MAX);
    put_address(VIRTIO_MMIO_QUEUE_AVAIL_LOW, UINT64_MAX);
    put_address(VIRTIO_MMIO_QUEUE_USED_LOW, UINT64_MAX);
    put(VIRTIO_MMIO_QUEUE_NUM, 0xffff);
    put(VIRTIO_MMIO_QUEUE_READY, 1);
    put(VIRTIO_MMIO_QUEUE_READY, 2);
    ck_assert_mem_eq(&rng.device.queues[0].setup, &before, sizeof before);
    ask();
    ck_assert_uint_eq(answer(), 16);
}
END_TEST

START_TEST(a_queue_can_be_stopped_and_placed_anew)
{
    bring_up();
    put(VIRTIO_MMIO_QUEUE_READY, 0);
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_READY), 0);
    ask();
    ck_assert_uint_eq(answer(), 0);
    ring_init(&ring, &guest.memory, GUEST_RINGS + RING_BYTES, 4, 0);
    place_queue(4);
    put(VIRTIO_MMIO_QUEUE_READY, 1);
    ask();
    ck_assert_uint_eq(answer(), 16);
}
END_TEST

START_TEST(a_queue_reset_can_be_read_back)
{
    bring_up();
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_RESET), 0);
    put(VIRTIO_MMIO_QUEUE_RESET, 1);
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_RESET), 1);
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_READY), 0);
    ring_init(&ring, &guest.memory, GUEST_RINGS, 8, 0);
    place_queue(8);
    put(VIRTIO_MMIO_QUEUE_READY, 1);
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_RESET), 0);
    ask();
    ck_assert_uint_eq(answer(), 16);
}
END_TEST

/* VQ52 */
START_TEST(a_queue_that_does_not_exist_is_empty)
{
    put(VIRTIO_MMIO_QUEUE_SEL, _i ? 0xffff : 1);
    for (uint64_t reg = 0x30; reg < 0x100; reg += 4) {
        if (reg == VIRTIO_MMIO_QUEUE_SEL || reg == VIRTIO_MMIO_QUEUE_NOTIFY)
            continue;
        if (reg >= VIRTIO_MMIO_SHM_LEN_LOW && reg <= VIRTIO_MMIO_SHM_BASE_HIGH)
            continue; /* not a queue's */
        put(reg, reg == VIRTIO_MMIO_STATUS ? 1 : 0xffffffff);
        if (reg != VIRTIO_MMIO_STATUS)
            ck_assert_uint_eq(get(reg), 0);
    }
}
END_TEST

/* VQ53 */
START_TEST(a_wrong_notification_is_ignored)
{
    bring_up();
    put(VIRTIO_MMIO_QUEUE_NOTIFY, 0xffffffff);
    put(VIRTIO_MMIO_QUEUE_NOTIFY, 0x80000000);
    put(VIRTIO_MMIO_QUEUE_NOTIFY, 1);
    ck_assert_uint_eq(edges, 0);
}
END_TEST

START_TEST(a_size_of_more_than_sixteen_bits_is_refused)
{
    put(VIRTIO_MMIO_STATUS, 3);
    put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
    put(VIRTIO_MMIO_DRIVER_FEATURES, 1);
    put(VIRTIO_MMIO_STATUS, 3 | VIRTIO_CONFIG_S_FEATURES_OK);
    ring_init(&ring, &guest.memory, GUEST_RINGS, 8, 0);
    place_queue(0x10008);
    put(VIRTIO_MMIO_QUEUE_READY, 1);
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_READY), 0);
    ck_assert(get(VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET);
}
END_TEST

START_TEST(a_reset_lowers_the_line_and_clears_the_registers)
{
    bring_up();
    ask();
    ck_assert(level);
    put(VIRTIO_MMIO_QUEUE_SEL, 5);
    put(VIRTIO_MMIO_STATUS, 0);
    ck_assert(!level);
    ck_assert_uint_eq(get(VIRTIO_MMIO_INTERRUPT_STATUS), 0);
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_READY), 0);
    ck_assert_uint_eq(get(VIRTIO_MMIO_QUEUE_NUM_MAX), VIRTIO_RNG_QUEUE_SIZE);
    bring_up();
    ask();
    ck_assert_uint_eq(answer(), 16);
}
END_TEST

START_TEST(control_registers_are_four_bytes_wide)
{
    ck_assert_uint_eq(bus_read(&bus, BASE, 1), 0);
    ck_assert_uint_eq(bus_read(&bus, BASE + 4, 2), 0);
    bus_write(&bus, BASE + VIRTIO_MMIO_STATUS, 1, 1);
    bus_write(&bus, BASE + VIRTIO_MMIO_STATUS, 2, 1);
    ck_assert_uint_eq(get(VIRTIO_MMIO_STATUS), 0);
}
END_TEST

START_TEST(a_shared_memory_region_does_not_exist)
{
    put(VIRTIO_MMIO_SHM_SEL, 0);
    ck_assert_uint_eq(get(VIRTIO_MMIO_SHM_LEN_LOW), 0xffffffff);
    ck_assert_uint_eq(get(VIRTIO_MMIO_SHM_LEN_HIGH), 0xffffffff);
}
END_TEST

START_TEST(any_sequence_of_writes_is_survived)
{
    uint64_t seed = (unsigned)_i;

    for (unsigned i = 0; i < 100000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        if (seed >> 60 == 0)
            bring_up();
        bus_write(&bus, BASE + (seed >> 32 & (seed >> 63 ? 0x7c : 0x1ff)), 1u << (seed >> 50 & 3),
                  seed >> 20 & 0xff ? seed >> 41 & 0xf : seed);
        bus_read(&bus, BASE + (seed >> 32 & 0x1ff), 1u << (seed >> 52 & 3));
    }
    bring_up();
    ask();
    ck_assert_uint_eq(answer(), 16);
}
END_TEST

static Suite *mmio_suite(void)
{
    Suite *suite = suite_create("virtio_mmio");
    TCase *tests = tcase_create("registers");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, the_device_says_what_it_is);
    tcase_add_test(tests, a_driver_can_use_it);
    tcase_add_test(tests, the_line_is_high_until_every_cause_is_acknowledged);
    tcase_add_test(tests, feature_words_are_selected);
    tcase_add_test(tests, a_ready_queue_is_fixed);
    tcase_add_test(tests, a_queue_can_be_stopped_and_placed_anew);
    tcase_add_test(tests, a_queue_reset_can_be_read_back);
    tcase_add_loop_test(tests, a_queue_that_does_not_exist_is_empty, 0, 2);
    tcase_add_test(tests, a_wrong_notification_is_ignored);
    tcase_add_test(tests, a_size_of_more_than_sixteen_bits_is_refused);
    tcase_add_test(tests, a_reset_lowers_the_line_and_clears_the_registers);
    tcase_add_test(tests, control_registers_are_four_bytes_wide);
    tcase_add_test(tests, a_shared_memory_region_does_not_exist);
    tcase_add_loop_test(tests, any_sequence_of_writes_is_survived, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(mmio_suite());
}
