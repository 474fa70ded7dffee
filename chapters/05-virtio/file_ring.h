/*
 * file_ring.h: reads, writes and flushes of files that end later: io_uring.
 *
 * The host's kernel offers its programs what virtio offers a guest's: a ring to put requests
 * into, another to find what has become of them, and one call that says "look", for as many
 * requests as there are. So a disk with a deep queue keeps the medium busy, and one thread
 * is enough to do it.
 *
 *     if (file_ring_open(&ring, 128) < 0)
 *         ... this kernel has none, or lets nobody use it: pread() and pwrite() ...
 *     file_ring_start(&ring, fd, request);       any number of them
 *     file_ring_commit(&ring);                   now the kernel looks
 *     file_ring_complete(&ring, false);          request->done() for those that have ended
 *     ... wait for file_ring_fd() to be readable, and complete again ...
 *
 * One thread at a time. [LIBURING]
 */
#ifndef CHAPTER_05_FILE_RING_H
#define CHAPTER_05_FILE_RING_H

#include <liburing.h>
#include <stdbool.h>

#include "05-virtio/disk.h"

struct file_ring {
    struct io_uring ring;
    unsigned in_flight, limit; /* requests whose done() has not been called; at most */
};

/* 0, or -errno. */
int file_ring_open(struct file_ring *r, unsigned entries);

/* None may be in flight. */
void file_ring_close(struct file_ring *r);

/*
 * Starts a read, write or flush at the next commit: -EINPROGRESS, and request lives until
 * its done(). -EAGAIN: there are too many.
 */
int file_ring_start(struct file_ring *r, int fd, struct disk_request *request);
void file_ring_commit(struct file_ring *r);

/* Calls done() for requests that have ended; with wait, until none is in flight. */
void file_ring_complete(struct file_ring *r, bool wait);

/* Readable when there is something to complete. */
int file_ring_fd(const struct file_ring *r);

#endif
