/*
 * test_scsi_disk.c: the commands of a SCSI disk, one after the other, with numbers that
 * are right and numbers that are not.
 */
#include "scsi_guest.h"

#define BLOCKS 64u
#define TARGET 0

static struct medium medium;
static struct scsi_unit disk;

static void start(bool read_only)
{
    scsi_power_up();
    medium_init(&medium, BLOCKS * 512, read_only);
    scsi_disk_init(&disk, &medium.disk, "serial-1");
    ck_assert_int_eq(scsi_bus_add(&scsi.bus, TARGET, 0, &disk), 0);
    scsi_drive();
}

static void power_up(void)
{
    start(false);
}

/* ---- what it is ------------------------------------------------------------------ */

START_TEST(inquiry_says_what_it_is)
{
    expect_good(scsi_call(TARGET, CDB(0x12, 0, 0, 0, 255), 0, 255), 36, 255);
    ck_assert_uint_eq(data_in()[0], 0x00);
    ck_assert_uint_eq(data_in()[1], 0x00);
    ck_assert_uint_eq(data_in()[2], 0x06);
    ck_assert_uint_eq(data_in()[3], 0x02);
    ck_assert_uint_eq(data_in()[4], 31); /* bytes that follow */
    ck_assert_uint_eq(data_in()[7], 2);  /* many commands at a time */
    ck_assert_mem_eq(data_in() + 8, "RING-1  DISK            1.0 ", 28);
    expect_good(scsi_call(TARGET, CDB(0x12, 0, 0, 1, 0), 0, 256), 36, 256); /* 16-bit length */
    expect_good(scsi_call(TARGET, CDB(0x12), 0, 0), 0, 0);
    expect_sense(scsi_call(TARGET, CDB(0x12, 0, 0x80, 0, 36), 0, 36), SENSE_INVALID_FIELD_IN_CDB);
}
END_TEST

static unsigned vital_page(uint8_t code)
{
    const uint8_t cdb[16] = {0x12, 1, code, 0, 255};

    memset(data_in(), UNSET, 255);
    if (scsi_call(TARGET, cdb, 0, 255).status != SCSI_GOOD)
        return 0;
    ck_assert_uint_eq(data_in()[0], 0);
    ck_assert_uint_eq(data_in()[1], code);
    return scsi_get16(data_in() + 2);
}

START_TEST(vital_pages_name_the_disk_and_its_limits)
{
    static const uint8_t all[] = {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
    const uint8_t *page = data_in();

    ck_assert_uint_eq(vital_page(0x00), sizeof all);
    ck_assert_mem_eq(page + 4, all, sizeof all);
    for (unsigned i = 0; i < sizeof all; i++)
        ck_assert_uint_gt(vital_page(all[i]), 0);
    for (unsigned code = 0; code < 256; code++)
        if (!memchr(all, (int)code, sizeof all))
            ck_assert_uint_eq(vital_page((uint8_t)code), 0);

    ck_assert_uint_eq(vital_page(0x80), 8);
    ck_assert_mem_eq(page + 4, "serial-1", 8);
    ck_assert_uint_eq(vital_page(0x83), 4 + 16);
    ck_assert_mem_eq(page + 4, "\x02\x01\x00\x10RING-1  serial-1", 20);
    ck_assert_uint_eq(vital_page(0xb0), 60);
    ck_assert_uint_eq(page[4], 1);
    ck_assert_uint_eq(scsi_get16(page + 6), 8); /* 4096 bytes */
    ck_assert_uint_eq(scsi_get32(page + 12), SCSI_OPTIMAL_BLOCKS);
    ck_assert_uint_eq(scsi_get32(page + 20), SCSI_UNMAP_BLOCKS_MAX);
    ck_assert_uint_eq(scsi_get32(page + 24), SCSI_UNMAP_RANGES_MAX);
    ck_assert_uint_eq(scsi_get32(page + 28), 8);
    ck_assert_uint_eq(scsi_get64(page + 36), SCSI_SAME_BLOCKS_MAX);
    ck_assert_uint_eq(vital_page(0xb1), 60);
    ck_assert_uint_eq(scsi_get16(page + 4), 1);
    ck_assert_uint_eq(vital_page(0xb2), 4);
    ck_assert_uint_eq(scsi_get32(page + 4), 0x00e00200);
}
END_TEST

START_TEST(a_long_serial_is_cut)
{
    char serial[100];

    memset(serial, 's', sizeof serial);
    serial[99] = '\0';
    scsi_disk_init(&disk, &medium.disk, serial);
    ck_assert_uint_eq(vital_page(0x80), SCSI_SERIAL_MAX);
    ck_assert_uint_eq(vital_page(0x83), 4 + 8 + SCSI_SERIAL_MAX);
}
END_TEST

START_TEST(capacity_is_the_last_block)
{
    medium.disk.size += 511; /* a part of a block does not count */
    expect_good(scsi_call(TARGET, CDB(0x25), 0, 8), 8, 8);
    ck_assert_uint_eq(scsi_get32(data_in()), BLOCKS - 1);
    ck_assert_uint_eq(scsi_get32(data_in() + 4), 512);
    expect_sense(scsi_call(TARGET, CDB(0x25, 0, 0, 0, 0, 1), 0, 8), SENSE_INVALID_FIELD_IN_CDB);

    expect_sense(scsi_call(TARGET, CDB(0x25, [8] = 1), 0, 8), SENSE_INVALID_FIELD_IN_CDB);
    expect_sense(scsi_call(TARGET, CDB(0x9e, 0x10, [13] = 32, [14] = 1), 0, 32),
                 SENSE_INVALID_FIELD_IN_CDB);
    expect_sense(scsi_call(TARGET, CDB(0x9e, 0x10, [9] = 1, [13] = 32), 0, 32),
                 SENSE_INVALID_FIELD_IN_CDB);

    expect_good(scsi_call(TARGET, CDB(0x9e, 0x10, [13] = 64), 0, 64), 32, 64);
    ck_assert_uint_eq(scsi_get64(data_in()), BLOCKS - 1);
    ck_assert_uint_eq(scsi_get32(data_in() + 8), 512);
    ck_assert_uint_eq(data_in()[12], 0);
    ck_assert_uint_eq(data_in()[13], 3); /* 2^3 blocks are a physical one */
    ck_assert_uint_eq(data_in()[14], 0x80);
    expect_sense(scsi_call(TARGET, CDB(0x9e, 0x11, [13] = 32), 0, 32), SENSE_INVALID_FIELD_IN_CDB);

    medium.disk.size = 512 * ((1ull << 32) + 1);
    expect_good(scsi_call(TARGET, CDB(0x25), 0, 8), 8, 8);
    ck_assert_uint_eq(scsi_get32(data_in()), UINT32_MAX); /* "ask with 16 bytes" */
    expect_good(scsi_call(TARGET, CDB(0x9e, 0x10, [13] = 32), 0, 32), 32, 32);
    ck_assert_uint_eq(scsi_get64(data_in()), 1ull << 32);
}
END_TEST

START_TEST(mode_sense_tells_of_the_cache)
{
    static const uint8_t six[] = {31, 0, 0x10, 8, 0, 0, 0, BLOCKS, 0, 0, 2, 0, 0x08, 0x12, 4, 0};
    const uint8_t *r = data_in();

    expect_good(scsi_call(TARGET, CDB(0x1a, 0, 0x3f, 0, 255), 0, 255), 32, 255);
    ck_assert_mem_eq(r, six, sizeof six);
    expect_good(scsi_call(TARGET, CDB(0x1a, 8, 0x08, 0, 4), 0, 4), 4, 4); /* no descriptor */
    ck_assert_uint_eq(r[0], 23);
    ck_assert_uint_eq(r[3], 0);
    expect_good(scsi_call(TARGET, CDB(0x5a, 0, 0x08, 0, 0, 0, 0, 1, 0), 0, 256), 36, 256);
    ck_assert_uint_eq(scsi_get16(r), 34);
    ck_assert_uint_eq(r[3], 0x10);
    ck_assert_uint_eq(scsi_get16(r + 6), 8);
    ck_assert_uint_eq(r[16], 0x08);
    ck_assert_uint_eq(r[18], 4);

    medium.disk.size = 512 * ((1ull << 32) + 1); /* more blocks than four bytes count */
    expect_good(scsi_call(TARGET, CDB(0x1a, 0, 0x08, 0, 12), 0, 12), 12, 12);
    ck_assert_uint_eq(scsi_get32(r + 4), UINT32_MAX);
    medium.disk.size = BLOCKS * 512;

    /* What could be changed: nothing. Defaults: the same. Saved values: none. */
    expect_good(scsi_call(TARGET, CDB(0x1a, 8, 0x48, 0, 255), 0, 255), 24, 255);
    ck_assert_uint_eq(r[4], 0x08);
    ck_assert_uint_eq(r[6], 0);
    expect_good(scsi_call(TARGET, CDB(0x1a, 8, 0x88, 0, 255), 0, 255), 24, 255);
    ck_assert_uint_eq(r[6], 4);
    expect_sense(scsi_call(TARGET, CDB(0x1a, 8, 0xc8, 0, 255), 0, 255), SENSE_SAVING_NOT_SUPPORTED);
    expect_sense(scsi_call(TARGET, CDB(0x1a, 0, 0x0a, 0, 255), 0, 255), SENSE_INVALID_FIELD_IN_CDB);
    expect_sense(scsi_call(TARGET, CDB(0x1a, 0, 0x08, 1, 255), 0, 255), SENSE_INVALID_FIELD_IN_CDB);
    expect_good(scsi_call(TARGET, CDB(0x1a, 0, 0x3f, 0xff, 255), 0, 255), 32, 255);
}
END_TEST

START_TEST(an_unknown_command_is_refused)
{
    static const uint8_t known[] = {0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x1b, 0x25,
                                    0x28, 0x2a, 0x35, 0x41, 0x42, 0x5a, 0x88, 0x8a,
                                    0x91, 0x93, 0x9e, 0xa0, 0xa8, 0xaa};

    for (unsigned code = 0; code < 256; code++) {
        const uint8_t cdb[16] = {(uint8_t)code};
        struct answer a = scsi_call(TARGET, cdb, 0, 0);

        if (memchr(known, (int)code, sizeof known))
            ck_assert_uint_ne(a.sense, SENSE_INVALID_OPERATION_CODE);
        else
            expect_sense(a, SENSE_INVALID_OPERATION_CODE);
    }
}
END_TEST

START_TEST(sense_data_comes_in_fixed_format_only)
{
    expect_good(scsi_call(TARGET, CDB(0x03, 0, 0, 0, 252), 0, 252), 18, 252);
    ck_assert_uint_eq(data_in()[0], 0x70);
    ck_assert_uint_eq(data_in()[2], 0);
    expect_sense(scsi_call(TARGET, CDB(0x03, 1, 0, 0, 252), 0, 252), SENSE_INVALID_FIELD_IN_CDB);
}
END_TEST

START_TEST(naca_is_refused_wherever_the_control_byte_is)
{
    expect_sense(scsi_call(TARGET, CDB(0x00, [5] = 4), 0, 0), SENSE_INVALID_FIELD_IN_CDB);
    expect_sense(scsi_call(TARGET, CDB(0x35, [9] = 4), 0, 0), SENSE_INVALID_FIELD_IN_CDB);
    expect_sense(scsi_call(TARGET, CDB(0xa8, [11] = 4), 0, 0), SENSE_INVALID_FIELD_IN_CDB);
    expect_sense(scsi_call(TARGET, CDB(0x91, [15] = 4), 0, 0), SENSE_INVALID_FIELD_IN_CDB);
    expect_good(scsi_call(TARGET, CDB(0x00, [5] = 3), 0, 0), 0, 0);
}
END_TEST

/* ---- blocks ----------------------------------------------------------------------- */

/* The same blocks by each of the four commands. */
static const uint8_t reads[][16] = {
    {0x08, 0, 0, 5, 3},
    {0x28, 0, 0, 0, 0, 5, 0, 0, 3},
    {0xa8, 0, 0, 0, 0, 5, 0, 0, 0, 3},
    {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 3},
};

START_TEST(blocks_are_read_and_written)
{
    uint8_t cdb[16];

    memset(data_in(), UNSET, 2048);
    expect_good(scsi_call(TARGET, reads[_i], 0, 2048), 3 * 512, 2048);
    ck_assert_mem_eq(data_in(), medium.bytes + 5 * 512, 3 * 512);
    ck_assert_uint_eq(data_in()[3 * 512], UNSET);

    memcpy(cdb, reads[_i], sizeof cdb);
    cdb[0] += 2; /* WRITE */
    for (unsigned i = 0; i < 3 * 512; i++)
        data_out()[i] = (uint8_t)(i * 5);
    expect_good(scsi_call(TARGET, cdb, 3 * 512, 0), 3 * 512, 3 * 512);
    ck_assert_mem_eq(data_out(), medium.bytes + 5 * 512, 3 * 512);
    ck_assert_uint_eq(medium.bytes[5 * 512 - 1], (uint8_t)(4 * 3 + 5 * 512 - 1));
    ck_assert_uint_eq(medium.bytes[8 * 512], (uint8_t)(8 * 3 + 8 * 512));
    ck_assert_uint_eq(medium.flushes, 0);
}
END_TEST

START_TEST(six_bytes_name_21_bits_and_256_blocks)
{
    medium.disk.size = sizeof medium.bytes;
    expect_good(scsi_call(TARGET, CDB(0x08, 0, 1, 0, 0), 0, 0x20000), 0x20000, 0x20000);
    ck_assert_mem_eq(data_in(), medium.bytes + 256 * 512, 0x20000);
    expect_good(scsi_call(TARGET, CDB(0x08, 0xe0, 0, 1, 1), 0, 512), 512, 512);
    ck_assert_mem_eq(data_in(), medium.bytes + 512, 512);
    expect_sense(scsi_call(TARGET, CDB(0x08, 0x10, 0, 1, 1), 0, 512), SENSE_BLOCK_OUT_OF_RANGE);
}
END_TEST

/* Each names blocks that are not there; with enough room, and with almost 2^64 wanted. */
static const uint8_t outside[][16] = {
    {0x08, 0, 0, BLOCKS, 1},
    {0x08, 0x1f, 0xff, 0xff, 0},
    {0x0a, 0, 0, BLOCKS - 1, 2},
    {0x28, 0, 0, 0, 0, BLOCKS, 0, 0, 1},
    {0x28, 0, 0, 0, 0, BLOCKS - 1, 0, 0, 2},
    {0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff},
    {0x2a, 0, 0, 0, 0, BLOCKS - 1, 0, 0, 2},
    {0x88, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff},
    {0x8a, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1},
    {0xa8, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
    {0xaa, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0x35, 0, 0, 0, 0, BLOCKS, 0, 0, 1},
    {0x91, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2},
    {0x41, 0, 0, 0, 0, BLOCKS - 1, 0, 0, 2},
    {0x93, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1},
};

START_TEST(blocks_that_are_not_there_are_refused)
{
    bool out = outside[_i][0] & 2 || outside[_i][0] == 0x41 || outside[_i][0] == 0x93;
    uint32_t size = outside[_i][0] == 0x35 || outside[_i][0] == 0x91 ? 0 : 4096;

    expect_sense(scsi_call(TARGET, outside[_i], out ? size : 0, out ? 0 : size),
                 SENSE_BLOCK_OUT_OF_RANGE);
    ck_assert_uint_eq(medium.submitted, 0);
}
END_TEST

START_TEST(no_blocks_are_none_to_move)
{
    expect_good(scsi_call(TARGET, CDB(0x28, 0, 0, 0, 0, BLOCKS), 0, 0), 0, 0);
    expect_good(scsi_call(TARGET, CDB(0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 3), 0, 0), 0, 0);
    expect_sense(scsi_call(TARGET, CDB(0x28, 0, 0, 0, 0, BLOCKS + 1), 0, 0),
                 SENSE_BLOCK_OUT_OF_RANGE);
}
END_TEST

START_TEST(protection_information_is_not_there)
{
    expect_sense(scsi_call(TARGET, CDB(0x28, 0x20, 0, 0, 0, 0, 0, 0, 1), 0, 512),
                 SENSE_INVALID_FIELD_IN_CDB);
    expect_sense(scsi_call(TARGET, CDB(0x8a, 0xe0, [13] = 1), 512, 0), SENSE_INVALID_FIELD_IN_CDB);
    ck_assert_uint_eq(medium.submitted, 0);
}
END_TEST

START_TEST(a_flush_is_asked_for_or_follows_a_write)
{
    expect_good(scsi_call(TARGET, CDB(0x35), 0, 0), 0, 0);
    ck_assert_uint_eq(medium.flushes, 1);
    expect_good(scsi_call(TARGET, CDB(0x91), 0, 0), 0, 0);
    ck_assert_uint_eq(medium.flushes, 2);
    expect_good(scsi_call(TARGET, CDB(0x2a, 8, 0, 0, 0, 0, 0, 0, 1), 512, 0), 512, 512);
    ck_assert_uint_eq(medium.flushes, 3);
    medium.slow = true;
    put_request((const uint8_t[8]){1}, CDB(0x2a, 8, 0, 0, 0, 0, 0, 0, 1), 1);
    guest_send(&guest, 2,
               (struct piece[]){{REQUEST, REQUEST_SIZE, false},
                                {DATA_OUT, 512, false},
                                {RESPONSE, RESPONSE_SIZE, true}},
               3);
    medium_finish(&medium);
    ck_assert_int_eq(guest_receive(&guest, 2), -1); /* written, but not yet for good */
    ck_assert_uint_eq(medium.flushes, 3);
    medium_finish(&medium);
    ck_assert_int_eq(guest_receive(&guest, 2), RESPONSE_SIZE);
    ck_assert_uint_eq(medium.flushes, 4);
}
END_TEST

static const struct {
    uint8_t cdb[16];
    uint32_t out, in;
    int error;
    enum scsi_sense sense;
} failures[] = {
    {{0x28, 0, 0, 0, 0, 0, 0, 0, 1}, 0, 512, -EIO, SENSE_READ_ERROR},
    {{0x28, 0, 0, 0, 0, 0, 0, 0, 1}, 0, 512, -ENOSPC, SENSE_READ_ERROR},
    {{0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, 512, 0, -EIO, SENSE_WRITE_ERROR},
    {{0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, 512, 0, -ENOSPC, SENSE_SPACE_ALLOCATION_FAILED},
    {{0x35}, 0, 0, -EIO, SENSE_WRITE_ERROR},
    {{0x93, 0, [13] = 1}, 512, 0, -EDQUOT, SENSE_SPACE_ALLOCATION_FAILED},
};

START_TEST(an_error_of_the_disk_has_its_sense)
{
    struct answer a;

    medium.failure = failures[_i].error;
    a = scsi_call(TARGET, failures[_i].cdb, failures[_i].out, failures[_i].in);
    expect_sense(a, failures[_i].sense);
    ck_assert_uint_eq(a.residual, failures[_i].out + failures[_i].in);
    medium.failure = 0;
    expect_good(scsi_call(TARGET, CDB(0), 0, 0), 0, 0);
}
END_TEST

START_TEST(a_read_only_disk_is_not_changed)
{
    static const uint8_t writes[][16] = {
        {0x0a, 0, 0, 0, 1}, {0x2a, [8] = 1},  {0x8a, [13] = 1}, {0xaa, [9] = 1},
        {0x41, [8] = 1},    {0x93, [13] = 1}, {0x42, [8] = 24},
    };

    scsi_done();
    start(true);
    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++)
        expect_sense(scsi_call(TARGET, writes[i], 512, 0), SENSE_WRITE_PROTECTED);
    ck_assert_uint_eq(medium.submitted, 0);
    expect_good(scsi_call(TARGET, CDB(0x28, [8] = 1), 0, 512), 512, 512);
    expect_good(scsi_call(TARGET, CDB(0x1a, 8, 0x08, 0, 255), 0, 255), 24, 255);
    ck_assert_uint_eq(data_in()[2], 0x90);
    ck_assert_uint_eq(data_in()[6], 0);
    ck_assert_uint_eq(vital_page(0xb2), 4);
    ck_assert_uint_eq(scsi_get32(data_in() + 4), 0);
    ck_assert_uint_eq(vital_page(0xb0), 60);
    ck_assert_uint_eq(scsi_get64(data_in() + 20), 0);
}
END_TEST

/* ---- blocks that are given back ------------------------------------------------------ */

struct range {
    uint64_t first;
    uint32_t count;
};

static void put64(uint8_t *to, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

/* A parameter list of UNMAP in data-out; its size. */
static uint16_t put_ranges(const struct range *ranges, unsigned count)
{
    uint8_t *list = data_out();

    memset(list, 0, 8 + 16 * count);
    list[0] = (uint8_t)((6 + 16 * count) >> 8);
    list[1] = (uint8_t)(6 + 16 * count);
    list[2] = (uint8_t)(16 * count >> 8);
    list[3] = (uint8_t)(16 * count);
    for (unsigned i = 0; i < count; i++) {
        put64(list + 8 + 16 * i, ranges[i].first);
        put64(list + 16 + 16 * i, (uint64_t)ranges[i].count << 32);
    }
    return (uint16_t)(8 + 16 * count);
}

static struct answer unmap(uint16_t size)
{
    return scsi_call(TARGET, CDB(0x42, 0, 0, 0, 0, 0, 0, (uint8_t)(size >> 8), (uint8_t)size), size,
                     0);
}

START_TEST(ranges_are_unmapped)
{
    static const struct range ranges[] = {{2, 1}, {10, 0}, {20, 4}, {BLOCKS, 0}};
    uint16_t size = put_ranges(ranges, ARRAY_SIZE(ranges));

    expect_good(unmap(size), size, size);
    ck_assert_uint_eq(medium.discarded, 5 * 512);
    ck_assert_uint_eq(medium.bytes[2 * 512], 0xdd);
    ck_assert_uint_ne(medium.bytes[3 * 512], 0xdd);
    ck_assert_uint_eq(medium.bytes[24 * 512 - 1], 0xdd);
    ck_assert_uint_eq(medium.submitted, 2);
    expect_good(unmap(put_ranges(NULL, 0)), 8, 8);
    expect_good(unmap(0), 0, 0);
    ck_assert_uint_eq(medium.submitted, 2);
}
END_TEST

START_TEST(thirty_two_ranges_are_unmapped_and_no_more)
{
    struct range ranges[33];

    for (unsigned i = 0; i < 33; i++)
        ranges[i] = (struct range){i, 1};
    expect_good(unmap(put_ranges(ranges, 32)), 520, 520);
    ck_assert_uint_eq(medium.discarded, 32 * 512);
    expect_sense(unmap(put_ranges(ranges, 33)), SENSE_INVALID_FIELD_IN_PARAMETERS);
    ck_assert_uint_eq(medium.discarded, 32 * 512);
}
END_TEST

START_TEST(a_wrong_range_unmaps_nothing)
{
    static const struct range wrong[] = {
        {BLOCKS - 1, 2}, {BLOCKS, 1}, {UINT64_MAX, 1}, {1, UINT32_MAX}, {UINT64_MAX, UINT32_MAX}};

    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        const struct range ranges[] = {{0, 4}, wrong[i]};

        expect_sense(unmap(put_ranges(ranges, 2)), SENSE_BLOCK_OUT_OF_RANGE);
    }
    medium.disk.size = UINT64_MAX / 2;
    expect_sense(unmap(put_ranges((struct range[]){{0, SCSI_UNMAP_BLOCKS_MAX}, {0, 1}}, 2)),
                 SENSE_INVALID_FIELD_IN_PARAMETERS);
    ck_assert_uint_eq(medium.submitted, 0);
    expect_good(unmap(put_ranges((struct range[]){{0, SCSI_UNMAP_BLOCKS_MAX}}, 1)), 24, 24);
    ck_assert_uint_eq(medium.discarded, 512ull * SCSI_UNMAP_BLOCKS_MAX);
    medium.disk.size = BLOCKS * 512;
}
END_TEST

START_TEST(a_parameter_list_without_form_unmaps_nothing)
{
    static const struct range ranges[] = {{0, 4}, {8, 4}};

    put_ranges(ranges, 2);
    expect_sense(unmap(7), SENSE_PARAMETER_LIST_LENGTH);
    expect_sense(unmap(39), SENSE_INVALID_FIELD_IN_PARAMETERS); /* shorter than it says */
    data_out()[3] = 31;
    expect_sense(unmap(40), SENSE_INVALID_FIELD_IN_PARAMETERS); /* not whole descriptors */
    data_out()[2] = data_out()[3] = 0xf0;
    expect_sense(unmap(40), SENSE_INVALID_FIELD_IN_PARAMETERS);
    expect_sense(unmap(65535), SENSE_INVALID_FIELD_IN_PARAMETERS);
    expect_sense(scsi_call(TARGET, CDB(0x42, 1, [8] = 8), 8, 0), SENSE_INVALID_FIELD_IN_CDB);
    medium.disk.can_discard = false;
    expect_sense(unmap(put_ranges(ranges, 2)), SENSE_INVALID_FIELD_IN_CDB);
    ck_assert_uint_eq(medium.submitted, 0);
}
END_TEST

START_TEST(write_same_makes_zeros)
{
    memset(data_out(), 0, 512);
    expect_good(scsi_call(TARGET, CDB(0x93, 8, [9] = 4, [13] = 3), 512, 0), 512, 512);
    ck_assert_uint_eq(medium.zeroed, 3 * 512);
    ck_assert_uint_eq(medium.bytes[4 * 512 + 1], 0);
    expect_good(scsi_call(TARGET, CDB(0x41, 0, [5] = 10, [8] = 2), 512, 0), 512, 512);
    ck_assert_uint_eq(medium.zeroed, 5 * 512);
    ck_assert_uint_eq(medium.unmapped, 3 * 512); /* the UNMAP bit was set */
    ck_assert_uint_eq(medium.submitted, 2);
}
END_TEST

START_TEST(write_same_repeats_a_block)
{
    medium.disk.size = sizeof medium.bytes;
    memset(data_out(), 0xab, 512);
    data_out()[511] = 0xcd;
    expect_good(scsi_call(TARGET, CDB(0x93, 0, [9] = 3, [12] = 1, [13] = 1), 512, 0), 512, 512);
    for (unsigned block = 3; block < 3 + 257; block++)
        ck_assert_mem_eq(medium.bytes + 512 * block, data_out(), 512);
    ck_assert_uint_ne(medium.bytes[512 * 260], 0xab);
    ck_assert_uint_eq(medium.submitted, 3); /* 128, 128, 1 */
    ck_assert_uint_eq(medium.zeroed, 0);
}
END_TEST

START_TEST(a_wrong_write_same_changes_nothing)
{
    static const uint8_t wrong[][16] = {
        {0x93, 0, [13] = 0},           /* to the end of the disk: never (WSNZ) */
        {0x93, 0, [11] = 1, [13] = 1}, /* one more than the page says */
        {0x93, 0x10, [13] = 1},        /* ANCHOR */
        {0x93, 0x01, [13] = 1},        /* NDOB */
        {0x93, 0x20, [13] = 1},        /* WRPROTECT */
        {0x41, 0x02, [8] = 1},         /* LBDATA */
        {0x93, 0, [10] = 0xff, [13] = 1},
    };

    medium.disk.size = 1ull << 40;
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
        expect_sense(scsi_call(TARGET, wrong[i], 512, 0), SENSE_INVALID_FIELD_IN_CDB);
    medium.disk.can_discard = false;
    expect_sense(scsi_call(TARGET, CDB(0x93, 8, [13] = 1), 512, 0), SENSE_INVALID_FIELD_IN_CDB);
    ck_assert_uint_eq(medium.submitted, 0);
    medium.disk.size = BLOCKS * 512;
}
END_TEST

static Suite *disk_suite(void)
{
    Suite *suite = suite_create("scsi_disk");
    TCase *tests = tcase_create("commands");

    tcase_add_checked_fixture(tests, power_up, scsi_done);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, inquiry_says_what_it_is);
    tcase_add_test(tests, vital_pages_name_the_disk_and_its_limits);
    tcase_add_test(tests, a_long_serial_is_cut);
    tcase_add_test(tests, capacity_is_the_last_block);
    tcase_add_test(tests, mode_sense_tells_of_the_cache);
    tcase_add_test(tests, an_unknown_command_is_refused);
    tcase_add_test(tests, sense_data_comes_in_fixed_format_only);
    tcase_add_test(tests, naca_is_refused_wherever_the_control_byte_is);
    tcase_add_loop_test(tests, blocks_are_read_and_written, 0, ARRAY_SIZE(reads));
    tcase_add_test(tests, six_bytes_name_21_bits_and_256_blocks);
    tcase_add_loop_test(tests, blocks_that_are_not_there_are_refused, 0, ARRAY_SIZE(outside));
    tcase_add_test(tests, no_blocks_are_none_to_move);
    tcase_add_test(tests, protection_information_is_not_there);
    tcase_add_test(tests, a_flush_is_asked_for_or_follows_a_write);
    tcase_add_loop_test(tests, an_error_of_the_disk_has_its_sense, 0, ARRAY_SIZE(failures));
    tcase_add_test(tests, a_read_only_disk_is_not_changed);
    tcase_add_test(tests, ranges_are_unmapped);
    tcase_add_test(tests, thirty_two_ranges_are_unmapped_and_no_more);
    tcase_add_test(tests, a_wrong_range_unmaps_nothing);
    tcase_add_test(tests, a_parameter_list_without_form_unmaps_nothing);
    tcase_add_test(tests, write_same_makes_zeros);
    tcase_add_test(tests, write_same_repeats_a_block);
    tcase_add_test(tests, a_wrong_write_same_changes_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(disk_suite());
}
