/*
 * pit.h: the interval timer of a PC, an 8254, and the port that gates its speaker.
 *
 * Three counters of 16 bits count down at 1,193,182 Hz. Each has a mode, an input that
 * enables or triggers it (GATE) and an output (OUT):
 *
 *                    GATE          OUT
 *     counter 0      always high   interrupt line 0
 *     counter 1      always high   once memory refresh; nothing listens any more
 *     counter 2      port 0x61     the loudspeaker, and bit 5 of port 0x61
 *
 * Ports 0x40 to 0x42 are the counters, 0x43 takes commands. Nothing ticks in here: a
 * counter remembers when it was loaded, and the clock says what it must show now
 * (pit_counter.h).
 * The names are those of [I8254].
 *
 *     struct pit pit;
 *     pit_init(&pit, clock, alarm, irq_line_0);      the alarm calls pit_alarm(&pit)
 *     bus: 0x40, 4 ports: pit_read, pit_write, &pit
 *          0x61, 1 port:  pit_port_b_read, pit_port_b_write, &pit
 */
#ifndef CHAPTER_04_PIT_H
#define CHAPTER_04_PIT_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/clock.h"
#include "04-devices/irq.h"
#include "04-devices/pit_counter.h"

#define PIT_PORTS      0x40u /* four ports, width 1 */
#define PIT_PORT_COUNT 4u
#define PIT_PORT_B     0x61u /* one port, width 1 */
#define PIT_HZ         INT64_C(1193182)

/* The control word, port 0x43. [I8254, "Control Word Format"] */
#define PIT_CONTROL     3u /* the register's number */
#define PIT_BCD         0x01u
#define PIT_MODE(m)     ((m) << 1)
#define PIT_ACCESS_LSB  0x10u
#define PIT_ACCESS_MSB  0x20u
#define PIT_ACCESS_BOTH 0x30u /* low byte, then high byte */
#define PIT_LATCH       0x00u /* no access mode: latch the count */
#define PIT_SELECT(c)   ((c) << 6)
#define PIT_READ_BACK   0xc0u /* counter "3": ... */
#define PIT_NO_COUNT    0x20u /* ... do not latch the count */
#define PIT_NO_STATUS   0x10u /* ... do not latch the status */

/* The status byte. [I8254, "Read-Back Command"] */
#define PIT_STATUS_OUT  0x80u
#define PIT_STATUS_NULL 0x40u /* the count written last is not counting yet */

/* Port 0x61. [ICH9, 13.7.1 "NMI_SC: NMI Status and Control Register"] */
#define PORT_B_GATE_2     0x01u
#define PORT_B_SPEAKER    0x02u
#define PORT_B_REFRESH    0x10u /* changes every 15 us */
#define PORT_B_OUT_2      0x20u
#define PORT_B_WRITABLE   0x0fu /* bits 2 and 3 mask errors of memory and cards */

#define PIT_REFRESH_TICKS 18 /* of counter 1, as a PC's firmware programs it: 15 us */

/* A counter and the way to it: one port for two bytes, in both directions. */
struct pit_channel {
    struct pit_counter counter;
    uint8_t control;     /* access, mode and BCD bits, as written */
    uint8_t low_byte;    /* of a count whose high byte is awaited */
    bool high_byte_next; /* of a write */
    bool high_read_next; /* of a read */
    uint16_t latch;
    uint8_t latched; /* how many bytes of the latch were not read yet */
    uint8_t status;  /* while status_latched */
    bool status_latched;
};

struct pit {
    struct clock clock;
    struct alarm alarm;
    struct irq_line irq;
    struct pit_channel channels[3];
    int64_t seen;   /* the tick up to which counter 0's edges have been reported */
    bool level;     /* of the interrupt line */
    uint8_t port_b; /* the bits that can be written */
};

/*
 * Powers up: the counters wait to be programmed, their outputs high. So is the interrupt
 * line from now on, whose controller must exist.
 */
void pit_init(struct pit *pit, struct clock clock, struct alarm alarm, struct irq_line irq);

/*
 * The alarm's moment has come: drives the interrupt line and sets the next alarm. Edges
 * that lie closer together than the host keeps up with are one edge.
 */
void pit_alarm(struct pit *pit);

/* Bus callbacks for PIT_PORTS ... */
uint64_t pit_read(void *self, uint64_t reg, unsigned size);
void pit_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/* ... and for PIT_PORT_B. */
uint64_t pit_port_b_read(void *self, uint64_t reg, unsigned size);
void pit_port_b_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
