/*
 * pic.c: two 8259A. Open at hand: [I8259A], whose sections "Fully Nested Mode" to
 * "Poll Command" are the cases below, and [ICH9, 13.4 "Interrupt Controller I/O
 * Registers"] for what a PC's chip set makes of them.
 *
 * A request's way through one chip:
 *
 *     line --edge or level--> IRR --unless IMR--> choice --> INT ... INTA --> ISR --> EOI
 *                              |                    ^                          |
 *                              +- gone if the       +-- holds back its own ----+
 *                                 line falls            and lower priorities
 *
 * A request that falls before its INTA has never been, as the data sheet has it. KVM's
 * own PIC remembers edges; a device that pulses its line would tell the two apart.
 *
 * Left out on purpose: the 8080's mode, buffered mode, and other wirings than a PC's:
 * ICW3 is read and ignored, since what it describes is soldered; ICW1's level bit is
 * ignored, since ELCR has taken its place, as in chip sets.
 */
#include "04-devices/pic.h"

#include <assert.h>
#include <stddef.h>

#include "common/bits.h"

#define LOWEST_AT_RESET 7u
#define SPURIOUS        7u /* the input that answers for a request that has gone */

/* Inputs 0, 1, 2, 8 and 13 are edge-triggered for good. [ICH9, 13.4.10 and 13.4.11] */
#define ELCR_MASTER 0xf8u
#define ELCR_SLAVE  0xdeu

/* [choose] */
/*
 * Whose turn is it? Inputs are asked in order of priority. The first that is being
 * served ends the search: it holds back its own input and all below.
 */
static int pic_choose(const struct pic *pic)
{
    uint8_t asking = pic->irr & ~pic->imr;
    uint8_t holding = pic->isr;

    if (pic->special_mask) /* a masked interrupt being served holds back nobody */
        holding &= ~pic->imr;
    for (unsigned rank = 1; rank <= 8; rank++) {
        unsigned input = (pic->lowest + rank) % 8;
        bool held = holding & BIT(input);

        /* A slave may ask again while it is served: one of its inputs ranks higher. */
        if (pic->fully_nested_special && (pic->cascade & BIT(input)))
            held = false;
        if ((asking & BIT(input)) && !held)
            return (int)input;
        if (holding & BIT(input))
            return -1;
    }
    return -1;
}
/* [/choose] */

static void pic_drive(struct pic *pic, bool level)
{
    if (pic->output != level) {
        pic->output = level;
        irq_set(&pic->intr, level);
    }
}

static void pic_update(struct pic *pic)
{
    pic_drive(pic, pic->init_step == 0 && pic_choose(pic) >= 0);
}

/* [input] */
static void pic_set_input(struct pic *pic, unsigned input, bool level)
{
    uint8_t mask = (uint8_t)BIT(input);
    bool rises = level && !(pic->lines & mask);

    if (level)
        pic->lines |= mask;
    else
        pic->lines &= ~mask;

    if (rises)
        pic->irr |= mask;
    if (!level)
        pic->irr &= ~mask; /* too late: asked, and did not wait for the answer */
    pic_update(pic);
}
/* [/input] */

/* INTA: the chosen input is served from now on, until somebody says EOI. */
static void pic_take(struct pic *pic, unsigned input)
{
    uint8_t mask = (uint8_t)BIT(input);

    if (!(pic->elcr & mask))
        pic->irr &= ~mask; /* an edge asks once; a level as long as it is high */
    if (!pic->auto_eoi)
        pic->isr |= mask;
    else if (pic->rotate_on_auto_eoi)
        pic->lowest = (uint8_t)input;
}

/* [acknowledge] */
uint8_t pic_acknowledge(struct pic_pair *pair)
{
    struct pic *master = &pair->master, *slave = &pair->slave;
    int input = pic_choose(master), behind;
    uint8_t vector = master->vector;

    if (input < 0)
        return vector | SPURIOUS;
    pic_take(master, (unsigned)input);
    if (input == PIC_CASCADE) {
        behind = pic_choose(slave);
        vector = slave->vector;
        input = behind < 0 ? (int)SPURIOUS : behind;
        if (behind >= 0)
            pic_take(slave, (unsigned)behind);
        pic_drive(slave, false); /* so that its next request is an edge again */
        pic_update(slave);
    }
    pic_update(master);
    return vector | (uint8_t)input;
}
/* [/acknowledge] */

/* The input being served that "EOI" without a number means: the highest, or none. */
static int pic_serving(const struct pic *pic)
{
    uint8_t serving = pic->isr;

    if (pic->special_mask)
        serving &= ~pic->imr;
    for (unsigned rank = 1; rank <= 8; rank++) {
        unsigned input = (pic->lowest + rank) % 8;

        if (serving & BIT(input))
            return (int)input;
    }
    return -1;
}

/* ICW1: as after power-up, but for the lines, which are as they are. */
static void pic_begin_init(struct pic *pic, uint8_t icw1)
{
    pic->irr = pic->lines & pic->elcr; /* an edge that was there does not count */
    pic->imr = pic->isr = 0;
    pic->lowest = LOWEST_AT_RESET;
    pic->auto_eoi = pic->rotate_on_auto_eoi = pic->fully_nested_special = false;
    pic->special_mask = pic->read_isr = pic->poll = false;
    pic->icw3_follows = !(icw1 & PIC_ICW1_SNGL);
    pic->icw4_follows = icw1 & PIC_ICW1_IC4;
    pic->init_step = 2;
}

/* ICW2 to ICW4, of which two may be left out. */
static void pic_go_on_init(struct pic *pic, uint8_t value)
{
    uint8_t step = pic->init_step;

    if (step == 2)
        pic->vector = value & 0xf8;
    if (step == 4) {
        pic->auto_eoi = value & PIC_ICW4_AEOI;
        pic->fully_nested_special = value & PIC_ICW4_SFNM;
    }
    if (step == 2 && pic->icw3_follows)
        pic->init_step = 3;
    else
        pic->init_step = step < 4 && pic->icw4_follows ? 4 : 0;
}

/* Ends an interrupt, changes the priorities, or both. */
static void pic_write_ocw2(struct pic *pic, uint8_t ocw2)
{
    bool rotate = ocw2 & PIC_OCW2_R, specific = ocw2 & PIC_OCW2_SL;
    int input = specific ? ocw2 & 7 : pic_serving(pic);

    if (!(ocw2 & PIC_OCW2_EOI)) {
        if (!specific)
            pic->rotate_on_auto_eoi = rotate;
        else if (rotate)
            pic->lowest = (uint8_t)input;
        return;
    }
    if (input < 0)
        return; /* nothing is being served: nothing ends, nothing rotates */
    pic->isr &= ~BIT(input);
    if (rotate)
        pic->lowest = (uint8_t)input;
}

static void pic_write_ocw3(struct pic *pic, uint8_t ocw3)
{
    if (ocw3 & PIC_OCW3_ESMM)
        pic->special_mask = ocw3 & PIC_OCW3_SMM;
    if (ocw3 & PIC_OCW3_RR)
        pic->read_isr = ocw3 & PIC_OCW3_RIS;
    pic->poll = ocw3 & PIC_OCW3_P;
}

void pic_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct pic *pic = self;
    uint8_t byte = (uint8_t)value;

    (void)size;
    if (reg == 1 && pic->init_step)
        pic_go_on_init(pic, byte);
    else if (reg == 1)
        pic->imr = byte;
    else if (byte & PIC_ICW1)
        pic_begin_init(pic, byte);
    else if (byte & PIC_OCW3)
        pic_write_ocw3(pic, byte);
    else
        pic_write_ocw2(pic, byte);
    pic_update(pic);
}

/* A poll is an INTA by hand: whoever asks is being served from now on. */
static uint8_t pic_poll(struct pic *pic)
{
    int input = pic_choose(pic);

    pic->poll = false;
    if (input < 0)
        return 0;
    pic_take(pic, (unsigned)input);
    pic_drive(pic, false);
    pic_update(pic);
    return PIC_POLL_REQUEST | (uint8_t)input;
}

uint64_t pic_read(void *self, uint64_t reg, unsigned size)
{
    struct pic *pic = self;

    (void)size;
    if (pic->poll)
        return pic_poll(pic);
    if (reg == 1)
        return pic->imr;
    return pic->read_isr ? pic->isr : pic->irr;
}

uint64_t pic_elcr_read(void *self, uint64_t reg, unsigned size)
{
    const struct pic_pair *pair = self;

    (void)size;
    return reg == 0 ? pair->master.elcr : pair->slave.elcr;
}

void pic_elcr_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct pic_pair *pair = self;
    struct pic *pic = reg == 0 ? &pair->master : &pair->slave;

    (void)size;
    pic->elcr = (uint8_t)value & (reg == 0 ? ELCR_MASTER : ELCR_SLAVE);
    pic->irr |= pic->lines & pic->elcr;
    pic_update(pic);
}

static void pic_input_set(void *self, bool level)
{
    const struct pic_input *input = self;
    struct pic *pic = input->number < 8 ? &input->pair->master : &input->pair->slave;

    pic_set_input(pic, input->number % 8, level);
}

struct irq_line pic_line(struct pic_pair *pair, unsigned number)
{
    assert(number < PIC_INPUTS && number != PIC_CASCADE);
    return (struct irq_line){.set = pic_input_set, .self = &pair->inputs[number]};
}

bool pic_pending(const struct pic_pair *pair)
{
    return pair->master.output;
}

void pic_init(struct pic_pair *pair, struct irq_line intr)
{
    *pair = (struct pic_pair){
        .master = {.intr = intr,
                   .imr = 0xff,
                   .lowest = LOWEST_AT_RESET,
                   .cascade = (uint8_t)BIT(PIC_CASCADE)},
        .slave = {.imr = 0xff, .lowest = LOWEST_AT_RESET},
    };
    for (unsigned i = 0; i < PIC_INPUTS; i++)
        pair->inputs[i] = (struct pic_input){.pair = pair, .number = (uint8_t)i};
    pair->slave.intr = (struct irq_line){.set = pic_input_set, .self = &pair->inputs[PIC_CASCADE]};
}
