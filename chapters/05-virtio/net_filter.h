/*
 * net_filter.h: the control queue of the network device, and the filter it sets. Only
 * virtio_net.c calls these. [VIRTIO, 5.1.6.5 "Control Virtqueue"]
 */
#ifndef CHAPTER_05_NET_FILTER_H
#define CHAPTER_05_NET_FILTER_H

#include "05-virtio/virtio_net.h"

/* Carries out one request, answers it, and gives it back. */
void net_control(struct virtio_net *net, unsigned queue, struct chain *chain);

/* Does the driver want a frame to this address? */
bool net_filter_wants(const struct virtio_net *net, const uint8_t destination[ETH_ALEN]);

void net_filter_reset(struct virtio_net *net);

#endif
