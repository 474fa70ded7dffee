/*
 * initrd.h: finds a place for the initial RAM disk and reads it there.
 */
#ifndef CHAPTER_07_INITRD_H
#define CHAPTER_07_INITRD_H

#include <stdbool.h>

#include "01-kvm-hello/memory.h"
#include "07-linux-boot/kernel_image.h"
#include "common/file.h"
#include "common/refusal.h"

struct initrd {
    gpa_t start;   /* page aligned; 0 if there is none */
    uint64_t size; /* bytes; 0 if there is none */
};

/*
 * The highest page-aligned place for size bytes that the kernel can reach, does
 * not use itself, and that is RAM. False if there is none.
 */
bool initrd_place(uint64_t size, gpa_t ram_end, const struct kernel_image *kernel, gpa_t *start);

/* Reads the file to that place. An empty file is like no initrd at all. */
int initrd_load(const struct file *file, const struct guest_memory *memory,
                const struct kernel_image *kernel, struct initrd *initrd, struct refusal *why);

#endif
