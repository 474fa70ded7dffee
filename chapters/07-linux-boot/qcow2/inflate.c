/*
 * inflate.c: reading compressed clusters. They are raw deflate streams, packed one
 * behind the other without regard for clusters; zlib does the work.
 *
 *     bit   61                    62 - (cluster_bits - 8)                       0
 *         | sectors beyond the first |  offset in the file, in bytes            |
 *
 * [QCOW2, "Compressed Clusters Descriptor"]
 */
#include "07-linux-boot/qcow2/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define SECTOR 512u

void compressed_range(const struct qcow2 *image, uint64_t entry, uint64_t *offset, uint64_t *size)
{
    unsigned shift = 62 - (image->header.cluster_bits - 8);

    *offset = bits(entry, shift - 1, 0);
    *size = (bits(entry, 61, shift) + 1) * SECTOR - *offset % SECTOR;
}

/* The stream must give one cluster exactly; it can not give more. */
static int inflate_exactly(const uint8_t *in, uint64_t in_size, uint8_t *out, uint64_t out_size)
{
    z_stream stream = {.next_in = (uint8_t *)in,
                       .avail_in = (unsigned)in_size,
                       .next_out = out,
                       .avail_out = (unsigned)out_size};
    int result;

    if (inflateInit2(&stream, QCOW2_WINDOW_BITS) != Z_OK)
        return -ENOMEM;
    result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    /* Output full and input left over is fine: the range is in whole sectors. */
    return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0 ? 0 : -EIO;
}

int inflate_cluster(struct qcow2 *image, uint64_t entry)
{
    uint64_t offset, size;
    uint8_t *packed;
    int error;

    if (entry == image->inflated_entry)
        return 0;
    compressed_range(image, entry, &offset, &size);
    if (offset >= image->file_end)
        return qcow2_damaged(image);
    if (size > image->file_end - offset)
        size = image->file_end - offset; /* the last sector may be cut short */
    packed = calloc(1, size);
    if (!image->inflated)
        image->inflated = malloc(image->cluster_size);
    if (!packed || !image->inflated) {
        free(packed);
        return -ENOMEM;
    }
    image->inflated_entry = 0;
    error = qcow2_pread_padded(image, offset, packed, size);
    if (error == 0)
        error = inflate_exactly(packed, size, image->inflated, image->cluster_size);
    if (error == 0)
        image->inflated_entry = entry;
    free(packed);
    return error;
}
