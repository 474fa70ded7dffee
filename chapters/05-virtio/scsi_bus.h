/*
 * scsi_bus.h: which logical unit a command is for: the units by target and number (LUN).
 *
 *     target 0  --- LUN 0  a disk            a target is a device with an address,
 *     target 1  --- LUN 0  a CD-ROM drive    a LUN one of the things in it
 *               `-- LUN 1  another disk
 *
 * Some commands are answered although nobody is there: a target tells which units it has
 * (REPORT LUNS), and that it has none of a given number. [SAM5, "SCSI target device"]
 */
#ifndef CHAPTER_05_SCSI_BUS_H
#define CHAPTER_05_SCSI_BUS_H

#include "05-virtio/scsi_unit.h"

#define SCSI_UNITS_MAX   16u
#define SCSI_TARGETS_MAX 16u
#define SCSI_LUNS_MAX    256u

/* All zeros is a bus with nothing on it. */
struct scsi_bus {
    struct {
        unsigned target, lun;
        struct scsi_unit *unit; /* not owned */
    } places[SCSI_UNITS_MAX];
    unsigned count;
};

/* 0; -ERANGE: no such address; -EEXIST: taken; -ENOSPC: the bus is full. */
int scsi_bus_add(struct scsi_bus *bus, unsigned target, unsigned lun, struct scsi_unit *unit);

/* The lowest target without units, or -ENOSPC. */
int scsi_bus_free_target(const struct scsi_bus *bus);

/* Is there any unit at this target? */
bool scsi_bus_has_target(const struct scsi_bus *bus, unsigned target);

/* The unit, or NULL. */
struct scsi_unit *scsi_bus_unit(const struct scsi_bus *bus, unsigned target, unsigned lun);

/* Carries a command out for one of the LUNs of a target that is there. */
void scsi_bus_run(const struct scsi_bus *bus, unsigned target, unsigned lun,
                  struct scsi_command *c);

#endif
