/*
 * drives.c: see drives.h. An option that is not known here is refused by name: one that
 * was ignored could cost somebody a disk.
 */
#include "07-linux-boot/drives.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/die.h"

#define CLASS_STORAGE 0x010000u /* mass storage: SCSI, as QEMU says of its virtio disks */

struct drive_options {
    char file[4096];
    char serial[VIRTIO_BLK_ID_BYTES + 1];
    unsigned raw; /* RAW_DISK_... */
};

static int parse_choice(const char *key, const char *value, const char *yes, const char *no,
                        bool *chosen, struct refusal *why)
{
    if (strcmp(value, yes) != 0 && strcmp(value, no) != 0)
        return refuse(why, -EINVAL, "%s=%.80s: not one of %s and %s", key, value, yes, no);
    *chosen = strcmp(value, yes) == 0;
    return 0;
}

static int parse_pair(struct drive_options *o, const char *key, const char *value,
                      struct refusal *why)
{
    bool on = false;
    int error = 0;

    if (strcmp(key, "file") == 0) {
        snprintf(o->file, sizeof o->file, "%s", value);
    } else if (strcmp(key, "serial") == 0) {
        snprintf(o->serial, sizeof o->serial, "%s", value);
    } else if (strcmp(key, "readonly") == 0) {
        error = parse_choice(key, value, "on", "off", &on, why);
        o->raw |= on ? RAW_DISK_READ_ONLY : 0;
    } else if (strcmp(key, "cache") == 0) {
        error = parse_choice(key, value, "none", "writeback", &on, why);
        o->raw |= on ? RAW_DISK_DIRECT : 0;
    } else if (strcmp(key, "if") == 0) {
        error = parse_choice(key, value, "virtio", "virtio", &on, why);
    } else if (strcmp(key, "format") == 0) {
        error = parse_choice(key, value, "raw", "raw", &on, why);
    } else {
        error = refuse(why, -EINVAL, "\"%.80s\" is no property of a drive", key);
    }
    return error;
}

/* "key=value,key=value"; a comma in a value is written twice, as QEMU has it. */
static int parse(struct drive_options *o, const char *text, struct refusal *why)
{
    while (*text) {
        char pair[4200], *value;
        size_t length = 0;
        int error;

        for (; *text && (*text != ',' || text[1] == ','); text++) {
            text += *text == ',';
            if (length + 1 == sizeof pair)
                return refuse(why, -EINVAL, "a property is too long");
            pair[length++] = *text;
        }
        text += *text == ',';
        pair[length] = '\0';
        value = strchr(pair, '=');
        if (!value)
            return refuse(why, -EINVAL, "\"%.80s\" is not of the form key=value", pair);
        *value++ = '\0';
        error = parse_pair(o, pair, value, why);
        if (error < 0)
            return error;
    }
    return o->file[0] ? 0 : refuse(why, -EINVAL, "has no file=");
}

int drives_add(struct drives *drives, const char *text, struct machine *machine,
               struct pci_host *pci, struct refusal *why)
{
    struct drive_options options = {0};
    struct refusal open_why;
    struct drive *drive;
    int error = parse(&options, text, why);

    if (error < 0)
        return error;
    if (drives->count == DRIVES_MAX || pci_host_free_slot(pci) < 0)
        return refuse(why, -ENOSPC, "there is no room for more than %u drives", drives->count);
    drive = calloc(1, sizeof *drive);
    if (!drive)
        die("no memory for a drive");
    error = raw_disk_open(&drive->raw, options.file, options.raw, &open_why);
    if (error < 0) {
        free(drive);
        return refuse(why, error, "%s: %s", options.file, open_why.text);
    }
    virtio_blk_init(&drive->blk, &machine->vm.memory, &drive->raw.disk, options.serial, 1);
    virtio_pci_init(&drive->transport, &drive->blk.device, CLASS_STORAGE,
                    irqchip_msi(&machine->vm));
    pci_host_plug(pci, (unsigned)pci_host_free_slot(pci), &drive->transport.pci);
    drives->list[drives->count++] = drive;
    return 0;
}

void drives_free(struct drives *drives)
{
    for (unsigned i = 0; i < drives->count; i++) {
        virtio_blk_free(&drives->list[i]->blk);
        raw_disk_close(&drives->list[i]->raw);
        free(drives->list[i]);
    }
    drives->count = 0;
}
