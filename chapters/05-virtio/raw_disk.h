/*
 * raw_disk.h: a disk that is a plain file, or a block device of the host: byte n of the
 * disk is byte n of the file.
 *
 * The file is locked, so that two machines cannot write to one image at a time, nor one
 * twice. It keeps its size. A discarded range becomes a hole, where the host's file
 * system can make one.
 *
 *     struct raw_disk raw;
 *     struct refusal why;
 *     if (raw_disk_open(&raw, "debian.img", RAW_DISK_DIRECT, &why) < 0)
 *         die("debian.img: %s", why.text);
 *     virtio_blk_init(&blk, &vm.memory, &raw.disk, ...);
 */
#ifndef CHAPTER_05_RAW_DISK_H
#define CHAPTER_05_RAW_DISK_H

#include <stdint.h>

#include "05-virtio/disk.h"
#include "05-virtio/file_ring.h"
#include "common/refusal.h"

enum {
    RAW_DISK_READ_ONLY = 1,
    RAW_DISK_DIRECT = 2,  /* past the host's page cache: O_DIRECT */
    RAW_DISK_NO_RING = 4, /* do without io_uring, though the kernel may have it */
};

struct raw_disk {
    struct disk disk;
    int fd;
    bool has_ring; /* the kernel offers io_uring: requests may be left unfinished */
    struct file_ring ring;
    bool tries; /* the file system can say that a read would have to wait */
    bool direct;
    uint32_t alignment; /* direct: of offsets, lengths and addresses */
    uint8_t *bounce;    /* direct: for requests that are not aligned; owned */
};

/*
 * Opens and locks the file. 0, or -errno with why->text: not there, no regular file or
 * block device, empty, in use. raw must not move. No option creates or changes a file.
 */
int raw_disk_open(struct raw_disk *raw, const char *path, unsigned options, struct refusal *why);
/* The same for a file that is open as the options say. The descriptor is closed in any case:
 * at once, if it is refused. */
int raw_disk_adopt(struct raw_disk *raw, int fd, unsigned options, struct refusal *why);

void raw_disk_close(struct raw_disk *raw);

/* The same operations on a bare descriptor, for other back ends: 0 or -errno. */
int file_transfer(int fd, bool write, uint64_t offset, const struct iovec *iov, unsigned count);
int file_discard(int fd, uint64_t offset, uint64_t size);
int file_zero(int fd, uint64_t offset, uint64_t size, bool unmap);

#endif
