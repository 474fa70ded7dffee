/*
 * elf.h: ARM programs as files, and as mapped in the guest.
 *
 * elf_check() judges a file's bytes without touching the address space, elf_map()
 * maps what was judged. Everything in the file is believed only after a check: the
 * first wrong field is named in a refusal, and nothing has been mapped then.
 *
 * [GABI, 4 "Object Files"], [AAELF32, "ELF Header"]
 */
#ifndef CHAPTER_06_LINUX_ELF_H
#define CHAPTER_06_LINUX_ELF_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "06-tcg/space.h"
#include "common/refusal.h"

#define ELF_SEGMENTS_MAX 64u

struct elf_segment {
    uint32_t vaddr, memsz;
    uint32_t offset, filesz;
    unsigned prot; /* SPACE_READ... */
};

struct elf_file {
    bool relocatable; /* ET_DYN: goes anywhere */
    bool exec_stack;  /* no PT_GNU_STACK, or one that says so: what is readable is executable */
    uint32_t entry, phdr_vaddr; /* phdr_vaddr: 0 if the headers are in no segment */
    uint16_t phnum;
    uint32_t low, high; /* all segments lie in [low, high), whole pages */
    unsigned segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
    char interpreter[PATH_MAX]; /* PT_INTERP, or "" */
};

/* A mapped file. */
struct elf_image {
    uint32_t base;  /* added to each of the file's addresses */
    uint32_t entry; /* bit 0: Thumb */
    uint32_t phdr, phnum;
    uint32_t end; /* the first page behind it: the heap starts here */
};

/* Reads fd (size bytes) and checks it. 0, or -ENOEXEC (no ARM ELF program, or a
 * broken one) or what read() says, with *why filled. */
int elf_check(struct elf_file *file, int fd, uint64_t size, struct refusal *why);

/*
 * Maps the file's segments, relocated by base (0 for one that is not relocatable).
 * 0, or -ENOMEM with *why: a segment would lie where something is or below
 * SPACE_LOWEST or above limit.
 */
int elf_map(struct space *space, const struct elf_file *file, int fd, uint32_t base, uint32_t limit,
            struct elf_image *image, struct refusal *why);

#endif
