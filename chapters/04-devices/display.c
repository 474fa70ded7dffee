/*
 * display.c: see display.h. Everything here runs under the device lock.
 *
 * Left out on purpose: the window's size while it changes (SIGWINCH).
 */
#define _GNU_SOURCE
#include "04-devices/display.h"

#include <sys/ioctl.h>

#define FRAME INT64_C(40000000) /* nanoseconds: 25 pictures a second */

static void draw(struct display *display)
{
    struct text_frame frame;

    text_screen_frame(display->screen, &frame);
    screen_view_draw(&display->view, &frame); /* refused: the next frame will do */
}

static void frame_due(void *self)
{
    struct display *display = self;

    draw(display);
    alarm_set(&display->alarm, clock_now(&display->clock) + FRAME);
}

static void keymap_due(void *self)
{
    keymap_alarm(self);
}

static size_t receive(void *self, const uint8_t *bytes, size_t count)
{
    struct display *display = self;

    return keymap_receive(&display->keymap, bytes, count);
}

/* A keyboard's queue is all there is: whether anybody listens does not matter. */
static bool listening(void *self)
{
    (void)self;
    return true;
}

static void drain(void *self)
{
    struct display *display = self;

    screen_view_drain(&display->view);
}

/* Keyboards have neither an overrun flag for us to set nor a break condition. */
static void nothing(void *self)
{
    (void)self;
}

struct console_end display_end(struct display *display)
{
    return (struct console_end){.receive = receive,
                                .listening = listening,
                                .drain = drain,
                                .lost = nothing,
                                .send_break = nothing,
                                .self = display};
}

static unsigned terminal_rows(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : TEXT_ROWS;
}

void display_init(struct display *display, struct pc *pc, struct console *console)
{
    struct machine *machine = &pc->machine;

    *display = (struct display){.screen = &pc->screen, .clock = machine_clock(machine)};
    screen_view_init(&display->view, console_sink(console), terminal_rows(console->out));
    screen_view_want_mouse(&display->view);
    keymap_init(&display->keymap, ps2_keyboard_keys(&pc->keyboard), display->clock,
                machine_alarm(machine, keymap_due, &display->keymap));
    keymap_on_pointer(&display->keymap, ps2_mouse_pointer(&pc->mouse));
    ps2_keyboard_on_room(&pc->keyboard, console_wake, console);
    display->alarm = machine_alarm(machine, frame_due, display);
    alarm_set(&display->alarm, 0);
}

void display_finish(struct display *display)
{
    draw(display);
    screen_view_drain(&display->view);
    screen_view_end(&display->view);
}
