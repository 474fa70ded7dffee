/*
 * vhost_net.h: a network card's rings, served by the host's kernel.
 *
 *     driver --doorbell--> KVM --kick_fd--> the kernel's thread: ring <-> tap
 *     driver <--message--- KVM <--call_fd--'
 *
 * To serve a ring takes the ring's memory and two eventfds; it need not be this program
 * that does it. /dev/vhost-net is told where the guest's memory is, where the rings lie in
 * it, and which tap is behind them, and then carries each frame with one copy and no system
 * call. What stays here is the rest of the device: features, status, configuration, resets.
 *
 *     vhost_net_open(&vhost, back.fd, &why);       a tap with a header of 12 bytes
 *     back.backend.bypass = &vhost.bypass;         virtio_net does the rest
 *     ...
 *     vhost_net_close(&vhost);
 *
 * The kernel checks what it reads from a ring as we do; it hears no addresses that do not
 * lie in the guest's RAM, for virtqueue_start() has seen them first. [VHOST]
 */
#ifndef CHAPTER_05_VHOST_NET_H
#define CHAPTER_05_VHOST_NET_H

#include "05-virtio/net_backend.h"
#include "common/refusal.h"

struct vhost_net {
    struct net_bypass bypass;
    int fd;            /* /dev/vhost-net, owned */
    int tap;           /* not owned */
    uint64_t features; /* that the kernel knows */
    struct vhost_ring {
        struct vhost_net *vhost;
        unsigned index;
        int kick_fd; /* owned */
        int call_fd; /* not owned; -1: nobody listens */
    } rings[2];      /* to the guest, from it */
};

/* 0, or -errno with why->text. It must not move. */
int vhost_net_open(struct vhost_net *v, int tap, struct refusal *why);
void vhost_net_close(struct vhost_net *v);

#endif
