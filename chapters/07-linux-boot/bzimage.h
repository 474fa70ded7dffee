/*
 * bzimage.h: loads a bzImage, the form in which distributions ship their kernel.
 */
#ifndef CHAPTER_07_BZIMAGE_H
#define CHAPTER_07_BZIMAGE_H

#include "01-kvm-hello/memory.h"
#include "07-linux-boot/kernel_image.h"
#include "common/file.h"
#include "common/refusal.h"

/* The file's first bytes, enough for the whole header: two sectors. */
#define BZIMAGE_HEAD_SIZE 1024u

/*
 * Reads the kernel's protected-mode part into RAM and fills *kernel. Refuses
 * with "setup_header.FIELD: what is wrong" whatever the 64-bit protocol cannot
 * start, or RAM cannot hold, before it writes anything.
 */
int bzimage_load(const struct file *file, const struct guest_memory *memory,
                 struct kernel_image *kernel, struct refusal *why);

#endif
