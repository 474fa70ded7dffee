/*
 * virtio_pci.c: see virtio_pci.h. Open at hand: [VIRTIO] 4.1.4 "Virtio Structure PCI
 * Capabilities".
 *
 * The common configuration is a struct in the guest's address space. Reads build it and
 * cut out what was asked for, so every width and alignment has an answer. Writes must
 * name a whole field: others are ignored. Beyond the structs all reads as zero.
 *
 * Left out on purpose: the legacy layout in ports of its own; shared memory regions;
 * power states; and the command register's bus master bit, which drivers set before they
 * touch a device and which no harm comes of ignoring.
 *
 * Longer than most: one struct of registers, each with its rule for reads and for writes.
 *
 * Longer than most: four structs behind one BAR, each read and written.
 */
#include "05-virtio/virtio_pci.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/bits.h"

/* struct virtio_pci_common_cfg as of 1.2: Linux's struct ends before the last two. */
struct common_config {
    struct virtio_pci_common_cfg first;
    uint16_t queue_notify_data;
    uint16_t queue_reset;
};
_Static_assert(sizeof(struct virtio_pci_common_cfg) == 56, "[VIRTIO, 4.1.4.3]");
_Static_assert(offsetof(struct common_config, queue_notify_data) == VIRTIO_PCI_COMMON_Q_NDATA, "");
_Static_assert(offsetof(struct common_config, queue_reset) == VIRTIO_PCI_COMMON_Q_RESET, "");

static void vectors_changed(struct virtio_pci *t)
{
    if (t->vectors_changed)
        t->vectors_changed(t->vectors_changed_self);
}

static void entry_changed(void *self, unsigned vector)
{
    (void)vector; /* several queues may share it */
    vectors_changed(self);
}

bool virtio_pci_message(const struct virtio_pci *t, unsigned queue, struct msix_entry *message)
{
    uint16_t vector = t->queue_vectors[queue];

    if (!msix_open(&t->msix, vector) || !pci_function_is_master(&t->pci))
        return false;
    *message = t->msix.table[vector];
    return true;
}

static void update_pin(struct virtio_pci *t)
{
    pci_function_set_intx(&t->pci, t->isr != 0);
}

/* [pci-signal] */
static void signal_driver(struct virtio_pci *t, uint16_t vector, uint8_t cause)
{
    if (msix_enabled(&t->msix)) {
        if (vector != VIRTIO_MSI_NO_VECTOR)
            msix_raise(&t->msix, vector);
        return;
    }
    t->isr |= cause;
    update_pin(t);
}
/* [/pci-signal] */

static void pci_used(void *self, unsigned queue)
{
    struct virtio_pci *t = self;

    signal_driver(t, t->queue_vectors[queue], VIRTIO_PCI_ISR_QUEUE);
}

static void pci_changed(void *self)
{
    struct virtio_pci *t = self;

    signal_driver(t, t->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

/* What a reset of the device leaves in the transport. */
static void forget(struct virtio_pci *t)
{
    t->feature_word = t->accepted_word = 0;
    t->queue = 0;
    t->config_vector = VIRTIO_MSI_NO_VECTOR;
    for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
        t->queue_vectors[i] = VIRTIO_MSI_NO_VECTOR;
    t->isr = 0;
    update_pin(t);
    vectors_changed(t);
}

static struct common_config common_config(const struct virtio_pci *t)
{
    struct virtio_device *d = t->device;
    const struct virtio_queue *queue = virtio_device_queue(d, t->queue);
    struct common_config c = {
        .first = {.device_feature_select = t->feature_word,
                  .device_feature = virtio_device_features(d, t->feature_word),
                  .guest_feature_select = t->accepted_word,
                  .guest_feature = virtio_device_accepted(d, t->accepted_word),
                  .msix_config = t->config_vector,
                  .num_queues = (uint16_t)d->queue_count,
                  .device_status = virtio_device_status(d),
                  .config_generation = (uint8_t)d->generation,
                  .queue_select = t->queue}};

    if (!queue)
        return c;
    c.first.queue_size = queue->setup.size;
    c.first.queue_msix_vector = t->queue_vectors[t->queue];
    c.first.queue_enable = queue->enabled;
    c.first.queue_notify_off = t->queue;
    c.first.queue_desc_lo = (uint32_t)queue->setup.descriptors;
    c.first.queue_desc_hi = (uint32_t)(queue->setup.descriptors >> 32);
    c.first.queue_avail_lo = (uint32_t)queue->setup.driver;
    c.first.queue_avail_hi = (uint32_t)(queue->setup.driver >> 32);
    c.first.queue_used_lo = (uint32_t)queue->setup.device;
    c.first.queue_used_hi = (uint32_t)(queue->setup.device >> 32);
    c.queue_reset = queue->was_reset;
    return c;
}

/* A vector that the table does not have is refused: it reads back as none. */
static uint16_t vector_or_none(const struct virtio_pci *t, uint16_t vector)
{
    return vector < t->msix.count ? vector : VIRTIO_MSI_NO_VECTOR;
}

static void write_status(struct virtio_pci *t, uint8_t status)
{
    virtio_device_set_status(t->device, status);
    if (virtio_device_status(t->device) == 0)
        forget(t);
}

static void set_half(gpa_t *address, bool high, uint32_t value)
{
    unsigned shift = high ? 32 : 0;

    *address = (*address & ~((gpa_t)UINT32_MAX << shift)) | (gpa_t)value << shift;
}

/* What describes a queue can be written until it is enabled. */
static void write_setup(struct virtqueue_setup *setup, uint64_t reg, uint32_t value)
{
    switch (reg) {
    case VIRTIO_PCI_COMMON_Q_SIZE: setup->size = (uint16_t)value; break;
    case VIRTIO_PCI_COMMON_Q_DESCLO:
    case VIRTIO_PCI_COMMON_Q_DESCHI:
        set_half(&setup->descriptors, reg == VIRTIO_PCI_COMMON_Q_DESCHI, value);
        break;
    case VIRTIO_PCI_COMMON_Q_AVAILLO:
    case VIRTIO_PCI_COMMON_Q_AVAILHI:
        set_half(&setup->driver, reg == VIRTIO_PCI_COMMON_Q_AVAILHI, value);
        break;
    case VIRTIO_PCI_COMMON_Q_USEDLO:
    case VIRTIO_PCI_COMMON_Q_USEDHI:
        set_half(&setup->device, reg == VIRTIO_PCI_COMMON_Q_USEDHI, value);
        break;
    }
}

static void common_write(struct virtio_pci *t, uint64_t reg, uint32_t value)
{
    struct virtio_device *d = t->device;
    struct virtio_queue *queue = virtio_device_queue_setup(d, t->queue);

    switch (reg) {
    case VIRTIO_PCI_COMMON_DFSELECT: t->feature_word = value; break;
    case VIRTIO_PCI_COMMON_GFSELECT: t->accepted_word = value; break;
    case VIRTIO_PCI_COMMON_GF: virtio_device_accept(d, t->accepted_word, value); break;
    case VIRTIO_PCI_COMMON_MSIX: t->config_vector = vector_or_none(t, (uint16_t)value); break;
    case VIRTIO_PCI_COMMON_STATUS: write_status(t, (uint8_t)value); break;
    case VIRTIO_PCI_COMMON_Q_SELECT: t->queue = (uint16_t)value; break;
    case VIRTIO_PCI_COMMON_Q_MSIX:
        if (t->queue < d->queue_count)
            t->queue_vectors[t->queue] = vector_or_none(t, (uint16_t)value);
        vectors_changed(t);
        break;
    case VIRTIO_PCI_COMMON_Q_ENABLE:
        if (value == 1)
            virtio_device_enable_queue(d, t->queue);
        break;
    case VIRTIO_PCI_COMMON_Q_RESET:
        if (value == 1)
            virtio_device_reset_queue(d, t->queue);
        break;
    default:
        if (queue)
            write_setup(&queue->setup, reg, value);
    }
}

/* The width of the field that starts at reg; 0 if none does that can be written. */
static unsigned field_size(uint64_t reg)
{
    switch (reg) {
    case VIRTIO_PCI_COMMON_STATUS: return 1;
    case VIRTIO_PCI_COMMON_MSIX:
    case VIRTIO_PCI_COMMON_Q_SELECT:
    case VIRTIO_PCI_COMMON_Q_SIZE:
    case VIRTIO_PCI_COMMON_Q_MSIX:
    case VIRTIO_PCI_COMMON_Q_ENABLE:
    case VIRTIO_PCI_COMMON_Q_RESET: return 2;
    case VIRTIO_PCI_COMMON_DFSELECT:
    case VIRTIO_PCI_COMMON_GFSELECT:
    case VIRTIO_PCI_COMMON_GF:
    case VIRTIO_PCI_COMMON_Q_DESCLO:
    case VIRTIO_PCI_COMMON_Q_DESCHI:
    case VIRTIO_PCI_COMMON_Q_AVAILLO:
    case VIRTIO_PCI_COMMON_Q_AVAILHI:
    case VIRTIO_PCI_COMMON_Q_USEDLO:
    case VIRTIO_PCI_COMMON_Q_USEDHI: return 4;
    default: return 0;
    }
}

/* [pci-notify] */
/*
 * Where is also what: each queue has an address of its own.
 * [VIRTIO, 4.1.4.4 "Notification structure layout"]
 */
static void notify(struct virtio_pci *t, uint64_t offset, unsigned size, uint64_t value)
{
    uint32_t queue = (uint32_t)(offset / VIRTIO_PCI_NOTIFY_STEP);

    if (size >= 2 && offset % VIRTIO_PCI_NOTIFY_STEP == 0 && (uint16_t)value == queue)
        virtio_device_notify(t->device, queue);
}
/* [/pci-notify] */

static uint64_t read_isr(struct virtio_pci *t)
{
    uint8_t isr = t->isr;

    t->isr = 0; /* reading acknowledges */
    update_pin(t);
    return isr;
}

uint64_t virtio_pci_read(void *self, uint64_t reg, unsigned size)
{
    struct virtio_pci *t = self;
    uint64_t part = align_down(reg, VIRTIO_PCI_PART), offset = reg - part, value = 0;

    if (part == VIRTIO_PCI_COMMON_AT) {
        struct common_config c = common_config(t);

        if (fits(offset, size, sizeof c))
            memcpy(&value, (const uint8_t *)&c + offset, size);
    } else if (part == VIRTIO_PCI_ISR_AT && offset == 0) {
        value = read_isr(t);
    } else if (part == VIRTIO_PCI_CONFIG_AT) {
        value = virtio_device_config_read(t->device, offset, size);
    }
    return value;
}

void virtio_pci_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct virtio_pci *t = self;
    uint64_t part = align_down(reg, VIRTIO_PCI_PART), offset = reg - part;

    if (part == VIRTIO_PCI_COMMON_AT && field_size(offset) == size)
        common_write(t, offset, (uint32_t)value);
    else if (part == VIRTIO_PCI_CONFIG_AT)
        virtio_device_config_write(t->device, offset, size, value);
    else if (part == VIRTIO_PCI_NOTIFY_AT)
        notify(t, offset, size, value);
}

uint64_t virtio_pci_port_read(void *self, uint64_t reg, unsigned size)
{
    (void)self, (void)reg, (void)size;
    return 0;
}

void virtio_pci_port_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    notify(self, reg, size, value);
}

/*
 * For firmware that can reach configuration space but not yet a BAR: a window of up to
 * 4 bytes into any of them. bar, offset and length are the guest's; whatever they say,
 * the access stays inside a BAR, or does not happen.
 */
static const struct bus_range *access_window(const struct virtio_pci *t, uint32_t *offset,
                                             uint32_t *length)
{
    unsigned bar = pci_config_get(&t->pci, t->access + VIRTIO_PCI_CAP_BAR, 1);
    const struct bus_range *range;

    *offset = pci_config_get(&t->pci, t->access + VIRTIO_PCI_CAP_OFFSET, 4);
    *length = pci_config_get(&t->pci, t->access + VIRTIO_PCI_CAP_LENGTH, 4);
    if (bar >= PCI_BARS || (*length != 1 && *length != 2 && *length != 4))
        return NULL;
    range = &t->pci.bars[bar].range;
    return is_aligned(*offset, *length) && fits(*offset, *length, range->size) ? range : NULL;
}

static bool touches_data(unsigned offset, unsigned size)
{
    return offset < sizeof(struct virtio_pci_cfg_cap) &&
           offset + size > offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
}

static void access_reading(void *self, unsigned offset, unsigned size)
{
    struct virtio_pci *t = self;
    uint32_t at, length;
    const struct bus_range *range = access_window(t, &at, &length);

    if (range && touches_data(offset, size))
        pci_config_set(&t->pci, t->access + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data),
                       length, (uint32_t)range->read(range->self, at, length));
}

static void access_written(void *self, unsigned offset, unsigned size)
{
    struct virtio_pci *t = self;
    uint32_t at, length;
    const struct bus_range *range = access_window(t, &at, &length);

    if (range && touches_data(offset, size))
        range->write(range->self, at, length,
                     pci_config_get(&t->pci,
                                    t->access + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data),
                                    length));
}

static unsigned add_capability(struct virtio_pci *t, uint8_t type, uint8_t length, unsigned bar,
                               uint32_t offset, uint32_t size)
{
    unsigned at = pci_function_add_capability(
        &t->pci,
        &(struct pci_capability){.id = PCI_CAP_ID_VNDR,
                                 .length = length,
                                 .reading = type == VIRTIO_PCI_CAP_PCI_CFG ? access_reading : NULL,
                                 .written = type == VIRTIO_PCI_CAP_PCI_CFG ? access_written : NULL,
                                 .self = t});

    pci_config_set(&t->pci, at + VIRTIO_PCI_CAP_LEN, 1, length);
    pci_config_set(&t->pci, at + VIRTIO_PCI_CAP_CFG_TYPE, 1, type);
    pci_config_set(&t->pci, at + VIRTIO_PCI_CAP_BAR, 1, bar);
    pci_config_set(&t->pci, at + VIRTIO_PCI_CAP_OFFSET, 4, offset);
    pci_config_set(&t->pci, at + VIRTIO_PCI_CAP_LENGTH, 4, size);
    return at;
}

static void add_notify(struct virtio_pci *t, unsigned bar, uint32_t offset)
{
    unsigned at = add_capability(t, VIRTIO_PCI_CAP_NOTIFY_CFG, sizeof(struct virtio_pci_notify_cap),
                                 bar, offset, VIRTIO_PCI_NOTIFY_SIZE);

    pci_config_set(&t->pci, at + VIRTIO_PCI_NOTIFY_CAP_MULT, 4, VIRTIO_PCI_NOTIFY_STEP);
}

/* [capabilities] */
static void add_capabilities(struct virtio_pci *t)
{
    const uint8_t plain = sizeof(struct virtio_pci_cap);

    add_capability(t, VIRTIO_PCI_CAP_COMMON_CFG, plain, VIRTIO_PCI_BAR, VIRTIO_PCI_COMMON_AT,
                   sizeof(struct common_config));
    add_notify(t, VIRTIO_PCI_BAR_PORTS, 0);
    add_notify(t, VIRTIO_PCI_BAR, VIRTIO_PCI_NOTIFY_AT);
    add_capability(t, VIRTIO_PCI_CAP_ISR_CFG, plain, VIRTIO_PCI_BAR, VIRTIO_PCI_ISR_AT, 1);
    if (t->device->config_size > 0)
        add_capability(t, VIRTIO_PCI_CAP_DEVICE_CFG, plain, VIRTIO_PCI_BAR, VIRTIO_PCI_CONFIG_AT,
                       t->device->config_size);

    t->access = add_capability(t, VIRTIO_PCI_CAP_PCI_CFG, sizeof(struct virtio_pci_cfg_cap), 0, 0,
                               0);
    pci_config_allow(&t->pci, t->access + VIRTIO_PCI_CAP_BAR, 1, 0xff);
    pci_config_allow(&t->pci, t->access + VIRTIO_PCI_CAP_OFFSET, 4, UINT32_MAX);
    pci_config_allow(&t->pci, t->access + VIRTIO_PCI_CAP_LENGTH, 4, UINT32_MAX);
    pci_config_allow(&t->pci, t->access + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data), 4,
                     UINT32_MAX);
}
/* [/capabilities] */

void virtio_pci_init(struct virtio_pci *t, struct virtio_device *device, uint32_t class_code,
                     struct msi_sender sender)
{
    memset(t, 0, sizeof *t);
    t->device = device;
    device->wire = (struct virtio_wire){pci_used, pci_changed, t};
    pci_function_init(&t->pci,
                      &(struct pci_identity){.vendor = VIRTIO_PCI_VENDOR,
                                             .device = VIRTIO_PCI_DEVICE + device->class->id,
                                             .subsystem_vendor = VIRTIO_PCI_VENDOR,
                                             .subsystem = VIRTIO_PCI_SUBSYSTEM,
                                             .class_code = class_code,
                                             .revision = 1,
                                             .interrupt_pin = 1});
    pci_function_add_bar(&t->pci, VIRTIO_PCI_BAR, PCI_BAR_MEMORY,
                         &(struct bus_range){.size = 4 * VIRTIO_PCI_PART,
                                             .width = 4,
                                             .read = virtio_pci_read,
                                             .write = virtio_pci_write,
                                             .self = t,
                                             .name = "virtio"});
    pci_function_add_bar(&t->pci, VIRTIO_PCI_BAR_PORTS, PCI_BAR_IO,
                         &(struct bus_range){.size = VIRTIO_PCI_NOTIFY_SIZE,
                                             .width = 4,
                                             .read = virtio_pci_port_read,
                                             .write = virtio_pci_port_write,
                                             .self = t,
                                             .name = "virtio doorbell"});
    add_capabilities(t);
    msix_init(&t->msix, &t->pci, VIRTIO_PCI_BAR_MSIX, device->queue_count + 1, sender);
    t->msix.changed = entry_changed;
    t->msix.changed_self = t;
    forget(t);
}
