/*
 * net_fd.h: networks that are a file descriptor: one read() is one frame, one write()
 * sends one.
 *
 *     tap       a network interface of the host; the kernel cuts segments and computes
 *               checksums. Creating one wants CAP_NET_ADMIN, using one that the
 *               administrator made for you does not.
 *     socket    one end of a socketpair (SOCK_SEQPACKET or SOCK_DGRAM); the other end is
 *               a test, or a program that plays the network.
 *
 *     net_fd_tap(&fd, "tap0", 1, &why);
 *     virtio_net_init(&net, &vm.memory, &fd.backend, mac, 1);
 *     watch fd.wait_fd: when it is readable, net_fd_ready(&fd)
 *
 * A frame for which the guest has no buffer is kept, and nothing more is read until
 * there is one: the queue of the kernel fills, and the kernel drops. net_fd_wants() says
 * whether to watch the descriptor meanwhile.
 */
#ifndef CHAPTER_05_NET_FD_H
#define CHAPTER_05_NET_FD_H

#include "05-virtio/net_backend.h"
#include "common/refusal.h"

#define NET_FD_QUEUES_MAX 8u

struct net_fd {
    struct net_backend backend;
    int fds[NET_FD_QUEUES_MAX]; /* owned, not blocking */
    unsigned queues;            /* of the interface: as many descriptors */
    unsigned turn;              /* the one to be read next */
    int wait_fd;                /* readable if one of them is; owned, if there are several */
    bool tap;
    bool gone; /* the other end has left, or the interface has been removed */
    uint64_t dropped;
    size_t waiting; /* bytes of the frame that was refused; 0: none */
    struct virtio_net_hdr_v1 header;
    uint8_t frame[NET_FRAME_MAX + 1]; /* one more, to see that one is too long */
};

/*
 * 0, or -errno with why->text. With several queues, which the interface must have been made
 * for, the host's kernel keeps flows apart: it answers a pair of the card's by the queue that
 * the pair has sent to.
 */
int net_fd_tap(struct net_fd *n, const char *interface, unsigned queues, struct refusal *why);

/* Takes the descriptor over. */
void net_fd_socket(struct net_fd *n, int fd);
void net_fd_close(struct net_fd *n);

/* The descriptor is readable: takes at most 64 frames. */
void net_fd_ready(struct net_fd *n);

/* Is there a use in waiting for the descriptor to be readable? */
bool net_fd_wants(const struct net_fd *n);

#endif
