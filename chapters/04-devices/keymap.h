/*
 * keymap.h: from what a terminal sends back to the keys that were pressed.
 *
 * A terminal reports characters, not keys: "A" for Shift and the key A, the byte 3 for
 * Ctrl-C, three or more bytes beginning with ESC for an arrow. A PC's keyboard reports
 * keys. A keymap takes the bytes and plays the keys that a US keyboard would have
 * needed, each pressed and released at once, for terminals never say when.
 *
 *     keymap_init(&map, ps2_keyboard_keys(&keyboard), clock, alarm);
 *     keymap_on_pointer(&map, ps2_mouse_pointer(&mouse));        if there is a mouse
 *     ...
 *     taken = keymap_receive(&map, bytes, count);  keep the rest until room() is called
 *
 * Does ESC begin a sequence, or did somebody press Esc? Only time tells: if nothing
 * follows for KEYMAP_PATIENCE it was the key. The board calls keymap_alarm() then.
 *
 * Any stream of bytes is survived: a sequence that makes no sense is dropped whole, and
 * so is a character that no key of a US keyboard makes.
 */
#ifndef CHAPTER_04_KEYMAP_H
#define CHAPTER_04_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "04-devices/clock.h"
#include "04-devices/input.h"

#define KEYMAP_PATIENCE INT64_C(50000000) /* nanoseconds */
#define KEYMAP_NUMBERS  3u                /* in one sequence */

enum keymap_state {
    KEYMAP_GROUND,
    KEYMAP_ESCAPE,  /* ESC */
    KEYMAP_SS3,     /* ESC O */
    KEYMAP_CSI,     /* ESC [ */
    KEYMAP_CONSOLE, /* ESC [ [, Linux's console for F1 to F5 */
    KEYMAP_UTF8,    /* inside a character of several bytes */
};

struct keymap {
    struct key_sink keys;
    struct pointer_sink pointer; /* move may be NULL */
    struct clock clock;
    struct alarm alarm;

    enum keymap_state state;
    bool mouse;                              /* ESC [ <: a report of the mouse */
    bool strange;                            /* ... or of something we do not know: drop it */
    bool alt;                                /* ESC came before what is being read */
    unsigned numbers[KEYMAP_NUMBERS], count; /* of a sequence; count: separators */
    unsigned more;                           /* bytes of a UTF-8 character that are to come */
    unsigned column, row, buttons;           /* where the mouse was; column 0: nobody knows */
};

void keymap_init(struct keymap *map, struct key_sink keys, struct clock clock, struct alarm alarm);
void keymap_on_pointer(struct keymap *map, struct pointer_sink pointer);

/* Takes the first n <= count bytes, as the keyboard has room, and returns n. */
size_t keymap_receive(struct keymap *map, const uint8_t *bytes, size_t count);

/* The alarm has rung: nothing followed the ESC. */
void keymap_alarm(struct keymap *map);

#endif
