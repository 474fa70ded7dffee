/*
 * drives.h: the disks of the command line, on the PCI bus.
 *
 *     -drive file=debian.img,if=virtio,format=raw,readonly=on,cache=none,serial=ID
 *
 * Each becomes a virtio block device. file is the image; readonly=on refuses writes;
 * cache=none goes past the host's page cache (raw only); serial is what the guest sees as
 * the disk's id.
 *
 * format is raw or qcow2. Without it, it is raw, but for a file that begins as qcow2
 * images do: that one is refused. To guess would be unsafe. The owner of a raw disk is
 * the guest, which could write such a beginning itself, with the name of any file of the
 * host as what the image stands on.
 */
#ifndef CHAPTER_07_DRIVES_H
#define CHAPTER_07_DRIVES_H

#include "05-virtio/raw_disk.h"
#include "05-virtio/virtio_blk.h"
#include "07-linux-boot/qcow2/disk.h"
#include "07-linux-boot/virtio_slot.h"

#define DRIVES_MAX 8u

struct drive {
    union {
        struct raw_disk raw;
        struct qcow2_disk qcow2;
    } image;
    bool is_qcow2; /* which of the two it is */
    struct virtio_blk blk;
    struct virtio_slot slot;
};

struct drives {
    struct drive *list[DRIVES_MAX]; /* owned */
    unsigned count;
};

/*
 * Opens the image that text describes and plugs the device into the bus. 0, or -errno
 * with why->text; nothing is plugged in then.
 */
int drives_add(struct drives *drives, const char *text, struct virtio_bus *bus,
               struct refusal *why);
void drives_free(struct drives *drives);

#endif
