/* What the kernel is told, in how much RAM: zero page, command line, refusals of -m. */
#define _GNU_SOURCE
#include "images.h"

static struct image image;
static struct load result;

static void setup(void)
{
    bzimage_make(&image);
}

static void teardown(void)
{
    guest_memory_free(&result.memory);
}

static void boot(uint64_t ram, const char *initrd, const char *cmdline)
{
    file_of(image.bytes, image.size, result.path);
    load_request(&result, ram, result.path, initrd, cmdline);
}

/* ---- what the kernel is told ---------------------------------------------------- */

START_TEST(the_zero_page_says_what_a_loader_must)
{
    const struct setup_header *header;

    boot(BZ_RAM, NULL, "quiet");
    ck_assert_int_eq(result.error, 0);
    header = &zero_page(&result)->hdr;
    ck_assert_uint_eq(header->type_of_loader, 0xff);
    ck_assert_uint_eq(header->cmd_line_ptr, LAYOUT_CMDLINE);
    ck_assert_uint_eq(header->code32_start, BZ_START);
    ck_assert_uint_eq(header->vid_mode, 0xffff);
    ck_assert_uint_eq(header->setup_data, 0);
    ck_assert_uint_eq(header->init_size, 4 * MIB); /* the kernel's own words stay */
    ck_assert_uint_eq(zero_page(&result)->e820_entries, 5);
}
END_TEST

START_TEST(an_initrd_preset_in_the_file_is_forgotten)
{
    image_set(&image, HEADER(ramdisk_image), 0x1234000);
    image_set(&image, HEADER(ramdisk_size), 0x1000);
    boot(BZ_RAM, NULL, "");
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(zero_page(&result)->hdr.ramdisk_image, 0);
    ck_assert_uint_eq(zero_page(&result)->hdr.ramdisk_size, 0);
}
END_TEST

START_TEST(the_entry_points_at_what_was_written)
{
    boot(BZ_RAM, NULL, "");
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(result.entry.rsi, LAYOUT_ZERO_PAGE);
    ck_assert_uint_eq(result.entry.cr3, LAYOUT_PML4);
    ck_assert_uint_eq(result.entry.gdt, LAYOUT_GDT);
    ck_assert_uint_eq(result.entry.rsp, LAYOUT_STACK_TOP);
    ck_assert(!is_zero(&result.memory, LAYOUT_PML4, LAYOUT_PML4 + 8));
    ck_assert(!is_zero(&result.memory, LAYOUT_GDT + 0x10, LAYOUT_GDT + 0x18));
}
END_TEST

START_TEST(the_seed_is_the_only_setup_data)
{
    uint8_t seed[BOOT_SEED_SIZE];
    struct boot_request request = {
        .memory = &result.memory, .kernel = result.path, .cmdline = "", .seed = seed};
    const uint8_t *data;

    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(i * 7 + 1);
    file_of(image.bytes, image.size, result.path);
    ram_make(&result.memory, BZ_RAM);
    ck_assert_int_eq(boot_load(&request, &result.entry, &result.why), 0);
    ck_assert_uint_eq(zero_page(&result)->hdr.setup_data, LAYOUT_SETUP_DATA);
    data = guest_ptr(&result.memory, LAYOUT_SETUP_DATA, 16 + sizeof seed);
    ck_assert(is_zero(&result.memory, LAYOUT_SETUP_DATA, LAYOUT_SETUP_DATA + 8)); /* next */
    ck_assert_mem_eq(data + 8, "\x09\0\0\0\x20\0\0", 8); /* SETUP_RNG_SEED, its length */
    ck_assert_mem_eq(data + 16, seed, sizeof seed);
    ck_assert(is_zero(&result.memory, LAYOUT_SETUP_DATA + 48, LAYOUT_STACK_TOP));
}
END_TEST

START_TEST(the_zero_page_names_acpis_tables)
{
    struct boot_request request = {
        .memory = &result.memory, .kernel = result.path, .cmdline = "", .rsdp = 0xe0000};

    file_of(image.bytes, image.size, result.path);
    ram_make(&result.memory, BZ_RAM);
    ck_assert_int_eq(boot_load(&request, &result.entry, &result.why), 0);
    ck_assert_uint_eq(zero_page(&result)->acpi_rsdp_addr, 0xe0000);
}
END_TEST

/* ---- the command line ------------------------------------------------------------- */

static const struct {
    uint32_t limit; /* setup_header.cmdline_size */
    size_t length;
    bool fits;
} cmdlines[] = {
    {2047, 0, true},
    {2047, 2047, true},
    {2047, 2048, false},
    {2047, 65536, false},
    {10, 10, true},
    {10, 11, false},
    {0, 0, true},
    {0, 1, false},
    {0xffffffff, 65535, true},
    {0xffffffff, 65536, false}, /* the room we have */
};

START_TEST(a_command_line_is_whole_or_refused_with_the_limit)
{
    static char text[65537];
    char expected[80];

    memset(text, 'x', cmdlines[_i].length);
    image_set(&image, HEADER(cmdline_size), cmdlines[_i].limit);
    boot(BZ_RAM, NULL, text);
    if (cmdlines[_i].fits) {
        ck_assert_int_eq(result.error, 0);
        ck_assert_str_eq(guest_ptr(&result.memory, LAYOUT_CMDLINE, sizeof text - 1), text);
        check_low_memory(&result, "a command line");
    } else {
        snprintf(expected, sizeof expected, "setup_header.cmdline_size: at most %u characters",
                 cmdlines[_i].limit < 65535 ? cmdlines[_i].limit : 65535);
        check_refused(&result, "a long command line", result.path, expected);
    }
}
END_TEST

START_TEST(a_command_line_ends_where_it_should_even_in_used_memory)
{
    struct boot_request request = {
        .memory = &result.memory, .kernel = result.path, .cmdline = "quiet"};

    ram_make(&result.memory, BZ_RAM);
    memset(guest_ptr(&result.memory, LAYOUT_CMDLINE, 100), 'x', 100);
    file_of(image.bytes, image.size, result.path);
    ck_assert_int_eq(boot_load(&request, &result.entry, &result.why), 0);
    ck_assert_str_eq(guest_ptr(&result.memory, LAYOUT_CMDLINE, 100), "quiet");
}
END_TEST

START_TEST(an_elf_kernel_takes_what_linux_takes)
{
    char text[2049] = "";

    elf_make(&image);
    memset(text, 'x', 2047);
    boot(ELF_RAM, NULL, text);
    ck_assert_int_eq(result.error, 0);
    guest_memory_free(&result.memory);
    text[2047] = 'x';
    boot(ELF_RAM, NULL, text);
    check_refused(&result, "2048 characters", result.path, "setup_header.cmdline_size");
}
END_TEST

/* ---- RAM ----------------------------------------------------------------------------- */

START_TEST(ram_without_room_for_the_boot_structures_is_refused)
{
    boot(LAYOUT_HIGH_MEMORY - 4096, NULL, "");
    ck_assert_int_lt(result.error, 0);
    ck_assert_int_eq(strncmp(result.why.text, "-m: ", 4), 0);
}
END_TEST

START_TEST(no_ram_at_all_is_refused)
{
    struct boot_request request = {.memory = &result.memory, .kernel = "x", .cmdline = ""};

    ck_assert_int_lt(boot_load(&request, &result.entry, &result.why), 0);
    ck_assert_int_eq(strncmp(result.why.text, "-m: ", 4), 0);
}
END_TEST

START_TEST(one_mib_of_ram_holds_no_kernel)
{
    boot(LAYOUT_HIGH_MEMORY, NULL, "");
    check_refused(&result, "1 MiB", result.path, "setup_header.pref_address");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("boot");
    TCase *tests = tcase_create("boot");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_zero_page_says_what_a_loader_must);
    tcase_add_test(tests, an_initrd_preset_in_the_file_is_forgotten);
    tcase_add_test(tests, the_entry_points_at_what_was_written);
    tcase_add_test(tests, the_seed_is_the_only_setup_data);
    tcase_add_test(tests, the_zero_page_names_acpis_tables);
    tcase_add_loop_test(tests, a_command_line_is_whole_or_refused_with_the_limit, 0,
                        ARRAY_SIZE(cmdlines));
    tcase_add_test(tests, a_command_line_ends_where_it_should_even_in_used_memory);
    tcase_add_test(tests, an_elf_kernel_takes_what_linux_takes);
    tcase_add_test(tests, ram_without_room_for_the_boot_structures_is_refused);
    tcase_add_test(tests, no_ram_at_all_is_refused);
    tcase_add_test(tests, one_mib_of_ram_holds_no_kernel);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
