/*
 * e820.h: the memory map that a kernel believes.
 *
 * On a PC, Linux asks the BIOS (interrupt 0x15, AX = 0xe820) which addresses are
 * RAM. Here no BIOS runs, and the loader leaves the answer in the zero page. What
 * it does not call RAM, Linux does not touch; what it calls RAM must be there.
 */
#ifndef CHAPTER_07_E820_H
#define CHAPTER_07_E820_H

#include <asm/bootparam.h>

#include "01-kvm-hello/memory.h"

/* [ACPI, 15 "System Address Map Interfaces"] */
enum e820_type {
    E820_RAM = 1,
    E820_RESERVED = 2,
};

/* The most entries that e820_build() makes. */
#define E820_ENTRIES_MAX (GUEST_REGIONS_MAX + 4u)

/* Fills table from the guest's RAM, in ascending order; returns the entries used. */
unsigned e820_build(const struct guest_memory *memory,
                    struct boot_e820_entry table[E820_ENTRIES_MAX]);

#endif
