/*
 * vt.h: a terminal of a hundred lines, which knows the sequences that a screen view
 * sends and nothing else: a sequence it does not know fails the test. 80 by 25.
 */
#ifndef TESTS_04_VT_H
#define TESTS_04_VT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "04-devices/cp437.h"
#include "04-devices/text_screen.h"
#include "harness/harness.h"

/* For each place its character and the colours it was drawn with. */
struct vt {
    char text[TEXT_ROWS][TEXT_COLUMNS][CP437_UTF8_MAX + 1];
    char colours[TEXT_ROWS][TEXT_COLUMNS][16];
    char now[16]; /* colours */
    unsigned row, column;
    bool cursor, wraps;
    size_t cells_drawn;
};

/* ESC [ body; the last character of it says what to do. */
static inline void vt_sequence(struct vt *vt, const char *body, size_t length)
{
    char last = body[length - 1];
    unsigned row = 0, column = 0;

    if (last == 'm') {
        snprintf(vt->now, sizeof vt->now, "%.*s", (int)length - 1, body);
    } else if (last == 'H' && sscanf(body, "%u;%uH", &row, &column) == 2) {
        vt->row = row - 1;
        vt->column = column - 1;
    } else if (last == 'J') {
        for (unsigned i = 0; i < TEXT_ROWS; i++)
            for (unsigned j = 0; j < TEXT_COLUMNS; j++)
                strcpy(vt->text[i][j], " ");
    } else if (strncmp(body, "?25", 3) == 0) {
        vt->cursor = last == 'h';
    } else if (strncmp(body, "?7", 2) == 0) {
        vt->wraps = last == 'h';
    } else if (strncmp(body, "?1002", 5) != 0 && strncmp(body, "?1006", 5) != 0) {
        ck_abort_msg("a terminal may not know ESC [ %.*s", (int)length, body);
    }
}

static inline void vt_print(struct vt *vt, const char *bytes, size_t length)
{
    /* Plain tests: a libcheck assertion for each of a million cells takes seconds. */
    if (vt->row >= TEXT_ROWS || vt->column >= TEXT_COLUMNS || vt->wraps)
        ck_abort_msg("printed at %u, %u", vt->row, vt->column);
    memcpy(vt->text[vt->row][vt->column], bytes, length);
    vt->text[vt->row][vt->column][length] = '\0';
    strcpy(vt->colours[vt->row][vt->column], vt->now);
    vt->cells_drawn++;
    if (vt->column < TEXT_COLUMNS - 1)
        vt->column++;
}

/* Shows what is whole of text, and returns how many bytes that was. */
static inline size_t vt_show(struct vt *vt, const char *text)
{
    const char *from = text;

    while (*text) {
        unsigned char byte = (unsigned char)*text;
        size_t length = byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;

        if (byte == '\033')
            length = text[1] ? 2 + strcspn(text + 2, "mHJhl") + 1 : 2;
        if (strnlen(text, length) < length)
            break; /* the rest has not arrived */
        if (byte == '\033')
            vt_sequence(vt, text + 2, length - 2);
        else if (byte >= 0x20)
            vt_print(vt, text, length);
        text += length;
    }
    return (size_t)(text - from);
}

/* A row without the blanks at its end, in static storage. */
static inline const char *vt_row(const struct vt *vt, unsigned row)
{
    static char text[TEXT_COLUMNS * CP437_UTF8_MAX + 1];

    text[0] = '\0';
    for (unsigned column = 0; column < TEXT_COLUMNS; column++)
        strcat(text, vt->text[row][column]);
    while (text[0] && text[strlen(text) - 1] == ' ')
        text[strlen(text) - 1] = '\0';
    return text;
}

#endif
