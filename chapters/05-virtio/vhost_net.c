/*
 * vhost_net.c: see vhost_net.h. Open at hand: linux/vhost.h, whose comments are the manual.
 *
 *     once     SET_OWNER                       its thread uses this process' memory
 *     start    SET_FEATURES, SET_MEM_TABLE     what the driver accepted; where RAM is
 *              SET_VRING_NUM, _BASE, _ADDR     each ring
 *              SET_VRING_KICK, _CALL           its two eventfds
 *              NET_SET_BACKEND tap             go
 *     stop     NET_SET_BACKEND -1              returns when nothing is touched any more
 *
 * Left out on purpose: packed rings, which the kernel's vhost does not know; the reset of a
 * single ring; a log of the pages that it writes; several pairs; and the filter of addresses,
 * since frames do not pass here any more: the driver gets all that the tap brings.
 */
#include "05-virtio/vhost_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/bits.h"

/* What a ring can be depends on who serves it. */
#define OF_THE_RING                                                                                \
    (VIRTIO_FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | VIRTIO_FEATURE(VIRTIO_RING_F_EVENT_IDX) |       \
     VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF))
#define NOT_THERE                                                                                  \
    (VIRTIO_FEATURE(VIRTIO_F_RING_PACKED) | VIRTIO_FEATURE(VIRTIO_F_RING_RESET) |                  \
     VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_VQ) | VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_RX) |                 \
     VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_RX_EXTRA) | VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* ROM is left out: the kernel's thread would write to it like to any memory of ours. */
static int set_memory(const struct vhost_net *v, const struct guest_memory *memory)
{
    _Alignas(struct vhost_memory)
        uint8_t bytes[sizeof(struct vhost_memory) +
                      GUEST_REGIONS_MAX * sizeof(struct vhost_memory_region)] = {0};
    struct vhost_memory *table = (struct vhost_memory *)bytes;

    for (unsigned i = 0; i < memory->count; i++) {
        const struct guest_region *region = &memory->regions[i];

        if (!region->read_only)
            table->regions[table->nregions++] = (struct vhost_memory_region){
                .guest_phys_addr = region->start,
                .memory_size = region->size,
                .userspace_addr = (uintptr_t)region->host};
    }
    return ioctl(v->fd, VHOST_SET_MEM_TABLE, table);
}

static int set_call(const struct vhost_ring *ring)
{
    struct vhost_vring_file call = {ring->index, ring->call_fd};

    return ioctl(ring->vhost->fd, VHOST_SET_VRING_CALL, &call);
}

/* [vhost-ring] */
static int set_ring(const struct vhost_ring *ring, const struct virtqueue *q)
{
    struct vhost_vring_state size = {ring->index, q->size}, base = {ring->index, 0};
    struct vhost_vring_file kick = {ring->index, ring->kick_fd};
    struct vhost_vring_addr address = {
        .index = ring->index,
        .desc_user_addr = (uintptr_t)q->split.descriptors,
        .avail_user_addr = (uintptr_t)q->split.available,
        .used_user_addr = (uintptr_t)q->split.used,
    };
    int fd = ring->vhost->fd;

    if (ioctl(fd, VHOST_SET_VRING_NUM, &size) < 0 || ioctl(fd, VHOST_SET_VRING_BASE, &base) < 0 ||
        ioctl(fd, VHOST_SET_VRING_ADDR, &address) < 0 || ioctl(fd, VHOST_SET_VRING_KICK, &kick) < 0)
        return -1;
    return set_call(ring);
}
/* [/vhost-ring] */

static int set_tap(const struct vhost_net *v, int tap)
{
    int result = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(v->rings) && result == 0; i++)
        result = ioctl(v->fd, VHOST_NET_SET_BACKEND, &(struct vhost_vring_file){i, tap});
    return result;
}

static void stop(void *self)
{
    const struct vhost_net *v = self;

    set_tap(v, -1);
}

static int start(void *self, struct virtio_device *device)
{
    struct vhost_net *v = self;
    uint64_t features = device->accepted & v->features & OF_THE_RING;

    if (device->queues[0].ring.size == 0 || device->queues[1].ring.size == 0)
        return -EINVAL; /* a driver with half a card */
    if (ioctl(v->fd, VHOST_SET_FEATURES, &features) < 0 || set_memory(v, device->memory) < 0 ||
        set_ring(&v->rings[0], &device->queues[0].ring) < 0 ||
        set_ring(&v->rings[1], &device->queues[1].ring) < 0 || set_tap(v, v->tap) < 0) {
        int error = -errno;

        stop(v);
        return error;
    }
    return 0;
}

static void call_by(void *self, int fd)
{
    struct vhost_ring *ring = self;

    ring->call_fd = fd;
    set_call(ring);
}

static void close_all(struct vhost_net *v)
{
    for (unsigned i = 0; i < ARRAY_SIZE(v->rings); i++)
        if (v->rings[i].kick_fd >= 0)
            close(v->rings[i].kick_fd);
    close(v->fd);
}

int vhost_net_open(struct vhost_net *v, int tap, struct refusal *why)
{
    int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
    bool ok;

    if (fd < 0)
        return refuse(why, -errno, "cannot open /dev/vhost-net: %s", strerror(errno));
    *v = (struct vhost_net){.fd = fd, .tap = tap};
    ok = ioctl(fd, VHOST_SET_OWNER, NULL) == 0 && ioctl(fd, VHOST_GET_FEATURES, &v->features) == 0;
    for (unsigned i = 0; i < ARRAY_SIZE(v->rings); i++) {
        struct vhost_ring *ring = &v->rings[i];

        *ring = (struct vhost_ring){v, i, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), -1};
        v->bypass.rings[i] = (struct virtio_elsewhere){ring->kick_fd, call_by, ring};
        ok &= ring->kick_fd >= 0;
    }
    if (!ok || !(v->features & VIRTIO_FEATURE(VIRTIO_F_VERSION_1))) {
        close_all(v);
        return refuse(why, -ENOTSUP, "/dev/vhost-net does not do what a card needs");
    }
    v->bypass.features = ~(OF_THE_RING | NOT_THERE) | (v->features & OF_THE_RING);
    v->bypass.start = start;
    v->bypass.stop = stop;
    v->bypass.self = v;
    return 0;
}

void vhost_net_close(struct vhost_net *v)
{
    stop(v);
    close_all(v);
}
