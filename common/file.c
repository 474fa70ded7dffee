/* file.c: see file.h for what is promised about files from outside. */
#define _GNU_SOURCE
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open(struct file *file, const char *path, struct refusal *why)
{
    struct stat info;

    /* O_NONBLOCK: opening a FIFO without a writer must fail below, not wait here. */
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file->fd < 0)
        return refuse(why, -errno, "cannot open: %s", strerror(errno));

    if (fstat(file->fd, &info) < 0) {
        int error = -errno;

        file_close(file);
        return refuse(why, error, "cannot stat: %s", strerror(-error));
    }
    if (!S_ISREG(info.st_mode)) {
        file_close(file);
        return refuse(why, -EINVAL, "not a regular file");
    }
    file->size = (uint64_t)info.st_size;
    return 0;
}

void file_close(struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

int file_read(const struct file *file, uint64_t offset, void *buffer, size_t size,
              struct refusal *why)
{
    uint8_t *to = buffer;

    while (size > 0) {
        ssize_t got = pread(file->fd, to, size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return refuse(why, -errno, "cannot read: %s", strerror(errno));
        if (got == 0)
            return refuse(why, -EIO, "ends at byte %" PRIu64 ", but %zu more were expected", offset,
                          size);
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return 0;
}

int file_read_all(const char *path, uint64_t limit, uint8_t **bytes, size_t *size,
                  struct refusal *why)
{
    struct file file;
    uint8_t *buffer;
    int error = file_open(&file, path, why);

    if (error < 0)
        return error;
    if (file.size > limit) {
        error = refuse(why, -EFBIG, "%" PRIu64 " bytes, but at most %" PRIu64 " are allowed",
                       file.size, limit);
        goto close;
    }
    buffer = malloc(file.size ? file.size : 1);
    if (!buffer) {
        error = refuse(why, -ENOMEM, "no memory for %" PRIu64 " bytes", file.size);
        goto close;
    }
    error = file_read(&file, 0, buffer, file.size, why);
    if (error < 0) {
        free(buffer);
        goto close;
    }
    *bytes = buffer;
    *size = file.size;
close:
    file_close(&file);
    return error;
}
