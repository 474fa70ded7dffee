/*
 * serial.c: virtio-serial-pci and its ports: virtconsole, a console (/dev/hvc0), and
 * virtserialport, which programs find by its name below /dev/virtio-ports.
 * [VIRTIO, 5.3 "Console Device"]
 *
 * Port 0 can only be a console: a driver that does not know of ports has that one. nr=
 * chooses a port's number; without it, it has the next that is free.
 */
#include <errno.h>
#include <string.h>

#include "05-virtio/virtio_console.h"
#include "07-linux-boot/inventory.h"

#define CLASS_SERIAL 0x078000u /* communication: other, as QEMU says */
#define COLUMNS      80u
#define ROWS         25u

struct serial_host {
    struct device device;
    unsigned max_ports;
    struct virtio_console console;
};

struct serial_port {
    struct device device;
    char chardev_id[ID_ROOM];
    char name[VIRTIO_CONSOLE_NAME_MAX];
    unsigned number;
    bool number_given; /* by nr= */
    struct char_end *end;
    struct serial_host *host;
};

static const struct property host_properties[] = {
    {"max_ports", property_number, AT(struct serial_host, max_ports), .form = "N", .min = 1,
     .max = VIRTIO_CONSOLE_PORTS_MAX},
    DEVICE_ROWS,
};

static int take_number(const struct property *row, void *field, const char *value,
                       struct refusal *why)
{
    struct serial_port *port = (struct serial_port *)((char *)field - row->offset);

    port->number_given = true;
    return property_number(row, field, value, why);
}

static const struct property console_properties[] = {
    {"chardev", property_text, AT(struct serial_port, chardev_id), .form = "CHARDEV"},
    {"nr", take_number, AT(struct serial_port, number), .form = "N", .min = 0,
     .max = VIRTIO_CONSOLE_PORTS_MAX - 1},
    DEVICE_ROWS_ON_A_BUS,
};

static const struct property port_properties[] = {
    {"chardev", property_text, AT(struct serial_port, chardev_id), .form = "CHARDEV"},
    {"name", property_text, AT(struct serial_port, name), .form = "TEXT"},
    {"nr", take_number, AT(struct serial_port, number), .form = "N", .min = 1,
     .max = VIRTIO_CONSOLE_PORTS_MAX - 1},
    DEVICE_ROWS_ON_A_BUS,
};

static int find_back_end(struct device *device, struct inventory *inventory, struct refusal *why)
{
    struct serial_port *port = (struct serial_port *)device;

    port->end = inventory_take_chardev(inventory, port->chardev_id, why);
    return port->end ? 0 : -EINVAL;
}

/* ---- a port as a chardev's end ---- */

static size_t port_receive(void *self, const uint8_t *bytes, size_t count)
{
    struct serial_port *port = self;

    return virtio_console_receive(&port->host->console, port->number, bytes, count);
}

/* It takes nothing before its driver is there, and says when it does. */
static bool port_listening(void *self)
{
    (void)self;
    return true;
}

static void port_drain(void *self)
{
    struct serial_port *port = self;

    virtio_console_drain(&port->host->console, port->number);
}

static void port_opened(void *self, bool open)
{
    struct serial_port *port = self;

    virtio_console_set_open(&port->host->console, port->number, open);
}

/* A console is there whether somebody looks at it or not. */
static struct console_end port_end(struct serial_port *port)
{
    bool named = port->device.kind != &device_virtconsole;

    return (struct console_end){.receive = port_receive,
                                .listening = port_listening,
                                .drain = port_drain,
                                .opened = named ? port_opened : NULL,
                                .self = port};
}

/* ---- the host of the ports ---- */

/* The child that has that number: by nr=, else in order, the numbers in between. */
static void number_ports(const struct serial_host *host)
{
    uint32_t taken = 0;

    for (unsigned i = 0; i < host->device.child_count; i++) {
        struct serial_port *port = (struct serial_port *)host->device.children[i];

        if (port->number_given)
            taken |= 1u << port->number;
    }
    for (unsigned i = 0; i < host->device.child_count; i++) {
        struct serial_port *port = (struct serial_port *)host->device.children[i];

        if (port->number_given)
            continue;
        port->number = port->device.kind == &device_virtconsole ? 0 : 1;
        while (taken & 1u << port->number)
            port->number++;
        taken |= 1u << port->number;
    }
}

static struct serial_port *port_of_number(const struct serial_host *host, unsigned number)
{
    for (unsigned i = 0; i < host->device.child_count; i++) {
        struct serial_port *port = (struct serial_port *)host->device.children[i];

        if (port->number == number)
            return port;
    }
    return NULL;
}

static unsigned port_count(const struct serial_host *host)
{
    unsigned last = 0;

    for (unsigned i = 0; i < host->device.child_count; i++) {
        const struct serial_port *port = (struct serial_port *)host->device.children[i];

        last = port->number > last ? port->number : last;
    }
    return last + 1;
}

static int check_ports(const struct serial_host *host, struct refusal *why)
{
    uint32_t taken = 0;

    for (unsigned i = 0; i < host->device.child_count; i++) {
        const struct serial_port *port = (struct serial_port *)host->device.children[i];

        if (port->number >= VIRTIO_CONSOLE_PORTS_MAX || taken & 1u << port->number)
            return refuse(why, -EINVAL, "port %u: given twice, or more than %u ports", port->number,
                          VIRTIO_CONSOLE_PORTS_MAX);
        taken |= 1u << port->number;
    }
    return 0;
}

static void add_port(struct serial_host *host, unsigned number)
{
    struct serial_port *port = port_of_number(host, number);
    struct chardev *back;

    if (!port) {
        virtio_console_skip_port(&host->console);
        return;
    }
    back = &port->end->back;
    port->host = host;
    virtio_console_add_port(&host->console,
                            port->device.kind == &device_virtconsole ? NULL : port->name,
                            chardev_sink(back), chardev_wake, back);
}

static int plug(struct device *device, struct virtio_bus *bus, struct refusal *why)
{
    struct serial_host *host = (struct serial_host *)device;
    struct machine *machine = bus->machine;
    int error;

    number_ports(host);
    error = check_ports(host, why);
    if (error < 0)
        return error;
    virtio_console_init(&host->console, &machine->vm.memory, COLUMNS, ROWS);
    for (unsigned i = 0; i < port_count(host); i++)
        add_port(host, i);
    error = virtio_slot_plug(&device->slot, &host->console.device, CLASS_SERIAL, bus, why);
    if (error < 0)
        return error;
    for (unsigned i = 0; i < device->child_count; i++) {
        struct serial_port *port = (struct serial_port *)device->children[i];

        chardev_attach(&port->end->back, port_end(port), &machine->devices.lock, &machine->watches);
    }
    return 0;
}

static void unplug(struct device *device)
{
    virtio_slot_unplug(&device->slot);
}

const struct device_kind device_serial = {
    .name = "virtio-serial",
    .text = "ports for bytes: virtconsole, virtserialport",
    .properties = host_properties,
    .size = sizeof(struct serial_host),
    .on = BUS_VIRTIO,
    .offers = BUS_SERIAL,
    .plug = plug,
    .unplug = unplug,
};

const struct device_kind device_virtconsole = {
    .name = "virtconsole",
    .text = "a console on a virtio-serial: /dev/hvc0",
    .properties = console_properties,
    .size = sizeof(struct serial_port),
    .on = BUS_SERIAL,
    .connect = find_back_end,
};

const struct device_kind device_virtserialport = {
    .name = "virtserialport",
    .text = "a port on a virtio-serial: /dev/virtio-ports/NAME",
    .properties = port_properties,
    .size = sizeof(struct serial_port),
    .on = BUS_SERIAL,
    .connect = find_back_end,
};
