/* ELF kernels, good and bad. Names are those of [GABI, 4 "Object Files"]. */
#define _GNU_SOURCE
#include "images.h"

#include "07-linux-boot/elf.h"

#define NEAR_2_64 UINT64_C(0xfffffffffffff000)

/* RAM is 32 MiB; segment 0 is at 16 MiB, segment 1 at 18 MiB, entry in segment 0. */
static const struct row rows[] = {
    {"a file as it should be", {{0}}, NULL},
    {"no class", {{BYTE(EI_CLASS), 0}}, "e_ident[EI_CLASS]: 0"},
    {"32-bit", {{BYTE(EI_CLASS), 1}}, "e_ident[EI_CLASS]: 1"},
    {"class 3", {{BYTE(EI_CLASS), 3}}, "e_ident[EI_CLASS]: 3"},
    {"big-endian", {{BYTE(EI_DATA), 2}}, "e_ident[EI_DATA]: 2"},
    {"version 2", {{BYTE(EI_VERSION), 2}}, "e_ident[EI_VERSION]: 2"},
    {"for ARM", {{EHDR(e_machine), 40}}, "e_machine: 40"},
    {"a kernel module", {{EHDR(e_type), ET_REL}}, "e_type: 1"},
    {"a core dump", {{EHDR(e_type), ET_CORE}}, "e_type: 4"},
    {"position independent", {{EHDR(e_type), ET_DYN}}, NULL},

    {"e_phoff 2^64 - 1", {{EHDR(e_phoff), UINT64_MAX}}, "e_phoff"},
    {"e_phoff past the file", {{EHDR(e_phoff), 0x5001}}, "e_phoff"},
    {"e_phoff that cuts the last header", {{EHDR(e_phoff), 0x5000 - 167}}, "e_phoff"},
    {"e_phoff that wraps with its table", {{EHDR(e_phoff), -8}}, "e_phoff"},
    {"e_phnum 0", {{EHDR(e_phnum), 0}}, "e_phnum: 0"},
    {"e_phnum 65", {{EHDR(e_phnum), 65}}, "e_phnum: 65"},
    {"e_phnum 65535", {{EHDR(e_phnum), 0xffff}}, "e_phnum: 65535"},
    {"e_phentsize 0", {{EHDR(e_phentsize), 0}}, "e_phentsize: 0"},
    {"e_phentsize 1", {{EHDR(e_phentsize), 1}}, "e_phentsize: 1"},
    {"e_phentsize 31", {{EHDR(e_phentsize), 31}}, "e_phentsize: 31"},
    {"e_phentsize 65535", {{EHDR(e_phentsize), 0xffff}}, "e_phentsize: 65535"},
    {"nothing to load",
     {{PHDR(0, p_type), PT_NOTE}, {PHDR(1, p_type), PT_NOTE}},
     "e_phnum: not one of 3"},

    {"p_offset past the file", {{PHDR(0, p_offset), 0x5001}}, "segment 0: p_filesz"},
    {"p_offset 2^64 - 1", {{PHDR(0, p_offset), UINT64_MAX}}, "segment 0: p_filesz"},
    {"p_filesz past the file",
     {{PHDR(1, p_filesz), 0x1001}, {PHDR(1, p_memsz), 0x3000}},
     "segment 1: p_filesz"},
    {"p_filesz 2^64 - 1",
     {{PHDR(1, p_filesz), UINT64_MAX}, {PHDR(1, p_memsz), UINT64_MAX}},
     "segment 1: p_filesz"},
    {"p_offset + p_filesz wraps", {{PHDR(1, p_offset), NEAR_2_64}}, "segment 1: p_filesz"},
    {"p_memsz less than p_filesz", {{PHDR(1, p_memsz), 0xfff}}, "segment 1: p_memsz"},
    {"p_memsz 0 with bytes to load", {{PHDR(1, p_memsz), 0}}, "segment 1: p_memsz"},
    {"p_memsz 0 without", {{PHDR(1, p_memsz), 0}, {PHDR(1, p_filesz), 0}}, NULL},
    {"an empty segment anywhere",
     {{PHDR(1, p_memsz), 0}, {PHDR(1, p_filesz), 0}, {PHDR(1, p_paddr), 0}},
     NULL},
    {"p_memsz 2^63", {{PHDR(1, p_memsz), BIT(63)}}, "segment 1: p_memsz"},
    {"p_memsz 2^64 - 1", {{PHDR(1, p_memsz), UINT64_MAX}}, "segment 1: p_memsz"},
    {"p_memsz up to the end of RAM", {{PHDR(1, p_memsz), 14 * MIB}}, NULL},
    {"p_memsz one byte more", {{PHDR(1, p_memsz), 14 * MIB + 1}}, "segment 1: p_memsz"},
    {"two bytes at the last byte of RAM",
     {{PHDR(1, p_paddr), ELF_RAM - 1}, {PHDR(1, p_filesz), 1}, {PHDR(1, p_memsz), 2}},
     "segment 1: p_memsz"},
    {"the last byte of RAM",
     {{PHDR(1, p_paddr), ELF_RAM - 1}, {PHDR(1, p_filesz), 1}, {PHDR(1, p_memsz), 1}},
     NULL},
    {"p_paddr at the end of RAM", {{PHDR(1, p_paddr), ELF_RAM}}, "segment 1: p_paddr"},
    {"p_paddr + p_memsz wraps", {{PHDR(1, p_paddr), NEAR_2_64}}, "segment 1: p_paddr"},
    {"p_paddr + p_memsz wraps to a good end",
     {{PHDR(1, p_paddr), NEAR_2_64}, {PHDR(1, p_memsz), 0x1000 + ELF_DATA}},
     "segment 1: p_paddr"},

    {"over the real-mode vectors", {{PHDR(1, p_paddr), 0}}, "segment 1: p_paddr"},
    {"over the GDT", {{PHDR(1, p_paddr), LAYOUT_GDT}}, "segment 1: p_paddr"},
    {"over the zero page", {{PHDR(1, p_paddr), LAYOUT_ZERO_PAGE}}, "segment 1: p_paddr"},
    {"over the page tables", {{PHDR(1, p_paddr), LAYOUT_PML4}}, "segment 1: p_paddr"},
    {"over the command line", {{PHDR(1, p_paddr), LAYOUT_CMDLINE}}, "segment 1: p_paddr"},
    {"over all of it", {{PHDR(1, p_paddr), 0}, {PHDR(1, p_memsz), 16 * MIB}}, "segment 1: p_paddr"},
    {"one byte below 1 MiB", {{PHDR(1, p_paddr), 0xfffff}}, "segment 1: p_paddr"},
    {"at 1 MiB", {{PHDR(1, p_paddr), 0x100000}}, NULL},

    {"twice the same place",
     {{PHDR(1, p_paddr), ELF_TEXT}},
     "segment 1: p_paddr: 0x1000000 overlaps segment 0"},
    {"the last byte of one is the first of the other",
     {{PHDR(1, p_paddr), ELF_TEXT + 0x2fff}},
     "segment 1: p_paddr"},
    {"one within the zeros of the other",
     {{PHDR(0, p_paddr), ELF_DATA + 0x1000}, {EHDR(e_entry), ELF_DATA + 0x1000}},
     "segment 1: p_paddr"},
    {"the other within the zeros of one",
     {{PHDR(0, p_memsz), 0x5000}, {PHDR(1, p_paddr), ELF_TEXT + 0x4000}},
     "segment 1: p_paddr"},
    {"one right behind the other", {{PHDR(1, p_paddr), ELF_TEXT + 0x3000}}, NULL},

    {"entry 0", {{EHDR(e_entry), 0}}, "e_entry: 0x0"},
    {"entry just before", {{EHDR(e_entry), ELF_TEXT - 1}}, "e_entry"},
    {"entry at the first byte", {{EHDR(e_entry), ELF_TEXT}}, NULL},
    {"entry at the last byte", {{EHDR(e_entry), ELF_TEXT + 0x2fff}}, NULL},
    {"entry just behind", {{EHDR(e_entry), ELF_TEXT + 0x3000}}, "e_entry"},
    {"entry in the zeros", {{EHDR(e_entry), ELF_DATA + 0x1000}}, "e_entry"},
    {"entry at the virtual address", {{EHDR(e_entry), 0xffffffff81000000}}, "e_entry"},

    {"a note of 4 GiB with odd alignment",
     {{PHDR(2, p_filesz), 0xffffffff}, {PHDR(2, p_align), 3}, {ELF_OFFSET, 8, UINT64_MAX}},
     NULL},
    {"alignment 0 and 3", {{PHDR(0, p_align), 0}, {PHDR(1, p_align), 3}}, NULL},
    {"garbage for section headers",
     {{EHDR(e_shoff), UINT64_MAX}, {EHDR(e_shnum), 0xffff}, {EHDR(e_shstrndx), 0xffff}},
     NULL},
};

START_TEST(each_file_is_loaded_or_refused_by_name)
{
    check_row(&rows[_i], elf_make, ELF_RAM);
}
END_TEST

static struct image image;
static struct load result;

static void setup(void)
{
    elf_make(&image);
}

static void teardown(void)
{
    guest_memory_free(&result.memory);
}

START_TEST(segments_are_at_their_physical_addresses)
{
    load(&result, &image, ELF_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert_mem_eq(guest_ptr(&result.memory, ELF_TEXT, 0x3000), image.bytes + ELF_OFFSET, 0x3000);
    ck_assert_mem_eq(guest_ptr(&result.memory, ELF_DATA, 0x1000), image.bytes + ELF_OFFSET + 0x3000,
                     0x1000);
    ck_assert(is_zero(&result.memory, LAYOUT_HIGH_MEMORY, ELF_TEXT));
    ck_assert(is_zero(&result.memory, ELF_TEXT + 0x3000, ELF_DATA));
    ck_assert(is_zero(&result.memory, ELF_DATA + 0x1000, ELF_RAM));
}
END_TEST

START_TEST(the_entry_is_e_entry)
{
    load(&result, &image, ELF_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(result.entry.rip, ELF_ENTRY);
}
END_TEST

/* Linux looks at these before it believes the zero page. */
START_TEST(the_zero_page_has_a_header_although_the_file_has_none)
{
    load(&result, &image, ELF_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(zero_page(&result)->hdr.boot_flag, 0xaa55);
    ck_assert_uint_eq(zero_page(&result)->hdr.header, 0x53726448);
    ck_assert_uint_ge(zero_page(&result)->hdr.version, 0x020c);
    ck_assert_uint_ne(zero_page(&result)->hdr.type_of_loader, 0);
}
END_TEST

/* Segment 1 becomes zeros right behind segment 0, up to 32 KiB below the end. */
START_TEST(an_initrd_stays_clear_of_all_segments)
{
    static uint8_t disk[64 * 1024];
    char initrd[32];

    image_set(&image, PHDR(1, p_paddr), ELF_TEXT + 0x3000);
    image_set(&image, PHDR(1, p_filesz), 0);
    image_set(&image, PHDR(1, p_memsz), 16 * MIB - 0x3000 - 0x8000);
    file_of(image.bytes, image.size, result.path);
    file_of(disk, sizeof disk, initrd);
    load_request(&result, ELF_RAM, result.path, initrd, "");
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(zero_page(&result)->hdr.ramdisk_image, ELF_TEXT - sizeof disk);
}
END_TEST

START_TEST(files_too_short_for_a_header_are_refused)
{
    static const size_t sizes[] = {4, 63, 64, 64 + 3 * 56 - 1};
    static const char *const fields[] = {"size: 4", "size: 63", "e_phoff", "e_phoff"};

    image.size = sizes[_i];
    load(&result, &image, ELF_RAM);
    check_refused(&result, "a short file", result.path, fields[_i]);
}
END_TEST

START_TEST(a_file_that_shrinks_after_it_was_opened_is_refused)
{
    static const off_t sizes[] = {0, 100, ELF_OFFSET + 1, ELF_OFFSET + 0x3fff};
    struct kernel_image kernel;
    struct file file;
    char path[32];
    int fd = file_of(image.bytes, image.size, path);

    ram_make(&result.memory, ELF_RAM);
    ck_assert_int_eq(file_open(&file, path, &result.why), 0);
    ck_assert_int_eq(ftruncate(fd, sizes[_i]), 0);
    ck_assert_int_lt(elf_load(&file, &result.memory, &kernel, &result.why), 0);
    ck_assert_ptr_nonnull(strstr(result.why.text, "ends at byte"));
    file_close(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ELF kernels");
    TCase *tests = tcase_create("elf");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, each_file_is_loaded_or_refused_by_name, 0, ARRAY_SIZE(rows));
    tcase_add_test(tests, segments_are_at_their_physical_addresses);
    tcase_add_test(tests, the_entry_is_e_entry);
    tcase_add_test(tests, the_zero_page_has_a_header_although_the_file_has_none);
    tcase_add_test(tests, an_initrd_stays_clear_of_all_segments);
    tcase_add_loop_test(tests, files_too_short_for_a_header_are_refused, 0, 4);
    tcase_add_loop_test(tests, a_file_that_shrinks_after_it_was_opened_is_refused, 0, 4);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
