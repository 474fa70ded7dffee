/*
 * picture.h: a text screen as pixels: 80 by 25 cells of 8 by 16.
 *
 * The shapes of the letters come from where a PC has them, the ROM of its display adapter;
 * SeaBIOS has one for virtual machines, which packages of it bring along.
 */
#ifndef CHAPTER_07_VNC_PICTURE_H
#define CHAPTER_07_VNC_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "04-devices/text_screen.h"

#define CELL_WIDTH     8u
#define CELL_HEIGHT    16u
#define PICTURE_WIDTH  (TEXT_COLUMNS * CELL_WIDTH)
#define PICTURE_HEIGHT (TEXT_ROWS * CELL_HEIGHT)
#define FONT_SIZE      (256u * CELL_HEIGHT)

struct picture {
    const uint8_t *font; /* FONT_SIZE bytes: a byte is a row of a letter. Not owned */
    bool drawn;
    struct text_frame shown;
    uint32_t pixels[PICTURE_HEIGHT][PICTURE_WIDTH]; /* red in the lowest byte, green, blue */
};

/* Rows of cells that have changed: first to last; none if first > last. */
struct picture_change {
    unsigned first, last;
};

/* The 8 by 16 letters in a ROM's bytes, or NULL. */
const uint8_t *font_find(const uint8_t *rom, size_t size);

void picture_init(struct picture *picture, const uint8_t *font);
struct picture_change picture_draw(struct picture *picture, const struct text_frame *frame);

#endif
