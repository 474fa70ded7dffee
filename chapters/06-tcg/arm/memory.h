/*
 * memory.h: one access of the interpreter to the guest's memory.
 *
 * Every byte's page is looked up in the flags of cpu->space before it is touched,
 * so a wild pointer becomes a stop and never a host fault. Where the flags say no,
 * cpu->io is asked before it is a fault: a board has its devices there. Addresses wrap at 2^32:
 * the byte after 0xffffffff is the one at 0, where nothing is ever mapped.
 *
 * Alignment is that of ARMv7 with strict checking off, which is what programs meet
 * on Linux and under qemu-arm: one word or halfword may lie anywhere; pairs, lists
 * and atomic accesses are the caller's to check. The rotated loads of ARMv5 and its
 * predecessors are not modelled. [ARM-ARM, A3.2.1 "Unaligned data access"]
 */
#ifndef TCG_ARM_MEMORY_H
#define TCG_ARM_MEMORY_H

#include "06-tcg/arm/cpu.h"
#include "06-tcg/arm/stop.h"

/*
 * size is 1, 2, 4 or 8. An aligned access is one access of the host's, so other
 * threads of the guest never see half of it. False: *stop is an ARM_FAULT at the
 * first byte that may not be accessed.
 */
bool memory_load(const struct arm_cpu *cpu, uint32_t address, unsigned size, uint64_t *value,
                 struct arm_stop *stop);
bool memory_store(const struct arm_cpu *cpu, uint32_t address, unsigned size, uint64_t value,
                  struct arm_stop *stop);

/* The same for an instruction of 2 or 4 bytes, for which pages need SPACE_EXEC. */
bool memory_fetch(const struct arm_cpu *cpu, uint32_t address, unsigned size, uint32_t *value,
                  struct arm_stop *stop);

/*
 * Where an atomic access of an aligned location may read and write, or NULL with
 * *stop filled. Alignment has been checked.
 */
void *memory_atomic(const struct arm_cpu *cpu, uint32_t address, unsigned size,
                    struct arm_stop *stop);

/* Is the address a multiple of size? If not *stop is an ARM_FAULT. */
bool memory_aligned(uint32_t address, unsigned size, enum arm_access access, struct arm_stop *stop);

#endif
