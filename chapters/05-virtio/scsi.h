/*
 * scsi.h: a SCSI command, as a disk or a CD-ROM drive sees it.
 *
 *     initiator (the guest)                    logical unit (a disk, a drive)
 *     CDB: what to do           ---------->    the row of the operation code
 *     data-out                  ---------->    blocks to be written, parameter lists
 *     data-in                   <----------    blocks that were read, descriptions
 *     status, sense data        <----------    GOOD, or CHECK CONDITION and why
 *
 * A CDB, the command descriptor block, is 6, 10, 12 or 16 bytes: operation code, fields,
 * and at the end the control byte. All numbers in SCSI are big-endian.
 *
 * How the bytes travel is the transport's affair: there were cables, there are Fibre
 * Channel, USB and, here, virtqueues (virtio_scsi.h). [SPC4, 4.2 "Command descriptor
 * block (CDB)"]
 */
#ifndef CHAPTER_05_SCSI_H
#define CHAPTER_05_SCSI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "05-virtio/chain.h"
#include "05-virtio/disk.h"

#define SCSI_CDB_MAX   16u
#define SCSI_SENSE_MAX 18u /* bytes of the sense data that we give */

/* [SPC4, 4.5.1 "Sense data introduction"]: nobody's sense data is longer. */
#define SCSI_SENSE_LIMIT 252u

/* Bounds of one command; a guest learns them from the Block Limits page. */
#define SCSI_UNMAP_RANGES_MAX 32u
#define SCSI_UNMAP_BLOCKS_MAX (1u << 22)
#define SCSI_SAME_BLOCKS_MAX  (1u << 16) /* of WRITE SAME */

/*
 * What an initiator should ask for at once if it can: an exit and an interrupt are spread
 * over as much. Linux reads twice that ahead.
 */
#define SCSI_OPTIMAL_BLOCKS 1024u

/* The blocks that WRITE SAME repeats are written so many at a time. */
#define SCSI_SAME_AT_ONCE 128u

enum scsi_status {
    SCSI_GOOD = 0x00,
    SCSI_CHECK_CONDITION = 0x02,
};

/*
 * Why a command was refused: sense key, additional sense code and its qualifier, as
 * 0xKKCCQQ. [SPC4, 4.5.6 "Sense key and additional sense code definitions"]
 */
enum scsi_sense {
    SENSE_NONE = 0x000000,
    SENSE_NO_MEDIUM = 0x023a00,
    SENSE_NO_MEDIUM_TRAY_OPEN = 0x023a02,
    SENSE_WRITE_ERROR = 0x030c00,
    SENSE_READ_ERROR = 0x031100,
    SENSE_PARAMETER_LIST_LENGTH = 0x051a00,
    SENSE_INVALID_OPERATION_CODE = 0x052000,
    SENSE_BLOCK_OUT_OF_RANGE = 0x052100,
    SENSE_INVALID_FIELD_IN_CDB = 0x052400,
    SENSE_UNIT_NOT_SUPPORTED = 0x052500,
    SENSE_INVALID_FIELD_IN_PARAMETERS = 0x052600,
    SENSE_SAVING_NOT_SUPPORTED = 0x053900,
    SENSE_REMOVAL_PREVENTED = 0x055302,
    SENSE_MEDIUM_MAY_HAVE_CHANGED = 0x062800,
    SENSE_POWER_ON_OR_RESET = 0x062900,
    SENSE_DEVICE_RESET = 0x062903,
    SENSE_WRITE_PROTECTED = 0x072700,
    SENSE_SPACE_ALLOCATION_FAILED = 0x072707,
};

struct scsi_range {
    uint64_t offset, size; /* bytes */
};

/*
 * One command under way. The transport fills in the first part and calls the unit; the
 * unit calls scsi_end() once, at once or later, and from then on the transport owns it.
 */
struct scsi_command {
    uint8_t cdb[SCSI_CDB_MAX]; /* zeros behind what the initiator sent */
    const struct chain *chain; /* holds both data buffers */
    uint64_t out_offset, out_size;
    uint64_t in_offset, in_size;
    void (*done)(struct scsi_command *c);

    /* The result. */
    enum scsi_status status;
    enum scsi_sense sense; /* with CHECK CONDITION */
    bool overrun;          /* the CDB asks for more data than the buffers hold */
    uint64_t moved;        /* bytes of data, one way or the other */

    /* What the unit keeps until the disk has finished (scsi_block.c). */
    struct disk *medium;
    struct disk_request disk;
    struct scsi_range ranges[SCSI_UNMAP_RANGES_MAX];
    unsigned range, range_count;
    bool flush_after;
    uint64_t to_move;  /* what moved will be when all went well */
    uint8_t same[512]; /* the block that WRITE SAME repeats */
    struct iovec data[CHAIN_MAX];
};

/* ---- for the transport ----------------------------------------------------- */

/* Makes a command from a CDB of any size: what is too long is cut. Buffers: the caller. */
void scsi_begin(struct scsi_command *c, const uint8_t *cdb, size_t size);

/* Fixed format sense data of c, or of "no sense" when its status is GOOD. */
void scsi_sense_bytes(enum scsi_sense sense, uint8_t bytes[SCSI_SENSE_MAX]);

/* ---- for units --------------------------------------------------------------- */

/* Fields of a CDB, or of any bytes. */
uint32_t scsi_get16(const uint8_t *bytes);
uint32_t scsi_get24(const uint8_t *bytes);
uint32_t scsi_get32(const uint8_t *bytes);
uint64_t scsi_get64(const uint8_t *bytes);

/* The end of a command: as c->status and its like say. */
void scsi_end(struct scsi_command *c);

/* The end of a command that went well. */
void scsi_good(struct scsi_command *c);

/* The end of a command with CHECK CONDITION. */
void scsi_refuse(struct scsi_command *c, enum scsi_sense sense);

/*
 * True: the buffer holds size bytes. False: it is shorter than the CDB says, and the
 * command has ended.
 */
bool scsi_has_room(struct scsi_command *c, uint64_t size);
bool scsi_has_data(struct scsi_command *c, uint64_t size);

/*
 * A description that is put together byte by byte. Ours are short; that they fit is our
 * own affair, never the guest's.
 */
struct scsi_reply {
    uint8_t bytes[512];
    unsigned size;
};

void scsi_put8(struct scsi_reply *r, unsigned value);
void scsi_put16(struct scsi_reply *r, unsigned value);
void scsi_put32(struct scsi_reply *r, uint32_t value);
void scsi_put64(struct scsi_reply *r, uint64_t value);
void scsi_put_zeros(struct scsi_reply *r, unsigned count);
/* Text, cut or filled with spaces to count bytes. */
void scsi_put_text(struct scsi_reply *r, const char *text, unsigned count);

/*
 * Many descriptions begin with their length. scsi_put_length() writes a number of width
 * bytes at offset at: how many bytes follow it.
 */
void scsi_put_length(struct scsi_reply *r, unsigned at, unsigned width);

/*
 * The end of a command whose data is r: as much of it as the CDB's allocation length
 * allows. [SPC4, 4.2.5.6 "Allocation length"]
 */
void scsi_answer(struct scsi_command *c, const struct scsi_reply *r, uint32_t allocation);

#endif
