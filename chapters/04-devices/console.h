/*
 * console.h: the serial port's other end: standard input and output. Or the keyboard's
 * and the screen's (display.h): whatever takes bytes and gives bytes.
 *
 *      guest  <->  uart  <->  console  <->  the user's terminal, a pipe, a file
 *
 * Output. Bytes wait in a ring of 64 KiB until the event loop writes them, so a
 * virtual CPU never waits for a reader. When the ring is full the port's sink is
 * full, and the guest sees a transmitter that is not yet empty. Output that cannot
 * be written (a full disk, a reader that has gone) is dropped with one message;
 * the guest goes on.
 *
 * Input. Keys go to the port as it takes them; up to 8 KiB wait here. Beyond that
 * standard input is not read. But a terminal is read again when the guest has taken
 * nothing for a second, for the sake of Ctrl-A x; what does not fit is then lost, as
 * it would be on a wire, and the guest sees an overrun. What comes from a pipe or a
 * file waits until a driver listens, so "echo reboot | vmm ..." works.
 *
 * Ctrl-A starts a command: x quits, h lists the commands, b sends a break, p presses
 * the power button if the machine has one, c turns to the other end if there are two, and
 * Ctrl-A sends Ctrl-A itself. Only what comes from standard input is searched for it; what
 * the guest prints is passed on byte for byte.
 *
 * Threads: console_put() runs under the device lock, on any thread. The others
 * run on the event loop's thread only, without the lock; they take it themselves.
 */
#ifndef CHAPTER_04_CONSOLE_H
#define CHAPTER_04_CONSOLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "04-devices/sink.h"
#include "04-devices/uart.h"

#define CONSOLE_RING 65536u
#define CONSOLE_KEYS 8192u

/* The machine's end of the wire: a serial port, or a keyboard and a screen. */
struct console_end {
    size_t (*receive)(void *self, const uint8_t *bytes, size_t count); /* takes what fits */
    bool (*listening)(void *self); /* does a driver want input? */
    void (*drain)(void *self);     /* the console has room for more output */
    void (*lost)(void *self);      /* input was dropped; may be NULL, as may the others */
    void (*send_break)(void *self);
    void (*opened)(void *self, bool open); /* somebody is at the other end, or not; or NULL */
    void *self;
};

struct console {
    int in;   /* not owned; -1 after its end */
    int out;  /* owned: our own open file where that is possible */
    int wake; /* not owned: an eventfd that the event loop polls */
    bool is_terminal;
    bool escape;  /* Ctrl-A was typed, its command is not yet */
    bool blocked; /* standard output takes nothing now: poll for POLLOUT */
    bool complained;

    pthread_mutex_t *lock; /* the device lock; NULL while no end is attached */
    struct console_end end;
    void (*press)(void *button); /* the power button; NULL: there is none */
    void *button;

    unsigned ring_head, ring_count; /* under the lock */
    unsigned key_count;
    int64_t keys_moved; /* when the port last took some, monotonic milliseconds */

    struct console_end other; /* the one that does not get the keys; self NULL: none */
    bool turned;              /* by Ctrl-A c: the ends have changed places */
    unsigned other_key_count;

    /* The counts say how far these are filled; they are never cleared as a whole. */
    uint8_t ring[CONSOLE_RING];       /* the guest's output */
    uint8_t keys[CONSOLE_KEYS];       /* for the end that gets them */
    uint8_t other_keys[CONSOLE_KEYS]; /* those that the other was given, and has not taken */
};

void console_init(struct console *console, int in, int out, int wake);
void console_free(struct console *console);

/*
 * Connects the machine's end and the lock its code runs under; the console is its sink.
 * When the end, having refused input, has room again it calls console_wake(console).
 */
struct byte_sink console_sink(struct console *console);
void console_attach_end(struct console *console, struct console_end end, pthread_mutex_t *lock);
void console_wake(void *console);

/* Until an end is attached: keys are thrown away. */
void console_attach_nobody(struct console *console, pthread_mutex_t *lock);

/* A serial port as an end. */
struct console_end console_port_end(struct uart *port);

/* One end more, which has the keys after Ctrl-A c, and until it is typed again. */
void console_attach_other(struct console *console, struct console_end end);

/* The same for a serial port. */
void console_attach(struct console *console, struct uart *port, pthread_mutex_t *lock);
/* What Ctrl-A p does, under the lock, until console_detach(). */
void console_on_power(struct console *console, void (*press)(void *button), void *button);
void console_detach(struct console *console);

/* Should the event loop poll console->in for POLLIN? */
bool console_wants_input(const struct console *console);

/* console->in is readable or at its end. True: the user asked to quit. */
bool console_read(struct console *console);

/*
 * Moves waiting keys to the port and a piece of the waiting output to the world;
 * never waits. True: there is more to write, come again after a look at the input.
 */
bool console_pump(struct console *console);

/* Writes what is left, for at most a second without progress. */
void console_flush(struct console *console);

#endif
