/*
 * test_scsi_hostile.c: a million commands with random fields, to a disk and a drive. The
 * media check what reaches them: every operation lies within the medium, and none writes to
 * what is read-only. Each command comes back with one of the answers that there are.
 *
 * SCSI_SEED and SCSI_ROUNDS change where it starts and how long it goes on.
 */
#include <stdlib.h>

#include "scsi_guest.h"

static struct medium medium, disc, protected;
static struct scsi_unit disk, read_only;
static struct scsi_cdrom drive;
static uint64_t seed;

static uint64_t number(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static uint64_t setting(const char *name, uint64_t usual)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : usual;
}

/* Small numbers, all ones, and anything: each byte of a field by itself. */
static uint8_t byte(void)
{
    switch (number() % 8) {
    case 0: return (uint8_t)number();
    case 1: return 0xff;
    case 2: return (uint8_t)(number() % 64);
    case 3: return (uint8_t)(1u << number() % 8);
    default: return 0;
    }
}

static uint32_t size(void)
{
    static const uint32_t sizes[] = {0, 0, 1, 7, 8, 24, 36, 511, 512, 513, 1024, 2048, 4096, 65536};

    return number() % 4 ? sizes[number() % ARRAY_SIZE(sizes)] : (uint32_t)(number() % 70000);
}

/* One range near the end of the medium; behind it, now and then. */
static void almost_legal_unmap(uint8_t cdb[16])
{
    memset(data_out(), 0, 24);
    memset(&cdb[1], 0, 9);
    cdb[8] = 24;
    data_out()[3] = 16;
    data_out()[14] = 3;
    data_out()[15] = byte();
    data_out()[19] = byte();
}

static void random_command(void)
{
    static const uint8_t codes[] = {0x00, 0x03, 0x08, 0x0a, 0x12, 0x1a, 0x1b, 0x1e, 0x25,
                                    0x28, 0x2a, 0x35, 0x41, 0x42, 0x43, 0x46, 0x4a, 0x51,
                                    0x5a, 0x88, 0x8a, 0x91, 0x93, 0x9e, 0xa0, 0xa8, 0xaa};
    uint8_t cdb[16], lun[8] = {1, (uint8_t)(number() % 4), number() % 2 ? 0x40 : 0, 0};
    bool out = number() % 2;
    struct answer a;

    for (unsigned i = 0; i < 16; i++)
        cdb[i] = byte();
    cdb[0] = number() % 16 ? codes[number() % sizeof codes] : (uint8_t)number();
    if (number() % 32 == 0)
        lun[number() % 8] = byte();
    for (unsigned i = 0; i < 40; i++) /* parameter lists; the block of WRITE SAME */
        data_out()[i] = number() % 4 ? 0 : byte();
    if (cdb[0] == 0x42 && number() % 2) /* else chance would have to make a list */
        almost_legal_unmap(cdb);

    a = scsi_call_lun(lun, cdb, out ? size() : 0, out ? 0 : size());
    holds(a.written >= (int64_t)RESPONSE_SIZE);
    holds(a.response == VIRTIO_SCSI_S_OK || a.response == VIRTIO_SCSI_S_OVERRUN ||
          a.response == VIRTIO_SCSI_S_BAD_TARGET);
    if (a.response == VIRTIO_SCSI_S_OK) {
        holds(a.status == SCSI_GOOD || a.status == SCSI_CHECK_CONDITION);
        holds((a.status == SCSI_CHECK_CONDITION) == (a.sense >> 8 != 0));
    }
}

START_TEST(a_million_commands_are_survived)
{
    static uint8_t before[sizeof protected.bytes];

    memcpy(before, protected.bytes, sizeof before);
    seed = setting("SCSI_SEED", 88172645463325252u);
    for (uint64_t i = 0, rounds = setting("SCSI_ROUNDS", 1000000); i < rounds; i++) {
        random_command();
        holds(virtio_device_live(&scsi.device));
        if (number() % 4096 == 0 && scsi_cdrom_eject(&drive))
            scsi_cdrom_insert(&drive, &disc.disk);
    }
    ck_assert_mem_eq(before, protected.bytes, sizeof before);
    ck_assert_uint_gt(medium.submitted, 1000);
    ck_assert_uint_gt(disc.submitted, 100);
    ck_assert_uint_gt(medium.discarded, 0);
    ck_assert_uint_gt(medium.zeroed, 0);
}
END_TEST

static void power_up(void)
{
    scsi_power_up();
    medium_init(&medium, sizeof medium.bytes, false);
    medium_init(&disc, 64 * 2048 + 100, true);
    medium_init(&protected, 64 * 512, true);
    scsi_disk_init(&disk, &medium.disk, "one");
    scsi_disk_init(&read_only, &protected.disk, "two");
    scsi_cdrom_init(&drive, &disc.disk, "three");
    scsi_bus_add(&scsi.bus, 0, 0, &disk);
    scsi_bus_add(&scsi.bus, 1, 0, &drive.unit);
    scsi_bus_add(&scsi.bus, 2, 0, &read_only);
    scsi_drive();
}

static Suite *hostile_suite(void)
{
    Suite *suite = suite_create("hostile SCSI commands");
    TCase *tests = tcase_create("commands");

    tcase_add_checked_fixture(tests, power_up, scsi_done);
    tcase_set_timeout(tests, getenv("SCSI_ROUNDS") ? 0 : 120);
    tcase_add_test(tests, a_million_commands_are_survived);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(hostile_suite());
}
