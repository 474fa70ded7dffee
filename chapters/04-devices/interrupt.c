/*
 * interrupt.c: from the INTR pin into KVM. Open at hand: [KVM-API, 4.16 "KVM_INTERRUPT",
 * 4.64 "KVM_NMI"] and [SDM3, 6.3.1 "External Interrupts", 6.8 "Enabling and Disabling
 * Interrupts"].
 *
 * The vector is asked of the controller at the last moment, when the guest takes it for
 * certain: an acknowledge cannot be taken back.
 *
 * Left out on purpose: more than one processor. INTR of a PC without APICs goes to one.
 */
#include "04-devices/interrupt.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/die.h"

/* [decide] */
enum interrupt_step interrupt_decide(bool intr, const struct kvm_run *run)
{
    if (!intr)
        return INTERRUPT_NOTHING;
    /* IF as the guest left it; "ready" rules out shadows and events on their way. */
    if (run->if_flag && run->ready_for_interrupt_injection)
        return INTERRUPT_INJECT;
    return INTERRUPT_WINDOW;
}
/* [/decide] */

/* [before-run] */
void interrupt_before_run(struct interrupt_pins *pins)
{
    struct kvm_run *run = pins->vcpu->run;

    if (pins->nmi) {
        pins->nmi = false;
        if (ioctl(pins->vcpu->fd, KVM_NMI) < 0)
            die("KVM_NMI failed: %s", strerror(errno));
    }
    if (interrupt_decide(pins->intr, run) == INTERRUPT_INJECT) {
        struct kvm_interrupt interrupt = {.irq = pic_acknowledge(pins->pic)};

        if (ioctl(pins->vcpu->fd, KVM_INTERRUPT, &interrupt) < 0)
            die("KVM_INTERRUPT failed: %s", strerror(errno));
    }
    /* Whoever still asks now waits for the next chance. */
    run->request_interrupt_window = pins->intr;
}
/* [/before-run] */

bool interrupt_wakes(const struct interrupt_pins *pins)
{
    return pins->nmi || (pins->intr && pins->vcpu->run->if_flag);
}

static void set_intr(void *self, bool level)
{
    struct interrupt_pins *pins = self;

    pins->intr = level;
    if (level)
        pins->wake(pins->self);
}

struct irq_line interrupt_intr_line(struct interrupt_pins *pins)
{
    return (struct irq_line){.set = set_intr, .self = pins};
}

static void set_nmi(void *self, bool level)
{
    struct interrupt_pins *pins = self;

    if (level) {
        pins->nmi = true;
        pins->wake(pins->self);
    }
}

struct irq_line interrupt_nmi_line(struct interrupt_pins *pins)
{
    return (struct irq_line){.set = set_nmi, .self = pins};
}

void interrupt_init(struct interrupt_pins *pins, const struct vcpu *vcpu, struct pic_pair *pic,
                    void (*wake)(void *self), void *self)
{
    *pins = (struct interrupt_pins){.vcpu = vcpu, .pic = pic, .wake = wake, .self = self};
}
