/*
 * fuzz_scsi.c: the SCSI host with two disks, one of them read-only, and a CD-ROM drive.
 * Pokes: the disk finishes or changes its mood, somebody changes the disc. As in
 * fuzz_blk.c, each kind of host is made once.
 */
#include "05-virtio/scsi_cdrom.h"
#include "05-virtio/scsi_disk.h"
#include "05-virtio/virtio_scsi.h"
#include "memory_disk.h"

static struct virtio_scsi kinds[3], *scsi;
static struct disk disks[3];
static struct scsi_unit units[2];
static struct scsi_cdrom drive;

struct virtio_device *target_begin(const struct guest_memory *memory)
{
    unsigned options = (unsigned)fuzz_take(1);

    for (unsigned i = 0; i < ARRAY_SIZE(disks); i++)
        disks[i] = memory_disk(i > 0);
    scsi = &kinds[options / 2 % ARRAY_SIZE(kinds)];
    if (!scsi->requests)
        virtio_scsi_init(scsi, memory, 1 + options / 2 % ARRAY_SIZE(kinds));
    scsi->bus = (struct scsi_bus){.count = 0};
    for (unsigned i = 0; i < ARRAY_SIZE(units); i++) {
        scsi_disk_init(&units[i], &disks[i], "fuzz");
        must(scsi_bus_add(&scsi->bus, 0, i, &units[i]) == 0);
    }
    scsi_cdrom_init(&drive, options & 1 ? &disks[2] : NULL, "fuzz-cd");
    must(scsi_bus_add(&scsi->bus, 1, 0, &drive.unit) == 0);
    return &scsi->device;
}

void target_poke(void)
{
    mood = (uint8_t)fuzz_take(1);
    if (mood & 8)
        virtio_scsi_complete(scsi);
    if ((mood & 0x10) && scsi_cdrom_eject(&drive) && (mood & 0x20))
        scsi_cdrom_insert(&drive, &disks[2]);
}

void target_end(void)
{
    must(late_count == 0 && scsi->in_flight == 0);
}
