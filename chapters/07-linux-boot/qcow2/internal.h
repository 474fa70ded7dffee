/*
 * internal.h: an open image, as the modules of this folder share it.
 *
 *     image.c       open, read, write: what a device asks for
 *     map.c         guest offset -> where in the file          (L1, L2)
 *     refcount.c    which clusters of the file are used; handing out new ones
 *     tables.c      the cache of L2 tables and refcount blocks; the order of writes
 *     metadata.c    which clusters are the file's own tables
 *     inflate.c     reading compressed clusters
 *     deflate.c     writing them
 */
#ifndef CHAPTER_07_QCOW2_INTERNAL_H
#define CHAPTER_07_QCOW2_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "07-linux-boot/qcow2/header.h"
#include "07-linux-boot/qcow2/image.h"

#define TABLES_CACHED_MAX 16u
#define FREES_MAX         256u

/* A cluster of the file in memory: an L2 table or a refcount block, as on disk. */
struct table {
    uint64_t offset; /* in the file; 0: this place is free */
    uint64_t used;   /* when, by the cache's own count */
    bool dirty;      /* newer than the file */
    uint8_t *bytes;
};

struct tables {
    struct table places[TABLES_CACHED_MAX];
    unsigned count; /* places in use, fewer where clusters are large */
    uint64_t uses;
};

/* Sorted cluster numbers of the file's own tables. */
struct metadata {
    uint64_t *clusters;
    size_t count, room;
};

struct backing; /* the disk underneath, of either format */

struct qcow2 {
    int fd;
    bool writable;
    bool damaged;  /* contradictions found: no more writes */
    bool touched;  /* the first write has been prepared */
    bool l1_dirty; /* l1 is newer than the file */
    struct qcow2_header header;
    uint64_t cluster_size;
    uint64_t file_end;        /* where the next new cluster goes; a multiple of cluster_size */
    uint64_t *l1;             /* header.l1_size entries, host's byte order */
    uint64_t *refcount_table; /* refcount_entries; NULL if not writable */
    uint64_t refcount_entries;
    struct tables l2, refcounts;
    struct metadata metadata;
    uint64_t frees[FREES_MAX]; /* clusters that no table names any more */
    unsigned free_count;
    struct backing *backing; /* NULL: unallocated clusters read as zeros */
    uint8_t *bounce;         /* one cluster */
    uint8_t *inflated;       /* the last compressed cluster that was read */
    uint64_t inflated_entry; /* its L2 entry, or 0 */
    uint64_t packed_end;     /* of the last compressed cluster that was written */
};

/* The file contradicts itself: marks it so, stops all writing, returns -EIO. */
int qcow2_damaged(struct qcow2 *image);

/* Before anything in the file changes. 0 or -errno. */
int qcow2_touch(struct qcow2 *image);

/* ---- tables.c ---- */

/* Whole transfers, or -errno. Where the file ends too early: -EIO, or zeros. */
int qcow2_pread(const struct qcow2 *image, uint64_t offset, void *buffer, size_t size);
int qcow2_pread_padded(const struct qcow2 *image, uint64_t offset, void *buffer, size_t size);
int qcow2_pwrite(struct qcow2 *image, uint64_t offset, const void *buffer, size_t size);

int tables_init(struct tables *tables, unsigned count, uint64_t cluster_size);
void tables_free(struct tables *tables);

/* The cluster at offset, read if need be. The pointer lives until the next get. */
int tables_get(struct qcow2 *image, struct tables *tables, uint64_t offset, struct table **table);

/* A place for a new, zeroed table at offset: nothing is read. Dirty. */
int tables_new(struct qcow2 *image, struct tables *tables, uint64_t offset, struct table **table);

/* ---- metadata.c ---- */
int metadata_add(struct metadata *metadata, uint64_t cluster); /* -EEXIST, -ENOMEM */
bool metadata_has(const struct metadata *metadata, uint64_t cluster);
void metadata_remove(struct metadata *metadata, uint64_t cluster);

/* ---- refcount.c ---- */
int refcount_get(struct qcow2 *image, uint64_t cluster, uint64_t *count);

/* count clusters in a row at the end of the file, each used once; *offset says where. */
int refcount_allocate(struct qcow2 *image, uint64_t count, uint64_t *offset);

/* One use more of a cluster that is in use. */
int refcount_share(struct qcow2 *image, uint64_t cluster);

/* One use fewer, once no table on the disk says otherwise: after the next flush. */
int refcount_free_later(struct qcow2 *image, uint64_t cluster);
int refcount_free_now(struct qcow2 *image); /* what was put off; flush has run */

/* An entry of a refcount block: fields of 1 << order bits, lowest first in a byte. */
uint64_t refcount_field(const uint8_t *block, uint64_t index, unsigned order);
void refcount_set_field(uint8_t *block, uint64_t index, unsigned order, uint64_t count);

/* ---- map.c ---- */
enum extent_kind {
    EXTENT_ABSENT,     /* not in this file: ask what is underneath */
    EXTENT_ZERO,       /* reads as zeros */
    EXTENT_DATA,       /* at host */
    EXTENT_COMPRESSED, /* entry says where */
};

/* A piece of the disk that is the same all through. */
struct extent {
    enum extent_kind kind;
    uint64_t size;  /* bytes, from the offset asked for */
    uint64_t host;  /* offset in the file, of the byte asked for */
    uint64_t entry; /* the L2 entry of the first cluster */
    bool in_place;  /* DATA: may be overwritten where it is */
};

/*
 * What is at offset? At most size bytes; compressed clusters come one by one. Only for
 * writing are the refcounts consulted, and in_place is set.
 */
int map_look(struct qcow2 *image, uint64_t offset, uint64_t size, bool writing,
             struct extent *extent);

/* From now on the cluster at guest offset has this L2 entry; the old one's is freed. */
int map_set(struct qcow2 *image, uint64_t offset, uint64_t entry);

/* ---- inflate.c ---- */
int inflate_cluster(struct qcow2 *image, uint64_t entry); /* into image->inflated */

/* Where a compressed cluster's bytes are: offset, and how many at most. */
void compressed_range(const struct qcow2 *image, uint64_t entry, uint64_t *offset, uint64_t *size);

/* ---- backing.c ---- */
int backing_open(struct qcow2 *image, const char *path, unsigned depth, struct refusal *why);
int backing_read(struct backing *backing, uint64_t offset, void *buffer, size_t size);
void backing_close(struct backing *backing);

/* "disk" beside "dir/overlay": "dir/disk", in fresh memory; NULL if there is none. */
char *backing_path(const char *overlay, const char *name);

/* image.c, for the rest of the folder. */
enum qcow2_mode {
    QCOW2_READ,
    QCOW2_WRITE,
    QCOW2_CHECK,  /* read, with the refcounts; in whatever state it is; nothing below */
    QCOW2_REPAIR, /* the same, and the descriptor may write */
};

/* depth counts the files on top. */
int qcow2_open_as(struct qcow2 **image, const char *path, enum qcow2_mode mode, unsigned depth,
                  struct refusal *why);

/* Writes header.incompatible and header.autoclear into the file. */
int qcow2_write_features(struct qcow2 *image);

#endif
