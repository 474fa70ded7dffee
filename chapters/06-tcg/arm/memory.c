/*
 * memory.c: the interpreter's loads, stores and fetches. See memory.h.
 *
 * An access touches one page or, if it is not aligned, perhaps two. The common one
 * costs a look at one byte of flags. Pages from which code was translated go the
 * slow way when written, because somebody has to be told (space.h).
 */
#include <string.h>

#include "06-tcg/arm/memory.h"
#include "06-tcg/space.h"

static bool fault(struct arm_stop *stop, uint32_t address, enum arm_access access, bool unaligned)
{
    *stop = (struct arm_stop){
        .reason = ARM_FAULT, .address = address, .access = access, .unaligned = unaligned};
    return false;
}

bool memory_aligned(uint32_t address, unsigned size, enum arm_access access, struct arm_stop *stop)
{
    return address % size == 0 || fault(stop, address, access, true);
}

/* Has each page one of the flags? The bytes lie in one page and perhaps in the next. */
static bool allowed(const struct arm_cpu *cpu, uint32_t address, unsigned size, unsigned flags,
                    enum arm_access access, struct arm_stop *stop)
{
    uint32_t last = address + size - 1; /* may have wrapped to page 0 */

    if (!(space_flags(cpu->space, address) & flags))
        return fault(stop, address, access, false);
    if (!(space_flags(cpu->space, last) & flags))
        return fault(stop, last & ~(SPACE_PAGE_SIZE - 1), access, false);
    return true;
}

static uint64_t load_host(const void *host, uint32_t address, unsigned size)
{
    uint64_t value = 0;

    if (address % size) {
        memcpy(&value, host, size);
        return value;
    }
    switch (size) {
    case 1: return __atomic_load_n((const uint8_t *)host, __ATOMIC_RELAXED);
    case 2: return __atomic_load_n((const uint16_t *)host, __ATOMIC_RELAXED);
    case 4: return __atomic_load_n((const uint32_t *)host, __ATOMIC_RELAXED);
    default: return __atomic_load_n((const uint64_t *)host, __ATOMIC_RELAXED);
    }
}

static void store_host(void *host, uint32_t address, unsigned size, uint64_t value)
{
    if (address % size) {
        memcpy(host, &value, size);
        return;
    }
    switch (size) {
    case 1: __atomic_store_n((uint8_t *)host, (uint8_t)value, __ATOMIC_RELAXED); break;
    case 2: __atomic_store_n((uint16_t *)host, (uint16_t)value, __ATOMIC_RELAXED); break;
    case 4: __atomic_store_n((uint32_t *)host, (uint32_t)value, __ATOMIC_RELAXED); break;
    default: __atomic_store_n((uint64_t *)host, value, __ATOMIC_RELAXED); break;
    }
}

/* ARM's page tables cannot forbid reading only: what may be written or run is readable. */
bool memory_load(const struct arm_cpu *cpu, uint32_t address, unsigned size, uint64_t *value,
                 struct arm_stop *stop)
{
    if (!allowed(cpu, address, size, SPACE_PROT, ARM_READ, stop))
        return cpu->io && cpu->io->load(cpu->io->self, address, size, value);
    *value = load_host(space_at(cpu->space, address), address, size);
    return true;
}

/* Both pages of an access can hold translated code; a wrapped one was refused before. */
bool memory_store(const struct arm_cpu *cpu, uint32_t address, unsigned size, uint64_t value,
                  struct arm_stop *stop)
{
    uint32_t last = address + size - 1;
    unsigned flags;

    if (!allowed(cpu, address, size, SPACE_WRITE, ARM_WRITE, stop))
        return cpu->io && cpu->io->store(cpu->io->self, address, size, value);
    flags = space_flags(cpu->space, address) | space_flags(cpu->space, last);
    if ((flags & SPACE_CODE) && !space_host(cpu->space, address, size, SPACE_WRITE))
        return fault(stop, address, ARM_WRITE, false); /* unmapped this very moment */
    store_host(space_at(cpu->space, address), address, size, value);
    return true;
}

bool memory_fetch(const struct arm_cpu *cpu, uint32_t address, unsigned size, uint32_t *value,
                  struct arm_stop *stop)
{
    if (!allowed(cpu, address, size, SPACE_EXEC, ARM_EXECUTE, stop))
        return false;
    *value = (uint32_t)load_host(space_at(cpu->space, address), address, size);
    return true;
}

void *memory_atomic(const struct arm_cpu *cpu, uint32_t address, unsigned size,
                    struct arm_stop *stop)
{
    if (!allowed(cpu, address, size, SPACE_PROT, ARM_READ, stop) ||
        !allowed(cpu, address, size, SPACE_WRITE, ARM_WRITE, stop))
        return NULL;
    if ((space_flags(cpu->space, address) & SPACE_CODE) &&
        !space_host(cpu->space, address, size, SPACE_WRITE)) {
        fault(stop, address, ARM_WRITE, false);
        return NULL;
    }
    return space_at(cpu->space, address);
}
