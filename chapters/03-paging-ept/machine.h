/*
 * machine.h: the board of this chapter's machines: one processor and a memory map
 * with something of everything.
 *
 *     0x00000000 - 0x00ffffff   slot 0: RAM, 16 MiB
 *     0x40000000 - 0x400fffff   slot 1: an alias of RAM's second MiB
 *     0x50000000 - 0x5000ffff   slot 2: ROM, 64 KiB, with a text at its beginning
 *     all else                  nobody: MMIO exits
 */
#ifndef CHAPTER_03_MACHINE_H
#define CHAPTER_03_MACHINE_H

#include "01-kvm-hello/kvm.h"
#include "03-paging-ept/paging_regs.h"
#include "03-paging-ept/slots.h"

#define RAM_SIZE    (16 * MIB)
#define ALIAS_START UINT64_C(0x40000000)
#define ALIAS_OF    (1 * MIB)
#define ALIAS_SIZE  (1 * MIB)
#define ROM_START   UINT64_C(0x50000000)
#define ROM_SIZE    (64 * KIB)
#define ROM_TEXT    "read only memory"
#define GUEST_START 0x1000u
#define PAYLOAD_MAX (28 * KIB) /* up to the interrupt table of kernel.inc */

enum { SLOT_RAM, SLOT_ALIAS, SLOT_ROM };

struct machine {
    struct vm vm; /* vm.memory owns RAM and ROM */
    struct vcpu vcpu;
    struct slot_map slots;
    struct paging_features features;
};

/*
 * ram_flags: SLOT_LOG_DIRTY or 0. ring_entries: for the dirty ring, or 0. Dies if the
 * host refuses. The vCPU starts in real mode at GUEST_START, with all CPUID leaves.
 */
void machine_init(struct machine *machine, unsigned ram_flags, uint32_t ring_entries);
void machine_free(struct machine *machine);

/* Copies a payload to GUEST_START. NULL: size is too large. */
void *machine_load(struct machine *machine, const void *bytes, uint64_t size);

/* slots_set_kvm() that dies, naming the slot. */
void machine_set_slot(struct machine *machine, unsigned id, const struct slot *want);

/* One line for each slot. */
void machine_print_slots(const struct machine *machine);

#endif
