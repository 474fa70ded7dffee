/*
 * user_network_apart.c: see user_network.h. This program has no libslirp; what would call
 * it is never reached, because user_network_needed() came first.
 */
#include "07-linux-boot/user_network.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "05-virtio/tcp_socket.h"
#include "05-virtio/user_net.h"
#include "common/die.h"

/* What the other program's name has behind ours. */
#define SUFFIX "-slirp"

void user_network_needed(char **argv)
{
    char path[4096 + sizeof SUFFIX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof SUFFIX);

    if (length < 0)
        die("cannot read /proc/self/exe: %s", strerror(errno));
    memcpy(path + length, SUFFIX, sizeof SUFFIX);
    execv(path, argv);
    die("cannot start %s, the VMM with user-mode networks: %s", path, strerror(errno));
}

int user_net_init(struct user_net *u, struct refusal *why)
{
    (void)u;
    return refuse(why, -ENOSYS, "not in this program");
}

int user_net_forward(struct user_net *u, const char *rule, struct refusal *why)
{
    (void)rule;
    return user_net_init(u, why);
}

int user_net_start(struct user_net *u)
{
    (void)u;
    assert(!"there is no user-mode network in this program");
    return -1;
}

void user_net_stop(struct user_net *u)
{
    (void)u;
}

int tcp_open(const char *host, const char *port, bool server, struct refusal *why)
{
    (void)server;
    return refuse(why, -ENOSYS, "%s:%s: not in this program", host ? host : "", port);
}

int tcp_find(const char *host, const char *port, struct socket_address *found, struct refusal *why)
{
    found->size = 0;
    return tcp_open(host, port, false, why);
}
