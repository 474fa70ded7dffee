/*
 * e820.c: guest RAM and its exceptions, as the list a BIOS would give.
 *
 *     memory                              map
 *              0 +------------------+     RAM
 *        0x9fc00 |                  |     reserved    EBDA
 *        0xa0000 |  region 0        |     (no entry)  video memory, option ROMs
 *        0xe0000 |  of guest_memory |     reserved    firmware tables
 *       0x100000 |                  |     RAM
 *                +------------------+
 *     0xfffbc000                          reserved    KVM's own four pages
 *    0x100000000 +------------------+     RAM
 *                |  region 1        |
 *                +------------------+
 *
 * RAM backs the whole first region, for one slot with one alignment lets the host
 * map it by huge pages. But no PC offers 640 KiB to 1 MiB as RAM, Linux expects
 * none there, and we keep to what QEMU's firmware, kvmtool and Firecracker say:
 * RAM ends at 0x9fc00. The last KiB below 640 KiB is where a BIOS has its
 * extended data area and Linux looks for tables; above 0xe0000 it looks for more.
 * Both are reserved, so that tables put there stay. Of video memory the map says
 * nothing, as on a PC: reserving it would only keep drivers out.
 *
 * Left out on purpose: the types for ACPI tables and for sleep, memory hot-plug.
 */
#include "07-linux-boot/e820.h"

#include <assert.h>

#include "01-kvm-hello/kvm.h"
#include "07-linux-boot/layout.h"

_Static_assert(sizeof(struct boot_e820_entry) == 20, "an entry of the zero page");
_Static_assert(E820_ENTRIES_MAX <= E820_MAX_ENTRIES_ZEROPAGE, "the zero page has room");

struct map {
    struct boot_e820_entry *table;
    unsigned count;
};

/* Adds [start, end), unless it is empty. */
static void add(struct map *map, gpa_t start, gpa_t end, enum e820_type type)
{
    if (start >= end)
        return;
    assert(map->count < E820_ENTRIES_MAX);
    map->table[map->count++] = (struct boot_e820_entry){
        .addr = start, .size = end - start, .type = type};
}

/* [e820-build] */
unsigned e820_build(const struct guest_memory *memory,
                    struct boot_e820_entry table[E820_ENTRIES_MAX])
{
    struct map map = {.table = table};

    add(&map, 0, LAYOUT_EBDA, E820_RAM);
    add(&map, LAYOUT_EBDA, LAYOUT_VIDEO, E820_RESERVED);
    add(&map, LAYOUT_FIRMWARE, LAYOUT_HIGH_MEMORY, E820_RESERVED);
    add(&map, LAYOUT_HIGH_MEMORY, ram_low_end(memory), E820_RAM);
    add(&map, KVM_PAGES_START, KVM_PAGES_START + KVM_PAGES_SIZE, E820_RESERVED);

    for (unsigned i = 0; i < memory->count; i++) {
        const struct guest_region *region = &memory->regions[i];

        if (region->start >= LAYOUT_ABOVE_HOLE)
            add(&map, region->start, region->start + region->size, E820_RAM);
    }
    return map.count;
}
/* [/e820-build] */
