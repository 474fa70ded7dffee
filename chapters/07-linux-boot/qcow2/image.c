/*
 * image.c: see image.h.
 *
 * Longer than most: opening and the requests share what they check.
 *
 * Left out on purpose: internal snapshots are kept intact (their clusters are shared,
 * so they are copied before they are written) but not made or applied here.
 */
#define _GNU_SOURCE
#include "07-linux-boot/qcow2/internal.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Memory for tables: 1 MiB of L2 serves 8 GiB of disk at once. */
#define L2_CACHE_BYTES       MIB
#define REFCOUNT_CACHE_BYTES (256 * KIB)
#define TABLES_CACHED_MIN    2u

int qcow2_write_features(struct qcow2 *image)
{
    uint64_t features[3] = {htobe64(image->header.incompatible), 0, 0};
    int error = qcow2_pread(image, offsetof(struct qcow2_disk_header, compatible), &features[1], 8);

    features[2] = htobe64(image->header.autoclear);
    if (error == 0)
        error = qcow2_pwrite(image, offsetof(struct qcow2_disk_header, incompatible), features,
                             sizeof features);
    return error;
}

int qcow2_damaged(struct qcow2 *image)
{
    if (image->writable && !image->damaged) {
        image->header.incompatible |= QCOW2_CORRUPT;
        qcow2_write_features(image); /* if it fails, the file is still as it was */
    }
    image->damaged = true;
    return -EIO;
}

/* Whoever wrote an autoclear bit wants to know that we changed the file without it. */
int qcow2_touch(struct qcow2 *image)
{
    int error = 0;

    if (!image->writable)
        return -EROFS;
    if (image->damaged)
        return -EIO;
    if (!image->touched && image->header.autoclear) {
        image->header.autoclear = 0;
        error = qcow2_write_features(image);
    }
    image->touched = error == 0;
    return error;
}

/* Reads a table of count entries into fresh memory, in the host's byte order. */
static uint64_t *read_table(const struct qcow2 *image, uint64_t offset, uint64_t count)
{
    uint64_t *table = calloc(count ? count : 1, sizeof *table);

    if (table && qcow2_pread(image, offset, table, count * 8) < 0) {
        free(table);
        return NULL;
    }
    for (uint64_t i = 0; table && i < count; i++)
        table[i] = be64toh(table[i]);
    return table;
}

static int list_clusters(struct qcow2 *image, uint64_t offset, uint64_t bytes)
{
    uint64_t first = offset / image->cluster_size;
    uint64_t count = align_up(bytes, image->cluster_size) / image->cluster_size;
    int error = 0;

    for (uint64_t i = 0; i < count && error == 0; i++)
        error = metadata_add(&image->metadata, first + i);
    return error;
}

/*
 * Lists the file's own tables. Two that share a cluster are a contradiction: reading
 * goes on, writing would make it worse.
 */
static int list_metadata(struct qcow2 *image)
{
    const struct qcow2_header *h = &image->header;
    int error = list_clusters(image, 0, 1);

    if (error == 0)
        error = list_clusters(image, h->l1_offset, (uint64_t)h->l1_size * 8);
    if (error == 0 && image->refcount_table)
        error = list_clusters(image, h->refcount_offset,
                              (uint64_t)h->refcount_clusters << h->cluster_bits);
    for (uint64_t i = 0; i < image->refcount_entries && error == 0; i++)
        if (image->refcount_table[i])
            error = list_clusters(image, image->refcount_table[i], 1);
    for (uint32_t i = 0; i < h->l1_size && error == 0; i++)
        if (image->l1[i] & QCOW2_OFFSET)
            error = list_clusters(image, image->l1[i] & QCOW2_OFFSET, 1);
    if (error == -EEXIST) {
        qcow2_damaged(image);
        return 0;
    }
    return error;
}

/* Many may read or one may write; the lock is the open file's, so it dies with it. */
static int lock(int fd, bool writable, struct refusal *why)
{
    struct flock range = {.l_type = writable ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &range) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return refuse(why, -EBUSY, "in use by another program");
    return refuse(why, -errno, "cannot lock: %s", strerror(errno));
}

static int open_file(struct qcow2 *image, const char *path, bool write, uint64_t *size,
                     struct refusal *why)
{
    struct stat info;

    image->fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (image->fd < 0)
        return refuse(why, -errno, "cannot open: %s", strerror(errno));
    if (fstat(image->fd, &info) < 0)
        return refuse(why, -errno, "cannot stat: %s", strerror(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(why, -EINVAL, "not a regular file");
    *size = (uint64_t)info.st_size;
    return lock(image->fd, write, why);
}

/* An image somebody else left in doubt may be read, not written. */
static int check_state(const struct qcow2 *image, struct refusal *why)
{
    if (!image->writable)
        return 0;
    if (image->header.incompatible & QCOW2_CORRUPT)
        return refuse(why, -EIO, "marked corrupt; vmm-img check -r all repairs what can be");
    if (image->header.incompatible & QCOW2_DIRTY)
        return refuse(why, -EIO,
                      "not closed cleanly, its refcounts are old; vmm-img check -r all first");
    return 0;
}

static unsigned places(uint64_t bytes, uint64_t cluster_size)
{
    uint64_t count = bytes / cluster_size;

    return count > TABLES_CACHED_MAX   ? TABLES_CACHED_MAX
           : count < TABLES_CACHED_MIN ? TABLES_CACHED_MIN
                                       : (unsigned)count;
}

static int read_tables(struct qcow2 *image, bool refcounts, struct refusal *why)
{
    const struct qcow2_header *h = &image->header;
    int error;

    image->l1 = read_table(image, h->l1_offset, h->l1_size);
    if (!image->l1)
        return refuse(why, -EIO, "l1_table: cannot be read");
    if (refcounts) {
        image->refcount_entries = ((uint64_t)h->refcount_clusters << h->cluster_bits) / 8;
        image->refcount_table = read_table(image, h->refcount_offset, image->refcount_entries);
        if (!image->refcount_table)
            return refuse(why, -EIO, "refcount_table: cannot be read");
    }
    image->bounce = malloc(image->cluster_size);
    error = image->bounce ? 0 : -ENOMEM;
    if (error == 0)
        error = tables_init(&image->l2, places(L2_CACHE_BYTES, image->cluster_size),
                            image->cluster_size);
    if (error == 0)
        error = tables_init(&image->refcounts, places(REFCOUNT_CACHE_BYTES, image->cluster_size),
                            image->cluster_size);
    if (error == 0)
        error = list_metadata(image);
    return error < 0 ? refuse(why, error, "cannot open: %s", strerror(-error)) : 0;
}

int qcow2_open_as(struct qcow2 **opened, const char *path, enum qcow2_mode mode, unsigned depth,
                  struct refusal *why)
{
    bool write_file = mode == QCOW2_WRITE || mode == QCOW2_REPAIR;
    struct qcow2 *image = calloc(1, sizeof *image);
    uint64_t file_size = 0;
    int error;

    *opened = NULL;
    if (!image)
        return refuse(why, -ENOMEM, "no memory");
    *image = (struct qcow2){.fd = -1, .writable = mode == QCOW2_WRITE};
    error = open_file(image, path, write_file, &file_size, why);
    if (error == 0)
        error = qcow2_header_read(image->fd, file_size, mode != QCOW2_READ, &image->header, why);
    if (error == 0) {
        image->cluster_size = UINT64_C(1) << image->header.cluster_bits;
        image->file_end = align_up(file_size, image->cluster_size);
        error = check_state(image, why);
    }
    if (error == 0)
        error = read_tables(image, mode != QCOW2_READ, why);
    if (error == 0 && (mode == QCOW2_READ || mode == QCOW2_WRITE))
        error = backing_open(image, path, depth, why);
    if (error < 0) {
        image->writable = false; /* nothing to flush */
        qcow2_close(image);
        return error;
    }
    *opened = image;
    return 0;
}

int qcow2_open(struct qcow2 **image, const char *path, bool writable, struct refusal *why)
{
    return qcow2_open_as(image, path, writable ? QCOW2_WRITE : QCOW2_READ, 0, why);
}

int qcow2_close(struct qcow2 *image)
{
    int error;

    if (!image)
        return 0;
    error = qcow2_flush(image);
    backing_close(image->backing);
    tables_free(&image->l2);
    tables_free(&image->refcounts);
    free(image->metadata.clusters);
    free(image->l1);
    free(image->refcount_table);
    free(image->bounce);
    free(image->inflated);
    if (image->fd >= 0)
        close(image->fd);
    free(image);
    return error;
}

uint64_t qcow2_size(const struct qcow2 *image)
{
    return image->header.size;
}

uint64_t qcow2_cluster_size(const struct qcow2 *image)
{
    return image->cluster_size;
}

static int read_extent(struct qcow2 *image, const struct extent *extent, uint64_t offset,
                       uint8_t *buffer, size_t size)
{
    int error;

    switch (extent->kind) {
    case EXTENT_DATA: return qcow2_pread_padded(image, extent->host, buffer, size);
    case EXTENT_COMPRESSED:
        error = inflate_cluster(image, extent->entry);
        if (error == 0)
            memcpy(buffer, image->inflated + (offset & (image->cluster_size - 1)), size);
        return error;
    case EXTENT_ABSENT:
        if (image->backing)
            return backing_read(image->backing, offset, buffer, size);
        break;
    case EXTENT_ZERO: break;
    }
    memset(buffer, 0, size);
    return 0;
}

int qcow2_read(struct qcow2 *image, uint64_t offset, void *buffer, size_t size)
{
    uint8_t *at = buffer;

    if (!fits(offset, size, image->header.size))
        return -EINVAL;
    while (size > 0) {
        struct extent extent;
        int error = map_look(image, offset, size, false, &extent);

        if (error == 0)
            error = read_extent(image, &extent, offset, at, extent.size);
        if (error < 0)
            return error;
        at += extent.size, offset += extent.size, size -= extent.size;
    }
    return 0;
}

/* Copies size bytes at offset, as the guest sees them now, to host. */
static int copy_old(struct qcow2 *image, uint64_t offset, uint64_t host, size_t size)
{
    int error;

    if (size == 0 || offset >= image->header.size)
        return 0;
    if (size > image->header.size - offset)
        size = (size_t)(image->header.size - offset);
    error = qcow2_read(image, offset, image->bounce, size);
    return error < 0 ? error : qcow2_pwrite(image, host, image->bounce, size);
}

/*
 * Writes to clusters that may not be overwritten, or are not there yet: new ones are
 * taken, what the guest does not write of the first and last is copied, and then the
 * map is changed. Dying in between costs a few leaked clusters.
 */
/* [write-new] */
static int write_new(struct qcow2 *image, uint64_t offset, const uint8_t *buffer, size_t size,
                     bool was_zero)
{
    uint64_t mask = image->cluster_size - 1, start = offset & ~mask;
    uint64_t end = align_up(offset + size, image->cluster_size), host;
    int error = refcount_allocate(image, (end - start) / image->cluster_size, &host);

    if (error == 0 && !was_zero)
        error = copy_old(image, start, host, offset - start);
    if (error == 0 && !was_zero)
        error = copy_old(image, offset + size, host + (offset + size - start), end - offset - size);
    if (error == 0)
        error = qcow2_pwrite(image, host + (offset - start), buffer, size);
    for (uint64_t at = start; at < end && error == 0; at += image->cluster_size)
        error = map_set(image, at, (host + (at - start)) | QCOW2_COPIED);
    return error;
}
/* [/write-new] */

int qcow2_write(struct qcow2 *image, uint64_t offset, const void *buffer, size_t size)
{
    const uint8_t *at = buffer;
    int error = fits(offset, size, image->header.size) ? qcow2_touch(image) : -EINVAL;

    while (error == 0 && size > 0) {
        struct extent extent;

        error = map_look(image, offset, size, true, &extent);
        if (error < 0)
            break;
        if (extent.in_place)
            error = qcow2_pwrite(image, extent.host, at, extent.size);
        else
            error = write_new(image, offset, at, extent.size,
                              extent.kind == EXTENT_ZERO ||
                                  (extent.kind == EXTENT_ABSENT && !image->backing));
        at += extent.size, offset += extent.size, size -= extent.size;
    }
    return error;
}

/* Zeros, byte by byte, where no whole cluster is meant. */
static int write_some_zeroes(struct qcow2 *image, uint64_t offset, uint64_t size)
{
    static const uint8_t zeroes[4096];
    int error = 0;

    while (size > 0 && error == 0) {
        size_t part = size < sizeof zeroes ? (size_t)size : sizeof zeroes;
        struct extent extent;

        error = map_look(image, offset, part, false, &extent);
        if (error == 0 && (extent.kind == EXTENT_DATA || extent.kind == EXTENT_COMPRESSED ||
                           (extent.kind == EXTENT_ABSENT && image->backing)))
            error = qcow2_write(image, offset, zeroes, extent.size);
        offset += extent.size, size -= extent.size;
    }
    return error;
}

int qcow2_write_zeroes(struct qcow2 *image, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size, first, last;
    int error = fits(offset, size, image->header.size) ? qcow2_touch(image) : -EINVAL;

    if (error < 0)
        return error;
    first = align_up(offset, image->cluster_size);
    last = end == image->header.size ? align_up(end, image->cluster_size)
                                     : end & ~(image->cluster_size - 1);
    if (first >= last)
        return write_some_zeroes(image, offset, size);
    error = write_some_zeroes(image, offset, first - offset);
    for (uint64_t at = first; at < last && error == 0;) {
        struct extent extent;

        error = map_look(image, at, last - at, false, &extent);
        if (error == 0 && extent.kind != EXTENT_ZERO &&
            (extent.kind != EXTENT_ABSENT || image->backing))
            for (uint64_t in = 0; in < extent.size && error == 0; in += image->cluster_size)
                error = map_set(image, at + in, QCOW2_ZERO);
        at += extent.size;
    }
    if (error == 0 && last < end)
        error = write_some_zeroes(image, last, end - last);
    return error;
}

int qcow2_discard(struct qcow2 *image, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size, first, last;

    if (!fits(offset, size, image->header.size))
        return -EINVAL;
    first = align_up(offset, image->cluster_size);
    last = end == image->header.size ? end : end & ~(image->cluster_size - 1);
    return first < last ? qcow2_write_zeroes(image, first, last - first) : 0;
}
