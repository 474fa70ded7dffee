/*
 * snapshot.h: a disk whose changes are forgotten at the end: a qcow2 image without a name,
 * which stands on the real one.
 *
 *     -snapshot                        for all drives
 *     -drive file=F,snapshot=on        for one
 */
#ifndef CHAPTER_07_SNAPSHOT_H
#define CHAPTER_07_SNAPSHOT_H

#include "07-linux-boot/qcow2/disk.h"

/*
 * Opens a disk of size bytes that reads as the image at path does, of which format says
 * what it is ("raw", "qcow2"), and keeps what is written in a file below $TMPDIR, or
 * /var/tmp. The file's name is gone when this returns. 0, or -errno with why->text.
 */
int snapshot_open(struct qcow2_disk *disk, const char *path, const char *format, uint64_t size,
                  struct refusal *why);

#endif
