/*
 * signals.h: the signals that end a program, as data in a file descriptor.
 *
 * SIGTERM, SIGINT, SIGHUP and SIGQUIT are blocked; they arrive at a signalfd that the
 * event loop polls between two other things, so that the guest's disks and the user's
 * terminal are in order when we go. SIGPIPE is ignored: a reader that goes away is no
 * reason to end.
 *
 *     signals = signals_take();
 *     if (event_loop_run(&machine, &console, signals) == ENDING_SIGNAL)
 *         signals_die(signals);
 */
#ifndef CHAPTER_04_SIGNALS_H
#define CHAPTER_04_SIGNALS_H

#include <stdbool.h>

/* The signalfd; before any thread is made. Dies if the host refuses. */
int signals_take(void);

/* Did SIGQUIT come? It means "end, and say where the guest is". Takes nothing away. */
bool signals_asked_where(void);

/*
 * Gives the terminal back and dies of the signal that came, so that whoever sent it
 * sees what it did. Returns only if it cannot.
 */
void signals_die(int signals);

#endif
