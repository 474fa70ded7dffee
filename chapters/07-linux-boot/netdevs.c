/*
 * netdevs.c: see netdevs.h.
 *
 * Left out on purpose: scripts, several pairs of queues with vhost=on, and the networks of stream
 * sockets.
 */
#include "07-linux-boot/netdevs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "07-linux-boot/spelling.h"
#include "common/bits.h"
#include "common/die.h"

/* ---- user: libslirp, in this process ---- */

static int take_forward(const struct property *row, void *field, const char *value,
                        struct refusal *why)
{
    struct netdev_forwards *forwards = field;

    if (forwards->count == FORWARDS_MAX || strlen(value) >= sizeof forwards->list[0])
        return refuse(why, -EINVAL, "%s=%.80s: too long, or more than %u", row->name, value,
                      FORWARDS_MAX);
    strcpy(forwards->list[forwards->count++], value);
    return 0;
}

static const struct property user_properties[] = {
    {"id", property_id, AT(struct netdev, id), .form = "NAME"},
    {"hostfwd", take_forward, AT(struct netdev, forwards), .form = "tcp|udp:[ADDRESS]:PORT-:PORT",
     .repeats = true},
    {.name = NULL},
};

static int open_user(struct netdev *n, struct refusal *why)
{
    int error = user_net_init(&n->user, why);

    if (error < 0)
        return error;
    for (unsigned i = 0; i < n->forwards.count && error == 0; i++)
        error = user_net_forward(&n->user, n->forwards.list[i], why);
    if (error < 0) {
        user_net_stop(&n->user);
        return error;
    }
    return 0;
}

static void start_user(struct netdev *n)
{
    net_fd_socket(&n->back, user_net_start(&n->user));
    n->back.backend.mtu = USER_NET_MTU;
}

static void close_user(struct netdev *n)
{
    user_net_stop(&n->user);
    if (n->user.started)
        net_fd_close(&n->back);
}

/* ---- tap: an interface of the host ---- */

/* QEMU would run a program of that name unless it is told not to. */
static int take_no_script(const struct property *row, void *field, const char *value,
                          struct refusal *why)
{
    (void)field;
    if (*value && strcmp(value, "no") != 0)
        return refuse(why, -EINVAL, "%s=%.80s: no scripts are run: not one of no and nothing",
                      row->name, value);
    return 0;
}

static const struct property tap_properties[] = {
    {"id", property_id, AT(struct netdev, id), .form = "NAME"},
    {"ifname", property_text, AT(struct netdev, interface), .form = "INTERFACE"},
    {"vhost", property_switch, AT(struct netdev, vhost_on), .form = "on|off"},
    {"queues", property_number, AT(struct netdev, queues), .form = "NUMBER", .min = 1,
     .max = NET_FD_QUEUES_MAX},
    {"script", take_no_script, 0, 0, .form = "no"},
    {"downscript", take_no_script, 0, 0, .form = "no"},
    {.name = NULL},
};

static int check_tap(const struct netdev *n, struct refusal *why)
{
    if (n->vhost_on && n->queues > 1)
        return refuse(why, -EINVAL, "vhost=on serves one pair of queues: leave queues=%u out",
                      n->queues);
    return n->interface[0] ? 0 : refuse(why, -EINVAL, "tap has no ifname=");
}

static int open_tap(struct netdev *n, struct refusal *why)
{
    int error = net_fd_tap(&n->back, n->interface, n->queues > 1 ? n->queues : 1, why);

    if (error < 0 || !n->vhost_on)
        return error;
    error = vhost_net_open(&n->vhost, n->back.fds[0], why);
    if (error < 0)
        net_fd_close(&n->back);
    n->back.backend.bypass = &n->vhost.bypass;
    return error;
}

static void close_tap(struct netdev *n)
{
    if (n->vhost_on)
        vhost_net_close(&n->vhost);
    net_fd_close(&n->back);
}

static void close_back(struct netdev *n)
{
    net_fd_close(&n->back);
}

/* ---- dgram: a socket that we inherit ---- */

static const struct property dgram_properties[] = {
    {"id", property_id, AT(struct netdev, id), .form = "NAME"},
    {"local.type", property_word, AT(struct netdev, fd_type), .form = "fd"},
    {"local.str", property_number, AT(struct netdev, fd), .form = "NUMBER", .min = 3, .max = 65535},
    {.name = NULL},
};

static int check_dgram(const struct netdev *n, struct refusal *why)
{
    return n->fd_type && n->fd ? 0
                               : refuse(why, -EINVAL, "dgram needs local.type=fd,local.str=NUMBER");
}

static int open_dgram(struct netdev *n, struct refusal *why)
{
    int type = 0, fd = (int)n->fd;
    socklen_t size = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
        (type != SOCK_DGRAM && type != SOCK_SEQPACKET))
        return refuse(why, -EINVAL, "local.str=%d: not a socket of datagrams that is open", fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return refuse(why, -errno, "local.str=%d: %s", fd, strerror(errno));
    net_fd_socket(&n->back, fd);
    return 0;
}

static const struct netdev_kind kinds[] = {
    {"user", "TCP and UDP through this process, without privileges", user_properties, NULL,
     open_user, close_user},
    {"tap", "an interface of the host", tap_properties, check_tap, open_tap, close_tap},
    {"dgram", "a socket of datagrams that is inherited", dgram_properties, check_dgram, open_dgram,
     close_back},
};

const struct netdev_kind *netdev_kind_find(const char *name, struct refusal *why)
{
    struct spelling spelling = spelling_of(name);

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
        spelling_offer(&spelling, kinds[i].name);
    }
    if (spelling.best)
        refuse(why, 0, "\"%.80s\" is no kind of network: did you mean %s?", name, spelling.best);
    else
        refuse(why, 0, "\"%.80s\" is no kind of network: there are user, tap and dgram", name);
    return NULL;
}

struct netdev *netdevs_find(const struct netdevs *netdevs, const char *id)
{
    for (unsigned i = 0; i < netdevs->count; i++)
        if (strcmp(netdevs->list[i]->id, id) == 0)
            return netdevs->list[i];
    return NULL;
}

static int check(const struct netdevs *netdevs, const struct netdev *n, struct refusal *why)
{
    if (n->id[0] == '\0')
        return refuse(why, -EINVAL, "has no id=: no device could name it");
    if (netdevs_find(netdevs, n->id))
        return refuse(why, -EINVAL, "id=%s: another network has that name", n->id);
    if (netdevs->count == NETDEVS_MAX)
        return refuse(why, -ENOSPC, "there is no room for more than %u networks", NETDEVS_MAX);
    return n->kind->check ? n->kind->check(n, why) : 0;
}

int netdevs_add(struct netdevs *netdevs, struct properties *given, struct refusal *why)
{
    const char *type = properties_remove(given, "type");
    const struct netdev_kind *kind;
    struct netdev *n;
    int error;

    if (!type)
        return refuse(why, -EINVAL, "says no kind of network: user, tap or dgram");
    kind = netdev_kind_find(type, why);
    if (!kind)
        return -EINVAL;
    n = calloc(1, sizeof *n);
    if (!n)
        die("no memory for a network");
    n->kind = kind;
    error = properties_apply(given, kind->properties, n, why);
    if (error == 0)
        error = check(netdevs, n, why);
    if (error < 0) {
        free(n);
        return error;
    }
    netdevs->list[netdevs->count++] = n;
    return 0;
}

bool netdevs_have_user(const struct netdevs *netdevs)
{
    for (unsigned i = 0; i < netdevs->count; i++)
        if (netdevs->list[i]->kind->open == open_user)
            return true;
    return false;
}

int netdevs_open(struct netdevs *netdevs, struct refusal *why)
{
    for (unsigned i = 0; i < netdevs->count; i++) {
        struct netdev *n = netdevs->list[i];
        struct refusal inner;
        int error = n->kind->open(n, &inner);

        if (error < 0)
            return refuse(why, error, "-netdev %s: %s", n->kind->name, inner.text);
        n->open = true;
    }
    return 0;
}

void netdevs_start(struct netdevs *netdevs)
{
    for (unsigned i = 0; i < netdevs->count; i++)
        if (netdevs->list[i]->kind->open == open_user)
            start_user(netdevs->list[i]);
}

void netdevs_close(struct netdevs *netdevs)
{
    while (netdevs->count > 0) {
        struct netdev *n = netdevs->list[--netdevs->count];

        if (n->open)
            n->kind->close(n);
        free(n);
    }
}

void netdevs_print(FILE *out)
{
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        fprintf(out, "%s: %s\n", kinds[i].name, kinds[i].text);
        properties_print(out, kinds[i].properties);
    }
}
