/*
 * serial_ports.c: see serial_ports.h. The addresses are those that a PC's software has
 * always looked at. COM1 and COM3 share a wire, as do COM2 and COM4: as on a PC, where two
 * ports on one edge-triggered line can miss each other's interrupts, so it is for reading
 * logs rather than for typing.
 */
#include "07-linux-boot/serial_ports.h"

#include "07-linux-boot/inventory.h"

static const struct {
    uint16_t start;
    unsigned interrupt;
} places[SERIAL_PORTS_MAX] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

void serial_ports_plug(struct serial_ports *serial, const struct inventory *inventory,
                       struct machine *machine)
{
    for (unsigned i = 0; i < inventory->serial_count; i++) {
        if (!inventory->serial[i])
            continue;
        uart_init(&serial->ports[i], machine_irq(machine, places[i].interrupt),
                  chardev_sink(&inventory->serial[i]->back));
        machine_claim_ports(machine, "serial port", places[i].start, UART_REGISTERS, 1, uart_read,
                            uart_write, &serial->ports[i]);
    }
}

void serial_ports_attach(struct serial_ports *serial, const struct inventory *inventory,
                         struct machine *machine)
{
    for (unsigned i = 0; i < inventory->serial_count; i++) {
        struct uart *port = &serial->ports[i];
        struct chardev *back;

        if (!inventory->serial[i])
            continue;
        back = &inventory->serial[i]->back;
        uart_on_room(port, chardev_wake, back);
        chardev_attach(back, console_port_end(port), &machine->devices.lock, &machine->watches);
    }
}
