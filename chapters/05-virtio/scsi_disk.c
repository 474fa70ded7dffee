/*
 * scsi_disk.c: see scsi_disk.h. Open at hand: [SBC3] 5 "Commands for direct access block
 * devices".
 *
 * Reads and writes come in four sizes, for disks that grew. The fields are the same,
 * only wider:
 *
 *      0          1            2 .. 5            6       7 .. 8       9
 *     | code    | protect,   | first block     | group | number of  | control |   10 bytes
 *     |         | DPO, FUA   |                 |       | blocks     |         |
 *
 * Left out on purpose: what Linux does without: VERIFY, COMPARE AND WRITE, PRE-FETCH,
 * FORMAT UNIT, long reads and writes, defects; protection information; blocks of 4096
 * bytes, which some firmware cannot start from.
 */
#include "05-virtio/scsi_disk.h"

#include <string.h>

#include "05-virtio/scsi_block.h"
#include "common/bits.h"

#define TYPE_DIRECT_ACCESS   0x00

#define PROTECT_SHIFT        5      /* RDPROTECT, WRPROTECT: the upper three bits of byte 1 */
#define BYTE1_FUA            BIT(3) /* force unit access: the blocks last when the command ends */
#define SAME_ANCHOR          BIT(4) /* of WRITE SAME's byte 1 */
#define SAME_UNMAP           BIT(3)
#define SAME_OBSOLETE        (BIT(2) | BIT(1) | BIT(0))
#define UNMAP_ANCHOR         BIT(0)
#define CAPACITY_PMI         BIT(0) /* "of this part": means nothing here */

#define MODE_WRITE_PROTECTED BIT(7)
#define MODE_DPO_FUA         BIT(4) /* FUA is understood */

#define PAGE_BLOCK_LIMITS    0xb0
#define PAGE_CHARACTERISTICS 0xb1
#define PAGE_PROVISIONING    0xb2
#define PAGE_CACHING         0x08

/* Blocks that a CDB names. */
struct extent {
    uint64_t first, count;
    bool last; /* FUA */
};

/* The group code, in the upper three bits of the operation code, gives the CDB's size. */
static struct extent extent_of(const uint8_t *cdb)
{
    bool last = cdb[1] & BYTE1_FUA;

    switch (cdb[0] >> 5) {
    case 0: /* 6 bytes: 21 bits of block number, and 0 is 256 blocks */
        return (struct extent){scsi_get24(&cdb[1]) & 0x1fffff, cdb[4] ? cdb[4] : 256, false};
    case 4: return (struct extent){scsi_get64(&cdb[2]), scsi_get32(&cdb[10]), last};
    case 5: return (struct extent){scsi_get32(&cdb[2]), scsi_get32(&cdb[6]), last};
    default: return (struct extent){scsi_get32(&cdb[2]), scsi_get16(&cdb[7]), last};
    }
}

/* Byte 1 of a 6-byte CDB is part of the block number. */
static bool wants_protection(const uint8_t *cdb)
{
    return cdb[0] >> 5 != 0 && cdb[1] >> PROTECT_SHIFT != 0;
}

static void run_read(struct scsi_unit *unit, struct scsi_command *c)
{
    struct extent e = extent_of(c->cdb);

    if (wants_protection(c->cdb))
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
    else
        scsi_block_read(unit, c, e.first, e.count);
}

static void run_write(struct scsi_unit *unit, struct scsi_command *c)
{
    struct extent e = extent_of(c->cdb);

    if (wants_protection(c->cdb))
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
    else
        scsi_block_write(unit, c, e.first, e.count, e.last);
}

/* The range is a hint what to begin with: more may be flushed than was asked for. */
static void run_synchronize(struct scsi_unit *unit, struct scsi_command *c)
{
    struct extent e = extent_of(c->cdb);

    if (scsi_block_exist(unit, c, e.first, e.count))
        scsi_block_flush(unit, c);
}

static void run_capacity_10(struct scsi_unit *unit, struct scsi_command *c)
{
    uint64_t last = scsi_unit_blocks(unit) - 1;
    struct scsi_reply r = {.size = 0};

    if (scsi_get32(&c->cdb[2]) != 0 || c->cdb[8] & CAPACITY_PMI) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    /* All ones: ask with 16 bytes. */
    scsi_put32(&r, last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
    scsi_put32(&r, unit->block_size);
    scsi_answer(c, &r, r.size);
}

/* [SBC3, 5.16.2 "READ CAPACITY (16) parameter data"] */
static void run_capacity_16(struct scsi_unit *unit, struct scsi_command *c)
{
    enum { READ_CAPACITY_16 = 0x10, PROVISIONED = 0x80 };
    const struct disk *medium = unit->medium;
    struct scsi_reply r = {.size = 0};

    if ((c->cdb[1] & 0x1f) != READ_CAPACITY_16 || scsi_get64(&c->cdb[2]) != 0 ||
        c->cdb[14] & CAPACITY_PMI) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_put64(&r, scsi_unit_blocks(unit) - 1);
    scsi_put32(&r, unit->block_size);
    scsi_put8(&r, 0);
    scsi_put8(&r, (unsigned)__builtin_ctz(medium->block_size / unit->block_size));
    scsi_put16(&r, medium->can_discard ? PROVISIONED << 8 : 0);
    scsi_put_zeros(&r, 16);
    scsi_answer(c, &r, scsi_get32(&c->cdb[10]));
}

/* Byte ranges of an existing extent; an empty one needs none. */
static void add_range(struct scsi_unit *unit, struct scsi_command *c, uint64_t first,
                      uint64_t count)
{
    if (count > 0)
        c->ranges[c->range_count++] = (struct scsi_range){first * unit->block_size,
                                                          count * unit->block_size};
}

/* [unmap] */
/*
 * The parameter list is copied before it is looked at, and all of it is checked before any
 * block is given back. [SBC3, 5.28 "UNMAP command"]
 */
static void run_unmap(struct scsi_unit *unit, struct scsi_command *c)
{
    uint8_t list[8 + 16 * SCSI_UNMAP_RANGES_MAX];
    uint32_t size = scsi_get16(&c->cdb[7]), described;
    uint64_t total = 0;

    if (!unit->medium->can_discard || c->cdb[1] & UNMAP_ANCHOR) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    if (size == 0) {
        scsi_good(c);
        return;
    }
    if (!scsi_has_data(c, size))
        return;
    if (size < 8) {
        scsi_refuse(c, SENSE_PARAMETER_LIST_LENGTH);
        return;
    }
    chain_read(c->chain, c->out_offset, list, size < sizeof list ? size : sizeof list);
    described = scsi_get16(&list[2]);
    if (described > size - 8 || described % 16 != 0 || described > sizeof list - 8) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_PARAMETERS);
        return;
    }
    for (uint32_t at = 8; at < 8 + described; at += 16) {
        uint64_t first = scsi_get64(&list[at]), count = scsi_get32(&list[at + 8]);

        total += count;
        if (!scsi_block_exist(unit, c, first, count))
            return;
        add_range(unit, c, first, count);
    }
    if (total > SCSI_UNMAP_BLOCKS_MAX) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_PARAMETERS);
        return;
    }
    c->to_move = size;
    scsi_block_ranges(unit, c, DISK_DISCARD, true);
}
/* [/unmap] */

/*
 * One block of data for many blocks of the disk. Zeros, the usual case, the file can have
 * without being written. [SBC3, 5.44 "WRITE SAME (16) command"]
 */
static void run_write_same(struct scsi_unit *unit, struct scsi_command *c)
{
    static const uint8_t zeros[sizeof c->same];
    struct extent e = extent_of(c->cdb);
    bool unmap = c->cdb[1] & SAME_UNMAP;

    if (wants_protection(c->cdb) || c->cdb[1] & (SAME_ANCHOR | SAME_OBSOLETE) || e.count == 0 ||
        e.count > SCSI_SAME_BLOCKS_MAX || (unmap && !unit->medium->can_discard)) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    if (!scsi_block_exist(unit, c, e.first, e.count) || !scsi_has_data(c, unit->block_size))
        return;
    chain_read(c->chain, c->out_offset, c->same, unit->block_size);
    add_range(unit, c, e.first, e.count);
    c->to_move = unit->block_size;
    if (memcmp(c->same, zeros, unit->block_size) == 0)
        scsi_block_ranges(unit, c, DISK_ZERO, unmap);
    else
        scsi_block_repeat(unit, c);
}

/* Nothing spins, so nothing needs to be started or stopped. */
static void run_start_stop(struct scsi_unit *unit, struct scsi_command *c)
{
    (void)unit;
    scsi_good(c);
}

/* [disk-rows] */
static const struct scsi_row rows[] = {
    {0x08, 6, SCSI_NEEDS_MEDIUM, run_read},
    {0x0a, 6, SCSI_NEEDS_WRITING, run_write},
    {0x1b, 6, 0, run_start_stop},
    {0x25, 10, SCSI_NEEDS_MEDIUM, run_capacity_10},
    {0x28, 10, SCSI_NEEDS_MEDIUM, run_read},
    {0x2a, 10, SCSI_NEEDS_WRITING, run_write},
    {0x35, 10, SCSI_NEEDS_MEDIUM, run_synchronize},
    {0x41, 10, SCSI_NEEDS_WRITING, run_write_same},
    {0x42, 10, SCSI_NEEDS_WRITING, run_unmap},
    {0x88, 16, SCSI_NEEDS_MEDIUM, run_read},
    {0x8a, 16, SCSI_NEEDS_WRITING, run_write},
    {0x91, 16, SCSI_NEEDS_MEDIUM, run_synchronize},
    {0x93, 16, SCSI_NEEDS_WRITING, run_write_same},
    {0x9e, 16, SCSI_NEEDS_MEDIUM, run_capacity_16},
    {0xa8, 12, SCSI_NEEDS_MEDIUM, run_read},
    {0xaa, 12, SCSI_NEEDS_WRITING, run_write},
    {0},
};
/* [/disk-rows] */

/* [SBC3, 6.6.3 "Block Limits VPD page"] */
static void put_block_limits(const struct scsi_unit *unit, struct scsi_reply *r)
{
    enum { WRITE_SAME_NOT_ZERO = 1 }; /* WRITE SAME of 0 blocks is not "to the end" */
    uint32_t granularity = unit->medium->block_size / unit->block_size;
    bool unmap = unit->medium->can_discard;

    scsi_put8(r, WRITE_SAME_NOT_ZERO);
    scsi_put8(r, 0);
    scsi_put16(r, granularity); /* of transfers */
    scsi_put32(r, 0);           /* their largest size: any */
    scsi_put32(r, SCSI_OPTIMAL_BLOCKS);
    scsi_put32(r, 0);
    scsi_put32(r, unmap ? SCSI_UNMAP_BLOCKS_MAX : 0);
    scsi_put32(r, unmap ? SCSI_UNMAP_RANGES_MAX : 0);
    scsi_put32(r, unmap ? granularity : 0);
    scsi_put32(r, 0); /* where the granules begin: not said */
    scsi_put64(r, SCSI_SAME_BLOCKS_MAX);
    scsi_put_zeros(r, 20);
}

/* [SBC3, 6.6.2 "Block Device Characteristics VPD page"] */
static void put_characteristics(const struct scsi_unit *unit, struct scsi_reply *r)
{
    enum { DOES_NOT_ROTATE = 1 };

    (void)unit;
    scsi_put16(r, DOES_NOT_ROTATE);
    scsi_put_zeros(r, 58);
}

/*
 * What was given back may read as anything, so LBPRZ stays 0. [SBC3, 6.6.4 "Logical Block
 * Provisioning VPD page"]
 */
static void put_provisioning(const struct scsi_unit *unit, struct scsi_reply *r)
{
    enum { BY_UNMAP = 0x80, BY_WRITE_SAME_16 = 0x40, BY_WRITE_SAME_10 = 0x20, THIN = 2 };
    bool unmap = unit->medium->can_discard;

    scsi_put8(r, 0);
    scsi_put8(r, unmap ? BY_UNMAP | BY_WRITE_SAME_16 | BY_WRITE_SAME_10 : 0);
    scsi_put8(r, unmap ? THIN : 0);
    scsi_put8(r, 0);
}

/* [SBC3, 6.5.5 "Caching mode page"] */
static void put_caching(const struct scsi_unit *unit, struct scsi_reply *r)
{
    enum { WRITE_CACHE = 0x04 }; /* the host's page cache: a flush is needed */

    scsi_put8(r, unit->medium->read_only ? 0 : WRITE_CACHE);
    scsi_put_zeros(r, 17);
}

static uint8_t mode_parameter(const struct scsi_unit *unit)
{
    return MODE_DPO_FUA | (unit->medium->read_only ? MODE_WRITE_PROTECTED : 0);
}

static const struct scsi_page vital_pages[] = {
    {PAGE_BLOCK_LIMITS, put_block_limits},
    {PAGE_CHARACTERISTICS, put_characteristics},
    {PAGE_PROVISIONING, put_provisioning},
    {0, NULL},
};

static const struct scsi_page mode_pages[] = {
    {PAGE_CACHING, put_caching},
    {0, NULL},
};

static const struct scsi_class class = {
    .type = TYPE_DIRECT_ACCESS,
    .name = "DISK",
    .rows = rows,
    .vital_pages = vital_pages,
    .mode_pages = mode_pages,
    .mode_parameter = mode_parameter,
};

void scsi_disk_init(struct scsi_unit *unit, struct disk *disk, const char *serial)
{
    scsi_unit_init(unit, &class, disk, DISK_SECTOR, serial);
}
