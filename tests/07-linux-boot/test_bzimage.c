/* bzImages, good and bad: each field that could lead the loader astray, by name. */
#define _GNU_SOURCE
#include "images.h"

#include "07-linux-boot/bzimage.h"

/* [BOOT, "Details of Header Fields"]. RAM is 32 MiB, the kernel belongs at 8 MiB. */
static const struct row rows[] = {
    {"an image as it should be", {{0}}, NULL},
    {"no boot flag", {{HEADER(boot_flag), 0x55aa}}, "setup_header.boot_flag: 0x55aa"},
    {"no HdrS", {{HEADER(header), 0}}, "setup_header.header: no \"HdrS\""},
    {"HdrS backwards", {{HEADER(header), 0x48647253}}, "setup_header.header"},

    {"protocol 1.00", {{HEADER(version), 0x0100}}, "setup_header.version: boot protocol 1.00"},
    {"protocol 2.04", {{HEADER(version), 0x0204}}, "setup_header.version: boot protocol 2.04"},
    {"protocol 2.11, the last too old", {{HEADER(version), 0x020b}}, "setup_header.version"},
    {"protocol 2.12, the first with a 64-bit entry", {{HEADER(version), 0x020c}}, NULL},
    {"protocol 255.255, newer and compatible", {{HEADER(version), 0xffff}}, NULL},

    {"no payload", {{HEADER(syssize), 0}}, "setup_header.syssize: 0 bytes"},
    {"a payload that ends at its entry", {{HEADER(syssize), 0x20}}, "setup_header.syssize: 512"},
    {"the smallest payload", {{HEADER(syssize), 0x21}}, NULL},
    {"setup_sects 0 means 4", {{HEADER(setup_sects), 0}, {HEADER(syssize), 0x100}}, NULL},
    {"setup_sects 0 moves the payload", {{HEADER(setup_sects), 0}}, "setup_header.syssize"},
    {"setup code up to the file's end", {{HEADER(setup_sects), 17}}, "setup_header.setup_sects"},
    {"setup code beyond the file", {{HEADER(setup_sects), 255}}, "setup_header.setup_sects"},
    {"syssize one more than the file", {{HEADER(syssize), 0x201}}, "setup_header.syssize"},
    {"syssize 64 GiB", {{HEADER(syssize), 0xffffffff}}, "setup_header.syssize"},

    {"a header longer than boot_params", {{BYTE(0x201), 0xff}}, NULL},
    {"a header that just ends with init_size", {{BYTE(0x201), 0x62}}, NULL},
    {"a header that ends within init_size", {{BYTE(0x201), 0x61}}, "setup_header.jump"},
    {"a header of no length", {{BYTE(0x201), 0}}, "setup_header.jump"},
    {"no jump over the header", {{BYTE(0x200), 0x90}}, "setup_header.jump: 0x90"},

    {"init_size 4 GiB - 1", {{HEADER(init_size), 0xffffffff}}, "setup_header.init_size"},
    {"init_size 0", {{HEADER(init_size), 0}}, NULL},
    {"init_size up to the end of RAM", {{HEADER(init_size), 24 * MIB}}, NULL},
    {"init_size one byte more", {{HEADER(init_size), 24 * MIB + 1}}, "setup_header.init_size"},

    {"pref_address near 2^64", {{HEADER(pref_address), -4096}}, "setup_header.pref_address"},
    {"pref_address near 2^64, aligned",
     {{HEADER(pref_address), -2 * MIB}},
     "setup_header.pref_address"},
    {"pref_address 0 is no preference", {{HEADER(pref_address), 0}}, NULL},
    {"pref_address 0 for a fixed kernel",
     {{HEADER(pref_address), 0}, {HEADER(relocatable_kernel), 0}},
     "setup_header.pref_address"},
    {"pref_address 1", {{HEADER(pref_address), 1}}, "setup_header.pref_address"},
    {"pref_address over the zero page",
     {{HEADER(pref_address), LAYOUT_ZERO_PAGE}, {HEADER(kernel_alignment), 0x1000}},
     "setup_header.pref_address: 0x2000 is below 1 MiB"},
    {"pref_address just below 1 MiB",
     {{HEADER(pref_address), 0xff000}, {HEADER(kernel_alignment), 0x1000}},
     "setup_header.pref_address: 0xff000 is below 1 MiB"},
    {"pref_address 1 MiB",
     {{HEADER(pref_address), 0x100000}, {HEADER(kernel_alignment), 0x1000}},
     NULL},
    {"pref_address at the end of RAM",
     {{HEADER(pref_address), BZ_RAM}},
     "setup_header.pref_address"},
    {"pref_address above RAM in a fixed kernel",
     {{HEADER(pref_address), 64 * MIB}, {HEADER(relocatable_kernel), 0}},
     "setup_header.pref_address"},
    {"payload across the end of RAM",
     {{HEADER(pref_address), BZ_RAM - 4096},
      {HEADER(kernel_alignment), 0x1000},
      {HEADER(init_size), 0}},
     "setup_header.init_size"},

    {"kernel_alignment 0", {{HEADER(kernel_alignment), 0}}, "setup_header.kernel_alignment"},
    {"kernel_alignment 3", {{HEADER(kernel_alignment), 3}}, "setup_header.kernel_alignment"},
    {"kernel_alignment 2^31",
     {{HEADER(kernel_alignment), BIT(31)}},
     "setup_header.pref_address: 0x800000 is no multiple"},
    {"kernel_alignment 2^31 without preference",
     {{HEADER(kernel_alignment), BIT(31)}, {HEADER(pref_address), 0}},
     "setup_header.pref_address: the kernel belongs at 0x80000000"},

    {"a zImage", {{HEADER(loadflags), 0}}, "setup_header.loadflags"},
    {"every other load flag", {{HEADER(loadflags), 0xff}}, NULL},
    {"no 64-bit entry", {{HEADER(xloadflags), ~XLF_KERNEL_64}}, "setup_header.xloadflags"},
    {"a preset setup_data", {{HEADER(setup_data), WILD}}, NULL},
    {"a preset initrd", {{HEADER(ramdisk_image), WILD}, {HEADER(ramdisk_size), 1}}, NULL},
};

START_TEST(each_header_is_loaded_or_refused_by_name)
{
    check_row(&rows[_i], bzimage_make, BZ_RAM);
}
END_TEST

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

START_TEST(the_payload_is_where_the_kernel_prefers)
{
    const uint8_t *bytes;

    load(&result, &image, BZ_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(result.entry.rip, BZ_START + 0x200);
    bytes = guest_ptr(&result.memory, BZ_START, BZ_PAYLOAD);
    ck_assert_mem_eq(bytes, image.bytes + BZ_OFFSET, BZ_PAYLOAD);
    ck_assert(is_zero(&result.memory, LAYOUT_HIGH_MEMORY, BZ_START));
    ck_assert(is_zero(&result.memory, BZ_START + BZ_PAYLOAD, BZ_RAM));
}
END_TEST

START_TEST(bytes_behind_syssize_are_not_loaded)
{
    image_set(&image, HEADER(syssize), BZ_PAYLOAD / 16 - 1);
    load(&result, &image, BZ_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert(is_zero(&result.memory, BZ_START + BZ_PAYLOAD - 16, BZ_RAM));
}
END_TEST

START_TEST(without_preference_the_kernel_goes_to_the_first_aligned_address)
{
    image_set(&image, HEADER(pref_address), 0);
    load(&result, &image, BZ_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(result.entry.rip, 2 * MIB + 0x200);
}
END_TEST

/* What the file has behind its header (0xff in our image) stays in the file. */
START_TEST(the_zero_page_gets_the_header_and_nothing_behind_it)
{
    static const uint8_t zeros[SETUP_HEADER_LIMIT - 0x26c];

    load(&result, &image, BZ_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert_mem_eq((uint8_t *)zero_page(&result) + 0x26c, zeros, sizeof zeros);
    ck_assert_uint_eq(zero_page(&result)->sentinel, 0);
}
END_TEST

START_TEST(an_overlong_header_is_cut_where_the_next_field_begins)
{
    image_set(&image, BYTE(0x201), 0xff);
    load(&result, &image, BZ_RAM);
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(((uint8_t *)zero_page(&result))[SETUP_HEADER_LIMIT - 1], 0xff);
    ck_assert_uint_eq(zero_page(&result)->edd_mbr_sig_buffer[0], 0);
}
END_TEST

START_TEST(files_too_short_for_a_header_are_refused)
{
    static const size_t sizes[] = {0, 1, 511, 512, 0x26b, 1023};
    image.size = sizes[_i];
    load(&result, &image, BZ_RAM);
    check_refused(&result, "a short file", result.path, "size: ");
}
END_TEST

START_TEST(a_file_of_setup_code_alone_is_refused)
{
    image.size = BZ_OFFSET;
    load(&result, &image, BZ_RAM);
    check_refused(&result, "no payload", result.path, "setup_header.setup_sects");
}
END_TEST

START_TEST(a_file_one_byte_short_is_refused)
{
    image.size--;
    load(&result, &image, BZ_RAM);
    check_refused(&result, "one byte short", result.path, "setup_header.syssize");
}
END_TEST

START_TEST(a_file_that_shrinks_after_it_was_opened_is_refused)
{
    struct kernel_image kernel;
    struct file file;
    char path[32];
    int fd = file_of(image.bytes, image.size, path);

    ram_make(&result.memory, BZ_RAM);
    ck_assert_int_eq(file_open(&file, path, &result.why), 0);
    ck_assert_int_eq(ftruncate(fd, BZ_OFFSET + 100), 0);
    ck_assert_int_lt(bzimage_load(&file, &result.memory, &kernel, &result.why), 0);
    ck_assert_ptr_nonnull(strstr(result.why.text, "ends at byte"));
    file_close(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bzImage");
    TCase *tests = tcase_create("bzimage");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, each_header_is_loaded_or_refused_by_name, 0, ARRAY_SIZE(rows));
    tcase_add_test(tests, the_payload_is_where_the_kernel_prefers);
    tcase_add_test(tests, bytes_behind_syssize_are_not_loaded);
    tcase_add_test(tests, without_preference_the_kernel_goes_to_the_first_aligned_address);
    tcase_add_test(tests, the_zero_page_gets_the_header_and_nothing_behind_it);
    tcase_add_test(tests, an_overlong_header_is_cut_where_the_next_field_begins);
    tcase_add_loop_test(tests, files_too_short_for_a_header_are_refused, 0, 6);
    tcase_add_test(tests, a_file_of_setup_code_alone_is_refused);
    tcase_add_test(tests, a_file_one_byte_short_is_refused);
    tcase_add_test(tests, a_file_that_shrinks_after_it_was_opened_is_refused);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
