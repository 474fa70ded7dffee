/* The initrd: where it goes, and when there is no place for it. */
#define _GNU_SOURCE
#include "images.h"

#include "07-linux-boot/initrd.h"

static struct image image;
static struct load result;
static char initrd_path[32];

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

/* A sparse file reads as zeros; its first and last bytes do not. */
static const char *initrd_of(uint64_t size)
{
    int fd = file_of("\x31", size > 0, initrd_path);

    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    if (size > 1)
        ck_assert_int_eq(pwrite(fd, "\x32", 1, (off_t)size - 1), 1);
    return initrd_path;
}

/* RAM is 32 MiB, the kernel's span 8 to 12 MiB: 20 MiB above it, 7 below. */
static const struct {
    uint64_t size;
    uint32_t last; /* setup_header.initrd_addr_max */
    gpa_t start;   /* 0: refused */
} initrds[] = {
    {1, 0x7fffffff, BZ_RAM - 4096},
    {4096, 0x7fffffff, BZ_RAM - 4096},
    {4097, 0x7fffffff, BZ_RAM - 8192},
    {4096, 0xffffffff, BZ_RAM - 4096},
    {20 * MIB, 0x7fffffff, 12 * MIB},
    {20 * MIB + 1, 0x7fffffff, 0},
    {BZ_RAM, 0x7fffffff, 0},
    {BZ_RAM + 1, 0x7fffffff, 0},
    {UINT64_C(1) << 40, 0xffffffff, 0},
    {4096, 20 * MIB - 1, 20 * MIB - 4096},
    {4096, 20 * MIB - 2, 20 * MIB - 8192},
    {8 * MIB + 1, 20 * MIB - 1, 0},
    {4096, 12 * MIB + 4095, 12 * MIB},
    {4096, 12 * MIB + 4094, 8 * MIB - 4096}, /* does not fit above: goes below */
    {7 * MIB, 12 * MIB - 1, 1 * MIB},
    {7 * MIB + 1, 12 * MIB - 1, 0},
    {4096, 10 * MIB, 8 * MIB - 4096}, /* the limit is within the kernel */
    {4096, 4 * MIB - 1, 4 * MIB - 4096},
    {4096, 1 * MIB + 4095, 1 * MIB},
    {4096, 1 * MIB + 4094, 0},
    {1, LAYOUT_CMDLINE, 0},
    {1, 0, 0},
};

START_TEST(an_initrd_is_as_high_as_legal_or_refused)
{
    uint64_t size = initrds[_i].size;
    const uint8_t *bytes;

    image_set(&image, HEADER(initrd_addr_max), initrds[_i].last);
    boot(BZ_RAM, initrd_of(size), "");
    if (initrds[_i].start == 0) {
        check_refused(&result, "an initrd without a place", initrd_path, "size: ");
        return;
    }
    ck_assert_msg(result.error == 0, "row %d: %s", _i, result.why.text);
    ck_assert_uint_eq(zero_page(&result)->hdr.ramdisk_image, initrds[_i].start);
    ck_assert_uint_eq(zero_page(&result)->hdr.ramdisk_size, size);
    bytes = guest_ptr(&result.memory, initrds[_i].start, size);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(bytes[0], 0x31);
    ck_assert_uint_eq(bytes[size - 1], size == 1 ? 0x31 : 0x32);
    ck_assert_mem_eq(guest_ptr(&result.memory, BZ_START, BZ_PAYLOAD), image.bytes + BZ_OFFSET,
                     BZ_PAYLOAD);
    check_low_memory(&result, "an initrd");
}
END_TEST

START_TEST(a_kernel_that_ends_within_a_page_keeps_that_page)
{
    struct kernel_image kernel = {
        .start = BZ_START, .end = 12 * MIB + 100, .initrd_last = UINT32_MAX};
    gpa_t start;

    ck_assert(initrd_place(4096, 12 * MIB + 8192, &kernel, &start));
    ck_assert_uint_eq(start, 12 * MIB + 4096);
    ck_assert(initrd_place(4096, 12 * MIB + 4196, &kernel, &start));
    ck_assert_uint_eq(start, BZ_START - 4096);
}
END_TEST

START_TEST(a_refused_initrd_names_the_limit_that_it_met)
{
    boot(BZ_RAM, initrd_of(21 * MIB), "");
    ck_assert_ptr_nonnull(strstr(result.why.text, "see -m"));
    guest_memory_free(&result.memory);
    image_set(&image, HEADER(initrd_addr_max), 0xfffff);
    boot(BZ_RAM, initrd_of(1), "");
    ck_assert_ptr_nonnull(strstr(result.why.text, "initrd_addr_max"));
}
END_TEST

START_TEST(an_empty_initrd_is_none)
{
    boot(BZ_RAM, initrd_of(0), "");
    ck_assert_int_eq(result.error, 0);
    ck_assert_uint_eq(zero_page(&result)->hdr.ramdisk_image, 0);
    ck_assert_uint_eq(zero_page(&result)->hdr.ramdisk_size, 0);
}
END_TEST

START_TEST(a_missing_initrd_is_refused_by_name)
{
    boot(BZ_RAM, "/nonexistent/initrd", "");
    check_refused(&result, "no initrd", "/nonexistent/initrd", "cannot open");
}
END_TEST

START_TEST(an_initrd_that_shrinks_after_it_was_opened_is_refused)
{
    struct kernel_image kernel = {.start = BZ_START, .end = 12 * MIB, .initrd_last = UINT32_MAX};
    struct initrd initrd;
    struct file file;

    initrd_of(100000);
    ram_make(&result.memory, BZ_RAM);
    ck_assert_int_eq(file_open(&file, initrd_path, &result.why), 0);
    ck_assert_int_eq(truncate(initrd_path, 99999), 0);
    ck_assert_int_lt(initrd_load(&file, &result.memory, &kernel, &initrd, &result.why), 0);
    ck_assert_ptr_nonnull(strstr(result.why.text, "ends at byte 99999"));
    file_close(&file);
}
END_TEST

START_TEST(kernel_initrd_and_tables_that_exceed_16_mib_are_refused)
{
    image_set(&image, HEADER(pref_address), 2 * MIB);
    image_set(&image, HEADER(init_size), 10 * MIB);
    boot(16 * MIB, initrd_of(4 * MIB), "");
    ck_assert_int_eq(result.error, 0); /* 12 to 16 MiB is left: it fits exactly */
    guest_memory_free(&result.memory);
    boot(16 * MIB, initrd_of(4 * MIB + 1), "");
    check_refused(&result, "16 MiB", initrd_path, "size: ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("initrd");
    TCase *tests = tcase_create("initrd");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, an_initrd_is_as_high_as_legal_or_refused, 0, ARRAY_SIZE(initrds));
    tcase_add_test(tests, a_kernel_that_ends_within_a_page_keeps_that_page);
    tcase_add_test(tests, a_refused_initrd_names_the_limit_that_it_met);
    tcase_add_test(tests, an_empty_initrd_is_none);
    tcase_add_test(tests, a_missing_initrd_is_refused_by_name);
    tcase_add_test(tests, an_initrd_that_shrinks_after_it_was_opened_is_refused);
    tcase_add_test(tests, kernel_initrd_and_tables_that_exceed_16_mib_are_refused);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
