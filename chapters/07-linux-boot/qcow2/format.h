/*
 * format.h: what a qcow2 file looks like on disk. All numbers are big-endian.
 *
 *     header            one cluster: fixed part, extensions, the backing file's name
 *     L1 table          entries to L2 tables; contiguous
 *     L2 tables         one cluster each: where each guest cluster is
 *     refcount table    entries to refcount blocks; contiguous
 *     refcount blocks   one cluster each: how often each cluster of the file is used
 *     data clusters     in any order
 *
 * A guest offset is cut into three, as an address is by a page walk:
 *
 *     | index in L1 | index in L2: cluster_bits - 3 | offset: cluster_bits |
 *
 * [QCOW2, "Header", "Host cluster management", "Cluster mapping"]
 */
#ifndef CHAPTER_07_QCOW2_FORMAT_H
#define CHAPTER_07_QCOW2_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "common/bits.h"

#define QCOW2_MAGIC              0x514649fbu /* "QFI\xfb" */
#define QCOW2_VERSION            3u
#define QCOW2_CLUSTER_BITS_MIN   9u  /* 512 bytes */
#define QCOW2_CLUSTER_BITS_MAX   21u /* 2 MiB */
#define QCOW2_REFCOUNT_ORDER_MAX 6u  /* 64 bits */

/* Bounds of ours, QEMU's too: what a hostile file can make us read into memory. */
#define QCOW2_L1_BYTES_MAX             (32 * MIB)
#define QCOW2_REFCOUNT_TABLE_BYTES_MAX (8 * MIB)
#define QCOW2_BACKING_NAME_MAX         1023u
#define QCOW2_CHAIN_MAX                32u /* files on top of each other */

struct __attribute__((packed)) qcow2_disk_header {
    uint32_t magic, version;
    uint64_t backing_offset;
    uint32_t backing_size;
    uint32_t cluster_bits;
    uint64_t size; /* of the disk the guest sees, in bytes */
    uint32_t crypt_method;
    uint32_t l1_size; /* in entries */
    uint64_t l1_offset;
    uint64_t refcount_offset;
    uint32_t refcount_clusters;
    uint32_t snapshots;
    uint64_t snapshots_offset;
    uint64_t incompatible, compatible, autoclear;
    uint32_t refcount_order;
    uint32_t header_length;
    uint8_t compression;
    uint8_t padding[7];
};
_Static_assert(offsetof(struct qcow2_disk_header, l1_size) == 36, "l1_size");
_Static_assert(offsetof(struct qcow2_disk_header, refcount_offset) == 48, "refcount_offset");
_Static_assert(offsetof(struct qcow2_disk_header, incompatible) == 72, "incompatible_features");
_Static_assert(offsetof(struct qcow2_disk_header, compression) == 104, "compression_type");
_Static_assert(sizeof(struct qcow2_disk_header) == 112, "header with its padding");

#define QCOW2_HEADER_LENGTH_MIN 104u

/* Incompatible features */
#define QCOW2_DIRTY              BIT(0) /* refcounts may be wrong */
#define QCOW2_CORRUPT            BIT(1) /* somebody found a contradiction */
#define QCOW2_EXTERNAL           BIT(2) /* data in another file */
#define QCOW2_COMPRESSION        BIT(3) /* compression_type is not zlib */
#define QCOW2_EXTENDED_L2        BIT(4) /* subclusters */
#define QCOW2_INCOMPATIBLE_KNOWN (QCOW2_DIRTY | QCOW2_CORRUPT)

/* Header extensions */
#define QCOW2_EXTENSION_END            0x00000000u
#define QCOW2_EXTENSION_BACKING_FORMAT 0xe2792acau

/* Entries of L1 and L2 tables */
#define QCOW2_COPIED      BIT(63) /* used once: may be written in place */
#define QCOW2_COMPRESSED  BIT(62) /* L2 only */
#define QCOW2_ZERO        BIT(0)  /* L2 only: reads as zeros, whatever the offset */
#define QCOW2_OFFSET      UINT64_C(0x00fffffffffffe00)
#define QCOW2_L1_RESERVED (~(QCOW2_COPIED | QCOW2_OFFSET))
#define QCOW2_L2_RESERVED (~(QCOW2_COPIED | QCOW2_COMPRESSED | QCOW2_OFFSET | QCOW2_ZERO))

/* Compressed clusters: raw deflate with a window of 4 KiB, in zlib's notation */
#define QCOW2_WINDOW_BITS (-12)

/* Entries of the refcount table: an offset, low 9 bits reserved */
#define QCOW2_REFCOUNT_RESERVED UINT64_C(0x1ff)

#endif
