/*
 * backing.c: the disk an image stands on. What the image does not have is read from
 * there; nothing is ever written there.
 *
 * The name in the file is relative to the file. Its format must be said: to guess
 * would let a guest that writes a qcow2 header into a raw disk choose which file of
 * the host is read next.
 */
#define _GNU_SOURCE
#include "07-linux-boot/qcow2/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

struct backing {
    struct qcow2 *qcow2; /* or NULL, and then */
    struct file raw;
};

char *backing_path(const char *overlay, const char *name)
{
    const char *slash = strrchr(overlay, '/');
    char *path;

    if (name[0] == '/' || !slash)
        return strdup(name);
    if (asprintf(&path, "%.*s/%s", (int)(slash - overlay), overlay, name) < 0)
        return NULL;
    return path;
}

static int open_format(struct backing *backing, const char *format, const char *path,
                       unsigned depth, struct refusal *why)
{
    if (strcmp(format, "raw") == 0) {
        backing->raw.fd = -1;
        return file_open(&backing->raw, path, why);
    }
    if (strcmp(format, "qcow2") == 0)
        return qcow2_open_as(&backing->qcow2, path, QCOW2_READ, depth, why);
    if (format[0] == 0)
        return refuse(why, -EINVAL,
                      "its format is not given; say it: qemu-img rebase -u -b FILE -F FORMAT");
    return refuse(why, -ENOTSUP, "its format, '%s', is not supported", format);
}

int backing_open(struct qcow2 *image, const char *overlay, unsigned depth, struct refusal *why)
{
    struct refusal inner = {{0}};
    struct backing *backing;
    char *path;
    int error;

    if (image->header.backing[0] == 0)
        return 0;
    if (depth + 1 >= QCOW2_CHAIN_MAX)
        return refuse(why, -ELOOP, "backing file: more than %u files on top of each other",
                      QCOW2_CHAIN_MAX);
    path = backing_path(overlay, image->header.backing);
    backing = calloc(1, sizeof *backing);
    if (!path || !backing) {
        free(path);
        free(backing);
        return refuse(why, -ENOMEM, "no memory");
    }
    error = open_format(backing, image->header.backing_format, path, depth + 1, &inner);
    if (error < 0) {
        free(backing);
        /* Down a deep chain only the innermost name is of use. */
        if (strncmp(inner.text, "backing file", 12) == 0)
            *why = inner;
        else
            refuse(why, error, "backing file %.200s: %.150s", path, inner.text);
    } else {
        image->backing = backing;
    }
    free(path);
    return error;
}

/* What lies past the end of a shorter disk reads as zeros. */
int backing_read(struct backing *backing, uint64_t offset, void *buffer, size_t size)
{
    uint64_t end = backing->qcow2 ? qcow2_size(backing->qcow2) : backing->raw.size;
    size_t there = offset >= end ? 0 : end - offset < size ? (size_t)(end - offset) : size;
    struct refusal why;

    memset((uint8_t *)buffer + there, 0, size - there);
    if (there == 0)
        return 0;
    return backing->qcow2 ? qcow2_read(backing->qcow2, offset, buffer, there)
                          : file_read(&backing->raw, offset, buffer, there, &why);
}

void backing_close(struct backing *backing)
{
    if (!backing)
        return;
    if (backing->qcow2)
        qcow2_close(backing->qcow2);
    else
        file_close(&backing->raw);
    free(backing);
}
