/*
 * test_device.c: status, features, queues and configuration, with a device that keeps
 * what it is given, and the entropy device as the smallest real one.
 */
#include <errno.h>
#include <stdlib.h>

#include "05-virtio/virtio_rng.h"
#include "guest.h"

#define A_FEATURE 5
#define ANOTHER   6

static struct guest guest;
static struct virtio_device device;
static uint8_t config[12];
static struct chain kept[4];
static unsigned kept_count, starts, resets, queue_resets, config_writes;
static bool busy;

/* ANOTHER is only possible together with A_FEATURE. */
static bool my_features_ok(void *self, uint64_t features)
{
    (void)self;
    return !(features & VIRTIO_FEATURE(ANOTHER)) || (features & VIRTIO_FEATURE(A_FEATURE));
}

static bool my_handle(void *self, unsigned queue, struct chain *chain)
{
    (void)self;
    if (busy)
        return false;
    if (queue == 1)
        kept[kept_count++] = *chain;
    else
        virtio_device_push(&device, queue, chain, chain->writable_size);
    return true;
}

static void my_start(void *self)
{
    (void)self;
    starts++;
}

static void my_reset(void *self)
{
    (void)self;
    kept_count = 0;
    resets++;
}

static void my_reset_queue(void *self, unsigned queue)
{
    (void)self;
    (void)queue;
    queue_resets++;
}

static void my_config_write(void *self, unsigned offset, unsigned size, uint64_t value)
{
    (void)self;
    ck_assert_uint_le(offset + size, sizeof config);
    memcpy(config + offset, &value, size);
    config_writes++;
}

static const struct virtio_class my_class = {
    .id = 42,
    .features_ok = my_features_ok,
    .start = my_start,
    .handle = my_handle,
    .reset = my_reset,
    .reset_queue = my_reset_queue,
    .config_write = my_config_write,
};

static void power_up(void)
{
    guest_ram(&guest);
    for (unsigned i = 0; i < sizeof config; i++)
        config[i] = (uint8_t)(0xa0 + i);
    kept_count = starts = resets = queue_resets = config_writes = 0;
    busy = false;
    virtio_device_init(&device, &my_class, NULL, &guest.memory,
                       VIRTIO_FEATURE(A_FEATURE) | VIRTIO_FEATURE(ANOTHER), config, sizeof config);
    virtio_device_add_queue(&device, 64);
    virtio_device_add_queue(&device, 4);
}

static void done(void)
{
    guest_memory_free(&guest.memory);
}

static bool features_stick(uint64_t features)
{
    virtio_device_set_status(&device, 0);
    virtio_device_accept(&device, 0, (uint32_t)features);
    virtio_device_accept(&device, 1, (uint32_t)(features >> 32));
    virtio_device_set_status(&device, 1 | 2 | VIRTIO_CONFIG_S_FEATURES_OK);
    return virtio_device_status(&device) & VIRTIO_CONFIG_S_FEATURES_OK;
}

#define V1 VIRTIO_FEATURE(VIRTIO_F_VERSION_1)

START_TEST(features_ok_sticks_only_if_we_can_do_it)
{
    ck_assert(features_stick(V1));
    ck_assert(!features_stick(0)); /* VQ60 */
    ck_assert(features_stick(V1 | VIRTIO_FEATURE(A_FEATURE)));
    ck_assert(!features_stick(V1 | VIRTIO_FEATURE(7))); /* NET49: was not offered */
    ck_assert(!features_stick(V1 | VIRTIO_FEATURE(63)));
    ck_assert(!features_stick(V1 | VIRTIO_FEATURE(ANOTHER)));
    ck_assert(features_stick(V1 | VIRTIO_FEATURE(ANOTHER) | VIRTIO_FEATURE(A_FEATURE)));
}
END_TEST

START_TEST(features_are_fixed_after_features_ok)
{
    ck_assert(features_stick(V1));
    virtio_device_accept(&device, 0, 1u << A_FEATURE);
    ck_assert(!virtio_device_has(&device, A_FEATURE));
    ck_assert_uint_eq(virtio_device_accepted(&device, 0), 0);
}
END_TEST

START_TEST(feature_words_beyond_the_second_are_empty)
{
    static const uint32_t words[] = {2, 3, 32, 0x80000000, 0xffffffff};

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        ck_assert_uint_eq(virtio_device_features(&device, words[i]), 0);
        virtio_device_accept(&device, words[i], 0xffffffff);
    }
    ck_assert_uint_eq(device.accepted, 0);
    ck_assert_uint_eq(virtio_device_features(&device, 1) & 1, 1);
}
END_TEST

START_TEST(driver_ok_needs_features_ok)
{
    virtio_device_set_status(&device, 1 | 2 | VIRTIO_CONFIG_S_DRIVER_OK);
    ck_assert(!virtio_device_live(&device));
    ck_assert_uint_eq(starts, 0);
}
END_TEST

START_TEST(status_bits_are_only_added)
{
    guest_drive(&guest, &device, 0, 4);
    virtio_device_set_status(&device, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    ck_assert(virtio_device_live(&device));
    virtio_device_set_status(&device, VIRTIO_CONFIG_S_NEEDS_RESET);
    ck_assert(virtio_device_live(&device)); /* that bit is ours */
    ck_assert_uint_eq(starts, 1);
    virtio_device_set_status(&device, VIRTIO_CONFIG_S_DRIVER_OK);
    ck_assert_uint_eq(starts, 1);
}
END_TEST

START_TEST(a_reset_forgets_everything)
{
    struct piece piece = {GUEST_FREE, 16, true};

    guest_drive(&guest, &device, UINT64_MAX, 4);
    guest_send(&guest, 1, &piece, 1);
    ck_assert_uint_eq(kept_count, 1);
    resets = 0;
    virtio_device_set_status(&device, 0);
    ck_assert_uint_eq(resets, 1);
    ck_assert_uint_eq(virtio_device_status(&device), 0);
    ck_assert_uint_eq(device.accepted, 0);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(!device.queues[i].enabled);
        ck_assert_uint_eq(device.queues[i].setup.descriptors, 0);
        ck_assert_uint_eq(device.queues[i].setup.size, device.queues[i].size_max);
    }
    virtio_device_notify(&device, 1);
    ck_assert_uint_eq(kept_count, 0);

    /* And a driver can start again. */
    guest_drive(&guest, &device, 0, 4);
    ck_assert_int_eq(guest_call(&guest, 0, &piece, 1), 16);
}
END_TEST

START_TEST(a_broken_ring_stops_the_device_and_says_so)
{
    struct piece piece = {GUEST_FREE, 16, true}, nowhere = {UINT64_MAX, 1, false};

    guest_drive(&guest, &device, 0, 4);
    ck_assert_int_eq(guest_call(&guest, 0, &nowhere, 1), -1);
    ck_assert(guest_needs_reset(&guest));
    ck_assert_uint_eq(guest.changed, 1);
    ck_assert_ptr_nonnull(device.trouble);
    ck_assert_uint_eq(device.breaks, 1);

    guest_send(&guest, 1, &piece, 1); /* the other queue is dead, too */
    ck_assert_uint_eq(kept_count, 0);
    virtio_device_fail(&device, "again");
    ck_assert_uint_eq(guest.changed, 1);
    ck_assert_uint_eq(device.breaks, 1); /* it was broken */

    guest_drive(&guest, &device, 0, 4);
    ck_assert(!guest_needs_reset(&guest));
    ck_assert_int_eq(guest_call(&guest, 0, &piece, 1), 16);
}
END_TEST

/* VQ44-VQ47: a queue that cannot work is refused when it is enabled. */
static const struct virtqueue_setup refused[] =
    {
        {4, 0x1000, 0x2000, GUEST_RAM - 4}, {4, 0x1008, 0x2000, 0x3000},
        {0, 0x1000, 0x2000, 0x3000},        {3, 0x1000, 0x2000, 0x3000},
        {128, 0x1000, 0x2000, 0x3000}, /* larger than this queue may be */
};

START_TEST(a_queue_that_cannot_work_is_refused)
{
    guest_negotiate(&guest, &device, 0);
    virtio_device_queue_setup(&device, 0)->setup = refused[_i];
    virtio_device_enable_queue(&device, 0);
    ck_assert(!device.queues[0].enabled);
    ck_assert(guest_needs_reset(&guest));
    ck_assert_uint_eq(guest.changed, 0); /* no interrupts before DRIVER_OK */
    virtio_device_set_status(&device, VIRTIO_CONFIG_S_DRIVER_OK);
    virtio_device_notify(&device, 0);
    guest_drive(&guest, &device, 0, 4);
}
END_TEST

START_TEST(a_queue_is_enabled_after_features_ok_and_then_fixed)
{
    virtio_device_queue_setup(&device, 0)->setup = (struct virtqueue_setup){4, 0x1000, 0x2000,
                                                                            0x3000};
    virtio_device_enable_queue(&device, 0);
    ck_assert(!device.queues[0].enabled);

    guest_drive(&guest, &device, 0, 4);
    ck_assert_ptr_null(virtio_device_queue_setup(&device, 0));
    ck_assert_ptr_null(virtio_device_queue_setup(&device, 2));
    ck_assert_ptr_null(virtio_device_queue_setup(&device, 0xffffffff));
    virtio_device_enable_queue(&device, 0xffff);
}
END_TEST

START_TEST(a_notification_may_name_any_queue)
{
    static const uint32_t numbers[] = {2, 0xffff, 0x80000000, 0xffffffff, 0x10000};

    guest_drive(&guest, &device, 0, 4);
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
        virtio_device_notify(&device, numbers[i]);
    ck_assert(!guest_needs_reset(&guest));
}
END_TEST

START_TEST(buffers_lent_before_driver_ok_are_served)
{
    struct piece piece = {GUEST_FREE, 16, true};
    struct ring *ring = &guest.rings[0];

    guest_negotiate(&guest, &device, 0);
    ring_init(ring, &guest.memory, GUEST_RINGS, 4, 0);
    virtio_device_queue_setup(&device, 0)->setup = ring->setup;
    virtio_device_enable_queue(&device, 0);
    ring_add(ring, &piece, 1, false);
    ring_publish(ring);
    virtio_device_notify(&device, 0);
    ck_assert_int_eq(guest_receive(&guest, 0), -1);
    virtio_device_set_status(&device, VIRTIO_CONFIG_S_DRIVER_OK);
    ck_assert_int_eq(guest_receive(&guest, 0), 16);
}
END_TEST

START_TEST(what_a_device_cannot_use_stays_in_the_ring)
{
    struct piece piece = {GUEST_FREE, 16, true};

    for (unsigned features = 0; features < 2; features++) {
        guest_drive(&guest, &device, features ? UINT64_MAX : 0, 4);
        busy = true;
        for (unsigned i = 0; i < 4; i++)
            guest_send(&guest, 0, &piece, 1);
        ck_assert_int_eq(guest_receive(&guest, 0), -1);
        busy = false;
        virtio_device_notify(&device, 0);
        for (unsigned i = 0; i < 4; i++)
            ck_assert_int_eq(guest_receive(&guest, 0), 16);
    }
}
END_TEST

/* A device whose buffers come back to it at once, as a second processor could do it. */
static bool refilling;
static unsigned handled, laters;

static void refill(void *self, unsigned queue)
{
    uint16_t id;
    uint32_t written;

    (void)self;
    while (refilling && queue == 0 && ring_take(&guest.rings[0], &id, &written)) {
        handled++;
        ring_add(&guest.rings[0], &(struct piece){GUEST_FREE, 16, true}, 1, false);
    }
    ring_publish(&guest.rings[0]);
    ring_enable_interrupts(&guest.rings[0]);
}

static void later(void *self)
{
    (void)self;
    laters++;
}

START_TEST(a_guest_that_refills_its_ring_for_ever_does_not_keep_us)
{
    refilling = true;
    handled = laters = 0;
    guest_drive(&guest, &device, _i ? UINT64_MAX : 0, 4);
    device.wire.used = refill;
    device.later = (struct virtio_later){later, NULL};
    for (unsigned i = 0; i < 4; i++)
        ring_add(&guest.rings[0], &(struct piece){GUEST_FREE, 16, true}, 1, false);
    ring_publish(&guest.rings[0]);
    ring_enable_interrupts(&guest.rings[0]);
    for (unsigned i = 0; i < 100; i++)
        virtio_device_notify(&device, 0);
    ck_assert_uint_gt(laters, 0);
    ck_assert_uint_lt(handled, 100 * 100);
}
END_TEST

START_TEST(one_queue_is_reset_without_the_other)
{
    struct piece piece = {GUEST_FREE, 16, true};

    guest_drive(&guest, &device, UINT64_MAX, 4);
    guest_send(&guest, 1, &piece, 1);
    virtio_device_reset_queue(&device, 1);
    ck_assert(device.queues[1].was_reset);
    ck_assert(!device.queues[1].enabled);
    ck_assert_uint_eq(queue_resets, 1);
    ck_assert_int_eq(guest_call(&guest, 0, &piece, 1), 16);

    /* Enabled again, elsewhere, and with a buffer that is there already. */
    kept_count = 0;
    ring_init(&guest.rings[1], &guest.memory, GUEST_RINGS + 5 * RING_BYTES, 2, device.accepted);
    ring_add(&guest.rings[1], &piece, 1, false);
    ring_publish(&guest.rings[1]);
    virtio_device_queue_setup(&device, 1)->setup = guest.rings[1].setup;
    virtio_device_enable_queue(&device, 1);
    ck_assert(!device.queues[1].was_reset);
    ck_assert_uint_eq(kept_count, 1);
}
END_TEST

START_TEST(a_queue_reset_needs_its_feature)
{
    guest_drive(&guest, &device, 0, 4);
    virtio_device_reset_queue(&device, 1);
    ck_assert(device.queues[1].enabled);
    virtio_device_reset_queue(&device, 99);
}
END_TEST

/* VQ62, VQ63 */
START_TEST(configuration_ends_in_zeros)
{
    ck_assert_uint_eq(virtio_device_config_read(&device, 0, 4), 0xa3a2a1a0);
    ck_assert_uint_eq(virtio_device_config_read(&device, 4, 8), 0xabaaa9a8a7a6a5a4);
    ck_assert_uint_eq(virtio_device_config_read(&device, 11, 1), 0xab);
    ck_assert_uint_eq(virtio_device_config_read(&device, 11, 4), 0xab);
    ck_assert_uint_eq(virtio_device_config_read(&device, 10, 8), 0xabaa);
    for (uint64_t offset = sizeof config; offset < 0x1000; offset++)
        for (unsigned size = 1; size <= 8; size *= 2)
            holds(virtio_device_config_read(&device, offset, size) == 0);
    ck_assert_uint_eq(virtio_device_config_read(&device, UINT64_MAX, 8), 0);

    virtio_device_config_write(&device, 8, 4, 0x11223344);
    ck_assert_uint_eq(config_writes, 1);
    virtio_device_config_write(&device, 9, 4, 0xffffffff);
    virtio_device_config_write(&device, 12, 1, 0xff);
    virtio_device_config_write(&device, UINT64_MAX, 8, 0xff);
    ck_assert_uint_eq(config_writes, 1);
}
END_TEST

START_TEST(a_changed_configuration_has_a_new_generation)
{
    uint32_t before = device.generation;

    virtio_device_config_changed(&device);
    ck_assert_uint_ne(device.generation, before);
    ck_assert_uint_eq(guest.changed, 0); /* nobody drives it yet */
    guest_drive(&guest, &device, 0, 4);
    virtio_device_config_changed(&device);
    ck_assert_uint_eq(guest.changed, 1);
}
END_TEST

/* The entropy device. */

static unsigned asked;

static size_t count_up(void *self, uint8_t *bytes, size_t count)
{
    (void)self;
    asked++;
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(i + 1);
    return count;
}

START_TEST(entropy_fills_buffers)
{
    struct virtio_rng rng;
    struct piece pieces[] = {{GUEST_FREE, 10, true}, {GUEST_FREE + 100, 20, true}};
    uint8_t *bytes = guest_at(&guest, GUEST_FREE, 200);

    virtio_rng_init(&rng, &guest.memory, (struct entropy_source){count_up, NULL});
    ck_assert_uint_eq(rng.device.class->id, 4);
    guest_drive(&guest, &rng.device, UINT64_MAX, 8);
    ck_assert_int_eq(guest_call(&guest, 0, pieces, 2), 30);
    ck_assert_uint_eq(guest.used[0], 1);
    ck_assert_uint_eq(bytes[0], 1);
    ck_assert_uint_eq(bytes[9], 10);
    ck_assert_uint_eq(bytes[10], 0);
    ck_assert_uint_eq(bytes[100], 11);
    ck_assert_uint_eq(bytes[119], 30);
}
END_TEST

START_TEST(entropy_is_bounded_for_each_buffer)
{
    struct virtio_rng rng;
    struct piece huge = {GUEST_FREE, 8 * MIB, true}, readable = {GUEST_FREE, 64, false},
                 empty = {GUEST_FREE, 0, true};

    virtio_rng_init(&rng, &guest.memory, entropy_host());
    guest_drive(&guest, &rng.device, 0, 8);
    ck_assert_int_eq(guest_call(&guest, 0, &huge, 1), VIRTIO_RNG_MAX);
    ck_assert_int_eq(guest_call(&guest, 0, &readable, 1), 0);
    ck_assert_int_eq(guest_call(&guest, 0, &empty, 1), 0);
    ck_assert(!guest_needs_reset(&guest));
}
END_TEST

static Suite *device_suite(void)
{
    Suite *suite = suite_create("virtio_device");
    TCase *tests = tcase_create("device");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_add_test(tests, features_ok_sticks_only_if_we_can_do_it);
    tcase_add_test(tests, features_are_fixed_after_features_ok);
    tcase_add_test(tests, feature_words_beyond_the_second_are_empty);
    tcase_add_test(tests, driver_ok_needs_features_ok);
    tcase_add_test(tests, status_bits_are_only_added);
    tcase_add_test(tests, a_reset_forgets_everything);
    tcase_add_test(tests, a_broken_ring_stops_the_device_and_says_so);
    tcase_add_loop_test(tests, a_queue_that_cannot_work_is_refused, 0, ARRAY_SIZE(refused));
    tcase_add_test(tests, a_queue_is_enabled_after_features_ok_and_then_fixed);
    tcase_add_test(tests, a_notification_may_name_any_queue);
    tcase_add_test(tests, buffers_lent_before_driver_ok_are_served);
    tcase_add_test(tests, what_a_device_cannot_use_stays_in_the_ring);
    tcase_add_loop_test(tests, a_guest_that_refills_its_ring_for_ever_does_not_keep_us, 0, 2);
    tcase_add_test(tests, one_queue_is_reset_without_the_other);
    tcase_add_test(tests, a_queue_reset_needs_its_feature);
    tcase_add_test(tests, configuration_ends_in_zeros);
    tcase_add_test(tests, a_changed_configuration_has_a_new_generation);
    tcase_add_test(tests, entropy_fills_buffers);
    tcase_add_test(tests, entropy_is_bounded_for_each_buffer);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(device_suite());
}
