/*
 * user_net.h: a network without root: TCP, UDP and DNS of the guest become sockets of this
 * process, by libslirp. The guest sees a router that also hands out addresses:
 *
 *     10.0.2.2     the router, and behind it the host's own 127.0.0.1
 *     10.0.2.3     a name server: the host's
 *     10.0.2.15    the guest, by DHCP
 *
 * It runs on a thread of its own at the far end of a socket pair, and knows nothing of
 * virtio: to the device it is a wire (net_fd.h).
 *
 *     fd = user_net_start(&user, &why);
 *     user_net_forward(&user, "tcp:127.0.0.1:8080-:80", &why)      before the start
 *     net_fd_socket(&wire, fd);
 */
#ifndef CHAPTER_05_USER_NET_H
#define CHAPTER_05_USER_NET_H

#include <pthread.h>
#include <slirp/libslirp.h>
#include <stdatomic.h>

#include "common/refusal.h"

/*
 * Packets on this wire can be as large as IP allows: nobody else is on it, and what libslirp
 * does costs the same for each, large or small. The guest hears of it (VIRTIO_NET_F_MTU).
 */
#define USER_NET_MTU    65520u

#define USER_NET_TIMERS 8u
#define USER_NET_POLLS  512u

struct user_net_timer {
    SlirpTimerCb call; /* NULL: free */
    void *self;
    int64_t due; /* milliseconds; INT64_MAX: never */
};

struct user_net {
    Slirp *slirp;
    pthread_t thread;
    bool started;
    atomic_bool ending;
    int fd;   /* our end of the socket pair */
    int peer; /* the device's end, until user_net_start() gives it away */
    int wake; /* eventfd */
    struct user_net_timer timers[USER_NET_TIMERS];
};

/* 0, or -errno with why->text. It must not move. */
int user_net_init(struct user_net *u, struct refusal *why);

/*
 * Forwards a port of the host to the guest: "tcp|udp:[HOSTADDR]:PORT-[GUESTADDR]:PORT", as
 * QEMU's hostfwd. Without HOSTADDR 0.0.0.0, without GUESTADDR 10.0.2.15. Before the start.
 */
int user_net_forward(struct user_net *u, const char *rule, struct refusal *why);

/* Starts the thread. The device's end of the wire, which the caller then owns. */
int user_net_start(struct user_net *u);

/* Started or not. */
void user_net_stop(struct user_net *u);

#endif
