/*
 * virtio_balloon.c: see virtio_balloon.h. Open at hand: [VIRTIO] 5.5.6 "Device Operation".
 *
 * A driver may name any number as a page: those that are not RAM are ignored, and the
 * same page may be given twice. All that a lying driver loses is its own memory.
 *
 * Left out on purpose: free page hinting, which serves migration; page poison; refusing
 * to hand a page back that is still in the balloon, which the device cannot notice.
 */
#include "05-virtio/virtio_balloon.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "common/bits.h"

_Static_assert(VIRTIO_BALLOON_PFN_SHIFT == 12, "[VIRTIO, 5.5.6]: pages of 4096 bytes");
_Static_assert(offsetof(struct virtio_balloon_config, actual) == 4, "[VIRTIO, 5.5.4]");
_Static_assert(sizeof(struct virtio_balloon_stat) == 10, "[VIRTIO, 5.5.6.3]");

enum { INFLATE = 0, DEFLATE = 1 };

static unsigned statistics_queue(const struct virtio_balloon *b)
{
    return virtio_device_has(&b->device, VIRTIO_BALLOON_F_STATS_VQ) ? 2 : VIRTIO_QUEUES_MAX;
}

/* Queues without their feature do not count. [VIRTIO, 5.5.2 "Virtqueues"] */
static unsigned reporting_queue(const struct virtio_balloon *b)
{
    if (!virtio_device_has(&b->device, VIRTIO_BALLOON_F_REPORTING))
        return VIRTIO_QUEUES_MAX;
    return virtio_device_has(&b->device, VIRTIO_BALLOON_F_STATS_VQ) ? 3 : 2;
}

/* [inflate] */
static void inflate(struct virtio_balloon *b, const struct chain *chain)
{
    uint32_t pages[256];

    for (unsigned done = 0; done < VIRTIO_BALLOON_PAGES_MAX; done += ARRAY_SIZE(pages)) {
        size_t got = chain_read(chain, done * sizeof pages[0], pages, sizeof pages);

        for (size_t i = 0; i < got / sizeof pages[0]; i++) {
            gpa_t address = (gpa_t)pages[i] << VIRTIO_BALLOON_PFN_SHIFT;
            uint8_t *host = guest_ptr_to_write(b->device.memory, address, GUEST_PAGE_SIZE);

            if (!host)
                continue;
            b->release.release(b->release.self, host, GUEST_PAGE_SIZE);
            b->inflated++;
        }
        if (got < sizeof pages)
            break;
    }
}
/* [/inflate] */

/* Free ranges are lent as buffers to be written; only whole pages of them can go. */
static void take_reported(struct virtio_balloon *b, const struct chain *chain)
{
    for (unsigned i = 0; i < chain->writable; i++) {
        const struct iovec *piece = &chain->iov[chain->readable + i];
        uintptr_t start = align_up((uintptr_t)piece->iov_base, GUEST_PAGE_SIZE);
        uintptr_t end = align_down((uintptr_t)piece->iov_base + piece->iov_len, GUEST_PAGE_SIZE);

        if (end <= start)
            continue;
        b->release.release(b->release.self, (uint8_t *)start, end - start);
        b->reported += end - start;
    }
}

static void keep_statistics(struct virtio_balloon *b, unsigned queue, const struct chain *chain)
{
    struct virtio_balloon_stat stat;

    for (unsigned i = 0; i < VIRTIO_BALLOON_S_NR; i++) {
        if (chain_read(chain, i * sizeof stat, &stat, sizeof stat) < sizeof stat)
            break;
        if (stat.tag < VIRTIO_BALLOON_S_NR)
            b->values[stat.tag] = stat.val;
    }
    if (b->has_statistics) /* one too many: it may have the older one back */
        virtio_device_push(&b->device, queue, &b->statistics, 0);
    chain_copy(&b->statistics, chain);
    b->has_statistics = true;
}

static bool balloon_handle(void *self, unsigned queue, struct chain *chain)
{
    struct virtio_balloon *b = self;

    if (queue == statistics_queue(b)) {
        keep_statistics(b, queue, chain);
        return true;
    }
    if (queue == INFLATE)
        inflate(b, chain);
    else if (queue == DEFLATE)
        b->deflated += chain->readable_size / sizeof(uint32_t);
    else if (queue == reporting_queue(b))
        take_reported(b, chain);
    else
        return false; /* a queue whose feature was not accepted */
    virtio_device_push(&b->device, queue, chain, 0);
    return true;
}

static void balloon_reset(void *self)
{
    struct virtio_balloon *b = self;

    b->has_statistics = false;
    b->config.actual = 0;
}

static void balloon_reset_queue(void *self, unsigned queue)
{
    struct virtio_balloon *b = self;

    if (queue == statistics_queue(b))
        b->has_statistics = false;
}

/* The driver says how much is in the balloon; nothing else is its to write. */
static void balloon_config_write(void *self, unsigned offset, unsigned size, uint64_t value)
{
    struct virtio_balloon *b = self;

    if (offset == offsetof(struct virtio_balloon_config, actual) && size == 4)
        b->config.actual = (uint32_t)value;
}

static const struct virtio_class balloon_class = {
    .id = VIRTIO_ID_BALLOON,
    .handle = balloon_handle,
    .reset = balloon_reset,
    .reset_queue = balloon_reset_queue,
    .config_write = balloon_config_write,
};

void virtio_balloon_init(struct virtio_balloon *b, const struct guest_memory *memory,
                         struct page_release release)
{
    memset(b, 0, sizeof *b);
    b->release = release;
    virtio_device_init(&b->device, &balloon_class, b, memory,
                       VIRTIO_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) |
                           VIRTIO_FEATURE(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
                           VIRTIO_FEATURE(VIRTIO_BALLOON_F_REPORTING),
                       &b->config, offsetof(struct virtio_balloon_config, free_page_hint_cmd_id));
    for (unsigned i = 0; i < 4; i++)
        virtio_device_add_queue(&b->device, VIRTIO_BALLOON_QUEUE_SIZE);
}

void virtio_balloon_set_target(struct virtio_balloon *b, uint32_t pages)
{
    b->config.num_pages = pages;
    virtio_device_config_changed(&b->device);
}

uint32_t virtio_balloon_actual(const struct virtio_balloon *b)
{
    return b->config.actual;
}

bool virtio_balloon_ask(struct virtio_balloon *b)
{
    if (!b->has_statistics || !virtio_device_live(&b->device))
        return false;
    b->has_statistics = false;
    virtio_device_push(&b->device, statistics_queue(b), &b->statistics, 0);
    virtio_device_flush(&b->device, statistics_queue(b));
    return true;
}

static void host_release(void *self, uint8_t *host, uint64_t size)
{
    (void)self;
    /* It fails for memory that is locked; then it stays the guest's, and no harm is done. */
    if (madvise(host, size, MADV_DONTNEED) < 0)
        return;
}

struct page_release page_release_host(void)
{
    return (struct page_release){.release = host_release};
}
