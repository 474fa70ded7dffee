/*
 * serial_ports.h: a board's serial ports, COM1 to COM4, each with a character back end.
 *
 *     serial_ports_plug(&ports, &inventory, &machine);       the registers
 *     serial_ports_attach(&ports, &inventory, &machine);     when all is built: the bytes
 */
#ifndef CHAPTER_07_SERIAL_PORTS_H
#define CHAPTER_07_SERIAL_PORTS_H

#include "04-devices/machine.h"
#include "04-devices/uart.h"

#define SERIAL_PORTS_MAX 4u

struct inventory;

struct serial_ports {
    struct uart ports[SERIAL_PORTS_MAX];
};

/* Neither may move afterwards. The inventory's back ends are open. */
void serial_ports_plug(struct serial_ports *serial, const struct inventory *inventory,
                       struct machine *machine);
void serial_ports_attach(struct serial_ports *serial, const struct inventory *inventory,
                         struct machine *machine);

#endif
