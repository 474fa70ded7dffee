/*
 * code_cache.h: memory for emitted code, written through one address, run through another.
 *
 * No page of ours is ever writable and executable at once. The same memory is mapped
 * twice: once writable, once executable. An attacker who can make us write somewhere
 * still has to find the writable view; and a stray write through a code pointer traps.
 *
 *       write view (rw-)  ---+
 *                            +---> one memfd
 *       run view   (r-x)  ---+
 *
 * Code is only ever appended. When the cache is full everything is thrown away.
 */
#ifndef TCG_TRANSLATE_CODE_CACHE_H
#define TCG_TRANSLATE_CODE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "06-tcg/x86/encode.h"

struct code_cache {
    struct x86_code code; /* offsets count from the start; code.bytes is the write view */
    uint8_t *run;
    size_t kept; /* the beginning, which a reset leaves alone */
};

/* size is a multiple of the page size. 0 or -errno. */
int code_cache_init(struct code_cache *cache, size_t size);
void code_cache_free(struct code_cache *cache);

/*
 * Gives a child process memory of its own, at the same addresses, and empty: after
 * fork() it would write into its parent's code. 0 or -errno.
 */
int code_cache_renew(struct code_cache *cache);

/* Throws away all that was appended after kept. */
void code_cache_reset(struct code_cache *cache);

/* Is this host address code of the cache? If so *offset is its place. */
bool code_cache_holds(const struct code_cache *cache, uint64_t address, size_t *offset);

/*
 * Makes the jump whose displacement is at offset lead to target, while other threads
 * may execute it: they take the old way or the new one.
 */
void code_cache_patch(struct code_cache *cache, size_t offset, size_t target);

/* In the same way makes the long jump at offset a comparison of eax with key. */
void code_cache_compare(struct code_cache *cache, size_t offset, uint32_t key);

#endif
