/*
 * elf.h: loads an uncompressed kernel, the ELF file "vmlinux".
 */
#ifndef CHAPTER_07_ELF_H
#define CHAPTER_07_ELF_H

#include "01-kvm-hello/memory.h"
#include "07-linux-boot/kernel_image.h"
#include "common/file.h"
#include "common/refusal.h"

/*
 * Reads the file's loadable segments to their physical addresses and fills
 * *kernel. RAM must read as zero where a segment is longer than its bytes in the
 * file. Refuses with "e_FIELD: ..." or "segment N: p_FIELD: what is wrong".
 */
int elf_load(const struct file *file, const struct guest_memory *memory,
             struct kernel_image *kernel, struct refusal *why);

#endif
