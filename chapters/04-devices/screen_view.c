/*
 * screen_view.c: frames become escape sequences. Open at hand: [ECMA48].
 *
 *   frame --compare--> shown      changed cells --> [ buffer ] --> sink
 *
 * The sequences are those that every terminal of the last thirty years knows: move (CUP),
 * colours (SGR), hide and show the cursor, no line wrap. Without wrap the last cell can
 * be drawn without scrolling the picture away.
 *
 * Left out on purpose: terminals that do not speak UTF-8, and the cursor's shape.
 */
#include "04-devices/screen_view.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "04-devices/cp437.h"

#define ATTRIBUTE_HIGH 0x80u /* blinking or a bright background */
#define NOWHERE        TEXT_ROWS

void screen_view_init(struct screen_view *view, struct byte_sink out, unsigned rows)
{
    view->out = out;
    view->rows = rows == 0 || rows > TEXT_ROWS ? TEXT_ROWS : rows;
    view->mouse = false;
    view->sent = view->filled = 0;
    screen_view_forget(view);
}

void screen_view_want_mouse(struct screen_view *view)
{
    view->mouse = true;
    view->started = false;
}

void screen_view_forget(struct screen_view *view)
{
    view->started = false;
}

bool screen_view_drain(struct screen_view *view)
{
    size_t taken = 0;

    if (view->sent < view->filled)
        taken = view->out.put(view->out.self, (const uint8_t *)view->buffer + view->sent,
                              view->filled - view->sent);
    view->sent += taken;
    if (view->sent < view->filled)
        return false;
    view->sent = view->filled = 0;
    return true;
}

__attribute__((format(printf, 2, 3))) static void emit(struct screen_view *view, const char *format,
                                                       ...)
{
    size_t room = sizeof view->buffer - view->filled;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(view->buffer + view->filled, room, format, arguments);
    va_end(arguments);
    assert(length >= 0 && (size_t)length < room); /* see VIEW_CELL_MAX */
    view->filled += (size_t)length;
}

/* The PC counts blue, green, red; terminals count red, green, blue. */
static unsigned ansi_colour(unsigned pc)
{
    static const uint8_t order[8] = {0, 4, 2, 6, 1, 5, 3, 7};

    return order[pc & 7];
}

static void emit_attribute(struct screen_view *view, uint8_t attribute, bool blink)
{
    unsigned foreground = (attribute & 0x08 ? 90 : 30) + ansi_colour(attribute);
    unsigned background = 40 + ansi_colour(attribute >> 4);
    bool high = attribute & ATTRIBUTE_HIGH;

    if (attribute == view->attribute)
        return;
    if (high && !blink)
        background += 60;
    emit(view, "\033[0;%s%u;%um", high && blink ? "5;" : "", foreground, background);
    view->attribute = attribute;
}

static void emit_move(struct screen_view *view, unsigned row, unsigned column)
{
    if (row != view->row || column != view->column)
        emit(view, "\033[%u;%uH", row + 1, column + 1);
    view->row = row;
    view->column = column;
}

static void emit_cell(struct screen_view *view, unsigned row, unsigned column, uint16_t cell,
                      bool blink)
{
    char text[CP437_UTF8_MAX];
    size_t length = cp437_utf8((uint8_t)cell, text);

    emit_move(view, row, column);
    emit_attribute(view, cell >> 8, blink);
    emit(view, "%.*s", (int)length, text);
    view->column++; /* past the last, nobody asks to be there: the next one moves */
}

static void emit_cursor(struct screen_view *view, const struct text_frame *frame, unsigned first)
{
    if (frame->cursor)
        emit_move(view, frame->cursor_row - first, frame->cursor_column);
    if (frame->cursor != view->shown.cursor)
        emit(view, "\033[?25%c", frame->cursor ? 'h' : 'l');
    view->shown.cursor = frame->cursor;
}

static void emit_start(struct screen_view *view)
{
    emit(view, "\033[?7l\033[?25l\033[0m\033[2J%s", view->mouse ? "\033[?1002h\033[?1006h" : "");
    view->attribute = -1;
    view->row = NOWHERE;
    view->shown.cursor = false;
}

/* [draw] */
bool screen_view_draw(struct screen_view *view, const struct text_frame *frame)
{
    bool whole = !view->started || frame->blink != view->shown.blink;
    unsigned first = 0;

    if (!screen_view_drain(view))
        return false;
    if (frame->cursor && frame->cursor_row >= view->rows)
        first = frame->cursor_row - view->rows + 1;
    if (whole)
        emit_start(view);
    for (unsigned row = 0; row < view->rows; row++)
        for (unsigned column = 0; column < TEXT_COLUMNS; column++) {
            uint16_t cell = frame->cells[first + row][column];

            if (whole || cell != view->shown.cells[row][column])
                emit_cell(view, row, column, cell, frame->blink);
            view->shown.cells[row][column] = cell;
        }
    emit_cursor(view, frame, first);
    view->shown.blink = frame->blink;
    view->started = true;
    screen_view_drain(view);
    return true;
}
/* [/draw] */

void screen_view_end(struct screen_view *view)
{
    if (view->started)
        emit(view, "\033[0m%s\033[?7h\033[?25h\033[%u;1H\r\n",
             view->mouse ? "\033[?1002l\033[?1006l" : "", view->rows);
    view->started = false;
    screen_view_drain(view);
}

/* The last column that is not blank, plus one. */
static unsigned row_length(const uint16_t *cells)
{
    unsigned length = TEXT_COLUMNS;

    while (length > 0 && (cells[length - 1] & 0xdf) == 0) /* a blank, or code 0 */
        length--;
    return length;
}

void text_frame_dump(const struct text_frame *frame, char text[TEXT_DUMP_MAX])
{
    for (unsigned row = 0; row < TEXT_ROWS; row++) {
        unsigned length = row_length(frame->cells[row]);

        for (unsigned column = 0; column < length; column++)
            text += cp437_utf8((uint8_t)frame->cells[row][column], text);
        *text++ = '\n';
    }
    *text = '\0';
}
