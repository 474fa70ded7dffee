/*
 * scsi.c: see scsi.h. Open at hand: [SPC4] 4.2 "Command descriptor block (CDB)" and
 * 4.5 "Sense data".
 *
 * Left out on purpose: sense data in descriptor format, which a guest would have to ask
 * for; the number of the field that was wrong; CDBs of more than 16 bytes, which only
 * protection information needs; commands with data in both directions.
 */
#include "05-virtio/scsi.h"

#include <assert.h>
#include <string.h>

/* Response code 70h: about this command, in fixed format. */
#define SENSE_CURRENT 0x70

void scsi_begin(struct scsi_command *c, const uint8_t *cdb, size_t size)
{
    memset(c->cdb, 0, sizeof c->cdb);
    memcpy(c->cdb, cdb, size < sizeof c->cdb ? size : sizeof c->cdb);
    c->status = SCSI_GOOD;
    c->sense = SENSE_NONE;
    c->overrun = false;
    c->moved = c->to_move = 0;
    c->range = c->range_count = 0;
    c->flush_after = false;
}

/* [sense-bytes] */
/* [SPC4, 4.5.3 "Fixed format sense data"] */
void scsi_sense_bytes(enum scsi_sense sense, uint8_t bytes[SCSI_SENSE_MAX])
{
    memset(bytes, 0, SCSI_SENSE_MAX);
    bytes[0] = SENSE_CURRENT;
    bytes[2] = (uint8_t)(sense >> 16); /* sense key */
    bytes[7] = SCSI_SENSE_MAX - 8;     /* additional sense length */
    bytes[12] = (uint8_t)(sense >> 8); /* additional sense code */
    bytes[13] = (uint8_t)sense;        /* and its qualifier */
}
/* [/sense-bytes] */

uint32_t scsi_get16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 8 | bytes[1];
}

uint32_t scsi_get24(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 16 | scsi_get16(bytes + 1);
}

uint32_t scsi_get32(const uint8_t *bytes)
{
    return scsi_get16(bytes) << 16 | scsi_get16(bytes + 2);
}

uint64_t scsi_get64(const uint8_t *bytes)
{
    return (uint64_t)scsi_get32(bytes) << 32 | scsi_get32(bytes + 4);
}

void scsi_end(struct scsi_command *c)
{
    c->done(c);
}

void scsi_good(struct scsi_command *c)
{
    c->status = SCSI_GOOD;
    scsi_end(c);
}

void scsi_refuse(struct scsi_command *c, enum scsi_sense sense)
{
    c->status = SCSI_CHECK_CONDITION;
    c->sense = sense;
    scsi_end(c);
}

static bool holds(struct scsi_command *c, uint64_t size, uint64_t room)
{
    if (size <= room)
        return true;
    c->overrun = true;
    scsi_end(c);
    return false;
}

bool scsi_has_room(struct scsi_command *c, uint64_t size)
{
    return holds(c, size, c->in_size);
}

bool scsi_has_data(struct scsi_command *c, uint64_t size)
{
    return holds(c, size, c->out_size);
}

void scsi_put8(struct scsi_reply *r, unsigned value)
{
    assert(r->size < sizeof r->bytes);
    r->bytes[r->size++] = (uint8_t)value;
}

void scsi_put16(struct scsi_reply *r, unsigned value)
{
    scsi_put8(r, value >> 8);
    scsi_put8(r, value);
}

void scsi_put32(struct scsi_reply *r, uint32_t value)
{
    scsi_put16(r, value >> 16);
    scsi_put16(r, value);
}

void scsi_put64(struct scsi_reply *r, uint64_t value)
{
    scsi_put32(r, (uint32_t)(value >> 32));
    scsi_put32(r, (uint32_t)value);
}

void scsi_put_zeros(struct scsi_reply *r, unsigned count)
{
    while (count-- > 0)
        scsi_put8(r, 0);
}

void scsi_put_text(struct scsi_reply *r, const char *text, unsigned count)
{
    while (count-- > 0)
        scsi_put8(r, *text ? (uint8_t)*text++ : ' ');
}

void scsi_put_length(struct scsi_reply *r, unsigned at, unsigned width)
{
    unsigned length = r->size - at - width;

    for (unsigned i = 0; i < width; i++)
        r->bytes[at + i] = (uint8_t)(length >> 8 * (width - 1 - i));
}

void scsi_answer(struct scsi_command *c, const struct scsi_reply *r, uint32_t allocation)
{
    uint32_t size = r->size < allocation ? r->size : allocation;

    if (!scsi_has_room(c, allocation))
        return;
    c->moved = chain_write(c->chain, c->in_offset, r->bytes, size);
    scsi_good(c);
}
