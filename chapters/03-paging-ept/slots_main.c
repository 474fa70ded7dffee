/*
 * slots_main.c: the second dimension, tried out: what slots do to a guest's memory, and
 * what the host puts behind it.
 *
 * The guest poke.asm reads and writes where we say. Each line that is printed is an
 * observation; nothing here is simulated.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "03-paging-ept/machine.h"
#include "03-paging-ept/pagemap.h"
#include "03-paging-ept/poke.h"
#include "common/bits.h"
#include "common/die.h"
#include "common/embed.h"

#define HIGH_RAM (8 * MIB)

EMBED(poke_bin, "03-paging-ept/poke.bin");

static void show(struct machine *machine, const char *what, gpa_t gpa)
{
    struct poke poke = poke_read(machine, gpa);

    if (poke.failed)
        die("the guest stopped with exit %u", poke.exit_reason);
    printf("  %-40s 0x%08" PRIx32 "%s\n", what, poke.value, poke.mmio ? "  (MMIO exit)" : "");
}

static void store(struct machine *machine, const char *what, gpa_t gpa, uint32_t value)
{
    struct poke poke = poke_write(machine, gpa, value);

    if (poke.failed)
        die("the guest stopped with exit %u", poke.exit_reason);
    printf("  %-40s 0x%08" PRIx32 "%s\n", what, value, poke.mmio ? "  (MMIO exit)" : "");
}

static void holes_and_aliases(struct machine *machine)
{
    printf("holes, aliases, ROM\n");
    store(machine, "write RAM at 1 MiB", ALIAS_OF, 0x11111111);
    show(machine, "read the alias of it", ALIAS_START);
    store(machine, "write the alias", ALIAS_START, 0x22222222);
    show(machine, "read RAM at 1 MiB", ALIAS_OF);
    show(machine, "read a hole", 0x70000000);
    store(machine, "write a hole", 0x70000000, 0x33333333);
    show(machine, "read ROM", ROM_START);
    store(machine, "write ROM", ROM_START, 0x44444444);
    show(machine, "read ROM again", ROM_START);
}

/* [changing] */
static void changing_slots(struct machine *machine)
{
    struct slot alias = machine->slots.slots[SLOT_ALIAS], none = {0};
    struct slot longer = alias;

    printf("changing slots while the guest lives\n");
    alias.start = 0x60000000;
    machine_set_slot(machine, SLOT_ALIAS, &alias);
    show(machine, "moved to 0x60000000, read there", alias.start);
    show(machine, "read where it was", ALIAS_START);
    longer.size = 2 * ALIAS_SIZE;
    longer.start = alias.start;
    printf("  made longer in place: %s\n",
           strerror(-slots_set_kvm(&machine->slots, machine->vm.fd, SLOT_ALIAS, &longer)));
    machine_set_slot(machine, SLOT_ALIAS, &none);
    show(machine, "deleted, read there", alias.start);
    machine_set_slot(machine, SLOT_ALIAS, &longer);
    show(machine, "made anew, twice as long, read there", alias.start);
    show(machine, "read its second half", alias.start + ALIAS_SIZE);
}
/* [/changing] */

static void count(const char *what, const uint8_t *start, uint64_t size)
{
    int64_t present = host_pages_present(start, size), huge = host_huge_bytes(start);

    if (present < 0 || huge < 0)
        die("/proc/self: %s", strerror((int)-(present < 0 ? present : huge)));
    printf("  %-40s %4" PRId64 " pages, %4" PRId64 " KiB of huge ones in RAM\n", what, present,
           huge / 1024);
}

/* [lazy] */
static void lazy_memory(struct machine *machine)
{
    uint8_t *ram = guest_ptr(&machine->vm.memory, HIGH_RAM, 4 * MIB);

    printf("memory comes when it is touched (2 MiB at 8 MiB)\n");
    madvise(ram, 4 * MIB, MADV_NOHUGEPAGE);
    count("before", ram, 2 * MIB);
    for (unsigned i = 0; i < 3; i++)
        store(machine, "the guest writes a page", HIGH_RAM + i * 4096, 0x55555555);
    count("after", ram, 2 * MIB);
    madvise(ram, 2 * MIB, MADV_DONTNEED);
    count("after MADV_DONTNEED", ram, 2 * MIB);
    show(machine, "the guest reads one of them", HIGH_RAM);

    printf("the same with huge pages (2 MiB at 10 MiB)\n");
    if (madvise(ram + 2 * MIB, 2 * MIB, MADV_HUGEPAGE) < 0)
        printf("  SKIP: this kernel has no transparent huge pages\n");
    store(machine, "the guest writes one page", HIGH_RAM + 2 * MIB, 0x66666666);
    count("after", ram + 2 * MIB, 2 * MIB);
}
/* [/lazy] */

static void where_it_is(struct machine *machine)
{
    uint8_t *host = slots_host(&machine->slots, ALIAS_OF);
    struct host_page page;

    printf("where it is\n");
    if (host_page_of(host, &page) < 0 || !page.frame_known)
        printf("  SKIP host-physical address: the kernel tells it only to root\n");
    else
        printf("  guest-physical 0x%llx is %p here and 0x%" PRIx64 " in the computer\n",
               (unsigned long long)ALIAS_OF, (void *)host, page.frame);
}

int main(int argc, char **argv)
{
    struct machine machine;

    if (argc > 1) {
        printf("usage: slots\n\nTries out memory slots with a guest that reads and writes on "
               "request.\n\nexit status: 0, or 1 if the host refused\n");
        return strcmp(argv[1], "--help") == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    machine_init(&machine, 0, 0);
    machine_load(&machine, poke_bin, (uint64_t)(poke_bin_end - poke_bin));
    machine_print_slots(&machine);
    holes_and_aliases(&machine);
    changing_slots(&machine);
    lazy_memory(&machine);
    where_it_is(&machine);
    machine_free(&machine);
    return EXIT_SUCCESS;
}
