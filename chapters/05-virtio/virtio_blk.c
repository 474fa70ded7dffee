/*
 * virtio_blk.c: see virtio_blk.h. Open at hand: [VIRTIO] 5.2.6 "Device Operation".
 *
 *     handle      header copied out of guest memory, once
 *       |
 *     prepare     what the disk shall do; or a status at once: IOERR, UNSUPP
 *       |
 *     proceed     one operation of the disk after the other (discard: one for each
 *       |  ^      range; write-through: a flush behind each write)
 *       |  `-- blk_done, if the disk takes its time
 *     finish      status byte, used ring
 *
 * Left out on purpose: geometry of cylinders and heads, secure erase, zones, lifetime,
 * and SCSI commands, which only devices from before 1.0 pass through.
 *
 * Longer than most: one kind of request after the other, on the path above.
 */
#include "05-virtio/virtio_blk.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bits.h"
#include "common/die.h"

_Static_assert(sizeof(struct virtio_blk_outhdr) == 16, "[VIRTIO, 5.2.6]");
_Static_assert(sizeof(struct virtio_blk_discard_write_zeroes) == 16, "[VIRTIO, 5.2.6]");
_Static_assert(offsetof(struct virtio_blk_config, num_queues) == 34, "[VIRTIO, 5.2.4]");
_Static_assert(offsetof(struct virtio_blk_config, write_zeroes_may_unmap) == 56, "[VIRTIO, 5.2.4]");

/* As far as the features go that we may offer. */
#define CONFIG_SIZE (offsetof(struct virtio_blk_config, unused1) + 3)

/*
 * What a driver should ask for at once if it can: an exit and an interrupt are spread over
 * as much. Linux reads twice that ahead.
 */
#define OPTIMAL_SIZE (512 * KIB)

/* What prepare() says when the disk has something to do. */
#define TO_DISK (-1)

/* Those used before first: the others are address space that is not memory yet. */
static struct blk_request *request_get(struct virtio_blk *blk)
{
    struct blk_request *r = blk->free;

    if (r)
        blk->free = r->next_free;
    else if (blk->fresh < blk->count)
        r = &blk->requests[blk->fresh++];
    else
        return NULL;
    r->blk = blk;
    blk->in_flight++;
    return r;
}

static void request_put(struct blk_request *r)
{
    r->next_free = r->blk->free;
    r->blk->free = r;
    r->blk->in_flight--;
}

/* The status is the last writable byte, however the driver cut the buffer. */
static void finish(struct blk_request *r, uint8_t status)
{
    struct virtio_blk *blk = r->blk;
    uint64_t written = status == VIRTIO_BLK_S_OK ? r->written : 0;

    blk->device.errors += status == VIRTIO_BLK_S_IOERR;
    chain_write(&r->chain, r->chain.writable_size - 1, &status, 1);
    virtio_device_push(&blk->device, r->queue, &r->chain, written + 1);
    blk->need_flush |= BIT(r->queue);
    request_put(r);
}

/* The next operation of the disk; false: there is none. */
static bool next_operation(struct blk_request *r)
{
    struct disk_request *disk = &r->disk;

    if (r->range < r->range_count) {
        disk->offset = r->ranges[r->range].sector * DISK_SECTOR;
        disk->size = (uint64_t)r->ranges[r->range].num_sectors * DISK_SECTOR;
        disk->unmap = r->ranges[r->range].flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
        r->range++;
        return true;
    }
    if (r->flush_after) {
        r->flush_after = false;
        disk->operation = DISK_FLUSH;
        return true;
    }
    return false;
}

/* [proceed] */
/* The disk has finished an operation with error; go on until it wants time, or the end. */
static void proceed(struct blk_request *r, int error)
{
    struct disk *disk = r->blk->disk;

    while (error == 0 && next_operation(r))
        error = disk->submit(disk->self, &r->disk);
    if (error != -EINPROGRESS)
        finish(r, error == 0 ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
}
/* [/proceed] */

static void blk_done(void *self, int error)
{
    proceed(self, error);
}

/* [writes-through] */
/* Does the driver expect that a write lasts as soon as its status is given? */
static bool writes_through(const struct virtio_blk *blk)
{
    /* [VIRTIO, 5.2.6.2 "Device Requirements: Device Operation"] */
    if (virtio_device_has(&blk->device, VIRTIO_BLK_F_CONFIG_WCE))
        return !blk->config.wce;
    return !virtio_device_has(&blk->device, VIRTIO_BLK_F_FLUSH);
}
/* [/writes-through] */

/* [prepare-data] */
static int prepare_data(struct blk_request *r, bool write, uint64_t sector)
{
    const struct virtio_blk *blk = r->blk;
    struct chain *chain = &r->chain;
    uint64_t before = write ? sizeof(struct virtio_blk_outhdr) : 0;
    uint64_t size = write ? chain->readable_size - before : chain->writable_size - 1;

    if (write && blk->disk->read_only)
        return VIRTIO_BLK_S_IOERR;
    if (!write && chain->readable_size > sizeof(struct virtio_blk_outhdr))
        return VIRTIO_BLK_S_IOERR; /* data to be written, in a read */
    if (!is_aligned(size, DISK_SECTOR) || !fits(sector, size / DISK_SECTOR, blk->config.capacity))
        return VIRTIO_BLK_S_IOERR;

    r->disk.operation = write ? DISK_WRITE : DISK_READ;
    r->disk.offset = sector * DISK_SECTOR;
    r->disk.size = size;
    r->disk.iov = r->data;
    r->disk.iov_count = write ? chain_readable(chain, before, size, r->data)
                              : chain_writable(chain, 0, size, r->data);
    r->written = write ? 0 : size;
    r->flush_after = write && writes_through(blk);
    return TO_DISK;
}
/* [/prepare-data] */

/* The ranges are copied before any is looked at, and all are checked before any is used. */
static int prepare_ranges(struct blk_request *r, bool zero)
{
    struct virtio_blk *blk = r->blk;
    uint64_t size = r->chain.readable_size - sizeof(struct virtio_blk_outhdr);
    uint32_t known = zero ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;

    if (!virtio_device_has(&blk->device, zero ? VIRTIO_BLK_F_WRITE_ZEROES : VIRTIO_BLK_F_DISCARD))
        return blk->disk->read_only ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_UNSUPP;
    if (size == 0 || size % sizeof r->ranges[0] != 0 || size > sizeof r->ranges)
        return VIRTIO_BLK_S_IOERR;

    chain_read(&r->chain, sizeof(struct virtio_blk_outhdr), r->ranges, size);
    r->range_count = (unsigned)(size / sizeof r->ranges[0]);
    for (unsigned i = 0; i < r->range_count; i++) {
        const struct virtio_blk_discard_write_zeroes *range = &r->ranges[i];

        /* [VIRTIO, 5.2.6.2 "Device Requirements: Device Operation"] */
        if (range->flags & ~known)
            return VIRTIO_BLK_S_UNSUPP;
        if (range->num_sectors == 0 || range->num_sectors > VIRTIO_BLK_RANGE_SECTORS_MAX ||
            !fits(range->sector, range->num_sectors, blk->config.capacity))
            return VIRTIO_BLK_S_IOERR;
    }
    r->range = 0;
    r->disk.operation = zero ? DISK_ZERO : DISK_DISCARD;
    r->flush_after = zero && writes_through(blk);
    return TO_DISK;
}

static int prepare_id(struct blk_request *r)
{
    uint64_t room = r->chain.writable_size - 1;

    /* Not a string: a full id has no zero at its end. */
    r->written = chain_write(&r->chain, 0, r->blk->id,
                             room < VIRTIO_BLK_ID_BYTES ? room : VIRTIO_BLK_ID_BYTES);
    return VIRTIO_BLK_S_OK;
}

static int prepare(struct blk_request *r, const struct virtio_blk_outhdr *header)
{
    switch (header->type) {
    case VIRTIO_BLK_T_IN: return prepare_data(r, false, header->sector);
    case VIRTIO_BLK_T_OUT: return prepare_data(r, true, header->sector);
    case VIRTIO_BLK_T_FLUSH: r->disk.operation = DISK_FLUSH; return TO_DISK;
    case VIRTIO_BLK_T_GET_ID: return prepare_id(r);
    case VIRTIO_BLK_T_DISCARD: return prepare_ranges(r, false);
    case VIRTIO_BLK_T_WRITE_ZEROES: return prepare_ranges(r, true);
    default: return VIRTIO_BLK_S_UNSUPP;
    }
}

/* Ranges are taken one by one; everything else is an operation that stands ready. */
static void start_request(struct blk_request *r)
{
    struct disk *disk = r->blk->disk;

    if (r->range_count > 0)
        proceed(r, 0);
    else
        proceed(r, disk->submit(disk->self, &r->disk));
}

static bool blk_handle(void *self, unsigned queue, struct chain *chain)
{
    struct virtio_blk *blk = self;
    struct virtio_blk_outhdr header;
    struct blk_request *r;
    int status;

    if (chain_read(chain, 0, &header, sizeof header) < sizeof header || chain->writable_size == 0) {
        virtio_device_fail(&blk->device, "a block request without a header or a status byte");
        return true;
    }
    r = request_get(blk);
    if (!r)
        return false; /* until one of those in flight has ended */
    r->queue = queue;
    r->disk.done = blk_done;
    r->disk.self = r;
    r->written = 0;
    r->range = r->range_count = 0;
    r->flush_after = false;
    chain_copy(&r->chain, chain);
    status = prepare(r, &header);
    if (status == TO_DISK)
        start_request(r);
    else
        finish(r, (uint8_t)status);
    return true;
}

static void tell_driver(struct virtio_blk *blk)
{
    for (unsigned i = 0; i < blk->device.queue_count; i++)
        if (blk->need_flush & BIT(i))
            virtio_device_flush(&blk->device, i);
    blk->need_flush = 0;
}

/* What was submitted goes to the disk in one piece; what it had at hand is back at once. */
static void blk_served(void *self, unsigned queue)
{
    struct virtio_blk *blk = self;
    struct disk *disk = blk->disk;

    (void)queue;
    if (disk->commit && blk->in_flight > 0) {
        disk->commit(disk->self);
        disk->complete(disk->self, false);
    }
    tell_driver(blk);
}

void virtio_blk_complete(struct virtio_blk *blk)
{
    bool was_full = blk->in_flight == blk->count;

    blk->disk->complete(blk->disk->self, false);
    tell_driver(blk);
    for (unsigned i = 0; was_full && i < blk->device.queue_count; i++)
        while (virtio_device_serve(&blk->device, i))
            ;
}

/*
 * A driver that resets the device may use its memory for something else at once. So
 * wait for the requests under way; their buffers are written for the last time.
 */
static void blk_reset(void *self)
{
    struct virtio_blk *blk = self;

    blk->disk->complete(blk->disk->self, true);
    assert(blk->in_flight == 0);
    blk->need_flush = 0;
    blk->config.wce = !blk->disk->read_only;
}

static void blk_reset_queue(void *self, unsigned queue)
{
    struct virtio_blk *blk = self;

    blk->disk->complete(blk->disk->self, true);
    blk->need_flush &= ~BIT(queue);
    tell_driver(blk);
}

/*
 * A driver that cannot flush must not have to, though it could switch the mode.
 * [VIRTIO, 5.2.5.2 "Device Requirements: Device Initialization"]
 */
static bool blk_features_ok(void *self, uint64_t features)
{
    struct virtio_blk *blk = self;

    if ((features & VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE)) &&
        !(features & VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH)))
        blk->config.wce = 0;
    return true;
}

/* Only the cache mode can be written. [VIRTIO, 5.2.4 "Device configuration layout"] */
static void blk_config_write(void *self, unsigned offset, unsigned size, uint64_t value)
{
    struct virtio_blk *blk = self;

    if (offset == offsetof(struct virtio_blk_config, wce) && size == 1 && value <= 1 &&
        virtio_device_has(&blk->device, VIRTIO_BLK_F_CONFIG_WCE))
        blk->config.wce = (uint8_t)value;
}

static const struct virtio_class blk_class = {
    .id = VIRTIO_ID_BLOCK,
    .features_ok = blk_features_ok,
    .handle = blk_handle,
    .served = blk_served,
    .reset = blk_reset,
    .reset_queue = blk_reset_queue,
    .config_write = blk_config_write,
};

static void fill_config(struct virtio_blk *blk, unsigned queues)
{
    const struct disk *disk = blk->disk;
    uint32_t blocks = disk->block_size / DISK_SECTOR;

    blk->config = (struct virtio_blk_config){
        .capacity = disk->size / DISK_SECTOR,
        .seg_max = VIRTIO_BLK_SEG_MAX,
        .blk_size = DISK_SECTOR,
        .physical_block_exp = (uint8_t)__builtin_ctz(blocks),
        .min_io_size = (uint16_t)blocks,
        .opt_io_size = OPTIMAL_SIZE / DISK_SECTOR,
        .wce = !disk->read_only,
        .num_queues = (uint16_t)queues,
        .max_discard_sectors = VIRTIO_BLK_RANGE_SECTORS_MAX,
        .max_discard_seg = VIRTIO_BLK_RANGES_MAX,
        .discard_sector_alignment = blocks,
        .max_write_zeroes_sectors = VIRTIO_BLK_RANGE_SECTORS_MAX,
        .max_write_zeroes_seg = VIRTIO_BLK_RANGES_MAX,
        .write_zeroes_may_unmap = disk->can_discard,
    };
}

static uint64_t features_of(const struct disk *disk, unsigned queues)
{
    uint64_t features = VIRTIO_FEATURE(VIRTIO_BLK_F_SEG_MAX) |
                        VIRTIO_FEATURE(VIRTIO_BLK_F_BLK_SIZE) |
                        VIRTIO_FEATURE(VIRTIO_BLK_F_TOPOLOGY);

    if (queues > 1)
        features |= VIRTIO_FEATURE(VIRTIO_BLK_F_MQ);
    if (disk->read_only)
        return features | VIRTIO_FEATURE(VIRTIO_BLK_F_RO);
    if (disk->can_discard)
        features |= VIRTIO_FEATURE(VIRTIO_BLK_F_DISCARD);
    return features | VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH) | VIRTIO_FEATURE(VIRTIO_BLK_F_CONFIG_WCE) |
           VIRTIO_FEATURE(VIRTIO_BLK_F_WRITE_ZEROES);
}

void virtio_blk_init(struct virtio_blk *blk, const struct guest_memory *memory, struct disk *disk,
                     const char *serial, unsigned queues)
{
    assert(queues > 0 && queues <= VIRTIO_BLK_QUEUES_MAX);
    memset(blk, 0, sizeof *blk);
    blk->disk = disk;
    disk->async = true;
    snprintf(blk->id, sizeof blk->id, "%s", serial);
    fill_config(blk, queues);
    virtio_device_init(&blk->device, &blk_class, blk, memory, features_of(disk, queues),
                       &blk->config, CONFIG_SIZE);
    for (unsigned i = 0; i < queues; i++)
        virtio_device_add_queue(&blk->device, VIRTIO_BLK_QUEUE_SIZE);

    blk->count = queues * VIRTIO_BLK_QUEUE_SIZE;
    blk->requests = calloc(blk->count, sizeof *blk->requests);
    if (!blk->requests)
        die("no memory for %u block requests", blk->count);
}

void virtio_blk_free(struct virtio_blk *blk)
{
    blk->disk->complete(blk->disk->self, true);
    free(blk->requests);
}
