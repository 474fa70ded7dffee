/*
 * header.h: a qcow2 header read and believed only as far as it makes sense.
 * [QCOW2, "Header"]
 */
#ifndef CHAPTER_07_QCOW2_HEADER_H
#define CHAPTER_07_QCOW2_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "07-linux-boot/qcow2/format.h"
#include "common/refusal.h"

struct qcow2_header {
    uint64_t size;         /* of the disk, in bytes */
    unsigned cluster_bits; /* a cluster has 1 << cluster_bits bytes */
    uint32_t l1_size;      /* in entries */
    uint64_t l1_offset;    /* this and the other offsets: in the file, in bytes */
    uint64_t refcount_offset;
    uint32_t refcount_clusters; /* of the refcount table */
    unsigned refcount_order;    /* a count has 1 << refcount_order bits */
    uint32_t snapshots;         /* how many */
    uint64_t snapshots_offset;
    uint64_t incompatible, autoclear;
    uint32_t length; /* of the fixed part */
    char backing[QCOW2_BACKING_NAME_MAX + 1];
    char backing_format[16]; /* "qcow2", "raw"; "" if the file does not say */
};

/*
 * Reads and checks the header of the file_size bytes long file. After 0, all tables
 * it names are aligned, lie within the file and are no larger than format.h's bounds.
 * What only a writer needs (the refcounts) is checked if writable is set. Otherwise
 * -errno, and why->text names the field.
 */
int qcow2_header_read(int fd, uint64_t file_size, bool writable, struct qcow2_header *header,
                      struct refusal *why);

#endif
