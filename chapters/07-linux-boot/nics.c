/*
 * nics.c: see nics.h. Open at hand: epoll_ctl(2), EPOLLONESHOT.
 *
 * When does the event loop look at the back end? While the guest has buffers for frames.
 * Without any, the frames wait in the host's kernel; a poll() for them would return at
 * once, again and again. The guest's new buffers come on another thread if their doorbell
 * is no eventfd, so the watch must be switchable from any: an epoll in between fires once
 * and is then armed anew by whoever sees that there is use in it.
 *
 * Left out on purpose: several queue pairs, link state.
 */
#include "07-linux-boot/nics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "07-linux-boot/properties.h"
#include "common/die.h"

#define CLASS_ETHERNET 0x020000u

#define FORWARDS_MAX   16u

enum nic_kind { NIC_NONE, NIC_USER, NIC_TAP, NIC_DGRAM };

struct nic_options {
    enum nic_kind kind;
    bool kind_given;
    char interface[16]; /* IFNAMSIZ */
    int fd;
    bool fd_type;
    uint8_t mac[ETH_ALEN];
    char forwards[FORWARDS_MAX][100];
    unsigned forward_count;
};

static int take_kind(struct nic_options *o, const char *value, struct refusal *why)
{
    static const char *const names[] = {
        [NIC_NONE] = "none", [NIC_USER] = "user", [NIC_TAP] = "tap", [NIC_DGRAM] = "dgram"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(value, names[i]) == 0) {
            o->kind = (enum nic_kind)i;
            o->kind_given = true;
            return 0;
        }
    return refuse(why, -EINVAL,
                  "\"%.80s\" is no kind of network: there are none, user, tap and dgram", value);
}

/* Six pairs of digits; an address of one host, not of a group. */
static int take_mac(struct nic_options *o, const char *value, struct refusal *why)
{
    unsigned b[ETH_ALEN];
    char end;

    if (strlen(value) != 17 || strspn(value, "0123456789abcdefABCDEF:") != 17 ||
        sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%c", b, b + 1, b + 2, b + 3, b + 4, b + 5, &end) != 6)
        return refuse(why, -EINVAL, "mac=%.80s: not of the form 52:54:00:12:34:56", value);
    if (b[0] & 1)
        return refuse(why, -EINVAL, "mac=%.80s: the address of a group, not of a card", value);
    for (unsigned i = 0; i < ETH_ALEN; i++)
        o->mac[i] = (uint8_t)b[i];
    return 0;
}

static int take_fd(struct nic_options *o, const char *value, struct refusal *why)
{
    char *end;
    long fd = strtol(value, &end, 10);

    if (*value < '0' || *value > '9' || *end || fd > 65535)
        return refuse(why, -EINVAL, "local.str=%.80s: not the number of a descriptor", value);
    o->fd = (int)fd;
    return 0;
}

static int take_forward(struct nic_options *o, const char *value, struct refusal *why)
{
    if (o->forward_count == FORWARDS_MAX || strlen(value) >= sizeof o->forwards[0])
        return refuse(why, -EINVAL, "hostfwd=%.80s: too long, or more than %u", value,
                      FORWARDS_MAX);
    strcpy(o->forwards[o->forward_count++], value);
    return 0;
}

static int take(void *self, const char *key, const char *value, struct refusal *why)
{
    struct nic_options *o = self;
    bool unused;

    if (strcmp(key, "type") == 0)
        return take_kind(o, value, why);
    if (strcmp(key, "mac") == 0)
        return take_mac(o, value, why);
    if (strcmp(key, "model") == 0)
        return properties_choose(key, value, "virtio", "virtio-net-pci", &unused, why);
    if (o->kind == NIC_TAP && strcmp(key, "ifname") == 0) {
        if (*value == '\0' || strlen(value) >= sizeof o->interface)
            return refuse(why, -EINVAL, "ifname=%.80s: 1 to 15 characters", value);
        strcpy(o->interface, value);
        return 0;
    }
    if (o->kind == NIC_TAP && (strcmp(key, "script") == 0 || strcmp(key, "downscript") == 0))
        return properties_choose(key, value, "no", "", &unused, why);
    if (o->kind == NIC_USER && strcmp(key, "hostfwd") == 0)
        return take_forward(o, value, why);
    if (o->kind == NIC_DGRAM && strcmp(key, "local.type") == 0)
        return properties_choose(key, value, "fd", "fd", &o->fd_type, why);
    if (o->kind == NIC_DGRAM && strcmp(key, "local.str") == 0)
        return take_fd(o, value, why);
    return refuse(why, -EINVAL, "\"%.80s\" is no property of this kind of network", key);
}

static int parse(struct nic_options *o, const char *text, struct refusal *why)
{
    int error = properties_parse(text, "type", take, o, why);

    if (error < 0)
        return error;
    if (!o->kind_given)
        return refuse(why, -EINVAL, "says no kind of network: none, user, tap or dgram");
    if (o->kind == NIC_TAP && o->interface[0] == '\0')
        return refuse(why, -EINVAL, "tap has no ifname=");
    if (o->kind == NIC_DGRAM && (!o->fd_type || o->fd < 0))
        return refuse(why, -EINVAL, "dgram needs local.type=fd,local.str=NUMBER");
    return 0;
}

/* A copy of it, since a machine that is reset is built a second time. */
static int open_dgram(struct net_fd *back, int number, struct refusal *why)
{
    int type = 0, fd;
    socklen_t size = sizeof type;

    if (getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
        (type != SOCK_DGRAM && type != SOCK_SEQPACKET))
        return refuse(why, -EINVAL, "local.str=%d: not a socket of datagrams that is open", number);
    fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return refuse(why, -errno, "local.str=%d: %s", number, strerror(errno));
    net_fd_socket(back, fd);
    return 0;
}

static int open_user(struct nic *nic, const struct nic_options *o, struct refusal *why)
{
    int error = user_net_init(&nic->user, why);

    if (error < 0)
        return error;
    for (unsigned i = 0; i < o->forward_count && error == 0; i++)
        error = user_net_forward(&nic->user, o->forwards[i], why);
    if (error < 0) {
        user_net_stop(&nic->user);
        return error;
    }
    nic->is_user = true;
    net_fd_socket(&nic->back, user_net_start(&nic->user));
    return 0;
}

static int open_back(struct nic *nic, const struct nic_options *o, struct refusal *why)
{
    switch (o->kind) {
    case NIC_USER: return open_user(nic, o, why);
    case NIC_TAP: return net_fd_tap(&nic->back, o->interface, why);
    default: return open_dgram(&nic->back, o->fd, why);
    }
}

static void close_back(struct nic *nic)
{
    if (nic->is_user)
        user_net_stop(&nic->user);
    net_fd_close(&nic->back);
}

/* Without use in it, it stays as the last event has left it: silent. */
static void arm(struct nic *nic, int how)
{
    struct epoll_event once = {.events = EPOLLIN | EPOLLONESHOT};

    if (net_fd_wants(&nic->back) && epoll_ctl(nic->frames, how, nic->back.fd, &once) < 0)
        die("epoll_ctl failed: %s", strerror(errno));
}

static void frames_came(void *self)
{
    struct nic *nic = self;
    pthread_mutex_t *lock = &nic->slot.machine->devices.lock;
    struct epoll_event event;

    if (epoll_wait(nic->frames, &event, 1, 0) < 1)
        return;
    pthread_mutex_lock(lock);
    net_fd_ready(&nic->back);
    arm(nic, EPOLL_CTL_MOD);
    pthread_mutex_unlock(lock);
}

static void nic_resume(void *self)
{
    struct nic *nic = self;

    nic->resume(&nic->back);
    arm(nic, EPOLL_CTL_MOD);
}

static void watch(struct nic *nic, struct machine *machine)
{
    nic->frames = epoll_create1(EPOLL_CLOEXEC);
    if (nic->frames < 0)
        die("epoll_create1 failed: %s", strerror(errno));
    nic->resume = nic->back.backend.resume;
    nic->back.backend.resume = nic_resume;
    arm(nic, EPOLL_CTL_ADD);
    watches_add(&machine->watches, nic->frames, frames_came, nic);
}

static int plug(struct nic *nic, const struct nic_options *o, struct virtio_bus *bus,
                struct refusal *why)
{
    int error;

    virtio_net_init(&nic->net, &bus->machine->vm.memory, &nic->back.backend, o->mac, 1);
    error = virtio_slot_plug(&nic->slot, &nic->net.device, CLASS_ETHERNET, bus, why);
    if (error == 0)
        watch(nic, bus->machine);
    return error;
}

int nics_add(struct nics *nics, const char *text, struct virtio_bus *bus, struct refusal *why)
{
    struct nic_options options = {
        .fd = -1, .mac = {0x52, 0x54, 0x00, 0x12, 0x34, (uint8_t)(0x56 + nics->count)}};
    struct nic *nic;
    int error = parse(&options, text, why);

    if (error < 0 || options.kind == NIC_NONE)
        return error;
    if (nics->count == NICS_MAX)
        return refuse(why, -ENOSPC, "there is no room for more than %u network cards", NICS_MAX);
    nic = calloc(1, sizeof *nic);
    if (!nic)
        die("no memory for a network card");
    error = open_back(nic, &options, why);
    if (error < 0)
        goto no_network;
    error = plug(nic, &options, bus, why);
    if (error < 0)
        goto not_plugged;
    nics->list[nics->count++] = nic;
    return 0;

not_plugged:
    close_back(nic);
no_network:
    free(nic);
    return error;
}

void nics_free(struct nics *nics)
{
    while (nics->count > 0) {
        struct nic *nic = nics->list[--nics->count];

        virtio_slot_unplug(&nic->slot);
        close(nic->frames);
        close_back(nic);
        free(nic);
    }
}
