/*
 * short_forms.h: options that say both halves of a device at once.
 *
 *     -drive file=F,serial=S         -drive file=F,if=none,id=drive0
 *                                    -device virtio-blk,drive=drive0,serial=S
 *     -hda F                         -drive file=F,if=scsi
 *     -cdrom F                       -drive file=F,if=scsi,media=cdrom,readonly=on
 *     -nic user,mac=M                -netdev user,id=nic0
 *                                    -device virtio-net,netdev=nic0,mac=M
 *     -serial unix:F,server=on       -chardev socket,id=serial0,path=F,server=on
 *                                    and the port COM1, COM2 ...
 *     -monitor stdio                 -chardev stdio,id=monitor, and a monitor
 *     -gdb tcp::1234                 -chardev socket,id=gdb,host=127.0.0.1,port=1234,
 *                                    server=on,wait=off, and a debugger's stub
 *
 * Without any -serial, COM1 and the monitor share the terminal: -serial mon:stdio.
 */
#ifndef CHAPTER_07_SHORT_FORMS_H
#define CHAPTER_07_SHORT_FORMS_H

#include "07-linux-boot/properties.h"

struct inventory;
struct options;

/* Adds what is meant to the inventory. 0, or -errno with why->text. */
int short_form_drive(struct inventory *inventory, struct properties *given, struct refusal *why);
int short_form_nic(struct inventory *inventory, struct properties *given, struct refusal *why);

/* -hda and -cdrom. */
int short_form_disks(struct inventory *inventory, const struct options *options,
                     struct refusal *why);

/* All of -serial, -monitor and -gdb. */
int short_form_serial(struct inventory *inventory, const struct options *options,
                      struct refusal *why);

#endif
