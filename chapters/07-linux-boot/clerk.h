/*
 * clerk.h: what must still be done with files once the VMM has given files up.
 *
 *     clerk_start(&clerk, &duties, &why);      before the VMM opens anything
 *     ... everything is open, and the clerk knows that it is meant ...
 *     clerk_take_over(&clerk);
 *     fd = clerk_open(&clerk, "other.iso", &why);
 *     fd = clerk_call(&clerk, 0);              to the first of its addresses
 *     clerk_end(&clerk);                       the files have gone when this returns
 *
 * The clerk is a process of its own. It keeps the right to open files, to remove them and to
 * connect, but it does so for a few names only, which it was told before any guest ran. It has a
 * sandbox of its own, holds none of the VMM's descriptors, and never sees a byte that a guest has
 * written, but for a name, if the guest has taken over the VMM.
 *
 *      VMM, in its sandbox                          the clerk, in another
 *      -------------------                          ---------------------
 *      "open" and a name       ---------------->    below discs=FOLDER?  a regular file?
 *      a descriptor, to read   <-- SCM_RIGHTS ---   opens it
 *      "call" and a number     ---------------->    connects to that one of its addresses
 *      a descriptor            <-- SCM_RIGHTS ---
 *      gone, in whatever way   ----- hang-up --->   removes pidfile and sockets
 */
#ifndef CHAPTER_07_CLERK_H
#define CHAPTER_07_CLERK_H

#include <stdbool.h>

#include "05-virtio/tcp_socket.h"
#include "common/refusal.h"

#define CLERK_REMOVALS 16u
#define CLERK_CALLS    16u

struct clerk_duties {
    const char *folder;                   /* discs come from there, if from anywhere; or NULL */
    const char *removals[CLERK_REMOVALS]; /* files that the VMM leaves behind */
    unsigned removal_count;
    const struct socket_address *calls[CLERK_CALLS]; /* where a client may have to go again */
    unsigned call_count;
    void (*enter)(void); /* its sandbox */
};

struct clerk {
    int fd; /* -1: there is none */
};

/*
 * Without duties there will be no clerk. 0, or -errno with why->text: no such folder.
 * Before any thread.
 */
int clerk_start(struct clerk *clerk, const struct clerk_duties *duties, struct refusal *why);

/* From now on the files that it removes are the VMM's own. Before, it would remove none. */
void clerk_take_over(const struct clerk *clerk);

/* A descriptor for reading, the caller's; or -errno with why->text. */
int clerk_open(const struct clerk *clerk, const char *path, struct refusal *why);

/* A socket on its way to that address, the caller's, which does not block; or -errno. */
int clerk_call(const struct clerk *clerk, unsigned address);

void clerk_end(struct clerk *clerk);

#endif
