/*
 * bits.h: fields of registers and sizes of memory.
 *
 * Manuals name a field by its highest and lowest bit; so does bits(). All
 * arithmetic is on 64-bit unsigned values; nothing here can overflow silently.
 */
#ifndef COMMON_BITS_H
#define COMMON_BITS_H

#include <stdbool.h>
#include <stdint.h>

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* Bit n, for n in 0..63. */
#define BIT(n) (UINT64_C(1) << (n))

/* How many elements an array (not a pointer) has. */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The field value[high:low], moved down to bit 0. 63 >= high >= low. */
static inline uint64_t bits(uint64_t value, unsigned high, unsigned low)
{
    return (value >> low) & (~UINT64_C(0) >> (63 - (high - low)));
}

/* Is value a power of two? Zero is not. */
static inline bool is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static inline bool is_aligned(uint64_t value, uint64_t power)
{
    return (value & (power - 1)) == 0;
}

static inline uint64_t align_down(uint64_t value, uint64_t power)
{
    return value & ~(power - 1);
}

/* Rounds up to a power of two. The caller has checked that value + power fits. */
static inline uint64_t align_up(uint64_t value, uint64_t power)
{
    return align_down(value + power - 1, power);
}

/* Does [start, start + size) lie within [0, limit)? Safe for every input. */
static inline bool fits(uint64_t start, uint64_t size, uint64_t limit)
{
    return start <= limit && size <= limit - start;
}

#endif
