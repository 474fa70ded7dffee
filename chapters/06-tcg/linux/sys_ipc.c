/*
 * sys_ipc.c: System V's shared memory and semaphores.
 *
 * A segment is attached where the guest's mmap() would put it: a mapping of the window
 * first, so that the space knows the pages, then the segment over it. Detaching unmaps,
 * for which the size must be known; the process keeps a list.
 *
 * Left out on purpose: message queues, changing a segment's owner or mode (IPC_SET), and
 * what only ipcs asks (IPC_INFO and its kin; a set's IPC_STAT). [svipc(7)]
 */
#include <errno.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "06-tcg/arm/stop.h"
#include "06-tcg/linux/sys.h"
#include "common/bits.h"

#define IPC_64 0x100u /* the caller knows the structures of Linux 2.4; all do */

static int stat_segment(int32_t id, struct shmid_ds *info)
{
    return (int)host_call(SYS_shmctl, id, IPC_STAT, host_pointer(info));
}

/* Where it goes: at the guest's wish, or into the highest hole. 0: nowhere. */
static uint32_t place(const struct process *process, uint32_t wish, uint64_t size, uint32_t flags)
{
    uint32_t at = flags & SHM_RND ? (uint32_t)align_down(wish, SPACE_PAGE_SIZE) : wish;

    if (wish == 0)
        return space_find_free(&process->space, size, PROCESS_MMAP_LOW, process->mmap_high);
    if (!is_aligned(at, SPACE_PAGE_SIZE) || !fits(at, size, ARM_HELPERS) ||
        (!(flags & SHM_REMAP) && space_occupied(&process->space, at, size)))
        return 0;
    return at;
}

static int64_t attach(struct process *process, const uint32_t args[SYSCALL_ARGS])
{
    unsigned prot = SPACE_READ | (args[2] & SHM_RDONLY ? 0 : SPACE_WRITE);
    struct process_segment *segment = process->segments;
    struct shmid_ds info;
    int64_t error = stat_segment((int32_t)args[0], &info);
    uint64_t size;
    uint32_t at;

    if (error)
        return error;
    while (segment->size && segment < process->segments + ARRAY_SIZE(process->segments) - 1)
        segment++;
    size = align_up(info.shm_segsz, SPACE_PAGE_SIZE);
    if (segment->size || size >= ARM_HELPERS)
        return -ENOMEM;
    at = place(process, args[1], size, args[2]);
    if (!at)
        return args[1] ? -EINVAL : -ENOMEM;
    error = space_map(&process->space, at, size, prot, true, -1, 0);
    if (error)
        return error;
    error = host_call(SYS_shmat, (int32_t)args[0], host_pointer(space_at(&process->space, at)),
                      SHM_REMAP | (args[2] & SHM_RDONLY));
    if (error < 0 && error >= -4095) {
        space_unmap(&process->space, at, size);
        return error;
    }
    *segment = (struct process_segment){.address = at, .size = (uint32_t)size};
    return at;
}

SYSCALL_FUNCTION(shmat)
{
    int64_t result;

    pthread_mutex_lock(&thread->process->lock);
    result = attach(thread->process, args);
    pthread_mutex_unlock(&thread->process->lock);
    return result;
}

SYSCALL_FUNCTION(shmdt)
{
    struct process *process = thread->process;
    int64_t result = -EINVAL;

    pthread_mutex_lock(&process->lock);
    for (unsigned i = 0; i < ARRAY_SIZE(process->segments) && result; i++) {
        struct process_segment *segment = &process->segments[i];

        if (segment->size && segment->address == args[0]) {
            result = space_unmap(&process->space, segment->address, segment->size);
            segment->size = 0;
        }
    }
    pthread_mutex_unlock(&process->lock);
    return result;
}

SYSCALL_FUNCTION(shmctl)
{
    struct shmid_ds info;
    struct arm_shmid arm;
    int64_t result;

    if ((args[1] & ~IPC_64) != IPC_STAT)
        return (args[1] & ~IPC_64) == IPC_RMID
                   ? host_call(SYS_shmctl, (int32_t)args[0], IPC_RMID, 0)
                   : -EINVAL;
    result = stat_segment((int32_t)args[0], &info);
    if (result)
        return result;
    arm = (struct arm_shmid){.key = (uint32_t)info.shm_perm.__key,
                             .uid = info.shm_perm.uid,
                             .gid = info.shm_perm.gid,
                             .cuid = info.shm_perm.cuid,
                             .cgid = info.shm_perm.cgid,
                             .mode = info.shm_perm.mode,
                             .seq = info.shm_perm.__seq,
                             .size = (uint32_t)info.shm_segsz,
                             .atime = (uint64_t)info.shm_atime,
                             .dtime = (uint64_t)info.shm_dtime,
                             .ctime = (uint64_t)info.shm_ctime,
                             .cpid = info.shm_cpid,
                             .lpid = info.shm_lpid,
                             .attached = (uint32_t)info.shm_nattch};
    return space_write(&thread->process->space, args[2], &arm, sizeof arm) < 0 ? -EFAULT : 0;
}

/* The last argument is a number, or for all semaphores at once the address of some. */
SYSCALL_FUNCTION(semctl)
{
    int64_t last = (int32_t)args[3];

    switch (args[2] & ~IPC_64) {
    case GETALL:
    case SETALL: last = host_pointer(space_at(&thread->process->space, args[3])); break;
    case IPC_RMID:
    case GETPID ... GETVAL:
    case GETNCNT ... SETVAL: break;
    default: return -EINVAL;
    }
    return host_call(SYS_semctl, (int32_t)args[0], (int32_t)args[1], args[2] & ~IPC_64, last);
}
