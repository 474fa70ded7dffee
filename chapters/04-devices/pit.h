/*
 * pit.h: the interval timer of a PC, an 8254, and the port that gates its speaker.
 *
 * Three counters of 16 bits count down at 1,193,182 Hz. Each has a mode, an input that
 * enables or triggers it (GATE) and an output (OUT):
 *
 *                    GATE          OUT
 *     counter 0      always high   interrupt line 0
 *     counter 1      always high   memory refresh: long gone, its rhythm remains
 *     counter 2      port 0x61     the loudspeaker, and bit 5 of port 0x61
 *
 * Ports 0x40 to 0x42 are the counters, 0x43 takes commands. Nothing ticks in here: a
 * counter remembers when its count was loaded, and the clock says what it must be now.
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
#define PORT_B_GATE_2  0x01u
#define PORT_B_SPEAKER 0x02u
#define PORT_B_REFRESH 0x10u /* changes every 15 us */
#define PORT_B_OUT_2   0x20u

/* How soon one alarm may follow another, in nanoseconds: see pit_alarm(). */
#define PIT_ALARM_SPACING INT64_C(100000)

/* Time in here is counted in CLK pulses, "ticks", since the clock's origin. */
struct pit_counter {
    uint8_t control; /* mode, access and BCD bits of the control word */
    bool gate;
    bool armed;          /* has a count, and is or was triggered */
    uint32_t count;      /* what it counts down from: 1 to 65536 */
    uint32_t next;       /* what it will count down from after this; 0: the same */
    int64_t start;       /* the tick at which it was loaded; may be the next one */
    int64_t held;        /* ticks counted when GATE stopped it, or -1 */
    uint8_t low_byte;    /* of a count whose high byte is awaited */
    bool high_byte_next; /* of a write */
    bool high_read_next; /* of a read */
    uint16_t latch;
    uint8_t latched; /* bytes of the latch that were not read yet */
    uint8_t status;  /* valid while status_latched */
    bool status_latched;
};

struct pit {
    struct clock clock;
    struct alarm alarm;
    struct irq_line irq;
    struct pit_counter counters[3];
    int64_t seen;   /* the tick up to which counter 0's edges have been reported */
    int64_t woken;  /* when the last alarm came */
    bool level;     /* of the interrupt line */
    uint8_t port_b; /* the bits that can be written */
};

/* Powers up: counters 0 and 2 wait to be programmed, 1 gives its rhythm. */
void pit_init(struct pit *pit, struct clock clock, struct alarm alarm, struct irq_line irq);

/*
 * The alarm's moment has come: drives the interrupt line and sets the next alarm. Edges
 * that lie closer together than PIT_ALARM_SPACING, or than the host manages, are one.
 */
void pit_alarm(struct pit *pit);

/* Bus callbacks for PIT_PORTS ... */
uint64_t pit_read(void *self, uint64_t reg, unsigned size);
void pit_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/* ... and for PIT_PORT_B. */
uint64_t pit_port_b_read(void *self, uint64_t reg, unsigned size);
void pit_port_b_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
