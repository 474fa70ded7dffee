/*
 * scsi_unit.c: see scsi_unit.h. Open at hand: [SPC4] 6 "Commands for all device types".
 *
 * The order in which a command is looked at: is it known; may it be sent now, or must a
 * unit attention be told first; is there a medium that can be written; and only then its
 * fields.
 *
 * Left out on purpose: reservations and ACA, which are for several initiators at one
 * unit (we have one); logs; diagnostics; microcode.
 */
#include "05-virtio/scsi_unit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/bits.h"

#define CDB_DESCRIPTOR_FORMAT BIT(0) /* DESC, of REQUEST SENSE */
#define CONTROL_NACA          BIT(2) /* [SAM5, "Command descriptor block (CDB)"] */

static void test_unit_ready(struct scsi_unit *unit, struct scsi_command *c)
{
    (void)unit;
    scsi_good(c);
}

/* It asks for the unit attention, which so is no reason to refuse it. */
static void request_sense(struct scsi_unit *unit, struct scsi_command *c)
{
    struct scsi_reply r = {.size = SCSI_SENSE_MAX};

    if (c->cdb[1] & CDB_DESCRIPTOR_FORMAT) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_sense_bytes(unit->attention, r.bytes);
    unit->attention = SENSE_NONE;
    scsi_answer(c, &r, c->cdb[4]);
}

static const struct scsi_row common_rows[] = {
    {0x00, 6, SCSI_NEEDS_MEDIUM, test_unit_ready},
    {0x03, 6, SCSI_NEEDS_NOTHING, request_sense},
    {0x12, 6, SCSI_NEEDS_NOTHING, scsi_inquiry},
    {0x1a, 6, 0, scsi_mode_sense_6},
    {0x5a, 10, 0, scsi_mode_sense_10},
    {0},
};

/* A table ends with a row that has no function. */
static const struct scsi_row *find(const struct scsi_row *rows, uint8_t operation)
{
    while (rows->run && rows->operation != operation)
        rows++;
    return rows->run ? rows : NULL;
}

/* What has not one whole block is no medium. */
struct disk *scsi_unit_medium(const struct scsi_unit *unit)
{
    if (unit->tray_open || !unit->medium || unit->medium->size < unit->block_size)
        return NULL;
    return unit->medium;
}

uint64_t scsi_unit_blocks(const struct scsi_unit *unit)
{
    const struct disk *medium = scsi_unit_medium(unit);

    return medium ? medium->size / unit->block_size : 0;
}

/* Why the command cannot be carried out now, or SENSE_NONE. */
static enum scsi_sense obstacle(struct scsi_unit *unit, const struct scsi_row *row)
{
    const struct disk *medium = scsi_unit_medium(unit);
    enum scsi_sense attention = unit->attention;

    if (row->needs & SCSI_NEEDS_NOTHING)
        return SENSE_NONE;
    if (attention != SENSE_NONE) {
        unit->attention = SENSE_NONE; /* told once */
        return attention;
    }
    if (row->needs & (SCSI_NEEDS_MEDIUM | SCSI_NEEDS_WRITING) && !medium)
        return unit->tray_open ? SENSE_NO_MEDIUM_TRAY_OPEN : SENSE_NO_MEDIUM;
    if (row->needs & SCSI_NEEDS_WRITING && medium->read_only)
        return SENSE_WRITE_PROTECTED;
    return SENSE_NONE;
}

/* [run] */
void scsi_unit_run(struct scsi_unit *unit, struct scsi_command *c)
{
    const struct scsi_row *row = find(unit->class->rows, c->cdb[0]);
    enum scsi_sense sense;

    if (!row)
        row = find(common_rows, c->cdb[0]);
    if (!row) {
        scsi_refuse(c, SENSE_INVALID_OPERATION_CODE);
        return;
    }
    sense = obstacle(unit, row);
    if (sense == SENSE_NONE && c->cdb[row->size - 1] & CONTROL_NACA)
        sense = SENSE_INVALID_FIELD_IN_CDB;
    if (sense == SENSE_NONE)
        row->run(unit, c);
    else
        scsi_refuse(c, sense);
}
/* [/run] */

void scsi_unit_set_medium(struct scsi_unit *unit, struct disk *medium)
{
    unit->medium = medium;
    if (medium)
        medium->async = true;
}

void scsi_unit_commit(struct scsi_unit *unit)
{
    struct disk *medium = unit->medium;

    if (!medium || !medium->commit)
        return;
    medium->commit(medium->self);
    medium->complete(medium->self, false);
}

void scsi_unit_wait(struct scsi_unit *unit)
{
    if (unit->medium)
        unit->medium->complete(unit->medium->self, true);
}

void scsi_unit_reset(struct scsi_unit *unit, enum scsi_sense attention)
{
    if (unit->class->reset)
        unit->class->reset(unit);
    unit->attention = attention;
}

void scsi_unit_init(struct scsi_unit *unit, const struct scsi_class *class, struct disk *medium,
                    uint32_t block_size, const char *serial)
{
    assert(serial[0]);
    memset(unit, 0, sizeof *unit);
    unit->class = class;
    scsi_unit_set_medium(unit, medium);
    unit->block_size = block_size;
    unit->attention = SENSE_POWER_ON_OR_RESET;
    snprintf(unit->serial, sizeof unit->serial, "%s", serial);
}
