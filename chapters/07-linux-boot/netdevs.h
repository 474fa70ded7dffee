/*
 * netdevs.h: the networks of the command line: the half on the host.
 *
 *     -netdev user,id=n0,hostfwd=tcp::8080-:80       TCP and UDP through this process
 *     -netdev tap,id=n0,ifname=tap0                  an interface of the host
 *     -netdev tap,id=n0,ifname=tap0,queues=4         the same, made for several queues
 *     -netdev tap,id=n0,ifname=tap0,vhost=on         the same, served by the host's kernel
 *     -netdev dgram,id=n0,local.type=fd,local.str=3  one end of a socketpair that we
 *                                                    inherit: a message is a frame
 *     -device virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56
 *
 * tap runs no scripts: the interface is made and configured by whoever owns the host.
 *
 * A network is opened once, before any guest runs, and stays when the guest resets.
 */
#ifndef CHAPTER_07_NETDEVS_H
#define CHAPTER_07_NETDEVS_H

#include <stddef.h>

#include "05-virtio/net_fd.h"
#include "05-virtio/user_net.h"
#include "05-virtio/vhost_net.h"
#include "07-linux-boot/drives.h"
#include "07-linux-boot/properties.h"

#define NETDEVS_MAX  8u
#define FORWARDS_MAX 16u

struct netdev_kind;

struct netdev {
    const struct netdev_kind *kind;
    char id[ID_ROOM];
    char interface[16]; /* tap: IFNAMSIZ */
    bool vhost_on;      /* tap: the host's kernel serves the rings */
    unsigned queues;    /* tap: of the interface; 0: 1 */
    unsigned fd_type;   /* dgram: said */
    unsigned fd;
    struct netdev_forwards {
        char list[FORWARDS_MAX][100];
        unsigned count;
    } forwards; /* user */

    bool taken; /* a device is in front of it */
    bool open;
    struct net_fd back;
    struct vhost_net vhost;
    struct user_net user; /* the far end of back, if the network is ours */
};

/* A row for each kind of network: the word behind -netdev. */
struct netdev_kind {
    const char *name;
    const char *text;
    const struct property *properties;
    int (*check)(const struct netdev *netdev, struct refusal *why); /* NULL: nothing to */
    int (*open)(struct netdev *netdev, struct refusal *why);
    void (*close)(struct netdev *netdev);
};

struct netdevs {
    struct netdev *list[NETDEVS_MAX]; /* owned */
    unsigned count;
};

/* The kind of that name; NULL with why->text. */
const struct netdev_kind *netdev_kind_find(const char *name, struct refusal *why);

/* One network more, not open yet; its kind is the property "type". */
int netdevs_add(struct netdevs *netdevs, struct properties *given, struct refusal *why);
struct netdev *netdevs_find(const struct netdevs *netdevs, const char *id);

/* Is any of them "user", for which libslirp is needed? */
bool netdevs_have_user(const struct netdevs *netdevs);

int netdevs_open(struct netdevs *netdevs, struct refusal *why);

/* Starts the threads of those that have one. */
void netdevs_start(struct netdevs *netdevs);

void netdevs_close(struct netdevs *netdevs);

/* For -netdev help. */
void netdevs_print(FILE *out);

#endif
