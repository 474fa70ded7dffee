/*
 * msi.c: see msi.h. Open at hand: [PCI3] section 6.8.1.
 *
 * The registers live in configuration space and nowhere else; this file reads them
 * when it needs them. A message is a write by the function, so one that is not a bus
 * master sends none, and it is lost.
 */
#include "04-devices/msi.h"

#include <assert.h>

#include "common/bits.h"

#define MSI_LENGTH (PCI_MSI_PENDING_64 + 4)
#define MSI_WHICH  0u /* of pci_function_use_messages(); MSI-X is 1 */

static uint32_t get(const struct msi *msi, unsigned reg, unsigned size)
{
    return pci_config_get(msi->function, msi->capability + reg, size);
}

bool msi_enabled(const struct msi *msi)
{
    return get(msi, PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE;
}

/* How many messages the guest has allowed; it may write more than we have. */
static unsigned allowed(const struct msi *msi)
{
    unsigned wanted = 1u << bits(get(msi, PCI_MSI_FLAGS, 2), 6, 4);

    return wanted < msi->count ? wanted : msi->count;
}

static void send(const struct msi *msi, unsigned number)
{
    uint64_t address = (uint64_t)get(msi, PCI_MSI_ADDRESS_HI, 4) << 32 |
                       get(msi, PCI_MSI_ADDRESS_LO, 4);
    uint32_t data = get(msi, PCI_MSI_DATA_64, 2);

    if (pci_function_is_master(msi->function))
        msi_send(&msi->sender, address, (data & ~(allowed(msi) - 1)) | number);
}

/* After a write: what was pending and is masked no longer goes out, once. */
static void msi_written(void *self, unsigned offset, unsigned size)
{
    struct msi *msi = self;
    uint32_t pending = get(msi, PCI_MSI_PENDING_64, 4);
    uint32_t ready = pending & ~get(msi, PCI_MSI_MASK_64, 4);

    (void)offset, (void)size;
    pci_function_use_messages(msi->function, MSI_WHICH, msi_enabled(msi));
    if (!msi_enabled(msi) || ready == 0)
        return;
    pci_config_set(msi->function, msi->capability + PCI_MSI_PENDING_64, 4, pending & ~ready);
    for (unsigned number = 0; number < allowed(msi); number++)
        if (ready & BIT(number))
            send(msi, number);
}

void msi_raise(struct msi *msi, unsigned number)
{
    if (!msi_enabled(msi))
        return;
    if (number >= allowed(msi))
        number = allowed(msi) - 1;
    if (get(msi, PCI_MSI_MASK_64, 4) & BIT(number))
        pci_config_set(msi->function, msi->capability + PCI_MSI_PENDING_64, 4,
                       get(msi, PCI_MSI_PENDING_64, 4) | (uint32_t)BIT(number));
    else
        send(msi, number);
}

void msi_init(struct msi *msi, struct pci_function *f, unsigned count, struct msi_sender sender)
{
    unsigned at, power = 0;

    assert(is_power_of_two(count) && count <= 32);
    while (1u << power < count)
        power++;
    at = pci_function_add_capability(
        f, &(struct pci_capability){
               .id = PCI_CAP_ID_MSI, .length = MSI_LENGTH, .written = msi_written, .self = msi});
    *msi = (struct msi){.function = f, .sender = sender, .capability = at, .count = count};

    pci_config_set(f, at + PCI_MSI_FLAGS, 2,
                   PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT | power << 1);
    pci_config_allow(f, at + PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
    pci_config_allow(f, at + PCI_MSI_ADDRESS_LO, 4, ~3u); /* messages are 4 bytes, aligned */
    pci_config_allow(f, at + PCI_MSI_ADDRESS_HI, 4, ~0u);
    pci_config_allow(f, at + PCI_MSI_DATA_64, 2, 0xffff);
    pci_config_allow(f, at + PCI_MSI_MASK_64, 4, (uint32_t)bits(~UINT64_C(0), count - 1, 0));
}
