/*
 * interrupt.h: the two interrupt pins of a processor, INTR and NMI, when the interrupt
 * controller is ours and not KVM's.
 *
 * The controller raises INTR. The processor looks at the pin between two instructions,
 * and takes the interrupt if it may: RFLAGS.IF set, not in the shadow of STI or MOV SS,
 * nothing else being delivered. Only KVM knows; it tells us in struct kvm_run, and
 * takes one vector at a time (KVM_INTERRUPT). While the guest may not be interrupted we
 * ask KVM to come back as soon as it may: the interrupt window.
 * [KVM-API, 4.16 "KVM_INTERRUPT" and 5 "The kvm_run structure"]
 *
 *     interrupt_init(&pins, &vcpu, &pic, wake, self);
 *     pic_init(&pic, interrupt_intr_line(&pins));
 *
 * A processor's loop then makes two calls, both on the vCPU's own thread and under
 * the devices' lock:
 *
 *     for (;;) {
 *         lock; interrupt_before_run(&pins); unlock;
 *         vcpu_run(&vcpu);
 *         KVM_EXIT_IRQ_WINDOW_OPEN:  nothing: the next round injects
 *         KVM_EXIT_HLT:  lock; while (!interrupt_wakes(&pins) && !stop)
 *                            pthread_cond_wait(...); unlock;
 *     }
 *
 * wake() is called under the lock, on any thread, when a pin that was low goes high.
 * It must see to it that a sleeper of the HLT line above looks again, and, unless it
 * runs on the vCPU's own thread, that KVM_RUN returns or does not begin
 * (immediate_exit and a signal). So nobody polls.
 */
#ifndef CHAPTER_04_INTERRUPT_H
#define CHAPTER_04_INTERRUPT_H

#include <stdbool.h>

#include "01-kvm-hello/kvm.h"
#include "04-devices/irq.h"
#include "04-devices/pic.h"

struct interrupt_pins {
    const struct vcpu *vcpu;
    struct pic_pair *pic; /* gives the vector; NULL: INTR is not connected */
    void (*wake)(void *self);
    void *self;
    bool intr; /* the level of INTR */
    bool nmi;  /* an edge on NMI that the processor has not been told of */
};

enum interrupt_step {
    INTERRUPT_NOTHING, /* INTR is low */
    INTERRUPT_INJECT,  /* the guest takes an interrupt now */
    INTERRUPT_WINDOW,  /* it will: ask to be told when */
};

/* vcpu and pic are not owned and must stay. */
void interrupt_init(struct interrupt_pins *pins, const struct vcpu *vcpu, struct pic_pair *pic,
                    void (*wake)(void *self), void *self);

/* The wires to the two pins. NMI is an edge: each rise is one interrupt. */
struct irq_line interrupt_intr_line(struct interrupt_pins *pins);
struct irq_line interrupt_nmi_line(struct interrupt_pins *pins);

/* What to do with the level of INTR, by what KVM said when the guest stopped last. */
enum interrupt_step interrupt_decide(bool intr, const struct kvm_run *run);

/* Hands KVM an NMI and an interrupt, if there are any and the guest can take them. */
void interrupt_before_run(struct interrupt_pins *pins);

/* Does anything end the processor's HLT? Only to be asked after KVM_EXIT_HLT. */
bool interrupt_wakes(const struct interrupt_pins *pins);

#endif
