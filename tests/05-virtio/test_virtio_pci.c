/*
 * test_virtio_pci.c: virtio on a PCI bus, through its BARs, as a driver finds them: by
 * walking the capabilities.
 */
#include "04-devices/pci.h"
#include "05-virtio/virtio_pci.h"
#include "05-virtio/virtio_rng.h"
#include "guest.h"

#define SLOT    3u
#define MMIO    0xe0000000u
#define PORTS   0xc000u
#define MESSAGE 0xfee00000u

static struct guest guest;
static struct virtio_rng rng;
static struct virtio_pci transport;
static struct pci_host host;
static struct bus ports, memory;
static struct ring ring;
static bool level;
static unsigned edges;
static struct {
    uint64_t address;
    uint32_t data;
} sent[64];
static unsigned sent_count;

static void wire(void *self, bool now)
{
    (void)self;
    level = now;
    edges++;
}

static void send(void *self, uint64_t address, uint32_t data)
{
    (void)self;
    ck_assert_uint_lt(sent_count, ARRAY_SIZE(sent));
    sent[sent_count].address = address;
    sent[sent_count++].data = data;
}

static uint32_t config_get(unsigned offset, unsigned size)
{
    return pci_config_read(&host, SLOT << 3, offset, size);
}

static void config_put(unsigned offset, unsigned size, uint32_t value)
{
    pci_config_write(&host, SLOT << 3, offset, size, value);
}

/* The n-th capability of a type: its offset, or 0. */
static unsigned find(uint8_t type, unsigned n)
{
    unsigned at = config_get(PCI_CAPABILITY_LIST, 1);

    for (unsigned steps = 0; at != 0 && steps < 48; steps++) {
        if (config_get(at, 1) == PCI_CAP_ID_VNDR && config_get(at + 3, 1) == type && n-- == 0)
            return at;
        at = config_get(at + 1, 1);
    }
    return 0;
}

static uint64_t common_at, notify_at, ports_at, isr_at;

static uint64_t where(unsigned capability)
{
    unsigned bar = config_get(capability + VIRTIO_PCI_CAP_BAR, 1);

    return pci_bar_address(&transport.pci, bar) + config_get(capability + VIRTIO_PCI_CAP_OFFSET, 4);
}

static uint32_t get(unsigned reg, unsigned size)
{
    return (uint32_t)bus_read(&memory, common_at + reg, size);
}

static void put(unsigned reg, unsigned size, uint64_t value)
{
    bus_write(&memory, common_at + reg, size, value);
}

static void power_up(void)
{
    struct pci_wire wires[PCI_WIRES];

    guest_ram(&guest);
    memset(&ports, 0, sizeof ports);
    memset(&memory, 0, sizeof memory);
    level = false;
    edges = sent_count = 0;
    for (unsigned i = 0; i < PCI_WIRES; i++)
        wires[i] = (struct pci_wire){.line = {wire, NULL}, .number = 16 + i};
    pci_host_init(&host, &ports, &memory, wires, NULL);
    virtio_rng_init(&rng, &guest.memory, entropy_host());
    virtio_pci_init(&transport, &rng.device, 0x00ff00, (struct msi_sender){send, NULL});
    ck_assert_int_eq(pci_host_plug(&host, SLOT, &transport.pci), 0);
    ck_assert_int_eq(pci_host_place(&host, PORTS, 0xd000, MMIO, MMIO + MIB), 0);
    config_put(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    common_at = where(find(VIRTIO_PCI_CAP_COMMON_CFG, 0));
    ports_at = where(find(VIRTIO_PCI_CAP_NOTIFY_CFG, 0));
    notify_at = where(find(VIRTIO_PCI_CAP_NOTIFY_CFG, 1));
    isr_at = where(find(VIRTIO_PCI_CAP_ISR_CFG, 0));
}

static void done(void)
{
    guest_memory_free(&guest.memory);
}

static void put_address(unsigned reg, gpa_t address)
{
    put(reg, 4, (uint32_t)address);
    put(reg + 4, 4, address >> 32);
}

static void enable_msix(void)
{
    uint64_t table = pci_bar_address(&transport.pci, VIRTIO_PCI_BAR_MSIX);
    unsigned at = transport.msix.capability;

    for (unsigned vector = 0; vector < 2; vector++) {
        bus_write(&memory, table + 16 * vector, 4, MESSAGE);
        bus_write(&memory, table + 16 * vector + 8, 4, 0x40 + vector);
        bus_write(&memory, table + 16 * vector + 12, 4, 0);
    }
    config_put(at + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
}

/* [VIRTIO, 4.1.5.1 "Device Initialization"] */
static void bring_up(bool messages)
{
    put(VIRTIO_PCI_COMMON_STATUS, 1, 0);
    put(VIRTIO_PCI_COMMON_STATUS, 1, 1);
    put(VIRTIO_PCI_COMMON_STATUS, 1, 3);
    put(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
    put(VIRTIO_PCI_COMMON_GF, 4, 1 | 1u << (VIRTIO_F_RING_RESET - 32));
    put(VIRTIO_PCI_COMMON_STATUS, 1, 3 | VIRTIO_CONFIG_S_FEATURES_OK);
    ck_assert(get(VIRTIO_PCI_COMMON_STATUS, 1) & VIRTIO_CONFIG_S_FEATURES_OK);
    if (messages) {
        enable_msix();
        put(VIRTIO_PCI_COMMON_MSIX, 2, 0);
        ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_MSIX, 2), 0);
    }
    put(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0);
    if (messages)
        put(VIRTIO_PCI_COMMON_Q_MSIX, 2, 1);
    ring_init(&ring, &guest.memory, GUEST_RINGS, 8, 0);
    put(VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
    put_address(VIRTIO_PCI_COMMON_Q_DESCLO, ring.setup.descriptors);
    put_address(VIRTIO_PCI_COMMON_Q_AVAILLO, ring.setup.driver);
    put_address(VIRTIO_PCI_COMMON_Q_USEDLO, ring.setup.device);
    put(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
    put(VIRTIO_PCI_COMMON_STATUS, 1, 15);
}

static void lend(void)
{
    ck_assert_int_ge(ring_add(&ring, &(struct piece){GUEST_FREE, 16, true}, 1, false), 0);
    ring_publish(&ring);
}

static uint32_t answer(void)
{
    uint16_t id;
    uint32_t written;

    return ring_take(&ring, &id, &written) ? written : 0;
}

START_TEST(the_function_says_what_it_is)
{
    ck_assert_uint_eq(config_get(PCI_VENDOR_ID, 4), 0x10441af4);
    ck_assert_uint_eq(config_get(PCI_REVISION_ID, 1), 1);
    ck_assert_uint_ge(config_get(PCI_SUBSYSTEM_ID, 2), 0x40);
    ck_assert_uint_ne(find(VIRTIO_PCI_CAP_COMMON_CFG, 0), 0);
    ck_assert_uint_ne(find(VIRTIO_PCI_CAP_ISR_CFG, 0), 0);
    ck_assert_uint_ne(find(VIRTIO_PCI_CAP_PCI_CFG, 0), 0);
    ck_assert_uint_eq(find(VIRTIO_PCI_CAP_DEVICE_CFG, 0), 0); /* entropy has none */
    ck_assert_uint_eq(config_get(find(VIRTIO_PCI_CAP_NOTIFY_CFG, 0) + VIRTIO_PCI_CAP_BAR, 1), 2);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_NUMQ, 2), 1);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), VIRTIO_RNG_QUEUE_SIZE);
}
END_TEST

START_TEST(without_messages_the_pin_is_used)
{
    bring_up(false);
    lend();
    bus_write(&ports, ports_at, 2, 0);
    ck_assert(level);
    ck_assert_uint_eq(answer(), 16);
    ck_assert_uint_eq(bus_read(&memory, isr_at, 1), 1); /* PCI41 */
    ck_assert(!level);
    ck_assert_uint_eq(bus_read(&memory, isr_at, 1), 0);
    virtio_device_config_changed(&rng.device);
    bus_write(&memory, isr_at, 1, 0xff);
    ck_assert(level);
    ck_assert_uint_eq(bus_read(&memory, isr_at, 4), VIRTIO_PCI_ISR_CONFIG);
    ck_assert_uint_eq(sent_count, 0);
}
END_TEST

START_TEST(with_messages_each_queue_has_its_own)
{
    bring_up(true);
    lend();
    bus_write(&memory, notify_at, 2, 0);
    ck_assert_uint_eq(answer(), 16);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0].address, MESSAGE);
    ck_assert_uint_eq(sent[0].data, 0x41);
    virtio_device_config_changed(&rng.device);
    ck_assert_uint_eq(sent[1].data, 0x40);
    ck_assert_uint_eq(edges, 0);
    ck_assert_uint_eq(bus_read(&memory, isr_at, 1), 0);
}
END_TEST

START_TEST(a_masked_message_waits)
{
    uint64_t control = pci_bar_address(&transport.pci, VIRTIO_PCI_BAR_MSIX) + 16 + 12;

    bring_up(true);
    bus_write(&memory, control, 4, 1);
    lend();
    bus_write(&ports, ports_at, 2, 0);
    ck_assert_uint_eq(sent_count, 0);
    bus_write(&memory, control, 4, 0);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0].data, 0x41);
}
END_TEST

START_TEST(a_vector_that_does_not_exist_reads_as_none) /* PCI30 */
{
    static const uint16_t vectors[] = {2, 3, 0x7fff, 0xfffe, 0xffff};

    bring_up(true);
    for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++) {
        put(VIRTIO_PCI_COMMON_Q_MSIX, 2, vectors[i]);
        ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_Q_MSIX, 2), 0xffff);
        put(VIRTIO_PCI_COMMON_MSIX, 2, vectors[i]);
        ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_MSIX, 2), 0xffff);
    }
    lend();
    bus_write(&ports, ports_at, 2, 0);
    virtio_device_config_changed(&rng.device);
    ck_assert_uint_eq(answer(), 16);
    ck_assert_uint_eq(sent_count + edges, 0);
}
END_TEST

START_TEST(a_vector_can_change_between_interrupts) /* PCI31 */
{
    bring_up(true);
    put(VIRTIO_PCI_COMMON_Q_MSIX, 2, 0);
    lend();
    bus_write(&ports, ports_at, 2, 0);
    ck_assert_uint_eq(sent_count, 1);
    ck_assert_uint_eq(sent[0].data, 0x40);
}
END_TEST

START_TEST(reads_of_any_width_and_place_have_an_answer) /* PCI34, PCI39 */
{
    bring_up(false);
    put(VIRTIO_PCI_COMMON_DFSELECT, 4, 0xffffffff);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_DF, 4), 0);
    ck_assert_uint_eq(bus_read(&memory, common_at + VIRTIO_PCI_COMMON_Q_DESCLO, 8),
                      ring.setup.descriptors);
    ck_assert_uint_eq(bus_read(&memory, common_at + VIRTIO_PCI_COMMON_NUMQ + 1, 2), 15 << 8);
    for (unsigned reg = 60; reg < 0x1000; reg++)
        for (unsigned size = 1; size <= 8; size *= 2)
            holds(bus_read(&memory, common_at + reg, size) == 0);
    for (unsigned reg = 1; reg < 0x1000; reg++)
        holds(bus_read(&memory, isr_at + reg, 1) == 0);
}
END_TEST

START_TEST(read_only_and_halved_fields_ignore_writes) /* PCI34, PCI36 */
{
    struct virtqueue_setup before;

    bring_up(false);
    before = rng.device.queues[0].setup;
    put(VIRTIO_PCI_COMMON_NUMQ, 2, 77);
    put(VIRTIO_PCI_COMMON_Q_NOFF, 2, 77);
    put(VIRTIO_PCI_COMMON_CFGGENERATION, 1, 77);
    put(VIRTIO_PCI_COMMON_STATUS, 4, 0); /* would be a reset, if it were one byte */
    put(VIRTIO_PCI_COMMON_Q_SELECT, 1, 5);
    put(VIRTIO_PCI_COMMON_Q_DESCLO, 8, UINT64_MAX);
    put(VIRTIO_PCI_COMMON_Q_SIZE, 2, 0);
    for (unsigned reg = 60; reg < 0x1000; reg++)
        put(reg, 1 << reg % 4, UINT64_MAX);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_NUMQ, 2), 1);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_Q_NOFF, 2), 0);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_STATUS, 1), 15);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_Q_SELECT, 2), 0);
    ck_assert_mem_eq(&rng.device.queues[0].setup, &before, sizeof before);
}
END_TEST

START_TEST(a_queue_that_does_not_exist_has_size_zero)
{
    bring_up(false);
    put(VIRTIO_PCI_COMMON_Q_SELECT, 2, _i ? 0xffff : 1);
    for (unsigned reg = VIRTIO_PCI_COMMON_Q_SIZE; reg < 60; reg += 2) {
        put(reg, reg >= VIRTIO_PCI_COMMON_Q_DESCLO && reg < 56 ? 4 : 2, 1);
        ck_assert_uint_eq(get(reg, 2), 0);
    }
    ck_assert(virtio_device_live(&rng.device));
}
END_TEST

START_TEST(only_a_right_notification_counts) /* PCI40 */
{
    bring_up(false);
    lend();
    bus_write(&ports, ports_at, 1, 0);
    bus_write(&ports, ports_at, 2, 1);
    bus_write(&ports, ports_at + 4, 2, 1);
    bus_write(&ports, ports_at + 2, 2, 0);
    bus_write(&memory, notify_at + 4, 4, 1);
    bus_write(&memory, notify_at + 0xffc, 4, 0x3ff);
    ck_assert_uint_eq(answer(), 0);
    bus_write(&memory, notify_at, 4, 0);
    ck_assert_uint_eq(answer(), 16);
    ck_assert_uint_eq(bus_read(&ports, ports_at, 2), 0);
}
END_TEST

START_TEST(a_reset_clears_what_the_transport_keeps)
{
    bring_up(false);
    put(VIRTIO_PCI_COMMON_MSIX, 2, 0);
    lend();
    bus_write(&ports, ports_at, 2, 0);
    ck_assert(level);
    put(VIRTIO_PCI_COMMON_STATUS, 1, 0);
    ck_assert(!level);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_MSIX, 2), 0xffff);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_GFSELECT, 4), 0);
    bring_up(true);
    lend();
    bus_write(&ports, ports_at, 2, 0);
    ck_assert_uint_eq(sent_count, 1);
}
END_TEST

START_TEST(a_queue_is_reset_alone)
{
    bring_up(false);
    put(VIRTIO_PCI_COMMON_Q_RESET, 2, 1);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_Q_RESET, 2), 1);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
    ring_init(&ring, &guest.memory, GUEST_RINGS, 8, 0);
    put_address(VIRTIO_PCI_COMMON_Q_DESCLO, ring.setup.descriptors);
    put_address(VIRTIO_PCI_COMMON_Q_AVAILLO, ring.setup.driver);
    put_address(VIRTIO_PCI_COMMON_Q_USEDLO, ring.setup.device);
    put(VIRTIO_PCI_COMMON_Q_SIZE, 2, 8);
    put(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_Q_RESET, 2), 0);
    lend();
    bus_write(&ports, ports_at, 2, 0);
    ck_assert_uint_eq(answer(), 16);
}
END_TEST

/* The window from configuration space into the BARs. */

static void aim(uint8_t bar, uint32_t offset, uint32_t length)
{
    unsigned at = find(VIRTIO_PCI_CAP_PCI_CFG, 0);

    config_put(at + VIRTIO_PCI_CAP_BAR, 1, bar);
    config_put(at + VIRTIO_PCI_CAP_OFFSET, 4, offset);
    config_put(at + VIRTIO_PCI_CAP_LENGTH, 4, length);
}

START_TEST(bars_can_be_reached_through_configuration_space)
{
    unsigned data = find(VIRTIO_PCI_CAP_PCI_CFG, 0) + 16;

    aim(0, VIRTIO_PCI_COMMON_STATUS, 1);
    config_put(data, 4, 1);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_STATUS, 1), 1);
    config_put(data, 1, 3);
    ck_assert_uint_eq(config_get(data, 1), 3);
    aim(0, VIRTIO_PCI_COMMON_NUMQ, 2);
    ck_assert_uint_eq(config_get(data, 4) & 0xffff, 1);
}
END_TEST

static const struct {
    uint8_t bar;
    uint32_t offset, length;
} misses[] = {
    {6, 0, 4},      {255, 0, 4},   {3, 0, 4},  {0, 0xffffffff, 1}, {0, 0xfffffffc, 4},
    {0, 0x4000, 4}, {0, 20, 0},    {0, 20, 3}, {0, 20, 8},         {0, 20, 0xffffffff},
    {1, 0x1000, 4}, {2, 0x100, 4}, {0, 21, 2}, {5, 0, 1},
};

START_TEST(a_window_that_aims_elsewhere_does_nothing) /* PCI32, PCI33 */
{
    unsigned data = find(VIRTIO_PCI_CAP_PCI_CFG, 0) + 16;

    aim(misses[_i].bar, misses[_i].offset, misses[_i].length);
    config_put(data, 4, 0x01010101);
    config_get(data, 4);
    ck_assert_uint_eq(get(VIRTIO_PCI_COMMON_STATUS, 1), 0);
}
END_TEST

/*
 * Function-level reset is offered by the PCI Express or the Advanced Features capability,
 * power states by another; this function has none of them. What resets it is its status,
 * and the requests in flight then are test_worker.c's (BLK37).
 */
START_TEST(there_is_no_reset_but_by_status) /* PCI43, PCI44 */
{
    unsigned at = config_get(PCI_CAPABILITY_LIST, 1);

    bring_up(false);
    for (unsigned steps = 0; at != 0; steps++, at = config_get(at + 1, 1)) {
        unsigned id = config_get(at, 1);

        ck_assert_uint_lt(steps, 48);
        ck_assert_msg(id != PCI_CAP_ID_EXP && id != PCI_CAP_ID_AF && id != PCI_CAP_ID_PM, "%u", id);
    }
    config_put(PCI_COMMAND, 2, 0);
    config_put(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    ck_assert(virtio_device_live(&rng.device));
    put(VIRTIO_PCI_COMMON_STATUS, 1, 0);
    ck_assert(!virtio_device_live(&rng.device));
}
END_TEST

START_TEST(any_sequence_of_accesses_is_survived)
{
    uint64_t seed = (unsigned)_i;

    for (unsigned i = 0; i < 100000; i++) {
        unsigned size = 1u << (seed >> 50 & 3);
        uint64_t value = seed >> 20 & 3 ? seed >> 41 & 0xf : seed;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        sent_count = 0;
        switch (seed >> 61) {
        case 0: config_put(seed >> 32 & 0xfc, 4, (uint32_t)value); break;
        case 1: bus_write(&ports, ports_at + (seed >> 32 & 0xff), size, value); break;
        case 2: bus_write(&memory, MMIO + (seed >> 32 & 0x7fff), size, value); break;
        default: put(seed >> 32 & 0x3f, size, value);
        }
        bus_read(&memory, MMIO + (seed >> 32 & 0x7fff), size);
        config_get(seed >> 32 & 0xfc, 4);
    }
    power_up();
    bring_up(true);
    lend();
    bus_write(&ports, ports_at, 2, 0);
    ck_assert_uint_eq(answer(), 16);
}
END_TEST

static Suite *pci_suite(void)
{
    Suite *suite = suite_create("virtio_pci");
    TCase *tests = tcase_create("transport");

    tcase_add_checked_fixture(tests, power_up, done);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_function_says_what_it_is);
    tcase_add_test(tests, without_messages_the_pin_is_used);
    tcase_add_test(tests, with_messages_each_queue_has_its_own);
    tcase_add_test(tests, a_masked_message_waits);
    tcase_add_test(tests, a_vector_that_does_not_exist_reads_as_none);
    tcase_add_test(tests, a_vector_can_change_between_interrupts);
    tcase_add_test(tests, reads_of_any_width_and_place_have_an_answer);
    tcase_add_test(tests, read_only_and_halved_fields_ignore_writes);
    tcase_add_loop_test(tests, a_queue_that_does_not_exist_has_size_zero, 0, 2);
    tcase_add_test(tests, only_a_right_notification_counts);
    tcase_add_test(tests, a_reset_clears_what_the_transport_keeps);
    tcase_add_test(tests, a_queue_is_reset_alone);
    tcase_add_test(tests, bars_can_be_reached_through_configuration_space);
    tcase_add_loop_test(tests, a_window_that_aims_elsewhere_does_nothing, 0, ARRAY_SIZE(misses));
    tcase_add_test(tests, there_is_no_reset_but_by_status);
    tcase_add_loop_test(tests, any_sequence_of_accesses_is_survived, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return harness_main(pci_suite());
}
