/*
 * virtio_scsi.c: see virtio_scsi.h. Open at hand: [VIRTIO] 5.6.6 "Device Operation".
 *
 *     handle       header copied out of guest memory, once; the address looked up
 *       |
 *     scsi_bus     the unit carries the command out, now or later
 *       |
 *     command_done response, sense data, used ring
 *
 * The control queue is virtio_scsi_control.c.
 *
 * Left out on purpose: the REPORT LUNS unit, which has no target whose units it could tell
 * of; commands with data both ways; protection information; the order
 * of commands beyond what a driver itself keeps; hot plug, and so events: a CD-ROM
 * drive's changes are asked for ([VIRTIO, 5.6.6.3 "Device Operation: eventq"] wants it so).
 */
#include "05-virtio/virtio_scsi.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/bits.h"
#include "common/die.h"

_Static_assert(offsetof(struct virtio_scsi_cmd_req, cdb) == 19, "[VIRTIO, 5.6.6.1]");
_Static_assert(offsetof(struct virtio_scsi_cmd_resp, sense) == 12, "[VIRTIO, 5.6.6.1]");
_Static_assert(sizeof(struct virtio_scsi_config) == 36, "[VIRTIO, 5.6.4]");

#define HEADER_SIZE   offsetof(struct virtio_scsi_cmd_req, cdb)
#define RESPONSE_SIZE offsetof(struct virtio_scsi_cmd_resp, sense)

/* Those used before first: the others are address space that is not memory yet. */
static struct scsi_request *request_get(struct virtio_scsi *scsi)
{
    struct scsi_request *r = scsi->free;

    if (r)
        scsi->free = r->next_free;
    else if (scsi->fresh < scsi->count)
        r = &scsi->requests[scsi->fresh++];
    else
        return NULL;
    r->scsi = scsi;
    r->active = true;
    scsi->in_flight++;
    return r;
}

/* data is what was written into data-in. */
static void finish(struct scsi_request *r, struct virtio_scsi_cmd_resp *response, uint64_t data)
{
    struct virtio_scsi *scsi = r->scsi;

    /* sense too: the driver is told that all before data-in was written */
    chain_write(&r->chain, 0, response, RESPONSE_SIZE + r->sense_size);
    virtio_device_push(&scsi->device, r->queue, &r->chain, RESPONSE_SIZE + r->sense_size + data);
    scsi->need_flush |= BIT(r->queue);
    r->active = false;
    r->next_free = scsi->free;
    scsi->free = r;
    scsi->in_flight--;
}

/* The request ends without having reached a unit. */
static void reject(struct scsi_request *r, uint8_t response)
{
    const struct scsi_command *c = &r->command;
    uint8_t bytes[RESPONSE_SIZE + SCSI_SENSE_LIMIT] = {0};
    struct virtio_scsi_cmd_resp *head = (void *)bytes;

    head->response = response;
    head->resid = (uint32_t)(c->out_size + c->in_size);
    finish(r, head, 0);
}

static void command_done(struct scsi_command *c)
{
    struct scsi_request *r = (struct scsi_request *)((uint8_t *)c -
                                                     offsetof(struct scsi_request, command));
    uint8_t bytes[RESPONSE_SIZE + SCSI_SENSE_LIMIT] = {0}, sense[SCSI_SENSE_MAX];
    struct virtio_scsi_cmd_resp *head = (void *)bytes;

    if (c->overrun) {
        reject(r, VIRTIO_SCSI_S_OVERRUN);
        return;
    }
    head->response = VIRTIO_SCSI_S_OK;
    head->status = (uint8_t)c->status;
    head->resid = (uint32_t)(c->out_size + c->in_size - c->moved);
    if (c->status == SCSI_CHECK_CONDITION) {
        head->sense_len = r->sense_size < sizeof sense ? r->sense_size : sizeof sense;
        scsi_sense_bytes(c->sense, sense);
        memcpy(bytes + RESPONSE_SIZE, sense, head->sense_len);
    }
    finish(r, head, c->in_size > 0 ? c->moved : 0);
}

/* Where the two data buffers lie, behind header and response. */
static void find_buffers(struct scsi_request *r, unsigned cdb_size)
{
    struct scsi_command *c = &r->command;

    c->chain = &r->chain;
    c->out_offset = HEADER_SIZE + cdb_size;
    c->out_size = r->chain.readable_size - c->out_offset;
    c->in_offset = RESPONSE_SIZE + r->sense_size;
    c->in_size = r->chain.writable_size - c->in_offset;
    c->done = command_done;
}

static void start(struct scsi_request *r, const uint8_t lun[8])
{
    const struct scsi_bus *bus = &r->scsi->bus;
    struct scsi_address address = virtio_scsi_address(lun);

    if (r->command.out_size > 0 && r->command.in_size > 0)
        reject(r, VIRTIO_SCSI_S_FAILURE); /* VIRTIO_SCSI_F_INOUT is not offered */
    else if (!address.valid || !scsi_bus_has_target(bus, address.target))
        reject(r, VIRTIO_SCSI_S_BAD_TARGET);
    else {
        r->unit = scsi_bus_unit(bus, address.target, address.lun);
        scsi_bus_run(bus, address.target, address.lun, &r->command);
    }
}

static bool handle_request(struct virtio_scsi *scsi, unsigned queue, struct chain *chain)
{
    struct {
        struct virtio_scsi_cmd_req head;
        uint8_t rest[VIRTIO_SCSI_CDB_LIMIT - VIRTIO_SCSI_CDB_SIZE];
    } header;
    unsigned cdb_size = scsi->config.cdb_size, sense_size = scsi->config.sense_size;
    struct scsi_request *r;

    if (chain_read(chain, 0, &header, HEADER_SIZE + cdb_size) < HEADER_SIZE + cdb_size ||
        chain->writable_size < RESPONSE_SIZE + sense_size) {
        virtio_device_fail(&scsi->device, "a SCSI request without a header or a response");
        return true;
    }
    r = request_get(scsi);
    if (!r)
        return false; /* until one of those in flight has ended */
    r->queue = queue;
    r->tag = header.head.tag;
    r->unit = NULL;
    r->sense_size = sense_size;
    chain_copy(&r->chain, chain);
    scsi_begin(&r->command, header.head.cdb, cdb_size);
    find_buffers(r, cdb_size);
    start(r, header.head.lun);
    return true;
}

/* Every queue, for a command may end while another queue is served. */
void virtio_scsi_tell(struct virtio_scsi *scsi)
{
    for (unsigned i = 0; i < scsi->device.queue_count; i++)
        if (scsi->need_flush & BIT(i))
            virtio_device_flush(&scsi->device, i);
    scsi->need_flush = 0;
}

static bool scsi_handle(void *self, unsigned queue, struct chain *chain)
{
    if (queue == VIRTIO_SCSI_EVENTS)
        return false; /* they stay in the ring: there is nothing to tell */
    if (queue >= VIRTIO_SCSI_REQUESTS)
        return handle_request(self, queue, chain);
    virtio_scsi_control(self, chain);
    return true;
}

/* What was submitted goes to the disks at once; what they had at hand is back at once. */
static void scsi_served(void *self, unsigned queue)
{
    struct virtio_scsi *scsi = self;

    (void)queue;
    for (unsigned i = 0; i < scsi->bus.count && scsi->in_flight > 0; i++)
        scsi_unit_commit(scsi->bus.places[i].unit);
    virtio_scsi_tell(scsi);
}

void virtio_scsi_complete(struct virtio_scsi *scsi)
{
    bool was_full = scsi->in_flight == scsi->count;

    for (unsigned i = 0; i < scsi->bus.count; i++) {
        const struct disk *medium = scsi->bus.places[i].unit->medium;

        if (medium)
            medium->complete(medium->self, false);
    }
    virtio_scsi_tell(scsi);
    for (unsigned i = VIRTIO_SCSI_REQUESTS; was_full && i < scsi->device.queue_count; i++)
        while (virtio_device_serve(&scsi->device, i))
            ;
}

static void wait_for_all(struct virtio_scsi *scsi)
{
    for (unsigned i = 0; i < scsi->bus.count; i++)
        scsi_unit_wait(scsi->bus.places[i].unit);
    assert(scsi->in_flight == 0);
}

/* [VIRTIO, 5.6.4.2 "Device Requirements: Device configuration layout"] */
static void set_defaults(struct virtio_scsi *scsi)
{
    scsi->config.sense_size = VIRTIO_SCSI_SENSE_DEFAULT_SIZE;
    scsi->config.cdb_size = VIRTIO_SCSI_CDB_DEFAULT_SIZE;
}

/*
 * A driver that resets the device may use its memory for something else at once. So wait
 * for the commands under way; their buffers are written for the last time.
 */
static void scsi_reset(void *self)
{
    struct virtio_scsi *scsi = self;

    wait_for_all(scsi);
    scsi->need_flush = 0;
    set_defaults(scsi);
    for (unsigned i = 0; i < scsi->bus.count; i++)
        scsi_unit_reset(scsi->bus.places[i].unit, SENSE_POWER_ON_OR_RESET);
}

static void scsi_reset_queue(void *self, unsigned queue)
{
    struct virtio_scsi *scsi = self;

    wait_for_all(scsi);
    scsi->need_flush &= ~BIT(queue);
    virtio_scsi_tell(scsi);
}

/* Two fields can be written; values that no SCSI device has any use for are not taken. */
static void scsi_config_write(void *self, unsigned offset, unsigned size, uint64_t value)
{
    struct virtio_scsi *scsi = self;

    if (size != 4)
        return;
    if (offset == offsetof(struct virtio_scsi_config, sense_size) && value <= SCSI_SENSE_LIMIT)
        scsi->config.sense_size = (uint32_t)value;
    if (offset == offsetof(struct virtio_scsi_config, cdb_size) && value <= VIRTIO_SCSI_CDB_LIMIT)
        scsi->config.cdb_size = (uint32_t)value;
}

static const struct virtio_class scsi_class = {
    .id = VIRTIO_ID_SCSI,
    .handle = scsi_handle,
    .served = scsi_served,
    .reset = scsi_reset,
    .reset_queue = scsi_reset_queue,
    .config_write = scsi_config_write,
};

void virtio_scsi_init(struct virtio_scsi *scsi, const struct guest_memory *memory, unsigned queues)
{
    assert(queues > 0 && queues <= VIRTIO_SCSI_QUEUES_MAX);
    memset(scsi, 0, sizeof *scsi);
    scsi->config = (struct virtio_scsi_config){
        .num_queues = queues,
        .seg_max = VIRTIO_SCSI_SEG_MAX,
        .max_sectors = 0xffff,
        .cmd_per_lun = VIRTIO_SCSI_QUEUE_SIZE,
        .event_info_size = sizeof(struct virtio_scsi_event),
        .max_target = SCSI_TARGETS_MAX - 1,
        .max_lun = SCSI_LUNS_MAX - 1,
    };
    set_defaults(scsi);
    virtio_device_init(&scsi->device, &scsi_class, scsi, memory, 0, &scsi->config,
                       sizeof scsi->config);
    for (unsigned i = 0; i < VIRTIO_SCSI_REQUESTS + queues; i++)
        virtio_device_add_queue(&scsi->device, VIRTIO_SCSI_QUEUE_SIZE);

    scsi->count = queues * VIRTIO_SCSI_QUEUE_SIZE;
    scsi->requests = calloc(scsi->count, sizeof *scsi->requests);
    if (!scsi->requests)
        die("no memory for %u SCSI requests", scsi->count);
}

void virtio_scsi_free(struct virtio_scsi *scsi)
{
    wait_for_all(scsi);
    free(scsi->requests);
}
