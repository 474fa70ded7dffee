/*
 * nics.h: the network cards of the command line, on the PCI bus.
 *
 *     -nic user,hostfwd=tcp::8080-:80         TCP and UDP through this process, no root
 *     -nic tap,ifname=tap0                    an interface of the host
 *     -nic dgram,local.type=fd,local.str=3    one end of a socketpair that we inherit:
 *                                             a message is a frame
 *     -nic none                               no card, as without the option
 *
 * Each becomes a virtio network device. mac=52:54:00:ab:cd:ef sets its address; without
 * it, it is 52:54:00:12:34:56 and up, as QEMU counts. tap runs no scripts: the interface
 * is made and configured by whoever owns the host.
 */
#ifndef CHAPTER_07_NICS_H
#define CHAPTER_07_NICS_H

#include <stddef.h>

#include "05-virtio/net_fd.h"
#include "05-virtio/user_net.h"
#include "05-virtio/virtio_net.h"
#include "07-linux-boot/virtio_slot.h"

#define NICS_MAX 4u

struct nic {
    struct net_fd back;   /* the first: nic_resume() is given this */
    struct user_net user; /* the far end of back, if is_user */
    bool is_user;
    void (*resume)(void *self);
    int frames; /* an epoll: readable when back.fd is, and somebody wants its frames */
    struct virtio_net net;
    struct virtio_slot slot;
};
_Static_assert(offsetof(struct nic, back) == 0, "the back end's self is the card's, too");

struct nics {
    struct nic *list[NICS_MAX]; /* owned */
    unsigned count;
};

/* 0, or -errno with why->text; nothing is plugged in then, nor is it for "none". */
int nics_add(struct nics *nics, const char *text, struct virtio_bus *bus, struct refusal *why);
void nics_free(struct nics *nics);

#endif
