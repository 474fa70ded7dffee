/*
 * virtio_net.h: the network device: Ethernet frames, each behind a header of 12 bytes.
 *
 *     queue 0, 1    to the guest, from it          (pair 0)
 *     queue 2, 3    pair 1, if there is one and the driver wants several ...
 *     the next      control: requests, each answered with a status byte
 *
 *     virtio_net_init(&net, &vm.memory, &backend, mac, 1);
 *
 * A frame that comes while the guest has no buffer for it is refused, and the back end
 * hears of new buffers by resume(). One that is wrong in any way is dropped and counted,
 * as a wire would lose it; the buffer goes back, and the guest goes on.
 *
 * Frames with any source address are sent: the device is a wire, and who may send what
 * is the business of the network behind it. Frames to the guest are filtered by their
 * destination, once the driver has said what it wants (the control queue).
 *
 * [VIRTIO, 5.1 "Network Device"]
 */
#ifndef CHAPTER_05_VIRTIO_NET_H
#define CHAPTER_05_VIRTIO_NET_H

#include "05-virtio/net_backend.h"
#include "05-virtio/virtio_device.h"

#define VIRTIO_NET_QUEUE_SIZE 256u
#define VIRTIO_NET_PAIRS_MAX  8u
#define VIRTIO_NET_MACS_MAX   64u /* in the driver's filter; more means all */

struct net_filter {
    bool promiscuous, all_multicast, all_unicast, no_multicast, no_unicast, no_broadcast;
    unsigned count;
    uint8_t macs[VIRTIO_NET_MACS_MAX][ETH_ALEN];
};

struct virtio_net {
    struct virtio_device device;
    struct virtio_net_config config;
    struct net_backend *backend; /* not owned */
    struct net_filter filter;
    uint8_t mac[ETH_ALEN];   /* what the driver has made of the one in config */
    unsigned pairs;          /* in use */
    bool burst;              /* more frames may come: tell the driver when they have */
    uint64_t untold;         /* queues with frames that it has not been told of */
    uint8_t steer[256];      /* pair by flow: where a flow was last sent from */
    uint64_t sent, received; /* bytes, since somebody asked */
    unsigned calm;           /* times that somebody asked since it was much */
    uint64_t dropped_from_guest, dropped_to_guest, filtered;
};

/* pairs is 1 to VIRTIO_NET_PAIRS_MAX. Makes itself the back end's receiver. */
void virtio_net_init(struct virtio_net *net, const struct guest_memory *memory,
                     struct net_backend *backend, const uint8_t mac[ETH_ALEN], unsigned pairs);

/* No buffer is touched any more, by nobody: the device goes, without a reset. */
void virtio_net_stop(struct virtio_net *net);

/* The cable is in, or out. Under the devices' lock. */
void virtio_net_set_link(struct virtio_net *net, bool up);

#endif
