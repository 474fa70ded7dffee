/*
 * disk.h: what a block device has behind it: numbered bytes that last.
 *
 *     front end (virtio_blk, ...)      struct disk          back end (raw_disk, ...)
 *     request of the guest  ------>    submit()   ------>   preadv, pwritev, fdatasync
 *     status to the guest   <------    done()     <------   at once, or later
 *
 * A disk is used by one thread at a time. It checks nothing: the front end has seen to
 * it that offset and size lie within the disk.
 */
#ifndef CHAPTER_05_DISK_H
#define CHAPTER_05_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define DISK_SECTOR 512u /* bytes; virtio counts in it whatever the disk's own blocks are */

enum disk_operation {
    DISK_READ,
    DISK_WRITE,
    DISK_FLUSH,   /* what was written before survives a power failure */
    DISK_DISCARD, /* the bytes are not needed any more; they may read as anything */
    DISK_ZERO,    /* the bytes read as zeros */
};

struct disk_request {
    enum disk_operation operation;
    uint64_t offset, size;   /* bytes */
    const struct iovec *iov; /* read, write: where the bytes go or are; sums up to size */
    unsigned iov_count;
    bool unmap; /* zero: the space may be given back */

    /* The end of a request that was not finished at once: 0 or -errno. */
    void (*done)(void *self, int error);
    void *self;

    int fd; /* the back end's */
};

struct disk {
    uint64_t size; /* bytes */
    bool read_only;
    bool can_discard;
    uint32_t block_size; /* of the medium: the smallest efficient write, 512 or more */

    /*
     * May submit() leave requests unfinished? Set by a front end that promises to call
     * commit() when it has no more of them for now, and complete() when ready_fd says so.
     */
    bool async;

    /* 0 or -errno: finished; -EINPROGRESS: done() will be called. */
    int (*submit)(void *self, struct disk_request *request);
    /* Starts what has been submitted; some of it may end at once. NULL: nothing to do. */
    void (*commit)(void *self);
    /* Calls done() for requests that have ended; with wait, until none is under way. */
    void (*complete)(void *self, bool wait);
    int ready_fd; /* readable when complete() has something to do; -1: never */
    void *self;
};

#endif
