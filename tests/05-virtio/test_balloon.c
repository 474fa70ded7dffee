/*
 * test_balloon.c: pages into the balloon and out of it, reports and statistics, and what
 * a driver may say that is not so.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "05-virtio/virtio_balloon.h"
#include "guest.h"

#define LIST GUEST_FREE
#define PAGE (GUEST_FREE + 0x100000u)

static struct guest guest;
static struct virtio_balloon balloon;

static void power_up(void)
{
    guest_ram(&guest);
    ck_assert_int_eq(guest_memory_add(&guest.memory, 64 * MIB, 0x1000), 0);
    guest.memory.regions[1].read_only = true;
    virtio_balloon_init(&balloon, &guest.memory, page_release_host());
    guest_drive(&guest, &balloon.device, UINT64_MAX, 16);
}

static void done(void)
{
    guest_memory_free(&guest.memory);
}

/* Is the page in memory, seen from the host? */
static bool resident(gpa_t page)
{
    unsigned char there;

    ck_assert_int_eq(mincore(guest_at(&guest, page, 4096), 4096, &there), 0);
    return there & 1;
}

static void fill(gpa_t page)
{
    memset(guest_at(&guest, page, 4096), 0xaa, 4096);
}

static void tell(unsigned queue, const uint32_t *pages, unsigned count)
{
    memcpy(guest_at(&guest, LIST, 4 * count + 1), pages, 4 * count);
    ck_assert_int_eq(guest_call(&guest, queue, &(struct piece){LIST, 4 * count, false}, 1), 0);
}

START_TEST(pages_in_the_balloon_are_the_hosts)
{
    uint32_t pages[] = {PAGE >> 12, (PAGE >> 12) + 2};

    for (unsigned i = 0; i < 4; i++)
        fill(PAGE + 4096 * i);
    ck_assert(resident(PAGE));
    tell(0, pages, 2);
    ck_assert_uint_eq(balloon.inflated, 2);
    ck_assert(!resident(PAGE) || *(uint8_t *)guest_at(&guest, PAGE, 1) == 0);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, PAGE, 1), 0);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, PAGE + 4096, 1), 0xaa);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, PAGE + 8192, 1), 0);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, PAGE + 12288, 1), 0xaa);
    tell(1, pages, 2);
    ck_assert_uint_eq(balloon.deflated, 2);
}
END_TEST

START_TEST(pages_that_are_not_ram_are_ignored)
{
    static const uint32_t pages[] = {GUEST_RAM >> 12, 64 * MIB >> 12, 0xffffffff, 0x80000000,
                                     0xfee00};

    tell(0, pages, 5);
    ck_assert_uint_eq(balloon.inflated, 0);
    tell(0, pages, 0);
    ck_assert(!guest_needs_reset(&guest));
    /* Three bytes are no number. */
    ck_assert_int_eq(guest_call(&guest, 0, &(struct piece){LIST, 3, false}, 1), 0);
    ck_assert_uint_eq(balloon.inflated, 0);
}
END_TEST

static void count_only(void *self, uint8_t *host, uint64_t size)
{
    (void)host;
    *(uint64_t *)self += size;
}

START_TEST(a_list_without_end_has_a_limit)
{
    uint64_t bytes = 0;

    balloon.release = (struct page_release){count_only, &bytes};
    ck_assert_int_eq(guest_call(&guest, 0, &(struct piece){0, GUEST_RAM, false}, 1), 0);
    ck_assert_uint_le(balloon.inflated, VIRTIO_BALLOON_PAGES_MAX);
    ck_assert_uint_eq(bytes, balloon.inflated * 4096);
}
END_TEST

START_TEST(reported_ranges_are_released_by_whole_pages)
{
    struct piece pieces[] = {{PAGE + 100, 8192, true}, {PAGE + 0x8000, 4096, true}};

    for (unsigned i = 0; i < 16; i++)
        fill(PAGE + 4096 * i);
    ck_assert_int_eq(guest_call(&guest, 3, pieces, 2), 0);
    ck_assert_uint_eq(balloon.reported, 8192);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, PAGE + 4095, 1), 0xaa);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, PAGE + 4096, 1), 0);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, PAGE + 8192, 1), 0xaa);
    ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, PAGE + 0x8000, 1), 0);
}
END_TEST

START_TEST(reporting_is_the_third_queue_without_statistics)
{
    guest_drive(&guest, &balloon.device, ~VIRTIO_FEATURE(VIRTIO_BALLOON_F_STATS_VQ), 16);
    fill(PAGE);
    ck_assert_int_eq(guest_call(&guest, 2, &(struct piece){PAGE, 4096, true}, 1), 0);
    ck_assert_uint_eq(balloon.reported, 4096);
    ck_assert(!virtio_balloon_ask(&balloon));
}
END_TEST

START_TEST(the_target_and_what_is_reached_are_configuration)
{
    virtio_balloon_set_target(&balloon, 1000);
    ck_assert_uint_eq(guest.changed, 1);
    ck_assert_uint_eq(virtio_device_config_read(&balloon.device, 0, 4), 1000);
    virtio_device_config_write(&balloon.device, 4, 4, 900);
    ck_assert_uint_eq(virtio_balloon_actual(&balloon), 900);
    virtio_device_config_write(&balloon.device, 0, 4, 5);
    virtio_device_config_write(&balloon.device, 4, 1, 5);
    ck_assert_uint_eq(virtio_balloon_actual(&balloon), 900);
    ck_assert_uint_eq(virtio_device_config_read(&balloon.device, 0, 4), 1000);
    ck_assert_uint_eq(virtio_device_config_read(&balloon.device, 8, 8), 0);
}
END_TEST

START_TEST(statistics_come_when_asked_for)
{
    struct virtio_balloon_stat stats[] = {
        {VIRTIO_BALLOON_S_MEMFREE, 12345}, {0xffff, 1}, {VIRTIO_BALLOON_S_MEMTOT, 99999}};

    ck_assert(!virtio_balloon_ask(&balloon));
    memcpy(guest_at(&guest, LIST, sizeof stats), stats, sizeof stats);
    guest_send(&guest, 2, &(struct piece){LIST, sizeof stats, false}, 1);
    ck_assert_int_eq(guest_receive(&guest, 2), -1); /* it is kept */
    ck_assert_uint_eq(balloon.values[VIRTIO_BALLOON_S_MEMFREE], 12345);
    ck_assert_uint_eq(balloon.values[VIRTIO_BALLOON_S_MEMTOT], 99999);
    ck_assert(virtio_balloon_ask(&balloon));
    ck_assert_int_eq(guest_receive(&guest, 2), 0);
    ck_assert(!virtio_balloon_ask(&balloon));
    /* Two at once: the first comes back. */
    guest_send(&guest, 2, &(struct piece){LIST, 10, false}, 1);
    guest_send(&guest, 2, &(struct piece){LIST, 10, false}, 1);
    ck_assert_int_eq(guest_receive(&guest, 2), 0);
    ck_assert_int_eq(guest_receive(&guest, 2), -1);
    virtio_device_set_status(&balloon.device, 0);
    ck_assert(!virtio_balloon_ask(&balloon));
}
END_TEST

static Suite *balloon_suite(void)
{
    Suite *suite = suite_create("virtio_balloon");
    TCase *tests = tcase_create("pages");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_add_test(tests, pages_in_the_balloon_are_the_hosts);
    tcase_add_test(tests, pages_that_are_not_ram_are_ignored);
    tcase_add_test(tests, a_list_without_end_has_a_limit);
    tcase_add_test(tests, reported_ranges_are_released_by_whole_pages);
    tcase_add_test(tests, reporting_is_the_third_queue_without_statistics);
    tcase_add_test(tests, the_target_and_what_is_reached_are_configuration);
    tcase_add_test(tests, statistics_come_when_asked_for);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(balloon_suite());
}
