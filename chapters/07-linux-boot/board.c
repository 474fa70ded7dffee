/*
 * board.c: what the boards of board.h have in common: the end, when a
 * PC's firmware would find what is plugged in, write it down, and stay behind in 16 bytes.
 */
#include "07-linux-boot/board.h"

#include <assert.h>
#include <string.h>

#include "05-virtio/virtio_mmio.h"
#include "07-linux-boot/layout.h"
#include "common/embed.h"

EMBED(reset_vector_bin, "07-linux-boot/reset_vector.bin");

static void describe_pages(struct acpi_board *tables, const struct virtio_bus *bus)
{
    _Static_assert(VIRTIO_PAGES_MAX <= ACPI_VIRTIO_MMIO_MAX, "each page has its node");

    for (unsigned i = 0; i < bus->pages; i++)
        tables->virtio[i] = (struct acpi_virtio_mmio){
            .address = (uint32_t)(VIRTIO_PAGES + i * VIRTIO_PAGE_STEP),
            .size = VIRTIO_MMIO_SIZE,
            .gsi = VIRTIO_PAGE_LINE + i,
        };
    tables->virtio_count = bus->pages;
}

static void write_tables(struct board *board, const struct topology *topology)
{
    struct acpi_board tables = board->tables;
    uint8_t apic_ids[PROCESSORS_MAX];

    tables.processors = topology_count(topology);
    for (unsigned i = 0; i < tables.processors; i++)
        apic_ids[i] = (uint8_t)topology_apic_id(topology, i);
    tables.apic_ids = apic_ids;
    describe_pages(&tables, &board->bus);
    acpi_write(&board->machine.vm.memory, &tables);
}

static void write_reset_vector(const struct guest_memory *memory)
{
    void *vector = guest_ptr(memory, LAYOUT_RESET, LAYOUT_RESET_SIZE);

    assert(vector && reset_vector_bin_end - reset_vector_bin == LAYOUT_RESET_SIZE);
    memcpy(vector, reset_vector_bin, LAYOUT_RESET_SIZE);
}

void board_finish(struct board *board, const struct topology *topology)
{
    if (board->bus.pci)
        pci_host_place(board->bus.pci, BOARD_PCI_PORTS, BOARD_PCI_PORTS_END,
                       board->tables.pci_first, board->tables.pci_last + 1);
    write_tables(board, topology);
    write_reset_vector(&board->machine.vm.memory);
}
