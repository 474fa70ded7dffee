/*
 * memory_disk.h: a disk in memory for the targets that have one. Half of its requests it
 * finishes later, in the order that the input says, and some it fails.
 */
#ifndef TESTS_05_MEMORY_DISK_H
#define TESTS_05_MEMORY_DISK_H

#include <errno.h>
#include <string.h>

#include "05-virtio/disk.h"
#include "common/bits.h"
#include "fuzz.h"

#define MEDIUM_SIZE (64 * KIB)
#define LATE_MAX    512u

static uint8_t medium[MEDIUM_SIZE];
static struct disk_request *late[LATE_MAX];
static unsigned late_count;
static uint8_t mood; /* what it does with the next requests; the input sets it */

/* The front end has promised that all of it lies within the disk. */
static int carry_out(const struct disk_request *r)
{
    bool data = r->operation == DISK_READ || r->operation == DISK_WRITE;
    uint64_t at = r->offset, sum = 0;

    must(r->operation == DISK_FLUSH || fits(r->offset, r->size, sizeof medium));
    for (unsigned i = 0; data && i < r->iov_count; i++) {
        sum += r->iov[i].iov_len;
        must(sum <= r->size);
        if (r->operation == DISK_READ)
            memmove(r->iov[i].iov_base, medium + at, r->iov[i].iov_len);
        else
            memmove(medium + at, r->iov[i].iov_base, r->iov[i].iov_len);
        at += r->iov[i].iov_len;
    }
    must(!data || sum == r->size);
    if (r->operation == DISK_ZERO)
        memset(medium + r->offset, 0, r->size);
    return mood & 1 ? -EIO : 0;
}

static int disk_submit(void *self, struct disk_request *r)
{
    (void)self;
    if (!(mood & 2) || late_count == LATE_MAX)
        return carry_out(r);
    late[late_count++] = r;
    return -EINPROGRESS;
}

static void disk_complete(void *self, bool wait)
{
    bool backwards = mood & 4;

    (void)self;
    do {
        struct disk_request *now[LATE_MAX];
        unsigned count = late_count;

        memcpy(now, late, sizeof now);
        late_count = 0;
        if (wait)
            mood &= (uint8_t)~2; /* or it would never end */
        for (unsigned i = 0; i < count; i++) {
            struct disk_request *r = now[backwards ? count - 1 - i : i];

            r->done(r->self, carry_out(r));
        }
    } while (wait && late_count > 0);
}

static struct disk memory_disk(bool read_only)
{
    mood = 0;
    late_count = 0;
    memset(medium, 0xd1, sizeof medium);
    return (struct disk){.size = sizeof medium,
                         .read_only = read_only,
                         .can_discard = !read_only,
                         .block_size = 4096,
                         .submit = disk_submit,
                         .complete = disk_complete,
                         .ready_fd = -1};
}

#endif
