/*
 * poke.h: reading and writing guest-physical memory as a guest does it.
 *
 * guest_ptr() shows what lies in our process. These calls show what the guest sees:
 * they let the guest poke.asm execute a load or a store of 32 bits, through the
 * second dimension with all its slots, and report the exit that came of it.
 */
#ifndef CHAPTER_03_POKE_H
#define CHAPTER_03_POKE_H

#include <stdbool.h>
#include <stdint.h>

#include "03-paging-ept/machine.h"

struct poke {
    bool mmio;      /* the access came to us: no slot, or a write to ROM */
    bool failed;    /* the guest stopped for another reason; see exit_reason */
    uint32_t value; /* what a read found; all ones where nobody answers */
    unsigned exit_reason;
};

/* The machine must run poke.bin, from its start on. gpa lies below 4 GiB. */
struct poke poke_read(struct machine *machine, gpa_t gpa);
struct poke poke_write(struct machine *machine, gpa_t gpa, uint32_t value);

#endif
