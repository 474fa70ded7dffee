/* machine.c: see machine.h. */
#define _GNU_SOURCE
#include "03-paging-ept/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "03-paging-ept/dirty.h"
#include "common/bits.h"
#include "common/die.h"

void machine_set_slot(struct machine *machine, unsigned id, const struct slot *want)
{
    int error = slots_set_kvm(&machine->slots, machine->vm.fd, id, want);

    if (error)
        die("cannot set memory slot %u: %s", id, strerror(-error));
}

static uint8_t *reserve(struct machine *machine, gpa_t start, uint64_t size)
{
    int error = guest_memory_add(&machine->vm.memory, start, size);

    if (error)
        die("cannot reserve %llu KiB of guest memory: %s", (unsigned long long)(size / KIB),
            strerror(-error));
    return guest_ptr(&machine->vm.memory, start, size);
}

/* [map] */
static void build_map(struct machine *machine, unsigned ram_flags)
{
    uint8_t *ram = reserve(machine, 0, RAM_SIZE);
    uint8_t *rom = reserve(machine, ROM_START, ROM_SIZE);

    memcpy(rom, ROM_TEXT, sizeof ROM_TEXT);
    machine_set_slot(machine, SLOT_RAM,
                     &(struct slot){.size = RAM_SIZE, .host = ram, .flags = ram_flags});
    machine_set_slot(
        machine, SLOT_ALIAS,
        &(struct slot){.start = ALIAS_START, .size = ALIAS_SIZE, .host = ram + ALIAS_OF});
    machine_set_slot(
        machine, SLOT_ROM,
        &(struct slot){.start = ROM_START, .size = ROM_SIZE, .host = rom, .flags = SLOT_READ_ONLY});
}
/* [/map] */

void machine_init(struct machine *machine, unsigned ram_flags, uint32_t ring_entries)
{
    struct kvm_cpuid2 *cpuid;
    int error = 0;

    *machine = (struct machine){0};
    vm_init(&machine->vm);
    if (ring_entries)
        error = dirty_want_ring(&machine->vm, ring_entries);
    if (error)
        die("this KVM gives no dirty ring: %s (the log works: leave out --ring)", strerror(-error));
    build_map(machine, ram_flags);
    vcpu_init(&machine->vcpu, &machine->vm, 0);
    cpuid = vm_supported_cpuid(&machine->vm);
    vcpu_set_cpuid(&machine->vcpu, cpuid);
    free(cpuid);
    machine->features = paging_features(&machine->vm);
    vcpu_set_real_mode(&machine->vcpu, GUEST_START);
}

void machine_free(struct machine *machine)
{
    vcpu_free(&machine->vcpu);
    vm_free(&machine->vm);
}

void *machine_load(struct machine *machine, const void *bytes, uint64_t size)
{
    void *to = size <= PAYLOAD_MAX ? guest_ptr(&machine->vm.memory, GUEST_START, size) : NULL;

    return to ? memcpy(to, bytes, size) : NULL;
}

void machine_print_slots(const struct machine *machine)
{
    for (unsigned i = 0; i < SLOTS_MAX; i++) {
        const struct slot *slot = &machine->slots.slots[i];

        if (slot->size)
            printf("slot %u: 0x%08llx - 0x%08llx  %6llu KiB%s%s\n", i,
                   (unsigned long long)slot->start,
                   (unsigned long long)(slot->start + slot->size - 1),
                   (unsigned long long)(slot->size / KIB),
                   slot->flags & SLOT_READ_ONLY ? "  read-only" : "",
                   slot->flags & SLOT_LOG_DIRTY ? "  writes are logged" : "");
    }
}
