/*
 * drives.h: the disks of the command line: the half on the host, an image.
 *
 *     -drive file=debian.img,if=none,id=d0,format=raw,readonly=on,cache=none
 *     -device virtio-blk-pci,drive=d0,serial=ID
 *
 * file is the image; readonly=on refuses writes; cache=none goes past the host's page
 * cache (raw only). if=virtio, which is the default, plugs in a device of its own for it,
 * and serial= goes to that one.
 *
 * format is raw or qcow2. Without it, it is raw, but for a file that begins as qcow2
 * images do: that one is refused. To guess would be unsafe. The owner of a raw disk is
 * the guest, which could write such a beginning itself, with the name of any file of the
 * host as what the image stands on.
 *
 * snapshot=on forgets at the end what was written (snapshot.h).
 *
 * An image is opened once, before any guest runs, and stays open when the guest resets.
 */
#ifndef CHAPTER_07_DRIVES_H
#define CHAPTER_07_DRIVES_H

#include "05-virtio/raw_disk.h"
#include "07-linux-boot/properties.h"
#include "07-linux-boot/qcow2/disk.h"

#define DRIVES_MAX 16u
#define ID_ROOM    64u /* a name and a zero */

enum { DRIVE_FORMAT_UNSAID, DRIVE_RAW, DRIVE_QCOW2 };
enum { DRIVE_CACHE_UNSAID, DRIVE_CACHE_NONE, DRIVE_CACHE_WRITEBACK };

struct drive {
    char id[ID_ROOM];
    char file[4096];
    unsigned format, cache; /* as above */
    bool read_only;
    bool snapshot; /* what is written is forgotten at the end */

    bool taken; /* a device is in front of it */
    bool open;
    union {
        struct raw_disk raw;
        struct qcow2_disk qcow2;
    } image;
    bool is_qcow2;     /* which of the two it is, when it is open */
    struct disk *disk; /* that image's */
};

struct drives {
    struct drive *list[DRIVES_MAX]; /* owned */
    unsigned count;
};

/* What -drive takes, but for what a short form gives to the device. */
extern const struct property drive_properties[];

/* One drive more, not open yet, as given says. 0, or -errno with why->text. */
int drives_add(struct drives *drives, const struct properties *given, struct refusal *why);
struct drive *drives_find(const struct drives *drives, const char *id);

/* One image, and all of them. */
int drive_open(struct drive *drive, struct refusal *why);
int drive_adopt(struct drive *drive, int fd, struct refusal *why); /* a raw image, read only */
void drive_close(struct drive *drive);                             /* nothing, if it is not open */
int drives_open(struct drives *drives, struct refusal *why);
void drives_close(struct drives *drives);

#endif
