/*
 * virtqueue.h: the device's end of a virtqueue, the ring by which a driver lends
 * buffers and gets them back.
 *
 *          driver (guest)                             device (we)
 *     writes descriptors, then                    virtqueue_pop() takes a chain,
 *     makes them available    -- available ->     the device reads and writes it,
 *     takes buffers back      <--- used ------    virtqueue_push() gives it back
 *
 *     "look" (notification)   -------------->     virtqueue_enable_kicks() or not
 *     interrupt or not        <--------------     virtqueue_flush() says whether
 *
 * A device serves a queue like this:
 *
 *     do {
 *         virtqueue_disable_kicks(queue);
 *         while (virtqueue_pop(queue, &chain) > 0) {
 *             ... use the chain ...
 *             virtqueue_push(queue, &chain, bytes_written);
 *         }
 *         if (virtqueue_flush(queue))
 *             ... interrupt the driver ...
 *     } while (virtqueue_enable_kicks(queue));
 *
 * Two layouts hide behind these calls: the split ring (split_ring.c) and the packed
 * ring (packed_ring.c), as negotiated. [VIRTIO, 2.6 "Virtqueues"]
 *
 * The rules that keep a hostile driver out:
 * - Each field of the ring is read once for each pass, into a variable of ours; checks
 *   and use see the same copy. The guest's other processors may change the original.
 * - A ring that breaks the rules is broken: virtqueue_pop() fails from then on, and the
 *   device asks to be reset (DEVICE_NEEDS_RESET). queue->broken says why.
 * - At most size chains are in the device's hands at any time.
 *
 * Pure: guest memory in, calls out; no KVM, no threads. One thread at a time may call
 * these functions on one queue; different queues are independent.
 */
#ifndef CHAPTER_05_VIRTQUEUE_H
#define CHAPTER_05_VIRTQUEUE_H

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "01-kvm-hello/memory.h"
#include "05-virtio/chain.h"

#define VIRTQUEUE_SIZE_MAX CHAIN_MAX

/* The feature bits that change how a ring works; every device may offer them. */
#define VIRTQUEUE_FEATURES                                                                         \
    (1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_RING_F_EVENT_IDX |                       \
     1ull << VIRTIO_F_RING_PACKED)

/* What a driver writes into a transport's registers before it enables a queue. */
struct virtqueue_setup {
    uint16_t size;
    gpa_t descriptors; /* descriptor table, or packed descriptor ring */
    gpa_t driver;      /* available ring, or driver event suppression */
    gpa_t device;      /* used ring, or device event suppression */
};

struct virtqueue;

/* Someone who watches (ring_trace.h). Called on the queue's thread; NULL: nobody. */
struct virtqueue_watch {
    void (*popped)(void *self, const struct virtqueue *queue, const struct chain *chain);
    void (*pushed)(void *self, const struct virtqueue *queue, const struct chain *chain,
                   uint32_t written);
    void (*flushed)(void *self, const struct virtqueue *queue, bool interrupt);
    void *self;
};

/* Start with an all-zero struct. The pointers lead into guest memory, not owned. */
struct virtqueue {
    const struct guest_memory *memory;
    struct virtqueue_setup setup;
    union {
        struct {
            const uint8_t *descriptors; /* struct vring_desc[size] */
            const struct vring_avail *available;
            struct vring_used *used;
        } split;
        struct {
            struct vring_packed_desc *ring;
            const struct vring_packed_desc_event *driver;
            struct vring_packed_desc_event *device;
            bool available_wrap; /* our copies of the two wrap counters */
            bool used_wrap;
        } packed;
    };
    uint16_t size;      /* 0: not started */
    uint16_t next_pop;  /* split: counts for ever; packed: a place in the ring */
    uint16_t next_push; /* the same */
    uint16_t unflushed; /* as many pushes (packed: slots) since the last flush */
    uint16_t in_flight; /* chains popped (packed: their slots) and not yet pushed */
    bool is_packed, indirect, event_index;
    const char *broken; /* NULL, or what the driver did wrong; static text */
    const struct virtqueue_watch *watch;
};

/*
 * Starts to serve the ring that setup describes, under the accepted feature bits. 0, or
 * -EINVAL with *why: a size the layout does not allow, an address not aligned or not
 * in RAM. watch is kept.
 */
int virtqueue_start(struct virtqueue *queue, const struct guest_memory *memory,
                    const struct virtqueue_setup *setup, uint64_t features, const char **why);

/* Forgets the ring; chains in flight must not be used any more. watch is kept. */
void virtqueue_stop(struct virtqueue *queue);

/* Takes the next available chain: 1. 0: there is none. -EPROTO: broken, see above. */
int virtqueue_pop(struct virtqueue *queue, struct chain *chain);

/* Undoes the latest virtqueue_pop(): the chain will come again. */
void virtqueue_unpop(struct virtqueue *queue, const struct chain *chain);

/*
 * Gives a chain back; the device wrote the first written bytes of its writable part.
 * In any order, but the driver sees it, and is told, at virtqueue_flush() at the latest.
 */
void virtqueue_push(struct virtqueue *queue, const struct chain *chain, uint32_t written);

/* Shows the driver what was pushed. True: it wants an interrupt for it. */
bool virtqueue_flush(struct virtqueue *queue);

/* Shows it only; whether it wants an interrupt is left to a later virtqueue_flush(). */
void virtqueue_publish(struct virtqueue *queue);

/* "I am looking anyway": asks the driver not to notify. Only a hint to it. */
void virtqueue_disable_kicks(struct virtqueue *queue);

/*
 * Asks to be notified of the next chain that the driver adds. True: there is one in the
 * ring already, so look once more.
 */
bool virtqueue_enable_kicks(struct virtqueue *queue);

/* Declares the ring broken; a device may, when a chain is not what its rules say. */
int virtqueue_break(struct virtqueue *queue, const char *why);

#endif
