/*
 * msix.c: see msix.h. Open at hand: [PCI3] section 6.8.2.
 *
 * A message is a write by the function, so one that is not a bus master sends none,
 * and it is lost. Changing a vector's message while it is unmasked has no defined
 * result in the specification; here the next message is the new one.
 */
#include "04-devices/msix.h"

#include <assert.h>
#include <string.h>

#include "common/bits.h"

#define MSIX_WHICH 1u /* of pci_function_use_messages(); MSI is 0 */

_Static_assert(MSIX_VECTORS_MAX * sizeof(struct msix_entry) <= MSIX_PBA, "table, then PBA");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as the guest sees the table");

static uint32_t msix_control(const struct msix *msix)
{
    return pci_config_get(msix->function, msix->capability + PCI_MSIX_FLAGS, 2);
}

bool msix_enabled(const struct msix *msix)
{
    return msix_control(msix) & PCI_MSIX_FLAGS_ENABLE;
}

bool msix_open(const struct msix *msix, unsigned vector)
{
    return vector < msix->count && msix_enabled(msix) &&
           !(msix_control(msix) & PCI_MSIX_FLAGS_MASKALL) &&
           !(msix->table[vector].control & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

static void send(const struct msix *msix, unsigned vector)
{
    const struct msix_entry *entry = &msix->table[vector];

    if (pci_function_is_master(msix->function))
        msi_send(&msix->sender, (uint64_t)entry->address_high << 32 | entry->address_low,
                 entry->data);
}

/* [raise] */
void msix_raise(struct msix *msix, unsigned vector)
{
    if (vector >= msix->count || !msix_enabled(msix))
        return;
    if (msix_open(msix, vector))
        send(msix, vector);
    else
        msix->pending[vector / 64] |= BIT(vector % 64);
}

/* Something about the vector has changed: what was held back may go, once. */
static void msix_update(struct msix *msix, unsigned vector)
{
    uint64_t *pending = &msix->pending[vector / 64];

    if (msix_open(msix, vector) && *pending & BIT(vector % 64)) {
        *pending &= ~BIT(vector % 64);
        send(msix, vector);
    }
    if (msix->changed)
        msix->changed(msix->changed_self, vector);
}
/* [/raise] */

/* The function's own mask or enable bit has been written. */
static void msix_written(void *self, unsigned offset, unsigned size)
{
    struct msix *msix = self;

    if (offset + size <= PCI_MSIX_FLAGS) /* id and next, which stay */
        return;
    pci_function_use_messages(msix->function, MSIX_WHICH, msix_enabled(msix));
    for (unsigned vector = 0; vector < msix->count; vector++)
        msix_update(msix, vector);
}

uint64_t msix_read(void *self, uint64_t reg, unsigned size)
{
    const struct msix *msix = self;
    uint64_t value = 0;

    if (fits(reg, size, msix->count * sizeof(struct msix_entry)))
        memcpy(&value, (const uint8_t *)msix->table + reg, size);
    else if (reg >= MSIX_PBA && fits(reg - MSIX_PBA, size, align_up(msix->count, 64) / 8))
        memcpy(&value, (const uint8_t *)msix->pending + (reg - MSIX_PBA), size);
    else
        return UINT64_MAX;
    return value;
}

void msix_write(void *self, uint64_t reg, unsigned size, uint64_t value)
{
    struct msix *msix = self;
    struct msix_entry *entry;

    if (size != 4 || !fits(reg, size, msix->count * sizeof *entry))
        return;
    entry = &msix->table[reg / sizeof *entry];
    switch (reg % sizeof *entry) {
    case PCI_MSIX_ENTRY_LOWER_ADDR: entry->address_low = (uint32_t)value & ~3u; break;
    case PCI_MSIX_ENTRY_UPPER_ADDR: entry->address_high = (uint32_t)value; break;
    case PCI_MSIX_ENTRY_DATA: entry->data = (uint32_t)value; break;
    case PCI_MSIX_ENTRY_VECTOR_CTRL:
        entry->control = (uint32_t)value & PCI_MSIX_ENTRY_CTRL_MASKBIT;
        break;
    }
    msix_update(msix, (unsigned)(reg / sizeof *entry));
}

void msix_init(struct msix *msix, struct pci_function *f, unsigned bar, unsigned count,
               struct msi_sender sender)
{
    unsigned at;

    assert(count >= 1 && count <= MSIX_VECTORS_MAX);
    at = pci_function_add_capability(f, &(struct pci_capability){.id = PCI_CAP_ID_MSIX,
                                                                 .length = PCI_CAP_MSIX_SIZEOF,
                                                                 .written = msix_written,
                                                                 .self = msix});
    *msix = (struct msix){.function = f, .sender = sender, .capability = at, .count = count};
    for (unsigned vector = 0; vector < count; vector++)
        msix->table[vector].control = PCI_MSIX_ENTRY_CTRL_MASKBIT;

    pci_config_set(f, at + PCI_MSIX_FLAGS, 2, count - 1);
    pci_config_allow(f, at + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    pci_config_set(f, at + PCI_MSIX_TABLE, 4, bar);
    pci_config_set(f, at + PCI_MSIX_PBA, 4, MSIX_PBA | bar);
    pci_function_add_bar(f, bar, PCI_BAR_MEMORY,
                         &(struct bus_range){.size = MSIX_BAR_SIZE,
                                             .width = 4,
                                             .read = msix_read,
                                             .write = msix_write,
                                             .self = msix,
                                             .name = "MSI-X table"});
}
