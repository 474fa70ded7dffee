/*
 * irq.h: an interrupt line, as a device sees it: a wire it drives high or low.
 *
 * Where the other end is soldered (a controller inside KVM, one of our own, a
 * variable in a unit test) is the board's business. A device drives its wire only
 * when the level changes; controllers that watch for edges rely on that.
 */
#ifndef CHAPTER_04_IRQ_H
#define CHAPTER_04_IRQ_H

#include <stdbool.h>

struct irq_line {
    void (*set)(void *self, bool level);
    void *self;
};

static inline void irq_set(const struct irq_line *line, bool level)
{
    line->set(line->self, level);
}

#endif
