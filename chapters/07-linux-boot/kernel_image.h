/*
 * kernel_image.h: what a loaded kernel tells the rest of the boot.
 *
 * bzimage.c, elf.c and multiboot.c read quite different files, yet leave the same facts
 * behind: which memory the kernel owns, where and how it is entered, what it accepts.
 */
#ifndef CHAPTER_07_KERNEL_IMAGE_H
#define CHAPTER_07_KERNEL_IMAGE_H

#include <stddef.h>
#include <asm/bootparam.h>

#include "01-kvm-hello/memory.h"

/*
 * The setup header sits at the same offset in a bzImage and in the zero page,
 * and there it has room up to the next field, more than any version yet uses.
 * [BOOT, "The kernel_info"]
 */
#define SETUP_HEADER_START 0x1f1u
#define SETUP_HEADER_LIMIT 0x290u
#define SETUP_HEADER_ROOM  (SETUP_HEADER_LIMIT - SETUP_HEADER_START)

_Static_assert(offsetof(struct boot_params, hdr) == SETUP_HEADER_START, "boot_params.hdr");
_Static_assert(offsetof(struct boot_params, edd_mbr_sig_buffer) == SETUP_HEADER_LIMIT,
               "the field behind boot_params.hdr");

/* [BOOT, "Details of Header Fields"]: boot_flag and header */
#define SETUP_BOOT_FLAG 0xaa55u
#define SETUP_MAGIC     0x53726448u /* "HdrS" */

/* Three agreements on how a kernel starts, and on how it is told of its machine. */
enum boot_protocol {
    BOOT_LINUX_64,  /* in 64-bit mode, by the zero page (zero_page.h) */
    BOOT_PVH,       /* in 32-bit mode, by hvm_start_info (pvh.h) */
    BOOT_MULTIBOOT, /* in 32-bit mode, by multiboot_info (multiboot.h) */
};

struct kernel_image {
    enum boot_protocol protocol;
    gpa_t start, end;     /* [start, end) is the kernel's until it has booted */
    gpa_t entry;          /* its first instruction */
    uint64_t cmdline_max; /* characters, without the final NUL */
    uint64_t initrd_last; /* the last address that a byte of the initrd may have */

    /* BOOT_LINUX_64: a struct setup_header, or the longer one of a newer kernel, as the
     * kernel has it. zero_page.c adds what the loader must say. */
    uint8_t header[SETUP_HEADER_ROOM];
};

#endif
