/*
 * Real kernels in plain memory: the distribution's, as common/kernel unpacks them.
 * Loading them needs no KVM; that they boot is for the tests of the whole machine.
 */
#define _GNU_SOURCE
#include "images.h"

#include <fcntl.h>

#define KERNELS "build/kernels/" /* whatever BUILD is: kernels are fetched once */

static struct load result;
static char path[64], release[64];
static uint8_t *contents;
static size_t size;

static const char *name_of(const char *flavour, const char *file)
{
    snprintf(path, sizeof path, KERNELS "%s/%s", flavour, file);
    return path;
}

/* Maps the file and learns which release it should be. */
static void open_kernel(const char *flavour, const char *file)
{
    FILE *stream = fopen(name_of(flavour, "release"), "r");
    int fd;

    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fscanf(stream, "%63s", release), 1);
    fclose(stream);

    fd = open(name_of(flavour, file), O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    size = (size_t)lseek(fd, 0, SEEK_END);
    contents = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    ck_assert_ptr_ne(contents, MAP_FAILED);
    close(fd);
}

static void teardown(void)
{
    guest_memory_free(&result.memory);
}

static void check_bzimage_loads(const char *flavour)
{
    struct setup_header header;
    size_t offset;

    open_kernel(flavour, "vmlinuz");
    load_request(&result, 256 * MIB, path, path, "quiet"); /* itself as the initrd */
    ck_assert_msg(result.error == 0, "%s", result.why.text);

    memcpy(&header, contents + SETUP_HEADER_START, sizeof header);
    offset = (header.setup_sects + 1u) * 512;
    ck_assert_int_eq(
        strncmp((char *)contents + header.kernel_version + 0x200, release, strlen(release)), 0);
    ck_assert_uint_eq(result.entry.rip, 0x1000200); /* CONFIG_PHYSICAL_START */
    ck_assert_mem_eq(guest_ptr(&result.memory, 0x1000000, header.syssize * 16u), contents + offset,
                     header.syssize * 16u);
    ck_assert_uint_eq(zero_page(&result)->hdr.ramdisk_size, size);
    ck_assert_mem_eq(guest_ptr(&result.memory, zero_page(&result)->hdr.ramdisk_image, size),
                     contents, size);
    ck_assert_uint_ge(zero_page(&result)->hdr.ramdisk_image, 0x1000000 + header.init_size);
}

static void check_elf_loads(const char *flavour)
{
    char banner[80];
    Elf64_Ehdr header;

    open_kernel(flavour, "vmlinux");
    load_request(&result, 256 * MIB, path, NULL, "quiet");
    ck_assert_msg(result.error == 0, "%s", result.why.text);

    /* Distributions' are entered by PVH, not far from the other entry. */
    memcpy(&header, contents, sizeof header);
    ck_assert_uint_eq(result.entry.mode, ENTRY_PROTECTED);
    ck_assert_uint_ne(result.entry.rip, header.e_entry);
    ck_assert_uint_eq(result.entry.rip / 0x10000, header.e_entry / 0x10000);
    snprintf(banner, sizeof banner, "Linux version %s ", release);
    ck_assert_ptr_nonnull(
        memmem(guest_ptr(&result.memory, 0x1000000, 128 * MIB), 128 * MIB, banner, strlen(banner)));
}

START_TEST(the_cloud_kernels_bzimage_loads)
{
    check_bzimage_loads("cloud");
}
END_TEST

START_TEST(the_cloud_kernels_vmlinux_loads)
{
    check_elf_loads("cloud");
}
END_TEST

START_TEST(the_generic_kernels_bzimage_loads)
{
    check_bzimage_loads("generic");
}
END_TEST

START_TEST(the_generic_kernels_vmlinux_loads)
{
    check_elf_loads("generic");
}
END_TEST

/* Both forms need RAM at 16 MiB and beyond: the least that loads is told. */
START_TEST(sixteen_mib_are_refused_in_words)
{
    open_kernel("cloud", "vmlinuz");
    load_request(&result, 16 * MIB, path, NULL, "");
    check_refused(&result, "16 MiB", path, "setup_header.pref_address: the kernel belongs at");
    guest_memory_free(&result.memory);
    load_request(&result, 32 * MIB, path, NULL, "");
    check_refused(&result, "32 MiB", path, "setup_header.init_size: the kernel needs");
}
END_TEST

/* Why a test cannot run here, or NULL. */
static const char *missing(const char *flavour, const char *file)
{
    static char reason[128];

    if (access(name_of(flavour, file), R_OK) == 0)
        return NULL;
    snprintf(reason, sizeof reason, "no %s (common/kernel %s fetches it)", path, flavour);
    return reason;
}

int main(void)
{
    Suite *suite = suite_create("real kernels");
    TCase *tests = tcase_create("kernels");

    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, NULL, teardown);
    harness_add(tests, the_cloud_kernels_bzimage_loads, missing("cloud", "vmlinuz"));
    harness_add(tests, the_cloud_kernels_vmlinux_loads, missing("cloud", "vmlinux"));
    harness_add(tests, the_generic_kernels_bzimage_loads, missing("generic", "vmlinuz"));
    harness_add(tests, the_generic_kernels_vmlinux_loads, missing("generic", "vmlinux"));
    harness_add(tests, sixteen_mib_are_refused_in_words, missing("cloud", "vmlinuz"));
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
