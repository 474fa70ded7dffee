/*
 * net.c: virtio-net-pci: a network card. [VIRTIO, 5.1 "Network Device"]
 *
 * Its address is 52:54:00:12:34:56 and up without mac=, as QEMU counts.
 *
 * Its thread looks at the network while the guest has buffers for frames. Without any, the
 * frames wait in the host's kernel; a poll() for them would return at once, again and again.
 *
 * With mq=on the card has a pair of queues for each queue of the network; all are served by
 * the one thread.
 *
 * Left out on purpose: link state.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "05-virtio/virtio_net.h"
#include "07-linux-boot/inventory.h"

#define CLASS_ETHERNET 0x020000u

struct net_card {
    struct device device;
    char netdev_id[ID_ROOM];
    uint8_t mac[ETH_ALEN];
    struct netdev *netdev;
    bool several; /* as many pairs of queues as the network has */
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
    {"mq", property_switch, AT(struct net_card, several), .form = "on|off"},
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

/* Without a buffer for it a frame waits in the host's kernel, which may serve it itself. */
static int network_fd(void *self)
{
    const struct net_fd *back = &((struct net_card *)self)->netdev->back;

    return net_fd_wants(back) && !back->backend.bypass ? back->wait_fd : -1;
}

static void frames_came(void *self)
{
    net_fd_ready(&((struct net_card *)self)->netdev->back);
}

static int plug(struct device *device, struct virtio_bus *bus, struct refusal *why)
{
    struct net_card *card = (struct net_card *)device;
    struct virtio_source source = {network_fd, frames_came, card};
    char name[16];

    virtio_net_init(&card->net, &bus->machine->vm.memory, &card->netdev->back.backend, card->mac,
                    card->several ? card->netdev->back.queues : 1);
    snprintf(name, sizeof name, "%.15s", card->netdev->id);
    return virtio_slot_plug_worker(&device->slot, &card->net.device, CLASS_ETHERNET, bus, name,
                                   &source, why);
}

static void unplug(struct device *device)
{
    virtio_net_stop(&((struct net_card *)device)->net);
    virtio_slot_unplug(&device->slot);
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
