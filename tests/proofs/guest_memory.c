/*
 * proof: a pointer into guest memory never leaves its region
 * bound: none on addresses and lengths; up to 2 regions below 2^40 bytes each
 * sources: chapters/01-kvm-hello/memory.c
 * cbmc: --unwind 3
 *
 * Everything a guest names by address passes through guest_ptr(). Whatever the regions
 * are, and whatever 64-bit start and length a guest gives: the range lies in one region,
 * at the right place, or the answer is NULL; and nobody gets read-only memory to write.
 */
#include "01-kvm-hello/memory.h"
#include "common/bits.h"
#include "proof.h"

static struct guest_memory any_guest(void)
{
    struct guest_memory memory = {.count = any_u8()};

    assume(memory.count <= 2);
    for (unsigned i = 0; i < memory.count; i++) {
        struct guest_region *region = &memory.regions[i];

        *region = (struct guest_region){any_u64(), any_u64(), NULL, any_bool()};
        assume(region->size > 0 && region->size < BIT(40));
        assume(fits(region->start, region->size, UINT64_MAX));
        region->host = any_memory(region->size);
        for (unsigned j = 0; j < i; j++)
            assume(region->start + region->size <= memory.regions[j].start ||
                   memory.regions[j].start + memory.regions[j].size <= region->start);
    }
    return memory;
}

int main(void)
{
    struct guest_memory memory = any_guest();
    gpa_t start = any_u64();
    uint64_t length = any_u64();
    uint8_t *read = guest_ptr(&memory, start, length);
    uint8_t *write = guest_ptr_to_write(&memory, start, length);

    prove(!read || readable(read, length), "all of the range is memory");
    prove(!write || write == read, "what may be written may be read, at the same place");
    for (unsigned i = 0; i < memory.count; i++) {
        const struct guest_region *region = &memory.regions[i];

        if (read && length > 0 && start >= region->start && start - region->start < region->size) {
            prove(read == region->host + (start - region->start), "the place is the right one");
            prove(!write || !region->read_only, "read-only memory is not written");
        }
    }
}
