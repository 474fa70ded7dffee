/*
 * virtio_rng.c: see virtio_rng.h. Open at hand: [VIRTIO] 5.4.6 "Device Operation".
 *
 * A buffer need not be filled, so none is large enough to keep us busy. A buffer that
 * has no writable byte is against the rules, but costs nobody anything: it comes back
 * empty.
 *
 * Left out on purpose: a limit of bytes in a second. getrandom() computes its bytes and
 * uses nothing up.
 */
#include "05-virtio/virtio_rng.h"

#include <sys/random.h>

/* [rng-handle] */
static bool rng_handle(void *self, unsigned queue, struct chain *chain)
{
    struct virtio_rng *rng = self;
    uint8_t bytes[VIRTIO_RNG_MAX];
    size_t want = sizeof bytes, got;

    if (want > chain->writable_size)
        want = chain->writable_size;
    got = rng->source.get(rng->source.self, bytes, want);
    virtio_device_push(&rng->device, queue, chain, chain_write(chain, 0, bytes, got));
    return true;
}
/* [/rng-handle] */

/* [rng-class] */
static const struct virtio_class rng_class = {
    .id = VIRTIO_ID_RNG,
    .handle = rng_handle,
};

void virtio_rng_init(struct virtio_rng *rng, const struct guest_memory *memory,
                     struct entropy_source source)
{
    virtio_device_init(&rng->device, &rng_class, rng, memory, 0, NULL, 0);
    virtio_device_add_queue(&rng->device, VIRTIO_RNG_QUEUE_SIZE);
    rng->source = source;
}
/* [/rng-class] */

static size_t host_get(void *self, uint8_t *bytes, size_t count)
{
    ssize_t got = getrandom(bytes, count, GRND_NONBLOCK);

    (void)self;
    return got < 0 ? 0 : (size_t)got;
}

struct entropy_source entropy_host(void)
{
    return (struct entropy_source){.get = host_get};
}
