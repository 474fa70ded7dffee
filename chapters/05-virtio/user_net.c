/*
 * user_net.c: see user_net.h. Open at hand: libslirp.h.
 *
 * libslirp is a TCP/IP stack turned inside out: it takes the guest's frames, and where
 * they make a connection it makes one too. It asks us for a clock, timers and poll(),
 * and all its calls are made on one thread, this one.
 *
 * Left out on purpose: IPv6, TFTP, programs instead of servers (guestfwd).
 */
#include "05-virtio/user_net.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "04-devices/threads.h"
#include "05-virtio/net_backend.h"
#include "common/bits.h"
#include "common/die.h"

/* libslirp 4.9 has new names for three calls, for the sake of Windows; 4.7 has only these. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* A frame for the guest. A full wire loses it; TCP will send it again. */
static ssize_t slirp_sends(const void *frame, size_t size, void *self)
{
    struct user_net *u = self;

    if (send(u->fd, frame, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return (ssize_t)size;
    return (ssize_t)size;
}

static void guest_error(const char *message, void *self)
{
    (void)message, (void)self; /* the guest's mistakes are no news */
}

static int64_t nanoseconds(void *self)
{
    (void)self;
    return milliseconds() * 1000000;
}

static void *timer_new(SlirpTimerCb call, void *call_self, void *self)
{
    struct user_net *u = self;

    for (unsigned i = 0; i < USER_NET_TIMERS; i++)
        if (!u->timers[i].call) {
            u->timers[i] = (struct user_net_timer){call, call_self, INT64_MAX};
            return &u->timers[i];
        }
    die("libslirp wants more than %u timers", USER_NET_TIMERS);
}

static void timer_free(void *timer, void *self)
{
    (void)self;
    *(struct user_net_timer *)timer = (struct user_net_timer){0};
}

static void timer_mod(void *timer, int64_t due, void *self)
{
    (void)self;
    ((struct user_net_timer *)timer)->due = due;
}

static void poll_fd(int fd, void *self)
{
    (void)fd, (void)self; /* all are asked for anew before each poll() */
}

static void notify(void *self)
{
    (void)self; /* called on our own thread, which polls next anyway */
}

static const SlirpCb callbacks = {
    .send_packet = slirp_sends,
    .guest_error = guest_error,
    .clock_get_ns = nanoseconds,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = poll_fd,
    .unregister_poll_fd = poll_fd,
    .notify = notify,
};

/* What is polled: the wire, the wake-up, and libslirp's sockets. */
struct polls {
    struct pollfd list[USER_NET_POLLS];
    unsigned count;
};

static int add_poll(int fd, int events, void *self)
{
    struct polls *polls = self;
    int wanted = (events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
                 (events & SLIRP_POLL_PRI ? POLLPRI : 0);

    if (polls->count == USER_NET_POLLS)
        return -1;
    polls->list[polls->count] = (struct pollfd){.fd = fd, .events = (short)wanted};
    return (int)polls->count++;
}

static int get_events(int index, void *self)
{
    struct polls *polls = self;
    int got = index < 0 ? 0 : polls->list[index].revents;

    return (got & POLLIN ? SLIRP_POLL_IN : 0) | (got & POLLOUT ? SLIRP_POLL_OUT : 0) |
           (got & POLLPRI ? SLIRP_POLL_PRI : 0) | (got & POLLERR ? SLIRP_POLL_ERR : 0) |
           (got & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* Calls the timers that are due; milliseconds until the next one, at most limit. */
static int run_timers(struct user_net *u, uint32_t limit)
{
    int64_t now = milliseconds(), wait = limit;

    for (unsigned i = 0; i < USER_NET_TIMERS; i++) {
        struct user_net_timer *timer = &u->timers[i];

        if (timer->call && timer->due <= now) {
            timer->due = INT64_MAX;
            timer->call(timer->self);
        }
        if (timer->call && timer->due - now < wait)
            wait = timer->due > now ? timer->due - now : 0;
    }
    return (int)wait;
}

static void *user_net_loop(void *self)
{
    static const unsigned at_once = 64;
    struct user_net *u = self;
    struct polls polls;
    uint8_t frame[NET_FRAME_MAX];

    while (!u->ending) {
        uint32_t timeout = 1000;

        polls.count = 0;
        add_poll(u->fd, SLIRP_POLL_IN, &polls);
        add_poll(u->wake, SLIRP_POLL_IN, &polls);
        slirp_pollfds_fill(u->slirp, &timeout, add_poll, &polls);
        if (poll(polls.list, polls.count, run_timers(u, timeout)) < 0 && errno != EINTR)
            break;
        slirp_pollfds_poll(u->slirp, 0, get_events, &polls);
        for (unsigned i = 0; i < at_once; i++) {
            ssize_t size = recv(u->fd, frame, sizeof frame, MSG_DONTWAIT);

            if (size <= 0)
                break;
            slirp_input(u->slirp, frame, (int)size);
        }
        if (polls.list[0].revents & POLLHUP)
            break; /* the device is gone */
    }
    return NULL;
}

int user_net_init(struct user_net *u, struct refusal *why)
{
    SlirpConfig config = {.version = 1,
                          .in_enabled = true,
                          .vhostname = "guest",
                          .if_mtu = USER_NET_MTU,
                          .if_mru = USER_NET_MTU};
    int pair[2];

    inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
    inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
    inet_pton(AF_INET, "10.0.2.2", &config.vhost);
    inet_pton(AF_INET, "10.0.2.15", &config.vdhcp_start);
    inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);

    *u = (struct user_net){.wake = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return refuse(why, -errno, "cannot make a socket pair: %s", strerror(errno));
    u->fd = pair[0];
    u->peer = pair[1];
    u->wake = eventfd(0, EFD_CLOEXEC);
    u->slirp = slirp_new(&config, &callbacks, u);
    if (u->wake < 0 || !u->slirp)
        die("cannot start the user-mode network");
    return 0;
}

static int parse_port(const char *text, int *port)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end || number < 1 || number > 65535)
        return -EINVAL;
    *port = (int)number;
    return 0;
}

/* "ADDRESS:PORT", either of which may be left as it is; changes text. */
static int parse_end(char *text, struct in_addr *address, int *port)
{
    char *colon = strrchr(text, ':');

    if (!colon)
        return -EINVAL;
    *colon = '\0';
    if (*text && inet_pton(AF_INET, text, address) != 1)
        return -EINVAL;
    return parse_port(colon + 1, port);
}

int user_net_forward(struct user_net *u, const char *rule, struct refusal *why)
{
    struct in_addr host = {INADDR_ANY}, guest;
    char text[100], *dash;
    int host_port, guest_port;
    bool tcp = strncmp(rule, "tcp:", 4) == 0, udp = strncmp(rule, "udp:", 4) == 0;

    inet_pton(AF_INET, "10.0.2.15", &guest);
    snprintf(text, sizeof text, "%s", tcp || udp ? rule + 4 : "");
    dash = strchr(text, '-');
    if (dash)
        *dash++ = '\0';
    if (!dash || parse_end(text, &host, &host_port) < 0 || parse_end(dash, &guest, &guest_port) < 0)
        return refuse(why, -EINVAL, "hostfwd=%.80s: not like tcp::8080-:80", rule);
    if (slirp_add_hostfwd(u->slirp, udp, host, host_port, guest, guest_port) < 0)
        return refuse(why, -EADDRINUSE, "hostfwd=%.80s: the host's port cannot be had", rule);
    return 0;
}

int user_net_start(struct user_net *u)
{
    int error = thread_start(&u->thread, THREAD_NETWORK, "user net", user_net_loop, u);

    if (error < 0)
        die("cannot start a thread for the network: %s", strerror(-error));
    u->started = true;
    return u->peer;
}

void user_net_stop(struct user_net *u)
{
    uint64_t one = 1;

    u->ending = true;
    if (!u->started)
        close(u->peer);
    else if (write(u->wake, &one, sizeof one) == sizeof one)
        pthread_join(u->thread, NULL);
    slirp_cleanup(u->slirp);
    close(u->fd);
    close(u->wake);
}
