/* tcp_socket.c: see tcp_socket.h: getaddrinfo(3), and the first address that answers. */
#define _GNU_SOURCE
#include "05-virtio/tcp_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int try_address(const struct addrinfo *a, bool server)
{
    int one = 1, fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol), error;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    error = server ? bind(fd, a->ai_addr, a->ai_addrlen) : connect(fd, a->ai_addr, a->ai_addrlen);
    if (error == 0 && (!server || listen(fd, 1) == 0))
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* The addresses that these names have, or NULL. */
static struct addrinfo *look_up(const char *host, const char *port, bool server,
                                struct refusal *why)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = server ? AI_PASSIVE : 0};
    struct addrinfo *list;
    int error;

    if (host && !*host)
        host = NULL;
    error = getaddrinfo(host, port, &hints, &list);
    if (error == 0)
        return list;
    refuse(why, -EINVAL, "%s:%s: %s", host ? host : "", port, gai_strerror(error));
    return NULL;
}

int tcp_open(const char *host, const char *port, bool server, struct refusal *why)
{
    struct addrinfo *list = look_up(host, port, server, why);
    int fd = -1, error;

    if (!list)
        return -EINVAL;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = try_address(a, server);
    error = errno;
    freeaddrinfo(list);
    if (fd >= 0)
        return fd;
    return refuse(why, -error, "%s:%s: cannot %s: %s", host ? host : "", port,
                  server ? "listen" : "connect", strerror(error));
}

int tcp_find(const char *host, const char *port, struct socket_address *found, struct refusal *why)
{
    struct addrinfo *list = look_up(host, port, false, why);

    if (!list)
        return -EINVAL;
    memcpy(&found->address, list->ai_addr, list->ai_addrlen);
    found->size = list->ai_addrlen;
    freeaddrinfo(list);
    return 0;
}
