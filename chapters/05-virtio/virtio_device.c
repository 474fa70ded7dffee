/*
 * virtio_device.c: see virtio_device.h. Open at hand: [VIRTIO] 2.1 "Device Status Field"
 * to 2.6 "Virtqueues".
 *
 * Where a driver does what the specification forbids and leaves open what follows, a
 * write has no effect. Setting up a queue that cannot work makes the device ask for a
 * reset, so that a driver's author learns of it.
 *
 * Left out on purpose: transitional devices, which speak the protocol from before 1.0;
 * resuming a suspended device.
 */
#include "05-virtio/virtio_device.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "common/bits.h"

#define ACKNOWLEDGE VIRTIO_CONFIG_S_ACKNOWLEDGE
#define FEATURES_OK VIRTIO_CONFIG_S_FEATURES_OK
#define DRIVER_OK   VIRTIO_CONFIG_S_DRIVER_OK
#define NEEDS_RESET VIRTIO_CONFIG_S_NEEDS_RESET

/* The bits that a driver sets; NEEDS_RESET is ours. */
#define DRIVER_BITS                                                                                \
    (ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | FEATURES_OK | DRIVER_OK | VIRTIO_CONFIG_S_FAILED)

/* Times that a queue is served at once, two rings full each time, where others wait. */
#define ROUNDS_MAX 2u

/* A driver may be short of memory, or of places: so many buffers it is told of at once. */
#define UNTOLD_MAX 16u

void virtio_device_init(struct virtio_device *d, const struct virtio_class *class, void *self,
                        const struct guest_memory *memory, uint64_t features, void *config,
                        unsigned config_size)
{
    memset(d, 0, sizeof *d);
    d->class = class;
    d->self = self;
    d->memory = memory;
    d->offered = features | VIRTQUEUE_FEATURES | VIRTIO_FEATURE(VIRTIO_F_VERSION_1) |
                 VIRTIO_FEATURE(VIRTIO_F_RING_RESET);
    d->config = config;
    d->config_size = config_size;
}

unsigned virtio_device_add_queue(struct virtio_device *d, uint16_t size)
{
    assert(d->queue_count < VIRTIO_QUEUES_MAX && size > 0 && size <= VIRTQUEUE_SIZE_MAX);
    d->queues[d->queue_count].size_max = size;
    d->queues[d->queue_count].setup.size = size;
    return d->queue_count++;
}

static void pause_runner(struct virtio_device *d)
{
    if (d->runner)
        d->runner->pause(d->runner->self);
}

static void resume_runner(struct virtio_device *d)
{
    if (d->runner)
        d->runner->resume(d->runner->self);
}

static void queue_forget(struct virtio_queue *queue)
{
    virtqueue_stop(&queue->ring);
    queue->setup = (struct virtqueue_setup){.size = queue->size_max};
    queue->enabled = false;
}

void virtio_device_reset(struct virtio_device *d)
{
    pause_runner(d);
    if (d->class->reset)
        d->class->reset(d->self);
    for (unsigned i = 0; i < d->queue_count; i++) {
        queue_forget(&d->queues[i]);
        d->queues[i].was_reset = false;
    }
    d->accepted = 0;
    d->untold = 0;
    d->trouble = NULL;
    d->status = 0;
    resume_runner(d);
}

uint8_t virtio_device_status(const struct virtio_device *d)
{
    return d->status;
}

bool virtio_device_has(const struct virtio_device *d, unsigned feature)
{
    return d->accepted & VIRTIO_FEATURE(feature);
}

bool virtio_device_live(const struct virtio_device *d)
{
    return (d->status & (DRIVER_OK | NEEDS_RESET)) == DRIVER_OK;
}

/* [VIRTIO, 2.2.2 "Device Requirements: Feature Bits"] */
static bool features_possible(const struct virtio_device *d)
{
    if (d->accepted & ~d->offered)
        return false;
    if (!virtio_device_has(d, VIRTIO_F_VERSION_1))
        return false;
    return !d->class->features_ok || d->class->features_ok(d->self, d->accepted);
}

/* [set-status] */
void virtio_device_set_status(struct virtio_device *d, uint8_t status)
{
    uint8_t added = status & DRIVER_BITS & ~d->status;

    if (status == 0) {
        virtio_device_reset(d);
        return;
    }
    /* The driver reads the status back, and gives up if FEATURES_OK is not there. */
    if ((added & FEATURES_OK) && !features_possible(d))
        added &= ~FEATURES_OK;
    if ((added & DRIVER_OK) && !((d->status | added) & FEATURES_OK))
        added &= ~DRIVER_OK;

    d->status |= added;
    if (added & DRIVER_OK) {
        if (d->class->start)
            d->class->start(d->self);
        /* A driver may have put buffers there already, and need not say so again. */
        for (unsigned i = 0; i < d->queue_count; i++)
            virtio_device_notify(d, i);
    }
}
/* [/set-status] */

/* [fail] */
void virtio_device_fail(struct virtio_device *d, const char *why)
{
    uint8_t before = atomic_fetch_or(&d->status, NEEDS_RESET);

    if (before & NEEDS_RESET)
        return;
    d->trouble = why;
    d->breaks++;
    /* [VIRTIO, 2.1.2 "Device Requirements: Device Status Field"] */
    if ((before & DRIVER_OK) && d->wire.changed)
        d->wire.changed(d->wire.self);
}
/* [/fail] */

static uint32_t word_of(uint64_t features, uint32_t word)
{
    return word < 2 ? (uint32_t)(features >> (32 * word)) : 0;
}

uint32_t virtio_device_features(const struct virtio_device *d, uint32_t word)
{
    return word_of(d->offered, word);
}

uint32_t virtio_device_accepted(const struct virtio_device *d, uint32_t word)
{
    return word_of(d->accepted, word);
}

void virtio_device_accept(struct virtio_device *d, uint32_t word, uint32_t features)
{
    if (word >= 2 || (d->status & FEATURES_OK))
        return;
    d->accepted &= ~((uint64_t)UINT32_MAX << (32 * word));
    d->accepted |= (uint64_t)features << (32 * word);
}

struct virtio_queue *virtio_device_queue(struct virtio_device *d, uint32_t index)
{
    return index < d->queue_count ? &d->queues[index] : NULL;
}

struct virtio_queue *virtio_device_queue_setup(struct virtio_device *d, uint32_t index)
{
    struct virtio_queue *queue = virtio_device_queue(d, index);

    return queue && !queue->enabled ? queue : NULL;
}

void virtio_device_enable_queue(struct virtio_device *d, uint32_t index)
{
    struct virtio_queue *queue = virtio_device_queue_setup(d, index);
    const char *why = NULL;

    /* Before FEATURES_OK nobody knows which layout the ring has. */
    if (!queue || !(d->status & FEATURES_OK))
        return;
    pause_runner(d);
    if (queue->setup.size > queue->size_max)
        why = "a queue is larger than the device allows";
    else
        virtqueue_start(&queue->ring, d->memory, &queue->setup, d->accepted, &why);
    queue->enabled = !why;
    queue->was_reset = false;
    resume_runner(d);
    if (why)
        virtio_device_fail(d, why);
    else if (virtio_device_live(d))
        virtio_device_notify(d, index); /* enabled again after a reset of its own */
}

bool virtio_device_disable_queue(struct virtio_device *d, uint32_t index)
{
    struct virtio_queue *queue = virtio_device_queue(d, index);

    if (!queue || !queue->enabled)
        return false;
    pause_runner(d);
    if (d->class->reset_queue)
        d->class->reset_queue(d->self, index);
    queue_forget(queue);
    resume_runner(d);
    return true;
}

void virtio_device_reset_queue(struct virtio_device *d, uint32_t index)
{
    if (virtio_device_has(d, VIRTIO_F_RING_RESET) && virtio_device_disable_queue(d, index))
        d->queues[index].was_reset = true;
}

void virtio_device_notify(struct virtio_device *d, uint32_t index)
{
    if (index >= d->queue_count || !virtio_device_live(d))
        return;
    if (d->queues[index].elsewhere) {
        uint64_t one = 1;

        if (write(d->queues[index].elsewhere->kick_fd, &one, sizeof one) < 0)
            return; /* its counter is full: whoever reads it is awake */
        return;
    }
    if (d->runner) {
        d->runner->kick(d->runner->self, index);
        return;
    }
    for (unsigned rounds = 0; virtio_device_serve(d, index); rounds++) {
        if (rounds == ROUNDS_MAX && d->later.call) {
            d->later.call(d->later.self);
            return;
        }
    }
}

/* [defer] */
/*
 * A driver that has sent something wants its buffers back, but is in no hurry: it looks for
 * them anyway when it sends again, and then has moved its event index past them. An interrupt
 * that was not sent by then is one that nobody needs.
 */
static void tell_or_defer(struct virtio_device *d, unsigned index)
{
    struct virtqueue *ring = &d->queues[index].ring;

    if (!d->defers || !d->class->late || !d->class->late(d->self, index) ||
        ring->unflushed > UNTOLD_MAX) {
        virtio_device_flush(d, index);
        return;
    }
    virtqueue_publish(ring);
    if (ring->unflushed > 0)
        d->untold |= BIT(index);
}
/* [/defer] */

/* [serve] */
bool virtio_device_serve(struct virtio_device *d, unsigned index)
{
    struct virtqueue *ring = &d->queues[index].ring;
    bool stuck = false;

    if (!virtio_device_live(d) || d->queues[index].elsewhere)
        return false;
    virtqueue_disable_kicks(ring);
    for (unsigned left = 2 * VIRTQUEUE_SIZE_MAX; left > 0 && !stuck; left--) {
        if (virtqueue_pop(ring, &d->chain) <= 0)
            break;
        stuck = !d->class->handle(d->self, index, &d->chain);
        if (stuck)
            virtqueue_unpop(ring, &d->chain);
        if (!virtio_device_live(d))
            break; /* the chain was against the device's rules */
    }
    if (ring->broken)
        virtio_device_fail(d, ring->broken);
    if (d->class->served)
        d->class->served(d->self, index);
    tell_or_defer(d, index);
    /* A device that waits for its back end looks again by itself, without being told. */
    if (stuck)
        return false;
    return virtqueue_enable_kicks(ring) && virtio_device_live(d);
}
/* [/serve] */

struct chain *virtio_device_take(struct virtio_device *d, unsigned index)
{
    struct virtqueue *ring = &d->queues[index].ring;
    int got;

    do
        got = virtio_device_live(d) ? virtqueue_pop(ring, &d->taken) : 0;
    while (got == 0 && virtio_device_live(d) && virtqueue_enable_kicks(ring));
    if (got < 0)
        virtio_device_fail(d, ring->broken);
    return got > 0 ? &d->taken : NULL;
}

void virtio_device_push(struct virtio_device *d, unsigned index, const struct chain *chain,
                        uint64_t written)
{
    virtqueue_push(&d->queues[index].ring, chain, (uint32_t)written);
}

void virtio_device_flush(struct virtio_device *d, unsigned index)
{
    d->untold &= ~BIT(index);
    if (virtqueue_flush(&d->queues[index].ring) && d->wire.used)
        d->wire.used(d->wire.self, index);
}

void virtio_device_tell(struct virtio_device *d)
{
    for (unsigned i = 0; d->untold != 0 && i < d->queue_count; i++)
        if (d->untold & BIT(i))
            virtio_device_flush(d, i);
}

uint64_t virtio_device_config_read(const struct virtio_device *d, uint64_t offset, unsigned size)
{
    const uint8_t *bytes = d->config;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        if (fits(offset, i + 1, d->config_size))
            value |= (uint64_t)bytes[offset + i] << (8 * i);
    return value;
}

void virtio_device_config_write(struct virtio_device *d, uint64_t offset, unsigned size,
                                uint64_t value)
{
    if (!d->class->config_write || !fits(offset, size, d->config_size))
        return;
    pause_runner(d);
    d->class->config_write(d->self, (unsigned)offset, size, value);
    resume_runner(d);
}

void virtio_device_config_changed(struct virtio_device *d)
{
    d->generation++;
    if ((d->status & DRIVER_OK) && d->wire.changed)
        d->wire.changed(d->wire.self);
}
