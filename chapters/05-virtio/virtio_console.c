/*
 * virtio_console.c: see virtio_console.h. Open at hand: [VIRTIO] 5.3.6 "Device Operation".
 *
 * Control messages to the driver need buffers, which it may not have lent yet. They are
 * not queued: a port remembers which kinds it owes, and says how things stand when there
 * is a buffer. So a guest that never lends one costs us nothing, and one that lends late
 * hears the truth of then.
 *
 * Left out on purpose: removing ports while the guest runs.
 */
#include "05-virtio/virtio_console.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/bits.h"

_Static_assert(sizeof(struct virtio_console_control) == 8, "[VIRTIO, 5.3.6.2]");
_Static_assert(offsetof(struct virtio_console_config, emerg_wr) == 8, "[VIRTIO, 5.3.4]");

enum {
    CONTROL_TO_GUEST = 2,
    CONTROL_FROM_GUEST = 3,
};

/* What of a guest's bytes is offered to a sink at once. */
#define PIECE 1024u

static unsigned rx_queue(unsigned port)
{
    return port == 0 ? 0 : 2 + 2 * port;
}

/* The port that a queue from the guest belongs to. */
static unsigned port_of(unsigned queue)
{
    return queue < 2 ? 0 : queue / 2 - 1;
}

static bool is_multiport(const struct virtio_console *c)
{
    return virtio_device_has(&c->device, VIRTIO_CONSOLE_F_MULTIPORT);
}

/* A message of what the port owes; its length. */
static size_t
compose(const struct virtio_console *c, unsigned number, unsigned debt,
        uint8_t message[sizeof(struct virtio_console_control) + VIRTIO_CONSOLE_NAME_MAX])
{
    const struct console_port *port = &c->ports[number];
    struct virtio_console_control head = {.id = number};
    size_t more = 0;

    switch (debt) {
    case CONSOLE_OWES_ADD: head.event = VIRTIO_CONSOLE_PORT_ADD; break;
    case CONSOLE_OWES_CONSOLE:
        head.event = VIRTIO_CONSOLE_CONSOLE_PORT;
        head.value = 1;
        break;
    case CONSOLE_OWES_NAME:
        head.event = VIRTIO_CONSOLE_PORT_NAME;
        more = strnlen(port->name, VIRTIO_CONSOLE_NAME_MAX);
        memcpy(message + sizeof head, port->name, more);
        break;
    case CONSOLE_OWES_RESIZE: /* columns and rows, as the configuration begins */
        head.event = VIRTIO_CONSOLE_RESIZE;
        more = 4;
        memcpy(message + sizeof head, &c->config, more);
        break;
    case CONSOLE_OWES_OPEN:
        head.event = VIRTIO_CONSOLE_PORT_OPEN;
        head.value = port->host_open;
        break;
    }
    memcpy(message, &head, sizeof head);
    return sizeof head + more;
}

/* One message into one of the driver's buffers. False: there is none. */
static bool pay(struct virtio_console *c, unsigned number, unsigned debt)
{
    uint8_t message[sizeof(struct virtio_console_control) + VIRTIO_CONSOLE_NAME_MAX];
    struct chain *chain = virtio_device_take(&c->device, CONTROL_TO_GUEST);
    size_t size;

    if (!chain)
        return false;
    if (chain->writable_size < sizeof(struct virtio_console_control)) {
        virtio_device_fail(&c->device, "a control buffer that cannot take a message");
        return false;
    }
    size = compose(c, number, debt, message);
    virtio_device_push(&c->device, CONTROL_TO_GUEST, chain, chain_write(chain, 0, message, size));
    return true;
}

/* [pay-debts] */
static void pay_debts(struct virtio_console *c)
{
    if (!virtio_device_live(&c->device) || !is_multiport(c))
        return;
    for (unsigned i = 0; i < c->port_count; i++) {
        struct console_port *port = &c->ports[i];

        while (port->owes) {
            unsigned first = port->owes & -port->owes;

            if (!pay(c, i, first))
                break;
            port->owes &= ~first;
        }
    }
    virtio_device_flush(&c->device, CONTROL_TO_GUEST);
}
/* [/pay-debts] */

static void control(struct virtio_console *c, const struct virtio_console_control *message)
{
    struct console_port *port;

    if (message->event == VIRTIO_CONSOLE_DEVICE_READY) {
        for (unsigned i = 0; message->value == 1 && i < c->port_count; i++)
            c->ports[i].owes |= c->ports[i].absent ? 0 : CONSOLE_OWES_ADD;
        return;
    }
    if (message->id >= c->port_count || c->ports[message->id].absent)
        return;
    port = &c->ports[message->id];
    switch (message->event) {
    case VIRTIO_CONSOLE_PORT_READY:
        if (message->value != 1)
            return; /* the driver could not add it */
        port->owes |= port->name ? CONSOLE_OWES_NAME : CONSOLE_OWES_CONSOLE | CONSOLE_OWES_RESIZE;
        if (port->host_open)
            port->owes |= CONSOLE_OWES_OPEN;
        break;
    case VIRTIO_CONSOLE_PORT_OPEN:
        port->guest_open = message->value == 1;
        if (port->guest_open && port->room)
            port->room(port->room_self);
        break;
    }
}

static void handle_control(struct virtio_console *c, struct chain *chain)
{
    struct virtio_console_control message;

    /* Shorter or longer ones are no message of ours. */
    if (chain->readable_size == sizeof message &&
        chain_read(chain, 0, &message, sizeof message) == sizeof message)
        control(c, &message);
    virtio_device_push(&c->device, CONTROL_FROM_GUEST, chain, 0);
}

/* [console-transmit] */
/* Bytes from the guest. False: the sink is full, and the rest waits in the guest. */
static bool transmit(struct virtio_console *c, unsigned queue, struct chain *chain)
{
    struct console_port *port = &c->ports[port_of(queue)];
    uint8_t piece[PIECE];
    size_t got, taken;

    do {
        got = chain_read(chain, port->sent, piece, sizeof piece);
        taken = got > 0 ? port->sink.put(port->sink.self, piece, got) : 0;
        port->sent += taken;
        if (taken < got)
            return false;
    } while (got == sizeof piece);
    port->sent = 0;
    virtio_device_push(&c->device, queue, chain, 0);
    return true;
}
/* [/console-transmit] */

static bool console_handle(void *self, unsigned queue, struct chain *chain)
{
    struct virtio_console *c = self;

    if (queue >= 2 && !is_multiport(c))
        return false; /* there is no such queue, so nobody looks into it */
    if (queue == CONTROL_FROM_GUEST) {
        handle_control(c, chain);
        return true;
    }
    if (queue % 2 == 1)
        return transmit(c, queue, chain);
    return false; /* empty buffers: they wait for something to put into them */
}

static void console_served(void *self, unsigned queue)
{
    struct virtio_console *c = self;
    struct console_port *port = &c->ports[port_of(queue)];

    if (queue == CONTROL_TO_GUEST || queue == CONTROL_FROM_GUEST)
        pay_debts(c);
    else if (queue % 2 == 0 && port->room)
        port->room(port->room_self);
}

static bool can_receive(const struct virtio_console *c, unsigned port)
{
    if (!virtio_device_live(&c->device) || c->ports[port].absent)
        return false;
    return is_multiport(c) ? c->ports[port].guest_open : port == 0;
}

size_t virtio_console_receive(struct virtio_console *c, unsigned port, const uint8_t *bytes,
                              size_t count)
{
    unsigned queue = rx_queue(port);
    size_t done = 0;

    while (done < count && can_receive(c, port)) {
        struct chain *chain = virtio_device_take(&c->device, queue);
        size_t part;

        if (!chain)
            break;
        if (chain->writable_size == 0) {
            virtio_device_fail(&c->device, "an input buffer that cannot be written");
            break;
        }
        part = chain_write(chain, 0, bytes + done, count - done);
        virtio_device_push(&c->device, queue, chain, part);
        done += part;
    }
    if (done > 0)
        virtio_device_flush(&c->device, queue);
    return done;
}

void virtio_console_drain(struct virtio_console *c, unsigned port)
{
    virtio_device_notify(&c->device, rx_queue(port) + 1);
}

void virtio_console_set_open(struct virtio_console *c, unsigned port, bool open)
{
    if (c->ports[port].host_open == open)
        return;
    c->ports[port].host_open = open;
    c->ports[port].owes |= CONSOLE_OWES_OPEN;
    pay_debts(c);
}

void virtio_console_resize(struct virtio_console *c, uint16_t columns, uint16_t rows)
{
    c->config.cols = columns;
    c->config.rows = rows;
    virtio_device_config_changed(&c->device);
    if (virtio_device_live(&c->device) && is_multiport(c)) {
        c->ports[0].owes |= CONSOLE_OWES_RESIZE;
        pay_debts(c);
    }
}

static void console_reset(void *self)
{
    struct virtio_console *c = self;

    for (unsigned i = 0; i < c->port_count; i++) {
        c->ports[i].guest_open = false;
        c->ports[i].owes = 0;
        c->ports[i].sent = 0;
    }
}

static void console_reset_queue(void *self, unsigned queue)
{
    struct virtio_console *c = self;

    if (queue % 2 == 1 && queue != CONTROL_FROM_GUEST)
        c->ports[port_of(queue)].sent = 0;
}

/* The emergency output, one character, for a driver that has no queue yet or any more. */
static void console_config_write(void *self, unsigned offset, unsigned size, uint64_t value)
{
    struct virtio_console *c = self;
    uint8_t byte = (uint8_t)value;

    (void)size;
    if (offset == offsetof(struct virtio_console_config, emerg_wr) && c->port_count > 0)
        c->ports[0].sink.put(c->ports[0].sink.self, &byte, 1);
}

static const struct virtio_class console_class = {
    .id = VIRTIO_ID_CONSOLE,
    .handle = console_handle,
    .served = console_served,
    .reset = console_reset,
    .reset_queue = console_reset_queue,
    .config_write = console_config_write,
};

void virtio_console_init(struct virtio_console *c, const struct guest_memory *memory,
                         uint16_t columns, uint16_t rows)
{
    memset(c, 0, sizeof *c);
    c->config.cols = columns;
    c->config.rows = rows;
    virtio_device_init(&c->device, &console_class, c, memory,
                       VIRTIO_FEATURE(VIRTIO_CONSOLE_F_SIZE) |
                           VIRTIO_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT) |
                           VIRTIO_FEATURE(VIRTIO_CONSOLE_F_EMERG_WRITE),
                       &c->config, sizeof c->config);
    for (unsigned i = 0; i < 4; i++) /* port 0 and control are always there */
        virtio_device_add_queue(&c->device, VIRTIO_CONSOLE_QUEUE_SIZE);
    c->config.max_nr_ports = 1;
}

unsigned virtio_console_add_port(struct virtio_console *c, const char *name, struct byte_sink sink,
                                 void (*room)(void *self), void *room_self)
{
    unsigned number = c->port_count++;

    assert(number < VIRTIO_CONSOLE_PORTS_MAX);
    c->ports[number] = (struct console_port){.name = name,
                                             .sink = sink,
                                             .room = room,
                                             .room_self = room_self,
                                             .host_open = name == NULL};
    if (number > 0) {
        virtio_device_add_queue(&c->device, VIRTIO_CONSOLE_QUEUE_SIZE);
        virtio_device_add_queue(&c->device, VIRTIO_CONSOLE_QUEUE_SIZE);
        c->config.max_nr_ports = number + 1;
    }
    return number;
}

static size_t drop(void *self, const uint8_t *bytes, size_t count)
{
    (void)self, (void)bytes;
    return count;
}

void virtio_console_skip_port(struct virtio_console *c)
{
    unsigned number = virtio_console_add_port(c, NULL, (struct byte_sink){drop, NULL}, NULL, NULL);

    c->ports[number].absent = true;
}
