/*
 * virtio_balloon.h: the memory balloon: memory that the guest lends back to the host.
 *
 *     queue 0    inflate: numbers of pages that the guest will not touch any more
 *     queue 1    deflate: pages that it takes back
 *     queue 2    statistics, if the driver accepts them
 *     the next   reporting: ranges that happen to be free just now
 *
 * The host says how many pages it would like (virtio_balloon_set_target()); the driver
 * blows the balloon up or lets air out until it has them, and says how far it got. What
 * is in the balloon, and what is reported free, the host gets at once; a page touched
 * again is a fresh one of zeros.
 *
 *     virtio_balloon_init(&balloon, &vm.memory, page_release_host());
 *     virtio_balloon_set_target(&balloon, 64 * MIB / GUEST_PAGE_SIZE);
 *
 * [VIRTIO, 5.5 "Traditional Memory Balloon Device"]
 */
#ifndef CHAPTER_05_VIRTIO_BALLOON_H
#define CHAPTER_05_VIRTIO_BALLOON_H

#include <linux/virtio_balloon.h>

#include "05-virtio/virtio_device.h"

#define VIRTIO_BALLOON_QUEUE_SIZE 128u

/* Pages named by one buffer of the inflate queue; the others of it are ignored. */
#define VIRTIO_BALLOON_PAGES_MAX 65536u

/* Who takes memory away from the guest. Whole pages of ours, which read as zeros then. */
struct page_release {
    void (*release)(void *self, uint8_t *host, uint64_t size);
    void *self;
};

struct virtio_balloon {
    struct virtio_device device;
    struct virtio_balloon_config config;
    struct page_release release;
    uint64_t inflated, deflated; /* pages, since the start */
    uint64_t reported;           /* bytes */

    bool has_statistics; /* a buffer of the driver's, to be given back when we want new ones */
    struct chain statistics;
    uint64_t values[VIRTIO_BALLOON_S_NR]; /* by tag */
};

void virtio_balloon_init(struct virtio_balloon *b, const struct guest_memory *memory,
                         struct page_release release);

/* How many pages the host would like to have. Under the devices' lock. */
void virtio_balloon_set_target(struct virtio_balloon *b, uint32_t pages);

/* How many the driver says are in the balloon. */
uint32_t virtio_balloon_actual(const struct virtio_balloon *b);

/* Asks for new statistics; they are in values soon. False: the driver has none to give. */
bool virtio_balloon_ask(struct virtio_balloon *b);

/* The host's own way: madvise(2), MADV_DONTNEED. */
struct page_release page_release_host(void);

#endif
