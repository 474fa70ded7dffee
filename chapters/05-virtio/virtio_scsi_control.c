/*
 * virtio_scsi_control.c: the control queue of virtio_scsi.h: whom a command is for, and
 * task management. Open at hand: [VIRTIO] 5.6.6.2 "Device Operation: controlq".
 *
 * A driver whose command takes too long wants it back: it asks to abort it, then to reset
 * the unit, then the target. What a disk has begun cannot be taken back. So task management
 * waits until the commands have ended by themselves; when it is done, the driver may use
 * their buffers for something else, and that is what it asks for.
 */
#include "05-virtio/virtio_scsi.h"

#include <string.h>

_Static_assert(sizeof(struct virtio_scsi_ctrl_tmf_req) == 24, "[VIRTIO, 5.6.6.2]");
_Static_assert(sizeof(struct virtio_scsi_ctrl_an_req) == 16, "[VIRTIO, 5.6.6.2]");

/* [address] */
/*
 * Eight bytes: 1, the target, two bytes of LUN, zeros. The LUN's upper two bits say how it
 * is written: 0 or 1, and both mean the same.
 */
struct scsi_address virtio_scsi_address(const uint8_t lun[8])
{
    static const uint8_t zeros[4];

    if (lun[0] != 1 || lun[2] >> 6 > 1 || memcmp(&lun[4], zeros, sizeof zeros) != 0)
        return (struct scsi_address){.valid = false};
    return (struct scsi_address){
        .valid = true, .target = lun[1], .lun = (lun[2] & 0x3fu) << 8 | lun[3]};
}
/* [/address] */

static bool is_active(const struct virtio_scsi *scsi, const struct scsi_unit *unit,
                      const uint64_t *tag)
{
    for (unsigned i = 0; i < scsi->fresh; i++) {
        const struct scsi_request *r = &scsi->requests[i];

        if (r->active && r->unit == unit && (!tag || r->tag == *tag))
            return true;
    }
    return false;
}

static void reset_target(struct virtio_scsi *scsi, unsigned target)
{
    for (unsigned i = 0; i < scsi->bus.count; i++) {
        struct scsi_unit *unit = scsi->bus.places[i].unit;

        if (scsi->bus.places[i].target != target)
            continue;
        scsi_unit_wait(unit);
        scsi_unit_reset(unit, SENSE_DEVICE_RESET);
    }
}

static uint8_t manage(struct virtio_scsi *scsi, const struct virtio_scsi_ctrl_tmf_req *request)
{
    struct scsi_address address = virtio_scsi_address(request->lun);
    struct scsi_unit *unit;

    if (!address.valid || !scsi_bus_has_target(&scsi->bus, address.target))
        return VIRTIO_SCSI_S_BAD_TARGET;
    if (request->subtype == VIRTIO_SCSI_T_TMF_I_T_NEXUS_RESET) {
        reset_target(scsi, address.target);
        return VIRTIO_SCSI_S_OK;
    }
    unit = scsi_bus_unit(&scsi->bus, address.target, address.lun);
    if (!unit)
        return VIRTIO_SCSI_S_INCORRECT_LUN;
    switch (request->subtype) {
    case VIRTIO_SCSI_T_TMF_ABORT_TASK:
    case VIRTIO_SCSI_T_TMF_ABORT_TASK_SET:
    case VIRTIO_SCSI_T_TMF_CLEAR_TASK_SET: scsi_unit_wait(unit); return VIRTIO_SCSI_S_OK;
    case VIRTIO_SCSI_T_TMF_LOGICAL_UNIT_RESET:
        scsi_unit_wait(unit);
        scsi_unit_reset(unit, SENSE_DEVICE_RESET);
        return VIRTIO_SCSI_S_OK;
    case VIRTIO_SCSI_T_TMF_QUERY_TASK:
        return is_active(scsi, unit, &(uint64_t){request->tag}) ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED
                                                                : VIRTIO_SCSI_S_OK;
    case VIRTIO_SCSI_T_TMF_QUERY_TASK_SET:
        return is_active(scsi, unit, NULL) ? VIRTIO_SCSI_S_FUNCTION_SUCCEEDED : VIRTIO_SCSI_S_OK;
    default: return VIRTIO_SCSI_S_FUNCTION_REJECTED;
    }
}

/* The commands it is about come back before the answer does. */
static unsigned handle_tmf(struct virtio_scsi *scsi, const struct chain *chain)
{
    struct virtio_scsi_ctrl_tmf_req request;
    struct virtio_scsi_ctrl_tmf_resp response;

    if (chain_read(chain, 0, &request, sizeof request) < sizeof request ||
        chain->writable_size < sizeof response)
        return 0;
    response.response = manage(scsi, &request);
    virtio_scsi_tell(scsi);
    return (unsigned)chain_write(chain, 0, &response, sizeof response);
}

/* Asynchronous notifications: we have none, whichever are asked for. */
static unsigned handle_notification(struct virtio_scsi *scsi, const struct chain *chain)
{
    struct virtio_scsi_ctrl_an_req request;
    struct virtio_scsi_ctrl_an_resp response = {.event_actual = 0, .response = VIRTIO_SCSI_S_OK};
    struct scsi_address address;

    if (chain_read(chain, 0, &request, sizeof request) < sizeof request ||
        chain->writable_size < sizeof response)
        return 0;
    address = virtio_scsi_address(request.lun);
    if (!address.valid || !scsi_bus_has_target(&scsi->bus, address.target))
        response.response = VIRTIO_SCSI_S_BAD_TARGET;
    return (unsigned)chain_write(chain, 0, &response, sizeof response);
}

void virtio_scsi_control(struct virtio_scsi *scsi, struct chain *chain)
{
    unsigned written = 0;
    uint32_t type;

    if (chain_read(chain, 0, &type, sizeof type) == sizeof type) {
        if (type == VIRTIO_SCSI_T_TMF)
            written = handle_tmf(scsi, chain);
        else if (type == VIRTIO_SCSI_T_AN_QUERY || type == VIRTIO_SCSI_T_AN_SUBSCRIBE)
            written = handle_notification(scsi, chain);
        else
            written = (unsigned)chain_write(chain, 0, &(uint8_t){VIRTIO_SCSI_S_FAILURE}, 1);
    }
    if (written == 0)
        virtio_device_fail(&scsi->device, "a SCSI control request without header or response");
    else
        virtio_device_push(&scsi->device, VIRTIO_SCSI_CONTROL, chain, written);
}
