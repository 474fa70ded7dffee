/*
 * drives.c: see drives.h. A property that is not known here is refused by name: one that
 * was ignored could cost somebody a disk.
 */
#include "07-linux-boot/drives.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/properties.h"
#include "common/die.h"

#define CLASS_STORAGE 0x010000u /* mass storage: SCSI, as QEMU says of its virtio disks */

struct drive_options {
    char file[4096];
    char serial[VIRTIO_BLK_ID_BYTES + 1];
    bool read_only, direct;
    bool qcow2, format_given;
};

static int copy(char *to, size_t size, const char *key, const char *value, struct refusal *why)
{
    if (strlen(value) >= size)
        return refuse(why, -EINVAL, "%s=%.80s: longer than %zu bytes", key, value, size - 1);
    strcpy(to, value);
    return 0;
}

static int take(void *self, const char *key, const char *value, struct refusal *why)
{
    struct drive_options *o = self;

    if (strcmp(key, "file") == 0)
        return copy(o->file, sizeof o->file, key, value, why);
    if (strcmp(key, "serial") == 0)
        return copy(o->serial, sizeof o->serial, key, value, why);
    if (strcmp(key, "readonly") == 0)
        return properties_choose(key, value, "on", "off", &o->read_only, why);
    if (strcmp(key, "cache") == 0)
        return properties_choose(key, value, "none", "writeback", &o->direct, why);
    if (strcmp(key, "if") == 0)
        return strcmp(value, "virtio") == 0
                   ? 0
                   : refuse(why, -EINVAL, "if=%.80s: drives are virtio here", value);
    if (strcmp(key, "format") == 0) {
        o->format_given = true;
        return properties_choose(key, value, "qcow2", "raw", &o->qcow2, why);
    }
    return refuse(why, -EINVAL, "\"%.80s\" is no property of a drive", key);
}

static int parse(struct drive_options *o, const char *text, struct refusal *why)
{
    int error = properties_parse(text, NULL, take, o, why);

    if (error < 0)
        return error;
    if (o->file[0] == '\0')
        return refuse(why, -EINVAL, "has no file=");
    if (o->qcow2 && o->direct)
        return refuse(why, -EINVAL, "cache=none: only with format=raw");
    return 0;
}

/* A whole block, and aligned: the file may have been opened with O_DIRECT. */
static bool begins_as_qcow2(int fd)
{
    _Alignas(4096) char block[4096];

    return pread(fd, block, sizeof block, 0) >= 4 && memcmp(block, "QFI\xfb", 4) == 0;
}

static int open_raw(struct raw_disk *raw, const struct drive_options *o, struct refusal *why)
{
    unsigned how = (o->read_only ? RAW_DISK_READ_ONLY : 0) | (o->direct ? RAW_DISK_DIRECT : 0);
    int error = raw_disk_open(raw, o->file, how, why);

    if (error < 0 || o->format_given || !begins_as_qcow2(raw->fd))
        return error;
    raw_disk_close(raw);
    return refuse(why, -EINVAL, "looks like a qcow2 image: say format=qcow2, or format=raw");
}

static int open_image(struct drive *drive, const struct drive_options *o, struct refusal *why)
{
    struct refusal inner;
    int error;

    drive->is_qcow2 = o->qcow2;
    error = o->qcow2 ? qcow2_disk_open(&drive->image.qcow2, o->file, o->read_only, &inner)
                     : open_raw(&drive->image.raw, o, &inner);
    return error < 0 ? refuse(why, error, "%s: %s", o->file, inner.text) : 0;
}

/* The guest has flushed what it wants to keep, and heard then whether that went well. */
static void close_image(struct drive *drive)
{
    if (drive->is_qcow2)
        qcow2_disk_close(&drive->image.qcow2);
    else
        raw_disk_close(&drive->image.raw);
}

static int plug(struct drive *drive, const struct drive_options *o, struct virtio_bus *bus,
                struct refusal *why)
{
    struct disk *disk = drive->is_qcow2 ? &drive->image.qcow2.disk : &drive->image.raw.disk;
    int error;

    virtio_blk_init(&drive->blk, &bus->machine->vm.memory, disk, o->serial, 1);
    error = virtio_slot_plug(&drive->slot, &drive->blk.device, CLASS_STORAGE, bus, why);
    if (error < 0)
        virtio_blk_free(&drive->blk);
    return error;
}

int drives_add(struct drives *drives, const char *text, struct virtio_bus *bus, struct refusal *why)
{
    struct drive_options options = {.read_only = false};
    struct drive *drive;
    int error = parse(&options, text, why);

    if (error < 0)
        return error;
    if (drives->count == DRIVES_MAX)
        return refuse(why, -ENOSPC, "there is no room for more than %u drives", DRIVES_MAX);
    drive = calloc(1, sizeof *drive);
    if (!drive)
        die("no memory for a drive");
    error = open_image(drive, &options, why);
    if (error < 0)
        goto no_image;
    error = plug(drive, &options, bus, why);
    if (error < 0)
        goto not_plugged;
    drives->list[drives->count++] = drive;
    return 0;

not_plugged:
    close_image(drive);
no_image:
    free(drive);
    return error;
}

void drives_free(struct drives *drives)
{
    while (drives->count > 0) {
        struct drive *drive = drives->list[--drives->count];

        virtio_slot_unplug(&drive->slot);
        virtio_blk_free(&drive->blk);
        close_image(drive);
        free(drive);
    }
}
