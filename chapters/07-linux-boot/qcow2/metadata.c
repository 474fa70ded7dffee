/*
 * metadata.c: which clusters of the file are its own tables.
 *
 * An L2 entry of a hostile file may name the L1 table as the guest's data; a guest
 * that writes there rewrites the map, and owns the file. So the few clusters that are
 * tables are listed when the file is opened, and none of them is ever data.
 *
 * A terabyte of disk has some 2,000 L2 tables: a sorted list and a binary search.
 */
#include "07-linux-boot/qcow2/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The place of the first cluster that is not smaller. */
static size_t lower_bound(const struct metadata *metadata, uint64_t cluster)
{
    size_t low = 0, high = metadata->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (metadata->clusters[middle] < cluster)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool metadata_has(const struct metadata *metadata, uint64_t cluster)
{
    size_t at = lower_bound(metadata, cluster);

    return at < metadata->count && metadata->clusters[at] == cluster;
}

int metadata_add(struct metadata *metadata, uint64_t cluster)
{
    size_t at = lower_bound(metadata, cluster);

    if (at < metadata->count && metadata->clusters[at] == cluster)
        return -EEXIST;
    if (metadata->count == metadata->room) {
        size_t room = metadata->room ? metadata->room * 2 : 64;
        uint64_t *clusters = realloc(metadata->clusters, room * sizeof *clusters);

        if (!clusters)
            return -ENOMEM;
        metadata->clusters = clusters;
        metadata->room = room;
    }
    memmove(&metadata->clusters[at + 1], &metadata->clusters[at],
            (metadata->count - at) * sizeof *metadata->clusters);
    metadata->clusters[at] = cluster;
    metadata->count++;
    return 0;
}

void metadata_remove(struct metadata *metadata, uint64_t cluster)
{
    size_t at = lower_bound(metadata, cluster);

    if (at == metadata->count || metadata->clusters[at] != cluster)
        return;
    metadata->count--;
    memmove(&metadata->clusters[at], &metadata->clusters[at + 1],
            (metadata->count - at) * sizeof *metadata->clusters);
}
