/*
 * multiboot.h: the boot protocol of GRUB's first version, which small kernels like.
 *
 * The kernel has a header of its own among its first 8 KiB, which says where it goes, or
 * that it is an ELF file and says so itself. It is entered in 32-bit mode, paging off,
 * a magic number in EAX and the address of a struct multiboot_info in EBX. It may be
 * given modules: files, each with a line of text, that the loader puts into memory.
 *
 *     EBX --> multiboot_info --+--> command line: the kernel's name, then -append
 *                              +--> list of modules --> name and arguments of each
 *                              +--> memory map
 *
 *     -initrd "shell,config -v"     two modules; the second's text is "config -v"
 *
 * As with QEMU's -initrd, a comma in a file's name is written twice.
 * [MULTIBOOT, 3 "The Specification"]
 */
#ifndef CHAPTER_07_MULTIBOOT_H
#define CHAPTER_07_MULTIBOOT_H

#include <stdbool.h>

#include "01-kvm-hello/memory.h"
#include "07-linux-boot/kernel_image.h"
#include "common/file.h"
#include "common/refusal.h"

#define MULTIBOOT_SEARCH       8192u /* the header ends within so many bytes */
#define MULTIBOOT_HEADER_MAGIC UINT32_C(0x1badb002)
#define MULTIBOOT_LOADER_MAGIC UINT32_C(0x2badb002) /* in EAX */
#define MULTIBOOT_MODULES_MAX  32u

/* [MULTIBOOT, 3.1.1 "The layout of Multiboot header"], without the video mode */
struct multiboot_header {
    uint32_t magic, flags, checksum; /* their sum is 0 */
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;
};
_Static_assert(sizeof(struct multiboot_header) == 32, "Multiboot header");

#define MULTIBOOT_NEEDS_ALIGNED   0x00000001u /* modules begin on pages: ours all do */
#define MULTIBOOT_NEEDS_MEMORY    0x00000002u /* the amount of memory: always told */
#define MULTIBOOT_NEEDS_VIDEO     0x00000004u
#define MULTIBOOT_MUST_UNDERSTAND 0x0000ffffu
#define MULTIBOOT_HAS_ADDRESSES   0x00010000u /* header_addr to entry_addr count */

/* [MULTIBOOT, 3.3 "Boot information format"], as far as we fill it in */
struct multiboot_info {
    uint32_t flags;
    uint32_t mem_lower, mem_upper; /* KiB below 640 KiB, and from 1 MiB on */
    uint32_t boot_device, cmdline;
    uint32_t mods_count, mods_addr;
    uint32_t syms[4];
    uint32_t mmap_length, mmap_addr;
    uint32_t drives_length, drives_addr, config_table, boot_loader_name, apm_table;
    uint32_t vbe[4];
};
_Static_assert(sizeof(struct multiboot_info) == 88, "Multiboot information");

#define MULTIBOOT_INFO_MEMORY  0x001u
#define MULTIBOOT_INFO_CMDLINE 0x004u
#define MULTIBOOT_INFO_MODULES 0x008u
#define MULTIBOOT_INFO_MMAP    0x040u
#define MULTIBOOT_INFO_LOADER  0x200u

struct multiboot_module {
    uint32_t start, end, text, reserved;
};

struct __attribute__((packed)) multiboot_memory {
    uint32_t size; /* of what follows: 20 */
    uint64_t start, length;
    uint32_t type; /* as in the E820 map */
};
_Static_assert(sizeof(struct multiboot_memory) == 24, "an entry of the memory map");

/* Has the file a header, and where? One with a wrong checksum is none. */
bool multiboot_find(const struct file *file, uint64_t *offset);

/*
 * Loads the kernel whose header is at offset, and fills *kernel. RAM must read as zero.
 * Refuses with "multiboot_header.FIELD: ...", or as elf.h does.
 */
int multiboot_load(const struct file *file, uint64_t offset, const struct guest_memory *memory,
                   struct kernel_image *kernel, struct refusal *why);

/*
 * Loads the modules that list names (NULL: none), behind the kernel, and writes the
 * information at LAYOUT_BOOT_INFO; *info is the address for EBX. The command line is at
 * LAYOUT_CMDLINE already. Refuses with "FILE: ..." or "-initrd: ...".
 */
int multiboot_write(const struct guest_memory *memory, const struct kernel_image *kernel,
                    const char *list, gpa_t *info, struct refusal *why);

#endif
