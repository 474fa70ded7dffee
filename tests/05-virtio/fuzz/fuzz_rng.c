/* fuzz_rng.c: the entropy device; the poke is a source that runs dry. See fuzz.h. */
#include "fuzz.h"

#include <string.h>

#include "05-virtio/virtio_rng.h"

static struct virtio_rng rng;
static size_t supply;

static size_t get(void *self, uint8_t *bytes, size_t count)
{
    (void)self;
    if (count > supply)
        count = supply;
    memset(bytes, 0xa5, count);
    return count;
}

struct virtio_device *target_begin(const struct guest_memory *memory)
{
    supply = SIZE_MAX;
    virtio_rng_init(&rng, memory, (struct entropy_source){get, NULL});
    return &rng.device;
}

void target_poke(void)
{
    supply = fuzz_take(2);
}

void target_end(void)
{
}
