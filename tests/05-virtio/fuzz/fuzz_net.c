/*
 * fuzz_net.c: the network device with all offloads. Pokes: a frame arrives, the cable is
 * pulled, the driver is told of what it could wait for. A frame that the guest sends must be
 * what its header says, after our checks. Some inputs have a device whose rings are served
 * elsewhere: these must lie in RAM when they are handed over, and be taken back by a reset.
 */
#include "05-virtio/virtio_net.h"
#include "common/bits.h"
#include "fuzz.h"

static struct virtio_net net;
static struct net_backend backend;
static bool lent;

static void take_frame(void *self, unsigned pair, const struct virtio_net_hdr_v1 *header,
                       const struct iovec *iov, unsigned count)
{
    size_t size = fuzz_look(iov, count);

    (void)self;
    must(pair < VIRTIO_NET_PAIRS_MAX);
    must(size >= NET_FRAME_MIN && size <= NET_FRAME_MAX);
    if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
        must((size_t)header->csum_start + header->csum_offset + 2 <= size);
    if (header->gso_type)
        must(header->gso_size > 0 && header->hdr_len <= size &&
             header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

static void resume(void *self)
{
    static const uint8_t frame[60] = {0x52, 0x54, 0, 1, 2, 3};
    static const struct virtio_net_hdr_v1 header;

    (void)self;
    backend.receiver.receive(backend.receiver.self, &header, frame, sizeof frame);
}

static int lend(void *self, struct virtio_device *device)
{
    (void)self;
    for (unsigned i = 0; i < 2; i++) {
        const struct virtqueue *ring = &device->queues[i].ring;

        if (ring->size == 0)
            return -1;
        must(!ring->is_packed);
        fuzz_look(&(struct iovec){(void *)ring->split.descriptors, 16u * ring->size}, 1);
        fuzz_look(&(struct iovec){(void *)ring->split.available, 6 + 2u * ring->size}, 1);
        fuzz_look(&(struct iovec){ring->split.used, 6 + 8u * ring->size}, 1);
    }
    lent = true;
    return 0;
}

static void take_back(void *self)
{
    (void)self;
    lent = false;
}

static void call_by(void *self, int fd)
{
    (void)self, (void)fd;
}

struct virtio_device *target_begin(const struct guest_memory *memory)
{
    static const uint8_t mac[] = {0x52, 0x54, 0, 1, 2, 3};
    static const struct net_bypass bypass = {.features = ~VIRTIO_FEATURE(VIRTIO_F_RING_PACKED),
                                             .rings = {{-1, call_by, NULL}, {-1, call_by, NULL}},
                                             .start = lend,
                                             .stop = take_back};
    unsigned options = (unsigned)fuzz_take(1);

    backend = (struct net_backend){.offloads = options & 1 ? UINT64_MAX : 0,
                                   .send = take_frame,
                                   .resume = options & 2 ? resume : NULL,
                                   .bypass = options & 0x80 ? &bypass : NULL};
    lent = false;
    virtio_net_init(&net, memory, &backend, mac, 1 + options / 4 % 3);
    net.device.defers = options & 0x40;
    return &net.device;
}

void target_poke(void)
{
    static uint8_t frame[NET_FRAME_MAX + 1];
    unsigned what = (unsigned)fuzz_take(1);
    struct virtio_net_hdr_v1 header = {.flags = what & 1, .gso_type = (what & 2) ? what >> 4 : 0};
    size_t size = fuzz_take(2) + (what & 8 ? 14u : 0);

    frame[0] = (uint8_t)(what & 4 ? 0xff : 0x52);
    frame[1] = 0x54;
    if (what & 0x80)
        virtio_net_set_link(&net, what & 1);
    if (what & 0x40) {
        net.device.class->streams(&net);
        virtio_device_tell(&net.device);
    }
    if (size <= sizeof frame)
        backend.receiver.receive(backend.receiver.self, &header, frame, size);
}

void target_end(void)
{
    must(!lent && net.device.untold == 0);
}
