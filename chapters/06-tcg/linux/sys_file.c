/*
 * sys_file.c: opening, reading, writing and positions.
 *
 * Four of open()'s flags have other numbers on the ARM than on x86-64: the same bits,
 * dealt out differently in the nineties. [Linux: arch/arm/include/uapi/asm/fcntl.h]
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/path.h"
#include "06-tcg/linux/sys.h"
#include "common/bits.h"

#define ARM_O_DIRECTORY 040000u
#define ARM_O_NOFOLLOW  0100000u
#define ARM_O_DIRECT    0200000u
#define ARM_O_LARGEFILE 0400000u
/* glibc's O_LARGEFILE is 0 on x86-64, the kernel's is this; F_GETFL shows it. */
#define HOST_O_LARGEFILE 0100000u

static const struct {
    uint32_t arm;
    uint32_t host;
} open_flags[] = {
    {ARM_O_DIRECTORY, 0200000},
    {ARM_O_NOFOLLOW, 0400000},
    {ARM_O_DIRECT, 040000},
    {ARM_O_LARGEFILE, HOST_O_LARGEFILE},
};

#define OPEN_FLAGS_MOVED 0740000u /* all of the above, on either side */

static uint32_t open_flags_to_host(uint32_t arm)
{
    uint32_t host = arm & ~OPEN_FLAGS_MOVED;

    for (unsigned i = 0; i < ARRAY_SIZE(open_flags); i++)
        if (arm & open_flags[i].arm)
            host |= open_flags[i].host;
    return host;
}

static uint32_t open_flags_to_arm(uint32_t host)
{
    uint32_t arm = host & ~OPEN_FLAGS_MOVED;

    for (unsigned i = 0; i < ARRAY_SIZE(open_flags); i++)
        if (host & open_flags[i].host)
            arm |= open_flags[i].arm;
    return arm;
}

static int64_t open_path(struct thread *thread, int32_t directory, uint32_t address, uint32_t flags,
                         uint32_t mode)
{
    struct process *process = thread->process;
    uint32_t host_flags = open_flags_to_host(flags);
    char path[PATH_MAX], host[PATH_MAX];
    ssize_t length = space_read_string(&process->space, address, path, sizeof path);
    int fd;

    if (length < 0)
        return length;
    fd = path_open_proc(process, path, (int)host_flags);
    if (fd != -ENOSYS)
        return fd;
    path_to_host(process, path, !(flags & ARM_O_NOFOLLOW), host);
    return host_call_waiting(thread, SYS_openat, directory, host_pointer(host), host_flags, mode);
}

SYSCALL_FUNCTION(open)
{
    return open_path(thread, AT_FDCWD, args[0], args[1], args[2]);
}

SYSCALL_FUNCTION(creat)
{
    return open_path(thread, AT_FDCWD, args[0], O_CREAT | O_WRONLY | O_TRUNC, args[1]);
}

SYSCALL_FUNCTION(openat)
{
    return open_path(thread, (int32_t)args[0], args[1], args[2], args[3]);
}

SYSCALL_FUNCTION(pipe2)
{
    void *ends = space_host(&thread->process->space, args[0], 8, SPACE_WRITE);

    if (!ends)
        return -EFAULT;
    return host_call(SYS_pipe2, host_pointer(ends), open_flags_to_host(args[1]));
}

static int64_t read_link(struct thread *thread, int32_t directory, uint32_t address, uint32_t to,
                         uint32_t size)
{
    struct process *process = thread->process;
    char path[PATH_MAX], host[PATH_MAX];
    ssize_t length = space_read_string(&process->space, address, path, sizeof path);
    char *buffer = space_host(&process->space, to, size, SPACE_WRITE);

    if (length < 0)
        return length;
    if (!buffer)
        return -EFAULT;
    length = path_readlink_proc(process, path, host, size < sizeof host ? size : sizeof host);
    if (length != -ENOSYS)
        return space_write(&process->space, to, host, (size_t)length) < 0 ? -EFAULT : length;
    path_to_host(process, path, false, host);
    return host_call(SYS_readlinkat, directory, host_pointer(host), host_pointer(buffer), size);
}

SYSCALL_FUNCTION(readlink)
{
    return read_link(thread, AT_FDCWD, args[0], args[1], args[2]);
}

SYSCALL_FUNCTION(readlinkat)
{
    return read_link(thread, (int32_t)args[0], args[1], args[2], args[3]);
}

/* A 64-bit position in two halves, the result through a pointer. */
SYSCALL_FUNCTION(_llseek)
{
    int64_t offset = (int64_t)((uint64_t)args[1] << 32 | args[2]);
    int64_t result = host_call(SYS_lseek, (int32_t)args[0], offset, args[4]);

    if (result < 0)
        return result;
    return space_write(&thread->process->space, args[3], &result, sizeof result);
}

/* ---- fcntl ------------------------------------------------------------------------ */

/* Both sizes of a lock; x86-64 has the large one only, under the small one's numbers. */
enum { ARM_F_GETLK64 = 12, ARM_F_SETLK64 = 13, ARM_F_SETLKW64 = 14 };

static int64_t lock(struct thread *thread, int fd, uint32_t command, uint32_t address, bool large)
{
    struct space *space = &thread->process->space;
    struct arm_flock64 arm;
    struct arm_flock small;
    struct flock host;
    int64_t result;

    if (large ? space_read(space, address, &arm, sizeof arm) < 0
              : space_read(space, address, &small, sizeof small) < 0)
        return -EFAULT;
    host = large ? (struct flock){arm.l_type, arm.l_whence, arm.l_start, arm.l_len, arm.l_pid}
                 : (struct flock){small.l_type, small.l_whence, small.l_start, small.l_len,
                                  small.l_pid};
    result = host_call_waiting(thread, SYS_fcntl, fd, command, host_pointer(&host));
    if (result < 0 || (command != F_GETLK && command != F_OFD_GETLK))
        return result;
    arm = (struct arm_flock64){host.l_type, host.l_whence, 0, host.l_start,
                               host.l_len,  host.l_pid,    0};
    small = (struct arm_flock){host.l_type, host.l_whence, (int32_t)host.l_start,
                               (int32_t)host.l_len, host.l_pid};
    return large ? space_write(space, address, &arm, sizeof arm)
                 : space_write(space, address, &small, sizeof small);
}

SYSCALL_FUNCTION(fcntl64)
{
    int fd = (int32_t)args[0];
    int64_t result;

    switch (args[1]) {
    case F_GETFL:
        result = host_call(SYS_fcntl, fd, F_GETFL);
        return result < 0 ? result : open_flags_to_arm((uint32_t)result);
    case F_SETFL: return host_call(SYS_fcntl, fd, F_SETFL, open_flags_to_host(args[2]));
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW: return lock(thread, fd, args[1], args[2], false);
    case ARM_F_GETLK64:
    case ARM_F_SETLK64:
    case ARM_F_SETLKW64: return lock(thread, fd, args[1] - ARM_F_GETLK64 + F_GETLK, args[2], true);
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: return lock(thread, fd, args[1], args[2], true);
    /* Only a number, or nothing, comes with these. */
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_GETFD:
    case F_SETFD:
    case F_SETOWN:
    case F_GETOWN:
    case F_SETSIG:
    case F_GETSIG:
    case F_SETLEASE:
    case F_GETLEASE:
    case F_NOTIFY:
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
    case F_ADD_SEALS:
    case F_GET_SEALS: return host_call(SYS_fcntl, fd, args[1], (int32_t)args[2]);
    default: return -EINVAL;
    }
}

SYSCALL_FUNCTION(sendfile)
{
    struct space *space = &thread->process->space;
    int32_t arm_offset = 0;
    int64_t offset, result;

    if (args[2] && space_read(space, args[2], &arm_offset, sizeof arm_offset) < 0)
        return -EFAULT;
    offset = arm_offset;
    result = host_call_waiting(thread, SYS_sendfile, (int32_t)args[0], (int32_t)args[1],
                               args[2] ? host_pointer(&offset) : 0, args[3]);
    arm_offset = (int32_t)offset;
    if (result >= 0 && args[2] && space_write(space, args[2], &arm_offset, sizeof arm_offset) < 0)
        return -EFAULT;
    return result;
}

/* ---- times of files, advice --------------------------------------------------------- */

SYSCALL_FUNCTION(utimensat)
{
    struct space *space = &thread->process->space;
    bool follow = !(args[3] & AT_SYMLINK_NOFOLLOW), wide = row->flags & SYSCALL_WIDE;
    int64_t times[4];
    char path[PATH_MAX];
    int error = 0;

    if (args[2] && convert_pairs_in(space, args[2], 2, wide, times) < 0)
        return -EFAULT;
    if (args[1]) /* else the descriptor's file */
        error = path_from_guest(thread->process, args[1], follow, path);
    if (error)
        return error;
    return host_call(SYS_utimensat, (int32_t)args[0], host_pointer(args[1] ? path : NULL),
                     host_pointer(args[2] ? times : NULL), args[3]);
}

/* The advice comes second on the ARM, so that the two 64-bit values are aligned. */
SYSCALL_FUNCTION(arm_fadvise64_64)
{
    return host_call(SYS_fadvise64, (int32_t)args[0], (int64_t)((uint64_t)args[3] << 32 | args[2]),
                     (int64_t)((uint64_t)args[5] << 32 | args[4]), args[1]);
}

SYSCALL_FUNCTION(sync_file_range2)
{
    return host_call(SYS_sync_file_range, (int32_t)args[0],
                     (int64_t)((uint64_t)args[3] << 32 | args[2]),
                     (int64_t)((uint64_t)args[5] << 32 | args[4]), args[1]);
}
