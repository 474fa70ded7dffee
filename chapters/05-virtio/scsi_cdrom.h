/*
 * scsi_cdrom.h: a CD-ROM drive: blocks of 2048 bytes that are only read, one data track,
 * and a tray that the guest opens and closes and the board puts discs into.
 *
 *     scsi_cdrom_init(&drive, &iso.disk, "cd-1");      or NULL: an empty drive
 *     virtio_scsi_add(&scsi, 1, 0, &drive.unit);
 *     ...
 *     if (scsi_cdrom_eject(&drive))                    the host would like to change it
 *         scsi_cdrom_insert(&drive, &other.disk);
 *
 * A disc larger than a CD is shown as a DVD. [MMC6, "Model for Multi-Media Devices"]
 */
#ifndef CHAPTER_05_SCSI_CDROM_H
#define CHAPTER_05_SCSI_CDROM_H

#include "05-virtio/scsi_unit.h"

struct scsi_cdrom {
    struct scsi_unit unit;
    bool locked;    /* the guest uses the disc and prevents its removal */
    uint8_t events; /* media event to be told next, by code; 0: none */
};

/* disc may be NULL; else it must outlive its stay in the drive. */
void scsi_cdrom_init(struct scsi_cdrom *drive, struct disk *disc, const char *serial);

/*
 * Takes the disc out. False: the guest has locked the tray; it has been asked to give the
 * disc free. Afterwards the drive does not use it any more.
 */
bool scsi_cdrom_eject(struct scsi_cdrom *drive);

/* Puts a disc into the drive, which must be empty, and closes the tray. */
void scsi_cdrom_insert(struct scsi_cdrom *drive, struct disk *disc);

/* What it says that it can do (scsi_cdrom_features.c). */
void scsi_cdrom_get_configuration(struct scsi_unit *unit, struct scsi_command *c);
void scsi_cdrom_put_capabilities(const struct scsi_unit *unit, struct scsi_reply *r);

#endif
