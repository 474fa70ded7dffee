/*
 * inventory.h: everything that the command line puts into the machine: front ends and
 * back ends, found by their names.
 *
 *     -netdev user,id=n0   -device virtio-net-pci,netdev=n0      two halves
 *     -nic user                                                  the same, in short
 *
 *     inventory_read(&inventory, &options, &why);       words only: no file is touched
 *     inventory_open(&inventory, &console, &why);             the host's half, once
 *     inventory_start(&inventory);                            its threads
 *     for each machine that is built:
 *         devices_plug(&inventory.devices, &bus, &why);
 *         ... it runs ...
 *         chardevs_detach(&inventory.chardevs);
 *         devices_unplug(&inventory.devices);
 *     inventory_free(&inventory);
 *
 * A name that nothing has, one that two things have, a back end that no device is in
 * front of and one with two of them are refused.
 */
#ifndef CHAPTER_07_INVENTORY_H
#define CHAPTER_07_INVENTORY_H

#include "07-linux-boot/chardevs.h"
#include "07-linux-boot/clerk.h"
#include "07-linux-boot/devices.h"
#include "07-linux-boot/drives.h"
#include "07-linux-boot/netdevs.h"
#include "07-linux-boot/options.h"
#include "07-linux-boot/serial_ports.h"
#include "07-linux-boot/vnc/vnc.h"

struct inventory {
    bool pci;      /* the machine has it, so devices are virtio-...-pci */
    bool snapshot; /* of all drives that do not say otherwise */
    struct drives drives;
    struct netdevs netdevs;
    struct chardevs chardevs;
    struct char_end *serial[SERIAL_PORTS_MAX]; /* NULL: there is no such port. Not owned */
    unsigned serial_count;
    struct char_end *monitor; /* NULL: none, or ... */
    bool monitor_behind;      /* ... behind the terminal, by Ctrl-A c */
    bool screen;              /* a text screen, keyboard and mouse: -vnc */
    struct vnc_place vnc;     /* where it is shown */
    struct char_end *gdb;     /* where a debugger comes; NULL: none does */
    struct device_list devices;
    unsigned net_cards;        /* so far */
    const struct clerk *clerk; /* who opens discs. NULL: this process may. Not owned */
};

/* 0, or -errno with why->text; then there is nothing in it to be freed. It must not move. */
int inventory_read(struct inventory *inventory, const struct options *options, struct refusal *why);
int inventory_open(struct inventory *inventory, struct console *console, struct refusal *why);
void inventory_start(struct inventory *inventory);
void inventory_free(struct inventory *inventory);

/* Answers "-device help" and the like. 0, or -errno with why->text. */
int inventory_answer(FILE *out, const struct options *options, struct refusal *why);

/* For a device: the back end of that name, its own from now on. NULL with why->text. */
struct drive *inventory_take_drive(struct inventory *inventory, const char *id,
                                   struct refusal *why);
struct netdev *inventory_take_netdev(struct inventory *inventory, const char *id,
                                     struct refusal *why);
struct char_end *inventory_take_chardev(struct inventory *inventory, const char *id,
                                        struct refusal *why);

#endif
