/*
 * proof: a BAR is where its register says, and never outside its address space
 * bound: none: one write from every state that writes can have led to
 * sources: chapters/04-devices/pci_function.c
 * cbmc: --unwind 10
 *
 * A BAR of any kind and size, in a function whose writable bits hold anything. A write of
 * any value anywhere leaves the BAR aligned to its size and of its kind; what it decodes
 * does not wrap, and sizing it gives its size.
 */
#include "04-devices/pci_function.h"
#include "common/bits.h"
#include "proof.h"

static const enum pci_bar_kind kinds[] = {PCI_BAR_IO, PCI_BAR_MEMORY, PCI_BAR_MEMORY_64,
                                          PCI_BAR_PREFETCH, PCI_BAR_PREFETCH_64};

int main(void)
{
    static struct pci_function f;
    unsigned bar = any_u8() % PCI_BARS, which = any_u8() % 5, order = any_u8() % 63;
    enum pci_bar_kind kind = kinds[which];
    bool io = kind == PCI_BAR_IO, wide = kind & PCI_BASE_ADDRESS_MEM_TYPE_64;
    struct bus_range range = {.size = UINT64_C(1) << order, .width = 1};
    unsigned low = PCI_BASE_ADDRESS_0 + 4 * bar;

    assume(order >= (io ? 2 : 4) && (wide || order <= (io ? 8 : 31)));
    assume(bar + wide < PCI_BARS);
    pci_function_init(&f, &(struct pci_identity){.vendor = 0x1af4});
    pci_function_add_bar(&f, bar, kind, &range);

    for (unsigned i = 0; i < 8; i++) /* the BAR, and the next where it takes two */
        f.config[low + i] = (f.config[low + i] & ~f.writable[low + i]) |
                            (any_u8() & f.writable[low + i]);

    unsigned size = 1u << any_u8() % 3, offset = any_u8();

    assume(is_aligned(offset, size) && fits(offset, size, PCI_CONFIG_SIZE));
    pci_function_write(&f, offset, size, any_u32());

    uint64_t address = pci_bar_address(&f, bar);

    prove(is_aligned(address, range.size), "a BAR is aligned to its size");
    prove((pci_function_read(&f, low, 4) & (io ? 3 : 15)) == kind, "its kind does not change");
    if (pci_bar_decodes(&f, bar))
        prove(address != 0 && fits(address, range.size, io ? 0x10000 : UINT64_MAX),
              "what it decodes is in its address space");

    pci_function_write(&f, low, 4, UINT32_MAX);
    if (wide)
        pci_function_write(&f, low + 4, 4, UINT32_MAX);

    uint64_t ones = pci_bar_address(&f, bar);

    prove(wide ? ~ones + 1 == range.size : (uint32_t)(~ones + 1) == range.size,
          "writing ones reads back the size");
}
