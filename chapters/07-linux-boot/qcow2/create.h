/*
 * create.h: new qcow2 files, larger ones, and a layer merged into the one below.
 */
#ifndef CHAPTER_07_QCOW2_CREATE_H
#define CHAPTER_07_QCOW2_CREATE_H

#include <stdint.h>

#include "07-linux-boot/qcow2/image.h"

struct qcow2_recipe {
    uint64_t size;              /* of the disk, in bytes; a multiple of 512 */
    unsigned cluster_bits;      /* 9 to 21; 0 for 16 (64 KiB) */
    const char *backing;        /* NULL, or the name to write into the file ... */
    const char *backing_format; /* ... and "raw" or "qcow2" */
};

/*
 * Makes the file; one that is there is refused. The backing file is neither opened
 * nor looked for. 0, or -errno and why->text, and then there is no new file.
 */
int qcow2_create(const char *path, const struct qcow2_recipe *recipe, struct refusal *why);

/*
 * Writes what the image at path has into the disk it stands on, which must be as large
 * at least. The image stays as it is: both now read alike. 0, or -errno and why->text.
 */
int qcow2_commit(const char *path, struct refusal *why);

/* The disk becomes larger; its new part reads as zeros. Smaller is refused. */
int qcow2_resize(struct qcow2 *image, uint64_t size, struct refusal *why);

#endif
