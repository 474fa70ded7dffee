/*
 * The ACPI tables: AML byte by byte, every checksum and pointer, the power registers;
 * and what ACPICA's own compiler (iasl) makes of them, which shares code with Linux.
 */
#define _GNU_SOURCE
#include "images.h"

#include <stdlib.h>
#include <unistd.h>

#include "07-linux-boot/acpi/aml.h"
#include "07-linux-boot/acpi/pm.h"
#include "07-linux-boot/acpi/tables.h"

#define SECTION "chapter 7, \"ACPI\""

/* ---- AML ---- */

static uint8_t bytes[16 * KIB];
static struct aml aml;

static void fresh_aml(void)
{
    aml = (struct aml){.bytes = bytes, .room = sizeof bytes};
}

static void expect_bytes(const void *expected, size_t count)
{
    ck_assert_uint_eq(aml.size, count);
    ck_assert_mem_eq(aml.bytes, expected, count);
}

START_TEST(integers_take_the_shortest_form)
{
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t count;
    } forms[] = {
        {0, "\x00", 1},
        {1, "\x01", 1},
        {2, "\x0a\x02", 2},
        {0xff, "\x0a\xff", 2},
        {0x100, "\x0b\x00\x01", 3},
        {0xffff, "\x0b\xff\xff", 3},
        {0x10000, "\x0c\x00\x00\x01\x00", 5},
        {0xffffffff, "\x0c\xff\xff\xff\xff", 5},
        {0x100000000, "\x0e\x00\x00\x00\x00\x01\x00\x00\x00", 9},
    };

    fresh_aml();
    aml_integer(&aml, forms[_i].value);
    expect_bytes(forms[_i].bytes, forms[_i].count);
}
END_TEST

START_TEST(an_eisa_id_is_packed_as_the_specification_shows)
{
    fresh_aml();
    aml_eisa_id(&aml, "PNP0A03"); /* [ACPI, 19.6.36]: 0x030ad041 */
    expect_bytes("\x0c\x41\xd0\x0a\x03", 5);
}
END_TEST

/* A package whose block is length bytes long, its own length included. */
static void package_of(size_t length)
{
    size_t start, prefix = length < 64 ? 1 : length < 4096 ? 2 : 3;

    fresh_aml();
    start = aml_package(&aml, 0);
    while (aml.size - start < length - prefix)
        aml_integer(&aml, 0);
    aml_end(&aml, start);
    ck_assert_uint_eq(aml.size, 1 + length);
}

START_TEST(a_length_has_one_byte_up_to_63)
{
    package_of(63);
    ck_assert_uint_eq(bytes[1], 63);
    ck_assert_uint_eq(bytes[2], 0); /* the number of elements */
}
END_TEST

START_TEST(a_length_has_two_bytes_up_to_4095)
{
    package_of(65);
    ck_assert_mem_eq(bytes, "\x12\x41\x04", 3);
    package_of(4095);
    ck_assert_mem_eq(bytes, "\x12\x4f\xff", 3);
}
END_TEST

START_TEST(a_length_has_three_bytes_from_4097)
{
    package_of(4097);
    ck_assert_mem_eq(bytes, "\x12\x81\x00\x01", 4);
}
END_TEST

START_TEST(paths_of_several_segments_say_how_many)
{
    fresh_aml();
    aml_name(&aml, "_HID");
    aml_name(&aml, "\\_SB_.PWRB");
    aml_name(&aml, "A___.B___.C___");
    expect_bytes("\x08_HID\x08\\\x2e_SB_PWRB\x08\x2f\x03"
                 "A___B___C___",
                 5 + 11 + 15);
}
END_TEST

/* ---- the tables ---- */

static struct guest_memory memory;

static const struct acpi_board boards[] = {
    {.processors = 1, .serial = true},
    {.processors = 16,
     .serial = true,
     .keyboard = true,
     .clock = true,
     .pci = true,
     .pci_first = 0xc0000000,
     .pci_last = 0xfebfffff,
     .pci_gsi = 16,
     .pci64_first = 0x8000000000,
     .pci64_last = 0xffffffffff},
    {.processors = 2,
     .lean = true,
     .serial = true,
     .virtio = {{0xd0000000, 0x200, 5}, {0xd0001000, 0x200, 6}},
     .virtio_count = 2},
    {.processors = ACPI_PROCESSORS_MAX, .lean = true},
};

static void write_board(int i)
{
    ram_make(&memory, 16 * MIB);
    ck_assert_uint_eq(acpi_write(&memory, &boards[i]), 0xe0000);
}

static void teardown(void)
{
    guest_memory_free(&memory);
}

static uint8_t *at(uint64_t address, size_t size)
{
    uint8_t *p = guest_ptr(&memory, address, size);

    ck_assert_msg(p && address >= 0xe0000 && address + size <= 0x100000,
                  "0x%lx is outside the BIOS area", address);
    return p;
}

static uint64_t number(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, p, size);
    return value;
}

static void sums_to_zero(const uint8_t *p, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + p[i]);
    ck_assert_uint_eq(sum, 0);
}

/* The table at address, checked; its signature must be as said. */
static uint8_t *table(uint64_t address, const char *signature)
{
    uint8_t *p = at(address, 36);
    uint64_t length = number(p + 4, 4);

    ck_assert_mem_eq(p, signature, 4);
    sums_to_zero(at(address, length), length);
    return p;
}

static uint8_t *from_xsdt(unsigned i, const char *signature)
{
    uint8_t *rsdp = at(0xe0000, 36);
    uint8_t *xsdt = table(number(rsdp + 24, 8), "XSDT");

    return table(number(xsdt + 36 + i * 8, 8), signature);
}

START_TEST(the_root_pointer_is_where_a_search_looks)
{
    write_board(_i);
    ck_assert_mem_eq(at(0xe0000, 8), "RSD PTR ", 8);
    sums_to_zero(at(0xe0000, 20), 20);
    sums_to_zero(at(0xe0000, 36), 36);
}
END_TEST

START_TEST(every_table_is_reached_and_its_bytes_sum_to_zero)
{
    uint8_t *fadt;

    write_board(_i);
    fadt = from_xsdt(0, "FACP");
    from_xsdt(1, "APIC");
    table(number(fadt + 140, 8), "DSDT");
    ck_assert_uint_eq(number(fadt + 40, 4), number(fadt + 140, 8));
}
END_TEST

START_TEST(only_the_lean_machine_says_hardware_reduced)
{
    bool lean = boards[_i].lean;
    uint8_t *fadt;

    write_board(_i);
    fadt = from_xsdt(0, "FACP");
    ck_assert_uint_eq(number(fadt + 112, 4) >> 20 & 1, lean);
    ck_assert_uint_eq(number(fadt + 56, 4), lean ? 0 : ACPI_PM_PORTS);      /* PM1a event */
    ck_assert_uint_eq(number(fadt + 64, 4), lean ? 0 : ACPI_PM_PORTS + 4);  /* PM1a control */
    ck_assert_uint_eq(number(fadt + 248, 8), lean ? ACPI_PM_PORTS + 6 : 0); /* sleep control */
    ck_assert_uint_eq(number(fadt + 120, 8), 0xcf9);
    if (!lean)
        ck_assert_mem_eq(at(number(fadt + 36, 4), 64), "FACS", 4);
}
END_TEST

START_TEST(the_boot_flags_tell_what_need_not_be_looked_for)
{
    const struct acpi_board *board = &boards[_i];
    uint64_t flags;

    write_board(_i);
    flags = number(from_xsdt(0, "FACP") + 109, 2);
    ck_assert_uint_eq(flags >> 1 & 1, board->keyboard);
    ck_assert_uint_eq(flags >> 5 & 1, !board->clock);
}
END_TEST

START_TEST(the_madt_lists_every_processor_once)
{
    unsigned seen[256] = {0}, overrides = 0;
    uint8_t *madt;

    write_board(_i);
    madt = from_xsdt(1, "APIC");
    ck_assert_uint_eq(number(madt + 36, 4), 0xfee00000);
    for (size_t i = 44; i < number(madt + 4, 4); i += madt[i + 1]) {
        ck_assert_uint_ge(madt[i + 1], 6);
        if (madt[i] == 0)
            seen[madt[i + 3]]++;
        if (madt[i] == 1)
            ck_assert_uint_eq(number(madt + i + 4, 4), 0xfec00000);
        if (madt[i] == 2)
            overrides++;
    }
    for (unsigned i = 0; i < 256; i++)
        ck_assert_uint_eq(seen[i], i < boards[_i].processors);
    ck_assert_uint_eq(overrides, boards[_i].lean ? 0 : 2);
}
END_TEST

/* ---- iasl ---- */

static const char *no_iasl(void)
{
    return system("command -v iasl >/dev/null 2>&1") ? "iasl is not installed (acpica-tools)"
                                                     : NULL;
}

static void save(const char *directory, const char *name, const uint8_t *table)
{
    char path[200];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.dat", directory, name);
    file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(table, 1, number(table + 4, 4), file), number(table + 4, 4));
    fclose(file);
}

/*
 * Disassembles the table and compiles the source again: the compiler must find
 * nothing to say, and make the same bytes but for its own name in the header.
 */
static void iasl_agrees(const char *name, const uint8_t *table)
{
    char directory[] = "/tmp/ring-acpi-XXXXXX", command[900], output[4000];
    size_t length;
    FILE *pipe;
    int status;

    ck_assert_ptr_nonnull(mkdtemp(directory));
    save(directory, name, table);
    snprintf(command, sizeof command,
             "cd %s && exec 2>&1 && iasl -d %s.dat >d.log && iasl -oa -p again %s.dsl >c.log;"
             " s=$?; grep -E '^(Error|Warning|Remark)' -A3 d.log c.log; grep ' Errors' c.log;"
             " cmp -i 36 %s.dat again.aml || s=1; cat d.log | tail -3; cd /; rm -rf %s; exit $s",
             directory, name, name, name, directory);
    pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    length = fread(output, 1, sizeof output - 1, pipe);
    output[length] = 0;
    status = pclose(pipe);
    if (status != 0 || (!strcmp(name, "dsdt") && !strstr(output, " 0 Errors, 0 Warnings")))
        e2e_fail(SECTION, "a table that iasl compiles to the same bytes without a warning",
                 "a length, a checksum, or an object that the specification wants otherwise",
                 "%s:\n%s", name, output);
}

START_TEST(iasl_compiles_the_same_bytes_without_a_warning)
{
    uint8_t *fadt;

    write_board(_i);
    fadt = from_xsdt(0, "FACP");
    iasl_agrees("facp", fadt);
    iasl_agrees("apic", from_xsdt(1, "APIC"));
    iasl_agrees("dsdt", table(number(fadt + 140, 8), "DSDT"));
}
END_TEST

/* ---- the power registers ---- */

static int sci, sci_edges, off;

static void set_sci(void *self, bool level)
{
    (void)self;
    sci = level;
    sci_edges += level;
}

static void set_off(void *self, bool level)
{
    (void)self;
    off = level;
}

static struct acpi_pm pm;

static void power(bool reduced)
{
    sci = sci_edges = off = 0;
    acpi_pm_init(&pm, (struct irq_line){.set = set_sci}, (struct irq_line){.set = set_off},
                 reduced);
}

START_TEST(the_button_interrupts_if_enabled_and_stays_until_cleared)
{
    power(false);
    acpi_pm_press(&pm);
    ck_assert_int_eq(sci, 0);
    acpi_pm_write(&pm, ACPI_PM1_ENABLE, 2, 0x0100);
    ck_assert_int_eq(sci, 1);
    ck_assert_uint_eq(acpi_pm_read(&pm, ACPI_PM1_STATUS, 2), 0x0100);
    acpi_pm_write(&pm, ACPI_PM1_STATUS, 2, 0x0001); /* another bit: stays */
    ck_assert_int_eq(sci, 1);
    acpi_pm_write(&pm, ACPI_PM1_STATUS, 2, 0x0100);
    ck_assert_int_eq(sci, 0);
    ck_assert_int_eq(sci_edges, 1);
}
END_TEST

START_TEST(the_reduced_button_is_one_edge)
{
    power(true);
    acpi_pm_press(&pm);
    ck_assert_int_eq(sci_edges, 1);
    ck_assert_int_eq(sci, 0);
}
END_TEST

START_TEST(only_s5_switches_off)
{
    for (unsigned type = 0; type < 8; type++) {
        power(false);
        acpi_pm_write(&pm, ACPI_PM1_CONTROL, 2, type << 10);
        ck_assert_int_eq(off, 0);
        acpi_pm_write(&pm, ACPI_PM1_CONTROL, 2, 0x2000 | type << 10 | 1);
        ck_assert_int_eq(off, type == 5);
        power(true);
        acpi_pm_write(&pm, ACPI_SLEEP_CONTROL, 1, 0x20 | type << 2);
        ck_assert_int_eq(off, type == 5);
    }
}
END_TEST

START_TEST(single_bytes_are_parts_of_their_register)
{
    power(false);
    acpi_pm_write(&pm, ACPI_PM1_ENABLE + 1, 1, 0x01);
    ck_assert_uint_eq(acpi_pm_read(&pm, ACPI_PM1_ENABLE, 2), 0x0100);
    ck_assert_uint_eq(acpi_pm_read(&pm, ACPI_PM1_ENABLE, 1), 0);
    ck_assert_uint_eq(acpi_pm_read(&pm, ACPI_PM1_ENABLE + 1, 1), 0x01);
    acpi_pm_write(&pm, ACPI_PM1_ENABLE, 1, 0xff); /* the timer, the global lock */
    ck_assert_uint_eq(acpi_pm_read(&pm, ACPI_PM1_ENABLE, 2), 0x0121);
    ck_assert_uint_eq(acpi_pm_read(&pm, ACPI_PM1_CONTROL, 2), 1);
    acpi_pm_write(&pm, ACPI_PM1_CONTROL + 1, 1, 0x20 | 5 << 2);
    ck_assert_int_eq(off, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("acpi");
    TCase *code = tcase_create("aml"), *tables = tcase_create("tables"),
          *switches = tcase_create("pm");
    const char *iasl = no_iasl();

    tcase_add_loop_test(code, integers_take_the_shortest_form, 0, 9);
    tcase_add_test(code, an_eisa_id_is_packed_as_the_specification_shows);
    tcase_add_test(code, a_length_has_one_byte_up_to_63);
    tcase_add_test(code, a_length_has_two_bytes_up_to_4095);
    tcase_add_test(code, a_length_has_three_bytes_from_4097);
    tcase_add_test(code, paths_of_several_segments_say_how_many);
    suite_add_tcase(suite, code);

    tcase_add_checked_fixture(tables, NULL, teardown);
    tcase_add_loop_test(tables, the_root_pointer_is_where_a_search_looks, 0, 4);
    tcase_add_loop_test(tables, every_table_is_reached_and_its_bytes_sum_to_zero, 0, 4);
    tcase_add_loop_test(tables, only_the_lean_machine_says_hardware_reduced, 0, 4);
    tcase_add_loop_test(tables, the_boot_flags_tell_what_need_not_be_looked_for, 0, 4);
    tcase_add_loop_test(tables, the_madt_lists_every_processor_once, 0, 4);
    if (iasl)
        harness_add(tables, iasl_compiles_the_same_bytes_without_a_warning, iasl);
    else
        tcase_add_loop_test(tables, iasl_compiles_the_same_bytes_without_a_warning, 0, 4);
    tcase_set_timeout(tables, 60);
    suite_add_tcase(suite, tables);

    tcase_add_test(switches, the_button_interrupts_if_enabled_and_stays_until_cleared);
    tcase_add_test(switches, the_reduced_button_is_one_edge);
    tcase_add_test(switches, only_s5_switches_off);
    tcase_add_test(switches, single_bytes_are_parts_of_their_register);
    suite_add_tcase(suite, switches);
    return harness_main(suite);
}
