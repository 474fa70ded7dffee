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
 * load address that the unpacker picks. A file whose notes name an entry for PVH
 * is entered there instead: that note says how, and e_entry alone does not.
 *
 * The 32-bit form of the same file serves kernels for Multiboot and PVH. It is made
 * into the 64-bit one as it is read, and nothing else here knows of it.
 *
 * Open at hand: [GABI], chapter 4 "Object Files" and chapter 5 "Program Loading and
 * Dynamic Linking". Left out on purpose: sections, dynamic linking.
 */
#include "07-linux-boot/elf.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "07-linux-boot/layout.h"
#include "07-linux-boot/pvh.h"
#include "common/bits.h"

/* What Linux takes on x86, as a bzImage's header would say it. */
#define CMDLINE_MAX     2047u
#define INITRD_LAST     0x7fffffffu
#define HEADER_PROTOCOL 0x020cu

/* The two forms differ in the width of addresses, and in the order of a segment's fields. */
static Elf64_Ehdr widen_header(const Elf32_Ehdr *narrow)
{
    Elf64_Ehdr wide = {
        .e_type = narrow->e_type,
        .e_machine = narrow->e_machine,
        .e_entry = narrow->e_entry,
        .e_phoff = narrow->e_phoff,
        .e_phentsize = narrow->e_phentsize,
        .e_phnum = narrow->e_phnum,
    };

    memcpy(wide.e_ident, narrow->e_ident, sizeof wide.e_ident);
    return wide;
}

static Elf64_Phdr widen_segment(const Elf32_Phdr *narrow)
{
    return (Elf64_Phdr){
        .p_type = narrow->p_type,
        .p_offset = narrow->p_offset,
        .p_paddr = narrow->p_paddr,
        .p_filesz = narrow->p_filesz,
        .p_memsz = narrow->p_memsz,
    };
}

static int read_header(const struct file *file, Elf64_Ehdr *header, struct refusal *why)
{
    Elf32_Ehdr narrow;
    int error;

    if (file->size < sizeof *header)
        return refuse(why, -EINVAL, "size: %" PRIu64 " bytes are too few for an ELF header",
                      file->size);
    error = file_read(file, 0, header, sizeof *header, why);
    if (error == 0 && header->e_ident[EI_CLASS] == ELFCLASS32) {
        memcpy(&narrow, header, sizeof narrow);
        *header = widen_header(&narrow);
    }
    return error;
}

static size_t entry_size(const Elf64_Ehdr *header)
{
    return header->e_ident[EI_CLASS] == ELFCLASS32 ? sizeof(Elf32_Phdr) : sizeof(Elf64_Phdr);
}

static int read_segment(const struct file *file, const Elf64_Ehdr *header, unsigned index,
                        Elf64_Phdr *segment, struct refusal *why)
{
    uint64_t at = header->e_phoff + index * entry_size(header);
    Elf32_Phdr narrow;
    int error;

    if (header->e_ident[EI_CLASS] == ELFCLASS64)
        return file_read(file, at, segment, sizeof *segment, why);
    error = file_read(file, at, &narrow, sizeof narrow, why);
    if (error == 0)
        *segment = widen_segment(&narrow);
    return error;
}

static int check_machine(const Elf64_Ehdr *header, struct refusal *why)
{
    unsigned class = header->e_ident[EI_CLASS];

    if (class != ELFCLASS32 && class != ELFCLASS64)
        return refuse(why, -EINVAL, "e_ident[EI_CLASS]: %u; kernels are of 32 (1) or 64 bits (2)",
                      class);
    if (header->e_ident[EI_DATA] != ELFDATA2LSB)
        return refuse(why, -EINVAL, "e_ident[EI_DATA]: %u; x86 kernels are little-endian (1)",
                      header->e_ident[EI_DATA]);
    if (header->e_ident[EI_VERSION] != EV_CURRENT)
        return refuse(why, -EINVAL, "e_ident[EI_VERSION]: %u instead of 1",
                      header->e_ident[EI_VERSION]);
    if (header->e_machine != EM_X86_64 && header->e_machine != EM_386)
        return refuse(why, -EINVAL, "e_machine: %u; this is no x86 kernel (3, 62)",
                      header->e_machine);
    if ((header->e_machine == EM_386) != (class == ELFCLASS32))
        return refuse(why, -EINVAL, "e_ident[EI_CLASS]: %u does not go with e_machine, %u", class,
                      header->e_machine);
    return 0;
}

static int check_header(const Elf64_Ehdr *header, uint64_t file_size, struct refusal *why)
{
    uint64_t table_size = header->e_phnum * (uint64_t)entry_size(header);
    int error = check_machine(header, why);

    if (error < 0)
        return error;
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return refuse(why, -EINVAL, "e_type: %u; only executables (2, 3) can be loaded",
                      header->e_type);
    if (header->e_phentsize != entry_size(header))
        return refuse(why, -EINVAL, "e_phentsize: %u instead of %zu", header->e_phentsize,
                      entry_size(header));
    if (header->e_phnum == 0 || header->e_phnum > ELF_SEGMENTS_MAX)
        return refuse(why, -EINVAL, "e_phnum: %u program headers; 1 to %u can be loaded",
                      header->e_phnum, ELF_SEGMENTS_MAX);
    if (!fits(header->e_phoff, table_size, file_size))
        return refuse(why, -EINVAL,
                      "e_phoff: the program headers, %" PRIu64 " bytes at 0x%" PRIx64
                      ", reach beyond the file's %" PRIu64,
                      table_size, (uint64_t)header->e_phoff, file_size);
    return 0;
}

static int check_segment(const struct elf_segment *segment, uint64_t file_size, gpa_t ram_end,
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

static int check_overlap(const struct elf *elf, const struct elf_segment *added,
                         struct refusal *why)
{
    for (unsigned i = 0; i < elf->count; i++) {
        const struct elf_segment *other = &elf->segments[i];

        if (added->start < other->start + other->size && other->start < added->start + added->size)
            return refuse(why, -EINVAL, "segment %u: p_paddr: 0x%" PRIx64 " overlaps segment %u",
                          added->index, added->start, other->index);
    }
    return 0;
}

static int add_segment(struct elf *elf, const struct elf_segment *segment, uint64_t file_size,
                       gpa_t ram_end, struct refusal *why)
{
    int error = check_segment(segment, file_size, ram_end, why);

    if (error == 0)
        error = check_overlap(elf, segment, why);
    if (error == 0)
        elf->segments[elf->count++] = *segment;
    return error;
}

/* Sorts the program headers: what to load, each checked against file, RAM and the others. */
static int find_segments(const struct file *file, const Elf64_Ehdr *header, gpa_t ram_end,
                         struct elf *elf, struct refusal *why)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr entry;
        struct elf_segment segment;
        int error = read_segment(file, header, i, &entry, why);

        if (error < 0)
            return error;
        segment = (struct elf_segment){.index = i,
                                       .start = entry.p_paddr,
                                       .size = entry.p_memsz,
                                       .file_size = entry.p_filesz,
                                       .offset = entry.p_offset};
        if (entry.p_type == PT_NOTE && fits(segment.offset, segment.file_size, file->size))
            elf->notes[elf->note_count++] = segment;
        if (entry.p_type == PT_LOAD && (entry.p_memsz | entry.p_filesz) != 0)
            error = add_segment(elf, &segment, file->size, ram_end, why);
        if (error < 0)
            return error;
    }
    if (elf->count == 0)
        return refuse(why, -EINVAL, "e_phnum: not one of %u program headers is a PT_LOAD",
                      header->e_phnum);
    return 0;
}

int elf_read(const struct file *file, const struct guest_memory *memory, struct elf *elf,
             struct refusal *why)
{
    Elf64_Ehdr header;
    int error = read_header(file, &header, why);

    *elf = (struct elf){.count = 0};
    if (error == 0)
        error = check_header(&header, file->size, why);
    if (error < 0)
        return error;
    elf->is_32 = header.e_ident[EI_CLASS] == ELFCLASS32;
    elf->entry = header.e_entry;
    return find_segments(file, &header, ram_low_end(memory), elf, why);
}

bool elf_has_code(const struct elf *elf, gpa_t entry)
{
    for (unsigned i = 0; i < elf->count; i++) {
        const struct elf_segment *segment = &elf->segments[i];

        if (entry >= segment->start && entry - segment->start < segment->file_size)
            return true;
    }
    return false;
}

int elf_copy(const struct file *file, const struct guest_memory *memory, const struct elf *elf,
             struct kernel_image *kernel, struct refusal *why)
{
    kernel->start = UINT64_MAX;
    kernel->end = 0;
    for (unsigned i = 0; i < elf->count; i++) {
        const struct elf_segment *segment = &elf->segments[i];
        void *to = guest_ptr(memory, segment->start, segment->file_size);
        int error = file_read(file, segment->offset, to, segment->file_size, why);

        if (error < 0)
            return error;
        if (segment->start < kernel->start)
            kernel->start = segment->start;
        if (segment->start + segment->size > kernel->end)
            kernel->end = segment->start + segment->size;
    }
    return 0;
}

static void describe_linux(struct kernel_image *kernel)
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

    memcpy(kernel->header, &header, sizeof header);
}

int elf_load(const struct file *file, const struct guest_memory *memory,
             struct kernel_image *kernel, struct refusal *why)
{
    struct elf elf;
    int error = elf_read(file, memory, &elf, why);

    if (error < 0)
        return error;
    *kernel = (struct kernel_image){.protocol = BOOT_LINUX_64,
                                    .entry = elf.entry,
                                    .cmdline_max = CMDLINE_MAX,
                                    .initrd_last = INITRD_LAST};
    if (pvh_find_entry(file, &elf, &kernel->entry)) {
        kernel->protocol = BOOT_PVH;
        if (!elf_has_code(&elf, kernel->entry))
            return refuse(why, -EINVAL,
                          "XEN_ELFNOTE_PHYS32_ENTRY: 0x%" PRIx64 " is in no loaded segment",
                          kernel->entry);
    } else if (elf.is_32) {
        return refuse(why, -EINVAL,
                      "e_ident[EI_CLASS]: 1; a 32-bit kernel needs a Multiboot header, or a note "
                      "for PVH");
    } else if (!elf_has_code(&elf, elf.entry)) {
        return refuse(why, -EINVAL, "e_entry: 0x%" PRIx64 " is in no loaded segment", elf.entry);
    }
    describe_linux(kernel);
    return elf_copy(file, memory, &elf, kernel, why);
}
