/*
 * chardev_socket.c: see chardev.h: UNIX and TCP sockets, calling or called. unix(7)
 *
 * A server keeps its listener, so that the next caller finds it when one has left; a second
 * one at the same time waits in the kernel's queue, or is sent away at once.
 *
 * A client with reconnect calls whenever nobody is there: without waiting, as it is the event
 * loop's thread that does so, and not more often than every so many seconds.
 *
 * Left out on purpose: TLS, telnet; to look a name up again before each call.
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
#include <time.h>
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

/* ---- a client that calls again ---- */

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000) + time.tv_nsec / 1000000;
}

int chardev_call(const struct socket_address *a)
{
    const struct sockaddr *address = (const struct sockaddr *)&a->address;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

    if (fd < 0)
        return -errno;
    if (connect(fd, address, a->size) == 0 || errno == EINPROGRESS)
        return fd;
    error = errno;
    close(fd);
    return -error;
}

/*
 * What has become of the call: EINPROGRESS while that is not decided. A look at what has come
 * tells of an error as well, and takes no system call more than the sandbox has.
 */
static int fate_of(int fd)
{
    struct pollfd decided = {.fd = fd, .events = POLLOUT};
    char byte;

    if (poll(&decided, 1, 0) <= 0)
        return EINPROGRESS;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno != EAGAIN ? errno : 0;
}

static void call_again(struct chardev *c)
{
    int one = 1, fate;

    if (c->calling < 0 && now() >= c->next_call) {
        c->next_call = now() + c->reconnect * INT64_C(1000);
        c->calling = c->caller.call(c->caller.self);
    }
    if (c->calling < 0)
        return;
    fate = fate_of(c->calling);
    if (fate == EINPROGRESS)
        return;
    if (fate == 0) {
        (void)setsockopt(c->calling, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        chardev_connect(c, c->calling, c->calling);
    } else {
        close(c->calling);
    }
    c->calling = -1;
}

static void left_alone(struct chardev *c)
{
    close(c->in);
    c->next_call = now() + c->reconnect * INT64_C(1000);
}

static const struct chardev_class calling_class = {.look = call_again, .left = left_alone};

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

static int name_unix(const char *path, struct socket_address *named, struct refusal *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof address.sun_path)
        return refuse(why, -EINVAL, "path=%.80s...: longer than a socket's name can be (%zu)", path,
                      sizeof address.sun_path - 1);
    strcpy(address.sun_path, path);
    named->size = sizeof address;
    memcpy(&named->address, &address, sizeof address);
    return 0;
}

static int open_unix(const char *path, bool server, struct refusal *why)
{
    struct socket_address named;
    const struct sockaddr *any = (const struct sockaddr *)&named.address;
    int fd, error = name_unix(path, &named, why);

    if (error < 0)
        return error;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse(why, -errno, "socket: %s", strerror(errno));
    if (server)
        remove_leftover((const struct sockaddr_un *)&named.address);
    error = server ? bind(fd, any, named.size) : connect(fd, any, named.size);
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

int chardev_find(const struct chardev_socket *s, struct socket_address *found, struct refusal *why)
{
    return s->path ? name_unix(s->path, found, why) : tcp_find(s->host, s->port, found, why);
}

/* Nothing is done yet: who looks calls. */
static void open_calling(struct chardev *c, const struct chardev_socket *s)
{
    chardev_init(c, &calling_class, "socket");
    c->caller = *s->caller;
    c->reconnect = s->reconnect;
    c->look_again = (int)s->reconnect * 1000;
}

int chardev_open_socket(struct chardev *c, const struct chardev_socket *s, struct refusal *why)
{
    int fd;

    if (s->reconnect > 0) {
        open_calling(c, s);
        return 0;
    }
    fd = s->path ? open_unix(s->path, s->server, why) : tcp_open(s->host, s->port, s->server, why);
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
