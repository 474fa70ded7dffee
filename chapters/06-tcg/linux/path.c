/*
 * path.c: which file of the host a guest's path means. See path.h.
 *
 * The look-up walks the path one component at a time below the sysroot. A symbolic
 * link with an absolute target starts again at the sysroot's top, as it would after
 * chroot(); ".." never climbs out. The first component that does not exist ends the
 * walk: the path is the host's. The walk and the open are two steps, so a link
 * changed in between is seen old: as said, no prison.
 */
#include "06-tcg/linux/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "06-tcg/linux/process.h"

#define LINKS_MAX 40 /* as the kernel: then it is ELOOP, which the host will say */

/* A walk: done is the host path so far, rest what is still to be walked. */
struct walk {
    const char *root;
    size_t root_length;
    char done[PATH_MAX];
    char rest[PATH_MAX];
    unsigned links;
};

/* Takes the next component off rest. False at the end. */
static bool next_component(struct walk *walk, char name[NAME_MAX + 1], bool *last)
{
    size_t skip = strspn(walk->rest, "/"), length = strcspn(walk->rest + skip, "/");
    char *after = walk->rest + skip + length;

    if (length == 0 || length > NAME_MAX)
        return false;
    memcpy(name, walk->rest + skip, length);
    name[length] = '\0';
    *last = after[strspn(after, "/")] == '\0';
    memmove(walk->rest, after, strlen(after) + 1);
    return true;
}

static void climb(struct walk *walk)
{
    char *slash = strrchr(walk->done, '/');

    if (strlen(walk->done) > walk->root_length && slash)
        *slash = '\0';
}

/* done is a symbolic link: puts its target before rest. */
static bool follow_link(struct walk *walk)
{
    char target[PATH_MAX], joined[PATH_MAX];
    ssize_t length = readlink(walk->done, target, sizeof target - 1);

    if (length <= 0 || ++walk->links > LINKS_MAX)
        return false;
    target[length] = '\0';
    if ((size_t)snprintf(joined, sizeof joined, "%s/%s", target, walk->rest) >= sizeof joined)
        return false;
    strcpy(walk->rest, joined);
    if (target[0] == '/')
        walk->done[walk->root_length] = '\0';
    else
        climb(walk);
    return true;
}

/* Walks one component; false if it is not below the sysroot. */
static bool step(struct walk *walk, const char *name, bool follow)
{
    size_t length = strlen(walk->done);
    struct stat info;

    if (strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") == 0) {
        climb(walk);
        return true;
    }
    if (length + strlen(name) + 2 > sizeof walk->done)
        return false;
    sprintf(walk->done + length, "/%s", name);
    if (lstat(walk->done, &info) < 0)
        return false;
    return !S_ISLNK(info.st_mode) || !follow || follow_link(walk);
}

/* Is path below the sysroot? Then its host path is in walk->done. */
static bool in_sysroot(struct walk *walk, const char *root, const char *path, bool follow)
{
    char name[NAME_MAX + 1];
    bool last = false;

    walk->root = root;
    walk->root_length = strlen(root);
    walk->links = 0;
    strcpy(walk->done, root);
    strcpy(walk->rest, path);
    while (next_component(walk, name, &last))
        if (!step(walk, name, follow || !last))
            return false;
    /* "/" itself is the host's: a listing of it should show what can be opened. */
    return strlen(walk->done) > walk->root_length && walk->rest[strspn(walk->rest, "/")] == '\0';
}

int path_to_host(const struct process *process, const char *path, bool follow, char host[PATH_MAX])
{
    struct walk walk;

    if (strlen(path) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (process->options.sysroot && path[0] == '/' &&
        in_sysroot(&walk, process->options.sysroot, path, follow))
        strcpy(host, walk.done);
    else
        strcpy(host, path);
    return 0;
}

int path_from_guest(struct process *process, uint32_t address, bool follow, char host[PATH_MAX])
{
    char path[PATH_MAX];
    ssize_t length = space_read_string(&process->space, address, path, sizeof path);

    if (length < 0)
        return (int)length;
    return path_to_host(process, path, follow, host);
}

/* ---- /proc/self ------------------------------------------------------------------- */

/* What follows /proc/self/ (or our number) in path, or NULL. */
static const char *own_proc_file(const char *path)
{
    char own[32];
    size_t length = (size_t)snprintf(own, sizeof own, "/proc/%d/", getpid());

    if (strncmp(path, "/proc/self/", 11) == 0)
        return path + 11;
    if (strncmp(path, "/proc/thread-self/", 18) == 0)
        return path + 18;
    return strncmp(path, own, length) == 0 ? path + length : NULL;
}

/*
 * The guest's map is the part of ours that lies in the window, with guest addresses:
 * the host's kernel has noted files, offsets and permissions for us. x is the
 * guest's own, since the host never has it there.
 */
static void write_maps(struct process *process, FILE *out)
{
    struct space *space = &process->space;
    FILE *maps = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t room = 0;

    while (maps && getline(&line, &room, maps) > 0) {
        unsigned long first, last;
        char prot[5];
        int rest = 0;

        if (sscanf(line, "%lx-%lx %4s%n", &first, &last, prot, &rest) != 3 ||
            first - space->base >= SPACE_SIZE)
            continue;
        uint32_t at = (uint32_t)(first - space->base);
        uint8_t flags = space_flags(space, at);
        bool stack = at <= process->stack_high - SPACE_PAGE_SIZE &&
                     last - space->base >= process->stack_high;

        if (!flags) /* our reservation of free pages */
            continue;
        line[strcspn(line, "\n")] = '\0';
        fprintf(out, "%08x-%08lx %c%c%c%c%s%s\n", at, last - space->base,
                flags & SPACE_READ ? 'r' : '-', flags & SPACE_WRITE ? 'w' : '-',
                flags & SPACE_EXEC ? 'x' : '-', prot[3], line + rest, stack ? "[stack]" : "");
    }
    free(line);
    if (maps)
        fclose(maps);
}

/* Copies a piece of guest memory into a file. */
static void write_memory(struct process *process, uint32_t from, uint32_t to, FILE *out)
{
    char byte;

    for (uint32_t at = from; at < to && space_read(&process->space, at, &byte, 1) == 0; at++)
        fputc(byte, out);
}

/* A file of what write() says, in memory, at its beginning. */
static int open_made_up(struct process *process, const char *name, int flags)
{
    int fd = memfd_create(name, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    FILE *out = copy < 0 ? NULL : fdopen(copy, "w");

    if (!out)
        return -EMFILE;
    if (strcmp(name, "maps") == 0)
        write_maps(process, out);
    else if (strcmp(name, "cmdline") == 0)
        write_memory(process, process->arg_start, process->arg_end, out);
    else
        write_memory(process, process->auxv, process->auxv + process->auxv_size, out);
    fclose(out);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

int path_open_proc(struct process *process, const char *path, int flags)
{
    const char *name = own_proc_file(path);
    char host[PATH_MAX];
    int fd;

    if (!name)
        return -ENOSYS;
    if (strcmp(name, "maps") == 0 || strcmp(name, "cmdline") == 0 || strcmp(name, "auxv") == 0)
        return open_made_up(process, name, flags);
    if (strcmp(name, "mem") == 0)
        return -EACCES; /* it is the translator's memory */
    if (strcmp(name, "exe") != 0)
        return -ENOSYS;
    path_to_host(process, process->exe, true, host);
    fd = open(host, flags);
    return fd < 0 ? -errno : fd;
}

ssize_t path_readlink_proc(struct process *process, const char *path, char *to, size_t size)
{
    const char *name = own_proc_file(path);
    size_t length = strlen(process->exe);

    if (!name || strcmp(name, "exe") != 0)
        return -ENOSYS;
    if (length > size)
        length = size;
    memcpy(to, process->exe, length);
    return (ssize_t)length;
}
