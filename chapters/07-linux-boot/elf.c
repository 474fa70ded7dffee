/*
 * elf.c: a kernel that was never packed, loaded segment by segment.
 *
 *     file                              guest-physical
 *     +---------------------+ 0
 *     | Elf64_Ehdr          |  e_entry: a physical address, for kernels
 *     +---------------------+ e_phoff
 *     | Elf64_Phdr, e_phnum |
 *     +---------------------+ p_offset        +------------+ p_paddr
 *     | a segment's bytes   | ------------->  | p_filesz   |
 *     +---------------------+                 +............+
 *     | sections, symbols:  |                 | zeros      |
 *     | never looked at     |                 +------------+ p_paddr + p_memsz
 *     +---------------------+
 *
 * Linux's vmlinux is linked at virtual addresses near the top of 2^64 but entered
 * at a physical one, with paging on, the kernel mapped to itself and RSI pointing
 * to the zero page: the same contract as a bzImage's 64-bit entry, whose last act
 * is this very jump. It saves the guest unpacking itself, and loses it the random
 * load address that the unpacker picks.
 *
 * Open at hand: [GABI], chapter 4 "Object Files" and chapter 5 "Program Loading and
 * Dynamic Linking". Left out on purpose: other entry points that a PT_NOTE may name
 * (PVH), sections, dynamic linking, 32-bit files.
 */
#include "07-linux-boot/elf.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "07-linux-boot/layout.h"
#include "common/bits.h"

/* A vmlinux has about five segments. This many we hold and compare. */
#define SEGMENTS_MAX 64u

/* What Linux takes on x86, as a bzImage's header would say it. */
#define CMDLINE_MAX     2047u
#define INITRD_LAST     0x7fffffffu
#define HEADER_PROTOCOL 0x020cu

struct segment {
    unsigned index; /* in the program header table, to name it */
    gpa_t start;
    uint64_t size;      /* in memory */
    uint64_t file_size; /* the part that comes from the file; the rest is zero */
    uint64_t offset;
};

struct segments {
    struct segment list[SEGMENTS_MAX];
    unsigned count;
};

static int check_header(const Elf64_Ehdr *header, uint64_t file_size, struct refusal *why)
{
    const uint8_t *ident = header->e_ident;
    uint64_t table_size = (uint64_t)header->e_phnum * sizeof(Elf64_Phdr);

    if (ident[EI_CLASS] != ELFCLASS64)
        return refuse(why, -EINVAL, "e_ident[EI_CLASS]: %u; only 64-bit kernels (2) can be loaded",
                      ident[EI_CLASS]);
    if (ident[EI_DATA] != ELFDATA2LSB)
        return refuse(why, -EINVAL, "e_ident[EI_DATA]: %u; x86 kernels are little-endian (1)",
                      ident[EI_DATA]);
    if (ident[EI_VERSION] != EV_CURRENT)
        return refuse(why, -EINVAL, "e_ident[EI_VERSION]: %u instead of 1", ident[EI_VERSION]);
    if (header->e_machine != EM_X86_64)
        return refuse(why, -EINVAL, "e_machine: %u; this is no x86-64 (62) kernel",
                      header->e_machine);
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return refuse(why, -EINVAL, "e_type: %u; only executables (2, 3) can be loaded",
                      header->e_type);
    if (header->e_phentsize != sizeof(Elf64_Phdr))
        return refuse(why, -EINVAL, "e_phentsize: %u instead of %zu", header->e_phentsize,
                      sizeof(Elf64_Phdr));
    if (header->e_phnum == 0 || header->e_phnum > SEGMENTS_MAX)
        return refuse(why, -EINVAL, "e_phnum: %u program headers; 1 to %u can be loaded",
                      header->e_phnum, SEGMENTS_MAX);
    if (!fits(header->e_phoff, table_size, file_size))
        return refuse(why, -EINVAL,
                      "e_phoff: the program headers, %" PRIu64 " bytes at 0x%" PRIx64
                      ", reach beyond the file's %" PRIu64,
                      table_size, (uint64_t)header->e_phoff, file_size);
    return 0;
}

static int check_segment(const struct segment *segment, uint64_t file_size, gpa_t ram_end,
                         struct refusal *why)
{
    if (!fits(segment->offset, segment->file_size, file_size))
        return refuse(why, -EINVAL,
                      "segment %u: p_filesz: 0x%" PRIx64 " bytes at offset 0x%" PRIx64
                      " reach beyond the file's 0x%" PRIx64,
                      segment->index, segment->file_size, segment->offset, file_size);
    if (segment->file_size > segment->size)
        return refuse(why, -EINVAL,
                      "segment %u: p_memsz: 0x%" PRIx64 " is less than p_filesz, 0x%" PRIx64,
                      segment->index, segment->size, segment->file_size);
    if (segment->start < LAYOUT_HIGH_MEMORY)
        return refuse(why, -EINVAL,
                      "segment %u: p_paddr: 0x%" PRIx64 " is below 1 MiB, where the boot "
                      "structures are",
                      segment->index, segment->start);
    if (segment->start >= ram_end)
        return refuse(why, -EINVAL,
                      "segment %u: p_paddr: 0x%" PRIx64 ", but RAM below 4 GiB ends at 0x%" PRIx64
                      "; see -m",
                      segment->index, segment->start, ram_end);
    if (!fits(segment->start, segment->size, ram_end))
        return refuse(why, -EINVAL,
                      "segment %u: p_memsz: 0x%" PRIx64 " bytes from 0x%" PRIx64
                      " on, but RAM below "
                      "4 GiB ends at 0x%" PRIx64 "; see -m",
                      segment->index, segment->size, segment->start, ram_end);
    return 0;
}

static int check_overlap(const struct segments *segments, const struct segment *added,
                         struct refusal *why)
{
    for (unsigned i = 0; i < segments->count; i++) {
        const struct segment *other = &segments->list[i];

        if (added->start < other->start + other->size && other->start < added->start + added->size)
            return refuse(why, -EINVAL, "segment %u: p_paddr: 0x%" PRIx64 " overlaps segment %u",
                          added->index, added->start, other->index);
    }
    return 0;
}

/* Collects the segments to load, each checked against file, RAM and the others. */
static int find_segments(const struct file *file, const Elf64_Ehdr *header, gpa_t ram_end,
                         struct segments *segments, struct refusal *why)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr entry;
        struct segment segment;
        int error = file_read(file, header->e_phoff + i * sizeof entry, &entry, sizeof entry, why);

        if (error < 0)
            return error;
        if (entry.p_type != PT_LOAD || (entry.p_memsz | entry.p_filesz) == 0)
            continue;
        segment = (struct segment){
            .index = i,
            .start = entry.p_paddr,
            .size = entry.p_memsz,
            .file_size = entry.p_filesz,
            .offset = entry.p_offset,
        };
        error = check_segment(&segment, file->size, ram_end, why);
        if (error == 0)
            error = check_overlap(segments, &segment, why);
        if (error < 0)
            return error;
        segments->list[segments->count++] = segment;
    }
    if (segments->count == 0)
        return refuse(why, -EINVAL, "e_phnum: not one of %u program headers is a PT_LOAD",
                      header->e_phnum);
    return 0;
}

/* Code is what the file brings, so a segment's zeros are no place to start. */
static int check_entry(const struct segments *segments, gpa_t entry, struct refusal *why)
{
    for (unsigned i = 0; i < segments->count; i++) {
        const struct segment *segment = &segments->list[i];

        if (entry >= segment->start && entry - segment->start < segment->file_size)
            return 0;
    }
    return refuse(why, -EINVAL, "e_entry: 0x%" PRIx64 " is in no loaded segment", entry);
}

static void describe(const struct segments *segments, gpa_t entry, struct kernel_image *kernel)
{
    struct setup_header header = {
        .boot_flag = SETUP_BOOT_FLAG,
        .header = SETUP_MAGIC,
        .version = HEADER_PROTOCOL,
        .loadflags = LOADED_HIGH,
        .xloadflags = XLF_KERNEL_64,
        .initrd_addr_max = INITRD_LAST,
        .cmdline_size = CMDLINE_MAX,
    };

    *kernel = (struct kernel_image){
        .start = UINT64_MAX,
        .entry = entry,
        .cmdline_max = CMDLINE_MAX,
        .initrd_last = INITRD_LAST,
    };
    for (unsigned i = 0; i < segments->count; i++) {
        const struct segment *segment = &segments->list[i];

        if (segment->start < kernel->start)
            kernel->start = segment->start;
        if (segment->start + segment->size > kernel->end)
            kernel->end = segment->start + segment->size;
    }
    memcpy(kernel->header, &header, sizeof header);
}

int elf_load(const struct file *file, const struct guest_memory *memory,
             struct kernel_image *kernel, struct refusal *why)
{
    struct segments segments = {.count = 0};
    Elf64_Ehdr header;
    int error;

    if (file->size < sizeof header)
        return refuse(why, -EINVAL, "size: %" PRIu64 " bytes are too few for an ELF header",
                      file->size);
    error = file_read(file, 0, &header, sizeof header, why);
    if (error == 0)
        error = check_header(&header, file->size, why);
    if (error == 0)
        error = find_segments(file, &header, ram_low_end(memory), &segments, why);
    if (error == 0)
        error = check_entry(&segments, header.e_entry, why);

    for (unsigned i = 0; error == 0 && i < segments.count; i++) {
        const struct segment *segment = &segments.list[i];

        error = file_read(file, segment->offset,
                          guest_ptr(memory, segment->start, segment->file_size), segment->file_size,
                          why);
    }
    if (error == 0)
        describe(&segments, header.e_entry, kernel);
    return error;
}
