/*
 * virtio_scsi.h: the SCSI host: a virtio device behind which there are disks and CD-ROM
 * drives, each with an address.
 *
 *     queue 0      control: task management, such as a reset of one unit
 *     queue 1      events, which we have none to tell of
 *     queue 2 ...  requests: SCSI commands
 *
 * A request is one chain. The driver writes the first part, the device the second:
 *
 *     readable   lun, tag, attributes, CDB         19 + cdb_size bytes
 *                data-out
 *     writable   response, status, sense data      12 + sense_size bytes
 *                data-in
 *
 * cdb_size and sense_size stand in the configuration; the driver may change them. This
 * device knows nothing of SCSI but addresses: it hands commands to the bus (scsi_bus.h)
 * and brings back what comes of them. [VIRTIO, 5.6 "SCSI Host Device"]
 *
 *     virtio_scsi_init(&scsi, &vm.memory, 1);
 *     scsi_disk_init(&unit, &raw.disk, "serial-1");
 *     scsi_bus_add(&scsi.bus, 0, 0, &unit);
 *     ...
 *     virtio_scsi_free(&scsi);
 */
#ifndef CHAPTER_05_VIRTIO_SCSI_H
#define CHAPTER_05_VIRTIO_SCSI_H

#include <linux/virtio_scsi.h>

#include "05-virtio/scsi_bus.h"
#include "05-virtio/virtio_device.h"

#define VIRTIO_SCSI_QUEUE_SIZE CHAIN_MAX
#define VIRTIO_SCSI_QUEUES_MAX 16u /* of requests */

/* A chain has a header and a response beside the data. */
#define VIRTIO_SCSI_SEG_MAX (CHAIN_MAX - 2)

/* The largest CDB that SCSI knows; of ours only the first bytes are looked at. */
#define VIRTIO_SCSI_CDB_LIMIT 260u

struct scsi_request {
    struct virtio_scsi *scsi;
    struct scsi_request *next_free;
    struct scsi_unit *unit; /* NULL: none in particular */
    bool active;            /* the driver waits for it */
    uint64_t tag;
    unsigned queue;
    unsigned sense_size; /* when it came */
    struct chain chain;
    struct scsi_command command;
};

struct virtio_scsi {
    struct virtio_device device;
    struct virtio_scsi_config config;
    struct scsi_bus bus;
    struct scsi_request *requests; /* owned */
    struct scsi_request *free;     /* those that have been used, and are free again */
    unsigned fresh, count;         /* requests[fresh .. count) have never been used */
    unsigned in_flight;
    uint64_t need_flush; /* queues with buffers that the driver has not been told of */
};

/* With so many request queues. Dies without memory. */
void virtio_scsi_init(struct virtio_scsi *scsi, const struct guest_memory *memory, unsigned queues);
void virtio_scsi_free(struct virtio_scsi *scsi);

/*
 * Ends commands that the units' disks have finished since. To be called when the ready_fd
 * of one of them is readable, on the thread that serves the queues.
 */
void virtio_scsi_complete(struct virtio_scsi *scsi);

/* ---- between virtio_scsi.c and virtio_scsi_control.c ------------------------- */

enum { VIRTIO_SCSI_CONTROL, VIRTIO_SCSI_EVENTS, VIRTIO_SCSI_REQUESTS };

struct scsi_address {
    bool valid;
    unsigned target, lun;
};

struct scsi_address virtio_scsi_address(const uint8_t lun[8]);

/* Carries out what came on the control queue. */
void virtio_scsi_control(struct virtio_scsi *scsi, struct chain *chain);

/* Tells the driver of all that was used. */
void virtio_scsi_tell(struct virtio_scsi *scsi);

#endif
