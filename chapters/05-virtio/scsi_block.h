/*
 * scsi_block.h: the commands that move blocks, between a command's buffers and the
 * medium: what disks and CD-ROM drives have in common.
 *
 * Each function takes numbers from a CDB, checks them against the medium, and starts what
 * the disk behind it has to do. The command ends by itself: GOOD, or CHECK CONDITION with
 * what went wrong.
 */
#ifndef CHAPTER_05_SCSI_BLOCK_H
#define CHAPTER_05_SCSI_BLOCK_H

#include "05-virtio/scsi_unit.h"

/* Do the blocks [first, first + count) exist? If not, the command has ended. */
bool scsi_block_exist(const struct scsi_unit *unit, struct scsi_command *c, uint64_t first,
                      uint64_t count);

void scsi_block_read(struct scsi_unit *unit, struct scsi_command *c, uint64_t first,
                     uint64_t count);

/* With last, the blocks survive a power failure when the command has ended. */
void scsi_block_write(struct scsi_unit *unit, struct scsi_command *c, uint64_t first,
                      uint64_t count, bool last);

/* All that was written before survives a power failure. */
void scsi_block_flush(struct scsi_unit *unit, struct scsi_command *c);

/* The same operation on the c->range_count byte ranges in c->ranges, which exist. */
void scsi_block_ranges(struct scsi_unit *unit, struct scsi_command *c,
                       enum disk_operation operation, bool unmap);

/* Writes the block in c->same to each block of the range c->ranges[0], which exists. */
void scsi_block_repeat(struct scsi_unit *unit, struct scsi_command *c);

#endif
