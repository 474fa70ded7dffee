/*
 * pl011.h: Arm's serial port, the PrimeCell UART PL011.
 *
 * The counterpart of chapter 4's 16550 (04-devices/uart.h), on a bus of memory
 * addresses instead of ports: registers are words, 4 bytes apart, and the flags need
 * no two faces. The names are those of [PL011, 3.3 "Register descriptions"].
 *
 *     0x000 DR    data               0x038 IMSC  which interrupts are wanted
 *     0x018 FR    flags              0x03c RIS   which conditions hold
 *     0x024 IBRD  baud rate          0x040 MIS   both
 *     0x028 FBRD                     0x044 ICR   clear
 *     0x02c LCR_H line control       0xfe0 ..    who am I
 *     0x030 CR    control
 *
 * Sending is instantaneous: a byte goes to the sink at once, even if the guest has
 * not enabled the transmitter (small programs for emulators seldom do). While the sink
 * takes nothing, one byte waits and FR.TXFF is set; pl011_drain() tries again.
 * Receiving fills a FIFO of 16 bytes.
 */
#ifndef TCG_BOARD_PL011_H
#define TCG_BOARD_PL011_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "04-devices/irq.h"
#include "04-devices/sink.h"

#define PL011_SIZE  0x1000u
#define PL011_FIFO  16u

#define PL011_DR    0x000u
#define PL011_RSR   0x004u
#define PL011_FR    0x018u
#define PL011_IBRD  0x024u
#define PL011_FBRD  0x028u
#define PL011_LCR_H 0x02cu
#define PL011_CR    0x030u
#define PL011_IFLS  0x034u
#define PL011_IMSC  0x038u
#define PL011_RIS   0x03cu
#define PL011_MIS   0x040u
#define PL011_ICR   0x044u
#define PL011_ID    0xfe0u

/* [PL011, 3.3.3 "Flag Register, UARTFR"] */
#define PL011_FR_RXFE 0x10u /* nothing received */
#define PL011_FR_TXFF 0x20u /* cannot send now */
#define PL011_FR_RXFF 0x40u
#define PL011_FR_TXFE 0x80u

/* [PL011, 3.3.10 "Interrupt Mask Set/Clear Register, UARTIMSC"], and RIS, MIS, ICR */
#define PL011_RX 0x10u
#define PL011_TX 0x20u

struct pl011 {
    struct irq_line irq;
    struct byte_sink out;
    uint8_t received[PL011_FIFO];
    unsigned head, count;
    uint8_t waiting; /* a byte that the sink did not take */
    bool is_waiting, level;
    uint32_t ibrd, fbrd, lcr_h, cr, ifls, imsc, ris;
};

/* As after reset. irq and out are copied; what they point to is not owned. */
void pl011_init(struct pl011 *uart, struct irq_line irq, struct byte_sink out);

/* For struct bus_range, width 4. */
uint64_t pl011_read(void *self, uint64_t reg, unsigned size);
void pl011_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/* Bytes from outside. Takes the first n <= count and returns n. */
size_t pl011_receive(struct pl011 *uart, const uint8_t *bytes, size_t count);

/* The sink may take bytes again. */
void pl011_drain(struct pl011 *uart);

#endif
