/* convert.c: structures that many calls share. See convert.h. */
#include "06-tcg/linux/convert.h"

#include <errno.h>
#include <sys/resource.h>

/* The kernel's MAX_RW_COUNT on the guest's side: a result must stay a positive int. */
#define TRANSFER_MAX INT32_MAX

/* [iovec] */
int convert_iovec(struct space *space, uint32_t address, uint32_t count, unsigned prot,
                  struct iovec host[IOV_MAX])
{
    uint64_t total = 0;

    if (count > IOV_MAX)
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        struct arm_iovec arm;
        uint64_t at = (uint64_t)address + i * sizeof arm;

        if (at >= SPACE_SIZE || space_read(space, (uint32_t)at, &arm, sizeof arm) < 0)
            return -EFAULT;
        total += arm.iov_len;
        if (total > TRANSFER_MAX)
            return -EINVAL;
        host[i].iov_base = space_host(space, arm.iov_base, arm.iov_len, prot);
        host[i].iov_len = arm.iov_len;
        if (arm.iov_len && !host[i].iov_base)
            return -EFAULT;
    }
    return 0;
}
/* [/iovec] */

int convert_timespec_in(struct space *space, uint32_t address, struct timespec *host)
{
    struct arm_timespec arm;

    if (space_read(space, address, &arm, sizeof arm) < 0)
        return -EFAULT;
    *host = (struct timespec){arm.tv_sec, arm.tv_nsec};
    return 0;
}

int convert_timespec_out(struct space *space, uint32_t address, const struct timespec *host)
{
    struct arm_timespec arm = {(int32_t)host->tv_sec, (int32_t)host->tv_nsec};

    return space_write(space, address, &arm, sizeof arm);
}

/* tv_nsec is a long, and only its low word means anything on a 32-bit machine. */
int convert_timespec64_in(struct space *space, uint32_t address, struct timespec *host)
{
    struct arm_timespec64 arm;

    if (space_read(space, address, &arm, sizeof arm) < 0)
        return -EFAULT;
    *host = (struct timespec){arm.tv_sec, (int32_t)arm.tv_nsec};
    return 0;
}

int convert_timespec64_out(struct space *space, uint32_t address, const struct timespec *host)
{
    struct arm_timespec64 arm = {host->tv_sec, host->tv_nsec};

    return space_write(space, address, &arm, sizeof arm);
}

int convert_rusage_out(struct space *space, uint32_t address, const struct rusage *host)
{
    struct arm_rusage arm = {
        .ru_utime = {(int32_t)host->ru_utime.tv_sec, (int32_t)host->ru_utime.tv_usec},
        .ru_stime = {(int32_t)host->ru_stime.tv_sec, (int32_t)host->ru_stime.tv_usec},
    };
    const long *counts = &host->ru_maxrss; /* fourteen of them, side by side */

    _Static_assert(offsetof(struct rusage, ru_nivcsw) - offsetof(struct rusage, ru_maxrss) ==
                       13 * sizeof(long),
                   "ru_maxrss to ru_nivcsw are an array in all but name");
    for (int i = 0; i < 14; i++)
        arm.counts[i] = (int32_t)counts[i];
    return space_write(space, address, &arm, sizeof arm);
}

int convert_mask_in(struct space *space, uint32_t address, uint64_t *mask)
{
    return space_read(space, address, mask, sizeof *mask);
}

int convert_mask_out(struct space *space, uint32_t address, uint64_t mask)
{
    return space_write(space, address, &mask, sizeof mask);
}
