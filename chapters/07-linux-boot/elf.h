/*
 * elf.h: loads an uncompressed kernel, the ELF file "vmlinux", in two steps: elf_read()
 * looks at the file and checks all that it says, elf_copy() puts it into memory.
 */
#ifndef CHAPTER_07_ELF_H
#define CHAPTER_07_ELF_H

#include <stdbool.h>

#include "01-kvm-hello/memory.h"
#include "07-linux-boot/kernel_image.h"
#include "common/file.h"
#include "common/refusal.h"

/* A vmlinux has about five program headers. This many we hold and compare. */
#define ELF_SEGMENTS_MAX 64u

struct elf_segment {
    unsigned index; /* in the program header table, to name it */
    gpa_t start;
    uint64_t size;      /* in memory */
    uint64_t file_size; /* the part that comes from the file; the rest is zero */
    uint64_t offset;    /* in the file */
};

struct elf {
    bool is_32;
    gpa_t entry;                                   /* e_entry, not yet looked at */
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* to load: in RAM, none overlaps */
    unsigned count;                                /* 1 or more */
    struct elf_segment notes[ELF_SEGMENTS_MAX];    /* PT_NOTEs; in the file, no more is known */
    unsigned note_count;
};

/* Refuses with "e_FIELD: ..." or "segment N: p_FIELD: what is wrong". */
int elf_read(const struct file *file, const struct guest_memory *memory, struct elf *elf,
             struct refusal *why);

/* Are there bytes of the file at this address? Code is, so a segment's zeros are not. */
bool elf_has_code(const struct elf *elf, gpa_t entry);

/* Reads the segments to their addresses, and sets kernel->start and end. */
int elf_copy(const struct file *file, const struct guest_memory *memory, const struct elf *elf,
             struct kernel_image *kernel, struct refusal *why);

/*
 * Both, for a Linux kernel or one that is entered by PVH, and fills *kernel. RAM must read
 * as zero where a segment is longer than its bytes in the file.
 */
int elf_load(const struct file *file, const struct guest_memory *memory,
             struct kernel_image *kernel, struct refusal *why);

#endif
