/* Kernels for Multiboot, good and bad, and the modules they are given. */
#define _GNU_SOURCE
#include "images.h"

#include "07-linux-boot/multiboot.h"

#define MB_RAM    (8 * MIB)
#define MB_LOAD   (2 * MIB)
#define MB_HEADER 0x40u /* where the header is in the file */
#define MB_SIZE   0x3000u
#define MB(field) FIELD(MB_HEADER, struct multiboot_header, field)

static void put_header(struct image *image, size_t at, uint32_t flags)
{
    struct multiboot_header header = {.magic = 0x1badb002,
                                      .flags = flags,
                                      .checksum = -(0x1badb002 + flags),
                                      .header_addr = MB_LOAD + MB_HEADER,
                                      .load_addr = MB_LOAD,
                                      .load_end_addr = MB_LOAD + MB_SIZE,
                                      .bss_end_addr = MB_LOAD + MB_SIZE + 0x1000,
                                      .entry_addr = MB_LOAD + 0x100};

    memcpy(image->bytes + at, &header, sizeof header);
}

static void multiboot_make(struct image *image)
{
    image->size = MB_SIZE;
    for (size_t i = 0; i < image->size; i++)
        image->bytes[i] = (uint8_t)(i * 3 + i / 256 + 1);
    put_header(image, MB_HEADER, 0x00010003);
}

/* flags with the checksum that goes with them */
#define FLAGS(value)                                                                               \
    {MB(flags), value},                                                                            \
    {                                                                                              \
        MB(checksum), (uint32_t) - (0x1badb002 + (value))                                          \
    }

/* Without a good header it is no kernel at all, which bzimage.c says. */
#define NO_KERNEL "setup_header.boot_flag"

static const struct row rows[] = {
    {"a file as it should be", {{0}}, NULL},
    {"a wrong checksum", {{MB(checksum), 0}}, NO_KERNEL},
    {"a wrong magic", {{MB(magic), 0x1badb003}}, NO_KERNEL},
    {"flags of today's meaning only", {FLAGS(0x00010000)}, NULL},
    {"a video mode", {FLAGS(0x00010004)}, "multiboot_header.flags: the kernel asks for a video"},
    {"an unknown need", {FLAGS(0x00018000)}, "multiboot_header.flags: 0x8000"},
    {"an unknown wish", {FLAGS(0x80010003)}, NULL},
    {"no addresses and no ELF file", {FLAGS(0x00000003)}, "e_ident[EI_CLASS]"},

    {"header_addr before load_addr",
     {{MB(header_addr), MB_LOAD - 1}},
     "multiboot_header.header_addr"},
    {"header_addr 0", {{MB(header_addr), 0}}, "multiboot_header.header_addr"},
    {"header_addr 2^32 - 1", {{MB(header_addr), 0xffffffff}}, "multiboot_header.load_addr"},
    {"load_addr before the file begins",
     {{MB(load_addr), MB_LOAD - 4}},
     "multiboot_header.load_addr"},
    {"load_addr below 1 MiB",
     {{MB(load_addr), 0xff000}, {MB(header_addr), 0xff040}, {MB(load_end_addr), 0}},
     "multiboot_header.load_addr: 0xff000 is below 1 MiB"},
    {"load_addr 0",
     {{MB(load_addr), 0}, {MB(header_addr), 0x40}, {MB(load_end_addr), 0}},
     "multiboot_header.load_addr"},
    {"at the end of RAM",
     {{MB(load_addr), MB_RAM}, {MB(header_addr), MB_RAM + 0x40}, {MB(load_end_addr), 0}},
     "multiboot_header.bss_end_addr"},
    {"load_end_addr before load_addr",
     {{MB(load_end_addr), MB_LOAD - 1}},
     "multiboot_header.load_end_addr"},
    {"nothing to load", {{MB(load_end_addr), MB_LOAD}}, "multiboot_header.load_end_addr"},
    {"load_end_addr past the file",
     {{MB(load_end_addr), MB_LOAD + MB_SIZE + 1}},
     "multiboot_header.load_end_addr"},
    {"load_end_addr 2^32 - 1", {{MB(load_end_addr), 0xffffffff}}, "multiboot_header.load_end_addr"},
    {"load_end_addr 0: the whole file", {{MB(load_end_addr), 0}}, NULL},
    {"bss_end_addr before load_end_addr",
     {{MB(bss_end_addr), MB_LOAD + MB_SIZE - 1}},
     "multiboot_header.bss_end_addr"},
    {"bss_end_addr before the file's end",
     {{MB(load_end_addr), 0}, {MB(bss_end_addr), MB_LOAD + 1}},
     "multiboot_header.bss_end_addr"},
    {"bss_end_addr 0: no zeros", {{MB(bss_end_addr), 0}}, NULL},
    {"zeros up to the end of RAM", {{MB(bss_end_addr), MB_RAM}}, NULL},
    {"one more",
     {{MB(bss_end_addr), MB_RAM + 1}},
     "multiboot_header.bss_end_addr: the kernel ends"},
    {"zeros for 4 GiB",
     {{MB(bss_end_addr), 0xffffffff}},
     "multiboot_header.bss_end_addr: the kernel ends"},
    {"entry 0", {{MB(entry_addr), 0}}, "multiboot_header.entry_addr: 0x0"},
    {"entry at the first byte", {{MB(entry_addr), MB_LOAD}}, NULL},
    {"entry just before", {{MB(entry_addr), MB_LOAD - 1}}, "multiboot_header.entry_addr"},
    {"entry at the last byte", {{MB(entry_addr), MB_LOAD + MB_SIZE - 1}}, NULL},
    {"entry in the zeros", {{MB(entry_addr), MB_LOAD + MB_SIZE}}, "multiboot_header.entry_addr"},
};

START_TEST(each_header_is_followed_or_refused_by_name)
{
    static struct image image;
    struct load result;

    multiboot_make(&image);
    for (const struct patch *patch = rows[_i].patches; patch->width > 0; patch++)
        image_set(&image, patch->at, patch->width, patch->value);
    load(&result, &image, MB_RAM);
    if (rows[_i].refusal)
        check_refused(&result, rows[_i].fact, result.path, rows[_i].refusal);
    else
        ck_assert_msg(result.error == 0, "%s: %s", rows[_i].fact, result.why.text);
    guest_memory_free(&result.memory);
}
END_TEST

static struct image image;
static struct load result;

static void setup(void)
{
    multiboot_make(&image);
}

static void teardown(void)
{
    guest_memory_free(&result.memory);
}

/* Where a header counts: on 4 bytes, whole within the first 8192. */
static const struct {
    size_t at;
    bool counts;
} places[] = {{0, true},     {4, true},     {66, false},   {8160, true},
              {8164, false}, {8184, false}, {8189, false}, {8192, false}};

START_TEST(the_header_is_within_the_first_8_kib)
{
    memset(image.bytes + MB_HEADER, 0, sizeof(struct multiboot_header));
    put_header(&image, places[_i].at, 0x00010003);
    image_set(&image, places[_i].at + 12, 4, MB_LOAD + places[_i].at);
    load(&result, &image, MB_RAM);
    ck_assert_msg((result.error == 0) == places[_i].counts, "at %zu: %s", places[_i].at,
                  result.why.text);
}
END_TEST

START_TEST(it_is_loaded_where_it_says_and_entered_in_32_bit_mode)
{
    load(&result, &image, MB_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(result.entry.mode, ENTRY_PROTECTED);
    ck_assert_uint_eq(result.entry.rip, MB_LOAD + 0x100);
    ck_assert_uint_eq(result.entry.rax, 0x2badb002);
    ck_assert_mem_eq(guest_ptr(&result.memory, MB_LOAD, MB_SIZE), image.bytes, MB_SIZE);
    ck_assert(is_zero(&result.memory, MB_LOAD + MB_SIZE, MB_RAM));
    ck_assert(is_zero(&result.memory, LAYOUT_HIGH_MEMORY, MB_LOAD));
    ck_assert(is_zero(&result.memory, 0, LAYOUT_GDT));
    ck_assert(is_zero(&result.memory, LAYOUT_BOOT_INFO + 0x400, LAYOUT_CMDLINE));
}
END_TEST

START_TEST(an_elf_file_needs_no_addresses)
{
    elf_make(&image);
    put_header(&image, 0x800, 0x00000003);
    load(&result, &image, ELF_RAM);
    ck_assert_msg(result.error == 0, "%s", result.why.text);
    ck_assert_uint_eq(result.entry.mode, ENTRY_PROTECTED);
    ck_assert_uint_eq(result.entry.rip, ELF_ENTRY);
    ck_assert_mem_eq(guest_ptr(&result.memory, ELF_TEXT, 0x3000), image.bytes + ELF_OFFSET, 0x3000);
}
END_TEST

/* The same file in its 32-bit form. */
static void elf_make_32(void)
{
    Elf32_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = EM_386,
                         .e_version = EV_CURRENT,
                         .e_entry = MB_LOAD + 0x10,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf32_Phdr),
                         .e_phnum = 1};
    Elf32_Phdr segment = {.p_type = PT_LOAD,
                          .p_offset = 0x1000,
                          .p_vaddr = 0xc0200000,
                          .p_paddr = MB_LOAD,
                          .p_filesz = 0x800,
                          .p_memsz = 0x900};

    memset(image.bytes, 0, 0x1000);
    memcpy(image.bytes, &header, sizeof header);
    memcpy(image.bytes + sizeof header, &segment, sizeof segment);
}

START_TEST(a_32_bit_elf_file_is_read_too)
{
    elf_make_32();
    put_header(&image, 0x800, 0x00000003);
    load(&result, &image, MB_RAM);
    ck_assert_msg(result.error == 0, "%s", result.why.text);
    ck_assert_uint_eq(result.entry.rip, MB_LOAD + 0x10);
    ck_assert_mem_eq(guest_ptr(&result.memory, MB_LOAD, 0x800), image.bytes + 0x1000, 0x800);
    ck_assert(is_zero(&result.memory, MB_LOAD + 0x800, MB_RAM));
}
END_TEST

START_TEST(a_32_bit_elf_file_without_a_header_is_refused)
{
    elf_make_32();
    load(&result, &image, MB_RAM);
    check_refused(&result, "no header", result.path, "e_ident[EI_CLASS]: 1; a 32-bit kernel needs");
}
END_TEST

/* ---- modules -------------------------------------------------------------------- */

static void boot(const char *modules, const char *cmdline)
{
    file_of(image.bytes, image.size, result.path);
    load_request(&result, MB_RAM, result.path, modules, cmdline);
}

static uint32_t info(unsigned at)
{
    uint32_t value;

    memcpy(&value, guest_ptr(&result.memory, result.entry.rbx + at, 4), 4);
    return value;
}

START_TEST(the_information_says_what_there_is)
{
    char expected[80];

    boot(NULL, "one two");
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(info(0), 0x24d);
    ck_assert_uint_eq(info(4), 639);      /* KiB below the EBDA */
    ck_assert_uint_eq(info(8), 7 * 1024); /* KiB above 1 MiB */
    ck_assert_uint_eq(info(20), 0);       /* modules */
    ck_assert_uint_eq(info(44), 5 * 24);  /* bytes of the memory map */
    snprintf(expected, sizeof expected, "%s one two", result.path);
    ck_assert_str_eq(guest_ptr(&result.memory, info(16), 80), expected);
}
END_TEST

START_TEST(modules_lie_on_pages_behind_the_kernel_with_their_texts)
{
    char one[32], two[32], list[100], expected[60];
    const struct multiboot_module *modules;

    file_of("first", 5, one);
    file_of("second", 6, two);
    snprintf(list, sizeof list, "%s a=1,,2,%s", one, two);
    boot(list, "");
    ck_assert_msg(result.error == 0, "%s", result.why.text);
    ck_assert_uint_eq(info(20), 2);
    modules = guest_ptr(&result.memory, info(24), 2 * sizeof *modules);
    ck_assert_uint_eq(modules[0].start, MB_LOAD + MB_SIZE + 0x1000);
    ck_assert_uint_eq(modules[0].end, modules[0].start + 5);
    ck_assert_uint_eq(modules[1].start, modules[0].start + 0x1000);
    ck_assert_mem_eq(guest_ptr(&result.memory, modules[0].start, 5), "first", 5);
    ck_assert_mem_eq(guest_ptr(&result.memory, modules[1].start, 6), "second", 6);
    snprintf(expected, sizeof expected, "%s a=1,2", one);
    ck_assert_str_eq(guest_ptr(&result.memory, modules[0].text, 60), expected);
    ck_assert_str_eq(guest_ptr(&result.memory, modules[1].text, 60), two);
}
END_TEST

START_TEST(too_many_modules_are_refused)
{
    static char list[200000];
    char path[32];
    size_t length = 0;

    file_of("m", 1, path);
    while (length + 40 < sizeof list)
        length += (size_t)snprintf(list + length, 40, "%s,", path);
    boot(list, "");
    ck_assert_int_lt(result.error, 0);
    ck_assert_str_eq(result.why.text, "-initrd: more than 32 modules");
}
END_TEST

START_TEST(a_module_larger_than_ram_is_refused)
{
    char path[32];
    int fd = file_of("m", 1, path);

    ck_assert_int_eq(ftruncate(fd, MB_RAM), 0);
    boot(path, "");
    check_refused(&result, "a large module", path, "size: 8192 KiB");
}
END_TEST

START_TEST(bad_lists_are_refused)
{
    static const char *const lists[] = {",", "a,,b", "/nonexistent", "/dev/null", "/", "x y,z"};
    static char text[3000];

    for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
        boot(lists[i], "");
        ck_assert_msg(result.error < 0, "%s", lists[i]);
        guest_memory_free(&result.memory);
    }
    memset(text, 'x', sizeof text - 1);
    boot(text, "");
    ck_assert_str_eq(result.why.text, "-initrd: a module's text is longer than 1023 characters");
}
END_TEST

START_TEST(a_command_line_that_does_not_fit_is_refused)
{
    static char text[65536];

    memset(text, 'x', sizeof text - 1);
    boot(NULL, text);
    check_refused(&result, "a long command line", result.path,
                  "setup_header.cmdline_size: at most 65535");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("Multiboot");
    TCase *tests = tcase_create("multiboot");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, each_header_is_followed_or_refused_by_name, 0, ARRAY_SIZE(rows));
    tcase_add_loop_test(tests, the_header_is_within_the_first_8_kib, 0, ARRAY_SIZE(places));
    tcase_add_test(tests, it_is_loaded_where_it_says_and_entered_in_32_bit_mode);
    tcase_add_test(tests, an_elf_file_needs_no_addresses);
    tcase_add_test(tests, a_32_bit_elf_file_is_read_too);
    tcase_add_test(tests, a_32_bit_elf_file_without_a_header_is_refused);
    tcase_add_test(tests, the_information_says_what_there_is);
    tcase_add_test(tests, modules_lie_on_pages_behind_the_kernel_with_their_texts);
    tcase_add_test(tests, too_many_modules_are_refused);
    tcase_add_test(tests, a_module_larger_than_ram_is_refused);
    tcase_add_test(tests, bad_lists_are_refused);
    tcase_add_test(tests, a_command_line_that_does_not_fit_is_refused);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
