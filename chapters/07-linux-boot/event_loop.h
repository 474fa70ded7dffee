/*
 * event_loop.h: what the VMM's first thread does while the guest runs.
 */
#ifndef CHAPTER_07_EVENT_LOOP_H
#define CHAPTER_07_EVENT_LOOP_H

#include "07-linux-boot/console.h"
#include "07-linux-boot/ending.h"
#include "07-linux-boot/machine.h"

/*
 * Starts the processor, serves the console, and returns when the run has ended and
 * the processor stands still. signals is a signalfd; a signal in it ends the run
 * and is left there for the caller to read.
 */
enum ending event_loop_run(struct machine *machine, struct console *console, int signals);

#endif
