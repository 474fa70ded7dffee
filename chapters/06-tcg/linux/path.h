/*
 * path.h: which file of the host a guest's path means.
 *
 * With -L SYSROOT, an absolute path that exists below SYSROOT means that file; every
 * other path means what it says. So a guest finds its own /lib and /usr, and the
 * host's /etc, /tmp and /home. Symbolic links are followed as if the sysroot were
 * the root. A few files below /proc/self describe the translator, not the guest, and
 * are made up here.
 *
 * This is a convenience and no prison: a guest may open what its user may open.
 */
#ifndef CHAPTER_06_LINUX_PATH_H
#define CHAPTER_06_LINUX_PATH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process;

/*
 * Fills host with the path to give to the host's kernel for the guest's path; follow
 * says whether a symbolic link at the end is to be followed. 0 or -ENAMETOOLONG.
 */
int path_to_host(const struct process *process, const char *path, bool follow, char host[PATH_MAX]);

/* Reads a path from the guest and translates it; "" stays "". 0 or -errno. */
int path_from_guest(struct process *process, uint32_t address, bool follow, char host[PATH_MAX]);

/*
 * If path is /proc/self/exe or its kin: a new descriptor for what the guest is to
 * see (flags as for open()), or -errno. -ENOSYS: it is an ordinary path.
 */
int path_open_proc(struct process *process, const char *path, int flags);

/* readlink() of such a path: the length, or -ENOSYS: an ordinary path. */
ssize_t path_readlink_proc(struct process *process, const char *path, char *to, size_t size);

#endif
