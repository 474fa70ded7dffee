/*
 * chardev.h: the host's half of a device for bytes: a file, a socket, a pseudo terminal.
 *
 *     front end                    ring of 64 KiB
 *     serial port, virtio port --> put() ==========> write() --> a program of the host
 *                              <-- receive() <======  read() <--
 *                                   4 KiB of input
 *
 * Nobody on the host can stop the guest. What it prints waits in the ring until the event
 * loop writes it; when a slow reader lets the ring fill up, the sink is full and the front
 * end says so to the guest, as a slow wire would. With nobody at the other end, output is
 * dropped. In the other direction no more is read than the guest takes.
 *
 *     chardev_open_socket(&c, &address, &why);              once; see the openers below
 *     for each machine:
 *         front end's sink = chardev_sink(&c);
 *         chardev_attach(&c, end, &machine.devices.lock, &machine.watches);
 *         ... the guest runs ...
 *         chardev_detach(&c);
 *     chardev_close(&c);
 *
 * Threads: sink and chardev_wake() from any; the rest on the event loop's.
 */
#ifndef CHAPTER_05_CHARDEV_H
#define CHAPTER_05_CHARDEV_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "04-devices/console.h"
#include "04-devices/sink.h"
#include "04-devices/watches.h"
#include "05-virtio/tcp_socket.h"
#include "common/refusal.h"

#define CHARDEV_RING 65536u
#define CHARDEV_KEYS 4096u

struct chardev;

/* What differs between kinds. Each may be NULL. */
struct chardev_class {
    /* Nobody is there: if somebody has come by now, call chardev_connect(). */
    void (*look)(struct chardev *c);
    /* Somebody is there: if another has come, he is sent away. Then listener stays watched. */
    void (*refuse)(struct chardev *c);
    /* The other end has left; its descriptors are this function's to close or keep. */
    void (*left)(struct chardev *c);
    void (*close)(struct chardev *c);
};

/* Who connects a client again, if not this thread itself: a descriptor that does not block,
 * perhaps not connected yet; or -errno. */
struct chardev_caller {
    int (*call)(void *self);
    void *self;
};

struct chardev {
    const struct chardev_class *class;
    const char *name;        /* for messages: "-chardev socket"; not owned */
    struct console *console; /* the terminal: then it is all that matters here */

    int in, out;    /* where bytes come from and go to; one descriptor or two; -1: nowhere */
    int listener;   /* readable: somebody is coming; -1: none */
    char path[108]; /* of a socket that we made, to be removed; else empty */
    int look_again; /* milliseconds: nobody is there, and only looking tells; 0: the listener */
    bool person;    /* who comes sits at a terminal, as far as one can know */

    struct chardev_caller caller; /* a client that connects again; call is NULL: none */
    unsigned reconnect;           /* seconds until then */
    int64_t next_call;            /* milliseconds, on the monotonic clock */
    int calling;                  /* a descriptor that is not connected yet; -1: none */

    int events; /* an epoll of all of these, and the timer */
    int timer;  /* "look at yourself": what puts from other threads are seen by */
    bool complained;

    pthread_mutex_t *lock; /* the devices'; NULL while no end is attached */
    struct console_end end;
    uint8_t keys[CHARDEV_KEYS]; /* input that the front end has not taken */
    unsigned key_count;

    pthread_mutex_t ring_lock;
    bool connected; /* under it, as are these: */
    bool blocked;   /* the other end takes nothing now */
    unsigned head, count;
    uint8_t ring[CHARDEV_RING];
};

/* ---- openers: 0, or -errno with why->text; then nothing is left to be closed ---- */

/* Takes everything, says nothing. */
void chardev_open_null(struct chardev *c);

/* The process's terminal, or what else its standard input and output are. */
void chardev_open_console(struct chardev *c, struct console *console);

/* Output goes to a file, made or emptied first, or continued. */
int chardev_open_file(struct chardev *c, const char *path, bool append, struct refusal *why);

/* The FIFOs path.in and path.out, or one FIFO, path, both ways. */
int chardev_open_pipe(struct chardev *c, const char *path, struct refusal *why);

/* A new pseudo terminal, whose name is printed on standard error. */
int chardev_open_pty(struct chardev *c, const char *label, struct refusal *why);

struct chardev_socket {
    const char *path;        /* of a UNIX socket; NULL: TCP */
    const char *host, *port; /* of TCP; host NULL or empty: any of ours, or this one */
    bool server;             /* wait to be called; else call */
    bool wait;               /* a server: no guest runs before somebody has come */
    bool alone;              /* a server: a second caller is sent away, and does not wait */
    unsigned reconnect;      /* a client: seconds until it tries again; 0: it never does */
    const struct chardev_caller *caller; /* with reconnect: who does so; not owned */
};

/*
 * One caller at a time; when it leaves, the next one is let in. A client that has lost its
 * server stays alone; one with reconnect does not mind when there is none at first, either.
 */
int chardev_open_socket(struct chardev *c, const struct chardev_socket *socket,
                        struct refusal *why);

/* For callers: where that is, once and for all; 0 or -errno. And to go there. */
int chardev_find(const struct chardev_socket *socket, struct socket_address *found,
                 struct refusal *why);
int chardev_call(const struct socket_address *address);

void chardev_close(struct chardev *c);

/* ---- for the board ---- */

struct byte_sink chardev_sink(struct chardev *c);

/* Connects a front end. When it, having refused input, can take more: chardev_wake(). */
void chardev_attach(struct chardev *c, struct console_end end, pthread_mutex_t *lock,
                    struct watches *watches);
void chardev_wake(void *c);

/* Writes what is left, for a second at most without progress, and lets the end go. */
void chardev_detach(struct chardev *c);

/* ---- for openers ---- */

void chardev_init(struct chardev *c, const struct chardev_class *class, const char *name);

/* Somebody is there, or has left. The descriptors must not block. */
void chardev_connect(struct chardev *c, int in, int out);
void chardev_hang_up(struct chardev *c);

/* Watches one descriptor more: while nobody is there, class->look() when it is readable. */
void chardev_listen(struct chardev *c, int listener);

#endif
