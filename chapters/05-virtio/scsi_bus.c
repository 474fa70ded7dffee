/*
 * scsi_bus.c: see scsi_bus.h. Open at hand: [SPC4] 6.33 "REPORT LUNS command", [SAM5]
 * "Logical unit numbers".
 */
#include "05-virtio/scsi_bus.h"

#include <errno.h>

#include "common/bits.h"

#define REQUEST_SENSE 0x03
#define INQUIRY       0x12
#define REPORT_LUNS   0xa0

/* Which units REPORT LUNS tells of: only ours are there, whatever of these was asked. */
#define REPORT_USUAL      0x00
#define REPORT_WELL_KNOWN 0x01 /* the transport's, which we do not count */
#define REPORT_ALL        0x02

struct scsi_unit *scsi_bus_unit(const struct scsi_bus *bus, unsigned target, unsigned lun)
{
    for (unsigned i = 0; i < bus->count; i++)
        if (bus->places[i].target == target && bus->places[i].lun == lun)
            return bus->places[i].unit;
    return NULL;
}

bool scsi_bus_has_target(const struct scsi_bus *bus, unsigned target)
{
    for (unsigned i = 0; i < bus->count; i++)
        if (bus->places[i].target == target)
            return true;
    return false;
}

int scsi_bus_free_target(const struct scsi_bus *bus)
{
    for (unsigned target = 0; target < SCSI_TARGETS_MAX; target++)
        if (!scsi_bus_has_target(bus, target))
            return (int)target;
    return -ENOSPC;
}

int scsi_bus_add(struct scsi_bus *bus, unsigned target, unsigned lun, struct scsi_unit *unit)
{
    if (target >= SCSI_TARGETS_MAX || lun >= SCSI_LUNS_MAX)
        return -ERANGE;
    if (scsi_bus_unit(bus, target, lun))
        return -EEXIST;
    if (bus->count == SCSI_UNITS_MAX)
        return -ENOSPC;
    bus->places[bus->count].target = target;
    bus->places[bus->count].lun = lun;
    bus->places[bus->count++].unit = unit;
    return 0;
}

/* A LUN below 256 is eight bytes of which the second is the number. */
static void report_luns(const struct scsi_bus *bus, unsigned target, struct scsi_command *c)
{
    uint32_t allocation = scsi_get32(&c->cdb[6]);
    uint8_t which = c->cdb[2];
    struct scsi_reply r = {.size = 0};

    if (which > REPORT_ALL || allocation < 16) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_put32(&r, 0); /* the length, in the end */
    scsi_put32(&r, 0);
    for (unsigned i = 0; i < bus->count && which != REPORT_WELL_KNOWN; i++) {
        if (bus->places[i].target != target)
            continue;
        scsi_put8(&r, 0);
        scsi_put8(&r, bus->places[i].lun);
        scsi_put_zeros(&r, 6);
    }
    scsi_put_length(&r, 0, 4);
    r.bytes[3] -= 4; /* which does not count the four reserved bytes */
    scsi_answer(c, &r, allocation);
}

/* [SPC4, 6.39 "REQUEST SENSE command"]: GOOD, and the sense data says why not. */
static void sense_of_nobody(struct scsi_command *c)
{
    struct scsi_reply r = {.size = SCSI_SENSE_MAX};

    scsi_sense_bytes(SENSE_UNIT_NOT_SUPPORTED, r.bytes);
    scsi_answer(c, &r, c->cdb[4]);
}

void scsi_bus_run(const struct scsi_bus *bus, unsigned target, unsigned lun, struct scsi_command *c)
{
    struct scsi_unit *unit = scsi_bus_unit(bus, target, lun);

    if (c->cdb[0] == REPORT_LUNS)
        report_luns(bus, target, c);
    else if (unit)
        scsi_unit_run(unit, c);
    else if (c->cdb[0] == INQUIRY)
        scsi_inquiry_nobody(c);
    else if (c->cdb[0] == REQUEST_SENSE)
        sense_of_nobody(c);
    else
        scsi_refuse(c, SENSE_UNIT_NOT_SUPPORTED);
}
