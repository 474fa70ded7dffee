/*
 * scsi.h: the SCSI hosts of the command line and what is on their buses, for scsi.c, which
 * makes them, and scsi_disc.c, which changes discs.
 */
#ifndef CHAPTER_07_DEVICES_SCSI_H
#define CHAPTER_07_DEVICES_SCSI_H

#include "05-virtio/scsi_cdrom.h"
#include "05-virtio/scsi_disk.h"
#include "05-virtio/virtio_scsi.h"
#include "07-linux-boot/inventory.h"

struct host_card {
    struct device device;
    struct virtio_scsi scsi;
    int images; /* an epoll: readable when one of the images has something to say */
};

/* A disk or a drive. */
struct unit_card {
    struct device device;
    char drive_id[ID_ROOM];
    char serial[SCSI_SERIAL_MAX + 1];
    unsigned target; /* and 1; 0: any */
    unsigned lun;
    struct drive *drive; /* NULL: none, in a CD-ROM drive */
    union {
        struct scsi_unit disk;
        struct scsi_cdrom cdrom;
    } model;
};

/* Has the host hear when the unit's image, which is open, has something to say. */
void scsi_watch_image(const struct host_card *host, const struct unit_card *card);

/*
 * While the machine runs, from the event loop's thread: the CD-ROM drive of that name, which
 * is its own or its -drive's, loses its disc, or has another instead. 0, or -errno with
 * why->text: no such drive; the guest has locked it; a file that is no good, and then the
 * drive stays empty.
 */
int scsi_disc_eject(struct inventory *inventory, const char *name, struct refusal *why);
int scsi_disc_change(struct inventory *inventory, const char *name, const char *file,
                     struct refusal *why);

#endif
