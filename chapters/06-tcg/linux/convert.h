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

/*
 * Pairs of longs: what times and counters of the kernel are made of. A long of the guest
 * has 32 bits; wide ones have 64, but the second of each pair (nanoseconds) is a long
 * and padding.
 */
#define PAIRS_MAX 9u /* in a struct rusage: two times and fourteen counters */
int convert_pairs_in(struct space *space, uint32_t address, unsigned count, bool wide,
                     int64_t host[]);
int convert_pairs_out(struct space *space, uint32_t address, unsigned count, bool wide,
                      const int64_t host[]);

/* One pair. */
int convert_time_in(struct space *space, uint32_t address, bool wide, struct timespec *host);
int convert_time_out(struct space *space, uint32_t address, bool wide, const struct timespec *host);

/* A set of 64 signals, which the guest aligns to 4 only. */
int convert_mask_in(struct space *space, uint32_t address, uint64_t *mask);
int convert_mask_out(struct space *space, uint32_t address, uint64_t mask);

#endif
