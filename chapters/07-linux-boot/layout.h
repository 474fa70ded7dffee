/*
 * layout.h: the guest's physical address map, every fixed address by name.
 *
 *              0 +---------------------------+
 *                | zero: real-mode vectors,  |  no BIOS has run, so nothing
 *                | BIOS data area            |  is here for Linux to find
 *         0x1000 +---------------------------+
 *                | boot GDT                  |\
 *         0x2000 +---------------------------+ |
 *                | zero page (boot_params)   | |
 *         0x3000 +---------------------------+ |
 *                | PVH's or Multiboot's      | |
 *                | information instead       | |
 *         0x4000 +---------------------------+ |
 *                | random seed (setup_data)  | |
 *         0x5000 +---------------------------+ |
 *                | (free)                    | |  what the loader leaves for
 *         0x8000 +---------------------------+ |  the kernel. Linux takes the
 *                | boot stack, grows down    |  > whole first MiB out of use
 *         0x9000 +---------------------------+ |  early, so all of this lives
 *                | identity page tables:     | |  until it has been copied
 *                | PML4, PDPT, 4 directories | |
 *         0xf000 +---------------------------+ |
 *                | (free)                    | |
 *        0x10000 +---------------------------+ |
 *                | command line, 64 KiB      |/
 *        0x20000 +---------------------------+
 *                | Multiboot's module list   |
 *        0x28000 +---------------------------+
 *                | free RAM; Linux starts    |
 *                | its other processors here |
 *        0x9fc00 +---------------------------+
 *                | EBDA                      |  reserved
 *        0xa0000 +---------------------------+
 *                | video memory, option ROMs |  never offered as RAM
 *        0xe0000 +---------------------------+
 *                | firmware tables, and at   |  reserved
 *                | its end the reset vector  |
 *       0x100000 +---------------------------+
 *                | kernel, then free RAM,    |
 *                | initrd as high as may be  |
 *     end of low +---------------------------+  RAM size, at most 3 GiB
 *                |                           |
 *     0xc0000000 +---------------------------+
 *                | PCI hole: device windows  |
 *     0xfec00000 |   I/O APIC                |  no RAM between 3 and 4 GiB,
 *     0xfee00000 |   local APIC              |  whatever the RAM size
 *     0xfffbc000 |   KVM's own four pages    |
 *    0x100000000 +---------------------------+
 *                | the RAM beyond 3 GiB      |
 *                +---------------------------+
 *
 * The PC is why there is a hole: devices with 32-bit addresses need a place
 * below 4 GiB that no RAM answers for. Ours is a whole GiB, so that both pieces
 * of RAM begin and end where a 1 GiB page may.
 */
#ifndef CHAPTER_07_LAYOUT_H
#define CHAPTER_07_LAYOUT_H

#include <stdint.h>

#include "01-kvm-hello/memory.h"
#include "common/bits.h"

#define LAYOUT_GDT            UINT64_C(0x1000)
#define LAYOUT_ZERO_PAGE      UINT64_C(0x2000)
#define LAYOUT_BOOT_INFO      UINT64_C(0x3000)
#define LAYOUT_BOOT_INFO_SIZE UINT64_C(0x1000)
#define LAYOUT_SETUP_DATA     UINT64_C(0x4000)
#define LAYOUT_STACK_TOP      UINT64_C(0x9000)

#define LAYOUT_PML4           UINT64_C(0x9000)
#define LAYOUT_PDPT           UINT64_C(0xa000)
#define LAYOUT_DIRECTORIES    UINT64_C(0xb000) /* four pages, 1 GiB each */

#define LAYOUT_CMDLINE        UINT64_C(0x10000)
#define LAYOUT_CMDLINE_SIZE   UINT64_C(0x10000) /* with the final NUL */

#define LAYOUT_MODULES        UINT64_C(0x20000)
#define LAYOUT_MODULES_SIZE   UINT64_C(0x8000)

#define LAYOUT_EBDA           UINT64_C(0x9fc00)
#define LAYOUT_VIDEO          UINT64_C(0xa0000)
#define LAYOUT_FIRMWARE       UINT64_C(0xe0000)
#define LAYOUT_RESET          UINT64_C(0xffff0) /* f000:fff0 */
#define LAYOUT_RESET_SIZE     16
#define LAYOUT_HIGH_MEMORY    UINT64_C(0x100000) /* where kernels may begin */

#define LAYOUT_HOLE           UINT64_C(0xc0000000)
#define LAYOUT_IOAPIC         UINT64_C(0xfec00000)
#define LAYOUT_LAPIC          UINT64_C(0xfee00000)
#define LAYOUT_ABOVE_HOLE     UINT64_C(0x100000000)

/* What the loader needs before any kernel: all that lies below 1 MiB. */
#define RAM_SIZE_MIN LAYOUT_HIGH_MEMORY

struct ram_range {
    gpa_t start;
    uint64_t size;
};

/*
 * Where size bytes of RAM go: fills ranges in ascending order and returns how
 * many (1 or 2). size is a multiple of the page size and at least RAM_SIZE_MIN.
 *
 *     struct ram_range ranges[2];
 *     unsigned count = ram_layout(size, ranges);
 *     for (unsigned i = 0; i < count; i++)
 *         vm_add_ram(&vm, ranges[i].start, ranges[i].size);
 */
/* [ram-layout] */
static inline unsigned ram_layout(uint64_t size, struct ram_range ranges[2])
{
    uint64_t low = size < LAYOUT_HOLE ? size : LAYOUT_HOLE;

    ranges[0] = (struct ram_range){.start = 0, .size = low};
    ranges[1] = (struct ram_range){.start = LAYOUT_ABOVE_HOLE, .size = size - low};
    return size > low ? 2 : 1;
}
/* [/ram-layout] */

/* The end of the RAM that starts at 0 (0 if none does). */
static inline uint64_t ram_low_end(const struct guest_memory *memory)
{
    for (unsigned i = 0; i < memory->count; i++)
        if (memory->regions[i].start == 0)
            return memory->regions[i].size;
    return 0;
}

#endif
