/*
 * scsi.c: virtio-scsi-pci, and what is on its bus: scsi-hd, a disk, and scsi-cd, a CD-ROM
 * drive. [VIRTIO, 5.6 "SCSI Host Device"]
 *
 *     -device virtio-scsi-pci,id=host
 *     -device scsi-hd,drive=d0,bus=host.0,scsi-id=3,serial=S1
 *     -device scsi-cd,drive=iso
 *
 * A unit without scsi-id= gets the lowest target that is free when all others have theirs.
 * Without serial= its -drive's name is what the guest knows it by. An image in a CD-ROM
 * drive is never written, and so opened for reading only. A scsi-cd without drive= is an
 * empty drive.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "07-linux-boot/devices/scsi.h"
#include "common/die.h"

#define CLASS_STORAGE 0x010000u

static int take_target(const struct property *row, void *field, const char *value,
                       struct refusal *why)
{
    unsigned *target = field;
    int error = property_number(row, target, value, why);

    *target += 1;
    return error;
}

static const struct property host_properties[] = {DEVICE_ROWS};

static const struct property unit_properties[] = {
    {"drive", property_text, AT(struct unit_card, drive_id), .form = "DRIVE"},
    {"serial", property_text, AT(struct unit_card, serial), .form = "TEXT"},
    {"scsi-id", take_target, AT(struct unit_card, target), .form = "N",
     .max = SCSI_TARGETS_MAX - 1},
    {"lun", property_number, AT(struct unit_card, lun), .form = "N", .max = SCSI_LUNS_MAX - 1},
    DEVICE_ROWS_ON_A_BUS,
};

static int find_image(struct device *device, struct inventory *inventory, struct refusal *why)
{
    struct unit_card *card = (struct unit_card *)device;

    card->drive = inventory_take_drive(inventory, card->drive_id, why);
    return card->drive ? 0 : -EINVAL;
}

static int find_disc(struct device *device, struct inventory *inventory, struct refusal *why)
{
    struct unit_card *card = (struct unit_card *)device;
    int error = card->drive_id[0] ? find_image(device, inventory, why) : 0;

    if (card->drive)
        card->drive->read_only = true;
    return error;
}

/* A CD-ROM drive may be empty, and a disc have been taken out before the guest's reset. */
static bool has_image(const struct unit_card *card)
{
    return card->drive && card->drive->open;
}

static const char *serial_of(const struct unit_card *card)
{
    if (card->serial[0])
        return card->serial;
    if (card->drive)
        return card->drive->id;
    return card->device.id[0] ? card->device.id : "empty";
}

static struct scsi_unit *make_unit(struct unit_card *card)
{
    if (card->device.kind == &device_scsi_hd) {
        scsi_disk_init(&card->model.disk, card->drive->disk, serial_of(card));
        return &card->model.disk;
    }
    scsi_cdrom_init(&card->model.cdrom, has_image(card) ? card->drive->disk : NULL,
                    serial_of(card));
    return &card->model.cdrom.unit;
}

static int place(struct scsi_bus *bus, struct unit_card *card, struct refusal *why)
{
    int target = card->target ? (int)card->target - 1 : scsi_bus_free_target(bus);
    int error = target < 0 ? target
                           : scsi_bus_add(bus, (unsigned)target, card->lun, make_unit(card));

    if (error == -EEXIST)
        return refuse(why, error, "scsi-id=%d,lun=%u: two devices have that address", target,
                      card->lun);
    return error < 0 ? refuse(why, error, "no target is left on its bus") : 0;
}

/* Those that say where they want to be come first. */
static int place_all(struct host_card *host, struct refusal *why)
{
    const struct device *device = &host->device;

    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < device->child_count; i++) {
            struct unit_card *card = (struct unit_card *)device->children[i];
            int error = (card->target == 0) == (pass == 1) ? place(&host->scsi.bus, card, why) : 0;

            if (error < 0)
                return error;
        }
    return 0;
}

static void free_model(struct host_card *host)
{
    virtio_scsi_free(&host->scsi);
    close(host->images);
}

static int images_fd(void *self)
{
    return ((struct host_card *)self)->images;
}

static void images_ready(void *self)
{
    virtio_scsi_complete(&((struct host_card *)self)->scsi);
}

/* Images that take their time say so when they are done: one descriptor for all. */
void scsi_watch_image(const struct host_card *host, const struct unit_card *card)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (has_image(card) && card->drive->disk->ready_fd >= 0 &&
        epoll_ctl(host->images, EPOLL_CTL_ADD, card->drive->disk->ready_fd, &event) < 0)
        die("epoll_ctl failed: %s", strerror(errno));
}

static void watch_images(struct host_card *host)
{
    host->images = epoll_create1(EPOLL_CLOEXEC);
    if (host->images < 0)
        die("epoll_create1 failed: %s", strerror(errno));
    for (unsigned i = 0; i < host->device.child_count; i++)
        scsi_watch_image(host, (const struct unit_card *)host->device.children[i]);
}

static int plug(struct device *device, struct virtio_bus *bus, struct refusal *why)
{
    struct host_card *host = (struct host_card *)device;
    struct virtio_source source = {images_fd, images_ready, host};
    int error;

    virtio_scsi_init(&host->scsi, &bus->machine->vm.memory, 1);
    watch_images(host);
    error = place_all(host, why);
    if (error == 0)
        error = virtio_slot_plug_worker(&device->slot, &host->scsi.device, CLASS_STORAGE, bus,
                                        "scsi", &source, why);
    if (error < 0)
        free_model(host);
    return error;
}

static void unplug(struct device *device)
{
    struct host_card *host = (struct host_card *)device;

    virtio_slot_unplug(&device->slot);
    free_model(host);
}

const struct device_kind device_scsi = {
    .name = "virtio-scsi",
    .text = "a SCSI host, with a bus for scsi-hd and scsi-cd",
    .properties = host_properties,
    .size = sizeof(struct host_card),
    .on = BUS_VIRTIO,
    .offers = BUS_SCSI,
    .plug = plug,
    .unplug = unplug,
};

const struct device_kind device_scsi_hd = {
    .name = "scsi-hd",
    .text = "a disk on a SCSI host's bus, whose image is a -drive",
    .properties = unit_properties,
    .size = sizeof(struct unit_card),
    .on = BUS_SCSI,
    .connect = find_image,
};

const struct device_kind device_scsi_cd = {
    .name = "scsi-cd",
    .text = "a CD-ROM drive on a SCSI host's bus, whose disc is a -drive or none",
    .properties = unit_properties,
    .size = sizeof(struct unit_card),
    .on = BUS_SCSI,
    .connect = find_disc,
};
