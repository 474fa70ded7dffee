/* devices.c: see devices.h. One table says what there is. */
#include "07-linux-boot/devices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/properties.h"
#include "common/bits.h"
#include "common/die.h"

#define CLASS_OTHER 0x00ff00u /* fits no class: as QEMU says of its entropy device */

struct device_row {
    const char *name;
    uint32_t class_code;
    /* Initializes the model, and returns the virtio device in it. */
    struct virtio_device *(*init)(struct plugged_device *d, const struct guest_memory *memory);
};

static struct virtio_device *init_rng(struct plugged_device *d, const struct guest_memory *memory)
{
    virtio_rng_init(&d->model.rng, memory, entropy_host());
    return &d->model.rng.device;
}

static const struct device_row rows[] = {
    {"virtio-rng-pci", CLASS_OTHER, init_rng},
};

static int take(void *self, const char *key, const char *value, struct refusal *why)
{
    const struct device_row **row = self;

    if (strcmp(key, "driver") != 0)
        return refuse(why, -EINVAL, "\"%.80s\" is no property of it", key);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(value, rows[i].name) == 0) {
            *row = &rows[i];
            return 0;
        }
    return refuse(why, -EINVAL,
                  "\"%.80s\" is no device we have: there is virtio-rng-pci; disks are -drive, "
                  "networks -nic",
                  value);
}

int devices_add(struct plugged_devices *devices, const char *text, struct virtio_bus *bus,
                struct refusal *why)
{
    const struct device_row *row = NULL;
    struct plugged_device *d;
    int error = properties_parse(text, "driver", take, &row, why);

    if (error < 0)
        return error;
    if (!row)
        return refuse(why, -EINVAL, "names no device");
    if (devices->count == DEVICES_MAX)
        return refuse(why, -ENOSPC, "there is no room for more than %u devices", DEVICES_MAX);
    d = calloc(1, sizeof *d);
    if (!d)
        die("no memory for a device");
    error = virtio_slot_plug(&d->slot, row->init(d, &bus->machine->vm.memory), row->class_code, bus,
                             why);
    if (error < 0) {
        free(d);
        return error;
    }
    devices->list[devices->count++] = d;
    return 0;
}

void devices_free(struct plugged_devices *devices)
{
    while (devices->count > 0) {
        struct plugged_device *d = devices->list[--devices->count];

        virtio_slot_unplug(&d->slot);
        free(d);
    }
}
