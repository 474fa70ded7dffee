/* sys_stat.c: what is known about files and file systems. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "06-tcg/linux/path.h"
#include "06-tcg/linux/sys.h"

/*
 * The host's file that (directory, path) means, for calls that look at it: a few below
 * /proc/self are made up. Fills host; with AT_EMPTY_PATH an empty path stays empty.
 */
static int find(struct process *process, uint32_t address, uint32_t flags, char host[PATH_MAX])
{
    char path[PATH_MAX];
    ssize_t length = space_read_string(&process->space, address, path, sizeof path);

    if (length < 0)
        return (int)length;
    if (!(flags & AT_SYMLINK_NOFOLLOW) &&
        path_readlink_proc(process, path, host, PATH_MAX) > 0) /* /proc/self/exe: the program */
        strcpy(path, process->exe);
    return path_to_host(process, path, !(flags & AT_SYMLINK_NOFOLLOW), host);
}

static int write_stat64(struct space *space, uint32_t address, const struct stat *host)
{
    const struct arm_stat64 arm = {
        .st_dev = host->st_dev,
        .st_ino_low = (uint32_t)host->st_ino,
        .st_mode = host->st_mode,
        .st_nlink = (uint32_t)host->st_nlink,
        .st_uid = host->st_uid,
        .st_gid = host->st_gid,
        .st_rdev = host->st_rdev,
        .st_size = host->st_size,
        .st_blksize = (uint32_t)host->st_blksize,
        .st_blocks = (uint64_t)host->st_blocks,
        .st_atime_ = (uint32_t)host->st_atim.tv_sec,
        .st_atime_nsec = (uint32_t)host->st_atim.tv_nsec,
        .st_mtime_ = (uint32_t)host->st_mtim.tv_sec,
        .st_mtime_nsec = (uint32_t)host->st_mtim.tv_nsec,
        .st_ctime_ = (uint32_t)host->st_ctim.tv_sec,
        .st_ctime_nsec = (uint32_t)host->st_ctim.tv_nsec,
        .st_ino = host->st_ino,
    };

    return space_write(space, address, &arm, sizeof arm);
}

static int64_t stat_at(struct thread *thread, int32_t directory, uint32_t path, uint32_t to,
                       uint32_t flags)
{
    struct stat info;
    char host[PATH_MAX];
    int64_t result = find(thread->process, path, flags, host);

    if (result == 0)
        result = host_call(SYS_newfstatat, directory, host_pointer(host), host_pointer(&info),
                           flags);
    return result < 0 ? result : write_stat64(&thread->process->space, to, &info);
}

SYSCALL_FUNCTION(stat64)
{
    return stat_at(thread, AT_FDCWD, args[0], args[1], 0);
}

SYSCALL_FUNCTION(lstat64)
{
    return stat_at(thread, AT_FDCWD, args[0], args[1], AT_SYMLINK_NOFOLLOW);
}

SYSCALL_FUNCTION(fstatat64)
{
    return stat_at(thread, (int32_t)args[0], args[1], args[2], args[3]);
}

SYSCALL_FUNCTION(fstat64)
{
    struct stat info;
    int64_t result = host_call(SYS_fstat, (int32_t)args[0], host_pointer(&info));

    return result < 0 ? result : write_stat64(&thread->process->space, args[1], &info);
}

/* struct statx was made equal on all machines: only the path is ours to change. */
SYSCALL_FUNCTION(statx)
{
    char host[PATH_MAX];
    void *to = space_host(&thread->process->space, args[4], sizeof(struct statx), SPACE_WRITE);
    int error = find(thread->process, args[1], args[2], host);

    if (error)
        return error;
    if (!to)
        return -EFAULT;
    return host_call(SYS_statx, (int32_t)args[0], host_pointer(host), args[2], args[3],
                     host_pointer(to));
}

static int write_statfs64(struct space *space, uint32_t size, uint32_t address,
                          const struct statfs *host)
{
    struct arm_statfs64 arm = {
        .f_type = (uint32_t)host->f_type,
        .f_bsize = (uint32_t)host->f_bsize,
        .f_blocks = host->f_blocks,
        .f_bfree = host->f_bfree,
        .f_bavail = host->f_bavail,
        .f_files = host->f_files,
        .f_ffree = host->f_ffree,
        .f_namelen = (uint32_t)host->f_namelen,
        .f_frsize = (uint32_t)host->f_frsize,
        .f_flags = (uint32_t)host->f_flags,
    };

    /* Old C libraries count the padding of other machines. [Linux: sys_statfs64_wrapper] */
    if (size != sizeof arm && size != 88)
        return -EINVAL;
    memcpy(arm.f_fsid, &host->f_fsid, sizeof arm.f_fsid);
    return space_write(space, address, &arm, sizeof arm);
}

SYSCALL_FUNCTION(statfs64)
{
    struct statfs info;
    char host[PATH_MAX];
    int64_t result = find(thread->process, args[0], 0, host);

    if (result == 0)
        result = host_call(SYS_statfs, host_pointer(host), host_pointer(&info));
    return result < 0 ? result : write_statfs64(&thread->process->space, args[1], args[2], &info);
}

SYSCALL_FUNCTION(fstatfs64)
{
    struct statfs info;
    int64_t result = host_call(SYS_fstatfs, (int32_t)args[0], host_pointer(&info));

    return result < 0 ? result : write_statfs64(&thread->process->space, args[1], args[2], &info);
}
