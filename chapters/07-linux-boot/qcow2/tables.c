/*
 * tables.c: L2 tables and refcount blocks in memory, and when they may be written.
 *
 * Refcount blocks are written through: raising a count early costs nothing but a leak
 * if we die. L2 tables are held back, because an entry on the disk is a promise that
 * what it names is there. So a flush has three steps, and two of them only if needed:
 *
 *     fdatasync()      refcounts and data are on the disk
 *     L2 tables, fdatasync()       now entries may name them
 *     the L1 table, fdatasync()    now an entry may name a new L2 table
 *
 * and a dirty table that must leave the cache forces a flush first. Clusters that the
 * written tables no longer name are given back last.
 */
#define _GNU_SOURCE
#include "07-linux-boot/qcow2/internal.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As much as there is: *size says how much was missing. */
static int read_some(const struct qcow2 *image, uint64_t offset, uint8_t *at, size_t *size)
{
    while (*size > 0) {
        ssize_t got = pread(image->fd, at, *size, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        at += got, offset += (uint64_t)got, *size -= (size_t)got;
    }
    return 0;
}

int qcow2_pread(const struct qcow2 *image, uint64_t offset, void *buffer, size_t size)
{
    size_t missing = size;
    int error = read_some(image, offset, buffer, &missing);

    return error == 0 && missing > 0 ? -EIO : error;
}

int qcow2_pread_padded(const struct qcow2 *image, uint64_t offset, void *buffer, size_t size)
{
    size_t missing = size;
    int error = read_some(image, offset, buffer, &missing);

    memset((uint8_t *)buffer + (size - missing), 0, missing);
    return error;
}

int qcow2_pwrite(struct qcow2 *image, uint64_t offset, const void *buffer, size_t size)
{
    const uint8_t *at = buffer;

    while (size > 0) {
        ssize_t put = pwrite(image->fd, at, size, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        at += put, offset += (uint64_t)put, size -= (size_t)put;
    }
    return 0;
}

int tables_init(struct tables *tables, unsigned count, uint64_t cluster_size)
{
    *tables = (struct tables){.count = count};
    for (unsigned i = 0; i < count; i++) {
        tables->places[i].bytes = malloc(cluster_size);
        if (!tables->places[i].bytes)
            return -ENOMEM;
    }
    return 0;
}

void tables_free(struct tables *tables)
{
    for (unsigned i = 0; i < TABLES_CACHED_MAX; i++)
        free(tables->places[i].bytes);
}

static int sync_file(struct qcow2 *image)
{
    return fdatasync(image->fd) < 0 ? -errno : 0;
}

static int write_dirty(struct qcow2 *image, struct tables *tables, bool *any)
{
    for (unsigned i = 0; i < tables->count; i++) {
        struct table *table = &tables->places[i];
        int error;

        if (!table->dirty)
            continue;
        error = qcow2_pwrite(image, table->offset, table->bytes, image->cluster_size);
        if (error < 0)
            return error;
        table->dirty = false;
        *any = true;
    }
    return 0;
}

static int write_l1(struct qcow2 *image)
{
    uint64_t size = (uint64_t)image->header.l1_size * 8;
    uint64_t *entries = malloc(size);
    int error;

    if (!entries)
        return -ENOMEM;
    for (uint32_t i = 0; i < image->header.l1_size; i++)
        entries[i] = htobe64(image->l1[i]);
    error = qcow2_pwrite(image, image->header.l1_offset, entries, size);
    free(entries);
    if (error == 0)
        image->l1_dirty = false;
    return error;
}

/* [image-flush] */
int qcow2_flush(struct qcow2 *image)
{
    bool any = false;
    int error;

    if (!image->writable || !image->touched)
        return 0;
    if (image->damaged)
        return -EIO;
    error = sync_file(image);
    if (error == 0)
        error = write_dirty(image, &image->l2, &any);
    if (error == 0 && any)
        error = sync_file(image);
    if (error == 0 && image->l1_dirty) {
        error = write_l1(image);
        if (error == 0)
            error = sync_file(image);
    }
    return error < 0 ? error : refcount_free_now(image);
}
/* [/image-flush] */

static struct table *find(struct tables *tables, uint64_t offset)
{
    for (unsigned i = 0; i < tables->count; i++)
        if (tables->places[i].offset == offset)
            return &tables->places[i];
    return NULL;
}

/* The place that was not used for the longest time, clean. */
static int make_room(struct qcow2 *image, struct tables *tables, struct table **table)
{
    struct table *oldest = &tables->places[0];

    for (unsigned i = 1; i < tables->count; i++)
        if (tables->places[i].used < oldest->used)
            oldest = &tables->places[i];
    if (oldest->dirty) {
        int error = qcow2_flush(image);

        if (error < 0)
            return error;
    }
    oldest->offset = 0;
    *table = oldest;
    return 0;
}

int tables_get(struct qcow2 *image, struct tables *tables, uint64_t offset, struct table **table)
{
    struct table *place = find(tables, offset);
    int error;

    if (!place) {
        error = make_room(image, tables, &place);
        if (error == 0)
            error = qcow2_pread(image, offset, place->bytes, image->cluster_size);
        if (error < 0)
            return error;
        place->offset = offset;
    }
    place->used = ++tables->uses;
    *table = place;
    return 0;
}

int tables_new(struct qcow2 *image, struct tables *tables, uint64_t offset, struct table **table)
{
    int error = make_room(image, tables, table);

    if (error < 0)
        return error;
    memset((*table)->bytes, 0, image->cluster_size);
    **table = (struct table){
        .offset = offset, .used = ++tables->uses, .dirty = true, .bytes = (*table)->bytes};
    return 0;
}
