/*
 * test_msix.c: messages instead of wires, MSI-X and MSI, from both sides: the device
 * that raises them and the guest that programs and masks them.
 */
#include <stdlib.h>
#include <string.h>

#include "04-devices/msi.h"
#include "04-devices/msix.h"
#include "04-devices/pci.h"
#include "common/bits.h"
#include "harness/harness.h"

#define VECTORS 5u
#define TABLE   0xe0000000u
#define PBA     (TABLE + MSIX_PBA)

/* The other end: an interrupt controller that writes down what it is sent. */
static struct {
    unsigned count;
    uint64_t address;
    uint32_t data;
} sent;

static struct bus ports, memory;
static struct pci_host host;
static struct pci_function function;
static struct msix msix;
static struct msi msi;
static bool wire;
static unsigned capability;

static void send(void *self, uint64_t address, uint32_t data)
{
    (void)self;
    sent.count++;
    sent.address = address;
    sent.data = data;
}

static void wire_set(void *self, bool level)
{
    (void)self;
    wire = level;
}

static const struct msi_sender sender = {send, NULL};

static void setup(void)
{
    struct pci_wire wires[PCI_WIRES] = {0};

    ports = memory = (struct bus){0};
    memset(&sent, 0, sizeof sent);
    wire = false;
    for (unsigned i = 0; i < PCI_WIRES; i++)
        wires[i].line = (struct irq_line){wire_set, NULL};
    pci_host_init(&host, &ports, &memory, wires, NULL);
    pci_function_init(&function, &(struct pci_identity){.vendor = 1, .interrupt_pin = 1});
}

static uint32_t config(unsigned offset, unsigned size)
{
    return pci_config_read(&host, 1 << 3, offset, size);
}

static void configure(unsigned offset, unsigned size, uint32_t value)
{
    pci_config_write(&host, 1 << 3, offset, size, value);
}

static void control(uint32_t flags)
{
    configure(capability + PCI_MSIX_FLAGS, 2, flags);
}

static uint64_t table(unsigned vector, unsigned field, unsigned size)
{
    return bus_read(&memory, TABLE + vector * PCI_MSIX_ENTRY_SIZE + field, size);
}

static void set_table(unsigned vector, unsigned field, unsigned size, uint64_t value)
{
    bus_write(&memory, TABLE + vector * PCI_MSIX_ENTRY_SIZE + field, size, value);
}

static void mask(unsigned vector, bool masked)
{
    set_table(vector, PCI_MSIX_ENTRY_VECTOR_CTRL, 4, masked);
}

/* A function with MSI-X in BAR 1, placed, a master; its vectors have messages. */
static void setup_msix(void)
{
    setup();
    msix_init(&msix, &function, 1, VECTORS, sender);
    pci_host_plug(&host, 1, &function);
    capability = msix.capability;
    configure(PCI_BASE_ADDRESS_1, 4, TABLE);
    configure(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    for (unsigned vector = 0; vector < VECTORS; vector++) {
        set_table(vector, PCI_MSIX_ENTRY_LOWER_ADDR, 4, 0xfee00000);
        set_table(vector, PCI_MSIX_ENTRY_DATA, 4, 0x40 + vector);
    }
}

START_TEST(the_capability_says_where_table_and_pending_bits_are)
{
    ck_assert_uint_eq(config(capability, 1), PCI_CAP_ID_MSIX);
    ck_assert_uint_eq(config(capability + PCI_MSIX_FLAGS, 2), VECTORS - 1);
    ck_assert_uint_eq(config(capability + PCI_MSIX_TABLE, 4), 1);
    ck_assert_uint_eq(config(capability + PCI_MSIX_PBA, 4), MSIX_PBA | 1);
    configure(capability + PCI_MSIX_TABLE, 4, 0);
    configure(capability + PCI_MSIX_PBA, 4, 0);
    control(0xffff);
    ck_assert_uint_eq(config(capability + PCI_MSIX_TABLE, 4), 1);
    ck_assert_uint_eq(config(capability + PCI_MSIX_PBA, 4), MSIX_PBA | 1);
    ck_assert_uint_eq(config(capability + PCI_MSIX_FLAGS, 2), 0xc000 | (VECTORS - 1));
}
END_TEST

START_TEST(vectors_are_masked_until_the_guest_opens_them)
{
    for (unsigned vector = 0; vector < VECTORS; vector++)
        ck_assert_uint_eq(table(vector, PCI_MSIX_ENTRY_VECTOR_CTRL, 4), 1);
    set_table(0, PCI_MSIX_ENTRY_VECTOR_CTRL, 4, 0xfffffffe);
    ck_assert_uint_eq(table(0, PCI_MSIX_ENTRY_VECTOR_CTRL, 4), 0); /* the mask bit only */
}
END_TEST

START_TEST(a_vector_sends_its_own_message)
{
    control(PCI_MSIX_FLAGS_ENABLE);
    set_table(2, PCI_MSIX_ENTRY_UPPER_ADDR, 4, 0x12);
    mask(2, false);
    ck_assert(msix_open(&msix, 2) && !msix_open(&msix, 1));
    msix_raise(&msix, 2);
    ck_assert_uint_eq(sent.count, 1);
    ck_assert_uint_eq(sent.address, UINT64_C(0x12fee00000));
    ck_assert_uint_eq(sent.data, 0x42);
}
END_TEST

START_TEST(a_disabled_function_sends_and_remembers_nothing)
{
    mask(0, false);
    msix_raise(&msix, 0);
    control(PCI_MSIX_FLAGS_ENABLE);
    ck_assert_uint_eq(sent.count, 0);
    ck_assert_uint_eq(bus_read(&memory, PBA, 4), 0);
}
END_TEST

START_TEST(a_masked_vector_is_pending_and_sent_once)
{
    control(PCI_MSIX_FLAGS_ENABLE);
    for (unsigned i = 0; i < 3; i++)
        msix_raise(&msix, 3);
    ck_assert_uint_eq(sent.count, 0);
    ck_assert_uint_eq(bus_read(&memory, PBA, 8), BIT(3));
    mask(3, false);
    ck_assert_uint_eq(sent.count, 1);
    ck_assert_uint_eq(sent.data, 0x43);
    ck_assert_uint_eq(bus_read(&memory, PBA, 8), 0);
    mask(3, true);
    mask(3, false);
    ck_assert_uint_eq(sent.count, 1);
}
END_TEST

START_TEST(the_functions_mask_holds_all_vectors)
{
    mask(0, false);
    mask(4, false);
    control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    msix_raise(&msix, 0);
    msix_raise(&msix, 1);
    msix_raise(&msix, 4);
    ck_assert_uint_eq(sent.count, 0);
    ck_assert_uint_eq(bus_read(&memory, PBA, 4), 0x13);
    control(PCI_MSIX_FLAGS_ENABLE);
    ck_assert_uint_eq(sent.count, 2); /* vector 1 is masked itself */
    ck_assert_uint_eq(bus_read(&memory, PBA, 4), 0x02);
}
END_TEST

START_TEST(a_function_that_is_no_master_sends_nothing)
{
    control(PCI_MSIX_FLAGS_ENABLE);
    mask(0, false);
    configure(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    msix_raise(&msix, 0);
    ck_assert_uint_eq(sent.count, 0);
}
END_TEST

START_TEST(messages_silence_the_wire)
{
    pci_function_set_intx(&function, true);
    ck_assert(wire);
    control(PCI_MSIX_FLAGS_ENABLE);
    ck_assert(!wire);
    pci_function_set_intx(&function, false);
    pci_function_set_intx(&function, true);
    ck_assert(!wire);
    control(0);
    ck_assert(wire);
}
END_TEST

START_TEST(pci22_toggling_the_masks_delivers_once)
{
    control(PCI_MSIX_FLAGS_ENABLE);
    msix_raise(&msix, 0);
    mask(0, false);
    ck_assert_uint_eq(sent.count, 1);
    msix_raise(&msix, 1);
    control(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    mask(1, false);
    msix_raise(&msix, 1);
    for (unsigned i = 0; i < 1000000; i++)
        control((i & 1 ? PCI_MSIX_FLAGS_ENABLE : 0) | (i & 2 ? PCI_MSIX_FLAGS_MASKALL : 0));
    ck_assert_uint_eq(sent.count, 2);
}
END_TEST

START_TEST(pci23_narrow_accesses_read_and_do_not_write)
{
    set_table(0, PCI_MSIX_ENTRY_DATA, 4, 0x44332211);
    ck_assert_uint_eq(table(0, PCI_MSIX_ENTRY_DATA, 1), 0x11);
    ck_assert_uint_eq(table(0, PCI_MSIX_ENTRY_DATA + 2, 2), 0x4433);
    set_table(0, PCI_MSIX_ENTRY_DATA, 1, 0);
    set_table(0, PCI_MSIX_ENTRY_DATA + 2, 2, 0);
    ck_assert_uint_eq(table(0, PCI_MSIX_ENTRY_DATA, 4), 0x44332211);
    set_table(0, PCI_MSIX_ENTRY_LOWER_ADDR, 8, UINT64_C(0x00000001fee01003));
    ck_assert_uint_eq(table(0, PCI_MSIX_ENTRY_LOWER_ADDR, 8), UINT64_C(0x00000001fee01000));
    /* 8 bytes across the end of the table, and of the BAR */
    ck_assert_uint_eq(table(VECTORS - 1, PCI_MSIX_ENTRY_VECTOR_CTRL, 8),
                      UINT64_C(0xffffffff00000001));
    set_table(VECTORS - 1, PCI_MSIX_ENTRY_VECTOR_CTRL, 8, 0);
    ck_assert_uint_eq(table(VECTORS - 1, PCI_MSIX_ENTRY_VECTOR_CTRL, 4), 0);
    ck_assert_uint_eq(bus_read(&memory, TABLE + MSIX_BAR_SIZE - 4, 8), UINT64_MAX);
}
END_TEST

START_TEST(pci24_there_is_nothing_behind_the_last_vector)
{
    struct msix before = msix;

    for (uint64_t at = VECTORS * PCI_MSIX_ENTRY_SIZE; at < MSIX_BAR_SIZE; at += 4) {
        bool pba = at >= MSIX_PBA && at < MSIX_PBA + 8;

        bus_write(&memory, TABLE + at, 4, 0x5a5a5a5a);
        ck_assert_uint_eq(bus_read(&memory, TABLE + at, 4), pba ? 0 : 0xffffffff);
    }
    ck_assert_mem_eq(&before, &msix, sizeof msix);
    control(PCI_MSIX_FLAGS_ENABLE);
    msix_raise(&msix, VECTORS);
    msix_raise(&msix, 0xffff);
    ck_assert_uint_eq(sent.count, 0);
    ck_assert_uint_eq(bus_read(&memory, PBA, 8), 0);
}
END_TEST

START_TEST(pci25_pending_bits_are_not_the_guests_to_write)
{
    control(PCI_MSIX_FLAGS_ENABLE);
    msix_raise(&msix, 1);
    bus_write(&memory, PBA, 8, 0);
    ck_assert_uint_eq(bus_read(&memory, PBA, 4), 2);
    bus_write(&memory, PBA, 4, ~0u);
    ck_assert_uint_eq(bus_read(&memory, PBA, 4), 2);
    mask(0, false);
    ck_assert_uint_eq(sent.count, 0);
}
END_TEST

/* PCI26, PCI27: any address and data reach the controller as they are; it must judge. */
START_TEST(pci26_messages_are_passed_on_unjudged)
{
    control(PCI_MSIX_FLAGS_ENABLE);
    set_table(0, PCI_MSIX_ENTRY_LOWER_ADDR, 8, UINT64_C(0xffffffff00001000));
    set_table(0, PCI_MSIX_ENTRY_DATA, 4, ~0u);
    mask(0, false);
    msix_raise(&msix, 0);
    ck_assert_uint_eq(sent.address, UINT64_C(0xffffffff00001000));
    ck_assert_uint_eq(sent.data, ~0u);
}
END_TEST

static unsigned changes[VECTORS];

static void note_change(void *self, unsigned vector)
{
    (void)self;
    changes[vector]++;
}

START_TEST(whoever_routes_a_vector_hears_of_changes)
{
    memset(changes, 0, sizeof changes);
    msix.changed = note_change;
    set_table(1, PCI_MSIX_ENTRY_DATA, 4, 7);
    ck_assert(changes[1] == 1 && changes[0] == 0);
    control(PCI_MSIX_FLAGS_ENABLE);
    ck_assert(changes[1] == 2 && changes[0] == 1);
    configure(capability, 1, 0);
    ck_assert_uint_eq(changes[1], 2);
}
END_TEST

START_TEST(the_largest_table_fits)
{
    setup();
    msix_init(&msix, &function, 1, MSIX_VECTORS_MAX, sender);
    pci_host_plug(&host, 1, &function);
    capability = msix.capability;
    configure(PCI_BASE_ADDRESS_1, 4, TABLE);
    configure(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    control(PCI_MSIX_FLAGS_ENABLE);
    msix_raise(&msix, MSIX_VECTORS_MAX - 1);
    ck_assert_uint_eq(bus_read(&memory, PBA + 8, 8), BIT(63));
    ck_assert_uint_eq(bus_read(&memory, PBA + 16, 4), 0xffffffff);
    mask(MSIX_VECTORS_MAX - 1, false);
    ck_assert_uint_eq(sent.count, 1);
}
END_TEST

/* MSI: four messages, placed below the bits that software chose. */
static void setup_msi(void)
{
    setup();
    msi_init(&msi, &function, 4, sender);
    pci_host_plug(&host, 1, &function);
    capability = msi.capability;
    configure(PCI_COMMAND, 2, PCI_COMMAND_MASTER);
    configure(capability + PCI_MSI_ADDRESS_LO, 4, 0xfee01003);
    configure(capability + PCI_MSI_ADDRESS_HI, 4, 0);
    configure(capability + PCI_MSI_DATA_64, 2, 0x4031);
}

static void msi_control(unsigned enabled_power)
{
    configure(capability + PCI_MSI_FLAGS, 2, enabled_power << 4 | PCI_MSI_FLAGS_ENABLE);
}

START_TEST(msi_says_what_it_can)
{
    ck_assert_uint_eq(config(capability, 1), PCI_CAP_ID_MSI);
    ck_assert_uint_eq(config(capability + PCI_MSI_FLAGS, 2),
                      PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | 2 << 1);
    configure(capability + PCI_MSI_MASK_64, 4, ~0u);
    ck_assert_uint_eq(config(capability + PCI_MSI_MASK_64, 4), 0xf);
    configure(capability + PCI_MSI_PENDING_64, 4, ~0u);
    ck_assert_uint_eq(config(capability + PCI_MSI_PENDING_64, 4), 0);
}
END_TEST

START_TEST(msi_puts_the_number_into_the_low_bits)
{
    static const struct {
        unsigned power, number;
        uint32_t data;
    } rows[] = {{0, 0, 0x4031}, {0, 3, 0x4031}, {1, 1, 0x4031}, {1, 0, 0x4030},
                {2, 2, 0x4032}, {2, 9, 0x4033}, {7, 2, 0x4032}};

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        msi_control(rows[i].power);
        msi_raise(&msi, rows[i].number);
        ck_assert_uint_eq(sent.count, i + 1);
        ck_assert_msg(sent.data == rows[i].data, "row %u: %#x", i, sent.data);
        ck_assert_uint_eq(sent.address, 0xfee01000);
    }
}
END_TEST

START_TEST(msi_is_silent_while_off_and_while_no_master)
{
    msi_raise(&msi, 0);
    msi_control(0);
    ck_assert_uint_eq(sent.count, 0);
    configure(PCI_COMMAND, 2, 0);
    msi_raise(&msi, 0);
    ck_assert_uint_eq(sent.count, 0);
}
END_TEST

START_TEST(masked_msi_is_pending_and_sent_once)
{
    msi_control(2);
    configure(capability + PCI_MSI_MASK_64, 4, 0xc);
    msi_raise(&msi, 2);
    msi_raise(&msi, 2);
    msi_raise(&msi, 3);
    ck_assert_uint_eq(sent.count, 0);
    ck_assert_uint_eq(config(capability + PCI_MSI_PENDING_64, 4), 0xc);
    configure(capability + PCI_MSI_MASK_64, 4, 0x8);
    ck_assert_uint_eq(sent.count, 1);
    ck_assert_uint_eq(sent.data, 0x4032);
    ck_assert_uint_eq(config(capability + PCI_MSI_PENDING_64, 4), 0x8);
    configure(capability + PCI_MSI_MASK_64, 4, 0);
    configure(capability + PCI_MSI_MASK_64, 4, 0xf);
    configure(capability + PCI_MSI_MASK_64, 4, 0);
    ck_assert_uint_eq(sent.count, 2);
}
END_TEST

START_TEST(msi_silences_the_wire)
{
    pci_function_set_intx(&function, true);
    ck_assert(wire);
    msi_control(0);
    ck_assert(!wire);
    configure(capability + PCI_MSI_FLAGS, 2, 0);
    ck_assert(wire);
}
END_TEST

static Suite *msix_suite(void)
{
    Suite *suite = suite_create("04 msix");
    TCase *x = tcase_create("msix"), *plain = tcase_create("msi");

    tcase_add_checked_fixture(x, setup_msix, NULL);
    tcase_add_test(x, the_capability_says_where_table_and_pending_bits_are);
    tcase_add_test(x, vectors_are_masked_until_the_guest_opens_them);
    tcase_add_test(x, a_vector_sends_its_own_message);
    tcase_add_test(x, a_disabled_function_sends_and_remembers_nothing);
    tcase_add_test(x, a_masked_vector_is_pending_and_sent_once);
    tcase_add_test(x, the_functions_mask_holds_all_vectors);
    tcase_add_test(x, a_function_that_is_no_master_sends_nothing);
    tcase_add_test(x, messages_silence_the_wire);
    tcase_add_test(x, pci22_toggling_the_masks_delivers_once);
    tcase_add_test(x, pci23_narrow_accesses_read_and_do_not_write);
    tcase_add_test(x, pci24_there_is_nothing_behind_the_last_vector);
    tcase_add_test(x, pci25_pending_bits_are_not_the_guests_to_write);
    tcase_add_test(x, pci26_messages_are_passed_on_unjudged);
    tcase_add_test(x, whoever_routes_a_vector_hears_of_changes);
    tcase_add_test(x, the_largest_table_fits);
    suite_add_tcase(suite, x);

    tcase_add_checked_fixture(plain, setup_msi, NULL);
    tcase_add_test(plain, msi_says_what_it_can);
    tcase_add_test(plain, msi_puts_the_number_into_the_low_bits);
    tcase_add_test(plain, msi_is_silent_while_off_and_while_no_master);
    tcase_add_test(plain, masked_msi_is_pending_and_sent_once);
    tcase_add_test(plain, msi_silences_the_wire);
    suite_add_tcase(suite, plain);
    return suite;
}

int main(void)
{
    return harness_main(msix_suite());
}
