/*
 * dma_timer.c: see dma_timer.h, which is the data sheet.
 *
 * Left out on purpose: a queue of descriptors (chapter 5 is about nothing else), and
 * copying on a thread of its own: a copy is done when the doorbell write returns. A
 * driver must not count on that, and cannot tell if the doorbell is an ioeventfd.
 */
#include "04-devices/dma_timer.h"

#include <stddef.h>
#include <string.h>

#include "common/bits.h"

#define NS_PER_US 1000

/* [interrupt] */
/*
 * CAUSE or ENABLE changes. The pin is high while an enabled cause is set; a message is
 * sent for each that becomes so. Which of the two is in use, the guest has decided.
 */
static void set_causes(struct dma_timer *d, uint32_t cause, uint32_t enable)
{
    uint32_t before = d->cause & d->enable, after = cause & enable;

    d->cause = cause;
    d->enable = enable;
    pci_function_set_intx(&d->pci, after != 0);
    if (after & ~before)
        msi_raise(&d->msi, 0);
}
/* [/interrupt] */

/* [copy] */
/* Does what a descriptor says. Its numbers are a guest's: each is checked, once. */
static enum dma_error copy(struct dma_timer *d, const struct dma_descriptor *todo)
{
    const void *source;
    void *destination;

    if (todo->flags & ~DMA_FLAG_INTERRUPT)
        return DMA_BAD_FLAGS;
    if (todo->length == 0 || todo->length > DMA_LENGTH_MAX)
        return DMA_BAD_LENGTH;
    source = guest_ptr(d->memory, todo->source, todo->length);
    if (!source)
        return DMA_BAD_SOURCE;
    destination = guest_ptr(d->memory, todo->destination, todo->length);
    if (!destination)
        return DMA_BAD_DESTINATION;

    memmove(destination, source, todo->length);
    d->copied += todo->length;
    return DMA_OK;
}
/* [/copy] */

/* [doorbell] */
void dma_timer_doorbell(struct dma_timer *d)
{
    struct dma_descriptor todo = {0}, *shared = NULL;
    uint32_t cause = d->cause;

    if (pci_function_is_master(&d->pci))
        shared = guest_ptr(d->memory, d->descriptor, sizeof todo);
    if (shared) {
        memcpy(&todo, shared, sizeof todo); /* the guest may change its own at any time */
        d->error = copy(d, &todo);
        /* Whoever sees the status must see the bytes, on another processor, too. */
        __atomic_store_n(&shared->status, d->error | DMA_STATUS_DONE, __ATOMIC_RELEASE);
    } else {
        d->error = pci_function_is_master(&d->pci) ? DMA_BAD_DESCRIPTOR : DMA_NOT_MASTER;
    }

    if (d->error != DMA_OK)
        cause |= DMA_TIMER_FAILED;
    else if (todo.flags & DMA_FLAG_INTERRUPT)
        cause |= DMA_TIMER_COPIED;
    set_causes(d, cause, d->enable);
}
/* [/doorbell] */

static int64_t period_ns(const struct dma_timer *d)
{
    uint32_t us = d->period < DMA_TIMER_PERIOD_MIN ? DMA_TIMER_PERIOD_MIN : d->period;

    return (int64_t)us * NS_PER_US;
}

static void timer_start(struct dma_timer *d, uint32_t value)
{
    d->timer = value & (DMA_TIMER_RUN | DMA_TIMER_REPEAT);
    d->due = ALARM_NEVER;
    if (d->timer & DMA_TIMER_RUN) {
        d->ticks = 0;
        d->due = clock_now(&d->clock) + period_ns(d);
    }
    alarm_set(&d->alarm, d->due);
}

/* [alarm] */
void dma_timer_alarm(struct dma_timer *d)
{
    int64_t late = clock_now(&d->clock) - d->due;

    if (late >= 0 && d->timer & DMA_TIMER_REPEAT) {
        /* A busy host may be late by many periods: they count, but interrupt once. */
        int64_t periods = 1 + late / period_ns(d);

        d->ticks += (uint32_t)periods;
        d->due += periods * period_ns(d);
    } else if (late >= 0) {
        d->ticks++;
        d->timer &= ~DMA_TIMER_RUN;
        d->due = ALARM_NEVER;
    }
    alarm_set(&d->alarm, d->due);
    if (late >= 0)
        set_causes(d, d->cause | DMA_TIMER_FIRED, d->enable);
}
/* [/alarm] */

uint64_t dma_timer_read(void *self, uint64_t reg, unsigned size)
{
    const struct dma_timer *d = self;

    if (size != 4)
        return UINT64_MAX;
    switch (reg) {
    case DMA_TIMER_REG_IDENT: return DMA_TIMER_IDENT;
    case DMA_TIMER_REG_CAUSE: return d->cause;
    case DMA_TIMER_REG_ENABLE: return d->enable;
    case DMA_TIMER_REG_ERROR: return d->error;
    case DMA_TIMER_REG_DESC_LOW: return bits(d->descriptor, 31, 0);
    case DMA_TIMER_REG_DESC_HIGH: return bits(d->descriptor, 63, 32);
    case DMA_TIMER_REG_COPIED: return d->copied;
    case DMA_TIMER_REG_TIMER: return d->timer;
    case DMA_TIMER_REG_PERIOD: return d->period;
    case DMA_TIMER_REG_TICKS: return d->ticks;
    default: return UINT64_MAX;
    }
}

/* [write] */
void dma_timer_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct dma_timer *d = self;

    if (size != 4)
        return;
    switch (reg) {
    case DMA_TIMER_REG_CAUSE: set_causes(d, d->cause & ~(uint32_t)value, d->enable); break;
    case DMA_TIMER_REG_ENABLE: set_causes(d, d->cause, value & DMA_TIMER_CAUSES); break;
    case DMA_TIMER_REG_DESC_LOW:
        d->descriptor = align_down(value, sizeof(struct dma_descriptor)) |
                        align_down(d->descriptor, BIT(32));
        break;
    case DMA_TIMER_REG_DESC_HIGH: d->descriptor = bits(d->descriptor, 31, 0) | value << 32; break;
    case DMA_TIMER_REG_TIMER: timer_start(d, (uint32_t)value); break;
    case DMA_TIMER_REG_PERIOD: d->period = (uint32_t)value; break;
    case DMA_TIMER_DOORBELL: dma_timer_doorbell(d); break;
    }
}
/* [/write] */

/* [init] */
void dma_timer_init(struct dma_timer *d, const struct guest_memory *memory, struct clock clock,
                    struct alarm alarm, struct msi_sender sender)
{
    static const struct pci_identity identity = {
        .vendor = DMA_TIMER_VENDOR,
        .device = DMA_TIMER_DEVICE,
        .class_code = DMA_TIMER_CLASS,
        .revision = 1,
        .interrupt_pin = 1,
    };
    struct bus_range registers = {
        .size = DMA_TIMER_BAR_SIZE,
        .width = 4,
        .read = dma_timer_read,
        .write = dma_timer_write,
        .self = d,
        .name = "DMA timer",
    };

    *d = (struct dma_timer){.memory = memory, .clock = clock, .alarm = alarm, .due = ALARM_NEVER};
    pci_function_init(&d->pci, &identity);
    pci_function_add_bar(&d->pci, 0, PCI_BAR_MEMORY, &registers);
    msi_init(&d->msi, &d->pci, 1, sender);
}
/* [/init] */
