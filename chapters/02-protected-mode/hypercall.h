/*
 * hypercall.h: what a guest may ask its hypervisor, by a port.
 *
 * The guest puts a number into RDI, arguments into RSI and RCX, and reads 32 bits from
 * HYPERCALL_PORT; EAX is the answer. IN rather than OUT, because the answer then comes
 * back with the same exit. A guest finds the port in CPUID (identity.h), and ring 3
 * gets #GP, since its kernel gives it no port.
 *
 *     number                RSI              RCX      answer
 *     HYPERCALL_VERSION                               1
 *     HYPERCALL_WRITE       guest-physical   bytes    bytes written, or a -errno
 *     HYPERCALL_CALLS                                 calls so far, modulo 2^31
 *
 * Everything else is -ENOSYS, for ever: that is how a guest finds out what there is.
 */
#ifndef CHAPTER_02_HYPERCALL_H
#define CHAPTER_02_HYPERCALL_H

#include <stddef.h>
#include <stdint.h>

#include "01-kvm-hello/memory.h"

#define HYPERCALL_PORT      0x9eu
#define HYPERCALL_INTERFACE 1u
#define HYPERCALL_WRITE_MAX 4096u

enum hypercall_number { HYPERCALL_VERSION = 0, HYPERCALL_WRITE = 1, HYPERCALL_CALLS = 2 };

struct hypercalls {
    const struct guest_memory *memory;
    void (*sink)(void *self, const uint8_t *bytes, size_t count); /* what is written */
    void *self;
    uint32_t calls;
};

/*
 * Serves one call; the three numbers are the guest's and may be anything. -EINVAL for
 * more bytes than HYPERCALL_WRITE_MAX, -EFAULT for a range that is not guest memory.
 */
int32_t hypercall(struct hypercalls *calls, uint64_t number, uint64_t first, uint64_t second);

#endif
