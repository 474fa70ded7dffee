/*
 * net_backend.h: what a network device has behind it: something that takes Ethernet
 * frames and brings some.
 *
 *     front end (virtio_net)                        back end (net_fd, net_slirp)
 *     frame of the guest    ---- send() ---->
 *                           <-- receive() ----      a frame has come
 *                           --- resume() ---->      there are buffers again
 *
 * With each frame goes a header that may leave work to the other side: a checksum still
 * to be computed, a segment of 64 KiB still to be cut. A back end says which of these it
 * can take (offloads), and the device offers the guest no more than that.
 */
#ifndef CHAPTER_05_NET_BACKEND_H
#define CHAPTER_05_NET_BACKEND_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "05-virtio/virtio_device.h"

/* The largest frame: an IP packet of 64 KiB less one byte and an Ethernet header. */
#define NET_FRAME_MAX 65549u
#define NET_FRAME_MIN 14u /* an Ethernet header */

/* Where a back end brings its frames. */
struct net_receiver {
    /* Takes a frame. False: the guest has no buffer for it now; resume() will be called. */
    bool (*receive)(void *self, const struct virtio_net_hdr_v1 *header, const uint8_t *frame,
                    size_t size);
    /*
     * Several may follow: the guest is told of them at the end, by one interrupt. Each on
     * has its off.
     */
    void (*burst)(void *self, bool on);
    void *self;
};

/*
 * For a back end that serves the rings of the first pair itself, while the device lives: no
 * frame passes send() or receive() then.
 */
struct net_bypass {
    uint64_t features; /* the device offers no others */
    struct virtio_elsewhere rings[2];
    int (*start)(void *self, struct virtio_device *device); /* 0 or -errno */
    void (*stop)(void *self); /* returns when no buffer is touched any more */
    void *self;
};

struct net_backend {
    uint64_t offloads; /* VIRTIO_NET_F_CSUM, _HOST_..., _GUEST_... */
    uint16_t mtu;      /* the largest packet that the network takes; 0: as on any Ethernet */
    /* Takes the frame in iov, of a pair of queues, or drops it, as wires do. Never waits. */
    void (*send)(void *self, unsigned pair, const struct virtio_net_hdr_v1 *header,
                 const struct iovec *iov, unsigned count);
    /* The guest has new buffers: bring what was refused. May be NULL. */
    void (*resume)(void *self);
    /* The guest can take frames with these VIRTIO_NET_F_GUEST_... features. May be NULL. */
    void (*accept)(void *self, uint64_t features);
    void *self;
    const struct net_bypass *bypass; /* NULL: frames come and go as above */
    struct net_receiver receiver;    /* set by the device */
};

#endif
