/*
 * virtio_blk.h: the block device: sectors of 512 bytes, read, written and flushed.
 *
 * A request is one chain. The driver writes the first part, the device the last byte:
 *
 *     readable   type, reserved, sector    16 bytes, struct virtio_blk_outhdr
 *                data to be written        n * 512 bytes
 *     writable   data that was read        n * 512 bytes
 *                status                    1 byte: VIRTIO_BLK_S_OK, _IOERR, _UNSUPP
 *
 * Where one piece ends and the next begins is the driver's choice. [VIRTIO, 5.2 "Block
 * Device"]
 *
 *     virtio_blk_init(&blk, &vm.memory, &raw.disk, "disk0", 1);
 *     ...
 *     virtio_blk_free(&blk);
 *
 * Requests that the disk does not finish at once are kept in a pool; they end in any
 * order. virtio_blk_complete() must be called when disk->ready_fd is readable, on the
 * thread that serves the queues.
 */
#ifndef CHAPTER_05_VIRTIO_BLK_H
#define CHAPTER_05_VIRTIO_BLK_H

#include <linux/virtio_blk.h>

#include "05-virtio/disk.h"
#include "05-virtio/virtio_device.h"

#define VIRTIO_BLK_QUEUE_SIZE CHAIN_MAX
#define VIRTIO_BLK_QUEUES_MAX 16u

/* A chain has a header and a status beside the data. */
#define VIRTIO_BLK_SEG_MAX (CHAIN_MAX - 2)

/* Of discard and write zeroes: ranges in a request, and sectors in a range. */
#define VIRTIO_BLK_RANGES_MAX        32u
#define VIRTIO_BLK_RANGE_SECTORS_MAX (1u << 22) /* 2 GiB */

/* The disk's operations that a request still needs, and the place of its status. */
struct blk_request {
    struct virtio_blk *blk;
    struct blk_request *next_free;
    unsigned queue;
    struct disk_request disk;
    struct virtio_blk_discard_write_zeroes ranges[VIRTIO_BLK_RANGES_MAX];
    unsigned range, range_count;
    bool flush_after; /* a write that must last before its status is given */
    uint64_t written; /* bytes of data for the driver, if all goes well */
    struct chain chain;
    struct iovec data[CHAIN_MAX];
};

struct virtio_blk {
    struct virtio_device device;
    struct disk *disk; /* not owned */
    struct virtio_blk_config config;
    char id[VIRTIO_BLK_ID_BYTES + 1];
    struct blk_request *requests; /* owned */
    struct blk_request *free;     /* those that have been used, and are free again */
    unsigned fresh, count;        /* requests[fresh .. count) have never been used */
    unsigned in_flight;
    uint64_t need_flush; /* queues with buffers that the driver has not been told of */
};

/*
 * serial is what the guest sees as the disk's id, cut to 20 bytes. Dies without memory.
 */
void virtio_blk_init(struct virtio_blk *blk, const struct guest_memory *memory, struct disk *disk,
                     const char *serial, unsigned queues);
void virtio_blk_free(struct virtio_blk *blk);

/* Ends requests that the disk has finished since. */
void virtio_blk_complete(struct virtio_blk *blk);

#endif
