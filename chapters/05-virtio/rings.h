/*
 * rings.h: what the two ring layouts have in common, and their functions, which only
 * virtqueue.c calls. See virtqueue.h for what each does. Flushing is asked for only when
 * something was pushed.
 */
#ifndef CHAPTER_05_RINGS_H
#define CHAPTER_05_RINGS_H

#include <string.h>

#include "05-virtio/virtqueue.h"

/*
 * Copies something that lies in guest memory into our own, once. The empty statement
 * tells the compiler that memory may change here, so it cannot read the original again
 * when the copy is looked at: what was checked is what is used.
 */
static inline void fetch(void *copy, const void *shared, size_t size)
{
    memcpy(copy, shared, size);
    __asm__ volatile("" ::: "memory");
}

/*
 * Indices and flags by which driver and device hand memory over to each other.
 *
 * Acquire: what the driver wrote before this index is seen by reads after it. Release:
 * what we wrote before it is seen by a driver that sees the index. On x86 both cost
 * nothing but the compiler's freedom.
 */
static inline uint16_t load_acquire(const uint16_t *shared)
{
    return __atomic_load_n(shared, __ATOMIC_ACQUIRE);
}

static inline void store_release(uint16_t *shared, uint16_t value)
{
    __atomic_store_n(shared, value, __ATOMIC_RELEASE);
}

/*
 * The one barrier that x86 does not give for nothing: a store, then a load of something
 * else. We say "used" and then look whether the driver wants to know; it says "I want
 * to know" and then looks for used buffers. If both could look first, both would sleep.
 */
static inline void store_then_load(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* [passed-event] */
/*
 * Has the index that moved from old to next passed event? All count modulo 2^16, and so
 * every value that a driver may write there has an answer.
 * [VIRTIO, 2.7.7.2 "Device Requirements: Used Buffer Notification Suppression"]
 */
static inline bool passed_event(uint16_t event, uint16_t next, uint16_t old)
{
    return (uint16_t)(next - event - 1) < (uint16_t)(next - old);
}
/* [/passed-event] */

/* How many descriptors a table of size bytes has; 0 for a size that is not allowed. */
static inline uint32_t indirect_count(uint32_t size)
{
    uint32_t count = size / sizeof(struct vring_desc);

    return size % sizeof(struct vring_desc) == 0 && count <= CHAIN_MAX ? count : 0;
}

const char *split_ring_start(struct virtqueue *queue);
int split_ring_pop(struct virtqueue *queue, struct chain *chain);
void split_ring_unpop(struct virtqueue *queue);
void split_ring_push(struct virtqueue *queue, const struct chain *chain, uint32_t written);
void split_ring_publish(struct virtqueue *queue);
bool split_ring_flush(struct virtqueue *queue);
void split_ring_disable_kicks(struct virtqueue *queue);
bool split_ring_enable_kicks(struct virtqueue *queue);

const char *packed_ring_start(struct virtqueue *queue);
int packed_ring_pop(struct virtqueue *queue, struct chain *chain);
void packed_ring_unpop(struct virtqueue *queue, const struct chain *chain);
void packed_ring_push(struct virtqueue *queue, const struct chain *chain, uint32_t written);
bool packed_ring_flush(struct virtqueue *queue);
void packed_ring_disable_kicks(struct virtqueue *queue);
bool packed_ring_enable_kicks(struct virtqueue *queue);

#endif
