/*
 * pvh.h: the boot protocol of Xen's PVH guests, which QEMU and Firecracker speak, too.
 *
 * A kernel says in a note of its ELF file where it wants to be entered: in 32-bit mode,
 * paging off, the address of a struct hvm_start_info in EBX. No header, no real mode, no
 * setup code; FreeBSD, NetBSD, Linux and many small kernels have it.
 *
 *     EBX --> hvm_start_info --+--> command line
 *                              +--> list of modules: the initrd, if there is one
 *                              +--> memory map
 *                              +--> RSDP, and from there all of ACPI
 *
 * [PVH, "x86/HVM direct boot ABI"]; the layouts are those of Xen's public header
 * arch-x86/hvm/start_info.h.
 */
#ifndef CHAPTER_07_PVH_H
#define CHAPTER_07_PVH_H

#include <stdbool.h>

#include "07-linux-boot/elf.h"
#include "07-linux-boot/initrd.h"

#define PVH_START_MAGIC UINT32_C(0x336ec578)

struct pvh_start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, cmdline, rsdp, memory_map; /* addresses; 0: there is none */
    uint32_t memory_map_count, reserved;
};
_Static_assert(sizeof(struct pvh_start_info) == 56, "hvm_start_info of version 1");

struct pvh_module {
    uint64_t start, size, cmdline, reserved;
};
_Static_assert(sizeof(struct pvh_module) == 32, "hvm_modlist_entry");

struct pvh_memory {
    uint64_t start, size;
    uint32_t type, reserved; /* as in the E820 map */
};
_Static_assert(sizeof(struct pvh_memory) == 24, "hvm_memmap_table_entry");

/* Looks through the notes. True: *entry is what the kernel's note says, unchecked. */
bool pvh_find_entry(const struct file *file, const struct elf *elf, gpa_t *entry);

/*
 * Writes it all at LAYOUT_BOOT_INFO, which is RAM, and returns the address for EBX. The
 * command line is at LAYOUT_CMDLINE already.
 */
gpa_t pvh_write(const struct guest_memory *memory, const struct initrd *initrd, gpa_t rsdp);

#endif
