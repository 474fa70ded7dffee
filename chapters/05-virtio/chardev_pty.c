/*
 * chardev_pty.c: see chardev.h: a new pseudo terminal. pty(7)
 *
 * When the last program that has the terminal open closes it, our side reports a hang-up,
 * and goes on doing so until another program opens it; none tells us of that one. So while
 * nobody is there we look, four times a second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "05-virtio/chardev.h"

#define LOOK_AGAIN 250 /* milliseconds */

static void look(struct chardev *c)
{
    struct pollfd side = {.fd = c->listener};

    if (poll(&side, 1, 0) == 0 || !(side.revents & POLLHUP))
        chardev_connect(c, c->listener, c->listener);
}

/* Nothing to close: the descriptor stays ours for the next one. */
static void left(struct chardev *c)
{
    (void)c;
}

static void forget_side(struct chardev *c)
{
    c->in = c->out = -1; /* they are the listener, which is closed once */
}

static const struct chardev_class pty = {.look = look, .left = left, .close = forget_side};

/* Bytes as they are: no echo, no lines, as long as nobody asks the terminal for them. */
static bool make_raw(const char *name)
{
    struct termios settings;
    int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    bool done = fd >= 0 && tcgetattr(fd, &settings) == 0;

    if (done) {
        cfmakeraw(&settings);
        done = tcsetattr(fd, TCSANOW, &settings) == 0;
    }
    if (fd >= 0)
        close(fd); /* and so it begins with nobody there */
    return done;
}

int chardev_open_pty(struct chardev *c, const char *label, struct refusal *why)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    char name[64];
    int error;

    if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 && ptsname_r(fd, name, sizeof name) == 0 &&
        make_raw(name)) {
        chardev_init(c, &pty, "pty");
        c->listener = fd;
        c->look_again = LOOK_AGAIN;
        c->person = true;
        fprintf(stderr, "char device redirected to %s (label %s)\n", name, label);
        return 0;
    }
    error = errno;
    if (fd >= 0)
        close(fd);
    return refuse(why, -error, "no pseudo terminal: %s", strerror(error));
}
