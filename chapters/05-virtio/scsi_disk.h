/*
 * scsi_disk.h: a SCSI disk: blocks of 512 bytes, numbered from 0.
 *
 *     scsi_disk_init(&unit, &raw.disk, "serial-1");
 *     virtio_scsi_add(&scsi, 0, 0, &unit);
 *
 * Whether it can be written, and whether blocks can be given back, follows from the
 * struct disk behind it. [SBC3, 4 "Direct access block device type model"]
 */
#ifndef CHAPTER_05_SCSI_DISK_H
#define CHAPTER_05_SCSI_DISK_H

#include "05-virtio/scsi_unit.h"

/* See scsi_unit_init(). The disk must outlive the unit. */
void scsi_disk_init(struct scsi_unit *unit, struct disk *disk, const char *serial);

#endif
