/*
 * monitor.h: a person's window into the machine: a line is a command, its answer is text.
 *
 *     -serial mon:stdio      behind the terminal: Ctrl-A c, and Ctrl-A c back
 *     -monitor unix:F,server=on,wait=off
 *
 *     (vmm) info status
 *     running
 *     (vmm) balloon 256
 *
 * The commands are those that QEMU has for people (its "HMP"), as far as there is something
 * behind them here: monitor_commands.c.
 *
 * As a front end of a character back end it takes bytes under the devices' lock; commands
 * must not run there, since some wait for the processors. So what comes is kept, and run by
 * the event loop when it hears of it. A command's answer is kept as well, until the reader
 * has taken it; before that no other command runs.
 */
#ifndef CHAPTER_07_MONITOR_H
#define CHAPTER_07_MONITOR_H

#include "04-devices/console.h"
#include "04-devices/machine.h"
#include "04-devices/sink.h"
#include "07-linux-boot/inventory.h"

#define MONITOR_INPUT 1024u
#define MONITOR_LINE  256u

struct monitor {
    struct inventory *inventory; /* not owned */
    struct machine *machine;     /* of now; NULL: none. Not owned */
    uint64_t ram;                /* bytes that it has */
    const char *name;            /* of the machine; NULL: it has none */
    void (*press)(void *button); /* its power button */
    void *button;
    bool hold;    /* -S: the next machine waits for "cont" before it runs at all */
    bool stopped; /* by that or by "stop": the machine is paused once more because of it */

    struct byte_sink sink;
    void (*wake)(void *self); /* there is room for input again */
    void *wake_self;
    bool echo; /* the other end is a terminal, which shows nothing of itself */
    int event; /* owned: an eventfd, for the event loop */

    uint8_t input[MONITOR_INPUT];
    unsigned input_count;
    char line[MONITOR_LINE];
    unsigned length;
    bool asked;   /* the prompt stands there */
    char *answer; /* owned; what the sink has not taken */
    size_t sent, size;
};

/* Dies if the host refuses. */
void monitor_init(struct monitor *monitor, struct inventory *inventory);
void monitor_free(struct monitor *monitor);

/* Where its text goes, and how to ask for more input. */
void monitor_connect(struct monitor *monitor, struct byte_sink sink, void (*wake)(void *self),
                     void *wake_self, bool echo);
struct console_end monitor_end(struct monitor *monitor);

/* A machine with its processors is there, not started yet; or it has gone. */
void monitor_attach(struct monitor *monitor, struct machine *machine, void (*press)(void *button),
                    void *button);
void monitor_detach(struct monitor *monitor);

/* "cont": what it stopped, or -S did, goes on. */
void monitor_let_go(struct monitor *monitor);

/* Runs what has come. On the event loop's thread, without the lock. */
void monitor_run(void *monitor);

/* ---- monitor_commands.c ---- */

/* One line; what it answers is printed to out. */
void monitor_command(struct monitor *monitor, const char *line, FILE *out);

#endif
