/*
 * image.h: ARM programs made by hand, word by word, as ELF files.
 *
 * One PT_LOAD holds the headers, the code and its data; nothing else is needed to run.
 *
 *     0x10000  ELF header, program headers
 *     0x10100  code: the entry
 *     ...      whatever follows; bss_size bytes of zeroes behind the file's end
 */
#ifndef TESTS_06_IMAGE_H
#define TESTS_06_IMAGE_H

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/harness.h"

#define IMAGE_BASE  0x10000u
#define IMAGE_ENTRY (IMAGE_BASE + 0x100)
#define IMAGE_MAX   8192u

struct image {
    Elf32_Ehdr header;
    Elf32_Phdr load, second;  /* second is PT_NULL at first */
    uint8_t bytes[IMAGE_MAX]; /* the whole file, once finished */
    uint32_t size;
};

/* A correct program of these words of code. */
static inline void image_make(struct image *image, const uint32_t *code, uint32_t words)
{
    *image = (struct image){
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_ARM,
                   .e_version = EV_CURRENT,
                   .e_entry = IMAGE_ENTRY,
                   .e_phoff = sizeof(Elf32_Ehdr),
                   .e_flags = 0x05000000, /* EABI 5 */
                   .e_ehsize = sizeof(Elf32_Ehdr),
                   .e_phentsize = sizeof(Elf32_Phdr),
                   .e_phnum = 2},
        .load = {.p_type = PT_LOAD,
                 .p_vaddr = IMAGE_BASE,
                 .p_flags = PF_R | PF_W | PF_X,
                 .p_align = 0x1000},
        .size = 0x100 + 4 * words};
    image->load.p_filesz = image->load.p_memsz = image->size;
    memcpy(image->bytes + 0x100, code, 4 * words);
}

/* Puts the headers, as they are now, before the rest. */
static inline void image_finish(struct image *image)
{
    memcpy(image->bytes, &image->header, sizeof image->header);
    memcpy(image->bytes + sizeof image->header, &image->load, sizeof image->load);
    memcpy(image->bytes + sizeof image->header + sizeof image->load, &image->second,
           sizeof image->second);
}

/* The program as a file in memory. Close it. */
static inline int image_open(struct image *image)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    image_finish(image);
    ck_assert_int_eq(write(fd, image->bytes, image->size), image->size);
    return fd;
}

/* The program as a file with a name, below $BUILD. */
static inline const char *image_save(struct image *image, const char *name)
{
    const char *path = harness_built(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    image_finish(image);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, image->bytes, image->size), image->size);
    close(fd);
    return path;
}

#endif
