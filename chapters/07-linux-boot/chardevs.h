/*
 * chardevs.h: what has bytes at its other end: the half on the host of serial ports,
 * virtio ports and the monitor. 05-virtio/chardev.h moves the bytes.
 *
 *     -chardev stdio,id=c0                                this process's own terminal
 *     -chardev null,id=c0                                 nobody
 *     -chardev file,id=c0,path=F[,append=on]              a file
 *     -chardev pipe,id=c0,path=F                          FIFOs F.in and F.out, or F
 *     -chardev pty,id=c0                                  a new pseudo terminal
 *     -chardev socket,id=c0,path=F[,server=on][,wait=off] a UNIX socket
 *     -chardev socket,id=c0,host=H,port=P[,server=on]...  TCP
 *     -chardev socket,id=c0,...,reconnect=5               a client that tries again
 *
 * -serial and -monitor take an old form as well, of which each makes one of these:
 *
 *     stdio  mon:stdio  null  pty  file:F  pipe:F  unix:F[,server=on]  tcp:H:P[,server=on]
 *     chardev:NAME      one that has a -chardev of its own
 */
#ifndef CHAPTER_07_CHARDEVS_H
#define CHAPTER_07_CHARDEVS_H

#include "05-virtio/chardev.h"
#include "07-linux-boot/drives.h"
#include "07-linux-boot/properties.h"

#define CHARDEVS_MAX 12u

struct chardev_kind;

struct char_end {
    const struct chardev_kind *kind;
    char id[ID_ROOM];
    char path[4096];
    char host[256], port[32];
    bool append, server, wait;
    bool alone;                    /* a socket: who comes while another is there is turned away */
    unsigned reconnect;            /* seconds */
    struct socket_address address; /* with reconnect */
    struct chardev_caller caller;  /* the same: who goes there */

    bool taken; /* a front end is there */
    bool open;
    struct chardev back;
};

/* A row for each kind: the word behind -chardev. */
struct chardev_kind {
    const char *name;
    const char *text;
    const struct property *properties;
    int (*check)(const struct char_end *end, struct refusal *why); /* NULL: nothing to */
    int (*open)(struct char_end *end, struct console *console, struct refusal *why);
};

struct chardevs {
    struct char_end *list[CHARDEVS_MAX]; /* owned */
    unsigned count;
};

/* One more, not open yet; its kind is the property "type". 0, or -errno with why->text. */
int chardevs_add(struct chardevs *chardevs, struct properties *given, struct refusal *why);

/* One of the old form, whose name will be id. It is taken. NULL with why->text. */
struct char_end *chardevs_add_short(struct chardevs *chardevs, const char *text, const char *id,
                                    struct refusal *why);

struct char_end *chardevs_find(const struct chardevs *chardevs, const char *id);

/* The one that is the terminal, or NULL. */
struct char_end *chardevs_terminal(const struct chardevs *chardevs);

/* Is there a TCP socket? (user_network.h) */
bool chardevs_have_tcp(const struct chardevs *chardevs);

/* Looks up where those with reconnect will go. 0, or -errno with why->text. */
int chardevs_find_servers(struct chardevs *chardevs, struct refusal *why);

int chardevs_open(struct chardevs *chardevs, struct console *console, struct refusal *why);
void chardevs_close(struct chardevs *chardevs);

/* Has it a socket that chardevs_close() removes from its folder? */
bool chardevs_removes(const struct char_end *end);

/* Between two machines: the front ends are gone. */
void chardevs_detach(struct chardevs *chardevs);

/* For -chardev help. */
void chardevs_print(FILE *out);

#endif
