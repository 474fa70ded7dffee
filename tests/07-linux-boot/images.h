/*
 * images.h: small kernels made in memory, each well formed until a test breaks it.
 *
 * An image becomes a file without a name (memfd), which boot_load() opens by its
 * path below /proc/self/fd: nothing is left behind, whatever the test does.
 *
 *     bzimage_make(&image);
 *     image_set(&image, HEADER(syssize), 0xffffffff);
 *     load(&load, &image, 32 * MIB);           load.error, load.why.text, ...
 *
 * Most rows of hostile input are one struct row each: what to break, and which
 * field the refusal must name.
 */
#ifndef TESTS_07_IMAGES_H
#define TESTS_07_IMAGES_H

#include <asm/bootparam.h>
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "07-linux-boot/boot.h"
#include "07-linux-boot/kernel_image.h"
#include "07-linux-boot/layout.h"
#include "common/bits.h"
#include "harness/harness.h"

struct image {
    uint8_t bytes[64 * 1024];
    size_t size;
};

/* ---- breaking an image ------------------------------------------------------ */

/* Offset and width of a field, as image_set() and struct patch want them. */
#define FIELD(base, type, field) (base) + offsetof(type, field), sizeof(((type *)0)->field)
#define HEADER(field)            FIELD(SETUP_HEADER_START, struct setup_header, field)
#define EHDR(field)              FIELD(0, Elf64_Ehdr, field)
#define PHDR(n, field)           FIELD(ELF_PHOFF + (n) * sizeof(Elf64_Phdr), Elf64_Phdr, field)
#define BYTE(at)                 (at), 1

static inline void image_set(struct image *image, size_t at, size_t width, uint64_t value)
{
    ck_assert(at + width <= sizeof image->bytes);
    memcpy(image->bytes + at, &value, width); /* little-endian, like the host */
}

struct patch {
    size_t at, width; /* width 0 ends the list */
    uint64_t value;
};

struct row {
    const char *fact;
    struct patch patches[4];
    const char *refusal; /* how the text goes on after "FILE: "; NULL: it loads */
};

/* ---- a bzImage ---------------------------------------------------------------- */

#define BZ_RAM     (32 * MIB)
#define BZ_START   (8 * MIB)
#define BZ_OFFSET  1024u /* boot sector and one more */
#define BZ_PAYLOAD 8192u
#define WILD       UINT64_C(0xdeadbeefcafe0000)

static inline void bzimage_make(struct image *image)
{
    struct setup_header header = {
        .setup_sects = 1,
        .syssize = BZ_PAYLOAD / 16,
        .boot_flag = 0xaa55,
        .jump = 0x6aeb, /* jmp short to 0x26c, past the header */
        .header = 0x53726448,
        .version = 0x020f,
        .loadflags = LOADED_HIGH,
        .initrd_addr_max = 0x7fffffff,
        .kernel_alignment = 2 * MIB,
        .relocatable_kernel = 1,
        .xloadflags = XLF_KERNEL_64,
        .cmdline_size = 2047,
        .setup_data = WILD,
        .pref_address = BZ_START,
        .init_size = 4 * MIB,
    };

    memset(image->bytes, 0xff, BZ_OFFSET); /* what must not reach the zero page */
    memcpy(image->bytes + SETUP_HEADER_START, &header, sizeof header);
    for (size_t i = 0; i < BZ_PAYLOAD; i++)
        image->bytes[BZ_OFFSET + i] = (uint8_t)(i * 7 + i / 256 + 1);
    image->size = BZ_OFFSET + BZ_PAYLOAD;
}

/* ---- an ELF kernel ------------------------------------------------------------ */

#define ELF_RAM    (32 * MIB)
#define ELF_PHOFF  64u
#define ELF_TEXT   (16 * MIB) /* segment 0: 0x3000 bytes from the file */
#define ELF_DATA   (18 * MIB) /* segment 1: 0x1000, and 0x2000 of zeros */
#define ELF_OFFSET 0x1000u
#define ELF_ENTRY  (ELF_TEXT + 0x100)

static inline void elf_make(struct image *image)
{
    Elf64_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = ELF_ENTRY,
        .e_phoff = ELF_PHOFF,
        .e_ehsize = sizeof header,
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 3,
    };
    Elf64_Phdr segments[3] = {
        {.p_type = PT_LOAD,
         .p_offset = ELF_OFFSET,
         .p_vaddr = 0xffffffff81000000,
         .p_paddr = ELF_TEXT,
         .p_filesz = 0x3000,
         .p_memsz = 0x3000,
         .p_align = 2 * MIB},
        {.p_type = PT_LOAD,
         .p_offset = ELF_OFFSET + 0x3000,
         .p_vaddr = 0xffffffff81200000,
         .p_paddr = ELF_DATA,
         .p_filesz = 0x1000,
         .p_memsz = 0x3000,
         .p_align = 2 * MIB},
        {.p_type = PT_NOTE, .p_offset = ELF_OFFSET, .p_filesz = 12, .p_memsz = 12, .p_align = 4},
    };

    image->size = ELF_OFFSET + 0x4000;
    memset(image->bytes, 0, ELF_OFFSET);
    memcpy(image->bytes, &header, sizeof header);
    memcpy(image->bytes + ELF_PHOFF, segments, sizeof segments);
    for (size_t i = ELF_OFFSET; i < image->size; i++)
        image->bytes[i] = (uint8_t)(i * 5 + i / 256 + 1);
}

/* ---- loading ------------------------------------------------------------------ */

struct load {
    char path[32];
    struct guest_memory memory;
    struct boot_entry entry;
    struct refusal why;
    int error;
};

/* A file with these bytes; the descriptor stays open until the test ends. */
static inline int file_of(const void *bytes, size_t size, char path[32])
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, size, 0), size);
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

static inline void ram_make(struct guest_memory *memory, uint64_t size)
{
    struct ram_range ranges[2];
    unsigned count = ram_layout(size, ranges);

    *memory = (struct guest_memory){0};
    for (unsigned i = 0; i < count; i++)
        ck_assert_int_eq(guest_memory_add(memory, ranges[i].start, ranges[i].size), 0);
}

static inline void load_request(struct load *load, uint64_t ram, const char *kernel,
                                const char *initrd, const char *cmdline)
{
    ram_make(&load->memory, ram);
    struct boot_request request = {
        .memory = &load->memory,
        .kernel = kernel,
        .initrd = initrd,
        .cmdline = cmdline,
    };
    strcpy(load->why.text, "(no reason given)");
    load->error = boot_load(&request, &load->entry, &load->why);
}

/* Loads the image alone, and sees that its file stays as it was. */
static inline void load(struct load *load, const struct image *image, uint64_t ram)
{
    static uint8_t after[sizeof image->bytes + 1];
    int fd = file_of(image->bytes, image->size, load->path);

    load_request(load, ram, load->path, NULL, "");
    ck_assert_int_eq(pread(fd, after, sizeof after, 0), image->size);
    ck_assert_mem_eq(after, image->bytes, image->size);
    close(fd);
}

static inline struct boot_params *zero_page(const struct load *load)
{
    return guest_ptr(&load->memory, load->entry.rsi, sizeof(struct boot_params));
}

/* One line, "FILE: FIELD: ...". */
static inline void check_refused(const struct load *load, const char *fact, const char *file,
                                 const char *field)
{
    const char *text = load->why.text;
    size_t prefix = strlen(file);

    ck_assert_msg(load->error < 0, "%s: loaded, but should name %s", fact, field);
    ck_assert_msg(strncmp(text, file, prefix) == 0 && strncmp(text + prefix, ": ", 2) == 0 &&
                      strncmp(text + prefix + 2, field, strlen(field)) == 0,
                  "%s: \"%s\" does not start with \"%s: %s\"", fact, text, file, field);
    ck_assert_msg(!strchr(text, '\n'), "%s: more than one line", fact);
}

/* Is [start, end) all zero? */
static inline bool is_zero(const struct guest_memory *memory, gpa_t start, gpa_t end)
{
    const uint8_t *bytes = guest_ptr(memory, start, end - start);

    ck_assert_ptr_nonnull(bytes);
    return start == end || (bytes[0] == 0 && memcmp(bytes, bytes + 1, end - start - 1) == 0);
}

/* What is true of low memory after every successful load. */
static inline void check_low_memory(const struct load *load, const char *fact)
{
    static const struct {
        gpa_t start, end;
    } untouched[] = {
        {0, LAYOUT_GDT},
        {LAYOUT_GDT + 32, LAYOUT_ZERO_PAGE},
        {LAYOUT_ZERO_PAGE + 0x1000, LAYOUT_PML4},
        {LAYOUT_DIRECTORIES + 0x4000, LAYOUT_CMDLINE},
        {LAYOUT_CMDLINE + LAYOUT_CMDLINE_SIZE, LAYOUT_HIGH_MEMORY},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(untouched); i++)
        ck_assert_msg(is_zero(&load->memory, untouched[i].start, untouched[i].end),
                      "%s: something was written between 0x%lx and 0x%lx", fact, untouched[i].start,
                      untouched[i].end);
    ck_assert_msg(zero_page(load)->hdr.setup_data == 0, "%s: setup_data is the file's", fact);
}

/* Breaks a fresh image as the row says, loads it, and compares. */
static inline void check_row(const struct row *row, void (*make)(struct image *), uint64_t ram)
{
    static struct image image;
    struct load result;

    make(&image);
    for (const struct patch *patch = row->patches; patch->width > 0; patch++)
        image_set(&image, patch->at, patch->width, patch->value);
    load(&result, &image, ram);
    if (row->refusal) {
        check_refused(&result, row->fact, result.path, row->refusal);
    } else {
        ck_assert_msg(result.error == 0, "%s: refused: %s", row->fact, result.why.text);
        check_low_memory(&result, row->fact);
    }
    guest_memory_free(&result.memory);
}

#endif
