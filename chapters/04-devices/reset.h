/*
 * reset.h: the two ports of a PC's chip set that pull the reset line.
 *
 * Port 0x92, "System Control Port A" of the PS/2: writing 1 to bit 0 where a 0 was
 * resets the processor; bit 1 was address line 20, which we never hold back.
 *
 * Port 0xcf9, the Reset Control Register: bit 2 going from 0 to 1 resets, bit 1
 * says how hard (0x06 is what Linux writes). All ways reset the whole machine here.
 * [ICH9, 13.7.5 "RST_CNT: Reset Control Register"]
 *
 * Port 0xcf9 lies inside PCI's 4-byte address register at 0xcf8, which answers to
 * 4-byte accesses only, so that the two never meet. This module therefore claims
 * all four ports, and the bus hands it a 4-byte access in one piece; a host bridge
 * claims them itself and passes accesses at 0xcf9 down.
 *
 * The third way is the keyboard controller's: i8042.h.
 */
#ifndef CHAPTER_04_RESET_H
#define CHAPTER_04_RESET_H

#include <stdint.h>

#include "04-devices/irq.h"

#define RESET_PORT_A  0x92u  /* one port */
#define RESET_CONTROL 0xcf8u /* four ports; the register is the second */
#define RESET_FAST    0x01u  /* port A, bit 0 */
#define RESET_A20     0x02u  /* port A, bit 1 */
#define RESET_RCPU    0x04u  /* 0xcf9, bit 2 */
#define RESET_KINDS   0x0eu  /* 0xcf9: the bits one reads back */

struct reset_ports {
    struct irq_line reset; /* raised, never lowered: a reset ends the machine */
    uint8_t port_a, control;
};

void reset_init(struct reset_ports *ports, struct irq_line reset);

/* Bus callbacks for RESET_PORT_A (1 port, width 1) ... */
uint64_t reset_port_a_read(void *self, uint64_t reg, unsigned size);
void reset_port_a_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/* ... and for RESET_CONTROL (4 ports, width 4). */
uint64_t reset_control_read(void *self, uint64_t reg, unsigned size);
void reset_control_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
