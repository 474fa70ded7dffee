/*
 * daemon.h: a VMM in the background, and how others find it.
 *
 *     daemon_begin(&daemon);          -daemonize: from here on we are the child
 *     ... open files, build the machine; errors go to the caller's terminal ...
 *     daemon_ready(&daemon);          the caller's command ends, with status 0
 *
 *     pidfile = pidfile_open(path, &why);
 *     ...
 *     pidfile_remove(pidfile, path);
 */
#ifndef CHAPTER_07_DAEMON_H
#define CHAPTER_07_DAEMON_H

#include "common/refusal.h"

struct daemon {
    int nothing; /* /dev/null */
    int parent;  /* the pipe on which the caller's process waits for us; -1: nobody does */
};

/* Before any thread and any machine. Dies if the host refuses. */
void daemon_begin(struct daemon *daemon);

/* Lets the terminal go, and the caller's process end. Harmless a second time. */
void daemon_ready(struct daemon *daemon);

/*
 * Writes the number of this process into the file, and keeps it locked: a second VMM with
 * the same file is refused, while one left over by a VMM that was killed is taken. The
 * descriptor, or -errno with why->text.
 */
int pidfile_open(const char *path, struct refusal *why);
void pidfile_remove(int fd, const char *path);

#endif
