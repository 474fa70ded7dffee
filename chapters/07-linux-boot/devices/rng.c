/* rng.c: virtio-rng-pci: random bytes from the host. [VIRTIO, 5.4 "Entropy Device"] */
#include "05-virtio/virtio_rng.h"
#include "07-linux-boot/devices/device.h"

#define CLASS_OTHER 0x00ff00u /* fits no class: as QEMU says of its entropy device */

struct rng_card {
    struct device device;
    struct virtio_rng rng;
};

static const struct property properties[] = {DEVICE_ROWS};

static int plug(struct device *device, struct virtio_bus *bus, struct refusal *why)
{
    struct rng_card *card = (struct rng_card *)device;

    virtio_rng_init(&card->rng, &bus->machine->vm.memory, entropy_host());
    return virtio_slot_plug(&device->slot, &card->rng.device, CLASS_OTHER, bus, why);
}

static void unplug(struct device *device)
{
    virtio_slot_unplug(&device->slot);
}

const struct device_kind device_rng = {
    .name = "virtio-rng",
    .text = "random bytes from the host",
    .properties = properties,
    .size = sizeof(struct rng_card),
    .on = BUS_VIRTIO,
    .plug = plug,
    .unplug = unplug,
};
