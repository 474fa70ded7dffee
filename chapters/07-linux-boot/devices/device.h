/*
 * device.h: a device of the command line: the half that the guest sees.
 *
 *     -device virtio-blk-pci,drive=d0      front end virtio_blk, back end the drive d0
 *
 * Each kind of device is one row, a struct device_kind in a file of this folder: its name,
 * what may be said of it, and how it is made. Its own struct begins with a struct device.
 *
 *     connect()   once, when the command line is read: finds the back ends it names
 *     plug()      whenever a machine is built: makes the model, puts it on the bus
 *     unplug()    when that machine goes: the next one finds the back end as it was
 *
 * A device may offer a bus of its own, to which others belong (ports to a virtio-serial,
 * disks to a SCSI host). Those have no plug(): their host's plug() finds them in its list.
 */
#ifndef CHAPTER_07_DEVICES_DEVICE_H
#define CHAPTER_07_DEVICES_DEVICE_H

#include "07-linux-boot/drives.h"
#include "07-linux-boot/properties.h"
#include "07-linux-boot/virtio_slot.h"

#define DEVICE_CHILDREN_MAX 16u

struct inventory;
struct device;

enum device_bus {
    BUS_NONE,
    BUS_VIRTIO, /* the machine's own: virtio_bus.h */
    BUS_SERIAL, /* a virtio-serial's */
    BUS_SCSI,   /* a virtio-scsi's */
};

/* [device-kind] */
struct device_kind {
    const char *name; /* on BUS_VIRTIO without its "-pci" or "-device" */
    const char *text;
    const struct property *properties; /* of the kind's own struct; ends with DEVICE_ROWS */
    size_t size;                       /* of that struct */
    enum device_bus on;
    enum device_bus offers;
    int (*connect)(struct device *device, struct inventory *inventory, struct refusal *why);
    int (*plug)(struct device *device, struct virtio_bus *bus, struct refusal *why);
    void (*unplug)(struct device *device);
};
/* [/device-kind] */

struct device {
    const struct device_kind *kind;
    char id[ID_ROOM];  /* empty: it has no name */
    char bus[ID_ROOM]; /* the device whose bus it is on; empty: the first that offers one */
    bool plugged;
    struct virtio_slot slot;                      /* BUS_VIRTIO */
    struct device *children[DEVICE_CHILDREN_MAX]; /* on the bus it offers. Not owned */
    unsigned child_count;
};

/* The rows that every kind's table ends with. */
#define DEVICE_ROWS                                                                                \
    {"id", property_id, AT(struct device, id), .form = "NAME"},                                    \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define DEVICE_ROWS_ON_A_BUS                                                                       \
    {"bus", property_text, AT(struct device, bus), .form = "DEVICE"}, DEVICE_ROWS

/* The kinds there are. */
extern const struct device_kind device_blk, device_net, device_rng, device_balloon;
extern const struct device_kind device_serial, device_virtconsole, device_virtserialport;
extern const struct device_kind device_scsi, device_scsi_hd, device_scsi_cd;

#endif
