/*
 * pci.c: see pci.h. Open at hand: [PCI3] sections 3.2.2.3.2 and 6.2.5, and [I440FX]
 * for what the bridge says about itself.
 *
 * Left out on purpose: more buses than one, devices of several functions, special
 * cycles, the bridge's registers for firmware (shadow RAM, DRAM timing): they read as
 * zero. Memory-mapped configuration space is a second caller of pci_config_read().
 */
#include "04-devices/pci.h"

#include <errno.h>
#include <stddef.h>

#include "common/bits.h"

/* CONFIG_ADDRESS */
#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_MASK   0x80fffffcu /* the bits that exist */
#define ADDRESS_BDF(a) ((uint16_t)bits(a, 23, 8))
#define ADDRESS_REG(a) ((unsigned)bits(a, 7, 0))

static struct bus *bus_of(struct pci_host *host, const struct pci_bar *bar)
{
    return bar->kind == PCI_BAR_IO ? host->ports : host->memory;
}

static void tell(struct pci_function *f, unsigned bar)
{
    if (f->bar_moved)
        f->bar_moved(f->bar_moved_self, bar);
}

/* [settle] */
/* Takes a BAR off its bus if it may no longer be where it is. */
static void bar_leave(struct pci_host *host, struct pci_function *f, unsigned bar)
{
    struct pci_bar *b = &f->bars[bar];

    if (!b->visible || (pci_bar_decodes(f, bar) && pci_bar_address(f, bar) == b->range.start))
        return;
    bus_remove(bus_of(host, b), b->range.start);
    b->visible = false;
    tell(f, bar);
}

/* Puts it where it should be, if that is free. */
static void bar_enter(struct pci_host *host, struct pci_function *f, unsigned bar)
{
    struct pci_bar *b = &f->bars[bar];

    if (b->visible || b->range.size == 0 || !pci_bar_decodes(f, bar))
        return;
    b->range.start = pci_bar_address(f, bar);
    b->visible = bus_add(bus_of(host, b), &b->range) == 0;
    if (b->visible)
        tell(f, bar);
}

static void for_each_bar(struct pci_host *host,
                         void (*step)(struct pci_host *, struct pci_function *, unsigned bar))
{
    for (unsigned slot = 0; slot < PCI_SLOTS; slot++)
        for (unsigned bar = 0; bar < PCI_BARS && host->slots[slot].function; bar++)
            step(host, host->slots[slot].function, bar);
}

/*
 * A register that places BARs has changed. All leave before any enters, so that a
 * BAR which was hidden gets its turn in the moment when the other one goes.
 */
static void settle(struct pci_host *host)
{
    for_each_bar(host, bar_leave);
    for_each_bar(host, bar_enter);
}
/* [/settle] */

/* [wire] */
/* A slot pulls or releases its wire, which stays up while anyone pulls. */
static void slot_pull(void *self, bool level)
{
    struct pci_slot *slot = self;
    unsigned number = (unsigned)(slot - slot->host->slots);
    unsigned pin = pci_config_get(slot->function, PCI_INTERRUPT_PIN, 1);
    struct pci_wire *wire = &slot->host->wires[(number + pin - 1) % PCI_WIRES];
    bool before = wire->slots != 0;

    if (level)
        wire->slots |= (uint32_t)BIT(number);
    else
        wire->slots &= (uint32_t)~BIT(number);
    if (before != (wire->slots != 0))
        irq_set(&wire->line, wire->slots != 0);
}
/* [/wire] */

int pci_host_plug(struct pci_host *host, unsigned slot, struct pci_function *function)
{
    unsigned pin = pci_config_get(function, PCI_INTERRUPT_PIN, 1);

    if (slot >= PCI_SLOTS)
        return -EINVAL;
    if (host->slots[slot].function)
        return -EEXIST;
    host->slots[slot] = (struct pci_slot){.host = host, .function = function};
    if (pin == 0)
        return 0;
    function->intx = (struct irq_line){slot_pull, &host->slots[slot]};
    pci_config_set(function, PCI_INTERRUPT_LINE, 1,
                   host->wires[(slot + pin - 1) % PCI_WIRES].number);
    return 0;
}

int pci_host_free_slot(const struct pci_host *host)
{
    for (int slot = 0; slot < (int)PCI_SLOTS; slot++)
        if (!host->slots[slot].function)
            return slot;
    return -ENOSPC;
}

void pci_host_init(struct pci_host *host, struct bus *ports, struct bus *memory,
                   const struct pci_wire *wires, struct reset_ports *reset)
{
    /* [I440FX, 3.2 "PCI Configuration Space Mapped Registers"] */
    static const struct pci_identity i440fx = {
        .vendor = 0x8086, .device = 0x1237, .revision = 2, .class_code = 0x060000};

    *host = (struct pci_host){.ports = ports, .memory = memory, .reset = reset};
    for (unsigned i = 0; i < PCI_WIRES; i++)
        host->wires[i] = (struct pci_wire){.line = wires[i].line, .number = wires[i].number};
    pci_function_init(&host->bridge, &i440fx);
    pci_host_plug(host, 0, &host->bridge);
}

/* Gives one BAR the next place below limit; next moves behind it. */
static int bar_place(struct pci_function *f, unsigned bar, uint64_t *next, uint64_t limit)
{
    unsigned reg = PCI_BASE_ADDRESS_0 + 4 * bar;
    uint64_t size = f->bars[bar].range.size;
    uint64_t start = align_up(*next, size);

    if (start < *next || !fits(start, size, limit))
        return -ENOSPC;
    pci_config_set(f, reg, 4, (uint32_t)start | f->bars[bar].kind);
    if (f->bars[bar].kind & PCI_BASE_ADDRESS_MEM_TYPE_64)
        pci_config_set(f, reg + 4, 4, (uint32_t)(start >> 32));
    *next = start + size;
    return 0;
}

int pci_host_place(struct pci_host *host, uint64_t io, uint64_t io_limit, uint64_t memory,
                   uint64_t memory_limit)
{
    int result = 0;

    for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
        struct pci_function *f = host->slots[slot].function;

        for (unsigned bar = 0; f && bar < PCI_BARS; bar++) {
            bool ports = f->bars[bar].kind == PCI_BAR_IO;

            if (f->bars[bar].range.size == 0)
                continue;
            if (bar_place(f, bar, ports ? &io : &memory, ports ? io_limit : memory_limit) != 0)
                result = -ENOSPC;
            else
                pci_config_set(f, PCI_COMMAND, 2,
                               pci_config_get(f, PCI_COMMAND, 2) |
                                   (ports ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY));
        }
    }
    settle(host);
    return result;
}

static struct pci_function *function_at(const struct pci_host *host, uint16_t bdf)
{
    bool exists = bits(bdf, 15, 8) == 0 && bits(bdf, 2, 0) == 0; /* bus 0, function 0 */

    return exists ? host->slots[bits(bdf, 7, 3)].function : NULL;
}

uint32_t pci_config_read(struct pci_host *host, uint16_t bdf, unsigned offset, unsigned size)
{
    struct pci_function *f = function_at(host, bdf);

    if (!f || !fits(offset, size, PCI_CONFIG_SIZE))
        return UINT32_MAX; /* nobody answers: the bridge ends the cycle with ones */
    return pci_function_read(f, offset, size);
}

void pci_config_write(struct pci_host *host, uint16_t bdf, unsigned offset, unsigned size,
                      uint32_t value)
{
    struct pci_function *f = function_at(host, bdf);

    if (!f || !fits(offset, size, PCI_CONFIG_SIZE))
        return;
    pci_function_write(f, offset, size, value);
    if (offset >= PCI_COMMAND && offset <= PCI_BASE_ADDRESS_5)
        settle(host);
}

uint64_t pci_address_read(void *self, uint64_t reg, unsigned size)
{
    struct pci_host *host = self;

    if (size == 4)
        return host->address;
    return host->reset ? reset_control_read(host->reset, reg, size) : UINT64_MAX;
}

void pci_address_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct pci_host *host = self;

    if (size == 4)
        host->address = (uint32_t)value & ADDRESS_MASK;
    else if (host->reset)
        reset_control_write(host->reset, reg, size, value);
}

uint64_t pci_data_read(void *self, uint64_t reg, unsigned size)
{
    struct pci_host *host = self;
    uint32_t address = host->address;

    if (!(address & ADDRESS_ENABLE))
        return UINT64_MAX;
    return pci_config_read(host, ADDRESS_BDF(address), ADDRESS_REG(address) + (unsigned)reg, size);
}

void pci_data_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct pci_host *host = self;
    uint32_t address = host->address;

    if (address & ADDRESS_ENABLE)
        pci_config_write(host, ADDRESS_BDF(address), ADDRESS_REG(address) + (unsigned)reg, size,
                         (uint32_t)value);
}
