/*
 * virtio_console.h: the console device: bytes both ways, over as many ports as the board
 * likes. Port 0 is a console; others have names, and show in the guest as
 * /dev/virtio-ports/NAME, for an agent that talks to a program on the host.
 *
 *     queue 0, 1    port 0: to the guest, from it
 *     queue 2, 3    control: to the guest, from it
 *     queue 4, 5    port 1 ...
 *
 *     virtio_console_init(&c, &vm.memory, 80, 24);
 *     virtio_console_add_port(&c, NULL, sink, room, room_self);              port 0
 *     virtio_console_add_port(&c, "org.example.agent", sink2, ...);          port 1
 *     ...
 *     taken = virtio_console_receive(&c, 0, bytes, count);         keys for the guest
 *     virtio_console_drain(&c, 0);                           the sink has room again
 *
 * Nothing waits here. What a guest has no buffer for stays with the caller: receive()
 * says how much it took, and room() is called when it may take more. What a sink does
 * not take stays in the guest's buffer.
 *
 * [VIRTIO, 5.3 "Console Device"]
 */
#ifndef CHAPTER_05_VIRTIO_CONSOLE_H
#define CHAPTER_05_VIRTIO_CONSOLE_H

#include <linux/virtio_console.h>

#include "04-devices/sink.h"
#include "05-virtio/virtio_device.h"

#define VIRTIO_CONSOLE_PORTS_MAX  8u
#define VIRTIO_CONSOLE_QUEUE_SIZE 64u
#define VIRTIO_CONSOLE_NAME_MAX   64u

/* Messages that a port owes the driver: a bit each, told in this order. */
enum console_debt {
    CONSOLE_OWES_ADD = 1,
    CONSOLE_OWES_CONSOLE = 2,
    CONSOLE_OWES_NAME = 4,
    CONSOLE_OWES_RESIZE = 8,
    CONSOLE_OWES_OPEN = 16,
};

struct console_port {
    const char *name; /* NULL: a console. Not owned */
    bool absent;      /* there is no port of this number; only its queues */
    struct byte_sink sink;
    void (*room)(void *self); /* the guest may take more; may be NULL */
    void *room_self;
    bool host_open;  /* somebody is there to read and write */
    bool guest_open; /* a program in the guest has it open */
    unsigned owes;
    uint64_t sent; /* bytes of the first waiting buffer that the sink has taken */
};

struct virtio_console {
    struct virtio_device device;
    struct virtio_console_config config;
    struct console_port ports[VIRTIO_CONSOLE_PORTS_MAX];
    unsigned port_count;
};

void virtio_console_init(struct virtio_console *c, const struct guest_memory *memory,
                         uint16_t columns, uint16_t rows);

/* Before the guest runs. Returns the port's number. More than fit: asserted. */
unsigned virtio_console_add_port(struct virtio_console *c, const char *name, struct byte_sink sink,
                                 void (*room)(void *self), void *room_self);

/* No port has the next number. If that is 0, a driver that knows no ports has none. */
void virtio_console_skip_port(struct virtio_console *c);

/* Bytes for the guest: takes the first n <= count that fit its buffers, and returns n. */
size_t virtio_console_receive(struct virtio_console *c, unsigned port, const uint8_t *bytes,
                              size_t count);

/* The sink has room again. */
void virtio_console_drain(struct virtio_console *c, unsigned port);

/* Somebody has come to the host's end of the port, or has left. */
void virtio_console_set_open(struct virtio_console *c, unsigned port, bool open);

/* The terminal has another size. */
void virtio_console_resize(struct virtio_console *c, uint16_t columns, uint16_t rows);

#endif
