/*
 * space.h: the guest's address space, 4 GiB of ours.
 *
 * A 32-bit guest can name 2^32 bytes. We reserve as many addresses of our own
 * process, in one piece, so that a guest address becomes a host pointer by one
 * addition. Where the host's low 4 GiB are free (a position-independent program on
 * x86-64 Linux) the window lies exactly there, the base is 0, and the addition
 * costs nothing. Elsewhere (AddressSanitizer owns the low addresses; a test makes a
 * second space) the kernel chooses the place.
 *
 *   host                                    guest
 *   base + 2^32 + 64 KiB  +-----------+
 *                         |   guard   |     never accessible: a word at 0xfffffffd
 *   base + 2^32           +-----------+     ends in it, and faults
 *                         |  stack .. |     0xffff0000: the kernel's helper page
 *                         |  mmap ..  |
 *                         |  program  |
 *   base + 0x10000        +-----------+     SPACE_LOWEST
 *                         |   null    |     never accessible
 *   base                  +-----------+     0
 *
 * One byte of flags per page says what the guest may do there, and is the judge:
 * the interpreter looks before each access, system calls through space_host().
 * Translated code does not look: the host's page tables carry the same permissions,
 * so a wrong access is a SIGSEGV of ours (fault.h) and becomes the guest's. A page
 * the guest may execute is never executable for the host.
 *
 * Changing the map is serialized by a lock inside; looking at flags takes none, as
 * a processor's walk of the page tables takes none.
 */
#ifndef CHAPTER_06_SPACE_H
#define CHAPTER_06_SPACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SPACE_PAGE_SHIFT 12u
#define SPACE_PAGE_SIZE  (1u << SPACE_PAGE_SHIFT)
#define SPACE_PAGES      (1u << (32 - SPACE_PAGE_SHIFT))
#define SPACE_SIZE       (UINT64_C(1) << 32)
#define SPACE_GUARD      0x10000u
#define SPACE_LOWEST     0x10000u /* Linux's usual vm.mmap_min_addr */

/* A page's flags. */
#define SPACE_READ   0x01u
#define SPACE_WRITE  0x02u
#define SPACE_EXEC   0x04u
#define SPACE_MAPPED 0x08u /* something is there, if only a PROT_NONE mapping */
#define SPACE_CODE   0x10u /* translated code came from here: the host page is read-only */
#define SPACE_SHARED 0x20u /* another process, or another mapping, may write it too */
#define SPACE_PROT   (SPACE_READ | SPACE_WRITE | SPACE_EXEC)

struct space {
    uintptr_t base; /* the host address of guest address 0; often 0 itself */
    uint8_t *flags; /* SPACE_PAGES of them */
    pthread_mutex_t lock;

    /*
     * Told, under the lock, before the contents or the mapping of pages with
     * SPACE_CODE change: [first, last], guest addresses. The translator forgets
     * what it made of them. The flag is gone when this returns.
     */
    void (*code_changes)(void *self, uint32_t first, uint32_t last);
    void *watcher;
};

/* Reserves the window. 0 or -errno (-ENOMEM: RLIMIT_AS is in the way). */
int space_init(struct space *space);
void space_free(struct space *space);

static inline uint8_t space_flags(const struct space *space, uint32_t address)
{
    return __atomic_load_n(&space->flags[address >> SPACE_PAGE_SHIFT], __ATOMIC_RELAXED);
}

/* Where the guest's byte would be; says nothing about whether it may be touched. */
static inline void *space_at(const struct space *space, uint32_t address)
{
    return (void *)(space->base + address);
}

/* May the guest do all of prot to [address, address + size)? An empty range: yes. */
bool space_allows(const struct space *space, uint32_t address, uint64_t size, unsigned prot);

/*
 * The host's view of [address, address + size) for a system call, or NULL if any
 * page of it lacks prot (SPACE_READ, SPACE_WRITE). Before a page with translated
 * code is written, the translator is told. Another thread of the guest may unmap
 * the memory at any time: let only the kernel touch what this returns (it answers
 * EFAULT), or copy with the two functions below.
 */
void *space_host(struct space *space, uint32_t address, uint64_t size, unsigned prot);

/* Copies out of and into the guest. 0 or -EFAULT; then the target is unspecified. */
int space_read(struct space *space, uint32_t address, void *to, size_t size);
int space_write(struct space *space, uint32_t address, const void *from, size_t size);

/* Copies a string with its end. Its length, or -EFAULT, or -ENAMETOOLONG. */
ssize_t space_read_string(struct space *space, uint32_t address, char *to, size_t size);

/*
 * Maps pages, replacing what is there: of the file fd (-1: zeroed memory) from offset
 * on, shared or private. address and size are multiples of the page size. 0 or -errno:
 * -EINVAL (unaligned, empty), -ENOMEM (below SPACE_LOWEST, past 2^32, none left), or
 * what mmap() says.
 */
int space_map(struct space *space, uint32_t address, uint64_t size, unsigned prot, bool shared,
              int fd, off_t offset);
int space_unmap(struct space *space, uint32_t address, uint64_t size);

/* -ENOMEM if a page of the range is not mapped. */
int space_protect(struct space *space, uint32_t address, uint64_t size, unsigned prot);

/* Is any page of the range mapped? Ranges past 2^32 count as mapped. */
bool space_occupied(const struct space *space, uint32_t address, uint64_t size);

/* The highest free range of size bytes in [low, high), or 0. */
uint32_t space_find_free(const struct space *space, uint64_t size, uint64_t low, uint64_t high);

/*
 * mremap(): moves, grows or shrinks. target is used only if fixed. The new address,
 * or -errno (above 2^32 - 4096 as a 64-bit value: test for < 0).
 */
int64_t space_remap(struct space *space, uint32_t address, uint64_t old_size, uint64_t new_size,
                    bool may_move, bool fixed, uint32_t target, uint64_t low, uint64_t high);

/*
 * The translator's: sets SPACE_CODE on every page of the range and takes the host's
 * write permission away, until somebody writes there.
 */
void space_protect_code(struct space *space, uint32_t address, uint64_t size);

#endif
