/*
 * screen_view.h: a PC's text screen, drawn in the reader's terminal.
 *
 *     screen_view_init(&view, sink, 25);         25: lines that the terminal has
 *     screen_view_draw(&view, &frame);           as often as you like
 *     ...the sink has room again:
 *     screen_view_drain(&view);
 *     ...at the end:
 *     screen_view_end(&view);
 *
 * Only cells that changed are drawn. A terminal that is slow gets fewer frames, not
 * older ones: while one is on its way out, draw() returns false and the next call looks
 * at the screen as it is then. So at most one frame ever waits, in a buffer of fixed
 * size, and the frame that was refused must be offered again later.
 *
 * A terminal with fewer than 25 lines shows those around the cursor.
 */
#ifndef CHAPTER_04_SCREEN_VIEW_H
#define CHAPTER_04_SCREEN_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "04-devices/sink.h"
#include "04-devices/text_screen.h"

/* Of a cell: "\e[25;80H", "\e[0;5;97;107m", three bytes of UTF-8. */
#define VIEW_CELL_MAX 25u
#define VIEW_REST     128u /* once a frame: modes, cursor; at the end: the same back */
#define VIEW_BUFFER   (VIEW_CELL_MAX * TEXT_ROWS * TEXT_COLUMNS + VIEW_REST)

struct screen_view {
    struct byte_sink out;
    unsigned rows; /* of the terminal, at most 25 are used */
    bool started, mouse;
    struct text_frame shown; /* by the terminal's rows, once the buffer is out */
    int attribute;           /* that the terminal draws with, or -1 */
    unsigned row, column;    /* where its cursor is; row >= TEXT_ROWS: nobody knows */
    size_t sent, filled;     /* of the buffer */
    char buffer[VIEW_BUFFER];
};

void screen_view_init(struct screen_view *view, struct byte_sink out, unsigned rows);

/* Asks the terminal to report its mouse (see keymap.h), from the next frame on. */
void screen_view_want_mouse(struct screen_view *view);

/* Draws what differs. False: the last frame is not out yet; nothing was done. */
bool screen_view_draw(struct screen_view *view, const struct text_frame *frame);

/* Sends what waits. True: all is out. */
bool screen_view_drain(struct screen_view *view);

/* The terminal has been resized or written over: the next frame is drawn whole. */
void screen_view_forget(struct screen_view *view);

/* Leaves the picture standing and the cursor below it, in the usual colours. */
void screen_view_end(struct screen_view *view);

/* The frame as plain UTF-8 text: 25 lines without the blanks at their ends. */
#define TEXT_DUMP_MAX (TEXT_ROWS * (TEXT_COLUMNS * 3 + 1) + 1)
void text_frame_dump(const struct text_frame *frame, char text[TEXT_DUMP_MAX]);

#endif
