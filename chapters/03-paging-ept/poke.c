/* poke.c: see poke.h, and guest/poke.asm for the other side. */
#define _GNU_SOURCE
#include "03-paging-ept/poke.h"

#include <string.h>

#define COMMAND_PORT  0xf0u
#define COMMAND_HALT  0u
#define COMMAND_READ  1u
#define COMMAND_WRITE 2u

/* Feeds the guest one command, then a halt, and looks at what happens in between. */
static struct poke poke(struct machine *machine, uint32_t command, gpa_t gpa, uint32_t value)
{
    const uint32_t words[] = {command, (uint32_t)gpa, (uint32_t)(gpa >> 32), value, COMMAND_HALT};
    struct kvm_run *run = machine->vcpu.run;
    struct poke poke = {0};
    unsigned next = 0;

    for (;;) {
        if (!vcpu_run(&machine->vcpu))
            continue; /* a signal for somebody else */
        poke.exit_reason = run->exit_reason;
        if (run->exit_reason == KVM_EXIT_HLT)
            return poke;
        if (run->exit_reason == KVM_EXIT_MMIO) {
            poke.mmio = true;
            if (!run->mmio.is_write)
                memset(run->mmio.data, 0xff, sizeof run->mmio.data);
        } else if (run->exit_reason == KVM_EXIT_IO && run->io.port == COMMAND_PORT &&
                   next < sizeof words / sizeof words[0]) {
            uint8_t *data = (uint8_t *)run + run->io.data_offset;

            if (run->io.direction == KVM_EXIT_IO_OUT)
                memcpy(&poke.value, data, sizeof poke.value);
            else
                memcpy(data, &words[next++], sizeof words[0]);
        } else {
            poke.failed = true;
            return poke;
        }
    }
}

struct poke poke_read(struct machine *machine, gpa_t gpa)
{
    return poke(machine, COMMAND_READ, gpa, 0);
}

struct poke poke_write(struct machine *machine, gpa_t gpa, uint32_t value)
{
    return poke(machine, COMMAND_WRITE, gpa, value);
}
