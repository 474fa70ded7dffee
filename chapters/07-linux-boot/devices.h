/*
 * devices.h: the devices of the command line, and the table of their kinds.
 *
 *     -device virtio-blk-pci,drive=d0          on the PC, whose bus is PCI
 *     -device virtio-blk-device,drive=d0       on the lean machine
 *     -device virtio-blk,drive=d0              on either
 */
#ifndef CHAPTER_07_DEVICES_H
#define CHAPTER_07_DEVICES_H

#include "07-linux-boot/devices/device.h"

#define DEVICES_MAX 32u

struct device_list {
    struct device *list[DEVICES_MAX]; /* owned */
    unsigned count;
};

/*
 * One device more, whose kind is the property "driver": looked up, connected to what it
 * names, not plugged in yet. 0, or -errno with why->text.
 */
int devices_add(struct inventory *inventory, struct properties *given, struct refusal *why);

/* Those that offer such a bus: the one of that name; with "", the first. NULL: none. */
struct device *devices_find_bus(const struct device_list *devices, enum device_bus bus,
                                const char *name);

/* All of them into a machine that is being built, and out again. */
int devices_plug(struct device_list *devices, struct virtio_bus *bus, struct refusal *why);
void devices_unplug(struct device_list *devices);
void devices_free(struct device_list *devices);

/* For -device help: the kinds; for -device KIND,help: what may be said of one. */
void devices_print(FILE *out);
int devices_print_one(FILE *out, const char *name, struct refusal *why);

#endif
