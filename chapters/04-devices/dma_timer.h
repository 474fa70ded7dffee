/*
 * dma_timer.h: a device of our own: a timer and a DMA engine on PCI.
 *
 * This is the data sheet. A driver needs nothing else.
 *
 * Identity: vendor 0x1af4, device 0x10f0. Red Hat, whose vendor number it is, leaves
 * 0x10f0 to 0x10ff to anyone for experiments. Class 0x088000, "other system
 * peripheral". INTA#, and MSI with one message.
 *
 * BAR 0: 8 KiB of memory, not prefetchable. Registers are 4 bytes wide, little-endian,
 * and so must accesses be: others read as all ones and are ignored.
 *
 *     0x0000  IDENT       R    0x544d4401: "DMT" and version 1
 *     0x0004  CAUSE       RW   bit 0: copied, bit 1: failed, bit 2: timer; write 1 to clear
 *     0x0008  ENABLE      RW   which bits of CAUSE interrupt
 *     0x000c  ERROR       R    what became of the last doorbell: enum dma_error
 *     0x0010  DESC_LOW    RW   guest-physical address of the descriptor,
 *     0x0014  DESC_HIGH   RW   a multiple of 32
 *     0x0018  COPIED      R    bytes copied since power-up, modulo 2^32
 *     0x0020  TIMER       RW   bit 0: runs; bit 1: starts again when it has fired
 *     0x0024  PERIOD      RW   microseconds, 100 to 2^32 - 1 (less counts as 100)
 *     0x0028  TICKS       R    how often it has fired since it was started
 *     0x1000  DOORBELL    W    any value: fetch the descriptor and do what it says
 *
 * The doorbell has a page to itself, so that a VMM can have the kernel watch it
 * (ioeventfd) and a driver can give it to a process.
 *
 * The descriptor lies in guest memory:
 *
 *     0   source        8 bytes, guest-physical
 *     8   destination   8 bytes
 *     16  length        4 bytes, 1 to 65536
 *     20  flags         4 bytes: bit 0: interrupt when done; others must be 0
 *     24  status        4 bytes, written by the device: enum dma_error, plus bit 31
 *     28  0             4 bytes, ignored
 *
 * It is fetched once, when the doorbell rings; a driver may reuse it when bit 31 of
 * status is set, or CAUSE says so. Source and destination may overlap: the bytes are
 * copied as if through a buffer. An error always sets bit 1 of CAUSE.
 *
 * What a guest cannot do with it: reach past its own RAM, make us work for longer than
 * 64 KiB of copying per doorbell, or have more than 10,000 timer interrupts a second.
 *
 *     dma_timer_init(&d, &memory, clock, alarm, machine_msi(&machine));
 *     pci_host_plug(&pci, 4, &d.pci);
 *     ... when the alarm goes off, under the devices' lock: dma_timer_alarm(&d);
 *     ... ioeventfd at d.pci.bars[0].range.start + DMA_TIMER_DOORBELL:
 *                                                       dma_timer_doorbell(&d);
 */
#ifndef CHAPTER_04_DMA_TIMER_H
#define CHAPTER_04_DMA_TIMER_H

#include <stdint.h>

#include "01-kvm-hello/memory.h"
#include "04-devices/clock.h"
#include "04-devices/irq.h"
#include "04-devices/msi.h"
#include "04-devices/pci_function.h"

#define DMA_TIMER_VENDOR   0x1af4u
#define DMA_TIMER_DEVICE   0x10f0u
#define DMA_TIMER_CLASS    0x088000u
#define DMA_TIMER_IDENT    0x544d4401u
#define DMA_TIMER_BAR_SIZE 0x2000u

/* [registers] */
enum dma_timer_register {
    DMA_TIMER_REG_IDENT = 0x00,
    DMA_TIMER_REG_CAUSE = 0x04,
    DMA_TIMER_REG_ENABLE = 0x08,
    DMA_TIMER_REG_ERROR = 0x0c,
    DMA_TIMER_REG_DESC_LOW = 0x10,
    DMA_TIMER_REG_DESC_HIGH = 0x14,
    DMA_TIMER_REG_COPIED = 0x18,
    DMA_TIMER_REG_TIMER = 0x20,
    DMA_TIMER_REG_PERIOD = 0x24,
    DMA_TIMER_REG_TICKS = 0x28,
    DMA_TIMER_DOORBELL = 0x1000,
};

#define DMA_TIMER_COPIED     0x1u /* CAUSE and ENABLE */
#define DMA_TIMER_FAILED     0x2u
#define DMA_TIMER_FIRED      0x4u
#define DMA_TIMER_CAUSES     0x7u

#define DMA_TIMER_RUN        0x1u /* TIMER */
#define DMA_TIMER_REPEAT     0x2u

#define DMA_TIMER_PERIOD_MIN 100u   /* microseconds */
#define DMA_LENGTH_MAX       65536u /* bytes */
/* [/registers] */

/* [descriptor] */
struct dma_descriptor {
    uint64_t source, destination;
    uint32_t length;
    uint32_t flags;
    uint32_t status;
    uint32_t reserved;
};
_Static_assert(sizeof(struct dma_descriptor) == 32, "the driver writes it");

#define DMA_FLAG_INTERRUPT 0x1u
#define DMA_STATUS_DONE    0x80000000u

enum dma_error {
    DMA_OK = 0,
    DMA_NOT_MASTER = 1,     /* the command register forbids DMA; no status is written */
    DMA_BAD_DESCRIPTOR = 2, /* the descriptor is not in RAM; no status is written */
    DMA_BAD_FLAGS = 3,
    DMA_BAD_LENGTH = 4, /* 0, or more than DMA_LENGTH_MAX */
    DMA_BAD_SOURCE = 5, /* not in RAM as a whole */
    DMA_BAD_DESTINATION = 6,
};
/* [/descriptor] */

struct dma_timer {
    struct pci_function pci;
    struct msi msi;
    const struct guest_memory *memory;
    struct clock clock;
    struct alarm alarm;

    uint32_t cause, enable, error, copied;
    uint64_t descriptor; /* guest-physical */
    uint32_t timer, period, ticks;
    int64_t due; /* when the timer fires next, or ALARM_NEVER */
};

/* Powers the device up. The wires are copied, memory is not owned. No release. */
void dma_timer_init(struct dma_timer *d, const struct guest_memory *memory, struct clock clock,
                    struct alarm alarm, struct msi_sender sender);

/* The alarm has gone off, on time or late. */
void dma_timer_alarm(struct dma_timer *d);

/* The doorbell has rung. As a write to DOORBELL does, for an ioeventfd. */
void dma_timer_doorbell(struct dma_timer *d);

/* Bus callbacks of BAR 0; dma_timer_init() attaches them. */
uint64_t dma_timer_read(void *self, uint64_t reg, unsigned size);
void dma_timer_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
