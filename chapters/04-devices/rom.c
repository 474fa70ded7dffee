/*
 * rom.c: see rom.h. Left out on purpose: flash memory, which is a ROM until a driver
 * writes a command to it, and then a device.
 */
#define _GNU_SOURCE
#include "04-devices/rom.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/die.h"

void rom_add(struct vm *vm, gpa_t start, const void *bytes, uint64_t size)
{
    int error = guest_memory_add(&vm->memory, start, size);

    if (error < 0)
        die("cannot reserve %llu bytes for a ROM: %s", (unsigned long long)size, strerror(-error));

    unsigned slot = vm->memory.count - 1;
    struct guest_region *region = &vm->memory.regions[slot];
    struct kvm_userspace_memory_region rom = {
        .slot = slot,
        .flags = KVM_MEM_READONLY,
        .guest_phys_addr = start,
        .memory_size = size,
        .userspace_addr = (uintptr_t)region->host,
    };

    memcpy(region->host, bytes, size);
    region->read_only = true;
    if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &rom) < 0)
        die("KVM_SET_USER_MEMORY_REGION failed for a ROM: %s", strerror(errno));
}
