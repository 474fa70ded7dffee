/*
 * scsi_disc.c: discs that come and go while the guest runs. Declared in scsi.h.
 *
 *     (vmm) eject cd0              the tray opens; the file is closed
 *     (vmm) change cd0 other.iso   it is opened for reading, and the tray closes
 *
 * In a sandbox somebody else opens it: clerk.h.
 *
 * The drive's code runs on its SCSI host's thread. That one pauses while the disc is moved,
 * so that no command is under way.
 */
#include <errno.h>
#include <string.h>

#include "07-linux-boot/devices/scsi.h"

static bool is_named(const struct unit_card *card, const char *name)
{
    return strcmp(card->device.id, name) == 0 || strcmp(card->drive_id, name) == 0;
}

/* The drive and the host it is on. */
static struct unit_card *find(const struct inventory *inventory, const char *name,
                              struct host_card **host, struct refusal *why)
{
    for (unsigned i = 0; i < inventory->devices.count; i++) {
        struct device *device = inventory->devices.list[i];

        for (unsigned u = 0; device->kind == &device_scsi && u < device->child_count; u++) {
            struct unit_card *card = (struct unit_card *)device->children[u];

            if (*name && card->device.kind == &device_scsi_cd && is_named(card, name)) {
                *host = (struct host_card *)device;
                return card;
            }
        }
    }
    refuse(why, 0, "\"%.40s\" is no CD-ROM drive: info qtree lists the devices", name);
    return NULL;
}

static void hold(struct host_card *host)
{
    const struct virtio_runner *runner = host->scsi.device.runner;

    pthread_mutex_lock(&host->device.slot.machine->devices.lock);
    if (runner)
        runner->pause(runner->self);
}

static void let_go(struct host_card *host)
{
    const struct virtio_runner *runner = host->scsi.device.runner;

    if (runner)
        runner->resume(runner->self);
    pthread_mutex_unlock(&host->device.slot.machine->devices.lock);
}

static int eject(struct host_card *host, struct unit_card *card, struct refusal *why)
{
    bool out;

    hold(host);
    out = scsi_cdrom_eject(&card->model.cdrom);
    let_go(host);
    if (!out)
        return refuse(why, -EBUSY, "the guest has locked it; it was asked to eject the disc");
    if (card->drive)
        drive_close(card->drive);
    return 0;
}

/* A drive that never had a disc has no -drive either. */
static int make_drive(struct inventory *inventory, struct unit_card *card, const char *file,
                      struct refusal *why)
{
    struct properties given = {.count = 0};
    int error = properties_add(&given, "file", file, why);

    if (error == 0)
        error = properties_add(&given, "id", card->device.id, why);
    if (error == 0)
        error = drives_add(&inventory->drives, &given, why);
    if (error < 0)
        return error;
    card->drive = drives_find(&inventory->drives, card->device.id);
    card->drive->taken = card->drive->read_only = true;
    return 0;
}

static int open_disc(const struct inventory *inventory, struct drive *drive, struct refusal *why)
{
    int fd;

    if (!inventory->clerk)
        return drive_open(drive, why);
    if (drive->format == DRIVE_QCOW2)
        return refuse(why, -EPERM, "the sandbox has raw discs alone: -sandbox off has others");
    fd = clerk_open(inventory->clerk, drive->file, why);
    return fd < 0 ? fd : drive_adopt(drive, fd, why);
}

int scsi_disc_eject(struct inventory *inventory, const char *name, struct refusal *why)
{
    struct host_card *host;
    struct unit_card *card = find(inventory, name, &host, why);

    return card ? eject(host, card, why) : -ENOENT;
}

int scsi_disc_change(struct inventory *inventory, const char *name, const char *file,
                     struct refusal *why)
{
    struct host_card *host;
    struct unit_card *card = find(inventory, name, &host, why);
    int error = card ? eject(host, card, why) : -ENOENT;

    if (error == 0 && !card->drive)
        error = make_drive(inventory, card, file, why);
    if (error == 0 && strlen(file) >= sizeof card->drive->file)
        error = refuse(why, -ENAMETOOLONG, "the file's name is too long");
    if (error < 0)
        return error;
    strcpy(card->drive->file, file);
    error = open_disc(inventory, card->drive, why);
    if (error < 0)
        return error;
    hold(host);
    scsi_cdrom_insert(&card->model.cdrom, card->drive->disk);
    scsi_watch_image(host, card);
    let_go(host);
    return 0;
}
