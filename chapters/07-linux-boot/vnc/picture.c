/*
 * picture.c: see picture.h. Left out on purpose: blinking, the ninth column that VGA gives
 * each letter, and other palettes than the usual one.
 */
#include "07-linux-boot/vnc/picture.h"

#include <string.h>

/* The last rows of a cell are the cursor's. */
#define CURSOR_TOP 14u

/* [VGA, "Attribute Controller Registers"]: as firmware sets them up; brown is not dark yellow. */
static const uint32_t colours[16] = {
    0x000000, 0xaa0000, 0x00aa00, 0xaaaa00, 0x0000aa, 0xaa00aa, 0x0055aa, 0xaaaaaa,
    0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
};

/* Letter 0 is blank, letter 1 a face. */
const uint8_t *font_find(const uint8_t *rom, size_t size)
{
    static const uint8_t beginning[2 * CELL_HEIGHT] = {[18] = 0x7e, 0x81, 0xa5, 0x81, 0x81,
                                                       0xbd,        0x99, 0x81, 0x81, 0x7e};

    for (size_t at = 0; size >= FONT_SIZE && at <= size - FONT_SIZE; at++)
        if (memcmp(rom + at, beginning, sizeof beginning) == 0)
            return rom + at;
    return NULL;
}

void picture_init(struct picture *p, const uint8_t *font)
{
    p->font = font;
    p->drawn = false;
}

static bool has_cursor(const struct text_frame *frame, unsigned row, unsigned column)
{
    return frame->cursor && frame->cursor_row == row && frame->cursor_column == column;
}

/* [draw-cell] */
static void draw_cell(struct picture *p, const struct text_frame *frame, unsigned row,
                      unsigned column)
{
    uint16_t cell = frame->cells[row][column];
    const uint8_t *letter = p->font + (cell & 0xff) * CELL_HEIGHT;
    uint32_t ink = colours[cell >> 8 & 15];
    uint32_t paper = colours[cell >> 12 & (frame->blink ? 7 : 15)];
    bool cursor = has_cursor(frame, row, column);

    for (unsigned y = 0; y < CELL_HEIGHT; y++) {
        uint8_t bits = cursor && y >= CURSOR_TOP ? 0xff : letter[y];
        uint32_t *pixels = &p->pixels[row * CELL_HEIGHT + y][column * CELL_WIDTH];

        for (unsigned x = 0; x < CELL_WIDTH; x++)
            pixels[x] = bits & 0x80 >> x ? ink : paper;
    }
}
/* [/draw-cell] */

static bool differs(const struct picture *p, const struct text_frame *frame, unsigned row,
                    unsigned column)
{
    return !p->drawn || p->shown.cells[row][column] != frame->cells[row][column] ||
           p->shown.blink != frame->blink ||
           has_cursor(&p->shown, row, column) != has_cursor(frame, row, column);
}

struct picture_change picture_draw(struct picture *p, const struct text_frame *frame)
{
    struct picture_change change = {.first = TEXT_ROWS, .last = 0};

    for (unsigned row = 0; row < TEXT_ROWS; row++)
        for (unsigned column = 0; column < TEXT_COLUMNS; column++)
            if (differs(p, frame, row, column)) {
                draw_cell(p, frame, row, column);
                change.first = row < change.first ? row : change.first;
                change.last = row;
            }
    p->shown = *frame;
    p->drawn = true;
    return change;
}
