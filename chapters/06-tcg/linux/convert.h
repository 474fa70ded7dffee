/*
 * convert.h: structures that many calls share, from the guest's layout to the host's
 * and back.
 *
 * Each function checks the guest's memory and copies it once: what was checked is
 * what is used. 0, or -EFAULT, or -EINVAL where the value itself is impossible.
 */
#ifndef CHAPTER_06_LINUX_CONVERT_H
#define CHAPTER_06_LINUX_CONVERT_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <time.h>

#include "06-tcg/linux/abi.h"
#include "06-tcg/space.h"

/*
 * count buffers, each of which must allow prot; -EINVAL for more than IOV_MAX or when
 * their sizes exceed what a call may return.
 */
int convert_iovec(struct space *space, uint32_t address, uint32_t count, unsigned prot,
                  struct iovec host[IOV_MAX]);

/* Times of 32 and of 64 bits. */
int convert_timespec_in(struct space *space, uint32_t address, struct timespec *host);
int convert_timespec_out(struct space *space, uint32_t address, const struct timespec *host);
int convert_timespec64_in(struct space *space, uint32_t address, struct timespec *host);
int convert_timespec64_out(struct space *space, uint32_t address, const struct timespec *host);

struct rusage;
int convert_rusage_out(struct space *space, uint32_t address, const struct rusage *host);

/* A set of 64 signals, which the guest aligns to 4 only. */
int convert_mask_in(struct space *space, uint32_t address, uint64_t *mask);
int convert_mask_out(struct space *space, uint32_t address, uint64_t mask);

#endif
