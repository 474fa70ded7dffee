/*
 * pl011.c: Arm's serial port. See pl011.h for its registers.
 *
 * Modelled: data both ways, flags, the receive and transmit interrupts, the identity
 * by which Linux finds it. Left out: line errors, modem lines, DMA, and the time that
 * a byte takes: the transmitter is always empty unless the host's side is slow, and a
 * received byte interrupts at once, whatever level IFLS asks for.
 *
 * Keep open: [PL011, 3 "Programmers Model"].
 */
#include "06-tcg/board/pl011.h"

/* Peripheral and PrimeCell identification. [PL011, 3.3.14 "Peripheral Identification
   Registers"]: part 011, designer 41 (Arm), revision 3 */
static const uint8_t identity[8] = {0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static void update(struct pl011 *uart)
{
    bool level = uart->ris & uart->imsc;

    if (level != uart->level) {
        uart->level = level;
        irq_set(&uart->irq, level);
    }
}

void pl011_init(struct pl011 *uart, struct irq_line irq, struct byte_sink out)
{
    *uart = (struct pl011){.irq = irq, .out = out, .cr = 0x300, .ifls = 0x12};
}

static uint32_t flags(const struct pl011 *uart)
{
    return (uart->count == 0 ? PL011_FR_RXFE : 0) |
           (uart->count == PL011_FIFO ? PL011_FR_RXFF : 0) |
           (uart->is_waiting ? PL011_FR_TXFF : PL011_FR_TXFE);
}

static uint8_t take(struct pl011 *uart)
{
    uint8_t byte = 0;

    if (uart->count) {
        byte = uart->received[uart->head];
        uart->head = (uart->head + 1) % PL011_FIFO;
        uart->count--;
    }
    if (uart->count == 0)
        uart->ris &= ~PL011_RX;
    return byte;
}

void pl011_drain(struct pl011 *uart)
{
    if (uart->is_waiting && uart->out.put(uart->out.self, &uart->waiting, 1) == 1) {
        uart->is_waiting = false;
        uart->ris |= PL011_TX;
        update(uart);
    }
}

/* A driver that does not look at TXFF loses what it writes meanwhile, as on silicon. */
static void send(struct pl011 *uart, uint8_t byte)
{
    if (uart->is_waiting)
        return;
    uart->waiting = byte;
    uart->is_waiting = true;
    uart->ris &= ~PL011_TX;
    pl011_drain(uart);
}

size_t pl011_receive(struct pl011 *uart, const uint8_t *bytes, size_t count)
{
    size_t n = 0;

    while (n < count && uart->count < PL011_FIFO)
        uart->received[(uart->head + uart->count++) % PL011_FIFO] = bytes[n++];
    if (n)
        uart->ris |= PL011_RX;
    update(uart);
    return n;
}

uint64_t pl011_read(void *self, uint64_t reg, unsigned size)
{
    struct pl011 *uart = self;
    uint64_t value = 0;

    (void)size; /* the bus cuts a register out of its word */
    switch (reg) {
    case PL011_DR: value = take(uart); break;
    case PL011_FR: return flags(uart);
    case PL011_IBRD: return uart->ibrd;
    case PL011_FBRD: return uart->fbrd;
    case PL011_LCR_H: return uart->lcr_h;
    case PL011_CR: return uart->cr;
    case PL011_IFLS: return uart->ifls;
    case PL011_IMSC: return uart->imsc;
    case PL011_RIS: return uart->ris;
    case PL011_MIS: return uart->ris & uart->imsc;
    default: return reg >= PL011_ID && reg % 4 == 0 ? identity[(reg - PL011_ID) / 4] : 0;
    }
    update(uart);
    return value;
}

void pl011_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct pl011 *uart = self;

    (void)size;
    switch (reg) {
    case PL011_DR: send(uart, (uint8_t)value); break;
    case PL011_IBRD: uart->ibrd = value & 0xffff; break;
    case PL011_FBRD: uart->fbrd = value & 0x3f; break;
    case PL011_LCR_H: uart->lcr_h = value & 0xff; break;
    case PL011_CR: uart->cr = value & 0xffff; break;
    case PL011_IFLS: uart->ifls = value & 0x3f; break;
    case PL011_IMSC: uart->imsc = value & 0x7ff; break;
    case PL011_ICR: uart->ris &= ~(uint32_t)value; break;
    }
    update(uart);
}
