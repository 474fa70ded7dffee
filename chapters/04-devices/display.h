/*
 * display.h: the reader's terminal as the PC's screen and keyboard.
 *
 *     guest --> text screen --25 times a second--> view --> console --> terminal
 *     guest <-- keyboard <-- key map <-- console <-- terminal
 *
 *     display_init(&display, &pc, &console);
 *     console_attach_end(&console, display_end(&display), lock);
 *     ...run...
 *     display_finish(&display);
 */
#ifndef CHAPTER_04_DISPLAY_H
#define CHAPTER_04_DISPLAY_H

#include "04-devices/console.h"
#include "04-devices/keymap.h"
#include "04-devices/pc.h"
#include "04-devices/screen_view.h"

struct display {
    struct text_screen *screen;
    struct screen_view view;
    struct keymap keymap;
    struct clock clock;
    struct alarm alarm; /* of the next frame */
};

/* Starts looking at the screen. Must not move. Draws through console. */
void display_init(struct display *display, struct pc *pc, struct console *console);

/* Where the console's keys go, and what it tells when there is room again. */
struct console_end display_end(struct display *display);

/* The last picture, and the terminal as it was. Before the console's last flush. */
void display_finish(struct display *display);

#endif
