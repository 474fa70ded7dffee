/*
 * bzimage.c: the kernel file of distributions, loaded by the 64-bit protocol.
 *
 *     file                                            guest-physical
 *     +-----------------------------+ 0
 *     | boot sector                 |
 *     |   0x1f1  struct setup_header| ------------->  zero page
 *     +-----------------------------+ 512
 *     | real-mode setup code,       |
 *     | setup_sects sectors         |  not needed: we enter past real mode
 *     +-----------------------------+ (setup_sects + 1) * 512
 *     | protected-mode part:        | ------------->  pref_address
 *     |   0x000  32-bit entry       |                   | init_size bytes: room
 *     |   0x200  64-bit entry       |                   | to unpack the kernel,
 *     |   decompressor + payload    |                   v its bss, page tables
 *     +-----------------------------+ + syssize * 16
 *     | perhaps a signature         |  ignored
 *     +-----------------------------+
 *
 * Open at hand: [BOOT], "The Real-Mode Kernel Header", "Details of Header Fields"
 * and "64-bit Boot Protocol".
 *
 * Left out on purpose: kernels older than protocol 2.12 (Linux 3.8), which do not
 * promise a 64-bit entry; 32-bit kernels; zImage. And we never load a relocatable
 * kernel elsewhere than it prefers. The protocol would allow it, but Linux's
 * decompressor, entered below pref_address, moves up to it all the same: what
 * does not fit there does not boot, and it is better said here.
 */
#include "07-linux-boot/bzimage.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "07-linux-boot/layout.h"
#include "common/bits.h"

#define SECTOR              512u

#define HEADER_JUMP         0x200u /* an instruction: its opcode, then its distance */
#define HEADER_JUMP_FROM    0x202u /* what the distance counts from: the magic */
#define JUMP_SHORT          0xebu

#define SETUP_SECTS_DEFAULT 4u /* what 0 means */
#define PROTOCOL_2_12       0x020cu
#define PARAGRAPH           16u /* the unit of syssize */
#define ENTRY_64            0x200u

/* Where the last field that we rely on ends. */
#define HEADER_END_MIN (SETUP_HEADER_START + offsetof(struct setup_header, handover_offset))

_Static_assert(SETUP_HEADER_START + sizeof(struct setup_header) <= BZIMAGE_HEAD_SIZE, "head");
_Static_assert(SETUP_HEADER_START + offsetof(struct setup_header, header) == 0x202, "header");
_Static_assert(SETUP_HEADER_START + offsetof(struct setup_header, init_size) == 0x260, "init_size");

static int check_protocol(const struct setup_header *header, struct refusal *why)
{
    if (header->boot_flag != SETUP_BOOT_FLAG)
        return refuse(why, -EINVAL,
                      "setup_header.boot_flag: 0x%04x at offset 0x1fe instead of 0xaa55; "
                      "this is not a Linux kernel",
                      header->boot_flag);
    if (header->header != SETUP_MAGIC)
        return refuse(why, -EINVAL,
                      "setup_header.header: no \"HdrS\" at offset 0x202; "
                      "this is not a Linux kernel, or one older than 1.3.73");
    if (header->version < PROTOCOL_2_12)
        return refuse(why, -EINVAL,
                      "setup_header.version: boot protocol %u.%02u; 64-bit entry needs 2.12 "
                      "(Linux 3.8)",
                      header->version >> 8, header->version & 0xffu);
    if (!(header->loadflags & LOADED_HIGH))
        return refuse(why, -EINVAL,
                      "setup_header.loadflags: LOADED_HIGH is clear; a zImage cannot be loaded");
    if (!(header->xloadflags & XLF_KERNEL_64))
        return refuse(why, -EINVAL,
                      "setup_header.xloadflags: XLF_KERNEL_64 is clear; "
                      "the kernel has no 64-bit entry");
    return 0;
}

/*
 * The header's own length is the distance of the jump over it. One longer than
 * the zero page has room for is cut: what a loader does not know stays unsaid.
 */
static int copy_header(const uint8_t *head, struct kernel_image *kernel, struct refusal *why)
{
    size_t end = HEADER_JUMP_FROM + head[HEADER_JUMP + 1];

    if (head[HEADER_JUMP] != JUMP_SHORT)
        return refuse(why, -EINVAL, "setup_header.jump: 0x%02x is no short jump (0xeb)",
                      head[HEADER_JUMP]);
    if (end < HEADER_END_MIN)
        return refuse(why, -EINVAL,
                      "setup_header.jump: the header ends at 0x%zx, before init_size does", end);
    if (end > SETUP_HEADER_LIMIT)
        end = SETUP_HEADER_LIMIT;

    memset(kernel->header, 0, sizeof kernel->header);
    memcpy(kernel->header, head + SETUP_HEADER_START, end - SETUP_HEADER_START);
    return 0;
}

/* The part to load, as offset and size in the file. */
static int find_image(const struct setup_header *header, uint64_t file_size, uint64_t *offset,
                      uint64_t *size, struct refusal *why)
{
    unsigned sectors = header->setup_sects ? header->setup_sects : SETUP_SECTS_DEFAULT;

    *offset = (uint64_t)(sectors + 1) * SECTOR;
    *size = (uint64_t)header->syssize * PARAGRAPH;
    if (*offset >= file_size)
        return refuse(why, -EINVAL,
                      "setup_header.setup_sects: the kernel proper starts at byte %" PRIu64
                      ", but the file has %" PRIu64,
                      *offset, file_size);
    if (*size <= ENTRY_64)
        return refuse(why, -EINVAL,
                      "setup_header.syssize: %" PRIu64 " bytes leave no room for the 64-bit entry "
                      "at 0x200",
                      *size);
    if (!fits(*offset, *size, file_size))
        return refuse(why, -EINVAL,
                      "setup_header.syssize: bytes %" PRIu64 " to %" PRIu64 " are the kernel, "
                      "but the file has %" PRIu64,
                      *offset, *offset + *size, file_size);
    return 0;
}

/* [place] */
static int place(const struct setup_header *header, uint64_t size, gpa_t ram_end,
                 struct kernel_image *kernel, struct refusal *why)
{
    uint64_t needs = header->init_size > size ? header->init_size : size;
    gpa_t start = header->pref_address;

    if (!is_power_of_two(header->kernel_alignment))
        return refuse(why, -EINVAL, "setup_header.kernel_alignment: 0x%x is no power of two",
                      header->kernel_alignment);
    if (start == 0 && header->relocatable_kernel) /* no preference */
        start = align_up(LAYOUT_HIGH_MEMORY, header->kernel_alignment);
    if (start < LAYOUT_HIGH_MEMORY)
        return refuse(why, -EINVAL, "setup_header.pref_address: 0x%" PRIx64 " is below 1 MiB",
                      start);
    if (!is_aligned(start, header->kernel_alignment))
        return refuse(why, -EINVAL,
                      "setup_header.pref_address: 0x%" PRIx64 " is no multiple of "
                      "kernel_alignment, 0x%x",
                      start, header->kernel_alignment);
    if (start >= ram_end)
        return refuse(why, -EINVAL,
                      "setup_header.pref_address: the kernel belongs at 0x%" PRIx64
                      ", but RAM below 4 GiB ends at 0x%" PRIx64 "; see -m",
                      start, ram_end);
    if (!fits(start, needs, ram_end))
        return refuse(why, -EINVAL,
                      "setup_header.init_size: the kernel needs %" PRIu64 " KiB from 0x%" PRIx64
                      " on, but RAM below 4 GiB ends at 0x%" PRIx64 "; see -m",
                      needs / KIB, start, ram_end);

    kernel->start = start;
    kernel->end = start + needs;
    kernel->entry = start + ENTRY_64;
    return 0;
}
/* [/place] */

int bzimage_load(const struct file *file, const struct guest_memory *memory,
                 struct kernel_image *kernel, struct refusal *why)
{
    uint8_t head[BZIMAGE_HEAD_SIZE];
    struct setup_header header;
    uint64_t offset = 0, size = 0;
    int error;

    if (file->size < sizeof head)
        return refuse(why, -EINVAL, "size: %" PRIu64 " bytes are too few for a Linux kernel",
                      file->size);
    error = file_read(file, 0, head, sizeof head, why);
    if (error < 0)
        return error;
    memcpy(&header, head + SETUP_HEADER_START, sizeof header);

    error = check_protocol(&header, why);
    if (error == 0)
        error = copy_header(head, kernel, why);
    if (error == 0)
        error = find_image(&header, file->size, &offset, &size, why);
    if (error == 0)
        error = place(&header, size, ram_low_end(memory), kernel, why);
    if (error < 0)
        return error;

    kernel->cmdline_max = header.cmdline_size;
    kernel->initrd_last = header.initrd_addr_max;
    return file_read(file, offset, guest_ptr(memory, kernel->start, size), size, why);
}
