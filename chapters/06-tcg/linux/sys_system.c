/* sys_system.c: questions about the machine, limits, and the process' properties. */
#include <errno.h>
#include <linux/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "06-tcg/linux/convert.h"
#include "06-tcg/linux/sys.h"

/* The host's, but for the machine: what uname -m says on an ARMv5TE. */
SYSCALL_FUNCTION(uname)
{
    struct utsname name; /* six fields of 65 bytes everywhere */

    if (uname(&name) < 0)
        return -errno;
    strcpy(name.machine, "armv5tel");
    return space_write(&thread->process->space, args[0], &name, sizeof name);
}

/* Sizes in units that make the largest fit in 32 bits, as the kernel's own 32-bit view. */
SYSCALL_FUNCTION(sysinfo)
{
    struct sysinfo host;
    struct arm_sysinfo arm = {0};
    unsigned shift = 0;

    if (sysinfo(&host) < 0)
        return -errno;
    while ((host.totalram * host.mem_unit) >> shift > UINT32_MAX ||
           (host.totalswap * host.mem_unit) >> shift > UINT32_MAX)
        shift++;
#define SCALED(field) (uint32_t)((host.field * host.mem_unit) >> shift)
    arm.uptime = (int32_t)host.uptime;
    for (int i = 0; i < 3; i++)
        arm.loads[i] = (uint32_t)host.loads[i];
    arm.totalram = SCALED(totalram);
    arm.freeram = SCALED(freeram);
    arm.sharedram = SCALED(sharedram);
    arm.bufferram = SCALED(bufferram);
    arm.totalswap = SCALED(totalswap);
    arm.freeswap = SCALED(freeswap);
    arm.procs = host.procs;
    arm.mem_unit = 1u << shift;
#undef SCALED
    return space_write(&thread->process->space, args[0], &arm, sizeof arm);
}

/* Limits that need more than 32 bits are infinite to the guest. */
static uint32_t limit_out(rlim_t limit)
{
    return limit >= ARM_RLIM_INFINITY ? ARM_RLIM_INFINITY : (uint32_t)limit;
}

static rlim_t limit_in(uint32_t limit)
{
    return limit == ARM_RLIM_INFINITY ? RLIM_INFINITY : limit;
}

SYSCALL_FUNCTION(ugetrlimit)
{
    struct rlimit host;
    struct arm_rlimit arm;

    if (getrlimit((int32_t)args[0], &host) < 0)
        return -errno;
    arm = (struct arm_rlimit){limit_out(host.rlim_cur), limit_out(host.rlim_max)};
    return space_write(&thread->process->space, args[1], &arm, sizeof arm);
}

/*
 * The guest counts in its 4 GiB; our process, with the whole window reserved, is larger
 * from the start. These limits are accepted and not enforced.
 */
static bool is_limit_of_memory(uint32_t resource)
{
    return resource == RLIMIT_AS || resource == RLIMIT_DATA;
}

SYSCALL_FUNCTION(prlimit64)
{
    struct space *space = &thread->process->space;
    struct rlimit64 new, old; /* two 64-bit numbers on every machine */
    bool set = args[2] != 0;
    int64_t result;

    if (set && space_read(space, args[2], &new, sizeof new) < 0)
        return -EFAULT;
    if (is_limit_of_memory(args[1]))
        set = false;
    result = host_call(SYS_prlimit64, (int32_t)args[0], args[1], set ? host_pointer(&new) : 0,
                       host_pointer(&old));
    if (result < 0 || !args[3])
        return result;
    return space_write(space, args[3], &old, sizeof old);
}

SYSCALL_FUNCTION(setrlimit)
{
    struct rlimit host;
    struct arm_rlimit arm;

    if (space_read(&thread->process->space, args[1], &arm, sizeof arm) < 0)
        return -EFAULT;
    host = (struct rlimit){limit_in(arm.rlim_cur), limit_in(arm.rlim_max)};
    if (is_limit_of_memory(args[0]))
        return 0;
    return setrlimit((int32_t)args[0], &host) < 0 ? -errno : 0;
}

/* The number of groups comes before the list of them. */
static int64_t groups(struct thread *thread, long number, const uint32_t args[], unsigned prot)
{
    void *list = space_host(&thread->process->space, args[1], (uint64_t)args[0] * 4, prot);

    if ((int32_t)args[0] < 0)
        return -EINVAL;
    if (args[0] && !list)
        return -EFAULT;
    return host_call(number, args[0], host_pointer(list));
}

SYSCALL_FUNCTION(getgroups32)
{
    return groups(thread, SYS_getgroups, args, SPACE_WRITE);
}

SYSCALL_FUNCTION(setgroups32)
{
    return groups(thread, SYS_setgroups, args, SPACE_READ);
}

/* Those whose arguments are numbers or a name of 16 bytes. */
SYSCALL_FUNCTION(prctl)
{
    struct space *space = &thread->process->space;
    char name[16] = "";
    int32_t word;

    switch (args[0]) {
    case PR_SET_NAME:
        if (space_read_string(space, args[1], name, sizeof name) == -EFAULT)
            return -EFAULT;
        name[sizeof name - 1] = '\0';
        return host_call(SYS_prctl, PR_SET_NAME, host_pointer(name));
    case PR_GET_NAME:
        host_call(SYS_prctl, PR_GET_NAME, host_pointer(name));
        return space_write(space, args[1], name, sizeof name);
    case PR_GET_PDEATHSIG:
    case PR_GET_CHILD_SUBREAPER:
        host_call(SYS_prctl, args[0], host_pointer(&word));
        return space_write(space, args[1], &word, sizeof word);
    case PR_SET_PDEATHSIG:
    case PR_SET_CHILD_SUBREAPER:
    case PR_GET_DUMPABLE:
    case PR_SET_DUMPABLE:
    case PR_GET_KEEPCAPS:
    case PR_SET_KEEPCAPS:
    case PR_GET_NO_NEW_PRIVS:
    case PR_SET_NO_NEW_PRIVS:
    case PR_GET_TIMERSLACK:
    case PR_SET_TIMERSLACK:
    case PR_CAPBSET_READ: return host_call(SYS_prctl, args[0], (int32_t)args[1], (int32_t)args[2]);
    default: return -EINVAL;
    }
}

/* Always PER_LINUX; asking is all that can be done. */
SYSCALL_FUNCTION(personality)
{
    return args[0] == 0xffffffff || args[0] == 0 ? 0 : -EINVAL;
}

/* ---- sets of processors: bits again, in longs of the host's size ------------------------ */

SYSCALL_FUNCTION(sched_getaffinity)
{
    uint64_t set[16] = {0};
    uint32_t size = args[1] < sizeof set ? args[1] : (uint32_t)sizeof set;
    int64_t filled;

    if (args[1] % 4)
        return -EINVAL;
    filled = host_call(SYS_sched_getaffinity, (int32_t)args[0], sizeof set, host_pointer(set));
    if (filled < 0)
        return filled;
    /* Too small for the processors there are: the kernel says EINVAL, programs grow. */
    if (size < (uint32_t)filled && set[size / 8] >> (size % 8 * 8))
        return -EINVAL;
    if (size > (uint32_t)filled)
        size = (uint32_t)filled;
    return space_write(&thread->process->space, args[2], set, size) < 0 ? -EFAULT : (int64_t)size;
}

SYSCALL_FUNCTION(sched_setaffinity)
{
    uint64_t set[16] = {0};
    uint32_t size = args[1] < sizeof set ? args[1] : (uint32_t)sizeof set;

    if (space_read(&thread->process->space, args[2], set, size) < 0)
        return -EFAULT;
    return host_call(SYS_sched_setaffinity, (int32_t)args[0], sizeof set, host_pointer(set));
}
