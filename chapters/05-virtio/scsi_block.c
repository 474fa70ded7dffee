/*
 * scsi_block.c: see scsi_block.h.
 *
 *     start      what the disk shall do, checked
 *       |
 *     proceed    one operation of the disk after the other: a range for each, a few
 *       |  ^     of the blocks to be repeated, a flush behind a write
 *       |  `-- disk_done, if the disk takes its time
 *     finish     status, sense
 */
#include "05-virtio/scsi_block.h"

#include <errno.h>

#include "common/bits.h"

/* A write that found the host's disk full is no broken medium, and Linux tells them apart. */
static enum scsi_sense sense_of(enum disk_operation operation, int error)
{
    if (operation == DISK_READ)
        return SENSE_READ_ERROR;
    return error == -ENOSPC || error == -EDQUOT ? SENSE_SPACE_ALLOCATION_FAILED : SENSE_WRITE_ERROR;
}

/* The next operation of the disk; false: there is none. */
static bool next_operation(struct scsi_command *c)
{
    struct disk_request *r = &c->disk;

    if (c->range < c->range_count) {
        struct scsi_range *range = &c->ranges[c->range];

        r->offset = range->offset;
        r->size = range->size;
        if (r->operation == DISK_WRITE) { /* blocks that are repeated */
            uint64_t most = r->iov_count * r->iov[0].iov_len;

            if (r->size > most)
                r->size = most;
            r->iov_count = (unsigned)(r->size / r->iov[0].iov_len);
        }
        range->offset += r->size;
        range->size -= r->size;
        c->range += range->size == 0;
        return true;
    }
    if (c->flush_after) {
        c->flush_after = false;
        r->operation = DISK_FLUSH;
        return true;
    }
    return false;
}

/* The disk has finished an operation with error; go on until it wants time, or the end. */
static void proceed(struct scsi_command *c, int error)
{
    while (error == 0 && next_operation(c))
        error = c->medium->submit(c->medium->self, &c->disk);
    if (error == -EINPROGRESS)
        return;
    if (error == 0) {
        c->moved = c->to_move;
        scsi_good(c);
    } else {
        scsi_refuse(c, sense_of(c->disk.operation, error));
    }
}

static void disk_done(void *self, int error)
{
    proceed(self, error);
}

static void prepare(struct scsi_unit *unit, struct scsi_command *c, enum disk_operation operation)
{
    c->medium = unit->medium;
    c->disk = (struct disk_request){.operation = operation, .done = disk_done, .self = c};
}

static void start(struct scsi_command *c)
{
    proceed(c, c->medium->submit(c->medium->self, &c->disk));
}

bool scsi_block_exist(const struct scsi_unit *unit, struct scsi_command *c, uint64_t first,
                      uint64_t count)
{
    if (fits(first, count, scsi_unit_blocks(unit)))
        return true;
    scsi_refuse(c, SENSE_BLOCK_OUT_OF_RANGE);
    return false;
}

void scsi_block_read(struct scsi_unit *unit, struct scsi_command *c, uint64_t first, uint64_t count)
{
    uint64_t size = count * unit->block_size;

    if (!scsi_block_exist(unit, c, first, count) || !scsi_has_room(c, size))
        return;
    prepare(unit, c, DISK_READ);
    c->disk.offset = first * unit->block_size;
    c->disk.size = c->to_move = size;
    c->disk.iov = c->data;
    c->disk.iov_count = chain_writable(c->chain, c->in_offset, size, c->data);
    start(c);
}

void scsi_block_write(struct scsi_unit *unit, struct scsi_command *c, uint64_t first,
                      uint64_t count, bool last)
{
    uint64_t size = count * unit->block_size;

    if (!scsi_block_exist(unit, c, first, count) || !scsi_has_data(c, size))
        return;
    prepare(unit, c, DISK_WRITE);
    c->disk.offset = first * unit->block_size;
    c->disk.size = c->to_move = size;
    c->disk.iov = c->data;
    c->disk.iov_count = chain_readable(c->chain, c->out_offset, size, c->data);
    c->flush_after = last;
    start(c);
}

void scsi_block_flush(struct scsi_unit *unit, struct scsi_command *c)
{
    prepare(unit, c, DISK_FLUSH);
    start(c);
}

void scsi_block_ranges(struct scsi_unit *unit, struct scsi_command *c,
                       enum disk_operation operation, bool unmap)
{
    prepare(unit, c, operation);
    c->disk.unmap = unmap;
    proceed(c, 0);
}

/* No memory is filled with copies: one request of the disk names the block many times. */
void scsi_block_repeat(struct scsi_unit *unit, struct scsi_command *c)
{
    prepare(unit, c, DISK_WRITE);
    for (unsigned i = 0; i < SCSI_SAME_AT_ONCE; i++)
        c->data[i] = (struct iovec){c->same, unit->block_size};
    c->disk.iov = c->data;
    c->disk.iov_count = SCSI_SAME_AT_ONCE;
    c->range = 0;
    c->range_count = 1;
    proceed(c, 0);
}
