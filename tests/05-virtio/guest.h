/*
 * guest.h: a guest without a processor: RAM, and a driver that sets a virtio device up
 * and sends it buffers, straight through the functions of virtio_device.h.
 *
 *     guest_ram(&guest);
 *     virtio_rng_init(&rng, &guest.memory, source);
 *     guest_drive(&guest, &rng.device, UINT64_MAX, 8);     accept all, rings of 8
 *     written = guest_call(&guest, 0, pieces, 2);          lend, notify, take back
 */
#ifndef TESTS_05_GUEST_H
#define TESTS_05_GUEST_H

#include "05-virtio/virtio_device.h"
#include "common/bits.h"
#include "driver.h"

#define GUEST_RAM    (16 * MIB)
#define GUEST_RINGS  0x100000u /* the rings, RING_BYTES each */
#define GUEST_FREE   0x400000u /* from here on: buffers */
#define GUEST_QUEUES 16u

struct guest {
    struct guest_memory memory;
    struct virtio_device *device;
    struct ring rings[GUEST_QUEUES];
    atomic_uint used[GUEST_QUEUES]; /* interrupts */
    atomic_uint changed;
};

static inline void guest_ram(struct guest *g)
{
    guest_memory_free(&g->memory);
    ck_assert_int_eq(guest_memory_add(&g->memory, 0, GUEST_RAM), 0);
}

static inline void *guest_at(struct guest *g, gpa_t address, uint64_t size)
{
    void *host = guest_ptr(&g->memory, address, size);

    holds(host != NULL);
    return host;
}

static inline void guest_used(void *self, unsigned queue)
{
    struct guest *g = self;

    if (queue < GUEST_QUEUES)
        g->used[queue]++;
}

static inline void guest_changed(void *self)
{
    struct guest *g = self;

    g->changed++;
}

/* Negotiates as far as FEATURES_OK; what the device accepted. */
static inline uint64_t guest_negotiate(struct guest *g, struct virtio_device *d, uint64_t wanted)
{
    uint64_t offered, features;

    g->device = d;
    d->wire = (struct virtio_wire){guest_used, guest_changed, g};
    for (unsigned i = 0; i < GUEST_QUEUES; i++)
        g->used[i] = 0;
    g->changed = 0;
    virtio_device_set_status(d, 0);
    virtio_device_set_status(d, VIRTIO_CONFIG_S_ACKNOWLEDGE);
    virtio_device_set_status(d, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    offered = virtio_device_features(d, 0) | (uint64_t)virtio_device_features(d, 1) << 32;
    features = (offered & wanted) | VIRTIO_FEATURE(VIRTIO_F_VERSION_1);
    virtio_device_accept(d, 0, (uint32_t)features);
    virtio_device_accept(d, 1, (uint32_t)(features >> 32));
    virtio_device_set_status(d, VIRTIO_CONFIG_S_FEATURES_OK);
    return features;
}

/* Brings the device to life. Features that are not offered are left out. */
static inline void guest_drive(struct guest *g, struct virtio_device *d, uint64_t wanted,
                               unsigned ring_size)
{
    uint64_t features = guest_negotiate(g, d, wanted);

    ck_assert(virtio_device_status(d) & VIRTIO_CONFIG_S_FEATURES_OK);
    for (unsigned i = 0; i < d->queue_count && i < GUEST_QUEUES; i++) {
        ring_init(&g->rings[i], &g->memory, GUEST_RINGS + i * RING_BYTES, ring_size, features);
        ring_enable_interrupts(&g->rings[i]);
        virtio_device_queue_setup(d, i)->setup = g->rings[i].setup;
        virtio_device_enable_queue(d, i);
        ck_assert(d->queues[i].enabled);
    }
    virtio_device_set_status(d, VIRTIO_CONFIG_S_DRIVER_OK);
    ck_assert(virtio_device_live(d));
}

/* Lends a buffer and notifies if asked to. Its id. */
static inline int guest_send(struct guest *g, unsigned queue, const struct piece *pieces,
                             unsigned count)
{
    int id = ring_add(&g->rings[queue], pieces, count, false);

    holds(id >= 0);
    if (ring_publish(&g->rings[queue]))
        virtio_device_notify(g->device, queue);
    return id;
}

/* Takes the next buffer back: bytes written, or -1 if there is none. */
static inline int64_t guest_receive(struct guest *g, unsigned queue)
{
    uint16_t id;
    uint32_t written;

    if (!ring_take(&g->rings[queue], &id, &written))
        return -1;
    ring_enable_interrupts(&g->rings[queue]);
    return written;
}

/* Both, for a device that answers at once. */
static inline int64_t guest_call(struct guest *g, unsigned queue, const struct piece *pieces,
                                 unsigned count)
{
    guest_send(g, queue, pieces, count);
    return guest_receive(g, queue);
}

static inline bool guest_needs_reset(const struct guest *g)
{
    return virtio_device_status(g->device) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

#endif
