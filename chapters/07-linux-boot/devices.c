/* devices.c: see devices.h. One table says what there is. */
#include "07-linux-boot/devices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "07-linux-boot/inventory.h"
#include "07-linux-boot/spelling.h"
#include "common/bits.h"
#include "common/die.h"

static const struct device_kind *const kinds[] = {
    &device_blk,
    &device_net,
    &device_rng,
    &device_balloon,
    &device_serial,
    &device_virtconsole,
    &device_virtserialport,
    &device_scsi,
    &device_scsi_hd,
    &device_scsi_cd,
};

/* "virtio-blk-pci" and "virtio-blk-device" say which transport a virtio-blk has. */
enum transport { TRANSPORT_ANY, TRANSPORT_PCI, TRANSPORT_PAGE };

static const char *const suffixes[] = {
    [TRANSPORT_ANY] = "", [TRANSPORT_PCI] = "-pci", [TRANSPORT_PAGE] = "-device"};

static bool names(const char *name, const struct device_kind *kind, enum transport *transport)
{
    size_t length = strlen(kind->name);
    unsigned last = kind->on == BUS_VIRTIO ? TRANSPORT_PAGE : TRANSPORT_ANY;

    if (strncmp(name, kind->name, length) != 0)
        return false;
    for (*transport = TRANSPORT_ANY; *transport <= last; (*transport)++)
        if (strcmp(name + length, suffixes[*transport]) == 0)
            return true;
    return false;
}

static const struct device_kind *find_kind(const char *name, enum transport *transport,
                                           struct refusal *why)
{
    struct spelling spelling = spelling_of(name);
    char full[ARRAY_SIZE(kinds)][48];

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (names(name, kinds[i], transport))
            return kinds[i];
        snprintf(full[i], sizeof full[i], "%s%s", kinds[i]->name,
                 kinds[i]->on == BUS_VIRTIO ? suffixes[TRANSPORT_PCI] : "");
        spelling_offer(&spelling, full[i]);
    }
    if (spelling.best)
        refuse(why, 0, "\"%.80s\" is no device we have: did you mean %s?", name, spelling.best);
    else
        refuse(why, 0, "\"%.80s\" is no device we have: -device help lists them", name);
    return NULL;
}

static int check_transport(const struct inventory *inventory, enum transport transport,
                           const char *name, struct refusal *why)
{
    if (transport == TRANSPORT_PCI && !inventory->pci)
        return refuse(why, -EINVAL, "%s: this machine has no PCI: its devices end in -device",
                      name);
    if (transport == TRANSPORT_PAGE && inventory->pci)
        return refuse(why, -EINVAL, "%s: this machine has PCI: its devices end in -pci", name);
    return 0;
}

/* A device's bus has its name, or that with QEMU's ".0". */
static bool is_bus(const struct device *device, const char *name)
{
    size_t length = strlen(device->id);

    return *name == '\0' || (length > 0 && strncmp(name, device->id, length) == 0 &&
                             (name[length] == '\0' || strcmp(name + length, ".0") == 0));
}

struct device *devices_find_bus(const struct device_list *devices, enum device_bus bus,
                                const char *name)
{
    for (unsigned i = 0; i < devices->count; i++)
        if (devices->list[i]->kind->offers == bus && is_bus(devices->list[i], name))
            return devices->list[i];
    return NULL;
}

static int join_bus(const struct device_list *devices, struct device *device, struct refusal *why)
{
    const struct device_kind *kind = device->kind;
    struct device *host;

    if (kind->on == BUS_VIRTIO)
        return 0;
    host = devices_find_bus(devices, kind->on, device->bus);
    if (!host && device->bus[0])
        return refuse(why, -EINVAL, "bus=%s: no device before it offers %s such a bus", device->bus,
                      kind->name);
    if (!host)
        return refuse(why, -EINVAL, "needs a %s-pci before it, to which it belongs",
                      kind->on == BUS_SERIAL ? "virtio-serial" : "virtio-scsi");
    if (host->child_count == DEVICE_CHILDREN_MAX)
        return refuse(why, -ENOSPC, "there is no room for more than %u on one bus",
                      DEVICE_CHILDREN_MAX);
    host->children[host->child_count++] = device;
    return 0;
}

static int check_id(const struct device_list *devices, const char *id, struct refusal *why)
{
    for (unsigned i = 0; *id && i < devices->count; i++)
        if (strcmp(devices->list[i]->id, id) == 0)
            return refuse(why, -EINVAL, "id=%s: another device has that name", id);
    return 0;
}

static int set_up(struct inventory *inventory, struct device *device,
                  const struct properties *given, struct refusal *why)
{
    struct device_list *devices = &inventory->devices;
    int error = properties_apply(given, device->kind->properties, device, why);

    if (error == 0)
        error = check_id(devices, device->id, why);
    if (error == 0 && device->kind->connect)
        error = device->kind->connect(device, inventory, why);
    if (error == 0 && devices->count == DEVICES_MAX)
        error = refuse(why, -ENOSPC, "there is no room for more than %u devices", DEVICES_MAX);
    return error < 0 ? error : join_bus(devices, device, why);
}

int devices_add(struct inventory *inventory, struct properties *given, struct refusal *why)
{
    const char *name = properties_remove(given, "driver");
    const struct device_kind *kind;
    enum transport transport;
    struct device *device;
    int error;

    if (!name)
        return refuse(why, -EINVAL, "names no device: -device help lists them");
    kind = find_kind(name, &transport, why);
    if (!kind)
        return -EINVAL;
    error = check_transport(inventory, transport, name, why);
    if (error < 0)
        return error;
    device = calloc(1, kind->size);
    if (!device)
        die("no memory for a device");
    device->kind = kind;
    error = set_up(inventory, device, given, why);
    if (error < 0) {
        free(device);
        return error;
    }
    inventory->devices.list[inventory->devices.count++] = device;
    return 0;
}

int devices_plug(struct device_list *devices, struct virtio_bus *bus, struct refusal *why)
{
    for (unsigned i = 0; i < devices->count; i++) {
        struct device *device = devices->list[i];
        struct refusal inner;
        int error = device->kind->plug ? device->kind->plug(device, bus, &inner) : 0;

        if (error < 0)
            return refuse(why, error, "-device %s: %s", device->kind->name, inner.text);
        device->plugged = true;
    }
    return 0;
}

void devices_unplug(struct device_list *devices)
{
    for (unsigned i = devices->count; i-- > 0;) {
        struct device *device = devices->list[i];

        if (device->plugged && device->kind->unplug)
            device->kind->unplug(device);
        device->plugged = false;
    }
}

void devices_free(struct device_list *devices)
{
    while (devices->count > 0)
        free(devices->list[--devices->count]);
}

void devices_print(FILE *out)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
        fprintf(out, "%s%s: %s\n", kinds[i]->name, kinds[i]->on == BUS_VIRTIO ? "-pci" : "",
                kinds[i]->text);
}

int devices_print_one(FILE *out, const char *name, struct refusal *why)
{
    enum transport transport;
    const struct device_kind *kind = find_kind(name, &transport, why);

    if (!kind)
        return -EINVAL;
    fprintf(out, "%s: %s\n", name, kind->text);
    properties_print(out, kind->properties);
    return 0;
}
