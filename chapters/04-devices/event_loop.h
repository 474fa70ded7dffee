/*
 * event_loop.h: what the VMM's first thread does while the guest runs.
 */
#ifndef CHAPTER_04_EVENT_LOOP_H
#define CHAPTER_04_EVENT_LOOP_H

#include "04-devices/console.h"
#include "04-devices/ending.h"
#include "04-devices/machine.h"

/*
 * Starts the processors, serves the console, and returns when the run has ended and
 * they have stopped. signals is a signalfd; a signal in it ends the run
 * and is left there for the caller to read.
 */
enum ending event_loop_run(struct machine *machine, struct console *console, int signals);

#endif
