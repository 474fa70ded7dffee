/*
 * irqchip.c: three ioctls. Open at hand: [KVM-API] 4.24 "KVM_CREATE_IRQCHIP", 4.25
 * "KVM_IRQ_LINE" and 4.71 "KVM_CREATE_PIT2".
 *
 * Left out on purpose: message-signalled interrupts and irqfd, routing other than
 * the one KVM starts with, and chips of our own.
 */
#define _GNU_SOURCE
#include "04-devices/irqchip.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/die.h"

void irqchip_create(const struct vm *vm)
{
    /* Port 0x61 mixes timer and speaker; KVM answers it too, and beeps for nobody. */
    struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};

    if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
        die("KVM_CREATE_IRQCHIP failed: %s", strerror(errno));
    if (ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
        die("KVM_CREATE_PIT2 failed: %s", strerror(errno));
}

static void irq_pin_set(void *self, bool level)
{
    const struct irq_pin *pin = self;
    struct kvm_irq_level line = {.irq = pin->number, .level = level};

    if (ioctl(pin->vm->fd, KVM_IRQ_LINE, &line) < 0)
        die("KVM_IRQ_LINE failed for line %u: %s", pin->number, strerror(errno));
}

struct irq_line irq_pin_line(struct irq_pin *pin)
{
    return (struct irq_line){.set = irq_pin_set, .self = pin};
}
