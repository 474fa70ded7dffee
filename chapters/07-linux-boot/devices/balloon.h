/*
 * balloon.h: the balloon of the command line, for the monitor.
 */
#ifndef CHAPTER_07_DEVICES_BALLOON_H
#define CHAPTER_07_DEVICES_BALLOON_H

#include "05-virtio/virtio_balloon.h"
#include "07-linux-boot/devices/device.h"

struct balloon_card {
    struct device device;
    bool reporting;  /* free-page-reporting=on */
    uint32_t target; /* pages of 4 KiB that the host would like; it stays over a reset */
    struct virtio_balloon balloon;
};

#endif
