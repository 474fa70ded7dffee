/*
 * fuzz_net.c: the network device with all offloads. Pokes: a frame arrives, the cable is
 * pulled. A frame that the guest sends must be what its header says, after our checks.
 */
#include "05-virtio/virtio_net.h"
#include "common/bits.h"
#include "fuzz.h"

static struct virtio_net net;
static struct net_backend backend;

static void take_frame(void *self, const struct virtio_net_hdr_v1 *header, const struct iovec *iov,
                       unsigned count)
{
    size_t size = fuzz_look(iov, count);

    (void)self;
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

struct virtio_device *target_begin(const struct guest_memory *memory)
{
    static const uint8_t mac[] = {0x52, 0x54, 0, 1, 2, 3};
    unsigned options = (unsigned)fuzz_take(1);

    backend = (struct net_backend){.offloads = options & 1 ? UINT64_MAX : 0,
                                   .send = take_frame,
                                   .resume = options & 2 ? resume : NULL};
    virtio_net_init(&net, memory, &backend, mac, 1 + options / 4 % 3);
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
    if (size <= sizeof frame)
        backend.receiver.receive(backend.receiver.self, &header, frame, size);
}

void target_end(void)
{
}
