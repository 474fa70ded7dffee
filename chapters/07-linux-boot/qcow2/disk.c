/*
 * disk.c: see disk.h. Every request has ended when submit() returns.
 *
 * Left out on purpose: requests under way side by side. Those that fill new clusters
 * must go one after the other anyway.
 */
#include "07-linux-boot/qcow2/disk.h"

#include <errno.h>
#include <stddef.h>

#include "common/bits.h"

/* The smallest piece that is no loss to write: a block of most file systems. */
#define BLOCK_SIZE 4096u

static int transfer(struct qcow2 *image, const struct disk_request *r)
{
    uint64_t offset = r->offset;
    int error = 0;

    for (unsigned i = 0; i < r->iov_count && error == 0; i++) {
        const struct iovec *part = &r->iov[i];

        error = r->operation == DISK_WRITE
                    ? qcow2_write(image, offset, part->iov_base, part->iov_len)
                    : qcow2_read(image, offset, part->iov_base, part->iov_len);
        offset += part->iov_len;
    }
    return error;
}

static int qcow2_submit(void *self, struct disk_request *r)
{
    struct qcow2_disk *d = self;

    switch (r->operation) {
    case DISK_READ:
    case DISK_WRITE: return transfer(d->image, r);
    case DISK_FLUSH: return d->disk.read_only ? 0 : qcow2_flush(d->image);
    case DISK_DISCARD: return qcow2_discard(d->image, r->offset, r->size);
    case DISK_ZERO: return qcow2_write_zeroes(d->image, r->offset, r->size);
    }
    return -EINVAL;
}

static void qcow2_complete(void *self, bool wait)
{
    (void)self, (void)wait; /* nothing is ever under way */
}

int qcow2_disk_open(struct qcow2_disk *d, const char *path, bool read_only, struct refusal *why)
{
    int error = qcow2_open(&d->image, path, !read_only, why);

    if (error < 0)
        return error;
    d->disk = (struct disk){.size = align_down(qcow2_size(d->image), DISK_SECTOR),
                            .read_only = read_only,
                            .can_discard = !read_only,
                            .block_size = BLOCK_SIZE,
                            .submit = qcow2_submit,
                            .complete = qcow2_complete,
                            .ready_fd = -1,
                            .self = d};
    if (d->disk.size > 0)
        return 0;
    qcow2_close(d->image);
    d->image = NULL;
    return refuse(why, -EINVAL, "has not one sector of %u bytes", DISK_SECTOR);
}

int qcow2_disk_close(struct qcow2_disk *d)
{
    int error = qcow2_close(d->image);

    d->image = NULL;
    return error;
}
