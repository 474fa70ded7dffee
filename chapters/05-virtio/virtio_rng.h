/*
 * virtio_rng.h: the entropy device: the driver lends empty buffers and gets them back
 * with random bytes. The smallest virtio device, one queue and no configuration.
 *
 *     virtio_rng_init(&rng, &vm.memory, entropy_host());
 *
 * [VIRTIO, 5.4 "Entropy Device"]
 */
#ifndef CHAPTER_05_VIRTIO_RNG_H
#define CHAPTER_05_VIRTIO_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "05-virtio/virtio_device.h"

#define VIRTIO_RNG_QUEUE_SIZE 64u

/* The most bytes for one buffer; a driver that wants more asks again. */
#define VIRTIO_RNG_MAX 4096u

/* Where random bytes come from. */
struct entropy_source {
    /* Writes up to count bytes and returns how many; 0: none now. Does not wait. */
    size_t (*get)(void *self, uint8_t *bytes, size_t count);
    void *self;
};

struct virtio_rng {
    struct virtio_device device;
    struct entropy_source source;
};

void virtio_rng_init(struct virtio_rng *rng, const struct guest_memory *memory,
                     struct entropy_source source);

/* The host's own generator, getrandom(2). */
struct entropy_source entropy_host(void);

#endif
