/*
 * raw_disk.c: see raw_disk.h. Open at hand: open(2), preadv(2), fallocate(2), fcntl(2)
 * "Open file description locks".
 *
 * What does not have to wait is one system call, made on the caller's thread: reads that
 * the host's page cache can answer, and writes into that cache. What has to wait goes to
 * io_uring (file_ring.h): everything on a direct file, reads that are not in the cache, and
 * flushes. Where the kernel has no io_uring, or the front end wants none of it, the thread
 * waits: a device of its own makes that bearable (worker.h).
 *
 * O_DIRECT wants offset, length and every address to be multiples of the medium's block
 * size. Linux's requests are; a guest that asks for odd ones pays for a copy.
 *
 * Left out on purpose: growing a file; images with holes in their numbering (qcow2 is
 * chapter 7's).
 */
#include "05-virtio/raw_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bits.h"

#define BOUNCE_SIZE (256 * KIB)
#define RING_PLACES 128u
/* Enough for any medium that we know; statx() could say it more exactly on new kernels. */
#define DIRECT_ALIGNMENT 4096u

/*
 * One preadv() or pwritev() may do less than it was asked to: a signal, a limit of
 * 2 GiB. So go on where it stopped. A file that is shorter than it was is an error.
 */
static ssize_t transfer_once(int fd, bool write, uint64_t offset, const struct iovec *iov,
                             unsigned count)
{
    ssize_t moved;

    if (count > IOV_MAX)
        count = IOV_MAX;
    do
        moved = write ? pwritev(fd, iov, (int)count, (off_t)offset)
                      : preadv(fd, iov, (int)count, (off_t)offset);
    while (moved < 0 && errno == EINTR);
    if (moved < 0)
        return -errno;
    return moved == 0 ? -EIO : moved;
}

int file_transfer(int fd, bool write, uint64_t offset, const struct iovec *iov, unsigned count)
{
    size_t done_in_first = 0;

    while (count > 0) {
        struct iovec first = {(uint8_t *)iov->iov_base + done_in_first,
                              iov->iov_len - done_in_first};
        ssize_t moved;

        /* Almost always: everything at once, straight from the guest's pages. */
        if (done_in_first == 0)
            moved = transfer_once(fd, write, offset, iov, count);
        else
            moved = transfer_once(fd, write, offset, &first, 1);
        if (moved < 0)
            return (int)moved;
        offset += (uint64_t)moved;
        done_in_first += (size_t)moved;
        while (count > 0 && done_in_first >= iov->iov_len) {
            done_in_first -= iov->iov_len;
            iov++;
            count--;
        }
    }
    return 0;
}

int file_discard(int fd, uint64_t offset, uint64_t size)
{
    /* Advice only: a file system that cannot make holes keeps the bytes. */
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) < 0 &&
        errno != EOPNOTSUPP)
        return -errno;
    return 0;
}

static int write_zeros(int fd, uint64_t offset, uint64_t size)
{
    /* Never written. But const ones would be in the program's file, and so in its memory. */
    static uint8_t zeros[64 * KIB] __attribute__((aligned(DIRECT_ALIGNMENT)));

    while (size > 0) {
        size_t part = size < sizeof zeros ? size : sizeof zeros;
        struct iovec iov = {zeros, part};
        int error = file_transfer(fd, true, offset, &iov, 1);

        if (error < 0)
            return error;
        offset += part;
        size -= part;
    }
    return 0;
}

int file_zero(int fd, uint64_t offset, uint64_t size, bool unmap)
{
    int mode = unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;

    if (fallocate(fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) == 0)
        return 0;
    return errno == EOPNOTSUPP ? write_zeros(fd, offset, size) : -errno;
}

static bool is_direct_able(const struct raw_disk *raw, const struct disk_request *r)
{
    uint64_t all = r->offset | r->size;

    for (unsigned i = 0; i < r->iov_count; i++)
        all |= (uintptr_t)r->iov[i].iov_base | r->iov[i].iov_len;
    return is_aligned(all, raw->alignment);
}

static void gather(const struct iovec *iov, uint64_t skip, uint8_t *buffer, size_t size, bool out)
{
    for (; size > 0; iov++) {
        size_t part = iov->iov_len;

        if (skip >= part) {
            skip -= part;
            continue;
        }
        part -= skip;
        if (part > size)
            part = size;
        if (out)
            memcpy(buffer, (uint8_t *)iov->iov_base + skip, part);
        else
            memcpy((uint8_t *)iov->iov_base + skip, buffer, part);
        buffer += part;
        size -= part;
        skip = 0;
    }
}

/* An odd request on a direct file: whole blocks through a buffer of our own. */
static int transfer_bounced(struct raw_disk *raw, const struct disk_request *r)
{
    bool write = r->operation == DISK_WRITE;

    for (uint64_t done = 0; done < r->size;) {
        uint64_t start = align_down(r->offset + done, raw->alignment);
        uint64_t skip = r->offset + done - start;
        uint64_t part = BOUNCE_SIZE - skip < r->size - done ? BOUNCE_SIZE - skip : r->size - done;
        uint64_t whole = align_up(skip + part, raw->alignment);
        struct iovec bounce = {raw->bounce, whole};
        int error = 0;

        if (!write || skip > 0 || whole > part)
            error = file_transfer(raw->fd, false, start, &bounce, 1);
        gather(r->iov, done, raw->bounce + skip, part, write);
        if (write && error == 0)
            error = file_transfer(raw->fd, true, start, &bounce, 1);
        if (error < 0)
            return error;
        done += part;
    }
    return 0;
}

/* [raw-transfer] */
/* The page cache has all of it, and it is where the guest wants it. */
static bool read_at_once(struct raw_disk *raw, const struct disk_request *r)
{
    ssize_t moved;

    if (!raw->tries)
        return false;
    moved = preadv2(raw->fd, r->iov, (int)r->iov_count, (off_t)r->offset, RWF_NOWAIT);
    if (moved < 0 && errno == EOPNOTSUPP)
        raw->tries = false;
    return moved >= 0 && (uint64_t)moved == r->size;
}

static int transfer(struct raw_disk *raw, struct disk_request *r)
{
    bool write = r->operation == DISK_WRITE, waits = raw->direct;

    if (raw->direct && !is_direct_able(raw, r))
        return transfer_bounced(raw, r);
    if (!raw->direct && !write) {
        if (read_at_once(raw, r))
            return 0;
        waits = raw->tries;
    }
    if (waits && raw->has_ring && raw->disk.async &&
        file_ring_start(&raw->ring, raw->fd, r) == -EINPROGRESS)
        return -EINPROGRESS;
    return file_transfer(raw->fd, write, r->offset, r->iov, r->iov_count);
}
/* [/raw-transfer] */

static int flush(struct raw_disk *raw, struct disk_request *r)
{
    if (raw->has_ring && raw->disk.async && file_ring_start(&raw->ring, raw->fd, r) == -EINPROGRESS)
        return -EINPROGRESS;
    return fdatasync(raw->fd) < 0 ? -errno : 0;
}

static int raw_submit(void *self, struct disk_request *r)
{
    struct raw_disk *raw = self;

    switch (r->operation) {
    case DISK_READ:
    case DISK_WRITE: return r->size > 0 ? transfer(raw, r) : 0;
    case DISK_FLUSH: return flush(raw, r);
    case DISK_DISCARD: return file_discard(raw->fd, r->offset, r->size);
    case DISK_ZERO: return file_zero(raw->fd, r->offset, r->size, r->unmap);
    }
    return -EINVAL;
}

static void raw_commit(void *self)
{
    struct raw_disk *raw = self;

    if (raw->has_ring)
        file_ring_commit(&raw->ring);
}

static void raw_complete(void *self, bool wait)
{
    struct raw_disk *raw = self;

    if (raw->has_ring)
        file_ring_complete(&raw->ring, wait);
}

/* [lock-image] */
/*
 * Locks of an open file description belong to this open(), not to the process: so a
 * second open() of the same image conflicts even within one VMM, and closing the one
 * does not unlock the other. Readers share; a writer is alone.
 */
static int lock_image(int fd, bool read_only)
{
    struct flock lock = {.l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

    return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}
/* [/lock-image] */

/* The size of what fd is open on, in *size. */
static int image_size(int fd, uint64_t *size, struct refusal *why)
{
    struct stat status;

    if (fstat(fd, &status) < 0)
        return refuse(why, -errno, "cannot look at it: %s", strerror(errno));
    if (S_ISBLK(status.st_mode)) {
        if (ioctl(fd, BLKGETSIZE64, size) < 0)
            return refuse(why, -errno, "cannot ask for its size: %s", strerror(errno));
    } else if (S_ISREG(status.st_mode)) {
        *size = (uint64_t)status.st_size;
    } else {
        return refuse(why, -EINVAL, "neither a regular file nor a block device");
    }
    *size = align_down(*size, DISK_SECTOR);
    if (*size == 0)
        return refuse(why, -EINVAL, "has not one sector of %u bytes", DISK_SECTOR);
    return 0;
}

static int check_image(int fd, bool read_only, uint64_t *size, struct refusal *why)
{
    int error = image_size(fd, size, why);

    if (error < 0)
        return error;
    error = lock_image(fd, read_only);
    if (error == -EAGAIN || error == -EACCES)
        return refuse(why, -EBUSY, "is in use by another virtual machine, or attached twice");
    if (error < 0)
        return refuse(why, error, "cannot lock it: %s", strerror(-error));
    return 0;
}

int raw_disk_adopt(struct raw_disk *raw, int fd, unsigned options, struct refusal *why)
{
    bool read_only = options & RAW_DISK_READ_ONLY, direct = options & RAW_DISK_DIRECT;
    uint64_t size;
    int error;

    error = check_image(fd, read_only, &size, why);
    if (error == 0 && direct && !is_aligned(size, DIRECT_ALIGNMENT))
        error = refuse(why, -EINVAL, "direct access needs a size that is a multiple of %u",
                       DIRECT_ALIGNMENT);
    if (error < 0) {
        close(fd);
        return error;
    }
    *raw = (struct raw_disk){
        .fd = fd,
        .direct = direct,
        .tries = true,
        .alignment = DIRECT_ALIGNMENT,
        .disk = {.size = size,
                 .read_only = read_only,
                 .can_discard = !read_only,
                 .block_size = DIRECT_ALIGNMENT,
                 .submit = raw_submit,
                 .commit = raw_commit,
                 .complete = raw_complete,
                 .ready_fd = -1,
                 .self = raw},
    };
    if (direct && posix_memalign((void **)&raw->bounce, DIRECT_ALIGNMENT, BOUNCE_SIZE) != 0) {
        close(fd);
        return refuse(why, -ENOMEM, "no memory for a buffer");
    }
    raw->has_ring = !(options & RAW_DISK_NO_RING) && file_ring_open(&raw->ring, RING_PLACES) == 0;
    if (raw->has_ring)
        raw->disk.ready_fd = file_ring_fd(&raw->ring);
    return 0;
}

int raw_disk_open(struct raw_disk *raw, const char *path, unsigned options, struct refusal *why)
{
    bool read_only = options & RAW_DISK_READ_ONLY, direct = options & RAW_DISK_DIRECT;
    /* O_NONBLOCK: a FIFO without a writer would keep us waiting here. */
    int flags = (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = open(path, flags | (direct ? O_DIRECT : 0));

    if (fd < 0)
        return refuse(why, -errno, "cannot open: %s", strerror(errno));
    return raw_disk_adopt(raw, fd, options, why);
}

void raw_disk_close(struct raw_disk *raw)
{
    if (raw->has_ring)
        file_ring_close(&raw->ring);
    free(raw->bounce);
    close(raw->fd); /* and with it goes the lock */
    raw->fd = -1;
}
