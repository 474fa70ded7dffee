/*
 * clerk.c: see clerk.h. Open at hand: unix(7), cmsg(3), openat2(2).
 *
 * A disc's name is made absolute first, without a symbolic link in it, and must then begin
 * with the folder's; openat2() takes the rest and follows no link. So a link inside the folder
 * that leads out of it leads nowhere, also if somebody changes it at the wrong moment.
 *
 * Left out on purpose: devices of the host as discs, and backing files, whose names are in
 * the image itself.
 */
#define _GNU_SOURCE
#include "07-linux-boot/clerk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "05-virtio/chardev.h"
#include "common/die.h"

enum { ASK_OPEN = 'o', ASK_CALL = 'c', ASK_TAKE_OVER = 't' };

/* A request is one packet: a letter; behind it for ASK_OPEN a name, for ASK_CALL an index. */
#define REQUEST_MAX (1 + PATH_MAX)

struct desk {
    int fd; /* the VMM is at the other end */
    const struct clerk_duties *duties;
    int folder;                 /* -1: none */
    char folder_path[PATH_MAX]; /* absolute, without links */
    bool removes;
};

/* ---- the clerk's process ---- */

static int open_below(int folder, const char *rest)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    long fd = syscall(SYS_openat2, folder, rest, &how, sizeof how);
    struct stat status;

    if (fd < 0)
        return -errno;
    if (fstat((int)fd, &status) == 0 && S_ISREG(status.st_mode))
        return (int)fd;
    close((int)fd);
    return -EINVAL;
}

/* [clerk-open] */
static int open_disc(const struct desk *desk, const char *name)
{
    size_t length = strlen(desk->folder_path);
    char path[PATH_MAX];

    if (desk->folder < 0)
        return -EPERM;
    if (!realpath(name, path))
        return -errno;
    if (strncmp(path, desk->folder_path, length) != 0 || path[length] != '/')
        return -EPERM;
    return open_below(desk->folder, path + length + 1);
}
/* [/clerk-open] */

static int call(const struct desk *desk, uint8_t index)
{
    return index < desk->duties->call_count ? chardev_call(desk->duties->calls[index]) : -EPERM;
}

/* The answer: 0 with a descriptor, or what was wrong. */
static void give(int to, int fd)
{
    int error = fd < 0 ? -fd : 0;
    union {
        char bytes[CMSG_SPACE(sizeof fd)];
        struct cmsghdr aligned;
    } control = {.bytes = {0}};
    struct iovec body = {&error, sizeof error};
    struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *header;

        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    if (sendmsg(to, &message, MSG_NOSIGNAL) < 0)
        _exit(1);
    if (fd >= 0)
        close(fd);
}

static void serve(struct desk *desk)
{
    char request[REQUEST_MAX + 1];
    ssize_t size;

    while ((size = recv(desk->fd, request, REQUEST_MAX, 0)) > 0) {
        request[size] = '\0';
        if (request[0] == ASK_TAKE_OVER)
            desk->removes = true;
        else if (request[0] == ASK_CALL)
            give(desk->fd, call(desk, (uint8_t)request[1]));
        else
            give(desk->fd, open_disc(desk, request + 1));
    }
    for (unsigned i = 0; desk->removes && i < desk->duties->removal_count; i++)
        unlink(desk->duties->removals[i]);
}

/* Keys like Ctrl-C go to all processes of a terminal; this one ends when the VMM has. */
static void ignore_signals(void)
{
    static const int ignored[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1};

    for (unsigned i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        signal(ignored[i], SIG_IGN);
}

/* All descriptors but the desk's: to ours belong locks and pipes that others wait for. */
static void keep_only(const struct desk *desk)
{
    int low = desk->fd < desk->folder ? desk->fd : desk->folder;
    int high = desk->fd < desk->folder ? desk->folder : desk->fd;

    if (low > 0)
        close_range(0, (unsigned)low - 1, 0);
    if (low >= 0 && low + 1 < high)
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    if (low < 0)
        close_range(0, (unsigned)high - 1, 0);
    close_range((unsigned)high + 1, UINT_MAX, 0);
}

__attribute__((noreturn)) static void work(struct desk *desk)
{
    prctl(PR_SET_NAME, "clerk");
    ignore_signals();
    keep_only(desk);
    desk->duties->enter();
    serve(desk);
    _exit(0);
}

/* ---- the VMM's ---- */

static int open_folder(struct desk *desk, struct refusal *why)
{
    const char *name = desk->duties->folder;

    if (!name)
        return 0;
    if (!realpath(name, desk->folder_path))
        return refuse(why, -errno, "discs=%s: %s", name, strerror(errno));
    if (strcmp(desk->folder_path, "/") == 0)
        return refuse(why, -EINVAL, "discs=%s: that is every file there is", name);
    desk->folder = open(desk->folder_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (desk->folder < 0)
        return refuse(why, -errno, "discs=%s: %s", name, strerror(errno));
    return 0;
}

int clerk_start(struct clerk *clerk, const struct clerk_duties *duties, struct refusal *why)
{
    struct desk desk = {.duties = duties, .folder = -1};
    int ends[2], error;
    pid_t child;

    clerk->fd = -1;
    if (!duties->folder && duties->removal_count == 0 && duties->call_count == 0)
        return 0;
    error = open_folder(&desk, why);
    if (error < 0)
        return error;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return refuse(why, -errno, "cannot make a socket pair: %s", strerror(errno));
    desk.fd = ends[1];
    child = fork();
    if (child == 0)
        work(&desk);
    close(ends[1]);
    if (desk.folder >= 0)
        close(desk.folder);
    clerk->fd = ends[0];
    return child < 0 ? refuse(why, -errno, "fork failed: %s", strerror(errno)) : 0;
}

void clerk_take_over(const struct clerk *clerk)
{
    char letter = ASK_TAKE_OVER;

    if (clerk->fd >= 0 && send(clerk->fd, &letter, 1, MSG_NOSIGNAL) < 0)
        warn("the clerk has gone: %s", strerror(errno));
}

static int receive(int from, int *error)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct iovec body = {error, sizeof *error};
    struct msghdr message = {.msg_iov = &body,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header;
    int fd = -1;

    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != sizeof *error)
        *error = EPIPE;
    else if ((header = CMSG_FIRSTHDR(&message)) && header->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

int clerk_open(const struct clerk *clerk, const char *path, struct refusal *why)
{
    char request[REQUEST_MAX];
    size_t length = strlen(path);
    int error, fd;

    if (length > REQUEST_MAX - 1)
        return refuse(why, -ENAMETOOLONG, "the file's name is too long");
    request[0] = ASK_OPEN;
    memcpy(request + 1, path, length);
    if (clerk->fd < 0 || send(clerk->fd, request, 1 + length, MSG_NOSIGNAL) < 0)
        error = EPERM, fd = -1;
    else
        fd = receive(clerk->fd, &error);
    if (fd >= 0)
        return fd;
    if (error == EPERM)
        return refuse(why, -EPERM,
                      "%s: the sandbox opens no file but below the folder of -sandbox "
                      "on,discs=FOLDER",
                      path);
    if (error == EINVAL)
        return refuse(why, -EINVAL, "%s: not a regular file", path);
    return refuse(why, -error, "%s: cannot open: %s", path, strerror(error));
}

int clerk_call(const struct clerk *clerk, unsigned address)
{
    char request[] = {ASK_CALL, (char)address};
    int error, fd;

    if (clerk->fd < 0 || send(clerk->fd, request, sizeof request, MSG_NOSIGNAL) < 0)
        return -EPIPE;
    fd = receive(clerk->fd, &error);
    return fd >= 0 ? fd : -error;
}

void clerk_end(struct clerk *clerk)
{
    char nothing;

    if (clerk->fd < 0)
        return;
    shutdown(clerk->fd, SHUT_WR);
    while (recv(clerk->fd, &nothing, 1, 0) > 0)
        ;
    close(clerk->fd);
    clerk->fd = -1;
}
