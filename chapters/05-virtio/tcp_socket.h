/*
 * tcp_socket.h: a TCP socket by names: of a host, or an address, and of a service, or a port.
 *
 * Apart from chardev_socket.c because of what it stands on: to look a host's name up, glibc
 * loads shared libraries while the program runs, so a program without any cannot have this.
 */
#ifndef CHAPTER_05_TCP_SOCKET_H
#define CHAPTER_05_TCP_SOCKET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/refusal.h"

/* Where somebody listens, for connect(). */
struct socket_address {
    socklen_t size; /* 0: nowhere */
    struct sockaddr_storage address;
};

/*
 * Connected to that host, or listening there. host NULL or empty: this one, or any of ours.
 * The descriptor, or -errno with why->text.
 */
int tcp_open(const char *host, const char *port, bool server, struct refusal *why);

/* The same names for one who will connect, perhaps often: the first address there is. 0 or -errno.
 */
int tcp_find(const char *host, const char *port, struct socket_address *found, struct refusal *why);

#endif
