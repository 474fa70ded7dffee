/*
 * uart.h: the serial port of a PC, a 16550A.
 *
 * Eight registers, two FIFOs of 16 bytes, one interrupt line. The names below
 * are those of [PC16550D] section 8 "Registers", so its pages can be read beside
 * this file. Registers 0 and 1 have two faces: LCR bit 7 (DLAB) swaps the data
 * and interrupt-enable registers for the two bytes of the baud rate divisor.
 *
 *     reg   read                      write
 *      0    RBR received byte         THR byte to send           DLAB: DLL
 *      1    IER interrupt enable      IER                        DLAB: DLM
 *      2    IIR why it interrupts     FCR FIFO control
 *      3    LCR line control          LCR
 *      4    MCR modem control         MCR
 *      5    LSR line status           (ignored)
 *      6    MSR modem status          (ignored)
 *      7    SCR scratch               SCR
 *
 * The other half of the port is on the host, and it may be slower than the guest.
 *
 * Sending: each byte goes to the sink at once. What the sink does not take waits
 * in the transmit FIFO, with LSR.THRE clear, until uart_drain(). A driver that
 * looks at THRE loses nothing; one that does not loses the bytes it writes to a
 * full FIFO, as on silicon. Those that arrive are in order.
 *
 * Receiving: a byte that arrives before a driver listens is lost when the driver
 * clears its FIFO; a host that can wait asks uart_listening() first.
 * uart_receive() takes what fits. Having refused some, the port calls
 * room() once when the guest has read everything, so that no byte is lost
 * between a patient host and a slow guest.
 */
#ifndef CHAPTER_04_UART_H
#define CHAPTER_04_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "04-devices/irq.h"
#include "04-devices/sink.h"

#define UART_REGISTERS 8u  /* ports claimed */
#define UART_FIFO_SIZE 16u /* [PC16550D, 1.0 "General Description"] */

enum uart_register {
    UART_DATA = 0, /* RBR, THR; DLL while DLAB is set */
    UART_IER = 1,  /* DLM while DLAB is set */
    UART_IIR = 2,
    UART_FCR = 2,
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_MSR = 6,
    UART_SCR = 7,
};

/* [PC16550D, 8.7 "Interrupt Enable Register"] */
#define UART_IER_ERBFI 0x01u /* received data available, character time-out */
#define UART_IER_ETBEI 0x02u /* transmitter holding register empty */
#define UART_IER_ELSI  0x04u /* receiver line status */
#define UART_IER_EDSSI 0x08u /* modem status */

/* [PC16550D, 8.6 "Interrupt Identification Register"], highest priority first */
#define UART_IIR_LINE_STATUS  0x06u
#define UART_IIR_RECEIVED     0x04u
#define UART_IIR_TIME_OUT     0x0cu
#define UART_IIR_THRE         0x02u
#define UART_IIR_MODEM_STATUS 0x00u
#define UART_IIR_NONE         0x01u
#define UART_IIR_FIFOS        0xc0u /* both set while the FIFOs are enabled */

/* [PC16550D, 8.5 "FIFO Control Register"] */
#define UART_FCR_ENABLE     0x01u
#define UART_FCR_RCVR_RESET 0x02u
#define UART_FCR_XMIT_RESET 0x04u
#define UART_FCR_DMA_MODE   0x08u
#define UART_FCR_TRIGGER    0xc0u /* 1, 4, 8 or 14 bytes */

/* [PC16550D, 8.1 "Line Control Register"] */
#define UART_LCR_BREAK 0x40u
#define UART_LCR_DLAB  0x80u

/* [PC16550D, 8.8 "Modem Control Register"] */
#define UART_MCR_DTR  0x01u
#define UART_MCR_RTS  0x02u
#define UART_MCR_OUT1 0x04u
#define UART_MCR_OUT2 0x08u /* on a PC: connects the interrupt line */
#define UART_MCR_LOOP 0x10u

/* [PC16550D, 8.4 "Line Status Register"] */
#define UART_LSR_DR         0x01u
#define UART_LSR_OE         0x02u
#define UART_LSR_PE         0x04u
#define UART_LSR_FE         0x08u
#define UART_LSR_BI         0x10u
#define UART_LSR_THRE       0x20u
#define UART_LSR_TEMT       0x40u
#define UART_LSR_FIFO_ERROR 0x80u

/* [PC16550D, 8.9 "Modem Status Register"] */
#define UART_MSR_DCTS 0x01u
#define UART_MSR_DDSR 0x02u
#define UART_MSR_TERI 0x04u
#define UART_MSR_DDCD 0x08u
#define UART_MSR_CTS  0x10u
#define UART_MSR_DSR  0x20u
#define UART_MSR_RI   0x40u
#define UART_MSR_DCD  0x80u

/* A ring of received or waiting bytes, oldest at head, with their LSR errors. */
struct uart_fifo {
    uint8_t bytes[UART_FIFO_SIZE];
    uint8_t errors[UART_FIFO_SIZE];
    unsigned head, count;
};

struct uart {
    struct irq_line irq;
    struct byte_sink out;
    void (*room)(void *self); /* may be NULL */
    void *room_self;

    struct uart_fifo rx, tx;
    uint16_t divisor;
    uint8_t ier, fcr, lcr, mcr, msr, scr;
    uint8_t line_errors; /* LSR bits OE, PE, FE, BI that were not read yet */
    bool thre_pending;   /* the transmitter ran empty and nobody has noticed */
    bool refused;        /* the host has bytes that did not fit */
    bool level;          /* of the interrupt line */
    uint8_t idle_polls;  /* LSR reads in a row that found nothing to do; saturates */
};

/*
 * Powers the port up: all registers as after a reset, the interrupt line taken to
 * be low. The wires are copied; room may be NULL. Needs no release.
 */
void uart_init(struct uart *u, struct irq_line irq, struct byte_sink out);
void uart_on_room(struct uart *u, void (*room)(void *self), void *self);

/* The bus's side. The bus must split accesses into bytes (width 1). */
uint64_t uart_read(void *self, uint64_t reg, unsigned size);
void uart_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/* The sink has room again: sends what waits. Harmless when nothing does. */
void uart_drain(struct uart *u);

/*
 * Does a driver want bytes? It says so with RTS or with the receive interrupt, or
 * it does nothing but look at LSR.
 */
bool uart_listening(const struct uart *u);

/* Bytes from the wire: takes the first n <= count that fit, and returns n. */
size_t uart_receive(struct uart *u, const uint8_t *bytes, size_t count);

/* The far end holds the line in a break (telephones: "hang up"; Linux: SysRq). */
void uart_receive_break(struct uart *u);

/* The host could keep bytes no longer and dropped some: the guest shall know. */
void uart_receive_lost(struct uart *u);

#endif
