/*
 * vnc.h: the VMM's half of -vnc: who shows the screen to others, and who types for them.
 *
 *     vnc_read(&place, "127.0.0.1:1", &why);
 *     vnc_start(&vnc, &place, name, &why);      vmm-vnc is there and listens
 *     for each machine:
 *         vnc_attach(&vnc, &machine, &screen, keys, pointer);
 *         ... it runs ...
 *         vnc_detach(&vnc);
 *     vnc_end(&vnc);
 *
 * While nobody watches nothing is done. Else the screen is looked at 25 times a second, and
 * copied if it has changed.
 */
#ifndef CHAPTER_07_VNC_VNC_H
#define CHAPTER_07_VNC_VNC_H

#include "04-devices/input.h"
#include "04-devices/machine.h"
#include "04-devices/text_screen.h"
#include "07-linux-boot/vnc/wire.h"
#include "common/refusal.h"

/* Where vmm-vnc listens. */
struct vnc_place {
    char host[256]; /* or a UNIX socket's path, if there is no port */
    char port[8];
};

struct vnc {
    int fd;                    /* -1: there is no vmm-vnc. Owned */
    struct vnc_screen *shared; /* owned */
    bool watched;
    char path[256]; /* of a socket that goes with us, or empty */

    struct machine *machine; /* of now, or NULL. Not owned, nor is what is its */
    struct watch *watch;
    const struct text_screen *screen;
    struct key_sink keys;
    struct pointer_sink pointer;
    struct alarm alarm;
    unsigned x, y; /* where the pointer was */
    bool placed;   /* ... if it has been anywhere */
};

/*
 * HOST:DISPLAY, :DISPLAY (this host alone), or unix:PATH. 0, or -EINVAL with why->text.
 */
int vnc_read(struct vnc_place *place, const char *text, struct refusal *why);

/* Starts the program beside this one. 0, or -errno with why->text: it says why it can't. */
int vnc_start(struct vnc *vnc, const struct vnc_place *place, const char *name,
              struct refusal *why);

/* The machine has its devices and does not run; or it has ended. */
void vnc_attach(struct vnc *vnc, struct machine *machine, const struct text_screen *screen,
                struct key_sink keys, struct pointer_sink pointer);
void vnc_detach(struct vnc *vnc);

void vnc_end(struct vnc *vnc);

/* What vmm-vnc says, under the lock. Nothing that it can say does harm. */
void vnc_event(struct vnc *vnc, const struct vnc_event *event);

#endif
