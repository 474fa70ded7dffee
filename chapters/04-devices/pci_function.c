/*
 * pci_function.c: see pci_function.h. Open at hand: [PCI3] chapter 6 "Configuration
 * Space".
 *
 * Left out on purpose: functions with their own subordinate bus (header types 1 and 2),
 * expansion ROMs, power states, the 4 KiB space of PCI Express, and parity and system
 * errors, which a bus made of function calls does not have.
 */
#include "04-devices/pci_function.h"

#include <assert.h>
#include <stddef.h>

#include "common/bits.h"

#define PORT_SPACE 0x10000u

/* [header] */
/* What a guest may do to the header. All that is not named here is read-only. */
static const struct {
    uint8_t offset, size;
    uint16_t writable, clears;
} header_rules[] = {
    /* Whether it decodes ports or memory it may set, too, once it has such a BAR. */
    {PCI_COMMAND, 2,
     PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE, 0},
    {PCI_STATUS, 2, 0,
     PCI_STATUS_PARITY | PCI_STATUS_SIG_TARGET_ABORT | PCI_STATUS_REC_TARGET_ABORT |
         PCI_STATUS_REC_MASTER_ABORT | PCI_STATUS_SIG_SYSTEM_ERROR | PCI_STATUS_DETECTED_PARITY},
    {PCI_CACHE_LINE_SIZE, 1, 0xff, 0},
    {PCI_LATENCY_TIMER, 1, 0xff, 0},
    {PCI_INTERRUPT_LINE, 1, 0xff, 0}, /* software's note to itself */
};
/* [/header] */

static void bytes_set(uint8_t *bytes, unsigned offset, unsigned size, uint32_t value)
{
    assert(fits(offset, size, PCI_CONFIG_SIZE) && size <= 4);
    for (unsigned i = 0; i < size; i++)
        bytes[offset + i] = (uint8_t)(value >> 8 * i);
}

uint32_t pci_config_get(const struct pci_function *f, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    assert(fits(offset, size, PCI_CONFIG_SIZE) && size <= 4);
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)f->config[offset + i] << 8 * i;
    return value;
}

void pci_config_set(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    bytes_set(f->config, offset, size, value);
}

void pci_config_allow(struct pci_function *f, unsigned offset, unsigned size, uint32_t bits)
{
    for (unsigned i = 0; i < size; i++)
        bytes_set(f->writable, offset + i, 1, f->writable[offset + i] | bits >> 8 * i);
}

void pci_function_init(struct pci_function *f, const struct pci_identity *identity)
{
    *f = (struct pci_function){.free = PCI_STD_HEADER_SIZEOF};
    pci_config_set(f, PCI_VENDOR_ID, 2, identity->vendor);
    pci_config_set(f, PCI_DEVICE_ID, 2, identity->device);
    pci_config_set(f, PCI_REVISION_ID, 4, identity->class_code << 8 | identity->revision);
    pci_config_set(f, PCI_SUBSYSTEM_VENDOR_ID, 2, identity->subsystem_vendor);
    pci_config_set(f, PCI_SUBSYSTEM_ID, 2, identity->subsystem);
    pci_config_set(f, PCI_INTERRUPT_PIN, 1, identity->interrupt_pin);
    for (unsigned i = 0; i < ARRAY_SIZE(header_rules); i++) {
        bytes_set(f->writable, header_rules[i].offset, header_rules[i].size,
                  header_rules[i].writable);
        bytes_set(f->clears, header_rules[i].offset, header_rules[i].size, header_rules[i].clears);
    }
}

static unsigned bar_register(unsigned bar)
{
    return PCI_BASE_ADDRESS_0 + 4 * bar;
}

/* [add-bar] */
void pci_function_add_bar(struct pci_function *f, unsigned bar, enum pci_bar_kind kind,
                          const struct bus_range *range)
{
    bool io = kind == PCI_BAR_IO, wide = kind & PCI_BASE_ADDRESS_MEM_TYPE_64;
    uint64_t address_bits = ~(range->size - 1); /* below them, zeros: this is the size */

    assert(bar + wide < PCI_BARS && f->bars[bar].range.size == 0);
    assert(is_power_of_two(range->size) && range->size >= (io ? 4 : 16));
    assert(wide || range->size <= (io ? 256 : BIT(31)));

    f->bars[bar] = (struct pci_bar){.range = *range, .kind = kind};
    pci_config_set(f, bar_register(bar), 4, kind);
    pci_config_allow(f, bar_register(bar), 4, (uint32_t)address_bits);
    if (wide)
        pci_config_allow(f, bar_register(bar + 1), 4, (uint32_t)(address_bits >> 32));
    pci_config_allow(f, PCI_COMMAND, 2, io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}
/* [/add-bar] */

uint64_t pci_bar_address(const struct pci_function *f, unsigned bar)
{
    enum pci_bar_kind kind = f->bars[bar].kind;
    uint64_t address = pci_config_get(f, bar_register(bar), 4);

    if (kind == PCI_BAR_IO)
        return address & PCI_BASE_ADDRESS_IO_MASK;
    if (kind & PCI_BASE_ADDRESS_MEM_TYPE_64)
        address |= (uint64_t)pci_config_get(f, bar_register(bar + 1), 4) << 32;
    return address & PCI_BASE_ADDRESS_MEM_MASK;
}

bool pci_bar_decodes(const struct pci_function *f, unsigned bar)
{
    const struct pci_bar *b = &f->bars[bar];
    bool io = b->kind == PCI_BAR_IO;
    uint64_t address = pci_bar_address(f, bar);

    return pci_config_get(f, PCI_COMMAND, 2) & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY) &&
           address != 0 && fits(address, b->range.size, io ? PORT_SPACE : UINT64_MAX);
}

unsigned pci_function_add_capability(struct pci_function *f,
                                     const struct pci_capability *capability)
{
    struct pci_capability *added = &f->capabilities[f->capability_count];
    unsigned offset = f->free, link = PCI_CAPABILITY_LIST;

    assert(f->capability_count < PCI_CAPABILITIES_MAX && capability->length >= 2);
    assert(offset + align_up(capability->length, 4) < PCI_CONFIG_SIZE);

    if (f->capability_count > 0)
        link = f->capabilities[f->capability_count - 1].offset + PCI_CAP_LIST_NEXT;
    pci_config_set(f, link, 1, offset);
    pci_config_set(f, offset + PCI_CAP_LIST_ID, 1, capability->id);
    pci_config_set(f, PCI_STATUS, 2, pci_config_get(f, PCI_STATUS, 2) | PCI_STATUS_CAP_LIST);

    *added = *capability;
    added->offset = (uint8_t)offset;
    f->capability_count++;
    f->free = (uint8_t)(offset + align_up(capability->length, 4));
    return offset;
}

/* Capabilities start at multiples of 4, so an aligned access meets one at most. */
static const struct pci_capability *capability_at(const struct pci_function *f, unsigned offset,
                                                  unsigned size)
{
    for (unsigned i = 0; i < f->capability_count; i++) {
        const struct pci_capability *c = &f->capabilities[i];

        if (offset < c->offset + c->length && c->offset < offset + size)
            return c;
    }
    return NULL;
}

/* The wire follows the device's wish unless the guest or a message forbids it. */
static void update_intx(struct pci_function *f)
{
    uint32_t command = pci_config_get(f, PCI_COMMAND, 2);
    uint32_t status = pci_config_get(f, PCI_STATUS, 2);
    bool level = f->intx_wanted && !f->messages_on && !(command & PCI_COMMAND_INTX_DISABLE);

    /* The status bit shows the wish, whatever INTX_DISABLE says. [PCI3, 6.2.3 "Device Status"] */
    status &= ~(uint32_t)PCI_STATUS_INTERRUPT;
    if (f->intx_wanted && !f->messages_on)
        status |= PCI_STATUS_INTERRUPT;
    pci_config_set(f, PCI_STATUS, 2, status);

    if (level == f->intx_level || !f->intx.set)
        return;
    f->intx_level = level;
    irq_set(&f->intx, level);
}

uint32_t pci_function_read(struct pci_function *f, unsigned offset, unsigned size)
{
    const struct pci_capability *capability = capability_at(f, offset, size);

    if (capability && capability->reading)
        capability->reading(capability->self, offset - capability->offset, size);
    return pci_config_get(f, offset, size);
}

/* [write] */
void pci_function_write(struct pci_function *f, unsigned offset, unsigned size, uint32_t value)
{
    const struct pci_capability *capability = capability_at(f, offset, size);

    for (unsigned i = offset; i < offset + size; i++, value >>= 8) {
        uint8_t kept = f->config[i] & ~f->writable[i] & ~(value & f->clears[i]);

        f->config[i] = kept | (value & f->writable[i]);
    }
    if (capability && capability->written)
        capability->written(capability->self, offset - capability->offset, size);
    update_intx(f);
}
/* [/write] */

bool pci_function_is_master(const struct pci_function *f)
{
    return pci_config_get(f, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

void pci_function_set_intx(struct pci_function *f, bool wanted)
{
    f->intx_wanted = wanted;
    update_intx(f);
}

void pci_function_use_messages(struct pci_function *f, unsigned which, bool on)
{
    f->messages_on = (unsigned)((f->messages_on & ~BIT(which)) | (on ? BIT(which) : 0));
    update_intx(f);
}
