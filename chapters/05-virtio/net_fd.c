/*
 * net_fd.c: see net_fd.h. Open at hand: Documentation/networking/tuntap.rst in Linux.
 *
 * A tap with IFF_VNET_HDR speaks virtio's own header, so frame and header pass through
 * as they are: what the guest left undone the host's kernel does, or a network card.
 */
#include "05-virtio/net_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "05-virtio/chain.h"

#define FRAMES_AT_ONCE  64u
#define BIT_OF(feature) (1ull << (feature))

/* A wire that takes no frame now loses it. */
static void fd_send(void *self, const struct virtio_net_hdr_v1 *header, const struct iovec *iov,
                    unsigned count)
{
    struct net_fd *n = self;
    struct iovec all[CHAIN_MAX + 1];
    struct msghdr message = {.msg_iov = all, .msg_iovlen = count};
    ssize_t sent;

    if (n->tap) {
        all[0] = (struct iovec){(void *)header, sizeof *header}; /* only read */
        memcpy(all + 1, iov, count * sizeof *iov);
        sent = writev(n->fd, all, (int)count + 1);
    } else {
        memcpy(all, iov, count * sizeof *iov);
        sent = sendmsg(n->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent < 0)
        n->dropped++;
}

/* Reads a frame. False: none is there. */
static bool fd_read(struct net_fd *n)
{
    struct iovec iov[] = {{&n->header, sizeof n->header}, {n->frame, sizeof n->frame}};
    ssize_t got;

    memset(&n->header, 0, sizeof n->header);
    got = n->tap ? readv(n->fd, iov, 2) : recv(n->fd, n->frame, sizeof n->frame, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        n->gone = true;
        return false;
    }
    if (n->tap)
        got -= (ssize_t)sizeof n->header;
    n->waiting = got > 0 ? (size_t)got : 0;
    return true;
}

static bool deliver(struct net_fd *n)
{
    if (n->waiting > 0 &&
        !n->backend.receiver.receive(n->backend.receiver.self, &n->header, n->frame, n->waiting))
        return false;
    n->waiting = 0;
    return true;
}

void net_fd_ready(struct net_fd *n)
{
    const struct net_receiver *receiver = &n->backend.receiver;
    unsigned left = FRAMES_AT_ONCE;

    receiver->burst(receiver->self, true);
    while (left-- > 0 && !n->gone && deliver(n) && fd_read(n))
        ;
    deliver(n);
    receiver->burst(receiver->self, false);
}

static void fd_resume(void *self)
{
    struct net_fd *n = self;

    if (n->waiting > 0)
        net_fd_ready(n);
}

bool net_fd_wants(const struct net_fd *n)
{
    return n->waiting == 0 && !n->gone;
}

static void tap_accept(void *self, uint64_t features)
{
    struct net_fd *n = self;
    unsigned offload = 0;

    if (features & BIT_OF(VIRTIO_NET_F_GUEST_CSUM))
        offload |= TUN_F_CSUM;
    if (features & BIT_OF(VIRTIO_NET_F_GUEST_TSO4))
        offload |= TUN_F_TSO4;
    if (features & BIT_OF(VIRTIO_NET_F_GUEST_TSO6))
        offload |= TUN_F_TSO6;
    if ((offload & (TUN_F_TSO4 | TUN_F_TSO6)) && (features & BIT_OF(VIRTIO_NET_F_GUEST_ECN)))
        offload |= TUN_F_TSO_ECN;
    if (ioctl(n->fd, TUNSETOFFLOAD, offload) < 0)
        return; /* the device drops what the guest has not accepted */
}

void net_fd_socket(struct net_fd *n, int fd)
{
    memset(n, 0, sizeof *n);
    n->fd = fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    n->backend = (struct net_backend){.send = fd_send, .resume = fd_resume, .self = n};
}

int net_fd_tap(struct net_fd *n, const char *interface, struct refusal *why)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int header_size = sizeof(struct virtio_net_hdr_v1);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return refuse(why, -errno, "cannot open /dev/net/tun: %s", strerror(errno));
    strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
    if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header_size) < 0) {
        int error = errno;

        close(fd);
        return refuse(why, -error, "cannot use interface \"%s\": %s", interface, strerror(error));
    }
    net_fd_socket(n, fd);
    n->tap = true;
    n->backend.accept = tap_accept;
    n->backend.offloads = BIT_OF(VIRTIO_NET_F_CSUM) | BIT_OF(VIRTIO_NET_F_GUEST_CSUM) |
                          BIT_OF(VIRTIO_NET_F_HOST_TSO4) | BIT_OF(VIRTIO_NET_F_HOST_TSO6) |
                          BIT_OF(VIRTIO_NET_F_HOST_ECN) | BIT_OF(VIRTIO_NET_F_GUEST_TSO4) |
                          BIT_OF(VIRTIO_NET_F_GUEST_TSO6) | BIT_OF(VIRTIO_NET_F_GUEST_ECN);
    return 0;
}

void net_fd_close(struct net_fd *n)
{
    close(n->fd);
    n->fd = -1;
}
