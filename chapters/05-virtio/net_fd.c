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
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "05-virtio/chain.h"

#define FRAMES_AT_ONCE  64u
#define BIT_OF(feature) (1ull << (feature))

/* A wire that takes no frame now loses it. */
static void fd_send(void *self, unsigned pair, const struct virtio_net_hdr_v1 *header,
                    const struct iovec *iov, unsigned count)
{
    struct net_fd *n = self;
    int fd = n->fds[pair % n->queues];
    struct iovec all[CHAIN_MAX + 1];
    struct msghdr message = {.msg_iov = all, .msg_iovlen = count};
    ssize_t sent;

    if (n->tap) {
        all[0] = (struct iovec){(void *)header, sizeof *header}; /* only read */
        memcpy(all + 1, iov, count * sizeof *iov);
        sent = writev(fd, all, (int)count + 1);
    } else {
        memcpy(all, iov, count * sizeof *iov);
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent < 0)
        n->dropped++;
}

/* Reads a frame from the queue whose turn it is. False: none is there. */
static bool read_queue(struct net_fd *n)
{
    int fd = n->fds[n->turn];
    struct iovec iov[] = {{&n->header, sizeof n->header}, {n->frame, sizeof n->frame}};
    ssize_t got;

    memset(&n->header, 0, sizeof n->header);
    got = n->tap ? readv(fd, iov, 2) : recv(fd, n->frame, sizeof n->frame, MSG_DONTWAIT);
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

/* Each queue until it is empty, then the next one. */
static bool fd_read(struct net_fd *n)
{
    for (unsigned tries = 0; tries < n->queues && !n->gone; tries++) {
        if (read_queue(n))
            return true;
        n->turn = (n->turn + 1) % n->queues;
    }
    return false;
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
    if (ioctl(n->fds[0], TUNSETOFFLOAD, offload) < 0)
        return; /* the device drops what the guest has not accepted */
}

void net_fd_socket(struct net_fd *n, int fd)
{
    memset(n, 0, sizeof *n);
    n->fds[0] = n->wait_fd = fd;
    n->queues = 1;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    n->backend = (struct net_backend){.send = fd_send, .resume = fd_resume, .self = n};
}

/* One queue of the interface: a descriptor, or -errno. */
static int open_tap(const char *interface, bool several)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int header_size = sizeof(struct virtio_net_hdr_v1);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), error;

    if (fd < 0)
        return -errno;
    if (several)
        request.ifr_flags |= IFF_MULTI_QUEUE;
    strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
    if (ioctl(fd, TUNSETIFF, &request) == 0 && ioctl(fd, TUNSETVNETHDRSZ, &header_size) == 0)
        return fd;
    error = -errno;
    close(fd);
    return error;
}

/* The worker waits for one descriptor: one that is readable when one of these is. */
static int wait_for_all(struct net_fd *n)
{
    n->wait_fd = epoll_create1(EPOLL_CLOEXEC);
    if (n->wait_fd < 0)
        return -errno;
    for (unsigned i = 0; i < n->queues; i++)
        if (epoll_ctl(n->wait_fd, EPOLL_CTL_ADD, n->fds[i],
                      &(struct epoll_event){.events = EPOLLIN}) < 0)
            return -errno;
    return 0;
}

int net_fd_tap(struct net_fd *n, const char *interface, unsigned queues, struct refusal *why)
{
    int fd = open_tap(interface, queues > 1), error = fd < 0 ? fd : 0;

    *n = (struct net_fd){.wait_fd = -1};
    if (fd == -ENOENT || fd == -EACCES)
        return refuse(why, fd, "cannot open /dev/net/tun: %s", strerror(-fd));
    if (error == 0)
        net_fd_socket(n, fd);
    while (error == 0 && n->queues < queues) {
        fd = open_tap(interface, true);
        if (fd < 0)
            error = fd;
        else
            n->fds[n->queues++] = fd;
    }
    if (error == 0 && queues > 1)
        error = wait_for_all(n);
    if (error < 0) {
        net_fd_close(n);
        return refuse(why, error, "cannot use interface \"%s\"%s: %s", interface,
                      queues > 1 ? " with several queues" : "", strerror(-error));
    }
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
    if (n->wait_fd >= 0 && n->wait_fd != n->fds[0])
        close(n->wait_fd);
    while (n->queues > 0)
        close(n->fds[--n->queues]);
    n->wait_fd = -1;
}
