/*
 * net.c: virtio-net-pci: a network card. Open at hand: epoll_ctl(2), EPOLLONESHOT.
 * [VIRTIO, 5.1 "Network Device"]
 *
 * Its address is 52:54:00:12:34:56 and up without mac=, as QEMU counts.
 *
 * When does the event loop look at the back end? While the guest has buffers for frames.
 * Without any, the frames wait in the host's kernel; a poll() for them would return at
 * once, again and again. The guest's new buffers come on another thread if their doorbell
 * is no eventfd, so the watch must be switchable from any: an epoll in between fires once
 * and is then armed anew by whoever sees that there is use in it.
 *
 * Left out on purpose: several queue pairs, link state.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "05-virtio/virtio_net.h"
#include "07-linux-boot/inventory.h"
#include "common/die.h"

#define CLASS_ETHERNET 0x020000u

struct net_card {
    struct device device;
    char netdev_id[ID_ROOM];
    uint8_t mac[ETH_ALEN];
    struct netdev *netdev;
    struct net_backend backend; /* the network's, that re-arms the watch as well */
    int frames; /* an epoll: readable when the network is, and somebody wants its frames */
    struct virtio_net net;
};

/* Six pairs of digits; an address of one host, not of a group. */
static int take_mac(const struct property *row, void *field, const char *value, struct refusal *why)
{
    uint8_t *mac = field;
    unsigned b[ETH_ALEN];
    char end;

    if (strlen(value) != 17 || strspn(value, "0123456789abcdefABCDEF:") != 17 ||
        sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%c", b, b + 1, b + 2, b + 3, b + 4, b + 5, &end) != 6)
        return refuse(why, -EINVAL, "%s=%.80s: not of the form 52:54:00:12:34:56", row->name,
                      value);
    if (b[0] & 1)
        return refuse(why, -EINVAL, "%s=%.80s: the address of a group, not of a card", row->name,
                      value);
    for (unsigned i = 0; i < ETH_ALEN; i++)
        mac[i] = (uint8_t)b[i];
    return 0;
}

static const struct property properties[] = {
    {"netdev", property_text, AT(struct net_card, netdev_id), .form = "NETDEV"},
    {"mac", take_mac, AT(struct net_card, mac), .form = "ADDRESS"},
    DEVICE_ROWS,
};

static int find_back_end(struct device *device, struct inventory *inventory, struct refusal *why)
{
    static const uint8_t none[ETH_ALEN];
    struct net_card *card = (struct net_card *)device;
    uint8_t number = (uint8_t)inventory->net_cards;

    card->netdev = inventory_take_netdev(inventory, card->netdev_id, why);
    if (!card->netdev)
        return -EINVAL;
    if (memcmp(card->mac, none, ETH_ALEN) == 0)
        memcpy(card->mac, (uint8_t[]){0x52, 0x54, 0x00, 0x12, 0x34, 0x56 + number}, ETH_ALEN);
    inventory->net_cards++;
    return 0;
}

/* Without use in it, it stays as the last event has left it: silent. */
static void arm(struct net_card *card, int how)
{
    struct epoll_event once = {.events = EPOLLIN | EPOLLONESHOT};
    const struct net_fd *back = &card->netdev->back;

    if (net_fd_wants(back) && epoll_ctl(card->frames, how, back->fd, &once) < 0)
        die("epoll_ctl failed: %s", strerror(errno));
}

static void frames_came(void *self)
{
    struct net_card *card = self;
    pthread_mutex_t *lock = &card->device.slot.machine->devices.lock;
    struct epoll_event event;

    if (epoll_wait(card->frames, &event, 1, 0) < 1)
        return;
    pthread_mutex_lock(lock);
    net_fd_ready(&card->netdev->back);
    arm(card, EPOLL_CTL_MOD);
    pthread_mutex_unlock(lock);
}

/* ---- the network's back end, with one thing more to do when there are buffers again ---- */

static void card_send(void *self, const struct virtio_net_hdr_v1 *header, const struct iovec *iov,
                      unsigned count)
{
    const struct net_backend *behind = &((struct net_card *)self)->netdev->back.backend;

    behind->send(behind->self, header, iov, count);
}

static void card_resume(void *self)
{
    struct net_card *card = self;
    const struct net_backend *behind = &card->netdev->back.backend;

    behind->resume(behind->self);
    arm(card, EPOLL_CTL_MOD);
}

static void card_accept(void *self, uint64_t features)
{
    const struct net_backend *behind = &((struct net_card *)self)->netdev->back.backend;

    if (behind->accept)
        behind->accept(behind->self, features);
}

static int plug(struct device *device, struct virtio_bus *bus, struct refusal *why)
{
    struct net_card *card = (struct net_card *)device;
    struct net_fd *back = &card->netdev->back;
    int error;

    card->backend = (struct net_backend){.offloads = back->backend.offloads,
                                         .send = card_send,
                                         .resume = card_resume,
                                         .accept = card_accept,
                                         .self = card};
    virtio_net_init(&card->net, &bus->machine->vm.memory, &card->backend, card->mac, 1);
    back->backend.receiver = card->backend.receiver;
    error = virtio_slot_plug(&device->slot, &card->net.device, CLASS_ETHERNET, bus, why);
    if (error < 0)
        return error;
    card->frames = epoll_create1(EPOLL_CLOEXEC);
    if (card->frames < 0)
        die("epoll_create1 failed: %s", strerror(errno));
    arm(card, EPOLL_CTL_ADD);
    watches_add(&bus->machine->watches, card->frames, frames_came, card);
    return 0;
}

static void unplug(struct device *device)
{
    struct net_card *card = (struct net_card *)device;

    virtio_slot_unplug(&device->slot);
    close(card->frames);
}

const struct device_kind device_net = {
    .name = "virtio-net",
    .text = "a network card, whose network is a -netdev",
    .properties = properties,
    .size = sizeof(struct net_card),
    .on = BUS_VIRTIO,
    .connect = find_back_end,
    .plug = plug,
    .unplug = unplug,
};
