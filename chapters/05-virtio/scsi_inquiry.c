/*
 * scsi_inquiry.c: INQUIRY, by which a unit says what it is, and the pages of vital
 * product data (VPD), by which it says more. Declared in scsi_unit.h. Open at hand:
 * [SPC4] 6.6 "INQUIRY command" and 7.8 "Vital product data parameters".
 *
 *     byte     0            1          2        3                4
 *     VPD:   | type       | page code | page length            | the page ...
 *     else:  | type       | removable | version | format 2     | length, flags, names
 */
#include "05-virtio/scsi_unit.h"

#include <string.h>

#include "common/bits.h"

#define VENDOR            "RING-1"
#define REVISION          "1.0"

#define EVPD              BIT(0)
#define REMOVABLE_MEDIUM  BIT(7)
#define VERSION_SPC4      0x06
#define RESPONSE_FORMAT   0x02
#define COMMAND_QUEUING   BIT(1) /* CMDQUE: many commands at a time */
#define QUALIFIER_NOBODY  0x7f   /* no unit here, and so of no type */
#define CODE_SET_ASCII    0x02
#define DESIGNATOR_VENDOR 0x01 /* of this unit: T10 vendor id, then what the vendor likes */

#define PAGE_SUPPORTED    0x00
#define PAGE_SERIAL       0x80
#define PAGE_DESIGNATION  0x83

/* [SPC4, 6.6.2 "Standard INQUIRY data"] */
static void put_standard(struct scsi_reply *r, unsigned type, bool removable, const char *product)
{
    scsi_put8(r, type);
    scsi_put8(r, removable ? REMOVABLE_MEDIUM : 0);
    scsi_put8(r, VERSION_SPC4);
    scsi_put8(r, RESPONSE_FORMAT);
    scsi_put8(r, 0); /* the length, in the end */
    scsi_put16(r, 0);
    scsi_put8(r, COMMAND_QUEUING);
    scsi_put_text(r, VENDOR, 8);
    scsi_put_text(r, product, 16);
    scsi_put_text(r, REVISION, 4);
    scsi_put_length(r, 4, 1);
}

static void put_supported(const struct scsi_unit *unit, struct scsi_reply *r)
{
    scsi_put8(r, PAGE_SUPPORTED);
    scsi_put8(r, PAGE_SERIAL);
    scsi_put8(r, PAGE_DESIGNATION);
    for (const struct scsi_page *page = unit->class->vital_pages; page->put; page++)
        scsi_put8(r, page->code);
}

static void put_serial(const struct scsi_unit *unit, struct scsi_reply *r)
{
    scsi_put_text(r, unit->serial, (unsigned)strlen(unit->serial));
}

/* What udev's names in /dev/disk/by-id come from. [SPC4, 7.8.6 "Device Identification"] */
static void put_designation(const struct scsi_unit *unit, struct scsi_reply *r)
{
    unsigned at;

    scsi_put8(r, CODE_SET_ASCII);
    scsi_put8(r, DESIGNATOR_VENDOR);
    scsi_put8(r, 0);
    at = r->size;
    scsi_put8(r, 0);
    scsi_put_text(r, VENDOR, 8);
    put_serial(unit, r);
    scsi_put_length(r, at, 1);
}

static const struct scsi_page common_pages[] = {
    {PAGE_SUPPORTED, put_supported},
    {PAGE_SERIAL, put_serial},
    {PAGE_DESIGNATION, put_designation},
    {0, NULL},
};

static const struct scsi_page *find(const struct scsi_page *pages, uint8_t code)
{
    while (pages->put && pages->code != code)
        pages++;
    return pages->put ? pages : NULL;
}

static bool put_page(const struct scsi_unit *unit, struct scsi_reply *r, uint8_t code)
{
    const struct scsi_page *page = find(common_pages, code);

    if (!page)
        page = find(unit->class->vital_pages, code);
    if (!page)
        return false;
    scsi_put8(r, unit->class->type);
    scsi_put8(r, code);
    scsi_put16(r, 0);
    page->put(unit, r);
    scsi_put_length(r, 2, 2);
    return true;
}

void scsi_inquiry(struct scsi_unit *unit, struct scsi_command *c)
{
    const struct scsi_class *class = unit->class;
    uint32_t allocation = scsi_get16(&c->cdb[3]);
    struct scsi_reply r = {.size = 0};

    if (c->cdb[1] & EVPD ? !put_page(unit, &r, c->cdb[2]) : c->cdb[2] != 0) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    if (!(c->cdb[1] & EVPD))
        put_standard(&r, class->type, class->removable, class->name);
    scsi_answer(c, &r, allocation);
}

void scsi_inquiry_nobody(struct scsi_command *c)
{
    struct scsi_reply r = {.size = 0};

    if (c->cdb[1] & EVPD || c->cdb[2] != 0) {
        scsi_refuse(c, SENSE_INVALID_FIELD_IN_CDB);
        return;
    }
    put_standard(&r, QUALIFIER_NOBODY, false, "");
    scsi_answer(c, &r, scsi_get16(&c->cdb[3]));
}
