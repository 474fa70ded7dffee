/*
 * devices.h: "-device NAME": devices without anything of the host's behind them that an
 * option of its own would describe.
 *
 *     -device virtio-rng-pci      random bytes from the host
 */
#ifndef CHAPTER_07_DEVICES_H
#define CHAPTER_07_DEVICES_H

#include "05-virtio/virtio_rng.h"
#include "07-linux-boot/virtio_slot.h"

#define DEVICES_MAX 4u

struct plugged_device {
    struct virtio_slot slot;
    union {
        struct virtio_rng rng;
    } model;
};

struct plugged_devices {
    struct plugged_device *list[DEVICES_MAX]; /* owned */
    unsigned count;
};

/* 0, or -errno with why->text; nothing is plugged in then. */
int devices_add(struct plugged_devices *devices, const char *text, struct virtio_bus *bus,
                struct refusal *why);
void devices_free(struct plugged_devices *devices);

#endif
