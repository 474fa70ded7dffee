/*
 * map.c: from an offset on the guest's disk to one in the file, by L1 and L2.
 *
 * Left out on purpose: subclusters; giving back an L2 table that has become empty.
 * [QCOW2, "Cluster mapping"]
 */
#include "07-linux-boot/qcow2/internal.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

static uint64_t l2_entries(const struct qcow2 *image)
{
    return image->cluster_size / 8;
}

static uint64_t l1_index(const struct qcow2 *image, uint64_t offset)
{
    return offset >> (image->header.cluster_bits + image->header.cluster_bits - 3);
}

static uint64_t l2_index(const struct qcow2 *image, uint64_t offset)
{
    return (offset >> image->header.cluster_bits) & (l2_entries(image) - 1);
}

/* Is there a whole cluster at offset, and not one of the header's or the tables'? */
static bool is_data_cluster(const struct qcow2 *image, uint64_t offset)
{
    return is_aligned(offset, image->cluster_size) &&
           fits(offset, image->cluster_size, image->file_end) &&
           !metadata_has(&image->metadata, offset / image->cluster_size);
}

/* The L2 table behind an L1 entry, or *table = NULL where there is none. */
static int get_l2(struct qcow2 *image, uint64_t index, struct table **table)
{
    uint64_t entry = image->l1[index], offset = entry & QCOW2_OFFSET;

    *table = NULL;
    if (entry & QCOW2_L1_RESERVED)
        return qcow2_damaged(image);
    if (offset == 0)
        return 0;
    if (!is_aligned(offset, image->cluster_size) ||
        !fits(offset, image->cluster_size, image->file_end))
        return qcow2_damaged(image);
    return tables_get(image, &image->l2, offset, table);
}

static uint64_t get_entry(const struct table *table, uint64_t index)
{
    uint64_t entry;

    memcpy(&entry, table->bytes + index * 8, 8);
    return be64toh(entry);
}

static enum extent_kind kind_of(uint64_t entry)
{
    if (entry & QCOW2_COMPRESSED)
        return EXTENT_COMPRESSED;
    if (entry & QCOW2_ZERO)
        return EXTENT_ZERO;
    return entry & QCOW2_OFFSET ? EXTENT_DATA : EXTENT_ABSENT;
}

/* What a standard entry must be before its offset is believed. */
static bool entry_is_sound(const struct qcow2 *image, uint64_t entry)
{
    uint64_t offset = entry & QCOW2_OFFSET;

    if (entry & QCOW2_COMPRESSED)
        return true; /* inflate.c checks its range */
    return !(entry & QCOW2_L2_RESERVED) && (offset == 0 || is_data_cluster(image, offset));
}

/* COPIED is a promise; the refcount must agree before data is overwritten. */
static int may_overwrite(struct qcow2 *image, uint64_t entry, bool *yes)
{
    uint64_t count;
    int error = refcount_get(image, (entry & QCOW2_OFFSET) / image->cluster_size, &count);

    if (error < 0)
        return error;
    if (count == 0)
        return qcow2_damaged(image); /* in use, but free by the counts */
    *yes = (entry & QCOW2_COPIED) && count == 1;
    return 0;
}

/* Does the entry of the next cluster go on where this extent ends? */
static bool continues(const struct extent *extent, uint64_t entry, uint64_t host)
{
    if (kind_of(entry) != extent->kind || extent->kind == EXTENT_COMPRESSED)
        return false;
    return extent->kind != EXTENT_DATA ||
           ((entry & QCOW2_OFFSET) == host && !((entry ^ extent->entry) & QCOW2_COPIED));
}

/* How far may the extent be overwritten where it is, or how far may it not? */
static int look_at_counts(struct qcow2 *image, struct extent *extent, uint64_t first)
{
    uint64_t copied = extent->entry & QCOW2_COPIED;
    int error = may_overwrite(image, extent->entry, &extent->in_place);

    for (uint64_t done = first; error == 0 && done < extent->size; done += image->cluster_size) {
        bool next;

        error = may_overwrite(image, (extent->host + done) | copied, &next);
        if (error == 0 && next != extent->in_place)
            extent->size = done;
    }
    return error;
}

int map_look(struct qcow2 *image, uint64_t offset, uint64_t size, bool writing,
             struct extent *extent)
{
    uint64_t index = l2_index(image, offset), inside = offset & (image->cluster_size - 1);
    uint64_t first = image->cluster_size - inside; /* bytes in the first cluster */
    uint64_t in_table = ((l2_entries(image) - index) << image->header.cluster_bits) - inside;
    struct table *table;
    int error = get_l2(image, l1_index(image, offset), &table);

    if (error < 0)
        return error;
    if (size > in_table)
        size = in_table; /* one L2 table at a time */
    *extent = (struct extent){.size = size};
    if (!table)
        return 0;

    extent->entry = get_entry(table, index);
    extent->kind = kind_of(extent->entry);
    if (!entry_is_sound(image, extent->entry))
        return qcow2_damaged(image);
    if (extent->kind == EXTENT_DATA)
        extent->host = (extent->entry & QCOW2_OFFSET) + inside;

    for (uint64_t done = first; done < size; done += image->cluster_size) {
        uint64_t entry = get_entry(table, ++index);

        if (!continues(extent, entry, extent->host + done) || !entry_is_sound(image, entry)) {
            extent->size = done;
            break;
        }
    }
    return writing && extent->kind == EXTENT_DATA ? look_at_counts(image, extent, first) : 0;
}

/* A new L2 table for the L1 entry: empty, or a copy of one that is shared. */
static int own_l2(struct qcow2 *image, uint64_t index, struct table **table)
{
    struct table *old;
    uint64_t offset, old_offset;
    int error = get_l2(image, index, &old);

    if (error < 0)
        return error;
    old_offset = old ? old->offset : 0;
    if (old && (image->l1[index] & QCOW2_COPIED)) {
        *table = old;
        return 0;
    }
    if (old)
        memcpy(image->bounce, old->bytes, image->cluster_size);
    error = refcount_allocate(image, 1, &offset);
    if (error == 0)
        error = metadata_add(&image->metadata, offset / image->cluster_size);
    if (error == 0)
        error = tables_new(image, &image->l2, offset, table);
    if (error < 0)
        return error;
    if (old_offset) {
        memcpy((*table)->bytes, image->bounce, image->cluster_size);
        error = refcount_free_later(image, old_offset / image->cluster_size);
    }
    image->l1[index] = offset | QCOW2_COPIED;
    image->l1_dirty = true;
    return error < 0 ? error : tables_get(image, &image->l2, offset, table);
}

/* Gives back what an entry that is being replaced named. */
static int release(struct qcow2 *image, uint64_t entry)
{
    uint64_t start, size, first, last;

    if (entry & QCOW2_COMPRESSED) {
        compressed_range(image, entry, &start, &size);
    } else {
        start = entry & QCOW2_OFFSET;
        size = image->cluster_size;
        if (start == 0)
            return 0;
    }
    first = start / image->cluster_size;
    last = (start + size - 1) / image->cluster_size;
    for (uint64_t cluster = first; cluster <= last; cluster++) {
        int error = refcount_free_later(image, cluster);

        if (error < 0)
            return error;
    }
    return 0;
}

int map_set(struct qcow2 *image, uint64_t offset, uint64_t entry)
{
    uint64_t index = l2_index(image, offset), old, disk = htobe64(entry);
    struct table *table;
    int error = own_l2(image, l1_index(image, offset), &table);

    if (error < 0)
        return error;
    old = get_entry(table, index);
    if (!entry_is_sound(image, old))
        return qcow2_damaged(image);
    memcpy(table->bytes + index * 8, &disk, 8);
    table->dirty = true;
    if (image->inflated_entry == old)
        image->inflated_entry = 0;
    if ((old & QCOW2_OFFSET) == (entry & QCOW2_OFFSET) && !(old & QCOW2_COMPRESSED))
        return 0; /* a flag has changed, the cluster stays */
    return release(image, old);
}
