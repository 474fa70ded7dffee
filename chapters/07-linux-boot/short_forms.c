/* short_forms.c: see short_forms.h. */
#include "07-linux-boot/short_forms.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "07-linux-boot/inventory.h"
#include "common/bits.h"

#define NAME_ROOM 24u

/* Adds key=value to what a short form says of the device, if it says it. */
static int pass_on(struct properties *from, const char *key, struct properties *to,
                   struct refusal *why)
{
    const char *value = properties_remove(from, key);

    return value ? properties_add(to, key, value, why) : 0;
}

/* A name for the back end if it has none, which lasts as long as room. */
static int name_it(struct properties *given, const char *prefix, unsigned number,
                   char room[NAME_ROOM], struct refusal *why)
{
    if (properties_value(given, "id"))
        return 0;
    snprintf(room, NAME_ROOM, "%s%u", prefix, number);
    return properties_add(given, "id", room, why);
}

/* What -drive's if= and media= mean for the device in front of it. */
static const struct {
    const char *interface, *media, *driver;
} drive_drivers[] = {
    {"virtio", "disk", "virtio-blk"},
    {"scsi", "disk", "scsi-hd"},
    {"scsi", "cdrom", "scsi-cd"},
};

static const char *drive_driver(const char *interface, const char *media, struct refusal *why)
{
    for (unsigned i = 0; i < ARRAY_SIZE(drive_drivers); i++)
        if (strcmp(drive_drivers[i].interface, interface) == 0 &&
            strcmp(drive_drivers[i].media, media) == 0)
            return drive_drivers[i].driver;
    refuse(why, 0,
           "if=%.40s,media=%.40s: there are if=virtio, if=scsi, if=scsi,media=cdrom and "
           "if=none",
           interface, media);
    return NULL;
}

/* The SCSI host, if the command line has not named one. */
static int want_scsi(struct inventory *inventory, struct refusal *why)
{
    struct properties host = {.count = 0};

    if (devices_find_bus(&inventory->devices, BUS_SCSI, ""))
        return 0;
    properties_add(&host, "driver", "virtio-scsi", why);
    return devices_add(inventory, &host, why);
}

int short_form_drive(struct inventory *inventory, struct properties *given, struct refusal *why)
{
    const char *interface = properties_remove(given, "if");
    const char *media = properties_remove(given, "media");
    struct properties device = {.count = 0};
    char name[NAME_ROOM];
    const char *driver;
    int error;

    if (inventory->snapshot && !properties_value(given, "snapshot") &&
        properties_add(given, "snapshot", "on", why) < 0)
        return -EINVAL;
    if (interface && strcmp(interface, "none") == 0)
        return drives_add(&inventory->drives, given, why);
    driver = drive_driver(interface ? interface : "virtio", media ? media : "disk", why);
    if (!driver)
        return -EINVAL;
    if (properties_add(&device, "driver", driver, why) < 0 ||
        pass_on(given, "serial", &device, why) < 0 ||
        name_it(given, "drive", inventory->drives.count, name, why) < 0 ||
        properties_add(&device, "drive", properties_value(given, "id"), why) < 0)
        return -EINVAL;
    error = drives_add(&inventory->drives, given, why);
    if (error == 0 && strncmp(driver, "scsi", 4) == 0)
        error = want_scsi(inventory, why);
    return error < 0 ? error : devices_add(inventory, &device, why);
}

static int add_disk(struct inventory *inventory, const char *option, const char *file,
                    const char *media, struct refusal *why)
{
    struct properties given = {.count = 0};
    struct refusal inner;
    int error = 0;

    if (!file)
        return 0;
    properties_add(&given, "file", file, why);
    properties_add(&given, "if", "scsi", why);
    if (media) {
        properties_add(&given, "media", media, why);
        properties_add(&given, "readonly", "on", why);
    }
    error = short_form_drive(inventory, &given, &inner);
    return error < 0 ? refuse(why, error, "-%s %.80s: %s", option, file, inner.text) : 0;
}

int short_form_disks(struct inventory *inventory, const struct options *options,
                     struct refusal *why)
{
    int error = add_disk(inventory, "hda", options->hda, NULL, why);

    return error < 0 ? error : add_disk(inventory, "cdrom", options->cdrom, "cdrom", why);
}

/* Only one model is ours. */
static int check_model(const char *model, struct refusal *why)
{
    if (model && strcmp(model, "virtio") != 0 && strcmp(model, "virtio-net-pci") != 0)
        return refuse(why, -EINVAL, "model=%.40s: not one of virtio and virtio-net-pci", model);
    return 0;
}

int short_form_nic(struct inventory *inventory, struct properties *given, struct refusal *why)
{
    const char *type = properties_value(given, "type");
    struct properties device = {.count = 0};
    char name[NAME_ROOM];
    int error = check_model(properties_remove(given, "model"), why);

    if (error < 0)
        return error;
    if (type && strcmp(type, "none") == 0)
        return given->count == 1 ? 0 : refuse(why, -EINVAL, "none has no properties");
    if (properties_add(&device, "driver", "virtio-net", why) < 0 ||
        pass_on(given, "mac", &device, why) < 0 ||
        name_it(given, "nic", inventory->netdevs.count, name, why) < 0 ||
        properties_add(&device, "netdev", properties_value(given, "id"), why) < 0)
        return -EINVAL;
    error = netdevs_add(&inventory->netdevs, given, why);
    return error < 0 ? error : devices_add(inventory, &device, why);
}

/* One -serial or -monitor: NULL with why->text, if it is refused; "none" gives *none. */
static struct char_end *serial_end(struct inventory *inventory, const char *text, const char *id,
                                   bool *none, struct refusal *why)
{
    *none = strcmp(text, "none") == 0;
    if (*none)
        return NULL;
    if (strncmp(text, "chardev:", 8) == 0)
        return inventory_take_chardev(inventory, text + 8, why);
    if (strcmp(text, "mon:stdio") == 0) {
        inventory->monitor_behind = true;
        text += 4;
    }
    return chardevs_add_short(&inventory->chardevs, text, id, why);
}

static int add_serial(struct inventory *inventory, const char *text, struct refusal *why)
{
    struct refusal inner;
    char name[NAME_ROOM];
    bool none;

    if (inventory->serial_count == (inventory->pci ? SERIAL_PORTS_MAX : 1))
        return refuse(why, -EINVAL, "-serial %.80s: this machine has %u", text,
                      inventory->serial_count);
    snprintf(name, sizeof name, "serial%u", inventory->serial_count);
    inventory->serial[inventory->serial_count] = serial_end(inventory, text, name, &none, &inner);
    if (!inventory->serial[inventory->serial_count] && !none)
        return refuse(why, -EINVAL, "-serial %.80s: %s", text, inner.text);
    inventory->serial_count++;
    return 0;
}

static int add_monitor(struct inventory *inventory, const char *text, struct refusal *why)
{
    struct refusal inner;
    bool none;

    inventory->monitor = serial_end(inventory, text, "monitor", &none, &inner);
    return inventory->monitor || none
               ? 0
               : refuse(why, -EINVAL, "-monitor %.80s: %s", text, inner.text);
}

/*
 * Who connects owns the guest. So a port is for programs of this host, unless an address says
 * otherwise; and the guest does not wait for one.
 */
static int add_gdb(struct inventory *inventory, const char *text, struct refusal *why)
{
    struct refusal inner;
    struct char_end *end;
    bool none;

    end = serial_end(inventory, text, "gdb", &none, &inner);
    if (none)
        return 0;
    if (!end)
        return refuse(why, -EINVAL, "-gdb %.80s: %s", text, inner.text);
    if (inventory->monitor_behind && strncmp(text, "mon:", 4) == 0)
        return refuse(why, -EINVAL, "-gdb %.80s: a debugger is no person at a terminal", text);
    if (strncmp(text, "chardev:", 8) != 0) {
        end->server = true;
        end->wait = false;
        end->alone = true;
        if (end->port[0] && !end->host[0])
            strcpy(end->host, "127.0.0.1");
    }
    inventory->gdb = end;
    return 0;
}

int short_form_serial(struct inventory *inventory, const struct options *options,
                      struct refusal *why)
{
    int error = options->monitor ? add_monitor(inventory, options->monitor, why) : 0;

    if (error == 0 && options->gdb)
        error = add_gdb(inventory, options->gdb, why);
    for (unsigned i = 0; i < options->serials.count && error == 0; i++)
        error = add_serial(inventory, options->serials.values[i], why);
    if (error == 0 && options->serials.count == 0)
        error = add_serial(
            inventory,
            chardevs_terminal(&inventory->chardevs) || options->daemonize ? "null" : "mon:stdio",
            why);
    return error;
}
