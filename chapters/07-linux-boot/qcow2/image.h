/*
 * image.h: a disk in a qcow2 file: grows as it is written, and may stand on another.
 *
 *     struct qcow2 *image;
 *     if (qcow2_open(&image, "disk.qcow2", true, &why) < 0)
 *         die("disk.qcow2: %s", why.text);
 *     qcow2_read(image, offset, buffer, size);       0 or -errno
 *     qcow2_write(image, offset, buffer, size);
 *     qcow2_flush(image);                            now it is on the disk
 *     qcow2_close(image);
 *
 * What a crash may cost. A write before the last flush is there after it, whatever
 * happens to the program or the host. A later one may be lost, as behind any disk's
 * write cache. The file's structure is right at every moment: at worst clusters are
 * marked as used that nobody uses ("leaked"). That takes an order, kept in tables.c:
 *
 *     refcount of the new cluster, data --flush--> L2 entry --flush--> L1 entry
 *     L2 entry no longer there          --flush--> refcount of the old cluster
 *
 * What a hostile file may cost. Entries that contradict each other or point at the
 * file's own tables are found before they are followed for writing: the request
 * fails, the file is marked corrupt, and nothing is written to it any more.
 *
 * Not thread safe: one thread at a time uses an image.
 */
#ifndef CHAPTER_07_QCOW2_IMAGE_H
#define CHAPTER_07_QCOW2_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/refusal.h"

struct qcow2;

/*
 * Opens path, and what it stands on, and locks it: many readers or one writer. 0, or
 * -errno with why->text, and then no file has been changed.
 */
int qcow2_open(struct qcow2 **image, const char *path, bool writable, struct refusal *why);

/* Flushes and releases everything; NULL is fine. 0, or what the last flush said. */
int qcow2_close(struct qcow2 *image);

/* The size of the disk that the guest sees, in bytes. */
uint64_t qcow2_size(const struct qcow2 *image);

/*
 * The range must lie within the disk, else -EINVAL. -EIO: the file contradicts itself
 * or ends too early. -EROFS: it was opened to be read. -ENOSPC and what else a system
 * call says are passed on.
 */
int qcow2_read(struct qcow2 *image, uint64_t offset, void *buffer, size_t size);
int qcow2_write(struct qcow2 *image, uint64_t offset, const void *buffer, size_t size);

/*
 * Writes one cluster, compressed if that makes it smaller. offset is a multiple of the
 * image's cluster size, the buffer is as large; past the disk's end it holds zeros.
 */
int qcow2_write_compressed(struct qcow2 *image, uint64_t offset, const void *cluster);
uint64_t qcow2_cluster_size(const struct qcow2 *image);

/* The range reads as zeros from now on; its clusters go back to the host. */
int qcow2_write_zeroes(struct qcow2 *image, uint64_t offset, uint64_t size);

/* The guest no longer needs the range. Whole clusters are given back and read as 0. */
int qcow2_discard(struct qcow2 *image, uint64_t offset, uint64_t size);

/* Everything written so far is on the disk when this returns 0. */
int qcow2_flush(struct qcow2 *image);

#endif
