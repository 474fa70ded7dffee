/* blk.c: virtio-blk-pci: a disk. [VIRTIO, 5.2 "Block Device"] */
#include <errno.h>
#include <stdio.h>

#include "05-virtio/virtio_blk.h"
#include "07-linux-boot/inventory.h"

#define CLASS_STORAGE 0x010000u /* mass storage: SCSI, as QEMU says of its virtio disks */

struct blk_card {
    struct device device;
    char drive_id[ID_ROOM];
    char serial[VIRTIO_BLK_ID_BYTES + 1]; /* what the guest sees as the disk's id */
    unsigned queues;                      /* 0: one */
    struct drive *drive;
    struct virtio_blk blk;
};

static const struct property properties[] = {
    {"drive", property_text, AT(struct blk_card, drive_id), .form = "DRIVE"},
    {"serial", property_text, AT(struct blk_card, serial), .form = "TEXT"},
    {"num-queues", property_number, AT(struct blk_card, queues), .form = "NUMBER", .min = 1,
     .max = VIRTIO_BLK_QUEUES_MAX},
    DEVICE_ROWS,
};

static int find_back_end(struct device *device, struct inventory *inventory, struct refusal *why)
{
    struct blk_card *card = (struct blk_card *)device;

    card->drive = inventory_take_drive(inventory, card->drive_id, why);
    return card->drive ? 0 : -EINVAL;
}

static int disk_fd(void *self)
{
    return ((struct blk_card *)self)->drive->disk->ready_fd;
}

static void disk_ready(void *self)
{
    virtio_blk_complete(&((struct blk_card *)self)->blk);
}

static int plug(struct device *device, struct virtio_bus *bus, struct refusal *why)
{
    struct blk_card *card = (struct blk_card *)device;
    struct virtio_source source = {disk_fd, disk_ready, card};
    char name[16];
    int error;

    virtio_blk_init(&card->blk, &bus->machine->vm.memory, card->drive->disk, card->serial,
                    card->queues ? card->queues : 1);
    snprintf(name, sizeof name, "%.15s", card->drive->id);
    error = virtio_slot_plug_worker(&device->slot, &card->blk.device, CLASS_STORAGE, bus, name,
                                    &source, why);
    if (error < 0)
        virtio_blk_free(&card->blk);
    return error;
}

static void unplug(struct device *device)
{
    struct blk_card *card = (struct blk_card *)device;

    virtio_slot_unplug(&device->slot);
    virtio_blk_free(&card->blk);
}

const struct device_kind device_blk = {
    .name = "virtio-blk",
    .text = "a disk, whose image is a -drive",
    .properties = properties,
    .size = sizeof(struct blk_card),
    .on = BUS_VIRTIO,
    .connect = find_back_end,
    .plug = plug,
    .unplug = unplug,
};
