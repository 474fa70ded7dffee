/*
 * ring_trace.h: what goes through a ring, told as it happens, for --trace-ring.
 *
 *     disk 0 takes     id 0, place 0
 *                      0x00022000      16 bytes to read
 *                      0x00023000     512 bytes to write
 *                      0x00022010       1 bytes to write
 *     disk 0 gives     id 0, place 0, 513 bytes written
 *     disk 0 shows     used index 1, interrupt
 *
 * As JSON each event is one line, an object with the same fields.
 *
 *     ring_trace_init(&trace, stderr, RING_TRACE_TEXT, "disk", &blk.device);
 *
 * A guest decides how much there is to tell, so after RING_TRACE_MAX events a device's
 * trace ends with a line that says so.
 */
#ifndef CHAPTER_05_RING_TRACE_H
#define CHAPTER_05_RING_TRACE_H

#include <stdio.h>

#include "05-virtio/virtio_device.h"

#define RING_TRACE_MAX 10000u

enum ring_trace_form { RING_TRACE_TEXT, RING_TRACE_JSON };

struct ring_trace {
    FILE *out; /* not owned */
    enum ring_trace_form form;
    const char *name;
    struct virtio_device *device;
    unsigned told;
    struct virtqueue_watch watch;
};

/* Watches all queues of the device, which must have them already. trace must not move. */
void ring_trace_init(struct ring_trace *trace, FILE *out, enum ring_trace_form form,
                     const char *name, struct virtio_device *device);

#endif
