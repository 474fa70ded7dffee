/*
 * proof.h: what the proofs share. tests/proofs/run says what a proof is.
 *
 * To CBMC a variable without a value has any value: that is how "for all" is said. So
 * these functions return any value, another one at each call.
 */
#ifndef TESTS_PROOF_H
#define TESTS_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define ANY(type, name)                                                                            \
    static inline type name(void)                                                                  \
    {                                                                                              \
        type value;                                                                                \
        return value;                                                                              \
    }

ANY(_Bool, any_bool)
ANY(uint8_t, any_u8)
ANY(uint16_t, any_u16)
ANY(uint32_t, any_u32)
ANY(uint64_t, any_u64)

#define assume(condition)       __CPROVER_assume(condition)
#define prove(condition, words) __CPROVER_assert(condition, words)

/* May size bytes there be read, written? Size 0: nothing is touched. */
#define readable(at, size)  ((size) == 0 || __CPROVER_r_ok(at, size))
#define writable(at, size)  ((size) == 0 || __CPROVER_w_ok(at, size))

#define any_bytes(at, size) __CPROVER_havoc_slice(at, size)

/* Memory of size bytes with anything in it. */
static inline void *any_memory(size_t size)
{
    void *memory = malloc(size);

    assume(memory != NULL);
    return memory;
}

#endif
