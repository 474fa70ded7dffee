/*
 * guest.h: a small ARM guest for unit tests: one range of pages with code, one with data.
 *
 *   0x10000  CODE   all rights         0x30000  UNMAPPED: the page after the data
 *   0x20000  DATA   read, write        SP starts at the end of the data
 */
#ifndef TESTS_06_TCG_GUEST_H
#define TESTS_06_TCG_GUEST_H

#include <string.h>

#include "06-tcg/arm/interpret.h"
#include "06-tcg/fault.h"
#include "06-tcg/space.h"
#include "common/bits.h"
#include "harness/harness.h"

#define CODE      0x10000u
#define CODE_SIZE 0x10000u
#define DATA      0x20000u
#define DATA_SIZE 0x10000u
#define UNMAPPED  (DATA + DATA_SIZE)

struct guest {
    struct space space;
    struct arm_cpu cpu;
};

static inline void guest_init(struct guest *guest)
{
    *guest = (struct guest){0};
    ck_assert_int_eq(space_init(&guest->space), 0);
    ck_assert_int_eq(space_map(&guest->space, CODE, CODE_SIZE, SPACE_PROT, false, -1, 0), 0);
    ck_assert_int_eq(
        space_map(&guest->space, DATA, DATA_SIZE, SPACE_READ | SPACE_WRITE, false, -1, 0), 0);
    guest->cpu.space = &guest->space;
    guest->cpu.budget = UINT64_MAX;
    guest->cpu.r[ARM_PC] = CODE;
    guest->cpu.r[ARM_SP] = UNMAPPED;
    fault_install();
}

static inline void guest_free(struct guest *guest)
{
    space_free(&guest->space);
}

static inline void guest_put(struct guest *guest, uint32_t address, uint32_t word)
{
    memcpy(space_at(&guest->space, address), &word, 4);
}

static inline void guest_put_half(struct guest *guest, uint32_t address, uint16_t half)
{
    memcpy(space_at(&guest->space, address), &half, 2);
}

static inline uint32_t guest_word(struct guest *guest, uint32_t address)
{
    uint32_t word;

    memcpy(&word, space_at(&guest->space, address), 4);
    return word;
}

#endif
