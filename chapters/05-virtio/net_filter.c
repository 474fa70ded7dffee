/*
 * net_filter.c: the control queue of the network device: what the driver wants to hear,
 * and how many pairs of queues it uses. Open at hand: [VIRTIO] 5.1.6.5 "Control
 * Virtqueue".
 *
 *     readable   class, command, data
 *     writable   status: VIRTIO_NET_OK or VIRTIO_NET_ERR
 *
 * Left out on purpose: VLAN filters, announcing, receive-side scaling, interrupt
 * moderation; none is offered, and a driver that asks anyway gets VIRTIO_NET_ERR.
 */
#include "05-virtio/net_filter.h"

#include <string.h>

#include "common/bits.h"

static bool set_mode(struct net_filter *f, uint8_t command, uint8_t on)
{
    bool *modes[] = {
        [VIRTIO_NET_CTRL_RX_PROMISC] = &f->promiscuous,
        [VIRTIO_NET_CTRL_RX_ALLMULTI] = &f->all_multicast,
        [VIRTIO_NET_CTRL_RX_ALLUNI] = &f->all_unicast,
        [VIRTIO_NET_CTRL_RX_NOMULTI] = &f->no_multicast,
        [VIRTIO_NET_CTRL_RX_NOUNI] = &f->no_unicast,
        [VIRTIO_NET_CTRL_RX_NOBCAST] = &f->no_broadcast,
    };

    if (command >= ARRAY_SIZE(modes))
        return false;
    *modes[command] = on;
    return true;
}

/*
 * Two lists, unicast and multicast, each with its number of entries before it. The
 * numbers are the guest's: they are measured against what it really sent.
 */
static bool set_table(struct net_filter *f, const struct chain *chain, uint64_t at)
{
    struct net_filter fresh = *f;
    bool overflow[2] = {false, false};

    fresh.count = 0;
    for (unsigned list = 0; list < 2; list++) {
        uint32_t entries;

        if (chain_read(chain, at, &entries, sizeof entries) < sizeof entries)
            return false;
        at += sizeof entries;
        if (entries > (chain->readable_size - at) / ETH_ALEN)
            return false;
        overflow[list] = entries > VIRTIO_NET_MACS_MAX - fresh.count;
        for (uint32_t i = 0; i < entries && !overflow[list]; i++)
            chain_read(chain, at + i * ETH_ALEN, fresh.macs[fresh.count++], ETH_ALEN);
        at += (uint64_t)entries * ETH_ALEN;
    }
    fresh.all_unicast |= overflow[0];
    fresh.all_multicast |= overflow[1];
    *f = fresh;
    return true;
}

static bool set_pairs(struct virtio_net *net, const struct chain *chain)
{
    uint16_t pairs;

    if (!virtio_device_has(&net->device, VIRTIO_NET_F_MQ) ||
        chain_read(chain, sizeof(struct virtio_net_ctrl_hdr), &pairs, sizeof pairs) <
            sizeof pairs ||
        pairs == 0 || pairs > net->config.max_virtqueue_pairs)
        return false;
    net->pairs = pairs;
    return true;
}

static bool obey(struct virtio_net *net, const struct virtio_net_ctrl_hdr *head,
                 const struct chain *chain)
{
    uint64_t at = sizeof *head, left = chain->readable_size - at;
    uint8_t on;

    switch (head->class) {
    case VIRTIO_NET_CTRL_RX:
        return chain_read(chain, at, &on, 1) == 1 && set_mode(&net->filter, head->cmd, on);
    case VIRTIO_NET_CTRL_MAC:
        if (head->cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET)
            return set_table(&net->filter, chain, at);
        return head->cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET && left == ETH_ALEN &&
               chain_read(chain, at, net->mac, ETH_ALEN) == ETH_ALEN;
    case VIRTIO_NET_CTRL_MQ:
        return head->cmd == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET && set_pairs(net, chain);
    default: return false;
    }
}

void net_control(struct virtio_net *net, unsigned queue, struct chain *chain)
{
    struct virtio_net_ctrl_hdr head;
    uint8_t status = VIRTIO_NET_ERR;

    if (chain->writable_size == 0) {
        virtio_device_fail(&net->device, "a control request without room for its status");
        return;
    }
    if (chain_read(chain, 0, &head, sizeof head) == sizeof head && obey(net, &head, chain))
        status = VIRTIO_NET_OK;
    chain_write(chain, 0, &status, 1);
    virtio_device_push(&net->device, queue, chain, 1);
}

void net_filter_reset(struct virtio_net *net)
{
    net->filter = (struct net_filter){0};
    memcpy(net->mac, net->config.mac, ETH_ALEN);
    net->pairs = 1;
}

static bool in_table(const struct net_filter *f, const uint8_t *mac)
{
    for (unsigned i = 0; i < f->count; i++)
        if (memcmp(f->macs[i], mac, ETH_ALEN) == 0)
            return true;
    return false;
}

bool net_filter_wants(const struct virtio_net *net, const uint8_t destination[ETH_ALEN])
{
    static const uint8_t broadcast[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const struct net_filter *f = &net->filter;

    /* Who cannot tell us what he wants gets everything. */
    if (f->promiscuous || !virtio_device_has(&net->device, VIRTIO_NET_F_CTRL_RX))
        return true;
    if (memcmp(destination, broadcast, ETH_ALEN) == 0)
        return !f->no_broadcast;
    if (destination[0] & 1)
        return !f->no_multicast && (f->all_multicast || in_table(f, destination));
    return !f->no_unicast && (f->all_unicast || memcmp(destination, net->mac, ETH_ALEN) == 0 ||
                              in_table(f, destination));
}
