/*
 * irq.h: an interrupt line, as a device sees it: a wire it drives high or low.
 *
 * Where the other end is soldered (a controller inside KVM, one of our own, a
 * variable in a unit test) is the board's business. A device drives its wire only
 * when the level changes; controllers that watch for edges rely on that.
 *
 * A message-signalled interrupt has no wire: the device writes a number, data, to an
 * address that an interrupt controller answers. [PCI3, 6.8 "Message Signaled
 * Interrupts"] To the device that is a call, too.
 */
#ifndef CHAPTER_04_IRQ_H
#define CHAPTER_04_IRQ_H

#include <stdbool.h>
#include <stdint.h>

struct irq_line {
    void (*set)(void *self, bool level);
    void *self;
};

static inline void irq_set(const struct irq_line *line, bool level)
{
    line->set(line->self, level);
}

struct msi_sender {
    void (*send)(void *self, uint64_t address, uint32_t data);
    void *self;
};

static inline void msi_send(const struct msi_sender *sender, uint64_t address, uint32_t data)
{
    sender->send(sender->self, address, data);
}

#endif
