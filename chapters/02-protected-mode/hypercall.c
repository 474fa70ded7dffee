/*
 * hypercall.c: see hypercall.h.
 *
 * Left out on purpose: a shared page or a ring for many requests at once. That idea
 * grows into virtio (chapter 5).
 */
#include "02-protected-mode/hypercall.h"

#include <errno.h>

/* [hypercall] */
int32_t hypercall(struct hypercalls *calls, uint64_t number, uint64_t first, uint64_t second)
{
    const uint8_t *bytes;

    calls->calls++;
    switch (number) {
    case HYPERCALL_VERSION: return HYPERCALL_INTERFACE;
    case HYPERCALL_WRITE:
        if (second > HYPERCALL_WRITE_MAX)
            return -EINVAL;
        bytes = guest_ptr(calls->memory, first, second);
        if (!bytes)
            return -EFAULT;
        calls->sink(calls->self, bytes, second);
        return (int32_t)second;
    case HYPERCALL_CALLS: return (int32_t)(calls->calls & INT32_MAX);
    default: return -ENOSYS;
    }
}
/* [/hypercall] */
