/*
 * pic.h: the interrupt controller of a PC, two 8259A.
 *
 * A chip has eight inputs IR0 to IR7 and one output, INT. Three registers of eight bits
 * say all: who asks (IRR), whom nobody hears (IMR), whom the processor is serving (ISR).
 * A PC has two, the second one's output soldered to input 2 of the first:
 *
 *      IRQ 0 --> IR0 +--------+                IRQ 8  --> IR0 +-------+
 *      IRQ 1 --> IR1 | master | INT --> INTR   IRQ 9  --> IR1 | slave | INT --+
 *           +--> IR2 |        |                 ...           |       |       |
 *           |    ... +--------+                IRQ 15 --> IR7 +-------+       |
 *           +-----------------------------------------------------------------+
 *
 * Ports 0x20, 0x21 (master) and 0xa0, 0xa1 (slave). The names below are those of
 * [I8259A]. A write means, by its place and bits:
 *
 *     first port, bit 4 set      ICW1: start again; ICW2 to ICW4 follow at the second
 *     first port, bits 4, 3 = 0  OCW2: end of interrupt, priorities
 *     first port, bit 3 set      OCW3: what the next read gives; special mask
 *     second port                OCW1: the mask (IMR)
 *
 * Ports 0x4d0, 0x4d1 are the chip set's: a bit for each input says that it looks at
 * levels rather than edges, as lines that PCI cards share must.
 * [ICH9, 13.4.10 "ELCR1: Master Controller Edge/Level Triggered Register"]
 *
 *     struct pic_pair pic;
 *     pic_init(&pic, interrupt_intr_line(&pins));           interrupt.h
 *     bus: 0x20, 2 ports: pic_read, pic_write, &pic.master
 *          0xa0, 2 ports: pic_read, pic_write, &pic.slave
 *          0x4d0, 2 ports: pic_elcr_read, pic_elcr_write, &pic
 *     uart_init(&uart, pic_line(&pic, IRQ_SERIAL_1), sink);
 *
 * No locks here: the board holds the devices' lock around all of it.
 */
#ifndef CHAPTER_04_PIC_H
#define CHAPTER_04_PIC_H

#include <stdbool.h>
#include <stdint.h>

#include "04-devices/irq.h"

#define PIC_MASTER  0x20u /* two ports each, width 1 */
#define PIC_SLAVE   0xa0u
#define PIC_ELCR    0x4d0u
#define PIC_PORTS   2u
#define PIC_INPUTS  16u
#define PIC_CASCADE 2u /* the master's input that the slave drives */

/* [I8259A, "Initialization Command Words"] */
#define PIC_ICW1_IC4  0x01u /* ICW4 will follow */
#define PIC_ICW1_SNGL 0x02u /* a single chip: no ICW3 */
#define PIC_ICW1      0x10u
#define PIC_ICW4_AEOI 0x02u /* end of interrupt as soon as it begins */
#define PIC_ICW4_SFNM 0x10u /* special fully nested mode */

/* [I8259A, "Operation Command Words"] */
#define PIC_OCW2_EOI     0x20u
#define PIC_OCW2_SL      0x40u /* bits 2 to 0 name an input */
#define PIC_OCW2_R       0x80u /* rotate priorities */
#define PIC_OCW3         0x08u
#define PIC_OCW3_RIS     0x01u /* read ISR rather than IRR ... */
#define PIC_OCW3_RR      0x02u /* ... from now on: this makes bit 0 count */
#define PIC_OCW3_P       0x04u /* poll: the next read acknowledges */
#define PIC_OCW3_SMM     0x20u /* special mask mode ... */
#define PIC_OCW3_ESMM    0x40u /* ... and this makes bit 5 count */

#define PIC_POLL_REQUEST 0x80u /* in a poll's answer: there was one */

struct pic {
    struct irq_line intr; /* the output, INT */
    bool output;          /* its level */
    uint8_t lines;        /* the inputs' levels */
    uint8_t irr, imr, isr;
    uint8_t elcr;      /* inputs that look at levels */
    uint8_t vector;    /* ICW2: IR0's interrupt vector; bits 2 to 0 are 0 */
    uint8_t lowest;    /* the input of lowest priority; the next one has the highest */
    uint8_t cascade;   /* the inputs that another chip drives */
    uint8_t init_step; /* the ICW that the second port awaits (2 to 4), or 0 */
    bool icw3_follows, icw4_follows;
    bool auto_eoi, rotate_on_auto_eoi, fully_nested_special, special_mask;
    bool read_isr, poll;
};

/* A wire's end: which input of which pair. */
struct pic_input {
    struct pic_pair *pair;
    uint8_t number;
};

struct pic_pair {
    struct pic master, slave;
    struct pic_input inputs[PIC_INPUTS];
};

/* Powers both up, all inputs low and masked. The pair must not move afterwards. */
void pic_init(struct pic_pair *pair, struct irq_line intr);

/* The wire to ISA interrupt line number 0 to 15, but for 2: there is no such wire. */
struct irq_line pic_line(struct pic_pair *pair, unsigned number);

/* Does the pair drive INTR high? */
bool pic_pending(const struct pic_pair *pair);

/*
 * The processor's answer to INTR, two INTA cycles: the vector of the interrupt that it
 * serves now. If the request has gone meanwhile the answer is that of input 7, of the
 * master or of the slave, and no ISR bit is set: a spurious interrupt.
 */
uint8_t pic_acknowledge(struct pic_pair *pair);

/* Bus callbacks. Width 1; self is a struct pic. */
uint64_t pic_read(void *self, uint64_t reg, unsigned size);
void pic_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/* ... for PIC_ELCR; self is the struct pic_pair. */
uint64_t pic_elcr_read(void *self, uint64_t reg, unsigned size);
void pic_elcr_write(void *self, uint64_t reg, unsigned size, uint64_t value);

#endif
