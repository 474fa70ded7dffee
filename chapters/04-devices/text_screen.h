/*
 * text_screen.h: the text mode of a PC's display adapter, 80 columns by 25 rows.
 *
 * The screen is memory. At physical address 0xb8000 each cell is two bytes: a character
 * of code page 437, and an attribute, four bits of foreground and four of background.
 * Registers say which cell is the top left one and where the cursor stands.
 *
 *     0x3c0  16   attribute controller, misc output, sequencer, palette, graphics
 *     0x3d4   2   CRT controller: index and data
 *     0x3da   1   input status 1: is the beam outside the picture?
 *
 * Who sees the writes to 0xb8000? See text_screen.c for why nobody does: the board maps
 * ordinary RAM there, hands its host address to text_screen_init(), and asks for a
 * frame some twenty times a second, as a monitor does.
 *
 *     text_screen_init(&screen, ram + TEXT_MEMORY);
 *     ...on an alarm:
 *     text_screen_frame(&screen, &frame);
 *     screen_view_draw(&view, &frame);
 */
#ifndef CHAPTER_04_TEXT_SCREEN_H
#define CHAPTER_04_TEXT_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#define TEXT_MEMORY      0xb8000u
#define TEXT_MEMORY_SIZE 0x8000u /* bytes; addresses wrap inside */
#define TEXT_COLUMNS     80u
#define TEXT_ROWS        25u

/* Ports to claim, all of width 1. */
#define VGA_PORTS       0x3c0u
#define VGA_PORT_COUNT  16u
#define CRTC_PORTS      0x3d4u
#define CRTC_PORT_COUNT 2u
#define VGA_STATUS_PORT 0x3dau /* one port; writes set the feature control register */

/* [VGA, "CRT Controller Registers"] */
enum crtc_register {
    CRTC_CURSOR_START = 0x0a, /* bit 5 hides the cursor */
    CRTC_CURSOR_END = 0x0b,
    CRTC_START_HIGH = 0x0c, /* of the top left cell, counted in cells */
    CRTC_START_LOW = 0x0d,
    CRTC_CURSOR_HIGH = 0x0e,
    CRTC_CURSOR_LOW = 0x0f,
    CRTC_RETRACE_END = 0x11, /* bit 7 protects registers 0 to 7 */
    CRTC_OFFSET = 0x13,      /* from row to row, in pairs of cells */
    CRTC_REGISTERS = 0x19,
};
#define CRTC_CURSOR_OFF    0x20u
#define CRTC_PROTECT       0x80u

#define VGA_STATUS_BLANK   0x01u /* the beam is outside the picture */
#define VGA_STATUS_RETRACE 0x08u /* ... and on its way back to the top */

/* What there is to see: cells as in memory, character low, attribute high. */
struct text_frame {
    uint16_t cells[TEXT_ROWS][TEXT_COLUMNS];
    bool cursor; /* is there one on the screen, */
    unsigned cursor_row, cursor_column;
    bool blink; /* attribute bit 7 means blinking, not a bright background */
};

struct vga_indexed {
    uint8_t index;
    uint8_t registers[32];
};

struct text_screen {
    const volatile uint16_t *cells; /* TEXT_MEMORY_SIZE bytes, which the guest writes */
    struct vga_indexed crtc, sequencer, graphics, attribute;
    bool attribute_data; /* port 0x3c0's next write is data, not an index */
    uint8_t misc, feature;
    uint8_t dac_mask, dac_read, dac_write, dac_step; /* the palette's counters */
    bool dac_reading;
    uint8_t dac[256][3];
    unsigned looks; /* reads of the status: see text_screen.c */
};

/*
 * The registers as firmware leaves them in mode 3. memory is borrowed, not touched, and
 * aligned to two bytes at least.
 */
void text_screen_init(struct text_screen *screen, const void *memory);

/* Bus callbacks for VGA_PORTS, CRTC_PORTS and VGA_STATUS_PORT. */
uint64_t vga_read(void *self, uint64_t reg, unsigned size);
void vga_write(void *self, uint64_t reg, unsigned size, uint64_t value);
uint64_t crtc_read(void *self, uint64_t reg, unsigned size);
void crtc_write(void *self, uint64_t reg, unsigned size, uint64_t value);
uint64_t vga_status_read(void *self, uint64_t reg, unsigned size);
void vga_status_write(void *self, uint64_t reg, unsigned size, uint64_t value);

/* Reads each cell once. The guest may write meanwhile: the next frame has it. */
void text_screen_frame(const struct text_screen *screen, struct text_frame *frame);

#endif
