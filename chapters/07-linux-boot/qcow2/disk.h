/*
 * disk.h: a qcow2 image as what a block device has behind it (05-virtio/disk.h).
 *
 *     struct qcow2_disk qcow2;
 *     if (qcow2_disk_open(&qcow2, "debian.qcow2", false, &why) < 0)
 *         die("debian.qcow2: %s", why.text);
 *     virtio_blk_init(&blk, &vm.memory, &qcow2.disk, ...);
 */
#ifndef CHAPTER_07_QCOW2_DISK_H
#define CHAPTER_07_QCOW2_DISK_H

#include <stdbool.h>

#include "05-virtio/disk.h"
#include "07-linux-boot/qcow2/image.h"

struct qcow2_disk {
    struct disk disk;
    struct qcow2 *image; /* owned */
};

/* 0, or -errno with why->text, and then no file has been changed. d must not move. */
int qcow2_disk_open(struct qcow2_disk *d, const char *path, bool read_only, struct refusal *why);

/* 0, or what the last flush said: writes that the guest has not flushed may be lost. */
int qcow2_disk_close(struct qcow2_disk *d);

#endif
