/*
 * zero_page.h: struct boot_params, the page that tells a kernel about its machine.
 */
#ifndef CHAPTER_07_ZERO_PAGE_H
#define CHAPTER_07_ZERO_PAGE_H

#include "01-kvm-hello/memory.h"
#include "07-linux-boot/initrd.h"
#include "07-linux-boot/kernel_image.h"

/*
 * Writes it at LAYOUT_ZERO_PAGE, which is RAM. The command line is already there, and so
 * is what setup_data and rsdp point at, or they are 0.
 */
void zero_page_write(const struct guest_memory *memory, const struct kernel_image *kernel,
                     const struct initrd *initrd, gpa_t setup_data, gpa_t rsdp);

/* Once it is written: there is a text screen. */
void zero_page_screen(const struct guest_memory *memory);

#endif
