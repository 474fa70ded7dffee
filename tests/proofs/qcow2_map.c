/*
 * proof: an offset on a qcow2 disk leads into the file, whatever its tables say
 * bound: clusters of 512 bytes, a disk of up to 128 KiB, requests of up to 3 clusters
 * sources: chapters/07-linux-boot/qcow2/map.c
 * cbmc: --unwind 4
 *
 * map_look() with any L1 and L2 table, any end of file, any answers about what is a table
 * and how often a cluster is used. Of the header it takes for granted what header.c has
 * checked: that L1 has an entry for each part of the disk.
 */
#include <errno.h>

#include "07-linux-boot/qcow2/internal.h"
#include "common/bits.h"
#include "proof.h"

#define BITS    9u
#define CLUSTER (UINT64_C(1) << BITS)
#define L1_MAX  4u
#define PER_L1  (CLUSTER / 8 * CLUSTER) /* bytes of the disk behind an entry */

static struct table l2;

int qcow2_damaged(struct qcow2 *image)
{
    image->damaged = true;
    return -EIO;
}

int tables_get(struct qcow2 *image, struct tables *tables, uint64_t offset, struct table **table)
{
    (void)tables;
    prove(is_aligned(offset, CLUSTER) && fits(offset, CLUSTER, image->file_end),
          "a table is read from within the file");
    *table = &l2;
    return any_bool() ? 0 : -EIO;
}

bool metadata_has(const struct metadata *metadata, uint64_t cluster)
{
    (void)metadata, (void)cluster;
    return any_bool();
}

int refcount_get(struct qcow2 *image, uint64_t cluster, uint64_t *count)
{
    prove(cluster < image->file_end / CLUSTER, "a count is of a cluster of the file");
    *count = any_u64();
    return any_bool() ? 0 : -EIO;
}

int main(void)
{
    struct qcow2 image = {.header = {.cluster_bits = BITS}, .cluster_size = CLUSTER};
    uint64_t offset = any_u64(), size = any_u64(), rest = CLUSTER - offset % CLUSTER;
    struct extent extent;

    image.header.size = any_u64();
    image.header.l1_size = any_u32();
    assume(image.header.l1_size <= L1_MAX && image.header.size <= image.header.l1_size * PER_L1);
    assume(size > 0 && size <= 3 * CLUSTER && fits(offset, size, image.header.size));
    image.file_end = any_u64();
    assume(image.file_end <= INT64_MAX && is_aligned(image.file_end, CLUSTER));
    image.l1 = any_memory(image.header.l1_size * sizeof *image.l1);
    l2.bytes = any_memory(CLUSTER);

    if (map_look(&image, offset, size, any_bool(), &extent) < 0)
        return 0;
    prove(extent.size > 0 && extent.size <= size, "a piece of what was asked for");
    prove(extent.kind != EXTENT_DATA || fits(extent.host, extent.size, image.file_end),
          "data lies within the file");
    prove(extent.kind != EXTENT_COMPRESSED || extent.size <= rest,
          "compressed clusters come one by one");
}
