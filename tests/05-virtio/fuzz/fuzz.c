/*
 * fuzz.c: see fuzz.h. The driver that carries inputs out. Longer than most: one driver for
 * both transports and both kinds of ring.
 */
#include "fuzz.h"

#include <string.h>

#include "04-devices/pci.h"
#include "05-virtio/virtio_mmio.h"
#include "05-virtio/virtio_pci.h"
#include "common/bits.h"

#define QUEUES     8u      /* with rings of their own; further ones share these */
#define RING_STEP  0x1000u /* from one queue's ring to the next: RAM's lower half */
#define DRIVER_AT  0x400u
#define DEVICE_AT  0x800u
#define TABLE_AT   0xc00u /* for indirect descriptors */
#define BUFFERS    0x8000u
#define MMIO       0xe0000000u
#define PORTS      0xc000u
#define SLOT       3u
#define STEPS_MAX  400u
#define ROUNDS_MAX 4u

static struct {
    const uint8_t *next;
    size_t left;
} input;

static struct guest_memory memory;
static struct virtio_device *device;
static struct virtio_mmio mmio;
static struct virtio_pci pci;
static struct pci_host host;
static struct bus ports, addresses;
static bool on_pci, later_called;

/* What the driver remembers of its rings. */
static struct {
    uint16_t size, next; /* packed: a place; split: a descriptor */
    bool wrap;
} rings[QUEUES];
static bool packed, indirect;

uint64_t fuzz_take(unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes && input.left > 0; i++, input.left--)
        value |= (uint64_t)*input.next++ << (8 * i);
    return value;
}

size_t fuzz_look(const struct iovec *iov, unsigned count)
{
    static volatile uint8_t sum;
    size_t size = 0;

    for (unsigned i = 0; i < count; i++) {
        const uint8_t *bytes = iov[i].iov_base;

        for (size_t n = 0; n < iov[i].iov_len; n++)
            sum = (uint8_t)(sum + bytes[n]);
        size += iov[i].iov_len;
    }
    return size;
}

/* Numbers that a driver should not write come up more often than by chance. */
static uint64_t take_number(void)
{
    static const uint64_t edges[] = {0,          1,          0x7fff,   0x8000,        0xffff,
                                     0x10000,    0x7fffffff, 1u << 31, 0xfffffff0,    0xffffffff,
                                     UINT64_MAX, MMIO,       FUZZ_RAM, FUZZ_RAM - 1u, FUZZ_ROM};
    unsigned kind = (unsigned)fuzz_take(1);

    if (kind < 0x80)
        return kind;
    if (kind < 0xc0)
        return fuzz_take(2);
    if (kind < 0xd0)
        return fuzz_take(4);
    return kind < 0xd8 ? fuzz_take(8) : edges[kind % ARRAY_SIZE(edges)];
}

static gpa_t take_address(void)
{
    uint16_t place = (uint16_t)fuzz_take(2);

    return place < 0xff00 ? place : take_number();
}

static void *ram(gpa_t address, uint64_t size)
{
    void *bytes = guest_ptr_to_write(&memory, address, size);

    must(bytes);
    return bytes;
}

static void silent_line(void *self, bool level)
{
    (void)self, (void)level;
}

static void silent_message(void *self, uint64_t address, uint32_t data)
{
    (void)self, (void)address, (void)data;
}

static void call_later(void *self)
{
    (void)self;
    later_called = true;
}

/* ---- the transports ----------------------------------------------------------- */

static void plug(void)
{
    const struct irq_line line = {silent_line, NULL};
    struct pci_wire wires[PCI_WIRES];

    memset(&ports, 0, sizeof ports);
    memset(&addresses, 0, sizeof addresses);
    if (!on_pci) {
        virtio_mmio_init(&mmio, device, line);
        must(bus_add(&addresses, &(struct bus_range){MMIO, VIRTIO_MMIO_SIZE, 4, virtio_mmio_read,
                                                     virtio_mmio_write, &mmio, "virtio"}) == 0);
        return;
    }
    for (unsigned i = 0; i < PCI_WIRES; i++)
        wires[i] = (struct pci_wire){.line = line, .number = 16};
    pci_host_init(&host, &ports, &addresses, wires, NULL);
    virtio_pci_init(&pci, device, 0x00ff00, (struct msi_sender){silent_message, NULL});
    must(pci_host_plug(&host, SLOT, &pci.pci) == 0);
    must(pci_host_place(&host, PORTS, PORTS + 0x1000, MMIO, MMIO + MIB) == 0);
    pci_config_write(&host, SLOT << 3, PCI_COMMAND, 2,
                     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* A driver's write, straight to the transport: the guest may have moved its BAR. */
static void put(unsigned mmio_reg, unsigned pci_reg, unsigned pci_size, uint64_t value)
{
    if (on_pci)
        virtio_pci_write(&pci, VIRTIO_PCI_COMMON_AT + pci_reg, pci_size, value);
    else
        virtio_mmio_write(&mmio, mmio_reg, 4, value);
}

static void put_address(unsigned mmio_reg, unsigned pci_reg, gpa_t address)
{
    put(mmio_reg, pci_reg, 4, (uint32_t)address);
    put(mmio_reg + 4, pci_reg + 4, 4, address >> 32);
}

static void notify(uint16_t queue)
{
    if (!on_pci)
        virtio_mmio_write(&mmio, VIRTIO_MMIO_QUEUE_NOTIFY, 4, queue);
    else
        virtio_pci_port_write(&pci, queue * VIRTIO_PCI_NOTIFY_STEP, 2, queue);
}

static void put_status(uint8_t status)
{
    put(VIRTIO_MMIO_STATUS, VIRTIO_PCI_COMMON_STATUS, 1, status);
}

static void put_features(uint64_t features)
{
    for (uint32_t word = 0; word < 2; word++) {
        put(VIRTIO_MMIO_DRIVER_FEATURES_SEL, VIRTIO_PCI_COMMON_GFSELECT, 4, word);
        put(VIRTIO_MMIO_DRIVER_FEATURES, VIRTIO_PCI_COMMON_GF, 4,
            (uint32_t)(features >> (32 * word)));
    }
}

static void put_queue(uint16_t queue, uint16_t size)
{
    gpa_t at = queue % QUEUES * RING_STEP;

    put(VIRTIO_MMIO_QUEUE_SEL, VIRTIO_PCI_COMMON_Q_SELECT, 2, queue);
    put(VIRTIO_MMIO_QUEUE_NUM, VIRTIO_PCI_COMMON_Q_SIZE, 2, size);
    put_address(VIRTIO_MMIO_QUEUE_DESC_LOW, VIRTIO_PCI_COMMON_Q_DESCLO, at);
    put_address(VIRTIO_MMIO_QUEUE_AVAIL_LOW, VIRTIO_PCI_COMMON_Q_AVAILLO, at + DRIVER_AT);
    put_address(VIRTIO_MMIO_QUEUE_USED_LOW, VIRTIO_PCI_COMMON_Q_USEDLO, at + DEVICE_AT);
    put(VIRTIO_MMIO_QUEUE_READY, VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

/* ---- steps -------------------------------------------------------------------- */

static void step_write(void)
{
    unsigned space = (unsigned)fuzz_take(1), size = 1u << (space >> 4 & 3);
    uint16_t place = (uint16_t)fuzz_take(2);
    uint64_t value = take_number();

    switch (space & 3) {
    case 0: bus_write(&ports, PORTS + place % 0x200, size, value); break;
    case 1:
        if (on_pci)
            pci_config_write(&host, (uint16_t)(SLOT << 3), align_down(place & 0xff, 4), 4,
                             (uint32_t)value);
        break;
    default: bus_write(&addresses, MMIO + place, size, value);
    }
}

static void step_read(void)
{
    unsigned space = (unsigned)fuzz_take(1), size = 1u << (space >> 4 & 3);
    uint16_t place = (uint16_t)fuzz_take(2);

    switch (space & 3) {
    case 0: bus_read(&ports, PORTS + place % 0x200, size); break;
    case 1:
        if (on_pci)
            pci_config_read(&host, (uint16_t)(SLOT << 3), align_down(place & 0xff, 4), 4);
        break;
    default: bus_read(&addresses, MMIO + place, size);
    }
}

static void step_memory(void)
{
    gpa_t at = fuzz_take(2);
    size_t size = fuzz_take(1);

    if (size > input.left)
        size = input.left;
    if (size > FUZZ_RAM - at)
        size = FUZZ_RAM - at;
    memcpy(ram(at, size), input.next, size);
    input.next += size;
    input.left -= size;
}

static void step_live(void)
{
    static const uint16_t sizes[] = {1, 2, 4, 8, 16, 64, 3, 0};
    unsigned options = (unsigned)fuzz_take(1);
    uint64_t refused = options & 0x10 ? fuzz_take(8) : 0;
    uint64_t features = ~refused & (virtio_device_features(device, 0) |
                                    (uint64_t)virtio_device_features(device, 1) << 32);
    uint16_t size = sizes[options % ARRAY_SIZE(sizes)];

    if (options & 0x20)
        features &= ~VIRTIO_FEATURE(VIRTIO_F_RING_PACKED);
    if (options & 0x40)
        features &= ~VIRTIO_FEATURE(VIRTIO_RING_F_EVENT_IDX);
    memset(ram(0, QUEUES * RING_STEP), 0, QUEUES * RING_STEP);
    put_status(0);
    put_status(VIRTIO_CONFIG_S_ACKNOWLEDGE);
    put_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    put_features(features);
    put_status(VIRTIO_CONFIG_S_FEATURES_OK);
    for (uint16_t i = 0; i < device->queue_count; i++)
        put_queue(i, size);
    put_status(VIRTIO_CONFIG_S_DRIVER_OK);
    packed = virtio_device_has(device, VIRTIO_F_RING_PACKED);
    indirect = virtio_device_has(device, VIRTIO_RING_F_INDIRECT_DESC);
    for (unsigned i = 0; i < QUEUES; i++) {
        rings[i].size = size;
        rings[i].next = 0;
        rings[i].wrap = true;
    }
}

static void step_descriptor(void)
{
    unsigned queue = (unsigned)fuzz_take(1) % QUEUES, index = (unsigned)fuzz_take(1) % 64;
    struct vring_desc d = {take_address(), (uint32_t)take_number(), (uint16_t)fuzz_take(1), 0};
    unsigned next = (unsigned)fuzz_take(1);

    if (packed) { /* its flags come last, and the highest two bits tell whose turn it is */
        d.next = (uint16_t)((d.flags & 0x3f) | (d.flags & 0xc0u) << 8 | (next & 1) << 15);
        d.flags = (uint16_t)next;
    } else {
        d.next = (uint16_t)next;
    }
    memcpy(ram(queue * RING_STEP + index * sizeof d, sizeof d), &d, sizeof d);
}

static void step_available(void)
{
    unsigned queue = (unsigned)fuzz_take(1) % QUEUES;
    struct vring_avail *avail = ram(queue * RING_STEP + DRIVER_AT, 4 + 2 * 64 + 2);
    uint16_t head = (uint16_t)take_number();

    avail->ring[rings[queue].size ? avail->idx % rings[queue].size : 0] = head;
    avail->idx = (uint16_t)(avail->idx + fuzz_take(1));
}

/* A packed descriptor has an id where a split one has its flags, and its flags last. */
static struct vring_desc as_packed(struct vring_desc d, unsigned id, uint16_t turn)
{
    d.next = d.flags | turn;
    d.flags = (uint16_t)id;
    return d;
}

/* Writes to the next place of the ring, and moves on. */
static void place_next(unsigned queue, struct vring_desc d)
{
    uint16_t turn = (uint16_t)(rings[queue].wrap << VRING_PACKED_DESC_F_AVAIL |
                               !rings[queue].wrap << VRING_PACKED_DESC_F_USED);
    unsigned at = rings[queue].next++;

    if (rings[queue].next == rings[queue].size) {
        rings[queue].next = 0;
        rings[queue].wrap = !rings[queue].wrap;
    }
    d.next = rings[queue].next;
    if (packed)
        d = as_packed(d, at, turn);
    memcpy(ram(queue * RING_STEP + at * sizeof d, sizeof d), &d, sizeof d);
}

/* A chain of pieces, in the ring or in an indirect table, made available. */
static void lend(unsigned queue, const struct vring_desc *pieces, unsigned count, bool in_table)
{
    gpa_t table = queue * RING_STEP + TABLE_AT;
    struct vring_avail *avail = ram(queue * RING_STEP + DRIVER_AT, 4 + 2 * 64 + 2);
    uint16_t head = rings[queue].next;

    for (unsigned i = 0; i < count; i++) {
        struct vring_desc d = pieces[i];

        d.flags |= i + 1 < count ? VRING_DESC_F_NEXT : 0;
        d.next = (uint16_t)(i + 1);
        if (!in_table) {
            place_next(queue, d);
            continue;
        }
        if (packed)
            d = as_packed(d, i, 0);
        memcpy(ram(table + i * sizeof d, sizeof d), &d, sizeof d);
    }
    if (in_table)
        place_next(queue, (struct vring_desc){table, 16 * count, VRING_DESC_F_INDIRECT, 0});
    if (packed)
        return;
    avail->ring[avail->idx % rings[queue].size] = head;
    avail->idx++;
}

static void step_request(void)
{
    unsigned options = (unsigned)fuzz_take(1), queue = options % QUEUES, count = 0;
    uint32_t header = (uint32_t)fuzz_take(1) % 64, out = (uint32_t)fuzz_take(2) % 0x7000;
    uint32_t in = (uint32_t)fuzz_take(2) % 0x6e00;
    gpa_t at = BUFFERS + (options & 0x70u) * 0x20;
    struct vring_desc pieces[3];

    if (header > 0)
        pieces[count++] = (struct vring_desc){at, header, 0, 0};
    if (out > 0)
        pieces[count++] = (struct vring_desc){BUFFERS + 0x1000, out, 0, 0};
    if (in > 0)
        pieces[count++] = (struct vring_desc){BUFFERS + 0x1200, in, VRING_DESC_F_WRITE, 0};
    for (uint32_t i = 0; i < header; i++)
        *(uint8_t *)ram(at + i, 1) = (uint8_t)fuzz_take(1);
    if (count > 0 && count <= rings[queue].size)
        lend(queue, pieces, count, (options & 0x80) && indirect);
    notify((uint16_t)queue);
}

static void step_interrupts(void)
{
    unsigned queue = (unsigned)fuzz_take(1) % QUEUES;
    uint32_t event = (uint32_t)fuzz_take(4);

    if (packed)
        memcpy(ram(queue * RING_STEP + DRIVER_AT, 4), &event, 4);
    else
        memcpy(ram(queue * RING_STEP + DRIVER_AT + 4 + 2ull * rings[queue].size, 2), &event, 2);
}

static void step(void)
{
    switch (fuzz_take(1) % 12) {
    case 0:
    case 1: step_write(); break;
    case 2: step_read(); break;
    case 3: step_memory(); break;
    case 4: step_live(); break;
    case 5: step_descriptor(); break;
    case 6: step_available(); break;
    case 7:
    case 8: step_request(); break;
    case 9: notify((uint16_t)fuzz_take(1) % (QUEUES + 1)); break;
    case 10: target_poke(); break;
    default: step_interrupts();
    }
}

/* What the board does when a device asks to be called again, a few times. */
static void go_on_later(void)
{
    for (unsigned i = 0; i < ROUNDS_MAX && later_called; i++) {
        later_called = false;
        for (uint32_t queue = 0; queue < device->queue_count; queue++)
            virtio_device_notify(device, queue);
    }
}

static void check_rings(void)
{
    for (unsigned i = 0; i < device->queue_count; i++)
        must(device->queues[i].ring.in_flight <= device->queues[i].ring.size);
}

static void make_memory(void)
{
    const uint64_t sizes[] = {FUZZ_RAM, GUEST_PAGE_SIZE};
    const gpa_t starts[] = {0, FUZZ_ROM};

    /* From the heap: what lies behind it is AddressSanitizer's, not another mapping. */
    for (unsigned i = 0; i < ARRAY_SIZE(sizes) && memory.count <= i; i++) {
        struct guest_region *region = &memory.regions[memory.count++];

        *region = (struct guest_region){.start = starts[i], .size = sizes[i], .read_only = i > 0};
        region->host = aligned_alloc(GUEST_PAGE_SIZE, sizes[i]);
        must(region->host);
        memset(region->host, 0x5a, sizes[i]);
    }
    memset(memory.regions[0].host, 0, FUZZ_RAM);
}

static void check_rom(void)
{
    for (unsigned i = 0; i < GUEST_PAGE_SIZE; i++)
        must(memory.regions[1].host[i] == 0x5a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input.next = bytes;
    input.left = size;
    make_memory();
    memset(rings, 0, sizeof rings);
    packed = indirect = later_called = false;
    on_pci = fuzz_take(1) & 1;
    device = target_begin(&memory);
    device->later = (struct virtio_later){call_later, NULL};
    plug();
    for (unsigned steps = 0; input.left > 0 && steps < STEPS_MAX; steps++) {
        step();
        go_on_later();
        check_rings();
    }
    virtio_device_set_status(device, 0);
    must(virtio_device_status(device) == 0);
    check_rom();
    target_end();
    return 0;
}
