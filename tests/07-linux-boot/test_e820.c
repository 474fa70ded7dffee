/* The memory map against the memory: no byte too many, none too few. */
#define _GNU_SOURCE
#include "images.h"

#include "07-linux-boot/e820.h"

/* Where no PC has RAM that it offers. */
#define NOT_OFFERED_START UINT64_C(0x9fc00)
#define NOT_OFFERED_END   UINT64_C(0x100000)

static const uint64_t sizes[] = {
    1 * MIB, 1 * MIB + 4096, 16 * MIB,          512 * MIB,      3 * GIB - 4096,
    3 * GIB, 3 * GIB + 4096, 4 * GIB,           4 * GIB + 4096, 4097 * MIB,
    5 * GIB, 64 * GIB,       1024 * GIB - 4096,
};

static struct guest_memory memory;
static struct boot_e820_entry table[E820_ENTRIES_MAX];
static unsigned count;

static void teardown(void)
{
    guest_memory_free(&memory);
}

/* The memory of a machine with so much RAM; its pages do not exist until touched. */
static void machine(uint64_t size)
{
    ram_make(&memory, size);
    count = e820_build(&memory, table);
}

static bool in_map(gpa_t address, unsigned type)
{
    for (unsigned i = 0; i < count; i++)
        if (table[i].type == type && address >= table[i].addr &&
            address - table[i].addr < table[i].size)
            return true;
    return false;
}

static bool is_ram_to_offer(gpa_t address)
{
    return guest_ptr(&memory, address, 1) &&
           !(address >= NOT_OFFERED_START && address < NOT_OFFERED_END);
}

static void check_address(gpa_t address)
{
    ck_assert_msg(in_map(address, E820_RAM) == is_ram_to_offer(address),
                  "0x%lx is %sRAM in the map, but %sin a slot", address,
                  in_map(address, E820_RAM) ? "" : "not ", is_ram_to_offer(address) ? "" : "not ");
}

START_TEST(the_map_is_the_slots_without_the_bios_hole)
{
    uint64_t sum = 0;

    machine(sizes[_i]);
    for (unsigned i = 0; i < count; i++) {
        uint64_t edges[] = {table[i].addr, table[i].addr + table[i].size};

        for (unsigned e = 0; e < 2; e++) {
            check_address(edges[e]);
            check_address(edges[e] - 1);
        }
        if (table[i].type == E820_RAM)
            sum += table[i].size;
    }
    for (unsigned i = 0; i < memory.count; i++) {
        check_address(memory.regions[i].start);
        check_address(memory.regions[i].start + memory.regions[i].size - 1);
        check_address(memory.regions[i].start + memory.regions[i].size);
    }
    ck_assert_uint_eq(sum + NOT_OFFERED_END - NOT_OFFERED_START, sizes[_i]);
    ck_assert_uint_eq(guest_memory_size(&memory), sizes[_i]);
}
END_TEST

START_TEST(entries_ascend_and_do_not_touch_each_other)
{
    machine(sizes[_i]);
    for (unsigned i = 0; i < count; i++) {
        ck_assert_uint_gt(table[i].size, 0);
        if (i > 0)
            ck_assert_uint_ge(table[i].addr, table[i - 1].addr + table[i - 1].size);
    }
}
END_TEST

START_TEST(nothing_is_ram_between_three_and_four_gib)
{
    machine(sizes[_i]);
    ck_assert_ptr_null(guest_ptr(&memory, 3 * GIB, 1));
    ck_assert_ptr_null(guest_ptr(&memory, LAYOUT_LAPIC, 1));
    ck_assert_ptr_null(guest_ptr(&memory, 4 * GIB - 1, 1));
    ck_assert(!in_map(3 * GIB, E820_RAM));
    ck_assert(!in_map(4 * GIB - 1, E820_RAM));
}
END_TEST

START_TEST(one_page_beyond_three_gib_is_above_four)
{
    machine(3 * GIB + 4096);
    ck_assert_ptr_nonnull(guest_ptr(&memory, 4 * GIB, 4096));
    ck_assert_ptr_null(guest_ptr(&memory, 4 * GIB + 4096, 1));
    ck_assert_uint_eq(memory.count, 2);
    ck_assert_uint_eq(table[count - 1].addr, 4 * GIB);
    ck_assert_uint_eq(table[count - 1].size, 4096);
}
END_TEST

START_TEST(three_gib_are_one_region)
{
    machine(3 * GIB);
    ck_assert_uint_eq(memory.count, 1);
}
END_TEST

START_TEST(places_for_firmware_tables_and_kvm_are_reserved)
{
    machine(512 * MIB);
    ck_assert(in_map(0x9fc00, E820_RESERVED));
    ck_assert(in_map(0x9ffff, E820_RESERVED));
    ck_assert(!in_map(0xa0000, E820_RESERVED)); /* video memory */
    ck_assert(!in_map(0xdffff, E820_RESERVED));
    ck_assert(in_map(0xe0000, E820_RESERVED));
    ck_assert(in_map(0xfffff, E820_RESERVED));
    ck_assert(in_map(0xfffbc000, E820_RESERVED));
    ck_assert(in_map(0xfffbffff, E820_RESERVED));
}
END_TEST

START_TEST(the_zero_page_has_the_same_map)
{
    static struct image image;
    struct load result;

    bzimage_make(&image);
    load(&result, &image, 4 * GIB + 4096);
    ck_assert_int_eq(result.error, 0);
    count = e820_build(&result.memory, table);
    ck_assert_uint_eq(count, 6);
    ck_assert_uint_eq(zero_page(&result)->e820_entries, count);
    ck_assert_mem_eq(zero_page(&result)->e820_table, table, count * sizeof table[0]);
    guest_memory_free(&result.memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory map");
    TCase *tests = tcase_create("e820");
    const int all = ARRAY_SIZE(sizes);

    tcase_add_checked_fixture(tests, NULL, teardown);
    tcase_add_loop_test(tests, the_map_is_the_slots_without_the_bios_hole, 0, all);
    tcase_add_loop_test(tests, entries_ascend_and_do_not_touch_each_other, 0, all);
    tcase_add_loop_test(tests, nothing_is_ram_between_three_and_four_gib, 0, all);
    tcase_add_test(tests, one_page_beyond_three_gib_is_above_four);
    tcase_add_test(tests, three_gib_are_one_region);
    tcase_add_test(tests, places_for_firmware_tables_and_kvm_are_reserved);
    tcase_add_test(tests, the_zero_page_has_the_same_map);
    suite_add_tcase(suite, tests);
    return harness_main(suite);
}
