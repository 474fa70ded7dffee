/*
 * rom.h: memory that a guest reads and executes like RAM, and cannot write.
 *
 * KVM maps such a slot for reading only. A write becomes KVM_EXIT_MMIO, as if no memory
 * were there; no device claims the address, and the bus forgets the value. What devices
 * write by DMA passes guest_ptr_to_write(), which refuses. [KVM-API, 4.35
 * "KVM_SET_USER_MEMORY_REGION": KVM_MEM_READONLY]
 */
#ifndef CHAPTER_04_ROM_H
#define CHAPTER_04_ROM_H

#include "01-kvm-hello/kvm.h"

/*
 * Puts a copy of bytes at a page-aligned range, size being whole pages. Dies if the host
 * refuses; host.h knows the capability, KVM_CAP_READONLY_MEM.
 */
void rom_add(struct vm *vm, gpa_t start, const void *bytes, uint64_t size);

#endif
