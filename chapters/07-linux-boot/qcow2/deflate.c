/*
 * deflate.c: writing compressed clusters, for images that are made once and read often.
 *
 *     file   | cluster n                      | cluster n + 1                  |
 *            | stream | stream | stream   ....|.... | stream |     room        |
 *                                                            ^ packed_end
 *
 * Streams stand one behind the other, without regard for clusters; a cluster is used as
 * often as streams touch it. They go on only where the file goes on: whenever something
 * else has been put behind the last stream, the next begins a cluster of its own.
 * What is compressed is never overwritten: a later write to it takes a new cluster.
 *
 * [QCOW2, "Compressed Clusters Descriptor"]
 */
#include "07-linux-boot/qcow2/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

/* Its bytes, fewer than a cluster's, in packed; 0 where it does not get smaller. */
static int deflate_cluster(const struct qcow2 *image, const void *cluster, uint8_t *packed,
                           uint64_t *size)
{
    z_stream stream = {.next_in = (uint8_t *)cluster,
                       .avail_in = (unsigned)image->cluster_size,
                       .next_out = packed,
                       .avail_out = (unsigned)image->cluster_size - 1};
    int result;

    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, QCOW2_WINDOW_BITS, MAX_MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return -ENOMEM;
    result = deflate(&stream, Z_FINISH);
    *size = result == Z_STREAM_END ? image->cluster_size - 1 - stream.avail_out : 0;
    deflateEnd(&stream);
    return 0;
}

/* [place-stream] */
/* Room for size bytes, at most a cluster: behind the last stream, or in a new cluster. */
static int place_stream(struct qcow2 *image, uint64_t size, uint64_t *offset)
{
    uint64_t room = -image->packed_end & (image->cluster_size - 1), fresh = 0;
    uint64_t behind = image->packed_end + room; /* the first byte that is not room */
    int error = 0;

    if (size > room)
        error = refcount_allocate(image, 1, &fresh);
    *offset = fresh;
    if (error == 0 && room > 0 && (size <= room || fresh == behind)) {
        *offset = image->packed_end;
        error = refcount_share(image, image->packed_end / image->cluster_size);
    }
    image->packed_end = error == 0 ? *offset + size : 0;
    return error;
}
/* [/place-stream] */

int qcow2_write_compressed(struct qcow2 *image, uint64_t offset, const void *cluster)
{
    unsigned shift = 62 - (image->header.cluster_bits - 8);
    uint64_t disk = image->header.size, size, at, sectors;
    uint8_t *packed;
    int error = is_aligned(offset, image->cluster_size) && offset < disk ? qcow2_touch(image)
                                                                         : -EINVAL;

    if (error < 0)
        return error;
    packed = malloc(image->cluster_size);
    if (!packed)
        return -ENOMEM;
    error = deflate_cluster(image, cluster, packed, &size);
    if (error == 0 && size == 0) {
        size = disk - offset < image->cluster_size ? disk - offset : image->cluster_size;
        free(packed);
        return qcow2_write(image, offset, cluster, size);
    }
    if (error == 0)
        error = place_stream(image, size, &at);
    if (error == 0)
        error = qcow2_pwrite(image, at, packed, size);
    free(packed);
    if (error < 0)
        return error;
    sectors = (at + size - 1) / 512 - at / 512; /* beyond the first */
    return map_set(image, offset, QCOW2_COMPRESSED | sectors << shift | at);
}
