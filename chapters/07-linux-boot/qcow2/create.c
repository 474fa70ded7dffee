/*
 * create.c: see create.h. A new file is its tables and nothing else:
 *
 *     cluster 0         header, extensions, the backing file's name
 *     1 ...             refcount table
 *     ...               refcount blocks, as many as these clusters need
 *     ...               L1 table, all zero: nothing is allocated
 */
#define _GNU_SOURCE
#include "07-linux-boot/qcow2/create.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/qcow2/internal.h"

#define CLUSTER_BITS   16u
#define REFCOUNT_ORDER 4u /* 16 bits */
#define SECTOR         512u

struct layout {
    unsigned cluster_bits;
    uint64_t l1_entries;
    uint64_t table, blocks, l1; /* clusters of each */
};

static uint64_t clusters(const struct layout *l, uint64_t bytes)
{
    return align_up(bytes, UINT64_C(1) << l->cluster_bits) >> l->cluster_bits;
}

static uint64_t total(const struct layout *l)
{
    return 1 + l->table + l->blocks + l->l1;
}

/* How many entries an L1 table needs for a disk of so many bytes. */
static uint64_t l1_entries(uint64_t size, unsigned cluster_bits)
{
    unsigned shift = cluster_bits + cluster_bits - 3;

    return (size >> shift) + ((size & ((UINT64_C(1) << shift) - 1)) != 0);
}

static int plan(struct layout *l, const struct qcow2_recipe *recipe, struct refusal *why)
{
    uint64_t per_block;

    *l = (struct layout){.cluster_bits = recipe->cluster_bits ? recipe->cluster_bits
                                                              : CLUSTER_BITS};
    if (l->cluster_bits < QCOW2_CLUSTER_BITS_MIN || l->cluster_bits > QCOW2_CLUSTER_BITS_MAX)
        return refuse(why, -EINVAL, "cluster_size: not 512 bytes to 2 MiB");
    if (recipe->size % SECTOR || recipe->size > INT64_MAX)
        return refuse(why, -EINVAL, "size: %" PRIu64 " is no multiple of %u", recipe->size, SECTOR);
    l->l1_entries = l1_entries(recipe->size, l->cluster_bits);
    if (l->l1_entries * 8 > QCOW2_L1_BYTES_MAX)
        return refuse(why, -EFBIG, "size: %" PRIu64 " bytes need larger clusters", recipe->size);
    l->l1 = clusters(l, l->l1_entries * 8);
    per_block = (UINT64_C(8) << l->cluster_bits) >> REFCOUNT_ORDER;
    l->table = l->blocks = 1;
    /* The blocks count themselves, and the table that lists them. */
    while (l->blocks * per_block < total(l) || clusters(l, l->blocks * 8) > l->table) {
        l->blocks = (total(l) + per_block - 1) / per_block;
        l->table = clusters(l, l->blocks * 8);
    }
    return 0;
}

/* The extensions and the name, behind the fixed part. */
static int write_names(uint8_t *cluster, size_t room, const struct qcow2_recipe *recipe,
                       struct refusal *why)
{
    struct qcow2_disk_header *header = (void *)cluster;
    size_t at = sizeof *header, format, name;
    uint32_t head[2];

    if (!recipe->backing)
        return 0; /* the zeros that follow are the end of the extensions */
    format = strlen(recipe->backing_format);
    name = strlen(recipe->backing);
    if (name == 0 || name > QCOW2_BACKING_NAME_MAX ||
        at + 8 + align_up(format, 8) + 8 + name > room)
        return refuse(why, -EINVAL, "backing file: a name of %zu bytes", name);
    head[0] = htobe32(QCOW2_EXTENSION_BACKING_FORMAT);
    head[1] = htobe32((uint32_t)format);
    memcpy(cluster + at, head, sizeof head);
    memcpy(cluster + at + 8, recipe->backing_format, format);
    at += 8 + align_up(format, 8) + 8;
    memcpy(cluster + at, recipe->backing, name);
    header->backing_offset = htobe64(at);
    header->backing_size = htobe32((uint32_t)name);
    return 0;
}

static int write_at(int fd, const struct layout *l, uint64_t cluster, const void *bytes,
                    size_t size)
{
    ssize_t put = pwrite(fd, bytes, size, (off_t)(cluster << l->cluster_bits));

    return put < 0 ? -errno : (size_t)put < size ? -EIO : 0;
}

static int write_file(int fd, const struct layout *l, const struct qcow2_recipe *recipe,
                      struct refusal *why)
{
    uint64_t size = UINT64_C(1) << l->cluster_bits, per_block = (size * 8) >> REFCOUNT_ORDER;
    uint8_t *cluster = calloc(1, size);
    struct qcow2_disk_header *header = (void *)cluster;
    int error;

    if (!cluster)
        return refuse(why, -ENOMEM, "no memory");
    *header = (struct qcow2_disk_header){
        .magic = htobe32(QCOW2_MAGIC),
        .version = htobe32(QCOW2_VERSION),
        .cluster_bits = htobe32(l->cluster_bits),
        .size = htobe64(recipe->size),
        .l1_size = htobe32((uint32_t)l->l1_entries),
        .l1_offset = htobe64((1 + l->table + l->blocks) << l->cluster_bits),
        .refcount_offset = htobe64(size),
        .refcount_clusters = htobe32((uint32_t)l->table),
        .refcount_order = htobe32(REFCOUNT_ORDER),
        .header_length = htobe32(sizeof *header),
    };
    error = write_names(cluster, size, recipe, why);
    if (error < 0)
        goto out;
    error = ftruncate(fd, (off_t)(total(l) << l->cluster_bits)) < 0 ? -errno : 0;
    if (error == 0)
        error = write_at(fd, l, 0, cluster, size);
    for (uint64_t i = 0; i < l->blocks && error == 0; i++) {
        uint64_t entry = htobe64((1 + l->table + i) << l->cluster_bits);

        memset(cluster, 0, size);
        for (uint64_t j = 0; j < per_block && i * per_block + j < total(l); j++)
            refcount_set_field(cluster, j, REFCOUNT_ORDER, 1);
        error = write_at(fd, l, 1 + l->table + i, cluster, size);
        if (error == 0 && pwrite(fd, &entry, 8, (off_t)(size + i * 8)) != 8)
            error = -EIO;
    }
    if (error == 0 && fsync(fd) < 0)
        error = -errno;
    if (error < 0)
        refuse(why, error, "cannot write: %s", strerror(-error));
out:
    free(cluster);
    return error;
}

int qcow2_create(const char *path, const struct qcow2_recipe *recipe, struct refusal *why)
{
    struct layout layout;
    int error = plan(&layout, recipe, why), fd;

    if (error < 0)
        return error;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return refuse(why, -errno, "cannot create: %s", strerror(errno));
    error = write_file(fd, &layout, recipe, why);
    close(fd);
    if (error < 0)
        unlink(path);
    return error;
}

/* A larger L1 table at the end of the file; the header's pointer is changed last. */
static int grow_l1(struct qcow2 *image, uint32_t entries)
{
    uint64_t bytes = (uint64_t)entries * 8, count, offset, old_first, old_count;
    uint64_t *l1 = calloc(entries, 8), *disk = calloc(entries, 8);
    struct {
        uint32_t entries;
        uint64_t offset;
    } __attribute__((packed)) pointer;
    int error = l1 && disk ? qcow2_flush(image) : -ENOMEM;

    count = align_up(bytes, image->cluster_size) / image->cluster_size;
    if (error == 0)
        error = refcount_allocate(image, count, &offset);
    if (error < 0)
        goto out;
    memcpy(l1, image->l1, (size_t)image->header.l1_size * 8);
    for (uint32_t i = 0; i < entries; i++)
        disk[i] = htobe64(l1[i]);
    for (uint64_t i = 0; i < count && error == 0; i++)
        error = metadata_add(&image->metadata, offset / image->cluster_size + i);
    if (error == 0)
        error = qcow2_pwrite(image, offset, disk, bytes);
    if (error == 0 && fdatasync(image->fd) < 0)
        error = -errno;
    pointer.entries = htobe32(entries);
    pointer.offset = htobe64(offset);
    if (error == 0)
        error = qcow2_pwrite(image, offsetof(struct qcow2_disk_header, l1_size), &pointer,
                             sizeof pointer);
    if (error < 0)
        goto out;
    old_first = image->header.l1_offset / image->cluster_size;
    old_count = clusters(&(struct layout){.cluster_bits = image->header.cluster_bits},
                         (uint64_t)image->header.l1_size * 8);
    free(image->l1);
    image->l1 = l1;
    l1 = NULL;
    image->header.l1_size = entries;
    image->header.l1_offset = offset;
    for (uint64_t i = 0; i < old_count && error == 0; i++) {
        metadata_remove(&image->metadata, old_first + i);
        error = refcount_free_later(image, old_first + i);
    }
out:
    free(l1);
    free(disk);
    return error;
}

int qcow2_resize(struct qcow2 *image, uint64_t size, struct refusal *why)
{
    uint64_t entries = l1_entries(size, image->header.cluster_bits), disk = htobe64(size);
    int error = qcow2_touch(image);

    if (size < image->header.size)
        return refuse(why, -EINVAL, "size: %" PRIu64 " is smaller than the disk (%" PRIu64 ")",
                      size, image->header.size);
    if (size % SECTOR || size > INT64_MAX || entries * 8 > QCOW2_L1_BYTES_MAX)
        return refuse(why, -EINVAL, "size: %" PRIu64 " is no multiple of %u, or too large", size,
                      SECTOR);
    if (image->header.snapshots)
        return refuse(why, -ENOTSUP, "the image has snapshots");
    if (error == 0 && entries > image->header.l1_size)
        error = grow_l1(image, (uint32_t)entries);
    if (error == 0)
        error = qcow2_pwrite(image, offsetof(struct qcow2_disk_header, size), &disk, sizeof disk);
    if (error == 0) {
        image->header.size = size;
        error = qcow2_flush(image);
    }
    return error < 0 ? refuse(why, error, "cannot resize: %s", strerror(-error)) : 0;
}
