/*
 * check.c: see check.h. What is used is found by walking from the header, as a
 * garbage collector marks; what is counted stands in the refcount blocks.
 *
 * Left out on purpose: repairing entries. Nobody but the guest knows what belonged
 * there.
 */
#define _GNU_SOURCE
#include "07-linux-boot/qcow2/check.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "07-linux-boot/qcow2/internal.h"

#define LINES_MAX     100u
#define CLUSTERS_MAX  (UINT64_C(1) << 28) /* a count of four bytes each */
#define SNAPSHOTS_MAX 65536u

struct checker {
    struct qcow2 *image;
    struct qcow2_check *result;
    enum qcow2_repair repair;
    FILE *log;
    unsigned lines;
    uint64_t clusters; /* of the file */
    uint32_t *used;    /* how often each is */
};

__attribute__((format(printf, 2, 3))) static void say(struct checker *c, const char *format, ...)
{
    va_list arguments;

    if (!c->log || c->lines++ >= LINES_MAX)
        return;
    va_start(arguments, format);
    vfprintf(c->log, format, arguments);
    va_end(arguments);
}

/* The range is used once more. False: it is not all in the file. */
static bool mark(struct checker *c, uint64_t offset, uint64_t size)
{
    uint64_t first = offset / c->image->cluster_size;
    uint64_t last = (offset + size - 1) / c->image->cluster_size;

    if (size == 0)
        return true;
    if (!fits(offset, size, c->clusters * c->image->cluster_size))
        return false;
    for (uint64_t i = first; i <= last; i++)
        c->used[i]++;
    return true;
}

static void bad(struct checker *c, const char *what, uint64_t index, uint64_t entry)
{
    c->result->corruptions++;
    say(c, "ERROR %s %" PRIu64 ": entry 0x%016" PRIx64 " makes no sense\n", what, index, entry);
}

static void mark_l2_entry(struct checker *c, uint64_t index, uint64_t entry, bool active)
{
    uint64_t offset = entry & QCOW2_OFFSET, size;

    if (entry & QCOW2_COMPRESSED) {
        compressed_range(c->image, entry, &offset, &size);
        if (offset / c->image->cluster_size >= c->clusters)
            bad(c, "L2", index, entry);
        else if (!mark(c, offset, size)) /* the last sector may reach past the end */
            mark(c, offset, c->clusters * c->image->cluster_size - offset);
        c->result->compressed += active;
        c->result->data += active;
        return;
    }
    if (entry & QCOW2_L2_RESERVED || !is_aligned(offset, c->image->cluster_size) ||
        (offset && !mark(c, offset, c->image->cluster_size)))
        bad(c, "L2", index, entry);
    else if (offset)
        c->result->data += active;
}

static int read_l2(struct checker *c, uint64_t offset, uint64_t *table)
{
    return qcow2_pread(c->image, offset, table, c->image->cluster_size);
}

/* Marks an L1 table's own clusters, its L2 tables, and what they name. */
static int mark_l1(struct checker *c, const uint64_t *l1, uint64_t offset, uint32_t size,
                   bool active)
{
    uint64_t entries = c->image->cluster_size / 8, *l2 = malloc(c->image->cluster_size);
    int error = l2 ? 0 : -ENOMEM;

    if (size && !mark(c, offset, (uint64_t)size * 8))
        bad(c, "L1 table", 0, offset);
    for (uint32_t i = 0; i < size && error == 0; i++) {
        uint64_t at = l1[i] & QCOW2_OFFSET;

        if (at == 0 && !(l1[i] & QCOW2_L1_RESERVED))
            continue;
        if (l1[i] & QCOW2_L1_RESERVED || !is_aligned(at, c->image->cluster_size) ||
            !mark(c, at, c->image->cluster_size)) {
            bad(c, "L1", i, l1[i]);
            continue;
        }
        error = read_l2(c, at, l2);
        for (uint64_t j = 0; j < entries && error == 0; j++)
            mark_l2_entry(c, i * entries + j, be64toh(l2[j]), active);
    }
    free(l2);
    return error;
}

/* [QCOW2, "Snapshots"]: each has an L1 table of its own. */
static int mark_snapshots(struct checker *c)
{
    uint64_t at = c->image->header.snapshots_offset, start = at;
    int error = 0;

    if (c->image->header.snapshots > SNAPSHOTS_MAX || !is_aligned(at, 8)) {
        bad(c, "snapshots", 0, c->image->header.snapshots);
        return 0;
    }
    for (uint32_t i = 0; i < c->image->header.snapshots && error == 0; i++) {
        uint8_t head[40];
        uint64_t offset, *l1;
        uint32_t size, extra;
        uint16_t id, name;

        error = qcow2_pread(c->image, at, head, sizeof head);
        if (error < 0)
            break;
        memcpy(&offset, head, 8);
        memcpy(&size, head + 8, 4);
        memcpy(&id, head + 12, 2);
        memcpy(&name, head + 14, 2);
        memcpy(&extra, head + 36, 4);
        offset = be64toh(offset);
        size = be32toh(size);
        if (size > QCOW2_L1_BYTES_MAX / 8 || be32toh(extra) > 1024) {
            bad(c, "snapshot", i, offset);
            break;
        }
        l1 = calloc(size ? size : 1, 8);
        error = l1 ? qcow2_pread(c->image, offset, l1, (uint64_t)size * 8) : -ENOMEM;
        for (uint32_t j = 0; j < size && error == 0; j++)
            l1[j] = be64toh(l1[j]);
        if (error == 0)
            error = mark_l1(c, l1, offset, size, false);
        free(l1);
        at += align_up(sizeof head + be32toh(extra) + be16toh(id) + be16toh(name), 8);
    }
    if (at > start && !mark(c, start, at - start))
        bad(c, "snapshots", 0, start);
    return error;
}

static int mark_all(struct checker *c)
{
    const struct qcow2_header *h = &c->image->header;
    int error;

    mark(c, 0, 1);
    if (!mark(c, h->refcount_offset, (uint64_t)h->refcount_clusters << h->cluster_bits))
        bad(c, "refcount table", 0, h->refcount_offset);
    for (uint64_t i = 0; i < c->image->refcount_entries; i++) {
        uint64_t block = c->image->refcount_table[i];

        if (block &&
            (!is_aligned(block, c->image->cluster_size) || !mark(c, block, c->image->cluster_size)))
            bad(c, "refcount table", i, block);
    }
    error = mark_l1(c, c->image->l1, h->l1_offset, h->l1_size, true);
    return error < 0 ? error : mark_snapshots(c);
}

static int set_count(struct checker *c, uint64_t cluster, uint64_t count)
{
    unsigned order = c->image->header.refcount_order;
    uint64_t per_block = c->image->cluster_size * 8 >> order;
    uint64_t block = c->image->refcount_table[cluster / per_block];
    struct table *table;
    int error = tables_get(c->image, &c->image->refcounts, block, &table);

    if (error < 0)
        return error;
    refcount_set_field(table->bytes, cluster % per_block, order, count);
    return qcow2_pwrite(c->image, block, table->bytes, c->image->cluster_size);
}

/* A count that no block holds cannot be written: there is no place for it. */
static bool has_block(const struct checker *c, uint64_t cluster)
{
    uint64_t per_block = c->image->cluster_size * 8 >> c->image->header.refcount_order;

    return cluster / per_block < c->image->refcount_entries &&
           c->image->refcount_table[cluster / per_block];
}

static int compare_counts(struct checker *c)
{
    for (uint64_t i = 0; i < c->clusters; i++) {
        bool fix = c->repair == QCOW2_REPAIR_ALL;
        uint64_t count;
        int error = refcount_get(c->image, i, &count);

        if (error < 0) { /* the block itself makes no sense: reported above */
            count = 0;
            fix = false;
        }
        if (count == c->used[i])
            continue;
        if (count > c->used[i]) {
            fix = c->repair != QCOW2_REPAIR_NONE;
            c->result->leaks++;
        } else {
            c->result->corruptions++;
        }
        fix = fix && has_block(c, i);
        say(c, "%s cluster %" PRIu64 ": refcount %" PRIu64 ", used %" PRIu32 "%s\n",
            count > c->used[i] ? "Leaked" : "ERROR", i, count, c->used[i],
            fix ? ", corrected" : "");
        if (!fix)
            continue;
        error = set_count(c, i, c->used[i]);
        if (error < 0)
            return error;
        *(count > c->used[i] ? &c->result->leaks : &c->result->corruptions) -= 1;
    }
    return 0;
}

/* COPIED says "used once": it must say so when, and only when, that is true. */
static bool copied_is_right(const struct checker *c, uint64_t entry)
{
    uint64_t cluster = (entry & QCOW2_OFFSET) / c->image->cluster_size;

    if ((entry & QCOW2_OFFSET) == 0 || entry & QCOW2_COMPRESSED || cluster >= c->clusters)
        return true;
    return !(entry & QCOW2_COPIED) == (c->used[cluster] != 1);
}

static void wrong_flag(struct checker *c, const char *where, uint64_t index, bool fixed)
{
    if (!fixed)
        c->result->corruptions++;
    say(c, "ERROR %s %" PRIu64 ": the COPIED flag contradicts the uses%s\n", where, index,
        fixed ? ", corrected" : "");
}

static int check_flags(struct checker *c)
{
    uint64_t entries = c->image->cluster_size / 8, *l2 = malloc(c->image->cluster_size);
    bool fix = c->repair == QCOW2_REPAIR_ALL, l1_changed = false;
    int error = l2 ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < c->image->header.l1_size && error == 0; i++) {
        uint64_t at = c->image->l1[i] & QCOW2_OFFSET;
        bool changed = false;

        if (at == 0 || at / c->image->cluster_size >= c->clusters ||
            !is_aligned(at, c->image->cluster_size))
            continue;
        if (!copied_is_right(c, c->image->l1[i])) {
            wrong_flag(c, "L1", i, fix);
            c->image->l1[i] ^= QCOW2_COPIED;
            l1_changed = true;
        }
        error = read_l2(c, at, l2);
        for (uint64_t j = 0; j < entries && error == 0; j++) {
            uint64_t entry = be64toh(l2[j]);

            if (copied_is_right(c, entry))
                continue;
            wrong_flag(c, "L2", i * entries + j, fix);
            l2[j] = htobe64(entry ^ QCOW2_COPIED);
            changed = true;
        }
        if (error == 0 && changed && fix)
            error = qcow2_pwrite(c->image, at, l2, c->image->cluster_size);
    }
    free(l2);
    for (uint32_t i = 0; i < c->image->header.l1_size && l1_changed && fix && error == 0; i++) {
        uint64_t entry = htobe64(c->image->l1[i]);

        error = qcow2_pwrite(c->image, c->image->header.l1_offset + (uint64_t)i * 8, &entry, 8);
    }
    return error;
}

static int finish(struct checker *c)
{
    if (c->repair != QCOW2_REPAIR_ALL || c->result->corruptions > 0)
        return 0;
    c->image->header.incompatible &= ~(QCOW2_DIRTY | QCOW2_CORRUPT);
    if (fdatasync(c->image->fd) < 0)
        return -errno;
    return qcow2_write_features(c->image);
}

int qcow2_check(const char *path, enum qcow2_repair repair, FILE *log, struct qcow2_check *result,
                struct refusal *why)
{
    struct checker c = {.result = result, .repair = repair, .log = log};
    int error;

    *result = (struct qcow2_check){0};
    error = qcow2_open_as(&c.image, path, repair ? QCOW2_REPAIR : QCOW2_CHECK, 0, why);
    if (error < 0)
        return error;
    result->clusters = align_up(c.image->header.size, c.image->cluster_size) /
                       c.image->cluster_size;
    c.clusters = c.image->file_end / c.image->cluster_size;
    c.used = c.clusters <= CLUSTERS_MAX ? calloc(c.clusters, sizeof *c.used) : NULL;
    error = c.used ? mark_all(&c) : -ENOMEM;
    if (error == 0)
        error = compare_counts(&c);
    if (error == 0)
        error = check_flags(&c);
    if (error == 0)
        error = finish(&c);
    free(c.used);
    qcow2_close(c.image);
    return error < 0 ? refuse(why, error, "check failed: %s", strerror(-error)) : 0;
}
