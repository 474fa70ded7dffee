/*
 * virtio_device.h: what every virtio device has, whatever it does and however the
 * driver reaches it.
 *
 *     guest            transport                virtio_device            the device
 *     registers  -->   virtio_mmio,      -->    status, features,  -->   virtio_rng,
 *                      virtio_pci               configuration,           virtio_blk, ...
 *     interrupt  <--   (struct virtio_wire)<--  queues            <--
 *
 * A transport knows registers and interrupts, but no device; a device knows its queues
 * and its configuration, but no transport. [VIRTIO, 2 "Basic Facilities of a Virtio
 * Device"]
 *
 * The life of a device [VIRTIO, 3.1.1 "Driver Requirements: Device Initialization"]:
 *
 *     status 0                            reset
 *     ACKNOWLEDGE, DRIVER                 a driver has found it
 *       features offered and accepted
 *     FEATURES_OK                         sticks only if we can work with them;
 *       queues placed and enabled         from here on features are fixed
 *     DRIVER_OK                           live: queues are served
 *     DEVICE_NEEDS_RESET                  a rule was broken; nothing is served any more
 *
 * Who runs the device's code? Without a runner, whoever notifies: the processor's
 * thread, between the guest's store and its next instruction. With one (worker.h), a
 * thread of the device's own, so that the guest goes on while a disk is slow. The
 * registers belong to the caller of these functions, under the devices' lock; the queues
 * and the device's own state belong to the runner, while it is not paused.
 */
#ifndef CHAPTER_05_VIRTIO_DEVICE_H
#define CHAPTER_05_VIRTIO_DEVICE_H

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "05-virtio/virtqueue.h"

#define VIRTIO_QUEUES_MAX 64u

/* The value of a feature word with one feature. */
#define VIRTIO_FEATURE(bit) (1ull << (bit))

/* [wire] */
/* From the device to the transport. Any thread may call these. */
struct virtio_wire {
    void (*used)(void *self, unsigned queue); /* buffers of this queue were used */
    void (*changed)(void *self);              /* configuration or status has changed */
    void *self;
};
/* [/wire] */

/* Who runs the device's code instead of the notifying thread. */
struct virtio_runner {
    void (*kick)(void *self, unsigned queue); /* virtio_device_serve() soon, over there */
    void (*pause)(void *self);                /* returns when nothing of the device runs */
    void (*resume)(void *self);
    void *self;
};

/*
 * For a board that serves queues on a thread with other duties: a guest that refills its
 * rings all the time must not keep that thread. After some rings full of buffers call() is
 * asked to have virtio_device_notify() called again, from the thread's own loop.
 */
struct virtio_later {
    void (*call)(void *self);
    void *self;
};

/* [class] */
/* What a device adds to the common part. All but handle may be NULL. */
struct virtio_class {
    uint16_t id; /* VIRTIO_ID_... */
    /* Are these features, all of them offered, possible together? */
    bool (*features_ok)(void *self, uint64_t features);
    /* DRIVER_OK was set: features are final, queues are ready. */
    void (*start)(void *self);
    /*
     * A buffer has come in queue. True: it is the device's now, which pushes it, at once
     * or later. False: the device can't use it yet; it stays in the ring.
     */
    bool (*handle)(void *self, unsigned queue, struct chain *chain);
    /* Called when a queue has been served for now, before the driver is told. */
    void (*served)(void *self, unsigned queue);
    /* Forget everything; no buffer may be touched after it returns. */
    void (*reset)(void *self);
    /* The same for the buffers of one queue. */
    void (*reset_queue)(void *self, unsigned queue);
    /* The driver wrote to the configuration; the bytes are the device's to change. */
    void (*config_write)(void *self, unsigned offset, unsigned size, uint64_t value);
    /* Can the driver of this queue wait to be told that its buffers are used? */
    bool (*late)(void *self, unsigned queue);
    /* Has much been moved since the last time somebody asked, so that more will come? */
    bool (*streams)(void *self);
};
/* [/class] */

/* [elsewhere] */
/*
 * A queue that somebody else serves: the host's kernel, say. A ring is memory; all that is
 * needed beside it are two eventfds.
 */
struct virtio_elsewhere {
    int kick_fd;                         /* written to when the driver notifies; not owned */
    void (*call_by)(void *self, int fd); /* from now on write to fd for an interrupt; -1: none */
    void *self;
};
/* [/elsewhere] */

struct virtio_queue {
    struct virtqueue_setup setup;
    uint16_t size_max; /* 0: there is no such queue */
    bool enabled;
    bool was_reset;                           /* by itself, and not enabled again since */
    const struct virtio_elsewhere *elsewhere; /* NULL: served here */
    struct virtqueue ring;
};

struct virtio_device {
    const struct virtio_class *class;
    void *self;                        /* the device around this struct */
    const struct guest_memory *memory; /* not owned */
    uint64_t offered, accepted;
    _Atomic uint8_t status;
    uint32_t generation; /* of the configuration */
    void *config;        /* the device's configuration space, not owned */
    unsigned config_size;
    struct virtio_queue queues[VIRTIO_QUEUES_MAX];
    unsigned queue_count;
    const char *trouble; /* why it needs a reset; static text, or NULL */
    /* So that no loss is silent: rules broken, requests that failed, frames dropped. */
    _Atomic uint64_t breaks, errors, dropped;
    struct virtio_wire wire;
    const struct virtio_runner *runner; /* NULL: the notifying thread */
    struct virtio_later later;          /* call is NULL: serve on until all is done */
    bool defers;        /* there is a runner who calls virtio_device_tell() in time */
    uint64_t untold;    /* queues whose driver has not been asked whether it wants to know */
    struct chain chain; /* the one being handled */
    struct chain taken; /* what virtio_device_take() gave, often meanwhile */
};

/*
 * A device without queues. features are the class's own bits; the rings' and VERSION_1
 * are added. config may be NULL if config_size is 0. Needs no release.
 */
void virtio_device_init(struct virtio_device *d, const struct virtio_class *class, void *self,
                        const struct guest_memory *memory, uint64_t features, void *config,
                        unsigned config_size);

/* Appends a queue of at most size places, and returns its number. */
unsigned virtio_device_add_queue(struct virtio_device *d, uint16_t size);

/* For the transport. */

void virtio_device_reset(struct virtio_device *d);
uint8_t virtio_device_status(const struct virtio_device *d);
/* A write to the status register; 0 resets. Bits can only be added, in their order. */
void virtio_device_set_status(struct virtio_device *d, uint8_t status);

/* Feature bits by words of 32: 0 and 1; other words are 0 and ignore writes. */
uint32_t virtio_device_features(const struct virtio_device *d, uint32_t word);
uint32_t virtio_device_accepted(const struct virtio_device *d, uint32_t word);
void virtio_device_accept(struct virtio_device *d, uint32_t word, uint32_t features);

/* The queue, or NULL if there is none of that number. */
struct virtio_queue *virtio_device_queue(struct virtio_device *d, uint32_t index);

/* The queue if its setup may still be written: it is there, and not enabled. */
struct virtio_queue *virtio_device_queue_setup(struct virtio_device *d, uint32_t index);

/* Refused: the queue stays as it was, and the device needs a reset. */
void virtio_device_enable_queue(struct virtio_device *d, uint32_t index);

/* Takes one queue out of service. True: it was in service. */
bool virtio_device_disable_queue(struct virtio_device *d, uint32_t index);

/* The same where the driver may do so: [VIRTIO, 2.6.1 "Virtqueue Reset"]. */
void virtio_device_reset_queue(struct virtio_device *d, uint32_t index);

/* The driver says that there are buffers in a queue. Any number is harmless. */
void virtio_device_notify(struct virtio_device *d, uint32_t index);

/* Bytes of the configuration, little-endian; zero beyond its end. size is 1 to 8. */
uint64_t virtio_device_config_read(const struct virtio_device *d, uint64_t offset, unsigned size);
void virtio_device_config_write(struct virtio_device *d, uint64_t offset, unsigned size,
                                uint64_t value);

/* For the device. */

bool virtio_device_has(const struct virtio_device *d, unsigned feature);
bool virtio_device_live(const struct virtio_device *d);

/*
 * Handles the buffers of a queue, at most two rings full of them. True: there may be
 * more, call again.
 */
bool virtio_device_serve(struct virtio_device *d, unsigned index);

/*
 * The next buffer of a queue that the device fills unasked, in d->taken; NULL: there is
 * none, and the driver has been asked to notify when there is. For queues whose handle()
 * leaves buffers in the ring.
 */
struct chain *virtio_device_take(struct virtio_device *d, unsigned index);

/* Gives a buffer back; the driver hears of it at virtio_device_flush(). */
void virtio_device_push(struct virtio_device *d, unsigned index, const struct chain *chain,
                        uint64_t written);
void virtio_device_flush(struct virtio_device *d, unsigned index);

/* For the runner: tells the driver what it could wait for, if it still wants to know. */
void virtio_device_tell(struct virtio_device *d);

/* The driver broke a rule: DEVICE_NEEDS_RESET. why is static text. */
void virtio_device_fail(struct virtio_device *d, const char *why);

/* The device has changed config, under the devices' lock: a new generation. */
void virtio_device_config_changed(struct virtio_device *d);

#endif
