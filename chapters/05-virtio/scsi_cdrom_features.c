/*
 * scsi_cdrom_features.c: what a CD-ROM drive says that it can do: GET CONFIGURATION, and
 * the older mode page that Linux reads. Declared in scsi_cdrom.h. Open at hand: [MMC6],
 * "Features" and "GET CONFIGURATION Command".
 *
 * A feature is a thing that a drive may be able to do. A profile is a set of features
 * that belongs to a kind of disc; it is current while such a disc is in the drive.
 */
#include "05-virtio/scsi_cdrom.h"

#include "common/bits.h"

/* 80 minutes of 60 seconds of 75 blocks; more does not fit on a CD. */
#define CD_BLOCKS_MAX (80u * 60 * 75)

enum { PROFILE_NONE = 0x0000, PROFILE_CD_ROM = 0x0008, PROFILE_DVD_ROM = 0x0010 };

static unsigned current_profile(const struct scsi_unit *unit)
{
    if (!scsi_unit_medium(unit))
        return PROFILE_NONE;
    return scsi_unit_blocks(unit) > CD_BLOCKS_MAX ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

static void put_profile(struct scsi_reply *r, unsigned profile, unsigned current)
{
    scsi_put16(r, profile);
    scsi_put8(r, profile == current);
    scsi_put8(r, 0);
}

static void put_profiles(const struct scsi_unit *unit, struct scsi_reply *r)
{
    put_profile(r, PROFILE_DVD_ROM, current_profile(unit));
    put_profile(r, PROFILE_CD_ROM, current_profile(unit));
}

static void put_core(const struct scsi_unit *unit, struct scsi_reply *r)
{
    enum { SCSI_FAMILY = 1, DEVICE_BUSY_EVENTS = 1 };

    (void)unit;
    scsi_put32(r, SCSI_FAMILY);
    scsi_put8(r, DEVICE_BUSY_EVENTS);
    scsi_put_zeros(r, 3);
}

static void put_removable(const struct scsi_unit *unit, struct scsi_reply *r)
{
    enum { TRAY = 1 << 5, CAN_EJECT = 1 << 3, CAN_LOCK = 1 << 0 };

    (void)unit;
    scsi_put8(r, TRAY | CAN_EJECT | CAN_LOCK);
    scsi_put_zeros(r, 3);
}

static void put_random_readable(const struct scsi_unit *unit, struct scsi_reply *r)
{
    scsi_put32(r, unit->block_size);
    scsi_put16(r, 1); /* block that must be read at once */
    scsi_put16(r, 0);
}

/* [MMC6, "Features"]: version, and whether it is always there, with or without a disc. */
static const struct feature {
    uint16_t code;
    uint8_t version;
    bool persistent;
    unsigned profile; /* current with this disc only; 0: see persistent, or any disc */
    void (*put)(const struct scsi_unit *unit, struct scsi_reply *r); /* NULL: nothing to say */
} features[] = {
    {0x0000, 0, true, 0, put_profiles},       {0x0001, 2, true, 0, put_core},
    {0x0003, 1, true, 0, put_removable},      {0x0010, 0, false, 0, put_random_readable},
    {0x001e, 2, false, PROFILE_CD_ROM, NULL}, {0x001f, 1, false, PROFILE_DVD_ROM, NULL},
};

static bool is_current(const struct scsi_unit *unit, const struct feature *f)
{
    unsigned profile = current_profile(unit);

    return f->persistent || (profile != PROFILE_NONE && (!f->profile || f->profile == profile));
}

static void put_feature(const struct scsi_unit *unit, struct scsi_reply *r, const struct feature *f)
{
    unsigned at;

    scsi_put16(r, f->code);
    scsi_put8(r, (unsigned)f->version << 2 | (unsigned)f->persistent << 1 | is_current(unit, f));
    at = r->size;
    scsi_put8(r, 0);
    if (f->put)
        f->put(unit, r);
    scsi_put_length(r, at, 1);
}

/* [MMC6, "GET CONFIGURATION Command"] */
void scsi_cdrom_get_configuration(struct scsi_unit *unit, struct scsi_command *c)
{
    enum { ALL, CURRENT, ONE };
    unsigned which = c->cdb[1] & 0x03, from = scsi_get16(&c->cdb[2]);
    struct scsi_reply r = {.size = 0};

    if (which > ONE) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_put32(&r, 0); /* the length, in the end */
    scsi_put16(&r, 0);
    scsi_put16(&r, current_profile(unit));
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        const struct feature *f = &features[i];

        if (which == ONE ? f->code == from
                         : f->code >= from && (which == ALL || is_current(unit, f)))
            put_feature(unit, &r, f);
    }
    scsi_put_length(&r, 0, 4);
    scsi_answer(c, &r, scsi_get16(&c->cdb[7]));
}

/* [MMC6, "MM Capabilities and Mechanical Status Page"], which Linux still believes. */
void scsi_cdrom_put_capabilities(const struct scsi_unit *unit, struct scsi_reply *r)
{
    enum { READS_CD_R_RW_DVD = 0x0b, TRAY = 1 << 5, CAN_EJECT = 1 << 3, CAN_LOCK = 1 << 0 };
    enum { SPEED = 50 * 176 }; /* kB/s; 176 is a CD player's */

    (void)unit;
    scsi_put8(r, READS_CD_R_RW_DVD);
    scsi_put_zeros(r, 3); /* writes nothing, plays nothing */
    scsi_put8(r, TRAY | CAN_EJECT | CAN_LOCK);
    scsi_put8(r, 0);
    scsi_put16(r, SPEED); /* at most */
    scsi_put16(r, 0);     /* volume levels */
    scsi_put16(r, 512);   /* KiB of buffer */
    scsi_put16(r, SPEED); /* now */
    scsi_put_zeros(r, 4);
}
