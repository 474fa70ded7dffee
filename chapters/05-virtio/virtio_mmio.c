/*
 * virtio_mmio.c: see virtio_mmio.h. Open at hand: [VIRTIO] 4.2 "Virtio Over MMIO".
 *
 * Control registers answer aligned accesses of 4 bytes only; others read 0 and are
 * ignored. Selecting a queue that does not exist is no error: it reads as a queue of
 * size 0, which is how a driver counts them.
 *
 * Left out on purpose: version 1, "legacy", with its page numbers; shared memory
 * regions, of which no device here has one.
 */
#include "05-virtio/virtio_mmio.h"

#include <stddef.h>

#include "common/bits.h"

static void update_line(struct virtio_mmio *t)
{
    bool level = t->interrupts != 0;

    if (level != t->level) {
        t->level = level;
        irq_set(&t->irq, level);
    }
}

static void mmio_used(void *self, unsigned queue)
{
    struct virtio_mmio *t = self;

    (void)queue; /* one line for all: the driver looks at each */
    t->interrupts |= VIRTIO_MMIO_INT_VRING;
    update_line(t);
}

static void mmio_changed(void *self)
{
    struct virtio_mmio *t = self;

    t->interrupts |= VIRTIO_MMIO_INT_CONFIG;
    update_line(t);
}

void virtio_mmio_init(struct virtio_mmio *t, struct virtio_device *device, struct irq_line irq)
{
    *t = (struct virtio_mmio){.device = device, .irq = irq};
    device->wire = (struct virtio_wire){mmio_used, mmio_changed, t};
}

static uint32_t read_register(const struct virtio_mmio *t, uint64_t reg)
{
    struct virtio_device *d = t->device;
    const struct virtio_queue *queue = virtio_device_queue(d, t->queue);

    switch (reg) {
    case VIRTIO_MMIO_MAGIC_VALUE: return VIRTIO_MMIO_MAGIC;
    case VIRTIO_MMIO_VERSION: return 2;
    case VIRTIO_MMIO_DEVICE_ID: return d->class->id;
    case VIRTIO_MMIO_VENDOR_ID: return VIRTIO_MMIO_VENDOR;
    case VIRTIO_MMIO_DEVICE_FEATURES: return virtio_device_features(d, t->feature_word);
    case VIRTIO_MMIO_QUEUE_NUM_MAX: return queue ? queue->size_max : 0;
    case VIRTIO_MMIO_QUEUE_READY: return queue ? queue->enabled : 0;
    case VIRTIO_MMIO_QUEUE_RESET: return queue ? queue->was_reset : 0;
    case VIRTIO_MMIO_INTERRUPT_STATUS: return t->interrupts;
    case VIRTIO_MMIO_STATUS: return virtio_device_status(d);
    case VIRTIO_MMIO_CONFIG_GENERATION: return d->generation;
    /* A shared memory region that does not exist has the length -1. */
    case VIRTIO_MMIO_SHM_LEN_LOW:
    case VIRTIO_MMIO_SHM_LEN_HIGH:
    case VIRTIO_MMIO_SHM_BASE_LOW:
    case VIRTIO_MMIO_SHM_BASE_HIGH: return UINT32_MAX;
    default: return 0; /* not a register, or one that can only be written */
    }
}

static void set_low(gpa_t *address, uint32_t value)
{
    *address = (*address & ~(gpa_t)UINT32_MAX) | value;
}

static void set_high(gpa_t *address, uint32_t value)
{
    *address = (*address & UINT32_MAX) | (gpa_t)value << 32;
}

/* What describes a queue can be written until it is ready. */
static void write_setup(struct virtqueue_setup *setup, uint64_t reg, uint32_t value)
{
    switch (reg) {
    case VIRTIO_MMIO_QUEUE_NUM: setup->size = value <= UINT16_MAX ? (uint16_t)value : 0; break;
    case VIRTIO_MMIO_QUEUE_DESC_LOW: set_low(&setup->descriptors, value); break;
    case VIRTIO_MMIO_QUEUE_DESC_HIGH: set_high(&setup->descriptors, value); break;
    case VIRTIO_MMIO_QUEUE_AVAIL_LOW: set_low(&setup->driver, value); break;
    case VIRTIO_MMIO_QUEUE_AVAIL_HIGH: set_high(&setup->driver, value); break;
    case VIRTIO_MMIO_QUEUE_USED_LOW: set_low(&setup->device, value); break;
    case VIRTIO_MMIO_QUEUE_USED_HIGH: set_high(&setup->device, value); break;
    }
}

static void write_status(struct virtio_mmio *t, uint32_t value)
{
    virtio_device_set_status(t->device, (uint8_t)value);
    if (virtio_device_status(t->device) == 0) {
        t->feature_word = t->accepted_word = t->queue = 0;
        t->interrupts = 0;
        update_line(t);
    }
}

/* [mmio-write] */
static void write_register(struct virtio_mmio *t, uint64_t reg, uint32_t value)
{
    struct virtio_device *d = t->device;
    struct virtio_queue *queue = virtio_device_queue_setup(d, t->queue);

    switch (reg) {
    case VIRTIO_MMIO_DEVICE_FEATURES_SEL: t->feature_word = value; break;
    case VIRTIO_MMIO_DRIVER_FEATURES_SEL: t->accepted_word = value; break;
    case VIRTIO_MMIO_DRIVER_FEATURES: virtio_device_accept(d, t->accepted_word, value); break;
    case VIRTIO_MMIO_QUEUE_SEL: t->queue = value; break;
    case VIRTIO_MMIO_QUEUE_READY:
        if (value == 1)
            virtio_device_enable_queue(d, t->queue);
        else if (value == 0)
            virtio_device_disable_queue(d, t->queue);
        break;
    case VIRTIO_MMIO_QUEUE_RESET:
        if (value == 1)
            virtio_device_reset_queue(d, t->queue);
        break;
    case VIRTIO_MMIO_QUEUE_NOTIFY: virtio_device_notify(d, value); break;
    case VIRTIO_MMIO_INTERRUPT_ACK:
        t->interrupts &= ~value;
        update_line(t);
        break;
    case VIRTIO_MMIO_STATUS: write_status(t, value); break;
    default:
        if (queue)
            write_setup(&queue->setup, reg, value);
    }
}
/* [/mmio-write] */

uint64_t virtio_mmio_read(void *self, uint64_t reg, unsigned size)
{
    const struct virtio_mmio *t = self;

    if (reg >= VIRTIO_MMIO_CONFIG)
        return virtio_device_config_read(t->device, reg - VIRTIO_MMIO_CONFIG, size);
    return size == 4 && is_aligned(reg, 4) ? read_register(t, reg) : 0;
}

void virtio_mmio_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct virtio_mmio *t = self;

    if (reg >= VIRTIO_MMIO_CONFIG)
        virtio_device_config_write(t->device, reg - VIRTIO_MMIO_CONFIG, size, value);
    else if (size == 4 && is_aligned(reg, 4))
        write_register(t, reg, (uint32_t)value);
}
