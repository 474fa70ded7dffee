/*
 * test_blk.c: requests, as a driver may send them and as it may not, to a disk in memory
 * that can be told to fail or to take its time, and to real files.
 *
 * Long, because every request has its own ways to be wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "05-virtio/raw_disk.h"
#include "05-virtio/virtio_blk.h"
#include "guest.h"

#define SECTORS 64u
#define HEADER  GUEST_FREE
#define STATUS  (GUEST_FREE + 0x100)
#define DATA    (GUEST_FREE + 0x1000)
#define UNSET   0x77

static struct guest guest;
static struct virtio_blk blk;

/* A disk in memory. */
static uint8_t medium[SECTORS * 512];
static struct disk_request *waiting[600];
static unsigned waiting_count, submitted, flushes;
static int failure; /* what every request ends with */
static bool slow;

static void copy(const struct disk_request *r)
{
    uint64_t at = r->offset;

    ck_assert(fits(r->offset, r->size, sizeof medium));
    for (unsigned i = 0; i < r->iov_count; i++) {
        if (r->operation == DISK_READ)
            memcpy(r->iov[i].iov_base, medium + at, r->iov[i].iov_len);
        else
            memcpy(medium + at, r->iov[i].iov_base, r->iov[i].iov_len);
        at += r->iov[i].iov_len;
    }
    ck_assert_uint_eq(at, r->offset + r->size);
}

static int carry_out(const struct disk_request *r)
{
    if (failure)
        return failure;
    switch (r->operation) {
    case DISK_READ:
    case DISK_WRITE: copy(r); break;
    case DISK_FLUSH: flushes++; break;
    case DISK_DISCARD: memset(medium + r->offset, 0xdd, r->size); break;
    case DISK_ZERO: memset(medium + r->offset, r->unmap ? 0 : 0x00, r->size); break;
    }
    return 0;
}

static int memory_submit(void *self, struct disk_request *r)
{
    (void)self;
    submitted++;
    if (!slow)
        return carry_out(r);
    waiting[waiting_count++] = r;
    return -EINPROGRESS;
}

static void memory_complete(void *self, bool wait)
{
    (void)self;
    do {
        unsigned count = waiting_count;
        struct disk_request *now[ARRAY_SIZE(waiting)];

        memcpy(now, waiting, sizeof now);
        waiting_count = 0;
        for (unsigned i = count; i-- > 0;) /* last come, first served */
            now[i]->done(now[i]->self, carry_out(now[i]));
    } while (wait && waiting_count > 0);
}

static struct disk disk;

static void start(uint64_t features, bool read_only)
{
    guest_ram(&guest);
    for (unsigned i = 0; i < sizeof medium; i++)
        medium[i] = (uint8_t)(i / 512 + i);
    disk = (struct disk){.size = sizeof medium,
                         .read_only = read_only,
                         .can_discard = !read_only,
                         .block_size = 4096,
                         .submit = memory_submit,
                         .complete = memory_complete,
                         .ready_fd = -1};
    waiting_count = submitted = flushes = 0;
    failure = 0;
    slow = false;
    virtio_blk_init(&blk, &guest.memory, &disk, "serial-of-twenty-one", 2);
    guest_drive(&guest, &blk.device, features, 64);
}

static void power_up(void)
{
    start(UINT64_MAX, false);
}

static void done(void)
{
    virtio_blk_free(&blk);
    guest_memory_free(&guest.memory);
}

static void put_header(uint32_t type, uint64_t sector)
{
    struct virtio_blk_outhdr header = {type, 0xffffffff, sector}; /* BLK38 */

    memcpy(guest_at(&guest, HEADER, sizeof header), &header, sizeof header);
    *(uint8_t *)guest_at(&guest, STATUS, 1) = UNSET;
}

static uint8_t status(void)
{
    return *(uint8_t *)guest_at(&guest, STATUS, 1);
}

/* The usual shape; the length that came back. */
static int64_t request(uint32_t type, uint64_t sector, uint32_t size, bool writable)
{
    struct piece pieces[] = {{HEADER, 16, false}, {DATA, size, writable}, {STATUS, 1, true}};

    put_header(type, sector);
    return guest_call(&guest, 0, pieces, 3);
}

static int64_t send_ranges(uint32_t type, const struct virtio_blk_discard_write_zeroes *ranges,
                           unsigned count)
{
    memcpy(guest_at(&guest, DATA, count * sizeof *ranges), ranges, count * sizeof *ranges);
    return request(type, 0, count * (uint32_t)sizeof *ranges, false);
}

static uint8_t *data(void)
{
    return guest_at(&guest, DATA, MIB);
}

START_TEST(sectors_are_read_and_written)
{
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 3, 1024, true), 1025);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
    ck_assert_mem_eq(data(), medium + 3 * 512, 1024);

    memset(data(), 0xab, 2048);
    ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, SECTORS - 4, 2048, false), 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
    ck_assert_uint_eq(medium[sizeof medium - 1], 0xab);
    ck_assert_uint_eq(medium[sizeof medium - 2049], (uint8_t)(sizeof medium - 2049 + SECTORS - 5));
}
END_TEST

START_TEST(a_request_may_be_cut_anywhere)
{
    struct piece pieces[20];

    put_header(VIRTIO_BLK_T_IN, 1);
    for (unsigned i = 0; i < 16; i++) /* BLK04 */
        pieces[i] = (struct piece){HEADER + i, 1, false};
    pieces[16] = (struct piece){DATA, 511, true};
    pieces[17] = (struct piece){DATA + 511, 1, true};
    pieces[18] = (struct piece){DATA + 512, 512, true};
    pieces[19] = (struct piece){STATUS, 1, true};
    ck_assert_int_eq(guest_call(&guest, 0, pieces, 20), 1025);
    ck_assert_mem_eq(data(), medium + 512, 1024);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);

    /* All the writable bytes in one piece: the last is the status. */
    put_header(VIRTIO_BLK_T_IN, 1);
    data()[512] = UNSET;
    ck_assert_int_eq(
        guest_call(&guest, 0, (struct piece[]){{HEADER, 16, false}, {DATA, 513, true}}, 2), 513);
    ck_assert_uint_eq(data()[512], VIRTIO_BLK_S_OK);
}
END_TEST

START_TEST(the_status_is_the_last_byte_of_a_large_buffer)
{
    put_header(VIRTIO_BLK_T_FLUSH, 0); /* BLK08 */
    data()[4095] = UNSET;
    ck_assert_int_eq(
        guest_call(&guest, 0, (struct piece[]){{HEADER, 16, false}, {DATA, 4096, true}}, 2), 1);
    ck_assert_uint_eq(data()[4095], VIRTIO_BLK_S_OK);
    ck_assert_uint_eq(flushes, 1);
}
END_TEST

START_TEST(the_status_may_be_the_last_byte_of_ram)
{
    uint8_t *last = guest_at(&guest, GUEST_RAM - 1, 1);

    put_header(VIRTIO_BLK_T_IN, 0);
    *last = UNSET;
    guest_call(&guest, 0,
               (struct piece[]){{HEADER, 16, false}, {DATA, 512, true}, {GUEST_RAM - 1, 1, true}},
               3);
    ck_assert_uint_eq(*last, VIRTIO_BLK_S_OK);
}
END_TEST

/* BLK01, BLK02, BLK03, BLK07: no header, or nowhere to put the status. */
static const struct {
    struct piece pieces[3];
    unsigned count;
} formless[] = {
    {{{HEADER, 16, false}}, 1},
    {{{STATUS, 1, true}}, 1},
    {{{HEADER, 15, false}, {STATUS, 1, true}}, 2},
    {{{HEADER, 16, false}, {DATA, 512, false}, {STATUS, 0, true}}, 3},
    {{{HEADER, 0, false}}, 1},
};

START_TEST(a_request_without_form_breaks_the_device)
{
    uint8_t before[sizeof medium];

    memcpy(before, medium, sizeof medium);
    put_header(VIRTIO_BLK_T_OUT, 0);
    ck_assert_int_eq(guest_call(&guest, 0, formless[_i].pieces, formless[_i].count), -1);
    ck_assert(guest_needs_reset(&guest));
    ck_assert_uint_eq(status(), UNSET);
    ck_assert_mem_eq(before, medium, sizeof medium);
    guest_drive(&guest, &blk.device, UINT64_MAX, 8);
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512, true), 513);
}
END_TEST

static const struct {
    uint32_t type;
    uint64_t sector;
    uint32_t size;
    bool writable;
    uint8_t status;
} wrong[] = {
    {VIRTIO_BLK_T_OUT, 0, 1, false, VIRTIO_BLK_S_IOERR},              /* BLK05 */
    {VIRTIO_BLK_T_IN, 0, 512, false, VIRTIO_BLK_S_IOERR},             /* BLK09 */
    {VIRTIO_BLK_T_IN, 0, 511, true, VIRTIO_BLK_S_IOERR},              /* BLK11 */
    {VIRTIO_BLK_T_IN, 0, 513, true, VIRTIO_BLK_S_IOERR},              /* BLK11 */
    {VIRTIO_BLK_T_IN, SECTORS, 512, true, VIRTIO_BLK_S_IOERR},        /* BLK13 */
    {VIRTIO_BLK_T_OUT, SECTORS, 512, false, VIRTIO_BLK_S_IOERR},      /* BLK18 */
    {VIRTIO_BLK_T_IN, SECTORS - 1, 1024, true, VIRTIO_BLK_S_IOERR},   /* BLK14 */
    {VIRTIO_BLK_T_OUT, SECTORS - 1, 1024, false, VIRTIO_BLK_S_IOERR}, /* BLK14 */
    {VIRTIO_BLK_T_OUT, 1ull << 55, 512, false, VIRTIO_BLK_S_IOERR},   /* BLK15 */
    {VIRTIO_BLK_T_OUT, UINT64_MAX, 512, false, VIRTIO_BLK_S_IOERR},   /* BLK16 */
    {VIRTIO_BLK_T_IN, UINT64_MAX, 512, true, VIRTIO_BLK_S_IOERR},
    {VIRTIO_BLK_T_IN, 0, 1024 * 1024, true, VIRTIO_BLK_S_IOERR},
    {0xffffffff, 0, 512, true, VIRTIO_BLK_S_UNSUPP}, /* BLK19 */
    {2, 0, 4096, true, VIRTIO_BLK_S_UNSUPP},         /* BLK20: SCSI */
    {VIRTIO_BLK_T_OUT | 0x80000000, 0, 512, false, VIRTIO_BLK_S_UNSUPP},
    {VIRTIO_BLK_T_SECURE_ERASE, 0, 16, false, VIRTIO_BLK_S_UNSUPP},
    {VIRTIO_BLK_T_DISCARD, 0, 0, false, VIRTIO_BLK_S_IOERR},
    {VIRTIO_BLK_T_DISCARD, 0, 15, false, VIRTIO_BLK_S_IOERR},
    {VIRTIO_BLK_T_DISCARD, 0, 17, false, VIRTIO_BLK_S_IOERR},
    {VIRTIO_BLK_T_DISCARD, 0, 16 * 33, false, VIRTIO_BLK_S_IOERR},
};

START_TEST(a_wrong_request_ends_with_its_status)
{
    uint8_t before[sizeof medium];

    memcpy(before, medium, sizeof medium);
    memset(data(), UNSET, 4096);
    ck_assert_int_eq(request(wrong[_i].type, wrong[_i].sector, wrong[_i].size, wrong[_i].writable),
                     1);
    ck_assert_uint_eq(status(), wrong[_i].status);
    ck_assert_uint_eq(blk.device.errors, wrong[_i].status == VIRTIO_BLK_S_IOERR);
    ck_assert_uint_eq(data()[0], UNSET);
    ck_assert_mem_eq(before, medium, sizeof medium);
    ck_assert_uint_eq(submitted, 0);
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512, true), 513);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
}
END_TEST

START_TEST(the_id_has_twenty_bytes) /* BLK21 */
{
    static const unsigned sizes[] = {0, 1, 19, 20, 21, 4096};

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        unsigned expected = sizes[i] < 20 ? sizes[i] : 20;

        memset(data(), UNSET, 4097);
        ck_assert_int_eq(request(VIRTIO_BLK_T_GET_ID, 0, sizes[i], true), expected + 1);
        ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
        ck_assert_mem_eq(data(), "serial-of-twenty-one", expected);
        ck_assert_uint_eq(data()[expected], UNSET);
    }
}
END_TEST

START_TEST(a_short_id_is_padded_with_zeros)
{
    done();
    guest_ram(&guest);
    virtio_blk_init(&blk, &guest.memory, &disk, "ab", 1);
    guest_drive(&guest, &blk.device, 0, 8);
    memset(data(), UNSET, 32);
    ck_assert_int_eq(request(VIRTIO_BLK_T_GET_ID, 0, 20, true), 21);
    ck_assert_mem_eq(data(), "ab\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
}
END_TEST

START_TEST(a_read_only_disk_is_not_changed) /* BLK23 */
{
    struct virtio_blk_discard_write_zeroes range = {0, 8, 0};
    uint8_t before[sizeof medium];

    done();
    start(UINT64_MAX, true);
    ck_assert(virtio_device_has(&blk.device, VIRTIO_BLK_F_RO));
    memcpy(before, medium, sizeof medium);
    request(VIRTIO_BLK_T_OUT, 0, 512, false);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_IOERR);
    send_ranges(VIRTIO_BLK_T_DISCARD, &range, 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_IOERR);
    send_ranges(VIRTIO_BLK_T_WRITE_ZEROES, &range, 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_IOERR);
    ck_assert_mem_eq(before, medium, sizeof medium);
    request(VIRTIO_BLK_T_IN, 0, 512, true);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
}
END_TEST

START_TEST(ranges_are_discarded_and_zeroed)
{
    struct virtio_blk_discard_write_zeroes discard[] = {{2, 1, 0}, {4, 2, 0}},
                                           zero[] = {{8, 2, 0}, {12, 1, 1}};

    ck_assert_int_eq(send_ranges(VIRTIO_BLK_T_DISCARD, discard, 2), 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
    ck_assert_uint_eq(medium[2 * 512], 0xdd);
    ck_assert_uint_eq(medium[3 * 512], 3);
    ck_assert_uint_eq(medium[6 * 512 - 1], 0xdd);
    ck_assert_int_eq(send_ranges(VIRTIO_BLK_T_WRITE_ZEROES, zero, 2), 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
    ck_assert_uint_eq(medium[8 * 512 + 1], 0);
    ck_assert_uint_eq(medium[10 * 512 - 1], 0);
    ck_assert_uint_eq(medium[12 * 512 + 9], 0);
    ck_assert_uint_eq(medium[13 * 512], 13);
}
END_TEST

static const struct {
    uint32_t type;
    struct virtio_blk_discard_write_zeroes range;
    uint8_t status;
} wrong_ranges[] = {
    {VIRTIO_BLK_T_DISCARD, {SECTORS - 1, 0xffffffff, 0}, VIRTIO_BLK_S_IOERR}, /* BLK26 */
    {VIRTIO_BLK_T_DISCARD, {SECTORS - 1, 2, 0}, VIRTIO_BLK_S_IOERR},
    {VIRTIO_BLK_T_DISCARD, {UINT64_MAX, 2, 0}, VIRTIO_BLK_S_IOERR},
    {VIRTIO_BLK_T_DISCARD, {0, 0, 0}, VIRTIO_BLK_S_IOERR},
    {VIRTIO_BLK_T_DISCARD, {0, 1, 2}, VIRTIO_BLK_S_UNSUPP},          /* BLK27 */
    {VIRTIO_BLK_T_DISCARD, {0, 1, 1}, VIRTIO_BLK_S_UNSUPP},          /* unmap: only of zeros */
    {VIRTIO_BLK_T_DISCARD, {0, 1, 0x80000000}, VIRTIO_BLK_S_UNSUPP}, /* BLK27 */
    {VIRTIO_BLK_T_WRITE_ZEROES, {0, 1, 2}, VIRTIO_BLK_S_UNSUPP},
    {VIRTIO_BLK_T_WRITE_ZEROES, {1ull << 55, 1, 0}, VIRTIO_BLK_S_IOERR},
};

START_TEST(a_wrong_range_changes_nothing)
{
    struct virtio_blk_discard_write_zeroes ranges[] = {{0, 1, 0}, wrong_ranges[_i].range};
    uint8_t before[sizeof medium];

    memcpy(before, medium, sizeof medium);
    ck_assert_int_eq(send_ranges(wrong_ranges[_i].type, ranges, 2), 1);
    ck_assert_uint_eq(status(), wrong_ranges[_i].status);
    ck_assert_mem_eq(before, medium, sizeof medium); /* not even the good first one */
}
END_TEST

START_TEST(what_was_not_accepted_is_not_supported) /* BLK24 */
{
    struct virtio_blk_discard_write_zeroes range = {0, 1, 0};

    done();
    start(0, false);
    send_ranges(VIRTIO_BLK_T_DISCARD, &range, 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_UNSUPP);
    send_ranges(VIRTIO_BLK_T_WRITE_ZEROES, &range, 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_UNSUPP);
}
END_TEST

START_TEST(more_data_segments_than_seg_max_are_served_or_refused) /* BLK29 */
{
    struct ring *ring = &guest.rings[0];

    guest_drive(&guest, &blk.device, 0, 256);
    put_header(VIRTIO_BLK_T_IN, 0);
    for (unsigned i = 0; i < 256; i++)
        *ring_desc(ring, i) = (struct vring_desc){
            i == 0     ? HEADER
            : i == 255 ? STATUS
                       : DATA + i,
            i == 0     ? 16
            : i == 255 ? 1
                       : (i <= 2 ? 256 : 0) + 0u,
            (i ? VRING_DESC_F_WRITE : 0) | (i < 255 ? VRING_DESC_F_NEXT : 0), (uint16_t)(i + 1)};
    ring_avail(ring)->ring[0] = 0;
    ring_avail(ring)->idx = 1;
    virtio_device_notify(&blk.device, 0);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
}
END_TEST

START_TEST(many_descriptors_may_name_one_page) /* BLK31 */
{
    struct piece pieces[64];

    put_header(VIRTIO_BLK_T_IN, 0);
    pieces[0] = (struct piece){HEADER, 16, false};
    for (unsigned i = 1; i < 63; i++)
        pieces[i] = (struct piece){DATA, 512, true};
    pieces[63] = (struct piece){STATUS, 1, true};
    ck_assert_int_eq(guest_call(&guest, 0, pieces, 64), 62 * 512 + 1);
    ck_assert_mem_eq(data(), medium + 61 * 512, 512);
}
END_TEST

START_TEST(data_over_the_header_and_the_ring_is_the_guests_problem) /* BLK33, BLK34 */
{
    struct piece over_header[] = {{HEADER, 16, false}, {HEADER, 512, true}, {STATUS, 1, true}};
    gpa_t table = guest.rings[0].setup.descriptors;
    struct piece over_table[] = {{HEADER, 16, false}, {table, 512, true}, {STATUS, 1, true}};

    put_header(VIRTIO_BLK_T_IN, 5);
    ck_assert_int_eq(guest_call(&guest, 0, over_header, 3), 513);
    put_header(VIRTIO_BLK_T_IN, 5);
    guest_send(&guest, 0, over_table, 3);
    ck_assert_mem_eq(guest_at(&guest, table, 48), medium + 5 * 512, 48); /* then: used */
    guest_drive(&guest, &blk.device, UINT64_MAX, 8);
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512, true), 513);
}
END_TEST

START_TEST(an_error_of_the_disk_is_the_guests_status) /* BLK41, BLK42 */
{
    static const int errors[] = {-EIO, -ENOSPC, -EBADF};

    failure = errors[_i];
    ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, 0, 512, false), 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_IOERR);
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512, true), 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_IOERR);
    ck_assert_int_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, false), 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_IOERR);
    failure = 0;
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512, true), 513);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
}
END_TEST

START_TEST(writes_last_at_once_if_the_driver_does_not_flush)
{
    done();
    start(~VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH) & ~VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE), false);
    request(VIRTIO_BLK_T_OUT, 0, 512, false);
    ck_assert_uint_eq(flushes, 1);
    request(VIRTIO_BLK_T_IN, 0, 512, true);
    ck_assert_uint_eq(flushes, 1);
}
END_TEST

START_TEST(a_driver_that_cannot_flush_starts_with_writes_that_last)
{
    done();
    start(~VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH), false);
    ck_assert_uint_eq(blk.config.wce, 0);
    request(VIRTIO_BLK_T_OUT, 0, 512, false);
    ck_assert_uint_eq(flushes, 1);
}
END_TEST

START_TEST(the_cache_mode_can_be_switched)
{
    const unsigned wce = offsetof(struct virtio_blk_config, wce);

    ck_assert_uint_eq(virtio_device_config_read(&blk.device, wce, 1), 1);
    request(VIRTIO_BLK_T_OUT, 0, 512, false);
    ck_assert_uint_eq(flushes, 0);
    virtio_device_config_write(&blk.device, wce, 1, 0);
    request(VIRTIO_BLK_T_OUT, 0, 512, false);
    ck_assert_uint_eq(flushes, 1);
    virtio_device_config_write(&blk.device, wce, 1, 2);
    virtio_device_config_write(&blk.device, wce, 2, 1);
    ck_assert_uint_eq(blk.config.wce, 0);
    virtio_device_set_status(&blk.device, 0);
    ck_assert_uint_eq(blk.config.wce, 1);
}
END_TEST

START_TEST(the_rest_of_the_configuration_is_fixed) /* BLK49 */
{
    struct virtio_blk_config before = blk.config;

    for (unsigned size = 1; size <= 8; size *= 2)
        for (unsigned offset = 0; offset < 64; offset++)
            if (offset != offsetof(struct virtio_blk_config, wce))
                virtio_device_config_write(&blk.device, offset, size, 0);
    ck_assert_mem_eq(&blk.config, &before, sizeof before);
    ck_assert_uint_eq(virtio_device_config_read(&blk.device, 0, 8), SECTORS);
    ck_assert_uint_eq(virtio_device_config_read(&blk.device, 12, 4), 510);
    ck_assert_uint_eq(virtio_device_config_read(&blk.device, 34, 2), 2);
}
END_TEST

START_TEST(slow_requests_end_in_any_order)
{
    slow = true;
    for (unsigned i = 0; i < 16; i++) {
        struct piece pieces[] = {
            {HEADER + i * 16, 16, false}, {DATA + i * 512, 512, true}, {STATUS + i, 1, true}};
        struct virtio_blk_outhdr header = {VIRTIO_BLK_T_IN, 0, i};

        memcpy(guest_at(&guest, HEADER + i * 16, 16), &header, 16);
        *(uint8_t *)guest_at(&guest, STATUS + i, 1) = UNSET;
        guest_send(&guest, i % 2, pieces, 3);
    }
    ck_assert_uint_eq(waiting_count, 16);
    ck_assert_int_eq(guest_receive(&guest, 0), -1);
    ck_assert_uint_eq(guest.used[0] + guest.used[1], 0);
    virtio_blk_complete(&blk);
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_int_eq(guest_receive(&guest, i % 2), 513);
        ck_assert_uint_eq(*(uint8_t *)guest_at(&guest, STATUS + i, 1), VIRTIO_BLK_S_OK);
    }
    ck_assert_mem_eq(data(), medium, 16 * 512);
    ck_assert_uint_eq(guest.used[0], 1); /* one interrupt for eight */
    ck_assert_uint_eq(guest.used[1], 1);
    ck_assert_uint_eq(blk.in_flight, 0);
}
END_TEST

START_TEST(a_slow_request_of_several_operations_does_them_in_order)
{
    struct virtio_blk_discard_write_zeroes ranges[] = {{1, 1, 0}, {2, 1, 0}, {3, 1, 0}};

    slow = true;
    virtio_device_config_write(&blk.device, offsetof(struct virtio_blk_config, wce), 1, 0);
    ck_assert_int_eq(send_ranges(VIRTIO_BLK_T_WRITE_ZEROES, ranges, 3), -1);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(waiting_count, 1);
        virtio_blk_complete(&blk);
    }
    ck_assert_uint_eq(status(), UNSET);
    virtio_blk_complete(&blk); /* the flush */
    ck_assert_uint_eq(flushes, 1);
    ck_assert_int_eq(guest_receive(&guest, 0), 1);
    ck_assert_uint_eq(medium[3 * 512 + 5], 0);
}
END_TEST

START_TEST(a_reset_waits_for_what_is_under_way) /* BLK37 */
{
    slow = true;
    memset(data(), 0, 512);
    request(VIRTIO_BLK_T_IN, 0, 512, true);
    ck_assert_uint_eq(blk.in_flight, 1);
    virtio_device_set_status(&blk.device, 0);
    ck_assert_uint_eq(blk.in_flight, 0);
    ck_assert_uint_eq(waiting_count, 0);
    memset(data(), 0x55, 512);
    virtio_blk_complete(&blk);
    ck_assert_uint_eq(data()[0], 0x55);
    slow = false;
    guest_drive(&guest, &blk.device, UINT64_MAX, 8);
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 512, true), 513);
}
END_TEST

START_TEST(a_million_empty_requests_are_served) /* BLK50 */
{
    struct piece pieces[] = {{HEADER, 16, false}, {STATUS, 1, true}};

    put_header(VIRTIO_BLK_T_IN, 0);
    for (unsigned i = 0; i < 1000000; i++)
        holds(guest_call(&guest, 0, pieces, 2) == 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
    ck_assert_uint_le(blk.fresh, 1);
}
END_TEST

/* Files. */

static char folder[] = "/tmp/test_blk.XXXXXX";
static char path[64];

static void make_file(uint64_t size)
{
    int fd;

    strcpy(folder, "/tmp/test_blk.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/image", folder);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

static void remove_file(void)
{
    unlink(path);
    rmdir(folder);
}

static int open_path(const char *name, unsigned options, struct refusal *why)
{
    struct raw_disk raw;
    int error = raw_disk_open(&raw, name, options, why);

    if (error == 0)
        raw_disk_close(&raw);
    return error;
}

START_TEST(images_have_whole_sectors) /* BLK44, BLK45 */
{
    struct raw_disk raw;
    struct refusal why;

    make_file(1000);
    ck_assert_int_eq(raw_disk_open(&raw, path, 0, &why), 0);
    ck_assert_uint_eq(raw.disk.size, 512);
    raw_disk_close(&raw);
    ck_assert_int_eq(truncate(path, 511), 0);
    ck_assert_int_eq(open_path(path, 0, &why), -EINVAL);
    ck_assert_ptr_nonnull(strstr(why.text, "sector"));
    remove_file();
}
END_TEST

START_TEST(what_is_no_image_is_refused) /* BLK46 */
{
    char name[80];
    struct refusal why;

    make_file(4096);
    ck_assert_int_eq(open_path(folder, 0, &why), -EISDIR);
    ck_assert_int_eq(open_path(folder, RAW_DISK_READ_ONLY, &why), -EINVAL);
    snprintf(name, sizeof name, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(name, 0600), 0);
    ck_assert_int_lt(open_path(name, 0, &why), 0);
    ck_assert_int_lt(open_path(name, RAW_DISK_READ_ONLY, &why), 0);
    unlink(name);
    ck_assert_int_eq(symlink(name, name), 0);
    ck_assert_int_eq(open_path(name, 0, &why), -ELOOP);
    unlink(name);
    ck_assert_int_lt(open_path("/proc/self/mem", 0, &why), 0);
    ck_assert_int_lt(open_path("/dev/null", 0, &why), 0);
    ck_assert_int_eq(open_path("/nowhere/at/all", 0, &why), -ENOENT);
    remove_file();
}
END_TEST

START_TEST(an_image_has_one_writer_or_many_readers) /* BLK47 */
{
    struct raw_disk one, two;
    struct refusal why;

    make_file(4096);
    ck_assert_int_eq(raw_disk_open(&one, path, 0, &why), 0);
    ck_assert_int_eq(raw_disk_open(&two, path, 0, &why), -EBUSY);
    ck_assert_ptr_nonnull(strstr(why.text, "in use"));
    ck_assert_int_eq(raw_disk_open(&two, path, RAW_DISK_READ_ONLY, &why), -EBUSY);
    raw_disk_close(&one);
    ck_assert_int_eq(raw_disk_open(&one, path, RAW_DISK_READ_ONLY, &why), 0);
    ck_assert_int_eq(raw_disk_open(&two, path, RAW_DISK_READ_ONLY, &why), 0);
    raw_disk_close(&one);
    raw_disk_close(&two);
    remove_file();
}
END_TEST

/* The same random operations on a file and on an array must leave the same bytes. */
START_TEST(a_file_is_what_was_written_to_it)
{
    enum { SIZE = 256 * 1024 };
    static uint8_t expected[SIZE], buffer[SIZE + 4096] __attribute__((aligned(4096)));
    struct raw_disk raw;
    struct refusal why;
    uint64_t seed = 1;

    make_file(SIZE);
    memset(expected, 0, SIZE);
    if (raw_disk_open(&raw, path, _i ? RAW_DISK_DIRECT : 0, &why) < 0) {
        printf("SKIP a_file_is_what_was_written_to_it: direct: %s\n", why.text);
        remove_file();
        return;
    }
    for (unsigned i = 0; i < 3000; i++) {
        struct disk_request r = {.iov_count = 2};
        uint64_t first = 0, size;
        struct iovec iov[2];

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        r.offset = (seed >> 20) % (SIZE / 512) * 512;
        size = (1 + (seed >> 40) % 40) * 512;
        if (seed >> 60 & 1) {
            r.offset = align_down(r.offset, 4096);
            size = align_up(size, 4096);
        }
        if (size > SIZE - r.offset)
            size = SIZE - r.offset;
        r.size = size;
        first = seed >> 61 & 1 ? (seed >> 33) % size : 0;
        iov[0] = (struct iovec){buffer + (seed >> 62 & 1), first};
        iov[1] = (struct iovec){buffer + (seed >> 62 & 1) + first, size - first};
        r.iov = first ? iov : iov + 1;
        r.iov_count = first ? 2 : 1;
        r.operation = (enum disk_operation)((seed >> 50) % 5);
        if (r.operation == DISK_FLUSH && i % 64) /* slow */
            r.operation = DISK_WRITE;
        r.unmap = seed >> 49 & 1;
        switch (r.operation) {
        case DISK_WRITE:
            for (uint64_t n = 0; n < size + 1; n++)
                buffer[n] = (uint8_t)(seed >> 30) + (uint8_t)(n * 7);
            memcpy(expected + r.offset, buffer + (seed >> 62 & 1), size);
            break;
        case DISK_DISCARD: /* tmpfs, ext4 and xfs make holes, which are zeros */
        case DISK_ZERO: memset(expected + r.offset, 0, size); break;
        default: break;
        }
        holds(raw.disk.submit(raw.disk.self, &r) == 0);
        if (r.operation == DISK_READ)
            holds(memcmp(expected + r.offset, buffer + (seed >> 62 & 1), size) == 0);
    }
    raw_disk_close(&raw);
    remove_file();
}
END_TEST

START_TEST(a_file_that_shrinks_gives_errors) /* BLK39 */
{
    struct raw_disk raw;
    struct refusal why;

    make_file(8192);
    ck_assert_int_eq(raw_disk_open(&raw, path, 0, &why), 0);
    guest_ram(&guest);
    virtio_blk_free(&blk);
    virtio_blk_init(&blk, &guest.memory, &raw.disk, "", 1);
    guest_drive(&guest, &blk.device, 0, 8);
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 8192, true), 8193);
    ck_assert_int_eq(truncate(path, 4096), 0);
    ck_assert_int_eq(request(VIRTIO_BLK_T_IN, 0, 8192, true), 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_IOERR);
    done();
    raw_disk_close(&raw);
    remove_file();
    start(0, false);
}
END_TEST

START_TEST(discarding_makes_a_hole)
{
    struct raw_disk raw;
    struct refusal why;
    struct stat before, after;
    struct virtio_blk_discard_write_zeroes range = {0, 2 * 1024 * 1024 / 512, 0};

    make_file(4 * 1024 * 1024);
    ck_assert_int_eq(raw_disk_open(&raw, path, RAW_DISK_NO_RING, &why), 0);
    virtio_blk_free(&blk);
    guest_ram(&guest);
    virtio_blk_init(&blk, &guest.memory, &raw.disk, "", 1);
    guest_drive(&guest, &blk.device, UINT64_MAX, 8);
    memset(data(), 0x5a, MIB);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(request(VIRTIO_BLK_T_OUT, i * 2048, MIB, false), 1);
    ck_assert_int_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, false), 1);
    ck_assert_int_eq(fstat(raw.fd, &before), 0);
    ck_assert_int_eq(send_ranges(VIRTIO_BLK_T_DISCARD, &range, 1), 1);
    ck_assert_uint_eq(status(), VIRTIO_BLK_S_OK);
    ck_assert_int_eq(fstat(raw.fd, &after), 0);
    ck_assert_int_eq(after.st_size, before.st_size);
    ck_assert_int_lt(after.st_blocks, before.st_blocks - 2048);
    done();
    raw_disk_close(&raw);
    remove_file();
    start(0, false);
}
END_TEST

static Suite *blk_suite(void)
{
    Suite *suite = suite_create("virtio_blk");
    TCase *tests = tcase_create("requests");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, sectors_are_read_and_written);
    tcase_add_test(tests, a_request_may_be_cut_anywhere);
    tcase_add_test(tests, the_status_is_the_last_byte_of_a_large_buffer);
    tcase_add_test(tests, the_status_may_be_the_last_byte_of_ram);
    tcase_add_loop_test(tests, a_request_without_form_breaks_the_device, 0, ARRAY_SIZE(formless));
    tcase_add_loop_test(tests, a_wrong_request_ends_with_its_status, 0, ARRAY_SIZE(wrong));
    tcase_add_test(tests, the_id_has_twenty_bytes);
    tcase_add_test(tests, a_short_id_is_padded_with_zeros);
    tcase_add_test(tests, a_read_only_disk_is_not_changed);
    tcase_add_test(tests, ranges_are_discarded_and_zeroed);
    tcase_add_loop_test(tests, a_wrong_range_changes_nothing, 0, ARRAY_SIZE(wrong_ranges));
    tcase_add_test(tests, what_was_not_accepted_is_not_supported);
    tcase_add_test(tests, more_data_segments_than_seg_max_are_served_or_refused);
    tcase_add_test(tests, many_descriptors_may_name_one_page);
    tcase_add_test(tests, data_over_the_header_and_the_ring_is_the_guests_problem);
    tcase_add_loop_test(tests, an_error_of_the_disk_is_the_guests_status, 0, 3);
    tcase_add_test(tests, writes_last_at_once_if_the_driver_does_not_flush);
    tcase_add_test(tests, a_driver_that_cannot_flush_starts_with_writes_that_last);
    tcase_add_test(tests, the_cache_mode_can_be_switched);
    tcase_add_test(tests, the_rest_of_the_configuration_is_fixed);
    tcase_add_test(tests, slow_requests_end_in_any_order);
    tcase_add_test(tests, a_slow_request_of_several_operations_does_them_in_order);
    tcase_add_test(tests, a_reset_waits_for_what_is_under_way);
    tcase_add_test(tests, a_million_empty_requests_are_served);
    tcase_add_test(tests, images_have_whole_sectors);
    tcase_add_test(tests, what_is_no_image_is_refused);
    tcase_add_test(tests, an_image_has_one_writer_or_many_readers);
    tcase_add_loop_test(tests, a_file_is_what_was_written_to_it, 0, 2);
    tcase_add_test(tests, a_file_that_shrinks_gives_errors);
    tcase_add_test(tests, discarding_makes_a_hole);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(blk_suite());
}
