/*
 * queue_irqs.c: see queue_irqs.h. Open at hand: [KVM-API] 4.75 "KVM_IRQFD" and 4.52
 * "KVM_SET_GSI_ROUTING".
 *
 * Why the small lock? Between "is it open?" and the write another processor could mask
 * the vector, believe that no interrupt comes any more, and get one. With it, whoever
 * masks waits until the write is done, a microsecond at most; and a thread that holds it
 * never waits for anything, so it cannot be part of a deadlock.
 *
 * Left out on purpose: interrupts about a change of configuration, which are too rare; a
 * driver that takes the bus master bit away from a device at work, and gets its interrupts
 * until it touches a vector.
 */
#include "05-virtio/queue_irqs.h"

#include <sys/eventfd.h>
#include <unistd.h>

static bool add(struct queue_irqs *irqs)
{
    struct queue_irq *irq = &irqs->list[irqs->count];

    irq->gsi = machine_new_gsi(irqs->machine);
    if (irq->gsi == 0)
        return false;
    irq->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (irq->fd < 0)
        return false;
    if (irqfd_attach(&irqs->machine->vm, irq->fd, irq->gsi) < 0) {
        close(irq->fd);
        return false;
    }
    irqs->count++;
    return true;
}

void queue_irqs_init(struct queue_irqs *irqs, struct machine *machine, struct virtio_pci *transport)
{
    *irqs = (struct queue_irqs){.machine = machine, .transport = transport};
    pthread_mutex_init(&irqs->lock, NULL);
    while (irqs->count < transport->device->queue_count && add(irqs))
        ;
}

void queue_irqs_free(struct queue_irqs *irqs)
{
    while (irqs->count > 0) {
        struct queue_irq *irq = &irqs->list[--irqs->count];

        irqfd_detach(&irqs->machine->vm, irq->fd, irq->gsi);
        close(irq->fd);
    }
    pthread_mutex_destroy(&irqs->lock);
}

/* [queue-irqs-send] */
bool queue_irqs_send(void *self, unsigned queue)
{
    struct queue_irqs *irqs = self;
    const struct queue_irq *irq = &irqs->list[queue];
    uint64_t one = 1;
    bool sent;

    pthread_mutex_lock(&irqs->lock);
    sent = queue < irqs->count && irq->open && write(irq->fd, &one, sizeof one) == sizeof one;
    pthread_mutex_unlock(&irqs->lock);
    return sent;
}
/* [/queue-irqs-send] */

int queue_irqs_fd(const struct queue_irqs *irqs, unsigned queue)
{
    return queue < irqs->count && irqs->list[queue].open ? irqs->list[queue].fd : -1;
}

void queue_irqs_shut(struct queue_irqs *irqs)
{
    pthread_mutex_lock(&irqs->lock);
    for (unsigned i = 0; i < irqs->count; i++)
        irqs->list[i].open = false;
    pthread_mutex_unlock(&irqs->lock);
}

void queue_irqs_open(struct queue_irqs *irqs)
{
    struct irq_routes *routes = machine_routes(irqs->machine);
    bool can[VIRTIO_QUEUES_MAX];

    for (unsigned i = 0; i < irqs->count; i++) {
        struct msix_entry m;

        can[i] = virtio_pci_message(irqs->transport, i, &m) &&
                 irq_routes_set_msi(routes, irqs->list[i].gsi,
                                    (uint64_t)m.address_high << 32 | m.address_low, m.data) == 0;
        if (!can[i])
            irq_routes_remove(routes, irqs->list[i].gsi);
    }
    if (irq_routes_commit(routes, &irqs->machine->vm) < 0)
        return;
    pthread_mutex_lock(&irqs->lock);
    for (unsigned i = 0; i < irqs->count; i++)
        irqs->list[i].open = can[i];
    pthread_mutex_unlock(&irqs->lock);
}
