/*
 * chardev_socket.c: see chardev.h: UNIX and TCP sockets, calling or called. unix(7)
 *
 * A server keeps its listener, so that the next caller finds it when one has left; a second
 * one at the same time waits in the kernel's queue, or is sent away at once.
 *
 * Left out on purpose: TLS, telnet, and calling again when a server has gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "05-virtio/chardev.h"
#include "05-virtio/tcp_socket.h"

static void look(struct chardev *c)
{
    int one = 1, fd;

    if (c->listener < 0)
        return;
    fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;                                                       /* it has gone again */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* UNIX has none */
    chardev_connect(c, fd, fd);
}

static void turn_away(struct chardev *c)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0)
        close(fd);
}

static void left(struct chardev *c)
{
    close(c->in);
}

static void remove_path(struct chardev *c)
{
    if (c->path[0])
        unlink(c->path);
}

static const struct chardev_class socket_class = {.look = look, .left = left, .close = remove_path};
static const struct chardev_class alone_class = {
    .look = look, .refuse = turn_away, .left = left, .close = remove_path};

/* ---- UNIX ---- */

/* A socket that nobody listens to is left over from a program that was killed. */
static void remove_leftover(const struct sockaddr_un *address)
{
    struct stat info;
    int fd;

    if (stat(address->sun_path, &info) < 0 || !S_ISSOCK(info.st_mode))
        return;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
}

static int open_unix(const char *path, bool server, struct refusal *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct sockaddr *any = (const struct sockaddr *)&address;
    int fd, error;

    if (strlen(path) >= sizeof address.sun_path)
        return refuse(why, -EINVAL, "path=%.80s...: longer than a socket's name can be (%zu)", path,
                      sizeof address.sun_path - 1);
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse(why, -errno, "socket: %s", strerror(errno));
    if (server)
        remove_leftover(&address);
    error = server ? bind(fd, any, sizeof address) : connect(fd, any, sizeof address);
    if (error == 0 && server)
        error = listen(fd, 1);
    if (error == 0)
        return fd;
    error = errno;
    close(fd);
    return refuse(why, -error, "%s: cannot %s: %s", path, server ? "listen" : "connect",
                  strerror(error));
}

/* ---- both ---- */

static void wait_for_caller(struct chardev *c, const struct chardev_socket *s)
{
    struct pollfd caller = {.fd = c->listener, .events = POLLIN};

    fprintf(stderr, "waiting for somebody to connect to %s%s%s\n", s->path ? s->path : "port ",
            s->path ? "" : s->port, s->path ? "" : " (TCP)");
    while (!c->connected)
        if (poll(&caller, 1, -1) > 0)
            look(c);
}

int chardev_open_socket(struct chardev *c, const struct chardev_socket *s, struct refusal *why)
{
    int fd = s->path ? open_unix(s->path, s->server, why)
                     : tcp_open(s->host, s->port, s->server, why);

    if (fd < 0)
        return fd;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    chardev_init(c, s->server && s->alone ? &alone_class : &socket_class, "socket");
    if (!s->server) {
        chardev_connect(c, fd, fd);
        return 0;
    }
    if (s->path)
        strcpy(c->path, s->path);
    c->listener = fd;
    if (s->wait)
        wait_for_caller(c, s);
    return 0;
}
