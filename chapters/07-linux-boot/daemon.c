/*
 * daemon.c: see daemon.h. Open at hand: daemon(7), "SysV Daemons".
 *
 * The process stays in its folder: names on the command line go on meaning the same.
 */
#define _GNU_SOURCE
#include "07-linux-boot/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/die.h"

/* The process that the caller waits for: it ends as the child's start does. */
__attribute__((noreturn)) static void wait_for(pid_t child, int ready)
{
    ssize_t got;
    char byte;
    int status;

    do
        got = read(ready, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got == 1)
        _exit(0);
    if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status))
        _exit(1);
    _exit(WEXITSTATUS(status));
}

void daemon_begin(struct daemon *daemon)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe failed: %s", strerror(errno));
    child = fork();
    if (child < 0)
        die("fork failed: %s", strerror(errno));
    if (child > 0) {
        close(ends[1]);
        wait_for(child, ends[0]);
    }
    close(ends[0]);
    setsid();
    daemon->parent = ends[1];
    daemon->nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (daemon->nothing < 0)
        die("/dev/null: %s", strerror(errno));
}

void daemon_ready(struct daemon *daemon)
{
    if (daemon->parent < 0)
        return;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (dup2(daemon->nothing, fd) < 0)
            die("/dev/null: %s", strerror(errno));
    close(daemon->nothing);
    if (write(daemon->parent, "", 1) < 0)
        warn("whoever started this has gone");
    close(daemon->parent);
    daemon->parent = -1;
}

int pidfile_open(const char *path, struct refusal *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    int error;

    if (fd < 0)
        return refuse(why, -errno, "%s: cannot open: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) == 0 &&
        dprintf(fd, "%d\n", getpid()) > 0)
        return fd;
    error = errno;
    close(fd);
    return refuse(why, -error, "%s: %s", path,
                  error == EWOULDBLOCK ? "another VMM runs that has it" : strerror(error));
}

void pidfile_remove(int fd, const char *path)
{
    if (fd < 0)
        return;
    unlink(path);
    close(fd);
}
