/*
 * chardev_file.c: see chardev.h: bytes into a file, and through FIFOs. fifo(7)
 *
 * A FIFO is opened for both ways even where one is used: then there is no waiting for the
 * other end, and no end of file when it leaves.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "05-virtio/chardev.h"

static const struct chardev_class file = {.look = NULL};

int chardev_open_file(struct chardev *c, const char *path, bool append, struct refusal *why)
{
    int how = O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | (append ? O_APPEND : O_TRUNC);
    int fd = open(path, how, 0666);

    if (fd < 0)
        return refuse(why, -errno, "%s: cannot open: %s", path, strerror(errno));
    chardev_init(c, &file, "file");
    chardev_connect(c, -1, fd);
    return 0;
}

static int open_fifo(const char *path, const char *suffix)
{
    char name[4096];

    if (snprintf(name, sizeof name, "%s%s", path, suffix) >= (int)sizeof name)
        return -1;
    return open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

int chardev_open_pipe(struct chardev *c, const char *path, struct refusal *why)
{
    int in = open_fifo(path, ".in"), out = open_fifo(path, ".out"), error;

    if (in < 0 && out < 0)
        in = out = open_fifo(path, "");
    if (in >= 0 && out >= 0) {
        chardev_init(c, &file, "pipe");
        chardev_connect(c, in, out);
        return 0;
    }
    error = errno;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return refuse(why, -error, "%s.in and %s.out, or %s: cannot open: %s", path, path, path,
                  strerror(error));
}
