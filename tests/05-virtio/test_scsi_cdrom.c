/*
 * test_scsi_cdrom.c: a CD-ROM drive: what it says of itself and of its disc, reading, and
 * a tray that opens, closes and is locked.
 */
#include "scsi_guest.h"

#define BLOCKS 64u
#define TARGET 1

static struct medium disc, other;
static struct scsi_cdrom drive;

static void power_up(void)
{
    scsi_power_up();
    medium_init(&disc, BLOCKS * 2048, true);
    medium_init(&other, 3 * 2048, true);
    scsi_cdrom_init(&drive, &disc.disk, "cd-1");
    ck_assert_int_eq(scsi_bus_add(&scsi.bus, TARGET, 0, &drive.unit), 0);
    scsi_drive();
    drive.events = 0;
}

START_TEST(inquiry_says_that_the_medium_is_removable)
{
    static const uint8_t pages[] = {0x00, 0x80, 0x83};

    expect_good(scsi_call(TARGET, CDB(0x12, 0, 0, 0, 36), 0, 36), 36, 36);
    ck_assert_uint_eq(data_in()[0], 0x05);
    ck_assert_uint_eq(data_in()[1], 0x80);
    ck_assert_mem_eq(data_in() + 8, "RING-1  CD-ROM          1.0 ", 28);
    expect_good(scsi_call(TARGET, CDB(0x12, 1, 0, 0, 64), 0, 64), 7, 64);
    ck_assert_mem_eq(data_in() + 4, pages, sizeof pages);
}
END_TEST

START_TEST(blocks_of_2048_bytes_are_read)
{
    static const uint8_t reads[][16] = {{0x28, 0, 0, 0, 0, 2, 0, 0, 3},
                                        {0xa8, 0, 0, 0, 0, 2, 0, 0, 0, 3}};

    for (unsigned i = 0; i < 2; i++) {
        memset(data_in(), UNSET, 3 * 2048);
        expect_good(scsi_call(TARGET, reads[i], 0, 3 * 2048), 3 * 2048, 3 * 2048);
        ck_assert_mem_eq(data_in(), disc.bytes + 2 * 2048, 3 * 2048);
    }
    expect_sense(scsi_call(TARGET, CDB(0x28, 0, 0, 0, 0, BLOCKS, 0, 0, 1), 0, 2048),
                 SENSE_BLOCK_OUT_OF_RANGE);
    expect_sense(scsi_call(TARGET, CDB(0xa8, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff), 0, 2048),
                 SENSE_BLOCK_OUT_OF_RANGE);
    expect_good(scsi_call(TARGET, CDB(0x25), 0, 8), 8, 8);
    ck_assert_uint_eq(scsi_get32(data_in()), BLOCKS - 1);
    ck_assert_uint_eq(scsi_get32(data_in() + 4), 2048);
}
END_TEST

START_TEST(nothing_is_written)
{
    static const uint8_t writes[] = {0x0a, 0x2a, 0x8a, 0xaa, 0x41, 0x42, 0x93};

    for (unsigned i = 0; i < sizeof writes; i++) {
        const uint8_t cdb[16] = {writes[i]};

        expect_sense(scsi_call(TARGET, cdb, 2048, 0), SENSE_INVALID_OPERATION_CODE);
    }
    ck_assert_uint_eq(disc.submitted, 0);
}
END_TEST

START_TEST(the_table_of_contents_has_one_track)
{
    static const uint8_t blocks[] = {0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
                                     0, 0,  0, 0x14, 0xaa, 0,    0, 0, 0, BLOCKS};
    /* 150 blocks before the first are 2 seconds; 214 are 2 seconds and 64 frames. */
    static const uint8_t times[] = {0, 18, 1, 1,    0,    0x14, 1, 0, 0, 0,
                                    2, 0,  0, 0x14, 0xaa, 0,    0, 0, 2, 64};
    static const uint8_t sessions[] = {0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0};

    expect_good(scsi_call(TARGET, CDB(0x43, 0, 0, 0, 0, 0, 0, 0, 255), 0, 255), 20, 255);
    ck_assert_mem_eq(data_in(), blocks, sizeof blocks);
    expect_good(scsi_call(TARGET, CDB(0x43, 2, 0, 0, 0, 0, 1, 0, 255), 0, 255), 20, 255);
    ck_assert_mem_eq(data_in(), times, sizeof times);
    expect_good(scsi_call(TARGET, CDB(0x43, 0, 1, 0, 0, 0, 0, 0, 12), 0, 12), 12, 12);
    ck_assert_mem_eq(data_in(), sessions, sizeof sessions);
    expect_good(scsi_call(TARGET, CDB(0x43, 0, 0, 0, 0, 0, 0xaa, 0, 12), 0, 12), 12, 12);
    ck_assert_uint_eq(data_in()[6], 0xaa);
    disc.disk.size = 5000 * 2048; /* and 2 seconds: 1 minute, 8 seconds, 50 frames */
    expect_good(scsi_call(TARGET, CDB(0x43, 2, 0, 0, 0, 0, 0xaa, 0, 12), 0, 12), 12, 12);
    ck_assert_uint_eq(scsi_get32(data_in() + 8), 0x00010832);
    expect_sense(scsi_call(TARGET, CDB(0x43, 0, 0, 0, 0, 0, 2, 0, 12), 0, 12),
                 SENSE_INVALID_FIELD_IN_CDB);
    for (unsigned format = 2; format < 16; format++) {
        const uint8_t cdb[16] = {0x43, 0, (uint8_t)format, [8] = 12};

        expect_sense(scsi_call(TARGET, cdb, 0, 12), SENSE_INVALID_FIELD_IN_CDB);
    }
}
END_TEST

START_TEST(the_disc_is_finished)
{
    static const uint8_t expected[] = {0, 32, 0x0e, 1, 1, 1, 1, 0x20};

    expect_good(scsi_call(TARGET, CDB(0x51, 0, 0, 0, 0, 0, 0, 0, 34), 0, 34), 34, 34);
    ck_assert_mem_eq(data_in(), expected, sizeof expected);
    expect_sense(scsi_call(TARGET, CDB(0x51, 1, 0, 0, 0, 0, 0, 0, 34), 0, 34),
                 SENSE_INVALID_FIELD_IN_CDB);
}
END_TEST

/* Feature numbers in the answer to GET CONFIGURATION; -1 behind the last. */
static void features(unsigned which, unsigned from, int found[10])
{
    const uint8_t cdb[16] = {0x46, (uint8_t)which, (uint8_t)(from >> 8), (uint8_t)from, [8] = 200};
    uint32_t size, count = 0;

    ck_assert_uint_eq(scsi_call(TARGET, cdb, 0, 200).status, SCSI_GOOD);
    size = scsi_get32(data_in()) + 4;
    ck_assert_uint_le(size, 200);
    for (uint32_t at = 8; at < size; at += 4u + data_in()[at + 3])
        found[count++] = (int)scsi_get16(data_in() + at);
    found[count] = -1;
}

static void expect_features(unsigned which, unsigned from, const int *expected)
{
    int found[10];

    features(which, from, found);
    for (unsigned i = 0; i == 0 || expected[i - 1] >= 0; i++)
        ck_assert_int_eq(found[i], expected[i]);
}

START_TEST(configuration_follows_the_disc)
{
    expect_features(0, 0, (int[]){0, 1, 3, 0x10, 0x1e, 0x1f, -1});
    ck_assert_uint_eq(scsi_get16(data_in() + 6), 0x0008);
    expect_features(1, 0, (int[]){0, 1, 3, 0x10, 0x1e, -1});
    expect_features(0, 4, (int[]){0x10, 0x1e, 0x1f, -1});
    expect_features(2, 3, (int[]){3, -1});
    expect_features(2, 0x107, (int[]){-1});
    expect_features(0, 0xffff, (int[]){-1});
    expect_sense(scsi_call(TARGET, CDB(0x46, 3, [8] = 8), 0, 8), SENSE_INVALID_FIELD_IN_CDB);

    disc.disk.size = 800ull << 20; /* more than a CD has */
    expect_features(1, 0x1e, (int[]){0x1f, -1});
    ck_assert_uint_eq(scsi_get16(data_in() + 6), 0x0010);
    disc.disk.size = BLOCKS * 2048;
    scsi_cdrom_eject(&drive);
    expect_features(1, 0, (int[]){0, 1, 3, -1});
    ck_assert_uint_eq(scsi_get16(data_in() + 6), 0);
}
END_TEST

START_TEST(mode_sense_says_what_linux_looks_for)
{
    expect_good(scsi_call(TARGET, CDB(0x5a, 8, 0x2a, 0, 0, 0, 0, 0, 128), 0, 128), 28, 128);
    ck_assert_uint_eq(scsi_get16(data_in()), 26);
    ck_assert_uint_eq(data_in()[8], 0x2a);
    ck_assert_uint_eq(data_in()[9], 18);
    ck_assert_uint_eq(data_in()[11], 0); /* writes nothing */
    ck_assert_uint_eq(data_in()[14], 0x29);
    expect_good(scsi_call(TARGET, CDB(0x1a, 0, 0x2a, 0, 128), 0, 128), 4 + 8 + 20, 128);
    expect_sense(scsi_call(TARGET, CDB(0x1a, 0, 0x08, 0, 128), 0, 128), SENSE_INVALID_FIELD_IN_CDB);
}
END_TEST

/* ---- the tray ------------------------------------------------------------------- */

/* The media event (byte 4) and whether the tray is open, a disc present (byte 5). */
static void expect_event(unsigned event, unsigned state)
{
    expect_good(scsi_call(TARGET, CDB(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 0, 8), 8, 8);
    ck_assert_uint_eq(scsi_get16(data_in()), 6);
    ck_assert_uint_eq(data_in()[2], 4);
    ck_assert_uint_eq(data_in()[3], 0x10);
    ck_assert_uint_eq(data_in()[4], event);
    ck_assert_uint_eq(data_in()[5], state);
}

static struct answer tray(unsigned bits)
{
    const uint8_t cdb[16] = {0x1b, 0, 0, 0, (uint8_t)bits};

    return scsi_call(TARGET, cdb, 0, 0);
}

static struct answer lock(bool locked)
{
    const uint8_t cdb[16] = {0x1e, 0, 0, 0, locked};

    return scsi_call(TARGET, cdb, 0, 0);
}

START_TEST(the_guest_opens_and_closes_the_tray)
{
    expect_event(0, 2);
    expect_good(tray(2), 0, 0);
    expect_sense(scsi_call(TARGET, CDB(0), 0, 0), SENSE_NO_MEDIUM_TRAY_OPEN);
    expect_sense(scsi_call(TARGET, CDB(0x28, [8] = 1), 0, 2048), SENSE_NO_MEDIUM_TRAY_OPEN);
    expect_event(3, 1);
    expect_event(0, 1); /* told once */
    expect_good(tray(3), 0, 0);
    expect_sense(scsi_call(TARGET, CDB(0), 0, 0), SENSE_MEDIUM_MAY_HAVE_CHANGED);
    expect_good(scsi_call(TARGET, CDB(0), 0, 0), 0, 0);
    expect_event(2, 2);
    expect_good(tray(0), 0, 0); /* stop and start move nothing */
    expect_good(tray(1), 0, 0);
    expect_good(tray(3), 0, 0); /* it is closed */
    expect_event(0, 2);
    expect_good(scsi_call(TARGET, CDB(0), 0, 0), 0, 0);
    ck_assert_uint_eq(disc.submitted, 0);
}
END_TEST

START_TEST(a_locked_tray_stays_closed)
{
    expect_good(lock(true), 0, 0);
    expect_sense(tray(2), SENSE_REMOVAL_PREVENTED);
    ck_assert(!scsi_cdrom_eject(&drive));
    ck_assert_ptr_eq(drive.unit.medium, &disc.disk);
    expect_event(1, 2); /* the host asks for it */
    expect_good(lock(false), 0, 0);
    ck_assert(scsi_cdrom_eject(&drive));
    expect_good(lock(true), 0, 0);
    guest_drive(&guest, &scsi.device, UINT64_MAX, 8); /* a reset unlocks it */
    ck_assert(!drive.locked);
    ck_assert(drive.unit.tray_open);
}
END_TEST

START_TEST(another_disc_is_another_disc)
{
    ck_assert(scsi_cdrom_eject(&drive));
    expect_sense(scsi_call(TARGET, CDB(0x25), 0, 8), SENSE_NO_MEDIUM_TRAY_OPEN);
    expect_event(3, 1);
    scsi_cdrom_insert(&drive, &other.disk);
    expect_sense(scsi_call(TARGET, CDB(0x28, [8] = 1), 0, 2048), SENSE_MEDIUM_MAY_HAVE_CHANGED);
    expect_event(2, 2);
    expect_good(scsi_call(TARGET, CDB(0x25), 0, 8), 8, 8);
    ck_assert_uint_eq(scsi_get32(data_in()), 2);
}
END_TEST

START_TEST(an_empty_drive_has_no_medium)
{
    scsi_cdrom_init(&drive, NULL, "cd-1");
    expect_sense(scsi_call(TARGET, CDB(0), 0, 0), SENSE_POWER_ON_OR_RESET);
    expect_sense(scsi_call(TARGET, CDB(0), 0, 0), SENSE_NO_MEDIUM);
    expect_sense(scsi_call(TARGET, CDB(0x43, [8] = 12), 0, 12), SENSE_NO_MEDIUM);
    expect_event(0, 0);
    expect_good(scsi_call(TARGET, CDB(0x1a, 0, 0x2a, 0, 128), 0, 128), 24, 128);
    ck_assert_uint_eq(data_in()[3], 0); /* no blocks to describe */
    expect_good(tray(3), 0, 0);
    scsi_cdrom_insert(&drive, &other.disk);
    expect_event(2, 2);
}
END_TEST

START_TEST(a_disc_without_a_whole_block_is_none)
{
    disc.disk.size = 2047;
    expect_sense(scsi_call(TARGET, CDB(0x25), 0, 8), SENSE_NO_MEDIUM);
    disc.disk.size = 2048;
    expect_good(scsi_call(TARGET, CDB(0x25), 0, 8), 8, 8);
    ck_assert_uint_eq(scsi_get32(data_in()), 0);
}
END_TEST

START_TEST(an_ejected_disc_is_not_read_any_more)
{
    disc.slow = true;
    put_request((const uint8_t[8]){1, TARGET}, CDB(0x28, [8] = 1), 1);
    guest_send(&guest, 2,
               (struct piece[]){{REQUEST, REQUEST_SIZE, false},
                                {RESPONSE, RESPONSE_SIZE, true},
                                {DATA_IN, 2048, true}},
               3);
    ck_assert_uint_eq(disc.waiting_count, 1);
    ck_assert(scsi_cdrom_eject(&drive));
    ck_assert_uint_eq(disc.waiting_count, 0);
    ck_assert_mem_eq(data_in(), disc.bytes, 2048);
    medium_finish(&disc);
    ck_assert_int_eq(guest_receive(&guest, 2), RESPONSE_SIZE + 2048);
}
END_TEST

START_TEST(events_are_polled)
{
    expect_sense(scsi_call(TARGET, CDB(0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8), 0, 8),
                 SENSE_INVALID_FIELD_IN_CDB);
    drive.events = 2;
    expect_good(scsi_call(TARGET, CDB(0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8), 0, 8), 4, 8);
    ck_assert_uint_eq(data_in()[2], 0x80); /* other classes: nothing */
    expect_event(2, 2);
    drive.unit.attention = SENSE_DEVICE_RESET; /* does not keep events back */
    expect_event(0, 2);
    ck_assert_uint_eq(drive.unit.attention, SENSE_DEVICE_RESET);
}
END_TEST

static Suite *cdrom_suite(void)
{
    Suite *suite = suite_create("scsi_cdrom");
    TCase *tests = tcase_create("commands");

    tcase_add_checked_fixture(tests, power_up, scsi_done);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, inquiry_says_that_the_medium_is_removable);
    tcase_add_test(tests, blocks_of_2048_bytes_are_read);
    tcase_add_test(tests, nothing_is_written);
    tcase_add_test(tests, the_table_of_contents_has_one_track);
    tcase_add_test(tests, the_disc_is_finished);
    tcase_add_test(tests, configuration_follows_the_disc);
    tcase_add_test(tests, mode_sense_says_what_linux_looks_for);
    tcase_add_test(tests, the_guest_opens_and_closes_the_tray);
    tcase_add_test(tests, a_locked_tray_stays_closed);
    tcase_add_test(tests, another_disc_is_another_disc);
    tcase_add_test(tests, an_empty_drive_has_no_medium);
    tcase_add_test(tests, a_disc_without_a_whole_block_is_none);
    tcase_add_test(tests, an_ejected_disc_is_not_read_any_more);
    tcase_add_test(tests, events_are_polled);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(cdrom_suite());
}
