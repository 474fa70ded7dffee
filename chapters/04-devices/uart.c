/*
 * uart.c: a 16550A, register by register. Open at hand: [PC16550D] section 8.
 *
 *   guest --THR--> [ transmit FIFO ] --> sink      IER --.
 *                         |                              v
 *                     MCR.LOOP                  causes --AND--> IIR, priority
 *                         v                              |
 *   guest <--RBR-- [ receive FIFO ] <-- host       MCR.OUT2 gate --> irq line
 *
 * Left out on purpose:
 * - Time. A byte needs none on its way, so the divisor is only kept, and the
 *   "character time-out" (bytes below the trigger level, and the line silent for
 *   four characters) is due as soon as there is such a byte.
 * - Framing. Bytes pass whole, whatever word length and parity LCR selects. A
 *   break that the guest sends only sets its bit.
 * - DMA mode: a PC's port has no wires for it.
 */
#include "04-devices/uart.h"

#include <string.h>

/* Bytes received that raise an interrupt, by FCR bits 7:6 (0 without FIFOs). */
static const uint8_t trigger_level[4] = {1, 4, 8, 14};

static bool uart_fifos_on(const struct uart *u)
{
    return u->fcr & UART_FCR_ENABLE;
}

/* Without FIFOs it is a 16450: one holding register each way. */
static unsigned uart_capacity(const struct uart *u)
{
    return uart_fifos_on(u) ? UART_FIFO_SIZE : 1;
}

static void fifo_push(struct uart_fifo *fifo, uint8_t byte, uint8_t errors)
{
    unsigned tail = (fifo->head + fifo->count) % UART_FIFO_SIZE;

    fifo->bytes[tail] = byte;
    fifo->errors[tail] = errors;
    fifo->count++;
}

static void fifo_drop(struct uart_fifo *fifo, unsigned count)
{
    fifo->head = (fifo->head + count) % UART_FIFO_SIZE;
    fifo->count -= count;
}

/* [cause] */
/* The most urgent enabled cause. [PC16550D, table 3 "Interrupt Control Functions"] */
static uint8_t uart_cause(const struct uart *u)
{
    if ((u->ier & UART_IER_ELSI) && u->line_errors)
        return UART_IIR_LINE_STATUS;
    if ((u->ier & UART_IER_ERBFI) && u->rx.count > 0) {
        if (u->rx.count >= trigger_level[u->fcr >> 6])
            return UART_IIR_RECEIVED;
        return UART_IIR_TIME_OUT;
    }
    if ((u->ier & UART_IER_ETBEI) && u->thre_pending)
        return UART_IIR_THRE;
    if ((u->ier & UART_IER_EDSSI) && (u->msr & 0x0f))
        return UART_IIR_MODEM_STATUS;
    return UART_IIR_NONE;
}
/* [/cause] */

/* [update] */
/*
 * Drives the interrupt line. On a PC it passes a gate that the OUT2 pin opens,
 * and loopback holds that pin inactive whatever MCR bit 3 says.
 * [PC16550D, 8.8 "Modem Control Register", bit 4]
 */
static void uart_update(struct uart *u)
{
    bool gate = (u->mcr & (UART_MCR_OUT2 | UART_MCR_LOOP)) == UART_MCR_OUT2;
    bool level = gate && uart_cause(u) != UART_IIR_NONE;

    if (level != u->level) {
        u->level = level;
        irq_set(&u->irq, level);
    }
}
/* [/update] */

/* A byte's errors show in LSR when it becomes the next one to be read. */
static void uart_reveal(struct uart *u)
{
    if (u->rx.count > 0) {
        u->line_errors |= u->rx.errors[u->rx.head];
        u->rx.errors[u->rx.head] = 0;
    }
}

/* A byte arrives whether it fits or not. [PC16550D, 8.4, bit 1 "OE"] */
static void uart_shift_in(struct uart *u, uint8_t byte, uint8_t errors)
{
    if (u->rx.count == uart_capacity(u)) {
        u->line_errors |= UART_LSR_OE;
        if (uart_fifos_on(u))
            return;           /* the FIFO stays, the newcomer is lost */
        fifo_drop(&u->rx, 1); /* the 16450's only register is overwritten */
    }
    fifo_push(&u->rx, byte, errors);
    if (u->rx.count == 1)
        uart_reveal(u);
}

/* Tells a host that was refused once the guest has taken everything. */
static void uart_tell_room(struct uart *u)
{
    if (u->refused && u->rx.count == 0 && !(u->mcr & UART_MCR_LOOP)) {
        u->refused = false;
        if (u->room)
            u->room(u->room_self);
    }
}

/* Sends the FIFO's first contiguous bytes; returns how many are gone. */
static unsigned uart_send(struct uart *u)
{
    unsigned run = UART_FIFO_SIZE - u->tx.head;
    const uint8_t *bytes = &u->tx.bytes[u->tx.head];

    if (run > u->tx.count)
        run = u->tx.count;
    if (!(u->mcr & UART_MCR_LOOP))
        return (unsigned)u->out.put(u->out.self, bytes, run);
    for (unsigned i = 0; i < run; i++)
        uart_shift_in(u, bytes[i], 0);
    return run;
}

void uart_drain(struct uart *u)
{
    unsigned sent;

    if (u->tx.count == 0)
        return;
    do {
        sent = uart_send(u);
        fifo_drop(&u->tx, sent);
    } while (sent > 0 && u->tx.count > 0);
    u->thre_pending = u->tx.count == 0;
    uart_update(u);
}

/* [thr] */
static void uart_write_thr(struct uart *u, uint8_t byte)
{
    if (u->tx.count < uart_capacity(u))
        fifo_push(&u->tx, byte, 0);
    /* The line falls before it rises again: an 8259 waits for that edge. */
    u->thre_pending = false;
    uart_update(u);
    uart_drain(u);
}
/* [/thr] */

static uint8_t uart_read_rbr(struct uart *u)
{
    uint8_t byte = 0;

    if (u->rx.count > 0) {
        byte = u->rx.bytes[u->rx.head];
        fifo_drop(&u->rx, 1);
        uart_reveal(u);
        uart_update(u);
        uart_tell_room(u);
    }
    return byte;
}

/* Reading IIR acknowledges an empty transmitter, if that is what it reports. */
static uint8_t uart_read_iir(struct uart *u)
{
    uint8_t cause = uart_cause(u);

    if (cause == UART_IIR_THRE) {
        u->thre_pending = false;
        uart_update(u);
    }
    return cause | (uart_fifos_on(u) ? UART_IIR_FIFOS : 0);
}

/* Nobody reads an idle LSR so often in a row, unless it is for a byte to come. */
#define POLLS_FOR_A_BYTE 16

bool uart_listening(const struct uart *u)
{
    return (u->mcr & (UART_MCR_RTS | UART_MCR_LOOP)) == UART_MCR_RTS || (u->ier & UART_IER_ERBFI) ||
           u->idle_polls >= POLLS_FOR_A_BYTE;
}

/* Reading LSR acknowledges the errors it shows. */
static uint8_t uart_read_lsr(struct uart *u)
{
    uint8_t lsr = u->line_errors;
    uint8_t in_fifo = u->line_errors & ~UART_LSR_OE;

    for (unsigned i = 0; i < u->rx.count; i++)
        in_fifo |= u->rx.errors[(u->rx.head + i) % UART_FIFO_SIZE];
    if (uart_fifos_on(u) && in_fifo)
        lsr |= UART_LSR_FIFO_ERROR;
    if (u->rx.count > 0)
        lsr |= UART_LSR_DR;
    if (u->tx.count == 0)
        lsr |= UART_LSR_THRE | UART_LSR_TEMT;

    if (lsr == (UART_LSR_THRE | UART_LSR_TEMT) && u->idle_polls < POLLS_FOR_A_BYTE)
        u->idle_polls++;
    u->line_errors = 0;
    uart_update(u);
    return lsr;
}

/* Reading MSR acknowledges the changes it shows. */
static uint8_t uart_read_msr(struct uart *u)
{
    uint8_t msr = u->msr;

    u->msr &= 0xf0;
    uart_update(u);
    return msr;
}

/* [ier] */
static void uart_write_ier(struct uart *u, uint8_t value)
{
    uint8_t enabled = value & ~u->ier;

    u->ier = value & 0x0f;
    /* Drivers start sending by enabling this: an idle transmitter reports at once. */
    if ((enabled & UART_IER_ETBEI) && u->tx.count == 0)
        u->thre_pending = true;
    uart_update(u);
}
/* [/ier] */

static void uart_write_fcr(struct uart *u, uint8_t value)
{
    bool toggled = (value ^ u->fcr) & UART_FCR_ENABLE;

    /* The other bits count only together with bit 0. */
    if (!(value & UART_FCR_ENABLE))
        value = 0;
    if (toggled || (value & UART_FCR_RCVR_RESET))
        u->rx.count = 0;
    if ((toggled || (value & UART_FCR_XMIT_RESET)) && u->tx.count > 0) {
        u->tx.count = 0;
        u->thre_pending = true;
    }
    u->fcr = value & (UART_FCR_ENABLE | UART_FCR_DMA_MODE | UART_FCR_TRIGGER);
    uart_update(u);
    uart_tell_room(u);
}

/* New levels on the four modem inputs; the low half of MSR says what changed. */
static void uart_set_modem(struct uart *u, uint8_t inputs)
{
    uint8_t before = u->msr & 0xf0;
    uint8_t changed = before ^ inputs;

    u->msr = (u->msr & 0x0f) | inputs |
             (changed & (UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD)) >> 4;
    if (before & ~inputs & UART_MSR_RI) /* a ring counts when it ends */
        u->msr |= UART_MSR_TERI;
}

static void uart_write_mcr(struct uart *u, uint8_t value)
{
    uint8_t inputs = UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD; /* someone listens */

    u->mcr = value & 0x1f;
    if (u->mcr & UART_MCR_LOOP)
        inputs = (u->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
                 (u->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
                 (u->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
                 (u->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
    uart_set_modem(u, inputs);
    uart_update(u);
    uart_drain(u); /* waiting bytes may have got another way out */
    uart_tell_room(u);
}

uint64_t uart_read(void *self, uint64_t reg, unsigned size)
{
    struct uart *u = self;
    bool dlab = u->lcr & UART_LCR_DLAB;

    (void)size; /* the bus splits wide accesses into bytes, as ISA does */
    if (reg != UART_LSR)
        u->idle_polls = 0;
    switch (reg) {
    case UART_DATA: return dlab ? u->divisor & 0xff : uart_read_rbr(u);
    case UART_IER: return dlab ? u->divisor >> 8 : u->ier;
    case UART_IIR: return uart_read_iir(u);
    case UART_LCR: return u->lcr;
    case UART_MCR: return u->mcr;
    case UART_LSR: return uart_read_lsr(u);
    case UART_MSR: return uart_read_msr(u);
    case UART_SCR: return u->scr;
    default: return 0xff;
    }
}

void uart_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct uart *u = self;
    bool dlab = u->lcr & UART_LCR_DLAB;
    uint8_t byte = (uint8_t)value;

    (void)size;
    u->idle_polls = 0;
    switch (reg) {
    case UART_DATA:
        if (dlab)
            u->divisor = (u->divisor & 0xff00) | byte;
        else
            uart_write_thr(u, byte);
        break;
    case UART_IER:
        if (dlab)
            u->divisor = (u->divisor & 0x00ff) | (uint16_t)(byte << 8);
        else
            uart_write_ier(u, byte);
        break;
    case UART_FCR: uart_write_fcr(u, byte); break;
    case UART_LCR: u->lcr = byte; break;
    case UART_MCR: uart_write_mcr(u, byte); break;
    case UART_SCR: u->scr = byte; break;
    default: break; /* LSR and MSR are the chip's to write */
    }
}

size_t uart_receive(struct uart *u, const uint8_t *bytes, size_t count)
{
    size_t taken = 0;

    /* In loopback the chip has let go of its input pin. */
    if (!(u->mcr & UART_MCR_LOOP))
        while (taken < count && u->rx.count < uart_capacity(u))
            uart_shift_in(u, bytes[taken++], 0);
    u->refused = taken < count;
    uart_update(u);
    return taken;
}

void uart_receive_break(struct uart *u)
{
    if (!(u->mcr & UART_MCR_LOOP))
        uart_shift_in(u, 0, UART_LSR_BI | UART_LSR_FE);
    uart_update(u);
}

void uart_receive_lost(struct uart *u)
{
    u->line_errors |= UART_LSR_OE;
    uart_update(u);
}

void uart_init(struct uart *u, struct irq_line irq, struct byte_sink out)
{
    *u = (struct uart){
        .irq = irq,
        .out = out,
        .divisor = 12, /* 9600 baud, as a PC's firmware leaves it */
        .msr = UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD,
    };
}

void uart_on_room(struct uart *u, void (*room)(void *self), void *self)
{
    u->room = room;
    u->room_self = self;
}
