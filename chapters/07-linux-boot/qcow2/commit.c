/*
 * commit.c: an overlay's clusters go down into the disk underneath.
 *
 * Dying on the way costs nothing: what has been copied reads the same from both.
 */
#define _GNU_SOURCE
#include "07-linux-boot/qcow2/create.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/qcow2/internal.h"

/* The disk underneath, open for writing: an image, or the descriptor of a raw file. */
struct below {
    struct qcow2 *qcow2;
    int fd;
    uint64_t size;
};

static int open_below(struct below *below, const char *path, const char *format,
                      struct refusal *why)
{
    int error;

    *below = (struct below){.fd = -1};
    if (strcmp(format, "qcow2") == 0) {
        error = qcow2_open(&below->qcow2, path, true, why);
        below->size = error < 0 ? 0 : qcow2_size(below->qcow2);
        return error;
    }
    below->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (below->fd < 0)
        return refuse(why, -errno, "cannot open: %s", strerror(errno));
    below->size = (uint64_t)lseek(below->fd, 0, SEEK_END);
    return 0;
}

static int write_below(struct below *below, uint64_t offset, const void *buffer, size_t size)
{
    if (below->qcow2)
        return qcow2_write(below->qcow2, offset, buffer, size);
    return pwrite(below->fd, buffer, size, (off_t)offset) == (ssize_t)size ? 0 : -EIO;
}

static int close_below(struct below *below)
{
    int error = 0;

    if (below->qcow2)
        return qcow2_close(below->qcow2);
    if (below->fd >= 0 && fsync(below->fd) < 0)
        error = -errno;
    if (below->fd >= 0)
        close(below->fd);
    return error;
}

static int copy_down(struct qcow2 *image, struct below *below)
{
    uint8_t *bytes = malloc(image->cluster_size);
    uint64_t size = image->header.size;
    int error = bytes ? 0 : -ENOMEM;

    for (uint64_t at = 0; at < size && error == 0;) {
        uint64_t length = size - at < image->cluster_size ? size - at : image->cluster_size;
        struct extent extent;

        error = map_look(image, at, length, false, &extent);
        if (error == 0 && extent.kind != EXTENT_ABSENT)
            error = qcow2_read(image, at, bytes, length);
        if (error == 0 && extent.kind != EXTENT_ABSENT)
            error = write_below(below, at, bytes, length);
        at += length;
    }
    free(bytes);
    return error;
}

int qcow2_commit(const char *path, struct refusal *why)
{
    struct qcow2 *image;
    struct below below = {.fd = -1};
    char *name = NULL;
    /* As CHECK: the disk below is opened here, to be written. */
    int error = qcow2_open_as(&image, path, QCOW2_CHECK, 0, why), closed;

    if (error < 0)
        return error;
    if (image->header.backing[0] == 0) {
        error = refuse(why, -EINVAL, "it stands on no other file");
        goto out;
    }
    name = backing_path(path, image->header.backing);
    error = name ? open_below(&below, name, image->header.backing_format, why) : -ENOMEM;
    if (error == 0 && below.size < image->header.size)
        error = refuse(why, -EINVAL, "the disk below has %" PRIu64 " bytes, this one %" PRIu64,
                       below.size, image->header.size);
    if (error < 0)
        goto out;
    error = copy_down(image, &below);
    if (error < 0)
        refuse(why, error, "cannot copy: %s", strerror(-error));
out:
    closed = close_below(&below);
    if (error == 0 && closed < 0)
        error = refuse(why, closed, "the last flush failed: %s", strerror(-closed));
    free(name);
    qcow2_close(image);
    return error;
}
