/* convert.c: structures that many calls share. See convert.h. */
#include "06-tcg/linux/convert.h"

#include <errno.h>

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

int convert_pairs_in(struct space *space, uint32_t address, unsigned count, bool wide,
                     int64_t host[])
{
    int32_t narrow[2 * PAIRS_MAX];

    if (space_read(space, address, wide ? (void *)host : narrow, count * (wide ? 16 : 8)) < 0)
        return -EFAULT;
    for (unsigned i = 0; i < 2 * count; i++)
        if (!wide || i % 2)
            host[i] = wide ? (int32_t)host[i] : narrow[i];
    return 0;
}

int convert_pairs_out(struct space *space, uint32_t address, unsigned count, bool wide,
                      const int64_t host[])
{
    int32_t narrow[2 * PAIRS_MAX];

    for (unsigned i = 0; i < 2 * count; i++)
        narrow[i] = (int32_t)host[i];
    return space_write(space, address, wide ? (const void *)host : narrow, count * (wide ? 16 : 8));
}

int convert_time_in(struct space *space, uint32_t address, bool wide, struct timespec *host)
{
    int64_t pair[2];

    if (convert_pairs_in(space, address, 1, wide, pair) < 0)
        return -EFAULT;
    *host = (struct timespec){pair[0], pair[1]};
    return 0;
}

int convert_time_out(struct space *space, uint32_t address, bool wide, const struct timespec *host)
{
    const int64_t pair[2] = {host->tv_sec, host->tv_nsec};

    return convert_pairs_out(space, address, 1, wide, pair);
}

int convert_mask_in(struct space *space, uint32_t address, uint64_t *mask)
{
    return space_read(space, address, mask, sizeof *mask);
}

int convert_mask_out(struct space *space, uint32_t address, uint64_t mask)
{
    return space_write(space, address, &mask, sizeof mask);
}
