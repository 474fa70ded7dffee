/*
 * virtio_slot.c: see virtio_slot.h.
 *
 * To change what it watches takes KVM milliseconds, and a guest that looks for the size
 * of its BARs switches them off and on dozens of times. So ports that move lose their
 * doorbells at once and get them back when they have rested; until then a ring is an
 * exit. A guest that never stops moving them costs us next to nothing. The same holds for
 * interrupts: a vector that changes is sent the long way until all have rested.
 *
 * Left out on purpose: doorbells in a BAR's memory, since Linux takes the ports, which come
 * first among the capabilities.
 */
#include "07-linux-boot/virtio_slot.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/die.h"

#define REST_NS INT64_C(10000000)

static void move_bells(struct virtio_slot *slot, bool somewhere)
{
    const struct pci_bar *ports = &slot->transport.pci.pci.bars[VIRTIO_PCI_BAR_PORTS];

    for (unsigned queue = 0; queue < slot->bell_count; queue++)
        doorbell_move(&slot->bells[queue],
                      somewhere && ports->visible
                          ? ports->range.start + (uint64_t)queue * VIRTIO_PCI_NOTIFY_STEP
                          : DOORBELL_NOWHERE);
}

static int short_way(const struct virtio_slot *slot, unsigned queue)
{
    return slot->worker.shortcut.send ? queue_irqs_fd(&slot->irqs, queue) : -1;
}

/* Whoever serves a queue for us shall interrupt the short way if there is one. */
static void choose_ways(struct virtio_slot *slot)
{
    for (unsigned i = 0; i < slot->far_count; i++) {
        const struct virtio_elsewhere *elsewhere = slot->device->queues[i].elsewhere;
        int fd = short_way(slot, i);

        elsewhere->call_by(elsewhere->self, fd >= 0 ? fd : slot->far[i].fd);
    }
}

static void rested(void *self)
{
    struct virtio_slot *slot = self;

    move_bells(slot, true);
    if (!slot->has_worker)
        return;
    queue_irqs_open(&slot->irqs);
    choose_ways(slot);
}

static void wait_for_rest(struct virtio_slot *slot)
{
    struct clock clock = machine_clock(slot->machine);

    alarm_set(&slot->rested, clock_now(&clock) + REST_NS);
}

static void ports_moved(void *self, unsigned bar)
{
    struct virtio_slot *slot = self;

    if (bar != VIRTIO_PCI_BAR_PORTS)
        return;
    move_bells(slot, false);
    wait_for_rest(slot);
}

static void vectors_moved(void *self)
{
    struct virtio_slot *slot = self;

    queue_irqs_shut(&slot->irqs);
    choose_ways(slot);
    wait_for_rest(slot);
}

/*
 * A guest that fills its rings as fast as we empty them shall not keep the event loop
 * from the keyboard: the rest is served when the loop has been round.
 */
static void serve_rest(void *self)
{
    struct virtio_slot *slot = self;

    for (unsigned queue = 0; queue < slot->device->queue_count; queue++)
        virtio_device_notify(slot->device, queue);
}

static void serve_later(void *self)
{
    struct virtio_slot *slot = self;
    struct clock clock = machine_clock(slot->machine);

    alarm_set(&slot->again, clock_now(&clock));
}

/*
 * A doorbell for each queue, a number written to a register. A host that has no more of
 * them costs us speed, nothing else.
 */
static void add_bells(struct virtio_slot *slot, enum doorbell_space space, uint64_t address,
                      unsigned size)
{
    while (slot->bell_count < slot->device->queue_count &&
           slot->bell_count < VIRTIO_SLOT_BELLS_MAX) {
        struct doorbell *bell = &slot->bells[slot->bell_count];
        const struct virtio_elsewhere *elsewhere = slot->device->queues[slot->bell_count].elsewhere;

        *bell = (struct doorbell){.machine = slot->machine,
                                  .space = space,
                                  .address = address,
                                  .size = size,
                                  .value = slot->bell_count};
        if ((elsewhere          ? doorbell_open_on(bell, elsewhere->kick_fd)
             : slot->has_worker ? doorbell_open_on(bell, slot->worker.kick_fd)
                                : doorbell_open(bell)) < 0)
            break;
        slot->bell_count++;
    }
}

static void deliver(void *self)
{
    virtio_worker_deliver(self);
}

/* The long way of a queue's interrupt. */
static void far_used(void *self)
{
    const struct far_queue *far = self;
    struct virtio_wire *wire = &far->slot->worker.transport;
    uint64_t times;

    if (read(far->fd, &times, sizeof times) != sizeof times)
        return;
    pthread_mutex_lock(&far->slot->machine->devices.lock);
    wire->used(wire->self, far->index);
    pthread_mutex_unlock(&far->slot->machine->devices.lock);
}

static void add_far_queues(struct virtio_slot *slot)
{
    for (unsigned i = 0; i < VIRTIO_SLOT_FAR_MAX && slot->device->queues[i].elsewhere; i++) {
        struct far_queue *far = &slot->far[slot->far_count++];

        *far = (struct far_queue){slot, i, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (far->fd < 0)
            die("eventfd failed: %s", strerror(errno));
        watches_add(&slot->machine->watches, far->fd, far_used, far);
    }
    choose_ways(slot);
}

/* Between device and transport, and before any doorbell rings. */
static void add_worker(struct virtio_slot *slot)
{
    if (!slot->has_worker)
        return;
    virtio_worker_init(&slot->worker, slot->device, &slot->machine->devices.lock);
    watches_add(&slot->machine->watches, slot->worker.call_fd, deliver, &slot->worker);
    add_far_queues(slot);
}

/* On PCI each queue has a message, which KVM can hold for us. */
static void add_shortcut(struct virtio_slot *slot, struct virtio_pci *transport)
{
    if (!slot->has_worker)
        return;
    queue_irqs_init(&slot->irqs, slot->machine, transport);
    transport->vectors_changed = vectors_moved;
    transport->vectors_changed_self = slot;
    slot->worker.shortcut = (struct virtio_shortcut){queue_irqs_send, &slot->irqs};
}

/* Its ports are nowhere yet: whoever places PCI devices moves them. */
static int plug_pci(struct virtio_slot *slot, uint32_t class_code, struct virtio_bus *bus,
                    struct refusal *why)
{
    struct virtio_pci *transport = &slot->transport.pci;
    int number = pci_host_free_slot(bus->pci);

    if (number < 0)
        return refuse(why, number, "no slot is left on the PCI bus");
    virtio_pci_init(transport, slot->device, class_code, machine_msi(slot->machine));
    slot->rested = machine_alarm(slot->machine, rested, slot);
    transport->pci.bar_moved = ports_moved;
    transport->pci.bar_moved_self = slot;
    add_worker(slot);
    add_shortcut(slot, transport);
    add_bells(slot, DOORBELL_PORT, DOORBELL_NOWHERE, 2);
    pci_host_plug(bus->pci, (unsigned)number, &transport->pci);
    return 0;
}

static int plug_page(struct virtio_slot *slot, struct virtio_bus *bus, struct refusal *why)
{
    struct virtio_mmio *transport = &slot->transport.mmio;
    unsigned number = bus->pages;
    uint64_t page = VIRTIO_PAGES + number * VIRTIO_PAGE_STEP;

    if (number == VIRTIO_PAGES_MAX)
        return refuse(why, -ENOSPC, "there is no room for more than %u virtio devices",
                      VIRTIO_PAGES_MAX);
    bus->pages++;
    bus->lines[number] = (struct irq_pin){.vm = &bus->machine->vm,
                                          .number = VIRTIO_PAGE_LINE + number};
    virtio_mmio_init(transport, slot->device, irq_pin_line(&bus->lines[number]));
    machine_claim_memory(bus->machine, "virtio", page, VIRTIO_MMIO_SIZE, 4, virtio_mmio_read,
                         virtio_mmio_write, transport);
    add_worker(slot);
    add_bells(slot, DOORBELL_MEMORY, page + VIRTIO_MMIO_QUEUE_NOTIFY, 4);
    return 0;
}

static int plug(struct virtio_slot *slot, struct virtio_device *device, uint32_t class_code,
                struct virtio_bus *bus, struct refusal *why)
{
    slot->device = device;
    slot->machine = bus->machine;
    slot->bell_count = slot->far_count = 0;
    slot->again = machine_alarm(bus->machine, serve_rest, slot);
    device->later = (struct virtio_later){serve_later, slot};
    return bus->pci ? plug_pci(slot, class_code, bus, why) : plug_page(slot, bus, why);
}

int virtio_slot_plug(struct virtio_slot *slot, struct virtio_device *device, uint32_t class_code,
                     struct virtio_bus *bus, struct refusal *why)
{
    slot->has_worker = false;
    return plug(slot, device, class_code, bus, why);
}

int virtio_slot_plug_worker(struct virtio_slot *slot, struct virtio_device *device,
                            uint32_t class_code, struct virtio_bus *bus, const char *name,
                            const struct virtio_source *source, struct refusal *why)
{
    int error;

    slot->has_worker = true;
    error = plug(slot, device, class_code, bus, why);
    if (error < 0)
        return error;
    slot->worker.source = *source;
    virtio_worker_start(&slot->worker, name);
    return 0;
}

void virtio_slot_unplug(struct virtio_slot *slot)
{
    while (slot->bell_count > 0)
        doorbell_close(&slot->bells[--slot->bell_count]);
    while (slot->far_count > 0)
        close(slot->far[--slot->far_count].fd);
    if (!slot->has_worker)
        return;
    virtio_worker_stop(&slot->worker);
    if (slot->worker.shortcut.send)
        queue_irqs_free(&slot->irqs);
}
