/*
 * virtio_net.c: see virtio_net.h. Open at hand: [VIRTIO] 5.1.6 "Device Operation".
 *
 *     from the guest    handle -> check the header -> backend.send(iovecs of the guest)
 *     to the guest      receive -> filter -> one buffer, or several (mergeable) -> used
 *
 * The header of a frame from the guest can ask for work: "put the checksum of all from
 * byte csum_start at csum_start + csum_offset", "cut this into segments of gso_size". A
 * back end that does so in a kernel trusts these numbers no more than we do; still they
 * are checked here, against the features and the frame, so that no back end need.
 *
 * Left out on purpose: hash reports, receive coalescing, standby devices, a filter in
 * eBPF.
 */
#include "05-virtio/virtio_net.h"

#include <assert.h>
#include <string.h>

#include "05-virtio/net_filter.h"
#include "common/bits.h"

/* So many bytes at once are a stream's; so many times with fewer, and it has ended. */
#define STREAM_BYTES 8192u
#define STREAM_CALM  16u

#define HEADER_SIZE  sizeof(struct virtio_net_hdr_v1)
_Static_assert(sizeof(struct virtio_net_hdr_v1) == 12, "[VIRTIO, 5.1.6]");

#define OFFLOADS                                                                                   \
    (VIRTIO_FEATURE(VIRTIO_NET_F_CSUM) | VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_CSUM) |                 \
     VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO4) | VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO6) |             \
     VIRTIO_FEATURE(VIRTIO_NET_F_HOST_ECN) | VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO4) |             \
     VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO6) | VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_ECN))

static unsigned control_queue(const struct virtio_net *net)
{
    /* Without several pairs it is the third, whatever we would have. [VIRTIO, 5.1.2] */
    return virtio_device_has(&net->device, VIRTIO_NET_F_MQ) ? 2u * net->config.max_virtqueue_pairs
                                                            : 2;
}

/*
 * Frames of a flow come back to the pair that it was sent from: on the guest's side the
 * same processor then sees both. Addresses and ports of IPv4, either way round.
 * [VIRTIO, 5.1.6.5.6 "Automatic receive steering in multiqueue mode"]
 */
static uint8_t flow_of(const uint8_t *frame, size_t size)
{
    uint8_t hash = 0;

    for (size_t i = 26; i < 38 && i < size; i++)
        hash ^= frame[i];
    return hash;
}

static bool gso_allowed(const struct virtio_net *net, const struct virtio_net_hdr_v1 *h)
{
    const struct virtio_device *d = &net->device;

    if ((h->gso_type & VIRTIO_NET_HDR_GSO_ECN) && !virtio_device_has(d, VIRTIO_NET_F_HOST_ECN))
        return false;
    switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4: return virtio_device_has(d, VIRTIO_NET_F_HOST_TSO4);
    case VIRTIO_NET_HDR_GSO_TCPV6: return virtio_device_has(d, VIRTIO_NET_F_HOST_TSO6);
    default: return false;
    }
}

/* [check-header] */
/* Corrects what is only a hint. False: the frame is to be dropped. */
static bool check_header(const struct virtio_net *net, struct virtio_net_hdr_v1 *h, uint64_t size)
{
    h->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM; /* the others are for the other direction */
    h->num_buffers = 0;
    if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
        if (!virtio_device_has(&net->device, VIRTIO_NET_F_CSUM) ||
            !fits((uint64_t)h->csum_start + h->csum_offset, 2, size))
            return false;
    }
    if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return true;
    if (!gso_allowed(net, h) || h->gso_size == 0 || !(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
        return false;
    if (h->hdr_len > size)
        h->hdr_len = (uint16_t)size;
    return true;
}
/* [/check-header] */

static void transmit(struct virtio_net *net, unsigned queue, struct chain *chain)
{
    struct virtio_net_hdr_v1 header;
    struct iovec frame[CHAIN_MAX];
    uint8_t start[38];
    uint64_t size = chain->readable_size - HEADER_SIZE;

    if (chain_read(chain, 0, &header, HEADER_SIZE) < HEADER_SIZE || size < NET_FRAME_MIN ||
        size > NET_FRAME_MAX || !check_header(net, &header, size)) {
        net->dropped_from_guest++;
        net->device.dropped++;
    } else {
        net->sent += size;
        if (net->pairs > 1)
            net->steer[flow_of(start, chain_read(chain, HEADER_SIZE, start, sizeof start))] =
                (uint8_t)(queue / 2);
        net->backend->send(net->backend->self, queue / 2, &header, frame,
                           chain_readable(chain, HEADER_SIZE, size, frame));
    }
    virtio_device_push(&net->device, queue, chain, 0);
}

static bool net_handle(void *self, unsigned queue, struct chain *chain)
{
    struct virtio_net *net = self;

    if (queue == control_queue(net)) {
        if (!virtio_device_has(&net->device, VIRTIO_NET_F_CTRL_VQ))
            return false;
        net_control(net, queue, chain);
        return true;
    }
    if (queue > control_queue(net) || queue % 2 == 0)
        return false; /* no such queue; or an empty buffer, that waits for a frame */
    transmit(net, queue, chain);
    return true;
}

static void net_served(void *self, unsigned queue)
{
    struct virtio_net *net = self;

    if (queue % 2 == 0 && queue != control_queue(net) && net->backend->resume)
        net->backend->resume(net->backend->self);
}

/* A buffer that has been filled, but not given back yet. */
struct filled {
    uint16_t id, slots;
    uint32_t written;
};

/* Takes buffers, in the order they came, back into the ring or to the driver. */
static void settle(struct virtio_net *net, unsigned queue, const struct filled *filled,
                   unsigned count, bool used)
{
    struct chain *chain = &net->device.taken;

    for (unsigned i = 0; i < count; i++) {
        const struct filled *f = &filled[used ? i : count - 1 - i];

        chain_init(chain, f->id);
        chain->slots = f->slots;
        if (used)
            virtio_device_push(&net->device, queue, chain, f->written);
        else
            virtqueue_unpop(&net->device.queues[queue].ring, chain);
    }
}

/*
 * Spreads header and frame over as many buffers as it takes. False: there are not enough
 * of them; they are as they were. The header is written last, when their number is known.
 */
static bool fill(struct virtio_net *net, unsigned queue, const struct virtio_net_hdr_v1 *header,
                 const uint8_t *frame, size_t size)
{
    struct virtio_net_hdr_v1 head = *header;
    struct filled filled[VIRTIO_NET_QUEUE_SIZE];
    struct chain first;
    unsigned buffers = 0;
    size_t done = 0;

    do { /* once at least: a frame is not empty */
        size_t skip = buffers == 0 ? HEADER_SIZE : 0, part;
        struct chain *chain = buffers < ARRAY_SIZE(filled) ? virtio_device_take(&net->device, queue)
                                                           : NULL;

        if (chain && chain->writable_size <= skip)
            virtio_device_fail(&net->device, "a receive buffer without room for the header");
        if (!chain || !virtio_device_live(&net->device)) {
            bool never = net->device.queues[queue].ring.in_flight >=
                         net->device.queues[queue].ring.size;

            settle(net, queue, filled, buffers, false);
            net->dropped_to_guest += never; /* not even the whole ring is enough for it */
            net->device.dropped += never;
            return never;
        }
        if (buffers == 0)
            chain_copy(&first, chain);
        part = chain_write(chain, skip, frame + done, size - done);
        done += part;
        filled[buffers++] = (struct filled){chain->id, chain->slots, (uint32_t)(skip + part)};
        if (!virtio_device_has(&net->device, VIRTIO_NET_F_MRG_RXBUF))
            break;
    } while (done < size);
    if (done < size) { /* too small, and cannot be merged: dropped, the buffer goes back */
        filled[0].written = 0;
        net->dropped_to_guest++;
        net->device.dropped++;
    } else {
        head.num_buffers = (uint16_t)buffers;
        chain_write(&first, 0, &head, sizeof head);
    }
    settle(net, queue, filled, buffers, true);
    return true;
}

/* Without the feature the driver does not know what these mean. */
static bool receivable(const struct virtio_net *net, const struct virtio_net_hdr_v1 *h)
{
    const struct virtio_device *d = &net->device;

    switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return !(h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) ||
               virtio_device_has(d, VIRTIO_NET_F_GUEST_CSUM);
    case VIRTIO_NET_HDR_GSO_TCPV4: return virtio_device_has(d, VIRTIO_NET_F_GUEST_TSO4);
    case VIRTIO_NET_HDR_GSO_TCPV6: return virtio_device_has(d, VIRTIO_NET_F_GUEST_TSO6);
    default: return false;
    }
}

static bool net_receive(void *self, const struct virtio_net_hdr_v1 *header, const uint8_t *frame,
                        size_t size)
{
    struct virtio_net *net = self;
    unsigned queue = 0;

    if (!virtio_device_live(&net->device) || size < NET_FRAME_MIN || size > NET_FRAME_MAX ||
        !receivable(net, header)) {
        net->dropped_to_guest++;
        net->device.dropped++;
        return true;
    }
    if (!net_filter_wants(net, frame)) {
        net->filtered++;
        return true;
    }
    if (net->pairs > 1)
        queue = 2u * (net->steer[flow_of(frame, size)] % net->pairs);
    if (!fill(net, queue, header, frame, size))
        return false;
    net->received += size;
    if (net->burst)
        net->untold |= BIT(queue);
    else
        virtio_device_flush(&net->device, queue);
    return true;
}

static void net_burst(void *self, bool on)
{
    struct virtio_net *net = self;

    net->burst = on;
    for (unsigned i = 0; net->untold != 0 && i < net->device.queue_count; i++)
        if (net->untold & BIT(i))
            virtio_device_flush(&net->device, i);
    net->untold = 0;
}

/*
 * A driver that has sent little has no use for its buffers yet. One that sends much may wait
 * for them: Linux's TCP counts the bytes that are not on the wire.
 */
static bool net_late(void *self, unsigned queue)
{
    const struct virtio_net *net = self;

    return queue % 2 == 1 && queue < control_queue(net) && net->sent < STREAM_BYTES;
}

/* [streams] */
/* A stream has its pauses; so it ends only when it has been calm for a while. */
static bool net_streams(void *self)
{
    struct virtio_net *net = self;

    if (net->sent + net->received >= STREAM_BYTES)
        net->calm = 0;
    else if (net->calm < STREAM_CALM)
        net->calm++;
    net->sent = net->received = 0;
    return net->calm < STREAM_CALM;
}
/* [/streams] */

void virtio_net_stop(struct virtio_net *net)
{
    if (net->backend->bypass)
        net->backend->bypass->stop(net->backend->bypass->self);
}

static void net_start(void *self)
{
    struct virtio_net *net = self;

    const struct net_bypass *bypass = net->backend->bypass;

    if (net->backend->accept)
        net->backend->accept(net->backend->self, net->device.accepted & OFFLOADS);
    if (bypass && bypass->start(bypass->self, &net->device) < 0)
        virtio_device_fail(&net->device, "the rings are not what the host can serve");
}

/* No reset of one queue is offered then, but a driver may switch one off. */
static void net_reset_queue(void *self, unsigned queue)
{
    (void)queue;
    virtio_net_stop(self);
}

static void net_reset(void *self)
{
    struct virtio_net *net = self;

    virtio_net_stop(net);
    net_filter_reset(net);
    if (net->backend->accept)
        net->backend->accept(net->backend->self, 0);
}

/* What a feature needs. [VIRTIO, 5.1.3.1 "Feature bit requirements"] */
static bool net_features_ok(void *self, uint64_t features)
{
    static const struct {
        uint8_t feature, needs;
    } rules[] = {
        {VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_CSUM},
        {VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_GUEST_CSUM},
        {VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_CSUM},
        {VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_MQ, VIRTIO_NET_F_CTRL_VQ},
        {VIRTIO_NET_F_CTRL_MAC_ADDR, VIRTIO_NET_F_CTRL_VQ},
    };

    (void)self;
    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++)
        if ((features & VIRTIO_FEATURE(rules[i].feature)) &&
            !(features & VIRTIO_FEATURE(rules[i].needs)))
            return false;
    return true;
}

static const struct virtio_class net_class = {
    .id = VIRTIO_ID_NET,
    .features_ok = net_features_ok,
    .start = net_start,
    .handle = net_handle,
    .served = net_served,
    .reset = net_reset,
    .reset_queue = net_reset_queue,
    .late = net_late,
    .streams = net_streams,
};

void virtio_net_init(struct virtio_net *net, const struct guest_memory *memory,
                     struct net_backend *backend, const uint8_t mac[ETH_ALEN], unsigned pairs)
{
    uint64_t features = VIRTIO_FEATURE(VIRTIO_NET_F_MAC) | VIRTIO_FEATURE(VIRTIO_NET_F_STATUS) |
                        VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF) |
                        VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_VQ) |
                        VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_RX) |
                        VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_RX_EXTRA) |
                        VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_MAC_ADDR) | (backend->offloads & OFFLOADS);

    assert(pairs > 0 && pairs <= VIRTIO_NET_PAIRS_MAX);
    memset(net, 0, sizeof *net);
    net->backend = backend;
    memcpy(net->config.mac, mac, ETH_ALEN);
    net->config.status = VIRTIO_NET_S_LINK_UP;
    net->config.max_virtqueue_pairs = pairs > 1 ? (uint16_t)pairs : 0;
    if (pairs > 1)
        features |= VIRTIO_FEATURE(VIRTIO_NET_F_MQ);
    if (backend->mtu > 0)
        features |= VIRTIO_FEATURE(VIRTIO_NET_F_MTU);
    net->config.mtu = backend->mtu;
    virtio_device_init(&net->device, &net_class, net, memory, features, &net->config,
                       backend->mtu > 0 ? offsetof(struct virtio_net_config, speed)
                                        : offsetof(struct virtio_net_config, mtu));
    for (unsigned i = 0; i < 2 * pairs + 1; i++)
        virtio_device_add_queue(&net->device, VIRTIO_NET_QUEUE_SIZE);
    if (backend->bypass) {
        net->device.offered &= backend->bypass->features;
        for (unsigned i = 0; i < ARRAY_SIZE(backend->bypass->rings); i++)
            net->device.queues[i].elsewhere = &backend->bypass->rings[i];
    }
    net_filter_reset(net);
    net->calm = STREAM_CALM;
    backend->receiver = (struct net_receiver){net_receive, net_burst, net};
}

void virtio_net_set_link(struct virtio_net *net, bool up)
{
    net->config.status = up ? VIRTIO_NET_S_LINK_UP : 0;
    virtio_device_config_changed(&net->device);
}
