/*
 * refcount.c: how often is each cluster of the file used, and where is a free one?
 *
 *     refcount table           refcount block            cluster of the file
 *     [index / per_block]  ->  [index % per_block]  ->   used so many times
 *
 * New clusters always come from the end of the file. A count of 0 could be a lie that
 * hands out somebody's data; beyond the end there is nobody. What is given back is
 * punched out of the file, so the space returns to the host although the file's
 * length stays. [QCOW2, "Host cluster management"]
 */
#define _GNU_SOURCE
#include "07-linux-boot/qcow2/internal.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint64_t refcount_field(const uint8_t *block, uint64_t index, unsigned order)
{
    uint64_t value = 0;
    unsigned width = 1u << order;

    if (width < 8)
        return block[index * width / 8] >> (index * width % 8) & ((1u << width) - 1);
    for (unsigned i = 0; i < width / 8; i++)
        value = value << 8 | block[index * (width / 8) + i];
    return value;
}

void refcount_set_field(uint8_t *block, uint64_t index, unsigned order, uint64_t count)
{
    unsigned width = 1u << order;

    if (width < 8) {
        unsigned shift = (unsigned)(index * width % 8), mask = ((1u << width) - 1) << shift;
        uint8_t *byte = &block[index * width / 8];

        *byte = (uint8_t)((*byte & ~mask) | (count << shift & mask));
        return;
    }
    for (unsigned i = width / 8; i-- > 0; count >>= 8)
        block[index * (width / 8) + i] = (uint8_t)count;
}

static uint64_t per_block(const struct qcow2 *image)
{
    return image->cluster_size * 8 >> image->header.refcount_order;
}

static uint64_t count_max(const struct qcow2 *image)
{
    unsigned width = 1u << image->header.refcount_order;

    return width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
}

/* The block that counts cluster, or *table = NULL where there is none. */
static int get_block(struct qcow2 *image, uint64_t cluster, struct table **table)
{
    uint64_t index = cluster / per_block(image), offset;

    *table = NULL;
    if (index >= image->refcount_entries)
        return 0;
    offset = image->refcount_table[index];
    if (offset == 0)
        return 0;
    if (offset & QCOW2_REFCOUNT_RESERVED || !is_aligned(offset, image->cluster_size) ||
        offset >= image->file_end)
        return qcow2_damaged(image);
    return tables_get(image, &image->refcounts, offset, table);
}

int refcount_get(struct qcow2 *image, uint64_t cluster, uint64_t *count)
{
    struct table *block;
    int error = get_block(image, cluster, &block);

    if (error < 0)
        return error;
    *count = block ? refcount_field(block->bytes, cluster % per_block(image),
                                    image->header.refcount_order)
                   : 0;
    return 0;
}

/* Writes the bytes of block that hold the fields of count clusters from first on. */
static int write_fields(struct qcow2 *image, const struct table *block, uint64_t first,
                        uint64_t count)
{
    unsigned width = 1u << image->header.refcount_order;
    uint64_t start = first * width / 8, end = ((first + count) * width + 7) / 8;

    return qcow2_pwrite(image, block->offset + start, block->bytes + start, end - start);
}

static int count_up(struct qcow2 *image, uint64_t first, uint64_t count);

/* The refcount table, as the image knows it: what grow_table() replaces. */
struct table_place {
    uint64_t *entries, count, offset;
    uint32_t clusters;
};

static struct table_place swap_table(struct qcow2 *image, struct table_place fresh)
{
    struct table_place old = {image->refcount_table, image->refcount_entries,
                              image->header.refcount_offset, image->header.refcount_clusters};

    image->refcount_table = fresh.entries;
    image->refcount_entries = fresh.count;
    image->header.refcount_offset = fresh.offset;
    image->header.refcount_clusters = fresh.clusters;
    return old;
}

/* Writes the new table, and counts its clusters in blocks that it lists. */
static int fill_table(struct qcow2 *image, const struct table_place *fresh)
{
    uint64_t first = fresh->offset / image->cluster_size;
    uint64_t *disk = calloc(fresh->count, sizeof *disk);
    int error = disk ? 0 : -ENOMEM;

    for (uint64_t i = 0; i < fresh->count && error == 0; i++)
        disk[i] = htobe64(fresh->entries[i]);
    for (uint64_t i = 0; i < fresh->clusters && error == 0; i++)
        error = metadata_add(&image->metadata, first + i);
    if (error == 0)
        error = qcow2_pwrite(image, fresh->offset, disk, fresh->count * 8);
    free(disk);
    if (error == 0)
        error = count_up(image, first, fresh->clusters);
    return error == 0 && fdatasync(image->fd) < 0 ? -errno : error;
}

/*
 * The table of blocks is full: one twice as large goes to the end of the file. The
 * header's pointer is the last thing written, when the new table and the counts of its
 * clusters are on the disk; until then the old table is the truth. Its own clusters are
 * given back after the next flush.
 */
static int grow_table(struct qcow2 *image)
{
    uint64_t count = image->refcount_entries * 2;
    struct table_place old, fresh = {calloc(count, 8), count, image->file_end,
                                     (uint32_t)(count * 8 / image->cluster_size)};
    struct {
        uint64_t offset;
        uint32_t clusters;
    } __attribute__((packed)) pointer = {htobe64(fresh.offset), htobe32(fresh.clusters)};
    int error;

    if (!fresh.entries || count * 8 > QCOW2_REFCOUNT_TABLE_BYTES_MAX) {
        error = fresh.entries ? -EFBIG : -ENOMEM;
        free(fresh.entries);
        return error;
    }
    memcpy(fresh.entries, image->refcount_table, image->refcount_entries * 8);
    image->file_end += fresh.clusters * image->cluster_size;
    old = swap_table(image, fresh);
    error = fill_table(image, &fresh);
    if (error == 0)
        error = qcow2_pwrite(image, offsetof(struct qcow2_disk_header, refcount_offset), &pointer,
                             sizeof pointer);
    if (error < 0) {
        swap_table(image, old);
        free(fresh.entries);
        return error;
    }
    free(old.entries);
    for (uint64_t i = 0; i < old.clusters && error == 0; i++) {
        metadata_remove(&image->metadata, old.offset / image->cluster_size + i);
        error = refcount_free_later(image, old.offset / image->cluster_size + i);
    }
    return error;
}

/* [add-block] */
/*
 * A refcount block for the clusters that index covers, at the end of the file. The table
 * names it when it is on the disk and counted: in itself, or in the next block.
 */
static int add_block(struct qcow2 *image, uint64_t index)
{
    uint64_t offset = image->file_end, own = offset / image->cluster_size;
    uint64_t entry = htobe64(offset);
    struct table *block;
    int error = metadata_add(&image->metadata, own);

    image->file_end += image->cluster_size;
    if (error == 0 && own / per_block(image) != index)
        error = count_up(image, own, 1);
    if (error == 0)
        error = tables_new(image, &image->refcounts, offset, &block);
    if (error < 0)
        return error;
    block->dirty = false; /* written through, now and always */
    if (own / per_block(image) == index)
        refcount_set_field(block->bytes, own % per_block(image), image->header.refcount_order, 1);
    error = qcow2_pwrite(image, offset, block->bytes, image->cluster_size);
    if (error == 0 && fdatasync(image->fd) < 0)
        error = -errno;
    if (error == 0)
        error = qcow2_pwrite(image, image->header.refcount_offset + index * 8, &entry, 8);
    if (error == 0)
        image->refcount_table[index] = offset;
    return error;
}
/* [/add-block] */

/* Clusters first .. first + count - 1, free until now, are used once. */
static int count_up(struct qcow2 *image, uint64_t first, uint64_t count)
{
    while (count > 0) {
        uint64_t at = first % per_block(image), n = per_block(image) - at;
        struct table *block;
        int error = get_block(image, first, &block);

        if (error < 0)
            return error;
        if (!block) {
            uint64_t index = first / per_block(image);

            error = index < image->refcount_entries ? add_block(image, index) : grow_table(image);
            if (error < 0)
                return error;
            continue;
        }
        if (n > count)
            n = count;
        for (uint64_t i = 0; i < n; i++)
            refcount_set_field(block->bytes, at + i, image->header.refcount_order, 1);
        error = write_fields(image, block, at, n);
        if (error < 0)
            return error;
        first += n, count -= n;
    }
    return 0;
}

int refcount_allocate(struct qcow2 *image, uint64_t count, uint64_t *offset)
{
    uint64_t start = image->file_end;
    int error;

    image->file_end = start + count * image->cluster_size;
    error = count_up(image, start / image->cluster_size, count);
    /* The file has its new length before anything is in it: a hole reads as zeros. */
    if (error == 0 && ftruncate(image->fd, (off_t)image->file_end) < 0)
        error = -errno;
    *offset = start;
    return error;
}

/* The block and the count of a cluster that must be in use, or the file contradicts itself. */
static int get_used(struct qcow2 *image, uint64_t cluster, struct table **block, uint64_t *count)
{
    int error = get_block(image, cluster, block);

    if (error < 0)
        return error;
    *count = *block ? refcount_field((*block)->bytes, cluster % per_block(image),
                                     image->header.refcount_order)
                    : 0;
    return *count == 0 || *count > count_max(image) ? qcow2_damaged(image) : 0;
}

static int set_count(struct qcow2 *image, uint64_t cluster, struct table *block, uint64_t count)
{
    uint64_t at = cluster % per_block(image);

    refcount_set_field(block->bytes, at, image->header.refcount_order, count);
    return write_fields(image, block, at, 1);
}

int refcount_share(struct qcow2 *image, uint64_t cluster)
{
    uint64_t count;
    struct table *block;
    int error = get_used(image, cluster, &block, &count);

    if (error < 0)
        return error;
    if (count == count_max(image))
        return -EFBIG;
    return set_count(image, cluster, block, count + 1);
}

int refcount_free_later(struct qcow2 *image, uint64_t cluster)
{
    if (image->free_count == FREES_MAX) {
        int error = qcow2_flush(image);

        if (error < 0)
            return error;
    }
    image->frees[image->free_count++] = cluster;
    return 0;
}

static int count_down(struct qcow2 *image, uint64_t cluster)
{
    uint64_t count;
    struct table *block;
    int error = get_used(image, cluster, &block, &count);

    if (error < 0)
        return error;
    error = set_count(image, cluster, block, count - 1);
    if (count == 1 && cluster == image->packed_end / image->cluster_size)
        image->packed_end = 0; /* no stream is left to go on behind */
    if (error == 0 && count == 1)
        fallocate(image->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  (off_t)(cluster * image->cluster_size), (off_t)image->cluster_size);
    return error;
}

int refcount_free_now(struct qcow2 *image)
{
    while (image->free_count > 0) {
        int error = count_down(image, image->frees[--image->free_count]);

        if (error < 0)
            return error;
    }
    return 0;
}
