/*
 * text_screen.c: the display adapter's registers, and a look at its memory.
 * Open at hand: [VGA].
 *
 *   0xb8000   'H' 1f  'e' 1f  'l' 1f  ...          attribute   7 6 5 4 3 2 1 0
 *             cell 0  cell 1  cell 2                           B  bg   I  fg
 *
 * Who sees the guest write there? One answer: make the range MMIO and take an exit for
 * each write. That is how a PC's board does it, and it is a bad bargain: filling the
 * screen is up to 2,000 exits and scrolling it by one line up to 4,000, some 30 ms on
 * software KVM, to learn at once what a person sees 20 ms later at best. The other
 * answer is ours: RAM that the guest writes at full speed, and a look at all of it
 * whenever a frame is due. To copy and compare 4,000 bytes costs about as much as one
 * such exit. A dirty log (chapter 3) would say which page was written, but the whole
 * screen is one page, and asking is a system call that costs as much as looking.
 *
 * What the bargain costs: a write that is overwritten before the next frame is never
 * seen, and memory behaves as memory, so the planes and write modes behind graphics
 * and loadable fonts cannot be built this way. They are left out; so are modes other
 * than 80 by 25, the palette's effect on colours, and the monochrome ports at 0x3b4.
 * All registers can be written and read back, as drivers that save them expect.
 */
#include "04-devices/text_screen.h"

#include <string.h>

#define CELLS (TEXT_MEMORY_SIZE / 2)

/* Offsets from VGA_PORTS. [VGA, "External Registers", "Color Registers"] */
enum vga_port {
    ATTRIBUTE = 0x0,      /* index and data in turn */
    ATTRIBUTE_READ = 0x1, /* reads data */
    MISC_WRITE = 0x2,     /* reads: input status 0 */
    SEQUENCER_INDEX = 0x4,
    SEQUENCER_DATA = 0x5,
    DAC_MASK = 0x6,
    DAC_READ_INDEX = 0x7, /* reads: which way the palette is open */
    DAC_WRITE_INDEX = 0x8,
    DAC_DATA = 0x9, /* red, green, blue in turn */
    FEATURE_READ = 0xa,
    MISC_READ = 0xc,
    GRAPHICS_INDEX = 0xe,
    GRAPHICS_DATA = 0xf,
};

#define ATTRIBUTE_MODE       0x10u
#define ATTRIBUTE_MODE_BLINK 0x08u
#define ATTRIBUTE_SCREEN_ON  0x20u /* in the index: the palette is the screen's */

/* Mode 3, 80 by 25 in 16 colours, as every VGA BIOS sets it. */
static const uint8_t mode3_crtc[] = {0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00,
                                     0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e,
                                     0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff};
static const uint8_t mode3_sequencer[] = {0x03, 0x00, 0x03, 0x00, 0x02};
static const uint8_t mode3_graphics[] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff};
static const uint8_t mode3_attribute[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14,
                                          0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d,
                                          0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00};
#define MODE3_MISC 0x67u

_Static_assert(sizeof mode3_crtc == CRTC_REGISTERS, "one value for each register");

static uint8_t indexed_read(const struct vga_indexed *bank)
{
    return bank->registers[bank->index % sizeof bank->registers];
}

static void indexed_write(struct vga_indexed *bank, uint8_t value)
{
    bank->registers[bank->index % sizeof bank->registers] = value;
}

/* One port for two things: a flip-flop tells them apart, and reading 0x3da resets it. */
static void attribute_write(struct text_screen *s, uint8_t value)
{
    if (s->attribute_data)
        indexed_write(&s->attribute, value);
    else
        s->attribute.index = value & 0x3f;
    s->attribute_data = !s->attribute_data;
}

/* Three accesses for each colour; then the index steps on. */
static uint8_t *dac_component(struct text_screen *s, uint8_t *index)
{
    uint8_t *component = &s->dac[*index][s->dac_step];

    s->dac_step = (s->dac_step + 1) % 3;
    if (s->dac_step == 0)
        (*index)++;
    return component;
}

static void dac_open(struct text_screen *s, bool reading, uint8_t index)
{
    s->dac_reading = reading;
    s->dac_step = 0;
    *(reading ? &s->dac_read : &s->dac_write) = index;
}

uint64_t vga_read(void *self, uint64_t reg, unsigned size)
{
    struct text_screen *s = self;

    (void)size;
    switch (reg) {
    case ATTRIBUTE: return s->attribute.index;
    case ATTRIBUTE_READ: return indexed_read(&s->attribute);
    case MISC_WRITE: return 0;
    case SEQUENCER_INDEX: return s->sequencer.index;
    case SEQUENCER_DATA: return indexed_read(&s->sequencer);
    case DAC_MASK: return s->dac_mask;
    case DAC_READ_INDEX: return s->dac_reading ? 3 : 0;
    case DAC_WRITE_INDEX: return s->dac_write;
    case DAC_DATA: return *dac_component(s, &s->dac_read);
    case FEATURE_READ: return s->feature;
    case MISC_READ: return s->misc;
    case GRAPHICS_INDEX: return s->graphics.index;
    case GRAPHICS_DATA: return indexed_read(&s->graphics);
    default: return 0xff;
    }
}

void vga_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct text_screen *s = self;
    uint8_t byte = (uint8_t)value;

    (void)size;
    switch (reg) {
    case ATTRIBUTE: attribute_write(s, byte); break;
    case MISC_WRITE: s->misc = byte; break;
    case SEQUENCER_INDEX: s->sequencer.index = byte; break;
    case SEQUENCER_DATA: indexed_write(&s->sequencer, byte); break;
    case DAC_MASK: s->dac_mask = byte; break;
    case DAC_READ_INDEX: dac_open(s, true, byte); break;
    case DAC_WRITE_INDEX: dac_open(s, false, byte); break;
    case DAC_DATA: *dac_component(s, &s->dac_write) = byte & 0x3f; break;
    case GRAPHICS_INDEX: s->graphics.index = byte; break;
    case GRAPHICS_DATA: indexed_write(&s->graphics, byte); break;
    default: break;
    }
}

uint64_t crtc_read(void *self, uint64_t reg, unsigned size)
{
    const struct text_screen *s = self;

    (void)size;
    return reg == 0 ? s->crtc.index : indexed_read(&s->crtc);
}

void crtc_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct text_screen *s = self;
    bool protects = s->crtc.registers[CRTC_RETRACE_END] & CRTC_PROTECT;

    (void)size;
    if (reg == 0)
        s->crtc.index = (uint8_t)value & 0x1f;
    else if (!protects || s->crtc.index > 7)
        indexed_write(&s->crtc, (uint8_t)value);
}

/*
 * The beam. Programs wait here for it to leave the picture and to come back; ours does
 * one or the other at each look, so that no wait is longer than four.
 */
uint64_t vga_status_read(void *self, uint64_t reg, unsigned size)
{
    static const uint8_t beam[4] = {0, VGA_STATUS_BLANK, VGA_STATUS_BLANK | VGA_STATUS_RETRACE,
                                    VGA_STATUS_BLANK};
    struct text_screen *s = self;

    (void)reg, (void)size;
    s->attribute_data = false;
    return beam[s->looks++ % 4];
}

void vga_status_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct text_screen *s = self;

    (void)reg, (void)size;
    s->feature = (uint8_t)value;
}

static unsigned crtc_pair(const struct text_screen *s, enum crtc_register high)
{
    return (unsigned)(s->crtc.registers[high] << 8 | s->crtc.registers[high + 1]);
}

static void frame_cursor(const struct text_screen *s, struct text_frame *frame, unsigned start,
                         unsigned stride)
{
    unsigned at = (crtc_pair(s, CRTC_CURSOR_HIGH) - start) % CELLS;
    uint8_t top = s->crtc.registers[CRTC_CURSOR_START];
    uint8_t bottom = s->crtc.registers[CRTC_CURSOR_END] & 0x1f;

    frame->cursor_row = stride ? at / stride : 0;
    frame->cursor_column = stride ? at % stride : at;
    frame->cursor = !(top & CRTC_CURSOR_OFF) && (top & 0x1f) <= bottom &&
                    frame->cursor_row < TEXT_ROWS && frame->cursor_column < TEXT_COLUMNS;
}

/* [frame] */
void text_screen_frame(const struct text_screen *s, struct text_frame *frame)
{
    unsigned start = crtc_pair(s, CRTC_START_HIGH);
    unsigned stride = s->crtc.registers[CRTC_OFFSET] * 2u;

    for (unsigned row = 0; row < TEXT_ROWS; row++)
        for (unsigned column = 0; column < TEXT_COLUMNS; column++)
            frame->cells[row][column] = s->cells[(start + row * stride + column) % CELLS];
    frame_cursor(s, frame, start, stride);
    frame->blink = s->attribute.registers[ATTRIBUTE_MODE] & ATTRIBUTE_MODE_BLINK;
}
/* [/frame] */

/* The first 64 colours have two bits for each primary, 2/3 and 1/3, as on the EGA. */
static void dac_defaults(struct text_screen *s)
{
    for (unsigned i = 0; i < 64; i++)
        for (unsigned primary = 0; primary < 3; primary++)
            s->dac[i][primary] = (uint8_t)((i >> (2 - primary) & 1) * 42 +
                                           (i >> (5 - primary) & 1) * 21);
}

void text_screen_init(struct text_screen *s, const void *memory)
{
    *s = (struct text_screen){.cells = memory,
                              .misc = MODE3_MISC,
                              .dac_mask = 0xff,
                              .attribute.index = ATTRIBUTE_SCREEN_ON};
    memcpy(s->crtc.registers, mode3_crtc, sizeof mode3_crtc);
    memcpy(s->sequencer.registers, mode3_sequencer, sizeof mode3_sequencer);
    memcpy(s->graphics.registers, mode3_graphics, sizeof mode3_graphics);
    memcpy(s->attribute.registers, mode3_attribute, sizeof mode3_attribute);
    dac_defaults(s);
}
