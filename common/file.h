/*
 * file.h: a file the user named, opened once and read whole.
 *
 * Kernels, initrds and payloads come from outside. The path is opened once and
 * used by descriptor from then on, so swapping it afterwards changes nothing.
 * Only regular files are accepted: a directory, a FIFO or a terminal would block
 * or lie about its size. Nothing here writes.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "common/refusal.h"

struct file {
    int fd;        /* read-only, close-on-exec; owned by this struct */
    uint64_t size; /* bytes, as fstat saw it at open */
};

/* 0, or -errno with why->text set ("cannot open: No such file or directory"). */
int file_open(struct file *file, const char *path, struct refusal *why);
void file_close(struct file *file);

/*
 * Reads exactly size bytes at offset. A file that turns out shorter than it was
 * at open gives -EIO, never a short or padded buffer.
 */
int file_read(const struct file *file, uint64_t offset, void *buffer, size_t size,
              struct refusal *why);

/*
 * The whole of a file of at most limit bytes in a fresh buffer: *bytes (release
 * with free()) and *size. Larger files give -EFBIG.
 */
int file_read_all(const char *path, uint64_t limit, uint8_t **bytes, size_t *size,
                  struct refusal *why);

#endif
