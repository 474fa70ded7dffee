/*
 * queue_irqs.h: interrupts that a device's thread sends without a lock, an exit or a call
 * of ours: by writing to an eventfd, behind which KVM holds the message.
 *
 *     worker's thread                    KVM
 *     queue_irqs_send(0) --eventfd-->    GSI 24 = (0xfee00000, 0x41) --> local APIC
 *     queue_irqs_send(1) --eventfd-->    GSI 25 = (0xfee01000, 0x41) --> local APIC
 *
 * The driver may change its mind at any time: mask a vector, give it another message, give
 * the queue another vector. queue_irqs_shut() then closes all shortcuts at once, and
 * interrupts go the long way (msix_raise(), under the devices' lock), which knows of
 * everything. Changing KVM's table takes it milliseconds; so queue_irqs_open() is called
 * only when the driver has rested.
 *
 * [KVM-API, 4.75 "KVM_IRQFD"]
 */
#ifndef CHAPTER_05_QUEUE_IRQS_H
#define CHAPTER_05_QUEUE_IRQS_H

#include <pthread.h>

#include "04-devices/machine.h"
#include "05-virtio/virtio_pci.h"

struct queue_irq {
    int fd; /* owned */
    uint32_t gsi;
    bool open;
};

struct queue_irqs {
    struct machine *machine;      /* not owned */
    struct virtio_pci *transport; /* not owned */
    pthread_mutex_t lock;         /* of open: held for no longer than a write to an eventfd takes */
    struct queue_irq list[VIRTIO_QUEUES_MAX];
    unsigned count; /* queues that have one; the others always go the long way */
};

/* All shut. A host that has no more eventfds or GSIs costs speed, nothing else. */
void queue_irqs_init(struct queue_irqs *irqs, struct machine *machine,
                     struct virtio_pci *transport);
void queue_irqs_free(struct queue_irqs *irqs);

/* Tells the driver. False: not this way, just now. From any thread, with or without the lock. */
bool queue_irqs_send(void *self, unsigned queue);

/* For a queue that is served elsewhere: write to this to tell its driver. -1: shut. */
int queue_irqs_fd(const struct queue_irqs *irqs, unsigned queue);

/* Both under the devices' lock. After queue_irqs_shut() nothing is sent until it is opened. */
void queue_irqs_shut(struct queue_irqs *irqs);
void queue_irqs_open(struct queue_irqs *irqs);

#endif
