/*
 * jail.c: see jail.h. Open at hand: namespaces(7), user_namespaces(7), pivot_root(2).
 *
 * Only root may mount. But everybody may become root of a user namespace of their own, where
 * the kernel's settings allow it, and mount there; outside it that root is the user as before.
 * Who is root already needs none, and without one may still become another user (-runas).
 *
 * A new root is a file system in memory, mounted somewhere, made the root by pivot_root(".",
 * "."), which puts the old one on top of it; that is then let go. chroot() alone could be
 * left again by whoever is root.
 *
 * Left out on purpose: a PID namespace. It begins with the first child, so that a process
 * more would have to wait there, and hand on terminal, signals and exit status; while a
 * signal to another process is what the sandbox allows nobody.
 */
#define _GNU_SOURCE
#include "07-linux-boot/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Any folder that every system has: what is below it is not seen any more. */
#define PLACE           "/tmp"

#define RESOLV_CONF     "/etc/resolv.conf"
#define RESOLV_CONF_MAX 4096

static bool write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return written;
}

/* In the new user namespace there is one user and one group: as outside. */
static bool map_ourselves(uid_t user, gid_t group)
{
    char users[50], groups[50];

    snprintf(users, sizeof users, "%u %u 1", user, user);
    snprintf(groups, sizeof groups, "%u %u 1", group, group);
    return write_text("/proc/self/setgroups", "deny") && write_text("/proc/self/uid_map", users) &&
           write_text("/proc/self/gid_map", groups);
}

static int leave_namespaces(bool host_network, struct refusal *why)
{
    int what = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (host_network ? 0 : CLONE_NEWNET);
    uid_t user = geteuid();
    gid_t group = getegid();

    if (unshare(what) == 0)
        return 0;
    if (unshare(CLONE_NEWUSER | what) == 0 && map_ourselves(user, group))
        return 0;
    return refuse(why, -errno, "-jail: %s: this host lets only root have namespaces",
                  strerror(errno));
}

static ssize_t read_resolv_conf(char *text, size_t room)
{
    int fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, room);

    if (fd >= 0)
        close(fd);
    return size;
}

/* In the new root, which is the current folder. */
static bool write_resolv_conf(const char *text, size_t size)
{
    int fd;
    bool written;

    if (mkdir("etc", 0755) < 0)
        return false;
    fd = open("." RESOLV_CONF, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
    written = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    if (fd >= 0)
        close(fd);
    return written;
}

/* [jail-root] */
static bool mount_nothing(void)
{
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("jail", PLACE, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                 "size=64k,nr_inodes=8,mode=755") == 0 &&
           chdir(PLACE) == 0;
}

static bool make_it_the_root(void)
{
    return syscall(SYS_pivot_root, ".", ".") == 0 && umount2(".", MNT_DETACH) == 0 &&
           chdir("/") == 0 &&
           mount(NULL, "/", NULL,
                 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
}
/* [/jail-root] */

int jail_enter(bool host_network, struct refusal *why)
{
    char resolv_conf[RESOLV_CONF_MAX];
    ssize_t size = host_network ? read_resolv_conf(resolv_conf, sizeof resolv_conf) : -1;
    int error = leave_namespaces(host_network, why);

    if (error < 0)
        return error;
    if (!mount_nothing() || (size >= 0 && !write_resolv_conf(resolv_conf, (size_t)size)) ||
        !make_it_the_root())
        return refuse(why, -errno, "-jail: cannot make an empty root: %s", strerror(errno));
    return 0;
}
