/*
 * balloon.c: virtio-balloon-pci: memory that the guest lends back to the host.
 * [VIRTIO, 5.5 "Traditional Memory Balloon Device"]
 *
 * free-page-reporting=on: the guest also tells which of its pages happen to be free, and
 * the host has them until they are touched again. The monitor's "balloon N" sets how much
 * memory the guest shall keep.
 */
#include "07-linux-boot/devices/balloon.h"

#define CLASS_OTHER 0x00ff00u

static const struct property properties[] = {
    {"free-page-reporting", property_switch, AT(struct balloon_card, reporting), .form = "on|off"},
    DEVICE_ROWS,
};

static int plug(struct device *device, struct virtio_bus *bus, struct refusal *why)
{
    struct balloon_card *card = (struct balloon_card *)device;

    virtio_balloon_init(&card->balloon, &bus->machine->vm.memory, page_release_host());
    if (!card->reporting)
        card->balloon.device.offered &= ~VIRTIO_FEATURE(VIRTIO_BALLOON_F_REPORTING);
    virtio_balloon_set_target(&card->balloon, card->target);
    return virtio_slot_plug(&device->slot, &card->balloon.device, CLASS_OTHER, bus, why);
}

static void unplug(struct device *device)
{
    virtio_slot_unplug(&device->slot);
}

const struct device_kind device_balloon = {
    .name = "virtio-balloon",
    .text = "memory that the guest lends back to the host",
    .properties = properties,
    .size = sizeof(struct balloon_card),
    .on = BUS_VIRTIO,
    .plug = plug,
    .unplug = unplug,
};
