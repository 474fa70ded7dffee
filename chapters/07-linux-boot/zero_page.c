/*
 * zero_page.c: what the loader knows, said to the kernel.
 *
 *     0x000 +------------------------------+
 *           | screen, APM, EDID, ...: zero |  no BIOS to ask; but see zero_page_screen()
 *     0x1e8 | e820_entries                 |
 *     0x1f1 +------------------------------+
 *           | setup_header, from the       |  the fields marked "write" in the
 *           | kernel itself                |  protocol are ours
 *     0x290 +------------------------------+
 *     0x2d0 | e820_table                   |
 *     0xcd0 +------------------------------+
 *           | disks, as a BIOS saw them    |  zero
 *    0x1000 +------------------------------+
 *
 * Open at hand: [BOOT, "Details of Header Fields"], [ZERO-PAGE]. Fields that only
 * the 16-bit entry reads (heap_end_ptr, setup_move_size) stay as they came.
 *
 * Left out on purpose: other video modes; of the extras that setup_data may list, all but the
 * random seed.
 */
#include "07-linux-boot/zero_page.h"

#include <assert.h>
#include <string.h>

#include "04-devices/text_screen.h"
#include "07-linux-boot/e820.h"
#include "07-linux-boot/layout.h"

#define LOADER_UNDEFINED 0xffu   /* no number has been assigned to us */
#define VIDEO_NORMAL     0xffffu /* [BOOT, "Special Command Line Options"]: vga= */

_Static_assert(sizeof(struct boot_params) == 0x1000, "the zero page");
_Static_assert(offsetof(struct boot_params, e820_entries) == 0x1e8, "e820_entries");
_Static_assert(offsetof(struct boot_params, e820_table) == 0x2d0, "e820_table");

/* [zero-page] */
void zero_page_write(const struct guest_memory *memory, const struct kernel_image *kernel,
                     const struct initrd *initrd, gpa_t setup_data, gpa_t rsdp)
{
    struct boot_params *page = guest_ptr(memory, LAYOUT_ZERO_PAGE, sizeof *page);
    struct setup_header *header;

    assert(page);
    memset(page, 0, sizeof *page);
    memcpy((uint8_t *)page + SETUP_HEADER_START, kernel->header, sizeof kernel->header);

    header = &page->hdr;
    header->type_of_loader = LOADER_UNDEFINED;
    header->vid_mode = VIDEO_NORMAL;
    header->code32_start = (uint32_t)kernel->start;
    header->cmd_line_ptr = LAYOUT_CMDLINE;
    header->ramdisk_image = (uint32_t)initrd->start;
    header->ramdisk_size = (uint32_t)initrd->size;
    header->setup_data = setup_data; /* the file's is a pointer into nowhere */
    page->acpi_rsdp_addr = rsdp;     /* or it searches */

    page->e820_entries = (uint8_t)e820_build(memory, page->e820_table);
}
/* [/zero-page] */

/* What INT 10H would have said of mode 3: that there is a VGA, and a cursor at the top. */
void zero_page_screen(const struct guest_memory *memory)
{
    struct boot_params *page = guest_ptr(memory, LAYOUT_ZERO_PAGE, sizeof *page);

    assert(page);
    page->screen_info = (struct screen_info){.orig_video_mode = 3,
                                             .orig_video_cols = TEXT_COLUMNS,
                                             .orig_video_lines = TEXT_ROWS,
                                             .orig_video_ega_bx = 3, /* 256 KiB */
                                             .orig_video_isVGA = 1,
                                             .orig_video_points = 16};
}
