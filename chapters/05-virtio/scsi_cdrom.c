/*
 * scsi_cdrom.c: see scsi_cdrom.h. Open at hand: [MMC6], "Commands".
 *
 * Left out on purpose: sound, several sessions, raw sectors, the structures of a DVD,
 * changers, and everything that writes.
 */
#include "05-virtio/scsi_cdrom.h"

#include <assert.h>
#include <string.h>

#include "05-virtio/scsi_block.h"
#include "common/bits.h"

#define TYPE_CD_DVD 0x05
#define CD_BLOCK    2048u
/* Addresses in minutes and seconds count from before the first block. */
#define MSF_OFFSET     150u

#define TRACK_LEAD_OUT 0xaa
#define TRACK_DATA     0x14 /* ADR 1: a position; control 4: data, not sound */

/* Media event codes. [MMC6, "GET EVENT STATUS NOTIFICATION Command"] */
enum { EVENT_NONE, EVENT_EJECT_REQUEST, EVENT_NEW_MEDIA, EVENT_MEDIA_REMOVAL };

static struct scsi_cdrom *drive_of(struct scsi_unit *unit)
{
    return (struct scsi_cdrom *)((uint8_t *)unit - offsetof(struct scsi_cdrom, unit));
}

static void run_read_10(struct scsi_unit *unit, struct scsi_command *c)
{
    scsi_block_read(unit, c, scsi_get32(&c->cdb[2]), scsi_get16(&c->cdb[7]));
}

static void run_read_12(struct scsi_unit *unit, struct scsi_command *c)
{
    scsi_block_read(unit, c, scsi_get32(&c->cdb[2]), scsi_get32(&c->cdb[6]));
}

static void run_capacity(struct scsi_unit *unit, struct scsi_command *c)
{
    uint64_t last = scsi_unit_blocks(unit) - 1;
    struct scsi_reply r = {.size = 0};

    scsi_put32(&r, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
    scsi_put32(&r, unit->block_size);
    scsi_answer(c, &r, r.size);
}

/* A block's number, or its time on the disc as minutes, seconds and frames. */
static void put_address(struct scsi_reply *r, uint64_t block, bool msf)
{
    uint64_t time = block + MSF_OFFSET;

    if (!msf) {
        scsi_put32(r, (uint32_t)block);
        return;
    }
    scsi_put8(r, 0);
    scsi_put8(r, (unsigned)(time / (60 * 75)));
    scsi_put8(r, (unsigned)(time / 75 % 60));
    scsi_put8(r, (unsigned)(time % 75));
}

static void put_track(struct scsi_reply *r, unsigned track, uint64_t block, bool msf)
{
    scsi_put8(r, 0);
    scsi_put8(r, TRACK_DATA);
    scsi_put8(r, track);
    scsi_put8(r, 0);
    put_address(r, block, msf);
}

/* The table of contents: one track, and where it ends. [MMC6, "READ TOC/PMA/ATIP Command"] */
static void run_read_toc(struct scsi_unit *unit, struct scsi_command *c)
{
    enum { FORMAT_TRACKS, FORMAT_SESSIONS };
    unsigned format = c->cdb[2] & 0x0f, from = c->cdb[6];
    struct scsi_reply r = {.size = 0};
    bool msf = c->cdb[1] & BIT(1);

    if (format > FORMAT_SESSIONS ||
        (format == FORMAT_TRACKS && from > 1 && from != TRACK_LEAD_OUT)) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_put16(&r, 0); /* the length, in the end */
    scsi_put8(&r, 1);  /* the first and the last track, or session */
    scsi_put8(&r, 1);
    if (format == FORMAT_SESSIONS || from <= 1)
        put_track(&r, 1, 0, msf);
    if (format == FORMAT_TRACKS)
        put_track(&r, TRACK_LEAD_OUT, scsi_unit_blocks(unit), msf);
    scsi_put_length(&r, 0, 2);
    scsi_answer(c, &r, scsi_get16(&c->cdb[7]));
}

/* A finished disc of one session. [MMC6, "READ DISC INFORMATION Command"] */
static void run_disc_information(struct scsi_unit *unit, struct scsi_command *c)
{
    enum { COMPLETE_AND_FINISHED = 0x0e, ANY_USE = 0x20 };
    struct scsi_reply r = {.size = 0};

    (void)unit;
    if (c->cdb[1] & 0x07) { /* what a recorder could tell */
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_put16(&r, 0);
    scsi_put8(&r, COMPLETE_AND_FINISHED);
    scsi_put8(&r, 1); /* first track, sessions, first and last track of the last of them */
    scsi_put8(&r, 1);
    scsi_put8(&r, 1);
    scsi_put8(&r, 1);
    scsi_put8(&r, ANY_USE);
    scsi_put_zeros(&r, 26);
    scsi_put_length(&r, 0, 2);
    scsi_answer(c, &r, scsi_get16(&c->cdb[7]));
}

/*
 * Asked from time to time whether something has happened; that is how a guest learns of a
 * new disc. [MMC6, "GET EVENT STATUS NOTIFICATION Command"]
 */
static void run_get_event(struct scsi_unit *unit, struct scsi_command *c)
{
    enum { POLLED = 1, MEDIA = 4, NO_EVENT_AVAILABLE = 0x80, TRAY_OPEN = 1, PRESENT = 2 };
    struct scsi_cdrom *drive = drive_of(unit);
    bool asked = c->cdb[4] & BIT(MEDIA);
    struct scsi_reply r = {.size = 0};

    if (!(c->cdb[1] & POLLED)) { /* to wait until something happens: nobody does */
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_put16(&r, 0); /* the length, in the end */
    scsi_put8(&r, asked ? MEDIA : NO_EVENT_AVAILABLE);
    scsi_put8(&r, BIT(MEDIA)); /* classes that we know */
    if (asked) {
        scsi_put8(&r, drive->events);
        scsi_put8(&r, (unit->tray_open ? TRAY_OPEN : 0) | (scsi_unit_medium(unit) ? PRESENT : 0));
        scsi_put16(&r, 0);
        drive->events = EVENT_NONE;
    }
    scsi_put_length(&r, 0, 2);
    scsi_answer(c, &r, scsi_get16(&c->cdb[7]));
}

static void run_prevent_removal(struct scsi_unit *unit, struct scsi_command *c)
{
    drive_of(unit)->locked = c->cdb[4] & BIT(0);
    scsi_good(c);
}

static void move_tray(struct scsi_cdrom *drive, bool open)
{
    struct scsi_unit *unit = &drive->unit;

    if (unit->tray_open == open)
        return;
    scsi_unit_wait(unit);
    unit->tray_open = open;
    if (open)
        drive->events = EVENT_MEDIA_REMOVAL;
    else if (scsi_unit_medium(unit)) {
        drive->events = EVENT_NEW_MEDIA;
        unit->attention = SENSE_MEDIUM_MAY_HAVE_CHANGED;
    }
}

/* Nothing spins; but this is also how the tray is moved. [MMC6, "START STOP UNIT Command"] */
static void run_start_stop(struct scsi_unit *unit, struct scsi_command *c)
{
    bool start = c->cdb[4] & BIT(0), eject_or_load = c->cdb[4] & BIT(1);
    struct scsi_cdrom *drive = drive_of(unit);

    if (eject_or_load && !start && drive->locked) {
        scsi_refuse(c, SENSE_REMOVAL_PREVENTED);
        return;
    }
    if (eject_or_load)
        move_tray(drive, !start);
    scsi_good(c);
}

bool scsi_cdrom_eject(struct scsi_cdrom *drive)
{
    if (drive->locked) {
        drive->events = EVENT_EJECT_REQUEST;
        return false;
    }
    move_tray(drive, true);
    scsi_unit_set_medium(&drive->unit, NULL);
    return true;
}

void scsi_cdrom_insert(struct scsi_cdrom *drive, struct disk *disc)
{
    assert(!drive->unit.medium);
    drive->unit.tray_open = true; /* it was, in whatever moment the disc went in */
    scsi_unit_set_medium(&drive->unit, disc);
    move_tray(drive, false);
}

/* A reset unlocks the tray, but leaves it where it is. */
static void reset(struct scsi_unit *unit)
{
    drive_of(unit)->locked = false;
}

static const struct scsi_row rows[] = {
    {0x1b, 6, 0, run_start_stop},
    {0x1e, 6, 0, run_prevent_removal},
    {0x25, 10, SCSI_NEEDS_MEDIUM, run_capacity},
    {0x28, 10, SCSI_NEEDS_MEDIUM, run_read_10},
    {0x43, 10, SCSI_NEEDS_MEDIUM, run_read_toc},
    {0x46, 10, SCSI_NEEDS_NOTHING, scsi_cdrom_get_configuration},
    {0x4a, 10, SCSI_NEEDS_NOTHING, run_get_event},
    {0x51, 10, SCSI_NEEDS_MEDIUM, run_disc_information},
    {0xa8, 12, SCSI_NEEDS_MEDIUM, run_read_12},
    {0},
};

static uint8_t mode_parameter(const struct scsi_unit *unit)
{
    (void)unit;
    return 0; /* that nothing can be written is in the profile */
}

static const struct scsi_page vital_pages[] = {{0, NULL}};
static const struct scsi_page mode_pages[] = {{0x2a, scsi_cdrom_put_capabilities}, {0, NULL}};

static const struct scsi_class class = {
    .type = TYPE_CD_DVD,
    .removable = true,
    .name = "CD-ROM",
    .rows = rows,
    .vital_pages = vital_pages,
    .mode_pages = mode_pages,
    .mode_parameter = mode_parameter,
    .reset = reset,
};

void scsi_cdrom_init(struct scsi_cdrom *drive, struct disk *disc, const char *serial)
{
    memset(drive, 0, sizeof *drive);
    scsi_unit_init(&drive->unit, &class, disc, CD_BLOCK, serial);
    drive->events = disc ? EVENT_NEW_MEDIA : EVENT_NONE;
}
