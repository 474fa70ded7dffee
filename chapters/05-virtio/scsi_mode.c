/*
 * scsi_mode.c: MODE SENSE, by which a unit tells its settings, page by page. Declared in
 * scsi_unit.h. Open at hand: [SPC4] 6.13 "MODE SENSE (6) command" and 7.5 "Mode
 * parameters".
 *
 *     header       4 or 8 bytes: length, medium type, device-specific parameter
 *     block        8 bytes, if DBD is not set: how many blocks, and how large
 *     pages        code, length, settings; one page or all
 *
 * No setting can be changed: there is no MODE SELECT, and asked what could be changed, we
 * answer with zeros.
 */
#include "05-virtio/scsi_unit.h"

#include <string.h>

#include "common/bits.h"

#define NO_BLOCK_DESCRIPTOR BIT(3) /* DBD */
#define ALL_PAGES           0x3f
#define ALL_SUBPAGES        0xff

/* Page control: which values are asked for. */
enum { VALUES_CURRENT, VALUES_CHANGEABLE, VALUES_DEFAULT, VALUES_SAVED };

static void put_block_descriptor(const struct scsi_unit *unit, struct scsi_reply *r)
{
    uint64_t blocks = scsi_unit_blocks(unit);

    scsi_put32(r, blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)blocks);
    scsi_put32(r, unit->block_size); /* 24 bits of it; the first 8 are reserved */
}

static void put_page(const struct scsi_unit *unit, struct scsi_reply *r,
                     const struct scsi_page *page, unsigned values)
{
    unsigned start = r->size;

    scsi_put8(r, page->code);
    scsi_put8(r, 0);
    page->put(unit, r);
    scsi_put_length(r, start + 1, 1);
    if (values == VALUES_CHANGEABLE)
        memset(&r->bytes[start + 2], 0, r->size - start - 2);
}

/* False: there is no such page. */
static bool put_pages(const struct scsi_unit *unit, struct scsi_reply *r, const uint8_t *cdb)
{
    unsigned values = cdb[2] >> 6, code = cdb[2] & 0x3f, subpage = cdb[3];
    bool found = code == ALL_PAGES;

    if (subpage != 0 && !(subpage == ALL_SUBPAGES && code == ALL_PAGES))
        return false;
    for (const struct scsi_page *page = unit->class->mode_pages; page->put; page++)
        if (code == ALL_PAGES || code == page->code) {
            put_page(unit, r, page, values);
            found = true;
        }
    return found;
}

static void mode_sense(struct scsi_unit *unit, struct scsi_command *c, bool ten,
                       uint32_t allocation)
{
    bool describe = !(c->cdb[1] & NO_BLOCK_DESCRIPTOR) && scsi_unit_medium(unit);
    uint8_t parameter = unit->class->mode_parameter(unit);
    struct scsi_reply r = {.size = 0};

    if (c->cdb[2] >> 6 == VALUES_SAVED) {
        scsi_refuse(c, SENSE_SAVING_NOT_SUPPORTED);
        return;
    }
    if (ten)
        scsi_put16(&r, 0); /* the length, in the end */
    else
        scsi_put8(&r, 0);
    scsi_put8(&r, 0); /* medium type */
    scsi_put8(&r, parameter);
    if (ten)
        scsi_put_zeros(&r, 3);
    scsi_put8(&r, describe ? 8 : 0);
    if (describe)
        put_block_descriptor(unit, &r);
    if (!put_pages(unit, &r, c->cdb)) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    scsi_put_length(&r, 0, ten ? 2 : 1);
    scsi_answer(c, &r, allocation);
}

void scsi_mode_sense_6(struct scsi_unit *unit, struct scsi_command *c)
{
    mode_sense(unit, c, false, c->cdb[4]);
}

void scsi_mode_sense_10(struct scsi_unit *unit, struct scsi_command *c)
{
    mode_sense(unit, c, true, scsi_get16(&c->cdb[7]));
}
