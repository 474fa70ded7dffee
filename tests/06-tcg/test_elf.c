/* The loader: what it refuses, by name, and what it maps. Rows ARM01 to ARM11. */
#include <errno.h>

#include "06-tcg/fault.h"
#include "06-tcg/linux/elf.h"
#include "06-tcg/space.h"
#include "image.h"

static const uint32_t code[] = {0xe1a00000, 0xe12fff1e};
static struct image image;
static struct space space;
static struct elf_file file;
static struct refusal why;

static void set_up(void)
{
    fault_install();
    ck_assert_int_eq(space_init(&space), 0);
    image_make(&image, code, 2);
}

static void tear_down(void)
{
    space_free(&space);
}

static int check_image(void)
{
    int fd = image_open(&image), error = elf_check(&file, fd, image.size, &why);

    close(fd);
    return error;
}

/* The image as it is now is refused, with a reason that contains text. */
static void refused(const char *text)
{
    ck_assert_int_eq(check_image(), -ENOEXEC);
    ck_assert_msg(strstr(why.text, text), "refused with \"%s\", not \"%s\"", why.text, text);
    image_make(&image, code, 2);
}

START_TEST(a_good_program_is_accepted)
{
    ck_assert_int_eq(check_image(), 0);
    ck_assert_uint_eq(file.entry, IMAGE_ENTRY);
    ck_assert_uint_eq(file.segment_count, 1);
    ck_assert_uint_eq(file.low, IMAGE_BASE);
    ck_assert_uint_eq(file.high, IMAGE_BASE + 0x1000);
    ck_assert_uint_eq(file.phdr_vaddr, IMAGE_BASE + sizeof(Elf32_Ehdr));
    ck_assert(!file.relocatable);
}
END_TEST

START_TEST(short_files_are_refused) /* ARM01 */
{
    for (uint32_t size = 0; size < sizeof(Elf32_Ehdr); size++) {
        int fd = image_open(&image);

        ck_assert_int_eq(ftruncate(fd, size), 0);
        ck_assert_int_eq(elf_check(&file, fd, size, &why), -ENOEXEC);
        close(fd);
    }
}
END_TEST

START_TEST(foreign_files_are_refused) /* ARM02 */
{
    image.header.e_ident[0] = 0;
    refused("not an ELF");
    image.header.e_ident[EI_CLASS] = ELFCLASS64;
    refused("EI_CLASS");
    image.header.e_ident[EI_DATA] = ELFDATA2MSB;
    refused("EI_DATA");
    image.header.e_machine = EM_X86_64;
    refused("e_machine is 62");
    image.header.e_type = ET_REL;
    refused("e_type");
    image.header.e_version = 2;
    refused("e_version");
    image.header.e_flags = 0;
    refused("e_flags");
}
END_TEST

START_TEST(bad_program_headers_are_refused) /* ARM03 */
{
    image.header.e_phoff = 0xffffffff;
    refused("e_phoff");
    image.header.e_phoff = image.size - 1;
    refused("e_phoff");
    image.header.e_phnum = 0xffff;
    refused("e_phnum");
    image.header.e_phnum = 0;
    refused("e_phnum");
    image.header.e_phentsize = 0;
    refused("e_phentsize");
    image.header.e_phentsize = 31;
    refused("e_phentsize");
    image.header.e_phentsize = 33;
    refused("e_phentsize");
    image.load.p_type = PT_NOTE;
    refused("no PT_LOAD");
}
END_TEST

START_TEST(segments_past_the_file_are_refused) /* ARM04, ARM05 */
{
    image.load.p_offset = 0xfffff000;
    image.load.p_filesz = image.load.p_memsz = 0x2000;
    refused("p_offset");
    image.load.p_filesz = image.load.p_memsz = image.size + 1;
    refused("p_offset");
    image.load.p_filesz = image.load.p_memsz + 1;
    refused("p_filesz exceeds");
}
END_TEST

START_TEST(segments_past_the_address_space_are_refused) /* ARM06, ARM07 */
{
    image.load.p_vaddr = 0xfffff000;
    refused("32 bits");
    image.load.p_memsz = 0xfffff000;
    refused("32 bits");
    image.load.p_vaddr = 0xffff0000; /* the helper page; then mapping refuses it: below */
    image.load.p_memsz = 0x10000;
    refused("32 bits");
}
END_TEST

START_TEST(odd_alignments_are_refused) /* ARM10 */
{
    image.load.p_align = 3;
    refused("p_align");
    image.load.p_vaddr += 4;
    refused("congruent");
    image.header.e_phnum = 2;
    image.second = image.load;
    refused("overlaps");
}
END_TEST

START_TEST(an_interpreter_must_be_a_path) /* ARM11 */
{
    image.second = (Elf32_Phdr){.p_type = PT_INTERP, .p_offset = 0x100, .p_filesz = 8};
    refused("does not end");
    image.second = (Elf32_Phdr){.p_type = PT_INTERP, .p_offset = 0x100, .p_filesz = 0xffffffff};
    refused("PT_INTERP");
    image.second = (Elf32_Phdr){.p_type = PT_INTERP, .p_offset = 0xfffffff0, .p_filesz = 0x20};
    refused("PT_INTERP");
    image.second = (Elf32_Phdr){.p_type = PT_INTERP, .p_offset = 0x100, .p_filesz = 5000};
    refused("PT_INTERP");
}
END_TEST

/* Maps the image; elf_map()'s answer. */
static int map_image(uint32_t base, uint32_t limit)
{
    struct elf_image mapped;
    int fd = image_open(&image), error = elf_check(&file, fd, image.size, &why);

    ck_assert_int_eq(error, 0);
    error = elf_map(&space, &file, fd, base, limit, &mapped, &why);
    close(fd);
    return error;
}

START_TEST(what_follows_in_the_file_is_not_bss)
{
    uint8_t byte = 1;

    image.load.p_filesz = 0x104; /* the second word of code is behind the segment */
    image.load.p_memsz = 0x3000;
    ck_assert_int_eq(map_image(0, 0xf0000000), 0);
    ck_assert_int_eq(space_read(&space, IMAGE_BASE + 0x103, &byte, 1), 0);
    ck_assert_uint_eq(byte, 0xe1);
    for (uint32_t at = 0x104; at < 0x3000; at++) {
        ck_assert_int_eq(space_read(&space, IMAGE_BASE + at, &byte, 1), 0);
        ck_assert_uint_eq(byte, 0);
    }
    ck_assert(!space_occupied(&space, IMAGE_BASE + 0x3000, 1));
}
END_TEST

START_TEST(permissions_are_the_segment_s)
{
    image.load.p_flags = PF_R | PF_X;
    image.load.p_memsz = 0x2000;
    image.second = (Elf32_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
    ck_assert_int_eq(map_image(0, 0xf0000000), 0);
    ck_assert(space_allows(&space, IMAGE_BASE, 0x2000, SPACE_READ | SPACE_EXEC));
    ck_assert(!space_allows(&space, IMAGE_BASE, 1, SPACE_WRITE));
    ck_assert(!space_allows(&space, IMAGE_BASE + 0x1000, 1, SPACE_WRITE));
}
END_TEST

START_TEST(without_a_stack_header_data_is_executable)
{
    image.load.p_flags = PF_R | PF_W;
    ck_assert_int_eq(map_image(0, 0xf0000000), 0);
    ck_assert(file.exec_stack);
    ck_assert(space_allows(&space, IMAGE_BASE, 1, SPACE_EXEC));
}
END_TEST

START_TEST(nothing_is_mapped_over_the_null_page_or_something_else) /* ARM08 */
{
    image.load.p_vaddr = 0;
    ck_assert_int_eq(map_image(0, 0xf0000000), -ENOMEM);
    image.load.p_vaddr = 0xefff0000;
    image.load.p_memsz = 0x20000;
    ck_assert_int_eq(map_image(0, 0xf0000000), -ENOMEM);
    image.load.p_vaddr = IMAGE_BASE;
    ck_assert_int_eq(space_map(&space, IMAGE_BASE + 0x1000, 0x1000, SPACE_READ, false, -1, 0), 0);
    ck_assert_int_eq(map_image(0, 0xf0000000), -ENOMEM);
    image.load.p_memsz = image.load.p_filesz;
    ck_assert_int_eq(map_image(0, 0xf0000000), 0);
    ck_assert_int_eq(map_image(0, 0xf0000000), -ENOMEM); /* it is there already */
}
END_TEST

START_TEST(a_huge_bss_costs_nothing_until_touched) /* ARM07 */
{
    image.load.p_memsz = 0xe0000000;
    ck_assert_int_eq(map_image(0, 0xf0000000), 0);
    ck_assert(space_allows(&space, IMAGE_BASE, 0xe0000000, SPACE_WRITE));
}
END_TEST

START_TEST(a_relocatable_program_goes_where_it_is_put)
{
    image.header.e_type = ET_DYN;
    image.load.p_vaddr = 0;
    image.header.e_entry = 0x100;
    ck_assert_int_eq(map_image(0x400000, 0xf0000000), 0);
    ck_assert(file.relocatable);
    ck_assert(space_allows(&space, 0x400000, 0x1000, SPACE_READ));
}
END_TEST

/* Every byte of the headers, every value: refused or mapped, and never a crash. */
START_TEST(no_single_byte_is_trusted)
{
    unsigned accepted = 0;

    image_finish(&image);
    for (uint32_t at = 0; at < sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr); at++)
        for (unsigned value = 0; value < 256; value += 15) {
            struct elf_image mapped;
            uint8_t byte = (uint8_t)value;
            int fd = image_open(&image);

            ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
            if (elf_check(&file, fd, image.size, &why) == 0 &&
                elf_map(&space, &file, fd, 0, 0xf0000000, &mapped, &why) == 0) {
                space_unmap(&space, SPACE_LOWEST, 0xf0000000 - SPACE_LOWEST);
                accepted++;
            }
            close(fd);
        }
    ck_assert_uint_gt(accepted, 100); /* such as e_ident's padding, e_shoff, p_paddr */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("elf");
    TCase *tests = tcase_create("elf");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_good_program_is_accepted);
    tcase_add_test(tests, short_files_are_refused);
    tcase_add_test(tests, foreign_files_are_refused);
    tcase_add_test(tests, bad_program_headers_are_refused);
    tcase_add_test(tests, segments_past_the_file_are_refused);
    tcase_add_test(tests, segments_past_the_address_space_are_refused);
    tcase_add_test(tests, odd_alignments_are_refused);
    tcase_add_test(tests, an_interpreter_must_be_a_path);
    tcase_add_test(tests, what_follows_in_the_file_is_not_bss);
    tcase_add_test(tests, permissions_are_the_segment_s);
    tcase_add_test(tests, without_a_stack_header_data_is_executable);
    tcase_add_test(tests, nothing_is_mapped_over_the_null_page_or_something_else);
    tcase_add_test(tests, a_huge_bss_costs_nothing_until_touched);
    tcase_add_test(tests, a_relocatable_program_goes_where_it_is_put);
    tcase_add_test(tests, no_single_byte_is_trusted);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
