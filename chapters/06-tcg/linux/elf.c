/*
 * elf.c: ARM programs as files, and as mapped in the guest. See elf.h.
 *
 *     file                            guest
 *     | offset .. offset+filesz |     | vaddr ..                   .. vaddr+memsz |
 *     +-----------+-------------+     +-----------+-------------+-----------------+
 *     |  whole pages are mapped |---->| shared with the file's  |  zeroes (.bss)  |
 *     +-------------------------+     | page cache until written|                 |
 *                                     +-------------------------+-----------------+
 *
 * The last page of the file's part holds what follows in the file, which the guest
 * must see as zeroes. A file whose offset and vaddr are not congruent modulo the
 * page size cannot be mapped and is refused, as by Linux.
 *
 * Left out on purpose: PT_GNU_PROPERTY, PT_TLS (the C library's business), and
 * personalities (ADDR_COMPAT_LAYOUT and friends).
 */
#include "06-tcg/linux/elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "06-tcg/fault.h"
#include "common/bits.h"

static int check_header(const Elf32_Ehdr *header, uint64_t size, struct refusal *why)
{
    const unsigned char *ident = header->e_ident;

    if (memcmp(ident, ELFMAG, SELFMAG) != 0)
        return refuse(why, -ENOEXEC, "not an ELF file");
    if (ident[EI_CLASS] != ELFCLASS32)
        return refuse(why, -ENOEXEC, "EI_CLASS is %u, not a 32-bit program", ident[EI_CLASS]);
    if (ident[EI_DATA] != ELFDATA2LSB)
        return refuse(why, -ENOEXEC, "EI_DATA is %u, not little-endian", ident[EI_DATA]);
    if (header->e_machine != EM_ARM)
        return refuse(why, -ENOEXEC, "e_machine is %u, not ARM (%u)", header->e_machine, EM_ARM);
    if (ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
        return refuse(why, -ENOEXEC, "e_version is %u, not 1", header->e_version);
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return refuse(why, -ENOEXEC, "e_type is %u: not a program", header->e_type);
    if (EF_ARM_EABI_VERSION(header->e_flags) == 0)
        return refuse(why, -ENOEXEC, "e_flags is 0x%x: no EABI program", header->e_flags);
    if (header->e_phentsize != sizeof(Elf32_Phdr))
        return refuse(why, -ENOEXEC, "e_phentsize is %u, not %zu", header->e_phentsize,
                      sizeof(Elf32_Phdr));
    if (header->e_phnum == 0 || header->e_phnum > ELF_SEGMENTS_MAX)
        return refuse(why, -ENOEXEC, "e_phnum is %u, not 1 to %u", header->e_phnum,
                      ELF_SEGMENTS_MAX);
    if (!fits(header->e_phoff, header->e_phnum * sizeof(Elf32_Phdr), size))
        return refuse(why, -ENOEXEC, "e_phoff: the program headers lie past the file's end");
    return 0;
}

static unsigned prot_of(uint32_t flags)
{
    return (flags & PF_R ? SPACE_READ : 0) | (flags & PF_W ? SPACE_WRITE : 0) |
           (flags & PF_X ? SPACE_EXEC : 0);
}

static int check_load(struct elf_file *file, const Elf32_Phdr *load, uint64_t size,
                      struct refusal *why)
{
    uint64_t end = (uint64_t)load->p_vaddr + load->p_memsz;
    uint32_t low = (uint32_t)align_down(load->p_vaddr, SPACE_PAGE_SIZE);

    if (load->p_filesz > load->p_memsz)
        return refuse(why, -ENOEXEC, "PT_LOAD %u: p_filesz exceeds p_memsz", file->segment_count);
    if (!fits(load->p_offset, load->p_filesz, size))
        return refuse(why, -ENOEXEC, "PT_LOAD %u: p_offset: past the file's end",
                      file->segment_count);
    if (end > SPACE_SIZE - SPACE_PAGE_SIZE)
        return refuse(why, -ENOEXEC, "PT_LOAD %u: p_vaddr + p_memsz does not fit in 32 bits",
                      file->segment_count);
    if (load->p_align > 1 && !is_power_of_two(load->p_align))
        return refuse(why, -ENOEXEC, "PT_LOAD %u: p_align is %u, no power of two",
                      file->segment_count, load->p_align);
    if ((load->p_vaddr - load->p_offset) % SPACE_PAGE_SIZE)
        return refuse(why, -ENOEXEC, "PT_LOAD %u: p_vaddr and p_offset are not congruent",
                      file->segment_count);
    if (load->p_memsz == 0)
        return 0;
    if (file->segment_count && low < file->high)
        return refuse(why, -ENOEXEC, "PT_LOAD %u: p_vaddr overlaps the one before",
                      file->segment_count);
    if (file->segment_count == 0)
        file->low = low;
    file->high = (uint32_t)align_up(end, SPACE_PAGE_SIZE);
    file->segments[file->segment_count++] = (struct elf_segment){
        load->p_vaddr, load->p_memsz, load->p_offset, load->p_filesz, prot_of(load->p_flags)};
    return 0;
}

static int check_interpreter(struct elf_file *file, const Elf32_Phdr *header, int fd, uint64_t size,
                             struct refusal *why)
{
    if (header->p_filesz < 2 || header->p_filesz > sizeof file->interpreter ||
        !fits(header->p_offset, header->p_filesz, size))
        return refuse(why, -ENOEXEC, "PT_INTERP: no path");
    if (pread(fd, file->interpreter, header->p_filesz, header->p_offset) !=
        (ssize_t)header->p_filesz)
        return refuse(why, -EIO, "PT_INTERP: cannot read");
    if (file->interpreter[header->p_filesz - 1] != '\0')
        return refuse(why, -ENOEXEC, "PT_INTERP: the path does not end");
    return 0;
}

/* Where in memory the program headers are: the C library reads them there. */
static void find_headers(struct elf_file *file, const Elf32_Ehdr *header)
{
    for (unsigned i = 0; i < file->segment_count; i++) {
        const struct elf_segment *segment = &file->segments[i];

        if (header->e_phoff >= segment->offset &&
            fits(header->e_phoff - segment->offset, header->e_phnum * sizeof(Elf32_Phdr),
                 segment->filesz))
            file->phdr_vaddr = segment->vaddr + (header->e_phoff - segment->offset);
    }
}

int elf_check(struct elf_file *file, int fd, uint64_t size, struct refusal *why)
{
    Elf32_Ehdr header = {0};
    Elf32_Phdr table[ELF_SEGMENTS_MAX];
    int error;

    *file = (struct elf_file){.exec_stack = true};
    if (pread(fd, &header, sizeof header, 0) != sizeof header)
        return refuse(why, -ENOEXEC, "too short for an ELF program");
    error = check_header(&header, size, why);
    if (error)
        return error;
    if (pread(fd, table, header.e_phnum * sizeof table[0], header.e_phoff) !=
        (ssize_t)(header.e_phnum * sizeof table[0]))
        return refuse(why, -EIO, "cannot read the program headers");
    for (unsigned i = 0; i < header.e_phnum && !error; i++) {
        if (table[i].p_type == PT_LOAD)
            error = check_load(file, &table[i], size, why);
        else if (table[i].p_type == PT_INTERP)
            error = check_interpreter(file, &table[i], fd, size, why);
        else if (table[i].p_type == PT_GNU_STACK)
            file->exec_stack = table[i].p_flags & PF_X;
    }
    if (error)
        return error;
    if (file->segment_count == 0)
        return refuse(why, -ENOEXEC, "no PT_LOAD: nothing to run");
    file->relocatable = header.e_type == ET_DYN;
    file->entry = header.e_entry;
    file->phnum = header.e_phnum;
    find_headers(file, &header);
    return 0;
}

/* The file's part of a segment; 0 or -errno. */
static int map_file_part(struct space *space, const struct elf_segment *segment, int fd,
                         uint32_t base, unsigned prot)
{
    uint32_t skew = segment->vaddr % SPACE_PAGE_SIZE;
    uint32_t start = base + segment->vaddr - skew;
    uint64_t size = align_up((uint64_t)skew + segment->filesz, SPACE_PAGE_SIZE);
    uint64_t tail = size - skew - segment->filesz;
    uint32_t file_end = base + segment->vaddr + segment->filesz;
    bool clear = tail && segment->memsz > segment->filesz;
    int error = space_map(space, start, size, clear ? prot | SPACE_WRITE : prot, false, fd,
                          (off_t)(segment->offset - skew));

    if (error || !clear)
        return error;
    /* The page belongs to us alone now; what follows in the file is not .bss. */
    static const char zeroes[SPACE_PAGE_SIZE];
    error = space_write(space, file_end, zeroes, tail);
    return error ? error : space_protect(space, start, size, prot);
}

static int map_segment(struct space *space, const struct elf_segment *segment, int fd,
                       uint32_t base, bool exec_stack)
{
    unsigned prot = segment->prot | (exec_stack && (segment->prot & SPACE_READ) ? SPACE_EXEC : 0);
    uint64_t file_end = align_up((uint64_t)segment->vaddr + segment->filesz, SPACE_PAGE_SIZE);
    uint64_t end = align_up((uint64_t)segment->vaddr + segment->memsz, SPACE_PAGE_SIZE);
    int error = 0;

    if (segment->filesz)
        error = map_file_part(space, segment, fd, base, prot);
    else
        file_end = align_down(segment->vaddr, SPACE_PAGE_SIZE);
    if (!error && end > file_end)
        error = space_map(space, base + (uint32_t)file_end, end - file_end, prot, false, -1, 0);
    return error;
}

int elf_map(struct space *space, const struct elf_file *file, int fd, uint32_t base, uint32_t limit,
            struct elf_image *image, struct refusal *why)
{
    uint64_t low = (uint64_t)base + file->low, high = (uint64_t)base + file->high;

    if (low < SPACE_LOWEST || high > limit)
        return refuse(why, -ENOMEM, "PT_LOAD: addresses 0x%llx to 0x%llx are not for programs",
                      (unsigned long long)low, (unsigned long long)high);
    if (space_occupied(space, (uint32_t)low, high - low))
        return refuse(why, -ENOMEM, "PT_LOAD: something lies at 0x%llx already",
                      (unsigned long long)low);
    for (unsigned i = 0; i < file->segment_count; i++) {
        int error = map_segment(space, &file->segments[i], fd, base, file->exec_stack);

        if (error)
            return refuse(why, error, "PT_LOAD %u: cannot be mapped: %s", i, strerror(-error));
    }
    *image = (struct elf_image){.base = base,
                                .entry = base + file->entry,
                                .phdr = file->phdr_vaddr ? base + file->phdr_vaddr : 0,
                                .phnum = file->phnum,
                                .end = (uint32_t)high};
    return 0;
}
