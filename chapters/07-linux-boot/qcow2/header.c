/*
 * header.c: see header.h. Open at hand: [QCOW2, "Header"].
 *
 * A disk image is a stranger's file. Each number is compared with the file's size and
 * with a bound of our own before anything is read or allocated by it, and the sums
 * are made so that they cannot wrap.
 *
 * Left out on purpose: version 2 (from before 2012), encryption, subclusters, data in
 * a second file, compression other than zlib. Each is refused by name.
 */
#define _GNU_SOURCE
#include "07-linux-boot/qcow2/header.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static int read_exactly(int fd, uint64_t offset, void *buffer, size_t size, struct refusal *why)
{
    ssize_t got = pread(fd, buffer, size, (off_t)offset);

    if (got < 0)
        return refuse(why, -errno, "cannot read: %s", strerror(errno));
    if ((size_t)got < size)
        return refuse(why, -EIO, "the file ends inside its header");
    return 0;
}

/* Features that change what the bits mean. Unknown ones have a number only. */
static int check_features(uint64_t features, struct refusal *why)
{
    static const char *const names[] = {
        [2] = "data in another file", [3] = "compression type", [4] = "extended L2 entries"};
    uint64_t unknown = features & ~QCOW2_INCOMPATIBLE_KNOWN;
    unsigned bit;

    if (!unknown)
        return 0;
    bit = (unsigned)__builtin_ctzll(unknown);
    return refuse(why, -ENOTSUP, "incompatible_features: bit %u (%s) is not supported", bit,
                  bit < ARRAY_SIZE(names) && names[bit] ? names[bit] : "unknown");
}

/* A table of bytes bytes at offset: aligned, inside the file, not over the header. */
static int check_table(const char *field, uint64_t offset, uint64_t bytes, unsigned cluster_bits,
                       uint64_t file_size, struct refusal *why)
{
    if (!is_aligned(offset, 1u << cluster_bits) || offset == 0)
        return refuse(why, -EINVAL, "%s: 0x%" PRIx64 " is no cluster of the file", field, offset);
    if (!fits(offset, bytes, file_size))
        return refuse(why, -EINVAL,
                      "%s: 0x%" PRIx64 " and %" PRIu64 " bytes reach past the file's end (%" PRIu64
                      ")",
                      field, offset, bytes, file_size);
    return 0;
}

static int check_l1(const struct qcow2_header *h, uint64_t file_size, struct refusal *why)
{
    unsigned shift = h->cluster_bits + h->cluster_bits - 3; /* bytes behind one entry */
    uint64_t needed = (h->size >> shift) + ((h->size & ((UINT64_C(1) << shift) - 1)) != 0);

    if (h->size > INT64_MAX)
        return refuse(why, -EINVAL, "size: %" PRIu64 " bytes is no disk", h->size);
    if (h->l1_size > QCOW2_L1_BYTES_MAX / 8)
        return refuse(why, -EFBIG, "l1_size: %u entries, at most %u are read", h->l1_size,
                      (unsigned)(QCOW2_L1_BYTES_MAX / 8));
    if (h->l1_size < needed)
        return refuse(why, -EINVAL, "l1_size: %u entries, the disk's size needs %" PRIu64,
                      h->l1_size, needed);
    if (h->l1_size == 0)
        return 0;
    return check_table("l1_table_offset", h->l1_offset, (uint64_t)h->l1_size * 8, h->cluster_bits,
                       file_size, why);
}

static int check_refcounts(const struct qcow2_header *h, uint64_t file_size, struct refusal *why)
{
    uint64_t bytes = (uint64_t)h->refcount_clusters << h->cluster_bits;

    if (h->refcount_clusters == 0 || bytes > QCOW2_REFCOUNT_TABLE_BYTES_MAX)
        return refuse(why, -EINVAL, "refcount_table_clusters: %u, not 1 to %u",
                      h->refcount_clusters,
                      (unsigned)(QCOW2_REFCOUNT_TABLE_BYTES_MAX >> h->cluster_bits));
    return check_table("refcount_table_offset", h->refcount_offset, bytes, h->cluster_bits,
                       file_size, why);
}

/* Copies a name of length bytes out of the first cluster. */
static int read_backing_name(const uint8_t *cluster, size_t available, uint64_t offset,
                             uint32_t length, struct qcow2_header *h, struct refusal *why)
{
    if (length > QCOW2_BACKING_NAME_MAX)
        return refuse(why, -EINVAL, "backing_file_size: %u, at most %u", length,
                      QCOW2_BACKING_NAME_MAX);
    if (!fits(offset, length, available))
        return refuse(why, -EINVAL,
                      "backing_file_offset: 0x%" PRIx64 ": the name is not in the first cluster",
                      offset);
    memcpy(h->backing, cluster + offset, length);
    h->backing[length] = 0;
    if (length == 0 || strlen(h->backing) != length)
        return refuse(why, -EINVAL, "backing_file_offset: the name is empty or has a zero in it");
    return 0;
}

/* A list of type, length, bytes, up to the type 0: it must end before limit. */
static int read_extensions(const uint8_t *cluster, size_t limit, struct qcow2_header *h,
                           struct refusal *why)
{
    size_t at = h->length;

    for (;;) {
        uint32_t head[2];
        size_t length;

        if (!fits(at, sizeof head, limit))
            return refuse(why, -EINVAL, "header extensions: no end within the first cluster");
        memcpy(head, cluster + at, sizeof head);
        at += sizeof head;
        length = be32toh(head[1]);
        if (be32toh(head[0]) == QCOW2_EXTENSION_END)
            return 0;
        if (!fits(at, length, limit))
            return refuse(why, -EINVAL,
                          "header extension 0x%08x: %zu bytes reach past the first cluster",
                          be32toh(head[0]), length);
        if (be32toh(head[0]) == QCOW2_EXTENSION_BACKING_FORMAT) {
            if (length == 0 || length >= sizeof h->backing_format)
                return refuse(why, -EINVAL, "backing file format: a name of %zu bytes", length);
            memcpy(h->backing_format, cluster + at, length);
        }
        at += align_up(length, 8);
    }
}

static int read_fixed_part(int fd, struct qcow2_disk_header *disk, struct refusal *why)
{
    int error = read_exactly(fd, 0, disk, QCOW2_HEADER_LENGTH_MIN, why);

    if (error < 0)
        return error;
    if (be32toh(disk->magic) != QCOW2_MAGIC)
        return refuse(why, -EINVAL, "magic: 0x%08x instead of 0x%08x: not a qcow2 image",
                      be32toh(disk->magic), QCOW2_MAGIC);
    if (be32toh(disk->version) != QCOW2_VERSION)
        return refuse(why, -ENOTSUP, "version: %u, only 3 is supported%s", be32toh(disk->version),
                      be32toh(disk->version) == 2 ? " (qemu-img amend -o compat=1.1)" : "");
    return 0;
}

static int check_geometry(const struct qcow2_disk_header *disk, const struct qcow2_header *h,
                          struct refusal *why)
{
    if (h->cluster_bits < QCOW2_CLUSTER_BITS_MIN || h->cluster_bits > QCOW2_CLUSTER_BITS_MAX)
        return refuse(why, -EINVAL, "cluster_bits: %u, not %u to %u", h->cluster_bits,
                      QCOW2_CLUSTER_BITS_MIN, QCOW2_CLUSTER_BITS_MAX);
    if (disk->crypt_method)
        return refuse(why, -ENOTSUP, "crypt_method: %u: encrypted images are not supported",
                      be32toh(disk->crypt_method));
    if (h->refcount_order > QCOW2_REFCOUNT_ORDER_MAX)
        return refuse(why, -EINVAL, "refcount_order: %u, at most %u", h->refcount_order,
                      QCOW2_REFCOUNT_ORDER_MAX);
    if (h->length < QCOW2_HEADER_LENGTH_MIN || h->length > 1u << h->cluster_bits ||
        h->length % 8 != 0)
        return refuse(why, -EINVAL, "header_length: %u", h->length);
    return check_features(h->incompatible, why);
}

int qcow2_header_read(int fd, uint64_t file_size, bool writable, struct qcow2_header *h,
                      struct refusal *why)
{
    struct qcow2_disk_header disk = {0};
    uint8_t cluster[4096];
    size_t limit;
    int error = read_fixed_part(fd, &disk, why);

    if (error < 0)
        return error;
    *h = (struct qcow2_header){
        .size = be64toh(disk.size),
        .cluster_bits = be32toh(disk.cluster_bits),
        .l1_size = be32toh(disk.l1_size),
        .l1_offset = be64toh(disk.l1_offset),
        .refcount_offset = be64toh(disk.refcount_offset),
        .refcount_clusters = be32toh(disk.refcount_clusters),
        .refcount_order = be32toh(disk.refcount_order),
        .snapshots = be32toh(disk.snapshots),
        .snapshots_offset = be64toh(disk.snapshots_offset),
        .incompatible = be64toh(disk.incompatible),
        .autoclear = be64toh(disk.autoclear),
        .length = be32toh(disk.header_length),
    };
    error = check_geometry(&disk, h, why);
    if (error == 0)
        error = check_l1(h, file_size, why);
    if (error == 0 && writable)
        error = check_refcounts(h, file_size, why);
    if (error < 0)
        return error;

    /* Extensions and names lie in the first cluster; ours in its first 4 KiB. */
    limit = 1u << h->cluster_bits;
    if (limit > sizeof cluster)
        limit = sizeof cluster;
    if (limit > file_size)
        limit = file_size;
    error = read_exactly(fd, 0, cluster, limit, why);
    if (error == 0 && disk.backing_offset)
        error = read_backing_name(cluster, limit, be64toh(disk.backing_offset),
                                  be32toh(disk.backing_size), h, why);
    if (error == 0 && h->backing[0] && be64toh(disk.backing_offset) < limit)
        limit = be64toh(disk.backing_offset) > h->length ? be64toh(disk.backing_offset) : limit;
    return error < 0 ? error : read_extensions(cluster, limit, h, why);
}
