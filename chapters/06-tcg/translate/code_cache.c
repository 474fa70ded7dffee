/*
 * code_cache.c: see code_cache.h.
 *
 * Modifying code that another processor executes is delicate in general. A displacement
 * that lies within eight aligned bytes is the easy case: it is written with one store,
 * and a processor fetches either state of it. [SDM3, 8.1.1 "Guaranteed Atomic
 * Operations"] [SDM3, 8.1.3 "Handling Self- and Cross-Modifying Code"]
 */
#include "06-tcg/translate/code_cache.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* [views] */
/* Maps size bytes of fresh memory twice, at the given addresses if they are not NULL. */
static int map_views(void **write, void **run, size_t size)
{
    int fd = memfd_create("code", MFD_CLOEXEC), error = 0, how = MAP_SHARED;

    if (fd < 0)
        return -errno;
    if (*run)
        how |= MAP_FIXED;
    if (ftruncate(fd, (off_t)size) < 0)
        error = -errno;
    if (!error && (*write = mmap(*write, size, PROT_READ | PROT_WRITE, how, fd, 0)) == MAP_FAILED)
        error = -errno;
    if (!error && (*run = mmap(*run, size, PROT_READ | PROT_EXEC, how, fd, 0)) == MAP_FAILED) {
        error = -errno;
        munmap(*write, size);
    }
    close(fd);
    return error;
}
/* [/views] */

int code_cache_init(struct code_cache *cache, size_t size)
{
    void *write = NULL, *run = NULL;
    int error = map_views(&write, &run, size);

    *cache = (struct code_cache){.code = {.bytes = write, .limit = size}, .run = run};
    return error;
}

int code_cache_renew(struct code_cache *cache)
{
    void *write = cache->code.bytes, *run = cache->run;

    cache->kept = 0;
    code_cache_reset(cache);
    return map_views(&write, &run, cache->code.limit);
}

void code_cache_free(struct code_cache *cache)
{
    munmap(cache->code.bytes, cache->code.limit);
    munmap(cache->run, cache->code.limit);
}

void code_cache_reset(struct code_cache *cache)
{
    cache->code.size = cache->kept;
    cache->code.overflow = false;
}

bool code_cache_holds(const struct code_cache *cache, uint64_t address, size_t *offset)
{
    *offset = address - (uintptr_t)cache->run;
    return *offset < cache->code.limit;
}

void code_cache_patch(struct code_cache *cache, size_t offset, size_t target)
{
    uint32_t *displacement = (uint32_t *)(void *)(cache->code.bytes + offset);

    assert(offset % 8 <= 4);
    __atomic_store_n(displacement, (uint32_t)(target - (offset + 4)), __ATOMIC_RELEASE);
}

/* [compare] */
/* Both are instructions of five bytes: an opcode, and four bytes of displacement or key. */
void code_cache_compare(struct code_cache *cache, size_t offset, uint32_t key)
{
    uint64_t *word = (uint64_t *)(void *)(cache->code.bytes + offset / 8 * 8), bytes = *word;
    uint8_t *insn = (uint8_t *)&bytes + offset % 8;

    assert(offset % 8 <= 3);
    insn[0] = 0x3d; /* CMP eax, imm32 */
    memcpy(insn + 1, &key, sizeof key);
    __atomic_store_n(word, bytes, __ATOMIC_RELEASE);
}
/* [/compare] */
