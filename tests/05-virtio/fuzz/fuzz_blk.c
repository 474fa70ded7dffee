/*
 * fuzz_blk.c: the block device; the poke is the disk that finishes, or changes its mood. A
 * device's pool of requests takes long to make, so each kind of device is made once; that
 * a reset leaves nothing behind is part of the test.
 */
#include "05-virtio/virtio_blk.h"
#include "memory_disk.h"

static struct virtio_blk kinds[8], *blk;
static struct disk writable, read_only;

struct virtio_device *target_begin(const struct guest_memory *memory)
{
    unsigned kind = (unsigned)fuzz_take(1) % ARRAY_SIZE(kinds);

    writable = memory_disk(false);
    read_only = memory_disk(true);
    blk = &kinds[kind];
    if (!blk->requests)
        virtio_blk_init(blk, memory, kind & 1 ? &read_only : &writable, "fuzz", 1 + kind / 2);
    return &blk->device;
}

void target_poke(void)
{
    mood = (uint8_t)fuzz_take(1);
    if (mood & 8)
        virtio_blk_complete(blk);
}

void target_end(void)
{
    must(late_count == 0 && blk->in_flight == 0); /* a reset waits for what is under way */
}
