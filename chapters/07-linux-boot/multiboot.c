/*
 * multiboot.c: finds a Multiboot header, and loads what it describes.
 *
 *     file                                       guest-physical
 *     +------------------+ 0
 *     |                  |
 *     +------------------+ from  --------------> +------------+ load_addr
 *     | code, data       |                       |            |
 *     |   the header     | offset -------------> |            | header_addr
 *     |                  |                       |            |
 *     +------------------+ or the file's end     +............+ load_end_addr
 *                                                | zeros      |
 *                                                +------------+ bss_end_addr
 *
 * What is loaded begins header_addr - load_addr bytes before the header in the file, too.
 * A header without addresses (bit 16 of flags) belongs to an ELF file, which has its own.
 *
 * Open at hand: [MULTIBOOT, 3.1 "OS image format"].
 *
 * Left out on purpose: video modes, and Multiboot 2, which has another header.
 */
#include "07-linux-boot/multiboot.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "07-linux-boot/elf.h"
#include "07-linux-boot/layout.h"
#include "common/bits.h"

#define CMDLINE_MAX (LAYOUT_CMDLINE_SIZE - 1)

#define KNOWN_NEEDS (MULTIBOOT_NEEDS_ALIGNED | MULTIBOOT_NEEDS_MEMORY)

/* What every header has. */
#define HEADER_SHORT offsetof(struct multiboot_header, header_addr)

bool multiboot_find(const struct file *file, uint64_t *offset)
{
    uint8_t head[MULTIBOOT_SEARCH];
    size_t size = file->size < sizeof head ? file->size : sizeof head;
    struct refusal ignored;

    if (file_read(file, 0, head, size, &ignored) < 0)
        return false;
    for (size_t at = 0; fits(at, HEADER_SHORT, size); at += 4) {
        uint32_t words[3];

        memcpy(words, head + at, sizeof words);
        if (words[0] == MULTIBOOT_HEADER_MAGIC && words[0] + words[1] + words[2] == 0) {
            *offset = at;
            return true;
        }
    }
    return false;
}

static int check_needs(uint32_t flags, struct refusal *why)
{
    if (flags & MULTIBOOT_NEEDS_VIDEO)
        return refuse(why, -EINVAL,
                      "multiboot_header.flags: the kernel asks for a video mode, "
                      "and this machine has no screen");
    if (flags & MULTIBOOT_MUST_UNDERSTAND & ~KNOWN_NEEDS)
        return refuse(why, -EINVAL,
                      "multiboot_header.flags: 0x%04x asks for what Multiboot 0.6.96 does not know",
                      flags & MULTIBOOT_MUST_UNDERSTAND);
    return 0;
}

/* Where what is loaded lies in the file, and how far it reaches in memory. */
struct span {
    uint64_t from, size;
    gpa_t start, end;
};

static int find_span(const struct multiboot_header *h, uint64_t offset, uint64_t file_size,
                     struct span *span, struct refusal *why)
{
    uint64_t before = (uint64_t)h->header_addr - h->load_addr;

    if (h->header_addr < h->load_addr)
        return refuse(why, -EINVAL, "multiboot_header.header_addr: 0x%x is before load_addr, 0x%x",
                      h->header_addr, h->load_addr);
    if (before > offset)
        return refuse(why, -EINVAL,
                      "multiboot_header.load_addr: 0x%x would begin before the file does",
                      h->load_addr);
    if (h->load_end_addr != 0 && h->load_end_addr <= h->load_addr)
        return refuse(why, -EINVAL,
                      "multiboot_header.load_end_addr: 0x%x is not beyond load_addr, 0x%x",
                      h->load_end_addr, h->load_addr);
    span->from = offset - before;
    span->start = h->load_addr;
    span->size = h->load_end_addr ? h->load_end_addr - h->load_addr : file_size - span->from;
    span->end = span->start + span->size;
    if (!fits(span->from, span->size, file_size))
        return refuse(why, -EINVAL,
                      "multiboot_header.load_end_addr: %" PRIu64 " bytes at offset %" PRIu64
                      " reach beyond the file's %" PRIu64,
                      span->size, span->from, file_size);
    if (h->bss_end_addr != 0 && h->bss_end_addr < span->end)
        return refuse(why, -EINVAL,
                      "multiboot_header.bss_end_addr: 0x%x is before load_end_addr, 0x%" PRIx64,
                      h->bss_end_addr, span->end);
    if (h->bss_end_addr != 0)
        span->end = h->bss_end_addr;
    return 0;
}

static int check_place(const struct multiboot_header *h, const struct span *span, gpa_t ram_end,
                       struct refusal *why)
{
    if (span->start < LAYOUT_HIGH_MEMORY)
        return refuse(why, -EINVAL,
                      "multiboot_header.load_addr: 0x%x is below 1 MiB, where the boot structures "
                      "are",
                      h->load_addr);
    if (span->end > ram_end)
        return refuse(why, -EINVAL,
                      "multiboot_header.bss_end_addr: the kernel ends at 0x%" PRIx64
                      ", but RAM below 4 GiB at 0x%" PRIx64 "; see -m",
                      span->end, ram_end);
    if (h->entry_addr < span->start || h->entry_addr - span->start >= span->size)
        return refuse(why, -EINVAL, "multiboot_header.entry_addr: 0x%x is not in what is loaded",
                      h->entry_addr);
    return 0;
}

static int load_flat(const struct file *file, uint64_t offset, const struct multiboot_header *h,
                     const struct guest_memory *memory, struct kernel_image *kernel,
                     struct refusal *why)
{
    struct span span = {.size = 0};
    int error = find_span(h, offset, file->size, &span, why);

    if (error == 0)
        error = check_place(h, &span, ram_low_end(memory), why);
    if (error < 0)
        return error;
    kernel->start = span.start;
    kernel->end = span.end;
    kernel->entry = h->entry_addr;
    return file_read(file, span.from, guest_ptr(memory, span.start, span.size), span.size, why);
}

static int load_elf(const struct file *file, const struct guest_memory *memory,
                    struct kernel_image *kernel, struct refusal *why)
{
    struct elf elf;
    int error = elf_read(file, memory, &elf, why);

    if (error < 0)
        return error;
    if (!elf_has_code(&elf, elf.entry))
        return refuse(why, -EINVAL, "e_entry: 0x%" PRIx64 " is in no loaded segment", elf.entry);
    kernel->entry = elf.entry;
    return elf_copy(file, memory, &elf, kernel, why);
}

int multiboot_load(const struct file *file, uint64_t offset, const struct guest_memory *memory,
                   struct kernel_image *kernel, struct refusal *why)
{
    struct multiboot_header header = {.magic = 0};
    int error = file_read(file, offset, &header, HEADER_SHORT, why);

    if (error == 0)
        error = check_needs(header.flags, why);
    if (error < 0)
        return error;
    *kernel = (struct kernel_image){.protocol = BOOT_MULTIBOOT, .cmdline_max = CMDLINE_MAX};
    if (!(header.flags & MULTIBOOT_HAS_ADDRESSES))
        return load_elf(file, memory, kernel, why);
    if (!fits(offset, sizeof header, file->size) || offset + sizeof header > MULTIBOOT_SEARCH)
        return refuse(why, -EINVAL,
                      "multiboot_header: at offset %" PRIu64 " it does not end within the first "
                      "8192 bytes of the file",
                      offset);
    error = file_read(file, offset, &header, sizeof header, why);
    return error < 0 ? error : load_flat(file, offset, &header, memory, kernel, why);
}
