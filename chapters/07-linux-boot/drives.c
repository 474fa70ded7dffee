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

#include "07-linux-boot/snapshot.h"
#include "common/die.h"

const struct property drive_properties[] = {
    {"file", property_text, AT(struct drive, file), .form = "IMAGE"},
    {"id", property_id, AT(struct drive, id), .form = "NAME"},
    {"format", property_word, AT(struct drive, format), .form = "raw|qcow2"},
    {"snapshot", property_switch, AT(struct drive, snapshot), .form = "on|off"},
    {"readonly", property_switch, AT(struct drive, read_only), .form = "on|off"},
    {"cache", property_word, AT(struct drive, cache), .form = "none|writeback"},
    {.name = NULL},
};

struct drive *drives_find(const struct drives *drives, const char *id)
{
    for (unsigned i = 0; i < drives->count; i++)
        if (strcmp(drives->list[i]->id, id) == 0)
            return drives->list[i];
    return NULL;
}

static int check(const struct drives *drives, const struct drive *drive, struct refusal *why)
{
    if (drive->file[0] == '\0')
        return refuse(why, -EINVAL, "has no file=");
    if (drive->id[0] == '\0')
        return refuse(why, -EINVAL, "has no id=: no device could name it");
    if (drives_find(drives, drive->id))
        return refuse(why, -EINVAL, "id=%s: another drive has that name", drive->id);
    if (drive->format == DRIVE_QCOW2 && drive->cache == DRIVE_CACHE_NONE)
        return refuse(why, -EINVAL, "cache=none: only with format=raw");
    if (drive->snapshot && drive->cache == DRIVE_CACHE_NONE)
        return refuse(why, -EINVAL, "cache=none: not with a snapshot");
    return 0;
}

int drives_add(struct drives *drives, const struct properties *given, struct refusal *why)
{
    struct drive *drive = calloc(1, sizeof *drive);
    int error;

    if (!drive)
        die("no memory for a drive");
    error = properties_apply(given, drive_properties, drive, why);
    if (error == 0)
        error = check(drives, drive, why);
    if (error == 0 && drives->count == DRIVES_MAX)
        error = refuse(why, -ENOSPC, "there is no room for more than %u drives", DRIVES_MAX);
    if (error < 0) {
        free(drive);
        return error;
    }
    drives->list[drives->count++] = drive;
    return 0;
}

/* A whole block, and aligned: the file may have been opened with O_DIRECT. */
static bool begins_as_qcow2(int fd)
{
    _Alignas(4096) char block[4096];

    return pread(fd, block, sizeof block, 0) >= 4 && memcmp(block, "QFI\xfb", 4) == 0;
}

static int open_raw(struct drive *drive, struct refusal *why)
{
    struct raw_disk *raw = &drive->image.raw;
    unsigned how = (drive->read_only ? RAW_DISK_READ_ONLY : 0) |
                   (drive->cache == DRIVE_CACHE_NONE ? RAW_DISK_DIRECT : 0);
    int error = raw_disk_open(raw, drive->file, how, why);

    if (error < 0)
        return error;
    if (drive->format == DRIVE_RAW || !begins_as_qcow2(raw->fd)) {
        drive->disk = &raw->disk;
        return 0;
    }
    raw_disk_close(raw);
    return refuse(why, -EINVAL, "looks like a qcow2 image: say format=qcow2, or format=raw");
}

static int open_qcow2(struct drive *drive, struct refusal *why)
{
    int error = qcow2_disk_open(&drive->image.qcow2, drive->file, drive->read_only, why);

    drive->disk = &drive->image.qcow2.disk;
    return error;
}

static int open_image(struct drive *drive, struct refusal *why)
{
    drive->is_qcow2 = drive->format == DRIVE_QCOW2;
    return drive->is_qcow2 ? open_qcow2(drive, why) : open_raw(drive, why);
}

/* The guest has flushed what it wants to keep, and heard then whether that went well. */
static void close_image(struct drive *drive)
{
    if (drive->is_qcow2)
        qcow2_disk_close(&drive->image.qcow2);
    else
        raw_disk_close(&drive->image.raw);
}

/* The image itself is opened first, to be looked at and refused as any is. */
static int open_snapshot(struct drive *drive, struct refusal *why)
{
    bool read_only = drive->read_only;
    uint64_t size;
    int error;

    drive->read_only = true;
    error = open_image(drive, why);
    drive->read_only = read_only;
    if (error < 0)
        return error;
    size = drive->disk->size;
    close_image(drive);
    error = snapshot_open(&drive->image.qcow2, drive->file, drive->is_qcow2 ? "qcow2" : "raw", size,
                          why);
    drive->is_qcow2 = true;
    drive->disk = &drive->image.qcow2.disk;
    return error;
}

int drive_open(struct drive *drive, struct refusal *why)
{
    bool forget = drive->snapshot && !drive->read_only;
    struct refusal inner;
    int error = forget ? open_snapshot(drive, &inner) : open_image(drive, &inner);

    if (error < 0)
        return refuse(why, error, "%s: %s", drive->file, inner.text);
    drive->open = true;
    return 0;
}

/* A ring of its own would be a new descriptor, which nobody makes once the guest runs. */
int drive_adopt(struct drive *drive, int fd, struct refusal *why)
{
    struct refusal inner;
    int error = raw_disk_adopt(&drive->image.raw, fd, RAW_DISK_READ_ONLY | RAW_DISK_NO_RING,
                               &inner);

    if (error < 0)
        return refuse(why, error, "%s: %s", drive->file, inner.text);
    drive->is_qcow2 = false;
    drive->disk = &drive->image.raw.disk;
    drive->open = true;
    return 0;
}

void drive_close(struct drive *drive)
{
    if (drive->open)
        close_image(drive);
    drive->open = false;
}

int drives_open(struct drives *drives, struct refusal *why)
{
    for (unsigned i = 0; i < drives->count; i++) {
        struct refusal inner;
        int error = drive_open(drives->list[i], &inner);

        if (error < 0)
            return refuse(why, error, "-drive: %s", inner.text);
    }
    return 0;
}

void drives_close(struct drives *drives)
{
    while (drives->count > 0) {
        struct drive *drive = drives->list[--drives->count];

        drive_close(drive);
        free(drive);
    }
}
