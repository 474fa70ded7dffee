/*
 * drives.h: the disks of the command line, on the PCI bus.
 *
 *     -drive file=debian.img,if=virtio,format=raw,readonly=on,cache=none,serial=ID
 *
 * Each becomes a virtio block device. file is the image, format its kind (raw), readonly=on
 * refuses writes, cache=none goes past the host's page cache, serial is what the guest
 * sees as the disk's id.
 */
#ifndef CHAPTER_07_DRIVES_H
#define CHAPTER_07_DRIVES_H

#include "04-devices/machine.h"
#include "04-devices/pci.h"
#include "05-virtio/raw_disk.h"
#include "05-virtio/virtio_blk.h"
#include "05-virtio/virtio_pci.h"
#include "common/refusal.h"

#define DRIVES_MAX 8u

struct drive {
    struct raw_disk raw;
    struct virtio_blk blk;
    struct virtio_pci transport;
};

struct drives {
    struct drive *list[DRIVES_MAX]; /* owned */
    unsigned count;
};

/*
 * Opens the image that text describes and plugs the device into the bus. 0, or -errno
 * with why->text; nothing is plugged in then.
 */
int drives_add(struct drives *drives, const char *text, struct machine *machine,
               struct pci_host *pci, struct refusal *why);
void drives_free(struct drives *drives);

#endif
