/* Kernels that are entered by PVH, and the notes that say so, well made and not. */
#define _GNU_SOURCE
#include "images.h"

#include "07-linux-boot/pvh.h"

#define NOTE       ELF_OFFSET /* elf_make() has its PT_NOTE here, at segment 0's first bytes */
#define PVH_ENTRY  (ELF_TEXT + 0x200)
#define NOTES_SIZE 36u

/* Somebody else's note, with padding, and then ours. */
static void pvh_make(struct image *image)
{
    static const struct {
        uint32_t sizes1[3];
        char name1[4];
        uint32_t sizes2[3];
        char name2[4];
        uint32_t entry;
    } notes = {{3, 0, 1}, "ab", {4, 4, 18}, "Xen", (uint32_t)PVH_ENTRY};
    _Static_assert(sizeof notes == NOTES_SIZE, "two notes");

    elf_make(image);
    memcpy(image->bytes + NOTE, &notes, sizeof notes);
    image_set(image, PHDR(2, p_filesz), sizeof notes);
}

/* What the loader makes of the file: 'p' for PVH, 'l' for Linux, or a refusal. */
static const struct {
    const char *fact;
    struct patch patches[4];
    char what;
    const char *refusal;
} rows[] = {
    {"notes as they should be", {{0}}, 'p', NULL},
    {"a note of eight bytes",
     {{NOTE + 20, 4, 8}, {PHDR(2, p_filesz), 40}, {NOTE + 32, 8, PVH_ENTRY}},
     'p',
     NULL},
    {"e_entry is not looked at", {{EHDR(e_entry), 0}}, 'p', NULL},
    {"another type", {{NOTE + 24, 4, 17}}, 'l', NULL},
    {"another owner", {{NOTE + 28, 4, 0x006e6558 ^ 1}}, 'l', NULL},
    {"an owner without its end", {{NOTE + 28, 4, 0x206e6558}}, 'l', NULL},
    {"a contents of two bytes", {{NOTE + 20, 4, 2}}, 'l', NULL},
    {"a contents of 4 GiB", {{NOTE + 20, 4, 0xffffffff}}, 'l', NULL},
    {"a name of 4 GiB", {{NOTE + 16, 4, 0xffffffff}}, 'l', NULL},
    {"4 GiB in the note before", {{NOTE, 4, 0xffffffff}, {NOTE + 4, 4, 0xffffffff}}, 'l', NULL},
    {"one byte too few", {{PHDR(2, p_filesz), NOTES_SIZE - 1}}, 'l', NULL},
    {"no note at all", {{PHDR(2, p_filesz), 0}}, 'l', NULL},
    {"notes past the file", {{PHDR(2, p_offset), 0x5001}}, 'l', NULL},
    {"notes at 2^64 - 1", {{PHDR(2, p_offset), UINT64_MAX}}, 'l', NULL},
    {"notes of 2^64 - 1 bytes", {{PHDR(2, p_filesz), UINT64_MAX}}, 'l', NULL},
    {"alignment 0", {{PHDR(2, p_align), 0}}, 'p', NULL},
    {"alignment 3", {{PHDR(2, p_align), 3}}, 'p', NULL},
    {"notes that are all zero",
     {{PHDR(2, p_offset), 0x200}, {PHDR(2, p_filesz), 0xe00}},
     'l',
     NULL},
    {"an entry of 0", {{NOTE + 32, 4, 0}}, 0, "XEN_ELFNOTE_PHYS32_ENTRY: 0x0"},
    {"an entry in the zeros",
     {{NOTE + 32, 4, ELF_DATA + 0x1000}},
     0,
     "XEN_ELFNOTE_PHYS32_ENTRY: 0x1201000"},
    {"an entry beyond RAM", {{NOTE + 32, 4, 0xfffffff0}}, 0, "XEN_ELFNOTE_PHYS32_ENTRY"},
};

START_TEST(each_note_is_believed_ignored_or_refused)
{
    static struct image image;
    struct load result;

    pvh_make(&image);
    for (const struct patch *patch = rows[_i].patches; patch->width > 0; patch++)
        image_set(&image, patch->at, patch->width, patch->value);
    load(&result, &image, ELF_RAM);
    if (rows[_i].refusal) {
        check_refused(&result, rows[_i].fact, result.path, rows[_i].refusal);
    } else {
        ck_assert_msg(result.error == 0, "%s: %s", rows[_i].fact, result.why.text);
        ck_assert_msg(result.entry.mode == (rows[_i].what == 'p' ? ENTRY_PROTECTED : ENTRY_LONG),
                      "%s", rows[_i].fact);
        ck_assert_uint_eq(result.entry.rip, rows[_i].what == 'p' ? PVH_ENTRY : ELF_ENTRY);
    }
    guest_memory_free(&result.memory);
}
END_TEST

static struct image image;
static struct load result;

static void boot(const char *initrd)
{
    struct boot_request request = {.memory = &result.memory,
                                   .kernel = result.path,
                                   .initrd = initrd,
                                   .cmdline = "quiet",
                                   .rsdp = 0xe0000};

    pvh_make(&image);
    file_of(image.bytes, image.size, result.path);
    ram_make(&result.memory, ELF_RAM);
    result.error = boot_load(&request, &result.entry, &result.why);
    ck_assert_msg(result.error == 0, "%s", result.why.text);
}

/* As the specification draws them, by offset. */
static uint64_t field(unsigned at, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, guest_ptr(&result.memory, result.entry.rbx + at, size), size);
    return value;
}

START_TEST(the_start_info_says_what_there_is)
{
    boot(NULL);
    ck_assert_uint_eq(field(0, 4), 0x336ec578);
    ck_assert_uint_eq(field(4, 4), 1);  /* version */
    ck_assert_uint_eq(field(8, 4), 0);  /* flags */
    ck_assert_uint_eq(field(12, 4), 0); /* modules */
    ck_assert_uint_eq(field(16, 8), 0);
    ck_assert_str_eq(guest_ptr(&result.memory, field(24, 8), 6), "quiet");
    ck_assert_uint_eq(field(32, 8), 0xe0000);
    ck_assert_uint_eq(field(48, 4), 5); /* entries of the memory map */
    guest_memory_free(&result.memory);
}
END_TEST

START_TEST(the_memory_map_is_the_e820_map)
{
    uint64_t entry[3];

    boot(NULL);
    memcpy(entry, guest_ptr(&result.memory, field(40, 8) + 3 * sizeof entry, sizeof entry),
           sizeof entry);
    ck_assert_uint_eq(entry[0], LAYOUT_HIGH_MEMORY);
    ck_assert_uint_eq(entry[1], ELF_RAM - LAYOUT_HIGH_MEMORY);
    ck_assert_uint_eq(entry[2], 1);
    guest_memory_free(&result.memory);
}
END_TEST

START_TEST(the_initrd_is_the_only_module)
{
    char path[32];
    uint64_t module[4];

    file_of("some bytes", 10, path);
    boot(path);
    ck_assert_uint_eq(field(12, 4), 1);
    memcpy(module, guest_ptr(&result.memory, field(16, 8), sizeof module), sizeof module);
    ck_assert_uint_eq(module[1], 10);
    ck_assert_mem_eq(guest_ptr(&result.memory, module[0], 10), "some bytes", 10);
    ck_assert_uint_eq(module[2] | module[3], 0);
    guest_memory_free(&result.memory);
}
END_TEST

START_TEST(nothing_else_is_written_to_low_memory)
{
    boot(NULL);
    ck_assert(is_zero(&result.memory, LAYOUT_ZERO_PAGE, LAYOUT_BOOT_INFO));
    ck_assert(is_zero(&result.memory, LAYOUT_BOOT_INFO + 0x400, LAYOUT_CMDLINE));
    guest_memory_free(&result.memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("PVH");
    TCase *tests = tcase_create("pvh");

    tcase_add_loop_test(tests, each_note_is_believed_ignored_or_refused, 0, ARRAY_SIZE(rows));
    tcase_add_test(tests, the_start_info_says_what_there_is);
    tcase_add_test(tests, the_memory_map_is_the_e820_map);
    tcase_add_test(tests, the_initrd_is_the_only_module);
    tcase_add_test(tests, nothing_else_is_written_to_low_memory);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
